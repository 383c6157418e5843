"""From a channel and a method's name to what a generated client calls, and the streams that it gives.

`Binder` makes callables that wait, `AsyncBinder` ones that give futures, `AioBinder` ones that give
coroutines. Rules that hold here: errors are the family of `sage_rpc.errors`, whichever transport and API
they come from; a deadline is, in this order, the call's `timeout`, the `.proto`'s, for calls without streams
the manager's, and never later than that of the call being served.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, AsyncIterator, Callable, Coroutine, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Generic, Protocol, TypeVar

import grpc
from google.protobuf.message import Message

from sage_rpc import deadline, errors, native, options
from sage_rpc.service_channel import ServiceChannel, response_or_error
from sage_rpc.service_future import ServiceFuture

__all__ = ["AioBinder", "AioStream", "AsyncBinder", "Binder", "Metadata", "Stream"]

RequestT = TypeVar("RequestT", bound=Message)
ResponseT = TypeVar("ResponseT", bound=Message)
ResponseT_co = TypeVar("ResponseT_co", bound=Message, covariant=True)

Metadata = Sequence[tuple[str, "str | bytes"]]

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
            raise errors.from_grpc(error) from error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def __repr__(self) -> str:
        return repr(self._call)


class AioStream(Generic[ResponseT_co]):
    """The responses of a call, for `async for`; it is also the call.

    Leaving the loop early does not end the call: `cancel()` does.
    """

    def __init__(self, call: Any) -> None:
        self._call = call
        self._responses: AsyncIterator[ResponseT_co] | None = None

    def __aiter__(self) -> AsyncIterator[ResponseT_co]:
        return self

    async def __anext__(self) -> ResponseT_co:
        if self._responses is None:
            self._responses = aiter(self._call)
        try:
            return await anext(self._responses)
        except grpc.RpcError as error:
            raise errors.from_grpc(error) from error

    def cancel(self) -> bool:
        """End the call. -> False when it had ended."""
        return bool(self._call.cancel())

    def done(self) -> bool:
        """Whether the call has ended."""
        return bool(self._call.done())

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""
        left: float | None = self._call.time_remaining()
        return left

    async def code(self) -> grpc.StatusCode:
        """How the call ended, when it has."""
        return await self._call.code()

    async def details(self) -> str:
        """What the service says about that."""
        return str(await self._call.details())

    async def initial_metadata(self) -> Metadata:
        """What the service sent before the first response."""
        return tuple(await self._call.initial_metadata())

    async def trailing_metadata(self) -> Metadata:
        """What the service sent at the end."""
        return tuple(await self._call.trailing_metadata())

    def __repr__(self) -> str:
        return repr(self._call)


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
        self._managed = isinstance(channel, ServiceChannel)
        self._limit: Callable[[float | None], float | None] = _as_given if self._managed else deadline.limit

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
        said = options.method_options(descriptor).deadline
        usual = self._timeout if kind == "unary_unary" else None
        return stub, usual if said is None else said


def _full_name(path: str) -> str:
    return path.removeprefix("/").replace("/", ".")


def _iterator(path: str, requests: Any) -> Any:
    """An iterator over the requests of a call, which grpc needs."""
    try:
        return iter(requests)
    except TypeError:
        raise _no_requests(path, requests) from None


def _check_iterable(path: str, requests: Any) -> None:
    """grpc.aio takes iterables of both kinds."""
    if not isinstance(requests, (AsyncIterable, Iterable)):
        raise _no_requests(path, requests)


def _no_requests(path: str, requests: Any) -> errors.InvalidArgument:
    return errors.InvalidArgument(
        grpc.StatusCode.INVALID_ARGUMENT,
        f"{_full_name(path)} takes an iterable of requests, not {type(requests).__name__}",
    )


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
            started = stub(given, seconds, metadata, None, wait_for_ready)
            return started if isinstance(started, errors.RpcError) else _FamilyStream(started)

        return call


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
        limit, serving = self._limit, deadline.current
        if native.available() and type(stub) is native.core.UnaryUnary:
            return stub.bound(usual, serving, limit)  # does what `call` does, for less

        def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            seconds = usual if timeout is None else timeout
            if serving() is not None:
                seconds = limit(seconds)
            try:
                return stub(given, seconds, metadata, None, wait_for_ready)
            except errors.RpcError:
                raise
            except grpc.RpcError as error:
                raise errors.from_grpc(error) from error

        return call


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
            started = stub.future(given, seconds, metadata, None, wait_for_ready)
            return started if managed else ServiceFuture(started, response_or_error)

        return call


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
            if kind == "stream_unary":
                _check_iterable(path, given)
            seconds = limit(usual if timeout is None else timeout)
            try:
                return await stub(given, timeout=seconds, metadata=metadata, wait_for_ready=wait_for_ready)
            except grpc.RpcError as error:
                raise errors.from_grpc(error) from error

        return call

    def _responses(
        self, kind: str, path: str, request: type[Message], response: type[Message]
    ) -> Calling[Any, Any]:
        stub, usual = self._stub(kind, path, request, response)
        limit = self._limit

        def call(
            given: Any, timeout: float | None, metadata: Metadata | None, wait_for_ready: bool | None
        ) -> Any:
            if kind == "stream_stream":
                _check_iterable(path, given)
            seconds = limit(usual if timeout is None else timeout)
            return AioStream(stub(given, timeout=seconds, metadata=metadata, wait_for_ready=wait_for_ready))

        return call
