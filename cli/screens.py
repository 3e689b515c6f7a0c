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
    Verdict,
    Waiver,
)
from domain.deletion import Certificate, DeletionView, Receipt
from domain.messages import CancellationView
from domain.notices import Notice
from domain.phases import Phase, Step
from domain.tickets import BalanceChoice
from gateways.contract import ChallengeShown
from i18n.catalogue import N_, translate, translate_plural
from i18n.formatting import amount, day_end_or_time, labelled, listed, time, yuan
from i18n.texts import CODE_SENT, kind_name, text, titles

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


def request(view: CancellationView, locale: str) -> RenderableType:
    phase = text(view.phase, locale)
    parts: list[RenderableType] = [
        Text.assemble((f"● {phase.title}", _STYLES.get(view.phase, "bold cyan")), f"  {view.account_id}"),
        Text("  " + translate(locale, "request %(request_no)s", request_no=view.request_no), "dim"),
    ]
    if view.run_ended:
        again = translate(locale, "Start again: it continues from what the platform knows.")
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
        ticket_no, status = view.review.ticket.ticket_no, text(view.review.status, locale).title
        parts.append(line(translate(locale, "Ticket %(ticket_no)s: %(status)s", ticket_no=ticket_no, status=status)))
        if view.review.clock and view.phase in (Phase.UNDER_REVIEW, Phase.SEALING):
            due_at = day_end_or_time(view.review.clock.due_at, locale)
            due = N_("Answer due by %(due_at)s, late") if view.overdue else N_("Answer due by %(due_at)s")
            parts.append(Text(translate(locale, due, due_at=due_at)))
    if view.deletion:
        parts.append(receipts(view.deletion.receipts, locale))
        parts += waiting_phases(view.deletion, locale)
    parts += [Text(line, "dim") for line in _time_limits(view, locale)]
    return Group(*parts, commands(for_request(view), locale))


def _why_sent_back(view: CancellationView, locale: str) -> list[RenderableType]:
    """Why the last sealing came to nothing: what the platform said, or what is new to the owner."""
    parts: list[RenderableType] = []
    if view.seal_refused:
        refused = translate(locale, "The platform did not close it: %(why)s", why=view.seal_refused)
        parts.append(Text(refused, "yellow"))
    if changed := view.changed:
        news = [text(check, locale).title for check in changed.checks]
        if changed.entitlements_added:
            news.append(translate(locale, "more that is given up"))
        if changed.real_name_type:
            kind = text(changed.real_name_type, locale).title
            news.append(translate(locale, "real name now: %(kind)s", kind=kind))
        news += [
            translate(locale, "%(what)s (could not tell)", what=_told_name(name, locale))
            for name in changed.could_not_tell
        ]
        since = translate(
            locale, "Changed since it was agreed to, so nothing was closed: %(news)s", news=listed(news, locale)
        )
        parts.append(Text(since, "yellow"))
        if changed.entitlements_added:
            parts.append(_entitlements(changed.entitlements, changed.entitlements_added, locale))
    return parts


def _trouble(view: CancellationView, locale: str) -> list[RenderableType]:
    """What goes on trying, and what waits for operations."""
    parts: list[RenderableType] = []
    if trouble := view.sealing_trouble:
        tries = _attempts(trouble.error_type, trouble.attempts, trouble.since, locale)
        goes_on = translate(locale, "still retrying") if view.phase is Phase.SEALING else ""
        parts.append(Text.assemble((tries, "bold yellow" if trouble.stuck else "yellow"), (f"  {goes_on}", "dim")))
    if view.stalled:
        parts.append(
            Text("✗ " + translate(locale, "Waits for operations: %(error_type)s", error_type=view.stalled), "bold red")
        )
    return parts


def _time_limits(view: CancellationView, locale: str) -> list[str]:
    lines = []
    if view.identity_expires_at and view.phase is Phase.AWAITING_CONFIRMATION:
        until = time(view.identity_expires_at, locale)
        lines.append(translate(locale, "Identity is verified until %(until)s", until=until))
    if view.approval_expires_at and view.phase in (Phase.BLOCKED, Phase.AWAITING_CONFIRMATION, Phase.SEALING):
        until = time(view.approval_expires_at, locale)
        lines.append(translate(locale, "The approval is valid until %(until)s", until=until))
    if view.lapses_at:
        lines.append(
            translate(
                locale,
                "Lapses without a step by %(idle)s; ends by %(latest)s",
                idle=time(view.lapses_at, locale),
                latest=time(view.ends_by, locale),
            )
        )
    return lines


