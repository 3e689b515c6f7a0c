"""The owner's steps to prove identity: a code to a verified channel, and the proof that it was answered."""

from temporalio import workflow
from temporalio.exceptions import ApplicationError

with workflow.unsafe.imports_passed_through():
    from activities.account import AccountActivities, RedeemIdentityProofInput, SendIdentityCodeInput
    from domain.errors import ErrorType
    from domain.messages import (
        CancellationView,
        SendCode,
        SubmitIdentityProof,
    )
    from domain.notifications import Template
    from domain.phases import Phase, Step

from workflows.account_cancellation.update_base import StepBase, left_of
from workflows.common.activity_options import ANSWER_OWNER


class IdentitySteps(StepBase):
    """`send_code` and `submit_identity_proof`."""

    @workflow.update(description="Send an identity code to a verified phone or e-mail")
    async def send_code(self, step: SendCode) -> CancellationView:
        with self._under_way():
            until = await self._begin(Step.SEND_CODE)
            answer = await self._answer(
                workflow.execute_activity_method(
                    AccountActivities.send_identity_code,
                    SendIdentityCodeInput(**dict(self.state.read_account_input), channel=step.channel),
                    schedule_to_close_timeout=left_of(until),
                    summary=f"Send a code by {step.channel}",
                    **ANSWER_OWNER,
                ),
                Step.SEND_CODE,
            )
            self._learn(answer.found, Step.SEND_CODE)
            self._require_channel(step)
            self.state.challenge = answer.code
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
        with self._under_way():
            until = await self._begin(Step.SUBMIT_IDENTITY_PROOF)
            answer = await self._answer(
                workflow.execute_activity_method(
                    AccountActivities.redeem_identity_proof,
                    RedeemIdentityProofInput(
                        **dict(state.read_account_input),
                        request_no=state.request.request_no,
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
            self._learn(answer.found, Step.SUBMIT_IDENTITY_PROOF)
            if answer.identity:
                state.identity, state.challenge = answer.identity, None
                state.move(Phase.CHECKING if state.notice else Phase.AWAITING_NOTICE)
                self.notify_owner(Template.IDENTITY_PROVED)
            return state.view()

    @submit_identity_proof.validator
    def _validate_submit_identity_proof(self, step: SubmitIdentityProof) -> None:
        self._admit(Step.SUBMIT_IDENTITY_PROOF)
