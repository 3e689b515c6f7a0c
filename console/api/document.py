"""The API's own description, OpenAPI 3.1: who may call what is said by one scheme, and every refusal by one schema."""

from itertools import groupby
from typing import Any, Final

from fastapi import FastAPI, Security
from fastapi.openapi.utils import get_openapi
from fastapi.security import HTTPBearer
from pydantic import BaseModel, ConfigDict, Field

from console.errors import PREFIX, Problem
from domain.errors import ErrorType
from gateways.contract import PROBLEM_MEDIA_TYPE

DESCRIPTION: Final = """\
Account cancellation (账号注销) for a cloud's own programs: the owner's steps, and the work of support staff.

- JSON, UTF-8. Times are UTC (RFC 3339), money is integer fen (1 yuan = 100 fen). An unknown field is refused.
- Every refusal is a problem document (RFC 9457). Decide on its `type`, never on its text.
- `GET /api/v1/cancellations/{account_id}` has an `ETag`, and with `?wait=20s` it answers when there is something new.
- Say for whom each step is taken: `On-Behalf-Of`. Who says the last word must be who proved identity.
- Repeat a `POST` after a broken connection: a start or a step under the same `Idempotency-Key`, a decision under the
  same `decision_id`. A step without a key that was taken already is refused with `WrongPhase`, and the status shows
  what it did.
- `NotNow` is nobody's fault: the answer says when to try again (`Retry-After`).

Examples for every role are in `docs/api.md`.
"""

TAGS: Final = [
    {"name": "Notices", "description": "The texts that owners accept, by version and language. For everybody."},
    {"name": "Requests", "description": "One cancellation request an account; for the cloud's backend."},
    {"name": "Tickets", "description": "Manual requests under review; for support staff."},
]

TOKEN: Final = Security(
    HTTPBearer(
        bearerFormat="JWT",
        scheme_name="serviceToken",
        description="A JSON Web Token with the scope `cancellation:backend`, `cancellation:agent`, `cancellation:lead` "
        "or `cancellation:auditor`.",
        auto_error=False,
    )
)
"""Says in the document what the gate asks for; the gate itself is `console.auth.authorization`."""


class ProblemDocument(BaseModel):
    """RFC 9457. Further members are facts: the phase, the step that is due, the tries or the seconds left."""

    model_config = ConfigDict(title="Problem", extra="allow", frozen=True)

    type: str = Field(examples=[PREFIX + ErrorType.WRONG_PHASE])
    title: str
    status: int
    detail: str


VAULT: Final = (ErrorType.VAULT_UNAVAILABLE, ErrorType.VAULT_RECORD_MISSING, ErrorType.VAULT_RECORD_CHANGED)
_ANYWHERE: Final = (ErrorType.BAD_INPUT, ErrorType.UNREACHABLE, ErrorType.INTERNAL_ERROR)
_BEHIND_THE_GATE: Final = (*_ANYWHERE, ErrorType.NOT_SIGNED_IN, ErrorType.NOT_ALLOWED)

Responses = dict[int | str, dict[str, Any]]


def public_problems(*types: ErrorType) -> Responses:
    """The `responses` of an operation for everybody."""
    return _problems(*_ANYWHERE, *types)


def problems(*types: ErrorType, body: bool = False) -> Responses:
    """The `responses` of an operation behind the gate; `body` when it takes one."""
    found = _problems(*_BEHIND_THE_GATE, *types, *((ErrorType.TOO_LARGE,) if body else ()))
    return found | ({400: _answer((ErrorType.BAD_INPUT,), "The body cannot be read")} if body else {})


def _problems(*types: ErrorType) -> Responses:
    by_status = groupby(sorted(set(types), key=lambda type: (_status(type), type)), _status)
    return {status: _answer(tuple(found)) for status, found in by_status}


def _status(type: ErrorType) -> int:
    return Problem(type, "").status


def _answer(types: tuple[ErrorType, ...], what: str = "") -> dict[str, Any]:
    names = ", ".join(f"`{type}`" for type in types)
    return {
        "description": f"{what}: {names}" if what else names,
        "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def install(app: FastAPI) -> None:
    """Let the application describe its API, and nothing but that."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _document(app: FastAPI) -> dict[str, Any]:
    document = get_openapi(
        title="Account cancellation API",
        version="1.0.0",
        openapi_version="3.1.0",
        description=DESCRIPTION,
        routes=app.routes,
        tags=TAGS,
    )
    for operation in (operation for path in document["paths"].values() for operation in path.values()):
        operation["summary"] = operation["operationId"].removeprefix("api_").replace("_", " ").capitalize()
    # A form is read by field; what else is in it is refused beside it (`console.api.filing`).
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name, schema in schemas.items():
        if name.startswith("Body_"):
            schema["additionalProperties"] = False
    problem = ProblemDocument.model_json_schema()
    problem["properties"]["type"]["enum"] = [PREFIX + type for type in ErrorType]
    schemas["Problem"] = problem
    return document
