"""The first two messages of a connection, and the segment they agree on (docs/wire.md).

The client makes the segment and sends HELLO with its descriptor; the server checks who the client is
and what the segment is, and answers WELCOME. Neither side trusts the other: the server maps only a
segment that is sealed against shrinking, because a mapping whose file shrinks kills its reader.
"""

from __future__ import annotations

import array
import contextlib
import fcntl
import mmap
import os
import socket
import struct
import time
from enum import IntEnum
from typing import NamedTuple

from sage_rpc.native import core

__all__ = [
    "HandshakeError",
    "Hello",
    "Status",
    "create_segment",
    "receive_hello",
    "send_hello",
    "send_welcome",
]

MAGIC = b"SAGERPC\n"
HELLO = struct.Struct("<8sHHIQ")  # magic, version, dialect, feature bits, ring capacity
WELCOME = struct.Struct("<8sHHII")  # magic, version, status, feature bits, length of the text that follows
MAX_TEXT = 4096
_UCRED = struct.Struct("3i")

_NEEDED_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW if hasattr(fcntl, "F_SEAL_SHRINK") else 0


class Status(IntEnum):
    """What a server says to a HELLO."""

    ACCEPTED = 0
    UNSUPPORTED_VERSION = 1
    BAD_HELLO = 2
    NOT_PERMITTED = 3
    SHUTTING_DOWN = 4


class HandshakeError(Exception):
    """No connection came about; `status` is what the server said or should say."""

    def __init__(self, status: Status, text: str) -> None:
        super().__init__(text)
        self.status = status


class Hello(NamedTuple):
    """What a client asked for. `fd` is the segment's descriptor and belongs to the receiver."""

    version: int
    dialect: int
    features: int
    capacity: int
    fd: int


def create_segment(capacity: int, arena: int = 0) -> int:
    """The descriptor of a new segment of two rings of `capacity` bytes, sealed where the kernel can.

    Args:
        capacity: size of each ring, in bytes.
        arena: size of each arena, in bytes, of which only touched pages use memory; needs memfd.

    Raises:
        OSError: no memory, no space, or a limit was reached; the text names it.
    """
    size = core.SEGMENT_HEADER_SIZE + 2 * capacity + 2 * arena
    try:
        if not hasattr(os, "memfd_create"):
            return _create_posix_segment(size)
        fd = os.memfd_create("sage_rpc", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(fd, size)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, _NEEDED_SEALS | fcntl.F_SEAL_SEAL)
        except OSError:
            os.close(fd)
            raise
    except OSError as error:
        raise OSError(
            error.errno, f"cannot create a shared segment of {size} bytes: {error.strerror}"
        ) from error
    return fd


def _create_posix_segment(size: int) -> int:
    import posix_ipc  # only where there is no memfd_create

    memory = posix_ipc.SharedMemory(f"/sage-rpc-{os.urandom(8).hex()}", posix_ipc.O_CREX, 0o600, size)
    memory.unlink()
    return int(memory.fd)


def check_segment(fd: int, capacity: int) -> None:
    """Refuse a descriptor that is not a segment of two rings of `capacity` bytes which stays so.

    Raises:
        HandshakeError: with Status.BAD_HELLO.
    """
    if capacity % mmap.PAGESIZE or not 4096 <= capacity <= core.MAX_CAPACITY or capacity & (capacity - 1):
        raise HandshakeError(Status.BAD_HELLO, f"ring capacity {capacity} is not acceptable")
    # First what only memory answers: a file of a network or a user's file system takes its time for the rest.
    if _NEEDED_SEALS:
        try:
            seals = fcntl.fcntl(fd, fcntl.F_GET_SEALS)
        except OSError:
            seals = 0
        if seals & fcntl.F_SEAL_SHRINK == 0:
            raise HandshakeError(Status.BAD_HELLO, "the segment is not sealed against shrinking")
    if os.fstat(fd).st_size < core.SEGMENT_HEADER_SIZE + 2 * capacity:
        raise HandshakeError(Status.BAD_HELLO, f"the segment is too small for two rings of {capacity} bytes")


