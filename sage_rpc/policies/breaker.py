"""The circuit breaker of a service: closed, open, half open, and the table of what leads from one to the
other.

Deciding stands in `Breaker`, which knows no calls; `Breaking` is the sender that asks it.
"""

from __future__ import annotations

import enum
import os
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.policies.sending import CallMetadata, Pending, Sender, outcome
from sage_rpc.policies.settings import BreakerPolicy

__all__ = ["Breaker", "BreakerState", "Breaking", "CircuitOpen"]

_SLOTS = 10  # a window is this many pieces; it moves by one of them


class CircuitOpen(errors.Unavailable):
    """The breaker is open: the call was not sent."""


class BreakerState(enum.Enum):
    """What a breaker does with calls: lets them through, refuses them, lets a few through."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half open"


_CLOSED = BreakerState.CLOSED
_ALLOWED = {
    (BreakerState.CLOSED, BreakerState.OPEN),
    (BreakerState.OPEN, BreakerState.HALF_OPEN),
    (BreakerState.HALF_OPEN, BreakerState.OPEN),
    (BreakerState.HALF_OPEN, BreakerState.CLOSED),
}


class Breaker:
    """Decides for one service. Every admitted call must be reported: `succeeded`, `failed` or `gave_up`.

    Args:
        service: its name, for errors.
        policy: when it opens, and for how long.
        clock: monotonic seconds.
    """

    def __init__(
        self, service: str, policy: BreakerPolicy, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.service = service
        self.policy = policy
        self._clock = clock
        self._slot_length = policy.window / _SLOTS
        self._lock = threading.Lock()  # guards everything below
        self.state = BreakerState.CLOSED
        self._reset()
        self._opened_at = 0.0
        self._trials = 0  # under way while half open
        self._trials_passed = 0
        self.generation = 0  # calls admitted before a change of state do not count after it
        self._last = ""
        _breakers.add(self)

    def _reset(self) -> None:
        self._slots: list[list[int]] = []  # [number, succeeded, failed], the newest last
        self._slot_ends = -1.0
        self._in_a_row = 0

    def _become(self, state: BreakerState) -> None:
        if (self.state, state) not in _ALLOWED:
            raise AssertionError(f"a breaker does not go from {self.state.value} to {state.value}")
        self.state = state
        self.generation += 1
        self._trials = self._trials_passed = 0
        if state is BreakerState.OPEN:
            self._opened_at = self._clock()
        elif state is BreakerState.CLOSED:
            self._reset()

    def admit(self) -> int:
        """May a call be sent? -> what to report its end with.

        Raises:
            CircuitOpen: no.
        """
        if self.state is BreakerState.CLOSED:
            return self.generation
        with self._lock:
            if self.state is BreakerState.OPEN:
                left = self._opened_at + self.policy.open_for - self._clock()
                if left > 0:
                    raise CircuitOpen(
                        grpc.StatusCode.UNAVAILABLE,
                        f"the circuit breaker of {self.service!r} is open for {left:.2f} s: {self._last}",
                    )
                self._become(BreakerState.HALF_OPEN)
            if self.state is BreakerState.HALF_OPEN:
                if self._trials + self._trials_passed >= self.policy.trial_calls:
                    raise CircuitOpen(
                        grpc.StatusCode.UNAVAILABLE,
                        f"the circuit breaker of {self.service!r} is half open and waits "
                        f"for its trial calls: {self._last}",
                    )
                self._trials += 1
            return self.generation

    def _slot(self) -> list[int]:
        now = self._clock()
        if now >= self._slot_ends:
            number = int(now / self._slot_length)
            self._slots = [slot for slot in self._slots if slot[0] > number - _SLOTS]
            self._slots.append([number, 0, 0])
            self._slot_ends = (number + 1) * self._slot_length
        return self._slots[-1]

    def succeeded(self, admitted: int) -> None:
        """An admitted call got an answer."""
        with self._lock:
            if admitted != self.generation:
                return
            if self.state is BreakerState.HALF_OPEN:
                self._trials -= 1
                self._trials_passed += 1
                if self._trials_passed >= self.policy.trial_calls:
                    self._become(BreakerState.CLOSED)
                return
            self._in_a_row = 0
            if self._clock() < self._slot_ends:
                self._slots[-1][1] += 1
            else:
                self._slot()[1] += 1

    def failed(self, admitted: int, why: str) -> None:
        """An admitted call failed as the policy counts it."""
        with self._lock:
            if admitted != self.generation:
                return
            self._last = why
            if self.state is BreakerState.HALF_OPEN:
                self._become(BreakerState.OPEN)
                return
            self._in_a_row += 1
            self._slot()[2] += 1
            failed = sum(slot[2] for slot in self._slots)
            total = failed + sum(slot[1] for slot in self._slots)
            limit = self.policy.consecutive_failures
            if (limit is not None and self._in_a_row >= limit) or (
                total >= self.policy.min_calls and failed >= self.policy.failure_rate * total
            ):
                self._become(BreakerState.OPEN)

    def gave_up(self, admitted: int) -> None:
        """An admitted call ended without saying anything about the service: it was cancelled here."""
        with self._lock:
            if admitted == self.generation and self.state is BreakerState.HALF_OPEN:
                self._trials -= 1

    def __repr__(self) -> str:
        return f"<Breaker {self.service} {self.state.value}>"


class Breaking:
    """A sender that asks a breaker first, and tells it how calls end."""

    def __init__(self, inner: Sender, breaker: Breaker, check: Callable[[Any], None] | None) -> None:
        self.inner = inner
        self.breaker = breaker
        self.check = check

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """See Sender."""
        breaker = self.breaker
        admitted = breaker.generation if breaker.state is _CLOSED else breaker.admit()
        try:
            response = self.inner.send(request, timeout, metadata, key)
        except errors.RpcError as error:
            self._report(admitted, error)
            raise
        except BaseException:
            breaker.gave_up(admitted)
            raise
        breaker.succeeded(admitted)
        return response

    def _report(self, admitted: int, error: errors.RpcError) -> None:
        if error.code() in self.breaker.policy.codes:
            self.breaker.failed(admitted, f"{error.code().name}: {error.details()}")
        elif error.code() is grpc.StatusCode.CANCELLED:
            self.breaker.gave_up(admitted)
        else:
            self.breaker.succeeded(admitted)

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """See Sender."""
        admitted = self.breaker.admit()
        try:
            pending = self.inner.start(request, timeout, metadata, key)
        except errors.RpcError as error:
            self._report(admitted, error)
            raise
        except BaseException:
            self.breaker.gave_up(admitted)
            raise

        def ended(call: Pending) -> None:
            error = outcome(call, self.check)[1]
            if error is None:
                self.breaker.succeeded(admitted)
            else:
                self._report(admitted, error)

        pending.add_done_callback(ended)
        return pending


_breakers: weakref.WeakSet[Breaker] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for breaker in list(_breakers):
        breaker._lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)
