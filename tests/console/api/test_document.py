"""The API does what its OpenAPI document says, whatever is sent to it: schemathesis, with all checks on."""

import asyncio
from typing import Any

import pytest
import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import Status, events, from_schema

from console.auth.roles import ACCESS, Role
from console.errors import PREFIX
from domain.errors import ErrorType
from tests.console.api.conftest import Api
from tests.console.api.live import listening
from tests.support.tickets import awaiting_confirmation, awaiting_identity, awaiting_notice, blocked, under_review

CONTENT_DECIDES = ["2xx", "401", "403", "404", "409", "410", "422", "423", "429"]
"""Whether a scan is a letter, and a code the right one, no schema can say."""


def explored(url: str, config: dict[str, Any]) -> tuple[set[str], list[str]]:
    """What was asked, and everything that was found."""
    schema = schemathesis.openapi.from_url(
        f"{url}/api/v1/openapi.json", config=SchemathesisConfig.from_dict(config), timeout=10
    )
    asked, found = set[str](), list[str]()
    for event in from_schema(schema).execute():
        match event:
            case events.ScenarioFinished():
                asked.add(event.label or "")
                found += [
                    f"{event.label} {check.name}: {check.failure_info.failure}\n{check.failure_info.code_sample}"
                    for checks in event.recorder.checks.values()
                    for check in checks
                    if check.status is Status.FAILURE and check.failure_info
                ]
            case events.NonFatalError():
                found.append(f"{event.phase} {event.label}: {event.value!r}")
            case events.FatalError():
                raise event.exception
    return asked, found


# Some thousand requests: a quarter of a minute alone on a machine.
@pytest.mark.timeout(300)
async def test_nothing_is_found_by_asking_for_everything_in_every_way(api: Api) -> None:
    service = api.service
    cases = [await under_review(service) for _ in range(2)]
    accounts = [
        await awaiting_identity(service),
        await awaiting_notice(service),
        await awaiting_confirmation(service),
        await blocked(service),
        cases[0].account_id,
    ]

    def by(role: Role) -> dict[str, Any]:
        return {"openapi": {"serviceToken": {"bearer": api.issuer.token(role, f"{role}-explorer")}}}

    config: dict[str, Any] = {
        "seed": 1,
        "auth": by(Role.BACKEND),
        "generation": {"max-examples": 8, "database": "none"},
        "checks": {"enabled": True},
        "dictionaries": {
            "accounts": {"values": accounts},
            "tickets": {"values": [case.ticket_no for case in cases]},
            "versions": {"values": ["2026-11"]},
        },
        "parameters": {
            "path.account_id": {"dictionary": "accounts", "probability": 0.8},
            "path.ticket_no": {"dictionary": "tickets", "probability": 0.8},
            "path.version": {"dictionary": "versions", "probability": 0.8},
        },
        "operations": [
            {
                "include-tag": "Tickets",
                "headers": {"Authorization": f"Bearer {api.issuer.token(Role.AGENT, 'explorer')}"},
            },
            {
                "include-operation-id": ["api_file_ticket", "api_supply_materials", "api_answer_code"],
                "checks": {"positive_data_acceptance": {"expected-statuses": CONTENT_DECIDES}},
            },
        ],
    }
    async with listening(api.console.app) as url:
        asked, found = await asyncio.to_thread(explored, url, config)
    assert not found, "\n\n".join(found)
    assert operations(api) <= asked


def operations(api: Api) -> set[str]:
    return {
        f"{method.upper()} {path}" for path, methods in api.console.app.openapi()["paths"].items() for method in methods
    }


async def test_the_document_is_open_to_everybody_and_says_who_must_show_a_token(api: Api) -> None:
    answer = await api.nobody.get("/openapi.json")
    document = answer.json()
    assert document["openapi"].startswith("3.1")
    for path, methods in document["paths"].items():
        assert path.startswith("/api/v1/")
        for operation in methods.values():
            public = ACCESS[operation["operationId"]] is None
            assert operation.get("security") == (None if public else [{"serviceToken": []}])
            assert {"401", "403"} & set(operation["responses"]) == (set() if public else {"401", "403"})
            assert operation["description"]
    types = document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    assert types == [PREFIX + type for type in ErrorType]
