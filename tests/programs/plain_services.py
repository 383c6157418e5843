"""Plain classes as services for tests: `plain_services.py`; prints its port, ends with its stdin."""

from __future__ import annotations

import collections
import os
import queue
import sys
import threading
from concurrent import futures

import numpy as np

import sage_rpc
from sage_rpc.hosting.dispatch import PlainServices
from sage_rpc.transport.options import message_options


class Cache:
    """What a user writes: no base class, no .proto."""

    limit = 10

    def __init__(self) -> None:
        self._entries: dict[object, object] = {}
        self._gates = collections.defaultdict(threading.Event)

    def put(self, key, value, *, overwrite=True):
        if not overwrite and key in self._entries:
            raise KeyError(key)
        self._entries[key] = value
        return len(self._entries)

    def get(self, key, default=None):
        return self._entries.get(key, default)

    def echo(self, *args, **kwargs):
        return [list(args), kwargs]

    def total(self, array):
        return array.sum(axis=0)

    def zeros(self, *shape):
        return np.zeros(shape)

    def bad(self):
        return object()

    def wrong_inside(self):
        return len(5)

    def wait(self, gate):
        return self._gates[gate].wait(20)

    def release(self, gate):
        self._gates[gate].set()

    def pid(self):
        return os.getpid()

    def health_check(self):
        return True

    def setup(self):
        raise AssertionError("lifecycle, not for callers")

    def _private(self):
        raise AssertionError("private")


class Sick:
    def health_check(self):
        return False


class Relay:
    """Calls another service, as services may."""

    def __init__(self, target: str) -> None:
        self._manager = sage_rpc.ServiceManager({"cache": target}, timeout=30)

        self._ended: queue.Queue[str] = queue.Queue()

    def wait(self, gate):
        try:
            return self._manager.call_service_sync("cache", "wait", gate)
        except sage_rpc.RpcError as error:
            self._ended.put(type(error).__name__)
            raise

    def how_it_ended(self):
        return self._ended.get(timeout=10)


def main() -> None:
    services = PlainServices()
    # Many: calls whose callers have given up wait on for their gates, each in a thread.
    server = sage_rpc.server(futures.ThreadPoolExecutor(200), options=message_options(None))
    server.add_generic_rpc_handlers((services.handler(),))
    port = server.add_insecure_port("127.0.0.1:0")
    cache = Cache()
    services.add("cache", cache)
    services.add("sick", Sick())
    services.add("relay", Relay(f"127.0.0.1:{port}"))
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    for gate in list(cache._gates.values()):
        gate.set()
    server.stop(1.0).wait()


if __name__ == "__main__":
    main()
