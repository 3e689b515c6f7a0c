"""Temporal's cancel, an update and a signal by hand, in one workflow task with every answer of every route.

The routes are those whose histories are recorded; the answers are read from the histories.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.service import RPCError

from domain.errors import ErrorType
from domain.ids import cancellation_workflow_id, review_workflow_id
from domain.messages import CancellationView, Withdraw, WithdrawalReason
from domain.phases import Phase, Step
from domain.tickets import DecisionReason, ReviewStatus
from simulator.kinds import Effect, Endpoint
from tests.replay.routes import ROUTES
from tests.support.at_once import (
    LIMIT,
    SIGNAL_TO_DELETION,
    SIGNAL_TO_REQUEST,
    SIGNAL_TO_REVIEW,
    Advance,
    HeldAnswer,
    HeldAnswers,
    activities_only,
    answer_in_waiting,
    assert_account_kept,
    assert_deleted_undisturbed,
    came_together,
    each,
    reject_and_disturb,
    resume_and_disturb,
    send_update,
    until_answered,
    until_quiet,
    withdraw_and_disturb,
    workflows_only,
)
from tests.support.recorded import MESSAGE, Answer, recorded_answers
from tests.support.service import SOMEBODY, Service, decision, eventually
from tests.support.tickets import assert_replays, is_retrying, no_task_has_failed, outcome_of, own_queue
from tests.workflows.test_withdrawal import sealing_under_the_hold


class UpToAnAnswer(Service):
    """The service as one route uses it, with an answer that is held up."""

    account_id: str
    held: HeldAnswer

    def __init__(self, service: Service, answers: HeldAnswers, workflow_type: str, answer: Answer) -> None:
        super().__init__(**vars(service))
        self._answers, self._workflow_type, self._answer = answers, workflow_type, answer
        self.started = asyncio.Event()

    async def start(self, account_id: str, **policy: object) -> CancellationView:
        self.account_id = account_id
        self.held = self._answers.hold(
            cancellation_workflow_id(account_id),
            self._workflow_type,
            self._answer.activity,
            self._answer.number,
            alone=self._answer.activity == MESSAGE,
        )
        self.started.set()
        return await super().start(account_id, **policy)

    async def to_report(self, account_id: str, **policy: object) -> CancellationView:
        """Without the re-check, which comes too late for the first one on a busy machine, and then is a second one."""
        await self.start(account_id, **policy)
        await self.identify(account_id)
        await self.accept_notice(account_id)
        return await self.in_phase(account_id, Phase.BLOCKED, Phase.AWAITING_CONFIRMATION)

    async def in_phase(self, account_id: str, *phases: Phase, seconds: float = LIMIT) -> CancellationView:
        """Told of it by the request: so many who ask again and again would be in each other's way."""
        view = await self.cancellations.view(account_id)
        while view.phase not in phases:
            view = await self.cancellations.wait_while(account_id, view.phase)
        return view

    async def until_held(self) -> None:
        await self.started.wait()
        await self.held.arrived.wait()


class Play(ABC):
    """One route, on which an answer meets a cancel, an update and a signal."""

    workflow_type: str
    driving: asyncio.Future[Any]
    handle: WorkflowHandle[Any, Any]
    in_time = False
    met: Collection[str] = ()

    def __init__(self, service: Service, answers: HeldAnswers, answer: Answer) -> None:
        self.answer = answer
        self.service = UpToAnAnswer(service, answers, self.workflow_type, answer)

    def __str__(self) -> str:
        return str(self.answer)

    async def until_held(self) -> None:
        self.driving = asyncio.ensure_future(ROUTES[self.answer.route](self.service))
        arriving = asyncio.create_task(self.service.until_held())
        await asyncio.wait({self.driving, arriving}, timeout=LIMIT, return_when=asyncio.FIRST_COMPLETED)
        if self.driving.done():
            self.driving.result()
        assert arriving.done(), "the answer never came"
        if self.service.held.alone:
            # The workflow does not wait for this answer, and nor would the route.
            self.driving.cancel()
        self.handle = self.service.client.get_workflow_handle(self.service.held.workflow_id)
        await self.look()

    async def look(self) -> None:  # noqa: B027 - most have nothing to look at
        """While workflows still run."""

    async def meet(self) -> None:
        """While no workflow runs."""
        await until_answered(self.handle, self.service.held)
        with suppress(RPCError):  # a withdrawal waits for the platform's word for some seconds only, and is over then
            await self.disturb()
            self.in_time = True

    @abstractmethod
    async def disturb(self) -> None: ...

    async def end(self) -> None:
        if not self.in_time:
            assert (await self.request.result()).outcome is self.answer.outcome
            return
        await self.assert_end()
        assert "ACTIVITY_TASK_COMPLETED" in self.met
        await no_task_has_failed(self.handle)
        await assert_replays(self.handle)

    @abstractmethod
    async def assert_end(self) -> None: ...

    @property
    def request(self) -> WorkflowHandle[Any, Any]:
        return self.service.request(self.service.account_id)


