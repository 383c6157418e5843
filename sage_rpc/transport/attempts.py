"""The attempts of a call: whether another one follows a failure, and when, as gRFC A6 has it.

The one place of this: channels with a service config and the policies of services ask it, blocking, by
callbacks and with asyncio. Rules: nothing here waits or sends; whoever does says how an attempt ended and
makes the next one; the clock, and the deadline, are his.
"""

from __future__ import annotations

import math
import os
import threading
import weakref
from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

import grpc

from sage_rpc.transport.backoff import Backoff

__all__ = ["Attempts", "Budget", "Retry", "pushback"]

_PUSHBACK = "grpc-retry-pushback-ms"


class Retry(NamedTuple):
    """When a call is tried again: the fields of `sage_rpc.policies.RetryPolicy`, which says what each is."""

    max_attempts: int
    initial_backoff: float
    max_backoff: float
    backoff_multiplier: float
    codes: Collection[grpc.StatusCode]
    jitter: float = 0.2  # gRPC's


class Budget:
    """The tokens of a channel or a service, shared by all of its methods and threads: retryThrottling.

    Args:
        max_tokens: the full bucket; with half of it or less, nothing is tried again.
        token_ratio: tokens that a success brings back; a failure takes one.

    Attributes:
        full: a success need not even be told.
    """

    def __init__(self, max_tokens: float, token_ratio: float) -> None:
        # In thousandths, as gRPC counts, so that what was given back adds up.
        self._most, self._gain = round(max_tokens * 1000), max(1, int(token_ratio * 1000))
        self._lock = threading.Lock()  # guards _tokens
        self._tokens = self._most
        self.full = True
        _budgets.add(self)

    def success(self) -> None:
        """A call succeeded."""
        with self._lock:
            self._tokens = min(self._most, self._tokens + self._gain)
            self.full = self._tokens >= self._most

    def failure(self) -> bool:
        """An attempt failed. -> whether another one may follow."""
        with self._lock:
            self._tokens = max(0, self._tokens - 1000)
            self.full = False
            return self.allows

    @property
    def allows(self) -> bool:
        """Whether something may be tried again now."""
        return self._tokens > self._most // 2

    def __repr__(self) -> str:
        return f"<Budget {self._tokens / 1000:g} of {self._most / 1000:g} tokens>"


_budgets: weakref.WeakSet[Budget] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for budget in list(_budgets):
        budget._lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)


def pushback(trailing_metadata: Iterable[tuple[str, str | bytes]] | None) -> float | None:
    """Seconds that the server wants nothing of this call for, negative: ever; None: it says nothing."""
    said = next((value for key, value in trailing_metadata or () if key == _PUSHBACK), None)
    if said is None:
        return None
    text = said.decode("ascii", "replace") if isinstance(said, bytes) else said
    return int(text) / 1000 if text.isascii() and text.isdecimal() else -1.0


class Attempts:
    """Of one call.

    Args:
        rules: when it is tried again.
        budget: of all calls that share one; None: there is none.
        buffer: bytes of requests that are kept to be sent again; a call that sent more is committed.

    Attributes:
        failed: attempts that have.
        committed: nothing is tried again any more.
    """

    __slots__ = ("_backoff", "_budget", "_buffer", "_rules", "committed", "failed")

    def __init__(self, rules: Retry, budget: Budget | None, buffer: float = math.inf) -> None:
        self._rules, self._budget, self._buffer = rules, budget, buffer
        self._backoff = Backoff(
            rules.max_backoff, rules.initial_backoff, rules.backoff_multiplier, rules.jitter
        )
        self.failed = 0
        self.committed = False

    def after(
        self, code: grpc.StatusCode | None, trailing_metadata: Any = (), *, final: bool = False
    ) -> float | None:
        """An attempt has ended with `code`. -> seconds until the next one; None: so has the call.

        Args:
            code: of the attempt.
            trailing_metadata: of the attempt; the server may push back there.
            final: no other may follow, as where the server has sent metadata or a message.
        """
        if code is grpc.StatusCode.OK and self._budget is not None:
            self._budget.success()
        if code not in self._rules.codes:
            return None
        self.failed += 1
        allowed = self._budget is None or self._budget.failure()
        if not allowed or final or self.committed or self.failed >= self._rules.max_attempts:
            return None
        asked = pushback(trailing_metadata)
        if asked is not None:
            self._backoff.reset()  # as gRFC A6 has it
            return asked if asked >= 0 else None
        return self._backoff.next()

    def keeps(self, size: int) -> bool:
        """Whether a request of `size` bytes, the next one of the call, is kept for further attempts."""
        self._buffer -= size
        if self._buffer < 0:
            self.committed = True
        return not self.committed

    def metadata(self, metadata: Any, kind: Any = tuple) -> Any:
        """The metadata of the next attempt, a `kind` of tuple: it says how many there were before."""
        if not self.failed:
            return metadata
        return kind((*(metadata or ()), ("grpc-previous-rpc-attempts", str(self.failed))))

    def __repr__(self) -> str:
        return f"<Attempts {self.failed + 1} of {self._rules.max_attempts}>"
