"""What the database keeps, and the small sums on which the limits stand."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import StatementError

from domain.accounts import Channel
from sandbox.challenges import mask
from sandbox.code_limits import seconds_until, start_of_day
from sandbox.database import Database
from sandbox.seeds import SEEDS
from sandbox.store import SandboxStore
from sandbox.tables import AccountRow

CHINA = timezone(timedelta(hours=8))


async def test_a_moment_comes_back_aware_and_in_utc(db: Database, account: str) -> None:
    moment = datetime(2026, 10, 1, 8, 30, 15, 123456, tzinfo=CHINA)
    with db.write() as tx:
        tx.execute(update(AccountRow).filter_by(id=account).values(closed_at=moment))
    kept = db.connection.scalar(select(AccountRow.closed_at).filter_by(id=account))
    assert kept == moment
    assert kept is not None
    assert kept.tzinfo is UTC


async def test_a_naive_moment_is_refused(db: Database, account: str) -> None:
    naive = update(AccountRow).filter_by(id=account).values(closed_at=datetime(2026, 10, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"), db.write() as tx:
        tx.execute(naive)


@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_a_database_is_a_file_whose_folder_is_made(tmp_path: Path, prefix: str) -> None:
    Database(f"{prefix}{tmp_path}/a/b.db").close()
    assert (tmp_path / "a" / "b.db").is_file()


@pytest.mark.parametrize("database", ["", "sqlite://", "sqlite:///", "sqlite:///:memory:", "postgresql://u@h/d"])
def test_a_database_without_a_file_is_refused(database: str) -> None:
    with pytest.raises(ValueError, match="SQLite file"):
        Database(database)


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


async def test_processes_that_start_together_make_the_schema_and_the_seeds_once(tmp_path: Path) -> None:
    stores = [SandboxStore(str(tmp_path / "empty.db")) for _ in range(4)]
    await asyncio.gather(*(store.__aenter__() for store in stores))
    try:
        assert {seed.id for seed in SEEDS} == {state.profile.account_id for state in await stores[-1].accounts()}
        assert len(await stores[0].accounts()) == len(SEEDS)
    finally:
        await asyncio.gather(*(store.__aexit__(None, None, None) for store in stores))
