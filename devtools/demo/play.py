"""`make demo`: the four stories on a stack of their own, and whether each ended as it should."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import cycle
from pathlib import Path

from rich import box
from rich.columns import Columns
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from devtools.demo.programs import FAILED, INTERRUPTED, run
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from devtools.demo.stories import STORIES, Claims, Story
from domain.locale import Locale
from gateways.contract import CLOSURE_PHASES, READS
from i18n.texts import text
from simulator.kinds import FaultKind

STORY_LIMIT = 120.0
"""Seconds after which a story that hangs is given up."""

_PAUSES = (0.1, 0.4, 0.2, 0.5, 0.3)
"""Seconds that the simulator takes over one call after the other, so that a person sees what happens at once and what
one by one."""


@dataclass
class Played:
    """A story that was played: what it left behind, and whether everything held."""

    scene: Scene
    claims: Claims = field(default_factory=dict)
    seconds: float = 0
    error: str | None = None

    @property
    def ended_well(self) -> bool:
        return self.error is None and bool(self.claims) and all(self.claims.values())


def main(lang: Locale, keep: bool) -> int:
    """Play the stories; with `keep` the stack then goes on running until Ctrl-C.

    0 when every story ended as it should, 1 when not, 130 when broken off. Raises `StartFailed`.
    """
    return run(_demo(lang, keep), when_stopped=INTERRUPTED)


async def _demo(locale: Locale, keep: bool) -> int:
    stage = Stage.on_terminal(locale)
    title = Text(stage.say("账号注销 · 本机演示", "Account cancellation · played on this machine"), "bold")
    what = stage.say(
        "真实的 Temporal 服务器、模拟云平台与 worker，各自独立进程；四个故事，从申请到不可恢复的删除。",
        "A real Temporal server, a pretend cloud platform and the worker, each a process of its own; "
        "four stories, from the first click to irreversible deletion.",
    )
    stage.console.print(Panel(what, title=title, border_style="cyan", box=box.ROUNDED))
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
            stage.console.print(stage.say(f"日志：{folder}", f"logs: {folder}"), style="dim", soft_wrap=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
    return code


async def _on_stack(stage: Stage, folder: Path, keep: bool) -> int:
    with stage.console.status(stage.say("正在启动本机环境", "starting the local stack")) as status:
        async with Stack.start(folder, ui=keep, console=keep) as stack:
            status.stop()
            for program in stack.programs:
                stage.console.print(f"  [green]✓[/] {program}")
            if stage.pace:
                slow = (*(read.path for read in READS.values()), *CLOSURE_PHASES)
                for endpoint, seconds in zip(slow, cycle(_PAUSES), strict=False):
                    await stack.store.add_fault(endpoint, FaultKind.LATENCY, seconds=seconds, times=None)
            played = await play(stack, stage, STORIES)
            sum_up(stage, played)
            if keep and not await _keep(stage, stack):
                return FAILED
            return exit_code(played)


async def play(stack: Stack, stage: Stage, stories: Mapping[str, Story]) -> list[Played]:
    """Play one after the other; one that breaks off does not keep the next from being played."""
    return [await _play_one(Scene(stack, stage, account_id), story) for account_id, story in stories.items()]


async def _play_one(scene: Scene, story: Story) -> Played:
    played, stage = Played(scene), scene.stage
    started = time.monotonic()
    try:
        async with asyncio.timeout(STORY_LIMIT):
            played.claims = await story(scene)
            await scene.refresh()
        await stage.line(scene.say("核验", "verified"), _shown(played.claims))
    except Exception as error:  # noqa: BLE001 - whatever goes wrong, the story ended wrongly and the next one is due
        played.error = f"{type(error).__name__}: {error}"
        broken = scene.say(f"故事中断：{played.error}", f"The story broke off: {played.error}")
        stage.console.print(broken, style="bold red", markup=False)
    played.seconds = time.monotonic() - started
    return played


def _shown(claims: Claims) -> Columns:
    """As many in a row as fit: what held is quickly read, what did not stands out."""
    shown = [
        Text.assemble(("✓ ", "bold green"), what) if holds else Text(f"✗ {what}", "bold red")
        for what, holds in claims.items()
    ]
    return Columns(shown, padding=(0, 3))


def exit_code(played: Sequence[Played]) -> int:
    """0 only if every story ended as it should."""
    return 0 if played and all(one.ended_well for one in played) else FAILED


def sum_up(stage: Stage, played: Sequence[Played]) -> None:
    """The table of what happened, and in a line whether all of it should have."""
    locale = stage.locale
    table = Table(
        title=stage.say("发生了什么", "What happened"), title_style="bold", title_justify="left", box=box.ROUNDED
    )
    for column in (
        stage.say("账号", "account"),
        stage.say("申请编号", "request no."),
        stage.say("结果", "outcome"),
        stage.say("核验", "verified"),
        stage.say("用时", "time"),
    ):
        table.add_column(column)
    for one in played:
        view = one.scene.last_view
        seconds = f"{one.seconds:.1f} s"
        if one.scene.skipped:
            days = f"{one.scene.skipped / timedelta(days=1):.1f}"
            seconds += "\n" + stage.say(f"+ {days} 天（虚拟）", f"+ {days} d (virtual)")
        table.add_row(
            one.scene.account_id,
            view.request_no if view else "-",
            text(view.phase, locale).title if view else "-",
            f"{sum(one.claims.values())}/{len(one.claims)}",
            seconds,
            style="" if one.ended_well else "bold red",
        )
    stage.console.print()
    stage.console.print(table)
    wrong = ", ".join(one.scene.account_id for one in played if not one.ended_well)
    if wrong:
        told = stage.say(f"有故事没有如期结束：{wrong}。", f"Not every story ended as it should: {wrong}.")
    else:
        told = stage.say("四个故事都如期结束。", "Every story ended as it should.")
    stage.console.print(told, style="bold red" if wrong else "bold green")


async def _keep(stage: Stage, stack: Stack) -> bool:
    """Keep the stack running until Ctrl-C. False when one of its programs ended first."""
    running = stage.say(
        "环境继续运行（Ctrl-C 停止）。控制台无需密码，可以扮演任何角色。",
        "The stack keeps running (Ctrl-C ends it). At the console take any role, without a password.",
    )
    stage.console.print(f"\n[bold]{running}[/]")
    # Unbroken, so that a terminal makes each a link.
    stage.console.print(stage.say(f"控制台：{stack.console_url}", f"Console: {stack.console_url}"), soft_wrap=True)
    stage.console.print(f"Temporal UI: {stack.ui_url}", soft_wrap=True)
    try:
        ended = await stack.wait_for_an_end()
    except asyncio.CancelledError:
        # This is the way to end it: the exit code is still that of the stories.
        task = asyncio.current_task()
        assert task is not None
        task.uncancel()
        stage.console.print(stage.say("正在停止……", "stopping ..."))
        return True
    unexpectedly = stage.say(
        f"{ended.name} 意外退出；日志：{ended.log}", f"{ended.name} ended unexpectedly; its log: {ended.log}"
    )
    stage.console.print(unexpectedly, style="bold red")
    return False
