"""From a channel and a method's name to what a generated client calls, and the streams that it gives.

`Binder` makes callables that wait, `AsyncBinder` ones that give futures, `AioBinder` ones that give
coroutines. Rules that hold here: errors are the family of `sage_rpc.errors`, whichever transport and API
they come from; a deadline is, in this order, the call's `timeout`, the `.proto`'s, for calls without streams
the manager's, and never later than that of the call being served.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from sage_rpc import errors, native, serving
from sage_rpc.encoding.messages import check_complete, invalid, may_be_incomplete, missing_fields
from sage_rpc.errors import Metadata
from sage_rpc.policies.future import ServiceFuture, failed, response_or_error
from sage_rpc.policies.sources import proto
from sage_rpc.text.exceptions import text_of

__all__ = ["AioBinder", "AioStream", "AsyncBinder", "Binder", "Metadata", "Stream"]

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)
ResponseT_co = TypeVar("ResponseT_co", bound=Message, covariant=True)


# -- streams of responses


class Stream(Protocol[ResponseT_co]):
    """The responses of a call: an iterator that is also the call."""

    def __iter__(self) -> Iterator[ResponseT_co]: ...

    def __next__(self) -> ResponseT_co:
        """The next response; raises the error of a call that failed."""

    def cancel(self) -> bool:
        """End the call."""

    def is_active(self) -> bool:
        """Whether the call goes on."""

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""

    def code(self) -> grpc.StatusCode:
        """How the call ended; waits until it has."""

    def details(self) -> str:
        """What the service says about it; waits as `code` does."""

    def initial_metadata(self) -> Metadata:
        """What the service sent before the first response; waits for it."""

    def trailing_metadata(self) -> Metadata:
        """What the service sent at the end; waits for it."""


class _FamilyStream:
    """grpcio's call of a stream, whose errors become those of the family."""

    def __init__(self, call: Any) -> None:
        self._call = call

    def __iter__(self) -> _FamilyStream:
        return self

    def __next__(self) -> Any:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            end = errors.from_grpc(error)
            raise end from end.__cause__

    def debug_error_string(self) -> str:
        """What a person would want to know besides; grpcio's own never comes if this side ended the call."""
        self._call.code()
        return errors.debug_string(self._call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __repr__(self) -> str:
        return repr(self._call)


class AioStream(Generic[ResponseT_co]):
    """The responses of a call, for `async for`; it is also the call.

    Leaving the loop early does not end the call: `cancel()` does. Reading on after an error gives it again.
    """

    def __init__(self, call: Any, path: str, requests: _Requests | None) -> None:
        self._call = call
        self._path = path
        self._requests = requests
        self._responses: AsyncIterator[ResponseT_co] | None = None
        self._cancelled = False
        self._error: errors.RpcError | None = None

    def __aiter__(self) -> AsyncIterator[ResponseT_co]:
        return self

    async def __anext__(self) -> ResponseT_co:
        if self._error is not None:
            raise self._error
        try:
            if self._responses is None:
                self._responses = aiter(self._call)
            response = await anext(self._responses)
        except StopAsyncIteration:
            raise
        except _RAISED as error:
            end = _of_the_family(self._path, error, self._requests, cancelled=self._cancelled)
            if isinstance(end, errors.RpcError):
                self._error = end
            raise end from end.__cause__
        if response is None:
            self._error = _does_not_parse()
            self._call.cancel()
            raise self._error
        return response

    def cancel(self) -> bool:
        """End the call. -> False when it had ended."""
        self._cancelled = bool(self._call.cancel())
        return self._cancelled

    def done(self) -> bool:
        """Whether the call has ended."""
        return bool(self._call.done())

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""
        left: float | None = self._call.time_remaining()
        return left

    async def code(self) -> grpc.StatusCode:
        """How the call ended, when it has."""
        return await self._call.code() if self._error is None else self._error.code()

    async def details(self) -> str:
        """What the service says about that."""
        return str(await self._call.details()) if self._error is None else self._error.details()

    async def initial_metadata(self) -> Metadata:
        """What the service sent before the first response."""
        return tuple(await self._call.initial_metadata())

    async def trailing_metadata(self) -> Metadata:
        """What the service sent at the end."""
        return tuple(await self._call.trailing_metadata())

    def __repr__(self) -> str:
        return repr(self._call)


# -- errors

_CANCELLED = "Locally cancelled by application!"
_NOT_SERIALIZED = "Exception serializing request!"
_NOT_PARSED = "Exception deserializing response!"
_NOT_ITERATED = "Exception iterating requests!"


def _refused(path: str, error: BaseException) -> errors.InvalidArgument:
    """The error of a call that could not begin: of its metadata, say, or because its channel is closed."""
    if isinstance(error, errors.InvalidArgument):
        return error
    return invalid(f"{_full_name(path)}: {text_of(error)}")


class _Requests:
    """The requests of a call for asyncio, as grpc.aio takes them, and why they ended early, if they did.

    grpc.aio cancels a call whose requests raise, which then looks as if the caller had done that; and instead
    of a request that cannot be serialized, it sends an empty one.

    Args:
        path: of the method.
        kind: of its requests.
        given: an iterable, asynchronous or not.

    Attributes:
        failure: the error of the family that the call has ended with for their sake.
    """

    def __init__(self, path: str, kind: type[Message], given: Any) -> None:
        if not isinstance(given, (AsyncIterable, Iterable)):
            raise _no_requests(path, given)
        self._path = path
        self._kind = kind
        self._given = given
        self.failure: errors.RpcError | None = None

    async def __aiter__(self) -> AsyncIterator[Message]:
        try:
            if isinstance(self._given, AsyncIterable):
                async for request in self._given:
                    yield self._checked(request)
            else:
                for request in self._given:
                    yield self._checked(request)
        except Exception as error:
            if self.failure is None:
                self.failure = errors.rpc_error(grpc.StatusCode.UNKNOWN, _NOT_ITERATED)
                self.failure.__cause__ = error
            raise

    def _checked(self, request: Any) -> Message:
        if isinstance(request, self._kind) and request.IsInitialized():
            return request
        name = self._kind.DESCRIPTOR.full_name
        if isinstance(request, self._kind):
            why = f"{missing_fields(request)} of {name} must be set"
        else:
            why = f"{_full_name(self._path)} takes requests of {name}, not of {type(request).__name__}"
        self.failure = errors.rpc_error(grpc.StatusCode.INTERNAL, f"{_NOT_SERIALIZED} {why}")
        raise self.failure


# What calls for asyncio raise. Whatever else comes out of one, an interceptor raised.
_RAISED = (
    grpc.RpcError,
    asyncio.CancelledError,
    grpc.aio.UsageError,
    grpc.aio.InternalError,
    TypeError,
    ValueError,
)


def _of_the_family(
    path: str, error: BaseException, requests: _Requests | None, *, cancelled: bool = False
) -> BaseException:
    """The error of the family for one of `_RAISED`; `error` itself, if the task was cancelled that waits.

    Args:
        path: of the method.
        error: what the call raised.
        requests: of the call.
        cancelled: whether the call is known to be cancelled from this side.
    """
    if isinstance(error, grpc.RpcError):
        return errors.from_grpc(error)
    if isinstance(error, asyncio.CancelledError):
        failure = None if requests is None else requests.failure
        if _task_is_cancelled(otherwise_known=cancelled or failure is not None):
            return error
        return failure or errors.rpc_error(grpc.StatusCode.CANCELLED, _CANCELLED)
    if isinstance(error, grpc.aio.UsageError):  # "Channel is closed."
        return errors.rpc_error(grpc.StatusCode.CANCELLED, f"{_full_name(path)}: {error}")
    if isinstance(error, grpc.aio.InternalError):
        return errors.rpc_error(grpc.StatusCode.INTERNAL, f"{_full_name(path)}: {error}")
    return _refused(path, error)


def _task_is_cancelled(*, otherwise_known: bool) -> bool:
    """Whether the running task is to end, and not only the call in it.

    Python 3.10 does not say. There it is, unless it is known that the call was cancelled for another reason.
    """
    task = asyncio.current_task()
    if sys.version_info < (3, 11) or task is None:
        return not otherwise_known
    return task.cancelling() > 0


def _does_not_parse() -> errors.RpcError:
    """grpc.aio logs why, and gives None instead of the response."""
    return errors.rpc_error(grpc.StatusCode.INTERNAL, _NOT_PARSED)


# -- binding: from a channel and a method's name to what a generated method calls

GivenT = TypeVar("GivenT")
GotT = TypeVar("GotT")

# What a generated method calls: with the request or the stream of them, seconds or None, metadata, and
# whether to wait for a server.
Calling = Callable[[GivenT, "float | None", "Metadata | None", "bool | None"], GotT]


class _Binder:
    """What every binder knows: the channel, and which deadline a call has that says nothing.

    Args:
        channel: a channel of the client's kind.
        timeout: seconds a call without streams may take where neither it nor the `.proto` says anything;
            None for no limit.
    """

    def __init__(self, channel: Any, timeout: float | None) -> None:
        self._channel = channel
        self._timeout = timeout
        self._managed = getattr(channel, "under_policies", False)
        self._limit: Callable[[float | None], float | None] = _as_given if self._managed else serving.limit

    def _stub(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> tuple[Any, float | None]:
        """The channel's callable for a method, and the deadline of its calls in seconds."""
        stub = getattr(self._channel, kind)(
            path, request_serializer=request.SerializeToString, response_deserializer=response.FromString
        )
        if self._managed:  # it knows the deadlines
            return stub, None
        descriptor = request.DESCRIPTOR.file.pool.FindMethodByName(_full_name(path))
        said = proto.declared_policy(descriptor).timeout
        usual = self._timeout if kind == "unary_unary" else None
        return stub, usual if said is None else said

    def _checking(
        self, kind: str, path: str, request: type[Message], call: Calling[Any, GotT]
    ) -> Calling[Any, GotT]:
        """`call`, behind a look for required fields that are missing, where one request may lack some."""
        if kind.startswith("stream") or not may_be_incomplete(request):
            return call
        method = _full_name(path)

        def checking(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> GotT:
            check_complete(method, given)
            return call(given, timeout, metadata, wait_for_ready)

        return checking


def _full_name(path: str) -> str:
    return path.removeprefix("/").replace("/", ".")


def _iterator(path: str, requests: Any) -> Any:
    """An iterator over the requests of a call, which grpc needs."""
    try:
        return iter(requests)
    except TypeError:
        raise _no_requests(path, requests) from None


def _no_requests(path: str, requests: Any) -> errors.InvalidArgument:
    return invalid(f"{_full_name(path)} takes an iterable of requests, not {type(requests).__name__}")


class _ThreadedBinder(_Binder):
    """The kinds of call that a waiting client and one of futures have in common."""

    def unary_stream(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[RequestT, Stream[ResponseT]]:
        """One request, a stream of responses."""
        return self._responses("unary_stream", path, request, response)

    def stream_stream(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[Iterable[RequestT], Stream[ResponseT]]:
        """A stream of requests, a stream of responses."""
        return self._responses("stream_stream", path, request, response)

    def _responses(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> Calling[Any, Any]:
        stub, usual = self._stub(kind, path, request, response)
        limit = self._limit

        def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            if kind == "stream_stream":
                given = _iterator(path, given)
            seconds = limit(usual if timeout is None else timeout)
            try:
                started = stub(given, seconds, metadata, None, wait_for_ready)
            except grpc.RpcError as error:
                end = errors.from_grpc(error)
                raise end from end.__cause__
            except (TypeError, ValueError) as error:
                raise _refused(path, error) from error
            return started if isinstance(started, errors.RpcError) else _FamilyStream(started)

        return self._checking(kind, path, request, call)


class Binder(_ThreadedBinder):
    """Methods that wait."""

    def unary_unary(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[RequestT, ResponseT]:
        """One request, one response."""
        return self._response("unary_unary", path, request, response)

    def stream_unary(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[Iterable[RequestT], ResponseT]:
        """A stream of requests, one response."""
        call = self._response("stream_unary", path, request, response)
        return lambda given, *rest: call(_iterator(path, given), *rest)

    def _response(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> Calling[Any, Any]:
        stub, usual = self._stub(kind, path, request, response)
        limit, served = self._limit, serving.current
        if native.available() and type(stub) is native.core.UnaryUnary:
            # Does what `call` does, for less.
            return self._checking(kind, path, request, stub.bound(usual, served, limit))

        def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            seconds = usual if timeout is None else timeout
            if served() is not None:
                seconds = limit(seconds)
            try:
                return stub(given, seconds, metadata, None, wait_for_ready)
            except grpc.RpcError as error:
                end = errors.from_grpc(error)
                raise end from end.__cause__
            except (TypeError, ValueError) as error:
                raise _refused(path, error) from error

        return self._checking(kind, path, request, call)


class AsyncBinder(_ThreadedBinder):
    """Methods that give futures."""

    def unary_unary(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[RequestT, Future[ResponseT]]:
        """One request, one response."""
        return self._future("unary_unary", path, request, response)

    def stream_unary(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[Iterable[RequestT], Future[ResponseT]]:
        """A stream of requests, one response."""
        return self._future("stream_unary", path, request, response)

    def _future(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> Calling[Any, Any]:
        stub, usual = self._stub(kind, path, request, response)
        managed = self._managed
        limit = self._limit

        def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            if kind == "stream_unary":
                given = _iterator(path, given)
            seconds = limit(usual if timeout is None else timeout)
            try:
                started = stub.future(given, seconds, metadata, None, wait_for_ready)
            except grpc.RpcError as error:
                return failed(errors.from_grpc(error))
            except (TypeError, ValueError) as error:
                raise _refused(path, error) from error
            return started if managed else ServiceFuture(started, response_or_error)

        return self._checking(kind, path, request, call)


def _as_given(timeout: float | None) -> float | None:
    return timeout


AnyIterable = AsyncIterable[RequestT] | Iterable[RequestT]


class AioBinder(_Binder):
    """Methods to await, and streams for `async for`."""

    def unary_unary(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[RequestT, Coroutine[Any, Any, ResponseT]]:
        """One request, one response."""
        return self._response("unary_unary", path, request, response)

    def stream_unary(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[AnyIterable[RequestT], Coroutine[Any, Any, ResponseT]]:
        """A stream of requests, one response."""
        return self._response("stream_unary", path, request, response)

    def unary_stream(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[RequestT, AioStream[ResponseT]]:
        """One request, a stream of responses."""
        return self._responses("unary_stream", path, request, response)

    def stream_stream(
        self, path: str, request: type[RequestT], response: type[ResponseT]
    ) -> Calling[AnyIterable[RequestT], AioStream[ResponseT]]:
        """A stream of requests, a stream of responses."""
        return self._responses("stream_stream", path, request, response)

    def _response(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> Calling[Any, Any]:
        stub, usual = self._stub(kind, path, request, response)
        limit = self._limit

        async def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            requests = None
            if kind == "stream_unary":
                given = requests = _Requests(path, request, given)
            seconds = limit(usual if timeout is None else timeout)
            try:
                got = await stub(given, timeout=seconds, metadata=metadata, wait_for_ready=wait_for_ready)
            except _RAISED as error:
                end = _of_the_family(path, error, requests)
                raise end from end.__cause__
            if got is None:
                raise _does_not_parse()
            return got

        return self._checking(kind, path, request, call)

    def _responses(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> Calling[Any, Any]:
        stub, usual = self._stub(kind, path, request, response)
        limit = self._limit

        def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            requests = None
            if kind == "stream_stream":
                given = requests = _Requests(path, request, given)
            seconds = limit(usual if timeout is None else timeout)
            try:
                started = stub(given, timeout=seconds, metadata=metadata, wait_for_ready=wait_for_ready)
            except _RAISED as error:
                end = _of_the_family(path, error, requests)
                raise end from end.__cause__
            return AioStream(started, path, requests)

        return self._checking(kind, path, request, call)
