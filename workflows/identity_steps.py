"""The owner's steps to prove identity: a code to a verified channel, and the proof that it was answered."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, ChallengeOrder, ProofOrder
    from domain.errors import ErrorType
    from domain.messages import (
        CancellationView,
        SendCode,
        SubmitIdentityProof,
    )
    from domain.notifications import Template
    from domain.phases import Phase, Step

from workflows.options import ANSWER_OWNER
from workflows.step_base import StepBase, left_of


class IdentitySteps(StepBase):
    """`send_code` and `submit_identity_proof`."""

    @workflow.update(description="Send an identity code to a verified phone or e-mail")
    async def send_code(self, step: SendCode) -> CancellationView:
        async with self._taking(Step.SEND_CODE) as until:
            await self._look(Step.SEND_CODE, until)
            self._require_channel(step)
            challenge = await self._answer(
                workflow.execute_activity_method(
                    AccountActivities.send_identity_code,
                    ChallengeOrder(account_id=self.state.account_id, channel=step.channel),
                    schedule_to_close_timeout=left_of(until),
                    summary=f"Send a code by {step.channel}",
                    **ANSWER_OWNER,
                ),
                Step.SEND_CODE,
            )
            self.state.require(Step.SEND_CODE)
            self.state.challenge = challenge
            return self.state.view()

    @send_code.validator
    def _validate_send_code(self, step: SendCode) -> None:
        self._admit(Step.SEND_CODE)

    def _require_channel(self, step: SendCode) -> None:
        profile = self.state.profile
        assert profile is not None
        if not profile.channels:
            raise ApplicationError(
                "No phone or e-mail is verified for this account: file a ticket instead (file_ticket).",
                {"due_step": self.state.due_step},
                type=ErrorType.NO_VERIFIED_CHANNEL,
            )
        if step.channel not in profile.channels:
            raise ApplicationError(
                f"{step.channel} is not verified for this account; choose one of {', '.join(profile.channels)}.",
                {"channels": profile.channels},
                type=ErrorType.CHANNEL_NOT_VERIFIED,
            )

    @workflow.update(description="Redeem the single-use proof that the platform gave for the right code")
    async def submit_identity_proof(self, step: SubmitIdentityProof) -> CancellationView:
        state = self.state
        async with self._taking(Step.SUBMIT_IDENTITY_PROOF) as until:
            await self._look(Step.SUBMIT_IDENTITY_PROOF, until)
            identity = await self._answer(
                workflow.execute_activity_method(
                    AccountActivities.redeem_identity_proof,
                    ProofOrder(
                        request_no=state.request.request_no,
                        account_id=state.account_id,
                        challenge_id=step.challenge_id,
                        proof=step.proof,
                        by=step.by,
                    ),
                    schedule_to_close_timeout=left_of(until),
                    summary="Redeem the identity proof",
                    **ANSWER_OWNER,
                ),
                Step.SUBMIT_IDENTITY_PROOF,
            )
            state.require(Step.SUBMIT_IDENTITY_PROOF)
            state.identity, state.challenge = identity, None
            state.move(Phase.CHECKING if state.notice else Phase.AWAITING_NOTICE)
            self.tell_owner(Template.IDENTITY_PROVED)
            return state.view()

    @submit_identity_proof.validator
    def _validate_submit_identity_proof(self, step: SubmitIdentityProof) -> None:
        self._admit(Step.SUBMIT_IDENTITY_PROOF)
