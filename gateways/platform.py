"""The platform over HTTP (design, section 6), and the one place where its trouble becomes a `GatewayError`.

Nothing is retried here: in an activity Temporal does that, and anywhere else the caller decides.
"""

import asyncio
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import ClassVar, Final, Self, TypeVar

import httpx2
from pydantic import BaseModel, SecretStr, TypeAdapter, ValidationError

from domain.accounts import AccountProfile
from domain.checks import Arrears, Balance, Entitlements, IcpFilings, ProviderRoles, Resources
from domain.errors import ErrorType
from domain.model import OpaqueId
from gateways.contract import (
    PROBLEM_MEDIA_TYPE,
    RETRYABLE_PROBLEMS,
    Accepted,
    AccountNotification,
    ChallengeCreated,
    ChallengeRequest,
    ChallengeShown,
    Closed,
    ClosurePhase,
    ClosureRequest,
    ContactNotification,
    Group,
    Hold,
    HoldRequest,
    PhaseReceipt,
    Problem,
    ProofIssued,
    Redeemed,
    RedeemRequest,
)
from gateways.errors import GatewayError

A = TypeVar("A", bound=BaseModel)

MAX_ANSWER_BYTES: Final = 1 << 20
MAX_RETRY_AFTER: Final = timedelta(hours=1)
"""However long the other side asks to be left alone: a request must not sleep for a year on a typing error."""

_HEADERS: Final = {
    "Accept": f"application/json, {PROBLEM_MEDIA_TYPE}",
    "Accept-Encoding": "identity",
    "Content-Type": "application/json",
}
_OPAQUE_ID: Final = TypeAdapter[str](OpaqueId)


class _HttpGateway:
    """One base URL and one HTTP client for each group of endpoints: one that hangs takes no connection from the others.

    `timeout` is for a whole call in seconds, from waiting for a connection to the last byte of the answer.
    Raises `ValueError` when a group has no usable URL.
    """

    _groups: ClassVar[frozenset[Group]]

    def __init__(
        self, urls: Mapping[Group, str], *, timeout: float = 10.0, limits: httpx2.Limits | None = None
    ) -> None:
        self._urls = {group: _base_url(group, urls.get(group, "")) for group in self._groups}
        self._timeout = timeout
        limits = limits or httpx2.Limits(max_connections=100, max_keepalive_connections=20)
        # The clients serve every account; a cookie would carry something from one to the next.
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        tls = httpx2.create_ssl_context()  # once: it reads all the certificates of the machine
        self._clients = {
            group: httpx2.AsyncClient(verify=tls, headers=_HEADERS, limits=limits, timeout=None, cookies=no_cookies)
            for group in self._groups
        }

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        for client in self._clients.values():
            await client.aclose()

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
        return _read(answer, *await self._send(group, endpoint, *ids, content=content, idempotency_key=idempotency_key))

    async def _send(
        self, group: Group, endpoint: str, *ids: str, content: str | None = None, idempotency_key: str | None = None
    ) -> tuple[bytes, str]:
        """The body of a good answer, and the call in words fit for a message."""
        method, path = endpoint.split(" ")
        url = self._urls[group] + path.format(*(_path_segment(endpoint, id) for id in ids))
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        # Only the first id: the second, where there is one, is a token.
        call = endpoint.format(*ids[:1], "...")
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._clients[group].stream(method, url, content=content, headers=headers) as response,
            ):
                data = await _read_at_most(MAX_ANSWER_BYTES, response)
        except (TimeoutError, httpx2.TransportError) as error:
            raise GatewayError(
                ErrorType.UNREACHABLE,
                f"{call}: no answer from the platform ({type(error).__name__}). It may have been carried out all the "
                "same; repeat it with the same ids.",
                retryable=True,
            ) from None
        except httpx2.DecodingError:
            raise _unreadable(call) from None
        if not response.is_success:
            raise _failure(call, response, data)
        return data, call


