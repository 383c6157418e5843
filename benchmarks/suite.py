"""Running cells: one measurement with processes of its own, and rounds of measurements over all cells."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from statistics import fmean, median
from typing import Any

from benchmarks.child import Child, ChildFailedError
from benchmarks.scenarios import SCENARIOS, Cell

__all__ = ["Failure", "Repeat", "measure_cell", "rounds"]

PATIENCE = 30.0  # seconds for starting, and beyond the expected time for everything else
OPENED_PER_SECOND = 20  # connections, at least
IDLE_FACTOR = 4  # times as long: what wakes once in a few seconds must be seen, too

Repeat = dict[str, Any]
Failure = str


def measure_cell(cell: Cell, seconds: float) -> Repeat:
    """Measure once.

    Raises:
        ChildFailedError: a process failed or hung, or a response was wrong.
    """
    scenario = SCENARIOS[cell.scenario]
    if scenario.loop == "idle":
        seconds *= IDLE_FACTOR
    with tempfile.TemporaryDirectory(prefix="sage-rpc-bench-") as directory, ExitStack() as stack:
        # A runtime directory of its own: the run neither sees nor leaves sockets elsewhere.
        env = {"SAGE_RPC_RUNTIME_DIR": directory, "SAGE_RPC_TRANSPORT": ""}
        server = Child("benchmarks.serve", cell.peer, directory, str(cell.size), env=env)
        stack.enter_context(server)
        callers = [
            stack.enter_context(Child("benchmarks.call", cell.peer, env=env)) for _ in range(scenario.callers)
        ]
        served = json.loads(server.line(PATIENCE))
        job = {
            "peer": cell.peer,
            "loop": scenario.loop,
            "load": scenario.load,
            "size": cell.size,
            "seconds": seconds,
            "address": served["address"],
            "server_pid": served["pid"],
        }
        for caller in callers:
            caller.send(json.dumps(job))
        for caller in callers:
            if caller.line(PATIENCE + seconds + scenario.connections / OPENED_PER_SECOND) != "ready":
                raise ChildFailedError(f"{caller!r} did not get ready")
        for caller in callers:
            caller.send("go")
        return _together([json.loads(caller.line(PATIENCE + 3 * seconds)) for caller in callers])


def _together(parts: Sequence[Repeat]) -> Repeat:
    """One repeat of what each caller process saw.

    Latencies are medians over the callers. `least_share` is the share of the slowest caller in a fair
    share: 1.0 when all got the same.
    """
    began = min(part["began"] for part in parts)
    seconds = max(part["began"] + part["seconds"] for part in parts) - began
    calls = sum(part["calls"] for part in parts)
    caller, server = sum(part["cpu_caller"] for part in parts), max(part["cpu_server"] for part in parts)
    repeat: Repeat = {
        "calls": calls,
        "seconds": seconds,
        "per_second": calls / seconds if calls else None,
        "cpu_caller": caller,
        "cpu_server": server,
        "cpu_us_per_call": (caller + server) / calls * 1e6 if calls else None,
        "cpu_share": (caller + server) / seconds,
    }
    for name in parts[0]:  # latencies, and what the loop noted
        if name in repeat or name == "began":
            continue
        values = [part[name] for part in parts if part[name] is not None]
        repeat[name] = median(values) if values else None
    repeat["least_share"] = (
        min(p["calls"] for p in parts) / fmean(p["calls"] for p in parts) if calls else None
    )
    return repeat


def rounds(cells: Sequence[Cell], repeats: int, seconds: float) -> Iterator[tuple[Cell, Repeat | Failure]]:
    """Measure each cell `repeats` times, the cells of one scenario and size taking turns.

    A cell that failed is not tried again.
    """
    groups: dict[tuple[str, int], list[Cell]] = {}
    for cell in cells:
        groups.setdefault((cell.scenario, cell.size), []).append(cell)
    for group in groups.values():
        failed: set[Cell] = set()
        for _ in range(repeats):
            for cell in group:
                if cell in failed:
                    continue
                try:
                    yield cell, measure_cell(cell, seconds)
                except ChildFailedError as error:
                    failed.add(cell)
                    yield cell, str(error)
