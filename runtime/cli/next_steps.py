"""Which commands come next. Written as they are typed, with capitals where something has to be filled in."""

from domain.accounts import RealNameType
from domain.deletion import DeletionStatus, DeletionView
from domain.messages import CancellationView, ReviewView
from domain.phases import Phase, Step
from domain.tickets import ReviewStatus

VERIFY = "verify {account} CODE"

_FILE_TICKET = "ticket file {account} --email EMAIL --phone PHONE {consent}"
_SUPPLY = "ticket supply {ticket} --letter FILE"

_BY_STEP: dict[Step, tuple[str, ...]] = {
    Step.SEND_CODE: ("send-code {account}",),
    Step.SUBMIT_IDENTITY_PROOF: (VERIFY,),
    Step.ACCEPT_NOTICE: ("accept-notice {account} --show", "accept-notice {account} --yes"),
    Step.RECHECK: ("recheck {account}",),
    Step.CONFIRM: ("confirm {account}",),
    Step.FILE_TICKET: (_FILE_TICKET,),
    Step.SUPPLY_MATERIALS: (_SUPPLY,),
}

_BY_PHASE: dict[Phase, tuple[str, ...]] = {
    Phase.OPENING: ("status {account}",),
    Phase.CHECKING: ("status {account}",),
    Phase.UNDER_REVIEW: ("status {account}", "ticket show {ticket}"),
    Phase.SEALING: ("status {account}",),
    Phase.DELETING: ("status {account}",),
    Phase.DELETION_STALLED: ("deletion show {account}", "deletion resume {account}"),
    Phase.CLOSED: ("certificate {request}",),
    Phase.REJECTED: ("start {account}",),
    Phase.LAPSED: ("start {account}",),
}
"""While the owner has no turn, and after the end."""

_DECISIONS = (
    "ticket approve {ticket} --operator ID{attest}",
    "ticket reject {ticket} --operator ID --reason CODE",
    "ticket request-materials {ticket} --operator ID --reason CODE",
)


def for_request(view: CancellationView) -> list[str]:
    lines = _BY_STEP[view.due_step] if view.due_step else _BY_PHASE.get(view.phase, ())
    if view.due_step is Step.RECHECK and _ticket_helps(view):
        lines += (_FILE_TICKET,)
    consent = "--letter FILE" if view.real_name_type is RealNameType.ENTERPRISE else "--accept-notice"
    ticket = view.review.ticket.ticket_no if view.review else ""
    return [
        line.format(account=view.account_id, request=view.request_no, ticket=ticket, consent=consent) for line in lines
    ]


def _ticket_helps(view: CancellationView) -> bool:
    return view.report is not None and bool(view.report.reasons_left()) and not view.report.must_be_fixed_first()


def for_review(view: ReviewView) -> list[str]:
    if view.status is ReviewStatus.UNDER_REVIEW:
        lines: tuple[str, ...] = _DECISIONS
    else:
        lines = (_SUPPLY,) if view.status is ReviewStatus.AWAITING_MATERIALS else ("status {account}",)
    attest = "" if view.case.identity_verified else " --attest-identity"
    return [
        line.format(ticket=view.case.ticket.ticket_no, account=view.case.account_id, attest=attest) for line in lines
    ]


def for_deletion(view: DeletionView) -> list[str]:
    match view.status:
        case DeletionStatus.STALLED:
            return [f"deletion resume {view.account_id}"]
        case DeletionStatus.FINISHED:
            return [f"certificate {view.request_no}"]
    return [f"deletion show {view.account_id}"]
