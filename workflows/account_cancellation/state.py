"""How one request changes: the only place where its phase does."""

from collections.abc import Awaitable
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, PrivateAttr
from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.account import ReadAccountResult
    from domain.accounts import RefusalReason
    from domain.actors import Actor
    from domain.deletion import (
        IdentityEvidence,
        IdentityMethod,
    )
    from domain.errors import ErrorType
    from domain.ids import hold_id
    from domain.messages import (
        CancellationInput,
        ReviewResult,
    )
    from domain.model import Instant
    from domain.phases import Phase, Step, advance
    from domain.tickets import RecordedDecision


from workflows.account_cancellation.facts import CancellationFacts

T = TypeVar("T")


class PhaseIsOver(Exception):
    """What a phase was doing has been overtaken: the request is in another one. Never seen outside the workflow."""


class CancellationState(CancellationFacts):
    """Everything of a request that outlives a workflow task, and how it changes.

    It goes along whole when the workflow continues as new.
    """

    _work_turn: int = PrivateAttr(default=0)
    _is_shown: bool = PrivateAttr(default=False)

    @classmethod
    def begin(cls, request: CancellationInput, now: Instant) -> "CancellationState":
        return cls(request=request, started_at=now, phase_since=now, owner_active_at=now)

    def move(self, to: Phase) -> None:
        """Change the phase, by the transition table, and show the change to ops."""
        self.phase = advance(self.phase, to)
        self.turn += 1
        self.phase_since = self.owner_active_at = workflow.now()
        self.show()

    def begin_sealing(self) -> None:
        """The owner, or a reviewer, has said the last word: what stood in the way before is of the past."""
        self.seal_refused = self.changed = self.trouble = None
        self.is_stuck_told = False

    def begin_work(self) -> int:
        """What is done from now on is the work of the phase as it is; the answer tells whether it still is."""
        self._work_turn = self.turn
        return self.turn

    async def during(self, call: Awaitable[T]) -> T:
        """Await one call of a phase's work, and judge the phase again: nothing goes on behind the back of a move.

        Whichever way the call ends: a cancellation that comes in one workflow task with an activity's answer is
        swallowed by the SDK (temporalio/sdk-python, issue 352), and the work would go on as far as the close.
        """
        try:
            return await call
        finally:
            if self.turn != self._work_turn:
                raise PhaseIsOver

    def require(self, step: Step) -> None:
        """Refuse a step that is not allowed now, naming the phase and the step that is due."""
        if self.allows(step):
            return
        closed = (Phase.DELETING, Phase.DELETION_STALLED, Phase.CLOSED)
        if step is Step.WITHDRAW and (self.closing or self.phase in closed):
            raise ApplicationError(
                f"Request {self.request_no} is past the point of no return ({self.phase}); it can only go on.",
                {"phase": self.phase},
                type=ErrorType.POINT_OF_NO_RETURN,
            )
        due = self.due_step
        advice = f"the step that is due is {due}" if due else "there is nothing for the owner to do in this phase"
        stands = f" The revision that stands is {self.case.ticket.revision}." if self.case else ""
        raise ApplicationError(
            f"{step} is not possible in phase {self.phase} of request {self.request_no}: {advice}.{stands}",
            {"phase": self.phase, "due_step": due}
            | ({"revision": self.case.ticket.revision, "ticket_no": self.case.ticket.ticket_no} if self.case else {}),
            type=ErrorType.WRONG_PHASE,
        )

    def learn(self, found: ReadAccountResult) -> Phase | None:
        """Take the account as it is now. The phase to go to when it is closed, whatever this request remembers."""
        self.profile = found.profile or self.profile
        if found.closed:
            self.closed_request_no = found.closed.request_no
            self.deletion_input = found.closed.deletion
            self.certificate = found.closed.certificate
            if found.closed.certificate:
                return Phase.CLOSED
            if found.closed.deletion:
                return Phase.DELETING
            self.stalled = found.closed.trouble or ErrorType.VAULT_RECORD_MISSING
            return Phase.DELETION_STALLED
        if found.is_closed:
            self.refusal = RefusalReason.ALREADY_CLOSED
            return Phase.REFUSED
        return None

    def is_identity_of(self, by: Actor) -> bool:
        """Whether who says the last word is who proved identity, and did so lately."""
        expires_at = self.identity_expires_at
        return (
            self.identity is not None
            and self.identity.by.subject == by.subject
            and expires_at is not None
            and workflow.now() < expires_at
        )

    def approve(self, review: ReviewResult, decision: RecordedDecision) -> None:
        """An approved ticket grants its waivers and, where no channel was verified, attests identity and notice."""
        assert self.case is not None
        self.approval = decision
        self.approved_at = workflow.now()
        self.approved_case, self.approved_review = self.case, review
        self.report = self.case.report
        self.agreed_type = self.case.real_name_type
        self.waivers = tuple(w for w in self.case.waivers_asked if w.check in decision.decision.waived)
        if not self.has_proved_identity:
            assert self.acceptance_in_ticket is not None, "who files without a channel accepts the notice in the form"
            self.identity = IdentityEvidence(
                method=IdentityMethod.ATTESTED,
                channel=None,
                evidence_id=decision.decision.decision_id,
                verified_at=decision.decision.decided_at,
                by=self.acceptance_in_ticket.by,
            )
            self.notice = self.acceptance_in_ticket
        self.begin_sealing()

    def drop_stale_approval(self) -> bool:
        """An approval covers what it saw, for a while. True when there was one to drop.

        Past it, or of another kind of account, a new decision is needed: an enterprise's ticket has a stamped letter.
        """
        expires_at, case = self.approval_expires_at, self.approved_case
        if expires_at is None or case is None:
            return False
        if workflow.now() < expires_at and case.real_name_type is self.real_name_type:
            return False
        self.approval = self.approved_at = self.approved_case = self.approved_review = None
        self.waivers = ()
        if self.identity and self.identity.method is IdentityMethod.ATTESTED:
            self.identity = None
        return True

    def back_to_owner(self) -> Phase:
        """Where an owner has the turn again: without a proof by code only a ticket leads on."""
        self.confirmation = None
        self.closing = False
        self.trouble = None
        return Phase.BLOCKED if self.identity else Phase.AWAITING_IDENTITY

    def next_hold(self) -> str:
        """The id of a hold that was never taken: a released one does not come back to life."""
        self.holds_taken += 1
        self.hold_id = hold_id(self.request.request_no, self.holds_taken)
        self.hold_token = self.hold_expires_at = None
        return self.hold_id

    def show(self) -> None:
        """There is something new to show: it is rendered once, at the end of the workflow task."""
        self._is_shown = False

    @property
    def is_published(self) -> bool:
        return self._is_shown

    def mark_published(self) -> None:
        self._is_shown = True


class ContinuedCancellation(BaseModel):
    """With what a request continues as new."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: CancellationState
    messages_sent: int
