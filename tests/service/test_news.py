"""Waiting for news of a request: they come when there are some, and waiting costs the request nothing."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.client import WorkflowHandle
from temporalio.common import SearchAttributePair, TypedSearchAttributes

from domain.accounts import Channel
from domain.errors import ErrorType
from domain.ids import cancellation_workflow_id
from domain.phases import Phase
from service import deletions
from service.base import described
from service.news import news
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import awaiting_confirmation, awaiting_identity, refused_type
from workflows.common.search_attributes import CANCELLATION_PHASE

LONG = timedelta(minutes=1)
"""Longer than any test waits."""


async def steps(handle: WorkflowHandle[Any, Any], limit: timedelta) -> int:
    return len([step async for step in news(handle, limit)])


async def quiet(service: Service, account: str) -> WorkflowHandle[Any, Any]:
    """The request, once the message about its opening is delivered: what comes then is an owner's doing."""
    await eventually(lambda: service.store.outbox(account), bool)
    handle = service.request(account)

    async def has_nothing_under_way() -> bool:
        found = (await handle.describe()).raw_description
        return not found.pending_activities and not found.HasField("pending_workflow_task")

    await eventually(has_nothing_under_way, bool)
    return handle


async def test_the_first_step_comes_at_once_and_none_while_nothing_happens(service: Service) -> None:
    handle = await quiet(service, await awaiting_identity(service))
    before = (await handle.describe()).history_length
    assert await steps(handle, timedelta(seconds=1)) == 1
    assert (await handle.describe()).history_length == before, "who waits leaves no trace"


async def test_what_happens_after_a_look_is_news(service: Service) -> None:
    account = await awaiting_identity(service)
    waiting = news(await quiet(service, account), LONG)
    await anext(waiting)
    coming = asyncio.ensure_future(anext(waiting))
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    await asyncio.wait_for(coming, 20)


async def test_there_is_a_last_step_when_a_request_has_ended_and_none_after_it(service: Service) -> None:
    account = await awaiting_identity(service)
    waiting = asyncio.ensure_future(steps(service.request(account), LONG))
    await service.request(account).terminate("by a test")
    assert await asyncio.wait_for(waiting, 20) > 0
    assert await steps(service.request(account), LONG) == 1


async def test_who_waits_for_a_phase_that_is_the_last_one_has_the_answer(service: Service) -> None:
    account = await awaiting_identity(service)
    await service.withdraw(account)
    await service.request(account).result()
    view = await asyncio.wait_for(service.cancellations.wait_while(account, Phase.WITHDRAWN, LONG), 20)
    assert view.phase is Phase.WITHDRAWN


async def test_twenty_who_wait_for_one_request_all_hear_of_it_and_stand_in_nobodys_way(service: Service) -> None:
    account = await awaiting_confirmation(service)
    waiting = [
        asyncio.ensure_future(service.cancellations.wait_while(account, Phase.AWAITING_CONFIRMATION, LONG))
        for _ in range(20)
    ]
    await service.withdraw(account)
    assert {view.phase for view in await asyncio.wait_for(asyncio.gather(*waiting), 60)} == {Phase.WITHDRAWN}


async def test_there_are_no_news_of_a_request_that_there_is_not(service: Service) -> None:
    async def wait() -> None:
        async for _ in service.cancellations.news("acct-nobody", LONG):
            pytest.fail("nothing can have happened")

    assert await refused_type(wait()) is ErrorType.NOT_FOUND


async def test_who_asks_for_a_deletion_that_is_about_to_begin_waits_without_asking_again_and_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = f"about-to-{uuid4().hex}"
    # Without a worker it stays at this moment, which usually takes some milliseconds.
    await service.client.start_workflow(
        "AccountCancellation",
        id=cancellation_workflow_id(account),
        task_queue=f"nobody-{account}",
        search_attributes=TypedSearchAttributes([SearchAttributePair(CANCELLATION_PHASE, Phase.DELETING)]),
    )
    looks: list[str] = []

    async def counted(handle: WorkflowHandle[Any, Any]) -> Any:
        looks.append(handle.id)
        return await described(handle)

    monkeypatch.setattr(deletions, "described", counted)
    monkeypatch.setattr(deletions, "BEGINNING_LIMIT", timedelta(seconds=1))
    assert await refused_type(service.cancellations.deletion(account)) is ErrorType.NOT_FOUND
    assert len(looks) == 4, "both are looked at when the wait begins, and once more in its first step"
