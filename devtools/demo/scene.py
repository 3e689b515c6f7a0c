"""One account on stage: the owner's and the reviewer's steps, each taken for real and shown as it happens."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from rich.console import Group, RenderableType
from rich.text import Text
from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkipper

from cli import screens
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage, busy
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.checks import Check, EligibilityReport
from domain.deletion import DELETION_STAGES, DeletionView
from domain.errors import Refusal
from domain.ids import cancellation_workflow_id, review_workflow_id
from domain.locale import Locale
from domain.messages import CancellationResult, CancellationView, ReviewResult, ReviewView
from domain.notices import CURRENT_NOTICE
from domain.notifications import Template
from domain.phases import OUTCOMES, Phase
from domain.policy import Policy
from domain.tickets import BalanceChoice, BalanceWish, Decision, DecisionReason, TicketRef
from i18n.texts import text, titles
from service.tickets import Paper, file_ticket, supply_materials
from simulator.kinds import Carrier
from simulator.views import OutboxMessage
from workflows import AccountCancellation, TicketReview

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that anything may take which happens without a person."""

_AT_ONCE = Policy(outcomes_reused_for=timedelta(0), alarms_spread_over=timedelta(0))
"""In a story the world changes within a second; a re-check has to see it. Nobody waits for an alarm."""

_OWNER = Actor(subject="owner-1", via=Via.COMMAND_LINE)


class WrongTurn(Exception):
    """A story did not go as it should."""


