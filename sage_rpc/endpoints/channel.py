"""Channels over a pool: each call goes to the endpoint that the pool gives.

The multicallables here serve `DiscoveredChannel` and the ServiceManager's channels
(`sage_rpc.services.channel`) alike.

1. A call that certainly never ran goes to another endpoint, whether somebody waits for it, has its future or
   reads its stream; one that may have run never does, nor one whose requests were an iterator's.
2. What carries the call is the picker's to decide, by the memory queue that the endpoint has told.
"""

from __future__ import annotations

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
from sage_rpc.rpc.attempted import AttemptedCall
from sage_rpc.rpc.faces import ChannelFace, ManyResponsesFace, OneResponseFace
from sage_rpc.transport.base import IDLE

__all__ = ["DiscoveredChannel", "ManyResponses", "OneResponse"]

_LOGGER = logging.getLogger("sage_rpc")


class DiscoveredChannel(ChannelFace):
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
        return IDLE if last is None else last.transport

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

    def multicallable(
        self, kind: str, method: str | bytes, serializer: Any, deserializer: Any, registered: bool | None
    ) -> Any:
        """See ChannelFace."""
        made = OneResponse if kind.endswith("unary") else ManyResponses
        return made(self._pool, kind, method, serializer, deserializer)

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

    def started(
        self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any
    ) -> AttemptedCall:
        """See the face."""
        timeout = self._limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        return _Started(self, start, request, deadline, (metadata, *rest))

    def take(
        self, request: Any, deadline: float | None, wait_for_ready: bool | None, tried: tuple[Subchannel, ...]
    ) -> Subchannel:
        """The endpoint of a call, which must be given back."""
        return self.pool.take(self._key(request), tried, wait=bool(wait_for_ready), deadline=deadline)

    def on(self, endpoint: Subchannel) -> Any:
        """The multicallable there."""
        return self.callables.on(endpoint, self.pool.endpoints)


class _Started(AttemptedCall):
    """A call under way, or a stream; one whose only request never ran goes to another endpoint.

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
        super().__init__(deadline)
        self._method = method
        self._call = start, request, rest
        self._tried: tuple[Subchannel, ...] = ()
        self._next(bool(rest[2]))

    def _next(self, wait_for_ready: bool) -> None:
        """Begin an attempt at an endpoint that had none."""
        method, (start, request, rest) = self._method, self._call
        endpoint = method.take(request, self._until, wait_for_ready, self._tried)
        self._tried = (*self._tried, endpoint)
        try:
            attempt = getattr(method.on(endpoint), start)(request, self.time_remaining(), *rest)
        except BaseException:
            method.pool.give_back(endpoint, None)
            raise
        self.begin(attempt)

    @property
    def transport(self) -> str:
        """What carries it."""
        return self._tried[-1].transport

    def may_be_followed(self, attempt: Any) -> bool:
        """See AttemptedCall."""
        return bool(attempt.done()) and attempt.code() is grpc.StatusCode.UNAVAILABLE

    def attempt_ended(self, attempt: Any) -> None:
        """See AttemptedCall."""
        endpoint, pool = self._tried[-1], self._method.pool
        error = None
        if attempt.code() is not grpc.StatusCode.OK:
            error = errors.from_grpc(attempt, endpoint.channel)
        pool.give_back(endpoint, error)
        # Requests that were an iterator's are gone.
        once_more = self._method.callables.kind.startswith("unary") and not self._cancelled
        if error is not None and once_more and pool.elsewhere(error, self._tried):
            try:
                self._next(wait_for_ready=False)
                return
            except (grpc.RpcError, ValueError) as failure:
                _LOGGER.debug("%r could not go elsewhere: %s", self, failure)
        self.end(attempt)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_attempt"], name)


class OneResponse(_Pooled, OneResponseFace, grpc.UnaryUnaryMultiCallable, grpc.StreamUnaryMultiCallable):
    """A method with one response."""

    def waited(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        """See the face."""
        timeout = self._limit(timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        tried: tuple[Subchannel, ...] = ()
        while True:
            endpoint = self.take(request, deadline, rest[1], tried)
            error: errors.RpcError | None = None
            try:
                return getattr(self.on(endpoint), start)(request, timeout, metadata, *rest)
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


class ManyResponses(
    _Pooled, ManyResponsesFace, grpc.UnaryStreamMultiCallable, grpc.StreamStreamMultiCallable
):
    """A method with a stream of responses."""
