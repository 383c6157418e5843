"""Channels to a service by name: `sage:///cache` in `sage_rpc.insecure_channel`, and so in the manager.

Theory of operation. Such a channel has one ordinary channel to each endpoint that it has used. Each call goes
to one of the endpoints that serve now: those of this host that have a memory queue if there are any, else
all, in turn by weight. An endpoint that drains gets no new calls; its channel closes when it has left the
registry and its calls have ended.

1. A call that certainly has not reached its endpoint (connection refused) goes to another; one that may have
   run never does.
2. An endpoint that could not be reached is left out for REST seconds, unless none is left.
3. What carries the call is the picker's to decide, by the memory queue that the endpoint has told.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.discovery.directory import Directory, default_directory
from sage_rpc.discovery.endpoint import Endpoint, host_identity
from sage_rpc.rpc.channel import Channel, register_scheme

__all__ = ["SCHEME", "TLS_VARIABLES", "DiscoveredChannel", "service_of_target", "tls_of_environment"]

SCHEME = "sage"
TLS_VARIABLES = ("SAGE_RPC_TLS_CA", "SAGE_RPC_TLS_CERT", "SAGE_RPC_TLS_KEY")
REST = 1.0  # seconds
_ATTEMPTS = 3


def service_of_target(target: str) -> str:
    """The name in `sage:///NAME`.

    Raises:
        ValueError: there is none.
    """
    name = target.removeprefix(f"{SCHEME}:").lstrip("/")
    if not name:
        raise ValueError(f"{target!r} names no service: expected {SCHEME}:///NAME")
    return name


def tls_of_environment() -> grpc.ChannelCredentials | None:
    """Credentials from the files that `$SAGE_RPC_TLS_CA`, `_CERT` and `_KEY` name; None where none is set.

    Raises:
        ValueError: a file cannot be read, or a certificate is without its key.
    """
    named = [os.environ.get(variable) for variable in TLS_VARIABLES]
    if not any(named):
        return None
    if bool(named[1]) != bool(named[2]):  # gRPC would end the process
        raise ValueError(f"{TLS_VARIABLES[1]} and {TLS_VARIABLES[2]} go together: one of them is not set")
    try:
        ca, cert, key = (Path(name).read_bytes() if name else None for name in named)
    except OSError as error:
        at = TLS_VARIABLES[named.index(str(error.filename))]
        raise ValueError(f"{at}: cannot read {error.filename}: {error.strerror}") from error
    return grpc.ssl_channel_credentials(ca, key, cert)


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
        self._service = service_of_target(target)
        self._options = tuple(options or ())
        self._compression = compression
        self._directory = directory or default_directory()
        self._lock = threading.Lock()  # guards everything below
        self._pid = os.getpid()
        self._generation = -1
        self._order: tuple[Endpoint, ...] = ()
        self._turn: Iterator[int] = itertools.count()
        self._channels: dict[str, Channel] = {}
        self._resting: dict[str, float] = {}
        self._credentials: grpc.ChannelCredentials | None = None
        self._subscribers: dict[Callable[[Any], None], grpc.ChannelConnectivity | None] = {}
        self._last: Channel | None = None
        self._closed = False

    # -- what is ours

    @property
    def transport(self) -> str:
        """What carried the last call: "shm", "grpc", or "idle" before the first."""
        last = self._last
        return "idle" if last is None else last.transport

    @property
    def transport_reason(self) -> str:
        """Why it did not travel over the memory queue."""
        last = self._last
        return "" if last is None else last.transport_reason

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Every endpoint that is known now."""
        return self._directory.endpoints(self._service)

    def __repr__(self) -> str:
        state = " closed" if self._closed else ""
        return f"<sage_rpc.DiscoveredChannel {self._target} {len(self._order)} endpoints{state}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return DiscoveredChannel, (self._target, self._options, self._compression)

    # -- choosing

    def choose(
        self, deadline: float | None, wait: bool, avoid: frozenset[str] = frozenset()
    ) -> tuple[str, Channel]:
        """An endpoint's id and the channel to it, for one call.

        Args:
            deadline: of time.monotonic; None for none.
            wait: for an endpoint to appear, rather than fail.
            avoid: ids that were tried already.

        Raises:
            Unavailable: nobody serves.
            DeadlineExceeded: nobody did in time.
        """
        while True:
            generation = self._directory.generation
            order = self._ordered()
            if order:
                turn = next(self._turn)
                for offset in range(len(order)):
                    endpoint = order[(turn + offset) % len(order)]
                    if endpoint.id not in avoid:
                        break
                channel = self._channels.get(endpoint.id) or self._open(endpoint)
                self._last = channel
                return endpoint.id, channel
            if not wait:
                raise errors.rpc_error(grpc.StatusCode.UNAVAILABLE, self._nobody())
            if not self._directory.wait_for_change(generation, deadline):
                raise errors.rpc_error(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", debug_error_string=self._nobody()
                )

    def _nobody(self) -> str:
        known = self._directory.endpoints(self._service)
        if known:
            states = ", ".join(f"{e.address} is {e.health}" for e in known[:5])
            return f"no endpoint of the service {self._service!r} takes calls: {states}"
        names = [name for name in self._directory.names() if not name.startswith("sage.")]
        others = ", ".join(names[:10]) or "none"
        return (
            f"no endpoint of the service {self._service!r} is registered: connection refused; known: {others}"
        )

    def rest(self, endpoint_id: str) -> None:
        """Leave an endpoint out for a while: it could not be reached."""
        with self._lock:
            self._resting[endpoint_id] = time.monotonic() + REST
            self._generation = -1

    def _ordered(self) -> tuple[Endpoint, ...]:
        if self._pid != os.getpid():
            self._lock = threading.Lock()
            self._generation, self._pid = -1, os.getpid()
        if self._closed:
            raise ValueError("Cannot invoke RPC on closed channel!")
        generation = self._directory.generation  # before what belongs to it: it may only be too small
        known = self._directory.endpoints(self._service)
        if self._generation == generation and not self._resting:
            return self._order
        with self._lock:
            self._generation = generation
            now = time.monotonic()
            self._resting = {i: until for i, until in self._resting.items() if until > now}
            self._order = in_turn(known, self._resting)
            gone = self._channels.keys() - {e.id for e in known}
            # Not closed: calls under way go on, and when they have ended nobody holds it any more.
            for endpoint_id in gone:
                del self._channels[endpoint_id]
            return self._order

    def _open(self, endpoint: Endpoint) -> Channel:
        with self._lock:
            channel = self._channels.get(endpoint.id)
            if channel is None:
                if endpoint.secure and self._credentials is None:
                    self._credentials = tls_of_environment()
                    if self._credentials is None:
                        self._credentials = grpc.ssl_channel_credentials()
                options = self._options
                if endpoint.address.startswith("dns:") and not is_here(endpoint):
                    options = (("grpc.lb_policy_name", "round_robin"), *options)
                channel = self._channels[endpoint.id] = Channel(
                    endpoint.address,
                    options,
                    self._compression,
                    self._credentials if endpoint.secure else None,
                    memory=endpoint.memory if is_here(endpoint) else None,
                )
            return channel

    # -- grpc.Channel

    def unary_unary(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.UnaryUnaryMultiCallable:
        """As grpc's."""
        return _UnaryUnary(self, "unary_unary", method, request_serializer, response_deserializer)

    def unary_stream(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.UnaryStreamMultiCallable:
        """As grpc's."""
        return _UnaryStream(self, "unary_stream", method, request_serializer, response_deserializer)

    def stream_unary(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.StreamUnaryMultiCallable:
        """As grpc's."""
        return _StreamUnary(self, "stream_unary", method, request_serializer, response_deserializer)

    def stream_stream(
        self,
        method: str | bytes,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> grpc.StreamStreamMultiCallable:
        """As grpc's."""
        return _StreamStream(self, "stream_stream", method, request_serializer, response_deserializer)

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = False
    ) -> None:
        """Tell `callback`, by the registry's thread, READY while somebody serves, else TRANSIENT_FAILURE."""
        with self._lock:
            self._subscribers[callback] = None
            if len(self._subscribers) == 1:
                self._directory.listen(self._tell_state)
        threading.Thread(target=self._tell_state, name="sage_rpc state", daemon=True).start()

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Tell nothing more."""
        with self._lock:
            self._subscribers.pop(callback, None)
            if not self._subscribers:
                self._directory.unlisten(self._tell_state)

    def _tell_state(self) -> None:
        serving = any(e.health == "serving" for e in self._directory.endpoints(self._service))
        state = grpc.ChannelConnectivity.READY if serving else grpc.ChannelConnectivity.TRANSIENT_FAILURE
        with self._lock:
            told = [callback for callback, last in self._subscribers.items() if last is not state]
            for callback in told:
                self._subscribers[callback] = state
        for callback in told:
            callback(state)

    def close(self) -> None:
        """End the calls under way with CANCELLED; later ones are a ValueError."""
        self._directory.unlisten(self._tell_state)
        with self._lock:
            self._closed = True
            self._subscribers.clear()
            channels = list(self._channels.values())
            self._channels.clear()
        for channel in channels:
            channel.close()

    def __enter__(self) -> DiscoveredChannel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def is_here(endpoint: Endpoint) -> bool:
    """Whether the endpoint's memory queue is in this process's runtime directory."""
    if not endpoint.memory:
        return False
    try:
        return endpoint.host == host_identity()
    except OSError:
        return False


def in_turn(known: Sequence[Endpoint], resting: dict[str, float]) -> tuple[Endpoint, ...]:
    """The endpoints that get calls, each as often as its weight asks, spread evenly.

    This host's come first: while one of them serves, no call leaves the host.
    """
    serving = [e for e in known if e.health == "serving" and e.weight > 0]
    local = [e for e in serving if is_here(e)]
    usable = [e for e in (local or serving) if e.id not in resting]
    if not usable:
        usable = [e for e in serving if e.id not in resting] or serving
    if len({e.weight for e in usable}) <= 1:
        return tuple(usable)
    smallest = min(e.weight for e in usable)
    shares = [min(100, round(10 * e.weight / smallest)) for e in usable]
    # Smooth weighted round robin: the one that is owed most is next.
    owed, total, order = [0] * len(usable), sum(shares), []
    for _ in range(total):
        owed = [o + s for o, s in zip(owed, shares, strict=True)]
        best = owed.index(max(owed))
        owed[best] -= total
        order.append(usable[best])
    return tuple(order)


def never_sent(error: grpc.RpcError) -> bool:
    """Whether a failed call certainly has not reached a handler."""
    if error.code() is not grpc.StatusCode.UNAVAILABLE:
        return False
    text = str(error.details()).lower()
    return "connection refused" in text or "failed to connect to all addresses" in text


class _Multi:
    """A method of one kind, on whichever endpoint each call goes to."""

    def __init__(
        self,
        channel: DiscoveredChannel,
        kind: str,
        method: str | bytes,
        serializer: Callable[[Any], bytes] | None,
        deserializer: Callable[[bytes], Any] | None,
    ) -> None:
        self._channel = channel
        self._make = (kind, method, serializer, deserializer)
        self._made: dict[str, tuple[Channel, Any]] = {}
        self._generation = -1

    def __repr__(self) -> str:
        return f"<{self._make[0]} {self._make[1]!r} of {self._channel!r}>"

    def _on(
        self, timeout: float | None, wait: bool | None, avoid: frozenset[str] = frozenset()
    ) -> tuple[str, Any]:
        deadline = None if timeout is None else time.monotonic() + timeout
        endpoint_id, channel = self._channel.choose(deadline, bool(wait), avoid)
        made = self._made.get(endpoint_id)
        if made is None or made[0] is not channel:
            kind, method, serializer, deserializer = self._make
            made = (channel, getattr(channel, kind)(method, serializer, deserializer))
            self._made[endpoint_id] = made
        if self._generation != self._channel._generation:
            self._generation = self._channel._generation
            for gone in self._made.keys() - self._channel._channels.keys():
                self._made.pop(gone, None)
        return endpoint_id, made[1]

    def _unary(self, how: str, request: Any, timeout: float | None, *more: Any) -> Any:
        """A call that waits; one that was not sent goes to another endpoint."""
        deadline = None if timeout is None else time.monotonic() + timeout
        tried: frozenset[str] = frozenset()
        while True:
            endpoint_id, method = self._on(timeout, more[2], tried)
            try:
                return (method if how == "call" else method.with_call)(request, timeout, *more)
            except grpc.RpcError as error:
                if endpoint_id in tried or len(tried) + 1 >= _ATTEMPTS or not never_sent(error):
                    raise
                tried |= {endpoint_id}
                self._channel.rest(endpoint_id)
                if deadline is not None:
                    timeout = deadline - time.monotonic()
                    if timeout <= 0:
                        raise


class _UnaryUnary(_Multi, grpc.UnaryUnaryMultiCallable):
    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        return self._unary("call", request, timeout, metadata, credentials, wait_for_ready, compression)

    def with_call(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        return self._unary("with_call", request, timeout, metadata, credentials, wait_for_ready, compression)

    def future(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        _, method = self._on(timeout, wait_for_ready)
        return method.future(request, timeout, metadata, credentials, wait_for_ready, compression)


class _UnaryStream(_Multi, grpc.UnaryStreamMultiCallable):
    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        _, method = self._on(timeout, wait_for_ready)
        return method(request, timeout, metadata, credentials, wait_for_ready, compression)


class _StreamUnary(_Multi, grpc.StreamUnaryMultiCallable):
    def __call__(
        self,
        request_iterator: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        _, method = self._on(timeout, wait_for_ready)
        return method(request_iterator, timeout, metadata, credentials, wait_for_ready, compression)

    def with_call(
        self,
        request_iterator: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        _, method = self._on(timeout, wait_for_ready)
        return method.with_call(request_iterator, timeout, metadata, credentials, wait_for_ready, compression)

    def future(
        self,
        request_iterator: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        _, method = self._on(timeout, wait_for_ready)
        return method.future(request_iterator, timeout, metadata, credentials, wait_for_ready, compression)


class _StreamStream(_Multi, grpc.StreamStreamMultiCallable):
    def __call__(
        self,
        request_iterator: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        _, method = self._on(timeout, wait_for_ready)
        return method(request_iterator, timeout, metadata, credentials, wait_for_ready, compression)


register_scheme(SCHEME, DiscoveredChannel)
