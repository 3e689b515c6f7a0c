"""How an operation is declared, so that each one is documented alike, is one transaction, and can be made to fail."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, iscoroutinefunction, signature
from itertools import groupby
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute

from domain.errors import ErrorType
from gateways.contract import PROBLEM_STATUS, RETRYABLE_PROBLEMS, Group
from simulator.faults import Handler, under_faults

Work = TypeVar("Work", bound=Callable[..., Any])


class Transaction(APIRoute):
    """A plain function of the request and the `platform`. It awaits nothing, so nobody comes in between."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        # FastAPI makes a route anew when it includes its router.
        wrapped = endpoint if iscoroutinefunction(endpoint) else _in_transaction(endpoint)
        super().__init__(path, wrapped, **options)


def _in_transaction(work: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(work)
    async def run(request_: Request, **given: Any) -> Any:
        platform = request_.app.state.simulator
        with platform.db.transaction():
            return work(platform=platform, **given)

    # What FastAPI reads: everything but the platform comes from the request.
    seen, request = signature(work), Parameter("request_", Parameter.KEYWORD_ONLY, annotation=Request)
    given = [p.replace(kind=Parameter.KEYWORD_ONLY) for name, p in seen.parameters.items() if name != "platform"]
    run.__signature__ = seen.replace(parameters=[*given, request])  # type: ignore[attr-defined]
    return run


class _Operation(Transaction):
    def get_route_handler(self) -> Handler:
        return under_faults(self.name, super().get_route_handler())


class Operations(APIRouter):
    """Operations of the contract under one path."""

    def __init__(self, prefix: str = "") -> None:
        super().__init__(prefix=prefix, route_class=_Operation)

    def operation(
        self, method: str, path: str, name: str, group: Group, *refusals: ErrorType, **options: Any
    ) -> Callable[[Work], Work]:
        """Register a function, which stays callable as such. `refusals`: why it may refuse, besides the usual."""
        usual = [ErrorType.REQUEST_INVALID]
        # What is to be deleted may be gone.
        if "{account_id}" in self.prefix + path and method != "DELETE":
            usual.append(ErrorType.ACCOUNT_UNKNOWN)
        options["responses"] = options.get("responses", {}) | _responses(*usual, *refusals)

        def register(work: Work) -> Work:
            self.add_api_route(path, work, methods=[method], name=name, tags=[group], **options)
            return work

        return register


def _responses(*refusals: ErrorType) -> dict[int | str, dict[str, Any]]:
    """Refusals for these reasons, and by trouble that heals by itself."""
    by_status = groupby(sorted(refusals, key=PROBLEM_STATUS.__getitem__), PROBLEM_STATUS.__getitem__)
    healing = _response([name for name in PROBLEM_STATUS if name in RETRYABLE_PROBLEMS])
    return {**{status: _response(list(names)) for status, names in by_status}, "default": healing}


def _response(names: list[ErrorType]) -> dict[str, Any]:
    return {"$ref": "#/components/responses/Problem", "description": ", ".join(f"`{name}`" for name in names)}
