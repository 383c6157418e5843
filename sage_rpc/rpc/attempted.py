"""A call under way that is made of attempts, one after another, as its user sees it: one call of grpc's.

What it is asked is answered by the attempt that counts, and not before it is known which that is. Whether and
when another attempt follows, a subclass decides. No callback runs under the lock.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

import grpc

from sage_rpc import errors

__all__ = ["AttemptedCall"]

_LOGGER = logging.getLogger("sage_rpc")


class AttemptedCall(grpc.Call, grpc.Future):
    """A future, or an iterator of responses, or both.

    Args:
        until: of time.monotonic, for all attempts together; None for no limit.
    """

    def __init__(self, until: float | None) -> None:
        self._until = until
        self._changed = threading.Condition()  # guards all below
        self._attempt: Any = None
        self._outcome: Any = None  # the attempt that counts, or an error between two, once the call has ended
        self._failed_between = False
        self._cancelled = False
        self._callbacks: list[Callable[[], None]] = []

    # -- what subclasses say, and are told

    def attempt_ended(self, attempt: Any) -> None:
        """An attempt is over: `begin` another one, now or later, or `end` the call."""
        raise NotImplementedError

    def may_be_followed(self, attempt: Any) -> bool:
        """Whether another attempt may follow this one, of which something was heard, or which has ended."""
        raise NotImplementedError

    def begin(self, attempt: Any) -> None:
        """From now on `attempt` counts."""
        with self._changed:
            self._attempt = attempt
            cancelled = self._cancelled
            self._changed.notify_all()
        if cancelled:
            attempt.cancel()
        attempt.add_done_callback(self.attempt_ended)

    def end(self, outcome: Any) -> None:
        """The call has ended: like this attempt, or with an error between two."""
        with self._changed:
            if self._outcome is not None:
                return
            self._outcome, self._failed_between = outcome, outcome is not self._attempt
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for callback in callbacks:
            try:
                callback()
            except Exception:
                _LOGGER.exception("Exception in a callback of %r", self)

    def _counts(self, attempt: Any, until: float | None = None) -> bool:
        """Whether no other attempt follows this one; waits `until` then, where that is not decided yet."""
        with self._changed:
            if not self._cancelled and self.may_be_followed(attempt):
                left = None if until is None else until - time.monotonic()
                if not self._changed.wait_for(
                    lambda: self._outcome is not None or self._attempt is not attempt or self._cancelled, left
                ):
                    raise grpc.FutureTimeoutError
            return self._attempt is attempt

    def _asked(self, ask: Callable[[Any], Any], until: float | None = None) -> Any:
        """What the attempt that counts answers. Waiting is left to it: it knows when it can tell."""
        while True:
            attempt = self._attempt
            try:
                answer = ask(attempt)
            except (grpc.RpcError, grpc.FutureCancelledError):
                if self._counts(attempt, until):
                    if self._failed_between:
                        return ask(self._outcome)
                    raise
            else:
                if self._counts(attempt, until):
                    return ask(self._outcome) if self._failed_between else answer

    def _in_time(self, timeout: float | None, ask: Callable[[Any, float | None], Any]) -> Any:
        until = None if timeout is None else time.monotonic() + timeout
        return self._asked(
            lambda attempt: ask(attempt, None if until is None else max(0.0, until - time.monotonic())), until
        )

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._attempt!r}>"

    # -- grpc.Call

    def code(self) -> Any:
        """As grpc's."""
        return self._asked(lambda attempt: attempt.code())

    def details(self) -> Any:
        """As grpc's."""
        return self._asked(lambda attempt: attempt.details())

    def initial_metadata(self) -> Any:
        """As grpc's: of the attempt that counts, as soon as the server has sent it."""
        return self._asked(lambda attempt: attempt.initial_metadata())

    def trailing_metadata(self) -> Any:
        """As grpc's."""
        return self._asked(lambda attempt: attempt.trailing_metadata())

    def debug_error_string(self) -> Any:
        """As grpc's."""
        return self._asked(lambda attempt: attempt.debug_error_string())

    def is_active(self) -> bool:
        """As grpc's."""
        return not self.done()

    def time_remaining(self) -> float | None:
        """As grpc's."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """As grpc's."""
        with self._changed:
            if self._outcome is None:
                self._callbacks.append(callback)
            return self._outcome is None

    # -- grpc.Future

    def cancel(self) -> bool:
        """As grpc's."""
        with self._changed:
            if self._outcome is not None:
                return False
            self._cancelled = True
            attempt = self._attempt
            self._changed.notify_all()
        if attempt is None or not attempt.cancel():
            text = "Locally cancelled by application!"
            self.end(errors.rpc_error(grpc.StatusCode.CANCELLED, text))
        return True

    def cancelled(self) -> bool:
        """As grpc's."""
        return self._cancelled

    def running(self) -> bool:
        """As grpc's."""
        return not self.done()

    def done(self) -> bool:
        """As grpc's."""
        attempt = self._attempt
        if attempt.done() and (self._cancelled or not self.may_be_followed(attempt)):
            return self._attempt is attempt
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> Any:
        """As grpc's."""
        return self._in_time(timeout, lambda attempt, left: self._unless_cancelled(attempt).result(left))

    def exception(self, timeout: float | None = None) -> Any:
        """As grpc's."""
        return self._in_time(timeout, lambda attempt, left: self._unless_cancelled(attempt).exception(left))

    def traceback(self, timeout: float | None = None) -> Any:
        """As grpc's."""
        return self._in_time(timeout, lambda attempt, left: self._unless_cancelled(attempt).traceback(left))

    def _unless_cancelled(self, attempt: Any) -> Any:
        if self._cancelled and self.done():
            raise grpc.FutureCancelledError
        return attempt

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """As grpc's."""
        if not self.add_callback(lambda: fn(self)):
            fn(self)

    # -- responses

    def __iter__(self) -> AttemptedCall:
        return self

    def __next__(self) -> Any:
        while True:
            attempt = self._attempt
            try:
                return next(attempt)
            except grpc.RpcError:
                if self._counts(attempt):
                    if self._failed_between:
                        raise self._outcome from None
                    raise

    def __del__(self) -> None:
        if getattr(self, "_outcome", self) is None:
            self.cancel()
