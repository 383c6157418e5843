"""The grpc-shaped client channel; what carries a call, its picker decides (`sage_rpc.transport.picker`)."""

from __future__ import annotations

import contextlib
import copyreg
import os
import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import grpc

from sage_rpc import errors, native
from sage_rpc.native import core
from sage_rpc.native.faces import NativeChannel
from sage_rpc.rpc.connecting import Connector
from sage_rpc.rpc.faces import ChannelFace
from sage_rpc.transport import grpc as stock
from sage_rpc.transport.base import GRPC, SHM
from sage_rpc.transport.options import Options
from sage_rpc.transport.picker import Picker
from sage_rpc.transport.shm import feeders
from sage_rpc.transport.shm.connect import DEFAULT_RING_BYTES

__all__ = ["Channel", "secure_channel"]


def secure_channel(
    target: str,
    credentials: grpc.ChannelCredentials,
    options: Sequence[tuple[str, Any]] | None = None,
    compression: grpc.Compression | None = None,
) -> Channel:
    """A channel to `target` with `grpc.secure_channel`'s signature: TLS, mTLS and call credentials.

    gRPC carries its calls, on one host too: `channel.transport` is "grpc".

    Args:
        target: a gRPC target, for example "example.org:443".
        credentials: from `grpc.ssl_channel_credentials` and its kin.
        options: as of `sage_rpc.insecure_channel`; with ("sage_rpc.transport", "shm") every call is refused.
        compression: for all calls.

    Raises:
        ValueError: an option of ours has a value that is not allowed.
    """
    return Channel(target, options, compression, credentials)


