"""What a reviewer is shown of the money, of cut lists, and of what an owner will read."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from domain.checks import Entitlement, EntitlementKind
from domain.locale import Locale
from domain.model import VaultRef
from domain.phases import Phase
from domain.tickets import BalanceWish, DecisionKind, IgnoredBecause
from i18n.texts import text
from service.cancellation_service import CancellationService
from tests.console.staff.pages import decide, ticket_page, words
from tests.support.service import Service
from tests.support.tickets import Case, blocked, file, file_in_vault, under_review

BOTH = {"waived": ["BALANCE", "ICP_FILING"]}


async def with_money(service: Service, wish: BalanceWish) -> Case:
    account_id = await blocked(service, None, frozen_fen=1_234)
    return await file(service, account_id, await file_in_vault(service, account_id, wish=wish))


@pytest.fixture
def as_if(
    service: Service, agent: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Awaitable[str]]:
    """A ticket's page, as if its review were `changes` away from what it is."""

    async def look(of: Case, locale: Locale, **changes: Any) -> str:
        review = (await of.view()).model_copy(update=changes)

        async def review_as_if(self: CancellationService, ticket_no: str) -> Any:
            return review

        agent.headers["Accept-Language"] = locale
        with monkeypatch.context() as patch:
            patch.setattr(CancellationService, "review", review_as_if)
            return words(await ticket_page(agent, of))

    return look


@pytest.mark.parametrize("wish", BalanceWish)
async def test_the_owners_word_about_the_money_is_shown(
    service: Service, as_if: Callable[..., Awaitable[str]], wish: BalanceWish
) -> None:
    case = await with_money(service, wish)
    asked = [waiver.check for waiver in (await case.view()).case.waivers_asked]
    assert asked == (["BALANCE"] if wish is BalanceWish.GIVE_UP else [])
    for locale in Locale:
        page = await as_if(case, locale)
        assert f"{text(wish, locale).title} ¥12.34" in page
        told = {Locale.EN: "Return the money (¥12.34) first", Locale.ZH: "请先退还余额 ¥12.34"}[locale]
        assert (told in page) == (wish is BalanceWish.RETURN)
    await case.reject()


@pytest.mark.parametrize("locale", Locale)
async def test_lists_that_are_cut_say_how_many_more_there_are(
    service: Service, as_if: Callable[..., Awaitable[str]], locale: Locale
) -> None:
    case = await under_review(service)
    review = await case.view()
    forfeits = review.case.report.entitlements
    assert forfeits is not None
    items = tuple(Entitlement(entitlement_id=f"V-{n}", kind=EntitlementKind.VOUCHER, value_fen=100) for n in range(20))
    many = forfeits.model_copy(
        update={"items": items, "count": 31, "total_fen": 3_100, "listed": VaultRef(path="x", sha256="0" * 64)}
    )
    report = review.case.report.model_copy(update={"entitlements": many})
    page = await as_if(
        case, locale, case=review.case.model_copy(update={"report": report}), ignored_count=len(review.ignored) + 51
    )
    assert {Locale.EN: "and 11 more", Locale.ZH: "另有 11 项"}[locale] in page
    assert "¥31.00" in page
    assert {Locale.EN: "not listed: 51", Locale.ZH: "还有 51 条更早的未采纳决定"}[locale] in page
    await case.reject()


@pytest.mark.parametrize("locale", Locale)
async def test_whatever_a_decision_was_ignored_for_is_told(
    service: Service, as_if: Callable[..., Awaitable[str]], locale: Locale
) -> None:
    case = await under_review(service)
    await case.signal(DecisionKind.APPROVE, operator="agent-slow")
    [ignored] = (await case.until_ignored()).ignored
    every = tuple(ignored.model_copy(update={"because": because}) for because in IgnoredBecause)
    page = await as_if(case, locale, ignored=every, ignored_count=len(every))
    for because in IgnoredBecause:
        assert text(because, locale).title in page
    await case.reject()


async def test_a_later_decision_is_told_who_was_first_although_the_review_has_ended(
    service: Service, agent: httpx2.AsyncClient
) -> None:
    case = await under_review(service)
    html = await ticket_page(agent, case)
    await case.reject()
    await case.in_phase(Phase.REJECTED)
    await case.review.result()
    answer = await decide(agent, case, DecisionKind.APPROVE, html=html, **BOTH)
    assert answer.status_code == 409
    assert "Somebody was first: agent-7" in words(answer.text)
