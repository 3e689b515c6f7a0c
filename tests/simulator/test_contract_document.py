"""`docs/platform-contract.yaml` is what the simulator serves, and nothing of the simulator's own."""

import json
import subprocess
import sys
from typing import Any

import pytest
import yaml

from domain.errors import ErrorType
from gateways.contract import PROBLEM_PREFIX, PROBLEM_STATUS, READS
from tests.simulator.contract_document import DOCUMENT, contract_yaml

OPERATIONS = {
    "GET /accounts/{account_id}",
    "POST /accounts/{account_id}/challenges",
    "GET /challenges/{challenge_id}",
    "POST /challenges/{challenge_id}/answers",
    "POST /accounts/{account_id}/proofs/redeem",
    *(f"GET /accounts/{{account_id}}/{read.path}" for read in READS.values()),
    "GET /accounts/{account_id}/entitlements",
    "PUT /accounts/{account_id}/hold",
    "DELETE /accounts/{account_id}/hold/{request_id}",
    "POST /accounts/{account_id}/closure",
    "POST /accounts/{account_id}/closure/{phase}",
    "GET /accounts/{account_id}/closure/{phase}",
    "POST /accounts/{account_id}/notifications",
    "POST /notifications",
    "POST /notifications/preview",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())
    return parsed


def test_the_committed_contract_is_in_step_with_the_code() -> None:
    assert DOCUMENT.read_text() == contract_yaml(), (
        "The contract has changed. Next step: python -m tests.simulator.contract_document"
    )


def test_the_command_prints_the_same_contract_without_a_developers_packages() -> None:
    program = "import sys; sys.modules['yaml'] = None; from simulator.cli import main; main(['openapi'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert json.loads(done.stdout) == yaml.safe_load(DOCUMENT.read_text())


def test_the_contract_has_exactly_these_operations_each_in_one_group_and_explained(
    document: dict[str, Any],
) -> None:
    assert document["openapi"].startswith("3.1")
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == OPERATIONS
    groups = {tag["name"] for tag in document["tags"]}
    for name, operation in operations.items():
        assert operation["description"], name
        assert len(operation["tags"]) == 1, name
        assert set(operation["tags"]) <= groups, name
        assert "422" in operation["responses"], name


@pytest.mark.parametrize("type", PROBLEM_STATUS)
def test_every_problem_is_documented_where_it_can_occur(document: dict[str, Any], type: ErrorType) -> None:
    assert PROBLEM_PREFIX + type in document["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
    answers = [
        answer
        for methods in document["paths"].values()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
        if status in (str(PROBLEM_STATUS[type]), "default")
    ]
    assert any(f"`{type}`" in answer["description"] for answer in answers)
