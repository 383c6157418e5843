"""A service for tests of policies: `policy_services.py [port] [denying] [spans=FILE]`; prints its port, ends
with its stdin.

Its own counts are what tests compare with: what ran, how often, and for whom.
"""

from __future__ import annotations

import collections
import os
import sys
import threading
import time
from pathlib import Path

import grpc

import sage_rpc


class Subject:
    def __init__(self, tracing=False) -> None:
        self._tracing = tracing
        self._counts = collections.Counter()
        self._lock = threading.Lock()
        self._gates = collections.defaultdict(threading.Event)
        self._pushed = collections.defaultdict(list)
        self._order = []
        self._healthy = True

    def echo(self, value=None):
        return value

    def push(self, key, value):
        """A list that further calls change."""
        self._pushed[key].append(value)
        return self._pushed[key]

    def pid(self):
        return os.getpid()

    def count(self, key):
        """How often `key` was counted."""
        with self._lock:
            return self._counts[key]

    def add(self, key):
        with self._lock:
            self._counts[key] += 1
            return self._counts[key]

    def flaky(self, key, failures, code):
        """Fails the first `failures` times."""
        if self.add(key) <= failures:
            raise sage_rpc.Abort(getattr(grpc.StatusCode, code), f"failure {self.count(key)} of {key}")
        return self.count(key)

    def attempts(self, key, failures, array, rows):
        """What each attempt of a call saw; the first `failures` of them fail."""
        self._pushed[key].append([float(array[0]), float(array[-1]), rows])
        if len(self._pushed[key]) <= failures:
            raise sage_rpc.Abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return self._pushed[key]

    def fail(self, code):
        self.add(code)
        raise sage_rpc.Abort(getattr(grpc.StatusCode, code), "as you wish")

    def broken(self, what):
        raise KeyError(what)

    def slow_first(self, key, seconds):
        """Slow the first time only."""
        number = self.add(key)
        if number == 1:
            self._gates[key].wait(seconds)
        return number

    def hold(self, gate):
        """Until somebody releases it."""
        self.add(gate)
        self._order.append(gate)
        return self._gates[gate].wait(20)

    def release(self, gate):
        self._gates[gate].set()

    def order(self):
        return list(self._order)

    def note(self, what):
        self._order.append(what)

    def lookup(self, key):
        self.add(key)
        return None if key == "nothing" else {"key": key, "list": [1, 2]}

    def query(self, sql):
        self.add("query")
        return f"rows of {sql}"

    def become(self, healthy):
        self._healthy = healthy

    def health_check(self):
        return self._healthy

    def until_cancelled(self, target, gate):
        """Calls another service, which holds; counts how that ended."""
        with sage_rpc.ServiceManager({"subject": target}, timeout=20) as manager:
            try:
                manager.get_sync_proxy("subject").hold(gate)
            except sage_rpc.RpcError as error:
                self.add(f"{gate} ended with {error.code().name}")
                raise

    def relay_echo(self, target, value):
        """Calls another service, in the trace of this call."""
        with sage_rpc.ServiceManager({"subject": target}, timeout=20, tracing=self._tracing) as manager:
            return manager.get_sync_proxy("subject").echo(value)

    def wait_count(self, key, least, seconds):
        """Whether `key` is counted so often within some seconds."""
        until = time.monotonic() + seconds
        while self.count(key) < least:
            if time.monotonic() > until:
                return False
            threading.Event().wait(0.005)
        return True

    def sleep(self, seconds):
        time.sleep(seconds)
        return seconds


def trace_to(path):
    """Spans as lines of JSON in a file, by OpenTelemetry's own exporter."""
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

    from sage_rpc.observe.tracing import Tracing

    provider = TracerProvider(resource=Resource({"service.name": f"process {os.getpid()}"}))
    exporter = ConsoleSpanExporter(
        out=Path(path).open("w", buffering=1),  # noqa: SIM115 - it is written to until the process ends
        formatter=lambda span: span.to_json(indent=None) + "\n",
    )
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return Tracing(provider)


def main() -> None:
    given = {}
    if "denying" in sys.argv:

        def access(peer, method):
            if method == "echo":
                return False
            if method == "add" and peer.token != "open sesame":
                raise PermissionError("say the word")
            return peer.transport == "grpc" or peer.uid == os.getuid()

        given["access"] = access
    for argument in sys.argv:
        if argument.startswith("spans="):
            given["tracing"] = trace_to(argument.removeprefix("spans="))
    port = sys.argv[1] if len(sys.argv) > 1 and sys.argv[1].isdigit() else "0"
    subject = Subject(given.get("tracing", False))
    host = sage_rpc.ServiceHost("subject", subject, f"127.0.0.1:{port}", **given).start()
    print(host.address.rpartition(":")[2], flush=True)
    for line in sys.stdin:  # the name of a gate to open, for whom there is no worker to do it
        subject.release(line.strip())
    for gate in list(subject._gates.values()):
        gate.set()
    host.stop(1.0)


if __name__ == "__main__":
    main()
