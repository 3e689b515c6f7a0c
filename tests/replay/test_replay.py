"""The code as it is now replays every committed history: what runs in production goes on after a deployment."""

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer

from tests.replay.record import HISTORIES
from tests.replay.routes import ROUTES
from worker import WORKFLOW_RUNNER
from workflows import WORKFLOWS

FILES = sorted(HISTORIES.glob("*.json"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_committed_history_replays_on_todays_code(path: Path) -> None:
    recorded = json.loads(path.read_text())  # noqa: ASYNC240
    history = WorkflowHistory.from_json(recorded["workflow_id"], recorded["history"])
    replayer = Replayer(
        workflows=list(WORKFLOWS), workflow_runner=WORKFLOW_RUNNER, data_converter=pydantic_data_converter
    )
    result = await replayer.replay_workflow(history, raise_on_replay_failure=False)
    assert result.replay_failure is None, (
        f"{path.name} no longer replays: {result.replay_failure}. Requests that are running would break. "
        "Guard the change with workflow.patched(); do not record the history again."
    )


def test_every_route_has_a_committed_history() -> None:
    assert {path.name.split(".")[0] for path in FILES} == set(ROUTES)


def test_every_workflow_is_among_the_histories() -> None:
    kinds = {path.name.split(".")[1] for path in FILES}
    assert kinds == {"cancellation", "review", "deletion", "message"}
    assert len(WORKFLOWS) == len(kinds)
