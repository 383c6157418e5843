"""The command: `python -m benchmarks`, or `make bench ARGS='...'`.

The table, or with --json the record, is on stdout; progress and complaints are on stderr. Exit codes:
0 all is well, 1 a cell failed, 2 wrong arguments, 3 a cell is worse than in the record it is compared with,
4 what must hold does not, 130 interrupted.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import signal
import sys
from collections.abc import Sequence
from typing import Any, NoReturn

from benchmarks import compare, goals, page, plot
from benchmarks.machine import Disturbance, allow_many_files, facts, versions
from benchmarks.options import OUT, build_parser, check_measuring, check_writable
from benchmarks.peers import PEERS, REFERENCE
from benchmarks.progress import progress
from benchmarks.record import FORMAT, cells_of
from benchmarks.scenarios import SCENARIOS, Cell, cells, usual
from benchmarks.suite import Failure, Repeat, rounds
from benchmarks.table import render, size_name, value

WORSE = 3
MISSED = 4
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


def _measured(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> dict[str, Any]:
    """Measure what the arguments say. -> the record, which is kept, too."""
    quick, full = arguments.quick, arguments.full
    scenarios = arguments.only or usual(full=full)
    judged = arguments.compare or arguments.goals
    repeats = arguments.repeats or (compare.FEWEST_REPEATS if judged else 1 if quick else 3)
    seconds = arguments.seconds or (0.2 if quick else 1.0)
    out = arguments.out or OUT / "latest.json"
    wanted = arguments.peers or list(PEERS)
    absent = {name: why for name in wanted if (why := PEERS[name].missing()) is not None}
    present = [name for name in wanted if name not in absent]
    chosen = arguments.peers is not None
    todo = (
        goals.cells_of_goals(present)
        if arguments.goals
        else cells(scenarios, present, arguments.sizes, chosen=chosen, quick=quick, full=full)
    )
    if not todo:
        why = "; ".join(f"{name}: {reason}" for name, reason in absent.items()) or "these peers do none of it"
        parser.error(f"nothing to measure: {why} (--list shows what each can do)")
    check_writable(parser, out)
    for name, reason in absent.items():
        print(f"absent: {name}: {reason}", file=sys.stderr)

    signal.signal(signal.SIGTERM, _terminated)
    allow_many_files()
    machine, disturbance = facts(), Disturbance()
    created = dt.datetime.now(dt.timezone.utc)
    results = measure(todo, repeats, seconds)
    record: dict[str, Any] = {
        "format": FORMAT,
        "created": created.isoformat(timespec="seconds"),
        "machine": {**machine, **disturbance.shares()},
        "versions": versions([PEERS[name] for name in present]),
        "parameters": {
            "scenarios": list(dict.fromkeys(cell.scenario for cell in todo)),
            "peers": present,
            "sizes": sorted({cell.size for cell in todo}),
            "repeats": repeats,
            "seconds": seconds,
            "reference": REFERENCE,
        },
        "absent": absent,
        "cells": cells_of(results),
    }
    out.write_text(json.dumps(record, indent=1) + "\n")
    return record


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv`. -> its exit code."""
    parser = build_parser()
    arguments = parser.parse_args(argv)
    if arguments.list:
        _list({name: why for name, peer in PEERS.items() if (why := peer.missing()) is not None})
        return 0
    check_measuring(parser, arguments)
    if (arguments.plot or arguments.page) and (problem := plot.missing()) is not None:
        parser.error(problem)
    for path in (arguments.plot, arguments.page):
        if path is not None:
            check_writable(parser, path)
    try:
        old = None if arguments.compare is None else compare.read(arguments.compare)
        record = None if arguments.read is None else compare.read(arguments.read)
    except compare.RecordError as error:
        parser.error(str(error))
    if record is None:
        try:
            record = _measured(parser, arguments)
        except KeyboardInterrupt:
            print("interrupted; nothing was recorded", file=sys.stderr)
            return INTERRUPTED
    return _show(record, old, arguments)


def _show(record: dict[str, Any], old: dict[str, Any] | None, arguments: argparse.Namespace) -> int:
    """Print and draw what the arguments say. -> the exit code."""
    print(json.dumps(record, indent=1) if arguments.json else render(record))
    notes = sys.stderr if arguments.json else sys.stdout
    if old is not None:
        print(f"\n{compare.render(old, record)}", file=notes)
    if arguments.goals:
        print(f"\n{goals.render(record)}", file=notes)
    written = [] if arguments.read else [arguments.out or OUT / "latest.json"]
    if arguments.plot is not None:
        plot.plot(record, arguments.plot)
        written.append(arguments.plot)
    if arguments.page is not None:
        written += page.write(record, arguments.page)[:1]
    if written:
        print("\nwritten:", *written, file=notes)
    if any(cell["error"] for cell in record["cells"]):
        return 1
    worse = old is not None and any(c.verdict is compare.Verdict.WORSE for c in compare.changes(old, record))
    if worse:
        return WORSE
    return MISSED if arguments.goals and not all(s.reaches(s.goal.must) for s in goals.states(record)) else 0


if __name__ == "__main__":
    sys.exit(main())
