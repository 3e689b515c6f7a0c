"""The front desk of this process, made from its settings; and what to say when Temporal is not there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Final

import structlog
from obstore.exceptions import BaseError
from temporalio.client import Client

from cli.answers import PROGRAM, UsageError
from gateways.platform import ChallengeDesk, HttpPlatform
from gateways.vault import ObjectVault
from runtime.logs import configure_logging
from runtime.settings import Settings
from runtime.temporal import connect, connect_options
from service.errors import Unreachable
from service.front_desk import FrontDesk
from service.letters.desk import LetterDesk
from service.ticket_files import TicketIntake

log = structlog.get_logger()

CONNECT_LIMIT: Final = 5.0
"""Seconds until Temporal counts as unreachable."""


@dataclass(frozen=True)
class Session:
    desk: FrontDesk
    intake: TicketIntake
    settings: Settings


@asynccontextmanager
async def connected(*, lazy: bool = False) -> AsyncIterator[Session]:
    """Everything a command works with. `lazy` connects to Temporal only when it is first asked something.

    Raises `Unreachable` when Temporal does not answer, and `UsageError` when a setting cannot be used.
    """
    settings = Settings()
    configure_logging(settings.log_format, settings.log_level)
    urls = settings.platform_base_urls()
    timeout = settings.platform_timeout.total_seconds()
    async with AsyncExitStack() as stack:
        try:
            vault = ObjectVault(settings.vault_url)
            platform = await stack.enter_async_context(HttpPlatform(urls, timeout=timeout))
            challenges = await stack.enter_async_context(ChallengeDesk(urls, timeout=timeout))
        except (ValueError, OSError, BaseError) as error:
            raise _unusable("CANCELLATION_*", error) from None
        client = await _temporal(lazy)
        yield Session(
            FrontDesk(client, settings.task_queue, platform, challenges, vault),
            TicketIntake(vault, LetterDesk(settings.letter_trust_roots)),
            settings,
        )


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
