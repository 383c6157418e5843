"""One thread that calls functions later: for backoff, hedging and batches that nobody waits in.

The thread exists only while something is due. What it calls must not block.
"""

from __future__ import annotations

import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable

__all__ = ["Later", "Timer", "timer"]

_LOGGER = logging.getLogger("sage_rpc")
Later = Callable[[float, Callable[[], None]], None]  # calls a function after some seconds


class Timer:
    """Calls functions at their time, in order."""

    def __init__(self) -> None:
        self.forget_parent()

    def forget_parent(self) -> None:
        """In a forked child: its thread exists in the parent only, and so does who waits for what is due."""
        self._changed = threading.Condition()  # guards everything below
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._numbers = itertools.count()
        self._running = False

    def call_later(self, seconds: float, fn: Callable[[], None]) -> None:
        """Call `fn()` after so many seconds.

        Raises:
            RuntimeError: there can be no thread more; `fn` will not be called.
        """
        with self._changed:
            due = (time.monotonic() + seconds, next(self._numbers), fn)
            heapq.heappush(self._due, due)
            if not self._running:
                try:
                    threading.Thread(target=self._run, name="sage_rpc timer", daemon=True).start()
                except RuntimeError:
                    self._due.remove(due)
                    heapq.heapify(self._due)
                    raise
                self._running = True
            elif self._due[0][2] is fn:
                self._changed.notify()

    def _run(self) -> None:
        while True:
            with self._changed:
                if not self._due:
                    self._running = False
                    return
                left = self._due[0][0] - time.monotonic()
                if left > 0:
                    self._changed.wait(left)
                    continue
                fn = heapq.heappop(self._due)[2]
            try:
                fn()
            except BaseException:  # nobody else's times may be missed
                _LOGGER.exception("Exception in a function that the timer called")
            del fn

    def __repr__(self) -> str:
        return f"<Timer {len(self._due)} due>"


timer = Timer()
os.register_at_fork(after_in_child=timer.forget_parent)
