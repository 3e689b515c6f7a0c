"""Programs that run as processes of their own: started with a log file, watched until ready, never left behind."""

import asyncio
import errno
import os
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path

START_LIMIT = 60.0
"""Seconds that a program may take until it is ready; a loaded machine takes long."""

NO_PROXY = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
"""For the environment: no proxy stands between programs of one machine."""

_TAIL_LINES = 15
_POLL = 0.03


class StartFailed(Exception):
    """A program did not come up. The text has the end of its log, and says where the rest is."""


class Busy(StartFailed):
    """What it needs is taken: a port, or the folder of a stack that runs."""


class Program:
    """One process. `start` and `kill` may be repeated: it comes back with the same command and so the same ports.

    `is_ready` is asked again and again while the process starts; `grace` is how many seconds it may take to stop.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        cwd: Path,
        env: Mapping[str, str],
        log: Path,
        is_ready: Callable[[], Awaitable[bool]],
        grace: float,
    ) -> None:
        self.name = name
        self.log = log
        self._command = [*_END_WITH_PARENT, *command]
        self._cwd = cwd
        self._env = dict(env)
        self._is_ready = is_ready
        self._grace = grace
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The id of the running process, or None."""
        return self._process.pid if self.is_running and self._process else None

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def spawn(self) -> None:
        """Start the process without waiting for it."""
        if self.is_running:
            raise RuntimeError(f"{self.name} is running already")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._cwd,
                env=self._env,
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
        while not await self._is_ready():
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
        await self._end(signal.SIGTERM, self._grace)

    async def kill(self) -> None:
        """End it at once (SIGKILL), as a crash of the machine would."""
        await self._end(signal.SIGKILL, self._grace)

    async def _end(self, how: signal.Signals, patience: float) -> None:
        process = self._process
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(how)
        deadline = asyncio.get_running_loop().time() + patience
        try:
            while process.poll() is None and asyncio.get_running_loop().time() < deadline:
                await asyncio.sleep(_POLL)
        finally:
            # Also when this wait itself is cancelled: nothing may stay behind.
            if process.poll() is None:
                process.kill()
            process.wait()

    def _failed(self, what: str) -> StartFailed:
        lines = self.log.read_text(errors="replace").splitlines()[-_TAIL_LINES:]
        tail = "\n".join(f"  | {line}" for line in lines) or "  | (nothing)"
        kind = Busy if os.strerror(errno.EADDRINUSE).lower() in tail.lower() else StartFailed
        return kind(f"{self.name} {what}. The end of its log:\n{tail}\nThe whole log: {self.log}")


def _end_with_parent() -> tuple[str, ...]:
    """A prefix by which Linux ends the process when its parent is killed outright; nothing elsewhere."""
    setpriv = shutil.which("setpriv")
    return (setpriv, "--pdeathsig", "KILL", "--") if setpriv else ()


_END_WITH_PARENT = _end_with_parent()


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
    """Whether an HTTP server at this port of the loopback interface answers 200. By hand: a client heeds proxies."""
    try:
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
                status = await reader.readline()
            finally:
                writer.close()
                await writer.wait_closed()
    except (OSError, TimeoutError):
        return False
    return b" 200 " in status
