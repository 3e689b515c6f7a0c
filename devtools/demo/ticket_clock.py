"""The clock of one ticket, moved on day by day until its deadline has passed, and shown while it moves."""

import asyncio
from datetime import date, datetime, timedelta

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from devtools.demo.scene import Scene, until
from domain.business_calendar import CALENDAR, SHANGHAI
from domain.messages import ReviewClock
from domain.notifications import Template
from domain.policy import Policy
from i18n.formatting import time

_STEPS = 16
"""Positions of the hand between two midnights."""

_A_MOMENT_MORE = Policy().alarms_spread_over + timedelta(seconds=1)
"""Past midnight whatever was due then has happened, of any request."""


async def pass_deadline(scene: Scene, clock: ReviewClock) -> None:
    """Skip time, midnight by midnight, until the deadline has passed and was escalated."""
    pace = scene.stage.pace
    start = now = await scene.skipper.get_current_time(scene.review)
    today = start.astimezone(SHANGHAI).date()
    days = [(today, scene.say("提交工单", "ticket filed"))]
    with scene.stage.live() as live:

        def show(at: datetime) -> None:
            nobody = scene.say(
                "没有人处理。时间快进（只快进这一个工作流的时钟）：",
                "Nobody answers. Time is skipped, for this one workflow:",
            )
            shown = Group(nobody, _face(scene, at, days))
            live.update(scene.stage.scripted(scene.say("时钟", "clock"), shown, "bold yellow"))

        while now <= clock.due_at:
            midnight = CALENDAR.end_of_day(today)
            for step in range(_STEPS if pace else 0):
                # The hand goes round for people; nothing moves on the server meanwhile.
                show(now + (midnight - now) * step / _STEPS)
                await asyncio.sleep(pace * 4 / _STEPS)
            await scene.skipper.fast_forward(scene.review, midnight - now + _A_MOMENT_MORE)
            now = await scene.skipper.get_current_time(scene.review)
            event = ""
            if midnight >= clock.due_at:
                await scene.reviewed(lambda view: view.overdue)
                await _sent(scene, Template.TICKET_OVERDUE_LEAD)
                event = scene.say("到期，升级", "deadline: escalated")
            elif midnight == clock.remind_at:
                await _sent(scene, Template.TICKET_DUE_SOON)
                event = scene.say("提醒客服", "agents reminded")
            days[-1] = (today, days[-1][1] or event)
            if midnight < clock.due_at:
                today += timedelta(days=1)
                days.append((today, ""))
            show(now)
    scene.skipped = now - start


def _face(scene: Scene, now: datetime, days: list[tuple[date, str]]) -> Panel:
    """The time, each day that it has been through, and what happened at its end."""
    grid = Table.grid(padding=(0, 2))
    business_days = 0
    for number, (day, event) in enumerate(days):
        kind = scene.say("周末", "weekend")
        if CALENDAR.is_business_day(day):
            # The day of filing is not counted.
            business_days += number > 0
            kind = scene.say(f"第 {business_days} 个工作日", f"business day {business_days}") if number else ""
        elif holiday := next((h for h in CALENDAR.year(day.year).holidays if day in h), None):
            kind = scene.say(holiday.name, holiday.name_en)
        grid.add_row(str(day), Text(kind, "dim"), Text(event, "bold yellow"))
    title = Text.assemble(
        (scene.say("工单的虚拟时钟", "virtual clock of the ticket"), "dim"), f"  {time(now, scene.locale)}"
    )
    return Panel(grid, title=title, title_align="left", border_style="yellow", box=box.ROUNDED, width=64)


async def _sent(scene: Scene, template: Template) -> None:
    await until(scene.messages, lambda sent: any(m.template is template for m in sent), f"message {template}")
