"""Session fixtures: one real Temporal server with per-workflow time skipping, one sandbox platform over HTTP."""

from collections.abc import AsyncIterator

import hypothesis
import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment

from sandbox.store import SandboxStore
from tests.service import Service, sandbox_process, service_on, temporal_environment

# A property is no stop-watch: on a busy machine a slow example is not a wrong one.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    async with await temporal_environment() as environment:
        yield environment


@pytest_asyncio.fixture(scope="session")
async def sandbox(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, SandboxStore]]:
    async with sandbox_process(f"sqlite:///{tmp_path_factory.mktemp('sandbox') / 'platform.db'}") as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def idle_service(
    temporal: WorkflowEnvironment, sandbox: tuple[str, SandboxStore], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The service without a worker; a test that stops and starts one makes a copy with a task queue of its own."""
    async with service_on(temporal, sandbox, tmp_path_factory.mktemp("vault")) as idle:
        yield idle


@pytest_asyncio.fixture(scope="session")
async def service(idle_service: Service) -> AsyncIterator[Service]:
    """The service with a running worker, shared by the session."""
    async with idle_service.worker():
        yield idle_service
