"""What the routes work with: the front desk, the vault's intake, Temporal for the queue, the calendar, the clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, Request
from temporalio.client import Client

from console.settings import ConsoleSettings
from domain.business_calendar import BusinessCalendar, load
from gateways.platform import ChallengeDesk, HttpPlatform
from gateways.vault import ObjectVault
from runtime.settings import Settings
from runtime.temporal import connect
from service.front_desk import FrontDesk
from service.letters.desk import LetterDesk
from service.ticket_files import TicketIntake


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services:
    desk: FrontDesk
    intake: TicketIntake
    client: Client
    calendar: BusinessCalendar
    settings: ConsoleSettings
    now: Callable[[], datetime] = field(default=_now)


@asynccontextmanager
async def open_services(settings: ConsoleSettings, service: Settings) -> AsyncIterator[Services]:
    """Temporal is connected to when it is first asked: the console comes up, and says so, while it is down.

    Raises `ValueError` when a setting cannot be used.
    """
    async with AsyncExitStack() as stack:
        urls, timeout = service.platform_base_urls(), service.platform_timeout.total_seconds()
        platform = await stack.enter_async_context(HttpPlatform(urls, timeout=timeout))
        challenges = await stack.enter_async_context(ChallengeDesk(urls, timeout=timeout))
        vault = ObjectVault(service.vault_url)
        client = await connect(lazy=True)
        yield Services(
            desk=FrontDesk(client, service.task_queue, platform, challenges, vault),
            intake=TicketIntake(vault, LetterDesk(service.letter_trust_roots)),
            client=client,
            calendar=load(service.calendar_dir),
            settings=settings,
        )


async def services(request: Request) -> Services:
    # Not a plain function, here and wherever little is done: the framework would hand it to another thread each time.
    found: Services = request.app.state.services
    return found


Desk = Annotated[Services, Depends(services)]
"""A route's way to everything it works with."""
