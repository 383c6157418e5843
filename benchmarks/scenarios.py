"""The scenarios: what is measured, with which peers and sizes, and what a run of chosen ones consists of.

Scenarios that differ in one number only, their load, are one family: `futures-8` is `futures` with 8 calls
under way, and the bare name is the load that matters most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.peers import PEERS

__all__ = ["MIB", "SCENARIOS", "SMALL", "Cell", "Scenario", "cells", "sizes_of", "usual"]

SMALL = 64  # bytes
KIB, MIB = 1 << 10, 1 << 20
SIZES = (SMALL, 64 * KIB, MIB, 16 * MIB)
EVERY_SIZE = (0, SMALL, KIB, 16 * KIB, 64 * KIB, 256 * KIB, MIB, 16 * MIB, 64 * MIB)
ARRAY_SIZES = (MIB, 16 * MIB)
QUICK_SIZES = (SMALL, MIB)
KEPT_UP = 0.95  # share of the calls due that were made: fewer, and latencies grow as long as one measures


@dataclass(frozen=True)
class Scenario:
    """One way to load a server.

    Attributes:
        name: as `--only` takes it.
        what: one line for humans.
        peers: measured when the user names none.
        loop: what a caller process runs, by its name in call.py.
        family, family_what: what its chart is about; scenarios of one family differ in their load.
        load: given to the loop: calls under way, threads, connections, or calls per second.
        callers: caller processes.
        sizes: of the payload in bytes, where the user names none.
        every_size: `sizes` of a full run.
        by: the value of a repeat that tells which of two is better.
        counts: what its callers do, in the plural.
        axis: what the load is, for charts.
        full: measured in full runs only, unless the user names it.
        closed: only `peers` take part, whatever others can do.
    """

    name: str
    what: str
    peers: tuple[str, ...]
    loop: str
    family: str = ""
    family_what: str = ""
    load: int | None = None
    callers: int = 1
    sizes: tuple[int, ...] = (SMALL,)
    every_size: tuple[int, ...] = (SMALL,)
    by: str = "per_second"
    counts: str = "calls"
    axis: str = ""
    full: bool = False
    closed: bool = False

    @property
    def connections(self) -> int:
        """How many there are, roughly: opening them takes time."""
        return self.load if self.loop in {"idle", "crowd"} and self.load is not None else self.callers

    def kept_up(self, repeat: Mapping[str, Any]) -> bool:
        """Whether the calls of a `repeat` were made at the rate that was asked for, if one was."""
        return self.loop != "paced" or repeat["per_second"] >= KEPT_UP * (self.load or 0)

    @property
    def x(self) -> int:
        """Where it stands on the axis of its family's chart."""
        return self.callers if self.load is None else self.load


def _family(
    name: str,
    what: str,
    peers: tuple[str, ...],
    loads: Sequence[int],
    main: Collection[int],
    *,
    axis: str,
    loop: str = "",
    processes: bool = False,
    by: str = "per_second",
) -> Iterator[Scenario]:
    """A scenario for each of `loads`; usual runs measure those in `main`, whose name is bare if it is one."""
    for load in loads:
        yield Scenario(
            name if main == {load} else f"{name}-{load}",
            what.format(f"{load:,}", s="" if load == 1 else "s", es="" if load == 1 else "es"),
            peers,
            loop=loop or name,
            family=name,
            family_what=what.format("n", s="s", es="es"),
            load=None if processes else load,
            callers=load if processes else 1,
            by=by,
            axis=axis,
            full=load not in main,
        )


