"""`python -m sage_rpc.demo`: runs the pipeline, shows what came out, and compares the transports.

Exit codes: 0 all is well, 1 too few of the digits were recognised or the job failed, 2 wrong arguments or a
missing package, 130 interrupted.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from sage_rpc import native
from sage_rpc.operators import JobError
from sage_rpc.transport.base import SHM, TRANSPORTS

if TYPE_CHECKING:
    from sage_rpc.demo.report import Outcome

ENOUGH = 0.95  # accuracy


def main(argv: Sequence[str] | None = None) -> int:
    """Run the demo with `argv` (default: the process's arguments). -> its exit code."""
    arguments = _parser().parse_args(argv)
    try:
        import rich  # noqa: F401 - asked for before anything starts
        import sklearn  # noqa: F401
    except ImportError as error:
        name = {"sklearn": "scikit-learn"}.get(str(error.name), error.name)
        print(f"the demo needs {name}: pip install 'sage-rpc[demo]'", file=sys.stderr)
        return 2
    # Forced for the pipeline's calls alone: the services offer both transports, for the comparison.
    forced = os.environ.pop("SAGE_RPC_TRANSPORT", None) or "auto"
    if arguments.transport is None:
        arguments.transport = forced
    if arguments.transport not in TRANSPORTS:
        print(f"SAGE_RPC_TRANSPORT is {forced!r}: expected one of {', '.join(TRANSPORTS)}", file=sys.stderr)
        return 2
    if arguments.transport == SHM and not native.available():
        print(f"the memory queue cannot be used: {native.why_not()}", file=sys.stderr)
        return 1
    try:
        outcome = _run(arguments)
    except KeyboardInterrupt:
        print("interrupted; everything was stopped", file=sys.stderr)
        return 130
    except (JobError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    if outcome.accuracy <= ENOUGH:
        print(f"only {outcome.accuracy:.2%} of the digits were recognised, not {ENOUGH:.0%}", file=sys.stderr)
        return 1
    return 0


def _run(arguments: argparse.Namespace) -> Outcome:
    from rich.console import Console

    from sage_rpc.demo import digits, report
    from sage_rpc.demo.compare import compare

    console = Console(stderr=arguments.json, highlight=False)
    console.print("Handwritten digits from scikit-learn; starting services and operators")
    data = digits.load()
    outcome = report.Outcome()
    env, results = digits.build(data, arguments.items, arguments.workers, arguments.transport)
    with env.submit() as job:
        outcome.processes = job.processes
        for _ in report.watched(results, outcome, arguments.items, console):
            pass
        outcome.seconds = job.wait().seconds
        outcome.totals = job.call_service["counter"].totals()
        if arguments.calls:
            console.print("  comparing the transports")
            outcome.comparisons = compare(job.endpoints, data, arguments.calls)
    if arguments.json:
        print(json.dumps(outcome.as_json(), indent=2))
    else:
        report.print_outcome(outcome, min(arguments.items, len(data.test_labels)), console)
        if not native.available():
            console.print(f"  the memory queue cannot be used: {native.why_not()}", soft_wrap=True)
    return outcome


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sage_rpc.demo",
        description="Classify handwritten digits with operators, in several processes, that call a "
        "nearest-neighbour service, a cache and a counter; then time the same calls over the memory queue "
        f"and over gRPC. Exit code 1 unless more than {ENOUGH:.0%} are recognised.",
    )
    parser.add_argument(
        "--items", type=_at_least(1), default=2000, help="images to classify (default %(default)s)"
    )
    parser.add_argument(
        "--workers", type=_at_least(1), default=2, help="processes that classify (default %(default)s)"
    )
    parser.add_argument(
        "--transport",
        choices=TRANSPORTS,
        help="what carries the pipeline's calls (default: $SAGE_RPC_TRANSPORT, else auto)",
    )
    parser.add_argument(
        "--calls",
        type=_at_least(0),
        default=1000,
        help="calls of each kind to compare the transports by; 0 to leave that out (default %(default)s)",
    )
    parser.add_argument("--json", action="store_true", help="print a JSON object; times are in seconds")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def whole_number(text: str) -> int:
        value = int(text)
        if value < least:
            raise argparse.ArgumentTypeError(f"{text} is less than {least}")
        return value

    return whole_number  # argparse shows its name


if __name__ == "__main__":
    sys.exit(main())
