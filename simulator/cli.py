"""`python -m simulator`: serve the pretend platform; look into the one that runs, and change its world."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, TypeVar

from aiohttp import ClientConnectionError
from cyclopts import App, Parameter
from pydantic import TypeAdapter, ValidationError
from rich.console import Console
from rich.table import Column, Table

from domain.errors import ErrorType
from simulator.database import Unusable
from simulator.faults import ActiveFault
from simulator.kinds import Endpoint, FaultKind
from simulator.problems import PlatformProblem
from simulator.settings import DEFAULT_DATABASE, DEFAULT_PORT, DEFAULT_URL
from simulator.store import SimulatorStore

T = TypeVar("T")

app = App(name="simulator", help="A pretend cloud platform that serves the platform contract from an SQLite file.")

Db = Annotated[
    str, Parameter(name="--db", env_var="SIMULATOR_DATABASE_URL", help="The SQLite file: its path, or sqlite:///path.")
]
Url = Annotated[
    str, Parameter(name="--url", env_var="CANCELLATION_PLATFORM_URL", help="Where the simulator is served.")
]
AsJson = Annotated[bool, Parameter(name="--json", negative=(), help="One JSON document on stdout.")]


def main(args: Sequence[str] | None = None) -> None:
    """Run a command line; exit codes as everywhere: 0 done, 2 usage, 3 refused by a rule, 4 nobody answers."""
    try:
        app(args)
    except ValidationError as error:
        _fail("; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()), 2)
    except (PlatformProblem, Unusable) as error:
        _fail(str(error), 3)
    except ClientConnectionError as error:
        _fail(f"No simulator answers ({error}). Start one: python -m simulator serve", 4)


def _fail(why: str, code: int) -> None:
    print(why, file=sys.stderr)
    raise SystemExit(code)


@app.command
def serve(*, host: str = "127.0.0.1", port: int = DEFAULT_PORT, db: Db = DEFAULT_DATABASE) -> None:
    """Serve the contract until a signal ends it. Port 0 takes a free one.

    Example: python -m simulator serve --db .simulator/platform.db
    """
    from simulator.server import serve as run

    run(host, port, db)


@app.command
def accounts(*, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """List the accounts and what each one shows."""
    columns = ("profile.account_id", "situation", "profile.status", "profile.channels", "profile.real_name_type")
    _print(_ask(url, lambda store: store.accounts()), as_json, *columns)


@app.command
def show(account: str, /, *, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show everything that the platform knows of an account, but personal data.

    Example: python -m simulator show acct-four-reasons
    """
    _print(_ask(url, lambda store: store.account(account)), as_json)


@app.command
def outbox(*, account: str | None = None, url: Url = DEFAULT_URL, as_json: AsJson = False) -> None:
    """Show the SMS and e-mail that would have gone out, codes included.

    Example: python -m simulator outbox --account acct-clean-phone
    """
    columns = ("at", "carrier", "destination", "desk", "template", "text")
    _print(_ask(url, lambda store: store.outbox(account)), as_json, *columns)


@app.command(name="set")
def set_facts(account: str, /, *facts: str, url: Url = DEFAULT_URL) -> None:
    """Change the world: FIELD=VALUE, as many as you like.

    Example: python -m simulator set acct-four-reasons arrears_fen=0 available_fen=0 resources.vm=0 channels=PHONE
    """
    changes = dict(fact.partition("=")[::2] for fact in facts)
    _ask(url, lambda store: store.set_facts(account, **changes))


@app.command
def fault(
    endpoint: Annotated[str | None, Parameter(help=f"One of {', '.join(Endpoint)}; * for every one.")] = None,
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
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Make an endpoint fail, or list the faults when none is named; "-" is every endpoint, any account, for ever.

    Example: python -m simulator fault close --kind DROP --times 2 --account acct-clean-phone

    A request waits at a GATE until it is opened: python -m simulator fault --open 3
    """
    how = {"account_id": account, "seconds": seconds, "after": after, "problem": problem, "status": status}

    async def change(store: SimulatorStore) -> list[ActiveFault]:
        if clear:
            await store.clear_faults()
        if open_gate is not None:
            await store.open_gate(open_gate)
        if endpoint is not None:
            where = None if endpoint == "*" else endpoint
            await store.add_fault(where, kind, times=times or None, retry_after_seconds=retry_after, **how)
        return await store.faults()

    columns = ("id", "endpoint", "account_id", "kind", "after", "times_left", "arrived", "opened")
    _print(_ask(url, change), as_json, *columns)


@app.command
def reset(*, url: Url = DEFAULT_URL) -> None:
    """Back to the seeded accounts: changes, messages, faults and calls go. The server goes on."""
    _ask(url, lambda store: store.reset())


@app.command
def openapi() -> None:
    """Print the platform contract, OpenAPI 3.1 in JSON; for people it is in docs/platform-contract.yaml."""
    from simulator.app import contract_json

    print(contract_json(), end="")


def _ask(url: str, work: Callable[[SimulatorStore], Awaitable[T]]) -> T:
    async def run() -> T:
        async with SimulatorStore(url) as store:
            return await work(store)

    return asyncio.run(run())


def _print(shown: Any, as_json: bool, *columns: str) -> None:
    """As JSON, or as a table with these attributes of each row."""
    document = json.dumps(TypeAdapter(Any).dump_python(shown, mode="json"), ensure_ascii=False, indent=2)
    if as_json:
        print(document)
    elif not columns:
        Console().print_json(document)
    else:
        titles = [name.rpartition(".")[2].replace("_", " ") for name in columns]
        table = Table(Column(titles[0], no_wrap=True), *titles[1:])
        for row in shown:
            table.add_row(*(_cell(attrgetter(name)(row)) for name in columns))
        Console().print(table)


def _cell(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%m-%d %H:%M:%S}"
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    return "-" if value is None else str(value)
