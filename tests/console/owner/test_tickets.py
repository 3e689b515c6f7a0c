"""The manual request: what its form asks, what it refuses, and where it leads."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.actors import Via
from domain.checks import Check
from domain.errors import ErrorType
from domain.locale import Locale
from domain.messages import CancellationView
from domain.notices import CONSENT_WORDING
from domain.phases import Phase
from domain.tickets import BalanceChoice, BalanceWish, TicketForm
from service.ticket_files import TicketFiles
from simulator.kinds import Endpoint, FaultKind
from tests.console.owner.pages import Owner, Page
from tests.support.service import Service
from tests.support.tickets import LETTER, blocked, fault, under_review
from tests.support.tickets import file as file_case

OwnerOf = Callable[[str], Owner]

CONTACT = {"contact_email": "owner@example.com", "contact_phone": "138 0013 8000"}
STATED = {**CONTACT, "statement": "true"}


def letter(data: bytes = LETTER, name: str = "letter.png") -> dict[str, tuple[str, bytes]]:
    return {"letter": (name, data)}


async def file(owner: Owner, **how: object) -> Page:
    return await owner.send("/owner/ticket", page=await owner.look("/owner/ticket"), **how)  # type: ignore[arg-type]


async def form_of(service: Service, view: CancellationView) -> TicketForm:
    assert view.review is not None
    return await TicketFiles(service.vault).load(view.review.ticket)


@pytest.mark.parametrize("real_name_type", ["NONE", "INDIVIDUAL"])
async def test_a_person_states_that_the_notice_was_accepted(
    service: Service, owner_of: OwnerOf, real_name_type: str
) -> None:
    account_id = await blocked(service, None, icp_applications_ever=1, real_name_type=real_name_type)
    owner = owner_of(account_id)
    page = await owner.look("/owner/ticket")
    assert page.has_input("statement")
    assert not page.has_input("letter")
    assert (await file(owner, **STATED)).heading == "Staff are looking at it"
    form = await form_of(service, await service.cancellations.view(account_id))
    assert (form.contact_email, form.contact_phone) == ("owner@example.com", "+8613800138000")
    assert form.statement is not None
    assert form.filed_by == f"owner-of-{account_id}"


async def test_a_company_sends_the_stamped_letter(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service, None, available_fen=6_600, real_name_type="ENTERPRISE")
    owner = owner_of(account_id)
    page = await owner.look("/owner/ticket")
    assert page.has_input("letter")
    assert not page.has_input("statement")
    assert "/owner/letter-template" in page.links
    assert CONSENT_WORDING[Locale.EN].balance in page.text
    assert page.form("/owner/ticket").attributes["enctype"] == "multipart/form-data"
    shown = await file(owner, files=letter(), **CONTACT, balance="GIVE_UP")
    page = await owner.send("/owner/ticket", page=shown, **CONTACT, balance="GIVE_UP")
    assert page.heading == "Staff are looking at it"
    form = await form_of(service, await service.cancellations.view(account_id))
    assert form.letter is not None
    assert form.balance == BalanceChoice(wish=BalanceWish.GIVE_UP, amount_fen=6_600)
    assert form.filed_via is Via.CONSOLE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "The file is empty."),
        (b"hello", "The file is not a PDF or a picture"),
        (LETTER[:100], "The file cannot be shown"),
        (b"\0" * (20 * 1024 * 1024 + 1), "The file is larger than 20 MiB."),
    ],
)
async def test_a_letter_that_will_not_do_is_refused_with_its_reason(
    service: Service, owner_of: OwnerOf, data: bytes, reason: str
) -> None:
    account_id = await blocked(service, None, available_fen=6_600, real_name_type="ENTERPRISE")
    page = await file(owner_of(account_id), files=letter(data), **CONTACT)
    assert page.status == 422
    assert reason in page.find("span", id="letter-wrong").text
    assert page.input("contact_email").attributes["value"] == CONTACT["contact_email"]
    assert (await service.cancellations.view(account_id)).phase is Phase.BLOCKED


async def test_a_letter_is_refused_in_chinese_too(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await blocked(service, None, available_fen=6_600, real_name_type="ENTERPRISE"))
    owner.browser.headers["Accept-Language"] = "zh-CN"
    page = await file(owner, files=letter(b"hello"), **CONTACT)
    assert "文件不是 PDF 或图片" in page.find("span", id="letter-wrong").text


async def test_what_a_ticket_lacks_is_said_beside_each_field(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service)
    page = await file(owner_of(account_id), contact_email="nobody", contact_phone="12")
    assert page.status == 422
    assert "Give an e-mail address" in page.find("span", id="email-wrong").text
    assert "Give a phone number" in page.find("span", id="phone-wrong").text
    assert "State that you have read" in page.find("span", id="statement-wrong").text
    assert page.input("contact_email").attributes["value"] == "nobody"


async def test_what_no_ticket_can_waive_comes_first(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service, None, icp_applications_ever=1, arrears_fen=100)
    owner = owner_of(account_id)
    page = await owner.look("/owner/ticket")
    assert list(page.verdicts) == ["ARREARS"]
    assert "/owner/ticket" not in page.actions
    assert "/owner/recheck" in page.actions


async def test_without_a_channel_the_report_is_there_from_the_start(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account(channels="", arrears_fen=100, icp_applications_ever=1)
    await service.start(account_id)
    await service.in_phase(account_id, Phase.AWAITING_IDENTITY)
    owner = owner_of(account_id)
    page = await owner.look()
    assert list(page.verdicts) == list(Check)
    assert page.actions == {"/owner/recheck", "/owner/withdraw"}
    page = await owner.look("/owner/ticket")
    assert list(page.verdicts) == ["ARREARS"]
    assert "/owner/ticket" not in page.actions
    await service.store.set_facts(account_id, arrears_fen=0)
    await owner.send("/owner/recheck")
    page = await owner.until("Verify it's you")
    assert "/owner/ticket" in page.links
    page = await owner.look("/owner/ticket")
    assert list(page.verdicts) == list(Check)
    assert "Voucher ¥50.00" in page.text
    page = await file(owner, **STATED)
    assert (page.step, page.heading) == ("Review", "Staff are looking at it")


async def test_a_ticket_is_filed_about_the_report_that_was_shown(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service)
    owner = owner_of(account_id)
    page = await owner.look("/owner/ticket")
    await service.recheck(account_id)
    before = await service.vault.list("tickets")
    refused = await owner.send("/owner/ticket", page=page, **STATED)
    assert refused.status == 409
    assert "Look at the new result" in " ".join(refused.alerts)
    assert await service.vault.list("tickets") == before
    assert (await owner.send("/owner/ticket", page=refused, **STATED)).heading == "Staff are looking at it"


async def test_what_no_page_has_shown_is_not_filed(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service)
    assert (await file(owner_of(account_id), **STATED, report_digest="")).status == 409
    assert (await service.cancellations.view(account_id)).phase is Phase.BLOCKED


@pytest.mark.parametrize("real_name_type", ["INDIVIDUAL", "ENTERPRISE"])
async def test_a_company_without_a_channel_accepts_the_notice_too(
    service: Service, owner_of: OwnerOf, real_name_type: str
) -> None:
    account_id = await service.account(channels="", real_name_type=real_name_type)
    await service.start(account_id)
    await service.in_phase(account_id, Phase.AWAITING_IDENTITY)
    page = await owner_of(account_id).look("/owner/ticket")
    assert page.has_input("statement")
    assert page.has_input("letter") == (real_name_type == "ENTERPRISE")


async def test_the_owner_says_what_is_to_become_of_the_money(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service, None, frozen_fen=1_234)
    owner = owner_of(account_id)
    page = await owner.look("/owner/ticket")
    choices = list(page.find_all("input", name="balance"))
    assert [choice.attributes["value"] for choice in choices] == list(BalanceWish)
    assert not any("checked" in choice.attributes for choice in choices)
    assert page.fields("/owner/ticket")["balance_fen"] == "1234"
    assert "¥12.34" in page.form("/owner/ticket").text
    assert "only when the money has been returned" in page.text

    silent = await file(owner, **STATED)
    assert silent.status == 422
    assert "Choose what happens to the balance" in silent.find("span", id="balance-wrong").text
    other_sum = await file(owner, **STATED, balance="RETURN", balance_fen="1")
    assert other_sum.status == 422
    kept = [c for c in other_sum.find_all("input", name="balance") if "checked" in c.attributes]
    assert [choice.attributes["value"] for choice in kept] == ["RETURN"]
    assert (await file(owner, **STATED, balance="RETURN")).heading == "Staff are looking at it"
    view = await service.cancellations.view(account_id)
    assert view.balance == BalanceChoice(wish=BalanceWish.RETURN, amount_fen=1_234)


async def test_the_money_is_asked_for_in_chinese_too(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await blocked(service, None, frozen_fen=1_234))
    owner.browser.headers["Accept-Language"] = "zh-CN"
    page = await owner.look("/owner/ticket")
    assert "账户余额 ¥12.34 如何处理？" in page.text
    assert "余额退还完成后，账号才会注销。" in page.text


async def test_materials_keep_the_earlier_word_about_the_money_unless_there_is_another(
    service: Service, owner_of: OwnerOf
) -> None:
    case = await file_case(service, await blocked(service, None, frozen_fen=1_234))
    await case.ask_for_materials()
    owner = owner_of(case.account_id)
    page = await owner.look()
    assert "Your choice so far: give it up ¥12.34" in page.text
    assert not any("required" in choice.attributes for choice in page.find_all("input", name="balance"))
    page = await owner.send("/owner/materials", contact_phone="+8613900139000")
    assert page.heading == "Staff are looking at it"
    assert (await service.cancellations.view(case.account_id)).balance == BalanceChoice(
        wish=BalanceWish.GIVE_UP, amount_fen=1_234
    )
    await case.ask_for_materials()
    await owner.send("/owner/materials", balance="RETURN")
    assert (await service.cancellations.view(case.account_id)).balance == BalanceChoice(
        wish=BalanceWish.RETURN, amount_fen=1_234
    )


async def test_what_could_not_be_told_offers_no_ticket(service: Service, owner_of: OwnerOf) -> None:
    async with fault(service, Endpoint.ENTITLEMENTS, FaultKind.ERROR, status=503):
        account_id = await blocked(service, {"check_limit": timedelta(seconds=1)}, icp_applications_ever=1)
    owner = owner_of(account_id)
    page = await owner.look()
    assert "/owner/ticket" not in page.links
    page = await owner.look("/owner/ticket")
    assert "Could not be told just now: what you would give up." in page.text
    assert "/owner/ticket" not in page.actions
    assert "/owner/recheck" in page.actions


async def test_a_ticket_is_not_for_other_phases(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    await service.to_report(account_id)
    answer = await owner_of(account_id).browser.get("/owner/ticket")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/owner")


async def test_a_ticket_that_is_sent_twice_is_filed_once(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service)
    owner = owner_of(account_id)
    page = await owner.look("/owner/ticket")
    await owner.send("/owner/ticket", page=page, **STATED)
    first = (await service.cancellations.view(account_id)).review
    assert (await owner.send("/owner/ticket", page=page, **STATED)).heading == "Staff are looking at it"
    second = (await service.cancellations.view(account_id)).review
    assert first is not None
    assert second is not None
    assert first.ticket == second.ticket


async def test_materials_change_what_they_name_and_nothing_else(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    page = await owner_of(case.account_id).send("/owner/materials", contact_phone="+8613900139000")
    assert page.heading == "Staff are looking at it"
    form = await form_of(service, await service.cancellations.view(case.account_id))
    assert (form.revision, form.contact_phone, form.contact_email) == (2, "+8613900139000", "owner@example.com")
    assert form.statement is not None


async def test_materials_without_anything_are_not_sent(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    page = await owner_of(case.account_id).send("/owner/materials")
    assert page.status == 422
    assert "Add at least one thing" in " ".join(page.alerts)
    assert (await service.cancellations.view(case.account_id)).phase is Phase.AWAITING_MATERIALS


async def test_a_notice_that_is_not_in_force_is_refused_with_the_ticket(service: Service, owner_of: OwnerOf) -> None:
    page = await file(owner_of(await blocked(service)), **STATED, notice_version="2020-01", notice_sha256="0" * 64)
    assert page.status == 409
    assert ErrorType.STALE_NOTICE in " ".join(page.alerts)


async def test_the_letter_to_fill_in_can_be_downloaded_in_both_languages(service: Service, owner_of: OwnerOf) -> None:
    browser = owner_of(await service.account()).browser
    for language, title, words in (
        ("en", "letter-of-consent.html", "company seal"),
        ("zh-CN", "%E6%B3%A8%E9%94%80%E8%B4%A6%E5%8F%B7%E5%90%8C%E6%84%8F%E4%B9%A6.html", "加盖公章"),
    ):
        answer = await browser.get("/owner/letter-template", headers={"Accept-Language": language})
        assert answer.headers["Content-Disposition"].endswith(title)
        assert words in answer.text
        assert "<table>" in answer.text
