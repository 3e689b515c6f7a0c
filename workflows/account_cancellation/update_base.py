"""What every step of the owner's needs: where the request stands, and how a person who waits is answered.

A validator refuses without a trace in history and is not run again on replay, so that it may compare with what is
current in this very process (the notice). A handler checks again after every wait: others may have moved the request.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, ReadAccountResult
    from domain.errors import NO_ANSWER, ErrorType
    from domain.messages import (
        CancellationInput,
        ReviewResult,
        UnreadableInput,
    )
    from domain.model import Instant
    from domain.notifications import Template
    from domain.phases import STEP_PHASES, Phase, Step

from workflows.account_cancellation.state import CancellationState, ContinuedCancellation
from workflows.common.activity_options import ANSWER_LIMIT, ANSWER_OWNER, REFUSALS_AT_THE_END, STEPS_IN_FLIGHT
from workflows.common.failures import error_details
from workflows.common.messenger import Messenger
from workflows.common.unreadable import unreadable
from workflows.common.waiting import happens

T = TypeVar("T")


class StepBase:
    """The state of a request, and the tools that all steps use."""

    def __init__(self, start: CancellationInput | ContinuedCancellation | UnreadableInput) -> None:
        self._unreadable: ApplicationError | None = None
        self._state: CancellationState | None = None
        sent = 0
        match start:
            case CancellationInput():
                self._state = CancellationState.begin(start, workflow.now())
            case ContinuedCancellation():
                self._state, sent = start.state, start.messages_sent
            case UnreadableInput():
                self._unreadable = unreadable(CancellationInput, start.given)
        self._review: workflow.ChildWorkflowHandle[Any, ReviewResult] | None = None
        self._filing = asyncio.Lock()
        self._in_flight = 0
        self._refused_at_the_end = 0
        if self._state:
            request = self._state.request
            self._messenger = Messenger(request.account_id, request.request_no, request.locale, request.policy, sent)

    @property
    def state(self) -> CancellationState:
        if self._state is None:
            assert self._unreadable is not None
            raise self._unreadable
        return self._state

    def _admit(self, step: Step) -> None:
        """Let a step in where it may be right: its handler knows more, once it has looked at the account again."""
        self._refuse_a_crowd()
        state = self.state
        if state.phase is Phase.OPENING:
            # Nobody is refused for being quick: the step waits until the account has been read.
            return
        if state.phase is not Phase.AWAITING_IDENTITY or state.phase not in STEP_PHASES[step]:
            state.require(step)

    def _refuse_a_crowd(self) -> None:
        """The server takes only so many updates at once, and so many in one history."""
        if self._in_flight >= STEPS_IN_FLIGHT:
            raise not_now("Other steps of this request are still under way.", workflow.now() + ANSWER_LIMIT)
        if self._refused_at_the_end >= REFUSALS_AT_THE_END:
            raise not_now("Too many steps of this request were refused.", workflow.now() + ANSWER_LIMIT)

    def _refuse_to_fill_up(self) -> None:
        """For what changes nothing: once the server asks for a new history the view has to do."""
        if workflow.info().is_continue_as_new_suggested():
            raise not_now("The history of this request is full. Look at it by its view.", workflow.now() + ANSWER_LIMIT)

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        """While a step waits. Synchronous, like `_meanwhile` of the request, and for the same reason."""
        self._in_flight += 1
        try:
            yield
        except ApplicationError:
            self._refused_at_the_end += workflow.info().is_continue_as_new_suggested()
            raise
        finally:
            self._in_flight -= 1

    async def _begin(self, step: Step) -> Instant:
        """Once the account has been read; the answer is until when the step has to be answered."""
        until = workflow.now() + ANSWER_LIMIT
        await self._wait_until(lambda: self.state.phase is not Phase.OPENING, until)
        if self.state.phase is not Phase.AWAITING_IDENTITY:
            self.state.require(step)
        self.state.owner_active_at = workflow.now()
        return until

    async def _wait_until(self, condition: Any, until: Instant) -> None:
        if not await happens(condition, left_of(until), "Somebody waits for an answer"):
            raise not_now("The platform takes longer than usual; the request goes on.", until)

    async def _look(self, step: Step, until: Instant) -> None:
        """The account as it is now: what is verified, its real-name type, and whether it is closed already."""
        state = self.state
        found = await self._answer(
            workflow.execute_activity_method(
                AccountActivities.read_account,
                state.read_account_input,
                schedule_to_close_timeout=left_of(until),
                summary=f"Read account {state.account_id} again",
                **ANSWER_OWNER,
            ),
            step,
        )
        self._learn(found, step)

    def _learn(self, found: ReadAccountResult, step: Step) -> None:
        """Take the account as it is now, and judge the step by it."""
        state = self.state
        if state.phase in STEP_PHASES[step] and (closed := state.learn(found)):
            state.move(closed)
        state.show()
        state.require(step)

    async def _answer(self, call: Coroutine[Any, Any, T], step: Step) -> T:
        """Await an activity for somebody who waits. The end of the request ends it.

        Its domain error is handed on as it is: same type, message and details. Trouble that heals is "not now".
        """
        task = asyncio.ensure_future(call)
        await workflow.wait_condition(lambda: task.done() or self.state.is_over)
        if self.state.is_over:
            task.cancel()
            with suppress(asyncio.CancelledError, ActivityError):
                await task
            self.state.require(step)
        try:
            return await task
        except ActivityError as error:
            raise _of_activity(error) from None

    def notify_owner(self, template: Template, **params: str) -> None:
        """At the account's verified contacts; without any, at the one that its ticket names."""
        state = self.state
        if recipient := self._recipient():
            self._messenger.send(template, {"request_no": state.request_no, **params}, **recipient)

    def _recipient(self) -> dict[str, Any] | None:
        state = self.state
        if state.has_channel:
            return {"account_id": state.account_id}
        return {"ticket": state.case.ticket} if state.case else None


def left_of(until: Instant) -> timedelta:
    return max(until - workflow.now(), timedelta(seconds=1))


def not_now(why: str, at: Instant) -> ApplicationError:
    seconds = max(1, int((at - workflow.now()).total_seconds()))
    return ApplicationError(
        f"Not now: {why} Nothing was changed; try at {at:%Y-%m-%d %H:%M:%S} UTC.",
        {"retry_at": at.isoformat(), "retry_after_seconds": seconds},
        type=ErrorType.NOT_NOW,
    )


def _of_activity(error: ActivityError) -> ApplicationError:
    cause = error.cause
    kind = cause.type if isinstance(cause, ApplicationError) else None
    if isinstance(cause, ApplicationError) and kind not in NO_ANSWER:
        return ApplicationError(cause.message, *cause.details, type=kind)
    wait = timedelta(seconds=int(error_details(error).get("retry_after_seconds", ANSWER_LIMIT.total_seconds())))
    return not_now("The other side did not answer in time.", workflow.now() + wait)
