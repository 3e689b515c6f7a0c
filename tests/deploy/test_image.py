"""The image, as far as it can be tried without an engine: what it contains, and how its programs start and stop."""

import ast
import asyncio
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from tests.deploy.compose import OWN, ROOT, environment, seconds, services
from tests.service import eventually

SET_UP_BY_HAND = {"demo", "benchmarks"}
"""They start a Temporal server of their own, from the packages of `make setup`; nobody runs them in a container."""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what `COPY . .` copies, by .dockerignore."""
    first, *rules = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]
    assert first == "*"
    folder = tmp_path_factory.mktemp("image")
    for name in (rule.removeprefix("!") for rule in rules if rule.startswith("!")):
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy(source, target)
    return folder


def test_it_contains_no_test_no_document_and_no_local_setting(image: Path) -> None:
    names = {path.name for path in image.iterdir()}
    assert {"worker.py", "starter.py", "workflows", "sandbox"} <= names
    assert not {"tests", "docs", ".env", ".git", ".venv", ".local"} & names


@pytest.mark.parametrize("program", [["worker.py"], ["starter.py"], ["-m", "sandbox"]], ids=" ".join)
def test_every_program_starts_from_what_is_in_it(image: Path, program: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, *program, "--help"],
        cwd=image,
        env=_bare_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_every_package_it_imports_is_in_the_run_time_lock(image: Path) -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)==", (image / "requirements" / "runtime.txt").read_text(), re.MULTILINE))
    distributions = packages_distributions()
    rooms = {path.stem for path in image.iterdir()}
    missing = set()
    for file in image.rglob("*.py"):
        if file.relative_to(image).parts[0] in SET_UP_BY_HAND:
            continue
        for name in _imports(file) - set(sys.stdlib_module_names) - rooms:
            if not {_normal(found) for found in distributions.get(name, [name])} & locked:
                missing.add((str(file.relative_to(image)), name))
    assert missing == set()


def _imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def _normal(distribution: str) -> str:
    return re.sub(r"[-_.]+", "-", distribution).lower()


async def test_the_programs_start_report_their_health_and_stop_as_the_compose_file_says(
    image: Path, temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    ports = {port: str(_free_port()) for port in ("8090", "8080", "9464", "8300")}
    overrides = {
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": "default",
        "CANCELLATION_PLATFORM_URL": f"http://127.0.0.1:{ports['8090']}",
        "CANCELLATION_VAULT_URL": (tmp_path / "vault").as_uri(),
        "SANDBOX_DATABASE_URL": f"sqlite:///{tmp_path}/platform.db",
    }
    for service in OWN:
        assert await _health(service, ports) != 0, "healthy before it runs"
        async with _running(image, service, ports, overrides) as process:
            await eventually(lambda service=service: _health(service, ports), lambda code: code == 0, 60)  # type: ignore[misc]
            process.send_signal(signal.SIGTERM)
            # `docker stop` waits this long, by default ten seconds, and then kills.
            grace = seconds(services[service].get("stop_grace_period", "10s"))
            # uvicorn alone, having shut down, ends by the signal that asked for it.
            assert await asyncio.wait_for(process.wait(), grace) == (-signal.SIGTERM if service == "sandbox" else 0)
        assert await _health(service, ports) != 0, "healthy after it stopped"


@asynccontextmanager
async def _running(
    image: Path, service: str, ports: dict[str, str], overrides: dict[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    given = {**environment(service), **{name: overrides[name] for name in environment(service) if name in overrides}}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *(_moved(argument, ports) for argument in services[service]["command"][1:]),
        cwd=image,
        env=_bare_environment() | {name: _moved(value, ports) for name, value in given.items()},
        stderr=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _health(service: str, ports: dict[str, str]) -> int:
    """The exit code of the container's own health check."""
    _, program, *arguments = services[service]["healthcheck"]["test"]
    assert program == "python"
    check = await asyncio.create_subprocess_exec(
        sys.executable, *(_moved(argument, ports) for argument in arguments), stderr=asyncio.subprocess.DEVNULL
    )
    return await check.wait()


def _moved(text: str, ports: dict[str, str]) -> str:
    for fixed, free in ports.items():
        text = re.sub(rf"(?<!\d){fixed}(?!\d)", free, text)
    return text


def _bare_environment() -> dict[str, str]:
    """Without this shell's own settings, and without a folder to write into."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
