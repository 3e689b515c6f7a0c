"""What the staff's pages share: how they are shown, how they say what went wrong, and what they keep for a moment."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from console.errors import EXPECTED, Trouble
from console.pages import page
from console.staff.board import Boards
from console.staff.sharing import Shared
from domain.messages import ReviewView

_LOOK_SECONDS = 3.0


class StaffRoom:
    """What all viewers of this process share, for seconds."""

    def __init__(self) -> None:
        self.boards = Boards()
        self.looks: Shared[str, ReviewView] = Shared(_LOOK_SECONDS)


def room(request: Request) -> StaffRoom:
    state = request.app.state
    if not hasattr(state, "staff_room"):
        state.staff_room = StaffRoom()
    found: StaffRoom = state.staff_room
    return found


class StaffRoute(APIRoute):
    """What the service says no with is a page of the console, with a way back to the queue."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_or_tell(request: Request) -> Response:
            try:
                return await handle(request)
            except EXPECTED as error:
                return tell(request, Trouble.of(error))

        return handle_or_tell


def tell(request: Request, trouble: Trouble) -> HTMLResponse:
    return page(request, "staff/trouble.html", status=trouble.status, trouble=trouble)


def is_fragment(request: Request) -> bool:
    """Whether a page's moving part asks, and not somebody for a page."""
    return "HX-Request" in request.headers
