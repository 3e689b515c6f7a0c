"""Sessions: what a cookie is worth, when it is forged, changed, over or planted."""

from datetime import UTC, datetime, timedelta

import pytest
from itsdangerous import URLSafeTimedSerializer
from pydantic import SecretStr
from starlette.responses import Response

from console.auth.roles import Principal, Role
from console.auth.sessions import COOKIE, Session, Sessions
from console.settings import ConsoleSettings
from tests.console.auth.conftest import SECRET
from tests.console.conftest import ORIGIN, Console

STAFF_PAGE = "/staff/calendar"


def _cookie(settings: ConsoleSettings, principal: Principal, began_at: datetime) -> str:
    response = Response()
    Sessions(settings).keep(Session.begin(principal, began_at), response)
    return response.headers["set-cookie"].split(";")[0].split("=", 1)[1]


async def _status(console: Console, cookie: str) -> int:
    async with console.client({"Cookie": f"{COOKIE}={cookie}"}) as client:
        return (await client.get(STAFF_PAGE)).status_code


AGENT = Principal(role=Role.AGENT, subject="agent-1")


async def test_a_session_ends_with_its_time_and_use_does_not_prolong_it(guarded: Console) -> None:
    now, life = datetime.now(UTC), guarded.settings.staff_session
    assert await _status(guarded, _cookie(guarded.settings, AGENT, now)) == 200
    assert await _status(guarded, _cookie(guarded.settings, AGENT, now - life + timedelta(minutes=1))) == 200
    assert await _status(guarded, _cookie(guarded.settings, AGENT, now - life)) == 303


async def test_an_owners_session_is_the_shorter_one(guarded: Console) -> None:
    owner = Principal(role=Role.OWNER, subject="owner-1", account_id="acct-1")
    began_at = datetime.now(UTC) - guarded.settings.owner_session
    async with guarded.client({"Cookie": f"{COOKIE}={_cookie(guarded.settings, owner, began_at)}"}) as client:
        answer = await client.get("/")
    assert answer.headers["Location"] == "/sign-in"


async def test_a_session_of_another_secret_is_none(guarded: Console) -> None:
    other = guarded.settings.model_copy(update={"secret": SecretStr("another-secret-of-forty-characters-01234")})
    assert await _status(guarded, _cookie(other, AGENT, datetime.now(UTC))) == 303


async def test_what_was_signed_for_another_purpose_is_no_session(guarded: Console) -> None:
    session = Session.begin(AGENT, datetime.now(UTC)).model_dump(mode="json")
    for salt in ("login-link", "sign-in"):
        signed = URLSafeTimedSerializer(SECRET.get_secret_value(), salt=salt).dumps(session)
        assert await _status(guarded, str(signed)) == 303


async def test_no_character_of_a_cookie_can_be_changed(guarded: Console) -> None:
    good = _cookie(guarded.settings, AGENT, datetime.now(UTC))
    for at in range(0, len(good) - 1, 7):
        other = "A" if good[at] != "A" else "B"
        assert await _status(guarded, good[:at] + other + good[at + 1 :]) == 303, at


@pytest.mark.parametrize("junk", ["", "x", ".", "..", "e30.x.y", "%00", "A" * 3000])
async def test_junk_is_no_session(guarded: Console, junk: str) -> None:
    assert await _status(guarded, junk) == 303


async def test_the_cookie_is_closed_to_scripts_other_sites_and_plain_connections(guarded: Console) -> None:
    async with guarded.client({"Origin": ORIGIN}) as client:
        answer = await client.post("/sign-in/development", data={"role": "agent", "subject": "agent-1"})
    [cookie] = answer.headers.get_list("set-cookie")
    assert cookie.startswith("__Host-session=")
    attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"path=/", "secure", "httponly", "samesite=lax", "max-age=28800"} == attributes


async def test_every_sign_in_is_a_new_session_and_a_planted_one_gains_nothing(guarded: Console) -> None:
    planted = guarded.signed_in(Role.AUDITOR, subject="attacker")
    async with planted as client:
        answer = await client.post("/sign-in/development", data={"role": "lead", "subject": "lead-1"})
        fresh = answer.headers["set-cookie"].split(";")[0].split("=", 1)[1]
        assert fresh not in client.headers["Cookie"]
        preview = await client.post("/staff/tickets/T1/preview")
    assert preview.status_code == 403, "the planted cookie is what it was"
    signer = URLSafeTimedSerializer(SECRET.get_secret_value(), salt="session")
    before, after = (
        Session.model_validate(signer.loads(c)) for c in (planted.headers["Cookie"].split("=", 1)[1], fresh)
    )
    assert before.forgery_token != after.forgery_token
    assert after.principal == Principal(role=Role.LEAD, subject="lead-1")


@pytest.mark.parametrize(("role", "where"), [(Role.OWNER, "/owner"), (Role.AGENT, "/staff"), (Role.LEAD, "/staff")])
async def test_home_sends_each_to_their_own_pages(guarded: Console, role: Role, where: str) -> None:
    async with guarded.owner("acct-1") if role is Role.OWNER else guarded.signed_in(role) as client:
        assert (await client.get("/")).headers["Location"] == where


async def test_home_sends_nobody_to_the_sign_in(guarded: Console) -> None:
    assert (await guarded.browser.get("/")).headers["Location"] == "/sign-in"


async def test_signing_out_ends_the_session_in_the_browser(guarded: Console) -> None:
    async with guarded.signed_in(Role.AGENT) as client:
        answer = await client.post("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert answer.headers["set-cookie"].startswith('__Host-session="";')
    assert "Max-Age=0" in answer.headers["set-cookie"]
