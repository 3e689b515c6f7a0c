"""What is left of a story when it is over, and the table of all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from rich import box
from rich.columns import Columns
from rich.table import Table
from rich.text import Text

from devtools.demo.proof import Claim
from devtools.demo.stage import Stage
from devtools.demo.stories import Story
from devtools.demo.texts import Say
from devtools.demo.views import DONE, WRONG
from domain.messages import CancellationView
from i18n.texts import text


@dataclass
class Played:
    """A story that was played: what it left behind, and whether everything held."""

    story: Story
    seconds: float = 0
    view: CancellationView | None = None
    claims: list[Claim] = field(default_factory=list)
    skipped: timedelta | None = None
    error: str | None = None
    events: dict[str, int] = field(default_factory=dict)
    """How many history events each workflow has, by its id."""

    @property
    def ended_well(self) -> bool:
        return self.error is None and bool(self.claims) and all(claim.holds for claim in self.claims)


def exit_code(played: Sequence[Played]) -> int:
    """0 only if every story ended as it should."""
    return 0 if played and all(one.ended_well for one in played) else 1


def claims_text(claims: Sequence[Claim]) -> Columns:
    """As many in a row as fit: what held is quickly read, what did not stands out."""
    return Columns(
        [Text.assemble(DONE if c.holds else WRONG, " ", (c.what, "" if c.holds else "bold red")) for c in claims],
        padding=(0, 3),
    )


def sum_up(stage: Stage, played: Sequence[Played]) -> None:
    """The table of what happened, and in a line whether all of it should have."""
    say, locale = stage.say, stage.locale
    table = Table(
        title=say(Say.SUMMARY), title_style="bold", box=box.ROUNDED, border_style="cyan", title_justify="left"
    )
    for upper, lower in ((Say.COL_ACCOUNT, Say.COL_REQUEST), (Say.COL_OUTCOME, Say.COL_ROUTE)):
        table.add_column(f"{say(upper)}\n[dim]{say(lower)}[/]", no_wrap=True)
    for column in (Say.VERIFIED, Say.COL_TIME, Say.COL_EVENTS):
        table.add_column(say(column), justify="right", no_wrap=True)
    for one in played:
        view = one.view
        style = "green" if one.ended_well else "bold red"
        held = sum(claim.holds for claim in one.claims)
        time_taken = f"{one.seconds:.1f} s"
        if one.skipped:
            time_taken += "\n+ " + say(Say.VIRTUAL, days=f"{one.skipped / timedelta(days=1):.1f}")
        events = one.events.values()
        table.add_row(
            Text.assemble((one.story.account_id, "bold"), "\n", (view.request_no if view else "-", "dim")),
            Text.assemble(
                (text(view.phase, locale).title if view else "-", style),
                "\n",
                (text(view.route, locale).title if view and view.route else "-", "dim"),
            ),
            Text(f"{held}/{len(one.claims)}" if one.claims else "✗", style),
            time_taken,
            f"{sum(events)}\n[dim]{' + '.join(map(str, events))}[/]" if events else "-",
        )
    stage.console.print()
    stage.console.print(table)
    stage.console.print(say(Say.EVENTS_NOTE), style="dim")
    wrong = [one.story.account_id for one in played if not one.ended_well]
    if wrong:
        stage.console.print(say(Say.NOT_WELL, stories=", ".join(wrong)), style="bold red")
    else:
        stage.console.print(say(Say.ALL_WELL), style="bold green")
