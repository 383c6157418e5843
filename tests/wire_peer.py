"""A second implementation of docs/wire.md, in plain Python: a peer that can break every rule.

It shares no code with the package but the rendezvous, so that tests check the document too.
"""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
import socket
import struct
import time
from dataclasses import dataclass

from sage_rpc.transport.shm import rendezvous

OPEN, HEADERS, MESSAGE, TRAILERS, CANCEL, CREDIT, PING, GOAWAY, RELEASE = range(1, 10)
END, HAS_MESSAGE, MORE, HAS_METADATA, HAS_TIMEOUT, HAS_NAME, HAS_DETAILS, CONTINUED = (
    0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80,
)  # fmt: skip
HAS_INITIAL = HAS_NAME
BLOCKS = 1  # of the second field of flags
FEATURE_STREAMS, FEATURE_BLOCKS = 1, 2
ARENA = 1 << 24
HEADER = struct.Struct("<IBBHII")
CAPACITY = 1 << 19
WAIT = 10.0  # seconds


@dataclass
class Frame:
    type: int
    flags: int
    stream: int
    aux: int
    body: bytes
    extra: int = 0


def block(data: bytes) -> bytes:
    return struct.pack("<I", len(data)) + data


def metadata(*entries: tuple[bytes, bytes]) -> bytes:
    parts = (struct.pack("<HI", len(k), len(v)) + k + v for k, v in entries)
    return struct.pack("<H", len(entries)) + b"".join(parts)


def frame(kind: int, flags: int, stream: int, aux: int = 0, body: bytes = b"", extra: int = 0) -> bytes:
    """A frame as it stands in the ring, with what fills it up to a multiple of 8 bytes."""
    return HEADER.pack(16 + len(body), kind, flags, extra, stream, aux) + body + bytes(-len(body) % 8)


class Peer:
    """One end of a connection. `out` and `into` are the offsets of the two control blocks."""

    def __init__(self, sock: socket.socket, fd: int, capacity: int, *, client: bool) -> None:
        self.sock = sock
        self.sock.settimeout(WAIT)
        self.capacity = capacity
        self.memory = mmap.mmap(fd, os.fstat(fd).st_size)
        os.close(fd)
        self.arena_size = self._u64(32)
        mine, theirs = (0, 1) if client else (1, 0)
        self.arena = 4096 + 2 * capacity + mine * self.arena_size  # where this side's own begins
        self.their_arena = 4096 + 2 * capacity + theirs * self.arena_size
        self.out, self.into = (128, 384) if client else (384, 128)
        self.out_data, self.into_data = (4096, 4096 + capacity) if client else (4096 + capacity, 4096)
        self.head = self.tail = 0

    # Control words are read and written whole. struct does not: where it packs it clears the bytes first, and
    # the other side would now and then see a counter of 0.

    def _u64(self, at: int) -> int:
        return ctypes.c_uint64.from_buffer(self.memory, at).value

    def _store(self, kind: type[ctypes.c_uint64 | ctypes.c_uint32], at: int, value: int) -> None:
        kind.from_buffer(self.memory, at).value = value

    def bell(self) -> None:
        with contextlib.suppress(BrokenPipeError):
            self.sock.send(b"!")

    def set_head(self, value: int) -> None:
        self._store(ctypes.c_uint64, self.out, value)
        self.bell()

    def set_tail(self, value: int) -> None:
        self._store(ctypes.c_uint64, self.into + 64, value)

    def taken(self) -> int:
        """Bytes of the outgoing ring that the other side has consumed."""
        return self._u64(self.out + 64)

    def write(self, data: bytes) -> None:
        """Put bytes into the outgoing ring, whatever they are, and ring."""
        padded = data + bytes(-len(data) % 8)
        limit = time.monotonic() + WAIT
        while self.capacity - (self.head - self._u64(self.out + 64)) < len(padded):
            assert time.monotonic() < limit, "the peer does not read"
            os.sched_yield()
        at = self.head % self.capacity
        first = min(len(padded), self.capacity - at)
        self.memory[self.out_data + at : self.out_data + at + first] = padded[:first]
        self.memory[self.out_data : self.out_data + len(padded) - first] = padded[first:]
        self.head += len(padded)
        self.set_head(self.head)

    def send(
        self, kind: int, flags: int, stream: int, aux: int = 0, body: bytes = b"", extra: int = 0
    ) -> None:
        self.write(frame(kind, flags, stream, aux, body, extra))

    def receive(self) -> Frame | None:
        """The next frame; None at the end of the connection."""
        while self._u64(self.into) == self.tail:
            self._store(ctypes.c_uint32, self.into + 128, 1)
            if self._u64(self.into) == self.tail:
                try:
                    if not self.sock.recv(100):
                        return None
                except ConnectionError:
                    return None
        size, kind, flags, extra, stream, aux = HEADER.unpack(self._taken(self.tail, 16))
        body = self._taken(self.tail + 16, size - 16)
        self.tail += size + -size % 8
        self.set_tail(self.tail)
        if self.memory[self.into + 192]:
            self._store(ctypes.c_uint32, self.into + 192, 0)
            self.bell()
        return Frame(kind, flags, stream, aux, body, extra)

    def _taken(self, position: int, size: int) -> bytes:
        at = position % self.capacity
        first = min(size, self.capacity - at)
        start = self.into_data
        return self.memory[start + at : start + at + first] + self.memory[start : start + size - first]

    def ended(self) -> bool:
        """Wait for the other side to close the connection; frames are read over."""
        while self.receive() is not None:
            pass
        return True

    def close(self) -> None:
        self.sock.close()
        self.memory.close()

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *args: object) -> None:
        self.close()


