"""Peers sage-proxy and sage-empty: `manager.get_sync_proxy("cache").get(key)` on a plain class.

Both over the memory queue; in scenarios of asyncio the call is awaited, through the asyncio manager. With
sage-empty, arrays lie in memory that is shared with the other process: the caller's from before the clock
starts, the service's is filled in every call.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import sage_rpc
from benchmarks.peers.grpc_stub import UNLIMITED, WORKERS

OPTIONS = [*UNLIMITED, ("sage_rpc.transport", "shm")]


class Cache:
    """A plain class. Its methods give back what they got, so that payloads travel both ways."""

    def get(self, key: Any) -> Any:
        return key

    def copy(self, array: Any) -> Any:
        out = sage_rpc.empty(array.shape, array.dtype)
        out[...] = array
        return out


class ProxyCaller:
    """Calls through the proxies of a ServiceManager."""

    shared = True

    def __init__(self, manager: sage_rpc.ServiceManager, *, empty: bool) -> None:
        self._proxy = manager.get_sync_proxy("cache")
        self._empty = empty
        self.call = self._proxy.get
        self.start = manager.get_async_proxy("cache").get

    def prepare(self, payload: bytes) -> bytes:
        return payload

    def finish(self, future: sage_rpc.services.proxies.ServiceFuture) -> bytes:
        payload: bytes = future.result()
        return payload

    def batch(self, requests: list[bytes]) -> list[bytes]:
        return self._proxy.batch("get", requests)

    def arrays(self) -> ArrayProxyCaller:
        return ArrayProxyCaller(self._proxy, empty=self._empty)


class AioProxyCaller:
    """Calls through the proxy of an asyncio manager."""

    def __init__(self, manager: sage_rpc.aio.ServiceManager) -> None:
        self.call = manager.get_proxy("cache").get

    def prepare(self, payload: bytes) -> bytes:
        return payload


class ArrayProxyCaller:
    """The same with numpy arrays, which go as they are and come as they are."""

    shared = True

    def __init__(self, proxy: sage_rpc.ServiceCallProxy, *, empty: bool) -> None:
        self._proxy = proxy
        self._empty = empty
        self._call = proxy.copy if empty else proxy.get

    def prepare(self, payload: bytes) -> Any:
        import numpy as np

        array = np.frombuffer(payload, np.float32)
        if not self._empty:
            return array
        shared = sage_rpc.empty(array.shape, array.dtype, self._proxy)
        shared[...] = array
        return shared

    def call(self, request: Any) -> memoryview:
        view: memoryview = self._call(request).data.cast("B")
        return view

    def start(self, request: Any) -> Any:
        raise NotImplementedError("no scenario has futures of arrays")

    finish = start


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    with sage_rpc.ServiceHost("cache", Cache(), max_workers=WORKERS, options=OPTIONS) as host:
        yield host.address


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[ProxyCaller]:
    with sage_rpc.ServiceManager({"cache": address}, options=OPTIONS) as manager:
        yield ProxyCaller(manager, empty=peer == "sage-empty")


@contextlib.asynccontextmanager
async def connect_aio(peer: str, address: str, size: int) -> AsyncIterator[AioProxyCaller]:
    async with sage_rpc.aio.ServiceManager({"cache": address}, options=OPTIONS) as manager:
        yield AioProxyCaller(manager)
