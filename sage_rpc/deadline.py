"""The deadline of the call that is being served, so that calls made meanwhile end with it.

A leaf module: the host of a service enters the deadline, the manager asks for what is left of it.
"""

from __future__ import annotations

import contextvars
import time

__all__ = ["enter", "limit", "passed"]

_deadline: contextvars.ContextVar[float | None] = contextvars.ContextVar("sage_rpc_deadline", default=None)


def enter(seconds: float | None) -> None:
    """From here on, in this context, calls must end within `seconds` (None: no deadline)."""
    _deadline.set(None if seconds is None else time.monotonic() + seconds)


def limit(timeout: float | None) -> float | None:
    """`timeout` in seconds, cut down to what the call being served has left."""
    deadline = _deadline.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    return left if timeout is None or left < timeout else timeout


def passed() -> bool:
    """Whether the call being served has no time left."""
    deadline = _deadline.get()
    return deadline is not None and time.monotonic() >= deadline