async def until(probe: Callable[[], Awaitable[T]], accept: Callable[[T], bool], what: str) -> T:
    """Poll until an answer is accepted, or raise `WrongTurn` with what was waited for."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not accept(answer := await probe()):
        if asyncio.get_running_loop().time() > deadline:
            raise WrongTurn(f"{what}: not within {PATIENCE:.0f} s")
        await asyncio.sleep(0.05)
    return answer


class Scene:
    def __init__(self, stack: Stack, stage: Stage, account_id: str) -> None:
        self.stack = stack
        self.stage = stage
        self.account_id = account_id
        self.locale, self.say = stage.locale, stage.say
        self.cancellations = stack.cancellations
        self.skipper = TimeSkipper(stack.client)
        self.request_no = ""
        self.ticket: TicketRef | None = None
        self.last_view: CancellationView | None = None
        self.skipped: timedelta | None = None
        """How far the ticket's clock was moved."""
        self._shown: list[OutboxMessage] = []

    # Where things stand

    @property
    def view(self) -> CancellationView:
        assert self.last_view is not None, "the request is not open yet"
        return self.last_view

    @property
    def report(self) -> EligibilityReport:
        if self.view.report is None:
            raise WrongTurn(f"no report in phase {self.view.phase}")
        return self.view.report

    @property
    def ticket_no(self) -> str:
        assert self.ticket is not None, "no ticket was filed"
        return self.ticket.ticket_no

    @property
    def request(self) -> WorkflowHandle[AccountCancellation, CancellationResult]:
        workflow_id = cancellation_workflow_id(self.account_id)
        return self.stack.client.get_workflow_handle_for(AccountCancellation.run, workflow_id)

    @property
    def review(self) -> WorkflowHandle[TicketReview, ReviewResult]:
        return self.stack.client.get_workflow_handle_for(TicketReview.run, review_workflow_id(self.ticket_no))

    async def refresh(self) -> CancellationView:
        self.last_view = await self.cancellations.view(self.account_id)
        if self.last_view.review:
            self.ticket = self.last_view.review.ticket
        return self.last_view

    async def reach(self, *phases: Phase) -> CancellationView:
        """Wait for one of the phases; ending or stalling in any other is a wrong turn."""
        dead_ends = OUTCOMES | {Phase.DELETION_STALLED}
        view = await until(self.refresh, lambda v: v.phase in phases or v.phase in dead_ends, " / ".join(phases))
        if view.phase not in phases:
            raise WrongTurn(f"{view.phase} instead of {' / '.join(phases)}")
        return view

    async def reviewed(self, accept: Callable[[ReviewView], bool]) -> ReviewView:
        number = self.ticket_no
        return await until(lambda: self.cancellations.review(number), accept, f"ticket {number}")

    # The owner

    async def ask(self) -> None:
        """Open the request, and have a code sent."""
        account, by = self.account_id, _OWNER
        kind = text((await self.stack.platform.profile(account)).real_name_type, self.locale).title
        await self.stage.owner(f"申请注销 {account}（{kind}）", f"asks to cancel {account} ({kind})")
        await self.cancellations.start(account, by.subject, via=by.via, locale=self.locale, policy=_AT_ONCE)
        number = self.request_no = (await self.reach(Phase.AWAITING_IDENTITY)).request_no
        await self.stage.system(f"受理，申请编号 {number}", f"opens request {number}")
        await self.cancellations.send_code(account, Channel.PHONE, by)

    async def identify(self) -> None:
        """The code comes from the simulator's outbox, as the owner would read it from the phone."""
        code = await self.stack.store.latest_code(self.account_id)
        await self.cancellations.verify(self.account_id, code, _OWNER)
        await self.stage.owner(f"输入短信验证码 {code}，身份已验证", f"enters the code {code}: identity verified")
        version, sha256 = CURRENT_NOTICE[self.locale].version, CURRENT_NOTICE[self.locale].sha256
        await self.cancellations.accept_notice(self.account_id, version, sha256, _OWNER)
        await self.stage.owner(
            f"阅读并同意《注销须知》{version} 版（SHA-256 {sha256[:12]}…）",
            f"reads and accepts the notice, version {version} (SHA-256 {sha256[:12]}...)",
        )

    async def to_report(self) -> EligibilityReport:
        """From the first click to the outcome of the checks."""
        await self.ask()
        await self.identify()
        await self.watch_checks()
        return self.report

    async def recheck(self) -> EligibilityReport:
        self.last_view = await self.cancellations.recheck(self.account_id, _OWNER)
        return self.report

    async def confirm(self) -> None:
        if self.view.phase is not Phase.AWAITING_CONFIRMATION:
            raise WrongTurn(f"{self.view.phase} instead of {Phase.AWAITING_CONFIRMATION}")
        if lost := self.report.entitlements:
            items = titles((item.kind for item in lost.items), self.locale)
            await self.stage.system(f"列出随注销放弃的权益：{items}", f"lists what is given up: {items}")
        await self.cancellations.confirm(self.account_id, self.report.digest, _OWNER)
        await self.stage.owner("最终确认：不可恢复", "confirms: there is no way back")

    async def file_ticket(self, letter: bytes | None) -> str:
        """Into the vault first; Temporal is handed the reference. Money that is left is given up."""
        needs = self.view.ticket_needs
        assert needs is not None
        money = needs.balance_fen
        paper = self._paper(
            contact_email="owner@example.com",
            contact_phone="138 0013 8000",
            statement_accepted=needs.statement,
            balance=BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=money) if money else None,
        )
        how: dict[str, Any] = {"report_digest": self.report.digest, "by": _OWNER, "now": datetime.now(UTC)}
        await file_ticket(self.cancellations, self.stack.tickets, self.account_id, paper, letter, **how)
        await self.refresh()
        return self.ticket_no

    async def supply(self, letter: bytes) -> None:
        how: dict[str, Any] = {"by": _OWNER, "now": datetime.now(UTC)}
        await supply_materials(self.cancellations, self.stack.tickets, self.account_id, self._paper(), letter, **how)
        await self.refresh()

    def _paper(self, **given: Any) -> Paper:
        notice = CURRENT_NOTICE[self.locale]
        return Paper(notice_version=notice.version, notice_sha256=notice.sha256, **given)

    # Staff

    async def decision(self, *reasons: DecisionReason, waived: tuple[Check, ...] = ()) -> Decision:
        """About the revision and the report that the reviewer sees."""
        case = (await self.cancellations.review(self.ticket_no)).case
        return Decision(
            decision_id=f"D-{uuid4().hex[:12]}",
            ticket_no=self.ticket_no,
            operator_id="agent-7",
            # The ticket's own clock, which may have been moved.
            decided_at=await self.skipper.get_current_time(self.review),
            revision_sha256=case.ticket.sha256,
            report_digest=case.report.digest,
            reason_codes=reasons,
            waived=waived,
        )

    # What goes on by itself

    async def watch_checks(self) -> None:
        """The checks as their answers come in."""
        title = self.say("各项检测同时进行", "runs the checks, all at once")

        async def drawn(view: CancellationView) -> RenderableType:
            done = {outcome.check: outcome for outcome in view.checks_done}
            going_on = [busy(text(check, self.locale).title) for check in Check if check not in done]
            return Group(title, screens.outcomes([done[c] for c in Check if c in done], self.locale), *going_on)

        await self._watch(drawn, Phase.CHECKING)

    async def watch_deletion(self) -> None:
        """From sealing to the certificate, phase by phase."""
        seals = self.say("封存：冻结 → 复检 → 存证 → 关闭", "seals: hold → check again → dossier → close")
        sealed = self.say("已越过不可逆点，只进不退", "past the point of no return")

        async def drawn(view: CancellationView) -> RenderableType:
            if view.phase in (Phase.UNDER_REVIEW, Phase.SEALING):
                return busy(seals)
            return Group(seals, Text(sealed, "bold red"), *_progress(await self._deletion(), self.locale))

        await self._watch(drawn, Phase.UNDER_REVIEW, Phase.SEALING, Phase.DELETING)
        await self.reach(Phase.CLOSED)

    async def _watch(self, drawn: Callable[[CancellationView], Awaitable[RenderableType]], *phases: Phase) -> None:
        """Show how things go on, until the request leaves these phases."""
        with self.stage.live() as live:

            async def look() -> CancellationView:
                view = await self.refresh()
                live.update(self.stage.scripted(self.say("系统", "system"), await drawn(view), "bold blue"))
                return view

            await until(look, lambda view: view.phase not in phases, f"the end of {phases[-1]}")

    async def _deletion(self) -> DeletionView | None:
        try:
            return await self.cancellations.deletion(self.account_id)
        except Refusal:
            return None  # it is only just starting

    async def certificate(self) -> RenderableType:
        return screens.certificate(await self.cancellations.certificate(self.request_no), self.locale)

    async def message(self, template: Template) -> None:
        """Wait until such a message is in the outbox, and show the latest of those that were not shown yet."""

        def new(messages: Collection[OutboxMessage]) -> list[OutboxMessage]:
            return [message for message in messages if message.template is template and message not in self._shown]

        found = new(await until(self.messages, lambda messages: bool(new(messages)), f"message {template}"))
        self._shown += found
        carriers = {
            Carrier.SMS: self.say("短信", "SMS"),
            Carrier.EMAIL: self.say("邮件", "e-mail"),
            Carrier.DESK: self.say("值班主管", "duty lead"),
        }
        await self.stage.line(carriers[found[-1].carrier], Text(f"“{found[-1].text}”", "italic"))

    async def messages(self) -> list[OutboxMessage]:
        """Everything that went out for this account, its request or its ticket."""
        numbers = {self.request_no, *([self.ticket_no] if self.ticket else [])}
        sent = await self.stack.store.outbox()
        return [m for m in sent if m.account_id == self.account_id or numbers & set(m.params.values())]


def _progress(view: DeletionView | None, locale: Locale) -> Iterable[RenderableType]:
    """What is deleted, with its counts; what waits for somebody; what runs; what is still to come."""
    receipts = view.receipts if view else ()
    yield screens.receipts(receipts, locale)
    yield from screens.waiting_phases(view, locale) if view else ()
    handled = {receipt.phase for receipt in receipts} | {stalled.phase for stalled in (view.stalled if view else ())}
    ahead = [phases for stage in DELETION_STAGES if (phases := [phase for phase in stage if phase not in handled])]
    for place, phases in enumerate(ahead):
        for title in (text(phase, locale).title for phase in phases):
            yield Text(f"·  {title}", "dim") if place else busy(title)