_USUAL = ("sage-shm", "sage-grpc", "grpc-uds")
_CROWDED = ("sage-shm", "sage-proxy", "grpc-uds", "raw-uds", "pyzmq")
_AIO_SERVERS = ("sage-shm", "sage-aio", "grpc-uds", "grpc-aio")
_PAIR = ("sage-shm", "grpc-uds")
_ALL = (
    Scenario(
        "unary",
        "one caller, one call at a time",
        (
            "sage-shm",
            "sage-grpc",
            "sage-proxy",
            "grpc-uds",
            "grpc-tcp",
            "raw-uds",
            "pyzmq",
            "iceoryx2",
            "ray",
        ),
        loop="unary",
        sizes=SIZES,
        every_size=EVERY_SIZE,
        by="p50_us",
    ),
    Scenario(
        "proxies",
        "one caller, one call at a time, through ServiceManager",
        ("sage-proxy", "sage-declared", "sage-declared-grpc", "grpc-uds"),
        loop="unary",
        by="p50_us",
        closed=True,
    ),
    Scenario(
        "turns",
        "one caller through ServiceManager over gRPC, in turns with bare grpcio at the same server",
        ("sage-declared-grpc",),
        loop="turns",
        by="p50_us",
        closed=True,
    ),
    Scenario(
        "numpy",
        "one caller, one call at a time, numpy arrays",
        ("sage-proxy", "sage-empty", "sage-shm", "grpc-uds", "ray"),
        loop="numpy",
        sizes=ARRAY_SIZES,
        every_size=ARRAY_SIZES,
        by="p50_us",
    ),
    *_family("futures", "one caller, {} future{s} under way", _USUAL, (1, 8, 64, 512), {64}, axis="futures"),
    *_family(
        "batch",
        "one caller, {} calls at once, then all their responses",
        ("sage-proxy", "sage-declared", "sage-shm", "grpc-uds"),
        (10, 100, 1000),
        {100},
        axis="calls at once",
    ),
    *_family("threads", "{} caller thread{s} in one process", _USUAL, (1, 4, 16), {16}, axis="threads"),
    *_family(
        "processes",
        "{} caller process{es}",
        _CROWDED,
        (1, 2, 4, 8, 32),
        {8},
        axis="processes",
        loop="unary",
        processes=True,
    ),
    Scenario("server-stream", "one stream of responses", _USUAL, loop="server-stream", counts="messages"),
    Scenario("client-stream", "one stream of requests", _USUAL, loop="client-stream", counts="messages"),
    Scenario(
        "ping-pong",
        "one stream both ways, one message at a time",
        _USUAL,
        loop="ping-pong",
        by="p50_us",
        counts="round trips",
    ),
    Scenario(
        "aio-unary",
        "asyncio caller, one call at a time",
        (*_AIO_SERVERS, "sage-proxy", "sage-grpc"),
        loop="aio-unary",
        by="p50_us",
    ),
    *_family(
        "aio-window",
        "asyncio caller, {} call{s} under way",
        (*_AIO_SERVERS, "sage-proxy", "sage-grpc"),
        (1, 64),
        {64},
        axis="calls under way",
    ),
    Scenario(
        "aio-ping-pong",
        "asyncio caller, one stream both ways, one message at a time",
        _AIO_SERVERS,
        loop="aio-ping-pong",
        by="p50_us",
        counts="round trips",
    ),
    Scenario(
        "aio-server-stream",
        "asyncio caller, one stream of responses",
        _AIO_SERVERS,
        loop="aio-server-stream",
        counts="messages",
    ),
    *_family(
        "rate",
        "{} calls due per second, whether or not the one before has ended",
        ("sage-shm", "grpc-uds", "raw-uds"),
        (500, 1000, 2000, 5000, 10_000, 20_000, 50_000),
        {1000, 10_000},
        loop="paced",
        axis="calls due per second",
        by="p99_us",
    ),
    Scenario(
        "connect",
        "from nothing to the first response, over and over",
        ("sage-shm", "sage-proxy", "grpc-uds", "raw-uds"),
        loop="connect",
        by="p50_us",
    ),
    Scenario(
        "import",
        "CPU time until a channel could be made, beyond that of `import grpc`",
        ("sage-shm",),
        loop="import",
        by="beyond_ms",
        closed=True,
    ),
    *_family("idle", "{} connections without calls", _PAIR, (100, 1000), {100}, axis="connections", by="kib"),
    *_family(
        "crowd",
        "one call at a time beside {} idle connections",
        _PAIR,
        (1000,),
        {1000},
        axis="connections",
        by="p50_us",
    ),
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


def usual(*, full: bool) -> list[str]:
    """The names of the scenarios that run when the user names none."""
    return [name for name, scenario in SCENARIOS.items() if full or not scenario.full]


def sizes_of(scenario: Scenario, given: Sequence[int] | None, *, quick: bool, full: bool) -> Sequence[int]:
    """In bytes: all that the user has `given` or the smallest of them, or those of the kind of run."""
    found = scenario.every_size if full else scenario.sizes
    if given:
        return given if len(found) > 1 else [min(given)]
    if quick:
        return [size for size in found if size in QUICK_SIZES]
    return found


def cells(
    scenarios: Collection[str],
    peers: Sequence[str],
    sizes: Sequence[int] | None = None,
    *,
    chosen: bool,
    quick: bool = False,
    full: bool = False,
) -> list[Cell]:
    """What to measure, in the order of the table.

    Args:
        scenarios: names.
        peers: names of those that are present.
        sizes: in bytes, if the user named some; scenarios of one size take the smallest.
        chosen: the user named the peers: then each does all it can.
        quick: of several sizes, a small and a large one.
        full: every size.
    """
    return [
        Cell(name, peer, size)
        for name, scenario in SCENARIOS.items()
        if name in scenarios
        for size in sizes_of(scenario, sizes, quick=quick, full=full)
        for peer in peers
        if peer in scenario.peers or (chosen and not scenario.closed)
        if PEERS[peer].can(scenario.loop)
    ]
