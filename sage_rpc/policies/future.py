"""The future of a call by name: a `concurrent.futures.Future`, awaitable too; who waits, receives."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Generator
from concurrent import futures
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.policies.sending import Pending
from sage_rpc.text.exceptions import text_of

__all__ = ["ServiceFuture", "completed", "failed", "response_or_error"]

_LOGGER = logging.getLogger("sage_rpc")
_CANCELLED = "Locally cancelled by application!"


def response_or_error(response: Any, error: errors.RpcError | None) -> Any:
    """What concludes a future whose response is its result."""
    if error is not None:
        raise error
    return response


class ServiceFuture(futures.Future[Any]):
    """The future of a call.

    Args:
        pending: the call under way; None: the result is set by whoever made the future.
        conclude: makes the result of a response, or of an error (then the response is None), or raises.
        check: raises the error that a response may carry inside.
    """

    def __init__(
        self,
        pending: Pending | None,
        conclude: Callable[[Any, errors.RpcError | None], Any] | None = None,
        check: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__()
        self._pending = pending
        self._conclude = conclude
        self._check = check
        self._claim = threading.Lock()  # taken for good by the thread that turns the ended call into a result
        self.set_running_or_notify_cancel()
        if pending is not None:
            pending.add_done_callback(self._settle)

    def _settle(self, pending: Pending) -> None:
        if not self._claim.acquire(blocking=False):
            return
        conclude, self._conclude = self._conclude, None
        cancelled = False
        error: errors.RpcError | None = None
        response: Any = None
        try:
            response = pending.result(0)
            if self._check is not None:
                self._check(response)
        except grpc.FutureCancelledError:
            cancelled = True
            error = errors.rpc_error(grpc.StatusCode.CANCELLED, _CANCELLED)
        except grpc.RpcError as failure:
            error = errors.from_grpc(failure)
        except BaseException as failure:  # noqa: BLE001 - it is the caller's to see, and must not get lost
            text = f"{type(failure).__name__}: {text_of(failure)}"
            error = errors.rpc_error(grpc.StatusCode.INTERNAL, text)
            error.__cause__ = failure
        try:
            result = response if conclude is None else conclude(response, error)
        except BaseException as failure:  # noqa: BLE001 - whatever it is, it is the caller's to see
            if cancelled:
                self._finish_cancelled()
            else:
                self.set_exception(failure)
        else:
            if cancelled:
                self._finish_cancelled()
            else:
                self.set_result(result)

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
        super().cancel()
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
        except grpc.FutureCancelledError:
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


def completed(compute: Callable[[], Any]) -> ServiceFuture:
    """A future that is done, with what `compute()` gives or raises."""
    future = ServiceFuture(None)
    try:
        result = compute()
    except Exception as error:  # noqa: BLE001 - it is the caller's to see, when asked
        future.set_exception(error)
    else:
        future.set_result(result)
    return future


def failed(error: errors.RpcError) -> ServiceFuture:
    """The future of a call that has failed before it began."""
    future = ServiceFuture(None)
    future.set_exception(error)
    return future
