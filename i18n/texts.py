"""What every code means: a title, and where somebody has to act, what to do.

One table for the command line, the console and the demo. A code without advice needs nobody to act.
"""

from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from domain.accounts import Channel, RealNameType, RefusalReason
from domain.checks import Check, EntitlementKind, Figure, Marketplace, Reason, Remedy, Verdict
from domain.deletion import DeletionPhase, DeletionStatus, RetentionRule, Verification
from domain.errors import ErrorType
from domain.letters import SignatureCheck
from domain.messages import Route, WithdrawalReason
from domain.phases import Phase, Step
from domain.standing import ReviewEnd, RunEnd
from domain.tickets import BalanceWish, DecisionReason, IgnoredBecause, MissingPart, ReviewStatus
from i18n.catalogue import N_, translate
from i18n.formatting import listed


class Text(NamedTuple):
    """A title and, where somebody has to act, what to do: in English, for `translate`."""

    title: str
    advice: str = ""


def text(code: StrEnum, locale: str) -> Text:
    """The words for a code. Raises `KeyError` for a member of an enumeration that this table does not cover."""
    return translated(_TEXTS[type(code)][code], locale)


def titles(codes: Iterable[StrEnum], locale: str) -> str:
    return listed((text(code, locale).title for code in codes), locale)


CODE_SENT: Final = {
    Channel.PHONE: N_("A code was sent to your phone %(destination)s"),
    Channel.EMAIL: N_("A code was sent to your e-mail %(destination)s"),
}
SEND_CODE: Final = {Channel.PHONE: N_("Send a code by phone"), Channel.EMAIL: N_("Send a code by e-mail")}


def translated(text: Text, locale: str) -> Text:
    return Text(*(translate(locale, part) if part else "" for part in text))


