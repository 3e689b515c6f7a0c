import gzip
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from devtools.benchmarks.instant import nothing
from domain.accounts import AccountKind, AccountProfile, AccountStatus, Challenge, Channel, Hold, RealNameType
from domain.checks import Check, Entitlements
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notifications import Template
from gateways.contract import (
    CLOSURE_PHASES,
    PROBLEM_STATUS,
    READS,
    RETRYABLE_PROBLEMS,
    Accepted,
    AccountNotification,
    ChallengeRequest,
    ChallengeShown,
    Closed,
    ClosurePhase,
    ClosureRequest,
    ContactNotification,
    Group,
    HoldRequest,
    MessageText,
    NotificationPreview,
    PhaseReceipt,
    PhaseRunning,
    PreviewRequest,
    Redeemed,
    RedeemRequest,
    TicketContact,
)
from gateways.errors import GatewayError
from gateways.platform import MAX_ANSWER_BYTES, ChallengePlatform, HttpPlatform
from gateways.ports import Platform
from gateways.problems import MAX_RETRY_AFTER
from simulator.store import SimulatorStore
from tests.gateways.upstream import BALANCE, DROP, HANG, SECRET, Upstream, answer, problem, refused

NOW = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)


@pytest.fixture(scope="module")
async def challenges(server: Upstream) -> AsyncIterator[ChallengePlatform]:
    async with ChallengePlatform({Group.IDENTITY: server.urls[Group.IDENTITY]}, timeout=60) as challenges:
        yield challenges


@dataclass(frozen=True)
class Row:
    """One call of the port, and what it must be on the wire."""

    call: Callable[[Platform], Awaitable[object]]
    answer: Any
    wire: str
    key: str | None = None
    body: dict[str, Any] | None = None


PROFILE = AccountProfile(
    account_id="a-1",
    kind=AccountKind.MAIN,
    real_name_type=RealNameType.ENTERPRISE,
    channels=(Channel.PHONE,),
    status=AccountStatus.ACTIVE,
    restricted=False,
)
NOTICE = AccountNotification(template=Template.ACCOUNT_CLOSED, locale=Locale.ZH, params={"request_no": "C1"})
CLOSURE = ClosureRequest(request_id="C1", hold_token="h-1", waivers=(Check.BALANCE,), dossier_sha256="0" * 64)
TO_CONTACT = ContactNotification(
    template=Template.TICKET_FILED,
    locale=Locale.EN,
    params={},
    contact=TicketContact(email=SECRET, phone="+8613800138000"),
)


def facts_row(check: Check) -> Row:
    """Each number is another one, so that none can be taken for another."""
    group, path = READS[check]
    clean = nothing(check)
    numbered = {field: n for n, (field, value) in enumerate(clean, 1) if isinstance(value, int)}
    return Row(lambda p: p.facts("a-1", check), clean.model_copy(update=numbered), f"GET /{group}/accounts/a-1/{path}")


def closure_phase_row(phase: ClosurePhase) -> Row:
    return Row(
        lambda p: p.run_closure_phase("a-1", phase, "account-deletion-a-1:x"),
        PhaseReceipt(counts={"access_keys": 2}, already_gone=False, completed_at=NOW),
        f"POST /closure/accounts/a-1/closure/{phase}",
        key="account-deletion-a-1:x",
    )


def phase_status_row(phase: ClosurePhase) -> Row:
    return Row(
        lambda p: p.closure_phase_status("a-1", phase, "account-deletion-a-1:x"),
        PhaseReceipt(counts={}, already_gone=True, completed_at=NOW),
        f"GET /closure/accounts/a-1/closure/{phase}",
        key="account-deletion-a-1:x",
    )


