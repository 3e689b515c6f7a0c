"""AccountCancellation: one request, from the owner's first click to its outcome.

Each phase either waits for a person, whose step (`OwnerSteps`) or whose review moves the request on, or does its own
work: opening, checking, sealing, deleting. The moves are in `domain/phases.py`; the picture is in `docs/process.md`.
"""

import asyncio
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    is_cancelled_exception,
)

with workflow.unsafe.imports_passed_through():
    from activities.account import ReadAccountResult
    from domain.accounts import RefusalReason, refusal_reason
    from domain.messages import (
        UNREADABLE,
        CancellationInput,
        CancellationResult,
        UnreadableInput,
        WithdrawalReason,
    )
    from domain.notifications import StaffDesk, Template
    from domain.phases import Phase, Step

from workflows.account_cancellation.deletion_following import PAST_THE_POINT_OF_NO_RETURN, DeletionFollowing
from workflows.account_cancellation.eligibility import run_checks
from workflows.account_cancellation.review_following import ReviewFollowing
from workflows.account_cancellation.sealing import read_account, release_hold, seal
from workflows.account_cancellation.state import ContinuedCancellation, PhaseIsOver
from workflows.account_cancellation.updates import OwnerSteps
from workflows.common.activity_options import LONGEST_ROUND, LOOK_AGAIN, SEALING_ROUND
from workflows.common.cancellation import shield_from_cancellation
from workflows.common.child_signals import FromChildren
from workflows.common.failures import error_type, keep_trying
from workflows.common.status import publish_request_status

_TOLD_AT_THE_END = {
    Phase.WITHDRAWN: Template.CANCELLATION_WITHDRAWN,
    Phase.LAPSED: Template.CANCELLATION_LAPSED,
}


