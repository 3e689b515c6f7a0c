"""What the staff's pages share: how they are shown, how they say what went wrong, and what they keep for a moment."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from console.errors import EXPECTED, Problem
from console.pages import page
from console.staff.queue_view import QueueViews
from console.staff.ttl_cache import TtlCache
from domain.messages import ReviewView

_LOOK_SECONDS = 3.0


class StaffCaches:
    """What all viewers of this process share, for seconds."""

    def __init__(self) -> None:
        self.queues = QueueViews()
        self.looks: TtlCache[str, ReviewView] = TtlCache(_LOOK_SECONDS)


def caches(request: Request) -> StaffCaches:
    state = request.app.state
    if not hasattr(state, "staff_caches"):
        state.staff_caches = StaffCaches()
    found: StaffCaches = state.staff_caches
    return found


class StaffRoute(APIRoute):
    """What the service says no with is a page of the console, with a way back to the queue."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_tell(request: Request) -> Response:
            try:
                return await handle(request)
            except EXPECTED as error:
                return tell(request, Problem.of(error))

        return handle_or_tell


def tell(request: Request, problem: Problem) -> HTMLResponse:
    return page(request, "staff/problem.html", status=problem.status, problem=problem)


def is_fragment(request: Request) -> bool:
    """Whether a page's moving part asks, and not somebody for a page."""
    return "HX-Request" in request.headers
