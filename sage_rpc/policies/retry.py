"""Retries: calls that failed are sent again.

`sage_rpc.transport.attempts` says whether and when. Here is what policies ask for besides: a method that is
not idempotent is sent again only when the call is known never to have run, none while its breaker is open,
and none for whose wait the deadline leaves no time.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from sage_rpc import errors
from sage_rpc.policies.breaker import CircuitOpen
from sage_rpc.policies.sending import CallMetadata, Pending, Sender, Series
from sage_rpc.policies.settings import RetryPolicy
from sage_rpc.policies.timer import Later, timer
from sage_rpc.transport.attempts import Attempts, Budget, Retry

__all__ = ["Retrying"]


class Retrying:
    """A sender that sends again.

    Args:
        inner: what sends.
        policy: when.
        idempotent: whether the method may run twice.
        budget: the service's.
        check: raises the error that a response may carry inside.
        again: called for each retry.
        later: calls a function after some seconds.
    """

    def __init__(
        self,
        inner: Sender,
        policy: RetryPolicy,
        budget: Budget,
        check: Callable[[Any], None] | None,
        again: Callable[[], None],
        *,
        idempotent: bool,
        later: Later = timer.call_later,
    ) -> None:
        self.inner = inner
        self.rules = Retry(**vars(policy))
        self.budget = budget
        self.check = check
        self.again = again
        self.idempotent = idempotent
        self.later = later

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """See Sender."""
        deadline = None if timeout is None else time.monotonic() + timeout
        attempts: Attempts | None = None
        while True:
            try:
                response = self.inner.send(request, timeout, metadata, key)
            except errors.RpcError as error:
                left = None if deadline is None else deadline - time.monotonic()
                attempts = attempts or Attempts(self.rules, self.budget)
                wait = self.wait_after(attempts, error, left)
                if wait is None:
                    raise
            else:
                if not self.budget.full:
                    self.budget.success()
                return response
            time.sleep(wait)
            if deadline is not None:
                timeout = deadline - time.monotonic()

    def wait_after(self, attempts: Attempts, error: errors.RpcError, left: float | None) -> float | None:
        """Seconds until a call that failed is sent again, or None: it is not.

        Args:
            attempts: of the call.
            error: what the last one ended with.
            left: seconds until the deadline; None: there is none.
        """
        final = isinstance(error, CircuitOpen) or not (self.idempotent or error.never_ran)
        wait = attempts.after(error.code(), error.trailing_metadata(), final=final)
        if wait is None or (left is not None and wait >= left):
            return None
        self.again()
        return wait

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """See Sender."""
        series = _RetrySeries(self, request, timeout, metadata, key)
        series.attempt()
        return series


class _RetrySeries(Series):
    """Attempts one after the other."""

    def __init__(
        self, retrying: Retrying, request: Any, timeout: float | None, metadata: CallMetadata, key: Any
    ) -> None:
        super().__init__(retrying.check)
        self._retrying = retrying
        self._arguments = request, metadata, key
        self._deadline = None if timeout is None else time.monotonic() + timeout
        self._attempts = Attempts(retrying.rules, retrying.budget)

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
        wait = self._retrying.wait_after(self._attempts, error, self._left())
        if wait is None:
            self._finish(None, error)
        else:
            self._retrying.later(wait, self.attempt)