class Channel(ChannelFace):
    """A `grpc.Channel` over the memory queue where it can be had, over gRPC elsewhere.

    Usable from any thread, and in a forked child, where it connects anew. Pickles as its target and
    options, and connects where it is unpickled; with credentials it does not pickle.

    `memory` names the server's memory queue in the runtime directory, where discovery knows it and the
    target does not tell: of a container with a network of its own, or of a server whose port is TLS.
    """

    def __init__(
        self,
        target: str,
        options: Sequence[tuple[str, Any]] | None = None,
        compression: grpc.Compression | None = None,
        credentials: grpc.ChannelCredentials | None = None,
        *,
        memory: str | None = None,
    ) -> None:
        if compression:
            int(compression)  # what is no number, gRPC refuses at once, too
        self._target = _text(target)
        self._credentials = credentials
        self._given_options = tuple(options or ())
        self._compression = compression
        self._options = Options(self._given_options, DEFAULT_RING_BYTES)
        self._memory = memory
        self._picker = Picker(
            self._target, self._options, secure=credentials is not None and memory is None, endpoint=memory
        )
        self._lock = threading.Lock()  # guards _grpc and _closed
        self._grpc: grpc.Channel | None = None
        self._closed = False
        self._connector: Connector | None = None
        _channels.add(self)
        if native.available():
            self._connector = Connector(self._picker, _weakly(self))
        if credentials is not None:
            self._grpc = self._open_grpc()  # now, so that credentials that cannot be used are an error here

    # -- what is ours

    @property
    def transport(self) -> str:
        """What carries unary calls now: "shm", "grpc", or "idle" before the first call."""
        return self._picker.carrier(None if self._connector is None else self._connector.core.conn)

    @property
    def transport_reason(self) -> str:
        """Why calls do not travel over the memory queue; "" when they do or nothing was tried."""
        return "" if self.transport == SHM else self._picker.reason

    @property
    def connected_over_grpc(self) -> bool:
        """Whether gRPC has a connection to the target now."""
        over_grpc = self._grpc
        return over_grpc is not None and stock.connected(over_grpc._channel)

    @property
    def _channel(self) -> NativeChannel:
        return NativeChannel(self._target, self._over_grpc)

    def __sage_rpc_allocate__(self, size: int) -> Any:
        """Shared memory for a request, or None: see `sage_rpc.empty`."""
        if self._connector is None:
            return None
        conn = self._connector.core.conn
        if conn is None or conn.dead or conn.draining:
            try:
                conn = self._connector.core.pick(None, None)
            except grpc.RpcError:
                return None
        return None if conn is None else conn.allocate(size)

    def __repr__(self) -> str:
        return (
            f"<sage_rpc.Channel {self._target} transport={self.transport}{' closed' if self._closed else ''}>"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        if self._credentials is not None:
            raise TypeError(
                f"the secure channel to {self._target} does not pickle, because its credentials do not: send "
                "the target, and call sage_rpc.secure_channel in the process that is to use it"
            )
        return _unpickled, (self._target, self._given_options, self._compression, self._memory)

    # -- gRPC's own channel

    def _forget_parent(self) -> None:
        """In a forked child nothing of the parent's channel may be used, not even its lock."""
        self._lock = threading.Lock()
        if self._connector is not None:
            self._connector.forget_parent()
        if self._grpc is not None:
            _of_parents.append(self._grpc)
            self._grpc = None

    def _over_grpc(self) -> grpc.Channel:
        with self._lock:
            if self._closed:
                raise ValueError("Cannot invoke RPC on closed channel!")
            if self._grpc is None:
                self._grpc = self._open_grpc()
            return self._grpc

    def _open_grpc(self) -> grpc.Channel:
        if self._credentials is None:
            return stock.insecure_channel(self._target, self._options.grpc, self._compression)
        return stock.secure_channel(self._target, self._credentials, self._options.grpc, self._compression)

    # -- grpc.Channel

    def multicallable(
        self,
        kind: str,
        method: str | bytes,
        serializer: Callable[[Any], bytes] | None,
        deserializer: Callable[[bytes], Any] | None,
        registered: bool | None,
    ) -> Any:
        """See ChannelFace."""

        def over_grpc() -> Any:
            return getattr(self._over_grpc(), kind)(method, serializer, deserializer, registered)

        if self._connector is None:
            if self._picker.forced:
                return _Refused(self._picker.refused())
            self._picker.picked = GRPC
            return over_grpc()
        name = method.decode() if isinstance(method, bytes) else method
        streams = () if kind == "unary_unary" else (feeders.run,)
        arguments = self._connector.core, name, serializer, deserializer, over_grpc, *streams
        config = self._options.service_config
        if config is None:
            return _NATIVE[kind](*arguments)
        from sage_rpc.rpc.method_config import configured  # most programs have none

        return configured(config, _NATIVE, kind, name, arguments)

    def subscribe(
        self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool | None = False
    ) -> None:
        """As grpc's: `callback` is told the state, and each later one, by another thread."""
        if self._connector is not None and (self._picker.forced or self._picker.possible):
            self._connector.subscribe(callback, bool(try_to_connect))
        elif not self._closed:
            self._over_grpc().subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        if self._connector is not None and (self._picker.forced or self._picker.possible):
            self._connector.unsubscribe(callback)
            return
        with self._lock:
            if self._grpc is not None:
                self._grpc.unsubscribe(callback)

    def close(self) -> None:
        """End the calls under way with CANCELLED; later ones are a ValueError."""
        with self._lock:
            self._closed = True
            over_grpc, self._grpc = self._grpc, None
        if self._connector is not None:
            self._connector.close()
        if over_grpc is not None:
            over_grpc.close()

    def __enter__(self) -> Channel:
        return self

    def __del__(self) -> None:
        connector = getattr(self, "_connector", None)
        if connector is not None:
            connector.let_go()


def _unpickled(target: str, options: Any, compression: Any, memory: str | None) -> Channel:
    return Channel(target, options, compression, memory=memory)


def _weakly(channel: Channel) -> Callable[[], grpc.Channel | None]:
    """What gives gRPC's channel below `channel`, as long as that is open and somebody holds it."""
    found = weakref.ref(channel)

    def over_grpc() -> grpc.Channel | None:
        alive = found()
        if alive is None:
            return None
        with contextlib.suppress(ValueError):  # closed meanwhile
            return alive._over_grpc()
        return None

    return over_grpc


def _text(target: Any) -> str:
    if not isinstance(target, (str, bytes)):
        raise TypeError(f"a target must be str, not {type(target).__name__}: {target!r}")
    return target.decode() if isinstance(target, bytes) else target


class _Refused(grpc.UnaryUnaryMultiCallable, grpc.StreamUnaryMultiCallable):
    """Where the memory queue is demanded and this installation has none: every call is UNAVAILABLE."""

    def __init__(self, error: errors.RpcError) -> None:
        self._error = error

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise self._error

    with_call = future = __call__


_channels: weakref.WeakSet[Channel] = weakref.WeakSet()
_of_parents: list[grpc.Channel] = []  # kept: closing a gRPC channel of the parent in a child may hang


def _after_fork_in_child() -> None:
    for channel in list(_channels):
        channel._forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)


def _a_method_does_not_pickle(_method: Any) -> Any:
    raise TypeError(
        "a stub does not pickle, nor do its methods: send the channel, or its target, and make the stub "
        "where it is used: GreeterStub(channel)"
    )


_NATIVE: dict[str, Callable[..., Any]] = {}
if native.available():
    _NATIVE = {
        "unary_unary": core.UnaryUnary,
        "unary_stream": core.UnaryStream,
        "stream_unary": core.StreamUnary,
        "stream_stream": core.StreamStream,
    }
    for kind in _NATIVE.values():
        copyreg.pickle(kind, _a_method_does_not_pickle)  # type: ignore[arg-type]  # they are classes
