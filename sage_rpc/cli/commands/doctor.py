"""`sage-rpc doctor`: what works on this machine, and why a target is reached the way it is."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from sage_rpc import __version__
from sage_rpc.cli import diagnosis
from sage_rpc.cli.commands.printing import as_json, json_option, say

__all__ = ["add"]

_MARKS: dict[diagnosis.Status, str] = {"ok": "ok  ", "note": "note", "problem": "FAIL"}


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "doctor",
        help="say what works on this machine, and how a target is reached",
        description="Check what the memory queue needs. Exit code 1 where calls cannot use it. With "
        "TARGET, say "
        "whether calls to it travel over the memory queue, and why not.",
    )
    parser.add_argument(
        "target",
        nargs="?",
        help='as in insecure_channel: "localhost:50051", "sage:///cache", "unix:/run/x.sock"',
    )
    json_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.target is not None:
        from sage_rpc.cli.target_diagnosis import examine_target

        checks = examine_target(arguments.target)
        good, bad = "Calls to it use the memory queue.", "Calls to it do not use the memory queue."
    else:
        checks = diagnosis.examine()
        good, bad = "The memory queue can be used.", "The memory queue cannot be used; calls go over gRPC."
    result = diagnosis.report(checks)
    if arguments.json:
        say(as_json({"sage_rpc": __version__, **result}))
    else:
        say(f"sage-rpc {__version__}")
        _show(checks)
        say(good if result["memory_queue"] else bad)
    return 0 if result["memory_queue"] else 1


def _show(checks: Sequence[diagnosis.Check]) -> None:
    width = max(len(check.name) for check in checks)
    for check in checks:
        say(f"  {_MARKS[check.status]}  {check.name:<{width}}  {check.detail}")
        if check.advice:
            say(f"        {'':<{width}}-> {check.advice}")
