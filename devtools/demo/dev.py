"""`make dev`: the local stack, kept running, with what it knows kept over restarts."""

import fcntl
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from console.auth.roles import Role
from console.settings import ConsoleSettings
from devtools.demo.programs import Busy, Program, free_port, port_is_free
from devtools.demo.running import run
from devtools.demo.stack import Ports, Stack
from runtime.settings import Settings
from simulator.settings import DEFAULT_DATABASE, DEFAULT_PORT

CONSOLE_PORT: int = ConsoleSettings.model_fields["port"].default

TEMPORAL_PORT, UI_PORT = 7233, 8233
"""The ports that every program here takes for granted when it is told nothing else."""

_COMMANDS = (
    ("python starter.py start acct-clean-phone", "an owner asks"),
    ("python starter.py send-code acct-clean-phone --channel phone", "get a code ..."),
    ("python -m simulator outbox --account acct-clean-phone", "... read it as from the phone ..."),
    ("python starter.py verify acct-clean-phone CODE", "... and enter it"),
    ("python starter.py accept-notice acct-clean-phone --yes", "then the checks run"),
    ("python starter.py status acct-clean-phone", "where it stands, and what comes next"),
    ("python starter.py ticket list", "the queue of support staff"),
    ("python -m simulator fault close --kind DROP --times 2", "make trouble"),
)

_ROLES = (
    (Role.OWNER, "with an account from the list below: the whole way, and a code that is in the simulator's outbox"),
    (Role.AGENT, "the queue of tickets, and deciding them"),
    (Role.LEAD, "the same; the late ones first"),
    (Role.AUDITOR, "everything, to read only"),
)


def main() -> int:
    """Run until Ctrl-C or SIGTERM. 0 then; 1 when a program ended by itself. Raises `StartFailed`."""
    return run(_dev(), when_stopped=0)


async def _dev() -> int:
    console = Console(highlight=False)
    local = Path.cwd() / ".local"
    folder = local / "dev"
    with _only_one(folder):
        status = console.status("starting the local stack")
        status.start()

        def on_ready(program: Program) -> None:
            console.print(
                f"  [green]✓[/] {program.name:<9} [dim]pid {program.pid}  log {program.log}[/]", soft_wrap=True
            )

        try:
            async with Stack.start(
                folder,
                ui=True,
                console=True,
                db_file=folder / "temporal.db",
                vault_url=(local / "vault").as_uri(),
                platform_db=_default_platform_db(),
                ports=_usual_ports(),
                on_ready=on_ready,
            ) as stack:
                status.stop()
                await _guide(console, stack)
                ended = await stack.wait_for_an_end()
        finally:
            status.stop()
        console.print(f"[bold red]{ended.name} ended by itself; its log: {ended.log}[/]")
        return 1


def _usual_ports() -> Ports:
    def usual(port: int) -> int:
        return port if port_is_free(port) else free_port()

    return Ports(
        temporal=usual(TEMPORAL_PORT), ui=usual(UI_PORT), platform=usual(DEFAULT_PORT), console=usual(CONSOLE_PORT)
    )


def _default_platform_db() -> str:
    """The simulator's own default, as an absolute path: the server runs in another folder."""
    return f"sqlite:///{Path.cwd() / DEFAULT_DATABASE.removeprefix('sqlite:///')}"


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    """Two stacks on the same files would ruin them. The lock goes with the process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"A local stack is running already on {folder}: use that one, or stop it.") from None
        yield


async def _guide(console: Console, stack: Stack) -> None:
    """Addresses, what to export, what to type, and which accounts there are."""
    grid = Table.grid(padding=(0, 2))
    for name, value in (
        ("console", f"{stack.console_url}  (no password: take any role)"),
        ("Temporal", stack.temporal_address),
        ("Temporal UI", stack.ui_url or ""),
        ("platform", f"{stack.platform_url}  (the simulator)"),
        ("worker", f"http://127.0.0.1:{stack.ports.worker_health}/readyz"),
        ("state", f"{stack.workdir}, {stack.vault_url}, {stack.platform_db}"),
    ):
        grid.add_row(Text(name, "dim"), value)
    console.print(Panel(grid, title="[bold]local stack[/]", title_align="left", border_style="cyan", box=box.ROUNDED))
    console.print("[bold]Open the console in a browser, and sign in as[/]")
    for role, what in _ROLES:
        console.print(Text.assemble(f"  {role:<8}", (what, "dim")), soft_wrap=True)
    exports = _to_export(stack)
    if exports:
        console.print("[bold]In another terminal, first:[/]")
        for name, value in exports.items():
            console.print(f"  export {name}={shlex.quote(value)}", soft_wrap=True)
    console.print("[bold]Then type:[/]" if exports else "[bold]Type in another terminal:[/]")
    if Path(sys.prefix) == Path.cwd() / ".venv":
        console.print("  . .venv/bin/activate")
    width = max(len(command) for command, _ in _COMMANDS)
    for command, why in _COMMANDS:
        console.print(Text.assemble(f"  {command:<{width}}  ", (f"# {why}", "dim")), soft_wrap=True)
    accounts = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    accounts.add_column("  account")
    accounts.add_column("what it shows")
    accounts.add_column("status")
    for account in await stack.store.accounts():
        accounts.add_row(f"  {account.profile.account_id}", account.situation, account.profile.status)
    console.print()
    console.print(accounts)
    console.print("\nCtrl-C stops it; what it knows is kept.", style="dim")


def _to_export(stack: Stack) -> dict[str, str]:
    """What differs from what the programs take for granted."""
    usual = {
        "TEMPORAL_ADDRESS": f"127.0.0.1:{TEMPORAL_PORT}",
        "TEMPORAL_NAMESPACE": "default",
        "CANCELLATION_PLATFORM_URL": f"http://127.0.0.1:{DEFAULT_PORT}",
        "CANCELLATION_VAULT_URL": Settings.model_fields["vault_url"].get_default(call_default_factory=True),
    }
    set_here = {name: os.environ[name] for name in usual if name in os.environ}
    return {name: value for name, value in stack.variables().items() if {**usual, **set_here}[name] != value}
