"""Batches: many calls of one method in one round trip.

`BatchCall` makes one of given arguments, `DeclaredBatch` for a declared service. `Coalescing` makes them of
calls that happen at the same time: it is the innermost sender of a batchable method, takes one call's encoded
arguments, as they were when it was made, and gives its result. The first call of a batch sets its time; the
batch leaves when it is full or when that time has come.
"""

from __future__ import annotations

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding import values
from sage_rpc.policies.sending import CallMetadata, Pending, Sender, failure_of, outcome
from sage_rpc.policies.settings import BatchPolicy
from sage_rpc.policies.timer import Later, timer
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.text.exceptions import text_of

__all__ = [
    "Arguments",
    "BatchCall",
    "Coalescing",
    "DeclaredBatch",
    "results_of",
]

_LOGGER = logging.getLogger("sage_rpc")


class Arguments:
    """The arguments of one call of a batch, where it has not exactly one: `Arguments("key", default=0)`."""

    __slots__ = ("args", "kwargs")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args = args
        self.kwargs = kwargs

    def __repr__(self) -> str:
        parts = [*map(repr, self.args), *(f"{name}={value!r}" for name, value in self.kwargs.items())]
        return f"Arguments({', '.join(parts)})"


class BatchCall:
    """A batch as a request.

    Args:
        service: its name at its host.
        method: what is called for each item.
    """

    def __init__(self, service: str, method: str) -> None:
        self.name = f"{service}.{method}"
        self._service = service
        self._method = method

    def encode(self, items: Sequence[Any]) -> Any:
        """The request of one call for each item: an only argument, or `Arguments`.

        Raises:
            UnserializableError: an argument does not travel; the text names the item.
        """
        whole = any(type(item) is Arguments for item in items)
        calls = (
            [[list(item.args), item.kwargs] if type(item) is Arguments else [[item], {}] for item in items]
            if whole
            else list(items)
        )
        try:
            encoded = values.encode(calls, levels=values.CALL_LEVELS + 1)
        except values.UnserializableError as error:
            text = str(error).replace("value[", "item[", 1)
            raise values.UnserializableError(f"a batch of {self.name}: {text}") from None
        return invoke_pb2.BatchRequest(service=self._service, method=self._method, calls=encoded, whole=whole)

    def joined(self, calls: list[bytes]) -> Any:
        """The request of these calls, each the encoded list of its arguments by position and by name."""
        encoded = values.encode_list(calls)
        return invoke_pb2.BatchRequest(service=self._service, method=self._method, calls=encoded, whole=True)

    def results(self, response: Any) -> list[Any]:
        """The results, an error of the family where the method raised."""
        return results_of(response)


class DeclaredBatch:
    """A batch of a declared service's method.

    Args:
        service: its full name.
        method: its declared name.
        encode: arguments -> the request's bytes.
        response: the class of responses.
    """

    def __init__(
        self,
        service: str,
        method: str,
        encode: Callable[[tuple[Any, ...], dict[str, Any]], bytes],
        response: Any,
    ) -> None:
        self.name = f"{service}.{method}"
        self._service = service
        self._method = method
        self._encode = encode
        self._response = response

    def _message(self, item: Any) -> bytes:
        """The request of an item: a request, a dict of its fields, or `Arguments`."""
        if isinstance(item, Arguments):
            return self._encode(item.args, item.kwargs)
        return self._encode((), item) if isinstance(item, dict) else self._encode((item,), {})

    def encode(self, items: Sequence[Any]) -> Any:
        """The request of one call for each item.

        Raises:
            InvalidArgument: an item is no request.
        """
        return self.joined([self._message(item) for item in items])

    def joined(self, calls: list[bytes]) -> Any:
        """The request of these calls, each the bytes of its request."""
        return invoke_pb2.BatchRequest(service=self._service, method=self._method, calls=values.encode(calls))

    def results(self, response: Any) -> list[Any]:
        """The responses, an error of the family where a call failed."""
        parse = self._response.FromString
        results = [None if each is None else parse(each) for each in values.decode(response.results)]
        for failed in response.exceptions:
            code = _CODES.get(failed.code, grpc.StatusCode.UNKNOWN)
            results[failed.index - response.first] = errors.rpc_error(code, failed.details)
        return results


