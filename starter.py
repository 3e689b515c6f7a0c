"""The command line: every command by who runs it, and the one way in which answers and errors are told.

A command's module is imported when the command is used, so that `--help` is quick.
"""

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from functools import partial
from importlib.util import find_spec
from io import TextIOWrapper
from typing import Annotated, Any

from cyclopts import App, Group, Parameter

from cli.answers import ANSWERED, PROGRAM, Answer, UsageError
from domain.locale import Locale
from i18n.catalogue import SOURCE, catalogues, negotiate

OWNER = Group("Owner and backend", sort_key=1)
STAFF = Group("Support staff", sort_key=2)
OPERATIONS = Group("Operations", sort_key=3)
LOCAL = Group("On this machine", sort_key=4)
ANYWHERE = Group("With every command", sort_key=9)

app = App(
    name=PROGRAM,
    help="Account cancellation (账号注销): start requests, take their steps, decide tickets.",
    help_format="plaintext",
    version_flags=(),
    suppress_keyboard_interrupt=False,
)
ticket = App(name="ticket", group=STAFF, help="Manual requests: file and supply them, work the queue, decide.")
deletion = App(name="deletion", group=OPERATIONS, help="Look at a deletion; go on with one that has stalled.")
app.command(ticket)
app.command(deletion)


def _add(
    parent: App, group: Group, command: str, help: str, example: str, *, package: str = "cli", **options: Any
) -> None:
    parent.command(
        f"{package}.{command}",
        group=group,
        help=help,
        help_epilogue=f"Example: {PROGRAM} {example}",
        # In the order of the process, not of the alphabet.
        sort_key=len(list(parent)),
        **options,
    )


_owner = partial(_add, app, OWNER)
_owner("owner:start", "Start a request, or find the account's running one.", "start acct-clean-phone")
_owner("owner:status", "Show where a request stands, and what to do next.", "status acct-clean-phone")
_owner("owner:send_code", "Send an identity code to the owner.", "send-code acct-clean-phone --channel phone")
_owner(
    "owner:verify",
    "Prove identity by the code. It goes to the platform only, never to Temporal.",
    "verify acct-clean-phone 123456",
)
_owner("owner:accept_notice", "Show the notice in force, or accept it.", "accept-notice acct-clean-phone --yes")
_owner("owner:recheck", "Run the checks again, and wait for the report.", "recheck acct-clean-phone")
_owner(
    "owner:confirm",
    "Show what is given up, or confirm: the owner's last word. There is no way back.",
    "confirm acct-clean-phone --i-understand acct-clean-phone",
)
_owner(
    "owner:withdraw",
    "Withdraw the request, at any time before the point of no return.",
    "withdraw acct-clean-phone --reason keep-services",
)
_owner("owner:certificate", "Show the certificate of a closed account.", "certificate C20261122-7KQ2M9XT")

_staff = partial(_add, ticket, STAFF)
_staff(
    "filing:file",
    "File a manual request for an owner.",
    "ticket file acct-icp --email owner@example.com --phone 13800138000 --accept-notice --i-understand acct-icp",
)
_staff(
    "filing:supply",
    "Supply what the reviewer asked for. What is not given stays as it was.",
    "ticket supply T20261122-7KQ2M9XT --phone 13800138000",
)
_staff(
    "tickets:list_tickets", "List the queue by deadline, the late ones first.", "ticket list --limit 20", name="list"
)
_staff("tickets:show", "Show what a ticket asks for, and its history.", "ticket show T20261122-7KQ2M9XT")
_staff(
    "tickets:original",
    "For a lead: hand out the letter as it was sent. The pages and the API show the cleaned one.",
    "ticket original T20261122-7KQ2M9XT --operator lead-2 --out original.pdf",
)
_staff(
    "tickets:approve",
    "Approve a ticket: the account is sealed and deleted.",
    "ticket approve T20261122-7KQ2M9XT --operator agent-7 --waive BALANCE,ICP_FILING",
)
_staff(
    "tickets:reject",
    "Reject a ticket, with reasons.",
    "ticket reject T20261122-7KQ2M9XT --operator agent-7 --reason DISPUTE_OPEN",
)
_staff(
    "tickets:request_materials",
    "Ask the owner for materials; the clock stands still until they arrive.",
    "ticket request-materials T20261122-7KQ2M9XT --operator agent-7 --reason SEAL_MISSING",
)
_add(
    app,
    STAFF,
    "operations:due",
    "Say when a ticket is due that is filed at an instant: 3 business days.",
    "due 2026-09-30T10:00+08:00",
)

