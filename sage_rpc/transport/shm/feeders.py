"""Threads that take requests from users' iterators: few, used again, gone when idle for a while.

A request iterator may block for as long as its user likes, so each call that streams requests has a thread
to itself as long as it does so.
"""

from __future__ import annotations

import contextvars
import os
import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Any

__all__ = ["run"]

IDLE_SECONDS = 10.0

_Work = Callable[[], None]
_idle: deque[_Feeder] = deque()  # the last one to become idle works first


class _Feeder:
    def __init__(self, work: _Work) -> None:
        self._inbox: queue.SimpleQueue[_Work] = queue.SimpleQueue()
        self._inbox.put(work)
        threading.Thread(target=self._live, name="sage_rpc requests", daemon=True).start()

    def give(self, work: _Work) -> None:
        self._inbox.put(work)

    def _live(self) -> None:
        while True:
            try:
                work = self._inbox.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                try:
                    _idle.remove(self)
                except ValueError:  # somebody has just taken it, and will give it work
                    continue
                return
            work()
            del work
            _idle.append(self)


def run(function: Callable[..., None], *args: Any) -> None:
    """Call `function(*args)`, which must not raise, in another thread and in the caller's context."""
    context = contextvars.copy_context()

    def work() -> None:
        context.run(function, *args)

    try:
        feeder = _idle.pop()
    except IndexError:
        _Feeder(work)
    else:
        feeder.give(work)


os.register_at_fork(after_in_child=_idle.clear)
