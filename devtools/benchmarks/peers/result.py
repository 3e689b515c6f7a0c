"""What comes out: every figure with its median and spread, the ratios that are wanted, and what a crash leaves."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Final

from devtools.benchmarks.figures import Figures, Measurement, Spread
from devtools.benchmarks.measure import ALONE, IN_FLIGHT, TO_CLOSED_MS, WORKER_CPU, Samples
from domain.model import Model

OURS: Final = "Temporal"
DBOS_SQLITE: Final = "DBOS-SQLite"
DBOS_POSTGRESQL: Final = "DBOS-PostgreSQL"

CPU_WORKER: Final = WORKER_CPU
CPU_WORKER_ALONE: Final = f"{WORKER_CPU}, alone"
CPU_SERVER: Final = "CPU ms, server or database"
CPU_PLATFORM: Final = "CPU ms, simulator"
CPU_CLIENT: Final = "CPU ms, client"
CPU_ALL: Final = "CPU ms together"


class Storage(StrEnum):
    """Where all of them keep their state: on a file system in memory, where no sync takes any time, or on the disk."""

    MEMORY = "memory"
    DISK = "disk"

    @property
    def folder(self) -> Path | None:
        """Below which the state lies; None for the system's temporary folder."""
        return Path("/dev/shm") if self is Storage.MEMORY else None


class Ratio(Model):
    """One wanted ratio of ours to a peer's, taken turn by turn."""

    peer: str
    figure: str
    limit: float
    at_least: bool
    measured: Spread

    @property
    def met(self) -> bool:
        return self.measured.median >= self.limit if self.at_least else self.measured.median <= self.limit


WANTED: Final = (
    (DBOS_SQLITE, ALONE, 1.0, True),
    (DBOS_SQLITE, IN_FLIGHT, 1.0, True),
    (DBOS_POSTGRESQL, ALONE, 1.3, True),
    (DBOS_POSTGRESQL, IN_FLIGHT, 1.3, True),
    (DBOS_SQLITE, TO_CLOSED_MS, 1.5, False),
    (DBOS_POSTGRESQL, TO_CLOSED_MS, 1.5, False),
)
"""Peer, figure, limit, and whether it is the least or the most that ours may be in times of the peer's."""


class Crash(Model):
    """Requests in the middle of their deletion when their worker was killed outright, and started again at once.

    Seconds are from the kill. `closed_exactly_once` counts the requests whose account was closed, and each kind of its
    data destroyed, once and not twice, by the platform's own record.
    """

    requests: int
    closed_exactly_once: int
    seconds_to_ready: float
    seconds_to_going_on: float
    seconds_to_all_closed: float


class Measured(Model):
    """All that was measured in one run; by contender."""

    ratios: tuple[Ratio, ...]
    figures: dict[str, Figures]
    crashes: dict[str, Crash]


class PeersResult(Measurement):
    versions: dict[str, str]
    n: int
    concurrency: int
    runs: dict[Storage, Measured]

    @property
    def met(self) -> bool:
        return all(ratio.met for run in self.runs.values() for ratio in run.ratios)


def judge(samples: Mapping[str, Samples]) -> tuple[Ratio, ...]:
    ratios = []
    for peer, figure, limit, at_least in WANTED:
        pairs = zip(samples[OURS][figure], samples[peer][figure], strict=True)
        measured = Spread.of(ours / theirs for ours, theirs in pairs)
        ratios.append(Ratio(peer=peer, figure=figure, limit=limit, at_least=at_least, measured=measured))
    return tuple(ratios)