class OfARequest(Play):
    workflow_type = "AccountCancellation"

    async def look(self) -> None:
        self.withdrawable = (await self.service.cancellations.view(self.service.account_id)).withdrawable
        self.closes = await self._closes()

    async def _closes(self) -> int:
        return len(await self.service.store.calls(Endpoint.CLOSE, self.service.account_id))

    async def disturb(self) -> None:
        self.withdrawal = await withdraw_and_disturb(self.service, self.service.account_id)

    async def assert_end(self) -> None:
        outcome = (await asyncio.wait_for(self.request.result(), LIMIT)).outcome
        told = await asyncio.wait_for(outcome_of(self.withdrawal), LIMIT)
        self.met = await came_together(self.handle, SIGNAL_TO_REQUEST)
        if not self.withdrawable:
            assert (told, outcome) == (ErrorType.POINT_OF_NO_RETURN, self.answer.outcome)
            assert (await self.service.cancellations.view(self.service.account_id)).cancels_refused == 1
            return
        assert outcome is Phase.WITHDRAWN
        # The other one may have been first: both are one end.
        assert isinstance(told, CancellationView) or told in (ErrorType.WRONG_PHASE, ErrorType.NOT_FOUND)
        assert await self._closes() == self.closes
        await assert_account_kept(self.service, self.service.account_id)


class OfAReview(Play):
    workflow_type = "TicketReview"

    async def look(self) -> None:
        review = await self.service.cancellations.review(self.handle.id.removeprefix(review_workflow_id("")))
        self.rejection = decision(review, DecisionReason.DISPUTE_OPEN)

    async def disturb(self) -> None:
        self.deciding = await reject_and_disturb(self.service, self.rejection)

    async def assert_end(self) -> None:
        result = await asyncio.wait_for(self.service.review(self.rejection.ticket_no).result(), LIMIT)
        told = await asyncio.wait_for(outcome_of(self.deciding), LIMIT)
        if told is ErrorType.DECISION_REFUSED:
            # The reviewer on the route was quicker, or the cancel was: a slow task loses its update to the next one.
            assert result.status in (ReviewStatus.APPROVED, ReviewStatus.CALLED_OFF)
        else:
            assert result.decision is not None
            assert (result.status, result.decision.decision) == (ReviewStatus.REJECTED, self.rejection)
        view = await self.service.in_phase(self.service.account_id, *COMES_TO[result.status])
        assert view.review is not None
        assert view.review.status is result.status
        self.met = await came_together(self.handle, SIGNAL_TO_REVIEW)


COMES_TO = {
    ReviewStatus.REJECTED: (Phase.REJECTED,),
    ReviewStatus.APPROVED: (Phase.CLOSED,),
    ReviewStatus.CALLED_OFF: (Phase.BLOCKED, Phase.AWAITING_IDENTITY),
}
"""What becomes of the request of a review."""


class OfADeletion(Play):
    workflow_type = "AccountDeletion"

    async def disturb(self) -> None:
        self.resuming = await resume_and_disturb(self.service, self.service.account_id)

    async def assert_end(self) -> None:
        told = await asyncio.wait_for(outcome_of(self.resuming), LIMIT)
        await assert_deleted_undisturbed(self.service, self.service.account_id, told)
        self.met = await came_together(self.handle, SIGNAL_TO_DELETION)


async def play_all(
    idle_service: Service, kind: Callable[[Service, HeldAnswers, Answer], Play], recorded: Sequence[Answer]
) -> None:
    """All of them at once, each on an account of its own: workers are stopped and started once for all."""
    service = own_queue(idle_service)
    answers = HeldAnswers(service)
    plays = [kind(service, answers, answer) for answer in recorded]
    try:
        async with activities_only(service, answers):
            async with workflows_only(service):
                await each(plays, Play.until_held)
                await until_quiet(*(handle for play in plays for handle in (play.request, play.handle)))
            await each(plays, Play.meet)
            async with workflows_only(service):
                await each(plays, Play.end)
        # A task that took too long on a busy machine is begun again, and may have lost its update to the next one.
        assert any("WORKFLOW_EXECUTION_UPDATE_ACCEPTED" in play.met for play in plays)
    finally:
        # Whoever took the steps of the route has been told meanwhile that there is nothing more to do.
        for play in plays:
            play.driving.cancel()
        await asyncio.gather(*(play.driving for play in plays), return_exceptions=True)


AT_ONCE = 9
"""So many plays share workers. More would be in each other's way on a busy machine."""


