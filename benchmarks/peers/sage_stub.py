"""Peers sage-shm and sage-grpc: the generated stub over our channel, with the transport forced."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import sage_rpc
from benchmarks import echo_pb2_grpc
from benchmarks.peers.grpc_stub import UNLIMITED, WORKERS, EchoServicer, StubCaller


def _transport(peer: str) -> str:
    return peer.removeprefix("sage-")


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    options = [*UNLIMITED, ("sage_rpc.transport", _transport(peer))]
    server = sage_rpc.server(futures.ThreadPoolExecutor(WORKERS), options=options)
    echo_pb2_grpc.add_EchoServicer_to_server(EchoServicer(), server)  # type: ignore[no-untyped-call]
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[StubCaller]:
    transport = _transport(peer)
    options = [*UNLIMITED, ("grpc.use_local_subchannel_pool", 1), ("sage_rpc.transport", transport)]
    with sage_rpc.insecure_channel(address, options=options) as channel:
        caller = StubCaller(channel)
        caller.call(caller.prepare(b""))
        if channel.transport != transport:
            raise RuntimeError(f"{peer} would measure {channel.transport}: {channel.transport_reason}")
        yield caller
