"""Peers sage-shm, sage-grpc and sage-aio: the generated stub over our channel, with the transport forced."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import sage_rpc
from benchmarks.peers.grpc_stub import UNLIMITED, AioStubCaller, Options, StubCaller, serving, serving_aio
from sage_rpc import aio


def _options(peer: str) -> Options:
    return [*UNLIMITED, ("sage_rpc.transport", _transport(peer))]


def _transport(peer: str) -> str:
    return "grpc" if peer == "sage-grpc" else "shm"


def _client_options(peer: str) -> Options:
    return [*_options(peer), ("grpc.use_local_subchannel_pool", 1)]


def _check(peer: str, channel: Any) -> None:
    if channel.transport != _transport(peer):
        raise RuntimeError(f"{peer} would measure {channel.transport}: {channel.transport_reason}")


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    started = serving_aio if peer == "sage-aio" else serving
    with started(sage_rpc, "127.0.0.1:0", _options(peer)) as port:
        yield f"127.0.0.1:{port}"


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[StubCaller]:
    with sage_rpc.insecure_channel(address, options=_client_options(peer)) as channel:
        yield StubCaller(channel)
        _check(peer, channel)


@contextlib.asynccontextmanager
async def connect_aio(peer: str, address: str, size: int) -> AsyncIterator[AioStubCaller]:
    async with aio.insecure_channel(address, options=_client_options(peer)) as channel:
        yield AioStubCaller(channel)
        _check(peer, channel)
