"""A server that counts: `counted_server.py sync|aio|threads`; it prints its port and ends with its stdin.

`threads` is a server of asyncio whose handlers are no coroutines. Requests are StringValues; the first of a
call says how it is to end. `/counted.Control/...` tells what was counted, and lets held calls go on.
"""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from concurrent import futures

import grpc
from google.protobuf.wrappers_pb2 import StringValue

import sage_rpc
from sage_rpc import aio
from sage_rpc.observe.measured import aio_interceptor, interceptor
from sage_rpc.observe.served import Meter

SECONDS = 30
METER = Meter()
GO_ON = threading.Event()
HELD = threading.Semaphore(0)


def end(outcome, context):
    """Go on, or end the call."""
    if outcome == "error":
        raise RuntimeError("broken")
    if outcome == "abort":
        context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this")
    if outcome == "hold":
        HELD.release()
        GO_ON.wait(SECONDS)


async def end_later(outcome, context):
    if outcome == "abort":
        await context.abort(grpc.StatusCode.FAILED_PRECONDITION, "not like this")
    elif outcome == "hold":
        HELD.release()
        await asyncio.sleep(SECONDS)
    else:
        end(outcome, context)


class Sync:
    def unary(self, request, context):
        end(request.value, context)
        return request

    def watch(self, request, context):
        yield request
        yield request
        end(request.value, context)
        yield request

    def collect(self, requests, context):
        end(next(requests).value, context)
        return StringValue(value=",".join(request.value for request in requests))

    def chat(self, requests, context):
        for request in requests:
            yield request
            end(request.value, context)


class Later:
    async def unary(self, request, context):
        await end_later(request.value, context)
        return request

    async def watch(self, request, context):
        yield request
        yield request
        await end_later(request.value, context)
        yield request

    async def collect(self, requests, context):
        await end_later((await anext(aiter(requests))).value, context)
        return StringValue(value=",".join([request.value async for request in requests]))

    async def chat(self, requests, context):  # by the other face of grpc.aio
        while (request := await context.read()) is not grpc.aio.EOF:
            await context.write(request)
            await end_later(request.value, context)


MAKE = {
    "Unary": grpc.unary_unary_rpc_method_handler,
    "Watch": grpc.unary_stream_rpc_method_handler,
    "Collect": grpc.stream_unary_rpc_method_handler,
    "Chat": grpc.stream_stream_rpc_method_handler,
}


def handlers(kind):
    served = Later() if kind == "aio" else Sync()
    return {
        name: make(getattr(served, name.lower()), StringValue.FromString, StringValue.SerializeToString)
        for name, make in MAKE.items()
    }


def control(kind):
    def counted(request, context):
        rows = [row for row in METER.stats().to_list() if not row["service"].endswith("Control")]
        return json.dumps(rows).encode()

    def held(request, context):
        return b"yes" if HELD.acquire(timeout=SECONDS) else b"no"

    def go_on(request, context):
        GO_ON.set()
        return b""

    def stop(request, context):
        GO_ON.clear()
        while HELD.acquire(blocking=False):
            pass
        return b""

    each = {"Counted": counted, "Held": held, "GoOn": go_on, "Stop": stop}
    return {name: grpc.unary_unary_rpc_method_handler(function) for name, function in each.items()}


def refused(handler):
    """A handler of the same kind that lets nobody in."""
    denied = grpc.StatusCode.PERMISSION_DENIED, "not you"

    def refuse(request, context):
        context.abort(*denied)
        yield

    def refuse_once(request, context):
        context.abort(*denied)

    kind = next(name for name in ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
                if getattr(handler, name) is not None)  # fmt: skip
    return handler._replace(**{kind: refuse if handler.response_streaming else refuse_once})


class Door(grpc.ServerInterceptor):
    def intercept_service(self, continuation, details):
        handler = continuation(details)
        return (
            refused(handler)
            if handler and dict(details.invocation_metadata).get("door") == "shut"
            else handler
        )


class AioDoor(grpc.aio.ServerInterceptor):
    async def intercept_service(self, continuation, details):
        handler = await continuation(details)
        return (
            refused(handler)
            if handler and dict(details.invocation_metadata).get("door") == "shut"
            else handler
        )


def serve(server, kind):
    server.add_generic_rpc_handlers((
        grpc.method_handlers_generic_handler("counted.Counted", handlers(kind)),
        grpc.method_handlers_generic_handler("counted.Control", control(kind)),
    ))  # fmt: skip
    return server.add_insecure_port("127.0.0.1:0")


async def run_aio(kind):
    pool = futures.ThreadPoolExecutor(16)
    server = aio.server(pool, interceptors=[aio_interceptor(METER), AioDoor()])
    port = serve(server, kind)
    await server.start()
    print(port, flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.stop(None)


def main(kind):
    if kind != "sync":
        asyncio.run(run_aio(kind))
        return
    server = sage_rpc.server(futures.ThreadPoolExecutor(16), interceptors=[interceptor(METER), Door()])
    port = serve(server, kind)
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None)


if __name__ == "__main__":
    main(sys.argv[1])
