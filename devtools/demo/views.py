"""What the stories show, as rich renderables: from the models of the service, in one language."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from functools import cache

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from devtools.demo.texts import Say, joined, kind
from domain.business_calendar import SHANGHAI
from domain.checks import Check, CheckItem, CheckOutcome, Entitlement, Figure, Marketplace, Verdict, Waiver
from domain.deletion import DELETION_STAGES, Certificate, DeletionPhase, DeletionView, Receipt
from domain.locale import Locale
from i18n.texts import amount, text, yuan

DONE, WRONG, AHEAD = Text("✓", "bold green"), Text("✗", "bold red"), Text("·", "dim")

_WEEKDAYS = {Locale.ZH: "一二三四五六日", Locale.EN: ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}


def moment(instant: datetime, locale: Locale, *, clock: bool = True) -> str:
    """A time as people in Shanghai say it."""
    local = instant.astimezone(SHANGHAI)
    time = f" {local:%H:%M}" if clock else ""
    weekday = _WEEKDAYS[locale][local.weekday()]
    if locale is Locale.ZH:
        return f"{local.month}月{local.day}日（周{weekday}）{time.strip()}"
    return f"{weekday} {local.day} {local:%b}{time}"


def day_end(instant: datetime, locale: Locale) -> str:
    """The end of a day, which is a deadline: 24:00 of that day, not 00:00 of the next."""
    return f"{moment(instant - timedelta(seconds=1), locale, clock=False)} 24:00 {Say.SHANGHAI.of(locale)}"


def names(codes: Iterable[StrEnum], locale: Locale) -> str:
    return joined((text(code, locale).title for code in codes), locale)


def entitlements(items: Iterable[Entitlement], locale: Locale) -> str:
    parts = (text(item.kind, locale).title + (f" {yuan(item.value_fen)}" if item.value_fen else "") for item in items)
    return joined(parts, locale)


def counted(items: Iterable[CheckItem], locale: Locale) -> str:
    """Resources or businesses, by name and number."""
    return joined((f"{_name_of(item, locale)} ×{item.count}" for item in items), locale)


def named_figures(figures: Mapping[Figure, int], locale: Locale) -> str:
    """Those that are not zero."""
    return joined((f"{text(figure, locale).title} {amount(figure, n)}" for figure, n in figures.items() if n), locale)


def _name_of(item: CheckItem, locale: Locale) -> str:
    known = item.code in set(Marketplace)
    return text(Marketplace(item.code), locale).title if known else kind(item.code, locale)


@cache
def _busy(words: str = "") -> Spinner:
    """One for all: a new one with each drawing would never turn."""
    return Spinner("dots", words, style="cyan")


def checks_table(done: Collection[CheckOutcome], locale: Locale) -> Table:
    """All checks in their order, with what to do about each; those that still run have a spinner."""
    table = Table.grid(padding=(0, 1))
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    outcomes = {outcome.check: outcome for outcome in done}
    for check in Check:
        name = text(check, locale).title
        if outcome := outcomes.get(check):
            passed = outcome.verdict is Verdict.PASSED
            table.add_row(
                DONE if passed else WRONG, Text(f"{name} ", "" if passed else "bold"), _finding(outcome, locale)
            )
        else:
            table.add_row(_busy(), Text(name, "dim"), "")
    return table


def _finding(outcome: CheckOutcome, locale: Locale) -> RenderableType:
    if outcome.reason is None:
        return Text(text(outcome.verdict, locale).title, "dim")
    reason = text(outcome.reason, locale)
    figures = _figures(outcome, locale)
    colon = "：" if locale is Locale.ZH else ": "
    finding = Text.assemble(reason.title, colon if figures else "", (figures, "bold red"))
    return Group(finding, Text(f"→ {reason.advice}", "yellow"))


def _figures(outcome: CheckOutcome, locale: Locale) -> str:
    """Of counted things rather the things themselves."""
    return counted(outcome.items, locale) if outcome.items else named_figures(outcome.figures, locale)


def deletion_table(view: DeletionView | None, locale: Locale) -> Table:
    """The stages of deletion: what is done, with its counts, what runs, what is still to come."""
    receipts = {receipt.phase: receipt for receipt in view.receipts} if view else {}
    stalled = {stalled.phase: stalled for stalled in view.stalled} if view else {}
    running = next((stage for stage in DELETION_STAGES if not set(stage) <= receipts.keys()), ())
    table = Table.grid(padding=(0, 1))
    for number, stage in enumerate(DELETION_STAGES, 1):
        for phase in stage:
            mark: RenderableType = AHEAD
            detail = ""
            if receipt := receipts.get(phase):
                mark, detail = DONE, _counts(receipt, locale)
            elif phase in stalled:
                mark, detail = WRONG, Say.STALLED.of(locale, error=stalled[phase].error_type)
            elif view and phase in running:
                mark = _busy()
            stage_no = Text(str(number) if phase is stage[0] else " ", "dim")
            name = Text(f"{text(phase, locale).title} ", "" if receipt else "dim")
            table.add_row(stage_no, mark, name, Text(detail, "dim"))
    return table


def _counts(receipt: Receipt, locale: Locale) -> str:
    if receipt.already_gone:
        return Say.GONE_BEFORE.of(locale)
    return joined((f"{kind(code, locale)} {count}" for code, count in receipt.counts.items()), locale)


def records_deleted(receipts: Iterable[Receipt]) -> int:
    kept = (DeletionPhase.SEND_FINAL_NOTICE, DeletionPhase.ISSUE_CERTIFICATE)
    return sum(sum(receipt.counts.values()) for receipt in receipts if receipt.phase not in kept)


def waivers(waived: Iterable[Waiver], locale: Locale) -> str:
    parts = (f"{text(waiver.check, locale).title} {named_figures(waiver.figures, locale)}" for waiver in waived)
    return ("；" if locale is Locale.ZH else "; ").join(parts)


def certificate_panel(certificate: Certificate, locale: Locale) -> Panel:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    deleted = [_counts(r, locale) for r in certificate.receipts if r.phase is not DeletionPhase.SEND_FINAL_NOTICE]
    grid.add_row(Say.COL_ACCOUNT.of(locale), certificate.account_id)
    grid.add_row(Say.CERT_CLOSED_AT.of(locale), f"{moment(certificate.closed_at, locale)} {Say.SHANGHAI.of(locale)}")
    grid.add_row(Say.CERT_DELETED.of(locale), joined((part for part in deleted if part), locale))
    grid.add_row(Say.CERT_FORFEITED.of(locale), entitlements(certificate.forfeited, locale))
    kept = [
        Say.CERT_KEPT_UNTIL.of(
            locale,
            what=kind(record.record_class, locale),
            until=f"{record.keep_until.astimezone(SHANGHAI):%Y-%m-%d}",
            rule=text(record.rule, locale).title,
        )
        for record in certificate.retained
    ]
    grid.add_row(Say.CERT_KEPT.of(locale), "\n".join(kept))
    chain = Say.CERT_CHAIN_OK.of(locale, sha256=certificate.previous.sha256[:12])
    grid.add_row(Say.CERT_CHAIN.of(locale), Text(chain, "green"))
    title = Text(f"{Say.CERTIFICATE.of(locale)} {certificate.request_no}", "bold")
    return Panel(grid, title=title, title_align="left", border_style="green", box=box.ROUNDED, expand=False)


def sealing(*, done: bool, locale: Locale) -> RenderableType:
    """The way to the point of no return."""
    words = Say.SEALING.of(locale)
    return Text(words).append(f"\n{Say.SEALED.of(locale)}", "bold red") if done else _busy(words)
