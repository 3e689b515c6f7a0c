"""The namespace job, run for real against a Temporal server of the same version."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from devtools.demo.stack import TEMPORAL
from tests.deploy.compose import ROOT, environment
from workflows.common.search_attributes import ALL

FOLDER = ROOT / "deploy" / "temporal"
NAMESPACE = environment("namespace")["TEMPORAL_NAMESPACE"]


async def run_job(address: str, **overrides: str) -> tuple[int, str]:
    """Run it as the compose file does, with the address of this server and the file's place on this machine."""
    given = {
        **environment("namespace"),
        "TEMPORAL_ADDRESS": address,
        "SEARCH_ATTRIBUTES": str(FOLDER / "search-attributes.txt"),
        "PATH": f"{TEMPORAL.parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": "/nonexistent",
        **overrides,
    }
    job = await asyncio.create_subprocess_exec(
        "sh",
        str(FOLDER / "namespace.sh"),
        env=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await job.communicate()
    assert job.returncode is not None
    return job.returncode, output.decode()


@pytest_asyncio.fixture(scope="module")
async def server() -> AsyncIterator[WorkflowEnvironment]:
    """With the dynamic configuration of the deployment, and with nobody else at work on it."""
    document = yaml.safe_load((FOLDER / "dynamicconfig.yaml").read_text())
    flags = [
        argument
        for key, [value] in document.items()
        for argument in ("--dynamic-config-value", f"{key}={value['value']}")
    ]
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(TEMPORAL),
        dev_server_log_level="error",
        search_attributes=ALL,
        dev_server_extra_args=flags,
    ) as running:
        yield running


def address_of(server: WorkflowEnvironment) -> str:
    return server.client.service_client.config.target_host


async def test_it_makes_the_namespace_with_90_days_and_exactly_the_attributes_of_the_code(
    server: WorkflowEnvironment,
) -> None:
    code, output = await run_job(address_of(server))
    assert code == 0, output
    client = server.client
    described = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=NAMESPACE))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 90
    listed = await client.operator_service.list_search_attributes(ListSearchAttributesRequest(namespace=NAMESPACE))
    expected = {key.name: int(key.indexed_value_type) for key in ALL}
    assert dict(listed.custom_attributes) == expected

    # And again, as at every start of the stack.
    code, output = await run_job(address_of(server))
    assert (code, "Added" in output) == (0, False), output


async def test_it_adds_what_is_missing_and_puts_the_retention_right(
    server: WorkflowEnvironment, tmp_path: Path
) -> None:
    namespace, first = "grows", tmp_path / "first.txt"
    first.write_text("CancellationPhase Keyword\n")
    await run_job(address_of(server), TEMPORAL_NAMESPACE=namespace, SEARCH_ATTRIBUTES=str(first), RETENTION="3d")
    code, output = await run_job(address_of(server), TEMPORAL_NAMESPACE=namespace)
    assert code == 0, output
    assert output.count("Added search attribute") == len(ALL) - 1
    described = await server.client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
    assert described.config.workflow_execution_retention_ttl.ToTimedelta().days == 90


async def test_an_attribute_of_another_type_stops_it_with_the_next_step(
    server: WorkflowEnvironment, tmp_path: Path
) -> None:
    other = tmp_path / "other.txt"
    other.write_text("TicketDueAt Keyword\n")
    code, output = await run_job(address_of(server), TEMPORAL_NAMESPACE="default", SEARCH_ATTRIBUTES=str(other))
    assert code == 1
    assert "TicketDueAt is registered as Datetime, and the service needs Keyword" in output
    assert "Next step" in output


async def test_without_a_server_it_gives_up_and_says_what_to_check(tmp_path: Path) -> None:
    code, output = await run_job("127.0.0.1:1", ATTEMPTS="1")
    assert code == 1
    assert "check that Temporal answers at 127.0.0.1:1" in output


async def test_a_missing_list_of_attributes_is_an_error(server: WorkflowEnvironment, tmp_path: Path) -> None:
    code, output = await run_job(
        address_of(server), TEMPORAL_NAMESPACE="default", SEARCH_ATTRIBUTES=str(tmp_path / "none.txt")
    )
    assert code != 0
    assert "is ready" not in output


def test_the_list_names_every_attribute_of_the_code_in_the_servers_words() -> None:
    lines = (FOLDER / "search-attributes.txt").read_text().splitlines()
    listed = [tuple(line.split()) for line in lines if line and not line.startswith("#")]
    words = {"KEYWORD": "Keyword", "KEYWORD_LIST": "KeywordList", "DATETIME": "Datetime", "BOOL": "Bool"}
    assert listed == [(key.name, words[key.indexed_value_type.name]) for key in ALL]


async def test_the_dynamic_configuration_keeps_ids_to_what_postgresql_can_hold(server: WorkflowEnvironment) -> None:
    await server.client.start_workflow("Any", id="x" * 255, task_queue="none")
    with pytest.raises(RPCError, match="256/255"):
        await server.client.start_workflow("Any", id="x" * 256, task_queue="none")
