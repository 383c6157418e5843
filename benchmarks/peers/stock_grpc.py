"""Peers grpc-uds and grpc-tcp: grpcio as it comes, its synchronous server and stub."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path

import grpc

from benchmarks import echo_pb2_grpc
from benchmarks.peers.grpc_stub import UNLIMITED, WORKERS, EchoServicer, StubCaller


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    server = grpc.server(futures.ThreadPoolExecutor(WORKERS), options=UNLIMITED)
    echo_pb2_grpc.add_EchoServicer_to_server(EchoServicer(), server)  # type: ignore[no-untyped-call]
    address = f"unix:{directory}/grpc.sock" if peer == "grpc-uds" else "127.0.0.1:0"
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield address if peer == "grpc-uds" else f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[StubCaller]:
    # Channels of one process share a connection unless told otherwise; ours are counted as connections.
    options = [*UNLIMITED, ("grpc.use_local_subchannel_pool", 1)]
    with grpc.insecure_channel(address, options=options) as channel:
        yield StubCaller(channel)
