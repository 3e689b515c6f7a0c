"""A form that is sent again, by a double click or from the browser's history, is the same step; a new page's is not."""

import asyncio
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from domain.deletion import dossiers_of
from domain.errors import ErrorType
from domain.notifications import Template
from domain.phases import Phase
from tests.console.owner.pages import Owner, Page
from tests.support.service import Service, eventually
from tests.support.tickets import (
    awaiting_confirmation,
    awaiting_identity,
    awaiting_notice,
    blocked,
    under_review,
)

OwnerOf = Callable[[str], Owner]
CONTACTS = {"contact_email": "owner@example.com", "contact_phone": "138 0013 8000", "statement": "true"}


async def post(owner: Owner, page: Page, action: str, **fields: str) -> httpx2.Response:
    """The form as this page has it, whatever has happened since."""
    return await owner.browser.post(action, data={**page.fields(action), **fields})


async def twice(owner: Owner, page: Page, action: str, **fields: str) -> None:
    """Together, as a double click sends it, and once more later: nobody hears of any trouble."""
    answers = await asyncio.gather(*(post(owner, page, action, **fields) for _ in range(2)))
    answers.append(await post(owner, page, action, **fields))
    assert [(answer.status_code, answer.headers["Location"]) for answer in answers] == [(303, "/owner")] * 3


def keys(page: Page) -> list[str]:
    return [field.attributes["value"] for field in page.find_all("input", name="key")]


async def asked_for_code(service: Service, owner_of: OwnerOf) -> tuple[str, Owner, Page, str]:
    """An account, its owner, the page that asks for the code, and the code."""
    account = await awaiting_identity(service)
    owner = owner_of(account)
    page = await owner.send("/owner/code", channel="PHONE")
    return account, owner, page, await service.store.latest_code(account)


async def codes_sent(service: Service, account: str) -> int:
    return len([m for m in await service.store.outbox(account) if m.template is Template.IDENTITY_CODE])


# The key


async def test_every_form_that_takes_a_step_has_a_key_of_its_own_and_every_page_new_ones(
    service: Service, owner_of: OwnerOf
) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    pages = {
        (await service.account(), "/owner"): {"/owner/start"},
        (await awaiting_identity(service), "/owner"): {"/owner/code", "/owner/withdraw"},
        (await awaiting_notice(service), "/owner"): {"/owner/notice", "/owner/withdraw"},
        (await awaiting_confirmation(service), "/owner/confirm"): {"/owner/confirm", "/owner/withdraw"},
        (await blocked(service), "/owner/ticket"): {"/owner/ticket", "/owner/withdraw"},
        (case.account_id, "/owner"): {"/owner/materials", "/owner/withdraw"},
    }
    seen: list[str] = []
    for (account, path), actions in pages.items():
        for page in (await owner_of(account).look(path), await owner_of(account).look(path)):
            forms = [form for form in page.find_all("form") if form.attributes["action"] != "/sign-out"]
            assert {form.attributes["action"] for form in forms} == actions
            found = [form.find("input", name="key").attributes for form in forms]
            # Firefox would put the old one into a page that is reloaded.
            assert {attributes["autocomplete"] for attributes in found} == {"off"}
            seen += [attributes["value"] for attributes in found]
    assert len(seen) == len(set(seen)) > 20


async def test_a_refused_form_comes_back_as_a_new_one(service: Service, owner_of: OwnerOf) -> None:
    owner = owner_of(await awaiting_confirmation(service))
    page = await owner.look("/owner/confirm")
    again = await owner.send("/owner/confirm", page=page, typed_account="somebody else's")
    assert again.status == 422
    assert not set(keys(page)) & set(keys(again))


@pytest.mark.parametrize("key", ["", "with a blank", "ü", "x" * 65])
async def test_a_key_that_is_none_of_ours_is_bad_input(service: Service, owner_of: OwnerOf, key: str) -> None:
    owner = owner_of(await awaiting_notice(service))
    page = await owner.send("/owner/notice", key=key)
    if key:
        assert page.status == 422
        assert ErrorType.BAD_INPUT in page.text
    else:
        # As a page of a version without keys: a step that stands alone.
        assert page.status == 200


# The same form


async def test_a_code_is_sent_once_by_a_form_and_again_by_a_new_page(service: Service, owner_of: OwnerOf) -> None:
    account = await awaiting_identity(service)
    owner = owner_of(account)
    page = await owner.look()
    await twice(owner, page, "/owner/code", channel="PHONE")
    assert await codes_sent(service, account) == 1
    # The new page's form is a new step: by its rule it is too soon for that.
    refused = await owner.send("/owner/code", channel="PHONE")
    assert ErrorType.RESEND_TOO_SOON in " ".join(refused.alerts)


