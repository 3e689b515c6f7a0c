"""Where the stories are shown: a script of who does what, line by line, with live tables below."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from devtools.demo.texts import Say
from domain.locale import Locale

_WIDTH = 110
"""Wider lines are hard to read."""
_ACTOR_WIDTH = 9

_STYLES = {
    Say.OWNER: "bold cyan",
    Say.STAFF: "bold magenta",
    Say.SYSTEM: "bold blue",
    Say.CLOCK: "bold yellow",
    Say.VERIFIED: "bold green",
}


class Stage:
    """`pace` is how long a line stays alone, in seconds; 0 where nobody is watching."""

    def __init__(self, console: Console, locale: Locale, *, pace: float) -> None:
        self.console = console
        self.locale = locale
        self.pace = pace

    @classmethod
    def on_terminal(cls, locale: Locale) -> "Stage":
        console = Console(highlight=False)
        console.width = min(console.width, _WIDTH)
        return cls(console, locale, pace=0.15 if console.is_terminal else 0)

    def say(self, what: Say, **values: object) -> str:
        return what.of(self.locale, **values)

    def chapter(self, number: int, title: Say) -> None:
        self.console.print()
        self.console.print(Rule(Text(f"{number}  {self.say(title)}", "bold"), align="left", style="cyan"))

    async def line(self, actor: Say, what: RenderableType) -> None:
        """One line of the script: who, and what."""
        self.console.print(self.scripted(actor, what))
        await asyncio.sleep(self.pace)

    def below(self, shown: RenderableType) -> None:
        """Something to look at, under the words."""
        self.console.print(Padding(shown, (0, 0, 0, _ACTOR_WIDTH + 2)))

    def scripted(self, actor: Say, what: RenderableType) -> Table:
        grid = Table.grid(padding=(0, 2))
        grid.add_column(width=_ACTOR_WIDTH, justify="right", no_wrap=True)
        # Chinese has no blanks to break at; the default would cut it off.
        grid.add_column(overflow="fold")
        grid.add_row(Text(self.say(actor), _STYLES.get(actor, "bold green")), what)
        return grid

    @contextmanager
    def live(self, actor: Say) -> Iterator["LiveView"]:
        """What an actor does, drawn anew with each `show`; it stays as it was last."""
        view = LiveView(self, actor)
        if not self.console.is_terminal:
            yield view
            self.console.print(view)
            return
        with Live(view, console=self.console, refresh_per_second=12):
            yield view


class LiveView:
    def __init__(self, stage: Stage, actor: Say) -> None:
        self._stage = stage
        self._actor = actor
        self._shown: tuple[RenderableType, ...] = ("",)

    def show(self, *shown: RenderableType) -> None:
        self._shown = shown

    def __rich__(self) -> RenderableType:
        return self._stage.scripted(self._actor, Group(*self._shown))