def balance(choice: BalanceChoice, locale: str) -> str:
    """The word about the money."""
    amount, wish = yuan(choice.amount_fen, locale), text(choice.wish, locale).title
    return translate(locale, "Money %(amount)s: %(wish)s", amount=amount, wish=wish)


def report(report: EligibilityReport, locale: str, waivers: Iterable[Waiver] = ()) -> RenderableType:
    """All checks, in their order, each with what to do."""
    notes = []
    if report.pay_before_withdrawing:
        notes.append(translate(locale, "Arrears block withdrawals: pay first, then withdraw."))
    if report.not_told:
        untold = listed((_told_name(name, locale) for name in report.not_told), locale)
        notes.append(
            translate(
                locale,
                "The platform could not tell: %(untold)s. Not your fault: check again in a while.",
                untold=untold,
            )
        )
    return Group(outcomes(report.outcomes, locale, waivers), *(Text(note, "yellow") for note in notes))


def outcomes(outcomes: Iterable[CheckOutcome], locale: str, waivers: Iterable[Waiver] = ()) -> RenderableType:
    """Checks that have been made, each with what to do."""
    table = _grid(4)
    for outcome in outcomes:
        waived = any(waiver.covers(outcome) for waiver in waivers)
        mark, style = ("○", "dim") if waived else _MARKS[outcome.verdict]
        found = text(outcome.reason or outcome.verdict, locale)
        advice = translate(locale, "waived") if waived else found.advice
        finding = Text.assemble(found.title, (f"\n{advice}" if advice else "", "dim"))
        table.add_row(Text(mark, style), text(outcome.check, locale).title, finding, _figures(outcome, locale))
    return table


def _told_name(name: str, locale: str) -> str:
    """Of a check, or of the list of what is given up."""
    return translate(locale, "entitlements") if name == ENTITLEMENTS else text(Check(name), locale).title


def _figures(outcome: CheckOutcome, locale: str) -> str:
    figures = [f"{text(f, locale).title} {amount(f, value, locale)}" for f, value in outcome.figures.items() if value]
    return "\n".join(figures + [f"{kind_name(item.code, locale)} ×{item.count}" for item in outcome.items])


def code_sent(account_id: str, channel: Channel, shown: ChallengeShown, locale: str) -> RenderableType:
    tries = translate_plural(
        locale,
        "%(num)s try left; valid until %(until)s",
        "%(num)s tries left; valid until %(until)s",
        shown.tries_left,
        until=time(shown.expires_at, locale),
    )
    return Group(
        Text(translate(locale, CODE_SENT[channel], destination=shown.masked_destination), "bold"),
        Text(tries),
        Text(translate(locale, "Request a new one from %(time)s", time=time(shown.resend_after, locale)), "dim"),
        commands([VERIFY.format(account=account_id)], locale),
    )


def notice(notice: Notice, _: str) -> RenderableType:
    # As it is, and not as rendered Markdown: the hash is of these very characters.
    return Group(_as_it_is(notice.text), Text(f"version {notice.version}\nsha256  {notice.sha256}", "dim"))


def forfeits(account_id: str, report: EligibilityReport, locale: str) -> RenderableType:
    """What is lost by confirming, before it is confirmed."""
    return Group(_last_warning(report, locale), commands([f"confirm {account_id} --report {report.digest}"], locale))


def before_filing(view: CancellationView, locale: str) -> RenderableType:
    """What an approved ticket would set aside and give up, before it is filed."""
    assert view.report is not None
    parts = [report(view.report, locale), _last_warning(view.report, locale)]
    if view.ticket_needs and (money := view.ticket_needs.balance_fen):
        say = translate(
            locale,
            "There is money, %(amount)s (%(fen)s fen): give it up by --balance give-up --amount-fen %(fen)s, "
            "or have it returned by --balance return.",
            amount=yuan(money, locale),
            fen=money,
        )
        parts.append(Text(say, "bold yellow"))
    asked_for = view.due_step is Step.SUPPLY_MATERIALS
    return Group(*parts, commands(() if asked_for else (to_file(view, digest=view.report.digest),), locale))


