"""The HTTP application: the platform contract, and beside it a health check and the hand that changes its world."""

from fastapi import FastAPI

from simulator import admin, challenges, closure, facts, messaging, openapi, phases
from simulator.problems import install_problem_handlers


def create_app() -> FastAPI:
    """It serves whatever `Simulator` is put into `app.state.simulator`."""
    app = FastAPI(
        title=openapi.TITLE,
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for group in (facts, challenges, closure, phases, messaging, admin):
        app.include_router(group.router)
    install_problem_handlers(app)
    return app
