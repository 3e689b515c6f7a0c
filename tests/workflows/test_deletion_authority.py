"""Nothing but an account's own closure has it deleted, and nothing but its own certificate says that it is done."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError

from activities.account import closure_of
from domain.deletion import (
    Certificate,
    DeletionInput,
    DeletionPhase,
    DeletionStatus,
    certificate_path,
    dossier_path,
    retained_records,
)
from domain.errors import ErrorType
from domain.ids import deletion_task_queue, deletion_workflow_id
from domain.locale import Locale
from domain.notifications import MessageInput, Notification, StaffDesk, Template
from domain.phases import Phase
from domain.policy import Policy
from domain.tickets import TicketRef
from gateways.vault import ObjectVault
from simulator.kinds import Endpoint
from tests.support.poison import (
    NOT_FOUND,
    UNAVAILABLE,
    assert_nothing_was_touched,
    closed_for_good,
    gate,
    refusal_or_none,
    until_at,
)
from tests.support.service import Service, eventually, owner_of
from tests.support.tickets import MARGIN, awaiting_confirmation, own_queue, refused_type
from workflows import AccountDeletion
from workflows.message_delivery import MessageDelivery

AN_HOUR = timedelta(hours=1)

Change = Callable[[DeletionInput], dict[str, Any]]

CHANGES: dict[str, Change] = {
    "another request": lambda _: {"request_no": "C20260101-OTHERONE"},
    "another dossier": lambda own: {"dossier": own.dossier.model_copy(update={"sha256": "0" * 64})},
    "a copy of the dossier": lambda own: {"dossier": own.dossier.model_copy(update={"path": "dossiers/copy.json"})},
    "another language": lambda _: {"locale": Locale.ZH},
    "another ticket": lambda _: {"ticket": TicketRef(ticket_no="T-1", revision=1, sha256="0" * 64)},
}


async def closure_input(service: Service, account: str) -> DeletionInput:
    """Of an account that is closed, from what the platform and the vault have of it."""
    profile = (await service.store.account(account)).profile
    closed = await closure_of(service.vault, profile, timedelta(days=1), AN_HOUR)
    assert closed is not None
    assert closed.deletion is not None
    return closed.deletion


async def by_hand(service: Service, account: str, deletion: DeletionInput) -> WorkflowHandle[Any, Any]:
    return await service.client.start_workflow(
        AccountDeletion.run,
        deletion,
        id=deletion_workflow_id(account),
        task_queue=deletion_task_queue(service.task_queue),
    )


async def assert_refused(started: WorkflowHandle[Any, Any]) -> None:
    with pytest.raises(WorkflowFailureError) as failed:
        await started.result()
    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == ErrorType.AUTHORITY_MISMATCH


async def closed_and_untouched(service: Service) -> str:
    """An account that is closed, whose request and deletion were both terminated before anything was touched."""
    account = await awaiting_confirmation(service)
    closing = await gate(service, Endpoint.CLOSE, account, after=True)
    await service.confirm(account)
    await until_at(service, closing)
    await NOT_FOUND.at(service, Endpoint.PROFILE, account)
    await service.store.open_gate(closing)
    await service.in_phase(account, Phase.DELETION_STALLED)
    await service.request(account).terminate("by a test")
    await service.deletion(account).terminate("by a test")
    return account


async def alarms(service: Service, request_no: str, error: ErrorType) -> int:
    told = [message.params.values() for message in await service.store.outbox()]
    return sum(request_no in facts and error in facts for facts in told)


# Foreign runs under the deletion's id


async def test_a_deletion_with_another_accounts_input_touches_neither(service: Service) -> None:
    account, other = await awaiting_confirmation(service), await closed_and_untouched(service)
    await assert_refused(await by_hand(service, account, await closure_input(service, other)))
    await assert_nothing_was_touched(service, account, other)
    await service.confirm(account)
    await closed_for_good(service, account)
    await service.start(other)
    await closed_for_good(service, other)


async def test_a_deletion_of_an_account_that_is_open_touches_nothing(service: Service) -> None:
    account, other = await awaiting_confirmation(service), await closed_and_untouched(service)
    foreign = (await closure_input(service, other)).model_copy(update={"account_id": account})
    await assert_refused(await by_hand(service, account, foreign))
    await assert_nothing_was_touched(service, account)
    await service.confirm(account)
    await closed_for_good(service, account)


@pytest.mark.parametrize("change", CHANGES)
async def test_a_deletion_that_differs_from_the_closure_touches_nothing(service: Service, change: str) -> None:
    account = await closed_and_untouched(service)
    own = await closure_input(service, account)
    await assert_refused(await by_hand(service, account, own.model_copy(update=CHANGES[change](own))))
    await assert_nothing_was_touched(service, account)
    await service.start(account)
    await closed_for_good(service, account)


async def test_no_word_of_whoever_starts_a_deletion_moves_a_date_of_the_certificate(service: Service) -> None:
    account = await closed_and_untouched(service)
    own = await closure_input(service, account)
    forged = own.model_dump(mode="json") | {"closed_at": "2001-01-01T00:00:00Z"}
    await service.client.execute_workflow(
        "AccountDeletion",
        forged,
        id=deletion_workflow_id(account),
        task_queue=deletion_task_queue(service.task_queue),
    )
    closure = (await service.store.account(account)).profile.closure
    assert closure is not None
    certificate = await service.cancellations.certificate(own.request_no, account)
    assert certificate.closed_at == closure.closed_at
    assert certificate.retained == retained_records(closure.closed_at)
    told = [m for m in await service.store.outbox() if m.template is Template.ACCOUNT_CLOSED]
    dates = {m.params["closed_at"] for m in told if m.params["request_no"] == own.request_no}
    assert dates == {closure.closed_at.isoformat()}


async def hanging(service: Service) -> tuple[str, WorkflowHandle[Any, Any]]:
    """An account in phase DELETING, and a foreign deletion of it that has not got through its verification."""
    account, other = await awaiting_confirmation(service), await closed_and_untouched(service)
    await NOT_FOUND.at(service, Endpoint.PROFILE, account)
    foreign = (await closure_input(service, other)).model_copy(update={"account_id": account})
    started = await by_hand(service, account, foreign)
    await eventually(
        lambda: service.cancellations.deletion(account), lambda view: view.status is DeletionStatus.STALLED
    )
    await service.confirm(account)
    await service.in_phase(account, Phase.DELETING)
    assert await refused_type(service.cancellations.resume_deletion(account, "ops-1")) is ErrorType.AUTHORITY_MISMATCH
    await assert_nothing_was_touched(service, account)
    return account, started


async def test_a_foreign_deletion_that_gives_up_in_the_end_holds_up_the_own_one_no_longer_than_an_hour(
    service: Service,
) -> None:
    account, foreign = await hanging(service)
    await foreign.execute_update("resume", {"operator_id": "ops-1"})
    await assert_refused(foreign)
    await service.env.fast_forward(service.request(account), AN_HOUR + MARGIN)
    await closed_for_good(service, account)


async def test_a_foreign_deletion_that_is_terminated_makes_room_for_the_own_one(service: Service) -> None:
    account, foreign = await hanging(service)
    await foreign.terminate("by a test")
    refused = await refusal_or_none(service.cancellations.resume_deletion(account, "ops-1"))
    # The request may just have been looking by itself.
    assert refused is None or refused.type in (ErrorType.NOT_STALLED, ErrorType.ALREADY_OVER)
    await closed_for_good(service, account)


async def test_a_run_of_another_kind_that_completed_under_the_deletions_id_proves_nothing(service: Service) -> None:
    account = await awaiting_confirmation(service)
    message = Notification(
        template=Template.DELETION_STUCK, locale=Locale.EN, key=f"foreign-{account}", desk=StaffDesk.OPERATIONS
    )
    await service.client.execute_workflow(
        MessageDelivery.run,
        MessageInput(message=message, policy=Policy()),
        id=deletion_workflow_id(account),
        task_queue=service.task_queue,
    )
    await service.confirm(account)
    await closed_for_good(service, account)


# What the vault has, and has not


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "vault"


@pytest.fixture
def apart(idle_service: Service, folder: Path) -> Service:
    """With a vault of its own, where a test can take records away."""
    return own_queue(idle_service, vault=ObjectVault(folder.as_uri()))


async def test_a_certificate_that_is_lost_is_issued_again_and_nothing_done_twice(apart: Service, folder: Path) -> None:
    async with apart.worker():
        account = await awaiting_confirmation(apart)
        await apart.confirm(account)
        first = await apart.request(account).result()
        (folder / certificate_path(first.request_no, account)).unlink()
        view = await apart.start(account)
        assert (view.request_no, view.phase in (Phase.DELETING, Phase.CLOSED)) == (first.request_no, True)
        await closed_for_good(apart, account)
        certificate = await apart.cancellations.certificate(first.request_no)
        assert all(sum(receipt.counts.values()) > 0 for receipt in certificate.receipts)


@pytest.mark.parametrize("told", [True, False], ids=["resumed", "looked at again"])
async def test_without_its_dossier_a_closed_account_waits_for_ops_and_is_never_over(
    apart: Service, folder: Path, told: bool
) -> None:
    async with apart.worker():
        account = await awaiting_confirmation(apart)
        await UNAVAILABLE.at(apart, Endpoint.ERASE_PERSONAL_DATA, account, times=None)
        await apart.confirm(account)
        await apart.in_phase(account, Phase.DELETING)
        await eventually(
            lambda: apart.cancellations.deletion(account),
            lambda view: DeletionPhase.SEND_FINAL_NOTICE in {receipt.phase for receipt in view.receipts},
        )
        own = await closure_input(apart, account)
        await apart.request(account).terminate("by a test")
        await apart.deletion(account).terminate("by a test")
        await apart.store.clear_faults()
        dossier = folder / dossier_path(account, own.dossier.sha256)
        aside = dossier.rename(folder.parent / "aside")
        view = await apart.start(account)
        assert (view.phase, view.stalled) == (Phase.DELETION_STALLED, ErrorType.VAULT_RECORD_MISSING)
        assert (view.request_no, view.withdrawable) == (own.request_no, False)
        await eventually(lambda: alarms(apart, own.request_no, ErrorType.VAULT_RECORD_MISSING), bool)
        assert (
            await refused_type(apart.cancellations.resume_deletion(account, "ops-1")) is ErrorType.VAULT_RECORD_MISSING
        )
        assert (await apart.in_phase(account, Phase.DELETION_STALLED)).certificate is None
        aside.rename(dossier)
        if told:
            await apart.cancellations.resume_deletion(account, "ops-1")
        else:
            await apart.env.fast_forward(apart.request(account), AN_HOUR + MARGIN)
        await closed_for_good(apart, account)


# Request numbers that callers make


async def confirmed_under(service: Service, number: str) -> str:
    account = await service.account()
    policy = Policy(outcomes_reused_for=timedelta(0))
    await service.cancellations.start(
        account, owner_of(account).subject, locale=Locale.EN, policy=policy, request_no=number
    )
    await service.identify(account)
    await service.accept_notice(account)
    await service.recheck(account)
    await service.confirm(account)
    return account


async def test_two_accounts_under_one_number_have_a_certificate_each(service: Service) -> None:
    number = f"N-{await service.account()}"
    accounts = [await confirmed_under(service, number) for _ in range(2)]
    for account in accounts:
        await closed_for_good(service, account)
        assert (await service.cancellations.certificate_of_account(account)).account_id == account
    assert await refused_type(service.cancellations.certificate(number)) is ErrorType.BAD_INPUT


async def test_a_foreign_record_in_the_certificates_place_stalls_the_deletion(apart: Service, folder: Path) -> None:
    async with apart.worker():
        other = await awaiting_confirmation(apart)
        await apart.confirm(other)
        theirs = await apart.request(other).result()
        account = await awaiting_confirmation(apart)
        number = (await apart.cancellations.view(account)).request_no
        planted = certificate_path(number, account)
        assert theirs.certificate is not None
        await apart.vault.put_evidence(planted, await apart.vault.read(theirs.certificate, Certificate))
        await apart.confirm(account)
        view = await apart.in_phase(account, Phase.DELETION_STALLED)
        assert view.certificate is None
        stalled = (await apart.cancellations.deletion(account)).stalled
        assert [(s.phase, s.error_type) for s in stalled] == [
            (DeletionPhase.ISSUE_CERTIFICATE, ErrorType.VAULT_RECORD_FOREIGN)
        ]
        await eventually(lambda: alarms(apart, number, ErrorType.VAULT_RECORD_FOREIGN), bool)
        assert await refused_type(apart.cancellations.certificate(number)) is ErrorType.VAULT_RECORD_FOREIGN
        (folder / planted).unlink()
        await apart.cancellations.resume_deletion(account, "ops-1")
        await closed_for_good(apart, account)
