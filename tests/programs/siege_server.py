"""A server process to be attacked: `siege_server.py sync|aio|plain`, prints its port, ends with its stdin."""

from __future__ import annotations

import asyncio
import faulthandler
import logging
import sys
from concurrent import futures

import grpc

import sage_rpc

faulthandler.enable()
logging.getLogger("sage_rpc").setLevel(logging.CRITICAL)  # each peer's end is a line


def echo(request, context):
    return request


def big(request, context):
    return bytes(int(request or 1 << 20))


def chat(requests, context):
    yield from requests


async def aio_echo(request, context):
    return request


async def aio_big(request, context):
    return bytes(int(request or 1 << 20))


async def aio_chat(requests, context):
    async for request in requests:
        yield request


class Plain:
    def echo(self, value=None):
        return value


def handlers(echo, big, chat):
    return grpc.method_handlers_generic_handler(
        "test.Siege",
        {
            "echo": grpc.unary_unary_rpc_method_handler(echo),
            "big": grpc.unary_unary_rpc_method_handler(big),
            "chat": grpc.stream_stream_rpc_method_handler(chat),
        },
    )


async def serve_in_a_loop() -> None:
    server = sage_rpc.aio.server(handlers=(handlers(aio_echo, aio_big, aio_chat),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)


def main(kind: str) -> None:
    if kind == "aio":
        asyncio.run(serve_in_a_loop())
        return
    if kind == "plain":
        host = sage_rpc.ServiceHost("siege", Plain(), "127.0.0.1:0", max_workers=4).start()
        print(host.address.rpartition(":")[2], flush=True)
        sys.stdin.read()
        host.stop()
        return
    server = sage_rpc.server(futures.ThreadPoolExecutor(4), handlers=(handlers(echo, big, chat),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()


if __name__ == "__main__":
    main(sys.argv[1])
