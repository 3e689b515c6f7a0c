"""What operations see: deadlines, and deletions that need somebody."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from rich.console import Group, RenderableType
from rich.text import Text

from cli.next_steps import for_deletion
from cli.screens import commands, line, receipts, waiting_phases
from domain.business_calendar import Deadlines
from domain.deletion import DeletionView
from domain.locale import Locale, pick
from i18n.formatting import day_end_or_time
from i18n.texts import text

if TYPE_CHECKING:
    from cli.failures import Failure


def deletion(view: DeletionView, parked: str | None, locale: Locale) -> RenderableType:
    status = text(view.status, locale)
    waits = pick(locale, "等待运维", "Waits for operations")
    return Group(
        Text(f"{pick(locale, '删除', 'Deletion of')} {view.account_id}: {status.title}", "bold"),
        Text(f"  {pick(locale, '申请编号', 'request')} {view.request_no}", "dim"),
        *([Text(status.advice)] if status.advice else []),
        receipts(view.receipts, locale),
        *waiting_phases(view, locale),
        *([Text(f"✗ {waits}: {parked}", "bold red")] if parked else []),
        commands(for_deletion(view), locale),
    )


def resumed(accounts: Sequence[str], failed: Mapping[str, "Failure"], locale: Locale) -> RenderableType:
    """What became of all deletions that waited."""
    if not accounts and not failed:
        return Text(pick(locale, "没有等待恢复的删除。", "No deletion waits to be resumed."), "green")
    parts: list[RenderableType] = [line(f"✓ {account}", pick(locale, "已恢复执行", "goes on")) for account in accounts]
    for account, failure in failed.items():
        parts += [Text(f"✗ {account}", "bold red"), failure.show(locale)]
    return Group(*parts, commands([f"deletion show {account}" for account in (*failed, *accounts)[:5]], locale))


def due(deadlines: Deadlines, locale: Locale) -> RenderableType:
    lines = [
        Text(f"{pick(locale, '答复期限', 'Due')} {day_end_or_time(deadlines.due_at)} Asia/Shanghai", "bold"),
        Text(f"{pick(locale, '日历', 'Calendar')} {deadlines.calendar}", "dim"),
    ]
    if deadlines.provisional:
        estimated = pick(
            locale,
            "次年放假通知尚未发布，期限为估算，可能变动。",
            "Provisional: a year is estimated, the day may move.",
        )
        lines.append(Text(estimated, "yellow"))
    return Group(*lines)
