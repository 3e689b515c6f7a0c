"""`make demo`: the four stories on a stack of their own, and whether each ended as it should."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path

from rich import box
from rich.panel import Panel
from rich.text import Text

from devtools.demo.running import FAILED, INTERRUPTED, run
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from devtools.demo.stories import STORIES, Story
from devtools.demo.summary import Played, claims_text, exit_code, sum_up
from devtools.demo.texts import Say
from domain.ids import cancellation_workflow_id, deletion_workflow_id, review_workflow_id
from domain.locale import Locale
from domain.phases import Phase
from simulator.kinds import Endpoint, FaultKind

STORY_LIMIT = 120.0
"""Seconds after which a story that hangs is given up."""

_PLATFORM_PAUSES = {
    Endpoint.BALANCE: 0.1,
    Endpoint.ARREARS: 0.4,
    Endpoint.PROVIDER_ROLES: 0.2,
    Endpoint.ICP_FILINGS: 0.5,
    Endpoint.RESOURCES: 0.3,
    Endpoint.REVOKE_CREDENTIALS: 0.2,
    Endpoint.UNBIND_THIRD_PARTIES: 0.5,
    Endpoint.FORFEIT_ENTITLEMENTS: 0.3,
    Endpoint.PURGE_RESOURCES: 0.6,
    Endpoint.ERASE_PERSONAL_DATA: 0.4,
}
"""Seconds that the simulator takes over a call, so that a person sees what happens at once and what one by one."""


def main(lang: Locale, keep: bool) -> int:
    """Play the stories; with `keep` the stack then goes on running until Ctrl-C.

    0 when every story ended as it should, 1 when not, 130 when broken off. Raises `StartFailed`.
    """
    return run(_demo(lang, keep), when_stopped=INTERRUPTED)


async def _demo(locale: Locale, keep: bool) -> int:
    stage = Stage.on_terminal(locale)
    title = Text(stage.say(Say.TITLE), "bold")
    stage.console.print(Panel(stage.say(Say.SUBTITLE), title=title, border_style="cyan", box=box.ROUNDED))
    folder = Path(tempfile.mkdtemp(prefix="account-cancellation-"))
    code = FAILED
    try:
        code = await _on_stack(stage, folder, keep)
    except asyncio.CancelledError:
        code = INTERRUPTED
        raise
    finally:
        # Whoever has to find out what went wrong needs the logs.
        if code == FAILED:
            stage.console.print(stage.say(Say.LOGS_IN, folder=folder), style="dim", soft_wrap=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


async def _on_stack(stage: Stage, folder: Path, keep: bool) -> int:
    with stage.console.status(stage.say(Say.STARTING)) as status:
        async with Stack.start(folder, ui=keep, console=keep) as stack:
            status.stop()
            await _line_up(stage, stack)
            played = await play(stack, stage, STORIES)
            sum_up(stage, played)
            if keep and not await _keep(stage, stack, played):
                return FAILED
            return exit_code(played)


async def _line_up(stage: Stage, stack: Stack) -> None:
    places = (stack.temporal_address, stack.platform_url, stack.task_queue, stack.console_url)
    for program, where in zip(stack.programs, places, strict=False):
        stage.console.print(f"  [green]✓[/] {program.name:<9} [dim]pid {program.pid}  {where}[/]")
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
        played.events = {workflow_id: await _events_of(stack, workflow_id) for workflow_id in _workflows(scene)}
        played.view = await scene.refresh()
        await stage.line(Say.VERIFIED, claims_text(played.claims))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the story ended wrongly and the next one is due
        played.error = f"{type(error).__name__}: {error}"
        played.view = scene.last_view
        stage.console.print(stage.say(Say.BROKEN_OFF, error=played.error), style="bold red", markup=False)
    played.seconds = time.monotonic() - started
    return played


def _workflows(scene: Scene) -> Iterable[str]:
    yield cancellation_workflow_id(scene.account_id)
    if scene.ticket:
        yield review_workflow_id(scene.ticket.ticket_no)
    if scene.view.phase is Phase.CLOSED:
        yield deletion_workflow_id(scene.account_id)


async def _events_of(stack: Stack, workflow_id: str) -> int:
    return (await stack.client.get_workflow_handle(workflow_id).describe()).history_length


async def _keep(stage: Stage, stack: Stack, played: Sequence[Played]) -> bool:
    """Keep the stack running until Ctrl-C. False when one of its programs ended first."""
    stage.console.print()
    stage.console.print(stage.say(Say.KEPT), style="bold")
    stage.console.print(stage.say(Say.CONSOLE, url=stack.console_url), soft_wrap=True)
    stage.console.print(stage.say(Say.WORKFLOWS))
    for one in played:
        for workflow_id in one.events:
            # Unbroken, so that a terminal makes it a link.
            stage.console.print(f"  {stack.workflow_url(workflow_id)}", soft_wrap=True, style="cyan")
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
