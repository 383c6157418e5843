"""What the main thread of a process waits for: what threads put there, and signals."""

from __future__ import annotations

import contextlib
import queue
import signal
import socket
from typing import Generic, TypeVar

__all__ = ["Inbox"]

T = TypeVar("T")


class Inbox(Generic[T]):
    """A queue that one thread, the main one, reads.

    A signal that comes when Python is about to block, or to another thread, is noted, and its handler runs
    when the main thread goes on: where it waits for a queue, perhaps never. Here a byte wakes it.
    """

    def __init__(self) -> None:
        self._items: queue.SimpleQueue[T] = queue.SimpleQueue()
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)

    def put(self, item: T) -> None:
        """Add `item`; also for handlers of signals."""
        self._items.put(item)
        with contextlib.suppress(OSError):  # full of bytes that will wake the reader
            self._waker.send(b"\0")

    def get(self) -> T:
        """The next item; waits for it."""
        # Each time: asyncio takes it away.
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        while True:
            try:
                return self._items.get_nowait()
            except queue.Empty:
                self._woken.recv(4096)

    def empty(self) -> bool:
        """Whether nothing is there now."""
        return self._items.empty()

    def close(self) -> None:
        """Let go; for the main thread."""
        signal.set_wakeup_fd(-1)
        self._woken.close()
        self._waker.close()
