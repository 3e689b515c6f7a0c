"""A third language is a catalogue and no code: a pseudo-language, made of the messages, is walked through the pages."""

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from babel.dates import get_day_names, get_month_names
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from console import pages
from console.auth.roles import Role
from console.settings import ConsoleSettings
from i18n import catalogue
from tests.console.conftest import Console, console_on
from tests.console.owner.pages import Element, Owner, Page
from tests.console.owner.test_pages import every_page
from tests.i18n.extraction import extracted, forms
from tests.support.service import Service
from tests.support.tickets import under_review

TAG = "eo"
"""Esperanto: Babel knows how it writes dates, and nobody has translated anything yet."""

SPOKEN = ("aria-label", "alt", "title", "placeholder", "data-label")
"""Attributes that are read to people."""

LETTERS = re.compile(r"[^\W\d_]{2,}")
DATA = re.compile(r"T\d{8}-\w{8}|\S+@example\.com|https://\S+|SHA-256|KiB")
"""A ticket's number, a contact, an address, and what is written alike in every language."""
TRANSLATED = re.compile(r"⟦[^⟦⟧]*⟧")


@pytest.fixture(scope="module")
def pseudo_language(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Every message in brackets, as the one further catalogue."""
    folder = tmp_path_factory.mktemp("i18n")
    for known in Path(catalogue.FOLDER).glob("*/LC_MESSAGES"):
        (folder / known.parent.name).symlink_to(known.parent)
    messages = Catalog(TAG, charset="utf-8", fuzzy=False)
    for message in extracted():
        if message.id:
            bracketed = tuple(f"⟦{form}⟧" for form in forms(message.id))
            messages.add(message.id, bracketed if len(bracketed) > 1 else bracketed[0], context=message.context)
    compiled = folder / TAG / "LC_MESSAGES" / "messages.mo"
    compiled.parent.mkdir(parents=True)
    with compiled.open("wb") as file:
        write_mo(file, messages)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "FOLDER", folder)
        catalogue.catalogues.cache_clear()
        yield
    catalogue.catalogues.cache_clear()
    pages._templates.cache_clear()


def spoken(element: Element) -> Iterator[str]:
    """What a reader is told, apart from codes, addresses, and texts that are legal documents."""
    classes = element.attributes.get("class", "").split()
    if element.tag in ("head", "script", "time", "kbd") or {"code", "notice", "subject", "language"} & set(classes):
        return
    yield from (element.attributes[name] for name in SPOKEN if name in element.attributes)
    for child in element.children:
        if isinstance(child, str):
            yield child
        elif child.attributes.get("lang", TAG) == TAG:
            yield from spoken(child)


def untranslated(page: Element, *dates: str) -> set[str]:
    """The words that no catalogue has; `dates` are Babel's own."""
    rest = DATA.sub("", " ".join(spoken(page)))
    while (shorter := TRANSLATED.sub("", rest)) != rest:
        rest = shorter
    return set(LETTERS.findall(rest)) - set(dates)


def test_it_is_offered_on_every_page_and_every_word_of_the_owners_is_its_own(everything: list[Page]) -> None:
    for page in everything:
        assert page.find("html").attributes["lang"] == TAG
        assert {
            link.attributes["hreflang"] for link in page.find_all("a", **{"class": "language"})
        } == catalogue.catalogues().keys() - {TAG}
        assert untranslated(page.find("body")) == set(), page.heading


@pytest.fixture(scope="module")
async def everything(service: Service, console: Console, pseudo_language: None) -> list[Page]:
    return await every_page(service, lambda account_id: Owner(console.owner(account_id)), TAG)


async def test_every_word_of_the_staffs_pages_is_its_own(
    service: Service, console: Console, pseudo_language: None
) -> None:
    case = await under_review(service)
    days = (get_day_names(width, "stand-alone", TAG).values() for width in ("short", "wide"))
    dates = set(chain(get_month_names("wide", "stand-alone", TAG).values(), *days))
    async with console.signed_in(Role.LEAD) as lead:
        lead.headers["Accept-Language"] = TAG
        for path in (
            "/staff",
            f"/staff/tickets/{case.ticket_no}",
            "/staff/calendar",
            "/staff/tickets/T20261122-7KQ2M9XT",
        ):
            page = Page(await lead.get(path))
            assert page.find("html").attributes["lang"] == TAG
            assert untranslated(page.find("body"), *dates) == set(), path
    await case.reject()


async def test_the_language_is_the_address_s_then_the_cookie_s_then_the_browser_s_then_the_setting_s(
    service: Service, pseudo_language: None
) -> None:
    async with console_on(service, ConsoleSettings(language=TAG)) as console:

        async def language(**headers: str) -> str:
            return Page(await console.browser.get(address, headers=headers)).find("html").attributes["lang"]

        address = "/sign-in"
        assert await language(**{"Accept-Language": "tlh, *;q=0.1"}) == TAG
        assert await language(**{"Accept-Language": "tlh;q=1, en;q=0.3, zh;q=0.8, eo;q=0"}) == "zh-CN"
        assert await language(**{"Accept-Language": "en;q=nonsense, zh"}) == "zh-CN"
        assert await language(**{"Accept-Language": "zh", "Cookie": "language=en"}) == "en"
        assert await language(**{"Accept-Language": "zh", "Cookie": "language=tlh"}) == "zh-CN"
        address = "/sign-in?lang=eo"
        assert await language(**{"Accept-Language": "zh", "Cookie": "language=en"}) == TAG
        address = "/sign-in?lang=tlh"
        assert await language(Cookie="language=en") == "en"
