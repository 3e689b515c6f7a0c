"""The wheel, as a package index would hand it out: built, installed in an empty environment, and started there."""

import asyncio
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from temporalio.testing import WorkflowEnvironment

from devtools.demo.programs import answers_ok
from tests.deploy.compose import ROOT
from tests.deploy.test_image import SERVICE, bare_environment, free_port, typed
from tests.support.service import eventually

UV = Path(sys.executable).parent / "uv"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that has the run-time lock and the wheel, and nothing else."""
    folder = tmp_path_factory.mktemp("wheel")
    python = folder / "environment" / "bin" / "python"
    # Of a copy: the builder leaves folders of its own beside what it builds.
    sources = shutil.copytree(ROOT, folder / "sources", ignore=shutil.ignore_patterns(".*", "*.mo", "tests", "build"))
    _uv("build", "--wheel", "--out-dir", folder, sources)
    [wheel] = folder.glob("*.whl")
    _uv("venv", "--python", sys.executable, folder / "environment")
    _uv("pip", "install", "--python", python, "--require-hashes", "-r", ROOT / "requirements" / "runtime.txt")
    _uv("pip", "install", "--python", python, "--no-deps", wheel)
    return python


def _uv(*arguments: str | Path) -> None:
    subprocess.run([UV, "--quiet", *arguments], check=True)


def test_it_holds_the_service_alone_and_lacks_nothing(installed: Path) -> None:
    _uv("pip", "check", "--python", installed)
    told = subprocess.run(
        [installed, "-c", "import importlib.metadata as m; print(m.distribution('account-cancellation').files)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    tops = {name for name in SERVICE | {"simulator", "devtools", "tests"} if f"'{name}/__init__.py'" in told}
    assert tops == SERVICE


@pytest.mark.parametrize("module", ["worker", "starter"])
def test_its_programs_explain_themselves(installed: Path, module: str, tmp_path: Path) -> None:
    done = typed(tmp_path, installed, "-m", module, "--help")
    assert (done.returncode, done.stderr) == (0, "")


def test_it_speaks_every_language(installed: Path, tmp_path: Path) -> None:
    done = typed(tmp_path, installed, "-m", "starter", "nonsense", "--lang", "zh")
    assert done.returncode == 2
    assert "用法有误" in done.stderr


async def test_its_worker_and_console_come_up(installed: Path, temporal: WorkflowEnvironment, tmp_path: Path) -> None:
    health, console = free_port(), free_port()
    environment = bare_environment() | {
        "TEMPORAL_ADDRESS": temporal.client.service_client.config.target_host,
        "CANCELLATION_PLATFORM_URL": "http://127.0.0.1:9",
        "CANCELLATION_VAULT_URL": (tmp_path / "vault").as_uri(),
        "CANCELLATION_TASK_QUEUE": "wheel",
        "CONSOLE_PORT": str(console),
        "CONSOLE_PUBLIC_URL": f"http://127.0.0.1:{console}",
        "CONSOLE_SECRET": "of the wheel's own test, and of nobody else",
    }
    programs = [["worker", "--health-port", str(health)], ["console"]]
    processes = [
        await asyncio.create_subprocess_exec(installed, "-m", *program, cwd=tmp_path, env=environment)
        for program in programs
    ]
    try:
        for port in (health, console):
            await eventually(lambda port=port: answers_ok(port, "/readyz"), bool, 60)  # type: ignore[misc]
    finally:
        for process in processes:
            process.terminate()
        await asyncio.gather(*(process.wait() for process in processes))
