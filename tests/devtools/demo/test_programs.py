"""The commands as people start them, and that they leave no process behind, however they end."""

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter

from devtools.demo.programs import Busy, Program, StartFailed, answers_ok, free_port, port_is_free
from devtools.demo.stack import ROOT, Ports, Stack
from domain.ids import cancellation_workflow_id
from domain.messages import CancellationInput
from runtime.settings import Settings
from workflows import AccountCancellation

pytestmark = pytest.mark.timeout(240)


def start(mark: str, cwd: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A command of the project, with its output in a file; what it starts inherits the mark."""
    with (cwd / "output").open("ab") as output:
        return subprocess.Popen(
            [sys.executable, str(ROOT / "starter.py"), *arguments],
            cwd=cwd,
            env={**os.environ, "TMPDIR": str(cwd), "TEST_MARK": mark, "COLUMNS": "110", "PYTHONUNBUFFERED": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def marked(mark: str) -> list[str]:
    """Every process that was started, directly or not, with this mark."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("TEST_MARK") == mark and process.status() != psutil.STATUS_ZOMBIE:
                found.append(" ".join(process.cmdline()))
        except psutil.Error:
            continue
    return found


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


async def until(probe: Callable[[], bool], what: Callable[[], object], seconds: float = 100) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not probe():
        assert asyncio.get_running_loop().time() < deadline, what()
        await asyncio.sleep(0.1)


async def ended(process: subprocess.Popen[bytes], seconds: float = 100) -> int:
    await until(lambda: process.poll() is not None, lambda: f"{process.args!r} goes on", seconds)
    return process.wait()


async def test_make_demo_plays_four_stories_to_the_right_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    mark = uuid4().hex
    process = start(mark, tmp_path, "demo", "--lang", "en")
    code = await ended(process)
    shown = (tmp_path / "output").read_text()
    assert code == 0, shown
    assert "Every story ended as it should." in shown
    for words in (
        "all four reasons came at once",
        "pay ¥32.00 first, then withdraw ¥256.00",
        "asks for materials: company seal missing",
        "waived: balance, ICP filing",
        "deadline: escalated",
        "rejection recorded as late",
    ):
        assert words in shown
    assert "✗ no personal data left" not in shown
    assert marked(mark) == []
    assert names_in(tmp_path) == ["output"]


async def test_make_dev_keeps_its_state_over_a_kill_and_ends_in_order_on_sigterm(tmp_path: Path) -> None:
    mark = uuid4().hex

    def output() -> str:
        return (tmp_path / "output").read_text()

    async def guided(times: int) -> Client:
        """A client of the server that the latest guide names."""
        await until(lambda: output().count("Ctrl-C stops it") == times, output)
        address = re.findall(r"Temporal +(127\.0\.0\.1:\d+)", output())[-1]
        return await Client.connect(address, data_converter=pydantic_data_converter)

    async def can_sign_in_at_the_console() -> bool:
        port = int(re.findall(r"console +http://127\.0\.0\.1:(\d+)", output())[-1])
        return await answers_ok(port, "/sign-in")

    killed = start(mark, tmp_path, "dev")
    started = await (await guided(1)).start_workflow(
        AccountCancellation.run,
        CancellationInput(request_no="C-1", account_id="acct-clean-phone", requested_by="owner-1"),
        id=cancellation_workflow_id("acct-clean-phone"),
        task_queue=Settings().task_queue,
    )
    assert await can_sign_in_at_the_console()
    second = start(mark, tmp_path, "dev", "--json")
    assert await ended(second) == 2
    assert "running already" in output()
    assert '"type": "BadInput"' in output()

    killed.kill()
    killed.wait()
    await until(lambda: marked(mark) == [], lambda: marked(mark))

    again = start(mark, tmp_path, "dev")
    request = (await guided(2)).get_workflow_handle(started.id)
    assert (await request.query(AccountCancellation.view)).request_no == "C-1"
    again.terminate()
    assert await ended(again) == 0, output()
    assert marked(mark) == []


async def test_a_start_that_fails_tells_the_end_of_the_log_and_stops_what_had_started(tmp_path: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = Ports(platform=taken.getsockname()[1])
        with pytest.raises(Busy, match=r"(?s)platform ended with exit code.*address already in use.*platform\.log"):
            async with Stack.start(tmp_path, ports=ports):
                pytest.fail("started on a port that is taken")
    assert set(psutil.Process().children(recursive=True)) <= before
    assert port_is_free(ports.temporal)


async def test_a_program_that_ends_for_another_reason_is_no_matter_of_ports(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    program = Program(
        "platform",
        [sys.executable, "-c", "import sys; sys.exit('no such database')"],
        cwd=tmp_path,
        env=os.environ,
        log=tmp_path / "platform.log",
        is_ready=never,
        grace=1,
    )
    with pytest.raises(StartFailed, match="no such database") as caught:
        await program.start()
    assert type(caught.value) is StartFailed


async def test_ctrl_c_while_the_stack_starts_leaves_neither_process_nor_folder(tmp_path: Path) -> None:
    mark = uuid4().hex
    process = start(mark, tmp_path, "demo", "--lang", "en")
    await until(lambda: any("start-dev" in command for command in marked(mark)), lambda: "Temporal never started")
    process.send_signal(signal.SIGINT)
    assert await ended(process) == 130
    assert marked(mark) == []
    assert names_in(tmp_path) == ["output"]


def test_a_free_port_lies_below_those_that_outgoing_connections_take() -> None:
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(ephemeral.read_text().split()[0]) if ephemeral.exists() else 32768
    assert all(free_port() < first for _ in range(20))
