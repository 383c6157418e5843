"""`sage-rpc trace`: spans as trees, from files; the last calls of supervised services with --recent."""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path
from typing import Any

from sage_rpc.cli.commands.printing import CommandError, as_json, json_option, say, seconds_text, table
from sage_rpc.cli.commands.supervisors import all_supervisors
from sage_rpc.observe import tree

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "trace",
        help="show traces as trees, or the last calls of services",
        description="Show spans that OpenTelemetry's console exporter wrote, one JSON object a line, as "
        "trees. Exit code 2 where something is no span. With --recent, show the last calls that supervised "
        "services of this host have served, with their trace ids.",
    )
    parser.add_argument("files", nargs="*", metavar="FILE", help="of one process each; none: standard input")
    parser.add_argument("--recent", action="store_true", help="the last calls of supervised services")
    parser.add_argument("-n", "--number", type=int, default=30, help="how many with --recent (default 30)")
    json_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.recent:
        return _recent(arguments)
    spans: list[tree.SpanRecord] = []
    for name in arguments.files or ["-"]:
        try:
            if name == "-":
                spans += tree.read_spans(sys.stdin)
            else:
                with Path(name).open(encoding="utf-8") as file:
                    spans += tree.read_spans(file)
        except (OSError, ValueError) as error:
            raise CommandError(f"trace: {name}: {error}", 2) from None
    if arguments.json:
        found = [
            {"trace_id": each[0].trace_id, "spans": [dataclasses.asdict(span) for span in each]}
            for each in tree.traces(spans)
        ]
        say(as_json(found))
    else:
        say("\n".join(tree.render(spans)) or "no spans")
    return 0


def _recent(arguments: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    with all_supervisors() as supervisors:
        for supervisor in supervisors:
            for report in supervisor.ask("reports"):
                for when, method, seconds, code, peer, trace in report["calls"]:
                    rows.append(
                        {
                            "time": when,
                            "service": report["service"],
                            "number": report["number"],
                            "method": method,
                            "seconds": seconds,
                            "code": code,
                            "peer": peer,
                            "trace": trace,
                        }
                    )
    rows = sorted(rows, key=lambda row: row["time"])[-arguments.number :]
    if arguments.json:
        say(as_json(rows))
    elif not rows:
        say("no calls yet")
    else:
        say(
            table(
                ("TIME", "SERVICE", "METHOD", "TOOK", "CODE", "CALLER", "TRACE"),
                [
                    (
                        time.strftime("%H:%M:%S", time.localtime(r["time"])),
                        f"{r['service']}/{r['number']}",
                        r["method"],
                        seconds_text(r["seconds"]),
                        r["code"],
                        r["peer"],
                        r["trace"] or "-",
                    )
                    for r in rows
                ],
            )
        )
    return 0