CONTRACT = [
    Row(lambda p: p.profile("a-1"), PROFILE, "GET /identity/accounts/a-1"),
    Row(
        lambda p: p.create_challenge("a-1", ChallengeRequest(channel=Channel.EMAIL, request_id="C1")),
        Challenge(challenge_id="ch-1", expires_at=NOW, resend_after=NOW),
        "POST /identity/accounts/a-1/challenges",
        body={"channel": "EMAIL", "request_id": "C1"},
    ),
    Row(
        lambda p: p.redeem_proof("a-1", RedeemRequest(challenge_id="ch-1", proof="pr-1", request_id="C1")),
        Redeemed(verified_at=NOW, channel=Channel.EMAIL),
        "POST /identity/accounts/a-1/proofs/redeem",
        body={"challenge_id": "ch-1", "proof": "pr-1", "request_id": "C1"},
    ),
    *(facts_row(check) for check in Check),
    Row(lambda p: p.entitlements("a-1"), Entitlements(items=()), "GET /billing/accounts/a-1/entitlements"),
    Row(
        lambda p: p.take_hold("a-1", HoldRequest(request_id="C1", ttl_seconds=60)),
        Hold(hold_token="h-1", expires_at=NOW),
        "PUT /closure/accounts/a-1/hold",
        body={"request_id": "C1", "ttl_seconds": 60},
    ),
    Row(lambda p: p.release_hold("a-1", "C1"), None, "DELETE /closure/accounts/a-1/hold/C1"),
    Row(
        lambda p: p.close("a-1", CLOSURE),
        Closed(closed_at=NOW),
        "POST /closure/accounts/a-1/closure",
        body={"request_id": "C1", "hold_token": "h-1", "waivers": ["BALANCE"], "dossier_sha256": "0" * 64},
    ),
    *(closure_phase_row(phase) for phase in CLOSURE_PHASES),
    *(phase_status_row(phase) for phase in CLOSURE_PHASES),
    Row(
        lambda p: p.notify_account("a-1", NOTICE, "key-1"),
        Accepted(delivered=2),
        "POST /messaging/accounts/a-1/notifications",
        key="key-1",
        body={"template": "ACCOUNT_CLOSED", "locale": "zh-CN", "params": {"request_no": "C1"}},
    ),
    Row(
        lambda p: p.notify_contact(TO_CONTACT, "key-2"),
        Accepted(delivered=1),
        "POST /messaging/notifications",
        key="key-2",
        body={
            "template": "TICKET_FILED",
            "locale": "en",
            "params": {},
            "contact": {"kind": "ticket", "email": SECRET, "phone": "+8613800138000"},
        },
    ),
    Row(
        lambda p: p.preview_notification(PreviewRequest(template=Template.TICKET_FILED, params={"ticket_no": "T1"})),
        NotificationPreview(texts={locale: MessageText(subject="s", text=f"in {locale}") for locale in Locale}),
        "POST /messaging/notifications/preview",
        body={"template": "TICKET_FILED", "params": {"ticket_no": "T1"}},
    ),
]


