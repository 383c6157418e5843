"""The scenarios: what is measured, with which peers and sizes, and what a run of chosen ones consists of."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from benchmarks.measure import IDLE_CONNECTIONS, THREADS, WINDOW
from benchmarks.peers import PEERS

__all__ = ["PROCESSES", "SCENARIOS", "SIZES", "SMALL", "Cell", "Scenario", "cells"]

PROCESSES = 8
SMALL = 64  # bytes
SIZES = (SMALL, 64 << 10, 1 << 20, 16 << 20)


@dataclass(frozen=True)
class Scenario:
    """One way to load a server.

    Attributes:
        name: as `--only` takes it.
        what: one line for humans.
        peers: measured when the user names none; None for all.
        every_size: whether it is measured at each size, or at the smallest alone.
        rate: whether its result is the rate of calls rather than the latency of one.
        callers: caller processes.
    """

    name: str
    what: str
    peers: tuple[str, ...] | None
    every_size: bool = False
    rate: bool = True
    callers: int = 1


_ALL = (
    Scenario("unary", "one caller, one call at a time", None, every_size=True, rate=False),
    Scenario("futures", f"one caller, {WINDOW} futures under way", ("sage-shm", "sage-grpc", "grpc-uds")),
    Scenario("threads", f"{THREADS} caller threads in one process", ("sage-shm", "sage-grpc", "grpc-uds")),
    Scenario(
        "processes",
        f"{PROCESSES} caller processes",
        ("sage-shm", "sage-proxy", "grpc-uds", "raw-uds", "pyzmq"),
        callers=PROCESSES,
    ),
    Scenario("idle", f"{IDLE_CONNECTIONS} connections without calls", ("sage-shm", "grpc-uds")),
)
SCENARIOS: dict[str, Scenario] = {scenario.name: scenario for scenario in _ALL}


@dataclass(frozen=True)
class Cell:
    """One scenario with one peer at one size in bytes: one line of the table."""

    scenario: str
    peer: str
    size: int

    def __str__(self) -> str:
        return f"{self.scenario} {self.peer} {self.size} B"


def cells(
    scenarios: Collection[str], peers: Sequence[str], sizes: Sequence[int], *, chosen: bool
) -> list[Cell]:
    """What to measure, in the order of the table.

    Args:
        scenarios: names.
        peers: names of those that are present.
        sizes: in bytes; scenarios of one size take the smallest.
        chosen: the user named the peers: then each does all it can.
    """
    found = []
    for name, scenario in SCENARIOS.items():
        if name not in scenarios:
            continue
        for size in sizes if scenario.every_size else [min(sizes)]:
            for peer in peers:
                usual = chosen or scenario.peers is None or peer in scenario.peers
                if usual and name in PEERS[peer].scenarios:
                    found.append(Cell(name, peer, size))
    return found
