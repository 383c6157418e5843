"""The asyncio server: one set of handlers behind TCP (grpc.aio itself) and behind the memory queue.

Rule: what the event loop holds (the listener, its core, the handlers) does not hold the `Server`. One that
its user lets go of stops, as grpc.aio's does.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Sequence
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc
from grpc import aio as stock_aio

from sage_rpc.native import core
from sage_rpc.rpc.aio.servicing import Runner
from sage_rpc.rpc.server import HandlerCallDetails
from sage_rpc.transport import grpc as stock
from sage_rpc.transport.options import Options
from sage_rpc.transport.picker import offer
from sage_rpc.transport.shm.connect import DEFAULT_RING_BYTES
from sage_rpc.transport.shm.listen import LoopListener
from sage_rpc.transport.shm.rendezvous import endpoints_bound

if TYPE_CHECKING:
    from sage_rpc.native._core import MethodEntry

__all__ = ["Server", "server"]

_LOGGER = logging.getLogger("sage_rpc")


def server(
    migration_thread_pool: futures.Executor | None = None,
    handlers: Sequence[grpc.GenericRpcHandler] | None = None,
    interceptors: Sequence[Any] | None = None,
    options: Sequence[tuple[str, Any]] | None = None,
    maximum_concurrent_rpcs: int | None = None,
    compression: grpc.Compression | None = None,
) -> Server:
    """A server with `grpc.aio.server`'s signature that listens on TCP and on the memory queue at once.

    Args:
        migration_thread_pool: runs handlers that are no coroutines, of both transports.
        handlers: generic handlers, more may be added before the start.
        interceptors: `grpc.aio.ServerInterceptor`s, applied on both transports.
        options: gRPC's server options, and ours: ("sage_rpc.transport", "auto" | "shm" | "grpc").
        maximum_concurrent_rpcs: calls at once; on each transport, further ones get RESOURCE_EXHAUSTED.
        compression: for calls over gRPC.

    Raises:
        ValueError: an option of ours has a value that is not allowed.
    """
    return Server(
        migration_thread_pool, handlers, interceptors, options, maximum_concurrent_rpcs, compression
    )


class Server(stock_aio.Server):
    """A `grpc.aio.Server`; see `server()`."""

    def __init__(
        self,
        migration_thread_pool: futures.Executor | None,
        handlers: Sequence[grpc.GenericRpcHandler] | None,
        interceptors: Sequence[Any] | None,
        options: Sequence[tuple[str, Any]] | None,
        maximum_concurrent_rpcs: int | None,
        compression: grpc.Compression | None,
    ) -> None:
        self._options = Options(options, DEFAULT_RING_BYTES)
        self._pool = migration_thread_pool
        self._methods = _Methods(handlers or (), interceptors or ())
        self._max_rpcs = -1 if maximum_concurrent_rpcs is None else maximum_concurrent_rpcs
        self._started = False
        self._stops: set[asyncio.Future[Any]] = set()  # under way
        self._stopping = False
        self._endpoints: list[str] = []
        self._shm: LoopListener | None = None
        self._runner: Runner | None = None
        self._wound_down = asyncio.Event()  # the memory queue's half has stopped
        self._server: stock_aio.Server = stock.aio_server(
            migration_thread_pool,
            handlers,
            interceptors,
            self._options.grpc,
            maximum_concurrent_rpcs,
            compression,
        )

    def __repr__(self) -> str:
        shm = repr(self._shm.core) if self._shm else "off"
        return f"<sage_rpc.aio.Server endpoints={self._endpoints} shm={shm}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a server does not pickle: make it in the process that is to serve")

    # -- grpc.aio.Server

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(generic_rpc_handlers)
        self._methods.generic.extend(generic_rpc_handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: dict[str, grpc.RpcMethodHandler]
    ) -> None:
        self._server.add_registered_method_handlers(service_name, method_handlers)
        if self._started:
            return  # grpc.aio logs it, and serves none of them
        for name, handler in method_handlers.items():
            self._methods.registered[f"/{service_name}/{name}"] = handler

    def add_insecure_port(self, address: str) -> int:
        port, endpoints = endpoints_bound(address, lambda: int(self._server.add_insecure_port(address)))
        self._endpoints += endpoints
        return port

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """As grpc.aio's. Calls to a secure port go over gRPC: the memory queue is not offered for it."""
        return int(self._server.add_secure_port(address, server_credentials))

    async def start(self) -> None:
        await self._server.start()
        self._started = True
        if self._stopping:  # by another task, meanwhile
            return
        if self._shm is not None:
            return
        error = offer(self._options, self._endpoints, self._start_shm, self._stop_shm)
        if error is not None:
            await self.stop(None)
            raise error

    def _start_shm(self) -> None:
        loop = asyncio.get_running_loop()
        self._runner = Runner(loop, self._pool, self._methods.find)
        self._shm = LoopListener(
            self._runner.start,
            self._methods.resolve,
            max_rpcs=self._max_rpcs,
            max_receive=self._options.max_receive,
            max_send=self._options.max_send,
            max_metadata=self._options.max_metadata,
        )
        for endpoint in self._endpoints:
            self._shm.listen(endpoint)
        self._shm.start(loop)

    async def stop(self, grace: float | None) -> None:
        """Stop both transports.

        It goes on when the task that waits for it is cancelled: that of a handler of this server, say.

        Args:
            grace: seconds that calls under way may take; None ends them at once. The shortest of several
                calls counts.
        """
        self._stopping = True
        stop = asyncio.gather(self._server.stop(grace), self._wind_down(grace))
        self._stops.add(stop)
        stop.add_done_callback(self._stops.discard)
        await asyncio.shield(stop)

    async def _wind_down(self, grace: float | None) -> None:
        shm, runner = self._shm, self._runner
        if shm is None or runner is None:
            self._wound_down.set()
            return
        shm.unpublish()
        shm.core.begin_stop()
        if grace:
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(shm.core.until_idle(), grace)
        if self._shm is shm:  # no other stop() has come to its end meanwhile
            shm.core.cancel_all()
            if runner.tasks:
                await asyncio.wait(tuple(runner.tasks))
        if self._shm is shm:
            self._stop_shm()
        self._wound_down.set()

    def _stop_shm(self) -> None:
        shm, self._shm = self._shm, None
        if shm is not None:
            shm.end()

    async def wait_for_termination(self, timeout: float | None = None) -> bool:
        deadline = None if timeout is None else time.monotonic() + timeout
        if await self._server.wait_for_termination(timeout):
            return True
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            await asyncio.wait_for(self._wound_down.wait(), left)
        except asyncio.TimeoutError:
            return True
        return False

    def __del__(self) -> None:
        shm, runner = getattr(self, "_shm", None), getattr(self, "_runner", None)
        if shm is None or runner is None:
            return
        with contextlib.suppress(Exception):
            if runner.loop.is_running():  # perhaps in another thread, perhaps in the middle of reading
                runner.loop.call_soon_threadsafe(shm.end)
            else:
                shm.end()


