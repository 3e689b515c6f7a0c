"""Everything that a program needs to serve people, composed from its settings: one way for console and command line."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from temporalio.client import Client

from gateways.platform import ChallengePlatform, HttpPlatform
from gateways.vault import ObjectVault
from runtime.settings import Settings
from service.cancellation_service import CancellationService
from service.letters.letter_service import LetterService
from service.ticket_files import TicketFiles


@dataclass(frozen=True)
class Service:
    """What the application can do, and what its tickets consist of."""

    cancellations: CancellationService
    tickets: TicketFiles
    client: Client


@asynccontextmanager
async def open_service(settings: Settings, connect: Callable[[], Awaitable[Client]]) -> AsyncIterator[Service]:
    """`connect` is awaited last: what is wrong with a setting is told whether or not Temporal answers.

    Raises `ValueError`, `OSError` or obstore's `BaseError` when a setting cannot be used.
    """
    urls, timeout = settings.platform_base_urls(), settings.platform_timeout.total_seconds()
    vault = ObjectVault(settings.vault_url)
    async with AsyncExitStack() as stack:
        platform = await stack.enter_async_context(HttpPlatform(urls, timeout=timeout))
        challenges = await stack.enter_async_context(ChallengePlatform(urls, timeout=timeout))
        client = await connect()
        yield Service(
            cancellations=CancellationService(client, settings.task_queue, platform, challenges, vault),
            tickets=TicketFiles(vault, LetterService(settings.letter_trust_roots)),
            client=client,
        )
