"""docs/api.md, "Each step by route, command and message": every way is there, and no step lacks one that exists."""

import re
from contextlib import AbstractAsyncContextManager

import pytest

import starter
from console.app import create_app
from console.services import Services
from console.settings import ConsoleSettings
from domain.phases import Step
from domain.tickets import DecisionKind
from tests.docs.documents import ROOT, rows
from tests.docs.test_messages import INTERNAL, messages_of
from workflows import WORKFLOWS

TABLE = rows((ROOT / "docs" / "api.md").read_text(), "## Each step by route, command and message")
FOLLOWED = {"deletion_resumed"}
"""What one workflow tells another, and nobody else has to."""


def _codes(column: int) -> list[str]:
    return [code for row in TABLE for code in re.findall(r"`([^`]+)`", row[column])]


def _not_opened() -> AbstractAsyncContextManager[Services]:
    raise AssertionError("routes are looked at, not called")


def test_every_route_of_a_step_exists() -> None:
    paths = create_app(ConsoleSettings(), _not_opened).openapi()["paths"]
    there = {
        f"{method.upper()} {path.removeprefix('/api/v1')}" for path, methods in paths.items() for method in methods
    }
    assert set(_codes(1)) <= there
    changing = {route for route in there if route.startswith("POST")}
    assert changing - set(_codes(1)) == {"POST /cancellations/{account_id}/login-link"}, "which is not a step"


@pytest.mark.parametrize("command", _codes(2))
def test_every_command_of_a_step_exists(command: str) -> None:
    app = starter.app
    for word in command.split():
        assert word in app
        app = app[word]


def test_every_message_of_a_step_exists_and_every_message_takes_one() -> None:
    there = {name for workflow in WORKFLOWS for _, name, *_ in messages_of(workflow)}
    assert set(_codes(3)) | FOLLOWED | INTERNAL == there | INTERNAL
    assert {*Step, *DecisionKind} <= set(_codes(3))
