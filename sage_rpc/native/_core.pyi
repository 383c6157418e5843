# What the native core offers to Python; the reasons stand in _core.pyx.

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import grpc

from sage_rpc.errors import RpcError

WIRE_VERSION: int
FEATURES: int
SEGMENT_HEADER_SIZE: int
FRAME_TYPES: dict[str, int]
FRAME_FLAGS: dict[str, int]

class ProtocolViolation(Exception): ...

def set_usable_cpus(cpus: int) -> None: ...

RESERVED: frozenset[bytes]
RESERVED_IN_REQUESTS: frozenset[bytes]
USER_AGENT: str

def encode_metadata(
    metadata: Iterable[tuple[str | bytes, str | bytes]],
    reserved: frozenset[bytes] = ...,
    user_agent: bytes | None = ...,
) -> bytes: ...
def decode_metadata(block: bytes) -> tuple[tuple[str, str | bytes], ...]: ...
def encode_frame(kind: int, flags: int, stream: int, aux: int, body: bytes = ...) -> bytes: ...
def decode_frame(frame: bytes) -> dict[str, Any]: ...

class Segment:
    @property
    def capacity(self) -> int: ...
    def __init__(self, fd: int, capacity: int, create: bool) -> None: ...

class Connection:
    dead: bool
    death: str | None
    def fileno(self) -> int: ...

class ClientConnection(Connection):
    draining: bool
    max_receive: int
    max_send: int
    @property
    def target(self) -> str: ...
    def __init__(
        self,
        segment: Segment,
        fd: int,
        client: bool,
        target: str,
        start_thread: Callable[[Callable[[], None], str], object],
        max_receive: int,
        max_send: int,
        features: int = ...,
        max_metadata: int = ...,
    ) -> None: ...
    @property
    def streams(self) -> bool: ...
    def close(self, why: str = ..., status: int = ...) -> None: ...
    def retire(self) -> None: ...

class Call(grpc.Call, grpc.Future): ...

class ChannelCore:
    conn: ClientConnection | None
    pick: Callable[[grpc.CallCredentials | None, float | None], ClientConnection | None]
    generation: int
    def set_user_agent(self, text: str) -> None: ...

class UnaryUnary(grpc.UnaryUnaryMultiCallable):
    def __init__(
        self,
        core: ChannelCore,
        method: str,
        serializer: Callable[[Any], bytes] | None,
        deserializer: Callable[[bytes], Any] | None,
        fallback: Callable[[], grpc.UnaryUnaryMultiCallable],
    ) -> None: ...

class _Streaming:
    def __init__(
        self,
        core: ChannelCore,
        method: str,
        serializer: Callable[[Any], bytes] | None,
        deserializer: Callable[[bytes], Any] | None,
        fallback: Callable[[], Any],
        run: Callable[..., None],
    ) -> None: ...

class StreamCall(Call): ...
class CallFuture(RpcError): ...

class ResponseStream(RpcError):
    def __iter__(self) -> ResponseStream: ...
    def __next__(self) -> Any: ...

class UnaryStream(_Streaming, grpc.UnaryStreamMultiCallable): ...
class StreamUnary(_Streaming, grpc.StreamUnaryMultiCallable): ...
class StreamStream(_Streaming, grpc.StreamStreamMultiCallable): ...

class MethodEntry:
    def __init__(
        self,
        name: str,
        behavior: Callable[[Any, grpc.ServicerContext], Any] | None,
        deserializer: Callable[[bytes], Any] | None,
        serializer: Callable[[Any], bytes] | None,
        dynamic: bool = ...,
        requests_stream: bool = ...,
        responses_stream: bool = ...,
    ) -> None: ...

class ServerConnection(Connection):
    @property
    def peer_name(self) -> str: ...
    def __init__(
        self, segment: Segment, fd: int, client: bool, peer_name: str, auth: Mapping[str, Iterable[bytes]]
    ) -> None: ...

# Whom a ServerCore serves.
class Owner(Protocol):
    _submit: Callable[..., Any]
    _resolve: Callable[[str], MethodEntry]
    _resolve_dynamic: Callable[[str, Any], MethodEntry]
    def _pool_is_wanted(self) -> bool: ...
    def _start_thread(self, target: Callable[[], None]) -> None: ...
    def _forget_parent(self) -> None: ...
    def _accept(self, fd: int) -> None: ...
    def _greet(self, fd: int) -> None: ...

class ServerCore:
    active: int
    max_rpcs: int
    max_receive: int
    max_send: int
    @property
    def stopping(self) -> bool: ...
    @property
    def stopped(self) -> bool: ...
    def __init__(
        self,
        owner: Owner,
        max_workers: int,
        max_rpcs: int,
        max_receive: int,
        max_send: int,
        max_metadata: int = ...,
    ) -> None: ...
    def listen(self, fd: int) -> None: ...
    def unlisten(self, fd: int) -> None: ...
    def greet(self, fd: int) -> None: ...
    def ungreet(self, fd: int) -> None: ...
    def add(self, conn: ServerConnection) -> None: ...
    def yield_pool(self) -> None: ...
    def watch(self) -> None: ...
    def begin_stop(self) -> None: ...
    def wait_idle(self, seconds: float) -> None: ...
    def wake_idle(self) -> None: ...
    def cancel_all(self) -> None: ...
    def shut(self) -> None: ...
