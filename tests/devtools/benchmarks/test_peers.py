"""What can be checked of the peers without their environment: their terms, the ratios, and the page's section.

That they run, and call the platform as the real route does, is asserted by `make bench-peers` itself.
"""

from xml.etree import ElementTree

import pytest

from devtools.benchmarks.figures import Machine, Spread
from devtools.benchmarks.measure import ALONE, IN_FLIGHT, TO_CLOSED_MS
from devtools.benchmarks.peers import page
from devtools.benchmarks.peers.result import (
    CPU_SERVER,
    DBOS_POSTGRESQL,
    DBOS_SQLITE,
    OURS,
    Crash,
    Measured,
    PeersResult,
    Storage,
    judge,
)
from devtools.demo.stack import ROOT

PEERS = (DBOS_SQLITE, DBOS_POSTGRESQL)


def made_up(**ours: float) -> PeersResult:
    """Every figure is 10 with ours and 20 with the peers, but for those that are named."""

    def spreads(number: float) -> dict[str, Spread]:
        return {row.figure: Spread.of([number]) for row in page._ROWS}

    figures = {OURS: spreads(10) | {name: Spread.of([number]) for name, number in ours.items()}}
    figures |= {peer: spreads(20) for peer in PEERS}
    figures[DBOS_SQLITE][CPU_SERVER] = Spread.of([0])
    samples = {name: {figure: [spread.median] for figure, spread in found.items()} for name, found in figures.items()}
    crash = Crash(requests=3, closed_exactly_once=2, seconds_to_ready=1, seconds_to_going_on=2, seconds_to_all_closed=3)
    run = Measured(ratios=judge(samples), figures=figures, crashes=dict.fromkeys(figures, crash))
    versions = {"DBOS Transact": "0.1"}
    return PeersResult(machine=Machine(), versions=versions, n=1, concurrency=2, runs={Storage.MEMORY: run})


def row_of(text: str, title: str) -> list[str]:
    [line] = [line for line in text.splitlines() if line.startswith(f"| {title} |")]
    return [cell.strip() for cell in line.split("|")[2:-1]]


def test_the_numbers_of_the_page_are_those_of_the_committed_result() -> None:
    result = PeersResult.model_validate_json(page.COMMITTED.read_text())
    assert page.section(result) in page.PAGE.read_text()
    assert page.PICTURE.read_text() == page.picture(result)


def test_the_best_of_a_row_is_bold_and_so_is_what_is_as_good() -> None:
    text = page.section(made_up(**{ALONE: 19.5, TO_CLOSED_MS: 21.5}))
    assert row_of(text, "requests a second, one at a time") == ["**19.5**", "**20.0**", "**20.0**"]
    assert row_of(text, "confirm to CLOSED, ms") == ["21.5", "**20.0**", "**20.0**"]
    assert row_of(text, "`confirm`, ms") == ["**10.0**", "20.0", "20.0"]
    assert row_of(text, "CPU ms, Temporal or database") == ["10.0", "0.00", "20.0"], "nothing to compare"
    assert row_of(text, "killed: closed exactly once") == ["2 of 3"] * 3


def test_a_missed_ratio_is_said_and_so_is_where_a_peer_is_ahead() -> None:
    result = made_up(**{ALONE: 20, IN_FLIGHT: 26, TO_CLOSED_MS: 31})
    met = {(ratio.peer, ratio.figure): ratio.met for ratio in result.runs[Storage.MEMORY].ratios}
    assert met == {
        (DBOS_SQLITE, ALONE): True,
        (DBOS_POSTGRESQL, ALONE): False,
        (DBOS_SQLITE, IN_FLIGHT): True,
        (DBOS_POSTGRESQL, IN_FLIGHT): True,
        (DBOS_SQLITE, TO_CLOSED_MS): False,
        (DBOS_POSTGRESQL, TO_CLOSED_MS): False,
    }
    assert not result.met
    text = " ".join(page.section(result).split())
    assert "one at a time, against DBOS, PostgreSQL: 1.00, wanted >= 1.3: **missed**." in text
    assert "- DBOS, PostgreSQL: confirm to CLOSED, ms 20.0 against 31.0." in text


@pytest.mark.parametrize("former", ["", "\n## Peers\n\nof yesterday\n"])
@pytest.mark.parametrize("after", ["", "\n## Next\n\nstays\n"])
def test_a_new_section_takes_the_place_of_the_former_one(former: str, after: str) -> None:
    page_before = f"# Speed\n\n## First\n\nstays\n{former}{after if former else ''}"
    renewed = page.with_section(page_before, "## Peers\n\nof today\n")
    assert renewed == f"# Speed\n\n## First\n\nstays\n\n## Peers\n\nof today\n{after if former else ''}"


def test_the_picture_has_a_bar_for_each_of_them_in_each_chart() -> None:
    bars = [
        element
        for element in ElementTree.fromstring(page.picture(made_up())).iter("{http://www.w3.org/2000/svg}rect")
        if element.get("fill") == page._COLOURS[OURS]
    ]
    assert len(bars) == 1 + len(page._CHARTS), "one in the legend"


def test_the_peers_are_in_a_lock_of_their_own_alone() -> None:
    locks = {path.name for path in (ROOT / "requirements").glob("*.txt") if "\ndbos==" in path.read_text()}
    assert locks == {"peers.txt"}
