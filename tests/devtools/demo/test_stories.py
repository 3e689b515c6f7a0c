"""The stories on one stack: they end as they should, and it is told when they do not."""

import asyncio
import io
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
from rich.console import Console

from devtools.demo.play import play
from devtools.demo.proof import Claim
from devtools.demo.scene import Scene
from devtools.demo.stack import Stack
from devtools.demo.stage import Stage
from devtools.demo.stories import STORIES, Ending, Story
from devtools.demo.summary import Played, exit_code, sum_up
from devtools.demo.texts import Say
from domain.business_calendar import CALENDAR
from domain.errors import ErrorType
from domain.locale import Locale
from domain.phases import Phase
from simulator.kinds import Endpoint, FaultKind

CLEAN, UNANSWERED = STORIES[0], STORIES[3]


@pytest_asyncio.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with Stack.start(tmp_path_factory.mktemp("demo")) as running:
        yield running


def a_stage(locale: Locale = Locale.EN) -> tuple[Stage, io.StringIO]:
    shown = io.StringIO()
    return Stage(Console(file=shown, width=110), locale, pace=0), shown


async def test_a_story_is_told_in_chinese_down_to_the_table(stack: Stack) -> None:
    stage, shown = a_stage(Locale.ZH)
    [account_id] = await stack.store.add_clean_accounts("demo-zh", 1)
    played = await play(stack, stage, [replace(CLEAN, account_id=account_id)])
    sum_up(stage, played)
    assert exit_code(played) == 0, shown.getvalue()
    for words in ("自助注销", "全部检测同时进行", "已越过不可逆点", "注销证明", "个人信息已清空", "四个故事都如期结束"):
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
    played = await play(stack, stage, [replace(CLEAN, account_id=account_id) for account_id in (stalling, fine)])
    sum_up(stage, played)
    assert [one.ended_well for one in played] == [False, True]
    assert exit_code(played) == 1
    assert played[0].view is not None
    assert played[0].view.phase is Phase.DELETION_STALLED
    assert f"Not every story ended as it should: {stalling}." in shown.getvalue()


async def test_a_status_alone_does_not_convince_when_the_facts_at_the_platform_are_others(stack: Stack) -> None:
    [account_id] = await stack.store.add_clean_accounts("demo-facts", 1)

    async def data_come_back(scene: Scene) -> Ending:
        """What a platform would look like that says "erased" and is not."""
        await CLEAN.play(scene)
        await stack.store.set_facts(scene.account_id, channels="PHONE")
        from devtools.demo.proof import closed_for_good

        return Ending(await closed_for_good(scene))

    stage, _ = a_stage()
    played = await play(stack, stage, [Story(Say.CLEAN, account_id, data_come_back)])
    assert [claim.what for claim in played[0].claims if not claim.holds] == [Say.V_NO_PERSONAL_DATA.of(Locale.EN)]
    assert exit_code(played) == 1


async def test_the_decision_on_an_unanswered_ticket_carries_the_time_of_its_own_clock(stack: Stack) -> None:
    stage, shown = a_stage()
    [account_id] = await stack.store.add_clean_accounts("demo-late", 1)
    await stack.store.set_facts(account_id, icp_applications_ever=1)
    scene = Scene(stack, stage, account_id)
    ending = await UNANSWERED.play(scene)
    assert [claim for claim in ending.claims if not claim.holds] == [], shown.getvalue()
    assert scene.ticket is not None
    review = await stack.cancellations.review(scene.ticket.ticket_no)
    assert review.clock is not None
    decided_at = review.decisions[-1].decision.decided_at
    assert review.clock.due_at < decided_at < CALENDAR.next_day_end(review.clock.due_at)
    assert ending.skipped is not None
    assert ending.skipped > timedelta(days=2)


def test_no_story_and_no_claim_is_no_success() -> None:
    assert exit_code([]) == 1
    assert exit_code([Played(CLEAN)]) == 1
    assert exit_code([Played(CLEAN, claims=[Claim("held", True)])]) == 0
    assert exit_code([Played(CLEAN, claims=[Claim("held", True), Claim("did not", False)])]) == 1


async def test_a_program_that_ends_by_itself_is_noticed(stack: Stack) -> None:
    waiting = asyncio.create_task(stack.wait_for_an_end())
    await stack.worker.kill()
    assert await waiting is stack.worker
    await stack.worker.start()
    assert stack.worker.pid is not None
