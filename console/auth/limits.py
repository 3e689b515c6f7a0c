"""How often somebody may try. Every limit stands here, with its reason.

    @router.post("/cancellations/{account_id}/challenges", dependencies=[Depends(limited(SENDING_CODES))])
    @router.post("/codes", dependencies=[Depends(limited(SENDING_CODES))])

The first is a route of the API, which counts for the account in its path; the second a page of an owner's, which counts
for the account of the session, and for the address it is asked from. Over the limit the route answers 429.
"""

import hmac
import ipaddress
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

import structlog
from fastapi import Request
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from console.auth.roles import Principal, Role
from console.settings import ConsoleSettings
from domain.errors import ErrorType, Refusal

log = structlog.get_logger()


@dataclass(frozen=True)
class Limit:
    """How often one account may do something, and how often all people at one address may."""

    name: str
    per_account: RateLimitItem | None = None
    per_address: RateLimitItem | None = None


SENDING_CODES: Final = Limit("send-code", RateLimitItemPerMinute(5, 10), RateLimitItemPerMinute(100, 10))
"""Each message costs money and reaches a person. A whole office may stand behind one address."""

ANSWERING_CODES: Final = Limit("answer-code", RateLimitItemPerMinute(10, 10), RateLimitItemPerMinute(200, 10))
"""Two codes' worth of wrong answers (the platform takes five for each), against a million possible codes."""

SIGNING_IN: Final = Limit("sign-in", per_address=RateLimitItemPerMinute(60, 10))
"""The provider counts wrong passwords; this keeps our share of the work small. An office signs in in the morning."""

OPENING_LOGIN_LINKS: Final = Limit("login-link", per_address=RateLimitItemPerMinute(120, 10))
"""A link cannot be guessed; this only bounds how many used ones have to be remembered."""

_BUCKETS: Final = 1 << 14
"""Who is counted is told apart by a keyed hash with as many values, so that no flood of addresses fills the memory.
Two who share a bucket share its limit; the key keeps anybody from choosing with whom."""


class Limiter:
    """Counts in this process only: with N processes, N times as often is possible."""

    def __init__(self, settings: ConsoleSettings) -> None:
        self._key = settings.secret.get_secret_value().encode()
        # A moving window would keep every hit; this keeps two numbers for each bucket.
        self._windows = SlidingWindowCounterRateLimiter(MemoryStorage())

    async def hit(self, limit: Limit, *, account_id: str | None, address: str | None) -> None:
        """Raises `Refusal` (RATE_LIMITED) when the account or the address has had its share."""
        for share, item, whose in (
            ("account", limit.per_account, account_id),
            ("address", limit.per_address, address),
        ):
            if item is None or whose is None:
                continue
            bucket = self.bucket(whose)
            if not await self._windows.hit(item, limit.name, share, bucket):
                free_at = (await self._windows.get_window_stats(item, limit.name, share, bucket)).reset_time
                log.warning("Refused: too often", limit=limit.name, share=share)
                raise Refusal(
                    ErrorType.RATE_LIMITED,
                    "Too many tries in a short time: wait, then try again.",
                    retry_after_seconds=max(1, math.ceil(free_at - time.time())),
                )

    def bucket(self, whose: str) -> str:
        digest = hmac.digest(self._key, whose.encode(), "sha256")
        return str(int.from_bytes(digest[:4]) % _BUCKETS)


def limited(limit: Limit) -> Callable[[Request], Awaitable[None]]:
    """A dependency that counts each request to its route. Put it in `dependencies`, so that it runs first."""

    async def count(request: Request) -> None:
        who: Principal | None = request.state.principal
        limiter: Limiter = request.app.state.limiter
        account_id = (who and who.account_id) or request.path_params.get("account_id")
        # All owners whom a backend speaks for come from its one address.
        address = None if who and who.role is Role.BACKEND else _network(request)
        await limiter.hit(limit, account_id=account_id, address=address)

    return count


def _network(request: Request) -> str | None:
    """Whoever has one IPv6 address has its whole /64."""
    if request.client is None:
        return None
    try:
        address = ipaddress.ip_address(request.client.host)
    except ValueError:
        return request.client.host
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else str(address)
