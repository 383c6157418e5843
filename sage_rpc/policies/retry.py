"""Retries: what is sent again, when, and how much of it.

The rules, in order: only codes of the policy; only attempts that the policy allows; a method that is not
idempotent only when the call is known never to have run; only while the service's budget lasts; only if the
deadline leaves time for the wait. A server's pushback (`grpc-retry-pushback-ms`, gRFC A6) replaces the wait,
or forbids the retry. Waits grow exponentially, with jitter.
"""

from __future__ import annotations

import contextlib
import os
import random
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

from sage_rpc import errors
from sage_rpc.policies.breaker import CircuitOpen
from sage_rpc.policies.sending import Metadata, Pending, Sender, Series
from sage_rpc.policies.settings import RetryBudgetPolicy, RetryPolicy
from sage_rpc.policies.timer import timer

__all__ = ["RetryBudget", "Retrying", "backoff", "wait_before_next"]

_PUSHBACK = "grpc-retry-pushback-ms"


class RetryBudget:
    """The tokens of a service, shared by all of its methods and threads."""

    def __init__(self, policy: RetryBudgetPolicy) -> None:
        self._policy = policy
        self._tokens = float(policy.max_tokens)
        self.full = True  # so that a success need not even ask
        self._lock = threading.Lock()  # guards _tokens
        _budgets.add(self)

    def success(self) -> None:
        """A call succeeded."""
        with self._lock:
            self._tokens = min(self._policy.max_tokens, self._tokens + self._policy.token_ratio)
            self.full = self._tokens >= self._policy.max_tokens

    def failure(self) -> bool:
        """A call failed. -> whether it may be tried again."""
        with self._lock:
            self._tokens = max(0.0, self._tokens - 1)
            self.full = False
            return self._tokens > self._policy.max_tokens / 2

    @property
    def allows(self) -> bool:
        """Whether something may be tried again now."""
        return self._tokens > self._policy.max_tokens / 2

    def __repr__(self) -> str:
        return f"<RetryBudget {self._tokens:g} of {self._policy.max_tokens:g} tokens>"


_budgets: weakref.WeakSet[RetryBudget] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for budget in list(_budgets):
        budget._lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)


def backoff(
    policy: RetryPolicy, failed: int, draw: Callable[[float, float], float] = random.uniform
) -> float:
    """Seconds to wait after `failed` attempts."""
    wait = min(policy.max_backoff, policy.initial_backoff * policy.backoff_multiplier ** (failed - 1))
    return wait * draw(1 - policy.jitter, 1 + policy.jitter)


def wait_before_next(
    policy: RetryPolicy,
    error: errors.RpcError,
    failed: int,
    *,
    idempotent: bool,
    left: float | None,
) -> float | None:
    """Seconds to wait before the call is sent again, or None: it is not.

    Args:
        policy: of the method.
        error: what the last attempt ended with.
        failed: attempts that failed.
        idempotent: whether it may run twice.
        left: seconds until the deadline; None: there is none.
    """
    if error.code() not in policy.codes or failed >= policy.max_attempts or isinstance(error, CircuitOpen):
        return None
    if not idempotent and not error.never_ran:
        return None
    wait = backoff(policy, failed)
    for name, value in error.trailing_metadata():
        if name == _PUSHBACK:
            wait = -1.0
            with contextlib.suppress(ValueError):
                wait = int(value) / 1000
            if wait < 0:
                return None
    return None if left is not None and wait >= left else wait


class Retrying:
    """A sender that sends again.

    Args:
        inner: what sends.
        policy: when.
        idempotent: whether the method may run twice.
        budget: the service's.
        check: raises the error that a response may carry inside.
        again: called for each retry.
    """

    def __init__(
        self,
        inner: Sender,
        policy: RetryPolicy,
        budget: RetryBudget,
        check: Callable[[Any], None] | None,
        again: Callable[[], None],
        *,
        idempotent: bool,
    ) -> None:
        self.inner = inner
        self.policy = policy
        self.budget = budget
        self.check = check
        self.again = again
        self.idempotent = idempotent

    def send(self, request: Any, timeout: float | None, metadata: Metadata, key: Any) -> Any:
        """See Sender."""
        deadline = None if timeout is None else time.monotonic() + timeout
        failed = 0
        while True:
            try:
                response = self.inner.send(request, timeout, metadata, key)
            except errors.RpcError as error:
                failed += 1
                left = None if deadline is None else deadline - time.monotonic()
                wait = self.next_wait(error, failed, left)
                if wait is None:
                    raise
            else:
                if not self.budget.full:
                    self.budget.success()
                return response
            time.sleep(wait)
            if deadline is not None:
                timeout = deadline - time.monotonic()

    def next_wait(self, error: errors.RpcError, failed: int, left: float | None) -> float | None:
        """Decide about a failed attempt, and pay for it."""
        counts = error.code() in self.policy.codes
        if counts and not self.budget.failure():
            return None
        wait = wait_before_next(self.policy, error, failed, idempotent=self.idempotent, left=left)
        if wait is not None:
            self.again()
        return wait

    def start(self, request: Any, timeout: float | None, metadata: Metadata, key: Any) -> Pending:
        """See Sender."""
        series = _RetrySeries(self, request, timeout, metadata, key)
        series.attempt()
        return series


class _RetrySeries(Series):
    """Attempts one after the other."""

    def __init__(
        self, retrying: Retrying, request: Any, timeout: float | None, metadata: Metadata, key: Any
    ) -> None:
        super().__init__(retrying.check)
        self._retrying = retrying
        self._arguments = request, metadata, key
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._failed = 0

    def _left(self) -> float | None:
        return None if self._deadline is None else self._deadline - time.monotonic()

    def attempt(self) -> None:
        if self._over:
            return
        request, metadata, key = self._arguments
        self._begin(lambda: self._retrying.inner.start(request, self._left(), metadata, key))

    def _attempt_ended(self, response: Any, error: errors.RpcError | None) -> None:
        if error is None:
            self._retrying.budget.success()
            self._finish(response, None)
            return
        self._failed += 1
        wait = self._retrying.next_wait(error, self._failed, self._left())
        if wait is None:
            self._finish(None, error)
        else:
            timer.call_later(wait, self.attempt)
