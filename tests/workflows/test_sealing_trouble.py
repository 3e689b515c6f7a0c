"""Bad answers at every other call of the sealing: no phase is ever wrong, and nothing gets stuck in the worker."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.service import RPCError

from domain.accounts import AccountStatus, RefusalReason
from domain.errors import ErrorType
from domain.model import Model, VaultRef
from domain.phases import Phase
from gateways.contract import READS
from gateways.errors import GatewayError
from gateways.vault import ObjectVault
from simulator.kinds import Endpoint
from tests.support.poison import (
    DROPPED,
    FINAL,
    HEALING,
    UNAVAILABLE,
    Poison,
    assert_never_wedged,
    closed_for_good,
    events,
    gate,
    last_close,
    phases_shown,
    until_at,
)
from tests.support.service import Service, eventually
from tests.support.tickets import awaiting_confirmation, own_queue

CHECKS = [*(Endpoint(read.path) for read in READS.values()), Endpoint.ENTITLEMENTS]


async def goes_through(service: Service, account: str) -> None:
    await closed_for_good(service, account)
    assert await phases_of_the_last_sealing(service, account) == [Phase.SEALING, Phase.DELETING, Phase.CLOSED]


async def goes_back(service: Service, account: str) -> None:
    """Back to the owner with the account as it was."""
    view = await service.in_phase(account, Phase.BLOCKED)
    assert (view.seal_refused or view.changed) is not None
    state = await service.store.account(account)
    assert (state.profile.status, state.held_until, view.withdrawable) == (AccountStatus.ACTIVE, None, True)
    assert await phases_of_the_last_sealing(service, account) == [Phase.SEALING, Phase.BLOCKED]


async def goes_back_and_then_through(service: Service, account: str) -> None:
    """The next last word closes it."""
    await goes_back(service, account)
    await service.recheck(account)
    await service.confirm(account)
    await goes_through(service, account)


async def phases_of_the_last_sealing(service: Service, account: str) -> list[Phase]:
    shown = await phases_shown(service, account)
    begun = len(shown) - 1 - shown[::-1].index(Phase.SEALING)
    return shown[begun:]


async def was_answered_badly(service: Service, account: str, times: int) -> None:
    faults = [fault for fault in await service.store.faults() if fault.account_id == account]
    assert [fault.times_left for fault in faults] == [0] * times


@pytest.mark.parametrize(
    "answers",
    [
        *([(endpoint, poison) for poison in FINAL] for endpoint in (Endpoint.TAKE_HOLD, Endpoint.PROFILE, CHECKS[0])),
        # The checks have one way with bad answers between them: one kind will do for all but the first.
        [(endpoint, FINAL[0]) for endpoint in CHECKS[1:]],
    ],
    ids=[Endpoint.TAKE_HOLD, Endpoint.PROFILE, CHECKS[0], "the other checks"],
)
async def test_after_every_final_answer_while_sealing_it_goes_back_and_the_next_last_word_counts(
    service: Service, answers: list[tuple[Endpoint, Poison]]
) -> None:
    account = await awaiting_confirmation(service)
    for number, (endpoint, poison) in enumerate(answers, 1):
        await poison.at(service, endpoint, account, after=True)
        await service.confirm(account)
        await goes_back(service, account)
        await was_answered_badly(service, account, number)
        assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION, poison
    await service.confirm(account)
    await goes_through(service, account)


async def test_answers_that_may_heal_are_waited_for_at_every_call_of_the_sealing(service: Service) -> None:
    endpoints = [Endpoint.TAKE_HOLD, Endpoint.PROFILE, *CHECKS]

    async def live_through(poison: Poison) -> None:
        account = await awaiting_confirmation(service)
        for endpoint in endpoints:
            await poison.at(service, endpoint, account, after=True)
        await service.confirm(account)
        await goes_through(service, account)
        await was_answered_badly(service, account, len(endpoints))

    await asyncio.gather(*(live_through(poison) for poison in (*HEALING, DROPPED)))


@pytest.mark.parametrize("poisons", [FINAL, [*HEALING, DROPPED]], ids=["final", "healing"])
async def test_holds_that_could_not_be_given_back_do_not_stand_in_the_way_of_the_next(
    service: Service, poisons: list[Poison]
) -> None:
    account = await awaiting_confirmation(service)
    for number, poison in enumerate(poisons, 1):
        await service.store.set_facts(account, available_fen=1)
        under_the_hold = await gate(service, Endpoint.BALANCE, account)
        await service.confirm(account)
        # This sealing has its hold, after those that were not given back: only now may that go wrong.
        await until_at(service, under_the_hold)
        await poison.at(service, Endpoint.RELEASE_HOLD, account)
        await service.store.open_gate(under_the_hold)
        view = await service.in_phase(account, Phase.BLOCKED)
        assert (view.seal_refused, view.changed is not None) == (None, True), poison
        faults = [fault for fault in await service.store.faults() if fault.account_id == account]
        assert [fault.times_left for fault in faults if fault.endpoint is Endpoint.RELEASE_HOLD] == [0] * number
        await service.store.set_facts(account, available_fen=0)
        assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION, poison
    await service.confirm(account)
    await closed_for_good(service, account)


async def test_an_account_that_the_platform_does_not_know_for_a_moment_goes_back(service: Service) -> None:
    account = await awaiting_confirmation(service)
    unknown = Poison("unknown", ErrorType.ACCOUNT_UNKNOWN, problem=ErrorType.ACCOUNT_UNKNOWN)
    await unknown.at(service, Endpoint.PROFILE, account)
    await service.confirm(account)
    assert (await service.in_phase(account, Phase.BLOCKED)).seal_refused == RefusalReason.UNKNOWN_ACCOUNT
    await goes_back_and_then_through(service, account)


RELEASED = Poison("released", ErrorType.HOLD_RELEASED, problem=ErrorType.HOLD_RELEASED)


async def test_a_hold_that_was_released_in_an_earlier_life_is_followed_by_the_next(service: Service) -> None:
    account = await awaiting_confirmation(service)
    await RELEASED.at(service, Endpoint.TAKE_HOLD, account, times=2)
    await service.confirm(account)
    await goes_through(service, account)


async def test_a_platform_that_takes_every_hold_for_released_is_not_asked_without_a_pause(service: Service) -> None:
    account = await awaiting_confirmation(service)
    await RELEASED.at(service, Endpoint.TAKE_HOLD, account, times=10)
    await service.confirm(account)
    view = await eventually(lambda: service.cancellations.view(account), lambda seen: seen.sealing_trouble is not None)
    assert view.sealing_trouble is not None
    assert (view.phase, view.sealing_trouble.error_type) == (Phase.SEALING, ErrorType.HOLD_RELEASED)
    assert view.withdrawable
    skips = 0
    while (await service.cancellations.view(account)).phase is Phase.SEALING:
        assert (skips := skips + 1) < 20
        await service.env.fast_forward(service.request(account), timedelta(minutes=1))
    await goes_through(service, account)


# The dossier


class VaultWithTrouble(ObjectVault):
    """Fails for the first dossiers, before it writes them or after."""

    def __init__(self, url: str, error: GatewayError, *, after: bool, times: int) -> None:
        super().__init__(url)
        self._error, self._after, self.left = error, after, times

    async def put_evidence(self, path: str, record: Model) -> VaultRef:
        if not path.startswith("dossiers/") or self.left == 0:
            return await super().put_evidence(path, record)
        self.left -= 1
        if self._after:
            await super().put_evidence(path, record)
        raise self._error


AWAY = GatewayError(ErrorType.VAULT_UNAVAILABLE, "The vault is away.", retryable=True)
CHANGED = GatewayError(ErrorType.VAULT_RECORD_CHANGED, "Another record is in the way.", retryable=False)


@pytest.mark.parametrize("after", [False, True], ids=["before it writes", "after it wrote"])
@pytest.mark.parametrize("error", [AWAY, CHANGED], ids=["away", "changed"])
async def test_nothing_is_closed_before_its_dossier_is_in_the_vault(
    idle_service: Service, tmp_path_factory: pytest.TempPathFactory, error: GatewayError, after: bool
) -> None:
    vault = VaultWithTrouble(tmp_path_factory.mktemp("vault").as_uri(), error, after=after, times=1)
    service = own_queue(idle_service, vault=vault)
    async with service.worker():
        account = await awaiting_confirmation(service)
        await service.confirm(account)
        await (goes_through if error.retryable else goes_back_and_then_through)(service, account)
        assert vault.left == 0
        order = await last_close(service, account)
        assert any(order.dossier_sha256 in path for path in await vault.list(f"dossiers/{account}"))
        await assert_never_wedged(service, account)


# A platform that asks to be left alone


LONGER_THAN_A_ROUND = timedelta(hours=2)


async def read_after_a_close(service: Service, account: str) -> None:
    """Nobody knows whether the account is closed, and the platform does not want to be asked."""
    await FINAL[0].at(service, Endpoint.CLOSE, account, after=True)
    unknown = await gate(service, Endpoint.RELEASE_HOLD, account)
    await service.confirm(account)
    await until_at(service, unknown)
    await ask_for_a_pause(service, Endpoint.PROFILE, account)
    await service.store.open_gate(unknown)


async def hold(service: Service, account: str) -> None:
    await ask_for_a_pause(service, Endpoint.TAKE_HOLD, account)
    await service.confirm(account)


async def purge(service: Service, account: str) -> None:
    await ask_for_a_pause(service, Endpoint.PURGE_RESOURCES, account)
    await service.confirm(account)


async def ask_for_a_pause(service: Service, endpoint: Endpoint, account: str) -> None:
    pause = int(LONGER_THAN_A_ROUND.total_seconds())
    await UNAVAILABLE.at(service, endpoint, account, times=1, retry_after_seconds=pause)


@pytest.mark.parametrize(("come", "failures"), [(hold, 1), (read_after_a_close, 2), (purge, 1)])
async def test_a_platform_that_asks_for_a_long_pause_is_left_alone_meanwhile(
    service: Service, come: Callable[[Service, str], Awaitable[None]], failures: int
) -> None:
    account = await awaiting_confirmation(service)
    await come(service, account)
    resting = service.deletion(account) if come is purge else service.request(account)

    async def pauses() -> int:
        try:
            return sum(PAUSE in one.user_metadata.summary.data.decode() for one in await events(resting, STARTED))
        except RPCError:
            # The deletion has not begun yet.
            return 0

    await eventually(pauses, bool)
    assert len(await events(resting, EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)) == failures
    await service.env.fast_forward(resting, LONGER_THAN_A_ROUND)
    await closed_for_good(service, account)
    assert await pauses() == 1


STARTED = EventType.EVENT_TYPE_TIMER_STARTED
PAUSE = "asks to be left alone"