async def test_a_code_is_answered_once_by_a_form(service: Service, owner_of: OwnerOf) -> None:
    account, owner, page, code = await asked_for_code(service, owner_of)
    assert (await post(owner, page, "/owner/code-answer", code=code)).status_code == 303
    assert (await post(owner, page, "/owner/code-answer", code=code)).status_code == 303
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_NOTICE


async def test_another_code_typed_into_a_page_from_the_history_counts(service: Service, owner_of: OwnerOf) -> None:
    account, owner, page, code = await asked_for_code(service, owner_of)
    wrong = "000000" if code != "000000" else "111111"
    assert (await post(owner, page, "/owner/code-answer", code=wrong)).status_code == 422
    assert (await post(owner, page, "/owner/code-answer", code=code)).status_code == 303
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_NOTICE


async def test_a_recheck_is_made_once_by_a_form_and_again_by_a_new_page(service: Service, owner_of: OwnerOf) -> None:
    account = await blocked(service)
    owner = owner_of(account)

    async def number_of_reports() -> int:
        view = await service.in_phase(account, Phase.BLOCKED)
        assert view.report is not None
        return view.report.number

    for _ in range(2):
        before, page = await number_of_reports(), await owner.look()
        await twice(owner, page, "/owner/recheck")
        assert await number_of_reports() == before + 1


async def test_the_last_word_is_said_once_by_a_form(service: Service, owner_of: OwnerOf) -> None:
    account = await awaiting_confirmation(service)
    owner = owner_of(account)
    await twice(owner, await owner.look("/owner/confirm"), "/owner/confirm", typed_account=account)
    await service.in_phase(account, Phase.CLOSED)
    assert len(await service.vault.list(dossiers_of(account))) == 1


async def test_a_ticket_is_filed_once_by_a_form(service: Service, owner_of: OwnerOf) -> None:
    account = await blocked(service)
    owner = owner_of(account)
    before = set(await service.vault.list("tickets"))
    await twice(owner, await owner.look("/owner/ticket"), "/owner/ticket", **CONTACTS)
    view = await service.in_phase(account, Phase.UNDER_REVIEW)
    assert view.review is not None
    assert set(await service.vault.list("tickets")) - before == {f"tickets/{view.review.ticket.ticket_no}/r1.json"}


async def test_materials_are_supplied_once_by_a_form(service: Service, owner_of: OwnerOf) -> None:
    case = await under_review(service)
    await case.ask_for_materials()
    owner = owner_of(case.account_id)
    await twice(owner, await owner.look(), "/owner/materials", contact_email="new@example.com")
    # Whichever of the two was stored first, and so has which number.
    supplied = (await eventually(case.view, lambda view: view.case.ticket.revision > 1)).case.ticket
    assert set(await service.vault.list(f"tickets/{case.ticket_no}")) == {case.ticket.record.path, supplied.record.path}


# Requests that are over


async def test_a_start_begins_one_request_and_none_after_that_one_has_ended(
    service: Service, owner_of: OwnerOf
) -> None:
    account = await service.account()
    owner = owner_of(account)
    first = await owner.look()
    await twice(owner, first, "/owner/start")
    request_no = (await service.cancellations.view(account)).request_no
    await owner.send("/owner/withdraw")
    over = await owner.until("The request is withdrawn")
    await service.request(account).result()
    for language in ("en", "zh-CN"):
        owner.browser.headers["Accept-Language"] = language
        assert (await post(owner, first, "/owner/start")).headers["Location"] == "/owner"
    view = await service.cancellations.view(account)
    assert (view.request_no, view.phase) == (request_no, Phase.WITHDRAWN)
    await twice(owner, over, "/owner/start")
    assert (await service.cancellations.view(account)).request_no != request_no


@pytest.mark.parametrize("action", ["/owner/withdraw", "/owner/code"])
async def test_the_form_of_an_earlier_request_does_nothing_to_the_next(
    service: Service, owner_of: OwnerOf, action: str
) -> None:
    account = await awaiting_identity(service)
    owner = owner_of(account)
    old = await owner.look()
    fields: dict[str, Any] = {"channel": "PHONE"} if action == "/owner/code" else {}
    assert (await post(owner, old, "/owner/withdraw")).status_code == 303
    await service.request(account).result()
    await owner.send("/owner/start")
    answer = await post(owner, old, action, **fields)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/owner")
    assert (await service.cancellations.view(account)).phase is Phase.AWAITING_IDENTITY
    assert await codes_sent(service, account) == 0
