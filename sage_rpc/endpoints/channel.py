"""Channels over a pool: each call goes to the endpoint that the pool gives.

The multicallables here serve `DiscoveredChannel` and the ServiceManager's channels
(`sage_rpc.services.channel`) alike.

1. A call that certainly has not reached its endpoint (connection refused) goes to another; one that may have
   run never does. Of futures and streams nobody waits for that here: how they end counts for the endpoint.
2. What carries the call is the picker's to decide, by the memory queue that the endpoint has told.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.discovery.directory import Directory
from sage_rpc.discovery.endpoint import Endpoint
from sage_rpc.endpoints.pool import Pool
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.endpoints.subchannel import Callables, Dialer, Subchannel
from sage_rpc.endpoints.targets import service_of_target
from sage_rpc.policies.settings import PoolPolicy

__all__ = ["DiscoveredChannel", "ManyResponses", "OneResponse"]


class DiscoveredChannel(grpc.Channel):
    """A channel to whatever serves `target` now; has what `sage_rpc.Channel` has.

    Usable from any thread and in a forked child; pickles as its target and options.
    """

    def __init__(
        self,
        target: str,
        options: Sequence[tuple[str, Any]] | None = None,
        compression: grpc.Compression | None = None,
        directory: Directory | None = None,
    ) -> None:
        self._target = target
        self._given = tuple(options or ()), compression
        self._resolver = Resolver((target,), directory)
        service = service_of_target(target)
        self._pool = Pool(service, self._resolver, PoolPolicy(), Dialer(*self._given), service)
        self._lock = threading.Lock()  # guards _subscribers
        self._subscribers: dict[Callable[[Any], None], grpc.ChannelConnectivity | None] = {}

    # -- what is ours

    @property
    def transport(self) -> str:
        """What carried the last call: "shm", "grpc", or "idle" before the first."""
        last = self._pool.last
        return "idle" if last is None else last.transport

    @property
    def transport_reason(self) -> str:
        """Why it did not travel over the memory queue."""
        last = self._pool.last
        return "" if last is None else last.channel.transport_reason

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that is known now."""
        return self._resolver.endpoints()

    def __repr__(self) -> str:
        state = " closed" if self._pool.closed else ""
        return f"<sage_rpc.DiscoveredChannel {self._target} {len(self._pool.endpoints)} endpoints{state}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return DiscoveredChannel, (self._target, *self._given)

    # -- grpc.Channel

    def unary_unary(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.UnaryUnaryMultiCallable:
        """As grpc's."""
        return OneResponse(self._pool, "unary_unary", method, request_serializer, response_deserializer)

    def unary_stream(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.UnaryStreamMultiCallable:
        """As grpc's."""
        return ManyResponses(self._pool, "unary_stream", method, request_serializer, response_deserializer)

    def stream_unary(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.StreamUnaryMultiCallable:
        """As grpc's."""
        return OneResponse(self._pool, "stream_unary", method, request_serializer, response_deserializer)

    def stream_stream(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.StreamStreamMultiCallable:
        """As grpc's."""
        return ManyResponses(self._pool, "stream_stream", method, request_serializer, response_deserializer)

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = False
    ) -> None:
        """Tell `callback`, by the registry's thread, READY while somebody serves, else TRANSIENT_FAILURE."""
        with self._lock:
            self._subscribers[callback] = None
            if len(self._subscribers) == 1:
                self._resolver.listen(self._tell_state)
        threading.Thread(target=self._tell_state, name="sage_rpc state", daemon=True).start()

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Tell nothing more."""
        with self._lock:
            self._subscribers.pop(callback, None)
            if not self._subscribers:
                self._resolver.unlisten(self._tell_state)

    def _tell_state(self) -> None:
        serves = self._resolver.anybody_serves()
        state = grpc.ChannelConnectivity.READY if serves else grpc.ChannelConnectivity.TRANSIENT_FAILURE
        with self._lock:
            told = [callback for callback, last in self._subscribers.items() if last is not state]
            for callback in told:
                self._subscribers[callback] = state
        for callback in told:
            callback(state)

    def close(self) -> None:
        """End the calls under way with CANCELLED; later ones are a ValueError."""
        self._resolver.unlisten(self._tell_state)
        with self._lock:
            self._subscribers.clear()
        self._pool.close()

    def __enter__(self) -> DiscoveredChannel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Pooled:
    """A method, called at whichever endpoint the pool gives.

    Args:
        pool: of the service.
        kind: what grpc's channel calls it: "unary_unary" and so on.
        method: its path.
        serializer: of requests.
        deserializer: of responses.
    """

    family = False  # whether what it raises is of our family, whatever carried the call

    def __init__(
        self, pool: Pool, kind: str, method: str | bytes, serializer: Any, deserializer: Any
    ) -> None:
        self._pool = pool
        self._callables = Callables(kind, method, serializer, deserializer)

    def __repr__(self) -> str:
        return f"<{self._callables.kind} {self._callables.method!r} of {self._pool!r}>"

    def _key(self, request: Any) -> Any:
        """What consistent hashing goes by."""
        return None

    def _limit(self, timeout: float | None) -> float | None:
        """Seconds that the call may take."""
        return timeout

    def _take(
        self, request: Any, deadline: float | None, wait_for_ready: bool | None, tried: tuple[Subchannel, ...]
    ) -> Subchannel:
        return self._pool.take(self._key(request), tried, wait=bool(wait_for_ready), deadline=deadline)

    def _started(
        self,
        start: str,
        request: Any,
        timeout: float | None,
        metadata: Any,
        credentials: Any,
        wait: Any,
        rest: Any,
    ) -> Any:
        """A call that nobody waits for here."""
        timeout = self._limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        endpoint = self._take(request, deadline, wait, ())
        try:
            method = getattr(self._callables.on(endpoint, self._pool.endpoints), start)
            call = method(request, timeout, metadata, credentials, wait, rest)
        except BaseException:
            self._pool.give_back(endpoint, None)
            raise
        call.add_done_callback(lambda ended: self._pool.give_back(endpoint, _end_of(ended)))
        return call


def _end_of(call: Any) -> errors.RpcError | None:
    code = call.code()
    return None if code is grpc.StatusCode.OK else errors.rpc_error(code, call.details() or "")


class OneResponse(_Pooled, grpc.UnaryUnaryMultiCallable, grpc.StreamUnaryMultiCallable):
    """A method with one response."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        """As grpc's."""
        return self._waited("__call__", request, timeout, metadata, credentials, wait_for_ready, compression)

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        """As grpc's."""
        return self._waited("with_call", request, timeout, metadata, credentials, wait_for_ready, compression)

    def _waited(
        self,
        start: str,
        request: Any,
        timeout: float | None,
        metadata: Any,
        credentials: Any,
        wait: Any,
        rest: Any,
    ) -> Any:
        timeout = self._limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        tried: tuple[Subchannel, ...] = ()
        while True:
            endpoint = self._take(request, deadline, wait, tried)
            error: errors.RpcError | None = None
            try:
                method = getattr(self._callables.on(endpoint, self._pool.endpoints), start)
                return method(request, timeout, metadata, credentials, wait, rest)
            except grpc.RpcError as failure:
                error = errors.from_grpc(failure)
                tried = (*tried, endpoint)
                # Requests that were an iterator's are gone.
                if self._callables.kind != "unary_unary" or not self._pool.elsewhere(error, tried):
                    if self.family:
                        raise error from error.__cause__
                    raise
            finally:
                self._pool.give_back(endpoint, error)
            if deadline is not None:
                timeout = max(0.0, deadline - time.monotonic())

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        """As grpc's."""
        return self._started("future", request, timeout, metadata, credentials, wait_for_ready, compression)


class ManyResponses(_Pooled, grpc.UnaryStreamMultiCallable, grpc.StreamStreamMultiCallable):
    """A method with a stream of responses."""

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        """As grpc's."""
        return self._started("__call__", request, timeout, metadata, credentials, wait_for_ready, compression)
