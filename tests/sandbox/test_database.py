"""What holds for both databases."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import make_url, select, update
from sqlalchemy.exc import StatementError

from domain.accounts import Channel
from sandbox.challenges import mask
from sandbox.code_limits import seconds_until, start_of_day
from sandbox.database import Database
from sandbox.seeds import SEEDS
from sandbox.settings import async_url
from sandbox.store import SandboxStore
from sandbox.tables import AccountRow

CHINA = timezone(timedelta(hours=8))


async def test_a_moment_comes_back_aware_and_in_utc(db: Database, account: str) -> None:
    moment = datetime(2026, 10, 1, 8, 30, 15, 123456, tzinfo=CHINA)
    async with db.write() as tx:
        await tx.execute(update(AccountRow).filter_by(id=account).values(closed_at=moment))
    async with db.read() as connection:
        kept = await connection.scalar(select(AccountRow.closed_at).filter_by(id=account))
    assert kept == moment
    assert kept is not None
    assert kept.tzinfo is UTC


async def test_a_naive_moment_is_refused(db: Database, account: str) -> None:
    naive = update(AccountRow).filter_by(id=account).values(closed_at=datetime(2026, 10, 1))  # noqa: DTZ001
    with pytest.raises(StatementError, match="naive"):
        async with db.write() as tx:
            await tx.execute(naive)


def test_a_bare_path_is_an_sqlite_file_and_its_folder_is_made(tmp_path: Path) -> None:
    url = async_url(str(tmp_path / "a" / "b.db"))
    assert url.drivername == "sqlite+aiosqlite"
    assert (tmp_path / "a").is_dir()
    assert async_url("postgresql://u@h/d").drivername == "postgresql+asyncpg"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused_because_processes_share_it(url: str) -> None:
    with pytest.raises(ValueError, match="needs an SQLite file"):
        async_url(url)


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


@pytest.fixture
async def empty_database(database: str, tmp_path: Path) -> str:
    """A database without tables, of the same kind."""
    if database.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'empty.db'}"
    connection = await asyncpg.connect(database)
    await connection.execute("CREATE DATABASE empty")
    await connection.close()
    return make_url(database).set(database="empty").render_as_string(hide_password=False)


async def test_processes_that_start_together_make_the_schema_and_the_seeds_once(empty_database: str) -> None:
    stores = [SandboxStore(empty_database) for _ in range(4)]
    await asyncio.gather(*(store.__aenter__() for store in stores))
    try:
        assert {seed.id for seed in SEEDS} == {state.profile.account_id for state in await stores[-1].accounts()}
        assert len(await stores[0].accounts()) == len(SEEDS)
    finally:
        await asyncio.gather(*(store.__aexit__(None, None, None) for store in stores))
