"""Whether messages are compressed, seen from outside: a relay between client and server counts bytes.

Python's API shows nobody how a message came, so the cases about compression let their calls pass through a
relay. All payloads are zeros, of which gzip leaves a hundredth.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

from tests.interop.messages import Failed


class Wire:
    """Where bytes cannot be counted: over shared memory, which compresses nothing."""

    @contextlib.contextmanager
    def carries(self, direction: str, at_least: int, less_than: int) -> Iterator[None]:
        """The calls inside must move so many bytes in `direction`, which is "sent" or "received"."""
        yield


class Relay(Wire):
    """Forwards TCP connections to `host`:`port`, and counts what it forwards; its own port is `port`."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._lock = threading.Lock()  # guards the three below
        self._bytes = {"sent": 0, "received": 0}
        self._open: list[socket.socket] = []
        self._closed = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @contextlib.contextmanager
    def carries(self, direction: str, at_least: int, less_than: int) -> Iterator[None]:
        before = self._count(direction)
        yield
        moved = self._count(direction) - before
        if not at_least <= moved < less_than:
            raise Failed(f"bytes {direction}: expected {at_least} to {less_than}, got {moved}")

    def close(self) -> None:
        with self._lock:
            self._closed = True
            ends = [self._listener, *self._open]
        for end in ends:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits for it
            end.close()

    def __enter__(self) -> Relay:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def _count(self, direction: str) -> int:
        with self._lock:
            return self._bytes[direction]

    def _start(self, function, *arguments) -> None:
        threading.Thread(target=function, args=arguments, daemon=True, name="relay").start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(self._server, timeout=10)
                server.settimeout(None)
                for end in (client, server):
                    end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with self._lock:
                    self._open += [client, server]
                    closed = self._closed
                if closed:
                    self.close()
                    return
                self._start(self._forward, client, server, "sent")
                self._start(self._forward, server, client, "received")

    def _forward(self, source: socket.socket, sink: socket.socket, direction: str) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 16):
                with self._lock:
                    self._bytes[direction] += len(data)  # before the peer can have noticed
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
