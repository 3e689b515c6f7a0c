"""The HTTP application, and the platform contract that it serves as an OpenAPI 3.1 document.

Beside the contract there are a health check and the hand that changes its world; the document has neither.
"""

import json

from fastapi import FastAPI

from gateways.contract import PROBLEM_MEDIA_TYPE, PROBLEM_PREFIX, PROBLEM_STATUS, Group, Problem
from simulator import admin, challenges, closure, facts, messaging
from simulator.problems import install_problem_handlers

TITLE = "The account platform contract"

DESCRIPTION = f"""\
What account cancellation needs of the cloud: identity, billing, marketplace, filings, resources, closure and messages.

- JSON over HTTP. Times are UTC (RFC 3339); money is integer fen (1 yuan = 100 fen).
- Each tag is a group that a cloud may serve from a service, and a base URL, of its own.
- A request that carries a `request_id` or an `Idempotency-Key` is obeyed once. The same request again gets the first
  answer again; the same key with another request is refused (`IdempotencyConflict`). A refused request uses up no key.
- Errors are problem documents (RFC 9457). Decide on `type` (`{PROBLEM_PREFIX}` and a stable name), never on text.
  429, 500 and 503 can heal by themselves and may carry `Retry-After`; every other problem is final.
- 401 and 403 refuse the caller's own credential, and say nothing about the account.
- No answer carries a phone number, an e-mail address or a name; the one masked destination is for the owner's eyes.
"""

GROUPS = {
    Group.IDENTITY: "Who the account is, and the proof that its owner is asking. A code leaves by SMS or e-mail only.",
    Group.BILLING: "Balance, arrears, and what would be forfeited.",
    Group.MARKETPLACE: "Provider roles at 云市场, 万象 and 云鼎.",
    Group.ICP: "ICP filings, cancelled ones included.",
    Group.RESOURCES: "Active billable resources and services.",
    Group.CLOSURE: "The hold (a lease that lapses by itself), closure, and deletion in phases, which may take hours.",
    Group.MESSAGING: "Messages by template; the platform holds the wording and the addresses.",
}


def create_app() -> FastAPI:
    """It serves whatever `Simulator` is put into `app.state.simulator`."""
    app = FastAPI(
        title=TITLE,
        version="1.0.0",
        description=DESCRIPTION,
        openapi_tags=[{"name": group.value, "description": GROUPS[group]} for group in Group],
        generate_unique_id_function=lambda route: route.name,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
    )
    for group in (facts, challenges, closure, messaging, admin):
        app.include_router(group.router)
    install_problem_handlers(app)
    return app


def contract_json() -> str:
    """The contract as one JSON document, which is YAML too."""
    document = create_app().openapi()
    problem = Problem.model_json_schema()
    problem["properties"]["type"]["enum"] = [PROBLEM_PREFIX + name for name in PROBLEM_STATUS]
    document["components"]["schemas"]["Problem"] = problem
    document["components"]["responses"] = {
        "Problem": {
            "description": "A problem document (RFC 9457).",
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    }
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
