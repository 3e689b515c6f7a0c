"""The part that moves by itself: something new, nothing, or "this page is over"."""

from collections.abc import Callable

from domain.checks import Check
from simulator.kinds import Endpoint, FaultKind
from tests.console.owner.pages import Owner, Page
from tests.support.service import Service, eventually
from tests.support.tickets import awaiting_confirmation, awaiting_notice, fault, under_review

OwnerOf = Callable[[str], Owner]


def live(page: Page) -> str:
    return page.find("div", id="live").attributes["hx-get"]


async def test_nothing_new_is_no_content(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    owner = owner_of(case.account_id)
    page = await owner.look()
    answer = await owner.browser.get(live(page))
    assert (answer.status_code, answer.content) == (204, b"")
    assert "HX-Redirect" not in answer.headers


async def test_a_row_that_is_new_comes_as_a_fragment(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_notice(service)
    owner = owner_of(account_id)
    async with fault(service, Endpoint.ICP_FILINGS, FaultKind.ERROR, account_id=account_id, status=503):
        page = await owner.send("/owner/notice")
        address = live(page).partition("&seen=")[0] + "&seen=nothing"
        fragment = await eventually(
            lambda: owner.look(address), lambda page: list(page.verdicts.values()).count("PASSED") == len(Check) - 1
        )
    assert "<html" not in fragment.answer.text
    assert fragment.find("div", id="live").attributes["hx-trigger"] == "every 1s"


async def test_another_phase_opens_the_page_anew(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    owner = owner_of(case.account_id)
    address = live(await owner.look())
    await case.ask_for_materials()
    answer = await owner.browser.get(address)
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (204, "/owner")


async def test_receipts_appear_while_the_deletion_runs(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    async with fault(service, Endpoint.ERASE_PERSONAL_DATA, FaultKind.ERROR, account_id=account_id, status=503):
        await service.confirm(account_id)
        page = await eventually(owner.look, lambda page: "5 of 7 done" in page.text)
        states = {
            row.attributes["data-deletion"]: row.attributes["class"]
            for row in page.find_all("li")
            if "data-deletion" in row.attributes
        }
    assert list(states) == [
        "revoke-credentials",
        "unbind-third-parties",
        "forfeit-entitlements",
        "purge-resources",
        "send-final-notice",
        "erase-personal-data",
        "issue-certificate",
    ]
    assert list(states.values()) == ["row good"] * 5 + ["row waiting"] * 2
    await owner.until("The account is closed")


async def test_pages_where_only_people_move_on_do_not_ask(service: Service, owner_of: OwnerOf) -> None:
    page = await owner_of(await awaiting_notice(service)).look()
    assert "hx-get" not in page.answer.text