# By class first: members of different enumerations with the same value are equal (Phase.REJECTED == "REJECTED").
_TEXTS: Final[dict[type[StrEnum], dict[StrEnum, Text]]] = {
    Check: {
        Check.BALANCE: Text(N_("balance")),
        Check.ARREARS: Text(N_("arrears")),
        Check.PROVIDER: Text(N_("marketplace provider")),
        Check.ICP_FILING: Text(N_("ICP filing")),
        Check.RESOURCES: Text(N_("billable resources")),
    },
    Verdict: {
        Verdict.PASSED: Text(N_("passed")),
        Verdict.BLOCKED: Text(N_("not met")),
        Verdict.UNKNOWN: Text(N_("could not tell")),
    },
    Reason: {
        Reason.BALANCE_WITHDRAWABLE: Text(
            N_("there is a balance to withdraw"), N_("Withdraw it; to give it up instead, file a ticket.")
        ),
        Reason.BALANCE_IN_WITHDRAWAL: Text(
            N_("a withdrawal is under way"),
            N_("Wait until it has arrived, then check again; to give it up instead, file a ticket."),
        ),
        Reason.BALANCE_NOT_WITHDRAWABLE: Text(
            N_("frozen or offline money cannot be withdrawn by yourself"),
            N_("File a ticket: staff return it, or you give it up there."),
        ),
        Reason.ARREARS_UNPAID: Text(N_("arrears are unpaid"), N_("Pay, then check again.")),
        Reason.PROVIDER_BUSINESS_ACTIVE: Text(
            N_("provider business is in progress"), N_("Agree with your business contact to end it, then check again.")
        ),
        Reason.ICP_FILING_EVER_APPLIED: Text(
            N_("an ICP filing was applied for at some time"),
            N_("File a ticket; cancelling the filing does not bring self-service back."),
        ),
        Reason.RESOURCES_ACTIVE: Text(N_("billable resources are active"), N_("End them, then check again.")),
        Reason.COULD_NOT_TELL: Text(N_("we could not tell"), N_("Not your fault: check again in a while.")),
    },
    Remedy: {
        Remedy.SELF_SERVICE: Text(N_("by yourself"), N_("Fix it, then check again.")),
        Remedy.BUSINESS_CONTACT: Text(N_("with your business contact"), N_("Agree, then check again.")),
        Remedy.MANUAL_TICKET: Text(N_("with a ticket"), N_("File a ticket: answered within 3 business days.")),
    },
    Figure: {
        Figure.AVAILABLE_FEN: Text(N_("available")),
        Figure.FROZEN_FEN: Text(N_("frozen")),
        Figure.IN_WITHDRAWAL_FEN: Text(N_("in withdrawal")),
        Figure.OFFLINE_FEN: Text(N_("paid in offline")),
        Figure.ARREARS_FEN: Text(N_("unpaid")),
        Figure.BUSINESSES_IN_PROGRESS: Text(N_("in progress")),
        Figure.APPLICATIONS_EVER: Text(N_("applications")),
        Figure.ACTIVE_RESOURCES: Text(N_("active")),
    },
    Marketplace: {
        Marketplace.CLOUD_MARKET: Text(N_("Cloud Marketplace")),
        Marketplace.WANXIANG: Text(N_("Wanxiang")),
        Marketplace.YUNDING: Text(N_("Yunding")),
    },
    EntitlementKind: {
        EntitlementKind.VOUCHER: Text(N_("voucher")),
        EntitlementKind.PICKUP_VOUCHER: Text(N_("pick-up voucher")),
        EntitlementKind.QUALIFICATION: Text(N_("qualification")),
        EntitlementKind.DISCOUNT: Text(N_("discount")),
    },
    Channel: {Channel.PHONE: Text(N_("phone")), Channel.EMAIL: Text(N_("e-mail"))},
    RealNameType: {
        RealNameType.NONE: Text(N_("no real name")),
        RealNameType.INDIVIDUAL: Text(N_("individual")),
        RealNameType.ENTERPRISE: Text(N_("enterprise")),
    },
    RefusalReason: {
        RefusalReason.UNKNOWN_ACCOUNT: Text(N_("no such account"), N_("Check the account id.")),
        RefusalReason.SUB_USER: Text(
            N_("a sub-user cannot cancel the account"), N_("Sign in with the main account and apply again.")
        ),
        RefusalReason.ALREADY_CLOSED: Text(N_("closed already"), N_("There is nothing left to do.")),
        RefusalReason.RESTRICTED: Text(
            N_("the account is restricted"), N_("Have support lift the restriction, then apply again.")
        ),
        RefusalReason.ACCOUNT_UNREADABLE: Text(
            N_("the platform's answer cannot be used"),
            N_(
                "Not your fault: tell support. "
                "Operations: check the platform's address and its version of the contract."
            ),
        ),
    },
    Phase: {
        Phase.OPENING: Text(N_("opening")),
        Phase.AWAITING_IDENTITY: Text(
            N_("awaiting identity"),
            N_("Verify it's you by your phone or e-mail; with neither on file, file a ticket."),
        ),
        Phase.AWAITING_NOTICE: Text(N_("awaiting notice"), N_("Read and accept the notice.")),
        Phase.CHECKING: Text(N_("checking")),
        Phase.BLOCKED: Text(
            N_("blocked"), N_("Fix what is listed and check again, or file a ticket where one can help.")
        ),
        Phase.AWAITING_CONFIRMATION: Text(
            N_("awaiting confirmation"), N_("Read the report and confirm; after that there is no way back.")
        ),
        Phase.UNDER_REVIEW: Text(N_("under review")),
        Phase.AWAITING_MATERIALS: Text(N_("awaiting materials"), N_("Supply what the reviewer asked for.")),
        Phase.SEALING: Text(N_("sealing")),
        Phase.DELETING: Text(N_("deleting")),
        Phase.DELETION_STALLED: Text(
            N_("deletion stalled"), N_("Operations: remove the cause, then resume (deletion resume).")
        ),
        Phase.CLOSED: Text(N_("closed")),
        Phase.REJECTED: Text(N_("not approved"), N_("Settle the reasons, then you may apply again.")),
        Phase.WITHDRAWN: Text(N_("withdrawn")),
        Phase.LAPSED: Text(N_("lapsed"), N_("Apply again if you still want to cancel.")),
        Phase.REFUSED: Text(N_("refused")),
    },
    Step: {
        Step.SEND_CODE: Text(N_("get a code")),
        Step.SUBMIT_IDENTITY_PROOF: Text(N_("enter the code")),
        Step.ACCEPT_NOTICE: Text(N_("accept the notice")),
        Step.RECHECK: Text(N_("check again")),
        Step.CONFIRM: Text(N_("confirm")),
        Step.FILE_TICKET: Text(N_("file a ticket")),
        Step.SUPPLY_MATERIALS: Text(N_("supply materials")),
        Step.WITHDRAW: Text(N_("withdraw")),
    },
    Route: {Route.SELF_SERVICE: Text(N_("self-service")), Route.MANUAL: Text(N_("by ticket"))},
    WithdrawalReason: {
        WithdrawalReason.CHANGED_MIND: Text(N_("changed my mind")),
        WithdrawalReason.KEEP_SERVICES: Text(N_("the services are still needed")),
        WithdrawalReason.CANNOT_MEET_CONDITIONS: Text(N_("the conditions cannot be met")),
        WithdrawalReason.NOT_REQUESTED_BY_ME: Text(N_("not asked for by me")),
        WithdrawalReason.OPERATOR_CANCELLED: Text(N_("cancelled by operations")),
    },
    ReviewStatus: {
        ReviewStatus.UNDER_REVIEW: Text(N_("in review")),
        ReviewStatus.AWAITING_MATERIALS: Text(N_("awaiting materials")),
        ReviewStatus.APPROVED: Text(N_("approved")),
        ReviewStatus.REJECTED: Text(N_("rejected")),
        ReviewStatus.CALLED_OFF: Text(N_("called off")),
    },
    MissingPart: {
        MissingPart.CONTACT_EMAIL: Text(N_("contact e-mail"), N_("Give an e-mail address that reaches you.")),
        MissingPart.CONTACT_PHONE: Text(N_("contact phone"), N_("Give a phone number that reaches you.")),
        MissingPart.STATEMENT: Text(
            N_("statement that the notice was read and accepted"),
            N_("State that you have read and accept the notice in force."),
        ),
        MissingPart.STAMPED_LETTER: Text(
            N_("stamped letter of consent"),
            N_("Attach the letter of consent with the company's seal: a PDF, photo or scan of at most 20 MiB."),
        ),
        MissingPart.BALANCE_CHOICE: Text(
            N_("choice for the balance"),
            N_("Choose what happens to the balance shown: give it up, or have it returned."),
        ),
    },
    BalanceWish: {
        BalanceWish.GIVE_UP: Text(N_("give it up")),
        BalanceWish.RETURN: Text(
            N_("have it returned"), N_("The account is closed only when the money has been returned.")
        ),
    },
    SignatureCheck: {
        SignatureCheck.VALID: Text(N_("carries an electronic signature: valid")),
        SignatureCheck.INVALID: Text(
            N_("carries an electronic signature: not valid"),
            N_("The file was changed after it was signed, or the signature is wrong."),
        ),
        SignatureCheck.NOT_VERIFIED: Text(
            N_("carries an electronic signature: not verified"),
            N_("The service could not tell who signed; do not go by the signature alone."),
        ),
    },
    ReviewEnd: {
        ReviewEnd.CALLED_OFF: Text(
            N_("the review was called off, without a decision"), N_("File another ticket if you still need one.")
        ),
        ReviewEnd.ENDED_FROM_OUTSIDE: Text(
            N_("operations ended the review, without a decision"), N_("File the ticket again.")
        ),
        ReviewEnd.NOT_CREDIBLE: Text(
            N_("the review's decision was against the rules, and does not count"), N_("File the ticket again.")
        ),
    },
    RunEnd: {
        RunEnd.TERMINATED: Text(N_("operations ended this request")),
        RunEnd.FAILED: Text(N_("this request failed because of an error of ours")),
        RunEnd.CANCELED: Text(N_("operations cancelled this request")),
        RunEnd.TIMED_OUT: Text(N_("this request ran out of time")),
    },
    DecisionReason: {
        DecisionReason.IDENTITY_NOT_PROVEN: Text(N_("identity not proven"), N_("Send proof of your identity.")),
        DecisionReason.CONSENT_NOT_VALID: Text(N_("consent not valid"), N_("Issue a new letter of consent.")),
        DecisionReason.COMPANY_MISMATCH: Text(
            N_("company differs from the verified one"), N_("Have the verified company issue the papers.")
        ),
        DecisionReason.DISPUTE_OPEN: Text(N_("a dispute is open"), N_("Settle the dispute first.")),
        DecisionReason.LEGAL_HOLD: Text(
            N_("the law requires the account to be kept"), N_("Apply again when that has ended.")
        ),
        DecisionReason.FUNDS_MUST_BE_RETURNED: Text(
            N_("money has to be returned first"), N_("Have it paid back, then apply again.")
        ),
        DecisionReason.SEE_NOTE: Text(N_("see the reviewer's note"), N_("Support will tell you more.")),
        DecisionReason.LETTER_ILLEGIBLE: Text(N_("letter not legible"), N_("Scan it again.")),
        DecisionReason.SEAL_MISSING: Text(N_("company seal missing"), N_("Stamp the letter and send it again.")),
        DecisionReason.LETTER_INCOMPLETE: Text(N_("letter incomplete"), N_("Complete it and send it again.")),
        DecisionReason.STATEMENT_OUTDATED: Text(N_("statement names an old notice"), N_("Accept the notice in force.")),
        DecisionReason.CONTACT_UNREACHABLE: Text(
            N_("contact cannot be reached"), N_("Give an e-mail and a phone that reach you.")
        ),
    },
    IgnoredBecause: {
        IgnoredBecause.DUPLICATE: Text(N_("already given")),
        IgnoredBecause.CONFLICT: Text(
            N_("another decision has this id"), N_("Load the page again, review it, and decide again.")
        ),
        IgnoredBecause.STALE: Text(
            N_("based on earlier materials, or an earlier report"), N_("See what is there now, then decide.")
        ),
        IgnoredBecause.TIME_IMPLAUSIBLE: Text(
            N_("time of decision not plausible"), N_("Set the sender's clock right, then decide again.")
        ),
        IgnoredBecause.WRONG_TICKET: Text(N_("another ticket"), N_("Check the ticket number.")),
        IgnoredBecause.ALREADY_DECIDED: Text(N_("decided already")),
        IgnoredBecause.WRONG_PHASE: Text(N_("materials are awaited"), N_("Decide when they have arrived.")),
        IgnoredBecause.SELF_APPROVAL: Text(N_("decided by the applicant"), N_("Have somebody else decide.")),
        IgnoredBecause.REASONS_MISSING: Text(N_("reasons missing"), N_("Name at least one reason.")),
        IgnoredBecause.WAIVERS_INCOMPLETE: Text(
            N_("waivers incomplete"), N_("Waive every check that stands in the way, or reject.")
        ),
        IgnoredBecause.IDENTITY_NOT_ATTESTED: Text(
            N_("identity not attested"), N_("Establish identity by other means and attest it.")
        ),
    },
    DeletionPhase: {
        DeletionPhase.REVOKE_CREDENTIALS: Text(N_("revoke credentials")),
        DeletionPhase.UNBIND_THIRD_PARTIES: Text(N_("unbind third parties")),
        DeletionPhase.FORFEIT_ENTITLEMENTS: Text(N_("forfeit entitlements")),
        DeletionPhase.PURGE_RESOURCES: Text(N_("purge resources")),
        DeletionPhase.SEND_FINAL_NOTICE: Text(N_("send the final notice")),
        DeletionPhase.ERASE_PERSONAL_DATA: Text(N_("erase personal data")),
        DeletionPhase.ISSUE_CERTIFICATE: Text(N_("issue the certificate")),
    },
    DeletionStatus: {
        DeletionStatus.RUNNING: Text(N_("running")),
        DeletionStatus.STUCK: Text(N_("stuck"), N_("It keeps retrying: fix the cause; nothing has to be resumed.")),
        DeletionStatus.STALLED: Text(N_("stalled"), N_("Fix the cause, then resume it (deletion resume).")),
        DeletionStatus.FINISHED: Text(N_("finished")),
    },
    Verification: {Verification.VERIFY_AUTHORITY: Text(N_("verify the authority to delete"))},
    ErrorType: {
        ErrorType.WRONG_PHASE: Text(N_("This step is not possible now.")),
        ErrorType.NO_VERIFIED_CHANNEL: Text(
            N_("The account has neither a verified phone nor a verified e-mail. File a ticket.")
        ),
        ErrorType.CHANNEL_NOT_VERIFIED: Text(N_("This contact is not verified for the account. Choose another one.")),
        ErrorType.STALE_NOTICE: Text(N_("The notice has changed. Read the one in force, and accept that.")),
        ErrorType.STALE_REPORT: Text(
            N_("The conditions have been checked again since. Look at the new result, then go on.")
        ),
        ErrorType.TICKET_NOT_ALLOWED: Text(N_("A ticket cannot be filed now.")),
        ErrorType.TICKET_INCOMPLETE: Text(N_("Something is missing in the ticket. Complete it and send it again.")),
        ErrorType.TICKET_MISMATCH: Text(N_("This ticket does not fit the account. File it again.")),
        ErrorType.LETTER_REFUSED: Text(
            N_("The letter cannot be accepted as it is. Scan it again, or save it again, and send that.")
        ),
        ErrorType.POINT_OF_NO_RETURN: Text(N_("This is past the point of no return: it can no longer be withdrawn.")),
        ErrorType.DECISION_REFUSED: Text(N_("The decision was not accepted.")),
        ErrorType.NOT_STALLED: Text(N_("The deletion runs by itself; there is nothing to resume.")),
        ErrorType.NOT_NOW: Text(N_("This cannot be done just now, which is not your fault. Nothing was changed.")),
        ErrorType.IDENTITY_STALE: Text(
            N_("Identity was verified too long ago, or by somebody else. Verify it again, then confirm.")
        ),
        ErrorType.AUTHORITY_MISMATCH: Text(
            N_("The deletion does not fit the account's request. Nothing was done; tell operations.")
        ),
        ErrorType.NOT_FOUND: Text(N_("Nothing was found. Check the number.")),
        ErrorType.ALREADY_OVER: Text(N_("This is over; there is nothing left to do.")),
        ErrorType.BAD_INPUT: Text(N_("The input or a setting cannot be used. Correct it, then try again.")),
        ErrorType.UNREACHABLE: Text(N_("The service did not answer. Nothing is lost: try again in a little while.")),
        ErrorType.NOT_SIGNED_IN: Text(N_("Sign in first.")),
        ErrorType.NOT_ALLOWED: Text(N_("You have no permission for this.")),
        ErrorType.FORM_REFUSED: Text(N_("The page has expired. Load it again, then try once more.")),
        ErrorType.TOO_LARGE: Text(N_("What was sent is too large. Make it smaller, then try again.")),
        ErrorType.ACCOUNT_UNKNOWN: Text(N_("There is no such account. Check its id.")),
        ErrorType.ACCOUNT_NOT_CLOSABLE: Text(N_("This account cannot be closed.")),
        ErrorType.CODE_WRONG: Text(N_("The code is wrong. Check it and enter it again.")),
        ErrorType.CODE_EXPIRED: Text(N_("The code has expired. Get a new one.")),
        ErrorType.CODE_LOCKED: Text(N_("Too many wrong tries: this code is no longer valid. Get a new one.")),
        ErrorType.CHALLENGE_UNKNOWN: Text(N_("This code is no longer valid. Get a new one.")),
        ErrorType.RESEND_TOO_SOON: Text(N_("It is too soon for another code.")),
        ErrorType.DAILY_CODE_LIMIT: Text(N_("No more codes can be sent today. Try again tomorrow.")),
        ErrorType.PROOF_INVALID: Text(N_("This proof of identity is not valid. Get a new code.")),
        ErrorType.PROOF_USED: Text(N_("This proof of identity was used before. Get a new code.")),
        ErrorType.PROOF_EXPIRED: Text(N_("This proof of identity has expired. Get a new code.")),
        ErrorType.HOLD_LAPSED: Text(N_("The account's lock has run out. Try again.")),
        ErrorType.HOLD_RELEASED: Text(N_("The account's lock was released. Try again.")),
        ErrorType.PHASE_UNKNOWN: Text(N_("The platform has no record of this step of the deletion. Tell operations.")),
        ErrorType.CREDENTIALS_REFUSED: Text(N_("The platform refuses this service's credentials. Tell operations.")),
        ErrorType.IDEMPOTENCY_CONFLICT: Text(N_("Two different requests carry the same key. Tell operations.")),
        ErrorType.REQUEST_INVALID: Text(N_("The platform finds the request invalid. Check the input.")),
        ErrorType.RATE_LIMITED: Text(N_("Too many requests. Try again in a while.")),
        ErrorType.SERVICE_UNAVAILABLE: Text(
            N_("A service of the platform is unavailable just now. Try again in a while.")
        ),
        ErrorType.INTERNAL_ERROR: Text(N_("An error of ours. Tell operations.")),
        ErrorType.ANSWER_UNREADABLE: Text(
            N_("The platform's answer cannot be read. Try again in a while, or tell operations.")
        ),
        ErrorType.UNEXPECTED_ANSWER: Text(
            N_("The platform's answer is not what was agreed. Have operations check its address.")
        ),
        ErrorType.VAULT_RECORD_MISSING: Text(N_("The evidence vault does not have this record. Tell operations.")),
        ErrorType.VAULT_RECORD_CHANGED: Text(
            N_("A record in the evidence vault does not match its hash. Tell operations.")
        ),
        ErrorType.VAULT_RECORD_FOREIGN: Text(
            N_("A record in the evidence vault belongs to another account or request. Tell operations.")
        ),
        ErrorType.VAULT_UNAVAILABLE: Text(N_("The evidence vault is unavailable just now. Try again in a while.")),
    },
    RetentionRule: {
        RetentionRule.ECOMMERCE_LAW_31: Text(N_("E-Commerce Law, article 31")),
        RetentionRule.INVOICE_MEASURES_28: Text(N_("Measures on Invoices, article 28")),
        RetentionRule.CYBERSECURITY_LAW_23: Text(N_("Cybersecurity Law, article 23")),
        RetentionRule.PIPL_56_EVIDENCE_OF_CONSENT: Text(
            N_("Personal Information Protection Law, article 56 (evidence of consent)")
        ),
    },
}