def in_groups(workflow: str) -> list[Any]:
    recorded = recorded_answers(workflow)
    groups = [recorded[first : first + AT_ONCE] for first in range(0, len(recorded), AT_ONCE)]
    return [pytest.param(group, id=f"{group[0].route}-{number}") for number, group in enumerate(groups, 1)]


@pytest.mark.parametrize("recorded", in_groups("cancellation"))
async def test_a_request_is_withdrawn_or_past_withdrawal_whatever_comes_with_an_answer(
    idle_service: Service, recorded: list[Answer]
) -> None:
    await play_all(idle_service, OfARequest, recorded)


@pytest.mark.parametrize("recorded", in_groups("review"))
async def test_a_review_is_decided_once_whatever_comes_with_an_answer(
    idle_service: Service, recorded: list[Answer]
) -> None:
    await play_all(idle_service, OfAReview, recorded)


@pytest.mark.parametrize("recorded", in_groups("deletion"))
async def test_a_deletion_goes_on_whatever_comes_with_an_answer(idle_service: Service, recorded: list[Answer]) -> None:
    await play_all(idle_service, OfADeletion, recorded)


async def test_nothing_that_comes_with_the_release_after_a_withdrawal_changes_its_end(idle_service: Service) -> None:
    service = own_queue(idle_service)
    answers = HeldAnswers(service)
    async with activities_only(service, answers):
        async with workflows_only(service), sealing_under_the_hold(service) as account:
            request = service.request(account)
            held = answers.hold(request.id, OfARequest.workflow_type, "release_hold", 1)
            await service.withdraw(account)
            await held.arrived.wait()
        await until_answered(request, held)
        again = await withdraw_and_disturb(service, account)
        async with workflows_only(service):
            result = await asyncio.wait_for(request.result(), LIMIT)
            assert await asyncio.wait_for(outcome_of(again), LIMIT) in (ErrorType.WRONG_PHASE, ErrorType.NOT_FOUND)
            met = await came_together(request, SIGNAL_TO_REQUEST)
            await no_task_has_failed(request)
            await assert_replays(request)
    assert met >= {"ACTIVITY_TASK_COMPLETED", "WORKFLOW_EXECUTION_CANCEL_REQUESTED", "WORKFLOW_EXECUTION_SIGNALED"}
    assert (result.outcome, result.withdrawal_reason) == (Phase.WITHDRAWN, WithdrawalReason.CHANGED_MIND)
    assert [call.effect for call in await service.store.calls(Endpoint.RELEASE_HOLD, account)] == [Effect.APPLIED]
    await assert_account_kept(service, account)


# A withdrawal alone


async def nothing(service: Service, account: str) -> None:
    """The step before the first."""


async def withdraw_with_the_answer_of(
    idle_service: Service, endpoint: Endpoint, prepare: Advance, step: Advance
) -> tuple[Service, str]:
    """Have a withdrawal and the answer of the call that `step` leads to arrive together."""
    service = own_queue(idle_service)
    account = await service.account()
    request = await answer_in_waiting(service, endpoint, account, prepare, step)
    withdrawal = await send_update(service, request, Step.WITHDRAW, Withdraw(by=SOMEBODY), CancellationView)
    async with service.worker():
        await asyncio.wait_for(withdrawal, LIMIT)
        result = await asyncio.wait_for(request.result(), LIMIT)
        await assert_replays(request)
    assert (result.outcome, result.withdrawal_reason) == (Phase.WITHDRAWN, WithdrawalReason.CHANGED_MIND)
    return service, account


async def test_a_withdrawal_with_the_first_word_about_the_account_ends_the_request(idle_service: Service) -> None:
    async def start(service: Service, account: str) -> None:
        starting = asyncio.create_task(service.start(account))
        await eventually(lambda: is_retrying(service.request(account)), bool)
        starting.cancel()

    await withdraw_with_the_answer_of(idle_service, Endpoint.PROFILE, nothing, start)


async def test_a_withdrawal_with_the_last_answer_of_the_checks_ends_the_request(idle_service: Service) -> None:
    async def identify(service: Service, account: str) -> None:
        await service.start(account)
        await service.identify(account)

    await withdraw_with_the_answer_of(idle_service, Endpoint.RESOURCES, identify, Service.accept_notice)


@pytest.mark.parametrize("endpoint", [Endpoint.TAKE_HOLD, Endpoint.ARREARS])
async def test_a_withdrawal_with_an_answer_before_the_close_leaves_the_account_open(
    idle_service: Service, endpoint: Endpoint
) -> None:
    service, account = await withdraw_with_the_answer_of(idle_service, endpoint, Service.to_report, Service.confirm)
    assert await service.store.calls(Endpoint.CLOSE, account) == []
    await assert_account_kept(service, account)
