"""The section `Peers` of docs/benchmarks.md and its picture, written from a result: no number is copied by hand."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from textwrap import fill
from typing import Final, NamedTuple

from devtools.benchmarks.figures import Spread, shown
from devtools.benchmarks.measure import ALONE, IN_FLIGHT, TO_CLOSED_MS
from devtools.benchmarks.peers.result import (
    CPU_ALL,
    CPU_CLIENT,
    CPU_PLATFORM,
    CPU_SERVER,
    CPU_WORKER,
    CPU_WORKER_ALONE,
    DBOS_POSTGRESQL,
    DBOS_SQLITE,
    OURS,
    Crash,
    PeersResult,
    Ratio,
)
from devtools.benchmarks.routes import STEPS, WHOLE
from devtools.demo.stack import ROOT

COMMITTED: Final = Path(__file__).with_name("result.json")
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PICTURE: Final = ROOT / "docs" / "images" / "peers.svg"

_COLUMNS: Final = {OURS: "ours, on Temporal", DBOS_SQLITE: "DBOS, SQLite", DBOS_POSTGRESQL: "DBOS, PostgreSQL"}
_PEERS: Final = (DBOS_SQLITE, DBOS_POSTGRESQL)

_SAME: Final = 0.05
"""Two medians that differ by less than this share of the greater are called neither better nor worse."""

_INTRODUCTION: Final = """\
`make bench-peers` runs the same account cancellation hand-written on DBOS Transact, a library that keeps workflows in a
database and needs no server: what many would pick instead of Temporal (`devtools/benchmarks/peers/application.py`). It
makes the same calls to the same pretend platform over HTTP, which the run checks against its call log, with the same
HTTP client; it has the same steps of the owner's, the same 38 durable steps as our 38 activities, and what runs side by
side in ours does there. Dossier and certificate are files that are synced, as in our vault. All three take turns in one
run. `make bench-peers ARGS="--n 10"` is a quick look; with `--write-docs` it writes this section and the picture.

- The peer is given its best: the owner is heard by the process that runs the workflows, so that a start waits for no
  queue; the deletion is no child workflow; SQLite has its write-ahead log, and is asked for messages every 10 ms, not
  every second as by default; PostgreSQL tells of them at once, and is as `initdb` makes it.
- Temporal is the development server of the demo, with its state in a SQLite file; every contender keeps its state over
  a restart. Nobody has measured Temporal on PostgreSQL here.
- The peer has the way through and its refusals only: no tickets, reviews, withdrawals, search by ops, or pages.
- CPU time is of one request with others in flight. The peer's worker also serves the owner's HTTP calls; with us the
  client talks to Temporal, so that only the sums can be compared. DBOS on SQLite has no database process.
