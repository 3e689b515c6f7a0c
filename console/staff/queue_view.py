"""The queue as the page shows it: the counts of all buckets and the first rows, one snapshot for all viewers."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from console.services import Services
from console.staff.ttl_cache import TtlCache
from domain.business_calendar import SHANGHAI
from domain.checks import Reason
from i18n.catalogue import N_
from i18n.texts import Text, translated
from i18n.time_left import TimeLeft
from service.queue import Bucket, BucketKind, QueuedTicket, QueueFilter, buckets

PAGE_SIZE: Final = 20
"""Tickets on a page."""

SNAPSHOT_SECONDS: Final = 3.0
"""How old what a page shows may be, on top of the moment by which visibility is behind."""


_BUCKETS: Final[dict[BucketKind, Text]] = {
    BucketKind.LATE: Text(N_("Late"), N_("Past the deadline that the owner was promised: decide these now.")),
    BucketKind.CLOCK_NOT_SET: Text(
        N_("Clock not yet set"), N_("Normal for a moment after a filing; tell operations if a ticket stays here.")
    ),
    BucketKind.DUE: Text(N_("Due in the coming days")),
    BucketKind.LATER: Text(N_("Due later")),
    BucketKind.AWAITING_MATERIALS: Text(
        N_("Awaiting materials"), N_("The clock is paused until the owner has supplied them.")
    ),
}


def bucket_words(kind: BucketKind, locale: str) -> Text:
    return translated(_BUCKETS[kind], locale)


@dataclass(frozen=True)
class Counted:
    bucket: Bucket
    tickets: int


@dataclass(frozen=True)
class Snapshot:
    """The counts of every bucket at one moment."""

    counted: tuple[Counted, ...]
    taken_at: datetime

    @property
    def total(self) -> int:
        return sum(one.tickets for one in self.counted)

    @property
    def fingerprint(self) -> str:
        """Changes with any count, and with the hour, since rows tell the hours left."""
        parts = [f"{one.bucket.key}={one.tickets}" for one in self.counted]
        return sha256(f"{self.taken_at.astimezone(SHANGHAI):%F %H} {parts}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Row:
    ticket: QueuedTicket
    left: TimeLeft
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Section:
    """A bucket with those of its tickets that fit on the page."""

    bucket: Bucket
    tickets: int
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class QueueView:
    snapshot: Snapshot
    sections: tuple[Section, ...]


class QueueViews:
    """Every viewer's board. Idle viewers together cost one count a bucket in `SNAPSHOT_SECONDS`."""

    def __init__(self) -> None:
        self._snapshots: TtlCache[QueueFilter, Snapshot] = TtlCache(SNAPSHOT_SECONDS)
        self._boards: TtlCache[tuple[QueueFilter, BucketKind | None, str], QueueView] = TtlCache(SNAPSHOT_SECONDS)

    async def snapshot(self, services: Services, wanted: QueueFilter) -> Snapshot:
        return await self._snapshots.get(wanted, lambda: _count(services, wanted))

    async def board(self, services: Services, wanted: QueueFilter, kind: BucketKind | None) -> QueueView:
        """The first tickets of the queue, or of one kind of bucket."""
        snapshot = await self.snapshot(services, wanted)
        key = (wanted, kind, snapshot.fingerprint)
        return await self._boards.get(key, lambda: _list(services, snapshot, kind))


def rows(tickets: tuple[QueuedTicket, ...], services: Services) -> tuple[Row, ...]:
    now = services.now()
    return tuple(
        Row(t, TimeLeft.of(t.status, t.due_at, services.calendar, now), tuple(map(Reason, t.reasons))) for t in tickets
    )


async def _count(services: Services, wanted: QueueFilter) -> Snapshot:
    now = services.now()
    found = buckets(services.calendar, now, wanted)
    counts = await asyncio.gather(*(services.cancellations.queue_count(bucket) for bucket in found))
    return Snapshot(tuple(Counted(bucket, number) for bucket, number in zip(found, counts, strict=True)), now)


async def _list(services: Services, snapshot: Snapshot, kind: BucketKind | None) -> QueueView:
    shown = [one for one in snapshot.counted if one.tickets and kind in (None, one.bucket.kind)]
    room, sizes = PAGE_SIZE, []
    for one in shown:
        sizes.append(min(one.tickets, room))
        room -= sizes[-1]

    async def first(bucket: Bucket, size: int) -> tuple[QueuedTicket, ...]:
        if not size:
            return ()
        # One more than is shown: a page that is exactly full looks as if more followed, and the late ones would then
        # be read day by day.
        return (await services.cancellations.queued(bucket, size + 1)).tickets[:size]

    pages = await asyncio.gather(*(first(one.bucket, size) for one, size in zip(shown, sizes, strict=True)))
    sections = (
        Section(one.bucket, one.tickets, rows(tickets, services)) for one, tickets in zip(shown, pages, strict=True)
    )
    return QueueView(snapshot, tuple(sections))
