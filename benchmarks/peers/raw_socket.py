"""Peer raw-uds: a Unix socket, four bytes of length, the payload; what any RPC over a socket must beat."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LENGTH = struct.Struct("<I")


def _receive(sock: socket.socket, view: memoryview) -> bool:
    """Fill `view`. -> whether the peer sent that much before it closed."""
    got = 0
    while got < len(view):
        count = sock.recv_into(view[got:])
        if count == 0:
            return False
        got += count
    return True


def _echo(sock: socket.socket, size: int) -> None:
    frame = memoryview(bytearray(LENGTH.size + size))
    with sock:
        while _receive(sock, frame[: LENGTH.size]):
            (length,) = LENGTH.unpack_from(frame)
            if length > size or not _receive(sock, frame[LENGTH.size : LENGTH.size + length]):
                return
            sock.sendall(frame[: LENGTH.size + length])


def _accept(listener: socket.socket, size: int) -> None:
    with contextlib.suppress(OSError):  # shut down: the server ends
        while True:
            threading.Thread(target=_echo, args=(listener.accept()[0], size), daemon=True).start()


@contextlib.contextmanager
def serve(peer: str, directory: Path, size: int) -> Iterator[str]:
    path = str(directory / "raw.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(128)
        threading.Thread(target=_accept, args=(listener, size), daemon=True).start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)


class SocketCaller:
    """One connection; a response lies in its buffer until the next call."""

    shared = False

    def __init__(self, sock: socket.socket, size: int) -> None:
        self._sock = sock
        self._head = memoryview(bytearray(LENGTH.size))
        self._body = bytearray(size)
        self._view = memoryview(self._body)

    def prepare(self, payload: bytes) -> bytes:
        return LENGTH.pack(len(payload)) + payload

    def call(self, request: bytes) -> bytearray:
        self._sock.sendall(request)
        if not _receive(self._sock, self._head) or not _receive(self._sock, self._view):
            raise ConnectionError("the server closed the connection")
        if LENGTH.unpack(self._head)[0] != len(self._body):
            raise ValueError(f"{LENGTH.unpack(self._head)[0]} bytes came back, not {len(self._body)}")
        return self._body

    def start(self, request: Any) -> Any:
        raise NotImplementedError("a raw socket has no futures")

    finish = start


@contextlib.contextmanager
def connect(peer: str, address: str, size: int) -> Iterator[SocketCaller]:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(address)
        yield SocketCaller(sock, size)
