"""Servers of ours with other people's services on them, and channels told what carries their calls."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest

import sage_rpc
from sage_rpc import aio

SECONDS = 10

Serve = Callable[..., sage_rpc.Channel]


@pytest.fixture
def serve(transport: str) -> Iterator[Serve]:
    """`serve(register, workers=4, **arguments of the server)` -> a channel to it over `transport`.

    `register` is given the server, as add_XServicer_to_server is.
    """
    opened: list[Any] = []

    def start(
        register: Callable[[grpc.Server], None], workers: int = 4, **arguments: Any
    ) -> sage_rpc.Channel:
        server = sage_rpc.server(futures.ThreadPoolExecutor(workers), **arguments)
        register(server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        channel = sage_rpc.insecure_channel(f"127.0.0.1:{port}", options=[("sage_rpc.transport", transport)])
        opened.append((server, channel))
        return channel

    yield start
    for server, channel in reversed(opened):
        channel.close()
        server.stop(None).wait()


@contextlib.asynccontextmanager
async def aio_serving(
    transport: str, register: Callable[[grpc.aio.Server], None], **arguments: Any
) -> AsyncIterator[aio.Channel]:
    """A channel over `transport` to an asyncio server in this loop; `arguments` are the server's."""
    server = aio.server(**arguments)
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with aio.insecure_channel(f"127.0.0.1:{port}", [("sage_rpc.transport", transport)]) as channel:
        yield channel
    await server.stop(None)


@pytest.fixture
def carried(transport: str) -> Callable[[str], bool]:
    """Whether a `context.peer()` is one of the transport under test."""
    ours = f"shm:pid:{os.getpid()}"
    return lambda peer: peer == ours if transport == "shm" else peer.startswith(("ipv4:", "ipv6:"))
