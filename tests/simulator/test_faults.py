"""Trouble on demand: every kind does what it says, where it is told to, as often as it is told to."""

import asyncio
from collections import Counter

import pytest
from httpx2 import AsyncClient, ReadTimeout, TransportError
from pydantic import ValidationError

from domain.errors import ErrorType
from simulator import faults
from simulator.kinds import Effect, Endpoint, FaultKind
from simulator.problems import PlatformProblem
from simulator.store import SimulatorStore
from tests.simulator.conftest import Caller, assert_problem, at_once


async def test_a_dropped_answer_comes_after_the_effect(call: Caller, store: SimulatorStore, account: str) -> None:
    await store.add_fault(Endpoint.NOTIFY_ACCOUNT, FaultKind.DROP, account_id=account)
    with pytest.raises(TransportError):
        await call.notify(account)
    assert len(await store.outbox(account)) == 2
    assert (await call.notify(account)).json() == {"delivered": 2}
    assert len(await store.outbox(account)) == 2
    effects = [c.effect for c in await store.calls(Endpoint.NOTIFY_ACCOUNT, account)]
    assert effects == [Effect.APPLIED, Effect.REPLAYED]


async def test_a_closure_whose_answer_was_lost_is_a_closure(call: Caller, store: SimulatorStore, account: str) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    await store.add_fault("close", "DROP", account_id=account)
    with pytest.raises(TransportError):
        await call.close(account, token)
    closure = (await store.account(account)).profile.closure
    assert closure is not None
    answer = (await call.close(account, token)).json()
    assert answer == closure.model_dump(mode="json", include={"closed_at"})


async def test_a_duplicate_is_delivered_twice_and_obeyed_once(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.DUPLICATE, account_id=account)
    receipt = (await call.phase(account, "purge-resources")).json()
    assert receipt["counts"] == {"key-pair": 1, "security-group": 1}
    assert not receipt["already_gone"]
    effects = [c.effect for c in await store.calls(Endpoint.PURGE_RESOURCES, account)]
    assert effects == [Effect.APPLIED, Effect.REPLAYED]


async def test_a_duplicate_of_a_refused_request_is_refused(call: Caller, store: SimulatorStore, account: str) -> None:
    await store.add_fault(Endpoint.CLOSE, FaultKind.DUPLICATE, account_id=account)
    assert_problem(await call.close(account, "hold-none"), ErrorType.HOLD_LAPSED)


