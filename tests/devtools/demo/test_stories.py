"""The stories on one stack: they end as they should, and it is told when they do not."""

import asyncio
import io
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio
from rich.console import Console

from devtools.demo.play import Played, exit_code, play, sum_up
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from devtools.demo.stories import Claims, clean, closed_for_good, unanswered
from domain.business_calendar import CALENDAR
from domain.errors import ErrorType
from domain.locale import Locale
from domain.phases import Phase
from simulator.kinds import Endpoint, FaultKind


@pytest_asyncio.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack.start(tmp_path_factory.mktemp("demo")) as running:
        yield running


def a_stage(locale: Locale = Locale.EN) -> tuple[Stage, io.StringIO]:
    shown = io.StringIO()
    return Stage(Console(file=shown, width=110), locale), shown


async def test_a_story_is_told_in_chinese_down_to_the_table(stack: Stack) -> None:
    stage, shown = a_stage(Locale.ZH)
    [account_id] = await stack.store.add_clean_accounts("demo-zh", 1)
    played = await play(stack, stage, {account_id: clean})
    sum_up(stage, played)
    assert exit_code(played) == 0, shown.getvalue()
    for words in ("自助注销", "各项检测同时进行", "已越过不可逆点", "注销证明", "个人信息已清空", "四个故事都如期结束"):
        assert words in shown.getvalue()


async def test_a_deletion_that_stalls_ends_its_story_wrongly_and_the_next_one_is_still_played(stack: Stack) -> None:
    stage, shown = a_stage()
    stalling, fine = await stack.store.add_clean_accounts("demo-stall", 2)
    await stack.store.add_fault(
        Endpoint.ERASE_PERSONAL_DATA,
        FaultKind.ERROR,
        problem=ErrorType.REQUEST_INVALID,
        account_id=stalling,
        times=None,
    )
    played = await play(stack, stage, {stalling: clean, fine: clean})
    sum_up(stage, played)
    assert [one.ended_well for one in played] == [False, True]
    assert exit_code(played) == 1
    assert played[0].scene.view.phase is Phase.DELETION_STALLED
    assert f"Not every story ended as it should: {stalling}." in shown.getvalue()


async def test_a_status_alone_does_not_convince_when_the_facts_at_the_platform_are_others(stack: Stack) -> None:
    [account_id] = await stack.store.add_clean_accounts("demo-facts", 1)

    async def data_come_back(scene: Scene) -> Claims:
        """What a platform would look like that says "erased" and is not."""
        await clean(scene)
        await stack.store.set_facts(scene.account_id, channels="PHONE")
        return await closed_for_good(scene)

    stage, _ = a_stage()
    played = await play(stack, stage, {account_id: data_come_back})
    assert [claim for claim, holds in played[0].claims.items() if not holds] == ["no personal data left"]
    assert exit_code(played) == 1


async def test_the_decision_on_an_unanswered_ticket_carries_the_time_of_its_own_clock(stack: Stack) -> None:
    stage, shown = a_stage()
    [account_id] = await stack.store.add_clean_accounts("demo-late", 1)
    await stack.store.set_facts(account_id, icp_applications_ever=1)
    scene = Scene(stack, stage, account_id)
    claims = await unanswered(scene)
    assert [claim for claim, holds in claims.items() if not holds] == [], shown.getvalue()
    review = await stack.cancellations.review(scene.ticket_no)
    assert review.clock is not None
    decided_at = review.decisions[-1].decision.decided_at
    assert review.clock.due_at < decided_at < CALENDAR.next_day_end(review.clock.due_at)
    assert scene.skipped is not None
    assert scene.skipped > timedelta(days=2)


def test_no_story_and_no_claim_is_no_success(stack: Stack) -> None:
    stage, _ = a_stage()
    scene = Scene(stack, stage, "acct-1")
    assert exit_code([]) == 1
    assert exit_code([Played(scene)]) == 1
    assert exit_code([Played(scene, {"held": True})]) == 0
    assert exit_code([Played(scene, {"held": True, "did not": False})]) == 1
    assert exit_code([Played(scene, {"held": True}, error="broke off")]) == 1


async def test_a_program_that_ends_by_itself_is_noticed(stack: Stack) -> None:
    waiting = asyncio.create_task(stack.wait_for_an_end())
    await stack.worker.kill()
    assert await waiting is stack.worker
    await stack.worker.start()
    assert stack.worker.is_running
