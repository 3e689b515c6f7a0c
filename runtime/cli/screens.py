"""What people see of an answer, in one language: where it stands, what it means, and what to type next."""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from domain.accounts import Channel
from domain.business_calendar import Deadlines
from domain.checks import CheckOutcome, EligibilityReport, Entitlement, Marketplace, Verdict, Waiver
from domain.deletion import Certificate, DeletionView, Receipt
from domain.locale import Locale, pick
from domain.messages import CancellationView
from domain.notices import Notice
from domain.phases import Phase
from gateways.contract import ChallengeShown
from runtime.cli.answers import PROGRAM
from runtime.cli.next_steps import VERIFY, for_deletion, for_request
from runtime.moments import day_end_or_time, time
from runtime.texts import amount, text, yuan

_STYLES = {
    Phase.BLOCKED: "bold yellow",
    Phase.AWAITING_CONFIRMATION: "bold yellow",
    Phase.DELETION_STALLED: "bold red",
    Phase.CLOSED: "bold green",
    Phase.REJECTED: "bold red",
    Phase.REFUSED: "bold red",
}
_MARKS = {Verdict.PASSED: ("✓", "green"), Verdict.BLOCKED: ("✗", "red"), Verdict.UNKNOWN: ("?", "yellow")}


def request(view: CancellationView, locale: Locale) -> RenderableType:
    phase = text(view.phase, locale)
    parts: list[RenderableType] = [
        Text.assemble((f"● {phase.title}", _STYLES.get(view.phase, "bold cyan")), f"  {view.account_id}"),
        Text(f"  {pick(locale, '申请编号', 'request')} {view.request_no}", "dim"),
    ]
    if phase.advice:
        parts.append(Text(phase.advice))
    codes = (view.refusal, *view.rejection_reasons, view.withdrawal_reason)
    parts += [_line(*text(code, locale)) for code in codes if code]
    if view.report and view.phase in (Phase.BLOCKED, Phase.AWAITING_CONFIRMATION, Phase.UNDER_REVIEW):
        parts.append(report(view.report, locale, view.waivers))
    if view.seal_refused:
        parts.append(Text(f"{pick(locale, '平台未能注销账号', 'The platform did not close it')}: {view.seal_refused}"))
    if view.review:
        status = text(view.review.status, locale).title
        parts.append(_line(f"{pick(locale, '工单', 'Ticket')} {view.review.ticket.ticket_no}: {status}"))
        if view.review.clock and view.phase is Phase.UNDER_REVIEW:
            until = f"{pick(locale, '答复期限', 'Answer due by')} {day_end_or_time(view.review.clock.due_at)}"
            parts.append(Text(until + pick(locale, "，已超期", ", late") * view.review.overdue))
    if view.deletion:
        parts.append(_receipts(view.deletion.receipts, locale))
    if view.lapses_at:
        parts.append(
            Text(f"{pick(locale, '无操作将失效于', 'Lapses without a step by')} {time(view.lapses_at)}", "dim")
        )
    return Group(*parts, commands(for_request(view), locale))


def report(report: EligibilityReport, locale: Locale, waivers: Iterable[Waiver] = ()) -> RenderableType:
    """All five checks, in their order, each with what to do."""
    table = _grid(4)
    for outcome in report.outcomes:
        waived = any(waiver.covers(outcome) for waiver in waivers)
        mark, style = ("○", "dim") if waived else _MARKS[outcome.verdict]
        found = text(outcome.reason or outcome.verdict, locale)
        advice = pick(locale, "已豁免", "waived") if waived else found.advice
        finding = Text.assemble(found.title, (f"\n{advice}" if advice else "", "dim"))
        table.add_row(Text(mark, style), text(outcome.check, locale).title, finding, _figures(outcome, locale))
    if not report.pay_before_withdrawing:
        return table
    return Group(
        table,
        Text(
            pick(
                locale,
                "欠费会阻止提现：请先结清欠费，再提现。",
                "Arrears block withdrawals: pay first, then withdraw.",
            ),
            "yellow",
        ),
    )


def _figures(outcome: CheckOutcome, locale: Locale) -> str:
    figures = [f"{text(f, locale).title} {amount(f, value)}" for f, value in outcome.figures.items() if value]
    for item in outcome.items:
        known = item.code in set(Marketplace)
        figures.append(f"{text(Marketplace(item.code), locale).title if known else item.code} x{item.count}")
    return "\n".join(figures)


