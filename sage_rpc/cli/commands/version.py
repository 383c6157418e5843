"""`sage-rpc version`."""

from __future__ import annotations

import argparse
import platform
from typing import Any

from sage_rpc import __version__
from sage_rpc.cli.commands.printing import as_json, json_option, say

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser("version", help="show the version", description="Show the version.")
    json_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    if arguments.json:
        say(as_json({"sage_rpc": __version__, "python": platform.python_version()}, indent=None))
    else:
        say(f"sage-rpc {__version__}")
    return 0
