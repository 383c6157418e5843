"""Servers of ours with other people's services on them, and channels told what carries their calls."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any

import grpc
import pytest

import sage_rpc

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
        channel = sage_rpc.insecure_channel(f"localhost:{port}", options=[("sage_rpc.transport", transport)])
        opened.append((server, channel))
        return channel

    yield start
    for server, channel in reversed(opened):
        channel.close()
        server.stop(None).wait()


@pytest.fixture
def carried(transport: str) -> Callable[[str], bool]:
    """Whether a `context.peer()` is one of the transport under test."""
    ours = f"shm:pid:{os.getpid()}"
    return lambda peer: peer == ours if transport == "shm" else peer.startswith(("ipv4:", "ipv6:"))
