"""What there is under an account id: nothing, an open account, or a closure, ours or not, as far as it has come."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio.testing import ActivityEnvironment

from activities.account import (
    AccountActivities,
    ClosedByUs,
    FindCertificateInput,
    ReadAccountInput,
    ReadAccountResult,
    RedeemIdentityProofInput,
    SendIdentityCodeInput,
    certificate_of,
    closure_of,
)
from domain.accounts import AccountProfile, AccountStatus, Challenge, Channel
from domain.deletion import IdentityMethod, certificate_path, dossier_path
from domain.errors import ErrorType
from domain.model import VaultRef
from gateways.contract import Redeemed, RedeemRequest
from gateways.errors import GatewayError
from tests.activities.papers import (
    ACCOUNT,
    AT,
    CLOSED_AT,
    NO_ANSWER,
    OWNER,
    REQUEST,
    UNKNOWN_ACCOUNT,
    certificate,
    closure,
    deletion,
    dossier,
    platform,
    profile,
    stored,
    vault,
)

INPUT = ReadAccountInput(account_id=ACCOUNT, final_notice_limit=timedelta(days=2), stuck_after=timedelta(hours=3))
LIMITS = {"final_notice_limit": INPUT.final_notice_limit, "stuck_after": INPUT.stuck_after}


async def test_an_unknown_account_is_found_to_be_none() -> None:
    activities = AccountActivities(platform(profile=UNKNOWN_ACCOUNT).platform, vault())
    found = await activities.read_account(INPUT)
    assert found == ReadAccountResult(profile=None)
    assert not found.is_closed


async def test_any_other_trouble_is_told_and_never_taken_for_an_unknown_account() -> None:
    with pytest.raises(GatewayError) as caught:
        await AccountActivities(platform(profile=NO_ANSWER).platform, vault()).read_account(INPUT)
    assert caught.value.type is ErrorType.UNREACHABLE


async def test_an_open_account_has_no_closure_of_ours() -> None:
    found = await AccountActivities(platform(profile=profile()).platform, vault()).read_account(INPUT)
    assert found == ReadAccountResult(profile=profile())
    assert not found.is_closed


async def test_an_account_that_was_closed_without_a_request_was_not_closed_by_us() -> None:
    closed = profile(status=AccountStatus.CLOSED)
    found = await AccountActivities(platform(profile=closed).platform, vault()).read_account(INPUT)
    assert found == ReadAccountResult(profile=closed, closed=None)
    assert found.is_closed


async def test_a_closure_whose_dossier_is_not_in_the_vault_names_its_request_and_no_deletion() -> None:
    closed = profile(closure("e" * 64))
    found = await AccountActivities(platform(profile=closed).platform, vault()).read_account(INPUT)
    assert found.closed == ClosedByUs(request_no=REQUEST, deletion=None)


async def test_a_closure_is_made_into_its_deletion_from_the_dossier_alone() -> None:
    records = vault()
    ref = await stored(records, dossier())
    found = await closure_of(records, profile(closure(ref.sha256)), **LIMITS)
    assert found == ClosedByUs(request_no=REQUEST, deletion=deletion(ref, **LIMITS))


async def test_a_closure_with_its_certificate_has_nothing_left_to_be_done() -> None:
    records = vault()
    ref = await stored(records, dossier())
    certified = await records.put_evidence(certificate_path(REQUEST, ACCOUNT), certificate(deletion(ref)))
    found = await closure_of(records, profile(closure(ref.sha256)), **LIMITS)
    assert found == ClosedByUs(request_no=REQUEST, deletion=deletion(ref, **LIMITS), certificate=certified)
    activities = AccountActivities(platform().platform, records)
    assert (await activities.find_certificate(FindCertificateInput(deletion=deletion(ref)))).certificate == certified


async def test_two_accounts_with_one_request_number_have_a_certificate_each() -> None:
    records = vault()
    ref = await stored(records, dossier())
    other = deletion(ref, account_id="acc-2")
    await records.put_evidence(certificate_path(REQUEST, "acc-2"), certificate(other))
    assert await certificate_of(records, deletion(ref)) is None
    found = await certificate_of(records, other)
    assert found is not None
    assert found[0].account_id == "acc-2"


@pytest.mark.parametrize("change", [{"account_id": "acc-2"}, {"request_no": "C-2"}])
async def test_a_dossier_of_another_in_the_place_of_ours_is_an_error(change: dict[str, Any]) -> None:
    records = vault()
    foreign = dossier(**change)
    ref = await records.put_evidence(dossier_path(ACCOUNT, foreign.content_sha256()), foreign)
    with pytest.raises(GatewayError) as caught:
        await closure_of(records, profile(closure(ref.sha256)), **LIMITS)
    assert (caught.value.type, caught.value.retryable) == (ErrorType.VAULT_RECORD_FOREIGN, False)


async def test_a_dossier_whose_name_is_not_its_hash_is_an_error() -> None:
    records = vault()
    await records.put_evidence(dossier_path(ACCOUNT, "e" * 64), dossier())
    with pytest.raises(GatewayError) as caught:
        await closure_of(records, profile(closure("e" * 64)), **LIMITS)
    assert caught.value.type is ErrorType.VAULT_RECORD_FOREIGN


ANOTHER_DOSSIER = {"previous": VaultRef(path=dossier_path(ACCOUNT, "f" * 64), sha256="f" * 64)}


@pytest.mark.parametrize("change", [{"account_id": "acc-2"}, {"request_no": "C-2"}, ANOTHER_DOSSIER])
async def test_a_certificate_of_another_in_the_place_of_ours_is_an_error_and_never_success(
    change: dict[str, object],
) -> None:
    records = vault()
    ref = await stored(records, dossier())
    await records.put_evidence(certificate_path(REQUEST, ACCOUNT), certificate(deletion(ref), **change))
    activities = AccountActivities(platform(profile=profile(closure(ref.sha256))).platform, records)
    with pytest.raises(GatewayError) as caught:
        await activities.find_certificate(FindCertificateInput(deletion=deletion(ref)))
    assert (caught.value.type, caught.value.retryable) == (ErrorType.VAULT_RECORD_FOREIGN, False)
    # Whoever opens a request on it hears of it, too: the account is closed, and its evidence is for operations.
    found = await activities.read_account(INPUT)
    assert found.closed == ClosedByUs(request_no=REQUEST, deletion=None, trouble=ErrorType.VAULT_RECORD_FOREIGN)


# --- identity ---

PROOF = RedeemIdentityProofInput(
    **dict(INPUT), request_no=REQUEST, challenge_id="challenge-1", proof="proof-1", by=OWNER
)
CODE = SendIdentityCodeInput(**dict(INPUT), channel=Channel.PHONE)
ANOTHER_CHANNEL, NO_CHANNEL = profile(channels=(Channel.EMAIL,)), profile(channels=())
CLOSED_BY_SOMEBODY = profile(status=AccountStatus.CLOSED)


async def test_a_proof_is_redeemed_under_one_request_id_over_attempts_and_runs() -> None:
    stub = platform(profile=profile(), redeem_proof=Redeemed(verified_at=AT, channel=Channel.EMAIL))
    activities = AccountActivities(stub.platform, vault())
    for attempt in (1, 2, 3):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt, workflow_run_id=str(uuid4()))
        evidence = (await environment.run(activities.redeem_identity_proof, PROOF)).identity
        assert evidence
        assert (evidence.method, evidence.channel) == (IdentityMethod.CODE, Channel.EMAIL)
        assert (evidence.evidence_id, evidence.verified_at, evidence.by) == ("challenge-1", AT, OWNER)
    [request] = {arguments[1].model_dump_json() for arguments in stub.called("redeem_proof")}
    assert RedeemRequest.model_validate_json(request).request_id == "C-1.redeem.challenge-1"


async def test_the_longest_ids_that_there_are_redeem_a_proof_and_another_challenge_another() -> None:
    stub = platform(profile=profile(), redeem_proof=Redeemed(verified_at=AT, channel=Channel.PHONE))
    activities = AccountActivities(stub.platform, vault())
    for last in "ab":
        longest = {"request_no": "C" * 64, "challenge_id": "c" * 63 + last, "proof": "p" * 64}
        await activities.redeem_identity_proof(PROOF.model_copy(update=longest))
    one, other = (arguments[1].request_id for arguments in stub.called("redeem_proof"))
    assert one != other


async def test_a_code_is_asked_for_under_the_same_id_by_each_attempt_of_one_run() -> None:
    created = Challenge(challenge_id="challenge-1", expires_at=CLOSED_AT, resend_after=AT)
    stub = platform(profile=profile(), create_challenge=created)
    activities = AccountActivities(stub.platform, vault())
    run_id = str(uuid4())
    for attempt in (1, 2):
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt, workflow_run_id=run_id)
        sent = (await environment.run(activities.send_identity_code, CODE)).code
        assert sent
        assert (sent.challenge_id, sent.channel) == ("challenge-1", Channel.PHONE)
    assert len({arguments[1].request_id for arguments in stub.called("create_challenge")}) == 1


@pytest.mark.parametrize("found", [ANOTHER_CHANNEL, NO_CHANNEL, CLOSED_BY_SOMEBODY])
async def test_no_code_is_sent_to_what_is_not_verified_any_more(found: AccountProfile) -> None:
    stub = platform(profile=found)
    answer = await ActivityEnvironment().run(AccountActivities(stub.platform, vault()).send_identity_code, CODE)
    assert (answer.found.profile, answer.code) == (found, None)
    assert not stub.called("create_challenge")


@pytest.mark.parametrize("found", [NO_CHANNEL, CLOSED_BY_SOMEBODY])
async def test_no_proof_is_used_up_for_an_account_that_cannot_go_on_with_it(found: AccountProfile) -> None:
    stub = platform(profile=found)
    answer = await AccountActivities(stub.platform, vault()).redeem_identity_proof(PROOF)
    assert (answer.found.profile, answer.identity) == (found, None)
    assert not stub.called("redeem_proof")