class HttpPlatform(_HttpGateway):
    """`gateways.ports.Platform`. One a process: it holds the connection pool. Closed by `aclose` or `async with`."""

    _groups = frozenset(Group)

    async def profile(self, account_id: str) -> AccountProfile:
        return await self._ask(AccountProfile, Group.IDENTITY, "GET /accounts/{}", account_id)

    async def create_challenge(self, account_id: str, request: ChallengeRequest) -> ChallengeCreated:
        endpoint = "POST /accounts/{}/challenges"
        return await self._ask(ChallengeCreated, Group.IDENTITY, endpoint, account_id, body=request)

    async def redeem_proof(self, account_id: str, request: RedeemRequest) -> Redeemed:
        return await self._ask(Redeemed, Group.IDENTITY, "POST /accounts/{}/proofs/redeem", account_id, body=request)

    async def balance(self, account_id: str) -> Balance:
        return await self._ask(Balance, Group.BILLING, "GET /accounts/{}/balance", account_id)

    async def arrears(self, account_id: str) -> Arrears:
        return await self._ask(Arrears, Group.BILLING, "GET /accounts/{}/arrears", account_id)

    async def provider_roles(self, account_id: str) -> ProviderRoles:
        return await self._ask(ProviderRoles, Group.MARKETPLACE, "GET /accounts/{}/provider-roles", account_id)

    async def icp_filings(self, account_id: str) -> IcpFilings:
        return await self._ask(IcpFilings, Group.ICP, "GET /accounts/{}/icp-filings", account_id)

    async def resources(self, account_id: str) -> Resources:
        return await self._ask(Resources, Group.RESOURCES, "GET /accounts/{}/resources", account_id)

    async def entitlements(self, account_id: str) -> Entitlements:
        return await self._ask(Entitlements, Group.BILLING, "GET /accounts/{}/entitlements", account_id)

    async def take_hold(self, account_id: str, request: HoldRequest) -> Hold:
        return await self._ask(Hold, Group.CLOSURE, "PUT /accounts/{}/hold", account_id, body=request)

    async def release_hold(self, account_id: str, hold_token: str) -> None:
        await self._send(Group.CLOSURE, "DELETE /accounts/{}/hold/{}", account_id, hold_token)

    async def close(self, account_id: str, request: ClosureRequest) -> Closed:
        return await self._ask(Closed, Group.CLOSURE, "POST /accounts/{}/closure", account_id, body=request)

    async def run_closure_phase(self, account_id: str, phase: ClosurePhase, idempotency_key: str) -> PhaseReceipt:
        endpoint = f"POST /accounts/{{}}/closure/{phase}"
        return await self._ask(PhaseReceipt, Group.CLOSURE, endpoint, account_id, idempotency_key=idempotency_key)

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


class ChallengeDesk(_HttpGateway):
    """Where the owner answers a challenge. For the console and the command line: activities never see a code."""

    _groups = frozenset({Group.IDENTITY})

    async def show_challenge(self, challenge_id: str) -> ChallengeShown:
        return await self._ask(ChallengeShown, Group.IDENTITY, "GET /challenges/{}", challenge_id)

    async def answer_challenge(self, challenge_id: str, code: SecretStr) -> ProofIssued:
        """Trade the code for a single-use proof. A refusal carries `tries_left` in its details."""
        # Not by `contract.CodeAnswer`, which masks the code whenever it is written out.
        content = json.dumps({"code": code.get_secret_value()})
        endpoint = "POST /challenges/{}/answers"
        return _read(ProofIssued, *await self._send(Group.IDENTITY, endpoint, challenge_id, content=content))


def _base_url(group: Group, url: str) -> str:
    parsed = httpx2.URL(url)
    if parsed.scheme not in ("http", "https") or not parsed.host:
        raise ValueError(f"The platform's base URL for {group} must be an http or https URL with a host; set it.")
    return url.rstrip("/")


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


async def _read_at_most(limit: int, response: httpx2.Response) -> bytes:
    """The answer, cut off soon after `limit` bytes: what is too long then fails to parse, like any other garbage."""
    data = bytearray()
    async for chunk in response.aiter_bytes():
        data += chunk
        if len(data) > limit:
            break
    return bytes(data)


