"""`sage-rpc completion`: what a shell needs to complete the command."""

from __future__ import annotations

import argparse
from typing import Any

from sage_rpc.cli.commands.printing import CommandError, say

__all__ = ["add"]

_SHELLS = ("bash", "zsh", "tcsh")


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "completion",
        help="print a completion script for a shell",
        description='Print a completion script. bash: eval "$(sage-rpc completion bash)" in ~/.bashrc; '
        "zsh: sage-rpc completion zsh > a directory of fpath/_sage-rpc.",
    )
    parser.add_argument("shell", choices=_SHELLS)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        import shtab
    except ImportError:
        raise CommandError("completion needs shtab: pip install 'sage-rpc[serve]'") from None
    say(shtab.complete(arguments.whole_parser(), arguments.shell))
    return 0
