"""Bad answers to the one call that cannot be undone: only the platform's own record says what has become of it."""

import asyncio
from datetime import timedelta

import pytest

from domain.accounts import AccountStatus
from domain.errors import ErrorType
from domain.ids import hold_id
from domain.notifications import Template
from domain.phases import Phase
from gateways.contract import HoldRequest
from gateways.errors import GatewayError
from simulator.kinds import Endpoint
from tests.support.poison import (
    DROPPED,
    FINAL,
    GARBAGE,
    HEALING,
    NOT_FOUND,
    UNAVAILABLE,
    Poison,
    assert_never_wedged,
    closed_for_good,
    gate,
    last_close,
    phases_shown,
    until_at,
)
from tests.support.service import Service, eventually
from tests.support.tickets import awaiting_confirmation, refused_type

A_ROUND = timedelta(minutes=1)
"""After which the next attempt has begun, whatever the sealing waits for."""

CLOSED_WITHOUT_A_DETOUR = [Phase.SEALING, Phase.DELETING, Phase.CLOSED]


async def is_past_withdrawal(service: Service, account: str) -> None:
    view = await service.cancellations.view(account)
    assert (view.phase, view.withdrawable) == (Phase.SEALING, False)
    assert await refused_type(service.withdraw(account)) is ErrorType.POINT_OF_NO_RETURN


async def closed_directly(service: Service, account: str) -> None:
    await closed_for_good(service, account)
    shown = await phases_shown(service, account)
    assert shown[shown.index(Phase.SEALING) :] == CLOSED_WITHOUT_A_DETOUR


# The close takes effect, and its answer says otherwise


@pytest.mark.parametrize("poison", FINAL, ids=str)
async def test_a_close_that_was_carried_out_and_refused_all_the_same_is_found_out(
    service: Service, poison: Poison
) -> None:
    account = await awaiting_confirmation(service)
    await poison.at(service, Endpoint.CLOSE, account, after=True)
    # The first thing that is done before the truth is asked for: from here on it is unknown.
    unknown = await gate(service, Endpoint.RELEASE_HOLD, account)
    await service.confirm(account)
    await until_at(service, unknown)
    await is_past_withdrawal(service, account)
    await service.store.open_gate(unknown)
    await closed_directly(service, account)


@pytest.mark.parametrize("poison", [*HEALING, DROPPED], ids=str)
async def test_a_close_whose_answer_was_lost_once_is_repeated(service: Service, poison: Poison) -> None:
    account = await awaiting_confirmation(service)
    await poison.at(service, Endpoint.CLOSE, account, after=True)
    await service.confirm(account)
    await closed_directly(service, account)


async def test_a_close_whose_answers_are_all_lost_is_found_out(service: Service) -> None:
    async def lose_all(poison: Poison) -> None:
        account = await awaiting_confirmation(service)
        await poison.at(service, Endpoint.CLOSE, account, after=True, times=4)
        unknown = await gate(service, Endpoint.RELEASE_HOLD, account)
        await service.confirm(account)
        await until_at(service, unknown)
        await is_past_withdrawal(service, account)
        await service.store.open_gate(unknown)
        await closed_directly(service, account)

    await asyncio.gather(*(lose_all(poison) for poison in (*HEALING, DROPPED)))


@pytest.mark.parametrize("poison", [UNAVAILABLE, GARBAGE, NOT_FOUND], ids=str)
async def test_while_nobody_can_say_whether_it_is_closed_it_stays_sealing_and_ops_are_told(
    service: Service, poison: Poison
) -> None:
    account = await service.account()
    await service.to_report(account, stuck_after=timedelta(seconds=1))
    await Poison("410", ErrorType.UNEXPECTED_ANSWER, status=410).at(service, Endpoint.CLOSE, account, after=True)
    unknown = await gate(service, Endpoint.RELEASE_HOLD, account)
    await service.confirm(account)
    await until_at(service, unknown)
    await poison.at(service, Endpoint.PROFILE, account, times=None)
    await service.store.open_gate(unknown)
    request = service.request(account)
    skips = 0
    while not ((view := await service.cancellations.view(account)).sealing_trouble and view.sealing_trouble.stuck):
        assert (skips := skips + 1) < 10
        await service.env.fast_forward(request, A_ROUND)
    assert view.sealing_trouble.error_type == poison.type
    assert view.sealing_trouble.attempts > 0
    await is_past_withdrawal(service, account)

    async def alarms() -> int:
        told = [m for m in await service.store.outbox() if m.template is Template.SEALING_STUCK]
        return sum(view.request_no in message.params.values() for message in told)

    await eventually(alarms, lambda number: number == 1)
    await service.store.clear_faults()
    await service.env.fast_forward(request, A_ROUND)
    await closed_directly(service, account)
    assert await alarms() == 1


