"""Serves test.kinds.Kinds, prints its port and ends with its standard input.

kinds_server.py IMPLEMENTATION SERVER
    IMPLEMENTATION  "def" and "async" implement KindsBase; "stock" implements gRPC's own servicer
    SERVER          "sage", "grpc", "sage-aio", "grpc-aio"
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent import futures

import grpc

import sage_rpc
from sage_rpc.servicers import AioServicerContext, ServicerContext
from tests.codegen.golden import kinds_pb2, kinds_pb2_grpc, kinds_sage

CODES = {code.value[0]: code for code in grpc.StatusCode}


def refuse(item, context):
    """Fail a call as it asks for; what `abort` gives is awaited by those that can."""
    return context.abort(CODES[item.code], f"asked for: {item.name}") if item.code else None


class Kinds(kinds_sage.KindsBase):
    def echo(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        refuse(request, context)
        context.set_trailing_metadata([("seen", dict(context.invocation_metadata()).get("token", "nothing"))])
        return request

    def repeat(self, request: kinds_pb2.Item, context: ServicerContext) -> Iterator[kinds_pb2.Item]:
        for _ in range(request.count):
            yield request
        refuse(request, context)

    def collect(self, requests: Iterator[kinds_pb2.Item], context: ServicerContext) -> kinds_pb2.Tally:
        count = 0
        for item in requests:
            refuse(item, context)
            count += 1
        return kinds_pb2.Tally(count=count)

    def exchange(
        self, requests: Iterator[kinds_pb2.Item], context: ServicerContext
    ) -> Iterator[kinds_pb2.Item]:
        for item in requests:
            refuse(item, context)
            yield item

    def hang(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        ended = threading.Event()
        context.add_callback(ended.set)  # grpc.aio takes it, and never calls it in time
        ended.wait(context.time_remaining() + 1.0)
        return request

    def left(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        return kinds_pb2.Item(weight=context.time_remaining())

    def old(self, request: kinds_pb2.Item, context: ServicerContext) -> kinds_pb2.Item:
        return request


class AsyncKinds(kinds_sage.KindsBase):
    async def echo(self, request: kinds_pb2.Item, context: AioServicerContext) -> kinds_pb2.Item:
        if request.code:
            await refuse(request, context)
        context.set_trailing_metadata([("seen", dict(context.invocation_metadata()).get("token", "nothing"))])
        return request

    async def repeat(
        self, request: kinds_pb2.Item, context: AioServicerContext
    ) -> AsyncIterator[kinds_pb2.Item]:
        for _ in range(request.count):
            yield request
        if request.code:
            await refuse(request, context)

    async def collect(
        self, requests: AsyncIterator[kinds_pb2.Item], context: AioServicerContext
    ) -> kinds_pb2.Tally:
        count = 0
        async for item in requests:
            if item.code:
                await refuse(item, context)
            count += 1
        return kinds_pb2.Tally(count=count)

    async def exchange(
        self, requests: AsyncIterator[kinds_pb2.Item], context: AioServicerContext
    ) -> AsyncIterator[kinds_pb2.Item]:
        async for item in requests:
            if item.code:
                await refuse(item, context)
            yield item

    async def hang(self, request: kinds_pb2.Item, context: AioServicerContext) -> kinds_pb2.Item:
        await asyncio.Event().wait()
        return request

    async def left(self, request: kinds_pb2.Item, context: AioServicerContext) -> kinds_pb2.Item:
        return kinds_pb2.Item(weight=context.time_remaining())

    async def old(self, request: kinds_pb2.Item, context: AioServicerContext) -> kinds_pb2.Item:
        return request


class StockKinds(kinds_pb2_grpc.KindsServicer):
    """The same under the names of the .proto, for a server that knows nothing of us."""


for stock_name, name in (rpc[:2] for rpc in Kinds.RPCS):
    setattr(StockKinds, stock_name, vars(Kinds)[name])


def add(implementation: str, server) -> None:
    if implementation == "stock":
        kinds_pb2_grpc.add_KindsServicer_to_server(StockKinds(), server)
    else:
        {"def": Kinds, "async": AsyncKinds}[implementation]().add_to_server(server)


def serve(implementation: str, make) -> None:
    server = make(futures.ThreadPoolExecutor(8))
    add(implementation, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()


async def serve_aio(implementation: str, make) -> None:
    server = make()
    add(implementation, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)


if __name__ == "__main__":
    implementation, kind = sys.argv[1:]
    if kind.endswith("-aio"):
        make = grpc.aio.server if kind == "grpc-aio" else sage_rpc.aio.server
        asyncio.run(serve_aio(implementation, make))
    else:
        serve(implementation, grpc.server if kind == "grpc" else sage_rpc.server)
