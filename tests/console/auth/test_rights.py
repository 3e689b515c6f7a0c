"""Every route with every role and with none, in the whole application; and the table of it in docs/security.md."""

import re
from datetime import UTC, datetime

import httpx2
import pytest

from console.app import GatedRoute, create_app, gated_routes
from console.auth.authorization import API
from console.auth.roles import ACCESS, EVERYBODY, Role, may
from console.settings import ConsoleSettings
from tests.console.auth.conftest import Issuer
from tests.console.auth.permissions_document import renewed
from tests.console.conftest import ORIGIN, Console
from tests.docs.documents import ROOT

SAFE = {"GET", "HEAD"}
WAYS_IN_AND_OUT = {"sign_in_for_development", "use_login_link", "sign_out"}
ACCOUNT = "acct-of-nobody"

ROUTES = gated_routes(create_app(ConsoleSettings(development_sign_in=True), lambda: pytest.fail("not opened")))
CALLS = [(method, route) for route in ROUTES for method in route.methods]


def _name(value: object) -> str:
    if isinstance(value, GatedRoute):
        return value.path
    return str(value) if value else "nobody"


def _path(route: GatedRoute) -> str:
    return re.sub(r"\{[^}]+\}", lambda part: ACCOUNT if part[0] == "{account_id}" else "1", route.path)


def _on_pages(console: Console, role: Role | None) -> httpx2.AsyncClient:
    match role:
        case None:
            return console.client({"Origin": ORIGIN})
        case Role.OWNER:
            return console.owner(ACCOUNT)
        case _:
            return console.signed_in(role)


def _on_api(console: Console, issuer: Issuer, role: Role | None) -> httpx2.AsyncClient:
    token = issuer.token(datetime.now(UTC), f"cancellation:{role}")
    return console.client({"Authorization": f"Bearer {token}"} if role else {})


def _is_refused(answer: httpx2.Response, route: GatedRoute) -> bool:
    sent_to_sign_in = answer.status_code == 303 and answer.headers["Location"] == "/sign-in"
    return answer.status_code in (401, 403) or (sent_to_sign_in and ACCESS[route.name] is not EVERYBODY)


@pytest.mark.parametrize("role", [*Role, None], ids=_name)
@pytest.mark.parametrize(("method", "route"), CALLS, ids=_name)
async def test_a_route_answers_those_whom_the_table_names_and_refuses_all_others(
    shared: Console, issuer: Issuer, method: str, route: GatedRoute, role: Role | None
) -> None:
    of_api = route.path.startswith(API)
    # No token can name an owner: to the API they are nobody.
    seen = None if of_api and role is Role.OWNER else role
    async with _on_api(shared, issuer, role) if of_api else _on_pages(shared, role) as client:
        answer = await client.request(method, _path(route))
    if may(seen, route.name):
        assert not _is_refused(answer, route), answer.text
    elif seen:
        assert answer.status_code == 403
    else:
        assert answer.status_code == (303 if method == "GET" and not of_api else 401)
        assert _is_refused(answer, route)


@pytest.mark.parametrize(("method", "route"), CALLS, ids=_name)
async def test_the_api_takes_no_session_and_a_page_no_token(
    shared: Console, issuer: Issuer, method: str, route: GatedRoute
) -> None:
    if ACCESS[route.name] is EVERYBODY:
        return
    of_api = route.path.startswith(API)
    for role in Role:
        async with _on_pages(shared, role) if of_api else _on_api(shared, issuer, role) as client:
            answer = await client.request(method, _path(route))
        assert _is_refused(answer, route)
        assert answer.status_code != 403, "somebody was seen"


def test_an_auditor_can_change_nothing() -> None:
    changing = {route.name for method, route in CALLS if method not in SAFE}
    assert {route for route in changing if may(Role.AUDITOR, route)} == WAYS_IN_AND_OUT


def test_nobody_can_change_anything_but_come_in() -> None:
    changing = {route.name for method, route in CALLS if method not in SAFE}
    assert {route for route in changing if may(None, route)} == WAYS_IN_AND_OUT


def test_an_owner_sees_the_owners_pages_and_what_is_public_only() -> None:
    closed = {route.path for _, route in CALLS if may(Role.OWNER, route.name) and not may(None, route.name)}
    assert closed
    assert all(path.startswith("/owner") for path in closed)


def test_every_route_is_in_the_table_and_nothing_else_is() -> None:
    assert {route.name for route in ROUTES} == set(ACCESS)


def test_the_documents_table_is_in_step() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    assert renewed(text) == text, "run: python -m tests.console.auth.permissions_document docs/security.md"


def test_only_static_files_and_the_description_of_the_api_lie_beyond_the_gate() -> None:
    app = create_app(ConsoleSettings(development_sign_in=True), lambda: pytest.fail("not opened"))
    gated = {route.path for route in ROUTES}
    beyond = {path for route in app.routes if (path := getattr(route, "path", None)) and path not in gated}
    assert beyond == {"/static", "/api/v1/openapi.json"}
