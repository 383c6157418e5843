"""`sage-rpc serve`: a supervisor in the foreground."""

from __future__ import annotations

import argparse
import os
import threading
from pathlib import Path
from typing import Any

from sage_rpc.cli.commands.printing import CommandError

__all__ = ["add"]

_LEAVE_SECONDS = 1.0


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "serve",
        help="run the services of a configuration",
        description="Run the services of a configuration file until SIGTERM or Ctrl-C; a second one ends "
        "it at "
        "once. SIGHUP reads the file again and changes what has changed.",
    )
    parser.add_argument(
        "config", type=Path, help="YAML file; sage-rpc config check tells what is wrong with it"
    )
    parser.add_argument("--quiet", action="store_true", help="do not pass on what services print")
    parser.add_argument(
        "--dashboard", metavar="ADDR", help='serve the web page at HOST:PORT, as "127.0.0.1:8080"'
    )
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    try:
        from sage_rpc.config import ConfigError
        from sage_rpc.supervisor.serve import StartError, serve
    except ImportError as error:
        raise CommandError(f"sage-rpc serve needs more: {error}; pip install 'sage-rpc[serve]'") from None
    try:
        code = serve(arguments.config, echo=not arguments.quiet, dashboard=arguments.dashboard)
    except (ConfigError, StartError) as error:
        raise CommandError(str(error)) from None
    # Everything has ended; a thread of a pool that is still at work for somebody must not keep this process.
    leaving = threading.Timer(_LEAVE_SECONDS, os._exit, (code,))
    leaving.daemon = True
    leaving.start()
    return code
