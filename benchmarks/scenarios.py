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
        peers: measured when the user names none.
        every_size: whether it is measured at each size, or at the smallest alone.
        rate: whether its result is the rate of calls rather than the latency of one.
        callers: caller processes.
        counts: what its callers do, in the plural.
    """

    name: str
    what: str
    peers: tuple[str, ...]
    every_size: bool = False
    rate: bool = True
    callers: int = 1
    counts: str = "calls"


_USUAL = ("sage-shm", "sage-grpc", "grpc-uds")
_AIO_SERVERS = ("sage-shm", "sage-aio", "grpc-uds", "grpc-aio")
_ALL = (
    Scenario(
        "unary",
        "one caller, one call at a time",
        ("sage-shm", "sage-grpc", "sage-proxy", "grpc-uds", "grpc-tcp", "raw-uds", "pyzmq", "iceoryx2"),
        every_size=True,
        rate=False,
    ),
    Scenario("futures", f"one caller, {WINDOW} futures under way", _USUAL),
    Scenario("threads", f"{THREADS} caller threads in one process", _USUAL),
    Scenario(
        "processes",
        f"{PROCESSES} caller processes",
        ("sage-shm", "sage-proxy", "grpc-uds", "raw-uds", "pyzmq"),
        callers=PROCESSES,
    ),
    Scenario("server-stream", "one stream of responses", _USUAL, counts="messages"),
    Scenario("client-stream", "one stream of requests", _USUAL, counts="messages"),
    Scenario(
        "ping-pong",
        "one stream both ways, one message at a time",
        _USUAL,
        rate=False,
        counts="round trips",
    ),
    Scenario("aio-unary", "asyncio caller, one call at a time", (*_AIO_SERVERS, "sage-grpc"), rate=False),
    Scenario("aio-window", f"asyncio caller, {WINDOW} calls under way", (*_AIO_SERVERS, "sage-grpc")),
    Scenario(
        "aio-ping-pong",
        "asyncio caller, one stream both ways, one message at a time",
        _AIO_SERVERS,
        rate=False,
        counts="round trips",
    ),
    Scenario("aio-server-stream", "asyncio caller, one stream of responses", _AIO_SERVERS, counts="messages"),
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
    return [
        Cell(name, peer, size)
        for name, scenario in SCENARIOS.items()
        if name in scenarios
        for size in (sizes if scenario.every_size else [min(sizes)])
        for peer in peers
        if (chosen or peer in scenario.peers) and name in PEERS[peer].scenarios
    ]
