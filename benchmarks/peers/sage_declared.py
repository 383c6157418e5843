"""Peers sage-declared and sage-declared-grpc: a protobuf service through the proxies of a ServiceManager.

The first is served by sage_rpc over the memory queue. The second calls the server of grpc-uds over gRPC, so
that what differs from grpc-uds is the proxy and our facade, and nothing else.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import sage_rpc
from benchmarks import echo_pb2
from benchmarks.peers import sage_stub, stock_grpc
from benchmarks.peers.grpc_stub import UNLIMITED, StubCaller

SERVICE = echo_pb2.DESCRIPTOR.services_by_name["Echo"].full_name


def _over_grpc(peer: str) -> bool:
    return peer == "sage-declared-grpc"


class DeclaredCaller:
    """Calls with fields as keyword arguments; the request is made in every call."""

    shared = True

    def __init__(self, manager: sage_rpc.ServiceManager, address: str) -> None:
        self._address = address
        self._proxy = manager.get_sync_proxy("echo")
        self._call = self._proxy.call
        self._start = manager.get_async_proxy("echo").call

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def call(self, request: bytes) -> bytes:
        payload: bytes = self._call(payload=request).payload
        return payload

    def batch(self, requests: list[bytes]) -> list[bytes]:
        fields = [{"payload": payload} for payload in requests]
        return [response.payload for response in self._proxy.batch("call", fields)]

    def start(self, request: bytes) -> sage_rpc.services.proxies.ServiceFuture:
        return self._start(payload=request)

    def finish(self, future: sage_rpc.services.proxies.ServiceFuture) -> bytes:
        payload: bytes = future.result().payload
        return payload

    def bare(self) -> AbstractContextManager[StubCaller]:
        """Only over gRPC: the stub of grpcio, to the same server."""
        return stock_grpc.connect("grpc-uds", self._address, 0)


def serve(peer: str, directory: Path, size: int) -> AbstractContextManager[str]:
    if _over_grpc(peer):
        return stock_grpc.serve("grpc-uds", directory, size)
    return sage_stub.serve("sage-shm", directory, size)


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[DeclaredCaller]:
    transport = "grpc" if _over_grpc(peer) else "shm"
    options = [*UNLIMITED, ("grpc.use_local_subchannel_pool", 1), ("sage_rpc.transport", transport)]
    endpoints = {"echo": sage_rpc.ServiceEndpoint(address, SERVICE)}
    with sage_rpc.ServiceManager(endpoints, options=options) as manager:
        yield DeclaredCaller(manager, address)
        if manager.transport_of("echo") != transport:
            raise RuntimeError(f"{peer} would measure {manager.transport_of('echo')}")
