"""The grpc-shaped server: one set of handlers behind TCP (real grpcio) and behind the memory queue.

Handlers of both run in the pool the user gave. A server that cannot offer the memory queue still
serves over gRPC and says why in one line, unless the transport is forced.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent import futures
from pathlib import Path
from typing import Any, NamedTuple

import grpc
from grpc import _server as grpc_server
from grpc._cython import cygrpc

from sage_rpc.native import core
from sage_rpc.transport import grpc as stock
from sage_rpc.transport.options import Options
from sage_rpc.transport.picker import offer
from sage_rpc.transport.shm.connect import DEFAULT_RING_BYTES
from sage_rpc.transport.shm.listen import ShmListener
from sage_rpc.transport.shm.rendezvous import endpoints_bound

__all__ = ["HandlerCallDetails", "Server", "server"]

_LOGGER = logging.getLogger("sage_rpc")


def server(
    thread_pool: futures.Executor,
    handlers: Sequence[grpc.GenericRpcHandler] | None = None,
    interceptors: Sequence[grpc.ServerInterceptor] | None = None,
    options: Sequence[tuple[str, Any]] | None = None,
    maximum_concurrent_rpcs: int | None = None,
    compression: grpc.Compression | None = None,
    xds: bool = False,
) -> Server:
    """A server with `grpc.server`'s signature that listens on TCP and on the memory queue at once.

    Args:
        thread_pool: runs the handlers of both transports.
        handlers: generic handlers, more may be added before the start.
        interceptors: applied on both transports.
        options: gRPC's server options, and ours: ("sage_rpc.transport", "auto" | "shm" | "grpc").
        maximum_concurrent_rpcs: calls at once; on each transport, further ones get RESOURCE_EXHAUSTED.
        compression: for calls over gRPC.
        xds: as grpc's.

    Raises:
        ValueError: an option of ours has a value that is not allowed.
    """
    return Server(thread_pool, handlers, interceptors, options, maximum_concurrent_rpcs, compression, xds)


class _HandlerCallDetails(NamedTuple):
    method: str
    invocation_metadata: Any


class HandlerCallDetails(_HandlerCallDetails, grpc.HandlerCallDetails):
    """What interceptors and generic handlers are told about a call; as grpcio's, it takes attributes."""


class _SharedPool:
    """The user's pool as grpcio sees it: a call over TCP may ask the memory queue to give a thread back."""

    def __init__(self, pool: futures.Executor) -> None:
        self._pool = pool
        self.core: Any = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> futures.Future[Any]:
        future = self._pool.submit(_answered, fn, *args, **kwargs)
        if self.core is not None:
            self.core.yield_pool()
        return future


