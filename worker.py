"""The worker: composition root of the service. `python worker.py` runs until SIGTERM or SIGINT, then drains."""

import argparse
import asyncio
import os
import signal
import sys
from contextlib import AsyncExitStack

import structlog
from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxRestrictions

from activities import all_activities
from activities.failures import GatewayFailures
from domain.business_calendar import BusinessCalendar, load
from domain.ids import deletion_task_queue
from gateways.platform import HttpPlatform
from gateways.ports import Platform, Vault
from gateways.vault import ObjectVault
from runtime.health import serve_health
from runtime.logs import configure_logging
from runtime.settings import Settings
from runtime.temporal import connect, telemetry
from runtime.workers import Workers
from runtime.workflow_runner import CorrectedRunner
from workflows import SHARED_MODULES, WORKFLOWS
from workflows.account_cancellation.eligibility import CONCURRENT_ACTIVITIES
from workflows.common.interceptors import KeepMalformedMessagesOut

log = structlog.get_logger()

WORKFLOW_RUNNER = CorrectedRunner(restrictions=SandboxRestrictions.default.with_passthrough_modules(*SHARED_MODULES))
"""Histories are replayed in the same sandbox that the worker runs them in."""


def build_worker(
    client: Client, settings: Settings, platform: Platform, vault: Vault, calendar: BusinessCalendar
) -> Workers:
    """The same worker for production, demo, tests and benchmarks."""
    activities = all_activities(platform, vault, calendar)

    def on(task_queue: str) -> Worker:
        return Worker(
            client,
            task_queue=task_queue,
            workflows=list(WORKFLOWS),
            activities=activities,
            interceptors=[GatewayFailures(), KeepMalformedMessagesOut()],
            workflow_runner=WORKFLOW_RUNNER,
            # All checks of a request start at once; the default of 3 would send the rest through the task queue.
            max_eager_activity_reservations_per_workflow_task=CONCURRENT_ACTIVITIES,
            max_concurrent_activities=settings.max_concurrent_activities,
            max_concurrent_workflow_tasks=settings.max_concurrent_workflow_tasks,
            max_cached_workflows=settings.max_cached_workflows,
            max_task_queue_activities_per_second=settings.max_activities_per_second,
            # What the server hands over eagerly has passed by the task queue, and so by its limit.
            disable_eager_activity_execution=settings.max_activities_per_second is not None,
            # The default of 0 would cancel running activities at once.
            graceful_shutdown_timeout=settings.drain,
        )

    return Workers(on(settings.task_queue), on(deletion_task_queue(settings.task_queue)))


async def run(settings: Settings) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        client = await connect(runtime=telemetry(settings.metrics_address))
        platform = await stack.enter_async_context(
            HttpPlatform(settings.platform_base_urls(), timeout=settings.platform_timeout.total_seconds())
        )
        worker = build_worker(client, settings, platform, ObjectVault(settings.vault_url), load(settings.calendar_dir))
        if settings.health_port is not None:
            await stack.enter_async_context(serve_health(settings.health_host, settings.health_port, worker.is_ready))
        async with worker:
            log.info("Worker is running", task_queue=settings.task_queue, namespace=client.namespace)
            await stop.wait()
            log.info("Worker drains", seconds=settings.drain.total_seconds())
    log.info("Worker has stopped")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--health-port", type=int, help="serve /healthz and /readyz here (or CANCELLATION_HEALTH_PORT)")
    given = {name: value for name, value in vars(parser.parse_args()).items() if value is not None}
    settings = Settings(**given)
    configure_logging(settings.log_format, settings.log_level)
    asyncio.run(run(settings))
    sys.stderr.flush()
    # temporalio's native threads may abort the interpreter's own exit (sdk-python #300); everything is closed by now.
    os._exit(0)


if __name__ == "__main__":
    main()
