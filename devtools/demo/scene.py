"""One account on stage: the owner's and the reviewer's steps, each taken for real and shown as it happens."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

from rich.text import Text
from temporalio.client import WorkflowHandle
from temporalio.testing import TimeSkipper

from devtools.demo import views
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from devtools.demo.texts import Say
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.checks import Check
from domain.deletion import DeletionView
from domain.errors import Refusal
from domain.ids import cancellation_workflow_id, review_workflow_id
from domain.messages import CancellationResult, CancellationView, ReviewResult, ReviewView
from domain.notices import CURRENT_NOTICE
from domain.notifications import Template
from domain.phases import OUTCOMES, Phase
from domain.policy import Policy
from domain.tickets import BalanceChoice, BalanceWish, Decision, DecisionReason, TicketRef
from i18n.texts import text
from service.tickets import Paper, file_ticket, supply_materials
from simulator.kinds import Carrier
from simulator.views import OutboxMessage
from workflows import AccountCancellation, TicketReview

T = TypeVar("T")

PATIENCE = 30.0
"""Seconds that anything may take which happens without a person."""

_ALWAYS_ANEW = Policy(outcomes_reused_for=timedelta(0))
"""In a story the world changes within a second; a re-check has to see it."""

_POLL = 0.05
_CONTACT_EMAIL, _CONTACT_PHONE = "owner@example.com", "138 0013 8000"
_OWNER, _AGENT = Actor(subject="owner-1", via=Via.COMMAND_LINE), "agent-7"

_CARRIERS = {Carrier.SMS: Say.SMS, Carrier.EMAIL: Say.EMAIL, Carrier.DESK: Say.LEAD}


class WrongTurn(Exception):
    """A story did not go as it should."""


async def until(probe: Callable[[], Awaitable[T]], accept: Callable[[T], bool], what: str) -> T:
    """Poll until an answer is accepted, or raise `WrongTurn` with what was waited for."""
    deadline = asyncio.get_running_loop().time() + PATIENCE
    while not accept(answer := await probe()):
        if asyncio.get_running_loop().time() > deadline:
            raise WrongTurn(f"{what}: not within {PATIENCE:.0f} s")
        await asyncio.sleep(_POLL)
    return answer


class Scene:
    def __init__(self, stack: Stack, stage: Stage, account_id: str) -> None:
        self.stack = stack
        self.stage = stage
        self.account_id = account_id
        self.locale = stage.locale
        self.cancellations = stack.cancellations
        self.skipper = TimeSkipper(stack.client)
        self.request_no = ""
        self.ticket: TicketRef | None = None
        self.last_view: CancellationView | None = None
        self._shown: set[tuple[datetime, Template, Carrier]] = set()

    # Where things stand

    @property
    def view(self) -> CancellationView:
        assert self.last_view is not None, "the request is not open yet"
        return self.last_view

    @property
    def request(self) -> WorkflowHandle[AccountCancellation, CancellationResult]:
        workflow_id = cancellation_workflow_id(self.account_id)
        return self.stack.client.get_workflow_handle_for(AccountCancellation.run, workflow_id)

    @property
    def review(self) -> WorkflowHandle[TicketReview, ReviewResult]:
        assert self.ticket is not None, "no ticket was filed"
        workflow_id = review_workflow_id(self.ticket.ticket_no)
        return self.stack.client.get_workflow_handle_for(TicketReview.run, workflow_id)

    async def refresh(self) -> CancellationView:
        self.last_view = await self.cancellations.view(self.account_id)
        return self.last_view

    async def reach(self, *phases: Phase) -> CancellationView:
        """Wait for one of the phases; ending or stalling in any other is a wrong turn."""
        dead_ends = (OUTCOMES | {Phase.DELETION_STALLED}) - set(phases)
        view = await until(self.refresh, lambda v: v.phase in phases or v.phase in dead_ends, " / ".join(phases))
        if view.phase not in phases:
            raise WrongTurn(f"{view.phase} instead of {' / '.join(phases)}")
        return view

    def say(self, what: Say, **values: object) -> str:
        return self.stage.say(what, **values)

    async def line(self, actor: Say, what: Say, **values: object) -> None:
        await self.stage.line(actor, Text(self.say(what, **values)))

    # The owner

    async def open(self) -> None:
        kind = text((await self.stack.platform.profile(self.account_id)).real_name_type, self.locale).title
        await self.line(Say.OWNER, Say.ASKS, account=self.account_id, kind=kind)
        await self.cancellations.start(
            self.account_id, _OWNER.subject, via=_OWNER.via, locale=self.locale, policy=_ALWAYS_ANEW
        )
        self.request_no = (await self.reach(Phase.AWAITING_IDENTITY)).request_no
        await self.line(Say.SYSTEM, Say.OPENED, request_no=self.request_no)

    async def identify(self, *, brief: bool) -> None:
        """The code comes from the simulator's outbox, as the owner would read it from the phone."""
        view = await self.cancellations.send_code(self.account_id, Channel.PHONE, _OWNER)
        assert view.challenge is not None
        to = (await self.cancellations.show_challenge(view.challenge.challenge_id)).masked_destination
        if not brief:
            await self.line(Say.SYSTEM, Say.CODE_SENT, to=to)
            await self.message(Template.IDENTITY_CODE)
        code = await self.stack.store.latest_code(self.account_id)
        await self.cancellations.verify(self.account_id, code, _OWNER)
        notice = CURRENT_NOTICE[self.locale]
        if brief:
            await self.line(Say.OWNER, Say.IDENTIFIED, code=code, to=to, version=notice.version)
        else:
            await self.line(Say.OWNER, Say.CODE_ENTERED, code=code)
            await self.line(Say.OWNER, Say.NOTICE_ACCEPTED, version=notice.version, sha256=notice.sha256[:12])
        self.last_view = await self.cancellations.accept_notice(self.account_id, notice.version, notice.sha256, _OWNER)

    async def watch_checks(self) -> CancellationView:
        """The checks as their answers come in."""
        with self.stage.live(Say.SYSTEM) as live:

            async def look() -> CancellationView:
                view = await self.refresh()
                live.show(self.say(Say.CHECKS), views.checks_table(view.checks_done, self.locale))
                return view

            return await until(look, lambda view: view.phase is not Phase.CHECKING, "the checks")

    async def to_report(self, *, brief: bool = True) -> CancellationView:
        """From the first click to the outcome of the checks; `brief` for those who have seen it before."""
        await self.open()
        await self.identify(brief=brief)
        return await self.watch_checks()

    async def recheck(self) -> CancellationView:
        self.last_view = await self.cancellations.recheck(self.account_id, _OWNER)
        return self.last_view

    async def confirm(self) -> None:
        report = self.view.report
        assert report is not None
        if self.view.phase is not Phase.AWAITING_CONFIRMATION:
            raise WrongTurn(f"{self.view.phase} instead of {Phase.AWAITING_CONFIRMATION}")
        if report.entitlements:
            await self.line(Say.SYSTEM, Say.FORFEITS, items=views.entitlements(report.entitlements.items, self.locale))
        await self.cancellations.confirm(self.account_id, report.digest, _OWNER)
        await self.line(Say.OWNER, Say.CONFIRMED, digest=report.digest[:12])

    async def file_ticket(self, letter: bytes | None) -> TicketRef:
        """Into the vault first; Temporal is handed the reference. Money that is left is given up."""
        report, needs = self.view.report, self.view.ticket_needs
        assert report is not None
        assert needs is not None
        money = needs.balance_fen
        self.last_view = await file_ticket(
            self.cancellations,
            self.stack.tickets,
            self.account_id,
            self._paper(
                contact_email=_CONTACT_EMAIL,
                contact_phone=_CONTACT_PHONE,
                statement_accepted=needs.statement,
                balance=BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=money) if money else None,
            ),
            letter,
            report_digest=report.digest,
            by=_OWNER,
            now=datetime.now(UTC),
        )
        return self._filed()

    async def supply(self, letter: bytes) -> None:
        self.last_view = await supply_materials(
            self.cancellations,
            self.stack.tickets,
            self.account_id,
            self._paper(),
            letter,
            by=_OWNER,
            now=datetime.now(UTC),
        )
        self._filed()

    def _paper(self, **given: Any) -> Paper:
        notice = CURRENT_NOTICE[self.locale]
        return Paper(notice_version=notice.version, notice_sha256=notice.sha256, **given)

    def _filed(self) -> TicketRef:
        assert self.view.review is not None
        self.ticket = self.view.review.ticket
        return self.ticket

    # Staff

    async def reviewed(self, accept: Callable[[ReviewView], bool]) -> ReviewView:
        assert self.ticket is not None
        ticket_no = self.ticket.ticket_no
        return await until(lambda: self.cancellations.review(ticket_no), accept, f"ticket {ticket_no}")

    async def decision(self, *reasons: DecisionReason, waived: tuple[Check, ...] = ()) -> Decision:
        """About the revision and the report that the reviewer sees."""
        assert self.ticket is not None
        case = (await self.cancellations.review(self.ticket.ticket_no)).case
        return Decision(
            decision_id=f"D-{uuid4().hex[:12]}",
            ticket_no=self.ticket.ticket_no,
            operator_id=_AGENT,
            # The ticket's own clock, which may have been moved.
            decided_at=await self.skipper.get_current_time(self.review),
            revision_sha256=case.ticket.sha256,
            report_digest=case.report.digest,
            reason_codes=reasons,
            waived=waived,
        )

    # The end

    async def watch_deletion(self) -> None:
        """From sealing to the certificate, phase by phase."""
        with self.stage.live(Say.SYSTEM) as live:

            async def look() -> CancellationView:
                view = await self.refresh()
                sealed = view.phase not in (Phase.UNDER_REVIEW, Phase.SEALING)
                deletion = await self._deletion(view) if sealed else None
                parts = [views.sealing(done=sealed, locale=self.locale)]
                live.show(*parts, *([views.deletion_table(deletion, self.locale)] if sealed else []))
                return view

            going_on = (Phase.UNDER_REVIEW, Phase.SEALING, Phase.DELETING)
            await until(look, lambda view: view.phase not in going_on, "sealing and deletion")
        await self.reach(Phase.CLOSED)

    async def _deletion(self, view: CancellationView) -> DeletionView | None:
        """Receipt by receipt while it runs; the request itself hears of it only at the end."""
        if view.deletion:
            return view.deletion
        try:
            return await self.cancellations.deletion(self.account_id)
        except Refusal:
            return None  # it is only just starting

    async def certify(self) -> None:
        certificate = await self.cancellations.certificate(self.request_no)
        count = views.records_deleted(certificate.receipts)
        if certificate.waived:
            waived = views.waivers(certificate.waived, self.locale)
            await self.line(Say.SYSTEM, Say.CERT_ISSUED_WAIVING, count=count, waived=waived)
        else:
            await self.line(Say.SYSTEM, Say.CERT_ISSUED, count=count)

    # What arrives

    async def message(self, template: Template) -> None:
        """Wait until such a message is in the outbox, and show all of them that were not shown yet."""

        def new(messages: list[OutboxMessage]) -> list[OutboxMessage]:
            return [m for m in messages if m.template is template and self._key(m) not in self._shown]

        found = new(await until(self.messages, lambda messages: bool(new(messages)), f"message {template}"))
        self._shown |= {self._key(message) for message in found}
        last = found[-1]
        await self.stage.line(_CARRIERS[last.carrier], Text(f"“{last.text}”", "italic"))

    async def messages(self) -> list[OutboxMessage]:
        """Everything that went out for this account, its request or its ticket."""
        numbers = {self.request_no, self.ticket.ticket_no if self.ticket else self.request_no}
        return [
            message
            for message in await self.stack.store.outbox()
            if message.account_id == self.account_id or numbers & set(message.params.values())
        ]

    @staticmethod
    def _key(message: OutboxMessage) -> tuple[datetime, Template, Carrier]:
        return message.at, message.template, message.carrier
