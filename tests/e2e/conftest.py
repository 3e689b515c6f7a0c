"""The system as separate processes, Temporal with a database file: what is killed here is really killed."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio

from devtools.demo.stack import Stack
from domain.accounts import Channel
from domain.actors import Actor, Via
from domain.ids import cancellation_workflow_id
from domain.locale import Locale
from domain.messages import CancellationResult
from domain.notices import CURRENT_NOTICE
from domain.phases import Phase
from domain.policy import Policy


class Owner:
    """An account's owner, at the front cancellations of a stack."""

    def __init__(self, stack: Stack, account_id: str) -> None:
        self.stack = stack
        self.account_id = account_id
        self.by = Actor(subject=f"owner-of-{account_id}", via=Via.TEMPORAL)

    async def to_confirmation(self) -> None:
        cancellations, notice = self.stack.cancellations, CURRENT_NOTICE[Locale.EN]
        # Checks that wait out a dead worker, as long as may be, instead of becoming UNKNOWN.
        patient = Policy(check_limit=timedelta(seconds=25))
        await cancellations.start(self.account_id, self.by.subject, locale=Locale.EN, policy=patient)
        await cancellations.send_code(self.account_id, Channel.PHONE, self.by)
        await cancellations.verify(self.account_id, await self.stack.store.latest_code(self.account_id), self.by)
        await cancellations.accept_notice(self.account_id, notice.version, notice.sha256, self.by)
        assert (await cancellations.recheck(self.account_id, self.by)).phase is Phase.AWAITING_CONFIRMATION

    async def confirm(self) -> None:
        report = (await self.stack.cancellations.view(self.account_id)).report
        assert report is not None
        await self.stack.cancellations.confirm(self.account_id, report.digest, self.by)

    async def result(self) -> CancellationResult:
        handle = self.stack.client.get_workflow_handle(
            cancellation_workflow_id(self.account_id), result_type=CancellationResult
        )
        result: CancellationResult = await handle.result()
        return result


@pytest_asyncio.fixture(scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    debug = {"CANCELLATION_LOG_LEVEL": "DEBUG"}
    async with Stack.start(folder, db_file=folder / "temporal.db", worker_settings=debug) as running:
        yield running


async def new_owner(stack: Stack, name: str) -> Owner:
    [account_id] = await stack.store.add_clean_accounts(f"e2e-{name}-{datetime.now(UTC):%H%M%S%f}", 1)
    return Owner(stack, account_id)
