"""To look at a request changes nothing, whatever happens while somebody waits for the answer."""

import asyncio

from domain.messages import CancellationView, Withdraw
from domain.phases import Phase, Step
from tests.support.at_once import (
    LIMIT,
    HeldAnswer,
    HeldAnswers,
    activities_only,
    send_update,
    until_answered,
    workflows_only,
)
from tests.support.service import SOMEBODY, Service
from tests.support.tickets import assert_replays, no_task_has_failed, own_queue


async def checking(service: Service, answers: HeldAnswers) -> tuple[str, HeldAnswer]:
    """A request that is about to have the last outcome of its checks."""
    account = await service.account()
    held = answers.hold(service.request(account).id, "AccountCancellation", "check_resources", 1)
    await service.start(account)
    await service.identify(account)
    await service.accept_notice(account)
    await asyncio.wait_for(held.arrived.wait(), LIMIT)
    return account, held


async def test_a_look_that_comes_to_a_new_worker_ahead_of_the_news_leaves_a_history_that_replays(
    idle_service: Service,
) -> None:
    service = own_queue(idle_service)
    answers = HeldAnswers(service)
    async with activities_only(service, answers):
        async with workflows_only(service):
            # Which of the two comes first is the server's choice: of so many requests both come about.
            found = await asyncio.gather(*(checking(service, answers) for _ in range(6)))
        looking = [asyncio.create_task(service.cancellations.view(account)) for account, _ in found]
        requests = [service.request(account) for account, _ in found]
        for request, (_, held) in zip(requests, found, strict=True):
            await until_answered(request, held)
        withdrawals = [
            await send_update(service, request, Step.WITHDRAW, Withdraw(by=SOMEBODY), CancellationView)
            for request in requests
        ]
        async with workflows_only(service):
            seen = await asyncio.gather(*looking)
            assert {view.phase for view in seen} <= {Phase.CHECKING, Phase.AWAITING_CONFIRMATION, Phase.WITHDRAWN}
            assert {view.phase for view in await asyncio.gather(*withdrawals)} == {Phase.WITHDRAWN}
            await asyncio.gather(*(request.result() for request in requests))
            await no_task_has_failed(*requests)
            await assert_replays(*requests)
