"""The service as the tests use it: the real Temporal server, the simulator over HTTP, a real worker."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import TypeVar
from uuid import uuid4

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from devtools.demo.stack import TEMPORAL, dynamic_config
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.business_calendar import CALENDAR, BusinessCalendar
from domain.checks import Check
from domain.deletion import DeletionView
from domain.ids import cancellation_workflow_id, deletion_workflow_id, review_workflow_id
from domain.locale import Locale
from domain.messages import CancellationResult, CancellationView, ReviewResult, ReviewView, WithdrawalReason
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from domain.policy import Policy
from domain.tickets import Decision, DecisionReason
from gateways.contract import Group
from gateways.platform import ChallengePlatform, HttpPlatform
from gateways.vault import ObjectVault
from runtime.payloads import DATA_CONVERTER
from runtime.settings import Settings
from service.cancellation_service import CancellationService
from simulator.edits import Value
from simulator.kinds import Endpoint, FaultKind
from simulator.problems import PlatformProblem
from simulator.store import SimulatorStore
from worker import build_worker
from workflows import AccountCancellation, AccountDeletion, TicketReview
from workflows.common.search_attributes import ALL

T = TypeVar("T")

_NUMBERS = count(1)


async def eventually(probe: Callable[[], Awaitable[T]], accept: Callable[[T], bool], seconds: float = 20) -> T:
    """Poll until the answer is accepted. The last answer is in the failure."""
    deadline = asyncio.get_running_loop().time() + seconds
    pause = 0.02
    while not accept(answer := await probe()):
        assert asyncio.get_running_loop().time() < deadline, f"not within {seconds} s; last: {answer}"
        await asyncio.sleep(pause)
        # Each question takes time away from what is waited for: what was not there soon is asked for less often.
        pause = min(pause * 1.4, 0.25)
    return answer


@dataclass(frozen=True)
class Gate:
    """In the place of a window of latency, which a busy machine would miss."""

    store: SimulatorStore
    fault_id: int

    async def arrived(self, number: int = 1) -> None:
        """Until so many calls have come to the gate."""
        await eventually(lambda: self.store.waiting_at(self.fault_id), lambda found: found >= number)

    async def open(self) -> None:
        with suppress(PlatformProblem):
            await self.store.open_gate(self.fault_id)


@dataclass
class Service:
    """One task queue of the service. `worker()` runs its worker; the rest are the steps of people."""

    env: WorkflowEnvironment
    store: SimulatorStore
    platform: HttpPlatform
    challenges: ChallengePlatform
    vault: ObjectVault
    calendar: BusinessCalendar = CALENDAR
    task_queue: str = field(default_factory=lambda: f"queue-{uuid4().hex[:8]}")

    @property
    def client(self) -> Client:
        return self.env.client

    @property
    def cancellations(self) -> CancellationService:
        return CancellationService(self.client, self.task_queue, self.platform, self.challenges, self.vault)

    @asynccontextmanager
    async def worker(self, **settings: object) -> AsyncIterator[None]:
        """The production worker. Leaving the context stops it, as a crash or a deployment would."""
        options = Settings.model_validate({"task_queue": self.task_queue, "drain": 0, **settings})
        async with build_worker(self.client, options, self.platform, self.vault, self.calendar):
            yield

    # Accounts

    async def account(self, **facts: Value) -> str:
        """A fresh account with nothing in the way but what `facts` put there; see `simulator.edits.FIELDS`."""
        prefix = f"test-{next(_NUMBERS)}-{uuid4().hex[:6]}"
        [account_id] = await self.store.add_clean_accounts(prefix, 1)
        if facts:
            await self.store.set_facts(account_id, **facts)
        return account_id

    @asynccontextmanager
    async def gate(self, account_id: str, endpoint: Endpoint, *, after: bool = False) -> AsyncIterator["Gate"]:
        """Holds up every call of this account's at an endpoint until it is opened, or the context ends.

        `after`: the work is done, and the answer is held up.
        """
        gate = Gate(
            self.store,
            await self.store.add_fault(endpoint, FaultKind.GATE, account_id=account_id, after=after, times=None),
        )
        try:
            yield gate
        finally:
            await gate.open()

    # The owner's steps

    async def start(self, account_id: str, **policy: object) -> CancellationView:
        """Outcomes are never reused unless `policy` says so: tests change the world faster than people do. Alarms sound
        at their instants."""
        return await self.cancellations.start(
            account_id,
            owner_of(account_id).subject,
            locale=Locale.EN,
            policy=Policy.model_validate({"outcomes_reused_for": 0, "alarms_spread_over": 0, **policy}),
        )

    async def identify(self, account_id: str, channel: Channel = Channel.PHONE) -> CancellationView:
        await self.cancellations.send_code(account_id, channel, owner_of(account_id))
        return await self.cancellations.verify(
            account_id, await self.store.latest_code(account_id), owner_of(account_id)
        )

    async def accept_notice(self, account_id: str) -> CancellationView:
        notice = CURRENT_NOTICE[Locale.EN]
        return await self.cancellations.accept_notice(account_id, notice.version, notice.sha256, owner_of(account_id))

    async def recheck(self, account_id: str) -> CancellationView:
        return await self.cancellations.recheck(account_id, owner_of(account_id))

    async def withdraw(
        self, account_id: str, reason: WithdrawalReason = WithdrawalReason.CHANGED_MIND
    ) -> CancellationView:
        return await self.cancellations.withdraw(account_id, reason, owner_of(account_id))

    async def to_report(self, account_id: str, **policy: object) -> CancellationView:
        """Start, identify, accept; answers when the checks are done."""
        await self.start(account_id, **policy)
        await self.identify(account_id)
        await self.accept_notice(account_id)
        return await self.recheck(account_id)

    async def confirm(self, account_id: str) -> CancellationView:
        view = await self.cancellations.view(account_id)
        assert view.report is not None
        return await self.cancellations.confirm(account_id, view.report.digest, owner_of(account_id))

    async def in_phase(self, account_id: str, *phases: Phase, seconds: float = 20) -> CancellationView:
        return await eventually(lambda: self.cancellations.view(account_id), lambda view: view.phase in phases, seconds)

    # Handles

    def request(self, account_id: str) -> WorkflowHandle[AccountCancellation, CancellationResult]:
        return self.client.get_workflow_handle_for(AccountCancellation.run, cancellation_workflow_id(account_id))

    def review(self, ticket_no: str) -> WorkflowHandle[TicketReview, ReviewResult]:
        return self.client.get_workflow_handle_for(TicketReview.run, review_workflow_id(ticket_no))

    def deletion(self, account_id: str) -> WorkflowHandle[AccountDeletion, DeletionView]:
        return self.client.get_workflow_handle_for(AccountDeletion.run, deletion_workflow_id(account_id))


SOMEBODY = Actor(subject="somebody", via=Via.TEMPORAL)


def owner_of(account_id: str) -> Actor:
    return Actor(subject=f"owner-of-{account_id}"[:64], via=Via.TEMPORAL)


def decision(
    review: ReviewView,
    *reasons: DecisionReason,
    decision_id: str | None = None,
    operator: str = "agent-7",
    waived: tuple[Check, ...] = (),
    attested: bool = False,
    decided_at: datetime | None = None,
) -> Decision:
    """A decision about what `review` shows."""
    return Decision(
        decision_id=decision_id or f"D-{uuid4().hex[:12]}",
        ticket_no=review.case.ticket.ticket_no,
        revision_sha256=review.case.ticket.sha256,
        report_digest=review.case.report.digest,
        operator_id=operator,
        decided_at=decided_at or datetime.now(UTC),
        reason_codes=reasons,
        waived=waived,
        identity_attested=attested,
    )


DELETED_AT_ONCE = {
    "history__transferProcessorEnsureCloseBeforeDelete": "false",
    "history__visibilityProcessorEnsureCloseBeforeDelete": "false",
}
"""By default a history is deleted once its queues have been seen to be empty, which they are every minute or so."""


async def temporal_environment(**settings: str) -> WorkflowEnvironment:
    """The real dev server. It starts in real time; `fast_forward` moves the clock of one workflow only.

    `settings` are further ones of the server: `dynamic_config` says how they are named.
    """
    return await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        data_converter=DATA_CONVERTER,
        search_attributes=ALL,
        dev_server_extra_args=dynamic_config(**DELETED_AT_ONCE, **settings),
        ts_config=TimeSkippingConfig(enabled=False),
    )


@asynccontextmanager
async def simulator_process(database: str) -> AsyncIterator[tuple[str, SimulatorStore]]:
    """The pretend platform as a process of its own: its base URL, and the hand that changes its world."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "serve", "--port", "0", "--db", database),
        # Long, so that a test can let a day pass between a code and the use of its proof.
        env={**os.environ, "SIMULATOR_PROOF_LIFE_SECONDS": "172800"},
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    try:
        ready = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        url = ready.split()[-1]
        async with SimulatorStore(url) as store:
            yield url, store
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def service_on(
    env: WorkflowEnvironment, simulator: tuple[str, SimulatorStore], vault: Path
) -> AsyncIterator[Service]:
    """The service without a worker."""
    url, store = simulator
    urls = dict.fromkeys(Group, url)
    async with HttpPlatform(urls) as platform, ChallengePlatform(urls) as challenges:
        yield Service(env, store, platform, challenges, ObjectVault(vault.as_uri()))
