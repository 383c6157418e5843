"""The peers: what is measured, what each needs, and how to start either of its ends.

A peer's module has the functions `serve` and `connect`, both context managers, and `connect_aio` if the peer
has scenarios of asyncio; the module is imported only in the processes of that peer. Everything that crosses
between them is the bytes of a payload.
"""

from __future__ import annotations

import importlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

__all__ = [
    "PEERS",
    "REFERENCE",
    "AioCaller",
    "ArrayCaller",
    "BatchCaller",
    "Caller",
    "Peer",
    "PeerModule",
    "StreamCaller",
    "TurnsCaller",
]

REFERENCE = "grpc-uds"


class Caller(Protocol):
    """The calling end of a peer.

    Attributes:
        shared: whether several threads may use it at once; else each thread connects for itself.
    """

    shared: bool

    def prepare(self, payload: bytes) -> Any:
        """The request that carries `payload`, made before anything is timed."""

    def call(self, request: Any) -> bytes | bytearray | memoryview:
        """One round trip. -> the payload that came back, valid until the next call."""

    def start(self, request: Any) -> Any:
        """Begin a call. -> its future."""

    def finish(self, future: Any) -> bytes | bytearray:
        """Wait for a future. -> the payload that came back."""


class ArrayCaller(Caller, Protocol):
    """The calling end of a peer that numpy arrays travel with, too."""

    def arrays(self) -> Caller:
        """The same connection as a caller of arrays: its requests are arrays of the payload's bytes.

        `call` gives the memory of the array that came back.
        """


class BatchCaller(Caller, Protocol):
    """The calling end of a peer that makes many calls at once."""

    def batch(self, requests: list[Any]) -> list[bytes]:
        """A call for each request. -> the payloads that came back, in order."""


class TurnsCaller(Caller, Protocol):
    """The calling end of a peer that adds something to another one, the bare one."""

    def bare(self) -> AbstractContextManager[Caller]:
        """A connection of the bare peer to the same server."""


class StreamCaller(Caller, Protocol):
    """The calling end of a peer that has streams."""

    def responses(self, requests: Iterable[Any]) -> Generator[bytes, None, None]:
        """The payloads of `requests` in turn, over and over, as one stream; closing it cancels the call."""

    def collect(self, requests: Iterator[Any]) -> tuple[int, list[bytes]]:
        """Send a stream of requests. -> how many came, and the payloads that the first ones had.

        Raises:
            grpc.RpcError: the others were not the same in turn, over and over.
        """

    def exchange(self) -> AbstractContextManager[Callable[[Any], bytes]]:
        """A stream both ways. -> what sends one request and waits for its response."""


class AioCaller(Protocol):
    """The calling end of a peer in asyncio; each method as its namesake above."""

    def prepare(self, payload: bytes) -> Any: ...

    async def call(self, request: Any) -> bytes: ...

    def responses(self, requests: Iterable[Any]) -> AsyncGenerator[bytes, None]: ...

    def exchange(self) -> AbstractAsyncContextManager[Callable[[Any], Awaitable[bytes]]]: ...


class PeerModule(Protocol):
    """What a module of this package offers."""

    def serve(self, peer: str, directory: Path, size: int) -> AbstractContextManager[str | tuple[str, int]]:
        """Serve in threads of this process. -> the address for `connect`.

        Where another process runs the handlers: the address, and its process id.
        """

    def connect(self, peer: str, address: str, size: int) -> AbstractContextManager[Caller]:
        """A connection of its own to a server, for payloads of `size` bytes."""

    def connect_aio(self, peer: str, address: str, size: int) -> AbstractAsyncContextManager[AioCaller]:
        """The same in asyncio."""


