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
from rich.table import Table
from rich.text import Text

from console.settings import ConsoleSettings
from devtools.demo.programs import FAILED, Busy, free_port, port_is_free, run
from devtools.demo.stack import NAMESPACE, Ports, Stack
from runtime.settings import Settings
from simulator.settings import DEFAULT_DATABASE, DEFAULT_PORT

TEMPORAL_PORT, UI_PORT = 7233, 8233
"""The ports that every program here takes for granted when it is told nothing else."""

_COMMANDS = """\
  python starter.py start acct-clean-phone                 [dim]# an owner asks[/]
  python starter.py send-code acct-clean-phone             [dim]# get a code ...[/]
  python -m simulator outbox --account acct-clean-phone    [dim]# ... read it as from the phone ...[/]
  python starter.py verify acct-clean-phone CODE           [dim]# ... and enter it[/]
  python starter.py accept-notice acct-clean-phone --yes   [dim]# then the checks run[/]
  python starter.py status acct-clean-phone                [dim]# where it stands, and what comes next[/]
  python starter.py ticket list                            [dim]# the queue of support staff[/]
  python -m simulator fault close --kind DROP --times 2    [dim]# make trouble[/]"""


def main() -> int:
    """Run until Ctrl-C or SIGTERM. 0 then; 1 when a program ended by itself. Raises `StartFailed`."""
    return run(_dev(), when_stopped=0)


async def _dev() -> int:
    console = Console(highlight=False)
    local = Path.cwd() / ".local"

    with _only_one(local / "dev") as folder:
        async with Stack.start(
            folder,
            ui=True,
            console=True,
            db_file=folder / "temporal.db",
            vault_url=(local / "vault").as_uri(),
            # The simulator's own default, as an absolute path: the server runs in another folder.
            platform_db=f"sqlite:///{Path.cwd() / DEFAULT_DATABASE.removeprefix('sqlite:///')}",
            ports=_usual_ports(),
        ) as stack:
            for program in stack.programs:
                console.print(f"  [green]✓[/] {program}  [dim]log {program.log}[/]", soft_wrap=True)
            await _guide(console, stack)
            ended = await stack.wait_for_an_end()
    console.print(f"[bold red]{ended.name} ended by itself; its log: {ended.log}[/]")
    return FAILED


def _usual_ports() -> Ports:
    def usual(port: int) -> int:
        return port if port_is_free(port) else free_port()

    return Ports(
        temporal=usual(TEMPORAL_PORT),
        ui=usual(UI_PORT),
        platform=usual(DEFAULT_PORT),
        console=usual(ConsoleSettings.model_fields["port"].default),
    )


@contextmanager
def _only_one(folder: Path) -> Iterator[Path]:
    """Two stacks on the same files would ruin them. The lock goes with the process, however it ends."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Busy(f"A local stack is running already on {folder}: use that one, or stop it.") from None
        yield folder


async def _guide(console: Console, stack: Stack) -> None:
    """Addresses, what to export, what to type, and which accounts there are."""
    addresses = Table("program", "where", title="local stack", box=box.SIMPLE_HEAD, title_justify="left")
    addresses.add_row("console", f"{stack.console_url}  (no password: take any role)")
    addresses.add_row("Temporal", f"{stack.temporal_address}, its UI {stack.ui_url}")
    addresses.add_row("platform", f"{stack.platform_url}  (the simulator)")
    addresses.add_row("worker", f"http://127.0.0.1:{stack.ports.worker_health}/readyz")
    console.print(addresses)
    console.print("[bold]Type in another terminal:[/]")
    for name, value in _to_export(stack).items():
        console.print(f"  export {name}={shlex.quote(value)}", soft_wrap=True)
    if Path(sys.prefix) == Path.cwd() / ".venv":
        console.print("  . .venv/bin/activate")
    console.print(_COMMANDS, soft_wrap=True)
    accounts = Table("account", "what it shows", "status", box=box.SIMPLE_HEAD)
    for account in await stack.store.accounts():
        accounts.add_row(account.profile.account_id, account.situation, account.profile.status)
    console.print(accounts)
    console.print(Text("Ctrl-C stops it; what it knows is kept.", "dim"))


def _to_export(stack: Stack) -> dict[str, str]:
    """What differs from what the programs take for granted."""
    taken = {
        "TEMPORAL_ADDRESS": f"127.0.0.1:{TEMPORAL_PORT}",
        "TEMPORAL_NAMESPACE": NAMESPACE,
        "CANCELLATION_PLATFORM_URL": f"http://127.0.0.1:{DEFAULT_PORT}",
        "CANCELLATION_VAULT_URL": Settings.model_fields["vault_url"].get_default(call_default_factory=True),
    }
    return {name: value for name, value in stack.variables().items() if os.environ.get(name, taken[name]) != value}
