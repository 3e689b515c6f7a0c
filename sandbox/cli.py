"""`python -m sandbox`: serve the pretend platform, look into it, and change its world."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any, TypeVar

from cyclopts import App, Parameter
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Column, Table

from domain.errors import ErrorType
from sandbox.edits import BadFact
from sandbox.faults import NoSuchGate
from sandbox.kinds import Endpoint, FaultKind
from sandbox.problems import PlatformProblem
from sandbox.settings import DEFAULT_DATABASE, DEFAULT_PORT
from sandbox.store import AccountState, ActiveFault, SandboxStore

T = TypeVar("T")

app = App(name="sandbox", help="A pretend cloud platform that serves the platform contract from a real database.")

Db = Annotated[
    str,
    Parameter(name="--db", env_var="SANDBOX_DATABASE_URL", help="The SQLite file: its path, or sqlite:///path."),
]
AsJson = Annotated[bool, Parameter(name="--json", negative=(), help="One JSON document on stdout.")]


def main(args: Sequence[str] | None = None) -> None:
    """Run a command line; exit codes as everywhere: 0 done, 2 usage, 3 refused by a rule."""
    try:
        app(args)
    except (PlatformProblem, BadFact, NoSuchGate) as error:
        print(error, file=sys.stderr)
        raise SystemExit(3) from None
    except ValidationError as error:
        reasons = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        print(reasons, file=sys.stderr)
        raise SystemExit(2) from None


@app.command
def serve(*, host: str = "127.0.0.1", port: int = DEFAULT_PORT, db: Db = DEFAULT_DATABASE) -> None:
    """Serve the contract until a signal ends it. Port 0 takes a free one.

    Example: python -m sandbox serve --db .sandbox/platform.db
    """
    from sandbox.server import serve as run

    run(host, port, db)


@app.command
def accounts(*, db: Db = DEFAULT_DATABASE, as_json: AsJson = False) -> None:
    """List the accounts and what each one shows."""
    rows = _with_store(db, lambda store: store.accounts())
    if as_json:
        return _print_json(rows)
    table = Table(Column("account", no_wrap=True), "what it shows", "status", "verified channels", "real name")
    for row in rows:
        profile = row.profile
        table.add_row(
            profile.account_id,
            row.situation,
            profile.status,
            ", ".join(profile.channels) or "-",
            profile.real_name_type,
        )
    return Console().print(table)


@app.command
def show(account: str, /, *, db: Db = DEFAULT_DATABASE, as_json: AsJson = False) -> None:
    """Show everything that the platform knows of an account, but personal data.

    Example: python -m sandbox show acct-four-reasons
    """
    state = _with_store(db, lambda store: store.account(account))
    if as_json:
        return _print_json(state)
    return Console().print(_state_table(state))


@app.command
def outbox(*, account: str | None = None, db: Db = DEFAULT_DATABASE, as_json: AsJson = False) -> None:
    """Show the SMS and e-mail that would have gone out, codes included.

    Example: python -m sandbox outbox --account acct-clean-phone
    """
    messages = _with_store(db, lambda store: store.outbox(account))
    if as_json:
        return _print_json(messages)
    table = Table("at (UTC)", "by", "to", "template", "text", show_lines=True)
    for message in messages:
        to = message.destination or (message.desk and f"desk {message.desk}") or "(erased)"
        table.add_row(f"{message.at:%m-%d %H:%M:%S}", message.carrier, to, message.template, message.text)
    return Console().print(table)


@app.command(name="set")
def set_facts(account: str, /, *facts: str, db: Db = DEFAULT_DATABASE) -> None:
    """Change the world: FIELD=VALUE, as many as you like.

    Example: python -m sandbox set acct-four-reasons arrears_fen=0 available_fen=0 resources.vm=0 channels=PHONE
    """
    changes = dict(fact.partition("=")[::2] for fact in facts)
    _with_store(db, lambda store: store.set_facts(account, **changes))


@app.command
def fault(
    endpoint: Annotated[str | None, Parameter(help="An endpoint's name, or * for every one.")] = None,
    /,
    *,
    kind: FaultKind = FaultKind.ERROR,
    times: Annotated[int, Parameter(help="Requests that it spoils before it heals; 0 is for ever.")] = 1,
    account: str | None = None,
    seconds: Annotated[float, Parameter(help="How long LATENCY waits, or LONG_WORK takes.")] = 0.0,
    after: Annotated[bool, Parameter(negative=(), help="Do the work first: GATE, ERROR, GARBAGE.")] = False,
    problem: Annotated[ErrorType | None, Parameter(help="The problem type that ERROR answers.")] = None,
    status: Annotated[int, Parameter(help="The bare status that ERROR answers without a problem.")] = 500,
    retry_after: int | None = None,
    open_gate: Annotated[int | None, Parameter(name="--open", help="Open the GATE with this id.")] = None,
    clear: Annotated[bool, Parameter(negative=(), help="Heal everything.")] = False,
    db: Db = DEFAULT_DATABASE,
    as_json: AsJson = False,
) -> None:
    """Make an endpoint fail, or list the faults when none is named.

    Example: python -m sandbox fault close --kind DROP --times 2 --account acct-clean-phone

    A request waits at a GATE until it is opened: python -m sandbox fault --open 3
    """

    async def change(store: SandboxStore) -> list[Any]:
        if clear:
            await store.clear_faults()
        if open_gate is not None:
            await store.open_gate(open_gate)
        if endpoint is not None:
            await store.add_fault(
                None if endpoint == "*" else endpoint,
                kind,
                times=times or None,
                account_id=account,
                seconds=seconds,
                after=after,
                problem=problem,
                status=status,
                retry_after_seconds=retry_after,
            )
        return list(await store.faults())

    active = _with_store(db, change)
    if as_json:
        return _print_json(active)
    table = Table("id", "endpoint", "account", "kind", "times left", caption=f"endpoints: {', '.join(Endpoint)}")
    for one in active:
        left = "for ever" if one.times_left is None else str(one.times_left)
        table.add_row(str(one.id), one.endpoint, one.account_id or "any", _kind(one), left)
    return Console().print(table)


def _kind(fault: ActiveFault) -> str:
    kind = f"{fault.kind}, after the work" if fault.after else fault.kind.value
    if fault.kind is FaultKind.GATE:
        kind += f", {'open' if fault.opened else 'shut'}, {fault.arrived} came"
    return kind


@app.command
def reset(*, db: Db = DEFAULT_DATABASE) -> None:
    """Back to the seeded accounts: changes, messages, faults and calls go. A running server goes on."""
    _with_store(db, lambda store: store.reset())


@app.command
def openapi() -> None:
    """Print the platform contract, OpenAPI 3.1 in JSON; for people it is in docs/platform-contract.yaml."""
    from sandbox.openapi import contract_json

    print(contract_json(), end="")


def _with_store(db: str, work: Callable[[SandboxStore], Awaitable[T]]) -> T:
    async def run() -> T:
        async with SandboxStore(db) as store:
            return await work(store)

    return asyncio.run(run())


def _print_json(value: Any) -> None:
    document = TypeAdapter(Any).dump_python(value, mode="json")
    print(json.dumps(document, ensure_ascii=False, indent=2))


def _state_table(state: AccountState) -> Table:
    table = Table("what", "value", title=f"{state.profile.account_id}: {state.situation}", show_lines=True)
    for name, value in state.model_dump(mode="json", exclude={"situation"}).items():
        lines = (
            [f"{key}: {_short(part)}" for key, part in value.items()] if isinstance(value, dict) else [_short(value)]
        )
        table.add_row(name, "\n".join(lines))
    return table


def _short(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_short, value)) or "-"
    if isinstance(value, dict):
        counts = all(isinstance(part, int) for part in value.values())
        return (
            ", ".join(f"{key} {part}" for key, part in value.items()) if counts else " ".join(map(str, value.values()))
        )
    return "-" if value is None else str(value)
