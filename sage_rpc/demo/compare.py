"""The same calls over the memory queue and over gRPC, to the services of a running job."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sage_rpc import ServiceEndpoint, ServiceManager, native
from sage_rpc.demo.digits import Digits
from sage_rpc.transport.base import GRPC, SHM

__all__ = ["Comparison", "Timing", "compare"]

_ROUNDS = 10  # the transports take turns, so that a busy moment of the machine meets both


@dataclass(frozen=True)
class Timing:
    """How long some calls took.

    Attributes:
        p50: seconds, half of the calls were faster.
        p99: seconds, 99 of 100 were faster.
        per_second: calls per second, one after the other.
    """

    p50: float
    p99: float
    per_second: float


@dataclass(frozen=True)
class Comparison:
    """One call over each transport that can be had: "shm", "grpc"."""

    call: str
    timings: dict[str, Timing]

    @property
    def ratio(self) -> float | None:
        """How many times faster half of the calls are over the memory queue."""
        if len(self.timings) < 2:
            return None
        return self.timings[GRPC].p50 / self.timings[SHM].p50


def compare(endpoints: Mapping[str, ServiceEndpoint], digits: Digits, calls: int) -> list[Comparison]:
    """Time `calls` calls of each kind over each transport."""
    managers = {
        transport: ServiceManager(endpoints, options=[("sage_rpc.transport", transport)])
        for transport in ((SHM, GRPC) if native.available() else (GRPC,))
    }
    image = digits.test_images[0]

    def call_of(manager: ServiceManager) -> dict[str, Callable[[], Any]]:
        cache, neighbours = manager.get_sync_proxy("cache"), manager.get_sync_proxy("neighbours")
        counter = manager.get_sync_proxy("counter")
        return {
            "cache.get": lambda: cache.get(b"0123456789abcdef"),
            "counter.add": lambda: counter.add("timed"),
            "neighbours.nearest": lambda: neighbours.nearest(image),
        }

    found = []
    try:
        kinds = {transport: call_of(manager) for transport, manager in managers.items()}
        for name in next(iter(kinds.values())):
            seconds: dict[str, list[float]] = {transport: [] for transport in kinds}
            for functions in kinds.values():
                _time(functions[name], max(10, calls // 20))  # connections and caches get warm
            for number in range(_ROUNDS):
                share = calls * (number + 1) // _ROUNDS - calls * number // _ROUNDS
                for transport, functions in kinds.items():
                    seconds[transport] += _time(functions[name], share)
            found.append(
                Comparison(name, {transport: _timing(times) for transport, times in seconds.items()})
            )
    finally:
        for manager in managers.values():
            manager.close()
    return found


def _time(function: Callable[[], Any], count: int) -> list[float]:
    times = []
    for _ in range(count):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times


def _timing(times: list[float]) -> Timing:
    ordered = sorted(times)
    return Timing(
        p50=ordered[len(ordered) // 2],
        p99=ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)],
        per_second=len(times) / sum(times),
    )
