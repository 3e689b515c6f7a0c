"""How staff get in: by their OpenID provider."""

from fastapi import APIRouter, Request, Response

from console.access.guard import NotSignedIn
from console.pages import page
from console.settings import ConsoleSettings


def router(settings: ConsoleSettings) -> APIRouter:
    routes = APIRouter(include_in_schema=False)

    @routes.get("/")
    async def home(request: Request) -> Response:
        raise NotSignedIn

    @routes.get("/sign-in")
    async def sign_in(request: Request) -> Response:
        return page(request, "sign_in.html")

    @routes.get("/sign-in/provider")
    async def sign_in_at_provider(request: Request) -> Response:
        raise NotSignedIn

    @routes.get("/sign-in/provider/callback")
    async def signed_in_at_provider(request: Request) -> Response:
        raise NotSignedIn

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        raise NotSignedIn

    return routes
