"""The four stories. Each ends with what has to be true."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta

from devtools.demo import views
from devtools.demo.letter import scanned_letter
from devtools.demo.proof import Claim, clock_restarted, closed_for_good, rejected_and_untouched
from devtools.demo.scene import Scene, WrongTurn
from devtools.demo.texts import Say
from devtools.demo.virtual_clock import pass_deadline
from domain.checks import Check, CheckOutcome, EligibilityReport, Figure, Marketplace
from domain.letters import LetterType
from domain.messages import CancellationView, ReviewView
from domain.notifications import Template
from domain.phases import Phase
from domain.tickets import DecisionKind, DecisionReason, ReviewStatus
from i18n.texts import text, yuan


@dataclass
class Ending:
    """How a story ended: the claims, checked."""

    claims: list[Claim] = field(default_factory=list)
    skipped: timedelta | None = None


@dataclass(frozen=True)
class Story:
    title: Say
    account_id: str
    play: Callable[[Scene], Awaitable[Ending]]


async def clean(scene: Scene) -> Ending:
    await scene.to_report(brief=False)
    await scene.line(Say.SYSTEM, Say.ALL_PASSED)
    await scene.confirm()
    await scene.watch_deletion()
    scene.stage.below(views.certificate_panel(await scene.cancellations.certificate(scene.request_no), scene.locale))
    return Ending(await closed_for_good(scene))


async def four_reasons(scene: Scene) -> Ending:
    report = _report_of(await scene.to_report())
    reasons = report.reasons_left()
    await scene.line(Say.SYSTEM, Say.BLOCKED_BY, count=len(reasons))
    found = {outcome.check: outcome for outcome in report.outcomes}
    arrears, balance = found[Check.ARREARS].figures, found[Check.BALANCE].figures
    if report.pay_before_withdrawing:
        due, left = yuan(arrears[Figure.ARREARS_FEN]), yuan(balance[Figure.AVAILABLE_FEN])
        await scene.line(Say.SYSTEM, Say.PAY_FIRST, arrears=due, balance=left)
    rest = found[Check.RESOURCES].items
    await scene.line(Say.OWNER, Say.PAYS, amount=yuan(arrears[Figure.ARREARS_FEN]))
    await _fix(scene, {"arrears_fen": 0}, still=3)
    await scene.line(Say.OWNER, Say.WITHDRAWS, amount=yuan(balance[Figure.AVAILABLE_FEN]))
    await _fix(scene, {"available_fen": 0}, still=2)
    await scene.line(Say.OWNER, Say.ENDS_BUSINESS)
    await _fix(scene, {f"provider.{Marketplace.CLOUD_MARKET}": 0}, still=1)
    await scene.line(Say.OWNER, Say.ENDS_RESOURCES, items=views.counted(rest, scene.locale))
    await _fix(scene, {f"resources.{item.code}": 0 for item in rest}, still=0)
    await scene.confirm()
    await scene.watch_deletion()
    await scene.certify()
    return Ending([Claim(scene.say(Say.V_REASONS_TOGETHER), len(reasons) == 4), *await closed_for_good(scene)])


async def _fix(scene: Scene, facts: dict[str, int], *, still: int) -> None:
    """The world changes at the platform, and the owner has it checked again."""
    await scene.stack.store.set_facts(scene.account_id, **facts)
    left = _report_of(await scene.recheck()).reasons_left()
    if len(left) != still:
        raise WrongTurn(f"{len(left)} reasons left instead of {still}")
    if left:
        checks = views.names(_checks(left), scene.locale)
        await scene.line(Say.SYSTEM, Say.REASONS_LEFT, count=len(left), checks=checks)
    else:
        await scene.line(Say.SYSTEM, Say.ALL_PASSED)


async def enterprise(scene: Scene) -> Ending:
    waived = _checks(await _to_ticket_desk(scene))
    letter = scanned_letter(scene.account_id, stamped=False)
    await scene.line(Say.OWNER, Say.WRITES_LETTER, type=LetterType.PDF, size=len(letter) // 1024)
    ticket = await scene.file_ticket(letter)
    await scene.line(Say.OWNER, Say.FILES_TICKET, ticket_no=ticket.ticket_no)
    await _show_deadline(scene, Say.DUE)

    missing = await scene.decision(DecisionReason.SEAL_MISSING)
    await scene.cancellations.decide(DecisionKind.REQUEST_MATERIALS, missing)
    await scene.line(Say.STAFF, Say.ASKS_MATERIALS, reasons=views.names(missing.reason_codes, scene.locale))
    await scene.message(Template.TICKET_MATERIALS_REQUESTED)
    await scene.reach(Phase.AWAITING_MATERIALS)
    letter = scanned_letter(scene.account_id, stamped=True)
    await scene.supply(letter)
    await scene.line(Say.OWNER, Say.STAMPS_LETTER, type=LetterType.PDF, size=len(letter) // 1024)
    await _show_deadline(scene, Say.CLOCK_RESTARTED)

    await scene.cancellations.decide(DecisionKind.APPROVE, await scene.decision(waived=waived))
    await scene.line(Say.STAFF, Say.APPROVES, checks=views.names(waived, scene.locale))
    await scene.watch_deletion()
    await scene.certify()
    return Ending([*await closed_for_good(scene, waived), await clock_restarted(scene)])


async def unanswered(scene: Scene) -> Ending:
    before = await scene.stack.store.account(scene.account_id)
    await _to_ticket_desk(scene)
    ticket = await scene.file_ticket(None)
    await scene.line(Say.OWNER, Say.FILES_STATEMENT, ticket_no=ticket.ticket_no)
    review = await _show_deadline(scene, Say.DUE)

    assert review.clock is not None
    skipped = await pass_deadline(scene, review.clock)
    await scene.message(Template.TICKET_OVERDUE_LEAD)
    await scene.message(Template.TICKET_OVERDUE_OWNER)
    status = (await scene.reviewed(lambda view: view.status is ReviewStatus.UNDER_REVIEW)).status
    await scene.line(Say.SYSTEM, Say.STILL_OPEN, status=text(status, scene.locale).title)

    rejection = await scene.decision(DecisionReason.DISPUTE_OPEN)
    await scene.cancellations.signal_decision(DecisionKind.REJECT, rejection)
    reasons = views.names(rejection.reason_codes, scene.locale)
    await scene.line(Say.STAFF, Say.REJECTS, reasons=reasons)
    await scene.message(Template.TICKET_REJECTED)
    over = await scene.reach(Phase.REJECTED)
    await scene.line(Say.SYSTEM, Say.OVER, phase=text(over.phase, scene.locale).title)
    return Ending(await rejected_and_untouched(scene, before, rejection.reason_codes), skipped)


async def _to_ticket_desk(scene: Scene) -> tuple[CheckOutcome, ...]:
    """Through the checks to the point where only a ticket helps. Answers what it would have to waive."""
    report = _report_of(await scene.to_report())
    if report.must_be_fixed_first():
        raise WrongTurn(f"{', '.join(_checks(report.must_be_fixed_first()))} cannot be waived")
    left = report.reasons_left()
    await scene.line(Say.SYSTEM, Say.ONLY_BY_TICKET, checks=views.names(_checks(left), scene.locale))
    return left


async def _show_deadline(scene: Scene, what: Say) -> ReviewView:
    review = await scene.reviewed(lambda view: view.status is ReviewStatus.UNDER_REVIEW and view.clock is not None)
    clock = review.clock
    assert clock is not None
    await scene.line(Say.SYSTEM, what, due=views.day_end(clock.due_at, scene.locale), calendar=clock.calendar)
    return review


def _report_of(view: CancellationView) -> EligibilityReport:
    if view.report is None:
        raise WrongTurn(f"no report in phase {view.phase}")
    return view.report


def _checks(outcomes: tuple[CheckOutcome, ...]) -> tuple[Check, ...]:
    return tuple(outcome.check for outcome in outcomes)


STORIES = (
    Story(Say.CLEAN, "acct-clean-phone", clean),
    Story(Say.FOUR_REASONS, "acct-four-reasons", four_reasons),
    Story(Say.ENTERPRISE, "acct-enterprise", enterprise),
    Story(Say.UNANSWERED, "acct-icp", unanswered),
)
