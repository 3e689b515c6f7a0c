"""The platform over HTTP, and the one place where its trouble becomes a `GatewayError`.

Nothing is retried here: in an activity Temporal does that, and anywhere else the caller decides.
"""

import asyncio
import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import ClassVar, Final, NamedTuple, Self, TypeVar
from urllib.request import getproxies, proxy_bypass

import aiohttp
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError
from yarl import URL

from domain.accounts import AccountProfile, Challenge, Hold
from domain.checks import RULES, Check, Entitlements
from domain.errors import ErrorType
from domain.model import Model, OpaqueId
from gateways.contract import (
    PROBLEM_MEDIA_TYPE,
    READS,
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
    NotificationPreview,
    PhaseReceipt,
    PhaseRunning,
    PreviewRequest,
    ProofIssued,
    Redeemed,
    RedeemRequest,
)
from gateways.errors import GatewayError
from gateways.problems import failure

A = TypeVar("A", bound=BaseModel)

MAX_ANSWER_BYTES: Final = 8 << 20
"""The longest honest answer is a list of tens of thousands of vouchers."""

_HEADERS: Final = {
    "Accept": f"application/json, {PROBLEM_MEDIA_TYPE}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}
_OPAQUE_ID: Final = TypeAdapter[str](OpaqueId)


class _Answered(NamedTuple):
    """A good answer, not read yet."""

    call: str
    """What was called, in words fit for a message."""

    status: int
    data: bytes


class _HttpGateway:
    """One base URL and one HTTP session for each group of endpoints: one that hangs takes no connection from others.

    `timeout` is for a whole call in seconds, from waiting for a connection to the last byte of the answer;
    `connections` is for each group. Raises `ValueError` when a group has no usable URL.
    """

    _groups: ClassVar[frozenset[Group]]

    def __init__(self, urls: Mapping[Group, str], *, timeout: float = 10.0, connections: int = 100) -> None:
        self._urls = {group: _base_url(group, urls.get(group, "")) for group in self._groups}
        self._timeout = timeout
        self._connections = connections
        self._sessions: dict[Group, aiohttp.ClientSession] = {}

    async def __aenter__(self) -> Self:
        self._sessions = {
            group: aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._connections, keepalive_timeout=60),
                headers=_HEADERS,
                timeout=aiohttp.ClientTimeout(total=None),
                # A session serves every account; a cookie would carry something from one to the next.
                cookie_jar=aiohttp.DummyCookieJar(),
                # Not `trust_env`: that looks in another thread, twice for each call.
                proxy=_proxy(self._urls[group]),
            )
            for group in self._groups
        }
        return self

    async def __aexit__(self, *_: object) -> None:
        for session in self._sessions.values():
            await session.close()

    async def _ask(
        self,
        answer: type[A],
        group: Group,
        endpoint: str,
        *ids: str,
        body: BaseModel | None = None,
        idempotency_key: str | None = None,
    ) -> A:
        """Call an endpoint (`PUT /accounts/{}/hold`, with an id for each `{}`) and read its answer."""
        content = body.model_dump_json() if body else None
        answered = await self._send(group, endpoint, *ids, content=content, idempotency_key=idempotency_key)
        return _read(answer, answered)

    async def _send(
        self, group: Group, endpoint: str, *ids: str, content: str | None = None, idempotency_key: str | None = None
    ) -> _Answered:
        """Call an endpoint, and insist on a good status."""
        method, path = endpoint.split(" ")
        url = self._urls[group] + path.format(*(_path_segment(endpoint, id) for id in ids))
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        call = endpoint.format(*ids)
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._sessions[group].request(
                    method, URL(url, encoded=True), data=content, headers=headers, allow_redirects=False
                ) as response,
            ):
                data = await _read_at_most(MAX_ANSWER_BYTES, response)
        except (TimeoutError, aiohttp.ClientError) as error:
            raise GatewayError(
                ErrorType.UNREACHABLE,
                f"{call}: no answer from the platform ({type(error).__name__}). It may have been carried out all the "
                "same; repeat it with the same ids.",
                retryable=True,
            ) from None
        if not 200 <= response.status < 300:
            raise failure(call, response.status, response.headers, data)
        return _Answered(call, response.status, data)


