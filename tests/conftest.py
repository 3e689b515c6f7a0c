"""Session fixtures: one real Temporal server with per-workflow time skipping, one simulator over HTTP."""

import gc
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import pytest_asyncio
from temporalio.testing import WorkflowEnvironment
from xdist.scheduler import LoadFileScheduling

from simulator.store import SimulatorStore
from tests.support.service import Service, service_on, simulator_process, temporal_environment

# A property is no stop-watch: on a busy machine a slow example is not a wrong one.
hypothesis.settings.register_profile(
    "unhurried", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("unhurried")

# For the Temporal servers, of which each has one test at a time to serve: fewer collections, and no second processor.
os.environ.setdefault("GOGC", "400")
os.environ.setdefault("GOMAXPROCS", "1")


# Until all tests are collected there is no garbage worth looking for: a third of the time would go into it.
gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The folder with the longest files first: at the end one of them would leave the other processors idle."""
    longest = Path(__file__).parent / "workflows"
    items.sort(key=lambda item: longest not in item.path.parents)


def pytest_collection_finish() -> None:
    """Thousands of tests that wait for their turn need not be looked through whenever garbage is collected."""
    gc.freeze()
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: tests wait, for programs that start and for what is tried again later."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """File by file; but the files of a folder that starts a whole stack for itself stay together."""
    # Left to itself it would begin those files last that have few tests, and some of these are the longest.
    config.option.loadscopereorder = False
    scheduler = LoadFileScheduling(config, log)
    scheduler._split_scope = _belongs_to
    return scheduler


def _belongs_to(nodeid: str) -> str:
    file = nodeid.split("::", 1)[0]
    return next((folder for folder in ("tests/browser/", "tests/cli/", "tests/e2e/") if file.startswith(folder)), file)


@pytest_asyncio.fixture(scope="session")
async def temporal() -> AsyncIterator[WorkflowEnvironment]:
    async with await temporal_environment() as environment:
        yield environment


@pytest_asyncio.fixture(scope="session")
async def simulator(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[str, SimulatorStore]]:
    async with simulator_process(f"sqlite:///{tmp_path_factory.mktemp('simulator') / 'platform.db'}") as running:
        yield running


@pytest_asyncio.fixture(scope="session")
async def idle_service(
    temporal: WorkflowEnvironment, simulator: tuple[str, SimulatorStore], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Service]:
    """The service without a worker; a test that stops and starts one makes a copy with a task queue of its own."""
    async with service_on(temporal, simulator, tmp_path_factory.mktemp("vault")) as idle:
        yield idle


@pytest_asyncio.fixture(scope="session")
async def service(idle_service: Service) -> AsyncIterator[Service]:
    """The service with a running worker, shared by the session."""
    async with idle_service.worker():
        yield idle_service
