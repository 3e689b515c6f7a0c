"""The queue, page by page, and what of it moves by itself."""

import asyncio
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BeforeValidator, ConfigDict

from console.errors import EXPECTED, Problem
from console.pages import language, page
from console.services import WithServices
from console.staff.queue_view import PAGE_SIZE, QueueView, Section, bucket_words, rows
from console.staff.rendering import StaffRoute, caches
from domain.accounts import RealNameType
from domain.business_calendar import SHANGHAI
from domain.checks import WAIVABLE, Check, Reason
from domain.errors import ErrorType, Refusal
from domain.model import Model
from service.queue import BucketKind, QueueFilter, buckets

router = APIRouter(route_class=StaffRoute)

_ANY = BeforeValidator(lambda chosen: chosen or None)
"""What a form sends for "all" is an empty word."""

FILTER_REASONS = tuple(r for r in Reason if r.startswith(tuple(f"{check}_" for check in Check if check in WAIVABLE)))
"""Why a ticket can be filed at all; nothing else is left when one is."""


class Choice(Model):
    """What the viewer wants to see. It becomes part of the query; nothing is loaded and left out."""

    # An address carries other things too, such as the language.
    model_config = ConfigDict(extra="ignore")

    state: Annotated[BucketKind | None, _ANY] = None
    real_name_type: Annotated[RealNameType | None, _ANY] = None
    reason: Annotated[Reason | None, _ANY] = None

    @property
    def filter(self) -> QueueFilter:
        return QueueFilter(real_name_type=self.real_name_type, reason=self.reason)

    def parameters(self, **more: str) -> dict[str, str]:
        return {**{k: str(v) for k, v in self.model_dump(mode="json", exclude_none=True).items()}, **more}

    @property
    def narrows(self) -> bool:
        return self != Choice()


class Page(Choice):
    cursor: str | None = None


class Seen(Choice):
    seen: str = ""
    bucket: str | None = None


@router.get("")
async def staff_queue(request: Request, services: WithServices, choice: Annotated[Choice, Query()]) -> Response:
    board = await caches(request).queues.board(services, choice.filter, choice.state)
    return page(request, "staff/queue.html", **_context(request, services, choice, board))


@router.get("/live")
async def staff_queue_live(request: Request, services: WithServices, seen: Annotated[Seen, Query()]) -> Response:
    """The moving part of the queue; nothing when it is as it was seen. On a bucket's page only the counts move."""
    choice = Choice(state=seen.state, real_name_type=seen.real_name_type, reason=seen.reason)
    boards = caches(request).queues
    try:
        snapshot = await boards.snapshot(services, choice.filter)
        if snapshot.fingerprint == seen.seen:
            return Response(status_code=204)
        board = QueueView(snapshot, ()) if seen.bucket else await boards.board(services, choice.filter, choice.state)
    except EXPECTED as error:
        # Beside the rows and not instead of them: what is on the page stays useful while we are away.
        away = {"HX-Retarget": "#queue-away", "HX-Reswap": "innerHTML"}
        problem = Problem.of(error)
        return page(
            request, "staff/queue_away.html", headers=away, choice=choice, bucket_key=seen.bucket, problem=problem
        )
    return page(request, "staff/queue_live.html", **_context(request, services, choice, board, seen.bucket))


@router.get("/buckets/{bucket}")
async def staff_bucket(
    request: Request, services: WithServices, bucket: str, wanted: Annotated[Page, Query()]
) -> Response:
    choice = Choice(real_name_type=wanted.real_name_type, reason=wanted.reason)
    found = next((b for b in buckets(services.calendar, services.now(), choice.filter) if b.key == bucket), None)
    if found is None:
        raise Refusal(ErrorType.NOT_FOUND, "The queue has no such part any more; go back to the queue.")
    listed, snapshot = await asyncio.gather(
        services.cancellations.queued(found, PAGE_SIZE, wanted.cursor),
        caches(request).queues.snapshot(services, choice.filter),
    )
    counts = {one.bucket.key: one.tickets for one in snapshot.counted}
    section = Section(found, counts.get(bucket, len(listed.tickets)), rows(listed.tickets, services))
    context = _context(request, services, choice, QueueView(snapshot, (section,)), bucket)
    return page(
        request, "staff/bucket.html", section=section, cursor=wanted.cursor, next_cursor=listed.next_token, **context
    )


def _context(
    request: Request, services: WithServices, choice: Choice, board: QueueView, bucket_key: str | None = None
) -> dict[str, Any]:
    return {
        "choice": choice,
        "bucket_words": partial(bucket_words, locale=language(request)),
        "board": board,
        "bucket_key": bucket_key,
        "kinds": tuple(BucketKind),
        "real_name_types": tuple(RealNameType),
        "reasons": FILTER_REASONS,
        "today": services.now().astimezone(SHANGHAI).date(),
    }
