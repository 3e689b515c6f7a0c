"""A real OpenID provider in a process of its own, and a person at its sign-in form."""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx2

PEOPLE = (
    {"sub": "agent-7", "roles": ["agent"], "email": "wang@example.cn", "name": "王小明"},
    {"sub": "lead@example.cn", "roles": ["auditor", "agent", "lead"], "email": "lead@example.cn"},
    {"sub": "13800138000", "roles": "auditor"},
    {"sub": "visitor-1", "roles": ["guest", "owner", "backend"]},
    {"sub": "odd-1", "roles": {"agent": True}},
    {"sub": "nobody-1"},
)


@asynccontextmanager
async def provider_process() -> AsyncIterator[str]:
    """Its issuer. It insists on a nonce."""
    users = [part for person in PEOPLE for part in ("--user-claims", json.dumps(person))]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "oidc_provider_mock", "-p", "0", "-n", "True", *users, stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            while not (at := re.search(rb"running on (http://[\d.:]+)", await process.stderr.readline())):
                pass
        silence = asyncio.create_task(process.stderr.read())
        yield at[1].decode()
        process.terminate()
        await silence
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def at_provider(authorization_url: str, **form: str) -> str:
    """What the person's browser is sent back to: path and query at the console."""
    async with httpx2.AsyncClient() as browser:
        answer = await browser.post(authorization_url, data=form)
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["Location"])
    return f"{back.path}?{back.query}"
