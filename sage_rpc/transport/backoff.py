"""How long to wait between two attempts: longer each time, with jitter.

What is not said is as of gRPC's reconnect backoff: for attempts to reach a server that is awaited.
"""

from __future__ import annotations

import os

__all__ = ["Backoff"]

FIRST, LONGEST = 0.02, 0.5  # seconds
GROWTH, JITTER = 1.6, 0.2  # callers of one server that came back must not come all at once


class Backoff:
    """The pauses of one channel, or of one call.

    Args:
        longest: seconds.
        first: seconds, where `longest` is not less.
        growth: how many times as long each pause is as the one before.
        jitter: each is drawn from `1 - jitter` to `1 + jitter` times its length.
    """

    __slots__ = ("_first", "_growth", "_jitter", "_longest", "_next")

    def __init__(
        self, longest: float = LONGEST, first: float = FIRST, growth: float = GROWTH, jitter: float = JITTER
    ) -> None:
        self._longest, self._first = longest, min(first, longest)
        self._growth, self._jitter = growth, jitter
        self.reset()

    def reset(self) -> None:
        """Begin anew: the server was reached, or has said when to come back."""
        self._next = self._first

    def next(self) -> float:
        """Seconds until the next attempt."""
        # Not by the module `random`, whose import takes as long as all of this package's transport.
        share = int.from_bytes(os.urandom(4), "little") / 0xFFFFFFFF
        pause = self._next * (1 - self._jitter + 2 * self._jitter * share)
        self._next = min(self._next * self._growth, self._longest)
        return pause

    def __repr__(self) -> str:
        return f"<Backoff {self._next:.3f} s, at most {self._longest:.3f} s>"
