"""Peers grpc-uds, grpc-tcp and grpc-aio: grpcio as it comes, its servers and stub."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import grpc

from benchmarks.peers.grpc_stub import UNLIMITED, AioStubCaller, StubCaller, serving, serving_aio

# Channels of one process share a connection unless told otherwise; ours are counted as connections.
OPTIONS = [*UNLIMITED, ("grpc.use_local_subchannel_pool", 1)]


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    address = "127.0.0.1:0" if peer == "grpc-tcp" else f"unix:{directory}/grpc.sock"
    started = serving_aio if peer == "grpc-aio" else serving
    with started(grpc, address, UNLIMITED) as port:
        yield f"127.0.0.1:{port}" if peer == "grpc-tcp" else address


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[StubCaller]:
    with grpc.insecure_channel(address, options=OPTIONS) as channel:
        yield StubCaller(channel)


@contextlib.asynccontextmanager
async def connect_aio(peer: str, address: str, size: int) -> AsyncIterator[AioStubCaller]:
    async with grpc.aio.insecure_channel(address, options=OPTIONS) as channel:
        yield AioStubCaller(channel)
