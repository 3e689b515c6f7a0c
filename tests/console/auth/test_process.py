"""`python -m console` as a process: what it logs at its most talkative, how it is ready, and how it ends."""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import httpx2

from devtools.demo.programs import free_port
from tests.console.auth.conftest import ISSUER, SECRET, Issuer
from tests.console.auth.provider import provider_process
from tests.support.service import eventually

CODE, PHONE, EMAIL = "739154", "13900139000", "zhang.san@example.cn"


@dataclass
class Running:
    origin: str
    process: asyncio.subprocess.Process
    stderr: Path

    async def stop(self) -> tuple[int, str]:
        """Exit code and everything that was logged."""
        self.process.terminate()
        return await self.process.wait(), self.stderr.read_text()


@asynccontextmanager
async def console_process(folder: Path, **variables: str) -> AsyncIterator[Running]:
    """Temporal is at an address where nobody is."""
    port = free_port()
    origin = f"http://127.0.0.1:{port}"
    folder.joinpath("vault").mkdir()
    environment = {
        **os.environ,
        "CONSOLE_PORT": str(port),
        "CONSOLE_PUBLIC_URL": origin,
        "CONSOLE_SECRET": SECRET.get_secret_value(),
        "CANCELLATION_LOG_LEVEL": "DEBUG",
        "CANCELLATION_VAULT_URL": folder.joinpath("vault").as_uri(),
        "TEMPORAL_ADDRESS": "127.0.0.1:1",
        **variables,
    }
    stderr = folder / "stderr"
    with stderr.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "console", env=environment, stdout=log, stderr=log
        )
    try:
        async with httpx2.AsyncClient() as client:

            async def alive() -> int:
                try:
                    return (await client.get(f"{origin}/healthz")).status_code
                except httpx2.TransportError:
                    return 0

            await eventually(alive, lambda status: status == 200, 60)
        yield Running(origin, process, stderr)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_no_log_has_what_was_sent_even_at_its_most_talkative(tmp_path: Path, issuer: Issuer) -> None:
    token = issuer.token(datetime.now(UTC))
    bad_token = token[:-6] + "AAAAAA"
    async with (
        provider_process() as provider,
        console_process(
            tmp_path,
            CONSOLE_DEVELOPMENT_SIGN_IN="true",
            CONSOLE_TOKEN_ISSUER=ISSUER,
            CONSOLE_TOKEN_KEYS=str(issuer.file),
            CONSOLE_OIDC_ISSUER=provider,
            CONSOLE_OIDC_CLIENT_SECRET="of-the-tests-only",
        ) as console,
        httpx2.AsyncClient(base_url=console.origin, headers={"Origin": console.origin}) as client,
    ):
        for call in (
            client.post("/owner/code-answer", data={"code": CODE}),
            client.post("/owner/ticket", data={"contact_phone": PHONE}, files={"letter": ("l.pdf", EMAIL.encode())}),
            client.post("/sign-out", data={"csrf": CODE}, headers={"Origin": "https://evil.example"}),
            client.get(f"/staff?phone={PHONE}"),
            client.get(f"/staff/{EMAIL}"),
            client.post("/sign-in/development", data={"role": "agent", "subject": EMAIL}),
            client.get("/login-link", params={"token": f"{CODE}.{PHONE}"}),
            client.get("/sign-in/provider"),
            client.get("/sign-in/provider/callback", params={"code": CODE, "state": PHONE, "error_description": EMAIL}),
            client.get("/staff", headers={"Cookie": f"__Host-session={CODE}{PHONE}"}),
            client.post(f"/api/v1/cancellations/acct-1/code/answer?x={PHONE}", json={"code": CODE}),
            client.post(
                "/api/v1/cancellations/acct-1/code/answer",
                json={"code": CODE, "more": EMAIL},
                headers={"Authorization": f"Bearer {bad_token}"},
            ),
            client.post(
                "/api/v1/cancellations/acct-1/login-link",
                json={"requested_by": EMAIL},
                headers={"Authorization": f"Bearer {token}"},
            ),
        ):
            assert (await call).status_code < 500
        grant = await client.post(
            "/api/v1/cancellations/acct-1/login-link", headers={"Authorization": f"Bearer {token}"}
        )
        link = str(grant.json()["url"])
        assert (await client.get(link)).status_code == 200
        code, log = await console.stop()
    assert code == 0
    assert log.count("Refused") >= 8
    for planted in (CODE, PHONE, EMAIL, bad_token, token, link.split("=", 1)[1], "of-the-tests-only"):
        assert planted not in log
    assert not re.search(r"code_verifier|Traceback", log)


async def test_a_console_without_temporal_lives_and_says_that_it_is_not_ready(tmp_path: Path) -> None:
    async with console_process(tmp_path) as console, httpx2.AsyncClient(base_url=console.origin) as client:
        assert (await client.get("/healthz")).json() == {"status": "alive"}
        ready = await client.get("/readyz")
        assert (ready.status_code, ready.json()) == (503, {"status": "not ready"})
        assert (await client.get("/sign-in")).status_code == 200
        assert (await console.stop())[0] == 0
