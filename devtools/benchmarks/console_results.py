"""What the measurement of the console's pages comes to, and whether it keeps what was promised."""

import statistics
from collections.abc import Sequence
from typing import Final, Self

from rich import box
from rich.console import Console
from rich.table import Table

from devtools.benchmarks.results import Machine
from domain.model import Instant, Model

QUEUE: Final = "queue"
LIMIT: Final = 1.5
"""A page's first byte, in times of the bare calls behind it."""
GROWTH_LIMIT: Final = 1.5
"""The queue's first page with the most tickets, in times of the same with the fewest."""


class Times(Model):
    p50: float
    p95: float

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Self:
        found = statistics.quantiles([1000 * one for one in seconds], n=20, method="inclusive")
        return cls(p50=found[9], p95=found[18])

    def ratio_to(self, other: "Times") -> "Times":
        return Times(p50=self.p50 / other.p50, p95=self.p95 / other.p95)


class PageResult(Model):
    """Milliseconds to the first byte of a page, and of the bare calls, asked in turn with it."""

    name: str
    page_ms: Times
    bare_ms: Times

    @classmethod
    def of(cls, name: str, page: Sequence[float], bare: Sequence[float]) -> Self:
        return cls(name=name, page_ms=Times.of(page), bare_ms=Times.of(bare))

    @property
    def ratio(self) -> Times:
        return self.page_ms.ratio_to(self.bare_ms)


class ConsoleResult(Model):
    """`pages` by the number of open tickets."""

    measured_at: Instant
    machine: Machine
    rounds: int
    pages: dict[int, tuple[PageResult, ...]]

    @property
    def growth(self) -> Times:
        fewest, most = (self._queue(self.pages[size]).page_ms for size in (min(self.pages), max(self.pages)))
        return most.ratio_to(fewest)

    @property
    def met(self) -> bool:
        ratios = [page.ratio for pages in self.pages.values() for page in pages]
        return all(max(r.p50, r.p95) <= LIMIT for r in ratios) and max(self.growth.p50, self.growth.p95) <= GROWTH_LIMIT

    @staticmethod
    def _queue(pages: Sequence[PageResult]) -> PageResult:
        return next(page for page in pages if page.name == QUEUE)


def show(result: ConsoleResult, console: Console) -> None:
    table = Table(
        *("open tickets", "page", "p50, ms", "p95, ms", "bare p50", "bare p95", "p50 ratio", "p95 ratio"),
        title=f"First byte against the bare calls, {result.rounds} rounds; at most {LIMIT} times",
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    for size, pages in result.pages.items():
        for page in pages:
            times = (page.page_ms.p50, page.page_ms.p95, page.bare_ms.p50, page.bare_ms.p95)
            table.add_row(
                f"{size:,}", page.name, *(f"{ms:.1f}" for ms in times), _held(page.ratio.p50), _held(page.ratio.p95)
            )
    console.print(table)
    growth = result.growth
    console.print(
        f"The queue's first page with {max(result.pages):,} tickets in times of {min(result.pages):,}: "
        f"p50 {_held(growth.p50, GROWTH_LIMIT)}, p95 {_held(growth.p95, GROWTH_LIMIT)} (at most {GROWTH_LIMIT})"
    )


def _held(ratio: float, limit: float = LIMIT) -> str:
    return f"[green]{ratio:.2f}[/]" if ratio <= limit else f"[bold red]{ratio:.2f} MISSED[/]"
