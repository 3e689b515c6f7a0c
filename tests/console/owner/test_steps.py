"""The steps themselves: what each form asks, what it does, and how a refusal is told beside it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from console.auth.limits import SENDING_CODES
from console.settings import ConsoleSettings
from domain.checks import Check
from domain.errors import ErrorType
from domain.locale import Locale
from domain.notices import CONSENT_WORDING, CURRENT_NOTICE
from domain.phases import Phase
from simulator.kinds import Endpoint, FaultKind
from tests.console.conftest import console_on
from tests.console.owner.pages import Owner, Page
from tests.support.service import Service, eventually
from tests.support.tickets import awaiting_confirmation, awaiting_identity, awaiting_notice, blocked, fault

OwnerOf = Callable[[str], Owner]


async def test_an_owner_comes_from_the_start_to_the_certificate(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    owner = owner_of(account_id)
    assert (await owner.send("/owner/start")).heading == "Verify it's you"
    sent = await owner.send("/owner/code", channel="PHONE")
    assert "****" in sent.find("strong", **{"class": "destination"}).text
    assert "5 tries left" in sent.text
    code = await service.store.latest_code(account_id)
    assert (await owner.send("/owner/code-answer", code=code)).heading == "Read the notice"
    await owner.send("/owner/notice")
    await owner.until("All conditions are met")
    confirm = await owner.look("/owner/confirm")
    page = await owner.send("/owner/confirm", page=confirm, typed_account=account_id)
    assert page.step == "Closing"
    page = await owner.until("The account is closed")
    request_no = (await service.cancellations.view(account_id)).request_no
    assert request_no in page.text
    assert "access keys" in page.text
    assert "Transaction records until" in page.text


async def test_the_request_speaks_the_language_of_the_page(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    owner = owner_of(account_id)
    owner.browser.headers["Accept-Language"] = "zh-CN"
    assert (await owner.send("/owner/start")).heading == "验证您的身份"
    assert (await service.cancellations.view(account_id)).locale is Locale.ZH


# Identity


async def test_a_wrong_code_says_how_many_tries_are_left(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_identity(service)
    owner = owner_of(account_id)
    await owner.send("/owner/code", channel="EMAIL")
    right = await service.store.latest_code(account_id)
    wrong = "000000" if right != "000000" else "111111"
    page = await owner.send("/owner/code-answer", code=wrong)
    assert page.status == 422
    assert "Tries left: 4" in " ".join(page.alerts)
    assert "4 tries left" in page.text
    assert page.input("code").attributes.get("value") is None
    assert wrong not in page.answer.text


async def test_a_code_of_letters_is_refused_without_costing_a_try(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_identity(service))
    await owner.send("/owner/code", channel="PHONE")
    page = await owner.send("/owner/code-answer", code="hello")
    assert page.status == 422
    assert page.find("span", id="code-wrong").text == "Enter the digits that you received."
    assert "5 tries left" in page.text


async def test_a_code_is_typed_where_phones_offer_it(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_identity(service))
    attributes = (await owner.send("/owner/code", channel="PHONE")).input("code").attributes
    assert (attributes["autocomplete"], attributes["inputmode"]) == ("one-time-code", "numeric")


async def test_another_code_has_to_wait_and_the_page_says_until_when(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_identity(service))
    page = await owner.send("/owner/code", channel="PHONE")
    assert int(page.form("/owner/code").attributes["data-wait-seconds"]) > 0
    assert "You can request a new one from" in page.text
    page = await owner.send("/owner/code", page=page, channel="PHONE")
    assert page.status == 409
    assert ErrorType.RESEND_TOO_SOON in " ".join(page.alerts)
    assert "Try again in" in " ".join(page.alerts)


async def test_whoever_asks_for_codes_too_often_is_told_beside_the_form(service: Service) -> None:
    account_id = await awaiting_identity(service)
    async with console_on(service, ConsoleSettings()) as console:
        owner = Owner(console.owner(account_id))
        page = await owner.look()
        assert SENDING_CODES.per_account is not None
        for _ in range(SENDING_CODES.per_account.amount + 1):
            page = await owner.send("/owner/code", page=page, channel="PHONE")
    assert (page.status, page.heading) == (429, "Verify it's you")
    assert int(page.answer.headers["Retry-After"]) > 0
    assert "Try again in" in " ".join(page.alerts)


async def test_a_code_that_has_expired_is_not_asked_for_any_more(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_identity(service)
    owner = owner_of(account_id)
    await owner.send("/owner/code", channel="PHONE")
    await service.store.let_time_pass(account_id, timedelta(hours=1))
    page = await owner.look()
    assert "The code has expired" in page.text
    assert not page.has_input("code")
    assert "data-wait-seconds" not in page.form("/owner/code").attributes


async def test_a_code_with_too_many_wrong_tries_is_replaced_by_another(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_identity(service)
    owner = owner_of(account_id)
    page = await owner.send("/owner/code", channel="PHONE")
    right = await service.store.latest_code(account_id)
    for _ in range(5):
        page = await owner.send("/owner/code-answer", page=page, code="000000" if right != "000000" else "111111")
    assert "Too many wrong tries" in (await owner.look()).text


async def test_codes_that_cannot_be_looked_up_do_not_hide_the_page(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_identity(service)
    owner = owner_of(account_id)
    await owner.send("/owner/code", channel="PHONE")
    async with fault(service, Endpoint.SHOW_CHALLENGE, FaultKind.ERROR, status=503):
        page = await owner.look()
    assert page.heading == "Verify it's you"
    assert page.alerts


async def test_without_a_channel_the_way_is_support(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account(channels="")
    await service.start(account_id)
    await service.in_phase(account_id, Phase.AWAITING_IDENTITY)
    page = await owner_of(account_id).look()
    assert list(page.verdicts) == list(Check)
    assert "/owner/ticket" in page.links
    assert "Contact support" in page.text
    assert "/owner/code" not in page.actions


# Notice


async def test_the_notice_is_shown_as_it_is_accepted(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_notice(service)
    page = await owner_of(account_id).look()
    notice = CURRENT_NOTICE[Locale.EN]
    fields = page.fields("/owner/notice")
    assert (fields["version"], fields["sha256"]) == (notice.version, notice.sha256)
    assert "You can withdraw the request at any time until the account is closed" in page.text
    assert [h.tag for h in page.find_all() if h.tag in ("h1", "h2", "h3")][:3] == ["h1", "h2", "h3"]


async def test_another_notice_than_the_one_in_force_is_refused(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_notice(service))
    page = await owner.send("/owner/notice", version="2020-01", sha256="0" * 64)
    assert page.status == 409
    assert ErrorType.STALE_NOTICE in " ".join(page.alerts)
    assert page.fields("/owner/notice")["version"] == CURRENT_NOTICE[Locale.EN].version


async def test_a_form_that_was_tampered_with_is_bad_input(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_notice(service))
    page = await owner.send("/owner/notice", sha256="not a hash")
    assert page.status == 422
    assert ErrorType.BAD_INPUT in page.text
    assert "not a hash" not in page.answer.text


# Checks


async def test_rows_appear_as_their_checks_finish(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_notice(service)
    owner = owner_of(account_id)
    async with fault(service, Endpoint.ICP_FILINGS, FaultKind.ERROR, account_id=account_id, status=503):
        await owner.send("/owner/notice")
        others = await eventually(
            owner.look, lambda page: list(page.verdicts.values()).count("PASSED") == len(Check) - 1
        )
        assert others.heading == "Checking the conditions"
        assert list(others.verdicts) == list(Check)
        assert others.verdicts["ICP_FILING"] is None
    assert set((await owner.until("All conditions are met")).verdicts.values()) == {"PASSED"}


async def test_all_reasons_stand_together_each_with_its_figures_and_what_to_do(
    service: Service, owner_of: OwnerOf
) -> None:
    account_id = await blocked(
        service,
        None,
        available_fen=8_800,
        arrears_fen=1_200,
        icp_applications_ever=1,
        **{"resources.vm": 2, "provider.YUNDING": 3},
    )
    page = await owner_of(account_id).look()
    for check, words in {
        "BALANCE": ("¥88.00", "Withdraw it"),
        "ARREARS": ("¥12.00", "Pay, then check again."),
        "PROVIDER": ("Yunding × 3", "with your business contact"),
        "ICP_FILING": ("Applications 1", "with a ticket"),
        "RESOURCES": ("Virtual machines × 2", "by yourself"),
    }.items():
        assert page.verdicts[check] == "BLOCKED"
        for word in (*words, "Checked just now"):
            assert word in page.row(check).text
    assert "Pay first, then withdraw." in page.text


async def test_what_could_not_be_told_does_not_look_like_a_fault_of_the_owners(
    service: Service, owner_of: OwnerOf
) -> None:
    async with fault(service, Endpoint.ICP_FILINGS, FaultKind.ERROR, status=503):
        account_id = await blocked(service, {"check_limit": timedelta(seconds=1)}, arrears_fen=100)
    page = await owner_of(account_id).look()
    unknown, blocking = page.row("ICP_FILING"), page.row("ARREARS")
    assert page.verdicts["ICP_FILING"] == "UNKNOWN"
    assert (unknown.attributes["class"], blocking.attributes["class"]) == ("row unknown", "row bad")
    assert unknown.find("span", **{"class": "mark"}).text != blocking.find("span", **{"class": "mark"}).text
    assert "Not your fault" in unknown.text
    assert "That is on our side, not yours." in page.text


async def test_a_recheck_answers_at_once_and_then_shows_the_new_result(service: Service, owner_of: OwnerOf) -> None:
    account_id = await blocked(service, None, arrears_fen=100)
    owner = owner_of(account_id)
    await service.store.set_facts(account_id, arrears_fen=0)
    async with fault(service, Endpoint.ARREARS, FaultKind.ERROR, account_id=account_id, status=503):
        assert (await owner.send("/owner/recheck")).heading == "Checking the conditions"
    assert (await owner.until("All conditions are met")).verdicts["ARREARS"] == "PASSED"


async def test_what_would_be_given_up_has_to_be_listed_first(service: Service, owner_of: OwnerOf) -> None:
    async with fault(service, Endpoint.ENTITLEMENTS, FaultKind.ERROR, status=503):
        account_id = await service.account()
        await service.to_report(account_id, check_limit=timedelta(seconds=1))
    page = await owner_of(account_id).look()
    assert "Could not be told just now: what you would give up." in page.text
    assert page.actions == {"/owner/recheck", "/owner/withdraw"}


# Confirmation


async def test_the_confirmation_lists_what_stops_and_what_is_given_up(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_confirmation(service))
    page = await owner.look("/owner/confirm")
    assert page.step == "Confirm"
    for word in ("access keys", "Voucher ¥50.00", "Pick-up voucher ¥128.00", "Discount", "Invoices until"):
        assert word in page.text
    assert CONSENT_WORDING[Locale.EN].vouchers in page.text


async def test_only_the_accounts_own_id_confirms(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    confirm = await owner.look("/owner/confirm")
    for typed in ("", "yes", account_id.upper(), account_id[:-1]):
        page = await owner.send("/owner/confirm", page=confirm, typed_account=typed)
        assert page.status == 422
        assert "Nothing was confirmed" in page.find("span", id="typed_account-wrong").text
    assert (await service.cancellations.view(account_id)).phase is Phase.AWAITING_CONFIRMATION


async def test_an_older_report_cannot_be_confirmed(service: Service, owner_of: OwnerOf) -> None:
    account_id = await awaiting_confirmation(service)
    owner = owner_of(account_id)
    old = await owner.look("/owner/confirm")
    await service.recheck(account_id)
    page = await owner.send("/owner/confirm", page=old, typed_account=account_id)
    assert page.status == 409
    assert ErrorType.STALE_REPORT in " ".join(page.alerts)
    assert page.fields("/owner/confirm")["report"] != old.fields("/owner/confirm")["report"]


async def test_the_confirmation_is_for_its_phase_only(service: Service, owner_of: OwnerOf) -> None:
    answer = await owner_of(await blocked(service)).browser.get("/owner/confirm")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/owner")


# Twice, and from old tabs


async def test_a_form_that_is_sent_twice_shows_the_current_step(service: Service, owner_of: OwnerOf) -> None:
    account_id = await service.account()
    owner = owner_of(account_id)
    sent: list[tuple[str, Page, dict[str, Any]]] = []

    async def once(action: str, **fields: Any) -> None:
        sent.append((action, await owner.look(), fields))
        await owner.send(action, **fields)

    await once("/owner/start")
    await once("/owner/code", channel="PHONE")
    await once("/owner/code-answer", code=await service.store.latest_code(account_id))
    await once("/owner/notice")
    await owner.until("All conditions are met")
    request_no = (await service.cancellations.view(account_id)).request_no
    for action, page, fields in sent:
        assert (await owner.send(action, page=page, **fields)).heading == "All conditions are met"
    assert (await service.cancellations.view(account_id)).request_no == request_no


async def test_the_address_of_a_form_leads_back_to_the_page(service: Service, owner_of: OwnerOf) -> None:
    browser = owner_of(await awaiting_notice(service)).browser
    for form in ("start", "code", "code-answer", "notice", "recheck", "withdraw", "materials"):
        answer = await browser.get(f"/owner/{form}?lang=zh-CN")
        assert (answer.status_code, answer.headers["Location"]) == (303, "/owner?lang=zh-CN")
    assert (await browser.get("/owner/nothing")).status_code == 404
