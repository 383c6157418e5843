"""The server's memory connections: what the native core of either kind of server is told, and the handshake.

A listener is what a `ServerCore` calls its owner: `ShmListener` where threads read the connections,
`LoopListener` where an event loop does. Connections come from an `Acceptor`, whose thread shakes hands.
"""

from __future__ import annotations

import asyncio
import logging
import math
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent import futures
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sage_rpc.native import core
from sage_rpc.transport.base import Listener
from sage_rpc.transport.shm.accept import Acceptor
from sage_rpc.transport.shm.handshake import (
    HandshakeError,
    Status,
    peer_credentials,
    receive_hello,
    send_welcome,
)

if TYPE_CHECKING:
    from sage_rpc.native._core import LoopContext, LoopServerCore, MethodEntry, ServerCore, ThreadServerCore

__all__ = ["LoopListener", "ShmListener"]

_LOGGER = logging.getLogger("sage_rpc")


class _Listener(Listener):
    """What the listeners share: the acceptor, the handshake, and the core."""

    core: ServerCore
    takes_blocks = True  # large parts of messages where their sender put them

    def __init__(self, resolve: Callable[[str], MethodEntry]) -> None:
        self._resolve = resolve
        self._acceptor = Acceptor(self._welcome)

    def listen(self, endpoint: str) -> None:
        """Publish a socket for `endpoint`.

        Raises:
            OSError: it cannot be made; the text says why.
        """
        self._acceptor.listen(endpoint)

    @property
    def published(self) -> tuple[Path, ...]:
        """Where clients find the server."""
        return self._acceptor.published

    def unpublish(self) -> None:
        """Let no new client in."""
        self._acceptor.unpublish()

    # -- called by the core

    def _forget_parent(self) -> None:
        """In a forked child: the sockets are the parent's, and must not outlive it here."""
        self._acceptor.forget_parent()

    # -- called by the acceptor

    def _welcome(self, sock: socket.socket) -> None:
        pid, uid, gid = peer_credentials(sock)
        hello = receive_hello(sock)
        try:
            if uid != os.getuid():
                raise HandshakeError(
                    Status.NOT_PERMITTED, f"uid {uid} may not connect to a server of uid {os.getuid()}"
                )
            if self.core.stopping:
                raise HandshakeError(Status.SHUTTING_DOWN, "the server is shutting down")
            accepted = hello.features & core.FEATURES
            if not self.takes_blocks:
                accepted &= ~core.FEATURE_BLOCKS
            try:
                segment = core.Segment(hello.fd, hello.capacity, False, accepted & core.FEATURE_BLOCKS)
            except (core.ProtocolViolation, OSError) as error:
                raise HandshakeError(Status.BAD_HELLO, str(error)) from error
        finally:
            os.close(hello.fd)
        auth = {
            "transport_security_type": [b"local"],
            "uid": [str(uid).encode()],
            "gid": [str(gid).encode()],
            "pid": [str(pid).encode()],
        }
        if not segment.blocks:
            accepted &= ~core.FEATURE_BLOCKS
        peer = f"shm:pid:{pid}"
        conn = core.ServerConnection(segment, sock.fileno(), False, peer, auth, hello.dialect, accepted)
        # For what the client writes from now on it rings, and the core finds the bells.
        send_welcome(sock, Status.ACCEPTED, features=accepted)
        sock.detach()  # the descriptor is the connection's, and closed with it
        try:
            self.core.add(conn)
        except RuntimeError:
            _LOGGER.debug("a client came when the server had stopped")


class ShmListener(_Listener):
    """The memory-queue half of a server whose handlers run in a pool of threads.

    Args:
        pool: the user's pool; handlers run in it.
        resolve: method name -> MethodEntry.
        resolve_dynamic: (method name, metadata) -> MethodEntry, for entries marked dynamic.
        max_rpcs: calls at once, queued ones included; -1 for any number.
        max_receive: largest request, in bytes; -1 for any.
        max_send: largest response, in bytes; -1 for any.
        max_metadata: most metadata of a request, in bytes.
    """

    core: ThreadServerCore

    def __init__(
        self,
        pool: futures.Executor,
        resolve: Callable[[str], MethodEntry],
        resolve_dynamic: Callable[[str, Any], MethodEntry],
        *,
        max_rpcs: int,
        max_receive: int,
        max_send: int,
        max_metadata: int,
    ) -> None:
        super().__init__(resolve)
        self._pool = pool
        self._submit = pool.submit
        self._resolve_dynamic = resolve_dynamic
        self.core = core.ThreadServerCore(
            self, getattr(pool, "_max_workers", 64), max_rpcs, max_receive, max_send, max_metadata
        )
        self._watcher: threading.Thread | None = None
        self._ending = threading.Lock()  # guards _stop_by
        self._stop_by = math.inf

    def start(self) -> None:
        """Begin to serve."""
        self._watcher = threading.Thread(target=self.core.watch, name="sage_rpc watcher", daemon=True)
        self._watcher.start()
        self._acceptor.start()

    def end_within(self, grace: float | None) -> None:
        """Have `stop` cancel what is still under way `grace` seconds from now; the smallest grace counts."""
        with self._ending:
            self._stop_by = min(self._stop_by, time.monotonic() + (grace or 0.0))
        self.core.wake_idle()

    def stop(self, grace: float | None) -> None:
        """Refuse new calls, give those under way and their answers up to `grace` seconds, cancel the rest.

        Another thread shortens the wait by `end_within`.
        """
        self.unpublish()
        self.core.begin_stop()
        self.end_within(grace)
        while (self.core.active > 0 or self.core.unsent) and (left := self._stop_by - time.monotonic()) > 0:
            self.core.wait_idle(left)
        self.core.cancel_all()
        self.core.shut()
        if self._watcher is not None:
            self._watcher.join(timeout=5.0)
        self._acceptor.close(join_seconds=5.0)

    def abandon(self) -> None:
        """End at once, without waiting: nobody holds the server any more."""
        self._acceptor.close()
        self.core.begin_stop()
        self.core.cancel_all()
        self.core.shut()

    # -- called by the core

    def _start_thread(self, target: Callable[[], None]) -> None:
        threading.Thread(target=target, name="sage_rpc endings", daemon=True).start()

    def _pool_is_wanted(self) -> bool:
        """Whether something waits for a thread of the pool; also when the pool does not tell."""
        waiting = getattr(self._pool, "_work_queue", None)
        return waiting is None or not waiting.empty()


class LoopListener(_Listener):
    """The memory-queue half of a server whose handlers run in an event loop.

    Args:
        serve: begins the task of a call's handler.
        resolve: method name -> MethodEntry.
        max_rpcs: calls at once; -1 for any number.
        max_receive: largest request, in bytes; -1 for any.
        max_send: largest response, in bytes; -1 for any.
        max_metadata: most metadata of a request, in bytes.
    """

    core: LoopServerCore
    takes_blocks = False

    def __init__(
        self,
        serve: Callable[[LoopContext], None],
        resolve: Callable[[str], MethodEntry],
        *,
        max_rpcs: int,
        max_receive: int,
        max_send: int,
        max_metadata: int,
    ) -> None:
        super().__init__(resolve)
        self._serve = serve
        self.core = core.LoopServerCore(self, max_rpcs, max_receive, max_send, max_metadata)

    def start(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to serve in `loop`, in whose thread this is called."""
        self.core.attach(loop)
        self._acceptor.start()

    def end(self) -> None:
        """End at once: nobody waits for the calls that are left."""
        self._acceptor.close()
        self.core.begin_stop()
        self.core.cancel_all()
        self.core.shut()
        self.core.detach()
