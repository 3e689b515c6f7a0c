"""Programs that run as processes of their own: started with a log file, watched until ready, never left behind."""

import asyncio
import errno
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

START_LIMIT = 60.0
"""Seconds that a program may take until it is ready; a loaded machine takes long."""

NO_PROXY = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
"""For the environment: no proxy stands between programs of one machine."""

FAILED = 1
INTERRUPTED = 130

_SETPRIV = shutil.which("setpriv")
_END_WITH_PARENT = (_SETPRIV, "--pdeathsig", "KILL", "--") if _SETPRIV else ()
"""A prefix by which Linux ends a process when its parent is killed outright; nothing elsewhere."""

_TAIL_LINES = 15
_POLL = 0.03


class StartFailed(Exception):
    """A program did not come up. The text has the end of its log, and says where the rest is."""


class Busy(StartFailed):
    """What it needs is taken: a port, or the folder of a stack that runs."""


@dataclass
class Program:
    """One process. `start` and `kill` may be repeated: it comes back with the same command and so the same ports.

    `is_ready` is asked again and again while the process starts; `grace` is how many seconds it may take to stop.
    """

    name: str
    command: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    log: Path
    is_ready: Callable[[], Awaitable[bool]]
    grace: float = 10
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __str__(self) -> str:
        return f"{self.name:<9} pid {self.pid}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The id of the process that was started last."""
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    def spawn(self) -> None:
        """Start the process without waiting for it."""
        if self.is_running:
            raise RuntimeError(f"{self.name} is running already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*_END_WITH_PARENT, *self.command],
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Out of the terminal's process group: Ctrl-C is for the parent, which then stops all in their order.
                start_new_session=True,
            )

    async def ready(self) -> None:
        """Wait until the process answers.

        Raises:
            StartFailed: it ended, or did not answer in time.
        """
        deadline = asyncio.get_running_loop().time() + START_LIMIT
        while not await self.is_ready():
            if self._process is None or self._process.poll() is not None:
                code = self._process.returncode if self._process else None
                raise self._failed(f"ended with exit code {code}")
            if asyncio.get_running_loop().time() > deadline:
                raise self._failed(f"was not ready after {START_LIMIT:.0f} s")
            await asyncio.sleep(_POLL)

    async def start(self) -> None:
        self.spawn()
        await self.ready()

    async def stop(self) -> None:
        """Ask it to end (SIGTERM); one that does not within its grace is killed."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a crash of the machine would."""
        await self._end(signal.SIGKILL)

    async def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            await asyncio.to_thread(self._process.wait, self.grace)
        except subprocess.TimeoutExpired:
            pass
        finally:
            # Also when this wait itself is cancelled: nothing may stay behind.
            self._process.kill()
            self._process.wait()

    def _failed(self, what: str) -> StartFailed:
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        tail = "\n".join(f"  | {line}" for line in lines) or "  | (nothing)"
        kind = Busy if os.strerror(errno.EADDRINUSE).lower() in tail.lower() else StartFailed
        return kind(f"{self.name} {what}. The end of its log:\n{tail}\nThe whole log: {self.log}")


def run(main: Coroutine[Any, Any, int], *, when_stopped: int) -> int:
    """Run to the end and answer its exit code; `when_stopped` after Ctrl-C or SIGTERM, with all contexts left.

    Raises `StartFailed` as `main` does.
    """

    async def stoppable() -> int:
        task = asyncio.current_task()
        assert task is not None
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        return await main

    os.environ.update(NO_PROXY)
    try:
        return asyncio.run(stoppable())
    except asyncio.CancelledError:
        return when_stopped


def free_port() -> int:
    """A port of the loopback interface that nobody listens at.

    From below the range that outgoing connections take theirs from, so that a program which is stopped for a while
    finds its port free again.
    """
    while True:
        port = random.randrange(20_000, 32_000)
        if port_is_free(port):
            return port


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        # As servers do, so that a port whose last connections still linger counts as free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


async def answers_ok(port: int, path: str) -> bool:
    """Whether an HTTP server at this port of the loopback interface answers 200."""
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=5)) as http,
            http.get(f"http://127.0.0.1:{port}{path}") as answer,
        ):
            return answer.ok
    except (ClientError, TimeoutError):
        return False
