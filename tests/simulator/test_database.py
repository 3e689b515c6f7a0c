"""What the database keeps, and the small sums on which the limits stand."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from domain.accounts import Channel
from simulator.challenges import mask, start_of_day
from simulator.database import Database, Unusable, seconds_until
from tests.simulator.conftest import served

CHINA = timezone(timedelta(hours=8))


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    opened = Database(str(tmp_path / "platform.db"))
    yield opened
    opened.close()


def test_a_moment_comes_back_aware_and_in_utc(db: Database) -> None:
    moment = datetime(2026, 10, 1, 8, 30, 15, 123456, tzinfo=CHINA)
    with db.transaction():
        db.insert("calls", {"at": moment, "endpoint": "close", "key": "k", "effect": "APPLIED"})
    kept = db.value("SELECT at FROM calls")
    assert kept == moment
    assert kept.tzinfo is UTC


def test_a_naive_moment_is_refused(db: Database) -> None:
    with pytest.raises(TypeError, match="naive"):
        db.value("SELECT ?", datetime(2026, 10, 1))  # noqa: DTZ001


def test_what_fails_half_way_is_undone(db: Database) -> None:
    call = {"at": datetime.now(UTC), "endpoint": "close", "key": "k", "effect": "APPLIED"}
    with pytest.raises(sqlite3.IntegrityError), db.transaction():
        db.insert("calls", call, call | {"effect": None})
    assert db.value("SELECT count(*) FROM calls") == 0


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_a_database_is_a_file_whose_folder_is_made(tmp_path: Path, prefix: str) -> None:
    Database(f"{prefix}{tmp_path}/a/b.db").close()
    assert (tmp_path / "a" / "b.db").is_file()


@pytest.mark.parametrize("database", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://u@h/d"])
def test_a_database_without_a_file_is_refused(database: str) -> None:
    with pytest.raises(Unusable, match="SQLite file"):
        Database(database)


def serve(database: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "simulator", "serve", "--port", "0", "--db", str(database)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("version", [0, 1])
def test_a_database_with_older_tables_says_so_and_what_to_type(tmp_path: Path, version: int) -> None:
    old = tmp_path / "platform.db"
    Database(str(old)).close()
    with closing(sqlite3.connect(old)) as connection:
        connection.executescript(f"DROP TABLE long_work; PRAGMA user_version = {version}")
    done = serve(old)
    assert (done.returncode, done.stdout) == (3, "")
    [line] = done.stderr.splitlines()
    assert line.startswith(f"{old} has the tables of another version")
    to_type = line.rpartition(": ")[2]
    assert to_type == f"rm {old}"
    subprocess.run(to_type.split(), check=True)
    with served(str(old)) as url:
        assert url.startswith("http://")


def test_a_database_that_cannot_be_opened_says_so_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a database")
    for database in (tmp_path, tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(Unusable, match=str(tmp_path)):
            Database(str(database))


def test_a_database_that_is_served_already_is_not_served_twice(tmp_path: Path) -> None:
    with served(str(tmp_path / "platform.db")):
        done = serve(tmp_path / "platform.db")
    assert (done.returncode, done.stdout) == (3, "")
    assert "is locked. Stop the simulator that serves it" in done.stderr


@pytest.mark.parametrize(
    ("now", "midnight"),
    [
        (datetime(2026, 3, 1, 15, 59, 59, tzinfo=UTC), datetime(2026, 2, 28, 16, tzinfo=UTC)),
        (datetime(2026, 3, 1, 16, 0, 0, tzinfo=UTC), datetime(2026, 3, 1, 16, tzinfo=UTC)),
    ],
)
def test_a_day_of_codes_begins_at_midnight_in_shanghai(now: datetime, midnight: datetime) -> None:
    assert start_of_day(now) == midnight


def test_seconds_to_wait_are_rounded_up_and_never_negative() -> None:
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert seconds_until(now + timedelta(seconds=1.2), now) == 2
    assert seconds_until(now - timedelta(seconds=5), now) == 0


def test_a_masked_address_keeps_just_enough_to_be_recognised() -> None:
    assert mask(Channel.PHONE, "13812348000") == "138****8000"
    assert mask(Channel.EMAIL, "zhang@example.com") == "z***@example.com"
