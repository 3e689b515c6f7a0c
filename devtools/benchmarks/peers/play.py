"""One request at the peer's application, as its owner's client sees it: the same steps as at the real route."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from aiohttp import ClientConnectionError, ClientSession

from devtools.benchmarks.routes import CLOSING, Clock
from domain.accounts import Channel
from domain.locale import Locale
from domain.notices import CURRENT_NOTICE
from simulator.store import SimulatorStore

_NOTICE = CURRENT_NOTICE[Locale.ZH]
_ASK_AGAIN_AFTER = 0.05


@dataclass
class Peer:
    """`routes.Play`."""

    url: str
    http: ClientSession
    store: SimulatorStore

    async def accounts(self, number: int) -> list[str]:
        return await self.store.add_clean_accounts(f"peer-{uuid4().hex[:8]}", number)

    async def play(self, account_id: str) -> dict[str, float]:
        clock, request = Clock(), f"{self.url}/requests/{account_id}"
        with clock.step("start"):
            await self._ask("POST", request)
        with clock.step("send_code"):
            challenge = await self._step(request, "send_code", channel=Channel.PHONE)
        code = await self.store.latest_code(account_id)
        with clock.step("verify"):
            await self._step(request, "verify", challenge_id=challenge["challenge_id"], code=code)
        with clock.step("accept_notice"):
            await self._step(request, "accept_notice", version=_NOTICE.version, sha256=_NOTICE.sha256)
        with clock.step("report"):
            await self._ask("GET", f"{request}/events/report")
        with clock.step("recheck"):
            report = await self._step(request, "recheck")
        with clock.step("confirm"):
            await self._step(request, "confirm", digest=report["digest"])
        with clock.step(CLOSING):
            result = await self._end(request)
        assert result["outcome"] == "CLOSED", result
        return clock.seconds_in_all()

    def histories(self, account_id: str) -> tuple[str, ...]:
        return ()

    async def _step(self, request: str, name: str, **what: str) -> dict[str, Any]:
        answer = await self._ask("POST", f"{request}/steps/{name}", {"id": uuid4().hex, **what})
        assert "refused" not in answer, answer
        return answer

    async def _end(self, request: str) -> dict[str, Any]:
        """Asked again when the application has gone away, and when it has not come to an end within its own limit."""
        while True:
            try:
                async with self.http.get(f"{request}/events/closed") as response:
                    if response.ok:
                        result: dict[str, Any] = await response.json()
                        return result
            except ClientConnectionError:
                await asyncio.sleep(_ASK_AGAIN_AFTER)

    async def _ask(self, method: str, url: str, body: Any = None) -> dict[str, Any]:
        async with self.http.request(method, url, json=body) as response:
            assert response.ok, f"{method} {url}: {response.status} {await response.text()}"
            answer: dict[str, Any] = await response.json()
            return answer
