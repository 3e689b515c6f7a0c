"""`python -m devtools.benchmarks.variants VARIANT`: a worker like `worker.py`, with one thing different.

Every variant has the production worker's options, since it is built by `build_worker`, and runs in a process of its
own, set up by the same variables.
"""

import asyncio
import os
import signal
import sys
from enum import StrEnum

from temporalio import workflow
from temporalio.client import Client
from temporalio.plugin import SimplePlugin
from temporalio.worker import UnsandboxedWorkflowRunner, WorkerConfig

from devtools.benchmarks.instant import InstantPlatform
from devtools.benchmarks.twin import BareDeletion, BareRequest, nothing
from domain.business_calendar import CALENDAR
from gateways.vault import ObjectVault
from runtime.health import serve_health
from runtime.logs import configure_logging
from runtime.settings import Settings
from runtime.temporal import connect
from runtime.workers import Workers
from worker import build_worker


class Variant(StrEnum):
    TWIN = "twin"
    """The bare twin."""
    INSTANT = "instant"
    """Our workflows and activities on a platform that answers at once, in the same process."""
    NO_ATTRIBUTES = "instant-without-search-attributes"
    NO_DETAILS = "instant-without-current-details"
    NO_SANDBOX = "instant-without-workflow-sandbox"


class _Instead(SimplePlugin):
    """Puts parts of its own where the production worker has others; every option stays."""

    def __init__(self, variant: Variant, parts: WorkerConfig) -> None:
        super().__init__(variant)
        self._parts = parts

    def configure_worker(self, config: WorkerConfig) -> WorkerConfig:
        return {**config, **self._parts}


def build_variant(variant: Variant, client: Client, settings: Settings) -> Workers:
    parts: WorkerConfig = {}
    match variant:
        case Variant.TWIN:
            parts = {"workflows": [BareRequest, BareDeletion], "activities": [nothing], "interceptors": []}
        case Variant.NO_SANDBOX:
            parts = {"workflow_runner": UnsandboxedWorkflowRunner()}
        case Variant.NO_ATTRIBUTES:
            workflow.upsert_search_attributes = _nothing  # type: ignore[assignment]
        case Variant.NO_DETAILS:
            workflow.set_current_details = _nothing  # type: ignore[assignment]
    config = client.config()
    config["plugins"] = [_Instead(variant, parts)]
    return build_worker(Client(**config), settings, InstantPlatform(), ObjectVault(settings.vault_url), CALENDAR)


def _nothing(*_: object) -> None:
    pass


async def run(variant: Variant) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = Settings()
    configure_logging(settings.log_format, settings.log_level)
    assert settings.health_port is not None
    async with (
        build_variant(variant, await connect(), settings) as worker,
        serve_health(settings.health_host, settings.health_port, worker.is_ready),
    ):
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(run(Variant(sys.argv[1])))
    # temporalio's native threads may abort the interpreter's own exit.
    os._exit(0)
