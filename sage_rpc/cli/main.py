"""The sage-rpc command; its subcommands are modules of `sage_rpc.cli.commands`.

Exit codes: 0 all is well; 1 what was asked for failed, or is not well (`doctor`, `health`, `ps`); 2 wrong
arguments; 130 Ctrl-C; 141 whoever read our output left; those of `run` and `demo` are their programs'.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from sage_rpc.cli.commands import (
    bench,
    call,
    completion,
    config,
    control,
    demo,
    doctor,
    ps,
    serve,
    services,
    top,
    trace,
    version,
)
from sage_rpc.cli.commands.printing import CommandError, say
from sage_rpc.codegen import command as gen
from sage_rpc.dropin import run

__all__ = ["main", "parser"]

_READER_LEFT, _INTERRUPTED = 141, 130  # as a shell says it of processes ended by SIGPIPE, SIGINT
_MODULES = (serve, ps, services, call, top, control, config, trace, bench, doctor, completion, demo, version)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command with `argv` (default: the process's arguments). -> its exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] == "run":  # what follows belongs to somebody's program
        return run.main(argv[1:])
    arguments, rest = parser().parse_known_args(argv)
    if rest and not getattr(arguments, "takes_rest", False):
        parser().error(f"unrecognized arguments: {' '.join(rest)}")
    arguments.rest, arguments.whole_parser = rest, parser
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would complain once more when it flushes stdout at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return _READER_LEFT
    except KeyboardInterrupt:
        return _INTERRUPTED
    except CommandError as error:
        for line in str(error).splitlines():
            say(f"sage-rpc: {line}", file=sys.stderr)
        return error.code
    return code


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    found = argparse.ArgumentParser(
        prog="sage-rpc",
        description="gRPC-compatible RPC: over shared-memory queues on one host, over gRPC between hosts.",
    )
    commands = found.add_subparsers(metavar="COMMAND", required=True)
    for module in _MODULES:
        module.add(commands)
    gen.add_parser(commands)
    commands.add_parser("run", help="run a program with our channels and servers in the place of grpc's")
    return found
