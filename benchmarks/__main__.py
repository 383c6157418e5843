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
from benchmarks.machine import Disturbance, allow_many_files, facts, versions
from benchmarks.options import build_parser, check_writable
from benchmarks.peers import PEERS, REFERENCE
from benchmarks.progress import progress
from benchmarks.record import FORMAT, cells_of
from benchmarks.scenarios import SCENARIOS, Cell, cells, usual
from benchmarks.suite import Failure, Repeat, rounds
from benchmarks.table import render, size_name, value

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
            else ", ".join(
                s.name for s in SCENARIOS.values() if peer.can(s.loop) and (name in s.peers or not s.closed)
            )
        )
        print(f"  {name:<11} {peer.what:<34} {state}")


def _summary(cell: Cell, result: Repeat | Failure) -> str:
    name = f"{cell.scenario} {size_name(cell.size)} {cell.peer}"
    if isinstance(result, str):
        return f"{name}: FAILED"
    scenario = SCENARIOS[cell.scenario]
    return f"{name}: {value(scenario.by, result[scenario.by], scenario.counts)}"


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
    quick, full = arguments.quick, arguments.full
    scenarios = arguments.only or usual(full=full)
    repeats = arguments.repeats or (1 if quick else 3)
    seconds = arguments.seconds or (0.2 if quick else 1.0)
    wanted = arguments.peers or list(PEERS)
    absent = {name: why for name, why in absent.items() if name in wanted}
    present = [name for name in wanted if name not in absent]
    chosen = arguments.peers is not None
    todo = cells(scenarios, present, arguments.sizes, chosen=chosen, quick=quick, full=full)
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
    allow_many_files()
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
            "scenarios": scenarios,
            "peers": present,
            "sizes": sorted({cell.size for cell in todo}),
            "repeats": repeats,
            "seconds": seconds,
            "reference": REFERENCE,
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