@pytest.mark.parametrize("row", CONTRACT, ids=lambda row: row.wire)
async def test_a_call_goes_to_its_groups_url_and_its_answer_is_read(
    row: Row, upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = answer(204) if row.answer is None else answer(200, row.answer.model_dump_json().encode())
    assert await row.call(platform) == row.answer
    (request,) = upstream.requests
    assert f"{request.method} {request.path}" == row.wire
    assert request.headers.get("idempotency-key") == row.key
    assert (json.loads(request.body) if request.body else None) == row.body


@pytest.mark.parametrize("phase", CLOSURE_PHASES)
async def test_long_work_is_told_from_done_work_by_the_status(
    phase: ClosurePhase, upstream: Upstream, platform: Platform
) -> None:
    running = {"poll_after_seconds": 90}
    receipt = {"counts": {}, "already_gone": False, "completed_at": NOW.isoformat()}
    unreadable = (
        answer(200, running),
        answer(202, receipt),
        answer(202, {"poll_after_seconds": 0}),
        answer(200, {**receipt, "counts": {f"kind-{n}": 1 for n in range(101)}}),
    )
    for ask in (platform.run_closure_phase, platform.closure_phase_status):
        upstream.reply = answer(202, running)
        assert await ask("a-1", phase, "k") == PhaseRunning(poll_after_seconds=90)
        for upstream.reply in unreadable:
            assert (await refused(ask("a-1", phase, "k"))).type is ErrorType.ANSWER_UNREADABLE


@pytest.mark.parametrize(
    "texts",
    [
        pytest.param({}, id="none"),
        pytest.param({"en": {"subject": "s", "text": "t"}}, id="one language"),
        pytest.param({"en": {"subject": "s", "text": "t"}, "fr": {"subject": "s", "text": "t"}}, id="another language"),
        pytest.param({locale: {"subject": "s", "text": "t" * 5001} for locale in Locale}, id="too long for a message"),
    ],
)
async def test_a_preview_that_lacks_a_language_or_is_no_message_is_unreadable(
    texts: dict[str, Any], upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = answer(200, {"texts": texts})
    ask = platform.preview_notification(PreviewRequest(template=Template.TICKET_FILED, params={}))
    assert (await refused(ask)).type is ErrorType.ANSWER_UNREADABLE


async def test_the_simulator_words_a_preview_in_every_language_and_sends_nothing(
    simulator: tuple[str, SimulatorStore],
) -> None:
    url, store = simulator
    params = {"ticket_no": "T-preview", "reasons": "DISPUTE_OPEN"}
    async with HttpPlatform(dict.fromkeys(Group, url)) as platform:
        preview = await platform.preview_notification(PreviewRequest(template=Template.TICKET_REJECTED, params=params))
    assert preview.texts[Locale.EN].subject == "Cancellation not approved"
    assert "T-preview was not approved. Reasons: a dispute is open." in preview.texts[Locale.EN].text
    assert "T-preview 未通过审核，原因：存在未了结的纠纷。" in preview.texts[Locale.ZH].text
    assert [message for message in await store.outbox() if "T-preview" in message.text] == []


async def test_a_page_in_place_of_an_answer_is_no_release(upstream: Upstream, platform: Platform) -> None:
    upstream.reply = answer(200, b"<html>It works!</html>")
    error = await refused(platform.release_hold("a-1", "C1"))
    assert (error.type, error.retryable) == (ErrorType.ANSWER_UNREADABLE, True)


@pytest.mark.parametrize("row", CONTRACT, ids=lambda row: row.wire)
async def test_every_call_maps_trouble_in_the_same_way(row: Row, upstream: Upstream, platform: Platform) -> None:
    upstream.reply = answer(503)
    error = await refused(row.call(platform))
    assert (error.type, error.retryable) == (ErrorType.SERVICE_UNAVAILABLE, True)
    assert "h-1" not in str(error)


@pytest.mark.parametrize("type", PROBLEM_STATUS)
async def test_a_problem_that_the_contract_names_is_told_by_its_type(
    type: ErrorType, upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = problem(PROBLEM_STATUS[type], type, detail=f"about {SECRET}")
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.type, error.retryable) == (type, type in RETRYABLE_PROBLEMS)
    assert str(error).startswith(f"GET /accounts/a-1/balance: the platform answered {PROBLEM_STATUS[type]}")


async def test_the_type_of_a_problem_counts_for_more_than_its_status(upstream: Upstream, platform: Platform) -> None:
    upstream.reply = problem(500, ErrorType.HOLD_LAPSED)
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.type, error.retryable) == (ErrorType.HOLD_LAPSED, False)


@pytest.mark.parametrize(
    ("status", "type", "retryable"),
    [
        *((status, ErrorType.UNEXPECTED_ANSWER, False) for status in (301, 302, 400, 404, 405, 409, 422)),
        *((status, ErrorType.CREDENTIALS_REFUSED, True) for status in (401, 403)),
        *((status, ErrorType.SERVICE_UNAVAILABLE, True) for status in (408, 425, 500, 502, 503, 504)),
        (429, ErrorType.RATE_LIMITED, True),
    ],
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>gateway</html>",
        b'{"type": "urn:somebody:else", "title": "t", "status": 1}',
        b'{"type": "AccountUnknown", "title": "t", "status": 404}',
        # A type of this service's own, which no platform has to give.
        b'{"type": "urn:account-platform:problem:WrongPhase", "title": "t", "status": 409}',
    ],
)
async def test_any_other_failure_is_told_by_its_status(
    status: int, type: ErrorType, retryable: bool, body: bytes, upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = answer(status, body)
    error = await refused(platform.profile("a-1"))
    assert (error.type, error.retryable) == (type, retryable)


async def test_a_refused_credential_is_ours_to_put_right_and_says_nothing_of_the_account(
    upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = answer(403, b"no", Retry_After="9")
    error = await refused(platform.close("a-1", CLOSURE))
    assert (error.type, error.retryable, error.retry_after) == (
        ErrorType.CREDENTIALS_REFUSED,
        True,
        timedelta(seconds=9),
    )
    assert "credential" in str(error)
    upstream.reply = problem(403, ErrorType.ACCOUNT_NOT_CLOSABLE)
    error = await refused(platform.close("a-1", CLOSURE))
    assert (error.type, error.retryable) == (ErrorType.ACCOUNT_NOT_CLOSABLE, False)


async def test_an_unknown_account_is_final(upstream: Upstream, platform: Platform) -> None:
    upstream.reply = problem(404, ErrorType.ACCOUNT_UNKNOWN)
    error = await refused(platform.profile("a-1"))
    assert (error.type, error.retryable) == (ErrorType.ACCOUNT_UNKNOWN, False)


async def test_tries_and_seconds_left_are_in_the_details(upstream: Upstream, challenges: ChallengePlatform) -> None:
    upstream.reply = problem(422, ErrorType.CODE_WRONG, tries_left=3)
    error = await refused(challenges.answer_challenge("ch-1", SecretStr("000000")))
    assert error.details == {"tries_left": 3}
    upstream.reply = problem(409, ErrorType.RESEND_TOO_SOON, retry_after_seconds=42)
    error = await refused(challenges.show_challenge("ch-1"))
    assert error.details == {"retry_after_seconds": 42}
    # The waiting is the owner's to do: nothing may repeat this by itself.
    assert (error.retryable, error.retry_after) == (False, None)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Retry-After": "7"}, timedelta(seconds=7)),
        ({"Retry-After": "0"}, timedelta(0)),
        ({"Retry-After": "999999999999"}, MAX_RETRY_AFTER),
        (
            {"Retry-After": "Fri, 20 Nov 2026 08:30:30 GMT", "Date": "Fri, 20 Nov 2026 08:30:00 GMT"},
            timedelta(seconds=30),
        ),
        ({"Retry-After": "Fri, 20 Nov 2026 08:00:00 GMT", "Date": "Fri, 20 Nov 2026 08:30:00 GMT"}, timedelta(0)),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, MAX_RETRY_AFTER),
        ({"Retry-After": "soon"}, None),
        ({"Retry-After": "-5"}, None),
        ({}, None),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_honoured_in_both_its_forms(
    status: int, headers: dict[str, str], expected: timedelta | None, upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = answer(status, b"", **{name.replace("-", "_"): value for name, value in headers.items()})
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert error.retry_after == expected
    # Where it travels on to: only the details reach whoever asked.
    assert error.details == ({} if expected is None else {"retry_after_seconds": int(expected.total_seconds())})


async def test_without_the_header_a_retryable_problems_own_seconds_count(
    upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = problem(429, ErrorType.RATE_LIMITED, retry_after_seconds=11)
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.retry_after, error.details) == (timedelta(seconds=11), {"retry_after_seconds": 11})
    upstream.reply = problem(429, ErrorType.RATE_LIMITED, {"Retry_After": "3"}, retry_after_seconds=11)
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.retry_after, error.details) == (timedelta(seconds=3), {"retry_after_seconds": 3})


def test_a_part_of_a_second_to_wait_is_told_as_a_whole_one() -> None:
    error = GatewayError(
        ErrorType.RATE_LIMITED, "busy", retryable=True, retry_after=timedelta(seconds=1, milliseconds=1), tries_left=2
    )
    assert error.details == {"tries_left": 2, "retry_after_seconds": 2}


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(DROP, id="connection dropped without an answer"),
        pytest.param(answer(200, BALANCE)[:-10], id="dropped in the middle of the answer"),
        pytest.param(answer(503, b"x" * 100)[:-10], id="dropped in the middle of an error"),
        pytest.param(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"av', id="dropped in a chunk"),
        pytest.param(b"SSH-2.0-OpenSSH_9.2\r\n", id="another protocol"),
        pytest.param(b"\x00\xff" * 500 + b"\r\n\r\n", id="garbage"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n{}", id="malformed header"),
        pytest.param(answer(200, b"not gzip", Content_Encoding="gzip"), id="a lie about compression"),
    ],
)
async def test_a_broken_answer_is_worth_another_try(reply: bytes, upstream: Upstream, platform: Platform) -> None:
    upstream.reply = reply
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.type, error.retryable) == (ErrorType.UNREACHABLE, True)
    assert "a-1" in str(error)


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(answer(200, b"not json"), id="not JSON"),
        pytest.param(answer(200), id="empty"),
        pytest.param(answer(200, b"[]"), id="another shape"),
        pytest.param(answer(200, {**BALANCE, "frozen_fen": -1}), id="a value out of range"),
        pytest.param(answer(200, {**BALANCE, "frozen_fen": 1.5}), id="money as a float"),
        pytest.param(answer(200, {**BALANCE, "owner": SECRET}), id="a member that the contract does not have"),
        pytest.param(answer(200, {"owner": SECRET}), id="another answer"),
        pytest.param(answer(200, b"\xff\xfe"), id="not UTF-8"),
    ],
)
async def test_a_good_status_with_a_bad_body_is_unreadable(
    reply: bytes, upstream: Upstream, platform: Platform
) -> None:
    upstream.reply = reply
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert (error.type, error.retryable) == (ErrorType.ANSWER_UNREADABLE, True)