_CODES = {code.value[0]: code for code in grpc.StatusCode}


def results_of(response: Any) -> list[Any]:
    """The results in a response, an error of the family where the method raised."""
    results: list[Any] = values.decode(response.results, levels=values.LEVELS + 1)
    for failed in response.exceptions:
        remote = failed.exception
        results[failed.index - response.first] = errors.RemoteError(
            remote.type, remote.message, remote.traceback
        )
    return results


class _Waiting(futures.Future[Any]):
    """One call that waits for its batch to leave and come back: a `Pending`."""

    def __init__(self, encoded: bytes, deadline: float | None) -> None:
        super().__init__()
        self.encoded = encoded
        self.deadline = deadline
        self._over = False

    def result(self, timeout: float | None = None) -> Any:
        try:
            return super().result(timeout)
        except futures.CancelledError:
            raise grpc.FutureCancelledError from None
        except futures.TimeoutError as error:
            if isinstance(error, errors.RpcError):
                raise
            raise grpc.FutureTimeoutError from None

    def exception(self, timeout: float | None = None) -> Any:
        try:
            return super().exception(timeout)
        except futures.CancelledError:
            raise grpc.FutureCancelledError from None
        except futures.TimeoutError:
            raise grpc.FutureTimeoutError from None

    def end(self, response: Any, error: BaseException | None) -> None:
        with self._condition:  # its time and its answer may come at once
            if self._over:
                return
            self._over = True
        if not self.set_running_or_notify_cancel():
            return  # cancelled; the others of its batch are not
        if error is None:
            self.set_result(response)
        else:
            self.set_exception(error)


