"""The call that is being served: its deadline and its end, so that calls made meanwhile end with it.

A leaf module: the host of a service enters the call, whoever makes calls asks for what is left of it
(`limit`) and has what it makes end with it (`Serving.watch`).
"""

from __future__ import annotations

import contextvars
import threading
import time
from typing import Any

__all__ = ["CLOSE", "Serving", "current", "enter", "leave", "limit", "passed"]

CLOSE = 0.005  # seconds


class Serving:
    """A call that is being served.

    Attributes:
        deadline: of time.monotonic; None: none.
        context: its grpc.ServicerContext; None: nobody can cancel it.

    Args:
        seconds: it has left; None: no deadline.
        context: its grpc.ServicerContext; None: nobody can cancel it.
    """

    _hooked = False
    _over = False  # the handler has returned: what it did not wait for goes on
    _lock: threading.Lock | None = None  # guards _live; made with the first call, when the handler is alone

    def __init__(self, seconds: float | None, context: Any = None) -> None:
        self.deadline = None if seconds is None else time.monotonic() + seconds
        self.context = context

    def watch(self, pending: Any) -> None:
        """Have `pending`, a call made by this one, cancelled if this one is cancelled or its caller dies."""
        if self.context is None:
            return
        if self._lock is None:
            self._live: set[Any] = set()
            self._lock = threading.Lock()
        with self._lock:
            self._live.add(pending)
            hook, self._hooked = not self._hooked, True
        pending.add_done_callback(self._forget)
        if hook and not self.context.add_callback(self._cancel):
            self._cancel()
        elif not self.context.is_active():
            pending.cancel()

    def _forget(self, pending: Any) -> None:
        if self._lock is not None:
            with self._lock:
                self._live.discard(pending)

    def _cancel(self) -> None:
        if self._over or self._lock is None:
            return
        if self.deadline is not None and time.monotonic() >= self.deadline - CLOSE:
            return  # the calls end by their own deadline, which is this one's, and say so
        with self._lock:
            live = list(self._live)
        for pending in live:
            pending.cancel()


_serving: contextvars.ContextVar[Serving | None] = contextvars.ContextVar("sage_rpc_serving", default=None)
current = _serving.get


def enter(seconds: float | None, context: Any = None) -> Serving:
    """From here on, in this context of execution, a call is being served.

    Args:
        seconds: it has left; None: no deadline.
        context: its grpc.ServicerContext.
    """
    serving = Serving(seconds, context)
    _serving.set(serving)
    return serving


def leave(serving: Serving) -> None:
    """The handler has returned."""
    serving._over = True
    _serving.set(None)


def limit(timeout: float | None) -> float | None:
    """`timeout` in seconds, cut down to what the call being served has left."""
    serving = _serving.get()
    if serving is None or serving.deadline is None:
        return timeout
    left = serving.deadline - time.monotonic()
    return left if timeout is None or left < timeout else timeout


def passed() -> bool:
    """Whether the call being served has no time left."""
    serving = _serving.get()
    return serving is not None and serving.deadline is not None and time.monotonic() >= serving.deadline
