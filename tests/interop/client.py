"""The client of the interop tests: `python -m tests.interop.client --server-port P --test-case all`.

Prints one line for each case. Exit code 0: all cases passed; 1: one did not; 2: wrong usage; 3: this
installation lacks what was asked for.
"""

from __future__ import annotations

import argparse
import contextlib
import faulthandler
import json
import signal
import sys
import time
import traceback
from collections.abc import Iterable, Iterator, Sequence

from tests.interop import aio_cases, cases
from tests.interop.messages import Failed
from tests.interop.plan import CASES, Plan
from tests.interop.sides import Exit, add_arguments, side_of

HARD_STOP = 5.0  # seconds after a case's time, for one that does not even take signals


@contextlib.contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """What is inside raises Failed after so many seconds; if it cannot, the process ends with its stacks."""

    def stop(*_: object) -> None:
        faulthandler.dump_traceback()
        raise Failed(f"it did not end within {seconds:g} s")

    previous = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    faulthandler.dump_traceback_later(seconds + HARD_STOP, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous)


def run(plan: Plan, name: str, seconds: float) -> dict[str, object]:
    """Run a case. -> its record, as --json prints it."""
    began = time.monotonic()
    carriers: set[str] = set()
    detail = ""
    try:
        with at_most(seconds):
            carriers = (cases if plan.side.api == "sync" else aio_cases).run(plan, name)
    except Failed as error:
        detail = str(error)
    except Exception as error:
        traceback.print_exc()
        detail = f"{type(error).__name__}: {error}"
    return {
        "case": name,
        "passed": not detail,
        "transport": "+".join(sorted(carriers)),
        "milliseconds": round((time.monotonic() - began) * 1e3, 3),
        "detail": detail,
    }


def line(record: dict[str, object]) -> str:
    if record["passed"]:
        return f"{record['case']} passed over {record['transport']} in {record['milliseconds']:.1f} ms"
    return f"{record['case']} FAILED: {' '.join(str(record['detail']).split())}"


def names_of(chosen: str) -> Iterable[str]:
    if chosen == "all":
        return CASES
    if chosen == "-":
        return (name for name in map(str.strip, iter(sys.stdin.readline, "")) if name)
    return [chosen]


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="python -m tests.interop.client", description=__doc__.splitlines()[0].partition(":")[0]
    )
    add_arguments(made)
    made.add_argument("--server-host", default="localhost", help="default: localhost")
    made.add_argument("--server-port", type=int, required=True)
    made.add_argument(
        "--test-case",
        default="all",
        metavar="NAME",
        help=f"all (default), or one of {', '.join(CASES)}; with -, names are read from standard input",
    )
    made.add_argument("--json", action="store_true", help="each line is a JSON object")
    made.add_argument(
        "--case-seconds", type=float, default=60.0, help="a case that takes longer has failed; default: 60"
    )
    made.add_argument(
        "--concurrent-calls", type=int, default=1000, help="of concurrent_large_unary; default: 1000"
    )
    made.add_argument("--soak-iterations", type=int, default=10, help="of the soak cases; default: 10")
    made.add_argument("--soak-max-failures", type=int, default=0, help="default: 0")
    made.add_argument(
        "--soak-latency", type=float, default=1.0, help="seconds an iteration may take; default: 1"
    )
    made.add_argument("--soak-timeout", type=float, default=60.0, help="seconds for all of them; default: 60")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    asked = parser()
    chosen = asked.parse_args(arguments)
    plan = Plan(
        side=side_of(asked, chosen),
        host=chosen.server_host,
        port=chosen.server_port,
        concurrent_calls=chosen.concurrent_calls,
        soak_iterations=chosen.soak_iterations,
        soak_max_failures=chosen.soak_max_failures,
        soak_latency=chosen.soak_latency,
        soak_timeout=chosen.soak_timeout,
    )
    code = Exit.PASSED
    for name in names_of(chosen.test_case):
        if name not in CASES:
            asked.error(f"there is no case {name!r}; there are {', '.join(CASES)}")
        record = run(plan, name, chosen.case_seconds)
        print(json.dumps(record) if chosen.json else line(record), flush=True)
        if not record["passed"]:
            code = Exit.FAILED
    return code


if __name__ == "__main__":
    sys.exit(main())
