"""The programs of the peers: their application in an environment of its own, and a private PostgreSQL cluster."""

import asyncio
import json
import os
import pwd
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from devtools.demo.programs import Program, answers_ok, free_port
from devtools.demo.stack import ROOT, Stack
from domain.deletion import DELETION_STAGES
from gateways.contract import CLOSURE_PHASES, READS

PYTHON = ROOT / ".venv-peers" / "bin" / "python"

_APPLICATION = Path(__file__).with_name("application.py")
_DATABASE_USER = "postgres"
"""PostgreSQL refuses to run as root; the Debian package brings this user."""


class PeersMissing(Exception):
    """What has to be installed first."""


def check_installed() -> None:
    if not PYTHON.exists():
        raise PeersMissing("The peers' environment is missing. Next step: make bench-peers")
    _postgresql("initdb")


@asynccontextmanager
async def open_peer(stack: Stack, name: str, database_url: str) -> AsyncIterator[tuple[Program, str]]:
    """The peer's application on this database, and the URL at which it hears the owner."""
    port = free_port()
    program = Program(
        name,
        [str(PYTHON), str(_APPLICATION)],
        cwd=stack.workdir,
        env={
            **{key: value for key, value in os.environ.items() if not key.startswith(("DBOS_", "PYTHON", "PG"))},
            "PEER_PLATFORM_URL": stack.platform_url,
            "PEER_DATABASE_URL": database_url,
            "PEER_VAULT": str(stack.workdir / f"{name}-vault"),
            "PEER_PORT": str(port),
            "PEER_CHECKS": json.dumps([read.path for read in READS.values()]),
            "PEER_STAGES": json.dumps(_platform_stages()),
        },
        log=stack.workdir / f"{name}.log",
        is_ready=lambda: answers_ok(port, "/healthz"),
    )
    try:
        await program.start()
        yield program, f"http://127.0.0.1:{port}"
    finally:
        await program.stop()


def _platform_stages() -> list[list[str]]:
    """Before and after the final notice, what of a deletion is the platform's to do."""
    stages = [[phase.value for phase in stage if phase in CLOSURE_PHASES] for stage in DELETION_STAGES]
    return [stage for stage in stages if stage]


@asynccontextmanager
async def open_postgresql(below: Path) -> AsyncIterator[tuple[Program, str]]:
    """A cluster of its own in a temporary folder, and the URL of a database in it. Every setting is the default."""
    as_user = []
    with TemporaryDirectory(prefix="bench-postgresql-", dir=below) as folder:
        if os.getuid() == 0:
            user = pwd.getpwnam(_DATABASE_USER)
            os.chown(folder, user.pw_uid, user.pw_gid)
            as_user = ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]
            # Which user it is given takes this away from it, so it is said again.
            as_user += ["--pdeathsig=KILL", "--"]
        data, port = f"{folder}/data", free_port()
        initialise = [_postgresql("initdb"), "--pgdata", data, "--username", _DATABASE_USER, "--auth", "trust"]
        await asyncio.to_thread(
            subprocess.run, [*as_user, *initialise], check=True, cwd=folder, stdout=subprocess.DEVNULL
        )

        async def is_ready() -> bool:
            command = [_postgresql("pg_isready"), "--quiet", "--host", "127.0.0.1", "--port", str(port)]
            return (await asyncio.to_thread(subprocess.run, command, check=False)).returncode == 0

        log = Path(folder) / "log"
        log.touch()
        server = Program(
            "postgresql",
            [*as_user, _postgresql("postgres"), "-D", data, "-p", str(port), "-k", folder, "-h", "127.0.0.1"],
            cwd=Path(folder),
            env={"PATH": os.environ["PATH"]},
            log=log,
            is_ready=is_ready,
        )
        try:
            await server.start()
            yield server, f"postgresql://{_DATABASE_USER}@127.0.0.1:{port}/dbos"
        finally:
            await server.stop()


def _postgresql(program: str) -> str:
    """Debian keeps the server's programs out of the path."""
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        if (folder / program).exists():
            return str(folder / program)
    found = shutil.which(program)
    if found is None:
        raise PeersMissing("PostgreSQL is missing. Next step: apt-get install postgresql")
    return found


def versions() -> dict[str, str]:
    ask = "from importlib.metadata import version; print(version('dbos'))"
    dbos = subprocess.run([PYTHON, "-c", ask], check=True, capture_output=True, text=True)
    postgresql = subprocess.run([_postgresql("postgres"), "--version"], check=True, capture_output=True, text=True)
    # Its third word; the fourth is the distribution's.
    return {"DBOS Transact": dbos.stdout.strip(), "PostgreSQL": postgresql.stdout.split()[2]}


def cpu_of(program: Program) -> float:
    """User and system seconds of a process and of all that it has started, ended or not."""
    seconds = 0.0
    root = psutil.Process(program.pid)
    for process in (root, *root.children(recursive=True)):
        # One that has ended since it was listed is counted by its parent from now on.
        with suppress(psutil.NoSuchProcess):
            times = process.cpu_times()
            seconds += times.user + times.system + times.children_user + times.children_system
    return seconds
