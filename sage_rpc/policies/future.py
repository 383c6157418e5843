"""The future of a call by name: a `concurrent.futures.Future`, awaitable too; who waits, receives.

How the end of a call becomes a result stands in `Concluding`, for this future and for that of an event loop
(`sage_rpc.policies.loop`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from concurrent import futures
from typing import TYPE_CHECKING, Any

import grpc

from sage_rpc import errors
from sage_rpc.policies.sending import CANCELLATIONS, CANCELLED_HERE, Pending, failure_of

__all__ = ["Concluding", "ServiceFuture", "completed", "failed", "response_or_error"]

_LOGGER = logging.getLogger("sage_rpc")


def response_or_error(response: Any, error: errors.RpcError | None) -> Any:
    """What concludes a future whose response is its result."""
    if error is not None:
        raise error
    return response


class Concluding:
    """A future that makes the end of a call its own.

    Args:
        pending: the call under way; None: the result is set by whoever made the future.
        conclude: makes the result of a response, or of an error (then the response is None), or raises; None:
            the end of `pending` is the future's, whatever it is.
        check: raises the error that a response may carry inside.
    """

    def __init__(
        self,
        pending: Pending | None,
        conclude: Callable[[Any, errors.RpcError | None], Any] | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        self._pending = pending
        self._conclude = conclude
        self._check = check
        if pending is not None:
            pending.add_done_callback(self._settle)

    def _claim(self) -> bool:
        """Whether the caller is the one that turns the ended call into a result."""
        raise NotImplementedError

    def _finish_cancelled(self) -> None:
        raise NotImplementedError

    def _settle(self, pending: Pending) -> None:
        if not self._claim():
            return
        conclude, self._conclude = self._conclude, None
        cancelled = False
        error: BaseException | None = None
        result: Any = None
        try:
            result = pending.result(0)
            if self._check is not None:
                self._check(result)
        except CANCELLATIONS:
            cancelled = True
            error = errors.rpc_error(grpc.StatusCode.CANCELLED, CANCELLED_HERE)
        except grpc.RpcError as failure:
            error = errors.from_grpc(failure)
        except BaseException as failure:  # noqa: BLE001 - it is the caller's to see, and must not get lost
            error = failure if conclude is None else failure_of(failure)
        if conclude is not None:
            try:
                result, error = conclude(None if error is not None else result, error), None  # type: ignore[arg-type]
            except BaseException as failure:  # noqa: BLE001 - whatever it is, it is the caller's to see
                error = failure
        if cancelled:
            self._finish_cancelled()
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(result)

    if TYPE_CHECKING:

        def set_result(self, result: Any) -> None:
            """As of any future."""

        def set_exception(self, exception: Any) -> None:
            """As of any future."""


class ServiceFuture(Concluding, futures.Future[Any]):
    """The future of a call that threads wait for; see `Concluding`."""

    def __init__(
        self,
        pending: Pending | None = None,
        conclude: Callable[[Any, errors.RpcError | None], Any] | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        futures.Future.__init__(self)
        self._claimed = threading.Lock()  # taken for good by the thread that concludes
        self.set_running_or_notify_cancel()
        Concluding.__init__(self, pending, conclude, check)

    def _claim(self) -> bool:
        return self._claimed.acquire(blocking=False)

    def _invoke_callbacks(self) -> None:
        # The standard library lets SystemExit and its like through: to the thread that reads for all calls,
        # and past the other callbacks.
        callbacks: list[Callable[[Any], Any]] = self._done_callbacks  # type: ignore[attr-defined]
        for callback in callbacks:
            try:
                callback(self)
            except BaseException:
                _LOGGER.exception("Exception in a callback of %r", self)

    def _finish_cancelled(self) -> None:
        with self._condition:
            # A running future of the standard library cannot be cancelled; a call can.
            self._state = "PENDING"
        futures.Future.cancel(self)
        self.set_running_or_notify_cancel()

    def _wait(self, timeout: float | None) -> None:
        """Receive until the call has ended, if nobody else has yet."""
        pending = self._pending
        if pending is None or self.done():
            return
        try:
            pending.exception(timeout)
        except grpc.FutureTimeoutError:
            raise futures.TimeoutError(f"the call has not ended after {timeout} s") from None
        except CANCELLATIONS:
            pass
        self._settle(pending)

    def result(self, timeout: float | None = None) -> Any:
        """The result; waits at most `timeout` seconds.

        Raises:
            TimeoutError: the call goes on.
            CancelledError: it was cancelled.
            RpcError: it failed.
        """
        self._wait(timeout)
        return super().result(timeout)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the call failed with, or None; waits at most `timeout` seconds."""
        self._wait(timeout)
        return super().exception(timeout)

    def cancel(self) -> bool:
        """End the call, at the server too. -> False when it had ended."""
        pending = self._pending
        if self.done() or pending is None or not pending.cancel():
            return False
        self._settle(pending)
        return True

    def __await__(self) -> Generator[Any, None, Any]:
        """Wait in an event loop; cancelling the task cancels the call."""
        return asyncio.wrap_future(self).__await__()


def completed(compute: Callable[[], Any], make: Callable[[], Any] = ServiceFuture) -> Any:
    """A future, made by `make`, that is done, with what `compute()` gives or raises."""
    future = make()
    try:
        result = compute()
    except Exception as error:  # noqa: BLE001 - it is the caller's to see, when asked
        future.set_exception(error)
    else:
        future.set_result(result)
    return future


def failed(error: errors.RpcError) -> ServiceFuture:
    """The future of a call that has failed before it began."""
    future = ServiceFuture()
    future.set_exception(error)
    return future
