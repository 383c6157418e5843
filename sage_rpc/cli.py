"""The sage-rpc command: `version`, `doctor`, `demo`, `gen`, `trace`, `run`.

Rules: what a program may read is on stdout (`--json`), complaints are on stderr. Exit codes: 0 all is
well, 1 the memory queue cannot be used, 2 wrong arguments, 141 whoever read our output left; those of
`run` are its program's.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from sage_rpc import __version__, doctor, run
from sage_rpc.codegen import command as gen
from sage_rpc.observe import tree

__all__ = ["main"]

_MARKS: dict[doctor.Status, str] = {"ok": "ok  ", "note": "note", "problem": "FAIL"}
_READER_LEFT = 141  # as a shell says it of a process ended by SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (default: the process's arguments). -> its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] == "run":  # what follows belongs to somebody's program
        return run.main(argv[1:])
    arguments, rest = _parser().parse_known_args(argv)
    if rest and arguments.run is not _demo:
        _parser().error(f"unrecognized arguments: {' '.join(rest)}")
    try:
        code: int = arguments.run(arguments, rest)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_LEFT
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sage-rpc",
        description="gRPC-compatible RPC: over shared-memory queues on one host, over gRPC between hosts.",
    )
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    version = commands.add_parser("version", help="show the version", description="Show the version.")
    version.add_argument("--json", action="store_true", help="print a JSON object")
    version.set_defaults(run=_version)

    examine = commands.add_parser(
        "doctor",
        help="say what works on this machine",
        description="Check what the memory queue needs. Exit code 1 where calls cannot use it.",
    )
    examine.add_argument("--json", action="store_true", help="print a JSON object")
    examine.set_defaults(run=_doctor)

    demo = commands.add_parser(
        "demo",
        help="run the example pipeline",
        description="Run the example pipeline; it takes what `python -m sage_rpc.demo` takes.",
        add_help=False,
    )
    demo.set_defaults(run=_demo)

    gen.add_parser(commands)

    trace = commands.add_parser(
        "trace",
        help="show traces as trees",
        description="Show spans that OpenTelemetry's console exporter wrote, one JSON object a line, as "
        "trees. Exit code 2 where something is no span.",
    )
    trace.add_argument("files", nargs="*", metavar="FILE", help="of one process each; none: standard input")
    trace.add_argument("--json", action="store_true", help="print a JSON list of traces")
    trace.set_defaults(run=_trace)

    commands.add_parser("run", help="run a program with our channels and servers in the place of grpc's")
    return parser


def _version(arguments: argparse.Namespace, _rest: list[str]) -> int:
    if arguments.json:
        print(json.dumps({"sage_rpc": __version__, "python": platform.python_version()}))
    else:
        print(f"sage-rpc {__version__}")
    return 0


def _doctor(arguments: argparse.Namespace, _rest: list[str]) -> int:
    checks = doctor.examine()
    result = doctor.report(checks)
    if arguments.json:
        print(json.dumps({"sage_rpc": __version__, **result}, indent=2))
    else:
        print(f"sage-rpc {__version__}")
        width = max(len(check.name) for check in checks)
        for check in checks:
            print(f"  {_MARKS[check.status]}  {check.name:<{width}}  {check.detail}")
            if check.advice:
                print(f"        {'':<{width}}-> {check.advice}")
        print(
            "The memory queue can be used."
            if result["memory_queue"]
            else "The memory queue cannot be used; calls go over gRPC."
        )
    return 0 if result["memory_queue"] else 1


def _trace(arguments: argparse.Namespace, _rest: list[str]) -> int:
    spans: list[tree.SpanRecord] = []
    for name in arguments.files or ["-"]:
        try:
            if name == "-":
                spans += tree.read_spans(sys.stdin)
            else:
                with Path(name).open(encoding="utf-8") as file:
                    spans += tree.read_spans(file)
        except (OSError, ValueError) as error:
            print(f"sage-rpc trace: {name}: {error}", file=sys.stderr)
            return 2
    if arguments.json:
        found = [
            {"trace_id": each[0].trace_id, "spans": [dataclasses.asdict(span) for span in each]}
            for each in tree.traces(spans)
        ]
        print(json.dumps(found, indent=2))
    else:
        print("\n".join(tree.render(spans)) or "no spans")
    return 0


def _demo(_arguments: argparse.Namespace, rest: list[str]) -> int:
    # A process of its own: its operators' workers import the demo as their main module.
    return subprocess.run([sys.executable, "-m", "sage_rpc.demo", *rest], check=False).returncode
