"""Hostile letters in the service itself, with its own limits: who waits, what costs nothing, what answers meanwhile."""

import asyncio
from typing import Any

import psutil
import pytest

from console.settings import ConsoleSettings
from domain.errors import Refusal
from service.letters import limited, renderer
from service.letters.letter_service import LetterService
from service.letters.problems import MAX_BYTES, LetterProblem
from service.letters.renderer import render_letter
from tests.console.conftest import console_on
from tests.console.owner.pages import Owner
from tests.letters.corpus import FOLDER
from tests.letters.hostile import HOSTILE
from tests.support.service import Service
from tests.support.tickets import blocked

ENDLESS = "content: patterns in patterns"
ENTERPRISE: dict[str, Any] = {"available_fen": 6_600, "real_name_type": "ENTERPRISE"}
CONTACT = {"contact_email": "owner@example.com", "contact_phone": "138 0013 8000"}


class Watched:
    """The service's own way to run a program, and how often and how many at once it was gone."""

    def __init__(self) -> None:
        self.begun, self.running, self.most = 0, 0, 0
        self.first = asyncio.Event()

    async def run(self, *arguments: object, **options: object) -> limited.Output:
        self.begun, self.running = self.begun + 1, self.running + 1
        self.most = max(self.most, self.running)
        self.first.set()
        try:
            return await limited.run(*arguments, **options)  # type: ignore[arg-type]
        finally:
            self.running -= 1


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    watched = Watched()
    monkeypatch.setattr(renderer, "run", watched.run)
    return watched


async def problem_of(
    data: bytes, letter_service: LetterService | None = None, account: str = "a"
) -> LetterProblem | None:
    try:
        if letter_service is None:
            await render_letter(data)
        else:
            async with letter_service.rendered(data, account):
                pass
    except Refusal as refused:
        return LetterProblem(str(refused.details["because"]))
    return None


@pytest.mark.parametrize(
    ("data", "problem"),
    [(b"", LetterProblem.EMPTY), (b"%PDF" + bytes(MAX_BYTES), LetterProblem.TOO_LARGE)],
    ids=["nothing", "too much"],
)
async def test_what_no_program_has_to_look_at_is_refused_without_one(
    data: bytes, problem: LetterProblem, watched: Watched
) -> None:
    assert await problem_of(data) is problem
    assert watched.begun == 0


@pytest.mark.parametrize(
    "name",
    ["filters: content inflates to 300 MiB", "content: a form that draws itself", "pictures: TIFF that inflates"],
)
async def test_a_bomb_is_an_answer(name: str) -> None:
    assert await problem_of(HOSTILE[name]()) is LetterProblem.CANNOT_BE_RENDERED


async def test_never_more_than_two_at_once_and_each_letter_once(watched: Watched) -> None:
    letter_service = LetterService()
    refused = ("filters: a chain of a hundred filters", "structure: ten thousand pages", "damage: a web page")
    hostile = [HOSTILE[name]() for name in refused]
    genuine = [(FOLDER / name).read_bytes() for name in ("typst-plain.pdf", "jpeg-baseline.jpg", "tiff-group-4.tif")]
    letters = [*hostile, *genuine] * 2
    first = await asyncio.gather(*(problem_of(data, letter_service, f"account-{n}") for n, data in enumerate(letters)))
    assert watched.most == 2
    assert watched.begun == len(letters) / 2
    again = await asyncio.gather(*(problem_of(data, letter_service, "another") for data in letters))
    assert again == first
    assert watched.begun == len(letters) / 2, "what is known, refusals too, costs no process"


def ended(program: str) -> bool:
    """End the process of our own that runs a program. Whether there was one."""
    found = False
    for child in psutil.Process().children():
        if any(program in part for part in child.cmdline()):
            child.kill()
            found = True
    return found


async def test_pages_answer_while_a_hostile_letter_is_rendered(service: Service, watched: Watched) -> None:
    async with console_on(service, ConsoleSettings()) as console:
        sender, other = [Owner(console.owner(await blocked(service, None, **ENTERPRISE))) for _ in range(2)]
        form = await sender.look("/owner/ticket")
        files = {"letter": ("letter.pdf", HOSTILE[ENDLESS]())}
        sending = asyncio.create_task(sender.send("/owner/ticket", page=form, files=files, **CONTACT))
        await watched.first.wait()
        for path in ("/owner", "/owner/ticket"):
            assert (await other.look(path)).status == 200
        assert not sending.done()
        assert ended("rendering.py")
        answer = await sending
    assert answer.status == 422
    assert "cannot be shown" in answer.text
