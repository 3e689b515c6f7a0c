"""What ops are told to search for, asked of a real Temporal server."""

import re

import pytest
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from tests.docs.documents import ROOT, blocks, prose
from workflows.common.search_attributes import ALL

PAGE = ROOT / "docs" / "runbook-ops.md"
[_SEARCHES] = blocks(PAGE, "sql")
QUERIES = [line for line in _SEARCHES.text.splitlines() if not line.startswith("--")]
QUERIES += [span for span in re.findall(r"`([^`]+)`", prose(PAGE)) if re.match(r"\w+ (=|IN|IS) ", span)]


@pytest.mark.parametrize("query", QUERIES)
async def test_the_server_understands_it(temporal: WorkflowEnvironment, query: str) -> None:
    """In a count and in a list; what it does not understand it refuses."""
    await temporal.client.count_workflows(query)
    async for execution in temporal.client.list_workflows(query, limit=1):
        assert execution.id


def test_each_search_is_preceded_by_what_it_finds() -> None:
    lines = _SEARCHES.text.splitlines()
    assert [line.startswith("-- ") for line in lines] == [True, False] * (len(lines) // 2)


def test_the_searches_use_the_attributes_that_ops_need() -> None:
    used = {key.name for key in ALL if any(key.name in query for query in QUERIES)}
    assert used >= {"CancellationPhase", "CancellationOutcome", "BlockingReasons", "TicketDueAt", "SlaBreached"}


async def test_the_server_cannot_sort_as_the_runbook_says(temporal: WorkflowEnvironment) -> None:
    with pytest.raises(RPCError, match="ORDER BY"):
        await temporal.client.count_workflows("CancellationPhase = 'BLOCKED' ORDER BY TicketDueAt")
    with pytest.raises(RPCError, match="GROUP BY"):
        await temporal.client.count_workflows("ExecutionStatus = 'Running' GROUP BY CancellationPhase")
