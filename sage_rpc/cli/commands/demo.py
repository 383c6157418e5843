"""`sage-rpc demo`."""

from __future__ import annotations

import argparse
import subprocess
import sys
from typing import Any

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the parser; what it does not know is the demo's."""
    parser = commands.add_parser(
        "demo",
        help="run the example pipeline",
        description="Run the example pipeline; it takes what `python -m sage_rpc.demo` takes.",
        add_help=False,
    )
    parser.set_defaults(run=_run, takes_rest=True)


def _run(arguments: argparse.Namespace) -> int:
    # A process of its own: its operators' workers import the demo as their main module.
    return subprocess.run([sys.executable, "-m", "sage_rpc.demo", *arguments.rest], check=False).returncode
