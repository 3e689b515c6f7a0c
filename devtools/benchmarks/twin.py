"""The bare twin: what Temporal itself costs for a request of this shape, and nothing else.

It has what a clean self-service request has, in the same number and arrangement:

- the same seven updates: open, code, proof, notice, the wait for the report, re-check, confirm; the same query;
- the same activities: the account, and what a report is made of together; three messages on the side; hold, dossier and
  close; then the child's: its authority, and its stages of 4, 1, 1, 1;
- the same timers: one idle wait for all phases of the owner's, and the limit of whoever waits for the first phase;
- the same child workflow on a task queue of its own; the parent waits for its end.

It leaves out whatever is ours: activities are empty, payloads are None or one short string, there are no validators,
search attributes, summaries, details, retries of our own or interceptors. A test holds both histories together, event
by event, so that the twin cannot drift.
"""

import asyncio
from datetime import timedelta

from temporalio import activity, workflow

with workflow.unsafe.imports_passed_through():
    from domain.checks import Check

REPORT = len(Check) + 2
"""What a report is made of: the checks, the entitlements and the account."""

STAGES = (4, 1, 1, 1)

_IDLE = timedelta(days=23)
_LIMIT = timedelta(seconds=15)
_ANSWER_LIMIT = timedelta(seconds=25)


@activity.defn
async def nothing() -> None:
    pass


async def _act(times: int = 1) -> None:
    await asyncio.gather(*(workflow.execute_activity(nothing, start_to_close_timeout=_LIMIT) for _ in range(times)))


@workflow.defn
class BareRequest:
    def __init__(self) -> None:
        self._phase = "opening"
        self._messages: list[asyncio.Task[None]] = []

    @workflow.run
    async def run(self) -> None:
        await _act()
        self._phase = "identity"
        self._tell()
        self._idling = asyncio.create_task(asyncio.sleep(_IDLE.total_seconds()))
        await self._while_in("identity")
        await self._while_in("notice")
        while self._phase == "checking":
            await _act(REPORT)
            self._phase = "confirmation"
            await self._while_in("confirmation")
        await _act()
        await _act(REPORT)
        await _act()
        await _act()
        info = workflow.info()
        await workflow.execute_child_workflow(
            BareDeletion.run, id=f"{info.workflow_id}-deletion", task_queue=f"{info.task_queue}-deletion"
        )
        await asyncio.gather(*self._messages)

    def _tell(self) -> None:
        self._messages.append(asyncio.create_task(_act()))

    async def _while_in(self, phase: str) -> None:
        await workflow.wait_condition(lambda: self._phase != phase)

    @workflow.query
    def view(self) -> str:
        return self._phase

    @workflow.update
    async def open(self) -> None:
        await workflow.wait_condition(lambda: self._phase != "opening", timeout=_ANSWER_LIMIT)

    @workflow.update
    async def send_code(self) -> None:
        await _act()

    @workflow.update
    async def submit_identity_proof(self) -> None:
        await _act()
        self._phase = "notice"
        self._tell()

    @workflow.update
    async def accept_notice(self) -> None:
        self._phase = "checking"

    @workflow.update
    async def recheck(self) -> None:
        self._phase = "checking"
        await self._while_in("checking")

    @workflow.update
    async def confirm(self) -> None:
        self._phase = "sealing"
        self._tell()


@workflow.defn
class BareDeletion:
    @workflow.run
    async def run(self) -> None:
        await _act()
        for width in STAGES:
            await _act(width)
