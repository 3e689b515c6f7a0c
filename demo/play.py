"""`make demo`: the four stories on a stack of their own, and whether each ended as it should."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rich import box
from rich.columns import Columns
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.proof import Claim
from demo.running import INTERRUPTED, run
from demo.scene import Scene
from demo.stack import Stack
from demo.stage import Stage
from demo.stories import STORIES, Story
from demo.texts import Say
from demo.views import DONE, WRONG
from domain.ids import cancellation_workflow_id, deletion_workflow_id, review_workflow_id
from domain.locale import Locale
from domain.messages import CancellationView
from domain.phases import Phase
from runtime.texts import text
from sandbox.kinds import Endpoint, FaultKind

STORY_LIMIT = 120.0
"""Seconds after which a story that hangs is given up."""

_PLATFORM_PAUSES = {
    Endpoint.BALANCE: 0.3,
    Endpoint.ARREARS: 0.9,
    Endpoint.PROVIDER_ROLES: 0.5,
    Endpoint.ICP_FILINGS: 1.2,
    Endpoint.RESOURCES: 0.7,
    Endpoint.REVOKE_CREDENTIALS: 0.5,
    Endpoint.UNBIND_THIRD_PARTIES: 0.9,
    Endpoint.FORFEIT_ENTITLEMENTS: 0.7,
    Endpoint.PURGE_RESOURCES: 1.1,
    Endpoint.ERASE_PERSONAL_DATA: 0.6,
}
"""Seconds that the sandbox takes over a call, so that a person sees what happens at once and what one by one."""


@dataclass
class Played:
    """A story that was played: what it left behind, and whether everything held."""

    story: Story
    seconds: float = 0
    view: CancellationView | None = None
    claims: list[Claim] = field(default_factory=list)
    skipped: timedelta | None = None
    error: str | None = None
    runs: list[tuple[str, str, int]] = field(default_factory=list)
    """Id, run id and number of history events of each workflow."""

    @property
    def ended_well(self) -> bool:
        return self.error is None and bool(self.claims) and all(claim.holds for claim in self.claims)


def main(lang: Locale, keep: bool) -> int:
    """Play the stories. 0 when every one ended as it should, 1 when not, 4 when the stack did not start."""
    return run(_demo(lang, keep), when_stopped=INTERRUPTED)


async def _demo(locale: Locale, keep: bool) -> int:
    stage = Stage.on_terminal(locale)
    folder = Path(tempfile.mkdtemp(prefix="account-cancellation-"))
    well = False
    try:
        stage.console.print(
            Panel(
                stage.say(Say.SUBTITLE), title=f"[bold]{stage.say(Say.TITLE)}[/]", border_style="cyan", box=box.ROUNDED
            )
        )
        well = await _on_stack(stage, folder, keep)
    finally:
        # Whoever has to find out what went wrong needs the logs.
        if well:
            shutil.rmtree(folder, ignore_errors=True)
        else:
            stage.console.print(stage.say(Say.LOGS_IN, folder=folder), style="dim")
    return 0 if well else 1


async def _on_stack(stage: Stage, folder: Path, keep: bool) -> bool:
    status = stage.console.status(stage.say(Say.STARTING))
    status.start()
    try:
        async with Stack.start(folder, ui=keep) as stack:
            status.stop()
            await _line_up(stage, stack)
            played = await play(stack, stage, STORIES)
            well = _sum_up(stage, played)
            if keep and not await _keep(stage, stack, played):
                well = False
    finally:
        status.stop()
    return well


async def _line_up(stage: Stage, stack: Stack) -> None:
    for name, program, where in (
        ("Temporal", stack.temporal, stack.temporal_address),
        ("platform", stack.platform_server, stack.platform_url),
        ("worker", stack.worker, "-"),
    ):
        stage.console.print(f"  [green]✓[/] {name:<9} [dim]pid {program.pid}  {where}[/]")
    if stage.pace:
        for endpoint, seconds in _PLATFORM_PAUSES.items():
            await stack.store.add_fault(endpoint, FaultKind.LATENCY, seconds=seconds, times=None)


async def play(stack: Stack, stage: Stage, stories: Sequence[Story]) -> list[Played]:
    """Play one after the other; one that breaks off does not keep the next from being played."""
    return [await _play_one(stack, stage, number, story) for number, story in enumerate(stories, 1)]


async def _play_one(stack: Stack, stage: Stage, number: int, story: Story) -> Played:
    played = Played(story)
    scene = Scene(stack, stage, story.account_id)
    started = time.monotonic()
    stage.chapter(number, story.title)
    try:
        async with asyncio.timeout(STORY_LIMIT):
            ending = await story.play(scene)
        played.claims, played.skipped = ending.claims, ending.skipped
        played.runs = [await _run_of(stack, workflow_id) for workflow_id in _workflows(scene)]
        played.view = await scene.refresh()
        await stage.line(Say.VERIFIED, _claims(played.claims))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the story ended wrongly and the next one is due
        played.error = str(error) or type(error).__name__
        stage.console.print(stage.say(Say.BROKEN_OFF, error=played.error), style="bold red", markup=False)
    played.seconds = time.monotonic() - started
    return played


def _workflows(scene: Scene) -> Iterable[str]:
    yield cancellation_workflow_id(scene.account_id)
    if scene.ticket:
        yield review_workflow_id(scene.ticket.ticket_no)
    if scene.view.phase is Phase.CLOSED:
        yield deletion_workflow_id(scene.account_id)


async def _run_of(stack: Stack, workflow_id: str) -> tuple[str, str, int]:
    found = await stack.client.get_workflow_handle(workflow_id).describe()
    return workflow_id, found.run_id, found.history_length


def _claims(claims: Sequence[Claim]) -> Columns:
    """As many in a row as fit: what held is quickly read, what did not stands out."""
    return Columns(
        [Text.assemble(DONE if c.holds else WRONG, " ", (c.what, "" if c.holds else "bold red")) for c in claims],
        padding=(0, 3),
    )


def _sum_up(stage: Stage, played: Sequence[Played]) -> bool:
    say, locale = stage.say, stage.locale
    table = Table(
        title=say(Say.SUMMARY), title_style="bold", box=box.ROUNDED, border_style="cyan", title_justify="left"
    )
    table.add_column(f"{say(Say.COL_ACCOUNT)}\n{say(Say.COL_REQUEST)}", no_wrap=True)
    for column in (Say.COL_ROUTE, Say.COL_OUTCOME, Say.VERIFIED):
        table.add_column(say(column), no_wrap=True)
    table.add_column(say(Say.COL_TIME), justify="right", no_wrap=True)
    table.add_column(say(Say.COL_EVENTS), justify="right")
    for one in played:
        view = one.view
        style = "green" if one.ended_well else "bold red"
        held = sum(claim.holds for claim in one.claims)
        time_taken = f"{one.seconds:.1f} s"
        if one.skipped:
            time_taken += "\n" + say(Say.VIRTUAL, days=f"{one.skipped / timedelta(days=1):.1f}")
        events = [events for _, _, events in one.runs]
        table.add_row(
            Text.assemble((one.story.account_id, "bold"), "\n", (view.request_no if view else "-", "dim")),
            text(view.route, locale).title if view and view.route else "-",
            Text(text(view.phase, locale).title if view else "-", style),
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
    return not wrong


async def _keep(stage: Stage, stack: Stack, played: Sequence[Played]) -> bool:
    """Keep the stack running until Ctrl-C. False when one of its programs ended first."""
    stage.console.print()
    stage.console.print(stage.say(Say.KEPT), style="bold")
    for one in played:
        for workflow_id, run_id, _ in one.runs:
            # Unbroken, so that a terminal makes it a link.
            stage.console.print(f"  {stack.workflow_url(workflow_id, run_id)}", soft_wrap=True, style="cyan")
    try:
        ended = await stack.wait_for_an_end()
    except asyncio.CancelledError:
        # This is the way to end it: the exit code is still that of the stories.
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        stage.console.print(stage.say(Say.STOPPING))
        return True
    stage.console.print(stage.say(Say.PROGRAM_ENDED, name=ended.name, log=ended.log), style="bold red")
    return False
