"""What people see of an answer, in one language: where it stands, what it means, and what to type next."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from cli.answers import PROGRAM
from cli.next_steps import VERIFY, for_request, to_file
from domain.accounts import Channel
from domain.checks import (
    ENTITLEMENTS,
    Check,
    CheckOutcome,
    EligibilityReport,
    Entitlement,
    Marketplace,
    Verdict,
    Waiver,
)
from domain.deletion import Certificate, DeletionView, Receipt
from domain.locale import Locale, pick
from domain.messages import CancellationView
from domain.notices import Notice
from domain.phases import Phase, Step
from domain.tickets import BalanceChoice
from gateways.contract import ChallengeShown
from i18n.formatting import day_end_or_time, time
from i18n.texts import amount, text, yuan

_STYLES = {
    Phase.BLOCKED: "bold yellow",
    Phase.AWAITING_CONFIRMATION: "bold yellow",
    Phase.DELETION_STALLED: "bold red",
    Phase.CLOSED: "bold green",
    Phase.REJECTED: "bold red",
    Phase.REFUSED: "bold red",
}
_PHASES_WITH_REPORT = (Phase.AWAITING_IDENTITY, Phase.BLOCKED, Phase.AWAITING_CONFIRMATION, Phase.UNDER_REVIEW)
_MARKS = {Verdict.PASSED: ("✓", "green"), Verdict.BLOCKED: ("✗", "red"), Verdict.UNKNOWN: ("?", "yellow")}


def request(view: CancellationView, locale: Locale) -> RenderableType:
    phase = text(view.phase, locale)
    parts: list[RenderableType] = [
        Text.assemble((f"● {phase.title}", _STYLES.get(view.phase, "bold cyan")), f"  {view.account_id}"),
        Text(f"  {pick(locale, '申请编号', 'request')} {view.request_no}", "dim"),
    ]
    if view.run_ended:
        again = pick(
            locale, "请重新申请，进度以平台记录为准。", "Start again: it goes on from what the platform knows."
        )
        parts.append(line(text(view.run_ended, locale).title, again))
    elif phase.advice:
        parts.append(Text(phase.advice))
    codes = (view.refusal, *view.rejection_reasons, view.withdrawal_reason, view.review_ended)
    parts += [line(*text(code, locale)) for code in codes if code]
    parts += _why_sent_back(view, locale)
    if view.report and view.phase in _PHASES_WITH_REPORT:
        parts.append(report(view.report, locale, view.waivers))
    parts += _trouble(view, locale)
    if view.balance:
        parts.append(Text(balance(view.balance, locale)))
    if view.review:
        status = text(view.review.status, locale).title
        parts.append(line(f"{pick(locale, '工单', 'Ticket')} {view.review.ticket.ticket_no}: {status}"))
        if view.review.clock and view.phase in (Phase.UNDER_REVIEW, Phase.SEALING):
            until = f"{pick(locale, '答复期限', 'Answer due by')} {day_end_or_time(view.review.clock.due_at)}"
            parts.append(Text(until + pick(locale, "，已超期", ", late") * view.overdue))
    if view.deletion:
        parts.append(receipts(view.deletion.receipts, locale))
        parts += waiting_phases(view.deletion, locale)
    parts += [Text(line, "dim") for line in _time_limits(view, locale)]
    return Group(*parts, commands(for_request(view), locale))


def _why_sent_back(view: CancellationView, locale: Locale) -> list[RenderableType]:
    """Why the last sealing came to nothing: what the platform said, or what is new to the owner."""
    parts: list[RenderableType] = []
    if view.seal_refused:
        refused = pick(locale, "平台未能注销账号", "The platform did not close it")
        parts.append(Text(f"{refused}: {view.seal_refused}", "yellow"))
    if changed := view.changed:
        news = [text(check, locale).title for check in changed.checks]
        if changed.entitlements_added:
            news.append(pick(locale, "新增卡券与权益", "more that is given up"))
        if changed.real_name_type:
            kind = text(changed.real_name_type, locale).title
            news.append(pick(locale, f"实名类型变为{kind}", f"real name now: {kind}"))
        news += [
            f"{_told_name(name, locale)} ({text(Verdict.UNKNOWN, locale).title})" for name in changed.could_not_tell
        ]
        since = pick(locale, "确认之后发生变化，账号未注销", "Changed since it was agreed to, so nothing was closed")
        parts.append(Text(f"{since}: {', '.join(news)}", "yellow"))
        if changed.entitlements_added:
            parts.append(_entitlements(changed.entitlements, changed.entitlements_added, locale))
    return parts


def _trouble(view: CancellationView, locale: Locale) -> list[RenderableType]:
    """What goes on trying, and what waits for operations."""
    parts: list[RenderableType] = []
    if trouble := view.sealing_trouble:
        tries = _attempts(trouble.error_type, trouble.attempts, trouble.since, locale)
        goes_on = pick(locale, "仍在自动重试", "it goes on trying") if view.phase is Phase.SEALING else ""
        parts.append(Text.assemble((tries, "bold yellow" if trouble.stuck else "yellow"), (f"  {goes_on}", "dim")))
    if view.stalled:
        parts.append(Text(f"✗ {pick(locale, '等待运维', 'Waits for operations')}: {view.stalled}", "bold red"))
    return parts


def _time_limits(view: CancellationView, locale: Locale) -> list[str]:
    lines = []
    if view.identity_expires_at and view.phase is Phase.AWAITING_CONFIRMATION:
        proof = pick(locale, "身份验证有效至", "The proof of identity counts until")
        lines.append(f"{proof} {time(view.identity_expires_at)}")
    if view.approval_expires_at and view.phase in (Phase.BLOCKED, Phase.AWAITING_CONFIRMATION, Phase.SEALING):
        lines.append(f"{pick(locale, '审核结论有效至', 'The approval counts until')} {time(view.approval_expires_at)}")
    if view.lapses_at:
        idle = f"{pick(locale, '无操作将失效于', 'Lapses without a step by')} {time(view.lapses_at)}"
        latest = f"{pick(locale, '最迟办结于', 'ends by')} {time(view.ends_by)}"
        lines.append(f"{idle}{pick(locale, '；', '; ')}{latest}")
    return lines


def balance(choice: BalanceChoice, locale: Locale) -> str:
    """The word about the money."""
    return f"{pick(locale, '余额', 'Money')} {yuan(choice.amount_fen)}: {text(choice.wish, locale).title}"


def report(report: EligibilityReport, locale: Locale, waivers: Iterable[Waiver] = ()) -> RenderableType:
    """All five checks, in their order, each with what to do."""
    notes = []
    if report.pay_before_withdrawing:
        notes.append(
            pick(
                locale,
                "欠费会阻止提现：请先结清欠费，再提现。",
                "Arrears block withdrawals: pay first, then withdraw.",
            )
        )
    if report.not_told:
        untold = ", ".join(_told_name(name, locale) for name in report.not_told)
        notes.append(
            pick(
                locale,
                f"平台暂时无法告知：{untold}。这不是您的问题，请稍后重新检测。",
                f"The platform could not tell: {untold}. Not your fault: check again in a while.",
            )
        )
    return Group(outcomes(report.outcomes, locale, waivers), *(Text(note, "yellow") for note in notes))


def outcomes(outcomes: Iterable[CheckOutcome], locale: Locale, waivers: Iterable[Waiver] = ()) -> RenderableType:
    """Checks that have been made, each with what to do."""
    table = _grid(4)
    for outcome in outcomes:
        waived = any(waiver.covers(outcome) for waiver in waivers)
        mark, style = ("○", "dim") if waived else _MARKS[outcome.verdict]
        found = text(outcome.reason or outcome.verdict, locale)
        advice = pick(locale, "已豁免", "waived") if waived else found.advice
        finding = Text.assemble(found.title, (f"\n{advice}" if advice else "", "dim"))
        table.add_row(Text(mark, style), text(outcome.check, locale).title, finding, _figures(outcome, locale))
    return table


def _told_name(name: str, locale: Locale) -> str:
    """Of a check, or of the list of what is given up."""
    return pick(locale, "卡券与权益", "entitlements") if name == ENTITLEMENTS else text(Check(name), locale).title


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
    return Group(_last_warning(report, locale), commands([f"confirm {account_id} --report {report.digest}"], locale))


def before_filing(view: CancellationView, locale: Locale) -> RenderableType:
    """What an approved ticket would set aside and give up, before it is filed."""
    assert view.report is not None
    parts = [report(view.report, locale), _last_warning(view.report, locale)]
    if view.ticket_needs and (money := view.ticket_needs.balance_fen):
        say = pick(
            locale,
            f"账户余额 {yuan(money)}（{money} 分）：放弃用 --balance give-up --amount-fen {money}，"
            "退回用 --balance return。",
            f"There is money, {yuan(money)} ({money} fen): give it up by --balance give-up --amount-fen {money}, "
            "or have it returned by --balance return.",
        )
        parts.append(Text(say, "bold yellow"))
    asked_for = view.due_step is Step.SUPPLY_MATERIALS
    return Group(*parts, commands(() if asked_for else (to_file(view, digest=view.report.digest),), locale))


def _last_warning(report: EligibilityReport, locale: Locale) -> RenderableType:
    warning = pick(
        locale,
        "账号一旦注销不可恢复：全部数据将被删除，以下权益视为放弃。",
        "A cancelled account cannot be restored: all its data goes, and this counts as given up.",
    )
    lost = report.entitlements
    return Group(Text(warning, "bold red"), _entitlements(lost.items, lost.count, locale) if lost else Group())


def _entitlements(items: Sequence[Entitlement], in_all: int, locale: Locale) -> RenderableType:
    """The first of them, and how many more there are."""
    table = _grid(4)
    for item in items:
        table.add_row("-", *_entitlement(item, locale))
    if more := in_all - len(items):
        table.add_row("-", pick(locale, f"另有 {more} 项", f"and {more} more"), "", "")
    return table


def _entitlement(item: Entitlement, locale: Locale) -> tuple[str, str, str]:
    return text(item.kind, locale).title, item.entitlement_id, yuan(item.value_fen) if item.value_fen else ""


def certificate(certificate: Certificate, locale: Locale) -> RenderableType:
    kept = _grid(4)
    for record in certificate.retained:
        kept.add_row("-", record.record_class, f"{record.keep_until:%Y-%m-%d}", text(record.rule, locale).title)
    waived = [text(waiver.check, locale).title for waiver in certificate.waived]
    return Group(
        Text(f"{pick(locale, '注销证明', 'Certificate of closure')} {certificate.request_no}", "bold green"),
        Text(f"{certificate.account_id}  {pick(locale, '注销于', 'closed at')} {time(certificate.closed_at)}"),
        Text(f"{pick(locale, '须知版本', 'Notice')} {certificate.notice_version}", "dim"),
        Text(pick(locale, "已删除", "Deleted"), "bold"),
        receipts(certificate.receipts, locale),
        Text(pick(locale, "已放弃", "Given up"), "bold"),
        _entitlements(certificate.forfeited, len(certificate.forfeited), locale),
        *([Text(f"{pick(locale, '已豁免', 'Waived')}: {', '.join(waived)}")] if waived else []),
        Text(pick(locale, "依法保留", "Kept by law, until"), "bold"),
        kept,
    )


def waiting_phases(view: DeletionView, locale: Locale) -> list[RenderableType]:
    """Phases that wait for operations, and phases that only retry."""
    since = pick(locale, "始于", "since")
    stalled = [
        line(f"✗ {text(s.phase, locale).title}: {s.error_type}", f"{since} {time(s.since)}") for s in view.stalled
    ]
    goes_on = pick(locale, "仍在自动重试", "it goes on trying")
    stuck = [
        line(f"… {text(s.phase, locale).title}: {_attempts(s.error_type, s.attempts, s.since, locale)}", goes_on)
        for s in view.stuck
    ]
    return [*stalled, *stuck]


def _attempts(error: str, attempts: int, since: datetime, locale: Locale) -> str:
    return pick(
        locale,
        f"{error}，已尝试 {attempts} 次，始于 {time(since)}",
        f"{error}, {attempts} attempts since {time(since)}",
    )


def receipts(receipts: Iterable[Receipt], locale: Locale) -> RenderableType:
    table = _grid(3)
    for receipt in receipts:
        counts = ", ".join(f"{kind} {count}" for kind, count in receipt.counts.items())
        gone = pick(locale, "此前已完成", "had gone before") if receipt.already_gone else ""
        given_up = pick(locale, "已放弃投递", "given up") if receipt.given_up else ""
        table.add_row(Text("✓", "green"), text(receipt.phase, locale).title, counts or gone or given_up)
    return table


def commands(lines: Iterable[str], locale: Locale) -> RenderableType:
    """What to type next, on lines that can be copied."""
    shown = [_as_it_is(f"  {PROGRAM} {line}", "cyan") for line in lines]
    return Group(Text(pick(locale, "下一步", "Next"), "bold"), *shown) if shown else Group()


def line(title: str, advice: str = "") -> Text:
    return Text.assemble(title, (f"  {advice}" if advice else "", "dim"))


def _as_it_is(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ignore")


def _grid(columns: int) -> Table:
    table = Table.grid(padding=(0, 2))
    for _ in range(columns):
        # By default what cannot be broken at a blank is cut off, and Chinese has none.
        table.add_column(overflow="fold")
    return table
