"""Record the histories that `test_replay.py` replays: `python -m tests.replay.record [ROUTE ...]`.

Record a route when it is new. Never record over a file to make a failing replay pass: the failure says that requests
which are running in production would break. Guard the change with `workflow.patched` instead.
"""

import asyncio
import json
import os
import sys
import tempfile
from pathlib import Path

from temporalio.client import WorkflowHistory

from tests.replay.routes import ROUTES, Handle
from tests.support.service import service_on, simulator_process, temporal_environment

HISTORIES = Path(__file__).parent / "histories"

_REPLACED = {"identity": "recorder"}


async def record(names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        async with (
            await temporal_environment() as env,
            simulator_process(f"sqlite:///{folder}/platform.db") as simulator,
            service_on(env, simulator, Path(folder) / "vault") as service,
            service.worker(),
        ):
            for name in names:
                for handle in await ROUTES[name](service):
                    await _write(name, handle)
                sys.stdout.write(f"recorded {name}\n")


async def _write(route: str, handle: Handle) -> None:
    kind = handle.id.split("-")[1]
    history = _anonymous(await handle.fetch_history())
    path = HISTORIES / f"{route}.{kind}.json"
    path.write_text(json.dumps({"workflow_id": handle.id, "history": history}, sort_keys=True) + "\n")


def _anonymous(history: WorkflowHistory) -> dict[str, object]:
    """The history without the machine, the process and the paths that recorded it; replay needs none of them."""
    found = json.loads(history.to_json())

    def scrub(node: object) -> object:
        if isinstance(node, dict):
            if node.get("kind") == "TASK_QUEUE_KIND_STICKY":
                node = node | {"name": _REPLACED["identity"]}
            return {key: _REPLACED.get(key) or scrub(value) for key, value in node.items() if key != "stackTrace"}
        return [scrub(item) for item in node] if isinstance(node, list) else node

    scrubbed = scrub(found)
    assert isinstance(scrubbed, dict)
    return scrubbed


if __name__ == "__main__":
    HISTORIES.mkdir(exist_ok=True)
    asyncio.run(record(sys.argv[1:] or list(ROUTES)))
    sys.stdout.flush()
    os._exit(0)
