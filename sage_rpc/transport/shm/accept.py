"""How a server gets its connections: accept, shake hands, hand over.

All of it happens in one thread of the server's own, which sleeps while nobody comes. Not in the thread, or
the event loop, that reads the connections: what a stranger sends along with its HELLO may be any descriptor,
and to receive, ask or close some kinds of them takes as long as their owner likes. A stranger that says
nothing is sent away after `STRANGER_SECONDS`, and sooner when many come. Errors of one peer are that peer's.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import selectors
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sage_rpc.transport.shm.handshake import HandshakeError, send_welcome
from sage_rpc.transport.shm.rendezvous import publish

__all__ = ["Acceptor"]

STRANGER_SECONDS = 10.0  # to shake hands in
MOST_STRANGERS = 64  # at once; one more, and the oldest has to go
SECONDS_BETWEEN_COMPLAINTS = 10.0

_LOGGER = logging.getLogger("sage_rpc")


class Acceptor:
    """The published sockets of a server, and those who have connected but not shaken hands.

    Args:
        welcome: shakes hands over a readable socket and takes it over. It raises BlockingIOError when there
            is nothing to read, HandshakeError when the peer is to be told why, OSError when the peer is gone.
    """

    def __init__(self, welcome: Callable[[socket.socket], None]) -> None:
        self._welcome = welcome
        self._sockets: dict[socket.socket, Path] = {}
        self._strangers: dict[socket.socket, float] = {}  # and until when, in this order
        self._selector = selectors.DefaultSelector()
        self._spare = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)
        self._wake_read, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._closed = False
        self._thread: threading.Thread | None = None
        self._complained = -SECONDS_BETWEEN_COMPLAINTS

    def __repr__(self) -> str:
        state = (
            "closed" if self._closed else f"{len(self._sockets)} sockets, {len(self._strangers)} strangers"
        )
        return f"<Acceptor {state}>"

    def listen(self, endpoint: str) -> None:
        """Publish a socket for `endpoint`.

        Raises:
            OSError: it cannot be made; the text says why.
        """
        listener, path = publish(endpoint)
        self._sockets[listener] = path
        self._selector.register(listener, selectors.EVENT_READ)

    @property
    def published(self) -> tuple[Path, ...]:
        """Where clients find the server."""
        return tuple(self._sockets.values())

    def start(self) -> None:
        """Begin to accept."""
        self._thread = threading.Thread(target=self._run, name="sage_rpc acceptor", daemon=True)
        self._thread.start()

    def unpublish(self) -> None:
        """Let no new client in."""
        while self._sockets:
            listener, path = self._sockets.popitem()
            with contextlib.suppress(OSError):
                path.unlink()
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(listener)
            listener.close()

    def close(self, join_seconds: float = 0.0) -> None:
        """Send away who has not shaken hands; the thread ends, and is waited for at most `join_seconds`."""
        self.unpublish()
        if self._closed:
            return
        self._closed = True
        if self._thread is None:
            self._release()
            return
        with contextlib.suppress(OSError):
            os.write(self._wake, b"!")
        if join_seconds:
            self._thread.join(join_seconds)

    def forget_parent(self) -> None:
        """In a forked child: the sockets are the parent's, and must not outlive it here."""
        for listener in self._sockets:
            listener.close()
        self._sockets.clear()
        self._closed = True
        self._release()

    def _release(self) -> None:
        for stranger in list(self._strangers):
            stranger.close()
        self._strangers.clear()
        self._selector.close()
        for fd in (self._spare, self._wake_read, self._wake):
            if fd >= 0:
                os.close(fd)
        self._spare = self._wake_read = self._wake = -1

    # -- in the thread

    def _run(self) -> None:
        try:
            while not self._closed:
                try:
                    self._turn()
                except Exception:
                    _LOGGER.exception("accepting memory connections was interrupted, and goes on")
        finally:
            self._release()

    def _turn(self) -> None:
        now = time.monotonic()
        until = next(iter(self._strangers.values()), None)
        for key, _ in self._selector.select(None if until is None else max(0.0, until - now)):
            sock = key.fileobj
            if not isinstance(sock, socket.socket):
                return  # woken up to end
            if sock in self._strangers:
                self._greet(sock)
            else:
                self._accept(sock)
        self._dismiss_silent()

    def _accept(self, listener: socket.socket) -> None:
        try:
            sock, _ = listener.accept()
        except OSError as error:
            if error.errno in (errno.EMFILE, errno.ENFILE):
                self._turn_away(listener)
            return
        sock.setblocking(False)
        if len(self._strangers) >= MOST_STRANGERS:
            self._dismiss(next(iter(self._strangers)))
        self._strangers[sock] = time.monotonic() + STRANGER_SECONDS
        self._selector.register(sock, selectors.EVENT_READ)

    def _dismiss_silent(self) -> None:
        """Close what has said nothing for too long: it may have forgotten us, but holds a descriptor."""
        now = time.monotonic()
        for sock, until in list(self._strangers.items()):
            if until > now:
                break  # they are in order
            self._dismiss(sock)

    def _dismiss(self, sock: socket.socket) -> None:
        del self._strangers[sock]
        self._selector.unregister(sock)
        sock.close()

    def _turn_away(self, listener: socket.socket) -> None:
        """Out of descriptors: an accept that only fails would be reported again at once, for ever."""
        if time.monotonic() - self._complained >= SECONDS_BETWEEN_COMPLAINTS:
            self._complained = time.monotonic()
            _LOGGER.error("clients are turned away: this process has no file descriptors left")
        if self._strangers:
            self._dismiss(next(iter(self._strangers)))  # and the next turn accepts
            return
        if self._spare >= 0:
            os.close(self._spare)
            self._spare = -1
        with contextlib.suppress(OSError):
            listener.accept()[0].close()
        with contextlib.suppress(OSError):
            self._spare = os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC)

    def _greet(self, sock: socket.socket) -> None:
        self._selector.unregister(sock)
        try:
            self._welcome(sock)
        except BlockingIOError:
            self._selector.register(sock, selectors.EVENT_READ)
            return
        except HandshakeError as error:
            _LOGGER.warning("refused a memory connection: %s", error)
            send_welcome(sock, error.status, str(error))
        except OSError:
            pass
        del self._strangers[sock]
        sock.close()
