"""The whole system on this machine: Temporal, the simulator, the worker and the console, as separate processes.

async with Stack.start(folder) as stack:
    await stack.cancellations.start("acct-clean-phone", "somebody")
    await stack.worker.kill()
    await stack.worker.start()
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from temporalio.client import Client
from temporalio.common import SearchAttributeKey
from temporalio.service import RPCError

from devtools.demo.dev_server import dynamic_config
from devtools.demo.programs import NO_PROXY, Program, answers_ok, free_port
from gateways.contract import Group
from gateways.platform import ChallengePlatform, HttpPlatform
from gateways.vault import ObjectVault
from runtime.payloads import DATA_CONVERTER
from runtime.settings import LogFormat, Settings
from service.cancellation_service import CancellationService
from service.ticket_files import TicketFiles
from simulator.store import SimulatorStore
from workflows.common.search_attributes import ALL, CANCELLATION_PHASE

ROOT = Path(__file__).parents[2]
NAMESPACE = "default"

_HOST = "127.0.0.1"
_DRAIN_SECONDS = 5
"""Every activity here is a short call on this machine; a person who stops the stack waits."""


@dataclass(frozen=True)
class Ports:
    """Where each program listens; each is a free one unless it is given."""

    temporal: int = field(default_factory=free_port)
    ui: int = field(default_factory=free_port)
    platform: int = field(default_factory=free_port)
    worker_health: int = field(default_factory=free_port)
    console: int = field(default_factory=free_port)


class Stack:
    """A running stack. Its programs, and what the owner, staff and the world work with."""

    temporal: Program
    platform_server: Program
    worker: Program
    console: Program | None = None

    client: Client
    cancellations: CancellationService
    platform: HttpPlatform
    store: SimulatorStore
    vault: ObjectVault
    tickets: TicketFiles

    def __init__(
        self,
        workdir: Path,
        ports: Ports,
        *,
        ui: bool,
        console: bool,
        db_file: Path | None,
        vault_url: str | None,
        platform_db: str | None,
    ) -> None:
        self.workdir = workdir.resolve()
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.ports = ports
        self.task_queue: str = Settings.model_fields["task_queue"].default
        self.temporal_address = f"{_HOST}:{ports.temporal}"
        self.platform_url = f"http://{_HOST}:{ports.platform}"
        self.ui_url = f"http://{_HOST}:{ports.ui}" if ui else None
        self.console_url = f"http://{_HOST}:{ports.console}" if console else None
        self.db_file = db_file.resolve() if db_file else None
        self.vault_url = vault_url or (self.workdir / "vault").as_uri()
        self.platform_db = platform_db or f"sqlite:///{self.workdir / 'platform.db'}"

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        workdir: Path,
        *,
        ui: bool = False,
        console: bool = False,
        db_file: Path | None = None,
        vault_url: str | None = None,
        platform_db: str | None = None,
        ports: Ports | None = None,
        worker_settings: Mapping[str, str] | None = None,
        on_ready: Callable[[Program], None] = lambda _: None,
    ) -> AsyncIterator[Self]:
        """Start everything, wait until it is ready, and stop it in order when the context ends, however it ends.

        Args:
            workdir: holds the logs, and what has no place of its own: vault, simulator database.
            ui: serve Temporal's web pages too.
            console: run the console too, with the development sign-in: anybody on this machine takes any role.
            db_file: keeps Temporal's state over a restart of the server; without it a restart forgets everything.
            worker_settings: further environment variables of the worker.
            on_ready: told of each program when it has come up.

        Raises:
            StartFailed: a program did not come up; those that did are stopped again.
        """
        stack = cls(
            workdir,
            ports or Ports(),
            ui=ui,
            console=console,
            db_file=db_file,
            vault_url=vault_url,
            platform_db=platform_db,
        )
        async with AsyncExitStack() as exits:
            # The last to start is the first to stop: a draining worker still needs the first two.
            stack.temporal = stack._temporal()
            stack.platform_server = stack._platform_server()
            stack.worker = stack._worker(worker_settings or {})
            for program in (stack.temporal, stack.platform_server):
                exits.push_async_callback(program.stop)
                program.spawn()
            await stack.temporal.ready()
            on_ready(stack.temporal)
            exits.push_async_callback(stack.worker.stop)
            stack.worker.spawn()
            if console:
                stack.console = stack._console()
                exits.push_async_callback(stack.console.stop)
                stack.console.spawn()
            await stack.platform_server.ready()
            on_ready(stack.platform_server)
            await stack._open_doors(exits)
            await stack.worker.ready()
            on_ready(stack.worker)
            if stack.console:
                await stack.console.ready()
                on_ready(stack.console)
            yield stack

    @property
    def programs(self) -> tuple[Program, ...]:
        """In the order in which they started."""
        first = (self.temporal, self.platform_server, self.worker)
        return (*first, self.console) if self.console else first

    def variables(self) -> dict[str, str]:
        """What a program needs in its environment to work with this stack."""
        return {
            "TEMPORAL_ADDRESS": self.temporal_address,
            "TEMPORAL_NAMESPACE": NAMESPACE,
            "CANCELLATION_PLATFORM_URL": self.platform_url,
            "CANCELLATION_VAULT_URL": self.vault_url,
        }

    def workflow_url(self, workflow_id: str) -> str:
        """The page of a workflow's latest run in Temporal's UI."""
        assert self.ui_url is not None, "the stack was started without the UI"
        return f"{self.ui_url}/namespaces/{NAMESPACE}/workflows/{workflow_id}"

    async def wait_for_an_end(self) -> Program:
        """Wait until one of the programs has ended by itself; answers which."""
        while True:
            for program in self.programs:
                if not program.is_running:
                    return program
            await asyncio.sleep(0.5)

    async def _open_doors(self, exits: AsyncExitStack) -> None:
        self.client = await self._connect()
        urls = dict.fromkeys(Group, self.platform_url)
        self.platform = await exits.enter_async_context(HttpPlatform(urls))
        challenges = await exits.enter_async_context(ChallengePlatform(urls))
        self.store = await exits.enter_async_context(SimulatorStore(self.platform_url))
        self.vault = ObjectVault(self.vault_url)
        self.tickets = TicketFiles(self.vault)
        self.cancellations = CancellationService(self.client, self.task_queue, self.platform, challenges, self.vault)

    async def _connect(self) -> Client:
        # Not by the settings of this process, which may lead to a real server.
        return await Client.connect(self.temporal_address, namespace=NAMESPACE, data_converter=DATA_CONVERTER)

    def _temporal(self) -> Program:
        ui = ["--ui-port", str(self.ports.ui)] if self.ui_url else ["--headless"]
        db_file = ["--db-filename", str(self.db_file)] if self.db_file else []
        attributes = [f"--search-attribute={key.name}={_type_name(key)}" for key in ALL]

        async def is_ready() -> bool:
            try:
                # A query by one of our attributes proves server, namespace and attributes at once.
                await (await self._connect()).count_workflows(f"{CANCELLATION_PHASE.name} = 'OPENING'")
            except (RPCError, RuntimeError):
                return False
            return True

        return Program(
            "Temporal",
            [
                str(Path(sys.executable).parent / "temporal"),
                *("server", "start-dev", "--ip", _HOST, "--port", str(self.ports.temporal), "--log-level", "warn"),
                *ui,
                *db_file,
                *attributes,
                *dynamic_config(),
            ],
            cwd=self.workdir,
            env=_plain_environment(),
            log=self.workdir / "temporal.log",
            is_ready=is_ready,
            grace=10,
        )

    def _platform_server(self) -> Program:
        return Program(
            "platform",
            [sys.executable, "-m", "simulator", "serve", "--port", str(self.ports.platform), "--db", self.platform_db],
            cwd=ROOT,
            env=_plain_environment(),
            log=self.workdir / "platform.log",
            is_ready=lambda: answers_ok(self.ports.platform, "/healthz"),
            grace=10,
        )

    def _worker(self, settings: Mapping[str, str]) -> Program:
        return Program(
            "worker",
            [sys.executable, "worker.py", "--health-port", str(self.ports.worker_health)],
            cwd=ROOT,
            env={
                **_plain_environment(),
                **self.variables(),
                "CANCELLATION_LOG_FORMAT": LogFormat.JSON,
                "CANCELLATION_DRAIN": f"PT{_DRAIN_SECONDS}S",
                **settings,
            },
            log=self.workdir / "worker.log",
            is_ready=lambda: answers_ok(self.ports.worker_health, "/readyz"),
            grace=_DRAIN_SECONDS + 10,
        )

    def _console(self) -> Program:
        ui = {"CONSOLE_TEMPORAL_UI_URL": self.ui_url} if self.ui_url else {}
        return Program(
            "console",
            [sys.executable, "-m", "console"],
            cwd=ROOT,
            env={
                **_plain_environment(),
                **self.variables(),
                **ui,
                "CANCELLATION_LOG_FORMAT": LogFormat.JSON,
                "CONSOLE_PORT": str(self.ports.console),
                "CONSOLE_PUBLIC_URL": f"http://{_HOST}:{self.ports.console}",
                "CONSOLE_DEVELOPMENT_SIGN_IN": "true",
            },
            log=self.workdir / "console.log",
            is_ready=lambda: answers_ok(self.ports.console, "/readyz"),
            grace=10,
        )


def _plain_environment() -> dict[str, str]:
    """This environment without any of our settings: they may lead to a real Temporal or a real platform."""
    ours = ("CANCELLATION_", "CONSOLE_", "SIMULATOR_", "TEMPORAL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # A profile in the home directory must not count either.
    return {**kept, **NO_PROXY, "TEMPORAL_CONFIG_FILE": os.devnull}


def _type_name(key: SearchAttributeKey[Any]) -> str:
    """As the server's flag wants it: KEYWORD_LIST is `KeywordList`."""
    return "".join(word.capitalize() for word in key.indexed_value_type.name.split("_"))
