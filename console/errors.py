"""Every way in which a request can fail, as one kind of answer: a problem document for programs, a page for people."""

import json
import re
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_jsonable_python
from starlette.exceptions import HTTPException

from console.auth.authorization import API, Forged, NotAllowed, NotSignedIn
from console.pages import page
from domain.errors import ErrorType, Refusal
from gateways.contract import PROBLEM_MEDIA_TYPE, PROBLEM_STATUS
from i18n.catalogue import SOURCE
from service.errors import Unreachable
from service.refusals import sentence

log = structlog.get_logger()

PREFIX: Final = "urn:account-cancellation:problem:"
"""A problem's `type` is this prefix and an `ErrorType`: the same words as on the command line and in Temporal."""

STATUS: Final[dict[ErrorType, int]] = {
    **PROBLEM_STATUS,
    ErrorType.NOT_SIGNED_IN: 401,
    ErrorType.NOT_ALLOWED: 403,
    ErrorType.FORM_REFUSED: 403,
    ErrorType.NOT_FOUND: 404,
    ErrorType.TOO_LARGE: 413,
    ErrorType.BAD_INPUT: 422,
    ErrorType.TICKET_INCOMPLETE: 422,
    ErrorType.LETTER_REFUSED: 422,
    ErrorType.RATE_LIMITED: 429,
    ErrorType.UNREACHABLE: 503,
    ErrorType.NOT_NOW: 503,
    ErrorType.CREDENTIALS_REFUSED: 503,
    ErrorType.ANSWER_UNREADABLE: 503,
    ErrorType.UNEXPECTED_ANSWER: 503,
    ErrorType.VAULT_UNAVAILABLE: 503,
    ErrorType.VAULT_RECORD_MISSING: 500,
    ErrorType.VAULT_RECORD_CHANGED: 500,
    ErrorType.VAULT_RECORD_FOREIGN: 500,
}
"""What is not here is 409: the request is well formed, and the state it meets does not allow it."""


@dataclass(frozen=True)
class Problem:
    """What went wrong, for whom it may concern. `message` is English and says what to do; nothing in it is personal."""

    type: ErrorType
    message: str
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def status(self) -> int:
        return STATUS.get(self.type, 409)

    @property
    def title(self) -> str:
        return re.sub(r"(?<!^)(?=[A-Z])", " ", self.type).capitalize()

    @property
    def retry_at(self) -> datetime | None:
        """From when on it can be tried again, where somebody knows."""
        at = self.details.get("retry_at")
        return datetime.fromisoformat(at) if isinstance(at, str) else at

    def words(self, locale: str) -> str:
        return self.message if locale == SOURCE else sentence(self.type, self.details, locale)

    @classmethod
    def of(cls, error: Exception) -> "Problem":
        match error:
            case Refusal():
                return cls(error.type, error.message, error.details)
            case Unreachable():
                return cls(error.type, str(error), error.details)
            case NotSignedIn():
                return cls(ErrorType.NOT_SIGNED_IN, "Sign in first; a program sends a valid service token.")
            case NotAllowed():
                return cls(ErrorType.NOT_ALLOWED, "Your role does not allow this; see docs/security.md.")
            case Forged():
                return cls(ErrorType.FORM_REFUSED, "The form is not from a page of this session; reload it, try again.")
            case RequestValidationError():
                # Where and why, never the value: it may be somebody's phone.
                errors = [{"at": ".".join(map(str, e["loc"])), "why": e["msg"]} for e in error.errors()]
                return cls(ErrorType.BAD_INPUT, "; ".join(f"{e['at']}: {e['why']}" for e in errors), {"errors": errors})
            case _:
                return cls(ErrorType.INTERNAL_ERROR, "This is a bug of ours; our log has its trace. Try again later.")


EXPECTED: Final = (Refusal, Unreachable)
"""What the service says no with. A page that can show it beside its form catches these."""


def problem_response(problem: Problem) -> Response:
    """RFC 9457."""
    headers = retry_after(problem)
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    facts = to_jsonable_python(problem.details)
    if "status" in facts:
        # The standard's own member; here it is where the review stands.
        facts["review_status"] = facts.pop("status")
    body = {
        "type": PREFIX + problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": problem.message,
        **facts,
    }
    return Response(json.dumps(body, ensure_ascii=False), problem.status, headers, PROBLEM_MEDIA_TYPE)


def retry_after(problem: Problem) -> dict[str, str]:
    default = _IN_A_LITTLE_WHILE if problem.type is ErrorType.NOT_NOW else None
    wait = problem.details.get("retry_after_seconds", default)
    return {} if wait is None else {"Retry-After": str(wait)}


_IN_A_LITTLE_WHILE: Final = 15
"""Seconds: when to try again what healing alone makes possible, and nobody has said how long that takes."""

_BY_STATUS: Final = {404: ErrorType.NOT_FOUND, 413: ErrorType.TOO_LARGE}


def install_error_handlers(app: FastAPI) -> None:
    for kind in (*EXPECTED, NotSignedIn, NotAllowed, Forged, RequestValidationError, Exception):
        app.exception_handler(kind)(_answer)
    app.exception_handler(HTTPException)(_by_status)


async def _answer(request: Request, error: Exception) -> Response:
    problem = Problem.of(error)
    if problem.type is ErrorType.INTERNAL_ERROR:
        log.error("A request failed on a bug", path=request.scope["path"], error_type=type(error).__name__)
    if request.scope["path"].startswith(API):
        return problem_response(problem)
    if isinstance(error, NotSignedIn) and "HX-Request" in request.headers:
        # Followed by the page's moving part alone, a redirect would put the sign-in page inside the page.
        return Response(status_code=401, headers={"HX-Redirect": str(request.app.url_path_for("sign_in"))})
    if isinstance(error, NotSignedIn) and request.method == "GET":
        return Response(status_code=303, headers={"Location": str(request.app.url_path_for("sign_in"))})
    return page(request, "problem.html", status=problem.status, headers=retry_after(problem), problem=problem)


async def _by_status(request: Request, error: Exception) -> Response:
    """What the framework itself refuses: no such path, no such method."""
    assert isinstance(error, HTTPException)
    type = _BY_STATUS.get(error.status_code, ErrorType.BAD_INPUT)
    phrase = HTTPStatus(error.status_code).phrase
    if request.scope["path"].startswith(API):
        body = {"type": PREFIX + type, "title": phrase, "status": error.status_code, "detail": str(error.detail)}
        return Response(json.dumps(body), error.status_code, dict(error.headers or {}), media_type=PROBLEM_MEDIA_TYPE)
    problem = Problem(type, f"{phrase}.")
    return page(request, "problem.html", status=error.status_code, problem=problem)