def code_sent(account_id: str, channel: Channel, shown: ChallengeShown, locale: Locale) -> RenderableType:
    where = f"{text(channel, locale).title} {shown.masked_destination}"
    tries = pick(locale, f"，可尝试 {shown.tries_left} 次", f", {shown.tries_left} tries")
    return Group(
        Text(f"{pick(locale, '验证码已发送至', 'A code was sent by')} {where}", "bold"),
        Text(f"{pick(locale, '有效期至', 'It counts until')} {time(shown.expires_at)}{tries}"),
        Text(f"{pick(locale, '可重新获取', 'Another one from')} {time(shown.resend_after)}", "dim"),
        commands([VERIFY.format(account=account_id)], locale),
    )


def notice(notice: Notice, _: Locale) -> RenderableType:
    # As it is, and not as rendered Markdown: the hash is of these very characters.
    return Group(_as_it_is(notice.text), Text(f"version {notice.version}\nsha256  {notice.sha256}", "dim"))


def forfeits(account_id: str, report: EligibilityReport, locale: Locale) -> RenderableType:
    """What is lost by confirming, before it is confirmed."""
    table = _grid(4)
    for item in report.entitlements.items if report.entitlements else ():
        table.add_row("-", *_entitlement(item, locale))
    return Group(
        Text(
            pick(
                locale,
                "账号一旦注销不可恢复：全部数据将被删除，以下权益视为放弃。",
                "A cancelled account cannot be restored: all its data goes, and this counts as given up.",
            ),
            "bold red",
        ),
        table,
        commands([f"confirm {account_id} --report {report.digest}"], locale),
    )


def _entitlement(item: Entitlement, locale: Locale) -> tuple[str, str, str]:
    return text(item.kind, locale).title, item.entitlement_id, yuan(item.value_fen) if item.value_fen else ""


def certificate(certificate: Certificate, locale: Locale) -> RenderableType:
    kept = _grid(4)
    for record in certificate.retained:
        kept.add_row("-", record.record_class, f"{record.keep_until:%Y-%m-%d}", text(record.rule, locale).title)
    forfeited = _grid(4)
    for item in certificate.forfeited:
        forfeited.add_row("-", *_entitlement(item, locale))
    waived = [text(waiver.check, locale).title for waiver in certificate.waived]
    return Group(
        Text(f"{pick(locale, '注销证明', 'Certificate of closure')} {certificate.request_no}", "bold green"),
        Text(f"{certificate.account_id}  {pick(locale, '注销于', 'closed at')} {time(certificate.closed_at)}"),
        Text(f"{pick(locale, '须知版本', 'Notice')} {certificate.notice_version}", "dim"),
        Text(pick(locale, "已删除", "Deleted"), "bold"),
        _receipts(certificate.receipts, locale),
        Text(pick(locale, "已放弃", "Given up"), "bold"),
        forfeited,
        *([Text(f"{pick(locale, '已豁免', 'Waived')}: {', '.join(waived)}")] if waived else []),
        Text(pick(locale, "依法保留", "Kept by law, until"), "bold"),
        kept,
    )


def deletion(view: DeletionView, locale: Locale) -> RenderableType:
    stalled = [
        _line(f"✗ {text(s.phase, locale).title}: {s.error_type}", f"{pick(locale, '始于', 'since')} {time(s.since)}")
        for s in view.stalled
    ]
    return Group(
        Text(f"{pick(locale, '删除', 'Deletion of')} {view.account_id}: {view.status}", "bold"),
        Text(f"  {pick(locale, '申请编号', 'request')} {view.request_no}", "dim"),
        _receipts(view.receipts, locale),
        *stalled,
        commands(for_deletion(view), locale),
    )


def _receipts(receipts: Iterable[Receipt], locale: Locale) -> RenderableType:
    table = _grid(3)
    for receipt in receipts:
        counts = ", ".join(f"{kind} {count}" for kind, count in receipt.counts.items())
        gone = pick(locale, "此前已完成", "had gone before") if receipt.already_gone else ""
        given_up = pick(locale, "已放弃投递", "given up") if receipt.given_up else ""
        table.add_row(Text("✓", "green"), text(receipt.phase, locale).title, counts or gone or given_up)
    return table


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


def commands(lines: Iterable[str], locale: Locale) -> RenderableType:
    """What to type next, on lines that can be copied."""
    shown = [_as_it_is(f"  {PROGRAM} {line}", "cyan") for line in lines]
    return Group(Text(pick(locale, "下一步", "Next"), "bold"), *shown) if shown else Group()


def _line(title: str, advice: str = "") -> Text:
    return Text.assemble(title, (f"  {advice}" if advice else "", "dim"))


def _as_it_is(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ignore")


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(columns):
        # By default what cannot be broken at a blank is cut off, and Chinese has none.
        table.add_column(overflow="fold")
    return table
