"""Refusals as RFC 9457 problem documents."""

import re
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from domain.errors import ErrorType
from gateways.contract import PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, PROBLEM_STATUS, RETRYABLE_PROBLEMS


class PlatformProblem(Exception):
    """A refusal on its way to the caller.

    Attributes:
        type: the stable type, which also fixes the HTTP status.
        detail: what happened and the next step. No personal data.
        members: `tries_left` and `retry_after_seconds`, where they apply.
    """

    def __init__(self, type: ErrorType, detail: str, **members: int) -> None:
        super().__init__(detail)
        self.type = type
        self.detail = detail
        self.members = members


def problem_response(type: ErrorType, detail: str, **members: Any) -> Response:
    status = PROBLEM_STATUS[type]
    wait = members.get("retry_after_seconds")
    # Only where waiting heals by itself: elsewhere an adapter would wait on its owner's behalf.
    headers = {"Retry-After": str(wait)} if wait is not None and type in RETRYABLE_PROBLEMS else None
    title = re.sub(r"(?<!^)(?=[A-Z])", " ", type).capitalize()
    return _document({"type": PROBLEM_PREFIX + type, "title": title, "detail": detail, **members}, status, headers)


def _document(body: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({**body, "status": status}, status, headers, PROBLEM_MEDIA_TYPE)


async def _refused(_request: Request, problem: PlatformProblem) -> Response:
    return problem_response(problem.type, problem.detail, **problem.members)


async def _invalid(_request: Request, error: RequestValidationError) -> Response:
    # Where and why, never the value: it may be somebody's phone.
    errors = [{"at": ".".join(map(str, e["loc"])), "why": e["msg"]} for e in error.errors()]
    detail = "; ".join(f"{e['at']}: {e['why']}" for e in errors)
    return problem_response(ErrorType.REQUEST_INVALID, detail, errors=errors)


async def _no_such_route(_request: Request, error: HTTPException) -> Response:
    title = HTTPStatus(error.status_code).phrase
    return _document({"type": "about:blank", "title": title}, error.status_code, dict(error.headers or {}))


async def _bug(_request: Request, _error: Exception) -> Response:
    return problem_response(ErrorType.INTERNAL_ERROR, "The platform failed; its log says why. Try again later.")


def install_problem_handlers(app: FastAPI) -> None:
    app.exception_handler(PlatformProblem)(_refused)
    app.exception_handler(RequestValidationError)(_invalid)
    app.exception_handler(HTTPException)(_no_such_route)
    app.exception_handler(Exception)(_bug)