_KINDS: Final = {
    "access_key": N_("access keys"),
    "sub_user": N_("sub-users"),
    "session": N_("sessions"),
    "wechat": N_("WeChat binding"),
    "qq": N_("QQ binding"),
    "github": N_("GitHub binding"),
    "voucher": N_("vouchers"),
    "pickup_voucher": N_("pick-up vouchers"),
    "qualification": N_("qualifications"),
    "discount": N_("discounts"),
    "vm": N_("virtual machines"),
    "disk": N_("disks"),
    "eip": N_("public IP addresses"),
    "rds": N_("databases"),
    "oss": N_("object storage"),
    "cdn": N_("CDN"),
    "key-pair": N_("key pairs"),
    "security-group": N_("security groups"),
    "name": N_("name"),
    "phone": N_("phone number"),
    "email": N_("e-mail address"),
    "real_name": N_("real-name record"),
    "messages": N_("messages"),
    "certificates": N_("certificate"),
    "transactions": N_("transaction records"),
    "invoices": N_("invoices"),
    "access-logs": N_("access logs"),
    "cancellation-evidence": N_("evidence of this cancellation"),
}
"""What the platform counts: kinds of products and of data, by its own codes."""


def kind_name(code: str, locale: str) -> str:
    """What a product, or a kind of data, is called. The platform may know more of them: those keep their code."""
    if code in set(Marketplace):
        return text(Marketplace(code), locale).title
    return translate(locale, _KINDS[code]) if code in _KINDS else code
