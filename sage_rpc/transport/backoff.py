"""How long to wait between two attempts to reach a server that is awaited: as of gRPC's reconnect backoff."""

from __future__ import annotations

import random

__all__ = ["Backoff"]

FIRST, LONGEST = 0.02, 0.5  # seconds
GROWTH, JITTER = 1.6, 0.2  # callers of one server that came back must not come all at once


class Backoff:
    """The pauses of one channel.

    Args:
        longest: seconds, where that is less than the usual.
    """

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = min(LONGEST, longest)
        self.reset()

    def reset(self) -> None:
        """The server was reached."""
        self._next = min(FIRST, self._longest)

    def next(self) -> float:
        """Seconds until the next attempt."""
        pause = self._next * random.uniform(1 - JITTER, 1 + JITTER)
        self._next = min(self._next * GROWTH, self._longest)
        return pause

    def __repr__(self) -> str:
        return f"<Backoff {self._next:.3f} s, at most {self._longest:.3f} s>"
