"""The one thing that every command opens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.connection import Session


@asynccontextmanager
async def open_session(*, lazy: bool = False) -> AsyncIterator["Session"]:
    """See `cli.connection`, whose imports take a second that `--help` can do without."""
    from cli.connection import connected  # noqa: PLC0415

    async with connected(lazy=lazy) as session:
        yield session
