"""Ten thousand calls in flight: `many_futures.py TARGET shm|grpc|stock`; prints what they cost, as JSON.

"stock" is grpcio without us, for comparison: what its own calls cost, nobody can save.
"""

from __future__ import annotations

import concurrent.futures
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc

import sage_rpc
from sage_rpc.encoding import values
from sage_rpc.proto.v1 import invoke_pb2

COUNT = 10_000
SECONDS = 120
PAGE = os.sysconf("SC_PAGE_SIZE")
Start = Callable[[str, object], object]


def memory() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def threads() -> int:
    return len(os.listdir("/proc/self/task"))


@contextlib.contextmanager
def by_name(target: str, transport: str) -> Iterator[Start]:
    with sage_rpc.ServiceManager(
        {"subject": target}, timeout=SECONDS, options=[("sage_rpc.transport", transport)]
    ) as manager:
        proxy = manager.get_async_proxy("subject")
        yield lambda method, argument: proxy(argument, method=method)
        assert manager.stats().of("subject").in_flight == 0


@contextlib.contextmanager
def by_grpcio(target: str) -> Iterator[Start]:
    with grpc.insecure_channel(target) as channel:
        call = channel.unary_unary(
            "/sage.rpc.v1.Invocation/Call",
            invoke_pb2.ServiceRequest.SerializeToString,
            lambda data: values.decode(invoke_pb2.ServiceResponse.FromString(data).result),
        )

        def start(method, argument):
            arguments = values.encode([[argument], {}])
            request = invoke_pb2.ServiceRequest(service="subject", method=method, arguments=arguments)
            return call.future(request, SECONDS)

        yield start


def ended(future) -> object:
    return future.result(SECONDS)


def main() -> None:
    target, transport = sys.argv[1:]
    with by_grpcio(target) if transport == "stock" else by_name(target, transport) as start:
        # Whatever is made once.
        assert [ended(start("echo", number)) for number in range(50)] == list(range(50))
        before = memory(), threads()
        gates = [start("hold", "gate") for _ in range(10)]  # all workers of the server: others wait behind
        futures = [start("echo", number) for number in range(COUNT)]
        during = memory(), threads()
        # The gate needs a worker, and there is none: it is opened from outside.
        print(json.dumps({"under_way": sum(not future.done() for future in futures)}), flush=True)
        sys.stdin.readline()
        if transport != "stock":
            concurrent.futures.wait([*gates, *futures], timeout=SECONDS)
        right = sum(ended(future) == number for number, future in enumerate(futures))
    print(json.dumps({"right": right, "memory": during[0] - before[0], "threads": during[1] - before[1]}))


if __name__ == "__main__":
    main()
