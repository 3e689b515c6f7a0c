"""Filing tickets, and waiting for what becomes of them: shared by the tests of the manual route."""

from collections.abc import AsyncIterator, Awaitable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from PIL import Image
from temporalio.api.enums.v1 import EventType, WorkflowTaskFailedCause
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from domain.accounts import RealNameType
from domain.actors import Actor, Via
from domain.checks import Check
from domain.errors import ErrorType, Refusal
from domain.ids import new_number
from domain.locale import Locale
from domain.messages import CancellationView, DecisionAnswer, ReviewClock, ReviewView
from domain.notices import CURRENT_NOTICE
from domain.notifications import Template
from domain.phases import Phase
from domain.tickets import (
    BalanceChoice,
    BalanceWish,
    Decision,
    DecisionKind,
    DecisionReason,
    ReviewStatus,
    Statement,
    TicketForm,
    TicketNeeds,
    TicketRef,
    ticket_path,
)
from service.ticket_files import TicketChanges, TicketFiles, TicketSubmission
from simulator.edits import Value
from simulator.kinds import Endpoint, FaultKind
from simulator.views import OutboxMessage
from tests.service.letters.making import LETTERS
from tests.support.service import Service, decision, eventually, owner_of
from workflows import WORKFLOWS
from workflows.common.interceptors import KeepMalformedMessagesOut

T = TypeVar("T")

NOTICE = CURRENT_NOTICE[Locale.EN]
STATEMENT = Statement(notice_version=NOTICE.version, notice_sha256=NOTICE.sha256)
MARGIN = timedelta(seconds=2)
"""Past an alarm's instant, in virtual time: nobody waits for it."""


def _scan() -> bytes:
    page = BytesIO()
    Image.linear_gradient("L").resize((60, 80)).save(page, "PNG")
    return page.getvalue()


LETTER = _scan()


# Tickets in the vault


async def file_in_vault(
    service: Service,
    account_id: str,
    real_name_type: RealNameType | None = None,
    *,
    wish: BalanceWish = BalanceWish.GIVE_UP,
) -> TicketRef:
    """A complete ticket about the report that was shown, checked and stored as every filing is."""
    view = await service.cancellations.view(account_id)
    report, needs, known = view.report, view.ticket_needs, view.real_name_type
    assert known is not None
    real_name_type = real_name_type or known
    needs = needs or TicketNeeds.of(real_name_type, notice_accepted=False, report=report)
    draft = TicketSubmission(
        account_id=account_id,
        real_name_type=real_name_type,
        report_digest=report.digest if report else "0" * 64,
        contact_email="owner@example.com",
        contact_phone="138 0013 8000",
        by=owner_of(account_id),
        statement_accepted=needs.statement,
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
        balance=BalanceChoice(wish=wish, amount_fen=needs.balance_fen) if needs.balance_fen else None,
    )
    letter = LETTER if needs.letter else None
    return await TicketFiles(service.vault, LETTERS).file(draft, letter, needs=needs, now=datetime.now(UTC))


async def next_revision(service: Service, previous: TicketRef, by: str = "owner-7") -> TicketRef:
    form = await TicketFiles(service.vault, LETTERS).load(previous)
    needs = TicketNeeds(statement=form.statement is not None, letter=form.letter is not None)
    changes = TicketChanges(
        by=Actor(subject=by, via=Via.TEMPORAL),
        contact_email="new@example.com",
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
    )
    return await TicketFiles(service.vault, LETTERS).supply(previous, changes, None, needs=needs, now=datetime.now(UTC))


async def put_unchecked(service: Service, account_id: str, /, **changes: object) -> TicketRef:
    """A form that came into the vault round the tickets: a complete one of an individual, but for `changes`."""
    now = datetime.now(UTC)
    report = (await service.cancellations.view(account_id)).report
    fields: dict[str, object] = {
        "ticket_no": new_number("T", now),
        "revision": 1,
        "account_id": account_id,
        "real_name_type": RealNameType.INDIVIDUAL,
        "contact_email": "owner@example.com",
        "contact_phone": "+8613800138000",
        "statement": STATEMENT,
        "letter": None,
        "report_digest": report.digest if report else None,
        "filed_by": "owner-7",
        "filed_at": now,
    }
    form = TicketForm.model_validate(fields | changes)
    stored = await service.vault.put_evidence(ticket_path(form.ticket_no, form.revision), form)
    return TicketRef(ticket_no=form.ticket_no, revision=form.revision, sha256=stored.sha256)


