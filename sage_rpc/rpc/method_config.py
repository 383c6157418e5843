"""Calls over the memory queue of methods of which the channel's service config says something.

gRPC's core applies the config to what it carries; here is what it does not see: deadlines, waiting for the
server, limits of messages, and retries as gRFC A6 has them. A call is tried again while the server has sent
neither metadata nor a message. Rules:

1. Only attempts over the memory queue are tried again here. One that gRPC carried has had its retries.
2. Waiting between two attempts is done by the caller's thread where it waits anyway, else by one of the
   threads that feed requests.
3. The lock of a call is not held while an attempt begins or users' callbacks run.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import Any

import grpc

from sage_rpc import errors, native
from sage_rpc.native import core
from sage_rpc.transport.attempts import Attempts
from sage_rpc.transport.service_config import ChannelConfig, MethodConfig
from sage_rpc.transport.shm import feeders

__all__ = ["RetriedCall", "configured"]

_LOGGER = logging.getLogger("sage_rpc")


def configured(
    config: ChannelConfig,
    usual: Mapping[str, Callable[..., Any]],
    kind: str,
    method: str,
    arguments: Iterable[Any],
) -> Any:
    """The multicallable of a method under `config`.

    Args:
        config: of the channel.
        usual: kind -> class of those of which it says nothing.
        kind: what grpc's channel calls it.
        method: its full name.
        arguments: of that class.
    """
    found = config.of(method)
    if found is None:
        return usual[kind](*arguments)
    made = _CONFIGURED[kind](*arguments)
    made.config, made.channel = found, config
    made.max_request, made.max_response = found.max_request, found.max_response
    return made


def _size(request: Any) -> int:
    """About how many bytes a request has."""
    size = getattr(request, "ByteSize", None)
    return int(size()) if size is not None else len(request) if isinstance(request, bytes) else 0


class _Configured:
    """What the four kinds share."""

    config: MethodConfig
    channel: ChannelConfig

    def begun(self, timeout: float | None, wait_for_ready: bool | None) -> tuple[Any, ...]:
        """-> what holds for a call: its timeout, whether it waits, its attempts (None: a single one)."""
        retry = self.config.retry
        attempts = None if retry is None else self.channel.attempts(retry)
        return self.config.deadline(timeout), self.config.waits(wait_for_ready), attempts

    def one(self, request: Any, attempts: Attempts) -> Callable[[], Any]:
        """What gives the only request of a call, for every attempt."""
        attempts.keeps(_size(request))
        return lambda: request

    def many(self, requests: Iterator[Any], attempts: Attempts) -> Callable[[], Any]:
        """What gives the requests of a call, for every attempt from the first one on."""
        return _Replay(requests, attempts).again


if native.available():

    class _UnaryUnary(_Configured, core.UnaryUnary):
        def __call__(
            self,
            request: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            return self.with_call(request, timeout, metadata, credentials, wait_for_ready, compression)[0]

        def with_call(
            self,
            request: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
            usual = super().with_call
            rest = (credentials, wait_for_ready, compression)
            if attempts is None:
                return usual(request, timeout, metadata, *rest)
            self.one(request, attempts)
            until = None if timeout is None else time.monotonic() + timeout
            while True:
                left = None if until is None else max(0.0, until - time.monotonic())
                try:
                    result = usual(request, left, attempts.metadata(metadata, core.Retried), *rest)
                except errors.RpcError as error:
                    final = bool(error.initial_metadata())
                    pause = attempts.after(error.code(), error.trailing_metadata(), final=final)
                    if pause is None:
                        raise
                    late = until is not None and time.monotonic() + pause >= until
                    time.sleep(pause if until is None else max(0.0, min(pause, until - time.monotonic())))
                    if late:
                        raise _too_late() from error
                else:
                    attempts.after(grpc.StatusCode.OK)
                    return result

        def future(
            self,
            request: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
            rest = (credentials, wait_for_ready, compression)
            if attempts is None:
                return super().future(request, timeout, metadata, *rest)
            given = self.one(request, attempts)
            return RetriedCall(super().future, given, timeout, metadata, rest, attempts)

    class _UnaryStream(_Configured, core.UnaryStream):
        def __call__(
            self,
            request: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
            rest = (credentials, wait_for_ready, compression)
            if attempts is None:
                return super().__call__(request, timeout, metadata, *rest)
            given = self.one(request, attempts)
            return RetriedCall(super().__call__, given, timeout, metadata, rest, attempts)

    class _StreamUnary(_Configured, core.StreamUnary):
        def __call__(
            self,
            request_iterator: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            return self.with_call(
                request_iterator, timeout, metadata, credentials, wait_for_ready, compression
            )[0]

        def with_call(
            self,
            request_iterator: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            if self.config.retry is None:
                timeout, wait_for_ready, _ = self.begun(timeout, wait_for_ready)
                return super().with_call(
                    request_iterator, timeout, metadata, credentials, wait_for_ready, compression
                )
            call = self.future(request_iterator, timeout, metadata, credentials, wait_for_ready, compression)
            try:
                return call.result(), call
            except grpc.RpcError:
                raise call.error() from None  # to grpcio's users, the error of a call that waits
            except BaseException:
                call.cancel()
                raise

        def future(
            self,
            request_iterator: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
            rest = (credentials, wait_for_ready, compression)
            if attempts is None:
                return super().future(request_iterator, timeout, metadata, *rest)
            given = self.many(request_iterator, attempts)
            return RetriedCall(super().future, given, timeout, metadata, rest, attempts)

    class _StreamStream(_Configured, core.StreamStream):
        def __call__(
            self,
            request_iterator: Any,
            timeout: float | None = None,
            metadata: Any = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> Any:
            timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
            rest = (credentials, wait_for_ready, compression)
            if attempts is None:
                return super().__call__(request_iterator, timeout, metadata, *rest)
            given = self.many(request_iterator, attempts)
            return RetriedCall(super().__call__, given, timeout, metadata, rest, attempts)

    _CONFIGURED: dict[str, Callable[..., Any]] = {
        "unary_unary": _UnaryUnary,
        "unary_stream": _UnaryStream,
        "stream_unary": _StreamUnary,
        "stream_stream": _StreamStream,
    }


def _too_late() -> errors.RpcError:
    return errors.rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")


class _Replay:
    """The requests of a call for one attempt after another, as far as they may be kept."""

    def __init__(self, requests: Iterator[Any], attempts: Attempts) -> None:
        self._requests = requests
        self._attempts = attempts
        self._lock = threading.Lock()  # one attempt at a time takes from the user's iterator
        self._kept: list[Any] = []
        self._end: BaseException | None = None

    def __repr__(self) -> str:
        return f"<_Replay of {len(self._kept)} requests>"

    def again(self) -> Iterator[Any]:
        """All requests from the first one on."""
        number = 0
        while True:
            with self._lock:
                if number < len(self._kept):
                    request = self._kept[number]
                elif self._end is not None:
                    if isinstance(self._end, StopIteration):
                        return
                    raise self._end
                else:
                    try:
                        request = next(self._requests)
                    except BaseException as end:
                        self._end = end
                        if isinstance(end, StopIteration):
                            return
                        raise
                    self._keep(request)
            number += 1
            yield request

    def _keep(self, request: Any) -> None:
        if self._attempts.keeps(_size(request)):
            self._kept.append(request)
        else:  # nobody will ask for them again
            self._kept = _Forgotten(len(self._kept) + 1)


class _Forgotten(list[Any]):
    """Requests that are not kept: only how many there were."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self._count = count

    def __len__(self) -> int:
        return self._count


