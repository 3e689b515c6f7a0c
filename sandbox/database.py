"""One SQLite file, one connection, used in the event loop's own thread: a statement takes some 20 microseconds."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, DateTime, Dialect, Row, StaticPool, TypeDecorator, create_engine

_PRAGMAS = ("busy_timeout=10000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")


AnyRow = Row[*tuple[Any, ...]]
"""A row whose columns are told by the statement, not by its type."""


def utc_now() -> datetime:
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """Aware UTC in Python, naive UTC in the database. Refuses naive values, which name no moment."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime names no moment; give it a time zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Database:
    def __init__(self, database: str) -> None:
        self._driver = sqlite3.connect(_file_of(database))
        for pragma in _PRAGMAS:
            self._driver.execute(f"PRAGMA {pragma}")
        self._engine = create_engine(
            "sqlite://",
            creator=lambda: self._driver,
            poolclass=StaticPool,
            isolation_level="AUTOCOMMIT",
            hide_parameters=True,  # an error's text ends up in the log, and a value may be somebody's phone
        )
        self.connection = self._engine.connect()
        """Each statement stands alone on it, except inside `write`."""

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction: committed at the end of the block, rolled back by an exception.

        The block awaits nothing, so that it is over before anybody else's turn comes: this is the only lock there is.
        """
        # IMMEDIATE: a transaction that reads first and writes later would fail where another process wrote in between.
        self._driver.execute("BEGIN IMMEDIATE")
        try:
            yield self.connection
        except BaseException:
            self._driver.execute("ROLLBACK")
            raise
        self._driver.execute("COMMIT")

    def close(self) -> None:
        self.connection.close()
        self._engine.dispose()


def _file_of(database: str) -> Path:
    """The file of `sqlite:///path`, or of a bare path. Its folder is made.

    Raises:
        ValueError: another kind of database, or one without a file.
    """
    path = database.removeprefix("sqlite:///")
    if "://" in path or path in ("", ":memory:"):
        raise ValueError("The sandbox keeps its data in an SQLite file. Give the file's path, or sqlite:///path.")
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return Path(path)
