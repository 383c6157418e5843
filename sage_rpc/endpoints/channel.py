"""Channels over a pool: each call goes to the endpoint that the pool gives.

The multicallables here serve `DiscoveredChannel` and the ServiceManager's channels
(`sage_rpc.services.channel`) alike.

1. A call that certainly never ran goes to another endpoint, whether somebody waits for it, has its future or
   reads its stream; one that may have run never does, nor one whose requests were an iterator's.
2. What carries the call is the picker's to decide, by the memory queue that the endpoint has told.
"""

from __future__ import annotations

import functools
import logging
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

_LOGGER = logging.getLogger("sage_rpc")


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
        self.pool = pool
        self.callables = Callables(kind, method, serializer, deserializer)

    def __repr__(self) -> str:
        return f"<{self.callables.kind} {self.callables.method!r} of {self.pool!r}>"

    def _key(self, request: Any) -> Any:
        """What consistent hashing goes by."""
        return None

    def _limit(self, timeout: float | None) -> float | None:
        """Seconds that the call may take."""
        return timeout

    def _started(
        self,
        start: str,
        request: Any,
        timeout: float | None,
        metadata: Any,
        credentials: Any,
        wait: Any,
        rest: Any,
    ) -> _Started:
        """A call that nobody waits for here."""
        timeout = self._limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        return _Started(self, start, request, deadline, (metadata, credentials, wait, rest))

    def take(
        self, request: Any, deadline: float | None, wait_for_ready: bool | None, tried: tuple[Subchannel, ...]
    ) -> Subchannel:
        """The endpoint of a call, which must be given back."""
        return self.pool.take(self._key(request), tried, wait=bool(wait_for_ready), deadline=deadline)

    def on(self, endpoint: Subchannel) -> Any:
        """The multicallable there."""
        return self.callables.on(endpoint, self.pool.endpoints)