class HttpPlatform(_HttpGateway):
    """`gateways.ports.Platform`. One a process, used within `async with`: it holds the connection pools."""

    _groups = frozenset(Group)

    async def profile(self, account_id: str) -> AccountProfile:
        return await self._ask(AccountProfile, Group.IDENTITY, "GET /accounts/{}", account_id)

    async def create_challenge(self, account_id: str, request: ChallengeRequest) -> Challenge:
        endpoint = "POST /accounts/{}/challenges"
        return await self._ask(Challenge, Group.IDENTITY, endpoint, account_id, body=request)

    async def redeem_proof(self, account_id: str, request: RedeemRequest) -> Redeemed:
        return await self._ask(Redeemed, Group.IDENTITY, "POST /accounts/{}/proofs/redeem", account_id, body=request)

    async def facts(self, account_id: str, check: Check) -> Model:
        group, path = READS[check]
        return await self._ask(RULES[check].answer, group, f"GET /accounts/{{}}/{path}", account_id)

    async def entitlements(self, account_id: str) -> Entitlements:
        return await self._ask(Entitlements, Group.BILLING, "GET /accounts/{}/entitlements", account_id)

    async def take_hold(self, account_id: str, request: HoldRequest) -> Hold:
        return await self._ask(Hold, Group.CLOSURE, "PUT /accounts/{}/hold", account_id, body=request)

    async def release_hold(self, account_id: str, hold_id: str) -> None:
        answered = await self._send(Group.CLOSURE, "DELETE /accounts/{}/hold/{}", account_id, hold_id)
        # There is nothing to read, and a page of somebody's proxy is no release: what follows relies on its being one.
        if answered.status != HTTPStatus.NO_CONTENT:
            raise _unreadable(answered.call)

    async def close(self, account_id: str, request: ClosureRequest) -> Closed:
        return await self._ask(Closed, Group.CLOSURE, "POST /accounts/{}/closure", account_id, body=request)

    async def run_closure_phase(
        self, account_id: str, phase: ClosurePhase, idempotency_key: str
    ) -> PhaseReceipt | PhaseRunning:
        return await self._ask_phase("POST", account_id, phase, idempotency_key)

    async def closure_phase_status(
        self, account_id: str, phase: ClosurePhase, idempotency_key: str
    ) -> PhaseReceipt | PhaseRunning:
        return await self._ask_phase("GET", account_id, phase, idempotency_key)

    async def _ask_phase(
        self, method: str, account_id: str, phase: ClosurePhase, idempotency_key: str
    ) -> PhaseReceipt | PhaseRunning:
        endpoint = f"{method} /accounts/{{}}/closure/{phase}"
        answered = await self._send(Group.CLOSURE, endpoint, account_id, idempotency_key=idempotency_key)
        if answered.status == HTTPStatus.ACCEPTED:
            return _read(PhaseRunning, answered)
        return _read(PhaseReceipt, answered)

    async def notify_account(
        self, account_id: str, notification: AccountNotification, idempotency_key: str
    ) -> Accepted:
        endpoint = "POST /accounts/{}/notifications"
        return await self._ask(
            Accepted, Group.MESSAGING, endpoint, account_id, body=notification, idempotency_key=idempotency_key
        )

    async def notify_contact(self, notification: ContactNotification, idempotency_key: str) -> Accepted:
        return await self._ask(
            Accepted, Group.MESSAGING, "POST /notifications", body=notification, idempotency_key=idempotency_key
        )

    async def preview_notification(self, request: PreviewRequest) -> NotificationPreview:
        return await self._ask(NotificationPreview, Group.MESSAGING, "POST /notifications/preview", body=request)


class ChallengePlatform(_HttpGateway):
    """Where the owner answers a challenge. For the console and the command line: activities never see a code."""

    _groups = frozenset({Group.IDENTITY})

    async def show_challenge(self, challenge_id: str) -> ChallengeShown:
        return await self._ask(ChallengeShown, Group.IDENTITY, "GET /challenges/{}", challenge_id)

    async def answer_challenge(self, challenge_id: str, code: SecretStr) -> ProofIssued:
        """Trade the code for a single-use proof. A refusal carries `tries_left` in its details."""
        # Not by `contract.CodeAnswer`, which masks the code whenever it is written out.
        content = json.dumps({"code": code.get_secret_value()})
        endpoint = "POST /challenges/{}/answers"
        return _read(ProofIssued, await self._send(Group.IDENTITY, endpoint, challenge_id, content=content))


def _base_url(group: Group, url: str) -> str:
    parsed = URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"The platform's base URL for {group} must be an http or https URL with a host; set it.")
    return url.rstrip("/")


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for a URL (`HTTPS_PROXY`, `NO_PROXY`), as every program has it."""
    parsed = URL(url)
    assert parsed.host is not None
    return None if proxy_bypass(parsed.host) else getproxies().get(parsed.scheme)


def _path_segment(endpoint: str, value: str) -> str:
    """An opaque id needs no quoting and cannot be `..`. Anything else is neither sent nor repeated in a message."""
    try:
        return _OPAQUE_ID.validate_python(value)
    except ValidationError:
        raise GatewayError(
            ErrorType.REQUEST_INVALID,
            f"{endpoint}: not called, since an id is not opaque (letters, digits, '.', '_' and '-', at most 64). "
            "Check it and try again.",
            retryable=False,
        ) from None


async def _read_at_most(limit: int, response: aiohttp.ClientResponse) -> bytes:
    """The answer, cut off soon after `limit` bytes: what is too long then fails to parse, like any other garbage."""
    data = bytearray()
    async for chunk in response.content.iter_any():
        data += chunk
        if len(data) > limit:
            break
    return bytes(data)


def _read(answer: type[A], answered: _Answered) -> A:
    try:
        # Strictly: a phone number in place of a count is garbage, however well it converts.
        return answer.model_validate_json(answered.data, strict=True)
    except ValidationError:
        raise _unreadable(answered.call) from None


def _unreadable(call: str) -> GatewayError:
    return GatewayError(
        ErrorType.ANSWER_UNREADABLE,
        f"{call}: the platform's answer does not follow the contract. The call may have been carried out; repeat it "
        "with the same ids, and if this lasts, compare the platform's version with docs/platform-contract.yaml.",
        retryable=True,
    )
