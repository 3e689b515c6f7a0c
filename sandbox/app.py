"""The HTTP application: the platform contract, and a health check of its own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import text

from sandbox import challenges, closure, facts, messaging, openapi, phases, proofs
from sandbox.problems import install_problem_handlers
from sandbox.settings import Settings
from sandbox.state import Platform, Sandbox

health = APIRouter(include_in_schema=False)


@health.get("/healthz")
async def healthz(platform: Platform) -> dict[str, str]:
    platform.connection.execute(text("SELECT 1"))
    return {"status": "ok"}


def create_app(settings: Settings) -> FastAPI:
    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.sandbox = Sandbox(settings)
        app.state.sandbox.open()
        yield
        app.state.sandbox.close()

    app = FastAPI(
        title=openapi.TITLE,
        lifespan=lifespan,
        generate_unique_id_function=_operation_id,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for group in (facts, challenges, proofs, closure, phases, messaging):
        app.include_router(group.router)
    app.include_router(health)
    install_problem_handlers(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name
