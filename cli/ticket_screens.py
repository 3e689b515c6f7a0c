"""What support staff see: the queue, one ticket, their decision."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from cli.next_steps import for_review
from cli.screens import balance, commands, report
from domain.checks import Reason
from domain.locale import Locale, pick
from domain.messages import ReviewView
from domain.tickets import ReviewStatus
from i18n.formatting import day_end_or_time, time
from i18n.texts import text
from i18n.time_left import TimeLeft

if TYPE_CHECKING:
    from service.queue import QueuedTicket


def _styled(left: TimeLeft, locale: Locale) -> Text:
    style = "bold red" if left.late else "bold yellow" if left.due_today else "dim" if left.days is None else ""
    return Text(left.words(locale), style)


def queue(rows: Sequence[tuple["QueuedTicket", TimeLeft]], in_all: int, locale: Locale) -> RenderableType:
    if not rows:
        return Text(pick(locale, "没有待处理的工单。", "No ticket is waiting."), "green")
    heads = (
        ("工单", "剩余时间", "实名", "原因") if locale is Locale.ZH else ("ticket", "time left", "real name", "reasons")
    )
    table = Table(*(Column(head, overflow="fold") for head in heads), box=box.SIMPLE_HEAD, show_edge=False)
    for ticket, left in rows:
        kind = text(ticket.real_name_type, locale).title if ticket.real_name_type else ""
        table.add_row(ticket.ticket_no, _styled(left, locale), kind, _names(map(Reason, ticket.reasons), locale))
    more = in_all - len(rows)
    shown = pick(locale, f"另有 {more} 件，用 --limit 查看", f"{more} more; see --limit") if more else ""
    return Group(table, Text(shown, "dim"), commands([f"ticket show {rows[0][0].ticket_no}"], locale))


def review(view: ReviewView, left: TimeLeft, locale: Locale) -> RenderableType:
    case = view.case
    head = Text.assemble((f"● {text(view.status, locale).title}", "bold cyan"), f"  {case.ticket.ticket_no}  ")
    if view.status.is_open:
        head.append_text(_styled(left, locale))
    revision = pick(locale, f"第 {case.ticket.revision} 版", f"revision {case.ticket.revision}")
    facts = [
        f"{revision} {case.ticket.sha256}",
        f"{pick(locale, '检测结果', 'report')} {case.report.number} {case.report.digest}",
        f"{pick(locale, '账号', 'account')} {case.account_id}  {text(case.real_name_type, locale).title}",
        f"{pick(locale, '申请编号', 'request')} {case.request_no}",
    ]
    if view.clock:
        provisional = pick(locale, "（估算）", " (provisional)") if view.clock.provisional else ""
        facts.append(f"{pick(locale, '期限', 'due')} {day_end_or_time(view.clock.due_at)}{provisional}")
    asked = _names((waiver.check for waiver in case.waivers_asked), locale)
    facts.append(f"{pick(locale, '申请豁免', 'asks to waive')}: {asked or '-'}")
    if case.balance:
        facts.append(balance(case.balance, locale))
    history = [
        f"{time(done.received_at)}  {done.kind}  {done.decision.operator_id}  "
        f"{_names(done.decision.reason_codes, locale)}"
        for done in view.decisions
    ]
    ignored = [
        f"{time(i.received_at)}  {i.kind}  {i.operator_id}  "
        f"{pick(locale, '未采纳', 'ignored')}: {text(i.because, locale).title}"
        for i in view.ignored
    ]
    if more := view.ignored_count - len(view.ignored):
        ignored.insert(0, pick(locale, f"另有 {more} 个决定未采纳", f"{more} earlier decisions were ignored"))
    attest = pick(
        locale,
        "账号未绑定手机和邮箱，须以其他方式核实身份。",
        "No verified phone or e-mail: attest identity to approve.",
    )
    return Group(
        head,
        *(Text(f"  {fact}", "dim") for fact in facts),
        *([] if case.identity_verified else [Text(attest, "yellow")]),
        report(case.report, locale),
        *(Text(line) for line in history + ignored),
        commands(for_review(view), locale),
    )


def decision(ticket_no: str, status: ReviewStatus | None, late: bool | None, locale: Locale) -> RenderableType:
    if status is None:
        told = pick(
            locale, "决定已送出，稍后生效。", "The decision is sent; it counts as soon as a worker has read it."
        )
    else:
        told = f"{ticket_no}: {text(status, locale).title}" + pick(locale, "（已超期）", " (late)") * bool(late)
    return Group(Text(told, "bold"), commands([f"ticket show {ticket_no}"], locale))


def original(file: Path, locale: Locale) -> RenderableType:
    warning = pick(
        locale,
        "这是用户提交的原文件，未经清理：请勿在办公电脑上打开，只在隔离环境中查看。此次导出已记入日志。",
        "This is the file as it was sent, and nothing has made it harmless: open it only where it can do no harm. "
        "That it was handed out is in the log.",
    )
    return Group(Text(str(file), "bold"), Text(warning, "yellow"))


def _names(codes: Iterable[StrEnum], locale: Locale) -> str:
    return ", ".join(text(code, locale).title for code in codes)
