"""Calls services every half second and prints how each call went: `python watch.py cache search`.

One line of JSON a time: for each service what carried the call, or why it failed. For looking on while
containers are
killed and networks are cut.
"""

from __future__ import annotations

import json
import sys
import threading

import grpc

from sage_rpc import ServiceManager

CALLS = {"cache": ("size", ()), "search": ("closest", ("brown dog",)), "features": ("vector", ("fox",))}


def main() -> int:
    names, pause = sys.argv[1:] or list(CALLS), threading.Event()
    with ServiceManager({name: f"sage:///{name}" for name in names}) as manager:
        while True:
            line = {}
            for name in names:
                method, args = CALLS[name]
                try:
                    manager.call_service_sync(name, method, *args, timeout=2.0)
                    line[name] = manager.transport_of(name)
                except grpc.RpcError as error:
                    line[name] = f"{error.code().name}: {error.details()}"
                except OSError as error:  # no registry yet
                    line[name] = f"{type(error).__name__}: {error}"
            print(json.dumps(line), flush=True)
            pause.wait(0.5)


if __name__ == "__main__":
    sys.exit(main())