def blocks(*entries: tuple[int, int, int], inline: bytes = b"") -> bytes:
    """A message with blocks: each (position in the message, offset in the arena, size)."""
    return struct.pack("<I", len(entries)) + b"".join(struct.pack("<QQQ", *e) for e in entries) + inline


def segment(capacity: int = CAPACITY, *, seal: bool = True, size: int | None = None, arena: int = 0) -> int:
    import fcntl

    fd = os.memfd_create("peer", os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, 4096 + 2 * capacity + 2 * arena if size is None else size)
    os.pwrite(fd, struct.pack("<8sIIQQQ", b"SAGERPC1", 1, 4096, capacity, capacity, arena), 0)
    if seal:
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
    return fd


def hello(
    capacity: int = CAPACITY, version: int = 1, magic: bytes = b"SAGERPC\n", features: int = 0
) -> bytes:
    return struct.pack("<8sHHIQ", magic, version, 0, features, capacity)


def dial(port: int) -> socket.socket:
    """A socket connected to the server of a TCP port of this host."""
    (path,) = rendezvous.published(rendezvous.tcp_endpoint("127.0.0.1", port))
    sock = socket.socket(socket.AF_UNIX)
    sock.settimeout(WAIT)
    sock.connect(str(path))
    return sock


def welcome(sock: socket.socket) -> tuple[int, str]:
    """-> (status, text)."""
    data = sock.recv(20, socket.MSG_WAITALL)
    _, _, status, _, length = struct.unpack("<8sHHII", data)
    return status, sock.recv(length, socket.MSG_WAITALL).decode() if length else ""


def client(port: int, capacity: int = CAPACITY, *, features: int = 0, arena: int = 0) -> Peer:
    """The client's end of a new connection to the server of a TCP port."""
    sock = dial(port)
    fd = segment(capacity, arena=arena)
    socket.send_fds(sock, [hello(capacity, features=features)], [fd])
    assert welcome(sock) == (0, "")
    return Peer(sock, fd, capacity, client=True)


class Listener:
    """Where clients of `target` find the peers that `accept` gives."""

    def __init__(self, port: int = 1, features: int = 0) -> None:
        self.features = features
        self.target = f"127.0.0.1:{port}"
        self.socket, self.path = rendezvous.publish(rendezvous.tcp_endpoint("127.0.0.1", port))
        self.socket.settimeout(WAIT)

    def accept(self) -> Peer:
        sock, _ = self.socket.accept()
        data, (fd,), _, _ = socket.recv_fds(sock, 24, 1)
        capacity = struct.unpack("<8sHHIQ", data)[4]
        sock.send(struct.pack("<8sHHII", b"SAGERPC\n", 1, 0, self.features, 0))
        return Peer(sock, fd, capacity, client=False)

    def __enter__(self) -> Listener:
        return self

    def __exit__(self, *args: object) -> None:
        self.socket.close()
        self.path.unlink(missing_ok=True)
