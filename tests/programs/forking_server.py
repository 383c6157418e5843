"""A server whose handler forks a child that outlives it: `forking_server.py`; prints its port."""

from __future__ import annotations

import os
import sys
from concurrent import futures

import grpc

import sage_rpc


def fork(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Starts a child that lives until the pipe named by the request is closed. -> its process id."""
    child = os.fork()
    if child == 0:
        with open(request, "rb") as until:  # noqa: PTH123
            until.read()
        os._exit(0)
    return str(child).encode()


def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
    ended = futures.Future()
    context.add_callback(lambda: ended.set_result(None))
    ended.result(30)
    return b""


def main() -> None:
    server = sage_rpc.server(futures.ThreadPoolExecutor(4))
    table = {f.__name__: grpc.unary_unary_rpc_method_handler(f) for f in (fork, wait)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Fork", table),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(2.0).wait()


if __name__ == "__main__":
    main()
