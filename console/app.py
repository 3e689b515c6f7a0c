"""The application: every room's routes behind one gate, one set of headers, one way to tell errors."""

from asyncio import create_task, wait
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Final

from fastapi import Depends, FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.staticfiles import StaticFiles

from console import headers, health
from console.api import document
from console.api import routes as api
from console.auth import login_links, sign_in
from console.auth.authorization import authorize
from console.auth.limits import Limiter
from console.auth.login_links import LoginLinks
from console.auth.provider import Provider
from console.auth.roles import ACCESS
from console.auth.sessions import Sessions
from console.auth.tokens import ServiceTokens
from console.body_limit import BodyLimit
from console.errors import install_error_handlers
from console.owner import routes as owner
from console.pages import STATIC
from console.services import Services
from console.settings import ConsoleSettings
from console.staff import routes as staff
from service.letters.problems import MAX_BYTES

_MAX_BODY_BYTES: Final = MAX_BYTES + 64 * 1024
"""The largest letter, and the form around it."""

OpenServices = Callable[[], AbstractAsyncContextManager[Services]]


def create_app(settings: ConsoleSettings, open_services: OpenServices) -> FastAPI:
    """Raises `ValueError` when the routes and the table of permissions differ."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with open_services() as found:
            app.state.services = found
            clearing = create_task(found.tickets.drafts.keep_discarding(found.now))
            try:
                yield
            finally:
                clearing.cancel()
                await wait([clearing])

    app = FastAPI(
        title="Account cancellation",
        version="1",
        lifespan=lifespan,
        dependencies=[Depends(authorize)],
        generate_unique_id_function=_operation_id,
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.add_middleware(BodyLimit, max_bytes=_MAX_BODY_BYTES)
    app.state.is_stopping = lambda: False
    app.state.sessions = Sessions(settings)
    app.state.tokens = ServiceTokens(settings)
    app.state.limiter = Limiter(settings)
    app.state.login_links = LoginLinks(settings)
    app.state.provider = Provider(settings) if settings.oidc_issuer else None
    app.include_router(health.router)
    app.include_router(sign_in.router)
    app.include_router(login_links.router)
    if settings.development_sign_in:
        app.include_router(sign_in.development_router)
    app.include_router(api.router, prefix="/api/v1")
    app.include_router(
        login_links.api_router, prefix="/api/v1", dependencies=[document.TOKEN], responses=document.problems(body=True)
    )
    app.include_router(owner.router, prefix="/owner", include_in_schema=False)
    app.include_router(staff.router, prefix="/staff", include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    install_error_handlers(app)
    document.install(app)
    _hold_against_table(app, settings)
    headers.install(app, settings)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


@dataclass(frozen=True)
class GatedRoute:
    name: str
    methods: tuple[str, ...]
    path: str


def gated_routes(app: FastAPI) -> list[GatedRoute]:
    """Every route behind the gate, in the order in which they are registered, with its whole path."""
    return [
        GatedRoute(context.original_route.name, tuple(sorted(context.original_route.methods or ())), context.path or "")
        for context in iter_route_contexts(app.routes)
        if isinstance(context.original_route, APIRoute)
    ]


def _hold_against_table(app: FastAPI, settings: ConsoleSettings) -> None:
    routes = {route.name for route in gated_routes(app)}
    expected = set(ACCESS)
    if not settings.development_sign_in:
        expected.discard("sign_in_for_development")
    if routes != expected:
        raise ValueError(f"Routes and the table of permissions differ: {sorted(routes ^ expected)}")