class Coalescing:
    """A sender of batches.

    Args:
        batch: makes the requests.
        inner: sends them.
        policy: how many, how long.
        single: sends one call alone, where the server turns out not to know batches.
        place: where a call with that key goes; only calls that go to the same place travel together.
        later: calls a function after some seconds.
    """

    check = None

    def __init__(
        self,
        batch: BatchCall | DeclaredBatch,
        inner: Sender,
        policy: BatchPolicy,
        single: Sender | None = None,
        place: Callable[[Any], Any] | None = None,
        later: Later = timer.call_later,
    ) -> None:
        self._batch = batch
        self._inner = inner
        self._policy = policy
        self._single = single
        self._place = place
        self._later = later
        self._alone = False  # the server knows no batches
        self.forget_parent()
        _coalescing.add(self)

    def forget_parent(self) -> None:
        """In a forked child: whoever waits is in the parent."""
        self._lock = threading.Lock()  # guards the batches that are being filled, by their places
        self._filling: dict[Any, list[_Waiting]] = {}

    def send(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Any:
        """See Sender; `request` is the encoded arguments, the response is the result."""
        return self._add(request, timeout, metadata, key).result()

    def start(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> Pending:
        """See Sender; `request` is the encoded arguments, the response is the result."""
        return self._add(request, timeout, metadata, key)

    def _add(self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any) -> _Waiting:
        call = _Waiting(request, None if timeout is None else time.monotonic() + timeout)
        if self._alone:
            self._send_alone(call, metadata, key)
            return call
        place = None if self._place is None else self._place(key)
        with self._lock:
            calls = self._filling.setdefault(place, [])
            calls.append(call)
            first, full = len(calls) == 1, len(calls) >= self._policy.max_size
        if full:
            self._leave(place, calls, metadata, key)
            return call
        try:
            if first:
                self._later(self._policy.max_delay, lambda: self._leave(place, calls, metadata, key))
            if timeout is not None and timeout < self._policy.max_delay:
                self._later(timeout, lambda: _expire(call))
        except RuntimeError:  # there can be no thread more: it does not wait for others
            self._leave(place, calls, metadata, key)
        return call

    def _leave(self, place: Any, filled: list[_Waiting], metadata: CallMetadata, key: Any) -> None:
        with self._lock:
            if self._filling.get(place) is not filled:
                return  # it was full before its time
            del self._filling[place]
        calls = [call for call in filled if not call.done()]
        try:
            if calls:
                self._send(calls, metadata, key)
        except BaseException as error:
            # Whatever it is, nobody may wait for ever. Of those that have ended already nothing changes.
            failure = failure_of(error)
            for call in filled:
                _end(call, None, failure)
            if not isinstance(error, Exception):
                raise

    def _send(self, calls: list[_Waiting], metadata: CallMetadata, key: Any) -> None:
        request = self._batch.joined([call.encoded for call in calls])
        deadlines = [call.deadline for call in calls]
        # The batch may take as long as its most patient call; the others give up by themselves.
        until = None if None in deadlines else max(each for each in deadlines if each is not None)
        for call in calls:
            if call.deadline is not None and call.deadline != until:
                self._later(call.deadline - time.monotonic(), lambda call=call: _expire(call))  # type: ignore[misc]
        try:
            pending = self._inner.start(
                request, None if until is None else until - time.monotonic(), metadata, key
            )
        except grpc.RpcError as error:
            for call in calls:
                _end(call, None, error)
            return
        pending.add_done_callback(lambda ended: self._arrive(ended, calls, metadata, key))

    def _arrive(self, ended: Any, calls: list[_Waiting], metadata: CallMetadata, key: Any) -> None:
        response, error = outcome(ended)
        results: list[Any] = []
        if error is None:
            try:
                results = self._batch.results(response)
                if len(results) != len(calls):
                    raise ValueError(f"{len(results)} results of {len(calls)} calls")
            except BaseException as failure:  # noqa: BLE001 - whatever it is, nobody may wait for ever
                error = errors.rpc_error(
                    grpc.StatusCode.INTERNAL,
                    f"the response to a batch of {self._batch.name}: {text_of(failure)}",
                )
        if error is None:
            for call, result in zip(calls, results, strict=True):
                if isinstance(result, errors.RpcError):
                    _end(call, None, result)
                else:
                    _end(call, result, None)
        elif error.code() is grpc.StatusCode.UNIMPLEMENTED and self._single is not None:
            self._alone = True
            text = "batch has no effect for %s: its server knows no batches of declared services"
            _LOGGER.warning(text, self._batch.name)
            for call in calls:
                self._send_alone(call, metadata, key)
        else:
            for call in calls:
                _end(call, None, error)

    def _send_alone(self, call: _Waiting, metadata: CallMetadata, key: Any) -> None:
        assert self._single is not None  # noqa: S101 - for mypy; the caller has looked
        left = None if call.deadline is None else call.deadline - time.monotonic()
        try:
            pending = self._single.start(call.encoded, left, metadata, key)
        except BaseException as error:
            _end(call, None, failure_of(error))
            if not isinstance(error, Exception):
                raise
            return
        pending.add_done_callback(lambda ended: _end(call, *outcome(ended)))

    def __repr__(self) -> str:
        return f"<Coalescing {self._batch.name}, {sum(map(len, self._filling.values()))} waiting>"


def _end(call: _Waiting, response: Any, error: BaseException | None) -> None:
    try:
        call.end(response, error)
    except BaseException:  # a callback's; the others of the batch want to end, too
        _LOGGER.exception("Exception in a callback of a call of a batch")


def _expire(call: _Waiting) -> None:
    if not call.done():
        _end(call, None, errors.rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded"))


_coalescing: weakref.WeakSet[Coalescing] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for each in list(_coalescing):
        each.forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
