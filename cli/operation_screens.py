"""What operations see: deadlines, and deletions that need somebody."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cli.next_steps import for_deletion
from cli.screens import commands, line, receipts, waiting_phases
from domain.business_calendar import Deadlines
from domain.deletion import DeletionView
from i18n.catalogue import translate
from i18n.formatting import day_end_or_time
from i18n.texts import text

if TYPE_CHECKING:
    from cli.failures import Failure


def deletion(view: DeletionView, parked: str | None, locale: str) -> RenderableType:
    status = text(view.status, locale)
    waits = [translate(locale, "Waits for operations: %(error_type)s", error_type=parked)] if parked else []
    return Group(
        Text(
            translate(
                locale, "Deletion of %(account_id)s: %(status)s", account_id=view.account_id, status=status.title
            ),
            "bold",
        ),
        Text("  " + translate(locale, "request %(request_no)s", request_no=view.request_no), "dim"),
        *([Text(status.advice)] if status.advice else []),
        receipts(view.receipts, locale),
        *waiting_phases(view, locale),
        *(Text(f"✗ {why}", "bold red") for why in waits),
        commands(for_deletion(view), locale),
    )


def resumed(accounts: Sequence[str], failed: Mapping[str, "Failure"], locale: str) -> RenderableType:
    """What became of all deletions that waited."""
    if not accounts and not failed:
        return Text(translate(locale, "No deletion waits to be resumed."), "green")
    parts: list[RenderableType] = [line(f"✓ {account}", translate(locale, "resumed")) for account in accounts]
    for account, failure in failed.items():
        parts += [Text(f"✗ {account}", "bold red"), failure.show(locale)]
    return Group(*parts, commands([f"deletion show {account}" for account in (*failed, *accounts)[:5]], locale))


def due(deadlines: Deadlines, locale: str) -> RenderableType:
    lines = [
        Text(
            translate(locale, "Due %(due_at)s Asia/Shanghai", due_at=day_end_or_time(deadlines.due_at, locale)), "bold"
        ),
        Text(translate(locale, "Calendar %(calendar)s", calendar=deadlines.calendar), "dim"),
    ]
    if deadlines.provisional:
        estimated = translate(locale, "Provisional: a year is estimated, the day may move.")
        lines.append(Text(estimated, "yellow"))
    return Group(*lines)
