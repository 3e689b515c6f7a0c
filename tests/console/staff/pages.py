"""Reading the staff's pages as a person would: by what is written on them."""

import re
from html import unescape
from html.parser import HTMLParser

import httpx2

from domain.tickets import DecisionKind
from tests.support.tickets import Case


def words(html: str) -> str:
    """The text of a page in one line."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", html)).split())


class _Strict(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {name for name, _ in attrs}
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(f"<{tag}>")
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith(("on", "hx-on"))]


def inline_code(html: str) -> list[str]:
    """What a strict Content-Security-Policy refuses: inline scripts, styles and handlers."""
    parser = _Strict()
    parser.feed(html)
    return parser.found


def field(html: str, name: str) -> str:
    """The value of the first hidden field of a name."""
    found = re.search(rf'name="{name}" value="([^"]*)"', html)
    assert found is not None, f"no field {name}"
    return found[1]


def hidden(html: str) -> dict[str, str]:
    """What a decision's form says by itself: its id, and what was looked at."""
    return {name: field(html, name) for name in ("decision_id", "revision_sha256", "report_digest")}


def live_address(html: str) -> str:
    """What the moving part of a page asks for."""
    _, _, rest = html.partition('hx-get="/staff/live?')
    return "/staff/live?" + rest.partition('"')[0].replace("&amp;", "&")


def ticket_links(html: str) -> list[str]:
    """The tickets of a queue, in the order in which they are shown."""
    return re.findall(r'href="/staff/tickets/([^"/?]+)"', html)


async def ticket_page(browser: httpx2.AsyncClient, case: Case) -> str:
    answer = await browser.get(f"/staff/tickets/{case.ticket_no}")
    assert answer.status_code == 200, answer.text
    return answer.text


async def decide(
    browser: httpx2.AsyncClient, case: Case, kind: DecisionKind, *, html: str | None = None, **chosen: object
) -> httpx2.Response:
    """Fill in the form of a page that was loaded before, or of one loaded now, and send it."""
    html = html or await ticket_page(browser, case)
    fields = {"kind": kind, **hidden(html), **chosen}
    return await browser.post(f"/staff/tickets/{case.ticket_no}/decisions", data=fields)
