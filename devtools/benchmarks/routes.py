"""The routes that are compared, as their caller sees them: the same steps, each one timed."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol
from uuid import uuid4

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from devtools.benchmarks.instant import InstantChallenges, InstantPlatform
from devtools.benchmarks.twin import BareRequest
from devtools.benchmarks.variants import Variant
from devtools.demo.programs import Program, free_port
from devtools.demo.stack import Stack
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.ids import cancellation_workflow_id, deletion_workflow_id
from domain.locale import Locale
from domain.messages import CancellationResult
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from domain.policy import Policy
from service.base import ANSWER_LIMIT, LOOK_LIMIT
from service.cancellation_service import CancellationService
from service.news import news
from workflows.account_cancellation.workflow import AccountCancellation

STEPS = ("start", "send_code", "verify", "accept_notice", "report", "recheck", "confirm")
"""The owner's steps, and `report`: the wait for the checks that accepting the notice starts."""
TO_CLOSED = "confirm to CLOSED"
WHOLE = "whole request"
CLOSING = "closing"

HTTP = "http"
"""The real route: `worker.py` as it is, the simulator over HTTP, the vault in a folder."""

WORKER_SETTINGS = {"CANCELLATION_LOG_FORMAT": "json", "CANCELLATION_DRAIN": "PT0S"}
"""The same for all workers."""

_NOTICE = CURRENT_NOTICE[Locale.ZH]
_ALWAYS_ANEW = Policy(outcomes_reused_for=timedelta(0))
"""Every re-check asks the platform: that is what it costs."""


class Clock:
    """Seconds by step. What happens between two steps is a person's time and nobody's fault."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin

    def seconds_in_all(self) -> dict[str, float]:
        """All steps, and what they add up to: the wait for the end belongs to the step that it follows."""
        whole, closing = sum(self.seconds.values()), self.seconds.pop(CLOSING)
        return {**self.seconds, TO_CLOSED: self.seconds["confirm"] + closing, WHOLE: whole}


class Play(Protocol):
    """One request from its start to its end, in seconds by step."""

    async def accounts(self, number: int) -> list[str]: ...
    async def play(self, account_id: str) -> dict[str, float]: ...
    def histories(self, account_id: str) -> tuple[str, ...]:
        """The ids of the workflows that the request ran as."""
        ...


@dataclass
class Ours:
    """Our own workflows through the front cancellations, as the command line and the console go."""

    cancellations: CancellationService
    client: Client
    make_accounts: Callable[[str, int], Awaitable[list[str]]]
    read_code: Callable[[str], Awaitable[str]]

    async def accounts(self, number: int) -> list[str]:
        return await self.make_accounts(f"bench-{uuid4().hex[:8]}", number)

    async def play(self, account_id: str) -> dict[str, float]:
        clock, by = Clock(), Actor(subject=f"owner-of-{account_id}", via=Via.TEMPORAL)
        with clock.step("start"):
            await self.cancellations.start(account_id, by.subject, via=by.via, policy=_ALWAYS_ANEW)
        with clock.step("send_code"):
            await self.cancellations.send_code(account_id, Channel.PHONE, by)
        code = await self.read_code(account_id)
        with clock.step("verify"):
            await self.cancellations.verify(account_id, code, by)
        with clock.step("accept_notice"):
            await self.cancellations.accept_notice(account_id, _NOTICE.version, _NOTICE.sha256, by)
        with clock.step("report"):
            await self.cancellations.wait_while(account_id, Phase.CHECKING)
        with clock.step("recheck"):
            view = await self.cancellations.recheck(account_id, by)
        assert view.report is not None
        with clock.step("confirm"):
            await self.cancellations.confirm(account_id, view.report.digest, by)
        with clock.step(CLOSING):
            handle = self.client.get_workflow_handle_for(AccountCancellation.run, cancellation_workflow_id(account_id))
            result: CancellationResult = await handle.result()
        assert result.outcome is Phase.CLOSED, result
        return clock.seconds_in_all()

    def histories(self, account_id: str) -> tuple[str, ...]:
        return cancellation_workflow_id(account_id), deletion_workflow_id(account_id)


@dataclass
class Twin:
    """The bare twin through the same client, with the same calls."""

    client: Client
    task_queue: str

    async def accounts(self, number: int) -> list[str]:
        return await _made_up_ids(f"twin-{uuid4().hex[:8]}", number)

    async def play(self, account_id: str) -> dict[str, float]:
        clock = Clock()
        with clock.step("start"):
            starting = WithStartWorkflowOperation(
                BareRequest.run,
                id=account_id,
                task_queue=self.task_queue,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            )
            await self.client.execute_update_with_start_workflow(
                BareRequest.open, start_workflow_operation=starting, rpc_timeout=ANSWER_LIMIT
            )
            handle = await starting.workflow_handle()
        with clock.step("send_code"):
            await _update(handle, "send_code")
        with clock.step("verify"):
            await handle.query(BareRequest.view, rpc_timeout=LOOK_LIMIT)
            await _update(handle, "submit_identity_proof")
        with clock.step("accept_notice"):
            await _update(handle, "accept_notice")
        with clock.step("report"):
            await handle.query(BareRequest.view, rpc_timeout=LOOK_LIMIT)
            async for _ in news(handle, ANSWER_LIMIT):
                if await handle.query(BareRequest.view, rpc_timeout=LOOK_LIMIT) != "checking":
                    break
        with clock.step("recheck"):
            await _update(handle, "recheck")
        with clock.step("confirm"):
            await _update(handle, "confirm")
        with clock.step(CLOSING):
            await handle.result()
        return clock.seconds_in_all()

    def histories(self, account_id: str) -> tuple[str, ...]:
        return account_id, f"{account_id}-deletion"


async def _update(handle: WorkflowHandle[BareRequest, None], name: str) -> None:
    await handle.execute_update(name, rpc_timeout=ANSWER_LIMIT)


@dataclass
class Route:
    """A way to play a request, and the worker that serves it."""

    name: str
    play: Play
    worker: Program


@asynccontextmanager
async def open_route(stack: Stack, name: str) -> AsyncIterator[Route]:
    """The named route, with a worker of its own. All share server, client and machine."""
    if name == HTTP:
        ours = Ours(stack.cancellations, stack.client, stack.store.add_clean_accounts, stack.store.latest_code)
        yield Route(name, ours, stack.worker)
        return
    worker = variant_worker(stack, Variant(name))
    try:
        await worker.start()
        play: Play = Twin(stack.client, name) if name == Variant.TWIN else _on_instant_platform(stack, name)
        yield Route(name, play, worker)
    finally:
        await worker.stop()


def variant_worker(stack: Stack, variant: Variant) -> Program:
    """A worker process like the stack's own, on a task queue that has the variant's name."""
    port = free_port()
    return stack.python(
        *(variant, "-m", "devtools.benchmarks.variants", variant),
        health=(port, "/readyz"),
        variables={
            **WORKER_SETTINGS,
            "CANCELLATION_TASK_QUEUE": variant,
            "CANCELLATION_HEALTH_PORT": str(port),
        },
    )


def _on_instant_platform(stack: Stack, task_queue: str) -> Ours:
    async def read_code(_account_id: str) -> str:
        return "000000"

    cancellations = CancellationService(stack.client, task_queue, InstantPlatform(), InstantChallenges(), stack.vault)
    return Ours(cancellations, stack.client, _made_up_ids, read_code)


async def _made_up_ids(prefix: str, number: int) -> list[str]:
    return [f"{prefix}-{n:05d}" for n in range(1, number + 1)]
