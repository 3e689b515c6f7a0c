"""The clock of one ticket, moved on day by day until its deadline has passed, and shown while it moves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from rich import box
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from devtools.demo.scene import Scene, until
from devtools.demo.texts import Say
from devtools.demo.views import moment
from domain.business_calendar import CALENDAR, SHANGHAI
from domain.locale import Locale
from domain.messages import ReviewClock
from domain.notifications import Template

_STEPS = 16
"""Positions of the hand between two midnights."""


@dataclass
class _Face:
    """What the clock shows: the time, and each day it has been through."""

    locale: Locale
    business_days: int = 0
    days: list[tuple[date, str, list[Say]]] = field(default_factory=list)

    def turn_to(self, day: date) -> None:
        self.days.append((day, self._kind(day), []))

    def mark(self, event: Say) -> None:
        self.days[-1][2].append(event)

    def _kind(self, day: date) -> str:
        if CALENDAR.is_business_day(day):
            # The day of filing is not counted.
            if not self.days:
                return ""
            self.business_days += 1
            return Say.BUSINESS_DAY.of(self.locale, n=self.business_days)
        holidays = [holiday for holiday in CALENDAR.year(day.year).holidays if day in holiday]
        if holidays:
            return holidays[0].name if self.locale is Locale.ZH else holidays[0].name_en
        return Say.WEEKEND.of(self.locale)

    def at(self, now: datetime) -> Panel:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(no_wrap=True)
        grid.add_column(style="dim", no_wrap=True)
        grid.add_column(style="bold yellow")
        for day, kind, events in self.days:
            midday = datetime(day.year, day.month, day.day, 12, tzinfo=SHANGHAI)
            shown = ", ".join(event.of(self.locale) for event in events)
            grid.add_row(moment(midday, self.locale, clock=False), kind, shown)
        title = Text.assemble(
            (Say.VIRTUAL_CLOCK.of(self.locale), "dim"), "  ", (moment(now, self.locale), "bold yellow")
        )
        return Panel(grid, title=title, title_align="left", border_style="yellow", box=box.ROUNDED, width=64)


async def pass_deadline(scene: Scene, clock: ReviewClock) -> timedelta:
    """Skip time, midnight by midnight, until the deadline has passed and was escalated. Answers how far it went."""
    start = now = await scene.skipper.get_current_time(scene.review)
    face = _Face(scene.locale)
    face.turn_to(now.astimezone(SHANGHAI).date())
    face.mark(Say.FILED)
    with scene.stage.live(Say.CLOCK) as live:

        def show(at: datetime) -> None:
            live.show(scene.say(Say.NOBODY), face.at(at))

        while now <= clock.due_at:
            midnight = _next_midnight(now)
            await _let_pass(scene.stage.pace, show, now, midnight)
            # A moment more, so that what is due at midnight has happened.
            await scene.skipper.fast_forward(scene.review, midnight - now + timedelta(seconds=1))
            now = await scene.skipper.get_current_time(scene.review)
            if midnight >= clock.due_at:
                await scene.reviewed(lambda view: view.overdue)
                await _sent(scene, Template.TICKET_OVERDUE_LEAD)
                face.mark(Say.ESCALATED)
            else:
                if midnight == clock.remind_at:
                    await _sent(scene, Template.TICKET_DUE_SOON)
                    face.mark(Say.AGENTS_REMINDED)
                face.turn_to(now.astimezone(SHANGHAI).date())
            show(now)
    return now - start


async def _sent(scene: Scene, template: Template) -> None:
    await until(scene.messages, lambda sent: any(m.template is template for m in sent), f"message {template}")


async def _let_pass(pace: float, show: Callable[[datetime], None], now: datetime, then: datetime) -> None:
    """Let people see the hand go round; nothing moves on the server meanwhile."""
    if not pace:
        return
    for step in range(_STEPS):
        show(now + (then - now) * step / _STEPS)
        await asyncio.sleep(pace * 4 / _STEPS)


def _next_midnight(after: datetime) -> datetime:
    return CALENDAR.end_of_day(after.astimezone(SHANGHAI).date())