def _read(answer: type[A], data: bytes, call: str) -> A:
    try:
        # Strictly: a phone number in place of a count is garbage, however well it converts.
        return answer.model_validate_json(data, strict=True)
    except ValidationError:
        raise _unreadable(call) from None


def _unreadable(call: str) -> GatewayError:
    return GatewayError(
        ErrorType.ANSWER_UNREADABLE,
        f"{call}: the platform's answer does not follow the contract. The call may have been carried out; repeat it "
        "with the same ids, and if this lasts, compare the platform's version with docs/platform-contract.yaml.",
        retryable=True,
    )


def _failure(call: str, response: httpx2.Response, data: bytes) -> GatewayError:
    """A refusal or a breakdown: by the problem's type where the contract names it, else by the status."""
    problem = _problem(data)
    type = (problem and problem.error_type) or _type_of_status(response.status_code)
    retryable = type in RETRYABLE_PROBLEMS
    return GatewayError(
        type,
        f"{call}: the platform answered {response.status_code} ({type}). {_next_step(type)}",
        retryable=retryable,
        retry_after=_retry_after(response.headers, problem) if retryable else None,
        **(problem.model_dump(include={"tries_left", "retry_after_seconds"}, exclude_none=True) if problem else {}),
    )


def _problem(data: bytes) -> Problem | None:
    try:
        return Problem.model_validate_json(data)
    except ValidationError:
        return None


def _type_of_status(status: int) -> ErrorType:
    if status == 429:
        return ErrorType.RATE_LIMITED
    # 408 Request Timeout and 425 Too Early heal by themselves, like every 5xx.
    if status >= 500 or status in (408, 425):
        return ErrorType.SERVICE_UNAVAILABLE
    return ErrorType.UNEXPECTED_ANSWER


_NEXT_STEPS: Final = {
    ErrorType.ACCOUNT_UNKNOWN: "Check the account id.",
    ErrorType.ACCOUNT_NOT_CLOSABLE: "Check the account's kind and state at the platform.",
    ErrorType.CHANNEL_NOT_VERIFIED: "Choose a channel that is verified.",
    ErrorType.CODE_WRONG: "Enter the code again.",
    ErrorType.RESEND_TOO_SOON: "Wait, then ask for a new code.",
    ErrorType.DAILY_CODE_LIMIT: "Ask for a new code tomorrow.",
    ErrorType.PROOF_INVALID: "Answer the challenge again.",
    ErrorType.CHALLENGE_UNKNOWN: "Ask for a new code.",
    ErrorType.CODE_EXPIRED: "Ask for a new code.",
    ErrorType.CODE_LOCKED: "Ask for a new code.",
    ErrorType.PROOF_USED: "Ask for a new code.",
    ErrorType.PROOF_EXPIRED: "Ask for a new code.",
    ErrorType.HOLD_LAPSED: "Take a new hold and check again.",
    ErrorType.IDEMPOTENCY_CONFLICT: "The same key came with another request; find out which of the two is right.",
    ErrorType.REQUEST_INVALID: "Compare the platform's version with docs/platform-contract.yaml.",
    ErrorType.UNEXPECTED_ANSWER: "Check the base URL of this group of endpoints.",
}


def _next_step(type: ErrorType) -> str:
    return _NEXT_STEPS.get(type, "The same call may go through later.")


def _retry_after(headers: httpx2.Headers, problem: Problem | None) -> timedelta | None:
    """How long to wait: `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), else what the problem says."""
    value = headers.get("Retry-After", "")
    if re.fullmatch("[0-9]{1,18}", value):
        seconds: float = int(value)
    elif until := _http_date(value):
        # Against the sender's own clock where it is told: ours may differ.
        seconds = (until - (_http_date(headers.get("Date", "")) or datetime.now(UTC))).total_seconds()
    elif problem and problem.retry_after_seconds is not None:
        seconds = problem.retry_after_seconds
    else:
        return None
    return timedelta(seconds=min(max(seconds, 0), MAX_RETRY_AFTER.total_seconds()))


def _http_date(value: str) -> datetime | None:
    try:
        return parsedate_to_datetime(value).replace(tzinfo=UTC)
    except ValueError:
        return None