# The close is not carried out


async def test_a_close_that_was_refused_goes_back_to_the_owner_and_can_never_land_later(service: Service) -> None:
    account = await awaiting_confirmation(service)
    for poison in FINAL:
        # A lapsed hold is taken again, as often as the policy says.
        await poison.at(service, Endpoint.CLOSE, account, times=3 if poison.type is ErrorType.HOLD_LAPSED else 1)
        await service.confirm(account)
        view = await service.in_phase(account, Phase.BLOCKED)
        assert (view.seal_refused, view.withdrawable) == (poison.type, True)
        state = await service.store.account(account)
        assert (state.profile.status, state.held_until) == (AccountStatus.ACTIVE, None)
        with pytest.raises(GatewayError) as late:
            await service.platform.close(account, await last_close(service, account))
        assert late.value.type is ErrorType.HOLD_LAPSED
        assert (await service.recheck(account)).phase is Phase.AWAITING_CONFIRMATION
    await service.confirm(account)
    await closed_for_good(service, account)


@pytest.mark.parametrize("poison", [*FINAL[:2], GARBAGE, UNAVAILABLE], ids=str)
async def test_nothing_counts_as_refused_before_the_hold_is_really_given_back(service: Service, poison: Poison) -> None:
    account = await awaiting_confirmation(service)
    await FINAL[0].at(service, Endpoint.CLOSE, account)
    await poison.at(service, Endpoint.RELEASE_HOLD, account)
    await service.confirm(account)
    skips = 0
    while (await service.cancellations.view(account)).phase is Phase.SEALING and poison in FINAL:
        assert (skips := skips + 1) < 10
        await service.env.fast_forward(service.request(account), A_ROUND / 2)
    await service.in_phase(account, Phase.BLOCKED)
    with pytest.raises(GatewayError) as late:
        await service.platform.close(account, await last_close(service, account))
    assert late.value.type is ErrorType.HOLD_LAPSED


async def test_a_close_that_is_put_off_is_tried_until_it_goes_through(service: Service) -> None:
    async def put_off(poison: Poison) -> None:
        account = await awaiting_confirmation(service)
        # One more than are tried under one hold.
        await poison.at(service, Endpoint.CLOSE, account, times=5)
        await service.confirm(account)
        view = await eventually(
            lambda: service.cancellations.view(account), lambda seen: seen.sealing_trouble is not None
        )
        assert (view.phase, view.sealing_trouble and view.sealing_trouble.error_type) == (Phase.SEALING, poison.type)
        assert view.withdrawable
        await service.env.fast_forward(service.request(account), A_ROUND)
        await closed_directly(service, account)

    await asyncio.gather(*(put_off(poison) for poison in HEALING))


async def test_who_withdraws_while_a_close_is_put_off_keeps_the_account(service: Service) -> None:
    account = await awaiting_confirmation(service)
    await UNAVAILABLE.at(service, Endpoint.CLOSE, account, times=4)
    await service.confirm(account)
    await eventually(lambda: service.cancellations.view(account), lambda seen: seen.sealing_trouble is not None)
    assert (await service.withdraw(account)).phase is Phase.WITHDRAWN
    await service.request(account).result()
    with pytest.raises(GatewayError):
        await service.platform.close(account, await last_close(service, account))
    assert (await service.store.account(account)).profile.status is AccountStatus.ACTIVE


# A withdrawal while the hold is being taken


@pytest.mark.parametrize("after", [False, True], ids=["on its way there", "on its way back"])
async def test_a_hold_that_is_under_way_when_its_owner_withdraws_does_not_stay(service: Service, after: bool) -> None:
    account = await awaiting_confirmation(service)
    under_way = await gate(service, Endpoint.TAKE_HOLD, account, after=after)
    await service.confirm(account)
    await until_at(service, under_way)
    view = await service.withdraw(account)
    assert view.phase is Phase.WITHDRAWN
    assert (await service.request(account).result()).outcome is Phase.WITHDRAWN
    await service.store.open_gate(under_way)
    taken = await service.store.calls(Endpoint.TAKE_HOLD, account)
    assert len(taken) == (1 if after else 0)
    # However late it comes, and however often.
    with pytest.raises(GatewayError) as late:
        await service.platform.take_hold(account, HoldRequest(request_id=hold_id(view.request_no, 1), ttl_seconds=60))
    assert late.value.type is ErrorType.HOLD_RELEASED
    state = await service.store.account(account)
    assert (state.profile.status, state.held_until) == (AccountStatus.ACTIVE, None)
    await assert_never_wedged(service, account)
