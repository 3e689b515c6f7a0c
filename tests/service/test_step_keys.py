"""A step under a key: a success is remembered, a "not now" is not, and whoever comes again later is tried anew."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from domain.accounts import Channel
from domain.errors import ErrorType
from domain.messages import CancellationView
from domain.notifications import Template
from domain.phases import Phase
from service.ticket_files import TicketFiles
from service.tickets import Paper, file_ticket
from simulator.kinds import Endpoint, FaultKind
from tests.support.poison import events
from tests.support.service import Service, owner_of
from tests.support.tickets import NOTICE, awaiting_identity, blocked, fault, file_in_vault, refusal, refused_type

AN_HOUR = timedelta(hours=1)
KEY = "a caller's own name for this step"


async def updates(request: WorkflowHandle[Any, Any]) -> int:
    return len(await events(request, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED))


async def codes(service: Service, account: str) -> int:
    return len([m for m in await service.store.outbox(account) if m.template is Template.IDENTITY_CODE])


async def test_a_step_that_was_put_off_is_tried_anew_under_its_key_until_it_is_taken_once(service: Service) -> None:
    account = await blocked(service, {"rechecks_per_hour": 1})
    await service.recheck(account)
    cancellations, by = service.cancellations, owner_of(account)
    for _ in range(3):
        refused = await refusal(cancellations.recheck(account, by, key=KEY))
        assert refused.type is ErrorType.NOT_NOW
        assert refused.details["retry_at"]
    await service.env.fast_forward(service.request(account), AN_HOUR)
    taken = await cancellations.recheck(account, by, key=KEY)
    assert taken.report is not None
    await service.env.fast_forward(service.request(account), AN_HOUR)
    later = await cancellations.recheck(account, by)
    assert later.report is not None
    assert later.report.number == taken.report.number + 1
    assert await cancellations.recheck(account, by, key=KEY) == taken, (
        "the first answer, however much has happened since"
    )
    assert (await cancellations.view(account)).report == later.report


async def test_a_code_that_was_asked_for_too_soon_is_sent_under_the_same_key_in_time_and_once(service: Service) -> None:
    account = await awaiting_identity(service)
    cancellations, by = service.cancellations, owner_of(account)
    await cancellations.send_code(account, Channel.PHONE, by)
    assert await refused_type(cancellations.send_code(account, Channel.PHONE, by, key=KEY)) is ErrorType.RESEND_TOO_SOON
    await service.store.let_time_pass(account, AN_HOUR)
    sent = await cancellations.send_code(account, Channel.PHONE, by, key=KEY)
    again = await cancellations.send_code(account, Channel.PHONE, by, key=KEY)
    assert again.challenge == sent.challenge
    assert await codes(service, account) == 2


async def test_a_ticket_that_could_not_be_filed_just_now_is_filed_under_the_same_key_and_once(service: Service) -> None:
    account = await blocked(service, {"check_limit": timedelta(seconds=1)})
    report = (await service.cancellations.view(account)).report
    assert report is not None
    before = set(await service.vault.list("tickets"))
    paper = Paper(
        contact_email="owner@example.com",
        contact_phone="138 0013 8000",
        statement_accepted=True,
        notice_version=NOTICE.version,
        notice_sha256=NOTICE.sha256,
    )

    async def hand_in(digest: str) -> CancellationView:
        now, by = datetime.now(UTC), owner_of(account)
        tickets = TicketFiles(service.vault)
        return await file_ticket(
            service.cancellations, tickets, account, paper, None, report_digest=digest, by=by, now=now, key=KEY
        )

    async with fault(service, Endpoint.ARREARS, FaultKind.ERROR, account_id=account, status=503):
        assert await refused_type(hand_in(report.digest)) is ErrorType.NOT_NOW
    assert set(await service.vault.list("tickets")) == before
    report = (await service.recheck(account)).report
    assert report is not None
    filed, again = await hand_in(report.digest), await hand_in(report.digest)
    assert (filed.phase, again.review) == (Phase.UNDER_REVIEW, filed.review)
    assert len(set(await service.vault.list("tickets")) - before) == 1


async def test_who_comes_again_while_a_try_is_under_way_shares_its_answer(service: Service) -> None:
    account = await awaiting_identity(service)
    request, by = service.request(account), owner_of(account)
    before = await updates(request)
    async with fault(
        service, Endpoint.PROFILE, FaultKind.ERROR, account_id=account, status=503, retry_after_seconds=3600
    ):
        # Together, as a double click sends it.
        asked = (service.cancellations.send_code(account, Channel.PHONE, by, key=KEY) for _ in range(3))
        assert set(await asyncio.gather(*map(refused_type, asked))) == {ErrorType.NOT_NOW}
        assert await updates(request) == before + 1
    sent = await asyncio.gather(
        *(service.cancellations.send_code(account, Channel.PHONE, by, key=KEY) for _ in range(3))
    )
    assert len({str(view.challenge) for view in sent}) == 1
    assert await updates(request) == before + 2
    assert await codes(service, account) == 1


async def test_what_a_rule_has_refused_stays_refused_under_its_key(service: Service) -> None:
    account = await blocked(service, icp_applications_ever=1, arrears_fen=600)
    ticket, by = await file_in_vault(service, account), owner_of(account)
    file = service.cancellations.file_ticket
    assert await refused_type(file(account, ticket, by, key=KEY)) is ErrorType.TICKET_NOT_ALLOWED
    await service.store.set_facts(account, arrears_fen=0)
    assert await refused_type(file(account, ticket, by, key=KEY)) is ErrorType.TICKET_NOT_ALLOWED
    # What has changed since has a new key.
    assert await refused_type(file(account, ticket, by, key=f"{KEY}, again")) is ErrorType.STALE_REPORT


async def test_what_is_refused_at_once_leaves_nothing_to_remember(service: Service) -> None:
    account = await blocked(service)
    cancellations, by = service.cancellations, owner_of(account)
    assert await refused_type(cancellations.confirm(account, "0" * 64, by, key=KEY)) is ErrorType.WRONG_PHASE
    await service.store.set_facts(account, icp_applications_ever=0)
    report = (await service.recheck(account)).report
    assert report is not None
    assert (await cancellations.confirm(account, report.digest, by, key=KEY)).phase is Phase.SEALING
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    assert (await cancellations.confirm(account, report.digest, by, key=KEY)).phase is Phase.SEALING
