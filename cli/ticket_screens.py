"""What support staff see: the queue, one ticket, their decision."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group, RenderableType
from rich.table import Column, Table
from rich.text import Text

from cli.next_steps import for_review
from cli.screens import balance, commands, report
from domain.checks import Reason
from domain.messages import ReviewView
from domain.tickets import IgnoredBecause, ReviewStatus
from i18n.catalogue import N_, translate
from i18n.formatting import day_end_or_time, time
from i18n.texts import text, titles
from i18n.time_left import TimeLeft

if TYPE_CHECKING:
    from service.queue import QueuedTicket


def _styled(left: TimeLeft, locale: str) -> Text:
    style = "bold red" if left.late else "bold yellow" if left.due_today else "dim" if left.days is None else ""
    return Text(left.words(locale), style)


def queue(rows: Sequence[tuple["QueuedTicket", TimeLeft]], in_all: int, locale: str) -> RenderableType:
    if not rows:
        return Text(translate(locale, "No ticket is waiting."), "green")
    heads = (translate(locale, head) for head in (N_("ticket"), N_("time left"), N_("real name"), N_("reasons")))
    table = Table(*(Column(head, overflow="fold") for head in heads), box=box.SIMPLE_HEAD, show_edge=False)
    for ticket, left in rows:
        kind = text(ticket.real_name_type, locale).title if ticket.real_name_type else ""
        table.add_row(ticket.ticket_no, _styled(left, locale), kind, titles(map(Reason, ticket.reasons), locale))
    more = in_all - len(rows)
    shown = translate(locale, "%(more)s more; see --limit", more=more) if more else ""
    return Group(table, Text(shown, "dim"), commands([f"ticket show {rows[0][0].ticket_no}"], locale))


def review(view: ReviewView, left: TimeLeft, locale: str) -> RenderableType:
    case = view.case
    head = Text.assemble((f"● {text(view.status, locale).title}", "bold cyan"), f"  {case.ticket.ticket_no}  ")
    if view.status.is_open:
        head.append_text(_styled(left, locale))
    revision = translate(locale, "revision %(revision)s", revision=case.ticket.revision)
    facts = [
        f"{revision} {case.ticket.sha256}",
        translate(locale, "report %(number)s %(digest)s", number=case.report.number, digest=case.report.digest),
        translate(
            locale,
            "account %(account_id)s  %(real_name)s",
            account_id=case.account_id,
            real_name=text(case.real_name_type, locale).title,
        ),
        translate(locale, "request %(request_no)s", request_no=case.request_no),
    ]
    if view.clock:
        due = N_("due %(due_at)s (provisional)") if view.clock.provisional else N_("due %(due_at)s")
        facts.append(translate(locale, due, due_at=day_end_or_time(view.clock.due_at, locale)))
    asked = titles((waiver.check for waiver in case.waivers_asked), locale)
    facts.append(translate(locale, "asks to waive: %(asked)s", asked=asked or "-"))
    if case.balance:
        facts.append(balance(case.balance, locale))
    history = [
        f"{time(done.received_at, locale)}  {done.kind}  {done.decision.operator_id}  "
        f"{titles(done.decision.reason_codes, locale)}"
        for done in view.decisions
    ]
    ignored = [
        "  ".join((time(i.received_at, locale), i.kind, i.operator_id, _ignored(i.because, locale)))
        for i in view.ignored
    ]
    if more := view.ignored_count - len(view.ignored):
        ignored.insert(0, translate(locale, "%(more)s earlier decisions were ignored", more=more))
    attest = translate(locale, "No verified phone or e-mail: attest identity to approve.")
    return Group(
        head,
        *(Text(f"  {fact}", "dim") for fact in facts),
        *([] if case.identity_verified else [Text(attest, "yellow")]),
        report(case.report, locale),
        *(Text(line) for line in history + ignored),
        commands(for_review(view), locale),
    )


def _ignored(because: IgnoredBecause, locale: str) -> str:
    return translate(locale, "ignored: %(because)s", because=text(because, locale).title)


def decision(ticket_no: str, status: ReviewStatus | None, late: bool | None, locale: str) -> RenderableType:
    if status is None:
        told = translate(locale, "The decision is sent; it counts as soon as a worker has read it.")
    else:
        decided = N_("%(ticket_no)s: %(status)s (late)") if late else N_("%(ticket_no)s: %(status)s")
        told = translate(locale, decided, ticket_no=ticket_no, status=text(status, locale).title)
    return Group(Text(told, "bold"), commands([f"ticket show {ticket_no}"], locale))


def original(file: Path, locale: str) -> RenderableType:
    warning = translate(
        locale,
        "This is the file as it was sent, and nothing has made it harmless: open it only where it can do no harm. "
        "That it was handed out is in the log.",
    )
    return Group(Text(str(file), "bold"), Text(warning, "yellow"))
