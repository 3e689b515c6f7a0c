"""One SQLite file, owned by one process and used in its event loop: a statement takes some 20 microseconds."""

import math
import sqlite3
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from zlib import crc32

from domain.model import Model

M = TypeVar("M", bound=Model)

_SCHEMA = (Path(__file__).parent / "schema.sql").read_text()
_VERSION = crc32(_SCHEMA.encode()) >> 1  # SQLite's `user_version` is signed
_PRAGMAS = ("locking_mode=EXCLUSIVE", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

# A naive datetime names no moment, and cannot be subtracted from one that does.
sqlite3.register_adapter(datetime, lambda moment: (moment - _EPOCH) // _MICROSECOND)
sqlite3.register_converter("MOMENT", lambda stored: _EPOCH + int(stored) * _MICROSECOND)


class Unusable(Exception):
    """The database cannot be used; the text says why, and what to type."""


class Database:
    """Reads stand alone; changes belong in a `transaction`.

    Raises:
        Unusable: no SQLite file, one that another process has open, or one that another version made.
    """

    def __init__(self, database: str) -> None:
        path = Path(database.removeprefix("sqlite:///"))
        if "://" in database.removeprefix("sqlite:///") or path.name in ("", ":memory:"):
            raise Unusable("The simulator keeps its data in an SQLite file. Give the file's path, or sqlite:///path.")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(path, detect_types=sqlite3.PARSE_DECLTYPES)
            self._connection.row_factory = sqlite3.Row
            for pragma in _PRAGMAS:
                self._connection.execute(f"PRAGMA {pragma}")
            if not self.value("SELECT count(*) FROM sqlite_master"):
                self._connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_VERSION}; COMMIT")
        except (OSError, sqlite3.DatabaseError) as error:
            raise Unusable(f"{path}: {error}. Stop the simulator that serves it, or give another file.") from error
        if self.value("PRAGMA user_version") != _VERSION:
            self.close()
            raise Unusable(
                f"{path} has the tables of another version of the simulator. Nothing in it is real. "
                f"Remove it, then start again: rm {path}"
            )

    def transaction(self) -> AbstractContextManager[object]:
        """What is written in the block is kept at its end, and undone by an exception.

        The block must not await anything: nobody else's turn comes before it is over, and no other lock is needed.
        """
        return self._connection

    def rows(self, statement: str, *values: Any) -> list[sqlite3.Row]:
        return self._connection.execute(statement, values).fetchall()

    def row(self, statement: str, *values: Any) -> sqlite3.Row | None:
        """The first row."""
        row: sqlite3.Row | None = self._connection.execute(statement, values).fetchone()
        return row

    def value(self, statement: str, *values: Any) -> Any:
        """The first column of the first row; None without one."""
        row = self.row(statement, *values)
        return row[0] if row else None

    def change(self, statement: str, *values: Any) -> int:
        """How many rows were changed."""
        return self._connection.execute(statement, values).rowcount

    def insert(self, table: str, *rows: dict[str, Any]) -> None:
        """Rows with the same columns."""
        if rows:
            columns, values = ", ".join(rows[0]), ", ".join(f":{name}" for name in rows[0])
            self._connection.executemany(f"INSERT INTO {table} ({columns}) VALUES ({values})", rows)  # noqa: S608

    def close(self) -> None:
        self._connection.close()


def utc_now() -> datetime:
    return datetime.now(UTC)


def seconds_until(moment: datetime, now: datetime) -> int:
    """Whole seconds, rounded up so that waiting for them is enough; 0 when it has passed."""
    return max(0, math.ceil((moment - now).total_seconds()))


def as_model(model: type[M], row: sqlite3.Row, **further: Any) -> M:
    """The model from the columns that have its fields' names, and what else is given."""
    columns = {name: row[name] for name in model.model_fields if name not in further}
    return model(**columns, **further)