@pytest.mark.parametrize("compressed", [False, True])
async def test_an_answer_is_not_read_beyond_its_limit(compressed: bool, upstream: Upstream, platform: Platform) -> None:
    """The rest never comes, so that only an adapter which stops reading gets to the end of this test."""
    body = json.dumps({**BALANCE, "padding": "x" * (4 * MAX_ANSWER_BYTES)}).encode()
    if compressed:
        upstream.reply = answer(200, gzip.compress(body), Content_Encoding="gzip")
    else:
        upstream.reply = answer(200, body)[: 2 * MAX_ANSWER_BYTES] + HANG
    error = await refused(platform.facts("a-1", Check.BALANCE))
    assert error.type is ErrorType.ANSWER_UNREADABLE


@pytest.mark.parametrize(
    "account_id",
    ["", ".", "..", "../admin", "a/b", "a?b=c", "a#b", "a%2Fb", "张三", SECRET, "+8613800138000", "x" * 65],
)
async def test_what_is_not_an_opaque_id_is_neither_sent_nor_repeated(
    account_id: str, upstream: Upstream, platform: Platform, challenges: ChallengePlatform
) -> None:
    for call in (
        platform.profile(account_id),
        platform.release_hold("a-1", account_id),
        challenges.show_challenge(account_id),
    ):
        error = await refused(call)
        assert (error.type, error.retryable) == (ErrorType.REQUEST_INVALID, False)
        assert len(account_id) < 3 or account_id not in str(error)
    assert upstream.requests == []


