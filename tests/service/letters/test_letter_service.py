"""Letters wait for their turn, and what came out is kept."""

import asyncio
from collections import Counter
from dataclasses import replace
from hashlib import sha256

import pytest

from domain.errors import Refusal
from domain.letters import LetterType
from service.letters import letter_service as module
from service.letters.letter_service import LetterService
from service.letters.limited import ProgramFailed
from service.letters.problems import LetterProblem, refusal
from service.letters.renderer import RenderedLetter

RENDERED = RenderedLetter(
    content=b"cleaned",
    sha256=sha256(b"cleaned").hexdigest(),
    pages=1,
    original_sha256="",
    original_type=LetterType.PDF,
    original_bytes=0,
    signature=None,
)


class Renderer:
    """Renders when it is told to."""

    def __init__(self) -> None:
        self.running: list[bytes] = []
        self.most = 0
        self.count: Counter[bytes] = Counter()
        self._gates: dict[bytes, asyncio.Event] = {}

    async def render_letter(self, data: bytes, **_: object) -> RenderedLetter:
        self.count[data] += 1
        self.running.append(data)
        self.most = max(self.most, len(self.running))
        try:
            await self._gates.setdefault(data, asyncio.Event()).wait()
        finally:
            self.running.remove(data)
        if data.startswith(b"bad"):
            raise refusal(LetterProblem.CANNOT_BE_RENDERED)
        return replace(RENDERED, original_sha256=sha256(data).hexdigest())

    async def page_picture(self, cleaned: bytes, number: int) -> bytes:
        self.count[cleaned] += 1
        if number > 1:
            raise ProgramFailed
        return b"picture of " + cleaned

    def finish(self, *data: bytes) -> None:
        for each in data:
            self._gates.setdefault(each, asyncio.Event()).set()


@pytest.fixture
def renderer(monkeypatch: pytest.MonkeyPatch) -> Renderer:
    renderer = Renderer()
    monkeypatch.setattr(module, "render_letter", renderer.render_letter)
    monkeypatch.setattr(module, "page_picture", renderer.page_picture)
    return renderer


async def settled() -> None:
    """Everything that can go on has."""
    for _ in range(50):
        await asyncio.sleep(0)
        # Hashes are made in a thread.
        await asyncio.to_thread(lambda: None)


async def render(letter_service: LetterService, data: bytes, account: str) -> RenderedLetter:
    async with letter_service.rendered(data, account) as (original, rendered):
        assert original == data
        return rendered


async def test_two_letters_are_rendered_at_once_and_one_of_each_account(renderer: Renderer) -> None:
    letter_service = LetterService()
    async with asyncio.TaskGroup() as tasks:
        for data, account in ((b"a1", "a"), (b"a2", "a"), (b"a3", "a"), (b"b1", "b"), (b"c1", "c")):
            tasks.create_task(render(letter_service, data, account))
        await settled()
        assert renderer.running == [b"a1", b"b1"]
        renderer.finish(b"b1")
        await settled()
        # The next of another account, though one of the first came before it.
        assert renderer.running == [b"a1", b"c1"]
        renderer.finish(b"a1", b"c1")
        await settled()
        assert renderer.running == [b"a2"]
        renderer.finish(b"a2", b"a3")
    assert renderer.most == 2


async def test_an_upload_is_read_when_its_turn_has_come(renderer: Renderer) -> None:
    letter_service, read = LetterService(), []

    async def upload() -> bytes:
        read.append("c")
        return b"c"

    async def send_c() -> None:
        async with letter_service.rendered(upload, "c"):
            pass

    async with asyncio.TaskGroup() as tasks:
        for account in ("a", "b"):
            tasks.create_task(render(letter_service, account.encode(), account))
        await settled()
        tasks.create_task(send_c())
        await settled()
        assert read == []
        renderer.finish(b"a", b"b", b"c")
    assert read == ["c"]


async def test_the_same_letter_costs_once_whoever_sends_it(renderer: Renderer) -> None:
    letter_service = LetterService()
    renderer.finish(b"same")
    rendered = await asyncio.gather(*(render(letter_service, b"same", account) for account in ("a", "b", "a", "c")))
    assert all(letter == rendered[0] for letter in rendered)
    assert renderer.count[b"same"] == 1


async def test_a_letter_that_cannot_be_rendered_costs_once_too(renderer: Renderer) -> None:
    letter_service = LetterService()
    renderer.finish(b"bad")
    for account in ("a", "b", "a"):
        with pytest.raises(Refusal) as caught:
            await render(letter_service, b"bad", account)
        assert caught.value.details["because"] is LetterProblem.CANNOT_BE_RENDERED
    assert renderer.count[b"bad"] == 1


async def test_the_turn_lasts_as_long_as_the_letter_is_worked_with(renderer: Renderer) -> None:
    letter_service = LetterService()
    renderer.finish(b"a", b"b", b"c")
    async with letter_service.rendered(b"a", "a"), letter_service.rendered(b"b", "b"):
        third = asyncio.create_task(render(letter_service, b"c", "c"))
        await settled()
        assert renderer.count[b"c"] == 0
    assert (await third).content == b"cleaned"


async def test_a_picture_is_drawn_once_and_so_is_what_cannot_be(renderer: Renderer) -> None:
    letter_service, loaded = LetterService(), Counter[str]()

    async def cleaned() -> bytes:
        loaded["cleaned"] += 1
        return b"cleaned"

    for _ in range(3):
        assert await letter_service.picture(("hash", 1), cleaned, "T-1") == b"picture of cleaned"
        with pytest.raises(Refusal) as refused:
            await letter_service.picture(("hash", 2), cleaned, "T-1")
        assert refused.value.details == {"because": LetterProblem.CANNOT_BE_RENDERED}
    assert renderer.count[b"cleaned"] == loaded["cleaned"] == 2
