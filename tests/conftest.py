"""Session fixtures: one real Temporal server with per-workflow time skipping, one sandbox platform over HTTP."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import TimeSkippingConfig, WorkflowEnvironment

from gateways.platform import ChallengeDesk, HttpPlatform
from gateways.vault import ObjectVault
from sandbox.store import SandboxStore
from tests.service import Service, base_urls
from workflows.search_attributes import ALL

TEMPORAL = Path(sys.executable).parent / "temporal"


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    """Starts in real time; a test skips with `fast_forward`, which moves one workflow's clock only."""
    async with await WorkflowEnvironment.start_time_skipping_v2(
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        data_converter=pydantic_data_converter,
        search_attributes=ALL,
        dev_server_extra_args=[
            "--dynamic-config-value",
            "frontend.WorkflowTimeSkippingEnabled=true",
            # The default of 1 s would cost a second of wall time for every timer that is skipped.
            "--dynamic-config-value",
            'history.timerProcessorMaxTimeShift="5ms"',
        ],
        ts_config=TimeSkippingConfig(enabled=False),
    ) as environment:
        yield environment


@pytest_asyncio.fixture(scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, SandboxStore]]:
    """The pretend platform as a process of its own: its base URL, and the hand that changes its world."""
    database = f"sqlite:///{tmp_path_factory.mktemp('sandbox') / 'platform.db'}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", "serve", "--port", "0", "--db", database, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        ready = (await asyncio.wait_for(process.stdout.readline(), 30)).decode()
        async with SandboxStore(database) as store:
            yield ready.split()[-1], store
    finally:
        process.terminate()
        await process.wait()


@pytest_asyncio.fixture(scope="session")
async def idle_service(
    temporal: WorkflowEnvironment, sandbox: tuple[str, SandboxStore], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The service without a worker; a test that stops and starts one makes a copy with a task queue of its own."""
    url, store = sandbox
    vault = ObjectVault((tmp_path_factory.mktemp("vault")).as_uri())
    async with HttpPlatform(base_urls(url)) as platform, ChallengeDesk(base_urls(url)) as challenges:
        yield Service(temporal, store, platform, challenges, vault)


@pytest_asyncio.fixture(scope="session")
async def service(idle_service: Service) -> AsyncIterator[Service]:
    """The service with a running worker, shared by the session."""
    async with idle_service.worker():
        yield idle_service