# Requests


async def awaiting_identity(service: Service) -> str:
    account_id = await service.account()
    await service.start(account_id)
    return account_id


async def awaiting_notice(service: Service) -> str:
    account_id = await awaiting_identity(service)
    await service.identify(account_id)
    return account_id


async def awaiting_confirmation(service: Service) -> str:
    account_id = await service.account()
    await service.to_report(account_id)
    return account_id


async def blocked(service: Service, policy: Mapping[str, object] | None = None, /, **facts: Value) -> str:
    """An account whose request is blocked: by an ICP filing unless `facts` say otherwise."""
    account_id = await service.account(**(facts or {"icp_applications_ever": 1}))
    view = await service.to_report(account_id, **(policy or {}))
    assert view.phase is Phase.BLOCKED
    return account_id


@dataclass
class Case:
    """An account's request whose ticket is under review."""

    service: Service
    account_id: str
    ticket: TicketRef

    @property
    def ticket_no(self) -> str:
        return self.ticket.ticket_no

    @property
    def review(self) -> WorkflowHandle[Any, Any]:
        return self.service.review(self.ticket_no)

    @property
    def request(self) -> WorkflowHandle[Any, Any]:
        return self.service.request(self.account_id)

    async def view(self) -> ReviewView:
        return await self.service.cancellations.review(self.ticket_no)

    async def clock(self) -> ReviewClock:
        """The clock as soon as it is computed and the owner can see it."""
        seen = await eventually(
            lambda: self.service.cancellations.view(self.account_id), lambda v: bool(v.review and v.review.clock)
        )
        assert seen.review is not None
        assert seen.review.clock is not None
        return seen.review.clock

    async def decision(self, *reasons: DecisionReason, **how: Any) -> Decision:
        """About what the review shows now, at the time that its clock shows."""
        how.setdefault("decided_at", await self.now())
        return decision(await self.view(), *reasons, **how)

    async def now(self) -> datetime:
        """On the review's own clock; once it has ended, on everybody's."""
        try:
            return await self.service.env.get_current_time(self.review)
        except RPCError:
            return datetime.now(UTC)

    async def decide(self, kind: DecisionKind, *reasons: DecisionReason, **how: Any) -> DecisionAnswer:
        return await self.service.cancellations.decide(kind, await self.decision(*reasons, **how))

    async def signal(self, kind: DecisionKind, *reasons: DecisionReason, **how: Any) -> None:
        await self.service.cancellations.signal_decision(kind, await self.decision(*reasons, **how))

    async def approve(self, **how: Any) -> DecisionAnswer:
        return await self.decide(DecisionKind.APPROVE, **{"waived": (Check.ICP_FILING,), **how})

    async def reject(self, *reasons: DecisionReason, **how: Any) -> DecisionAnswer:
        return await self.decide(DecisionKind.REJECT, *(reasons or (DecisionReason.DISPUTE_OPEN,)), **how)

    async def ask_for_materials(self, **how: Any) -> CancellationView:
        """Ask, and wait until the owner sees it."""
        await self.decide(DecisionKind.REQUEST_MATERIALS, DecisionReason.CONTACT_UNREACHABLE, **how)
        return await self.in_phase(Phase.AWAITING_MATERIALS)

    async def supply(self) -> CancellationView:
        view = await self.view()
        return await self.service.cancellations.supply_materials(
            self.account_id, await next_revision(self.service, view.case.ticket), owner_of(self.account_id)
        )

    async def in_phase(self, *phases: Phase) -> CancellationView:
        return await self.service.in_phase(self.account_id, *phases)

    async def until_review(self, status: ReviewStatus) -> ReviewView:
        return await eventually(self.view, lambda view: view.status is status)

    async def until_ignored(self, number: int = 1) -> ReviewView:
        return await eventually(self.view, lambda view: len(view.ignored) == number)

    async def messages(self, template: Template) -> list[OutboxMessage]:
        """What went out about this ticket, in order."""
        return [
            message
            for message in await self.service.store.outbox()
            if message.template is template and message.params.get("ticket_no") == self.ticket_no
        ]

    async def until_messages(self, template: Template, number: int = 1) -> list[OutboxMessage]:
        return await eventually(lambda: self.messages(template), lambda found: len(found) >= number)

    async def skip_to(self, instant: datetime) -> None:
        await skip_to(self.service, self.review, instant)


