"""How an operation is declared, so that each one is documented alike, is one transaction, and can be made to fail."""

from collections.abc import Callable
from functools import partial, wraps
from inspect import Parameter, iscoroutinefunction, signature
from itertools import groupby
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.routing import APIRoute

from domain.errors import ErrorType
from gateways.contract import PROBLEM_STATUS, RETRYABLE_PROBLEMS
from simulator.faults import Handler, under_faults
from simulator.kinds import Endpoint

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
    """Operations of the contract. What they have in common, the `prefix` and the `tags`, is given once."""

    def __init__(self, **common: Any) -> None:
        super().__init__(**common, route_class=_Operation)

    def operation(
        self, method: str, path: str, *refusals: ErrorType, once: bool = False, **options: Any
    ) -> Callable[[Work], Work]:
        """Register a function, which stays callable as such. Its name is the operation's, and its `Endpoint`.

        Args:
            refusals: why it may refuse, besides the usual.
            once: obey a `request` once for each `idempotency_key`, or for each `request_id` in it.
        """
        usual = [ErrorType.REQUEST_INVALID]
        # What is to be deleted may be gone.
        if "{account_id}" in self.prefix + path and method != "DELETE":
            usual.append(ErrorType.ACCOUNT_UNKNOWN)
        conflict = [ErrorType.IDEMPOTENCY_CONFLICT] * once
        options["responses"] = options.get("responses", {}) | _responses(*usual, *refusals, *conflict)

        def register(work: Work) -> Work:
            name = work.__name__.replace("_", "-")
            served = _once(Endpoint(name), work) if once else work
            summary = name.replace("-", " ").capitalize()
            self.add_api_route(path, served, methods=[method], name=name, summary=summary, **options)
            return work

        return register


def _once(endpoint: Endpoint, work: Callable[..., Any]) -> Callable[..., Any]:
    answer = signature(work).return_annotation

    @wraps(work)
    def obey(**given: Any) -> Any:
        platform, request, account_id = given["platform"], given["request"], given.get("account_id", "")
        key = given.get("idempotency_key") or request.request_id
        return platform.once(endpoint, account_id, key, request, answer, partial(work, **given))

    return obey


def _responses(*refusals: ErrorType) -> dict[int | str, dict[str, Any]]:
    """Refusals for these reasons, and by trouble that heals by itself."""
    by_status = groupby(sorted(refusals, key=PROBLEM_STATUS.__getitem__), PROBLEM_STATUS.__getitem__)
    healing = _response([name for name in PROBLEM_STATUS if name in RETRYABLE_PROBLEMS])
    return {**{status: _response(list(names)) for status, names in by_status}, "default": healing}


def _response(names: list[ErrorType]) -> dict[str, Any]:
    return {"$ref": "#/components/responses/Problem", "description": ", ".join(f"`{name}`" for name in names)}