def _last_warning(report: EligibilityReport, locale: str) -> RenderableType:
    warning = translate(
        locale, "A cancelled account cannot be restored: all its data goes, and this counts as given up."
    )
    lost = report.entitlements
    return Group(Text(warning, "bold red"), _entitlements(lost.items, lost.count, locale) if lost else Group())


def _entitlements(items: Sequence[Entitlement], in_all: int, locale: str) -> RenderableType:
    """The first of them, and how many more there are."""
    table = _grid(4)
    for item in items:
        table.add_row("-", *_entitlement(item, locale))
    if more := in_all - len(items):
        table.add_row("-", translate(locale, "and %(more)s more", more=more), "", "")
    return table


def _entitlement(item: Entitlement, locale: str) -> tuple[str, str, str]:
    return text(item.kind, locale).title, item.entitlement_id, yuan(item.value_fen, locale) if item.value_fen else ""


def certificate(certificate: Certificate, locale: str) -> RenderableType:
    kept = _grid(4)
    for record in certificate.retained:
        what, rule = kind_name(record.record_class, locale), text(record.rule, locale).title
        kept.add_row("-", what, f"{record.keep_until:%Y-%m-%d}", rule)
    waived = titles((waiver.check for waiver in certificate.waived), locale)
    return Group(
        Text(
            translate(locale, "Certificate of closure %(request_no)s", request_no=certificate.request_no), "bold green"
        ),
        Text(
            translate(
                locale,
                "%(account_id)s  closed at %(closed_at)s",
                account_id=certificate.account_id,
                closed_at=time(certificate.closed_at, locale),
            )
        ),
        Text(translate(locale, "Notice %(version)s", version=certificate.notice_version), "dim"),
        Text(translate(locale, "Deleted"), "bold"),
        receipts(certificate.receipts, locale),
        Text(translate(locale, "Given up"), "bold"),
        _entitlements(certificate.forfeited, len(certificate.forfeited), locale),
        *([Text(translate(locale, "Waived: %(waived)s", waived=waived))] if waived else []),
        Text(translate(locale, "Kept by law, until"), "bold"),
        kept,
    )


def waiting_phases(view: DeletionView, locale: str) -> list[RenderableType]:
    """Phases that wait for operations, and phases that only retry."""
    stalled = [
        line(
            "✗ " + labelled(text(s.phase, locale).title, s.error_type, locale),
            translate(locale, "since %(since)s", since=time(s.since, locale)),
        )
        for s in view.stalled
    ]
    goes_on = translate(locale, "still retrying")
    stuck = []
    for s in view.stuck:
        tries = _attempts(s.error_type, s.attempts, s.since, locale)
        stuck.append(line("… " + labelled(text(s.phase, locale).title, tries, locale), goes_on))
    return [*stalled, *stuck]


def _attempts(error: str, attempts: int, since: datetime, locale: str) -> str:
    return translate(
        locale,
        "%(error)s, %(attempts)s attempts since %(since)s",
        error=error,
        attempts=attempts,
        since=time(since, locale),
    )


def receipts(receipts: Iterable[Receipt], locale: str) -> RenderableType:
    table = _grid(3)
    for receipt in receipts:
        counts = listed((f"{kind_name(kind, locale)} {count}" for kind, count in receipt.counts.items()), locale)
        gone = translate(locale, "already gone") if receipt.already_gone else ""
        given_up = translate(locale, "given up") if receipt.given_up else ""
        table.add_row(Text("✓", "green"), text(receipt.phase, locale).title, counts or gone or given_up)
    return table


def commands(lines: Iterable[str], locale: str) -> RenderableType:
    """What to type next, on lines that can be copied."""
    shown = [_as_it_is(f"  {PROGRAM} {line}", "cyan") for line in lines]
    return Group(Text(translate(locale, "Next"), "bold"), *shown) if shown else Group()


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
