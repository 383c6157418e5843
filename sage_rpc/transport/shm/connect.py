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

from sage_rpc.native import core
from sage_rpc.transport.shm.handshake import HandshakeError, create_segment, send_hello
from sage_rpc.transport.shm.rendezvous import Place, unlink_if_dead

if TYPE_CHECKING:
    from sage_rpc.native._core import ClientConnection

    _Connection = TypeVar("_Connection", bound=ClientConnection)

__all__ = ["DEFAULT_RING_BYTES", "connect"]

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


def connect(
    place: Place,
    target: str,
    kind: type[_Connection],
    *,
    ring_bytes: int = DEFAULT_RING_BYTES,
    max_receive: int,
    max_send: int,
    max_metadata: int,
    timeout: float | None = None,
) -> _Connection:
    """Connect to a live server of `place`.

    Args:
        place: where the server has published itself.
        target: the target as the user wrote it, for messages.
        kind: class of the connection.
        ring_bytes: size of each of the two rings, a power of two.
        max_receive: largest message accepted, in bytes; -1 for any.
        max_send: largest message sent, in bytes; -1 for any.
        max_metadata: most metadata accepted, in bytes.
        timeout: seconds that all of it may take at most; None for the default.

    Raises:
        ConnectionError: nobody listens (the text says "connection refused"), or the server said no.
        OSError: a segment or a socket could not be made, or the runtime directory is unusable.
    """
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
