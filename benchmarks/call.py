"""A caller process: `python -m benchmarks.call PEER`, one measurement, its job a JSON line on stdin.

It prints "ready" when it has warmed up, begins when it reads "go", prints its result as a JSON line and
ends. When its stdin ends before that, the suite is gone, and this process leaves too.
"""

from __future__ import annotations

import _thread
import asyncio
import functools
import gc
import json
import math
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import measure, measure_aio
from benchmarks.answers import payloads
from benchmarks.cpu import CpuClock
from benchmarks.peers import PEERS, PeerModule

GRACE = 3.0  # seconds for leaving in good order after the suite has gone

# Each takes (caller, payloads, seconds, window), those of the second table (caller, connect, payloads, ...).
LOOPS: Mapping[str, Callable[..., Any]] = {
    "unary": measure.unary,
    "futures": measure.futures,
    "processes": measure.unary,
    "server-stream": measure.server_stream,
    "client-stream": measure.client_stream,
    "ping-pong": measure.ping_pong,
}
CONNECTING_LOOPS: Mapping[str, Callable[..., Any]] = {"threads": measure.threads, "idle": measure.idle}
AIO_LOOPS: Mapping[str, Callable[..., Any]] = {
    "aio-unary": measure_aio.unary,
    "aio-window": measure_aio.windowed,
    "aio-ping-pong": measure_aio.ping_pong,
    "aio-server-stream": measure_aio.server_stream,
}


class Window:
    """The measured part of a loop: waits for the start signal, then takes time and CPU time.

    Attributes:
        began: monotonic clock, in seconds; the same clock in every process.
        seconds: how long it was open.
        cpu: CPU seconds of this process and of the server meanwhile.
    """

    def __init__(self, server_pid: int) -> None:
        self._clocks = (CpuClock(os.getpid()), CpuClock(server_pid))
        self._before = (0.0, 0.0)
        self.began = self.seconds = 0.0
        self.cpu = (0.0, 0.0)

    def _read(self) -> tuple[float, float]:
        return self._clocks[0].seconds(), self._clocks[1].seconds()

    def __enter__(self) -> None:
        gc.collect()
        print("ready", flush=True)
        if sys.stdin.readline() != "go\n":
            raise SystemExit("the suite went away")
        threading.Thread(target=_leave_with_the_suite, daemon=True).start()
        self._before = self._read()
        self.began = time.monotonic()

    def __exit__(self, *exc: object) -> None:
        self.seconds = time.monotonic() - self.began
        after = self._read()
        self.cpu = (after[0] - self._before[0], after[1] - self._before[1])

    def __repr__(self) -> str:
        return f"<Window of {self.seconds:.3f} s>"


def _leave_with_the_suite() -> None:
    # The descriptor and not sys.stdin, whose lock would be held while Python shuts down.
    while os.read(0, 4096):
        pass
    _thread.interrupt_main()
    threading.Event().wait(GRACE)
    os._exit(1)


def _quantile(ordered: list[int], share: float) -> float | None:
    """In microseconds, the smallest of the `ordered` nanoseconds that `share` of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] / 1e3 if ordered else None


def _call(module: PeerModule, job: dict[str, Any], window: Window) -> Any:
    """Run the scenario's loop. -> the latencies of its calls, or their number."""
    scenario = job["scenario"]
    where = (job["peer"], job["address"], job["size"])
    work = (payloads(job["size"]), job["seconds"], window)

    async def call_aio() -> Any:
        async with module.connect_aio(*where) as caller:
            return await AIO_LOOPS[scenario](caller, *work)

    if scenario in AIO_LOOPS:
        return asyncio.run(call_aio())
    connect = functools.partial(module.connect, *where)
    with connect() as caller:
        if scenario in CONNECTING_LOOPS:
            return CONNECTING_LOOPS[scenario](caller, connect, *work)
        return LOOPS[scenario](caller, *work)


def run(module: PeerModule, job: dict[str, Any]) -> dict[str, Any]:
    """Measure. -> the repeat as the suite reads it."""
    window = Window(job["server_pid"])
    outcome = _call(module, job, window)
    ordered = [] if isinstance(outcome, int) else sorted(outcome)
    return {
        "calls": outcome if isinstance(outcome, int) else len(ordered),
        "began": window.began,
        "seconds": window.seconds,
        "cpu_caller": window.cpu[0],
        "cpu_server": window.cpu[1],
        "p50_us": _quantile(ordered, 0.5),
        "p99_us": _quantile(ordered, 0.99),
        "max_us": _quantile(ordered, 1.0),
    }


def main() -> None:
    module = PEERS[sys.argv[1]].load()  # while the server starts
    job = json.loads(sys.stdin.readline())
    print(json.dumps(run(module, job)), flush=True)


if __name__ == "__main__":
    main()
