"""The phases of deletion: authority first, long work watched, "already gone" as success, and one certificate."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.deletion import (
    POLLED_FOR,
    DeletionActivities,
    IssueCertificateInput,
    Mismatch,
    PhaseInput,
    PhaseResult,
    SendFinalNoticeInput,
    VerifyAuthorityResult,
)
from activities.eligibility import EligibilityActivities, ListEntitlementsInput
from domain.accounts import AccountProfile
from domain.checks import MAX_LISTED, Entitlements
from domain.deletion import Certificate, DeletionPhase, Receipt, certificate_path, dossier_path
from domain.errors import ErrorType
from domain.ids import deletion_workflow_id
from domain.locale import Locale
from domain.model import VaultRef
from domain.tickets import TicketForm, TicketRef, ticket_path
from gateways.contract import Accepted, PhaseReceipt, PhaseRunning, TicketContact
from gateways.errors import GatewayError
from gateways.vault import ObjectVault
from tests.activities.papers import (
    ACCOUNT,
    AT,
    CLOSED_AT,
    NO_ANSWER,
    OWNER,
    REQUEST,
    UNKNOWN_ACCOUNT,
    Stub,
    certificate,
    closure,
    deletion,
    dossier,
    platform,
    profile,
    stored,
    vault,
    vouchers,
)

SOME_REF = VaultRef(path="dossiers/acc-1/some.json", sha256="e" * 64)
INPUT = PhaseInput(deletion=deletion(SOME_REF), at=AT)
RECEIPT = PhaseReceipt(counts={"access_key": 2}, already_gone=False, completed_at=CLOSED_AT)
PHASES: dict[DeletionPhase, Callable[[DeletionActivities, PhaseInput], Awaitable[PhaseResult]]] = {
    DeletionPhase.REVOKE_CREDENTIALS: DeletionActivities.revoke_credentials,
    DeletionPhase.UNBIND_THIRD_PARTIES: DeletionActivities.unbind_third_parties,
    DeletionPhase.FORFEIT_ENTITLEMENTS: DeletionActivities.forfeit_entitlements,
    DeletionPhase.PURGE_RESOURCES: DeletionActivities.purge_resources,
    DeletionPhase.ERASE_PERSONAL_DATA: DeletionActivities.erase_personal_data,
}
every_phase = pytest.mark.parametrize("phase", PHASES)


def environment(activity_id: str, attempt: int = 1, run_id: str = "run-1") -> ActivityEnvironment:
    """An attempt as it is made in a deletion of ours."""
    made = ActivityEnvironment()
    made.info = replace(
        made.info,
        workflow_id=deletion_workflow_id(ACCOUNT),
        activity_id=activity_id,
        attempt=attempt,
        workflow_run_id=run_id,
    )
    return made


async def run(stub: Stub, phase: DeletionPhase, **of_attempt: Any) -> PhaseResult:
    activities = DeletionActivities(stub.platform, vault())
    return await environment(phase, **of_attempt).run(PHASES[phase], activities, INPUT)


# --- authority ---


async def verified(
    profile: AccountProfile | GatewayError, records: ObjectVault, ref: VaultRef, **changes: Any
) -> VerifyAuthorityResult:
    activities = DeletionActivities(platform(profile=profile).platform, records)
    return await activities.verify_authority(PhaseInput(deletion=deletion(ref, **changes), at=AT))


async def test_a_deletion_as_its_closure_and_its_dossier_say_is_authorised_and_hears_when_it_was_closed() -> None:
    records = vault()
    ref = await stored(records, dossier())
    assert await verified(profile(closure(ref.sha256)), records, ref) == VerifyAuthorityResult(closed_at=CLOSED_AT)


async def test_an_account_that_the_platform_does_not_know_is_for_operations_and_authorises_nothing() -> None:
    records = vault()
    ref = await stored(records, dossier())
    with pytest.raises(GatewayError) as caught:
        await verified(UNKNOWN_ACCOUNT, records, ref)
    assert (caught.value.type, caught.value.retryable) == (ErrorType.ACCOUNT_UNKNOWN, False)


async def test_papers_that_do_not_name_the_same_account_and_request_authorise_nothing() -> None:
    records = vault()
    ref, other = await stored(records, dossier()), await stored(records, dossier(request_no="C-2"))
    found = {
        Mismatch.NOT_CLOSED: await verified(profile(), records, ref),
        Mismatch.CLOSED_BY_ANOTHER_REQUEST: await verified(profile(closure(ref.sha256, "C-2")), records, ref),
        Mismatch.CLOSED_ON_ANOTHER_DOSSIER: await verified(profile(closure("f" * 64)), records, ref),
        Mismatch.DOSSIER_OF_ANOTHER: await verified(profile(closure(other.sha256)), records, other),
    }
    assert found == {mismatch: VerifyAuthorityResult(mismatch=mismatch) for mismatch in Mismatch}


async def test_a_dossier_of_another_account_in_the_place_of_ones_own_authorises_nothing() -> None:
    records, theirs = vault(), dossier(account_id="acc-2")
    planted = await records.put_evidence(dossier_path(ACCOUNT, theirs.content_sha256()), theirs)
    found = await verified(profile(closure(planted.sha256)), records, planted)
    assert found.mismatch is Mismatch.DOSSIER_OF_ANOTHER


async def test_a_copy_of_the_dossier_somewhere_else_is_not_what_a_certificate_may_name() -> None:
    records = vault()
    own = await stored(records, dossier())
    copy = await records.put_evidence("dossiers/acc-1/copy.json", dossier())
    assert copy.sha256 == own.sha256
    found = await verified(profile(closure(own.sha256)), records, copy)
    assert found.mismatch is Mismatch.CLOSED_ON_ANOTHER_DOSSIER


TICKET, OTHER_TICKET = (TicketRef(ticket_no=number, revision=1, sha256="d" * 64) for number in ("T-1", "T-2"))


@pytest.mark.parametrize(
    "change", [{"ticket": OTHER_TICKET}, {"ticket": None}, {"locale": Locale.EN}], ids=["ticket", "no ticket", "locale"]
)
async def test_whatever_the_dossier_says_otherwise_authorises_nothing(change: dict[str, Any]) -> None:
    records = vault()
    ref = await stored(records, dossier(ticket=TICKET))
    closed = profile(closure(ref.sha256))
    assert (await verified(closed, records, ref, ticket=TICKET)).mismatch is None
    found = await verified(closed, records, ref, **({"ticket": TICKET} | change))
    assert found.mismatch is Mismatch.DOSSIER_OF_ANOTHER


async def test_a_dossier_that_is_missing_is_an_error_for_operations_and_no_mismatch() -> None:
    missing = VaultRef(path=dossier_path(ACCOUNT, SOME_REF.sha256), sha256=SOME_REF.sha256)
    with pytest.raises(GatewayError) as caught:
        await verified(profile(closure(missing.sha256)), vault(), missing)
    assert (caught.value.type, caught.value.retryable) == (ErrorType.VAULT_RECORD_MISSING, False)


async def test_authority_is_not_verified_while_the_platform_does_not_answer() -> None:
    with pytest.raises(GatewayError) as caught:
        await verified(NO_ANSWER, vault(), SOME_REF)
    assert caught.value.type is ErrorType.UNREACHABLE


# --- the platform's phases ---


@every_phase
async def test_a_phase_is_done_under_a_key_that_is_its_own_in_every_attempt_and_run(phase: DeletionPhase) -> None:
    stub = platform(run_closure_phase=RECEIPT)
    for attempt in (1, 2):
        for run_id in ("run-1", "run-2"):
            done = await run(stub, phase, attempt=attempt, run_id=run_id)
            assert done.receipt == Receipt(phase=phase, counts={"access_key": 2}, completed_at=CLOSED_AT)
    assert set(stub.called("run_closure_phase")) == {(ACCOUNT, phase, f"account-deletion-{ACCOUNT}:{phase}")}


@every_phase
async def test_an_account_that_is_gone_altogether_is_success(phase: DeletionPhase) -> None:
    gone = Receipt(phase=phase, already_gone=True, completed_at=AT)
    assert (await run(platform(run_closure_phase=UNKNOWN_ACCOUNT), phase)).receipt == gone


async def test_any_other_refusal_is_told() -> None:
    with pytest.raises(GatewayError) as caught:
        await run(platform(run_closure_phase=NO_ANSWER), DeletionPhase.PURGE_RESOURCES)
    assert caught.value.type is ErrorType.UNREACHABLE


@dataclass
class Clock:
    """Sleeping takes no time, and is reckoned all the same."""

    now: float = 0.0

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    pretended = SimpleNamespace(sleep=clock.sleep, get_running_loop=lambda: clock)
    monkeypatch.setattr("activities.deletion.asyncio", pretended)
    return clock


@dataclass
class Watched:
    done: PhaseResult
    beats: list[float]
    """When the attempt said that it is alive."""


async def watch(stub: Stub, clock: Clock) -> Watched:
    beats: list[float] = []
    attempt = environment(DeletionPhase.PURGE_RESOURCES)
    attempt.on_heartbeat = lambda *_: beats.append(clock.now)
    activities = DeletionActivities(stub.platform, vault())
    return Watched(await attempt.run(activities.purge_resources, INPUT), beats)


async def test_long_work_is_asked_after_as_often_as_the_platform_says_until_its_receipt(clock: Clock) -> None:
    running = PhaseRunning(poll_after_seconds=40)
    stub = platform(run_closure_phase=running, closure_phase_status=[running, running, RECEIPT])
    watched = await watch(stub, clock)
    assert watched.done.receipt is not None
    assert watched.done.receipt.counts == {"access_key": 2}
    assert clock.now == 3 * 40
    key = f"account-deletion-{ACCOUNT}:purge-resources"
    assert stub.called("closure_phase_status") == [(ACCOUNT, DeletionPhase.PURGE_RESOURCES, key)] * 3
    assert len(stub.called("run_closure_phase")) == 1


@pytest.mark.parametrize("poll_after", [1, 7, 60, 61, 1199, 1200, 3600])
async def test_an_attempt_gives_up_in_time_without_a_receipt_and_never_falls_silent(
    clock: Clock, poll_after: int
) -> None:
    running = PhaseRunning(poll_after_seconds=poll_after)
    watched = await watch(platform(run_closure_phase=running, closure_phase_status=running), clock)
    assert watched.done == PhaseResult(receipt=None)
    # Not a second longer, or Temporal would take it for dead and count it as a failure.
    assert clock.now == POLLED_FOR.total_seconds()
    moments = [0.0, *watched.beats, clock.now]
    assert max(after - before for before, after in pairwise(moments)) <= 5


async def test_an_account_that_goes_while_its_work_runs_is_success(clock: Clock) -> None:
    running = PhaseRunning(poll_after_seconds=5)
    stub = platform(run_closure_phase=running, closure_phase_status=[running, UNKNOWN_ACCOUNT])
    watched = await watch(stub, clock)
    assert watched.done.receipt is not None
    assert watched.done.receipt.already_gone


async def test_what_was_gone_before_says_so() -> None:
    stub = platform(run_closure_phase=PhaseReceipt(counts={}, already_gone=True, completed_at=CLOSED_AT))
    done = await run(stub, DeletionPhase.PURGE_RESOURCES)
    assert done.receipt == Receipt(phase=DeletionPhase.PURGE_RESOURCES, already_gone=True, completed_at=CLOSED_AT)


# --- the final notice ---


async def final_notice(stub: Stub, records: ObjectVault, ticket: TicketRef | None = None) -> Receipt:
    input = SendFinalNoticeInput(deletion=deletion(SOME_REF, ticket=ticket), closed_at=CLOSED_AT, at=AT)
    activities = DeletionActivities(stub.platform, records)
    return await environment(DeletionPhase.SEND_FINAL_NOTICE).run(activities.send_final_notice, input)


async def test_the_owner_is_told_at_the_bound_contacts_and_at_the_tickets() -> None:
    records = vault()
    form = TicketForm(
        ticket_no="T-1",
        revision=1,
        account_id=ACCOUNT,
        real_name_type=dossier().real_name_type,
        contact_email="owner@example.com",
        contact_phone="+8613800138000",
        statement=None,
        letter=None,
        filed_by=OWNER.subject,
        filed_at=AT,
    )
    kept = await records.put_evidence(ticket_path("T-1", 1), form)
    ticket = TicketRef(ticket_no="T-1", revision=1, sha256=kept.sha256)
    for notified, count in ((Accepted(delivered=2), 3), (UNKNOWN_ACCOUNT, 1)):
        stub = platform(notify_account=notified, notify_contact=Accepted(delivered=1))
        receipt = await final_notice(stub, records, ticket)
        assert receipt.counts == {"messages": count}
        [(sent, key)] = stub.called("notify_contact")
        assert sent.contact == TicketContact(email="owner@example.com", phone="+8613800138000")
        assert key != stub.called("notify_account")[0][2], "two messages, two keys"


async def test_without_a_ticket_and_without_an_account_there_is_nobody_left_to_tell() -> None:
    receipt = await final_notice(platform(notify_account=UNKNOWN_ACCOUNT), vault())
    assert receipt.counts == {"messages": 0}


# --- the certificate ---

RECEIPTS = tuple(Receipt(phase=phase, counts={"gone": 1}, completed_at=AT) for phase in list(DeletionPhase)[:-1])


async def issue(records: ObjectVault, input: IssueCertificateInput) -> tuple[Certificate, Receipt]:
    issued = await DeletionActivities(platform().platform, records).issue_certificate(input)
    return await records.read(issued.certificate, Certificate), issued.receipt


async def test_a_certificate_lists_every_one_of_5000_vouchers() -> None:
    records = vault()
    everything = Entitlements(items=vouchers(5000))
    listing = EligibilityActivities(platform(entitlements=everything).platform, records)
    shown = (await listing.list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))).forfeits
    assert len(shown.items) == MAX_LISTED
    ref = await stored(records, dossier(shown))
    input = IssueCertificateInput(deletion=deletion(ref), closed_at=CLOSED_AT, receipts=RECEIPTS, at=AT)
    paper, _ = await issue(records, input)
    assert paper.forfeited == everything.items
    assert (paper.request_no, paper.account_id, paper.previous) == (REQUEST, ACCOUNT, ref)
    assert paper.receipts == RECEIPTS


async def test_a_certificate_is_written_once_and_a_repeat_answers_the_first() -> None:
    records = vault()
    ref = await stored(records, dossier())
    input = IssueCertificateInput(deletion=deletion(ref), closed_at=CLOSED_AT, receipts=RECEIPTS, at=AT)
    first, receipt = await issue(records, input)
    later = input.model_copy(update={"at": AT + timedelta(days=1), "receipts": ()})
    again, repeated = await issue(records, later)
    assert again == first
    assert (receipt.already_gone, repeated.already_gone) == (False, True)
    assert repeated.completed_at == first.issued_at == AT


async def test_a_certificate_of_another_dossier_in_its_place_is_an_error() -> None:
    records = vault()
    ref = await stored(records, dossier())
    foreign = certificate(deletion(SOME_REF))
    await records.put_evidence(certificate_path(REQUEST, ACCOUNT), foreign)
    with pytest.raises(GatewayError) as caught:
        await issue(
            records, IssueCertificateInput(deletion=deletion(ref), closed_at=CLOSED_AT, receipts=RECEIPTS, at=AT)
        )
    assert caught.value.type is ErrorType.VAULT_RECORD_FOREIGN


async def test_a_vault_that_lost_the_whole_list_issues_no_certificate_that_leaves_items_out() -> None:
    records, elsewhere = vault(), vault()
    listing = EligibilityActivities(platform(entitlements=Entitlements(items=vouchers(30))).platform, elsewhere)
    shown = (await listing.list_entitlements(ListEntitlementsInput(account_id=ACCOUNT))).forfeits
    ref = await stored(records, dossier(shown))
    with pytest.raises(GatewayError) as caught:
        await issue(
            records, IssueCertificateInput(deletion=deletion(ref), closed_at=CLOSED_AT, receipts=RECEIPTS, at=AT)
        )
    assert caught.value.type is ErrorType.VAULT_RECORD_MISSING
