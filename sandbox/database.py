"""One database, SQLite or PostgreSQL, by two engines: reads that need no transaction, and writes that must have one."""

import sqlite3
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from functools import partial
from typing import Any

import aiosqlite
from sqlalchemy import DateTime, Dialect, Engine, Row, TypeDecorator, event, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from sandbox.settings import async_url

_SQLITE_PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")


AnyRow = Row[*tuple[Any, ...]]
"""A row whose columns are told by the statement, not by its type."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, whatever the database keeps. Refuses naive values, which SQLite would take for UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime names no moment; give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Database:
    def __init__(self, database: str) -> None:
        url = async_url(database)
        self._is_sqlite = url.get_backend_name() == "sqlite"
        # No values in error texts: they end up in the log, and may be somebody's phone.
        common: dict[str, Any] = {"hide_parameters": True}
        if self._is_sqlite:
            common["async_creator"] = partial(_connect_sqlite, url.database)
        # No overflow: its connections are closed after use, and opening one takes longer than the read.
        self._reader = create_async_engine(
            url, isolation_level="AUTOCOMMIT", pool_size=16, max_overflow=0, skip_autocommit_rollback=True, **common
        )
        # SQLite has one writer at a time: waiting for the one connection is fair, polling for the file's lock is not.
        self._writer = create_async_engine(url, pool_size=1 if self._is_sqlite else 16, max_overflow=0, **common)
        if self._is_sqlite:
            event.listen(self._reader.sync_engine, "connect", _tune_sqlite)
            event.listen(self._writer.sync_engine, "connect", _tune_sqlite)
            _begin_immediately(self._writer.sync_engine)

    def read(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A connection on which each statement stands alone."""
        return self._reader.connect()

    def write(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """A transaction: committed at the end of the block, rolled back by an exception."""
        return self._writer.begin()

    async def lock_for_setup(self, tx: AsyncConnection) -> None:
        """Processes that start together make the schema one after the other."""
        if not self._is_sqlite:
            await tx.execute(text("SELECT pg_advisory_xact_lock(7108)"))

    async def close(self) -> None:
        await self._reader.dispose()
        await self._writer.dispose()


class _InlineConnection(aiosqlite.Connection):
    """Runs statements in the loop's own thread.

    A statement of the sandbox's takes some 20 microseconds; handing it to another thread and back takes ten times
    that, and aiosqlite does it four times a statement.
    """

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        return fn(*args, **kwargs)


def _connect_sqlite(path: str | None) -> _InlineConnection:
    connection = _InlineConnection(partial(sqlite3.connect, str(path), check_same_thread=False), iter_chunk_size=64)
    connection._thread.daemon = True
    return connection


def _tune_sqlite(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _SQLITE_PRAGMAS:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediately(engine: Engine) -> None:
    """Take SQLite's write lock at BEGIN: one that reads first and writes later fails at the upgrade."""

    def no_driver_transactions(connection: Any, _record: object) -> None:
        connection.isolation_level = None

    event.listen(engine, "connect", no_driver_transactions)
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