_operations = partial(_add, deletion, OPERATIONS)
_operations(
    "operations:show",
    "Show what is deleted, what is stuck or has stalled. Exit code 5: it waits for operations; 6: it only retries.",
    "deletion show acct-clean-phone",
)
_operations(
    "operations:resume",
    "Go on with a deletion that stalled or was terminated, or with all of them. Nothing is done twice.",
    "deletion resume acct-clean-phone --operator ops-1",
)


# An image has the service alone.
if find_spec("devtools"):
    _local = partial(_add, app, LOCAL, package="devtools")
    _local("commands:demo", "Play four stories on a real local stack.", "demo --keep")
    _local("commands:dev", "Keep a local stack running, and say what to type.", "dev")


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    as_json: Annotated[bool, Parameter(name="--json", negative=(), group=ANYWHERE)] = False,
    lang: Annotated[str | None, Parameter(group=ANYWHERE)] = None,
) -> int:
    """Run a command.

    Parameters
    ----------
    as_json
        Exactly one JSON object on stdout, for errors too; logs are on stderr.
    lang
        Language of what people read, such as zh or en; by default that of the environment (LANG).
    """
    language = _environment_language()
    # Whatever a command prints on its way must not get between a program and its one JSON object.
    quiet = redirect_stdout(sys.stderr) if as_json else nullcontext()
    try:
        language = _known(lang) if lang else language
        command, bound, unparsed = app.parse_args(tokens, exit_on_error=False, print_error=False)
        with quiet:
            answer = command(*bound.args, **bound.kwargs, **dict.fromkeys(unparsed, Locale.nearest(language)))
            if inspect.iscoroutine(answer):
                answer = asyncio.run(answer)
    except Exception as error:  # noqa: BLE001 - every error gets an exit code
        answer = _explained(error)
    # None: help was asked for, and has been printed.
    return _tell(answer, as_json, language) if answer else 0


def _explained(error: Exception) -> Answer:
    from cli.failures import explain

    return explain(error).answer()


def _tell(answer: Answer, as_json: bool, language: str) -> int:
    from pydantic_core import to_jsonable_python
    from rich.console import Console

    if as_json:
        print(json.dumps(to_jsonable_python(answer.data), ensure_ascii=False, indent=2))
    else:
        # Uncropped: a command that is shown has to be copied in one piece.
        Console(stderr=answer.code not in ANSWERED, highlight=False).print(answer.show(language), crop=False)
    return answer.code


def _environment_language() -> str:
    wish = next(filter(None, map(os.environ.get, ("LC_ALL", "LC_MESSAGES", "LANG"))), "")
    return negotiate(wish.partition(".")[0]) or SOURCE


def _known(lang: str) -> str:
    if known := negotiate(lang):
        return known
    raise UsageError(f"--lang: there is no such language; choose one of {', '.join(catalogues())}.")


def run(arguments: Sequence[str]) -> int:
    """Run one command, print its answer, and return the exit code."""
    try:
        code: int = app.meta(arguments, exit_on_error=False, print_error=False, result_action="return_value") or 0
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except Exception as error:  # noqa: BLE001 - what went wrong before `_launch` knew the options
        return _tell(_explained(error), "--json" in arguments, _environment_language())
    return code


def _print_what_can_be_printed() -> None:
    """A terminal of another encoding (GBK, ASCII) shows what it has no sign for as `?`, and gets everything else."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")


def main() -> None:
    _print_what_can_be_printed()
    try:
        code = run(sys.argv[1:])
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read has seen enough, as `| head` does.
        code = 1
    sys.stderr.flush()
    # temporalio's native threads may abort the interpreter's own exit (sdk-python #300); everything is closed by now.
    os._exit(code)


if __name__ == "__main__":
    main()