async def test_latency_makes_the_caller_wait_and_does_the_work(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    await store.add_fault(Endpoint.BALANCE, FaultKind.LATENCY, account_id=account, seconds=0.4)
    with pytest.raises(ReadTimeout):
        await http.get(f"/accounts/{account}/balance", timeout=0.2)
    await store.add_fault(Endpoint.BALANCE, FaultKind.LATENCY, account_id=account, seconds=0.1)
    assert (await http.get(f"/accounts/{account}/balance")).status_code == 200


async def test_one_slow_endpoint_holds_up_no_other(http: AsyncClient, store: SimulatorStore, account: str) -> None:
    await store.add_fault(Endpoint.BALANCE, FaultKind.LATENCY, account_id=account, seconds=2)
    slow = asyncio.create_task(http.get(f"/accounts/{account}/balance", timeout=30))
    try:
        async with asyncio.timeout(20):
            while (await store.faults())[-1].times_left:
                await asyncio.sleep(0.01)
            assert (await http.get(f"/accounts/{account}/arrears")).status_code == 200
        assert not slow.done()
    finally:
        slow.cancel()


async def test_an_error_is_a_problem_with_its_own_status_and_retry_after(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    for problem in (ErrorType.SERVICE_UNAVAILABLE, ErrorType.RATE_LIMITED):
        await store.add_fault("resources", "ERROR", account_id=account, problem=problem, retry_after_seconds=7)
        response = await http.get(f"/accounts/{account}/resources")
        assert assert_problem(response, problem)["retry_after_seconds"] == 7
        assert response.headers["retry-after"] == "7"


async def test_a_permanent_problem_leaves_the_work_undone(call: Caller, store: SimulatorStore, account: str) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    await store.add_fault(Endpoint.CLOSE, FaultKind.ERROR, account_id=account, problem=ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert_problem(await call.close(account, token), ErrorType.ACCOUNT_NOT_CLOSABLE)
    assert (await store.account(account)).profile.closure is None
    assert (await call.close(account, token)).status_code == 200


async def test_a_bare_status_is_no_problem_document(http: AsyncClient, store: SimulatorStore, account: str) -> None:
    await store.add_fault("profile", "ERROR", account_id=account, status=502, retry_after_seconds=3)
    response = await http.get(f"/accounts/{account}")
    assert response.status_code == 502
    assert response.headers["content-type"].startswith("text/plain")
    assert response.headers["retry-after"] == "3"


async def test_garbage_is_an_answer_that_nobody_can_read(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    await store.add_fault("icp-filings", "GARBAGE", account_id=account)
    response = await http.get(f"/accounts/{account}/icp-filings")
    assert response.status_code == 200
    with pytest.raises(ValueError, match="Expecting value"):
        response.json()


async def test_a_fault_heals_after_its_times_however_many_ask_at_once(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    await store.add_fault(Endpoint.ARREARS, FaultKind.ERROR, account_id=account, times=3, status=503)
    answers = await at_once(*(http.get(f"/accounts/{account}/arrears") for _ in range(10)))
    assert Counter(answer.status_code for answer in answers) == {503: 3, 200: 7}


async def test_a_fault_for_ever_stays_until_it_is_cleared(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    await store.add_fault("arrears", "ERROR", account_id=account, times=None)
    for _ in range(5):
        assert (await http.get(f"/accounts/{account}/arrears")).status_code == 500
    await store.clear_faults()
    assert (await http.get(f"/accounts/{account}/arrears")).status_code == 200
    assert await store.faults() == []


async def test_a_fault_strikes_its_endpoint_and_its_account_only(
    call: Caller, http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    await call.hold_and_close(account)
    await store.add_fault(Endpoint.PURGE_RESOURCES, FaultKind.ERROR, account_id=account, times=None)
    assert (await call.phase(account, "revoke-credentials")).status_code == 200
    assert (await call.phase("acct-closed", "purge-resources")).status_code == 200
    assert (await call.phase(account, "purge-resources")).status_code == 500
    await store.clear_faults()


async def test_the_whole_platform_can_be_out_of_order_for_one_account(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    await store.add_fault(None, FaultKind.ERROR, account_id=account, times=2, problem="ServiceUnavailable")
    for path in ("", "/balance"):
        assert_problem(await http.get(f"/accounts/{account}{path}"), ErrorType.SERVICE_UNAVAILABLE)
    assert (await http.get(f"/accounts/{account}")).status_code == 200


async def arrived(store: SimulatorStore, gate: int, number: int = 1) -> None:
    async with asyncio.timeout(20):
        while await store.waiting_at(gate) < number:
            await asyncio.sleep(0.01)


async def test_a_gate_holds_requests_back_until_it_is_opened_and_no_longer(
    http: AsyncClient, call: Caller, store: SimulatorStore, account: str
) -> None:
    gate = await store.add_fault(Endpoint.NOTIFY_ACCOUNT, FaultKind.GATE, account_id=account, times=None)
    assert await store.waiting_at(gate) == 0
    waiting = [asyncio.create_task(call.notify(account, f"k{n}")) for n in range(2)]
    await arrived(store, gate, 2)
    assert (await http.get(f"/accounts/{account}/balance")).status_code == 200
    assert not any(task.done() for task in waiting)
    assert await store.outbox(account) == []
    await store.open_gate(gate)
    assert [answer.json() for answer in await asyncio.gather(*waiting)] == [{"delivered": 2}] * 2
    assert (await call.notify(account, "k2")).status_code == 200
    assert await store.waiting_at(gate) == 2
    assert len(await store.outbox(account)) == 6


async def test_a_request_whose_caller_hung_up_at_the_gate_takes_effect_when_it_opens(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    gate = await store.add_fault(Endpoint.CLOSE, FaultKind.GATE, account_id=account)
    waiting = asyncio.create_task(call.close(account, token))
    await arrived(store, gate)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (await store.account(account)).profile.closure is None
    await store.open_gate(gate)
    async with asyncio.timeout(20):
        while (await store.account(account)).profile.closure is None:
            await asyncio.sleep(0.01)


async def test_a_gate_after_the_work_holds_back_nothing_but_the_answer(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    gate = await store.add_fault(Endpoint.NOTIFY_ACCOUNT, FaultKind.GATE, account_id=account, after=True)
    waiting = asyncio.create_task(call.notify(account))
    await arrived(store, gate)
    assert len(await store.outbox(account)) == 2
    assert not waiting.done()
    await store.clear_faults()
    assert (await waiting).json() == {"delivered": 2}


async def test_a_gate_after_the_work_holds_a_refusal_back_too(
    call: Caller, store: SimulatorStore, account: str
) -> None:
    gate = await store.add_fault(Endpoint.CLOSE, FaultKind.GATE, account_id=account, after=True)
    waiting = asyncio.create_task(call.close(account, "hold-none"))
    await arrived(store, gate)
    await store.open_gate(gate)
    assert_problem(await waiting, ErrorType.HOLD_LAPSED)


async def test_a_gate_that_is_open_makes_way_for_the_next_fault(
    http: AsyncClient, store: SimulatorStore, account: str
) -> None:
    gate = await store.add_fault(Endpoint.BALANCE, FaultKind.GATE, account_id=account, times=None)
    await store.add_fault(Endpoint.BALANCE, FaultKind.ERROR, account_id=account)
    await store.open_gate(gate)
    assert (await http.get(f"/accounts/{account}/balance")).status_code == 500
    assert (await http.get(f"/accounts/{account}/balance")).status_code == 200


async def test_a_gate_that_nobody_opens_lets_go_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults, "GATE_SECONDS", 0.1)
    trouble = faults.Faults()
    gate = trouble.add(faults.Fault(endpoint=Endpoint.BALANCE, kind=FaultKind.GATE))
    async with asyncio.timeout(20):
        await trouble.wait(gate)
    assert (gate.arrived, gate.opened) == (1, False)


async def test_only_a_gate_can_be_opened(store: SimulatorStore, account: str) -> None:
    other = await store.add_fault(Endpoint.BALANCE, FaultKind.ERROR, account_id=account)
    for fault in (other, 987_654):
        with pytest.raises(PlatformProblem, match=str(fault)):
            await store.open_gate(fault)
    assert await store.waiting_at(987_654) == 0


@pytest.mark.parametrize(
    ("kind", "how", "status"),
    [("ERROR", {"status": 403}, 403), ("ERROR", {"problem": "InternalError"}, 500), ("GARBAGE", {}, 200)],
)
async def test_a_bad_answer_after_the_work_hides_an_effect(
    call: Caller, store: SimulatorStore, account: str, kind: str, how: dict[str, int | str], status: int
) -> None:
    token = (await call.hold(account)).json()["hold_token"]
    await store.add_fault(Endpoint.CLOSE, kind, account_id=account, after=True, **how)
    answer = await call.close(account, token)
    assert answer.status_code == status
    assert b"closed_at" not in answer.content
    closure = (await store.account(account)).profile.closure
    assert closure is not None
    assert (await call.close(account, token)).json() == closure.model_dump(mode="json", include={"closed_at"})


@pytest.mark.parametrize(
    ("endpoint", "kind", "how"),
    [
        ("balance", "LATENCY", {"after": True}),
        ("balance", "LONG_WORK", {"seconds": 1}),
        (None, "LONG_WORK", {"seconds": 1}),
        ("no-such-endpoint", "ERROR", {}),
        ("balance", "EARTHQUAKE", {}),
        ("balance", "ERROR", {"times": 0}),
        ("balance", "ERROR", {"problem": "NoSuchProblem"}),
    ],
)
async def test_a_fault_that_cannot_be_is_refused(
    store: SimulatorStore, endpoint: str | None, kind: str, how: dict[str, int | str]
) -> None:
    before = await store.faults()
    with pytest.raises(ValidationError):
        await store.add_fault(endpoint, kind, **how)
    assert await store.faults() == before
