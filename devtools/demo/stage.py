"""Where the stories are shown: a script of who does what, line by line, with live tables below."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from io import StringIO

from rich.console import Console, RenderableType
from rich.live import Live
from rich.rule import Rule
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from devtools.demo.languages import pick
from domain.locale import Locale

_WIDTH = 110
"""Wider lines are hard to read."""


@cache
def busy(words: str) -> Spinner:
    """What still goes on. The same one for the same words: a new one with each drawing would never turn."""
    return Spinner("dots", f" {words}", style="cyan")


@dataclass
class Stage:
    """`pace` is how long a line stays alone, in seconds; 0 where nobody is watching."""

    console: Console
    locale: Locale
    pace: float = 0
    chapters: int = field(default=0, init=False)

    @classmethod
    def on_terminal(cls, locale: Locale) -> "Stage":
        console = Console(highlight=False)
        console.width = min(console.width, _WIDTH)
        return cls(console, locale, pace=0.15 if console.is_terminal else 0)

    @classmethod
    def unseen(cls, locale: Locale = Locale.EN) -> "Stage":
        return cls(Console(file=StringIO()), locale)

    def say(self, zh: str, en: str) -> str:
        return pick(self.locale, zh, en)

    def chapter(self, zh: str, en: str) -> None:
        self.chapters += 1
        self.console.print()
        self.console.print(Rule(Text(f"{self.chapters}  {self.say(zh, en)}", "bold"), align="left", style="cyan"))

    async def owner(self, zh: str, en: str) -> None:
        await self.line(self.say("用户", "owner"), self.say(zh, en), "bold cyan")

    async def staff(self, zh: str, en: str) -> None:
        await self.line(self.say("客服", "staff"), self.say(zh, en), "bold magenta")

    async def system(self, zh: str, en: str) -> None:
        await self.line(self.say("系统", "system"), self.say(zh, en), "bold blue")

    async def line(self, who: str, what: RenderableType, style: str = "bold green") -> None:
        """One line of the script: who, and what."""
        self.console.print(self.scripted(who, what, style))
        await asyncio.sleep(self.pace)

    def scripted(self, who: str, what: RenderableType, style: str) -> Table:
        grid = Table.grid(padding=(0, 2), expand=True)
        grid.add_column(width=9, justify="right", no_wrap=True)
        # Chinese has no blanks to break at; the default would cut it off.
        grid.add_column(overflow="fold", ratio=1)
        grid.add_row(Text(who, style), Text(what) if isinstance(what, str) else what)
        return grid

    @contextmanager
    def live(self) -> Iterator[Live]:
        """Drawn anew with each update; it stays as it was last."""
        with Live(console=self.console, refresh_per_second=12) as live:
            yield live
        if not self.console.is_terminal:
            self.console.print()
