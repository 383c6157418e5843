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
from typing import Any

import grpc

from sage_rpc import errors, native
from sage_rpc.native import core
from sage_rpc.rpc.attempted import AttemptedCall
from sage_rpc.rpc.faces import ManyResponsesFace, OneResponseFace
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
    """What the four kinds share: attempts, each made by the function of the native class that was called."""

    config: MethodConfig
    channel: ChannelConfig
    native: type[Any]

    def begun(self, timeout: float | None, wait_for_ready: bool | None) -> tuple[Any, ...]:
        """-> what holds for a call: its timeout, whether it waits, its attempts (None: a single one)."""
        retry = self.config.retry
        attempts = None if retry is None else self.channel.attempts(retry)
        return self.config.deadline(timeout), self.config.waits(wait_for_ready), attempts

    def usual(self, start: str) -> Any:
        """That function."""
        return getattr(self.native, start).__get__(self)

    def given(self, request: Any, attempts: Attempts) -> Callable[[], Any]:
        """What gives the only request of a call, for every attempt."""
        attempts.keeps(_size(request))
        return lambda: request

    def started(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        """See the face."""
        credentials, wait_for_ready, compression = rest
        timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
        rest = (credentials, wait_for_ready, compression)
        if attempts is None:
            return self.usual(start)(request, timeout, metadata, *rest)
        given = self.given(request, attempts)
        return RetriedCall(self.usual(start), given, timeout, metadata, rest, attempts)


class _ManyRequests(_Configured):
    def given(self, request: Any, attempts: Attempts) -> Callable[[], Any]:
        """What gives the requests of a call, for every attempt from the first one on."""
        return _Replay(request, attempts).again


if native.available():

    class _UnaryUnary(_Configured, OneResponseFace, core.UnaryUnary):
        native = core.UnaryUnary

        def waited(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
            credentials, wait_for_ready, compression = rest
            timeout, wait_for_ready, attempts = self.begun(timeout, wait_for_ready)
            rest = (credentials, wait_for_ready, compression)
            usual = self.usual(start)
            if attempts is None:
                return usual(request, timeout, metadata, *rest)
            self.given(request, attempts)
            until = None if timeout is None else time.monotonic() + timeout
            while True:
                left = None if until is None else max(0.0, until - time.monotonic())
                try:
                    answer = usual(request, left, attempts.metadata(metadata, core.Retried), *rest)
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
                    return answer

    class _StreamUnary(_ManyRequests, OneResponseFace, core.StreamUnary):
        native = core.StreamUnary

        def waited(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
            if self.config.retry is None:
                return self.started(start, request, timeout, metadata, *rest)
            call = self.started("future", request, timeout, metadata, *rest)
            try:
                response = call.result()
            except grpc.RpcError:
                raise call.error() from None  # to grpcio's users, the error of a call that waits
            except BaseException:
                call.cancel()
                raise
            return (response, call) if start == "with_call" else response

    class _UnaryStream(_Configured, ManyResponsesFace, core.UnaryStream):
        native = core.UnaryStream

    class _StreamStream(_ManyRequests, ManyResponsesFace, core.StreamStream):
        native = core.StreamStream

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


class RetriedCall(AttemptedCall):
    """A call under way that is tried again.

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
        super().__init__(None if timeout is None else time.monotonic() + timeout)
        self._start, self._given, self._metadata, self._rest = begin, given, metadata, rest
        self._attempts = attempts
        self._try()

    def _try(self) -> None:
        metadata = self._attempts.metadata(self._metadata, core.Retried)
        self.begin(self._start(self._given(), self.time_remaining(), metadata, *self._rest))

    def may_be_followed(self, attempt: Any) -> bool:
        """See AttemptedCall."""
        return not getattr(attempt, "_heard", True)

    def attempt_ended(self, attempt: Any) -> None:
        """See AttemptedCall."""
        final = self._cancelled or not self.may_be_followed(attempt)
        pause = self._attempts.after(attempt.code(), attempt.trailing_metadata(), final=final)
        if pause is None:
            self.end(attempt)
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
            self.end(_too_late())
            return
        try:
            self._try()
        except grpc.RpcError as error:
            self.end(errors.from_grpc(error))
        except ValueError as error:  # the channel was closed meanwhile
            self.end(errors.rpc_error(grpc.StatusCode.CANCELLED, str(error)))

    def error(self) -> errors.RpcError:
        """What a blocking call that ended like this one raises."""
        return errors.rpc_error(
            self.code(),
            self.details(),
            initial_metadata=self.initial_metadata(),
            trailing_metadata=self.trailing_metadata(),
            debug_error_string=self.debug_error_string(),
        )