class _Started(grpc.Call, grpc.Future):
    """A call under way, or a stream; one whose only request never ran goes to another endpoint.

    What it is asked, the attempt that counts answers, and not before it is known which that is.

    Args:
        method: what is called.
        start: which of the multicallable's functions begins it.
        request: what it takes.
        deadline: of time.monotonic, or None.
        rest: metadata, credentials, wait_for_ready and compression.
    """

    def __init__(
        self, method: _Pooled, start: str, request: Any, deadline: float | None, rest: tuple[Any, ...]
    ) -> None:
        self._method = method
        self._call = start, request, deadline, rest
        self._changed = threading.Condition()  # guards what follows; no callback runs under it
        self._over = self._given_up = False
        self._callbacks: list[Callable[[Any], None]] = []
        self._tried: tuple[Subchannel, ...] = ()
        self._attempt: Any = None
        self._next(bool(rest[2]))

    def _next(self, wait_for_ready: bool) -> None:
        """Begin an attempt at an endpoint that had none."""
        method, pool = self._method, self._method.pool
        start, request, deadline, rest = self._call
        endpoint = method.take(request, deadline, wait_for_ready, self._tried)
        self._tried = (*self._tried, endpoint)
        try:
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            attempt = getattr(method.on(endpoint), start)(request, left, *rest)
        except BaseException:
            pool.give_back(endpoint, None)
            raise
        with self._changed:
            self._attempt = attempt
            self._changed.notify_all()
        if self._given_up:
            attempt.cancel()
        attempt.add_done_callback(functools.partial(self._ended, endpoint))

    def _ended(self, endpoint: Subchannel, attempt: Any) -> None:
        error = None
        if attempt.code() is not grpc.StatusCode.OK:
            error = errors.from_grpc(attempt, endpoint.channel)
        pool = self._method.pool
        pool.give_back(endpoint, error)
        # Requests that were an iterator's are gone.
        once_more = self._method.callables.kind.startswith("unary") and not self._given_up
        if error is not None and once_more and pool.elsewhere(error, self._tried):
            try:
                self._next(wait_for_ready=False)
                return
            except (grpc.RpcError, ValueError) as failure:
                _LOGGER.debug("%r could not go elsewhere: %s", self, failure)
        with self._changed:
            self._over = True
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            try:
                callback(self)
            except BaseException:  # the others want to know, too
                _LOGGER.exception("Exception in a callback of %r", self)

    def _asked(self, ask: Callable[[Any], Any]) -> Any:
        """What the attempt that counts answers. What waits, waits inside: gRPC knows when it can tell."""
        while True:
            attempt = self._attempt
            try:
                answer = ask(attempt)
            except (grpc.RpcError, grpc.FutureCancelledError):
                if not self._is_left(attempt):
                    raise
            else:
                if not self._is_left(attempt):
                    return answer

    def _is_left(self, attempt: Any) -> bool:
        """Whether `attempt`, which has told something, is not the one that counts."""
        if attempt.done() and attempt.code() is grpc.StatusCode.UNAVAILABLE:
            with self._changed:  # whether there is another is about to be decided
                self._changed.wait_for(lambda: self._attempt is not attempt or self._over or self._given_up)
        return self._attempt is not attempt

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_attempt"], name)

    def __repr__(self) -> str:
        return f"<call of {self._method!r}: {self._attempt!r}>"

    # -- responses

    def __iter__(self) -> _Started:
        return self

    def __next__(self) -> Any:
        while True:
            attempt = self._attempt
            try:
                return next(attempt)
            except grpc.RpcError:
                if not self._is_left(attempt):
                    raise

    def result(self, timeout: float | None = None) -> Any:
        return self._in_time(timeout, lambda attempt, left: attempt.result(left))

    def exception(self, timeout: float | None = None) -> Any:
        return self._in_time(timeout, lambda attempt, left: attempt.exception(left))

    def traceback(self, timeout: float | None = None) -> Any:
        return self._in_time(timeout, lambda attempt, left: attempt.traceback(left))

    def _in_time(self, timeout: float | None, ask: Callable[[Any, float | None], Any]) -> Any:
        if timeout is None:
            return self._asked(lambda attempt: ask(attempt, None))
        until = time.monotonic() + timeout
        return self._asked(lambda attempt: ask(attempt, max(0.0, until - time.monotonic())))

    # -- how it goes, and how it went

    def initial_metadata(self) -> Any:
        return self._asked(lambda attempt: attempt.initial_metadata())

    def code(self) -> grpc.StatusCode:
        code: grpc.StatusCode = self._asked(lambda attempt: attempt.code())
        return code

    def details(self) -> str:
        return str(self._asked(lambda attempt: attempt.details()))

    def trailing_metadata(self) -> Any:
        return self._asked(lambda attempt: attempt.trailing_metadata())

    def cancel(self) -> bool:
        self._given_up = True  # what ends now has no successor
        cancelled = bool(self._attempt.cancel())
        with self._changed:
            self._changed.notify_all()
        return cancelled

    def cancelled(self) -> bool:
        return bool(self._attempt.cancelled())

    def is_active(self) -> bool:
        return not self.done()

    def running(self) -> bool:
        return not self.done()

    def done(self) -> bool:
        attempt = self._attempt
        if self._over or not attempt.done():
            return self._over
        return self._given_up or attempt.code() is not grpc.StatusCode.UNAVAILABLE

    def time_remaining(self) -> float | None:
        left: float | None = self._attempt.time_remaining()
        return left

    def add_callback(self, callback: Callable[[], None]) -> bool:
        with self._changed:
            if not self._over:
                self._callbacks.append(lambda _self: callback())
            return not self._over

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        with self._changed:
            if not self._over:
                self._callbacks.append(fn)
                return
        fn(self)


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
            endpoint = self.take(request, deadline, wait, tried)
            error: errors.RpcError | None = None
            try:
                method = getattr(self.on(endpoint), start)
                return method(request, timeout, metadata, credentials, wait, rest)
            except grpc.RpcError as failure:
                error = errors.from_grpc(failure, endpoint.channel)
                tried = (*tried, endpoint)
                # Requests that were an iterator's are gone.
                if self.callables.kind != "unary_unary" or not self.pool.elsewhere(error, tried):
                    if self.family:
                        raise error from error.__cause__
                    raise
            finally:
                self.pool.give_back(endpoint, error)
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