class _Methods:
    """What a server serves: finds the handlers of calls over the memory queue."""

    def __init__(self, handlers: Sequence[grpc.GenericRpcHandler], interceptors: Sequence[Any]) -> None:
        self.generic = list(handlers)
        self.registered: dict[str, grpc.RpcMethodHandler] = {}
        self._interceptors = tuple(interceptors)

    def _query(self, details: HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        found = self.registered.get(details.method)
        if found is not None:
            return found
        for generic in self.generic:
            found = generic.service(details)
            if found is not None:
                return found
        return None

    def resolve(self, name: str) -> MethodEntry:
        """The method's entry in the core; `behavior` is its `grpc.RpcMethodHandler`."""
        usual = all(type(g).__name__ == "DictionaryGenericHandler" for g in self.generic)
        if self._interceptors or not (usual or name in self.registered):
            return core.MethodEntry(name, self.find, None, None, dynamic=True)
        return core.MethodEntry(name, self._query(HandlerCallDetails(name, ())), None, None)

    async def find(self, name: str, metadata: Any) -> grpc.RpcMethodHandler | None:
        """The handler of one call, as the interceptors let it be."""
        return await self._intercept(0, HandlerCallDetails(name, metadata))

    async def _intercept(self, number: int, details: Any) -> grpc.RpcMethodHandler | None:
        """What interceptor `number` and those behind it make of the method."""
        if number == len(self._interceptors):
            return self._query(details)

        def continuation(given: Any) -> Any:
            return self._intercept(number + 1, given)

        found: grpc.RpcMethodHandler | None = await self._interceptors[number].intercept_service(
            continuation, details
        )
        return found