@workflow.defn
class AccountCancellation(OwnerSteps, ReviewFollowing, DeletionFollowing, FromChildren):
    """Fails only on a bug, or on a start that cannot be read: refusals, withdrawals and rejections are results."""

    @workflow.init
    def __init__(self, start: CancellationInput | ContinuedCancellation | UnreadableInput = UNREADABLE) -> None:
        super().__init__(start)

    @workflow.run
    async def run(
        self, start: CancellationInput | ContinuedCancellation | UnreadableInput = UNREADABLE
    ) -> CancellationResult:
        if self._unreadable:
            raise self._unreadable
        return await shield_from_cancellation(self._run(), on_cancel_request=self._withdraw_or_refuse_cancel)

    async def _run(self) -> CancellationResult:
        state = self.state
        showing = asyncio.create_task(self._keep_published())
        # Kept, and never cancelled: a timer that ends with the workflow needs no event of its own.
        self._watching_idleness = asyncio.create_task(self._watch_idleness())
        while not state.is_over:
            if state.phase in PAST_THE_POINT_OF_NO_RETURN:
                state.move(await self._delete())
            elif (next_phase := await self._while_it_lasts(self._work_of(state.phase))) is not None:
                state.move(next_phase)
            elif self._may_continue_as_new():
                workflow.continue_as_new(ContinuedCancellation(state=state, messages_sent=self._messenger.sent))
        await self._end()
        showing.cancel()
        publish_request_status(state.view())
        return state.result()

    def _work_of(self, phase: Phase) -> Coroutine[Any, Any, Phase | None]:
        """What a phase does, or waits for. The answer is the phase that comes next."""
        match phase:
            case Phase.OPENING:
                return self._open()
            case Phase.CHECKING:
                return self._check()
            case Phase.SEALING:
                return self._seal()
            case Phase.UNDER_REVIEW:
                return self._follow_review()
            case _:
                return self._wait_for_owner()

    async def _while_it_lasts(self, work: Coroutine[Any, Any, Phase | None]) -> Phase | None:
        """The phase that the work leads to; None when somebody else has moved the request: then the work is dropped.

        Judged again after every wait, whatever came in one workflow task with it.
        """
        state = self.state
        turn = state.begin_work()
        task = asyncio.create_task(work)
        await workflow.wait_condition(lambda: task.done() or state.turn != turn)
        if state.turn == turn:
            with suppress(PhaseIsOver):
                return task.result()
            return None
        task.cancel()
        with suppress(asyncio.CancelledError, ActivityError, PhaseIsOver):
            await task
        return None

    async def _keep_published(self) -> None:
        """Search attributes and current details, rendered once for all that came in one workflow task."""
        while True:
            await workflow.wait_condition(lambda: not self.state.is_published)
            self.state.mark_published()
            publish_request_status(self.state.view())

    # The phases that work

    async def _open(self) -> Phase:
        state = self.state
        try:
            found = await state.during(self._read_patiently())
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.error(
                "The platform's answer about the account cannot be used: check its address and contract",
                extra={"account_id": state.account_id, "error_type": error_type(error)},
            )
            state.refusal = RefusalReason.ACCOUNT_UNREADABLE
            return Phase.REFUSED
        if closed := state.learn(found):
            return closed
        if reason := refusal_reason(found.profile):
            state.refusal = reason
            return Phase.REFUSED
        self.notify_owner(Template.CANCELLATION_OPENED, ends_by=state.ends_by.isoformat())
        # Without a channel only a ticket leads on, and nobody gives up what was not shown: the report comes first.
        return Phase.AWAITING_IDENTITY if state.has_channel else Phase.CHECKING

    async def _check(self) -> Phase:
        """The account and the conditions. A platform that cannot say is shown as that, and nobody waits long."""
        state = self.state
        found, (report, _) = await state.during(asyncio.gather(self._read_softly(), run_checks(state)))
        if found and (closed := state.learn(found)):
            return closed
        state.drop_stale_approval()
        state.report = report
        if state.identity is None:
            return Phase.AWAITING_IDENTITY
        return Phase.AWAITING_CONFIRMATION if report.is_clear(state.waivers) else Phase.BLOCKED

    async def _read_patiently(self) -> ReadAccountResult:
        rounds = SEALING_ROUND, LONGEST_ROUND
        return await keep_trying(lambda limit: read_account(self.state, limit), rounds, lambda *_: None)

    async def _read_softly(self) -> ReadAccountResult | None:
        try:
            return await read_account(self.state, self.state.request.policy.check_limit)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            return None

    async def _seal(self) -> Phase | None:
        """Close the account. The promise of the manual route runs on meanwhile: an approval is no answer yet."""
        state = self.state
        with self._meanwhile(self._tell_when_stuck()), self._meanwhile(self._keep_promise()):
            next_phase = await seal(state, self._may_continue_as_new)
        if next_phase in (Phase.BLOCKED, Phase.AWAITING_IDENTITY):
            self.notify_owner(Template.CANCELLATION_SENT_BACK, reasons=self._why_sent_back())
        return next_phase

    def _why_sent_back(self) -> str:
        """Codes only; the owner's page has the rest."""
        state = self.state
        if state.changed is None:
            return state.seal_refused or ""
        changed = state.changed
        codes = [*changed.checks, *changed.could_not_tell]
        if changed.approval_expired:
            codes.append("APPROVAL_EXPIRED")
        if changed.entitlements_added:
            codes.append("ENTITLEMENTS_ADDED")
        if changed.real_name_type:
            codes.append("REAL_NAME_TYPE")
        return ",".join(codes)

    # No asynchronous generator: a worker that stops leaves its workflows to the garbage collector, and that may end the
    # generator before whoever is in it, who then fails on that.
    @contextmanager
    def _meanwhile(self, work: Coroutine[Any, Any, None]) -> Iterator[None]:
        task = asyncio.create_task(work)
        try:
            yield
        finally:
            task.cancel()

    async def _tell_when_stuck(self) -> None:
        state = self.state
        await workflow.wait_condition(lambda: state.trouble is not None and state.trouble.stuck)
        assert state.trouble is not None
        if state.is_stuck_told:
            return
        state.is_stuck_told = True
        self._messenger.send(
            Template.SEALING_STUCK,
            {
                "request_no": state.request_no,
                "error_type": state.trouble.error_type,
                "since": state.trouble.since.isoformat(),
            },
            desk=StaffDesk.OPERATIONS,
        )

    # The phases that wait

    async def _wait_for_owner(self) -> Phase | None:
        """Until the owner, or a review, moves on; or until nobody did for too long, and the request lapses.

        None when it is time to continue as new.
        """
        state = self.state
        while True:
            await state.during(
                workflow.wait_condition(
                    lambda: state.has_lapsed or self._moved_by_review() is not None or self._may_continue_as_new()
                )
            )
            if next_phase := self._moved_by_review():
                return next_phase
            if not state.has_lapsed:
                return None
            closed = state.learn(await self._last_look())
            if closed or state.has_lapsed:
                return closed or Phase.LAPSED

    async def _watch_idleness(self) -> None:
        """Who stays idle is reminded, and in the end the request lapses. It goes on in all phases.

        One timer, which is set again only when it has fired: for whatever time an owner who did something has left.
        One for each step, or for each phase, would be two events more for each of them.
        """
        state = self.state
        while True:
            await workflow.wait_condition(lambda: state.lapses_at is not None and not state.has_lapsed)
            lapses_at = state.lapses_at
            assert lapses_at is not None
            at = lapses_at if state.is_reminded else lapses_at - state.request.policy.idle_reminder_before
            if workflow.now() < at:
                await workflow.sleep(at - workflow.now(), summary="Lapse" if state.is_reminded else "Remind the owner")
            elif not state.is_reminded:
                state.reminded_of = lapses_at
                self.notify_owner(Template.CANCELLATION_LAPSING, lapses_at=lapses_at.isoformat())

    async def _last_look(self) -> ReadAccountResult:
        """Only an open account can be kept. An answer that cannot be used is none, however final it sounds."""
        state = self.state
        while True:
            try:
                return await state.during(self._read_patiently())
            except ActivityError as error:
                if is_cancelled_exception(error):
                    raise
                await state.during(workflow.sleep(LOOK_AGAIN, summary="Nobody can say what the account is: ask again"))

    def _may_continue_as_new(self) -> bool:
        """At a quiet moment: no child, no step and no message under way, and the server asks for it."""
        return (
            workflow.info().is_continue_as_new_suggested()
            and (self._review is None or self._review.done())
            and self._in_flight == 0
            and self._messenger.is_idle
            and workflow.all_handlers_finished()
            and self.state.phase not in PAST_THE_POINT_OF_NO_RETURN
        )

    # What Temporal reports

    def _withdraw_or_refuse_cancel(self) -> None:
        """Temporal's own "cancel": a withdrawal by ops while that is possible, refused and counted when it is not."""
        state = self.state
        if state.allows(Step.WITHDRAW):
            self._ops_withdrawal = asyncio.create_task(self._withdraw_for_ops())
        else:
            state.cancels_refused += 1
            state.show()

    async def _withdraw_for_ops(self) -> None:
        try:
            await self.withdraw_for(WithdrawalReason.OPERATOR_CANCELLED)
        except ApplicationError:
            self.state.cancels_refused += 1
            self.state.show()

    # On the way out

    async def _end(self) -> None:
        """What is over does not wait for messages: a new start counts at once."""
        state = self.state
        await self._messenger.give_up()
        if state.phase is not Phase.CLOSED:
            await release_hold(state)
        if (template := _TOLD_AT_THE_END.get(state.phase)) and (recipient := self._recipient()):
            await self._messenger.leave(template, {"request_no": state.request_no}, **recipient)
        await workflow.wait_condition(workflow.all_handlers_finished)
