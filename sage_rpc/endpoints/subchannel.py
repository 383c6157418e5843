"""What a pool knows of one endpoint, and how the connection to an endpoint is made."""

from __future__ import annotations

import functools
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.discovery.endpoint import Endpoint
from sage_rpc.encoding.buffers import head
from sage_rpc.endpoints.resolver import is_here, is_local
from sage_rpc.rpc.channel import Channel
from sage_rpc.transport.base import IDLE

__all__ = [
    "CHECK",
    "SERVING",
    "TLS_VARIABLES",
    "Callables",
    "Dialer",
    "Subchannel",
    "health_question",
    "tls_of_environment",
]

CHECK = "/grpc.health.v1.Health/Check"
SERVING = b"\x08\x01"  # HealthCheckResponse(status=SERVING)
TLS_VARIABLES = ("SAGE_RPC_TLS_CA", "SAGE_RPC_TLS_CERT", "SAGE_RPC_TLS_KEY")


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


def health_question(service: str) -> bytes:
    """A HealthCheckRequest; of "" about the whole server."""
    name = service.encode()
    return head(1, len(name)) + name if name else b""


class Dialer:
    """Makes the channel to an endpoint: which memory queue, which credentials, which options.

    Args:
        options: of every channel.
        compression: for calls over gRPC.
    """

    def __init__(
        self, options: Sequence[tuple[str, Any]] = (), compression: grpc.Compression | None = None
    ) -> None:
        self._options = tuple(options)
        self._compression = compression
        self._credentials: grpc.ChannelCredentials | None = None

    def __call__(self, endpoint: Endpoint) -> Any:
        """A new channel.

        Raises:
            ValueError: the environment names certificates that cannot be used.
        """
        here = is_here(endpoint)
        options = self._options
        if endpoint.authority:
            options = (("grpc.default_authority", endpoint.authority), *options)
            if endpoint.secure:
                host = endpoint.authority.rpartition(":")[0] or endpoint.authority
                options = (("grpc.ssl_target_name_override", host), *options)
        credentials = self.credentials() if endpoint.secure else None
        memory = endpoint.memory if here else None
        return self._open(endpoint, options, credentials, memory)

    def _open(self, endpoint: Endpoint, options: Any, credentials: Any, memory: str | None) -> Any:
        return Channel(endpoint.address, options, self._compression, credentials, memory=memory)

    def credentials(self) -> grpc.ChannelCredentials:
        """For endpoints that want TLS."""
        if self._credentials is None:
            self._credentials = tls_of_environment() or grpc.ssl_channel_credentials()
        return self._credentials


def _note(channel: Channel, ended: Any) -> None:
    if ended.code() is grpc.StatusCode.UNAVAILABLE:
        ended.never_ran = errors.from_grpc(ended.exception(), channel).never_ran


class _Closed:
    """The connection to an endpoint that is used no more."""

    transport, transport_reason, connected_over_grpc = "idle", "", False

    def __getattr__(self, name: str) -> Any:
        raise ValueError("Cannot invoke RPC on closed channel!")


_CLOSED = _Closed()


class Subchannel:
    """One endpoint of a service, and the connection to it.

    Attributes:
        endpoint: what is known of it.
        target: its address.
        outstanding: calls under way.
        ejected: whether calls avoid it because they failed.
        sick: whether it says that it is not serving.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        dial: Callable[[Endpoint], Any],
    ) -> None:
        self.endpoint = endpoint
        self.target = endpoint.address
        self._dial = dial
        self._channel: Any = None
        self._lock = threading.Lock()  # guards _channel and callables
        self.callables: dict[str, Any] = {}
        self.outstanding = 0
        self.failed_in_a_row = 0
        self.ejections = 0
        self.ejected = False
        self.back_at = 0.0
        self.sick = False
        self.used_at = time.monotonic()

    @property
    def channel(self) -> Any:
        """Its connection; opened where there is none."""
        channel = self._channel
        if channel is None:
            with self._lock:
                channel = self._channel
                if channel is None:
                    channel = self._channel = self._dial(self.endpoint)
        return channel

    @property
    def transport(self) -> str:
        """What carries its calls now: "shm", "grpc", or "idle"."""
        channel = self._channel
        return IDLE if channel is None else channel.transport

    @property
    def weight(self) -> int:
        """Its share of the calls, relative to others'."""
        return self.endpoint.weight

    @functools.cached_property
    def local(self) -> bool:
        """Whether it is on this host. May do I/O the first time."""
        return is_local(self.endpoint)

    def note_whether_it_ran(self, call: Any) -> None:
        """Have a call, made here, of gRPC's know at its end whether it never ran; ours know by themselves."""
        if not hasattr(call, "never_ran"):
            call.add_done_callback(functools.partial(_note, self.channel))

    def unary(self, path: str, serializer: Any, deserializer: Any) -> Any:
        """The multicallable of a method."""
        channel = self.channel
        with self._lock:
            found = self.callables.get(path)
            if found is None:
                found = channel.unary_unary(
                    path, request_serializer=serializer, response_deserializer=deserializer
                )
                self.callables[path] = found
        return found

    def release(self) -> None:
        """Let go of the connection: calls under way finish, the next one opens another."""
        with self._lock:
            self._channel = None
            self.callables = {}

    def end(self) -> Any:
        """Open no connection any more. -> the one there is, for the caller to close, or None."""
        with self._lock:
            channel, self._channel = self._channel, _CLOSED
            self.callables = {}
        return None if channel is _CLOSED else channel

    def forget_parent(self) -> None:
        """In a forked child."""
        self._lock = threading.Lock()
        self.outstanding = 0

    def __repr__(self) -> str:
        state = "ejected" if self.ejected else "sick" if self.sick else "usable"
        return f"<Subchannel {self.target} {self.transport}, {state}, {self.outstanding} calls under way>"


class Callables:
    """The multicallables of one method, on whichever endpoints its calls have gone to.

    Args:
        kind: what grpc's channel calls it: "unary_unary" and so on.
        method: its path.
        serializer: of requests.
        deserializer: of responses.
    """

    def __init__(self, kind: str, method: str | bytes, serializer: Any, deserializer: Any) -> None:
        self.kind = kind
        self.method = method
        self._codecs = serializer, deserializer
        self._made: dict[Subchannel, tuple[Any, Any]] = {}

    def on(self, endpoint: Subchannel, known: Sequence[Subchannel]) -> Any:
        """The one on `endpoint`; those on endpoints that are not `known` any more are let go of."""
        channel = endpoint.channel
        found = self._made.get(endpoint)
        if found is None or found[0] is not channel:
            found = channel, getattr(channel, self.kind)(self.method, *self._codecs)
            for gone in self._made.keys() - set(known):
                self._made.pop(gone, None)
            self._made[endpoint] = found
        return found[1]
