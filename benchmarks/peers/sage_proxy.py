"""Peer sage-proxy: `manager.get_sync_proxy("cache").get(key)` on a plain class, over the memory queue."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import sage_rpc
from benchmarks.peers.grpc_stub import UNLIMITED, WORKERS

OPTIONS = [*UNLIMITED, ("sage_rpc.transport", "shm")]


class Cache:
    """A plain class. Its only method gives back the key, so that payloads travel both ways."""

    def get(self, key: bytes) -> bytes:
        return key


class ProxyCaller:
    """Calls through the proxies of a ServiceManager."""

    shared = True

    def __init__(self, manager: sage_rpc.ServiceManager) -> None:
        self.call = manager.get_sync_proxy("cache").get
        self.start = manager.get_async_proxy("cache").get

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def finish(self, future: sage_rpc.proxies.ServiceFuture) -> bytes:
        payload: bytes = future.result()
        return payload


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    with sage_rpc.ServiceHost("cache", Cache(), max_workers=WORKERS, options=OPTIONS) as host:
        yield host.address


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[ProxyCaller]:
    with sage_rpc.ServiceManager({"cache": address}, options=OPTIONS) as manager:
        yield ProxyCaller(manager)