class RetriedCall(grpc.Call, grpc.Future):
    """A call under way that is tried again: a future, or an iterator of responses, or both.

    Args:
        begin: starts an attempt: (requests, timeout, metadata, ...) -> its handle.
        given: gives what an attempt sends.
        timeout: seconds for all attempts together, or None.
        metadata: the user's.
        rest: the further arguments of `begin`.
        attempts: says what follows an attempt.
    """

    def __init__(
        self,
        begin: Callable[..., Any],
        given: Callable[[], Any],
        timeout: float | None,
        metadata: Any,
        rest: tuple[Any, ...],
        attempts: Attempts,
    ) -> None:
        self._begin, self._given, self._metadata, self._rest = begin, given, metadata, rest
        self._until = None if timeout is None else time.monotonic() + timeout
        self._attempts = attempts
        self._changed = threading.Condition()  # guards all below
        self._attempt: Any = None
        self._outcome: Any = None  # the attempt that counts, or an error between two, once the call has ended
        self._failed_between = False
        self._cancelled = False
        self._callbacks: list[Callable[[], None]] = []
        self._try()

    def __repr__(self) -> str:
        return f"<RetriedCall {self._attempts!r} {self._attempt!r}>"

    # -- attempts

    def _try(self) -> None:
        left = self.time_remaining()
        metadata = self._attempts.metadata(self._metadata, core.Retried)
        attempt = self._begin(self._given(), left, metadata, *self._rest)
        with self._changed:
            self._attempt = attempt
            cancelled = self._cancelled
            self._changed.notify_all()
        if cancelled:
            attempt.cancel()
        if not attempt.add_callback(lambda: self._ended(attempt)):
            self._ended(attempt)

    def _ended(self, attempt: Any) -> None:
        final = self._cancelled or getattr(attempt, "_heard", True)
        pause = self._attempts.after(attempt.code(), attempt.trailing_metadata(), final=final)
        if pause is None:
            self._end(attempt)
        else:
            feeders.run(self._try_after, pause)

    def _try_after(self, pause: float) -> None:
        at = time.monotonic() + pause
        late = self._until is not None and at >= self._until
        with self._changed:
            until = at if self._until is None else min(at, self._until)
            self._changed.wait_for(lambda: self._outcome is not None, max(0.0, until - time.monotonic()))
            if self._outcome is not None:
                return
        if late:
            self._end(_too_late())
            return
        try:
            self._try()
        except grpc.RpcError as error:
            self._end(errors.from_grpc(error))
        except ValueError as error:  # the channel was closed meanwhile
            self._end(errors.rpc_error(grpc.StatusCode.CANCELLED, str(error)))

    def _end(self, outcome: Any) -> None:
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

    def _ends(self, timeout: float | None = None) -> Any:
        with self._changed:
            if not self._changed.wait_for(lambda: self._outcome is not None, timeout):
                raise grpc.FutureTimeoutError
            return self._outcome

    def error(self) -> errors.RpcError:
        """What a blocking call that ended like this one raises."""
        return errors.rpc_error(
            self.code(),
            self.details(),
            initial_metadata=self.initial_metadata(),
            trailing_metadata=self.trailing_metadata(),
            debug_error_string=self.debug_error_string(),
        )

    # -- grpc.Call

    def code(self) -> Any:
        """As grpc's."""
        return self._ends().code()

    def details(self) -> Any:
        """As grpc's."""
        return self._ends().details()

    def trailing_metadata(self) -> Any:
        """As grpc's."""
        return self._ends().trailing_metadata()

    def debug_error_string(self) -> Any:
        """As grpc's."""
        return self._ends().debug_error_string()

    def initial_metadata(self) -> Any:
        """As grpc's: of the attempt that counts, as soon as the server has sent it."""
        while True:
            attempt = self._attempt
            found = attempt.initial_metadata()
            if self._counts(attempt):
                return found

    def _counts(self, attempt: Any) -> bool:
        """Whether no other attempt follows this one, of which something was heard, or which has ended."""
        with self._changed:
            if getattr(attempt, "_heard", True):
                return True
            self._changed.wait_for(lambda: self._outcome is not None or self._attempt is not attempt)
            return self._attempt is attempt or self._failed_between

    def is_active(self) -> bool:
        """As grpc's."""
        return not self.done()

    def time_remaining(self) -> float | None:
        """As grpc's."""
        return None if self._until is None else max(0.0, self._until - time.monotonic())

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """As grpc's."""
        with self._changed:
            if self._outcome is not None:
                return False
            self._callbacks.append(callback)
            return True

    # -- grpc.Future

    def cancel(self) -> bool:
        """As grpc's."""
        with self._changed:
            if self._outcome is not None:
                return False
            self._cancelled = True
            attempt = self._attempt
        if attempt is None or not attempt.cancel():
            text = "Locally cancelled by application!"
            self._end(errors.rpc_error(grpc.StatusCode.CANCELLED, text))
        return True

    def cancelled(self) -> bool:
        """As grpc's."""
        return self._cancelled

    def running(self) -> bool:
        """As grpc's."""
        return not self.done()

    def done(self) -> bool:
        """As grpc's."""
        self._attempt.done()  # which may have ended without anybody having looked
        return self._outcome is not None

    def result(self, timeout: float | None = None) -> Any:
        """As grpc's."""
        outcome = self._ends(timeout)
        if self._cancelled:
            raise grpc.FutureCancelledError
        return outcome.result()

    def exception(self, timeout: float | None = None) -> Any:
        """As grpc's."""
        outcome = self._ends(timeout)
        if self._cancelled:
            raise grpc.FutureCancelledError
        return outcome.exception()

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        """As grpc's."""
        outcome = self._ends(timeout)
        if self._cancelled:
            raise grpc.FutureCancelledError
        found: TracebackType | None = outcome.traceback()
        return found

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        """As grpc's."""
        if not self.add_callback(lambda: fn(self)):
            fn(self)

    # -- responses

    def __iter__(self) -> RetriedCall:
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
