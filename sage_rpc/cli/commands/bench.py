"""`sage-rpc bench`: how fast a method answers, from here."""

from __future__ import annotations

import argparse
import threading
import time
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.cli.commands.call import parse_arguments
from sage_rpc.cli.commands.printing import (
    CommandError,
    as_json,
    json_option,
    positive_seconds,
    say,
    seconds_text,
)
from sage_rpc.observe.histogram import Histogram
from sage_rpc.services.manager import ServiceManager

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "bench",
        help="measure calls to a method",
        description="Call a method of a plain-class service again and again, and say how fast it "
        "answered. For "
        "comparisons with other systems, see `make bench` in a checkout.",
    )
    parser.add_argument("method", help="SERVICE.METHOD")
    parser.add_argument("arguments", nargs="?", help="JSON, as of sage-rpc call")
    parser.add_argument("--target", help="a gRPC target, instead of discovery")
    parser.add_argument("-n", "--number", type=int, default=1000, help="calls (default 1000)")
    parser.add_argument("-c", "--callers", type=int, default=1, help="threads that call (default 1)")
    parser.add_argument(
        "--timeout", type=positive_seconds, default=10.0, help="seconds for a call (default 10)"
    )
    json_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    service, dot, method = arguments.method.rpartition(".")
    if not dot or arguments.number < 1 or arguments.callers < 1:
        raise CommandError("bench needs SERVICE.METHOD, and numbers of at least 1", 2)
    given = parse_arguments(arguments.arguments)
    args = given if isinstance(given, list) else []
    kwargs = given if isinstance(given, dict) else {}
    durations, failures = Histogram(), [0]
    lock = threading.Lock()  # guards both
    left = iter(range(arguments.number))

    with ServiceManager({service: arguments.target or f"sage:///{service}"}) as manager:

        def call() -> None:
            manager.call_service_sync(service, method, *args, timeout=arguments.timeout, **kwargs)

        def work() -> None:
            mine, failed = Histogram(), 0
            while True:
                with lock:
                    if next(left, None) is None:
                        durations.merge(mine)
                        failures[0] += failed
                        return
                began = time.perf_counter()
                try:
                    call()
                except grpc.RpcError:
                    failed += 1
                mine.add(time.perf_counter() - began)

        try:
            call()  # connects, and fails here where nothing can work
        except errors.RpcError as error:
            raise CommandError(f"{error.code().name}: {error.details()}") from None
        began = time.perf_counter()
        threads = [threading.Thread(target=work) for _ in range(arguments.callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - began
        transport = manager.transport_of(service)
    p50, p90, p99, p999 = durations.quantiles((0.5, 0.9, 0.99, 0.999))
    result = {
        "calls": durations.count,
        "failures": failures[0],
        "seconds": seconds,
        "calls_per_second": durations.count / seconds,
        "transport": transport,
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "p99.9": p999,
    }
    if arguments.json:
        say(as_json(result))
    else:
        say(
            f"{durations.count} calls by {transport} in {seconds:.2f} s: "
            f"{result['calls_per_second']:,.0f} per "
            f"second, {failures[0]} failures"
        )
        times = (("p50", p50), ("p90", p90), ("p99", p99), ("p99.9", p999))
        say("  ".join(f"{name} {seconds_text(value)}" for name, value in times))
    return 1 if failures[0] else 0