@dataclass(frozen=True)
class Peer:
    """One way to call another process.

    Attributes:
        name: as `--peers` takes it.
        what: one line for humans.
        module: of this package.
        needs: modules that must be importable.
        packages: distributions whose versions belong in the record.
        loops: of call.py, that it can do.
        extra: of our distribution, that brings what it needs.
    """

    name: str
    what: str
    module: str
    needs: tuple[str, ...]
    packages: tuple[str, ...]
    loops: frozenset[str]
    extra: str = "bench"

    def load(self) -> PeerModule:
        """Import its module."""
        module: Any = importlib.import_module(f"benchmarks.peers.{self.module}")
        return module  # type: ignore[no-any-return]  # modules have no static type

    def can(self, loop: str) -> bool:
        """Whether it has what `loop` calls."""
        return loop in self.loops

    def missing(self) -> str | None:
        """None when it can run here, else why not."""
        for name in self.needs:
            try:
                importlib.import_module(name)
            except ImportError as error:
                return f"cannot import {name}: {error} (pip install 'sage-rpc[{self.extra}]')"
        return _native_missing() if self.name in NEED_NATIVE else None


def _native_missing() -> str | None:
    from sage_rpc import native

    return None if native.available() else f"no memory queue: {native.why_not()}"


UNARY = frozenset({"unary", "batch", "futures", "threads", "paced", "connect", "idle", "crowd"})
NO_FUTURES = UNARY - {"batch", "futures"}
ARRAYS = frozenset({"numpy"})
TURNS = frozenset({"turns"})
IMPORTS = frozenset({"import"})
STREAMS = frozenset({"server-stream", "client-stream", "ping-pong"})
AIO_UNARY = frozenset({"aio-unary", "aio-window"})
AIO = AIO_UNARY | {"aio-ping-pong", "aio-server-stream"}
EVERYTHING = UNARY | ARRAYS | STREAMS | AIO
NEED_NATIVE = frozenset({"sage-shm", "sage-aio", "sage-proxy", "sage-empty", "sage-declared"})
_GRPC = ("grpcio", "protobuf")
_OURS = ("sage-rpc", *_GRPC)

_ALL: tuple[Peer, ...] = (
    Peer("sage-shm", "generated stub, memory queue", "sage_stub", ("sage_rpc",), _OURS, EVERYTHING | IMPORTS),
    Peer("sage-aio", "the same, asyncio server", "sage_stub", ("sage_rpc",), _OURS, EVERYTHING),
    Peer("sage-grpc", "the same program, gRPC forced", "sage_stub", ("sage_rpc",), _OURS, EVERYTHING),
    Peer(
        "sage-proxy",
        "plain class by ServiceManager",
        "sage_proxy",
        ("sage_rpc",),
        _OURS,
        UNARY | ARRAYS | AIO_UNARY,
    ),
    Peer("sage-empty", "the same, arrays of sage_rpc.empty", "sage_proxy", ("sage_rpc",), _OURS, ARRAYS),
    Peer("sage-declared", "declared service by ServiceManager", "sage_declared", ("sage_rpc",), _OURS, UNARY),
    Peer(
        "sage-declared-grpc",
        "the same, grpcio server as grpc-uds",
        "sage_declared",
        ("sage_rpc",),
        _OURS,
        UNARY | TURNS,
    ),
    Peer("grpc-uds", "grpcio, Unix socket", "stock_grpc", ("grpc",), _GRPC, EVERYTHING),
    Peer("grpc-aio", "the same, asyncio server", "stock_grpc", ("grpc",), _GRPC, EVERYTHING),
    Peer("grpc-tcp", "grpcio, loopback TCP", "stock_grpc", ("grpc",), _GRPC, EVERYTHING),
    Peer("raw-uds", "Unix socket, length and bytes", "raw_socket", (), (), NO_FUTURES),
    Peer("pyzmq", "ZeroMQ REQ/REP, ipc", "zeromq", ("zmq",), ("pyzmq",), NO_FUTURES),
    Peer(
        "iceoryx2",
        "request-response, both ends poll",
        "iceoryx",
        ("iceoryx2",),
        ("iceoryx2",),
        frozenset({"unary"}),
    ),
    Peer(
        "ray",
        "an actor of Ray",
        "ray_actor",
        ("ray",),
        ("ray",),
        frozenset({"unary", "futures", "threads", "paced", "numpy"}),
        extra="bench-ray",
    ),
)
PEERS: dict[str, Peer] = {peer.name: peer for peer in _ALL}
