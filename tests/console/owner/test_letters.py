"""The letter on the owner's pages: what is taken, how it will be seen, and what is kept until it is handed in."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta

import pytest

from console.auth.roles import Role
from console.settings import ConsoleSettings
from domain.errors import ErrorType
from domain.letters import LetterType
from domain.phases import Phase
from service.letters.drafts import KEPT_FOR
from service.ticket_files import TicketFiles
from tests.console.conftest import Console
from tests.console.owner.pages import Owner, Page
from tests.console.owner.test_tickets import CONTACT, OwnerOf, file, form_of, letter
from tests.service.letters.making import LETTERS, pdf
from tests.support.service import Service, eventually
from tests.support.tickets import blocked
from tests.support.tickets import file as file_case

FIELDS = {**CONTACT, "balance": "GIVE_UP"}
REVIEW = "Staff are looking at it"
PAGES = "This is what the reviewer sees"


async def enterprise(service: Service) -> str:
    return await blocked(service, None, available_fen=6_600, real_name_type="ENTERPRISE")


def pictures(page: Page) -> list[str]:
    return [image.attributes["src"] for image in page.find_all("img")]


async def drafts_of(service: Service, account_id: str) -> list[str]:
    return list(await service.vault.list(f"tickets/drafts/{account_id}"))


async def hand_in(owner: Owner, page: Page, **how: object) -> Page:
    return await owner.send("/owner/ticket", page=page, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize(("language", "pages"), [("en", "20 pages"), ("zh-CN", "20 页")])
async def test_what_may_be_sent_is_said_before_a_file_is_chosen(
    service: Service, owner_of: OwnerOf, language: str, pages: str
) -> None:
    owner = owner_of(await enterprise(service))
    owner.browser.headers["Accept-Language"] = language
    page = await owner.look("/owner/ticket")
    said = page.find("span", id="letter-hint").text
    for words in ("PDF", "JPEG", "PNG", "TIFF", "HEIC", "WebP", "20 MiB", pages):
        assert words in said
    chooser = page.input("letter").attributes
    accepted = set(chooser["accept"].split(","))
    assert set(LetterType) <= accepted
    assert {".pdf", ".jpg", ".jpeg", ".png", ".tif", ".tiff", ".heic", ".heif", ".webp"} <= accepted
    assert "image/*" not in accepted
    assert "required" in chooser


async def test_the_pages_are_seen_before_the_ticket_is_filed(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    shown = await file(owner, files=letter(pdf(2), "letter.pdf"), **FIELDS)
    assert (shown.status, shown.heading) == (200, "File a ticket")
    assert PAGES in shown.form("/owner/ticket").text
    assert "Nothing was sent yet." in shown.find("div", role="status").text
    assert (await service.cancellations.view(account_id)).phase is Phase.BLOCKED
    seen = []
    for address in pictures(shown):
        picture = await owner.browser.get(address)
        assert picture.status_code == 200
        assert picture.content.startswith(b"\x89PNG")
        assert picture.headers["Content-Type"] == "image/png"
        assert picture.headers["Cache-Control"] == "no-store"
        assert picture.headers["X-Content-Type-Options"] == "nosniff"
        seen.append(picture.content)
    assert len(seen) == 2

    assert shown.input("contact_email").attributes["value"] == CONTACT["contact_email"]
    assert "required" not in shown.input("letter").attributes
    assert (await hand_in(owner, shown, **FIELDS)).heading == REVIEW
    form = await form_of(service, await service.cancellations.view(account_id))
    assert form.letter is not None
    assert form.letter.path.startswith(f"tickets/{form.ticket_no}/")
    tickets = TicketFiles(service.vault, LETTERS)
    assert [await tickets.letter_page(form, number) for number in (1, 2)] == seen
    assert await tickets.read_original(form) == pdf(2)
    assert await drafts_of(service, account_id) == []


async def test_the_pages_are_seen_in_chinese_too(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await enterprise(service))
    owner.browser.headers["Accept-Language"] = "zh-CN"
    shown = await file(owner, files=letter(), **FIELDS)
    assert "审核人员将看到的同意书" in shown.text
    assert "还没有提交。" in shown.find("div", role="status").text
    assert "确认无误，提交工单" in shown.form("/owner/ticket").text
    assert shown.find("img").attributes["alt"] == "同意书第 1 页"


async def test_another_file_is_shown_too_and_takes_the_place_of_the_first(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    first = await file(owner, files=letter(), **FIELDS)
    second = await hand_in(owner, first, files=letter(pdf(3), "letter.pdf"), **FIELDS)
    assert (second.status, len(pictures(second))) == (200, 3)
    assert (await owner.browser.get(pictures(first)[0])).status_code == 404
    assert len(await drafts_of(service, account_id)) == 3

    # The form of the first, which an old tab may still show, hands in neither of them.
    old = await hand_in(owner, first, **FIELDS)
    assert old.status == 422
    assert "choose the file again" in old.find("span", id="letter-wrong").text
    assert old.input("contact_email").attributes["value"] == CONTACT["contact_email"]
    assert (await service.cancellations.view(account_id)).phase is Phase.BLOCKED

    assert (await hand_in(owner, second, **FIELDS)).heading == REVIEW
    form = await form_of(service, await service.cancellations.view(account_id))
    assert form.letter is not None
    assert form.letter.pages == 3


async def test_a_letter_stays_when_something_else_was_wrong(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    wrong = {**FIELDS, "contact_phone": "12"}
    refused = await file(owner, files=letter(), **wrong)
    assert refused.status == 422
    assert "Give a phone number" in refused.find("span", id="phone-wrong").text
    assert "it need not be chosen again" in " ".join(refused.alerts)
    assert len(pictures(refused)) == 1
    assert not list(refused.find_all("span", id="letter-wrong"))

    again = await hand_in(owner, refused, **wrong)
    assert again.status == 422
    assert pictures(again) == pictures(refused)
    assert (await owner.browser.get(pictures(again)[0])).status_code == 200
    assert (await hand_in(owner, again, **FIELDS)).heading == REVIEW


async def test_a_letter_stays_when_the_conditions_have_changed(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    shown = await file(owner, files=letter(), **FIELDS)
    await service.recheck(account_id)
    refused = await hand_in(owner, shown, **FIELDS)
    assert refused.status == 409
    assert ErrorType.STALE_REPORT in " ".join(refused.alerts)
    assert pictures(refused) == pictures(shown)
    assert (await hand_in(owner, refused, **FIELDS)).heading == REVIEW


async def test_a_file_that_is_refused_leaves_the_letter_before_it(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await enterprise(service))
    shown = await file(owner, files=letter(), **FIELDS)
    refused = await hand_in(owner, shown, files=letter(b"hello"), **FIELDS)
    assert refused.status == 422
    words = refused.find("span", id="letter-wrong").text
    assert "The file is not a PDF or a picture" in words
    assert "still the one before" in words
    assert pictures(refused) == pictures(shown)
    assert (await hand_in(owner, refused, **FIELDS)).heading == REVIEW


async def test_a_letter_is_for_the_session_that_sent_it_alone(
    service: Service, console: Console, owner_of: OwnerOf
) -> None:
    account_id = await enterprise(service)
    shown = await file(owner_of(account_id), files=letter(), **FIELDS)
    [address] = pictures(shown)
    theirs = shown.fields("/owner/ticket")["draft"]
    another_account = owner_of(await enterprise(service))
    colleague = Owner(console.signed_in(Role.OWNER, subject="colleague", account_id=account_id))
    another_session = owner_of(account_id)
    for other in (another_account, colleague, another_session):
        assert (await other.browser.get(address)).status_code == 404
        refused = await file(other, draft=theirs, **FIELDS)
        assert refused.status == 422
        assert "choose the file again" in refused.find("span", id="letter-wrong").text
        assert pictures(refused) == []
    assert (await service.cancellations.view(account_id)).phase is Phase.BLOCKED


async def test_materials_show_their_letter_first(service: Service, owner_of: OwnerOf) -> None:
    case = await file_case(service, await blocked(service, real_name_type="ENTERPRISE", icp_applications_ever=1))
    await case.ask_for_materials()
    owner = owner_of(case.account_id)
    shown = await owner.send("/owner/materials", files=letter(pdf(2), "letter.pdf"))
    assert (shown.status, len(pictures(shown))) == (200, 2)
    assert PAGES in shown.form("/owner/materials").text
    assert (await service.cancellations.view(case.account_id)).phase is Phase.AWAITING_MATERIALS

    refused = await owner.send("/owner/materials", page=shown, contact_phone="12")
    assert refused.status == 422
    assert pictures(refused) == pictures(shown)
    assert (await owner.send("/owner/materials", page=refused)).heading == REVIEW
    form = await form_of(service, await service.cancellations.view(case.account_id))
    assert form.letter is not None
    assert (form.revision, form.letter.pages) == (2, 2)
    assert await drafts_of(service, case.account_id) == []


async def test_a_letter_that_was_handed_in_twice_is_filed_once(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    shown = await file(owner, files=letter(), **FIELDS)
    for _ in range(2):
        assert (await hand_in(owner, shown, **FIELDS)).heading == REVIEW
    assert (await form_of(service, await service.cancellations.view(account_id))).revision == 1


async def test_a_letter_that_is_handed_in_twice_at_once_is_filed_once(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    shown = await file(owner, files=letter(), **FIELDS)
    before = set(await service.vault.list("tickets"))
    both = await asyncio.gather(*(hand_in(owner, shown, **FIELDS) for _ in range(2)))
    assert [page.heading for page in both] == [REVIEW] * 2
    form = await form_of(service, await service.cancellations.view(account_id))
    added = set(await service.vault.list("tickets")) - before
    assert {path.split("/")[1] for path in added} == {form.ticket_no}
    assert len(added) == 3
    assert await drafts_of(service, account_id) == []


async def test_whoever_withdraws_leaves_no_letter_behind(service: Service, owner_of: OwnerOf) -> None:
    account_id = await enterprise(service)
    owner = owner_of(account_id)
    shown = await file(owner, files=letter(), **FIELDS)
    assert len(await drafts_of(service, account_id)) == 3
    await owner.send("/owner/withdraw", page=shown)
    assert (await service.cancellations.view(account_id)).phase is Phase.WITHDRAWN
    assert await drafts_of(service, account_id) == []


async def test_a_letter_that_was_abandoned_goes_by_itself(
    service: Service, open_console: Callable[[ConsoleSettings], AbstractAsyncContextManager[Console]]
) -> None:
    drafts, long_ago = TicketFiles(service.vault, LETTERS).drafts, datetime.now(UTC) - KEPT_FOR - timedelta(minutes=1)
    await drafts.keep("abandoned", "a" * 64, pdf(), long_ago)
    assert len(await drafts_of(service, "abandoned")) == 3
    async with open_console(ConsoleSettings()):
        await eventually(lambda: drafts_of(service, "abandoned"), lambda kept: kept == [])


async def test_who_needs_no_letter_has_none_kept(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service)
    page = await file(owner_of(account_id), files=letter(), **CONTACT)
    assert page.status == 422
    assert await drafts_of(service, account_id) == []


async def test_there_is_no_page_beyond_the_last(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await enterprise(service))
    [address] = pictures(await file(owner, files=letter(), **FIELDS))
    for number in (0, 2):
        assert (await owner.browser.get(address.replace("1.png", f"{number}.png"))).status_code == 404
