"""Serves test.endings.Endings, as the main function of a process of multiprocessing.

The first request of a call says how it ends: "ok", "abort", "raise", "hang", "die" (with the whole process),
"unparsable" (a response of noise) or "large" (a response of 200,000 bytes). Calls with
a stream of responses get a proper one first. "hanging" is answered with the number of calls that hang.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from concurrent import futures
from multiprocessing.connection import Connection

import grpc

import sage_rpc
from tests.codegen.golden import endings_pb2

KINDS = {"One": "unary_unary", "Many": "unary_stream", "Sum": "stream_unary", "Each": "stream_stream"}
hanging: set[threading.Event] = set()


def answer(order: endings_pb2.Order, context: grpc.ServicerContext) -> bytes:
    """The last response of a call, as bytes."""
    if order.how == "abort":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "as asked for")
    if order.how == "raise":
        raise RuntimeError("as asked for")
    if order.how == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    if order.how == "hang":
        over = threading.Event()
        hanging.add(over)
        if context.add_callback(over.set):
            over.wait()
        hanging.discard(over)
    if order.how == "hanging":
        return endings_pb2.Receipt(how=str(len(hanging))).SerializeToString()
    if order.how == "unparsable":
        return b"\xff\xff"
    filling = b"x" * 200_000 if order.how == "large" else b""
    return endings_pb2.Receipt(how=order.how, filling=filling).SerializeToString()


def serve_one(order, context):
    return answer(order, context)


def serve_many(order, context):
    yield endings_pb2.Receipt(how="begun").SerializeToString()
    yield answer(order, context)


def serve_sum(orders, context):
    first = next(orders)
    if first.how == "ok":
        for _ in orders:
            pass
    return answer(first, context)


def serve_each(orders, context):
    for order in orders:
        yield from serve_many(order, context)


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        name = details.method.rpartition("/")[2]
        serve = {"One": serve_one, "Many": serve_many, "Sum": serve_sum, "Each": serve_each}[name]
        make = getattr(grpc, f"{KINDS[name]}_rpc_method_handler")
        return make(serve, request_deserializer=endings_pb2.Order.FromString)


def serve(directory: str, port_and_end: Connection) -> None:
    """Send a port, and serve there until the other end of the pipe is closed."""
    os.environ["SAGE_RPC_RUNTIME_DIR"] = directory
    server = sage_rpc.server(futures.ThreadPoolExecutor(8), [Handler()])
    port_and_end.send(server.add_insecure_port("127.0.0.1:0"))
    server.start()
    with contextlib.suppress(EOFError):
        port_and_end.recv()
    server.stop(None).wait()
