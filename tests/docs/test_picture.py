"""The picture of the phases in the README, against the one transition table."""

import re
from pathlib import Path

import pytest

from domain.phases import TRANSITIONS, Phase
from domain.policy import Policy
from tests.docs.documents import READMES, blocks, name, prose

DRAWN_IN_WORDS = {Phase.WITHDRAWN, Phase.LAPSED}


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_the_picture_has_exactly_the_moves_of_the_table(readme: Path) -> None:
    [picture] = blocks(readme, "mermaid")
    first, *lines = picture.text.splitlines()
    assert first == "stateDiagram-v2"
    drawn = [re.fullmatch(r" +(\S+) --> (\w+)(: .+)?", line) for line in lines]
    assert all(drawn), [line for line, move in zip(lines, drawn, strict=True) if move is None]
    moves = [(move[1], move[2]) for move in drawn if move]
    expected = {(str(a), str(b)) for a, after in TRANSITIONS.items() for b in after - DRAWN_IN_WORDS}
    assert sorted(moves) == sorted(expected | {("[*]", str(Phase.OPENING))})


@pytest.mark.parametrize("readme", READMES, ids=name)
def test_withdrawing_and_lapsing_are_described_as_they_are_in_the_table(readme: Path) -> None:
    withdrawable = {phase for phase, after in TRANSITIONS.items() if Phase.WITHDRAWN in after}
    before_deleting = set(Phase) - {p for p, after in TRANSITIONS.items() if not after}
    assert withdrawable == before_deleting - {Phase.DELETING, Phase.DELETION_STALLED}, "not every phase before DELETING"

    [sentence] = [part for part in prose(readme).split("\n\n") if "`LAPSED`" in part]
    listed = {Phase(code) for code in re.findall(r"`([A-Z_]+)`", sentence)} - {*DRAWN_IN_WORDS, Phase.DELETING}
    assert listed == {phase for phase, after in TRANSITIONS.items() if Phase.LAPSED in after}
    assert str(Policy().owner_idle_limit.days) in sentence
