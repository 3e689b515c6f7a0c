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
    Measured,
    PeersResult,
    Ratio,
    Storage,
)
from devtools.benchmarks.routes import STEPS, WHOLE
from devtools.demo.stack import ROOT

COMMITTED: Final = Path(__file__).with_name("result.json")
PAGE: Final = ROOT / "docs" / "benchmarks.md"
PICTURE: Final = ROOT / "docs" / "images" / "peers.svg"

_COLUMNS: Final = {OURS: "ours, on Temporal", DBOS_SQLITE: "DBOS, SQLite", DBOS_POSTGRESQL: "DBOS, PostgreSQL"}
_HEADINGS: Final = {Storage.MEMORY: "With all files in memory", Storage.DISK: "With all files on the disk"}
_PEERS: Final = (DBOS_SQLITE, DBOS_POSTGRESQL)

_SAME: Final = 0.05
"""Two medians that differ by less than this share of the greater are called neither better nor worse."""

_LEFT_ALONE: Final = 0.5
"""Runnable processes in the minute before. Above it somebody else was working: see `Machine`."""

_INTRODUCTION: Final = """\
`make bench-peers` runs the same account cancellation hand-written on DBOS Transact, a library that keeps workflows in
a database and needs no server: what many would pick instead of Temporal (`devtools/benchmarks/peers/application.py`).
It makes the same calls to the same pretend platform over HTTP, which the run checks against its call log, with the
same HTTP client; it has the same steps of the owner's, the same 38 durable steps as our 38 activities, and what runs
side by side in ours does there. Dossier and certificate are files that are synced, as in our vault. All three take
turns in one run. `make bench-peers ARGS="--n 10"` is a quick look; with `--write-docs` it writes this section and the
picture.

- The peer is given its best: the owner is heard by the process that runs the workflows, so that a start waits for no
  queue; the deletion is no child workflow; SQLite has its write-ahead log, and is asked for messages every 10 ms, not
  every second as by default; PostgreSQL tells of them at once, and is as `initdb` makes it.
- Temporal is the development server of the demo, with its state in one SQLite file, that has its write-ahead log too.
  Nobody has measured Temporal on PostgreSQL here.
- All keep their state over a restart, and sync each commit. They are compared twice: with all of their files in
  memory, where a sync takes no time and what counts is the work, and with all of them on this machine's disk.
- The peer has the way through and its refusals only: no tickets, reviews, withdrawals, search by ops, or pages.
- CPU time is of one request with others in flight. The peer's worker also serves the owner's HTTP calls; with us the
  client talks to Temporal, so that only the sums can be compared. DBOS on SQLite has no database process.
- The crash is a `kill -9` of the worker while every request waits for the platform in the middle of its deletion, and
  its start right after. "Exactly once" is by the platform's record of what was destroyed. Temporal gives the call of
  a dead worker to any worker, but only when its heartbeat is overdue (15 s); a restarted DBOS process takes up its
  own workflows at once, and those of a process that never comes back wait until somebody moves them (or for
  Conductor, DBOS's server for that)."""


class _Row(NamedTuple):
    title: str
    figure: str
    more_is_better: bool = False


_ROWS: Final = (
    _Row("requests a second, one at a time", ALONE, more_is_better=True),
    _Row("requests a second, in flight", IN_FLIGHT, more_is_better=True),
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
        *(paragraph for where, run in result.runs.items() for paragraph in _run(where, run)),
    )
    return "\n\n".join(paragraphs) + "\n"


def _run(where: Storage, run: Measured) -> Iterator[str]:
    yield f"### {_HEADINGS[where]}"
    yield "\n".join(_table(run))
    yield "Ours in times of the peer's, turn by turn, against what was wanted:"
    yield "\n".join(_item(_wanted(ratio)) for ratio in run.ratios)
    yield "Where a peer is ahead, theirs against ours:"
    yield "\n".join(_item(_standing(run, peer)) for peer in _PEERS)


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
    others = " The machine had other work, so these are provisional." if machine.load_before > _LEFT_ALONE else ""
    return fill(
        f"{result.measured_at:%Y-%m-%d}, {machine.cores} cores (load {machine.load_before:.1f} before), Python "
        f"{machine.python}, temporalio {machine.temporalio}, {versions}; {result.n} requests "
        f"of each alone, and blocks of {2 * result.concurrency} with {result.concurrency} in flight. Medians, with the "
        "middle half in brackets; the best of a row is bold, and so is whatever is as good within 5%." + others,
        width=118,
    )


