"""What has to be reached: ratios inside one run, each with what must hold and what is aimed at.

A goal says how many times better one peer has to be than another. Two are limits in themselves: nothing may
be done while nothing is called, and what a proxy adds to grpcio is less than how much grpcio differs from one
second to the next, so that both are measured by one caller process, in turns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import REFERENCE
from benchmarks.scenarios import MIB, SMALL, Cell
from benchmarks.table import lines, number

__all__ = ["GOALS", "HEADS", "Goal", "State", "cells_of_goals", "render", "states"]

HEADS = ["reached", "must", "aim", ""]
Median = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """One of them.

    Attributes:
        what: one line for humans.
        scenario, peer, size: what is judged.
        by: the value of its medians that is.
        must, aim: times better than `versus`.
        versus: the peer it is compared with; None: `must` and `aim` are the most that the value may be.
    """

    what: str
    scenario: str
    must: float
    aim: float
    peer: str = "sage-shm"
    size: int = SMALL
    by: str = "per_second"
    versus: str | None = REFERENCE

    @property
    def cells(self) -> list[Cell]:
        """What has to be measured for it."""
        peers = [self.peer] if self.versus is None else [self.peer, self.versus]
        return [Cell(self.scenario, peer, self.size) for peer in peers]

    def value(self, medians: Mapping[Cell, Median]) -> float | None:
        """What was reached, or None where it was not measured."""
        found = [medians.get(cell) for cell in self.cells]
        if any(median is None or median.get(self.by) is None for median in found):
            return None
        values = [median[self.by] for median in found if median is not None]
        if self.versus is None:
            return float(values[0])
        ours, theirs = values
        return float(ours / theirs if self.by == "per_second" else theirs / ours)


P50 = "p50_us"
GOALS = (
    Goal("unary, p50", "unary", 80, 180, by=P50),
    Goal("unary, p50, beside iceoryx2, which polls", "unary", 1, 1 / 0.6, by=P50, versus="iceoryx2"),
    Goal("unary, p99", "unary", 30, 100, by="p99_us"),
    Goal("64 futures under way, calls per second", "futures", 20, 50),
    Goal("16 caller threads, calls per second", "threads", 8, 25),
    Goal("8 caller processes, calls per second", "processes", 15, 40),
    Goal("ping-pong on a stream, p50", "ping-pong", 4, 10, by=P50),
    Goal("the same, asyncio", "aio-ping-pong", 6, 12, by=P50),
    Goal("stream of responses, messages per second", "server-stream", 15, 35),
    Goal("asyncio, 64 calls under way, calls per second", "aio-window", 8, 15),
    Goal("1 MiB there and back, p50", "unary", 3, 6, size=MIB, by=P50),
    Goal("16 MiB numpy array through a proxy, p50", "numpy", 20, 60, "sage-proxy", 16 * MIB, P50),
    Goal("proxy of a plain class, p50", "unary", 40, 80, "sage-proxy", by=P50),
    Goal(
        "proxy over gRPC, p50 as a multiple of bare grpcio's",
        "turns",
        1.05,
        1,
        "sage-declared-grpc",
        by="of_bare",
        versus=None,
    ),
    Goal("ms of CPU to import a channel, beyond grpc", "import", 30, 15, by="beyond_ms", versus=None),
    # Less than this is what the kernel's own bookkeeping of a process shows.
    Goal("share of a CPU with 100 idle connections", "idle", 0.001, 0.0001, by="cpu_share", versus=None),
)


@dataclass(frozen=True)
class State:
    """How far a goal is.

    Attributes:
        goal: which.
        value: what was reached; None where it was not measured, or a cell failed.
    """

    goal: Goal
    value: float | None

    def reaches(self, limit: float) -> bool:
        """Whether the value is as good as `limit`."""
        if self.value is None:
            return False
        return self.value <= limit if self.goal.versus is None else self.value >= limit

    @property
    def verdict(self) -> str:
        """In one word or a few."""
        if self.value is None:
            return "not measured"
        if self.reaches(self.goal.aim):
            return "aim reached"
        return "holds" if self.reaches(self.goal.must) else "MISSED"

    @property
    def columns(self) -> list[str]:
        """What was reached, what must be, what is aimed at, and the verdict: see `HEADS`."""
        figures = (self.value, self.goal.must, self.goal.aim)
        return [*("" if figure is None else self._shown(figure) for figure in figures), self.verdict]

    def _shown(self, figure: float) -> str:
        return f"<= {figure:.3g}" if self.goal.versus is None else f"{number(figure)}x"


def cells_of_goals(present: list[str]) -> list[Cell]:
    """All that has to be measured, in order, of peers that are `present`."""
    return list(dict.fromkeys(cell for goal in GOALS for cell in goal.cells if cell.peer in present))


def states(record: Mapping[str, Any]) -> list[State]:
    """How far each goal is by the medians of a record."""
    medians = {
        Cell(cell["scenario"], cell["peer"], cell["size"]): cell["median"]
        for cell in record["cells"]
        if not cell["error"]
    }
    return [State(goal, goal.value(medians)) for goal in GOALS]


def render(record: Mapping[str, Any]) -> str:
    """The goals as a table for a terminal."""
    rows: list[tuple[str, list[str] | str]] = [(state.goal.what, state.columns) for state in states(record)]
    return "\n".join([f"goals, beside {REFERENCE} where nothing else is said", *lines(["", *HEADS], rows)])
