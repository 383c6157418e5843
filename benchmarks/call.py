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
import os
import sys
import threading
import time
from array import array
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks import measure, measure_aio
from benchmarks.answers import payloads
from benchmarks.cpu import CpuClock
from benchmarks.peers import PEERS, PeerModule

GRACE = 3.0  # seconds for leaving in good order after the suite has gone

# Each takes (caller, payloads, seconds, window), those of the second table (caller, connect, payloads, ...);
# and `load`, where its scenarios have one.
LOOPS: Mapping[str, Callable[..., Any]] = {
    "unary": measure.unary,
    "numpy": measure.arrays,
    "batch": measure.batch,
    "futures": measure.futures,
    "paced": measure.paced,
    "server-stream": measure.server_stream,
    "client-stream": measure.client_stream,
    "ping-pong": measure.ping_pong,
    "turns": measure.turns,
}
CONNECTING_LOOPS: Mapping[str, Callable[..., Any]] = {
    "threads": measure.threads,
    "connect": measure.connecting,
    "idle": measure.idle,
    "import": measure.importing,
    "crowd": measure.crowd,
}
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
        notes: what the loop found out, beside its calls.
    """

    def __init__(self, server_pid: int) -> None:
        self._pids = (os.getpid(), server_pid)
        self._clocks = tuple(map(CpuClock, self._pids))
        self._before = (0.0, 0.0)
        self.began = self.seconds = 0.0
        self.cpu = (0.0, 0.0)
        self.notes: dict[str, float] = {}

    def memory(self) -> tuple[float, float]:
        """Resident memory of this process and of the server in KiB; a page of several counts in shares."""
        import psutil

        ours, servers = (psutil.Process(pid).memory_full_info().pss / 1024 for pid in self._pids)
        return ours, servers

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


def _call(module: PeerModule, job: dict[str, Any], window: Window) -> Any:
    """Run the scenario's loop. -> the latencies of its calls, or their number."""
    loop = job["loop"]
    where = (job["peer"], job["address"], job["size"])
    load = [] if job["load"] is None else [job["load"]]
    work = (payloads(job["size"]), job["seconds"], window, *load)

    async def call_aio() -> Any:
        async with module.connect_aio(*where) as caller:
            return await AIO_LOOPS[loop](caller, *work)

    if loop in AIO_LOOPS:
        return asyncio.run(call_aio())
    connect = functools.partial(module.connect, *where)
    with connect() as caller:
        if loop in CONNECTING_LOOPS:
            return CONNECTING_LOOPS[loop](caller, connect, *work)
        return LOOPS[loop](caller, *work)


def run(module: PeerModule, job: dict[str, Any]) -> dict[str, Any]:
    """Measure. -> the repeat as the suite reads it."""
    window = Window(job["server_pid"])
    outcome = _call(module, job, window)
    ordered = array("q", [] if isinstance(outcome, int) else sorted(outcome))
    return {
        "calls": outcome if isinstance(outcome, int) else len(ordered),
        "began": window.began,
        "seconds": window.seconds,
        "cpu_caller": window.cpu[0],
        "cpu_server": window.cpu[1],
        "p50_us": measure.quantile(ordered, 0.5),
        "p99_us": measure.quantile(ordered, 0.99),
        "p999_us": measure.quantile(ordered, 0.999),
        "max_us": measure.quantile(ordered, 1.0),
        **window.notes,
    }


def main() -> None:
    module = PEERS[sys.argv[1]].load()  # while the server starts
    job = json.loads(sys.stdin.readline())
    print(json.dumps(run(module, job)), flush=True)


if __name__ == "__main__":
    main()
