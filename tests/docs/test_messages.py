"""docs/messages.md against the models, the workflows and the errors; its program is run."""

import inspect
import re
import textwrap
from typing import Any, get_type_hints

import pytest
from temporalio.client import Client

import domain.messages
import domain.tickets
from domain.errors import ErrorType
from domain.model import Model
from domain.notices import CURRENT_VERSION
from domain.notifications import Template
from domain.tickets import DecisionKind, DecisionReason, IgnoredBecause
from tests.docs.documents import ROOT, Block, blocks, prose, rows, spans
from tests.support.service import Service
from workflows import WORKFLOWS
from workflows.common.search_attributes import ALL

PAGE = ROOT / "docs" / "messages.md"
INTERNAL = {"review_reported", "deletion_reported", "followed", "materials_supplied"}


@pytest.mark.parametrize("block", blocks(PAGE, "json "), ids=lambda block: block.info.removeprefix("json "))
def test_every_example_is_what_its_model_reads(block: Block) -> None:
    _model(block.info.removeprefix("json ")).model_validate_json(block.text)


def _model(name: str) -> type[Model]:
    found = getattr(domain.messages, name, None) or getattr(domain.tickets, name)
    assert issubclass(found, Model)
    return found  # type: ignore[no-any-return]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.__name__)
def test_every_message_of_a_workflow_is_listed_with_its_types(workflow: type) -> None:
    messages = messages_of(workflow)
    if not messages:
        assert workflow.__name__ in spans(PAGE)
        return
    table = rows(PAGE.read_text(), f"## {workflow.__name__}")
    assert {(kind, *(_code(cell) for cell in cells)) for kind, *cells in table} == messages


def _code(cell: str) -> str:
    """The first code of a cell; `-` where there is none."""
    found = re.search(r"`(\w+)`", cell)
    return found[1] if found else "-"


def messages_of(workflow: type) -> set[tuple[str, str, str, str]]:
    found = set()
    for name, member in inspect.getmembers(workflow, callable):
        kinds = [kind for kind, mark in _MARKS.items() if hasattr(member, mark)]
        if kinds and name not in INTERNAL:
            hints = get_type_hints(member)
            answer = hints.pop("return")
            [argument] = hints.values() or [None]
            found.add((kinds[0], name, _name(argument), _name(answer)))
    return found


_MARKS = {"update": "_defn", "signal": "__temporal_signal_definition", "query": "__temporal_query_definition"}
"""What Temporal's decorators leave on a method."""


def _name(type_: type | None) -> str:
    return "-" if type_ in (None, type(None)) else type_.__name__


def test_the_internal_signals_are_named() -> None:
    assert set(spans(PAGE)) >= INTERNAL


def test_every_error_type_is_explained_once() -> None:
    listed = [code for row in rows(PAGE.read_text(), "## Error types") for code in re.findall(r"`(\w+)`", row[0])]
    assert sorted(listed) == sorted(ErrorType)


def test_every_message_to_people_is_listed_once() -> None:
    table = rows(PAGE.read_text(), "## Messages to people")
    listed = [code for row in table for code in re.findall(r"`(\w+)`", row[0])]
    assert sorted(listed) == sorted(Template)


def test_every_search_attribute_is_listed_with_its_type() -> None:
    words = {"KEYWORD": "Keyword", "KEYWORD_LIST": "KeywordList", "DATETIME": "Datetime", "BOOL": "Bool"}
    listed = [(_code(row[0]), row[1]) for row in rows(PAGE.read_text(), "## Search attributes")]
    assert listed == [(key.name, words[key.indexed_value_type.name]) for key in ALL]


def test_every_reason_every_ignoring_and_every_decision_is_named() -> None:
    assert {*DecisionReason, *IgnoredBecause, *DecisionKind} <= set(spans(PAGE))


def test_the_notice_version_of_the_examples_is_the_one_in_force() -> None:
    assert set(re.findall(r'version": "([^"]+)"', PAGE.read_text())) == {CURRENT_VERSION}


async def test_the_program_of_a_backend_runs(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    [program] = blocks(PAGE, "python")
    account = await service.account()
    text = program.text.replace("acct-clean-phone", account).replace(
        '"account-cancellation"', f'"{service.task_queue}"'
    )
    text = text.replace("localhost:7233", service.client.service_client.config.target_host)
    printed: list[tuple[object, ...]] = []
    scope: dict[str, Any] = {"print": lambda *words: printed.append(words), "Client": Client}
    exec(f"async def program():\n{textwrap.indent(text, '    ')}", scope)
    await scope["program"]()
    [(phase, due_step, _)] = printed
    assert (phase, due_step) == ("AWAITING_IDENTITY", "submit_identity_proof")
    assert "`due_step`" in prose(PAGE)