def peer_credentials(sock: socket.socket) -> tuple[int, int, int]:
    """(pid, uid, gid) of the process that connected."""
    pid, uid, gid = _UCRED.unpack(sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size))
    return pid, uid, gid


def send_hello(
    sock: socket.socket, capacity: int, fd: int, features: int = 0, dialect: int = 0, *, until: float
) -> int:
    """The client's half: send HELLO, wait for WELCOME until `until` (monotonic seconds). -> feature bits.

    Raises:
        HandshakeError: the server refused, or is not a sage_rpc server.
        OSError: the server went away or did not answer in time (TimeoutError).
    """
    hello = HELLO.pack(MAGIC, core.WIRE_VERSION, dialect, features, capacity)
    sock.settimeout(_left(until))
    socket.send_fds(sock, [hello], [fd])
    magic, version, status, accepted, length = WELCOME.unpack(_receive_exactly(sock, WELCOME.size, until))
    if magic != MAGIC:
        raise HandshakeError(Status.BAD_HELLO, "the peer does not speak the memory queue's protocol")
    text = _receive_exactly(sock, min(length, MAX_TEXT), until).decode("utf-8", "replace")
    if status != Status.ACCEPTED:
        known = status if status in set(Status) else Status.BAD_HELLO
        raise HandshakeError(
            Status(known), text or f"the server refused with status {status}, version {version}"
        )
    return int(accepted)


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the handshake is over")
    return left


def _receive_exactly(sock: socket.socket, size: int, until: float) -> bytes:
    data = b""
    while len(data) < size:
        sock.settimeout(_left(until))  # all pieces together have that time, and not each
        piece = sock.recv(size - len(data))
        if not piece:
            raise HandshakeError(Status.BAD_HELLO, "the server closed the connection during the handshake")
        data += piece
    return data


def receive_hello(sock: socket.socket) -> Hello:
    """The server's half, on a readable non-blocking socket. The caller owns the returned descriptor.

    Raises:
        HandshakeError: what arrived is no acceptable HELLO; say so with `send_welcome`.
        OSError: the peer is gone.
    """
    space = socket.CMSG_SPACE(4 * array.array("i").itemsize)
    # More than a HELLO of this version: a later one may be longer, and what stays unread
    # would reset the connection before the peer has read our answer.
    data, ancillary, flags, _ = sock.recvmsg(4096, space, socket.MSG_CMSG_CLOEXEC)
    fds = array.array("i")
    for level, kind, payload in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            fds.frombytes(payload[: len(payload) - len(payload) % fds.itemsize])
    try:
        if not data:
            raise ConnectionResetError("the peer closed the connection before it said anything")
        if len(data) < HELLO.size or data[:8] != MAGIC:
            raise HandshakeError(
                Status.BAD_HELLO, "this is the memory queue of sage_rpc; no HELLO was received"
            )
        _, version, dialect, features, capacity = HELLO.unpack_from(data)
        if version != core.WIRE_VERSION:
            raise HandshakeError(
                Status.UNSUPPORTED_VERSION, f"this server speaks version {core.WIRE_VERSION}, not {version}"
            )
        if len(data) != HELLO.size:
            raise HandshakeError(Status.BAD_HELLO, f"a HELLO has {HELLO.size} bytes, not {len(data)}")
        if len(fds) != 1 or flags & socket.MSG_CTRUNC:
            raise HandshakeError(Status.BAD_HELLO, "HELLO must carry one descriptor, the segment's")
        check_segment(fds[0], capacity)
    except BaseException:
        for fd in fds:
            with contextlib.suppress(OSError):
                os.close(fd)
        raise
    return Hello(version, dialect, features, capacity, fds[0])


def send_welcome(sock: socket.socket, status: Status, text: str = "", features: int = 0) -> None:
    """Answer a HELLO. A peer that does not read is the peer's trouble: nothing blocks."""
    raw = text.encode()[:MAX_TEXT]
    packet = WELCOME.pack(MAGIC, core.WIRE_VERSION, status, features, len(raw)) + raw
    with contextlib.suppress(OSError):
        sock.send(packet, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
