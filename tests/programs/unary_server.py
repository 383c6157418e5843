"""A server process for tests: `unary_server.py ADDRESS [MAX_WORKERS [MAX_RPCS]]`, ends with its stdin."""

from __future__ import annotations

import os
import sys
import threading
import time
from concurrent import futures

import grpc

import sage_rpc
from tests import segments

GATE = threading.Event()
BEGUN = threading.Event()
TERMINATED = threading.Event()


def echo(request: bytes, context: grpc.ServicerContext) -> bytes:
    return request


def double(request: bytes, context: grpc.ServicerContext) -> bytes:
    return str(2 * int(request)).encode()


def fail(request: bytes, context: grpc.ServicerContext) -> bytes:
    raise ValueError(request.decode())


def abort(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.set_trailing_metadata((("why", "because"), ("raw-bin", b"\x00\xff")))
    context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    raise AssertionError("abort returned")


def set_code(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.set_code(grpc.StatusCode.ALREADY_EXISTS)
    context.set_details("it was there")
    return b"ignored"


def metadata(request: bytes, context: grpc.ServicerContext) -> bytes:
    context.send_initial_metadata((("first", "1"), ("first-bin", b"\x01")))
    seen = {entry.key: entry.value for entry in context.invocation_metadata()}
    context.set_trailing_metadata((("last", seen["key"]), ("last-bin", seen["key-bin"])))
    return b"ok"


def remaining(request: bytes, context: grpc.ServicerContext) -> bytes:
    return repr(context.time_remaining()).encode()


def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Blocks until open_gate, or until the call ends."""
    context.add_callback(TERMINATED.set)
    BEGUN.set()
    while context.is_active() and not GATE.wait(0.005):
        pass
    return b"through"


def open_gate(request: bytes, context: grpc.ServicerContext) -> bytes:
    GATE.set()
    return b""


def reset(request: bytes, context: grpc.ServicerContext) -> bytes:
    """As it was when this program began."""
    for event in (GATE, BEGUN, TERMINATED):
        event.clear()
    return b""


def was_terminated(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Whether what `wait` asked to be called at its end was called, after a while."""
    return b"yes" if TERMINATED.wait(10) else b"no"


def has_begun(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Whether `wait` runs, after a while."""
    return b"yes" if BEGUN.wait(10) else b"no"


def pause(request: bytes, context: grpc.ServicerContext) -> bytes:
    time.sleep(float(request))  # a handler that blocks, as handlers that query a database do
    return request


def not_serializable(response: object) -> bytes:
    raise ValueError("cannot")


def peer(request: bytes, context: grpc.ServicerContext) -> bytes:
    return repr((context.peer(), context.auth_context())).encode()


def wait_many(request_iterator, context):
    yield from request_iterator


def block_when_ended(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Like wait, but what is called at the end of the call blocks until open_gate."""
    context.add_callback(GATE.wait)
    return wait(request, context)


def held(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Descriptors, mapped segments and threads of this process."""
    return f"{len(os.listdir('/proc/self/fd'))} {segments.mapped()} {threading.active_count()}".encode()


def handlers() -> grpc.GenericRpcHandler:
    unary = [
        echo,
        double,
        fail,
        abort,
        set_code,
        metadata,
        remaining,
        wait,
        open_gate,
        reset,
        was_terminated,
        has_begun,
        pause,
        peer,
        block_when_ended,
        held,
    ]
    table = {f.__name__: grpc.unary_unary_rpc_method_handler(f) for f in unary}
    table["not_bytes"] = grpc.unary_unary_rpc_method_handler(echo, None, not_serializable)
    table["stream"] = grpc.stream_stream_rpc_method_handler(wait_many)
    return grpc.method_handlers_generic_handler("test.Unary", table)


def main() -> None:
    address, *rest = sys.argv[1:]
    workers = int(rest[0]) if rest else 10
    max_rpcs = int(rest[1]) if len(rest) > 1 else None
    options = [("grpc.max_receive_message_length", 65 << 20), ("grpc.max_send_message_length", -1)]
    server = sage_rpc.server(
        futures.ThreadPoolExecutor(workers), options=options, maximum_concurrent_rpcs=max_rpcs
    )
    server.add_generic_rpc_handlers((handlers(),))
    port = server.add_insecure_port(address)
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(2.0).wait()


if __name__ == "__main__":
    main()
