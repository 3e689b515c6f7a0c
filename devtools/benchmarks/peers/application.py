"""The same account cancellation, hand-written on DBOS Transact: one process hears the owner and runs the workflows.

It runs in an environment of its own (`requirements/peers.txt`), knows the platform's contract, and nothing of this
project. Written as DBOS means it: a workflow is one coroutine, each call to the platform is a step with retries, the
owner's steps arrive by `send` and `recv`, and are answered by `set_event` and `get_event`. The number of steps and what
runs side by side is that of the real route; the deletion is no child workflow here, because DBOS needs none for it.
"""

import asyncio
import json
import os
import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector, web
from dbos import DBOS, DBOSConfig, SetWorkflowID

Json = dict[str, Any]

PLATFORM_URL = os.environ["PEER_PLATFORM_URL"]
DATABASE_URL = os.environ["PEER_DATABASE_URL"]
VAULT = Path(os.environ["PEER_VAULT"])
PORT = int(os.environ["PEER_PORT"])

# What the platform can be asked, and in which order an account is destroyed there, is the project's to say.
CHECKS: list[str] = json.loads(os.environ["PEER_CHECKS"])
STAGES: list[list[str]] = json.loads(os.environ["PEER_STAGES"])
HOLD_SECONDS = 900
IDLE_SECONDS = timedelta(days=30).total_seconds()
ANSWER_SECONDS = 25.0
STEP = "owner's step"


# The platform


class Refused(Exception):
    """A final answer of the platform's: the same call again gets it again."""


_sessions: dict[asyncio.AbstractEventLoop, ClientSession] = {}
"""Workflows that are recovered run in another event loop than those that are started by a request."""


async def call(method: str, path: str, body: Json | None = None, key: str | None = None) -> Json:
    loop = asyncio.get_running_loop()
    if loop not in _sessions:
        connector = TCPConnector(limit=500, keepalive_timeout=60)
        _sessions[loop] = ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(10))
    headers = {"Idempotency-Key": key} if key else None
    async with _sessions[loop].request(method, PLATFORM_URL + path, json=body, headers=headers) as response:
        if response.status < 300:
            answer: Json = await response.json(content_type=None)
            return answer
        kind = Refused if 400 <= response.status < 500 and response.status != 429 else RuntimeError
        raise kind(f"{method} {path}: {response.status} {await response.text()}")


# The vault: create-only files, durable before they are named


