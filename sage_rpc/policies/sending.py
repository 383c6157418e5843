"""Senders: what a call goes through between its encoded request and its encoded response.

Every policy that sends, sends again or refuses to send is a `Sender` around another; the innermost one has
the transport. A chain of them is built once per method, so that a call looks nothing up. Each has two faces:
`send` waits, `start` gives a `Pending`, and both end with an error of the family (`sage_rpc.errors`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any, Protocol

import grpc

from sage_rpc import errors
from sage_rpc.text.exceptions import text_of, type_name

__all__ = [
    "CANCELLATIONS",
    "CANCELLED_HERE",
    "CallMetadata",
    "Direct",
    "Pending",
    "Routed",
    "Sender",
    "Series",
    "failure_of",
    "outcome",
]

_LOGGER = logging.getLogger("sage_rpc")
CallMetadata = tuple[tuple[str, str | bytes], ...] | None
PRIORITY = "sage-rpc-priority"  # metadata of a call that may overtake others that wait
CANCELLED_HERE = "Locally cancelled by application!"  # gRPC's words
# What futures raise that were cancelled: gRPC's, those of threads, those of loops.
CANCELLATIONS = (grpc.FutureCancelledError, futures.CancelledError, asyncio.CancelledError)


class Routed:
    """The key of a call that goes to one of several endpoints; the pool notes what carries it.

    Attributes:
        key: what consistent hashing goes by.
        transport: "shm" or "grpc", once an endpoint has been chosen.
    """

    __slots__ = ("key", "transport")

    def __init__(self, key: Any) -> None:
        self.key = key
        self.transport: str | None = None


class Pending(Protocol):
    """A call under way: what of a grpc.Future is used."""

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """Call `fn(self)` at the end, or now."""

    def result(self, timeout: float | None = None) -> Any:
        """The response; waits."""

    def exception(self, timeout: float | None = None) -> Any:
        """What it failed with; waits."""

    def cancel(self) -> bool:
        """End it, at the server too."""


class CalledEndpoint(Protocol):
    """An endpoint, as `Direct` sees it."""

    @property
    def channel(self) -> Any: ...

    def note_whether_it_ran(self, call: Any) -> None: ...


class Sender(Protocol):
    """Sends encoded requests."""

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """Send and wait. -> the response.

        Args:
            request: as the multicallable takes it.
            timeout: seconds.
            metadata: of the call.
            key: what consistent hashing goes by, or a `Routed` with it.

        Raises:
            RpcError: the call failed.
        """

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """Send. -> the call under way; `outcome` gives its end."""


def outcome(pending: Any, check: Callable[[Any], None] | None = None) -> tuple[Any, errors.RpcError | None]:
    """The response, or the error, of a call that has ended.

    Args:
        pending: the call.
        check: raises the error that a response may carry inside.
    """
    try:
        response = pending.result(0)
        if check is not None:
            check(response)
    except CANCELLATIONS:
        return None, errors.rpc_error(grpc.StatusCode.CANCELLED, CANCELLED_HERE)
    except grpc.RpcError as error:
        return None, errors.from_grpc(error)
    except BaseException as error:  # noqa: BLE001 - whoever waits for the end must learn of it
        return None, failure_of(error)
    return response, None


def failure_of(error: BaseException) -> errors.RpcError:
    """`error`, which no call should have ended with, as one of the family."""
    if isinstance(error, errors.RpcError):
        return error
    converted = errors.rpc_error(
        grpc.StatusCode.INTERNAL, f"{type_name(type(error))}: {text_of(error)}".removeprefix("builtins.")
    )
    converted.__cause__ = error
    return converted


class Direct:
    """The innermost sender: one multicallable.

    Args:
        endpoint: where the multicallable is: its `channel`, and what it notes of calls under way.
        multicallable: of that channel.
        check: raises the error that a response may carry inside.
    """

    __slots__ = ("_callable", "_endpoint", "check")

    def __init__(
        self, endpoint: CalledEndpoint, multicallable: Any, check: Callable[[Any], None] | None
    ) -> None:
        self._endpoint = endpoint
        self._callable = multicallable
        self.check = check

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """See Sender."""
        try:
            response = self._callable(request, timeout, metadata)
        except errors.RpcError:
            raise
        except grpc.RpcError as error:
            raise errors.from_grpc(error, self._endpoint.channel) from error
        if self.check is not None:
            self.check(response)
        return response

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """See Sender."""
        pending: Pending = self._callable.future(request, timeout, metadata)
        self._endpoint.note_whether_it_ran(pending)
        return pending


class Series:
    """One call made of several attempts: a `Pending`. Subclasses decide what happens when one has ended.

    Args:
        check: raises the error that a response may carry inside.
    """

    _side_by_side = False  # else there is one attempt at a time, and whoever waits receives for it

    def __init__(self, check: Callable[[Any], None] | None = None) -> None:
        self._check = check
        self._changed = threading.Condition()  # guards everything below; no callback runs under it
        self._live: list[Pending] = []
        self._over = False
        self._begun_once = False
        self._cancelled = False
        self._response: Any = None
        self._error: BaseException | None = None
        self._callbacks: list[Callable[[Any], None]] = []

    def _begin(self, send: Callable[[], Pending]) -> None:
        """Make one more attempt. One that cannot even start has failed.

        Raises:
            Exception: whatever the first attempt is refused with, as of a channel that is closed.
        """
        first, self._begun_once = not self._begun_once, True
        try:
            pending = send()
        except errors.RpcError as error:
            self._attempt_over(None, error)
            return
        except BaseException as error:
            if first:
                raise
            self._finish(None, failure_of(error))
            return
        with self._changed:
            over = self._over  # while it was being sent
            if not over:
                self._live.append(pending)
                self._changed.notify_all()
        if over:
            pending.cancel()
            return
        pending.add_done_callback(self._on_end)

    def _on_end(self, pending: Pending) -> None:
        with self._changed:
            if pending not in self._live:  # somebody else saw to it
                return
            self._live.remove(pending)
        self._attempt_over(*outcome(pending, self._check))

    def _attempt_over(self, response: Any, error: errors.RpcError | None) -> None:
        try:
            self._attempt_ended(response, error)
        except BaseException as failure:  # noqa: BLE001 - no timer more, for instance: whoever waits must learn of it
            self._finish(None, failure_of(failure))

    def _attempt_ended(self, response: Any, error: errors.RpcError | None) -> None:
        raise NotImplementedError

    def _finish(self, response: Any, error: BaseException | None, *, cancelled: bool = False) -> bool:
        """End the call with this, and what is still under way for it. -> False when it had ended."""
        with self._changed:
            if self._over:
                return False
            self._cancelled = cancelled
            self._response, self._error = response, error
            self._over = True
            live, self._live = self._live, []
            callbacks, self._callbacks = self._callbacks, []
            self._changed.notify_all()
        for pending in live:
            pending.cancel()
        for callback in callbacks:
            try:
                callback(self)
            except BaseException:  # the others want to know, too
                _LOGGER.exception("Exception in a callback of a call")
        return True

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """See Pending."""
        with self._changed:
            if not self._over:
                self._callbacks.append(fn)
                return
        fn(self)

    def cancel(self) -> bool:
        """See Pending."""
        return self._finish(
            None,
            errors.rpc_error(grpc.StatusCode.CANCELLED, CANCELLED_HERE),
            cancelled=True,
        )

    def _can_go_on(self) -> bool:
        """Whether whoever waits has something to do."""
        return self._over or (not self._side_by_side and bool(self._live))

    def _wait(self, timeout: float | None) -> None:
        until = None if timeout is None else time.monotonic() + timeout
        while not self._over:
            left = None if until is None else max(0.0, until - time.monotonic())
            with self._changed:
                if not self._changed.wait_for(self._can_go_on, left):
                    raise grpc.FutureTimeoutError
                if self._side_by_side or not self._live:
                    continue
                alone = self._live[0]
            try:
                alone.exception(left)
            except futures.TimeoutError:
                raise grpc.FutureTimeoutError from None
            except CANCELLATIONS:
                pass
            self._on_end(alone)
        if self._cancelled:
            raise grpc.FutureCancelledError

    def result(self, timeout: float | None = None) -> Any:
        """See Pending."""
        self._wait(timeout)
        if self._error is not None:
            raise self._error
        return self._response

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """See Pending."""
        self._wait(timeout)
        return self._error

    def __repr__(self) -> str:
        state = "over" if self._over else f"{len(self._live)} attempts under way"
        return f"<{type(self).__name__} {state}>"
