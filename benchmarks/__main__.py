"""The command: `python -m benchmarks`, or `make bench ARGS='...'`.

The table, or with --json the record, is on stdout; progress and complaints are on stderr. Exit codes:
0 all is well, 1 a cell failed, 2 wrong arguments, 130 interrupted.
"""

from __future__ import annotations

import datetime as dt
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from benchmarks import plot
from benchmarks.machine import Disturbance, facts, versions
from benchmarks.measure import IDLE_CONNECTIONS, THREADS, WINDOW
from benchmarks.options import build_parser, check_writable
from benchmarks.peers import PEERS, REFERENCE
from benchmarks.progress import progress
from benchmarks.record import FORMAT, cells_of
from benchmarks.scenarios import PROCESSES, SCENARIOS, SIZES, SMALL, Cell, cells
from benchmarks.suite import Failure, Repeat, rounds
from benchmarks.table import number, render, size_name

INTERRUPTED = 130


def _list(absent: dict[str, str]) -> None:
    print("scenarios")
    for name, scenario in SCENARIOS.items():
        print(f"  {name:<18} {scenario.what}")
    print("peers")
    for name, peer in PEERS.items():
        state = (
            f"absent: {absent[name]}"
            if name in absent
            else ", ".join(s for s in SCENARIOS if s in peer.scenarios)
        )
        print(f"  {name:<11} {peer.what:<34} {state}")


def _summary(cell: Cell, result: Repeat | Failure) -> str:
    name = f"{cell.scenario} {size_name(cell.size)} {cell.peer}"
    if isinstance(result, str):
        return f"{name}: FAILED"
    if cell.scenario == "idle":
        return f"{name}: {number(result['cpu_share'] * 1e3)} ms CPU per second"
    scenario = SCENARIOS[cell.scenario]
    if scenario.rate:
        return f"{name}: {number(result['per_second'])} {scenario.counts}/s"
    return f"{name}: p50 {number(result['p50_us'])} us"


def measure(todo: Sequence[Cell], repeats: int, seconds: float) -> dict[Cell, list[Repeat | Failure]]:
    """Run everything, with progress on stderr."""
    results: dict[Cell, list[Repeat | Failure]] = {cell: [] for cell in todo}
    with progress(len(todo) * repeats) as report:
        for cell, result in rounds(todo, repeats, seconds):
            results[cell].append(result)
            report(_summary(cell, result))
    return results


def _terminated(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`. -> its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    absent = {name: why for name, peer in PEERS.items() if (why := peer.missing()) is not None}
    if arguments.list:
        _list(absent)
        return 0
    quick = arguments.quick
    sizes = arguments.sizes or ([SMALL, 1 << 20] if quick else list(SIZES))
    repeats = arguments.repeats or (1 if quick else 3)
    seconds = arguments.seconds or (0.2 if quick else 1.0)
    wanted = arguments.peers or list(PEERS)
    absent = {name: why for name, why in absent.items() if name in wanted}
    present = [name for name in wanted if name not in absent]
    todo = cells(arguments.only, present, sizes, chosen=arguments.peers is not None)
    if not todo:
        why = "; ".join(f"{name}: {reason}" for name, reason in absent.items()) or "these peers do none of it"
        parser.error(f"nothing to measure: {why} (--list shows what each can do)")
    if arguments.plot is not None and (problem := plot.missing()) is not None:
        parser.error(problem)
    for path in (arguments.out, arguments.plot):
        if path is not None:
            check_writable(parser, path)
    for name, reason in absent.items():
        print(f"absent: {name}: {reason}", file=sys.stderr)

    signal.signal(signal.SIGTERM, _terminated)
    machine, disturbance = facts(), Disturbance()
    created = dt.datetime.now(dt.timezone.utc)
    try:
        results = measure(todo, repeats, seconds)
    except KeyboardInterrupt:
        print("interrupted; nothing was recorded", file=sys.stderr)
        return INTERRUPTED
    record: dict[str, Any] = {
        "format": FORMAT,
        "created": created.isoformat(timespec="seconds"),
        "machine": {**machine, **disturbance.shares()},
        "versions": versions([PEERS[name] for name in present]),
        "parameters": {
            "scenarios": arguments.only,
            "peers": present,
            "sizes": sizes,
            "repeats": repeats,
            "seconds": seconds,
            "reference": REFERENCE,
            "window": WINDOW,
            "threads": THREADS,
            "processes": PROCESSES,
            "idle_connections": IDLE_CONNECTIONS,
        },
        "absent": absent,
        "cells": cells_of(results),
    }
    text = json.dumps(record, indent=1)
    arguments.out.write_text(text + "\n")
    if arguments.plot is not None:
        plot.plot(record, arguments.plot)
    print(text if arguments.json else render(record))
    if not arguments.json:
        print(f"\nwritten: {arguments.out}", *([f"and {arguments.plot}"] if arguments.plot else []))
    return 1 if any(cell["error"] for cell in record["cells"]) else 0


if __name__ == "__main__":
    sys.exit(main())
