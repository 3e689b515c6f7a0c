"""What holds of every page: both languages, nothing inline, nothing of anybody else, and a word when nobody answers."""

import re
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest

from console.settings import ConsoleSettings
from domain.phases import Phase
from service import base
from tests.console.conftest import Console, console_on
from tests.console.owner.pages import Element, Owner, Page
from tests.support.service import Service
from tests.support.tickets import (
    awaiting_confirmation,
    awaiting_identity,
    awaiting_notice,
    blocked,
    own_queue,
    under_review,
)

OwnerOf = Callable[[str], Owner]

CHINESE = re.compile(r"[\u4e00-\u9fff]")
ALWAYS_CHINESE = ("中文",)
"""The other language's own name."""


async def every_page(service: Service, owner_of: OwnerOf, language: str) -> list[Page]:
    """One of each kind that waits for somebody."""

    async def look(account_id: str, path: str = "/owner") -> Page:
        owner = owner_of(account_id)
        owner.browser.headers["Accept-Language"] = language
        return await owner.look(path)

    everything = await blocked(
        service,
        None,
        available_fen=1,
        arrears_fen=1,
        icp_applications_ever=1,
        **{"resources.vm": 1, "resources.rds": 1, "provider.CLOUD_MARKET": 1},
    )
    enterprise = await blocked(service, None, available_fen=1, real_name_type="ENTERPRISE")
    clear = await awaiting_confirmation(service)
    coded = await awaiting_identity(service)
    await owner_of(coded).send("/owner/code", channel="PHONE")
    no_channel = await service.account(channels="")
    await service.start(no_channel)
    await service.in_phase(no_channel, Phase.AWAITING_IDENTITY)
    materials = await under_review(service)
    await materials.ask_for_materials()
    refused = await service.account(kind="SUB_USER")
    await service.start(refused)
    return [
        await look(await service.account()),
        await look(await awaiting_identity(service)),
        await look(coded),
        await look(no_channel),
        await look(no_channel, "/owner/ticket"),
        await look(await awaiting_notice(service)),
        await look(everything),
        await look(everything, "/owner/ticket"),
        await look(enterprise, "/owner/ticket"),
        await look(clear),
        await look(clear, "/owner/confirm"),
        await look((await under_review(service)).account_id),
        await look(materials.account_id),
        await look(refused),
    ]


@pytest.fixture(scope="module")
async def english(service: Service, console: Console) -> list[Page]:
    return await every_page(service, lambda account_id: Owner(console.owner(account_id)), "en")


@pytest.fixture(scope="module")
async def chinese(service: Service, console: Console) -> list[Page]:
    return await every_page(service, lambda account_id: Owner(console.owner(account_id)), "zh-CN")


def test_no_page_mixes_the_languages(english: list[Page], chinese: list[Page]) -> None:
    for page in english:
        text = page.find("body").text
        for known in ALWAYS_CHINESE:
            text = text.replace(known, "")
        assert not CHINESE.search(text), f"{page.heading}: {text}"
    for page in chinese:
        assert page.find("html").attributes["lang"] == "zh-CN"
        for element in page.find("main").find_all():
            if element.text and element.tag in ("h1", "h2", "h3", "label", "button", "p", "summary"):
                assert CHINESE.search(element.text) or element.attributes.get("class") == "dim small", element.text


def test_nothing_stands_inline_and_nothing_comes_from_elsewhere(english: list[Page], chinese: list[Page]) -> None:
    for page in (*english, *chinese):
        for element in page.find_all():
            assert element.tag != "style"
            assert element.tag != "script" or (element.attributes.get("src") and not element.children)
            for name, value in element.attributes.items():
                assert name != "style"
                assert not name.startswith(("on", "hx-on")), name
                if name in ("href", "src", "action", "hx-get"):
                    assert value.startswith(("/", "?", "#")), value


def test_every_form_is_ours_and_every_field_has_a_label(english: list[Page]) -> None:
    for page in english:
        labelled = {label.attributes["for"] for label in page.find_all("label")}
        for form in page.find_all("form"):
            assert form.attributes["method"] == "post"
            assert any(i.attributes["name"] == "csrf" for i in form.find_all("input", type="hidden"))
            for field in _fields(form):
                assert field.attributes["id"] in labelled
        ids = {element.attributes["id"] for element in page.find_all() if "id" in element.attributes}
        for element in page.find_all():
            assert set(element.attributes.get("aria-describedby", "").split()) <= ids


def test_headings_are_in_order(english: list[Page]) -> None:
    for page in english:
        levels = [int(e.tag[1]) for e in page.find_all() if re.fullmatch(r"h[1-6]", e.tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(below <= above + 1 for above, below in pairwise(levels)), page.heading


def test_no_address_names_an_account(english: list[Page]) -> None:
    for page in english:
        addresses = [v for e in page.find_all() for k, v in e.attributes.items() if k in ("href", "action", "hx-get")]
        assert not [address for address in addresses if "test-" in address]


async def test_nothing_of_another_account_can_be_seen_or_moved(service: Service, owner_of: OwnerOf) -> None:
    mine, theirs = await awaiting_notice(service), await blocked(service)
    owner = owner_of(mine)
    for query in (f"account={theirs}", f"account_id={theirs}"):
        page = await owner.look(f"/owner?{query}")
        assert page.heading == "Read the notice"
        assert theirs not in page.find("main").text
        live = await owner.browser.get(f"/owner/live?phase=BLOCKED&seen=nothing&{query}")
        assert (live.status_code, live.content) == (204, b"")
    before = await service.cancellations.view(theirs)
    await owner.send("/owner/withdraw", account=theirs, account_id=theirs)
    assert (await service.cancellations.view(theirs)) == before


async def test_nobody_comes_in_without_a_session(console: Console) -> None:
    answer = await console.browser.get("/owner")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in")


async def test_when_nobody_answers_the_page_says_so_and_offers_to_try_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    idle = own_queue(service)
    account_id = await service.account()
    async with idle.worker():
        await idle.start(account_id)
    monkeypatch.setattr(base, "LOOK_LIMIT", timedelta(seconds=1))
    async with console_on(idle, ConsoleSettings()) as console:
        owner = Owner(console.owner(account_id))
        for path in ("/owner", "/owner/confirm", "/owner/ticket", "/owner/certificate"):
            page = await owner.look(path)
            assert (page.status, page.heading) == (503, "The service is not answering just now")
            assert "/owner" in page.links
        assert (await owner.browser.get("/owner/live?phase=CHECKING&seen=x")).status_code == 503


def _fields(form: Element) -> list[Element]:
    shown = [i for i in form.find_all("input") if i.attributes.get("type") != "hidden"]
    return [*shown, *form.find_all("select")]