def _keep(path: str, data: bytes) -> None:
    file = VAULT / path
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists():
        return
    draft = file.with_name(f"{file.name}#{os.urandom(8).hex()}")
    with draft.open("xb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(file)
    for folder in (file.parent, file.parent.parent):
        entry = os.open(folder, os.O_RDONLY)
        os.fsync(entry)
        os.close(entry)


async def keep(path: str, record: Json) -> str:
    data = json.dumps(record).encode()
    await asyncio.to_thread(_keep, path, data)
    return sha256(data).hexdigest()


async def read(path: str) -> Json:
    record: Json = json.loads(await asyncio.to_thread((VAULT / path).read_bytes))
    return record


# The steps


def is_worth_a_retry(error: BaseException) -> bool:
    return not isinstance(error, Refused)


step = DBOS.step(retries_allowed=True, interval_seconds=1.0, max_attempts=1_000, should_retry=is_worth_a_retry)


@step
async def read_account(account_id: str) -> Json:
    return await call("GET", f"/accounts/{account_id}")


@step
async def send_identity_code(account_id: str, channel: str, request_id: str) -> Json:
    profile = await call("GET", f"/accounts/{account_id}")
    if channel not in profile["channels"]:
        raise Refused(f"{channel} is not verified for this account")
    return await call("POST", f"/accounts/{account_id}/challenges", {"channel": channel, "request_id": request_id})


@step
async def redeem_identity_proof(account_id: str, challenge_id: str, proof: str, request_id: str) -> Json:
    await call("GET", f"/accounts/{account_id}")
    body = {"challenge_id": challenge_id, "proof": proof, "request_id": request_id}
    redeemed = await call("POST", f"/accounts/{account_id}/proofs/redeem", body)
    return {"method": "CODE", "evidence_id": challenge_id, **redeemed}


@step
async def check(account_id: str, path: str) -> Json:
    facts = await call("GET", f"/accounts/{account_id}/{path}")
    return {"check": path, "verdict": "BLOCKED" if any(facts.values()) else "PASSED", "checked_at": now()}


@step
async def list_entitlements(account_id: str) -> Json:
    return await call("GET", f"/accounts/{account_id}/entitlements")


@step
async def take_hold(account_id: str, request_id: str) -> Json:
    return await call("PUT", f"/accounts/{account_id}/hold", {"request_id": request_id, "ttl_seconds": HOLD_SECONDS})


@step
async def write_dossier(dossier: Json) -> str:
    return await keep(f"dossiers/{dossier['account_id']}.json", dossier)


@step
async def close_account(account_id: str, request_no: str, hold_token: str, dossier_sha256: str) -> Json:
    body = {"request_id": request_no, "hold_token": hold_token, "waivers": [], "dossier_sha256": dossier_sha256}
    return await call("POST", f"/accounts/{account_id}/closure", body)


@step
async def verify_authority(account_id: str, request_no: str) -> str:
    closure = (await call("GET", f"/accounts/{account_id}"))["closure"]
    dossier = await read(f"dossiers/{account_id}.json")
    if closure is None or closure["request_id"] != request_no or dossier["request_no"] != request_no:
        raise Refused(f"{account_id} was not closed by {request_no}")
    closed_at: str = closure["closed_at"]
    return closed_at


@step
async def run_phase(account_id: str, phase: str, key: str) -> Json:
    return await call("POST", f"/accounts/{account_id}/closure/{phase}", key=key)


@step
async def notify(account_id: str, template: str, params: Json, key: str) -> Json:
    body = {"template": template, "locale": "zh-CN", "params": params}
    return await call("POST", f"/accounts/{account_id}/notifications", body, key=key)


@step
async def issue_certificate(certificate: Json) -> str:
    dossier = await read(f"dossiers/{certificate['account_id']}.json")
    forfeited = dossier["sealing_report"]["entitlements"]
    return await keep(f"certificates/{certificate['account_id']}.json", {**certificate, "forfeited": forfeited})


# The workflow


def now() -> str:
    return datetime.now(UTC).isoformat()


async def answer(owners: Json, said: Json) -> None:
    await DBOS.set_event_async(owners["id"], said)


async def next_step(*expected: str) -> Json:
    """What the owner does next. Whatever is not due is refused."""
    while True:
        owners: Json | None = await DBOS.recv_async(STEP, timeout_seconds=IDLE_SECONDS)
        if owners is None:
            raise TimeoutError("The owner did nothing")
        if owners["step"] in expected:
            return owners
        await answer(owners, {"refused": f"{owners['step']} is not due", "due": expected})


async def make_report(account_id: str, number: int) -> Json:
    """The account, the entitlements and the five checks, side by side; their numbers are by the order of the calls."""
    profile, entitlements, *outcomes = await asyncio.gather(
        read_account(account_id), list_entitlements(account_id), *(check(account_id, path) for path in CHECKS)
    )
    report = {"number": number, "outcomes": outcomes, "entitlements": entitlements["items"]}
    clear = profile["status"] == "ACTIVE" and all(outcome["verdict"] == "PASSED" for outcome in outcomes)
    return {**report, "clear": clear, "digest": sha256(json.dumps(report).encode()).hexdigest()}


@DBOS.workflow()
async def cancel_account(account_id: str, request_no: str) -> Json:
    messages: list[asyncio.Task[Json]] = []

    def tell(template: str, **params: str) -> None:
        """On the side. The step has its number by the call, so that a replay has the same one."""
        message = notify(account_id, template, {"request_no": request_no, **params}, f"{request_no}-{template}")
        messages.append(asyncio.create_task(message))

    profile = await read_account(account_id)
    if profile["status"] != "ACTIVE" or profile["restricted"]:
        await DBOS.set_event_async("opened", {"phase": "REFUSED"})
        return {"outcome": "REFUSED"}
    tell("CANCELLATION_OPENED", ends_by=now())
    await DBOS.set_event_async("opened", {"phase": "AWAITING_IDENTITY", "channels": profile["channels"]})

    identity, owners = await prove_identity(account_id, request_no)
    tell("IDENTITY_PROVED")
    await answer(owners, {"phase": "AWAITING_NOTICE"})

    owners = await next_step("accept_notice")
    notice = {"version": owners["version"], "sha256": owners["sha256"]}
    await answer(owners, {"phase": "CHECKING"})

    report = await make_report(account_id, 1)
    await DBOS.set_event_async("report", report)
    while True:
        report, owners = await confirm(account_id, report)
        tell("LAST_WORD_RECEIVED")
        await answer(owners, {"phase": "SEALING"})
        hold = await take_hold(account_id, f"{request_no}-hold-{report['number']}")
        sealing_report = await make_report(account_id, report["number"] + 1)
        if sealing_report["clear"] and sealing_report["entitlements"] == report["entitlements"]:
            break
        report = sealing_report
    agreed = {"identity": identity, "notice": notice, "report": report, "confirmation": owners}
    dossier = {"account_id": account_id, "request_no": request_no, "sealing_report": sealing_report, **agreed}
    dossier_sha256 = await write_dossier(dossier)
    await close_account(account_id, request_no, hold["hold_token"], dossier_sha256)

    certificate_sha256 = await delete_everything(account_id, request_no, dossier_sha256)
    await asyncio.gather(*messages)
    result = {"outcome": "CLOSED", "certificate_sha256": certificate_sha256}
    await DBOS.set_event_async("closed", result)
    return result


async def prove_identity(account_id: str, request_no: str) -> tuple[Json, Json]:
    """The evidence, and the owner's step that brought it and has no answer yet."""
    while True:
        owners = await next_step("send_code", "verify")
        try:
            if owners["step"] == "verify":
                redeem = redeem_identity_proof(
                    account_id, owners["challenge_id"], owners["proof"], f"{request_no}-redeem"
                )
                return await redeem, owners
            await answer(owners, await send_identity_code(account_id, owners["channel"], owners["id"]))
        except Refused as refusal:
            await answer(owners, {"refused": str(refusal)})


async def confirm(account_id: str, report: Json) -> tuple[Json, Json]:
    """The report that the owner has confirmed, and the step that did and has no answer yet."""
    while True:
        owners = await next_step("recheck", "confirm")
        if owners["step"] == "recheck":
            report = await make_report(account_id, report["number"] + 1)
            await answer(owners, report)
        elif report["clear"] and owners["digest"] == report["digest"]:
            return report, owners
        else:
            await answer(owners, {"refused": "This is not the latest report, or it is not clear"})


async def delete_everything(account_id: str, request_no: str, dossier_sha256: str) -> str:
    """Past the point of no return: there is no way but on."""
    closed_at = await verify_authority(account_id, request_no)

    async def run_stage(phases: Iterable[str]) -> list[Json]:
        receipts: list[Json] = await asyncio.gather(
            *(run_phase(account_id, phase, f"{request_no}-{phase}") for phase in phases)
        )
        return receipts

    first, last = STAGES
    receipts = await run_stage(first)
    params = {"request_no": request_no, "closed_at": closed_at}
    await notify(account_id, "ACCOUNT_CLOSED", params, f"{request_no}-ACCOUNT_CLOSED")
    receipts += await run_stage(last)
    certificate = {"account_id": account_id, "request_no": request_no, "closed_at": closed_at, "receipts": receipts}
    certificate_sha256: str = await issue_certificate({**certificate, "dossier_sha256": dossier_sha256})
    return certificate_sha256


# What the owner's client calls

routes = web.RouteTableDef()


def _workflow_id(request: web.Request) -> str:
    return f"cancel-{request.match_info['account_id']}"


async def _event(request: web.Request, key: str) -> web.Response:
    found = await DBOS.get_event_async(_workflow_id(request), key, timeout_seconds=ANSWER_SECONDS)
    return web.json_response(found, status=504 if found is None else 200)


@routes.get("/healthz")
async def healthz(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


@routes.post("/requests/{account_id}")
async def start(request: web.Request) -> web.Response:
    account_id = request.match_info["account_id"]
    with SetWorkflowID(_workflow_id(request)):
        await DBOS.start_workflow_async(cancel_account, account_id, f"R-{account_id}")
    return await _event(request, "opened")


@routes.post("/requests/{account_id}/steps/{step}")
async def take_step(request: web.Request) -> web.Response:
    """The client names each step, so that the same one sent twice counts once."""
    owners: Json = {**await request.json(), "step": request.match_info["step"]}
    if "code" in owners:
        # The code itself stays out of the database.
        given = {"code": owners.pop("code")}
        owners |= await call("POST", f"/challenges/{owners['challenge_id']}/answers", given)
    await DBOS.send_async(_workflow_id(request), owners, STEP, idempotency_key=owners["id"])
    return await _event(request, owners["id"])


@routes.get("/requests/{account_id}/events/{event}")
async def wait_for(request: web.Request) -> web.Response:
    return await _event(request, request.match_info["event"])


async def launch(_: web.Application) -> None:
    await asyncio.to_thread(DBOS.launch)


def main() -> None:
    if DATABASE_URL.startswith("sqlite:///"):
        # Kept by the file: readers do not wait for the writer, and a commit is one sync.
        with sqlite3.connect(DATABASE_URL.removeprefix("sqlite:///")) as database:
            database.execute("PRAGMA journal_mode=WAL")
        database.close()
    config: DBOSConfig = {
        "name": "account-cancellation",
        "system_database_url": DATABASE_URL,
        "log_level": "WARNING",
        # SQLite tells nobody of a message: it is asked, by default once a second. 3 ms cost more than they save.
        "notification_listener_polling_interval_sec": 0.01,
        # PostgreSQL does. The least that there is costs no more than the default of 10 ms.
        "notification_coalesce_sec": 0.001,
    }
    DBOS(config=config)
    application = web.Application()
    application.on_startup.append(launch)
    application.add_routes(routes)
    web.run_app(application, host="127.0.0.1", port=PORT, print=None, access_log=None)


if __name__ == "__main__":
    main()
