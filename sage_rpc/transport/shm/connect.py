"""The client's way to a connection: find a published socket, shake hands, map the segment."""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from sage_rpc import native
from sage_rpc.native import core
from sage_rpc.transport.base import SHM
from sage_rpc.transport.options import Options
from sage_rpc.transport.shm.handshake import HandshakeError, create_segment, send_hello
from sage_rpc.transport.shm.rendezvous import (
    NamedPlace,
    Place,
    UnreachableError,
    place_of_target,
    unlink_if_dead,
)

if TYPE_CHECKING:
    from sage_rpc.native._core import ClientConnection

    _Connection = TypeVar("_Connection", bound=ClientConnection)

__all__ = ["DEFAULT_RING_BYTES", "MemoryDialer"]

DEFAULT_RING_BYTES = 1 << 19
ARENA_BYTES = 1 << 28  # of address space; memory is used for what is in use, and 64 MiB that stay warm
HANDSHAKE_SECONDS = 2.0  # a server that is stopped or in a debugger must not hang its callers


def _start_thread(target: Callable[[], None], name: str) -> threading.Thread:
    thread = threading.Thread(target=target, name=name, daemon=True)
    thread.start()
    return thread


def _create_segment(ring_bytes: int, arena: int) -> tuple[int, int]:
    """-> (a segment's descriptor, the size of its arenas); without arenas where a limit forbids them."""
    if arena and hasattr(os, "memfd_create"):
        with contextlib.suppress(OSError):
            return create_segment(ring_bytes, arena), arena
    return create_segment(ring_bytes), 0


class MemoryDialer:
    """Connects to live servers that publish a memory queue on this host.

    Args:
        target: as the user wrote it.
        options: of the channel.
        endpoint: the server's name in the runtime directory, where more is known than the target tells.
    """

    name = SHM

    def __init__(self, target: str, options: Options, endpoint: str | None) -> None:
        self.why_not = native.why_not()
        self._target = target
        self._options = options
        self._place: Place
        try:
            if not self.why_not:
                self._place = place_of_target(target) if endpoint is None else NamedPlace(endpoint)
        except UnreachableError as error:
            self.why_not = str(error)

    def dial(self, kind: type[_Connection], timeout: float | None) -> _Connection:
        """See Dialer. Nobody listens where the text of a ConnectionError says "connection refused"."""
        options = self._options
        limits = options.max_receive, options.max_send, options.max_metadata
        return _connect(self._place, self._target, kind, options.ring_bytes, limits, timeout)


def _connect(
    place: Place,
    target: str,
    kind: type[_Connection],
    ring_bytes: int,
    limits: tuple[int, int, int],
    timeout: float | None,
) -> _Connection:
    max_receive, max_send, max_metadata = limits
    refused = f"no server of {target} publishes a memory queue on this host: connection refused"
    seconds = HANDSHAKE_SECONDS if timeout is None else min(HANDSHAKE_SECONDS, max(0.001, timeout))
    end = time.monotonic() + seconds  # for all servers together: the caller waits
    for group in place.sockets():
        # A server whose backlog is full says so at once; it is waited for when no other has let us in.
        candidates = deque((path, False) for path in group)
        if candidates and time.monotonic() >= end:
            refused = f"the server of {target} did not answer the handshake in time"
        while candidates and (left := end - time.monotonic()) > 0:
            path, patient = candidates.popleft()
            until = time.monotonic() + left / (1 + len(candidates))
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
                try:
                    if not _reach(sock, path, until if patient else None):
                        refused = f"the server of {target} does not accept connections"
                        candidates.extend([(path, True)] * (not patient))
                        continue
                    segment, features = _shake_hands(sock, kind, ring_bytes, until)
                except (ConnectionRefusedError, FileNotFoundError):
                    continue  # a dead server's
                except PermissionError as error:
                    refused = f"may not use the socket {path} of {target}: {error.strerror}"
                except HandshakeError as error:
                    refused = f"the server of {target} refused a memory queue: {error}"
                except TimeoutError:
                    refused = f"the server of {target} did not answer the handshake"
                except ConnectionError as error:
                    refused = f"the server of {target} went away during the handshake: {error}"
                else:
                    sock.setblocking(False)
                    fd = sock.detach()
                    return kind(
                        segment,
                        fd,
                        True,
                        target,
                        _start_thread,
                        max_receive,
                        max_send,
                        features,
                        max_metadata,
                    )
    raise ConnectionError(refused)


def _reach(sock: socket.socket, path: Path, until: float | None) -> bool:
    """Connect to a published socket, waiting for room in its backlog `until` then, or not at all. -> done"""
    sock.settimeout(0.0 if until is None else max(0.001, until - time.monotonic()))
    try:
        sock.connect(str(path))
    except (ConnectionRefusedError, FileNotFoundError):
        with contextlib.suppress(OSError):
            unlink_if_dead(path)
        raise
    except (BlockingIOError, TimeoutError):
        return False
    return True


def _shake_hands(
    sock: socket.socket, kind: type[ClientConnection], ring_bytes: int, until: float
) -> tuple[core.Segment, int]:
    """-> the segment of a new connection, and the feature bits that both sides use"""
    fd, arena = _create_segment(ring_bytes, ARENA_BYTES if kind.features & core.FEATURE_BLOCKS else 0)
    try:
        segment = core.Segment(fd, ring_bytes, True, arena)
        offered = kind.features if segment.blocks else kind.features & ~core.FEATURE_BLOCKS
        return segment, send_hello(sock, ring_bytes, fd, offered, kind.dialect, until=until) & offered
    finally:
        os.close(fd)