def _answered(fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """Run what grpcio gives to its pool, and see to it that the call ends.

    What no `except Exception` takes (SystemExit of a library that called sys.exit, a CancelledError) would
    pass through grpcio, and leave the caller without an answer. The answer is that of the memory queue.
    """
    try:
        return fn(*args, **kwargs)
    except BaseException as error:
        for event, state in itertools.pairwise(args):
            if isinstance(state, grpc_server._RPCState):
                details = f"Exception calling application: {type(error).__name__}"
                _LOGGER.exception("%s", details)
                with state.condition:
                    if not state.statused:
                        grpc_server._abort(state, event.call, cygrpc.StatusCode.unknown, details.encode())
        raise


class Server(grpc.Server):
    """A `grpc.Server`; see `server()`."""

    def __init__(
        self,
        thread_pool: futures.Executor,
        handlers: Sequence[grpc.GenericRpcHandler] | None,
        interceptors: Sequence[grpc.ServerInterceptor] | None,
        options: Sequence[tuple[str, Any]] | None,
        maximum_concurrent_rpcs: int | None,
        compression: grpc.Compression | None,
        xds: bool,
    ) -> None:
        self._options = Options(options, DEFAULT_RING_BYTES)
        self._pool = thread_pool
        self._shared_pool = _SharedPool(thread_pool)
        self._generic_handlers: list[grpc.GenericRpcHandler] = list(handlers or ())
        self._registered: dict[str, grpc.RpcMethodHandler] = {}
        self._interceptors = tuple(interceptors or ())
        self._max_rpcs = -1 if maximum_concurrent_rpcs is None else maximum_concurrent_rpcs
        self._started = False
        self._endpoints: list[str] = []
        self._shm: ShmListener | None = None
        self._lock = threading.Lock()  # guards _stopping and _stopped
        self._stopping = False
        self._stopped = threading.Event()
        self._server: grpc.Server = stock.server(
            self._shared_pool,
            handlers,
            interceptors,
            self._options.grpc,
            maximum_concurrent_rpcs,
            compression,
            xds,
        )

    def __repr__(self) -> str:
        return f"<sage_rpc.Server endpoints={self._endpoints} shm={self._shm.core if self._shm else 'off'!r}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError("a server does not pickle: make it in the process that is to serve")

    @property
    def endpoints(self) -> tuple[str, ...]:
        """The names of its insecure ports in the runtime directory, as `docs/wire.md` has them."""
        return tuple(self._endpoints)

    @property
    def published(self) -> tuple[Path, ...]:
        """The sockets at which clients find the memory queue; none before the start, and without one."""
        return () if self._shm is None else self._shm.published

    # -- grpc.Server

    def add_generic_rpc_handlers(self, generic_rpc_handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        self._server.add_generic_rpc_handlers(generic_rpc_handlers)
        self._generic_handlers.extend(generic_rpc_handlers)

    def add_registered_method_handlers(
        self, service_name: str, method_handlers: dict[str, grpc.RpcMethodHandler]
    ) -> None:
        self._server.add_registered_method_handlers(service_name, method_handlers)
        if self._started:
            return  # grpcio logs it, and serves none of them
        for name, handler in method_handlers.items():
            self._registered[f"/{service_name}/{name}"] = handler

    def add_insecure_port(self, address: str) -> int:
        port, endpoints = endpoints_bound(address, lambda: int(self._server.add_insecure_port(address)))
        self._endpoints += endpoints
        return port

    def add_secure_port(self, address: str, server_credentials: grpc.ServerCredentials) -> int:
        """As grpc's. Calls to a secure port go over gRPC: the memory queue is not offered for it."""
        return int(self._server.add_secure_port(address, server_credentials))

    def start(self) -> None:
        self._server.start()
        self._started = True
        error = offer(self._options, self._endpoints, self._start_shm, self._undo_shm)
        if error is not None:
            self._server.stop(None)
            raise error

    def _start_shm(self) -> None:
        self._shm = ShmListener(
            self._pool,
            *_weakly(self),
            max_rpcs=self._max_rpcs,
            max_receive=self._options.max_receive,
            max_send=self._options.max_send,
            max_metadata=self._options.max_metadata,
        )
        self._shared_pool.core = self._shm.core
        for endpoint in self._endpoints:
            self._shm.listen(endpoint)
        self._shm.start()

    def _undo_shm(self) -> None:
        if self._shm is not None:
            self._shm.stop(None)
            self._shm = None

    def stop(self, grace: float | None) -> threading.Event:
        """Stop both transports; the returned event is set when the last call has ended.

        Without a grace period calls under way are ended, and this method returns when all has stopped.
        """
        over_grpc = self._server.stop(grace)
        with self._lock:
            first, self._stopping = not self._stopping, True
        shm = self._shm
        if shm is not None and not first:
            shm.end_within(grace)  # an impatient stop shortens one under way
        if shm is not None and grace is None:
            shm.core.cancel_all()
        if first:
            if shm is not None:
                shm.unpublish()
                shm.core.begin_stop()
            threading.Thread(
                target=self._finish_stop, args=(over_grpc, grace), name="sage_rpc stop", daemon=True
            ).start()
        if grace is None:
            self._stopped.wait()
        return self._stopped

    def _finish_stop(self, over_grpc: threading.Event, grace: float | None) -> None:
        try:
            if self._shm is not None:
                self._shm.stop(grace)
            over_grpc.wait()
        finally:
            self._stopped.set()

    def wait_for_termination(self, timeout: float | None = None) -> bool:
        """Block until the server has stopped. -> True when `timeout` seconds passed before that."""
        if self._server.wait_for_termination(timeout):
            return True
        return not self._stopped.wait(timeout) if self._stopping else False

    def __del__(self) -> None:
        # A server that nobody holds any more stops, as grpcio's does; its socket must not outlive it.
        shm = getattr(self, "_shm", None)
        if shm is not None and not self._stopping:
            with contextlib.suppress(Exception):
                shm.abandon()
            self._stopped.set()

    # -- finding handlers for the memory queue

    def _resolve(self, name: str) -> Any:
        """The method as it is run, or an entry that resolves for every call."""
        handler = self._registered.get(name)
        try:
            if self._interceptors:
                return core.MethodEntry(name, _never_called, None, None, dynamic=True)
            if handler is None:
                for generic in self._generic_handlers:
                    if type(generic).__name__ != "DictionaryGenericHandler":
                        return core.MethodEntry(name, _never_called, None, None, dynamic=True)
                    handler = generic.service(HandlerCallDetails(name, ()))
                    if handler is not None:
                        break
            return _entry(name, handler)
        except BaseException:  # noqa: BLE001 - users' code, which fails again, and is logged, when the call is run
            return core.MethodEntry(name, _never_called, None, None, dynamic=True)

    def _resolve_dynamic(self, name: str, metadata: Any) -> Any:
        def query(details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
            found = self._registered.get(details.method)
            if found is not None:
                return found
            for generic in self._generic_handlers:
                found = generic.service(details)
                if found is not None:
                    return found
            return None

        continuation: _Continuation = query
        for interceptor in reversed(self._interceptors):
            continuation = _bind(interceptor, continuation)
        return _entry(name, continuation(HandlerCallDetails(name, metadata)))


def _weakly(server: Server) -> tuple[Callable[[str], Any], Callable[[str, Any], Any]]:
    """The server's resolvers, without keeping it alive: the thread that reads connections must not."""
    found = weakref.ref(server)

    def resolve(name: str) -> Any:
        alive = found()
        return core.MethodEntry(name, None, None, None) if alive is None else alive._resolve(name)

    def resolve_dynamic(name: str, metadata: Any) -> Any:
        alive = found()
        return _entry(name, None) if alive is None else alive._resolve_dynamic(name, metadata)

    return resolve, resolve_dynamic


_Continuation = Callable[[Any], Any]


def _bind(interceptor: grpc.ServerInterceptor, continuation: _Continuation) -> _Continuation:
    return lambda details: interceptor.intercept_service(continuation, details)


def _entry(name: str, handler: grpc.RpcMethodHandler | None) -> Any:
    if handler is None:
        return core.MethodEntry(name, None, None, None)
    kind = (bool(handler.request_streaming), bool(handler.response_streaming))
    # Of a handler that somebody wrote himself, what its kind needs, and no more.
    behavior = getattr(handler, _ATTRIBUTES[kind])
    deserializer, serializer = handler.request_deserializer, handler.response_serializer
    entry = core.MethodEntry(name, behavior, deserializer, serializer, False, *kind)
    pool = getattr(behavior, "experimental_thread_pool", None)
    if isinstance(pool, futures.ThreadPoolExecutor):
        entry.pool = pool
    return entry


_ATTRIBUTES = {
    (False, False): "unary_unary",
    (False, True): "unary_stream",
    (True, False): "stream_unary",
    (True, True): "stream_stream",
}


def _never_called(_request: Any, _context: Any) -> None:
    raise AssertionError("a dynamic entry is resolved before it is called")
