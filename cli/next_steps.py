"""Which commands come next. Written as they are typed, with capitals where something has to be filled in."""

from domain.deletion import DeletionStatus, DeletionView
from domain.messages import CancellationView, ReviewView
from domain.phases import Phase, Step
from domain.tickets import ReviewStatus

VERIFY = "verify {account} CODE"

_SUPPLY = "ticket supply {ticket} --letter FILE"

_BY_STEP: dict[Step, tuple[str, ...]] = {
    Step.SEND_CODE: ("send-code {account}",),
    Step.SUBMIT_IDENTITY_PROOF: (VERIFY,),
    Step.ACCEPT_NOTICE: ("accept-notice {account} --show", "accept-notice {account} --yes"),
    Step.RECHECK: ("recheck {account}",),
    Step.CONFIRM: ("confirm {account}",),
    Step.FILE_TICKET: ("recheck {account}",),
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
    if view.run_ended:
        return [f"start {view.account_id}"]
    lines = _BY_STEP[view.due_step] if view.due_step else _BY_PHASE.get(view.phase, ())
    ticket = view.review.ticket.ticket_no if view.review else ""
    shown = [line.format(account=view.account_id, request=view.request_no, ticket=ticket) for line in lines]
    if view.due_step in (Step.RECHECK, Step.FILE_TICKET) and _ticket_helps(view):
        shown.append(to_file(view))
    return shown


def to_file(view: CancellationView, *, digest: str | None = None) -> str:
    """What to type to file a ticket; with the digest of the report that was read it is filed."""
    words = ["ticket file", view.account_id, "--email EMAIL --phone PHONE"]
    needs = view.ticket_needs
    if needs and needs.letter:
        words.append("--letter FILE")
    if needs and needs.statement:
        words.append("--accept-notice")
    if digest and needs and needs.balance_fen:
        words.append(f"--balance CHOICE --amount-fen {needs.balance_fen}")
    if digest:
        words.append(f"--report {digest}")
    return " ".join(words)


def _ticket_helps(view: CancellationView) -> bool:
    """Where nothing stands in the way a ticket is only for those who cannot prove who they are."""
    report = view.report
    if report is None or report.not_told or report.must_be_fixed_first():
        return False
    return view.due_step is Step.FILE_TICKET or bool(report.reasons_left())


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