async def under_review(service: Service, policy: Mapping[str, object] | None = None) -> Case:
    """An individual's account with an ICP filing, whose ticket is filed and whose clock runs."""
    account_id = await blocked(service, policy)
    case = await file(service, account_id)
    await case.clock()
    return case


async def file(service: Service, account_id: str, ticket: TicketRef | None = None) -> Case:
    ticket = ticket or await file_in_vault(service, account_id)
    view = await service.cancellations.file_ticket(account_id, ticket, owner_of(account_id))
    assert view.phase is Phase.UNDER_REVIEW
    return Case(service, account_id, ticket)


async def is_retrying(handle: WorkflowHandle[Any, Any]) -> bool:
    """Whether an activity of this workflow has failed and will be tried again."""
    try:
        pending = (await handle.describe()).raw_description.pending_activities
    except RPCError:
        return False
    return any(activity.attempt > 1 for activity in pending)


# Time, refusals, replay


async def skip_to(service: Service, handle: WorkflowHandle[Any, Any], instant: datetime) -> None:
    """Move this workflow's clock, and no other, to an instant."""
    distance = instant - await service.env.get_current_time(handle)
    assert distance > timedelta(0), f"{instant} is past already"
    await service.env.fast_forward(handle, distance)


async def refusal(attempt: Awaitable[object]) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await attempt
    return caught.value


async def outcome_of(attempt: Awaitable[T]) -> T | ErrorType:
    try:
        return await attempt
    except Refusal as error:
        return error.type


async def refused_type(attempt: Awaitable[object]) -> ErrorType:
    return (await refusal(attempt)).type


async def update_failure(attempt: Awaitable[object]) -> ApplicationError:
    """The error of an update that was sent by hand."""
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await attempt
    assert isinstance(caught.value.cause, ApplicationError)
    return caught.value.cause


async def assert_replays(*handles: WorkflowHandle[Any, Any]) -> None:
    """Every history so far replays without a difference."""
    replayer = Replayer(
        workflows=list(WORKFLOWS),
        data_converter=pydantic_data_converter,
        interceptors=[KeepMalformedMessagesOut()],
        # The sandbox was at work when the history was made; to build it again would take longer than most tests.
        workflow_runner=UnsandboxedWorkflowRunner(),
    )
    for handle in handles:
        await replayer.replay_workflow(await handle.fetch_history())


@asynccontextmanager
async def fault(
    service: Service, endpoint: Endpoint, kind: FaultKind, *, times: int | None = None, **how: object
) -> AsyncIterator[None]:
    """Trouble while the context is open: for ever, unless `times` says otherwise."""
    await service.store.add_fault(endpoint, kind, times=times, **how)
    try:
        yield
    finally:
        await service.store.clear_faults()


def own_queue(service: Service, **changes: Any) -> Service:
    """A copy whose workers the test starts and stops itself."""
    return replace(service, task_queue=f"queue-{uuid4().hex[:8]}", **changes)


async def no_task_has_failed(*handles: WorkflowHandle[Any, Any]) -> None:
    """No workflow task failed, so far: nothing was wedged, not even for a while. (One may time out: workers stop.)

    Two kinds of failure are the server's own book-keeping, and no fault: a reset by ops, and an end that was decided
    while an answer came in. The server then has the same worker decide again, with that answer.
    """
    for handle in handles:
        causes = {
            event.workflow_task_failed_event_attributes.cause
            for event in (await handle.fetch_history()).events
            if event.event_type == EventType.EVENT_TYPE_WORKFLOW_TASK_FAILED
        }
        assert causes <= _NO_FAULTS, (handle.id, [WorkflowTaskFailedCause.Name(cause) for cause in causes])


_NO_FAULTS = {
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_RESET_WORKFLOW,
    WorkflowTaskFailedCause.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND,
}
