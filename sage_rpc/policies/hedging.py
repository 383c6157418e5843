"""Hedging: a call that is slow is sent again, to another endpoint where there is one, and the first good
answer counts.

The others are cancelled. What the budget of retries does not allow is not hedged either.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.policies.sending import CANCELLED_HERE, CallMetadata, Pending, Sender, Series
from sage_rpc.policies.settings import HedgingPolicy
from sage_rpc.policies.timer import Later, timer
from sage_rpc.transport.attempts import Budget

__all__ = ["Hedging"]


class Hedging:
    """A sender that does not wait for the first answer alone.

    Args:
        inner: what sends.
        policy: when.
        budget: the service's.
        check: raises the error that a response may carry inside.
        hedged: called for each further attempt.
        later: calls a function after some seconds.
    """

    def __init__(
        self,
        inner: Sender,
        policy: HedgingPolicy,
        budget: Budget,
        check: Callable[[Any], None] | None,
        hedged: Callable[[], None],
        later: Later = timer.call_later,
    ) -> None:
        self.inner = inner
        self.policy = policy
        self.budget = budget
        self.check = check
        self.hedged = hedged
        self.later = later

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """See Sender."""
        pending = self.start(request, timeout, metadata, key)
        try:
            return pending.result()
        except grpc.FutureCancelledError:  # by another thread
            raise errors.rpc_error(grpc.StatusCode.CANCELLED, CANCELLED_HERE) from None
        except errors.RpcError:
            raise
        except BaseException:
            pending.cancel()
            raise

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """See Sender."""
        series = _HedgeSeries(self, request, timeout, metadata, key)
        series.attempt()
        return series


class _HedgeSeries(Series):
    """Attempts side by side."""

    _side_by_side = True

    def __init__(
        self, hedging: Hedging, request: Any, timeout: float | None, metadata: CallMetadata, key: Any
    ) -> None:
        super().__init__(hedging.check)
        self._hedging = hedging
        self._arguments = request, metadata, key
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._begun = self._ended = 0
        self._last: errors.RpcError | None = None

    def attempt(self, after: int = 0) -> None:
        """Send once more, unless more than `after` have been sent meanwhile."""
        hedging = self._hedging
        with self._changed:
            if self._over or self._begun != after or self._begun >= hedging.policy.max_attempts:
                return
            if self._begun and not hedging.budget.allows:
                return
            self._begun += 1
            begun = self._begun
        if begun > 1:
            hedging.hedged()
        if begun < hedging.policy.max_attempts:
            hedging.later(hedging.policy.delay, lambda: self.attempt(begun))
        request, metadata, key = self._arguments
        left = None if self._deadline is None else self._deadline - time.monotonic()
        self._begin(lambda: hedging.inner.start(request, left, metadata, key))

    def _attempt_ended(self, response: Any, error: errors.RpcError | None) -> None:
        hedging = self._hedging
        if error is None:
            hedging.budget.success()
            self._finish(response, None)
            return
        hedging.budget.failure()
        if error.code() not in hedging.policy.codes:
            self._finish(None, error)
            return
        with self._changed:
            self._ended += 1
            begun = self._begun
        self.attempt(begun)
        with self._changed:
            all_failed = self._ended >= self._begun
        if all_failed:
            self._finish(None, error)