- The crash is a `kill -9` of the worker while every request waits for the platform in the middle of its deletion, and
  its start right after. "Exactly once" is by the platform's record of what was destroyed. Temporal gives the call of a
  dead worker to any worker, but only when its heartbeat is overdue (15 s); a restarted DBOS process takes up its own
  workflows at once, and those of a process that never comes back wait until somebody moves them (or for Conductor,
  DBOS's server for that)."""


class _Row(NamedTuple):
    title: str
    figure: str
    more_is_better: bool = False


def _rows(result: PeersResult) -> tuple[_Row, ...]:
    return (
        _Row("requests a second, one at a time", ALONE, more_is_better=True),
        _Row(f"requests a second, {result.concurrency} in flight", IN_FLIGHT, more_is_better=True),
        *(_Row(f"`{step}`, ms", f"{step}, ms") for step in STEPS),
        _Row("confirm to CLOSED, ms", TO_CLOSED_MS),
        _Row("whole request, ms", f"{WHOLE}, ms"),
        _Row("CPU ms, worker, one at a time", CPU_WORKER_ALONE),
        _Row("CPU ms, worker", CPU_WORKER),
        _Row("CPU ms, Temporal or database", CPU_SERVER),
        _Row("CPU ms, client", CPU_CLIENT),
        _Row("CPU ms, simulator", CPU_PLATFORM),
        _Row("CPU ms together", CPU_ALL),
    )


_CRASH_ROWS: Final[dict[str, Callable[[Crash], str]]] = {
    "killed: closed exactly once": lambda crash: f"{crash.closed_exactly_once} of {crash.requests}",
    "killed: s until the worker is back": lambda crash: shown(crash.seconds_to_ready),
    "killed: s until it goes on": lambda crash: shown(crash.seconds_to_going_on),
    "killed: s until all are closed": lambda crash: shown(crash.seconds_to_all_closed),
}


def section(result: PeersResult) -> str:
    """The whole section, in Markdown."""
    paragraphs = (
        "## Peers",
        _INTRODUCTION,
        _measured(result),
        "![Throughput, time from confirm to CLOSED, and CPU time, ours and the peers'](images/peers.svg)",
        "\n".join(_table(result)),
        "Ours in times of the peer's, turn by turn, against what was wanted:",
        "\n".join(_item(_wanted(result, ratio)) for ratio in result.ratios),
        "\n".join(_standing(result)),
    )
    return "\n\n".join(paragraphs) + "\n"


def write_docs(result: PeersResult) -> None:
    PAGE.write_text(with_section(PAGE.read_text(), section(result)))
    PICTURE.write_text(picture(result))


def with_section(page: str, text: str) -> str:
    """The page with this section in the place of its former one, or at its end."""
    before, _, rest = page.partition("\n## Peers\n")
    _, heading, after = rest.partition("\n## ")
    return before.rstrip("\n") + "\n\n" + text + heading + after


def _measured(result: PeersResult) -> str:
    machine, versions = result.machine, ", ".join(f"{name} {number}" for name, number in result.versions.items())
    where = "in memory" if result.in_memory else "in a file"
    return fill(
        f"{result.measured_at:%Y-%m-%d}, {machine.cores} cores (load {machine.load_before:.1f} before), Python "
        f"{machine.python}, temporalio {machine.temporalio}, Temporal's state {where}, {versions}; {result.n} requests "
        f"of each alone, and blocks of {2 * result.concurrency} with {result.concurrency} in flight. Medians, with the "
        "middle half in brackets; the best of a row is bold, and so is whatever is as good within 5%.",
        width=118,
    )


def _table(result: PeersResult) -> Iterator[str]:
    yield f"| | {' | '.join(_COLUMNS.values())} |"
    yield "|---" * (1 + len(_COLUMNS)) + "|"
    for row in _rows(result):
        found = [result.figures[name][row.figure] for name in _COLUMNS]
        cells = [_spread(spread) for spread in found]
        if all(spread.median for spread in found):
            cells = [
                f"**{cell}**" if not _is_worse(row, spread, found) else cell
                for cell, spread in zip(cells, found, strict=True)
            ]
        yield f"| {row.title} | {' | '.join(cells)} |"
    for title, cell in _CRASH_ROWS.items():
        yield f"| {title} | {' | '.join(cell(result.crashes[name]) for name in _COLUMNS)} |"


def _spread(spread: Spread) -> str:
    return shown(spread.median) + (f" ({shown(spread.p25)}-{shown(spread.p75)})" if spread.n > 1 else "")


def _is_worse(row: _Row, one: Spread, others: Iterable[Spread]) -> bool:
    medians = [other.median for other in others]
    if row.more_is_better:
        return one.median < (1 - _SAME) * max(medians)
    return (1 - _SAME) * one.median > min(medians)


def _wanted(result: PeersResult, ratio: Ratio) -> str:
    [title] = [row.title for row in _rows(result) if row.figure == ratio.figure]
    limit = f"{'>=' if ratio.at_least else '<='} {ratio.limit:g}"
    judged = "met" if ratio.met else "**missed**"
    return f"{title}, against {_COLUMNS[ratio.peer]}: {_spread(ratio.measured)}, wanted {limit}: {judged}."


def _standing(result: PeersResult) -> Iterator[str]:
    """Where each peer is ahead of ours: what a reader has to know before picking either."""
    for peer in _PEERS:
        ahead = []
        for row in _rows(result):
            ours, theirs = result.figures[OURS][row.figure], result.figures[peer][row.figure]
            if theirs.median and _is_worse(row, ours, [theirs]):
                ahead.append(f"{row.title} {shown(theirs.median)} against {shown(ours.median)}")
        ours_on, theirs_on = (result.crashes[name].seconds_to_going_on for name in (OURS, peer))
        if theirs_on < (1 - _SAME) * ours_on:
            ahead.append(f"seconds until it goes on after a kill {shown(theirs_on)} against {shown(ours_on)}")
        yield _item(f"{_COLUMNS[peer]}, is ahead of ours in: {'; '.join(ahead) or 'nothing'}.")


def _item(text: str) -> str:
    return fill(text, width=118, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


# The picture: four small bar charts side by side, each on a scale of its own

_COLOURS: Final = {OURS: "#2563eb", DBOS_SQLITE: "#d97706", DBOS_POSTGRESQL: "#059669"}
_PANEL, _BAR, _GAP, _HIGHEST, _BASE = 210, 44, 12, 120, 175


def picture(result: PeersResult) -> str:
    panels = (
        ("requests/s, one at a time", ALONE),
        (f"requests/s, {result.concurrency} in flight", IN_FLIGHT),
        ("confirm to CLOSED, ms", TO_CLOSED_MS),
        ("CPU ms a request, together", CPU_ALL),
    )
    width = _PANEL * len(panels)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 240" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="240" fill="white"/>',
    ]
    for number, (title, figure) in enumerate(panels):
        left = number * _PANEL + 20
        medians = {name: result.figures[name][figure].median for name in _COLUMNS}
        parts.append(f'<text x="{left}" y="24" font-weight="bold">{title}</text>')
        for place, (name, median) in enumerate(medians.items()):
            x, height = left + place * (_BAR + _GAP), _HIGHEST * median / max(medians.values())
            parts.append(
                f'<rect x="{x}" y="{_BASE - height:.1f}" width="{_BAR}" height="{height:.1f}" fill="{_COLOURS[name]}"/>'
                f'<text x="{x + _BAR // 2}" y="{_BASE - height - 5:.1f}" text-anchor="middle">{shown(median)}</text>'
            )
    for place, (name, label) in enumerate(_COLUMNS.items()):
        x = 20 + place * _PANEL
        parts.append(f'<rect x="{x}" y="206" width="12" height="12" fill="{_COLOURS[name]}"/>')
        parts.append(f'<text x="{x + 18}" y="216">{label}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
