"""Completion or an answer within the promised time, and a word to the owner at every turn."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import groupby

import pytest
import pytest_asyncio
from pydantic import SecretStr

from domain.accounts import Channel
from domain.business_calendar import CALENDAR, BusinessCalendar, Deadlines
from domain.checks import ENTITLEMENTS, Check, Reason
from domain.errors import ErrorType
from domain.messages import SubmitIdentityProof
from domain.notifications import StaffDesk, Template
from domain.phases import Phase
from domain.tickets import ReviewStatus
from simulator.kinds import Endpoint, FaultKind
from simulator.views import OutboxMessage
from tests.support.agreements import refused_without_a_trace
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import (
    MARGIN,
    Case,
    assert_replays,
    awaiting_identity,
    blocked,
    fault,
    file,
    own_queue,
    skip_to,
    under_review,
    update_failure,
)
from workflows.common.search_attributes import BLOCKING_REASONS, SLA_BREACHED, TICKET_DUE_AT

A_DAY = timedelta(seconds=30)
CONTACT = {"+8613800138000", "owner@example.com"}
"""What every ticket of these tests names."""


async def told(service: Service, request_no: str, template: Template, number: int = 1) -> list[OutboxMessage]:
    """What went out about a request under a template, once it went to `number` addresses."""

    async def found() -> list[OutboxMessage]:
        return [
            message
            for message in await service.store.outbox()
            if message.template is template and message.params.get("request_no") == request_no
        ]

    return await eventually(found, lambda messages: len(messages) >= number)


# The promise


class ShortDays(BusinessCalendar):
    """A request that hangs tries again all the time, which would take long for days, in virtual time too."""

    def deadlines(self, filed_at: datetime, **_: int) -> Deadlines:
        return Deadlines(
            remind_at=filed_at + A_DAY,
            due_at=filed_at + 3 * A_DAY,
            ceiling_at=filed_at + 9 * A_DAY,
            calendar="short days",
            provisional=False,
            ceiling_provisional=False,
        )

    def next_day_end(self, after: datetime) -> datetime:
        return after + A_DAY


@pytest_asyncio.fixture
async def hurried(idle_service: Service) -> AsyncIterator[Service]:
    service = own_queue(idle_service, calendar=ShortDays(CALENDAR.years))
    async with service.worker():
        yield service


@asynccontextmanager
async def hanging(case: Case) -> AsyncIterator[None]:
    """Approve, while the platform does not take holds."""
    service, account = case.service, case.account_id
    async with fault(service, Endpoint.TAKE_HOLD, FaultKind.ERROR, account_id=account, status=503):
        await case.approve()
        await case.in_phase(Phase.SEALING)
        yield


async def test_an_approved_request_that_hangs_is_due_late_and_escalated_until_it_heals(hurried: Service) -> None:
    service = hurried
    case = await under_review(service)
    async with hanging(case):
        view = await service.cancellations.view(case.account_id)
        assert view.review is not None
        assert view.review.clock is not None
        clock = view.review.clock
        attributes = (await case.request.describe()).typed_search_attributes
        assert (attributes.get(SLA_BREACHED), attributes.get(TICKET_DUE_AT), view.overdue) == (
            False,
            clock.due_at,
            False,
        )
        await skip_to(service, case.request, clock.due_at + MARGIN)
        lead = await case.until_messages(Template.TICKET_OVERDUE_LEAD)
        assert {message.desk for message in lead} == {StaffDesk.DUTY_LEAD}
        owner = await case.until_messages(Template.TICKET_OVERDUE_OWNER, 2)
        assert {message.destination for message in owner} == CONTACT
        assert (await service.cancellations.view(case.account_id)).overdue
        assert (await case.request.describe()).typed_search_attributes.get(SLA_BREACHED)

        await skip_to(service, case.request, clock.ceiling_at + MARGIN)
        [alarm] = await case.until_messages(Template.TICKET_CEILING_ALARM)
        assert alarm.desk is StaffDesk.OPERATIONS
    assert (await case.request.result()).outcome is Phase.CLOSED
    await assert_replays(case.request)


async def test_the_ceiling_of_a_request_that_hangs_runs_from_the_first_filing(hurried: Service) -> None:
    case = await under_review(hurried)
    first = await case.clock()
    await case.ask_for_materials()
    await case.skip_to(first.due_at + MARGIN)
    await case.supply()
    await eventually(case.view, lambda view: view.clock is not None and view.clock != first)
    async with hanging(case):
        await skip_to(hurried, case.request, first.ceiling_at + MARGIN)
        [alarm] = await case.until_messages(Template.TICKET_CEILING_ALARM)
        assert alarm.desk is StaffDesk.OPERATIONS
    assert (await case.request.result()).outcome is Phase.CLOSED


# Words


async def test_the_owner_hears_of_every_turn_of_a_request(service: Service) -> None:
    account = await service.account()
    request_no = (await service.to_report(account)).request_no
    await service.store.set_facts(account, available_fen=1)
    await service.confirm(account)
    await service.in_phase(account, Phase.BLOCKED)
    [back, _] = await told(service, request_no, Template.CANCELLATION_SENT_BACK, 2)
    assert back.params["reasons"] == Check.BALANCE
    await service.withdraw(account)
    await told(service, request_no, Template.CANCELLATION_WITHDRAWN, 2)
    # Each by phone and by e-mail.
    heard = [message.template for message in await service.store.outbox(account)]
    assert [(template, len(list(same))) for template, same in groupby(heard)] == [
        (Template.CANCELLATION_OPENED, 2),
        (Template.IDENTITY_CODE, 1),
        (Template.IDENTITY_PROVED, 2),
        (Template.LAST_WORD_RECEIVED, 2),
        (Template.CANCELLATION_SENT_BACK, 2),
        (Template.CANCELLATION_WITHDRAWN, 2),
    ]


async def test_without_a_channel_the_tickets_contact_is_told_instead(service: Service) -> None:
    account = await service.account(channels="")
    request_no = (await service.start(account)).request_no
    case = await file(service, account)
    await service.store.set_facts(account, available_fen=1)
    await case.approve(waived=(), attested=True)
    approved = await case.until_messages(Template.TICKET_APPROVED, 2)
    assert {message.destination for message in approved} == CONTACT
    back = await told(service, request_no, Template.CANCELLATION_SENT_BACK, 2)
    assert {(message.destination, message.params["reasons"]) for message in back} == {
        (address, Check.BALANCE) for address in CONTACT
    }
    view = await case.in_phase(Phase.BLOCKED)
    assert view.lapses_at is not None
    await skip_to(service, case.request, view.lapses_at - timedelta(days=1))
    lapsing = await told(service, request_no, Template.CANCELLATION_LAPSING, 2)
    assert {message.destination for message in lapsing} == CONTACT
    await skip_to(service, case.request, view.lapses_at + MARGIN)
    assert (await case.request.result()).outcome is Phase.LAPSED
    lapsed = await told(service, request_no, Template.CANCELLATION_LAPSED, 2)
    assert {message.destination for message in lapsed} == CONTACT


async def test_who_owes_materials_and_has_no_channel_is_reminded_through_the_ticket(service: Service) -> None:
    # In real time: the clock of a request whose review runs cannot be skipped.
    account = await service.account(channels="")
    idle = {"owner_idle_limit": timedelta(seconds=9), "idle_reminder_before": timedelta(seconds=5)}
    request_no = (await service.start(account, **idle)).request_no
    case = await file(service, account)
    await case.ask_for_materials()
    lapsing = await told(service, request_no, Template.CANCELLATION_LAPSING, 2)
    assert {message.destination for message in lapsing} == CONTACT
    assert (await case.request.result()).outcome is Phase.LAPSED
    await told(service, request_no, Template.CANCELLATION_LAPSED, 2)
    await case.until_review(ReviewStatus.CALLED_OFF)


async def test_a_messaging_service_that_is_down_delays_no_turn(service: Service) -> None:
    account = await service.account()
    async with fault(service, Endpoint.NOTIFY_ACCOUNT, FaultKind.ERROR, account_id=account, status=503):
        request_no = (await service.to_report(account)).request_no
        await service.store.set_facts(account, available_fen=1)
        await service.confirm(account)
        await service.in_phase(account, Phase.BLOCKED, seconds=5)
        await service.withdraw(account)
        assert (await asyncio.wait_for(service.request(account).result(), 10)).outcome is Phase.WITHDRAWN
    await told(service, request_no, Template.CANCELLATION_WITHDRAWN, 2)


# What could not be told


async def test_a_filing_while_the_platform_cannot_say_is_put_off_and_leaves_nothing(service: Service) -> None:
    account = await blocked(service, {"check_limit": timedelta(seconds=1)})
    async with fault(service, Endpoint.ARREARS, FaultKind.ERROR, account_id=account, status=503):
        refused = await refused_without_a_trace(service, account)
        assert (refused.type, refused.details["could_not_tell"]) == (ErrorType.NOT_NOW, [Check.ARREARS])
        # Nor on the report that shows it.
        refused = await refused_without_a_trace(service, account)
        assert (refused.type, refused.details["could_not_tell"]) == (ErrorType.NOT_NOW, [Check.ARREARS])


@pytest.mark.parametrize(
    ("endpoint", "reason"), [(Endpoint.ARREARS, Reason.COULD_NOT_TELL), (Endpoint.ENTITLEMENTS, ENTITLEMENTS)]
)
async def test_ops_can_search_for_what_the_platform_could_not_tell(
    service: Service, endpoint: Endpoint, reason: str
) -> None:
    account = await service.account()
    async with fault(service, endpoint, FaultKind.ERROR, account_id=account, status=503):
        view = await service.to_report(account, check_limit=timedelta(seconds=1))
    assert view.phase is Phase.BLOCKED
    assert (await service.request(account).describe()).typed_search_attributes[BLOCKING_REASONS] == [reason]


# The same again


async def test_a_redemption_whose_answer_was_lost_can_be_repeated(service: Service) -> None:
    account = await awaiting_identity(service)
    view = await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    assert view.challenge is not None
    code = SecretStr(await service.store.latest_code(account))
    proof = (await service.challenges.answer_challenge(view.challenge.challenge_id, code)).proof
    step = SubmitIdentityProof(challenge_id=view.challenge.challenge_id, proof=proof, by=owner_of(account))
    request = service.request(account)
    async with fault(service, Endpoint.REDEEM, FaultKind.DROP, account_id=account):
        failed = await update_failure(request.execute_update("submit_identity_proof", step))
        assert failed.type == ErrorType.NOT_NOW
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY
    await request.execute_update("submit_identity_proof", step)
    view = await service.cancellations.view(account)
    assert (view.phase, view.identity_verified) == (Phase.AWAITING_NOTICE, True)


async def test_two_who_start_at_once_find_one_request(service: Service) -> None:
    account = await service.account()
    views = await asyncio.gather(*(service.start(account) for _ in range(2)))
    assert len({view.request_no for view in views}) == 1
    assert {view.phase for view in views} == {Phase.AWAITING_IDENTITY}


async def test_a_step_under_the_same_key_is_the_same_step(service: Service) -> None:
    account = await service.account()
    by = owner_of(account)
    await service.to_report(account)
    first = await service.cancellations.recheck(account, by, key="k-1")
    assert first.report is not None
    assert await service.cancellations.recheck(account, by, key="k-1") == first
    other = await service.cancellations.recheck(account, by, key="k-2")
    assert (other.report and other.report.number) == first.report.number + 1
    assert other.report is not None
    confirmed = await service.cancellations.confirm(account, other.report.digest, by, key="k-1")
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    # Long after the end of it all.
    assert await service.cancellations.confirm(account, other.report.digest, by, key="k-1") == confirmed
