"""What the demo shows: progress while it runs, then results. A terminal gets a bar, a file gets lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from sage_rpc.demo.compare import Comparison
from sage_rpc.demo.digits import Digit
from sage_rpc.transport.base import GRPC, SHM

__all__ = ["Outcome", "print_outcome", "watched"]

_LINES = 10  # of progress, where there is no terminal
_NAMES = {SHM: "memory queue", GRPC: "gRPC"}
_CARRIED = {SHM: "over the memory queue", GRPC: "over gRPC"}


@dataclass
class Outcome:
    """What came out of the pipeline.

    Attributes:
        items: images classified.
        right: of them, how many rightly.
        cached: of them, how many were known to the cache.
        calls: calls made to services.
        seconds: wall time, from the first image to the last.
        transports: what carried the calls.
        processes: process ids of every operator and service.
        totals: what the counter service has counted.
        comparisons: the same calls over both transports.
    """

    items: int = 0
    right: int = 0
    cached: int = 0
    calls: int = 0
    seconds: float = 0.0
    transports: set[str] = field(default_factory=set)
    processes: dict[str, list[int]] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    comparisons: list[Comparison] = field(default_factory=list)

    @property
    def accuracy(self) -> float:
        """The share of images classified rightly."""
        return self.right / self.items if self.items else 0.0

    def add(self, row: Digit) -> None:
        """Count a row that came out."""
        self.items += 1
        self.right += row.right
        self.cached += row.cached
        self.calls += row.calls
        self.transports.add(row.transport)

    def as_json(self) -> dict[str, Any]:
        """All of it, for `json.dumps`; times in seconds."""
        comparisons = [
            {"call": c.call, "ratio": c.ratio, **{name: asdict(t) for name, t in c.timings.items()}}
            for c in self.comparisons
        ]
        return {
            **asdict(self),
            "accuracy": self.accuracy,
            "transports": sorted(self.transports),
            "comparisons": comparisons,
        }


def watched(rows: Iterable[Digit], outcome: Outcome, items: int, console: Console) -> Iterator[Digit]:
    """`rows`, counted in `outcome`, with progress on the console."""
    step = max(1, items // _LINES)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    bar = Progress(
        *columns, TextColumn("{task.fields[note]}"), console=console, disable=not console.is_terminal
    )
    with bar:
        task = bar.add_task("classifying", total=items, note="")
        for row in rows:
            outcome.add(row)
            note = f"{outcome.accuracy:.1%} right"
            bar.update(task, advance=1, note=note)
            if bar.disable and (outcome.items % step == 0 or outcome.items == items):
                console.print(f"  {outcome.items} of {items} images, {note}", highlight=False)
            yield row


def print_outcome(outcome: Outcome, distinct: int, console: Console) -> None:
    """The result and the table."""
    carried = " and ".join(_CARRIED.get(t, t) for t in sorted(outcome.transports))
    processes = ", ".join(f"{name} x{len(pids)}" for name, pids in outcome.processes.items())
    lines = {
        "accuracy": f"{outcome.accuracy:.2%} ({outcome.right} of {outcome.items}, {distinct} different)",
        "from the cache": f"{outcome.cached} of {outcome.items}",
        "calls made": f"{outcome.calls} {carried}",
        "counted": ", ".join(f"{count} {name}" for name, count in sorted(outcome.totals.items())),
        "processes": processes,
        "wall time": f"{outcome.seconds:.2f} s, {outcome.calls / outcome.seconds:,.0f} calls per second",
    }
    console.print()
    for name, text in lines.items():
        console.print(f"  {name:<15} {text}", highlight=False, soft_wrap=True)
    if outcome.comparisons:
        console.print(_table(outcome.comparisons))


def _table(comparisons: list[Comparison]) -> Table:
    table = Table(box=SIMPLE, title="The same calls, one after the other", title_justify="left")
    table.add_column("call", no_wrap=True)
    table.add_column("over", no_wrap=True)
    for name in ("p50 us", "p99 us", "per second", "ratio"):
        table.add_column(name, justify="right", no_wrap=True)
    for comparison in comparisons:
        for number, (transport, timing) in enumerate(comparison.timings.items()):
            ratio = comparison.ratio
            table.add_row(
                "" if number else comparison.call,
                _NAMES[transport],
                f"{timing.p50 * 1e6:,.1f}",
                f"{timing.p99 * 1e6:,.1f}",
                f"{timing.per_second:,.0f}",
                "" if ratio is None or transport == GRPC else f"{ratio:.0f}x",
            )
    return table
