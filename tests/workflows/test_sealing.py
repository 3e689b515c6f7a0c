"""The edge of the point of no return: re-check under the hold, dossier, close."""

import asyncio
from datetime import timedelta

import pytest

from domain.accounts import AccountStatus
from domain.checks import Check, Reason, Verdict
from domain.deletion import Certificate, Dossier, IdentityMethod, certificate_path
from domain.errors import ErrorType, Refusal
from domain.messages import Route
from domain.phases import Phase, Step
from simulator.kinds import Effect, Endpoint, FaultKind
from tests.support.service import Service, eventually


async def fault(service: Service, account: str, endpoint: Endpoint, kind: FaultKind, **how: object) -> None:
    await service.store.add_fault(endpoint, kind, account_id=account, **how)


async def test_an_account_that_changed_between_confirmation_and_seal_goes_back_to_its_owner(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    await service.store.set_facts(account, available_fen=1)
    await service.confirm(account)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert view.report is not None
    assert [outcome.reason for outcome in view.report.reasons_left()] == [Reason.BALANCE_WITHDRAWABLE]
    state = await eventually(lambda: service.store.account(account), lambda found: found.held_until is None)
    assert state.profile.status is AccountStatus.ACTIVE
    assert await service.store.calls(Endpoint.CLOSE, account) == []
    # It is put right, checked and confirmed anew.
    await service.store.set_facts(account, available_fen=0)
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_what_could_not_be_told_under_the_hold_never_counts_as_passed(service: Service) -> None:
    account = await service.account()
    await service.to_report(account, check_limit=timedelta(seconds=1))
    await fault(service, account, Endpoint.ICP_FILINGS, FaultKind.ERROR, status=503, times=None)
    await service.confirm(account)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert view.report is not None
    assert [(o.check, o.verdict) for o in view.report.reasons_left()] == [(Check.ICP_FILING, Verdict.UNKNOWN)]
    await service.store.clear_faults()


async def test_a_lapsed_hold_is_taken_again_and_everything_checked_anew(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    async with service.gate(account, Endpoint.BALANCE) as gate:
        await service.confirm(account)
        await gate.arrived()
        await service.store.let_time_pass(account, timedelta(hours=1))
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    assert len(await service.store.calls(Endpoint.TAKE_HOLD, account)) == 2


async def test_a_hold_that_keeps_lapsing_goes_back_to_the_owner_with_the_reason(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    await fault(
        service, account, Endpoint.CLOSE, FaultKind.ERROR, problem=ErrorType.HOLD_LAPSED, status=409, times=None
    )
    await service.confirm(account)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert (view.seal_refused, view.withdrawable) == (ErrorType.HOLD_LAPSED, True)
    await service.store.clear_faults()
    await service.recheck(account)
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_a_hold_of_somebody_else_goes_back_to_the_owner(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    await fault(
        service, account, Endpoint.TAKE_HOLD, FaultKind.ERROR, problem=ErrorType.ACCOUNT_NOT_CLOSABLE, status=409
    )
    await service.confirm(account)
    view = await service.in_phase(account, Phase.BLOCKED)
    assert view.seal_refused == ErrorType.ACCOUNT_NOT_CLOSABLE


@pytest.mark.parametrize("kind", [FaultKind.DROP, FaultKind.DUPLICATE, FaultKind.GARBAGE])
async def test_a_lost_or_doubled_closing_call_closes_once(service: Service, kind: FaultKind) -> None:
    account = await service.account()
    await service.to_report(account)
    await fault(service, account, Endpoint.CLOSE, kind)
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    applied = [call for call in await service.store.calls(Endpoint.CLOSE, account) if call.effect is Effect.APPLIED]
    assert len(applied) == 1


async def test_nobody_can_withdraw_while_the_closing_call_is_under_way(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    async with service.gate(account, Endpoint.CLOSE) as gate:
        await service.confirm(account)
        await gate.arrived()
        view = await service.cancellations.view(account)
        assert (view.phase, view.withdrawable) == (Phase.SEALING, False)
        with pytest.raises(Refusal) as caught:
            await service.withdraw(account)
    assert caught.value.type is ErrorType.POINT_OF_NO_RETURN
    assert (await service.request(account).result()).outcome is Phase.CLOSED


async def test_a_withdrawal_during_the_hold_ends_the_request_and_gives_the_account_back(service: Service) -> None:
    account = await service.account()
    await service.to_report(account)
    async with service.gate(account, Endpoint.BALANCE) as gate:
        await service.confirm(account)
        await gate.arrived()
        assert (await service.store.account(account)).held_until is not None
        assert (await service.withdraw(account)).phase is Phase.WITHDRAWN
    assert (await service.request(account).result()).outcome is Phase.WITHDRAWN
    state = await service.store.account(account)
    assert (state.profile.status, state.held_until) == (AccountStatus.ACTIVE, None)


async def test_the_dossier_is_in_the_vault_before_the_account_is_closed_and_says_why(service: Service) -> None:
    account = await service.account()
    view = await service.to_report(account)
    assert view.report is not None
    await service.confirm(account)
    result = await service.request(account).result()
    names = [
        event.activity_task_scheduled_event_attributes.activity_type.name
        for event in (await service.request(account).fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
    ]
    assert names.index("take_hold") < names.index("write_dossier") < names.index("close_account")
    found = await service.vault.find(certificate_path(result.request_no, account), Certificate)
    assert found is not None
    dossier = await service.vault.read(found[0].previous, Dossier)
    profile = (await service.store.account(account)).profile
    assert profile.closure is not None
    assert profile.closure.dossier_sha256 == found[0].previous.sha256
    assert (dossier.identity.method, dossier.notice.version) == (IdentityMethod.CODE, found[0].notice_version)
    assert dossier.confirmation is not None
    assert dossier.confirmation.report_digest == dossier.report.digest == view.report.digest
    assert dossier.sealing_report.number == 2
    assert (dossier.waivers, dossier.ticket, dossier.balance_consent) == ((), None, "")
    assert "vouchers" in dossier.voucher_consent


async def test_checks_run_together_and_one_slow_upstream_hides_none_of_the_others(service: Service) -> None:
    account = await service.account(arrears_fen=5, available_fen=7)
    await service.start(account)
    await service.identify(account)
    async with service.gate(account, Endpoint.RESOURCES):
        await service.accept_notice(account)
        view = await eventually(
            lambda: service.cancellations.view(account), lambda found: len(found.checks_done) == len(Check) - 1
        )
        assert view.phase is Phase.CHECKING
        assert Check.RESOURCES not in {outcome.check for outcome in view.checks_done}
    report = (await service.recheck(account)).report
    assert report is not None
    assert [outcome.check for outcome in report.outcomes] == list(Check)
    assert report.pay_before_withdrawing
    started = [
        event.event_id
        for event in (await service.request(account).fetch_history()).events
        if event.HasField("activity_task_scheduled_event_attributes")
        and event.activity_task_scheduled_event_attributes.activity_type.name.startswith("check_")
    ]
    assert started == list(range(started[0], started[0] + len(Check))), "all are scheduled by one workflow task"


@pytest.mark.parametrize("kind", [FaultKind.GARBAGE, FaultKind.ERROR])
async def test_a_dead_upstream_is_unknown_after_its_limit_and_is_not_the_owners_fault(
    service: Service, kind: FaultKind
) -> None:
    account = await service.account(arrears_fen=5)
    await fault(service, account, Endpoint.BALANCE, kind, times=None)
    view = await service.to_report(account, check_limit=timedelta(seconds=1))
    assert view.phase is Phase.BLOCKED
    assert view.report is not None
    verdicts = {outcome.check: outcome.verdict for outcome in view.report.outcomes}
    assert verdicts[Check.BALANCE] is Verdict.UNKNOWN
    assert verdicts[Check.ARREARS] is Verdict.BLOCKED
    await service.store.clear_faults()
    report = (await service.recheck(account)).report
    assert report is not None
    assert [outcome.check for outcome in report.reasons_left()] == [Check.ARREARS]


async def test_nobody_can_agree_to_forfeit_what_could_not_be_listed(service: Service) -> None:
    account = await service.account()
    await fault(service, account, Endpoint.ENTITLEMENTS, FaultKind.ERROR, times=None)
    view = await service.to_report(account, check_limit=timedelta(seconds=1))
    assert view.phase is Phase.BLOCKED
    assert view.report is not None
    assert (view.report.entitlements, view.report.reasons_left()) == (None, ())
    await service.store.clear_faults()
    assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION


async def test_four_reasons_are_shown_at_once_and_can_be_put_right_one_by_one(service: Service) -> None:
    account = await service.account(
        available_fen=100, arrears_fen=200, **{"provider.CLOUD_MARKET": 2, "resources.vm": 3}
    )
    view = await service.to_report(account)
    assert view.report is not None
    assert [outcome.check for outcome in view.report.reasons_left()] == [
        Check.BALANCE,
        Check.ARREARS,
        Check.PROVIDER,
        Check.RESOURCES,
    ]
    for left, fix in (
        (3, {"arrears_fen": 0}),
        (2, {"available_fen": 0}),
        (1, {"provider.CLOUD_MARKET": 0}),
        (0, {"resources.vm": 0}),
    ):
        await service.store.set_facts(account, **fix)
        view = await service.recheck(account)
        assert view.report is not None
        assert len(view.report.reasons_left()) == left
    assert (view.phase, view.due_step) == (Phase.AWAITING_CONFIRMATION, Step.CONFIRM)
    await service.confirm(account)
    assert (await service.request(account).result()).outcome is Phase.CLOSED
    assert (await service.cancellations.view(account)).route is Route.SELF_SERVICE


async def test_two_rechecks_at_once_are_answered_with_one_report(service: Service) -> None:
    account = await service.account(arrears_fen=1)
    await service.to_report(account)
    first, second = await asyncio.gather(service.recheck(account), service.recheck(account))
    assert first.report is not None
    assert first.report == second.report
