"""Service tokens of programs: JSON Web Tokens of one issuer, verified by its public keys."""

from starlette.requests import Request

from console.access.roles import Principal
from console.settings import ConsoleSettings


class ServiceTokens:
    def __init__(self, settings: ConsoleSettings) -> None:
        self._settings = settings

    def principal(self, request: Request) -> Principal | None:
        """Whom the request's bearer token names; None without one, or when it cannot be believed."""
        return None
