"""What the routes work with: the service, Temporal for the queue, the calendar, the clock."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Annotated

from fastapi import Depends, Request

from console.settings import ConsoleSettings
from domain.business_calendar import BusinessCalendar, load
from runtime.settings import Settings
from runtime.temporal import connect
from service.factory import Service, open_service


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Services(Service):
    calendar: BusinessCalendar
    settings: ConsoleSettings
    now: Callable[[], datetime] = field(default=_now)


@asynccontextmanager
async def open_services(settings: ConsoleSettings, service: Settings) -> AsyncIterator[Services]:
    """Temporal is connected to when it is first asked: the console comes up, and says so, while it is down.

    Raises `ValueError` when a setting cannot be used.
    """
    async with open_service(service, partial(connect, lazy=True)) as opened:
        yield Services(**vars(opened), calendar=load(service.calendar_dir), settings=settings)


async def services(request: Request) -> Services:
    # Not a plain function, here and wherever little is done: the framework would hand it to another thread each time.
    found: Services = request.app.state.services
    return found


WithServices = Annotated[Services, Depends(services)]
"""A route's way to everything it works with."""