async def test_the_code_goes_to_the_platform_and_nowhere_else(
    upstream: Upstream, challenges: ChallengePlatform
) -> None:
    upstream.reply = answer(200, {"proof": "pr-1"})
    assert (await challenges.answer_challenge("ch-1", SecretStr("135790"))).proof == "pr-1"
    (request,) = upstream.requests
    assert (request.method, request.path) == ("POST", "/identity/challenges/ch-1/answers")
    assert json.loads(request.body) == {"code": "135790"}
    upstream.reply = problem(422, ErrorType.CODE_WRONG, detail="135790 is wrong", tries_left=4)
    error = await refused(challenges.answer_challenge("ch-1", SecretStr("135790")))
    assert "135790" not in str(error)


async def test_a_challenge_is_shown_with_its_masked_destination(
    upstream: Upstream, challenges: ChallengePlatform
) -> None:
    shown = ChallengeShown(masked_destination="138****8000", tries_left=5, expires_at=NOW, resend_after=NOW)
    upstream.reply = answer(200, shown.model_dump_json().encode())
    assert await challenges.show_challenge("ch-1") == shown


def test_activities_cannot_reach_the_challenge_desk_through_their_port() -> None:
    own = {name for name in vars(ChallengePlatform) if not name.startswith("_")}
    assert own == {"show_challenge", "answer_challenge"}
    assert not any(hasattr(Platform, name) or hasattr(HttpPlatform, name) for name in own)
