"""The picture of the phases, in both languages, against the one transition table."""

import re
from pathlib import Path

import pytest

from domain.phases import TRANSITIONS, Phase
from domain.policy import Policy
from tests.docs.documents import ROOT, blocks, name, prose

PAGES = [ROOT / "docs" / "process.md", ROOT / "docs" / "process.zh.md"]

DRAWN_IN_WORDS = {Phase.WITHDRAWN, Phase.LAPSED}
CLOSED_ALREADY = {Phase.DELETING, Phase.DELETION_STALLED, Phase.CLOSED, Phase.REFUSED}
"""Where every phase before the closure leads when the platform says that the account is closed: in words, too."""
BEFORE_CLOSURE = {phase for phase, after in TRANSITIONS.items() if Phase.WITHDRAWN in after}
DRAWN_ALL_THE_SAME = {
    (Phase.OPENING, Phase.REFUSED),
    (Phase.OPENING, Phase.DELETING),
    (Phase.SEALING, Phase.DELETING),
}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_the_picture_has_exactly_the_moves_of_the_table(page: Path) -> None:
    [picture] = blocks(page, "mermaid")
    first, *lines = picture.text.splitlines()
    assert first == "stateDiagram-v2"
    drawn = [re.fullmatch(r" +(\S+) --> (\w+)(: .+)?", line) for line in lines]
    assert all(drawn), [line for line, move in zip(lines, drawn, strict=True) if move is None]
    moves = [(move[1], move[2]) for move in drawn if move]
    expected = {(str(a), str(b)) for a, after in TRANSITIONS.items() for b in after if _is_drawn(a, b)}
    assert sorted(moves) == sorted(expected | {("[*]", str(Phase.OPENING))})


def _is_drawn(a: Phase, b: Phase) -> bool:
    in_words = b in DRAWN_IN_WORDS or (a in BEFORE_CLOSURE and b in CLOSED_ALREADY)
    return not in_words or (a, b) in DRAWN_ALL_THE_SAME


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_what_a_closed_account_leads_to_is_described_as_it_is_in_the_table(page: Path) -> None:
    assert all(TRANSITIONS[phase] >= CLOSED_ALREADY for phase in BEFORE_CLOSURE)
    [sentence] = [part for part in prose(page).split("\n\n") if "`REFUSED`" in part]
    assert {Phase(code) for code in re.findall(r"`([A-Z_]+)`", sentence)} == CLOSED_ALREADY


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_withdrawing_and_lapsing_are_described_as_they_are_in_the_table(page: Path) -> None:
    withdrawable = {phase for phase, after in TRANSITIONS.items() if Phase.WITHDRAWN in after}
    before_deleting = set(Phase) - {p for p, after in TRANSITIONS.items() if not after}
    assert withdrawable == before_deleting - {Phase.DELETING, Phase.DELETION_STALLED}, "not every phase before DELETING"

    [sentence] = [part for part in prose(page).split("\n\n") if "`LAPSED`" in part]
    listed = {Phase(code) for code in re.findall(r"`([A-Z_]+)`", sentence)} - {*DRAWN_IN_WORDS, Phase.DELETING}
    assert listed == {phase for phase, after in TRANSITIONS.items() if Phase.LAPSED in after}
    assert str(Policy().owner_idle_limit.days) in sentence
