"""A page as its reader meets it: words, headings, forms, rows; and an owner who clicks through the flow."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

import httpx2

from tests.support.service import eventually

VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    children: list["Element | str"] = field(default_factory=list)

    def find_all(self, tag: str | None = None, **wanted: str) -> Iterator["Element"]:
        for child in self.children:
            if isinstance(child, Element):
                if tag in (None, child.tag) and all(child.attributes.get(k) == v for k, v in wanted.items()):
                    yield child
                yield from child.find_all(tag, **wanted)

    def find(self, tag: str | None = None, **wanted: str) -> "Element":
        found = next(self.find_all(tag, **wanted), None)
        assert found is not None, f"no <{tag}> with {wanted} in: {self.text}"
        return found

    @property
    def text(self) -> str:
        return " ".join(" ".join(c if isinstance(c, str) else c.text for c in self.children).split())


class Page(Element):
    """An answer's HTML."""

    def __init__(self, answer: httpx2.Response) -> None:
        super().__init__("", {})
        self.status, self.answer = answer.status_code, answer
        _Builder(self).feed(answer.text)

    @property
    def heading(self) -> str:
        return self.find("h1").text

    @property
    def step(self) -> str | None:
        """The step of the six that is marked as the current one."""
        marked = [item.text for item in self.find_all("li") if item.attributes.get("aria-current") == "step"]
        assert len(marked) <= 1
        return marked[0] if marked else None

    @property
    def actions(self) -> set[str]:
        """Where its forms lead, the sign-out's apart."""
        return {form.attributes["action"] for form in self.find_all("form")} - {"/sign-out"}

    @property
    def links(self) -> set[str]:
        return {link.attributes["href"] for link in self.find_all("a")}

    @property
    def alerts(self) -> list[str]:
        return [alert.text for alert in self.find_all(role="alert")]

    @property
    def verdicts(self) -> dict[str, str | None]:
        """Each row of the check page: its verdict, None while it is being checked."""
        rows = [row for row in self.find_all("li") if "data-check" in row.attributes]
        return {row.attributes["data-check"]: row.attributes.get("data-verdict") for row in rows}

    def row(self, check: str) -> Element:
        return self.find("li", **{"data-check": check})

    def form(self, action: str) -> Element:
        return self.find("form", action=action)

    def fields(self, action: str) -> dict[str, str]:
        """What the form would send as it stands."""
        inputs = self.form(action).find_all("input", type="hidden")
        return {i.attributes["name"]: i.attributes.get("value", "") for i in inputs}

    def input(self, name: str) -> Element:
        return self.find("input", name=name)

    def has_input(self, name: str) -> bool:
        return any(True for _ in self.find_all("input", name=name))


class _Builder(HTMLParser):
    def __init__(self, root: Element) -> None:
        super().__init__()
        self._open = [root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            closed = self._open.pop()
            assert closed.tag == tag, f"<{closed.tag}> is closed by </{tag}>"

    def handle_data(self, data: str) -> None:
        self._open[-1].children.append(data)


@dataclass
class Owner:
    """An owner's browser: every look opens the page anew, as after closing the tab."""

    browser: httpx2.AsyncClient

    async def look(self, path: str = "/owner") -> Page:
        return Page(await self.browser.get(path))

    async def send(self, action: str, *, files: Any = None, page: Page | None = None, **fields: str) -> Page:
        """Fill in the form of the page that is right now, and see what it leads to, in the end."""
        page = page or await self.look()
        answer = await self.browser.post(action, data={**page.fields(action), **fields}, files=files)
        if answer.status_code == 303:
            return await self.look(answer.headers["Location"])
        return Page(answer)

    async def until(self, heading: str, seconds: float = 30) -> Page:
        return await eventually(self.look, lambda page: page.heading == heading, seconds)