def _table(run: Measured) -> Iterator[str]:
    yield f"| | {' | '.join(_COLUMNS.values())} |"
    yield "|---" * (1 + len(_COLUMNS)) + "|"
    for row in _ROWS:
        found = [run.figures[name][row.figure] for name in _COLUMNS]
        cells = [_spread(spread) for spread in found]
        if all(spread.median for spread in found):
            cells = [
                f"**{cell}**" if not _is_worse(row, spread, found) else cell
                for cell, spread in zip(cells, found, strict=True)
            ]
        yield f"| {row.title} | {' | '.join(cells)} |"
    for title, cell in _CRASH_ROWS.items():
        yield f"| {title} | {' | '.join(cell(run.crashes[name]) for name in _COLUMNS)} |"


def _spread(spread: Spread) -> str:
    return shown(spread.median) + (f" ({shown(spread.p25)}-{shown(spread.p75)})" if spread.n > 1 else "")


def _is_worse(row: _Row, one: Spread, others: Iterable[Spread]) -> bool:
    medians = [other.median for other in others]
    if row.more_is_better:
        return one.median < (1 - _SAME) * max(medians)
    return (1 - _SAME) * one.median > min(medians)


def _wanted(ratio: Ratio) -> str:
    [title] = [row.title for row in _ROWS if row.figure == ratio.figure]
    limit = f"{'>=' if ratio.at_least else '<='} {ratio.limit:g}"
    judged = "met" if ratio.met else "**missed**"
    return f"{title}, against {_COLUMNS[ratio.peer]}: {_spread(ratio.measured)}, wanted {limit}: {judged}."


def _standing(run: Measured, peer: str) -> str:
    """Where a peer is ahead of ours: what a reader has to know before picking either."""
    ahead = []
    for row in _ROWS:
        ours, theirs = run.figures[OURS][row.figure], run.figures[peer][row.figure]
        if theirs.median and _is_worse(row, ours, [theirs]):
            ahead.append(f"{row.title} {shown(theirs.median)} against {shown(ours.median)}")
    ours_on, theirs_on = (run.crashes[name].seconds_to_going_on for name in (OURS, peer))
    if theirs_on < (1 - _SAME) * ours_on:
        ahead.append(f"seconds until it goes on after a kill {shown(theirs_on)} against {shown(ours_on)}")
    return f"{_COLUMNS[peer]}: {'; '.join(ahead) or 'nothing'}."


def _item(text: str) -> str:
    return fill(text, width=118, initial_indent="- ", subsequent_indent="  ", break_on_hyphens=False)


# The picture: small bar charts, each on a scale of its own; a line of them for each run

_COLOURS: Final = {OURS: "#2563eb", DBOS_SQLITE: "#d97706", DBOS_POSTGRESQL: "#059669"}
_CHARTS: Final = (
    ("requests/s, one at a time", ALONE),
    ("requests/s, in flight", IN_FLIGHT),
    ("confirm to CLOSED, ms", TO_CLOSED_MS),
    ("CPU ms a request, together", CPU_ALL),
)
_WIDTH, _HEIGHT, _BAR, _GAP, _HIGHEST, _LEGEND = 210, 200, 44, 12, 110, 36


def picture(result: PeersResult) -> str:
    width, height = _WIDTH * len(_CHARTS), _HEIGHT * len(result.runs) + _LEGEND
    space, font = "http://www.w3.org/2000/svg", 'font-family="sans-serif" font-size="12"'
    parts = [
        f'<svg xmlns="{space}" viewBox="0 0 {width} {height}" {font}>',
        f'<rect width="{width}" height="{height}" fill="white"/>',
    ]
    for place, (name, label) in enumerate(_COLUMNS.items()):
        x = 20 + place * _WIDTH
        parts.append(f'<rect x="{x}" y="12" width="12" height="12" fill="{_COLOURS[name]}"/>')
        parts.append(_text(x + 18, 22, label))
    for line, (where, run) in enumerate(result.runs.items()):
        top = _LEGEND + line * _HEIGHT
        parts.append(_text(20, top + 14, _HEADINGS[where], 'font-weight="bold"'))
        for column, (title, figure) in enumerate(_CHARTS):
            parts += _chart(20 + column * _WIDTH, top + 34, title, run, figure)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _chart(left: int, top: int, title: str, run: Measured, figure: str) -> Iterator[str]:
    yield _text(left, top, title)
    medians = {name: run.figures[name][figure].median for name in _COLUMNS}
    base = top + _HIGHEST + 32
    for place, (name, median) in enumerate(medians.items()):
        x, high = left + place * (_BAR + _GAP), _HIGHEST * median / max(medians.values())
        yield f'<rect x="{x}" y="{base - high:.1f}" width="{_BAR}" height="{high:.1f}" fill="{_COLOURS[name]}"/>'
        yield _text(x + _BAR / 2, base - high - 5, shown(median), 'text-anchor="middle"')


def _text(x: float, y: float, text: str, how: str = "") -> str:
    return f'<text x="{x:g}" y="{y:.1f}"{" " * bool(how)}{how}>{text}</text>'
