"""The service of this process, made from its settings; and what to say when Temporal is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import structlog
from obstore.exceptions import BaseError
from temporalio.client import Client

from cli.answers import PROGRAM, UsageError
from runtime.logs import configure_logging
from runtime.settings import Settings
from runtime.temporal import connect, connect_options
from service.errors import Unreachable
from service.factory import Service, open_service

log = structlog.get_logger()

CONNECT_LIMIT: Final = 5.0
"""Seconds until Temporal counts as unreachable."""


@dataclass(frozen=True)
class Session(Service):
    settings: Settings


@asynccontextmanager
async def connected(*, lazy: bool = False) -> AsyncIterator[Session]:
    """Everything a command works with. `lazy` connects to Temporal only when it is first asked something.

    Raises `Unreachable` when Temporal does not answer, and `UsageError` when a setting cannot be used.
    """
    settings = Settings()
    configure_logging(settings.log_format, settings.log_level)
    async with AsyncExitStack() as stack:
        try:
            opened = await stack.enter_async_context(open_service(settings, partial(_temporal, lazy)))
        except (ValueError, OSError, BaseError) as error:
            raise _unusable("CANCELLATION_*", error) from None
        yield Session(**vars(opened), settings=settings)


async def _temporal(lazy: bool) -> Client:
    try:
        address = connect_options()["target_host"]
        # Before connecting, where a RuntimeError means something else.
    except RuntimeError as error:
        raise _unusable("TEMPORAL_*", error) from None
    try:
        async with asyncio.timeout(CONNECT_LIMIT):
            return await connect(lazy=lazy)
    except ValueError as error:
        raise _unusable("TEMPORAL_*", error) from None
    except (RuntimeError, TimeoutError) as error:
        # The SDK has no type of its own for this. Its words go to the log, for whoever looks into TLS.
        log.warning("Temporal connection failed", error=str(error) or type(error).__name__)
        raise Unreachable(
            f"Temporal at {address} does not answer. Check that it runs there and that TEMPORAL_ADDRESS names it; "
            f"`{PROGRAM} dev` starts a local one."
        ) from None


def _unusable(settings: str, error: Exception) -> UsageError:
    # The first line: the object store adds a dump of the URL, which may hold a password.
    return UsageError(f"The {settings} settings cannot be used: {str(error).splitlines()[0]}")
