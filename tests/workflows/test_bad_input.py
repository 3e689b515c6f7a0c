"""Bad input on the owner's side: a clear, stable error, and the request stays where it was."""

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError

from domain.accounts import Channel, RefusalReason
from domain.errors import ErrorType, Refusal
from domain.locale import Locale
from domain.messages import SubmitIdentityProof
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase, Step
from simulator.kinds import Endpoint
from tests.support.service import SOMEBODY, Service, owner_of
from workflows import AccountCancellation


@pytest.mark.parametrize(
    ("account", "reason"),
    [
        ("nobody-has-this-id", RefusalReason.UNKNOWN_ACCOUNT),
        ("acct-sub-user", RefusalReason.SUB_USER),
        ("acct-closed", RefusalReason.ALREADY_CLOSED),
        ("acct-restricted", RefusalReason.RESTRICTED),
    ],
)
async def test_a_request_that_must_not_start_is_refused_with_its_reason(
    service: Service, account: str, reason: RefusalReason
) -> None:
    view = await service.start(account)
    assert (view.phase, view.refusal) == (Phase.REFUSED, reason)
    result = await service.request(account).result()
    assert (result.outcome, result.refusal) == (Phase.REFUSED, reason)
    # Nothing was started downstream: the profile is all that was ever asked for.
    assert {call.endpoint for call in await service.store.calls(account_id=account)} <= {Endpoint.PROFILE}


async def test_a_second_start_answers_with_the_running_request(service: Service) -> None:
    account = await service.account()
    first, second = await asyncio.gather(service.start(account), service.start(account))
    assert first.request_no == second.request_no
    await service.identify(account)
    assert (await service.start(account)).phase is Phase.AWAITING_NOTICE


async def test_a_request_may_be_started_anew_after_a_withdrawal(service: Service) -> None:
    account = await service.account()
    first = await service.start(account)
    await service.withdraw(account)
    await service.request(account).result()
    second = await service.start(account)
    assert second.phase is Phase.AWAITING_IDENTITY
    assert second.request_no != first.request_no


async def refusal_of(attempt: object) -> Refusal:
    with pytest.raises(Refusal) as caught:
        await attempt  # type: ignore[misc]
    return caught.value


