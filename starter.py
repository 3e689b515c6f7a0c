"""The command line: every command by who runs it, and the one way in which an answer or an error is told.

A command is imported when it is used, so that `--help` is quick.
"""

import asyncio
import inspect
import json
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import Annotated, Any

from cyclopts import App, Group, Parameter
from rich.console import Console

from domain.locale import Locale
from runtime.cli.answers import PROGRAM, Answer, ExitCode, UsageError

OWNER = Group("Owner and backend", sort_key=1)
STAFF = Group("Support staff", sort_key=2)
OPERATIONS = Group("Operations", sort_key=3)
LOCAL = Group("On this machine", sort_key=4)
ANYWHERE = Group("With every command", sort_key=9)

app = App(
    name="starter.py",
    help="Account cancellation (账号注销): start requests, take their steps, decide tickets.",
    help_format="plaintext",
    help_epilogue="Exit codes: 0 done, 2 usage or settings, 3 refused by a rule, 4 something is unreachable. "
    "Logs are on stderr.",
    version_flags=(),
)
ticket = App(name="ticket", group=STAFF, help="Manual requests: file, supply, and work the queue.")
deletion = App(name="deletion", group=OPERATIONS, help="Look at a deletion; resume one that has stalled.")


def _add(parent: App, group: Group, command: str, help: str, example: str, name: str | None = None) -> None:
    parent.command(
        f"runtime.cli.{command}", name=name, group=group, help=help, help_epilogue=f"Example: {PROGRAM} {example}"
    )


_add(app, OWNER, "owner:start", "Start a request, or find the running one of the account.", "start acct-clean-phone")
_add(app, OWNER, "owner:status", "Show where a request stands and what to do next.", "status acct-clean-phone")
_add(
    app,
    OWNER,
    "owner:send_code",
    "Send an identity code to the owner's verified phone or e-mail.",
    "send-code acct-clean-phone --channel phone",
)
_add(
    app,
    OWNER,
    "owner:verify",
    "Prove identity with the code. It goes to the platform only, never to Temporal.",
    "verify acct-clean-phone 123456",
)
_add(
    app,
    OWNER,
    "owner:accept_notice",
    "Show the cancellation notice in force, or accept it.",
    "accept-notice acct-clean-phone --yes",
)
_add(app, OWNER, "owner:recheck", "Run the five checks again and wait for the report.", "recheck acct-clean-phone")
_add(
    app,
    OWNER,
    "owner:confirm",
    "Show what is given up, or confirm: the owner's last word before the deletion.",
    "confirm acct-clean-phone --i-understand acct-clean-phone",
)
_add(
    app,
    OWNER,
    "owner:withdraw",
    "Withdraw the request, at any time before the point of no return.",
    "withdraw acct-clean-phone --reason keep-services",
)
_add(
    app,
    OWNER,
    "owner:certificate",
    "Show the certificate of a closed account, by request number or account id.",
    "certificate acct-clean-phone",
)

app.command(ticket)
_add(
    ticket,
    STAFF,
    "tickets:file",
    "File a manual request for an owner.",
    "ticket file acct-icp --email owner@example.com --phone 13800138000 --accept-notice",
)
_add(
    ticket,
    STAFF,
    "tickets:supply",
    "Supply what the reviewer asked for.",
    "ticket supply T20261122-7KQ2M9XT --phone 13800138000",
)
_add(ticket, STAFF, "tickets:list_tickets", "The queue, by deadline.", "ticket list --limit 20", name="list")
_add(ticket, STAFF, "tickets:show", "Show what a ticket asks for, and its history.", "ticket show T20261122-7KQ2M9XT")
_add(
    ticket,
    STAFF,
    "tickets:approve",
    "Approve a ticket. Starts the deletion.",
    "ticket approve T20261122-7KQ2M9XT --operator agent-7 --waive BALANCE,ICP_FILING",
)
_add(
    ticket,
    STAFF,
    "tickets:reject",
    "Reject a ticket, with reasons.",
    "ticket reject T20261122-7KQ2M9XT --operator agent-7 --reason DISPUTE_OPEN",
)
_add(
    ticket,
    STAFF,
    "tickets:request_materials",
    "Ask the owner for materials; the 3-business-day clock stops until they arrive.",
    "ticket request-materials T20261122-7KQ2M9XT --operator agent-7 --reason SEAL_MISSING",
)
_add(
    app,
    STAFF,
    "operations:due",
    "When a ticket filed at an instant is due: the end of the 3rd business day after it.",
    "due 2026-09-30T10:00+08:00",
)

app.command(deletion)
_add(deletion, OPERATIONS, "operations:show", "Show what is deleted, and what has stalled.", "deletion show acct-icp")
_add(
    deletion,
    OPERATIONS,
    "operations:resume",
    "Go on with a deletion that stalled or was terminated. Nothing is done twice.",
    "deletion resume acct-icp --operator ops-1",
)


@app.command(group=LOCAL, help_epilogue=f"Example: {PROGRAM} demo --lang zh --keep")
def demo(*, keep: Annotated[bool, Parameter(negative=())] = False) -> Answer:
    """Play the four stories on a real local stack.

    Parameters
    ----------
    keep
        Leave the stack running afterwards, to look around.
    """
    from demo.play import main as play

    return _ended(play(_language, keep))


@app.command(group=LOCAL, help_epilogue=f"Example: {PROGRAM} dev")
def dev() -> Answer:
    """Keep a local stack running, and say what to type."""
    from demo.dev import main as keep_running

    return _ended(keep_running())
