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

from demo.programs import StartFailed, free_port, port_is_free
from demo.stack import ROOT, Ports, Stack


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


async def until(probe: Callable[[], bool], what: Callable[[], object], seconds: float = 60) -> None:
    deadline = asyncio.get_running_loop().time() + seconds
    while not probe():
        assert asyncio.get_running_loop().time() < deadline, what()
        await asyncio.sleep(0.1)


async def ended(process: subprocess.Popen[bytes], seconds: float = 60) -> int:
    await until(lambda: process.poll() is not None, lambda: f"{process.args!r} goes on", seconds)
    return process.wait()


async def test_make_demo_plays_four_stories_to_the_right_end_and_leaves_nothing_behind(tmp_path: Path) -> None:
    mark = uuid4().hex
    process = start(mark, tmp_path, "demo", "--lang", "en")
    code = await ended(process, 110)
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

    async def ready(times: int) -> dict[str, str]:
        await until(lambda: output().count("Ctrl-C stops it") == times, output)
        return addresses(output())

    first = start(mark, tmp_path, "dev")
    environment = await ready(1)
    answer = await command(tmp_path, environment, "start", "acct-clean-phone")
    [request_no] = re.findall(r"C\d{8}-\w{8}", answer)

    second = start(mark, tmp_path, "dev")
    assert await ended(second) == 4
    assert "running already" in output()

    first.kill()
    first.wait()
    await until(lambda: marked(mark) == [], lambda: marked(mark))

    again = start(mark, tmp_path, "dev")
    environment = await ready(2)
    assert request_no in await command(tmp_path, environment, "status", "acct-clean-phone")
    again.terminate()
    assert await ended(again) == 0, output()
    assert marked(mark) == []


async def command(cwd: Path, environment: dict[str, str], *arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(ROOT / "starter.py"),
        *arguments,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


def addresses(shown: str) -> dict[str, str]:
    """What the last guide says has to be exported."""
    guide = shown[shown.rindex("local stack") :]
    return dict(re.findall(r"export (\w+)=(\S+)", guide))


async def test_a_start_that_fails_tells_the_end_of_the_log_and_stops_what_had_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        ports = Ports(platform=taken.getsockname()[1])
        with pytest.raises(
            StartFailed, match=r"(?s)platform ended with exit code.*address already in use.*platform\.log"
        ):
            async with Stack.start(tmp_path, ports=ports):
                pytest.fail("started on a port that is taken")
    assert psutil.Process().children(recursive=True) == [], "left behind"
    assert port_is_free(ports.temporal)


async def test_a_stack_that_is_cancelled_while_it_starts_leaves_nothing_behind(tmp_path: Path) -> None:
    ports = Ports()

    async def run() -> None:
        async with Stack.start(tmp_path, ports=ports):
            pytest.fail("cancelled too late")

    starting = asyncio.create_task(run())
    await until(lambda: not port_is_free(ports.temporal), lambda: "Temporal never listened")
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert all(port_is_free(port) for port in (ports.temporal, ports.platform, ports.worker_health))


def test_a_free_port_lies_below_those_that_outgoing_connections_take() -> None:
    ephemeral = Path("/proc/sys/net/ipv4/ip_local_port_range")
    first = int(ephemeral.read_text().split()[0]) if ephemeral.exists() else 32768
    assert all(free_port() < first for _ in range(20))


async def test_ctrl_c_breaks_the_demo_off_in_order(tmp_path: Path) -> None:
    mark = uuid4().hex
    process = start(mark, tmp_path, "demo", "--lang", "en")
    await until(lambda: "asks to cancel" in (tmp_path / "output").read_text(), lambda: "the first story never began")
    process.send_signal(signal.SIGINT)
    assert await ended(process) == 130
    assert marked(mark) == []
    assert names_in(tmp_path) == ["output"]
