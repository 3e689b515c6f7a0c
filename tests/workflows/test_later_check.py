"""A check that came after a request had begun: what was recorded without it replays, and nothing is closed without it.

The check on resources stands for it: the worker "before" does not know it.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from temporalio.worker import Replayer

from domain.checks import Check, Reason
from domain.deletion import Certificate, Dossier, certificate_path
from domain.phases import Phase
from runtime.payloads import DATA_CONVERTER
from simulator.kinds import Endpoint
from tests.support.service import Service
from tests.support.tickets import blocked, file, own_queue
from worker import WORKFLOW_RUNNER
from workflows import WORKFLOWS
from workflows.account_cancellation import eligibility

LATER = Check.RESOURCES
EARLIER = [check for check in Check if check is not LATER]


@pytest.fixture(autouse=True)
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eligibility, "UNMARKED", frozenset(EARLIER))


@contextmanager
def before() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(eligibility, "Check", EARLIER)
        yield


@pytest.fixture
def service(idle_service: Service) -> Service:
    """Its workers are the test's: a deployment stops one and starts the next."""
    return own_queue(idle_service)


async def replays(service: Service, account: str) -> None:
    history = await service.request(account).fetch_history()
    replayer = Replayer(workflows=list(WORKFLOWS), workflow_runner=WORKFLOW_RUNNER, data_converter=DATA_CONVERTER)
    await replayer.replay_workflow(history)


async def test_a_report_that_lacks_a_check_can_be_confirmed_but_the_check_is_run_before_it_closes(
    service: Service,
) -> None:
    account = await service.account(**{"resources.vm": 1})
    with before():
        async with service.worker():
            view = await service.to_report(account)
            assert view.report is not None
            assert (view.phase, len(view.report.outcomes)) == (Phase.AWAITING_CONFIRMATION, len(EARLIER))
    async with service.worker():
        # What was shown is still there to be read, and to be confirmed by its digest.
        assert (await service.cancellations.view(account)).report == view.report
        await service.confirm(account)
        view = await service.in_phase(account, Phase.BLOCKED)
        assert view.changed is not None
        assert view.changed.checks == (LATER,)
        assert view.report is not None
        assert [outcome.reason for outcome in view.report.reasons_left()] == [Reason.RESOURCES_ACTIVE]
        await service.store.set_facts(account, **{"resources.vm": 0})
        assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
        await service.confirm(account)
        assert (await service.request(account).result()).outcome is Phase.CLOSED
    await replays(service, account)


async def test_the_dossier_has_the_report_that_was_confirmed_and_the_one_that_was_complete(service: Service) -> None:
    account = await service.account()
    with before():
        async with service.worker():
            await service.to_report(account)
    async with service.worker():
        await service.confirm(account)
        result = await service.request(account).result()
    found = await service.vault.find(certificate_path(result.request_no, account), Certificate)
    assert found is not None
    dossier = await service.vault.read(found[0].previous, Dossier)
    assert [outcome.check for outcome in dossier.report.outcomes] == EARLIER
    assert [outcome.check for outcome in dossier.sealing_report.outcomes] == list(Check)


async def test_a_check_that_comes_while_the_others_run_under_the_hold_is_run_after_them(service: Service) -> None:
    account = await service.account(**{"resources.vm": 1})
    with before():
        async with service.worker():
            await service.to_report(account)
    async with service.gate(account, Endpoint.BALANCE) as gate:
        with before():
            async with service.worker():
                await service.confirm(account)
                await gate.arrived()
    async with service.worker():
        view = await service.in_phase(account, Phase.BLOCKED)
        assert view.changed is not None
        assert (view.changed.checks, view.changed.could_not_tell) == ((LATER,), ())
        assert view.report is not None
        assert [outcome.check for outcome in view.report.outcomes] == list(Check)
    await replays(service, account)


async def test_an_approval_of_a_report_that_lacks_a_check_closes_nothing_without_it(service: Service) -> None:
    with before():
        async with service.worker():
            account = await blocked(service, None, icp_applications_ever=1, **{"resources.vm": 1})
            case = await file(service, account)
            await case.clock()
            assert len((await case.view()).case.report.outcomes) == len(EARLIER)
    async with service.worker():
        # The reviewer reads it as it was filed.
        assert len((await case.view()).case.report.outcomes) == len(EARLIER)
        await case.approve()
        view = await service.in_phase(account, Phase.BLOCKED)
        assert view.changed is not None
        assert view.changed.checks == (LATER,)
        await service.store.set_facts(account, **{"resources.vm": 0})
        await service.recheck(account)
        await service.confirm(account)
        assert (await service.request(account).result()).outcome is Phase.CLOSED
    await replays(service, account)


async def test_a_request_that_began_with_it_has_one_marker_for_it(service: Service) -> None:
    account = await service.account()
    async with service.worker():
        await service.to_report(account)
        await service.recheck(account)
        await service.confirm(account)
        assert (await service.request(account).result()).outcome is Phase.CLOSED
    events = (await service.request(account).fetch_history()).events
    assert sum(event.HasField("marker_recorded_event_attributes") for event in events) == 1
    await replays(service, account)