async def test_a_wrong_code_costs_a_try_and_the_right_one_still_works(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    code = await service.store.latest_code(account)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    refused = await refusal_of(service.cancellations.verify(account, wrong, owner_of(account)))
    assert (refused.type, refused.details["tries_left"]) == (ErrorType.CODE_WRONG, 4)
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY
    assert (await service.cancellations.verify(account, code, owner_of(account))).phase is Phase.AWAITING_NOTICE


async def test_too_many_wrong_codes_lock_the_challenge_even_for_the_right_one(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    code = await service.store.latest_code(account)
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    types = [(await refusal_of(service.cancellations.verify(account, wrong, owner_of(account)))).type for _ in range(5)]
    assert types == [ErrorType.CODE_WRONG] * 4 + [ErrorType.CODE_LOCKED]
    assert (
        await refusal_of(service.cancellations.verify(account, code, owner_of(account)))
    ).type is ErrorType.CODE_LOCKED
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY


async def test_an_expired_code_is_refused_as_expired(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    await service.store.let_time_pass(account, timedelta(minutes=6))
    refused = await refusal_of(
        service.cancellations.verify(account, await service.store.latest_code(account), owner_of(account))
    )
    assert refused.type is ErrorType.CODE_EXPIRED


async def test_a_code_asked_for_again_too_soon_names_the_seconds_left(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
    refused = await refusal_of(service.cancellations.send_code(account, Channel.PHONE, owner_of(account)))
    assert refused.type is ErrorType.RESEND_TOO_SOON
    assert 0 < int(str(refused.details["retry_after_seconds"])) <= 60
    await service.store.let_time_pass(account, timedelta(minutes=2))
    assert (await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))).challenge is not None


async def test_a_code_to_a_channel_that_is_not_verified_is_refused(service: Service) -> None:
    account = await service.account(channels="EMAIL")
    await service.start(account)
    refused = await refusal_of(service.cancellations.send_code(account, Channel.PHONE, owner_of(account)))
    assert (refused.type, refused.details["channels"]) == (ErrorType.CHANNEL_NOT_VERIFIED, ["EMAIL"])
    assert (await service.identify(account, Channel.EMAIL)).phase is Phase.AWAITING_NOTICE


async def test_without_any_channel_the_answer_is_to_file_a_ticket(service: Service) -> None:
    account = await service.account(channels="")
    assert (await service.start(account)).due_step is Step.FILE_TICKET
    refused = await refusal_of(service.cancellations.send_code(account, Channel.PHONE, owner_of(account)))
    assert (refused.type, refused.details["due_step"]) == (ErrorType.NO_VERIFIED_CHANNEL, Step.FILE_TICKET)


async def submit(service: Service, account: str, challenge_id: str, proof: str) -> ErrorType:
    with pytest.raises(WorkflowUpdateFailedError) as caught:
        await service.request(account).execute_update(
            Step.SUBMIT_IDENTITY_PROOF.value, SubmitIdentityProof(challenge_id=challenge_id, proof=proof, by=SOMEBODY)
        )
    assert isinstance(caught.value.cause, ApplicationError)
    return ErrorType(caught.value.cause.type or "")


async def test_an_invented_a_foreign_and_a_used_proof_are_refused(service: Service) -> None:
    mine, other = await service.account(), await service.account()
    proofs = {}
    for account in (mine, other):
        await service.start(account)
        view = await service.cancellations.send_code(account, Channel.PHONE, owner_of(account))
        assert view.challenge is not None
        challenge = view.challenge.challenge_id
        code = await service.store.latest_code(account)
        from pydantic import SecretStr

        proofs[account] = challenge, (await service.challenges.answer_challenge(challenge, SecretStr(code))).proof
    assert await submit(service, mine, proofs[mine][0], "invented") is ErrorType.PROOF_INVALID
    assert await submit(service, mine, *proofs[other]) in (ErrorType.PROOF_INVALID, ErrorType.CHALLENGE_UNKNOWN)
    assert (await service.cancellations.view(mine)).phase is Phase.AWAITING_IDENTITY
    await service.request(mine).execute_update(
        Step.SUBMIT_IDENTITY_PROOF.value,
        SubmitIdentityProof(challenge_id=proofs[mine][0], proof=proofs[mine][1], by=SOMEBODY),
    )
    await service.withdraw(mine)
    await service.request(mine).result()
    await service.start(mine)
    assert await submit(service, mine, *proofs[mine]) is ErrorType.PROOF_USED


async def test_only_the_notice_in_force_can_be_accepted_and_the_answer_names_it(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    await service.identify(account)
    current = CURRENT_NOTICE[Locale.EN]
    for version, sha256 in (("2019-01", current.sha256), (current.version, "0" * 64)):
        refused = await refusal_of(service.cancellations.accept_notice(account, version, sha256, owner_of(account)))
        assert refused.type is ErrorType.STALE_NOTICE
        assert (refused.details["version"], refused.details["sha256"]) == (current.version, current.sha256)
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_NOTICE


async def test_only_the_latest_report_can_be_confirmed_and_the_answer_names_it(service: Service) -> None:
    account = await service.account()
    first = (await service.to_report(account)).report
    second = (await service.recheck(account)).report
    assert first is not None
    assert second is not None
    assert first.digest != second.digest
    refused = await refusal_of(service.cancellations.confirm(account, first.digest, owner_of(account)))
    assert (refused.type, refused.details["report_digest"]) == (ErrorType.STALE_REPORT, second.digest)
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_CONFIRMATION


async def test_a_step_in_the_wrong_phase_is_refused_naming_the_phase_and_the_step_that_is_due(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    attempts = {
        Step.ACCEPT_NOTICE: service.accept_notice(account),
        Step.RECHECK: service.recheck(account),
        Step.CONFIRM: service.cancellations.confirm(account, "0" * 64, owner_of(account)),
    }
    for step, attempt in attempts.items():
        refused = await refusal_of(attempt)
        assert refused.type is ErrorType.WRONG_PHASE
        assert (refused.details["phase"], refused.details["due_step"]) == (Phase.AWAITING_IDENTITY, Step.SEND_CODE)
        assert step in refused.message


async def test_a_refused_step_leaves_nothing_in_history(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    await refusal_of(service.cancellations.confirm(account, "0" * 64, owner_of(account)))
    accepted = [
        event.workflow_execution_update_accepted_event_attributes.accepted_request.input.name
        for event in (await service.request(account).fetch_history()).events
        if event.HasField("workflow_execution_update_accepted_event_attributes")
    ]
    assert accepted == ["open"]


async def test_malformed_arguments_are_refused_without_touching_the_request(service: Service) -> None:
    account = await service.account()
    await service.start(account)
    for argument in ({"channel": "PIGEON"}, {"channel": "PHONE", "extra": 1}, "text", None):
        with pytest.raises(WorkflowUpdateFailedError):
            await service.request(account).execute_update(Step.SEND_CODE.value, argument)
    await service.request(account).signal("review_reported", {"garbage": True})
    await service.request(account).signal("no_such_signal", 1)
    assert (await service.request(account).query(AccountCancellation.view)).phase is Phase.AWAITING_IDENTITY
    assert (await service.identify(account)).phase is Phase.AWAITING_NOTICE


async def test_steps_of_an_unknown_request_are_refused_as_not_found(service: Service) -> None:
    assert (await refusal_of(service.cancellations.view("never-started"))).type is ErrorType.NOT_FOUND
    assert (
        await refusal_of(service.cancellations.recheck("never-started", owner_of("never-started")))
    ).type is ErrorType.NOT_FOUND
