"""Hold, dossier, close: what is sent is what was ordered, and a repeat finds what the first attempt left."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.sealing import CloseAccountInput, ReleaseHoldInput, SealingActivities, TakeHoldInput
from domain.accounts import Hold
from domain.checks import Check
from domain.deletion import Dossier, dossier_path
from domain.errors import ErrorType
from domain.ids import hold_id
from gateways.contract import Closed, ClosureRequest, HoldRequest
from gateways.errors import GatewayError
from tests.activities.papers import ACCOUNT, AT, CLOSED_AT, REQUEST, dossier, platform, vault

opaque_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", fullmatch=True)


@given(opaque_ids, st.integers(1, 10**6), st.integers(1, 86_400))
async def test_a_hold_is_taken_and_released_under_one_id_whatever_the_request_is_called(
    request_no: str, number: int, ttl: int
) -> None:
    stub = platform(take_hold=Hold(hold_token="hold-1", expires_at=AT), release_hold=None)
    activities = SealingActivities(stub.platform, vault())
    name = hold_id(request_no, number)
    taken = await activities.take_hold(TakeHoldInput(account_id=ACCOUNT, hold_id=name, ttl_seconds=ttl))
    assert (taken.hold_token, taken.expires_at) == ("hold-1", AT)
    await activities.release_hold(ReleaseHoldInput(account_id=ACCOUNT, hold_id=name))
    assert stub.calls == [
        ("take_hold", (ACCOUNT, HoldRequest(request_id=name, ttl_seconds=ttl))),
        ("release_hold", (ACCOUNT, name)),
    ]


async def test_a_dossier_is_written_under_its_own_hash_and_a_repeat_finds_it() -> None:
    records = vault()
    activities = SealingActivities(platform().platform, records)
    first = await activities.write_dossier(dossier())
    assert await activities.write_dossier(dossier()) == first
    assert first.path == dossier_path(ACCOUNT, first.sha256)
    assert await records.read(first, Dossier) == dossier()
    later = await activities.write_dossier(dossier(sealed_at=AT + timedelta(minutes=1)))
    assert later.path != first.path
    assert len(await records.list("dossiers")) == 2


async def test_an_account_is_closed_for_its_request_on_its_dossier() -> None:
    stub = platform(close=Closed(closed_at=CLOSED_AT))
    input = CloseAccountInput(
        account_id=ACCOUNT,
        request_no=REQUEST,
        hold_token="hold-1",
        waivers=(Check.BALANCE,),
        dossier_sha256="e" * 64,
    )
    for _ in range(2):
        assert (await SealingActivities(stub.platform, vault()).close_account(input)).closed_at == CLOSED_AT
    request = ClosureRequest(request_id=REQUEST, hold_token="hold-1", waivers=(Check.BALANCE,), dossier_sha256="e" * 64)
    assert stub.calls == [("close", (ACCOUNT, request))] * 2


async def test_a_hold_that_lapsed_is_said_to_be() -> None:
    lapsed = GatewayError(ErrorType.HOLD_LAPSED, "lapsed", retryable=False)
    input = CloseAccountInput(
        account_id=ACCOUNT, request_no=REQUEST, hold_token="hold-1", waivers=(), dossier_sha256="e" * 64
    )
    with pytest.raises(GatewayError) as caught:
        await SealingActivities(platform(close=lapsed).platform, vault()).close_account(input)
    assert caught.value.type is ErrorType.HOLD_LAPSED
