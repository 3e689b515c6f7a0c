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
from tests.support.service import eventually

DOCKERFILE = (ROOT / "deploy" / "Dockerfile").read_text()
STAGES = dict(re.findall(r"^FROM \S+ AS (\w+)\n(.*?)(?=^FROM|\Z)", DOCKERFILE, re.MULTILINE | re.DOTALL))
RUN_TIME_LOCK = ROOT / "requirements" / "runtime.txt"
SERVICE = {"activities", "cli", "console", "domain", "gateways", "i18n", "runtime", "service", "workflows"}


def image(stage: str, folder: Path) -> Path:
    """A folder with what the stage's own `COPY` lines copy, and its `pybabel` line makes of it."""
    let_through = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (.+)", STAGES[stage], re.MULTILINE):
        *sources, target = line.split()
        for source in sources:
            assert f"!{source}" in let_through
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, folder / target, ignore=shutil.ignore_patterns("__pycache__", "*.mo"))
            else:
                shutil.copy(ROOT / source, folder / target)
    for arguments in re.findall(r"^RUN pybabel (.+)", STAGES[stage], re.MULTILINE):
        subprocess.run([Path(sys.executable).parent / "pybabel", *arguments.split()], cwd=folder, check=True)
    return folder


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: image(name, tmp_path_factory.mktemp(name)) for name in STAGES if name != "base"}


def typed(folder: Path, *words: str | Path) -> "subprocess.CompletedProcess[str]":
    """What comes of a command that is typed in this folder, in an environment with nothing set."""
    return subprocess.run(words, cwd=folder, env=bare_environment(), capture_output=True, text=True, check=False)


def packages(folder: Path) -> set[str]:
    return {path.parent.name for path in folder.glob("*/__init__.py")}


def test_the_service_is_alone_in_its_image_and_the_simulator_in_its_own(images: dict[str, Path]) -> None:
    assert packages(images["service"]) == SERVICE
    assert {path.name for path in images["service"].iterdir()} == SERVICE | {"worker.py", "starter.py", "LICENSE"}
    assert packages(images["simulator"]) == {"domain", "gateways", "simulator"}
    assert list(STAGES)[-1] == "service", "what is built when nobody says which"


@pytest.mark.parametrize(
    ("name", "program"),
    [("service", ["worker.py"]), ("service", ["starter.py"]), ("simulator", ["-m", "simulator"])],
)
def test_every_program_starts_from_what_is_in_its_image(images: dict[str, Path], name: str, program: list[str]) -> None:
    done = typed(images[name], sys.executable, *program, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert "demo" not in done.stdout.split()


def test_the_image_speaks_every_language(images: dict[str, Path]) -> None:
    done = typed(images["service"], sys.executable, "starter.py", "nonsense", "--lang", "zh")
    assert done.returncode == 2
    assert "用法有误" in done.stderr


@pytest.mark.parametrize("name", ["service", "simulator"])
def test_whatever_an_image_imports_is_in_it_or_in_the_run_time_lock(images: dict[str, Path], name: str) -> None:
    locked = set(re.findall(r"^([a-z0-9.-]+)==", RUN_TIME_LOCK.read_text(), re.MULTILINE))
    distributions = packages_distributions()
    own = packages(images[name]) | {"worker", "starter"}
    missing = set()
    for file in images[name].rglob("*.py"):
        for imported in _imports(file) - set(sys.stdlib_module_names) - own:
            if not {_normal(found) for found in distributions.get(imported, [imported])} & locked:
                missing.add((str(file.relative_to(images[name])), imported))
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
    images: dict[str, Path], temporal: WorkflowEnvironment, tmp_path: Path
) -> None:
    ports = {port: str(free_port()) for port in ("8090", "8080", "9464", "8300")}
    overrides = {
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "TEMPORAL_NAMESPACE": "default",
        "CANCELLATION_PLATFORM_URL": f"http://127.0.0.1:{ports['8090']}",
        "CANCELLATION_VAULT_URL": (tmp_path / "vault").as_uri(),
        "SIMULATOR_DATABASE_URL": f"sqlite:///{tmp_path}/platform.db",
    }
    for service in OWN:
        assert await _health(service, ports) != 0, "healthy before it runs"
        async with _running(images[services[service]["build"]["target"]], service, ports, overrides) as process:
            await eventually(lambda service=service: _health(service, ports), lambda code: code == 0, 60)  # type: ignore[misc]
            process.send_signal(signal.SIGTERM)
            # `docker stop` waits this long, by default ten seconds, and then kills.
            grace = seconds(services[service].get("stop_grace_period", "10s"))
            # uvicorn alone, having shut down, ends by the signal that asked for it.
            assert await asyncio.wait_for(process.wait(), grace) == (-signal.SIGTERM if service == "simulator" else 0)
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
        env=bare_environment() | {name: _moved(value, ports) for name, value in given.items()},
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


def bare_environment() -> dict[str, str]:
    """Without this shell's own settings, and without a folder to write into."""
    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
