"""Handlers of calls with a `Meter` around them, for every kind of call and of server.

It stands outside of everything else: whoever is refused, or sends what cannot be read, is counted, too. What
a handler sees of its call, and what the caller sees of it, is the same with and without.

    server = sage_rpc.server(pool, interceptors=[interceptor(meter)])          # or grpc.server
    server = sage_rpc.aio.server(interceptors=[aio_interceptor(meter)])        # or grpc.aio.server
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import inspect
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, NoReturn

import grpc
import grpc.aio

from sage_rpc.encoding.buffers import gives_parts, size_of, wrapped_deserializer
from sage_rpc.observe.served import UNKNOWN, Meter, ServedRecord, code_of, details_of, is_synchronous
from sage_rpc.observe.stats import BATCH_OF, CallStats

__all__ = ["aio_interceptor", "interceptor", "measured", "unknown"]

_LOGGER = logging.getLogger("sage_rpc")
_MAKE: dict[tuple[bool, bool], Any] = {
    (False, False): grpc.unary_unary_rpc_method_handler,
    (False, True): grpc.unary_stream_rpc_method_handler,
    (True, False): grpc.stream_unary_rpc_method_handler,
    (True, True): grpc.stream_stream_rpc_method_handler,
}
_KINDS = {kind: make.__name__.removesuffix("_rpc_method_handler") for kind, make in _MAKE.items()}
_END: Any = object()
_NOT_SERIALIZED = "Failed to serialize response!"


def measured(
    meter: Meter,
    handler: grpc.RpcMethodHandler,
    named: tuple[str, str] | Callable[[Any], tuple[str, str]],
    traced_as: tuple[str, str] | None = None,
    system: str = "grpc",
    over: Callable[[], bool] | None = None,
) -> grpc.RpcMethodHandler:
    """`handler`, counted by `meter`.

    Args:
        meter: counts, and traces.
        handler: of any of the four kinds, for any kind of server.
        named: the names of service and method; or what gives them for a request, where the handler serves
            several (None: of one that cannot be read).
        traced_as: the names in spans; None: the same.
        system: "grpc" or "sage_rpc", in spans.
        over: tells whether the caller has left, where the context of a call cannot.
    """
    kind = bool(handler.request_streaming), bool(handler.response_streaming)
    behavior = getattr(handler, _KINDS[kind])
    around = _Around(meter, handler, behavior, named, traced_as, system, over)
    if inspect.isasyncgenfunction(behavior):
        made: Any = around.answer_often_later
    elif inspect.iscoroutinefunction(behavior):
        made = around.answer_later
    elif getattr(behavior, "experimental_non_blocking", False):
        made = around.call_back
    else:
        made = around.answer_often if kind[1] else around.answer
    given = vars(behavior).items() if hasattr(behavior, "__dict__") else ()
    attributes = {name: value for name, value in given if name.startswith("experimental_")}
    if attributes:
        made = functools.partial(made)
        vars(made).update(attributes)
    return _MAKE[kind](made, around.deserializer, around.serializer)


class _Unreadable:
    """Stands for a request that the deserializer raised at."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def refuse(self, context: Any) -> NoReturn:
        """End the call as the transport would have."""
        _fail(context, self.error, "Exception deserializing request!")
        raise self.error


def _fail(context: Any, error: Exception, text: str) -> None:
    """End a call of a synchronous server as the transport would; of asyncio, what is raised does so."""
    if is_synchronous(context):
        code = code_of(context)
        _LOGGER.error("%s", text, exc_info=error)
        context.abort(
            grpc.StatusCode.INTERNAL if code is grpc.StatusCode.OK else code, details_of(context) or text
        )


class _Around:
    """What the faces of one handler share. Requests come to it as pairs: message, and size in bytes."""

    def __init__(
        self,
        meter: Meter,
        handler: Any,
        behavior: Any,
        named: tuple[str, str] | Callable[[Any], tuple[str, str]],
        traced_as: tuple[str, str] | None,
        system: str,
        over: Callable[[], bool] | None,
    ) -> None:
        self._meter = meter
        self._behavior = behavior
        self._named: Any = named
        self._names = callable(named)
        self._traced_as = traced_as
        self._system = system
        self._over = over
        self._streams_in = bool(handler.request_streaming)
        self._quick = meter.tracing is None and over is None and not self._streams_in
        self._streams_out = bool(handler.response_streaming)
        self._streams = self._streams_in or self._streams_out
        deserialize = handler.request_deserializer

        def deserializer(data: Any) -> Any:
            try:
                return (data if deserialize is None else deserialize(data)), len(data)
            except Exception as error:  # noqa: BLE001 - raised again, where the call is counted
                return _Unreadable(error), len(data)

        self.deserializer = wrapped_deserializer(deserializer, deserialize)
        serialize = handler.response_serializer
        # What gives a message in parts is left to the transport.
        in_parts = gives_parts(serialize)
        self.serializer = serialize if in_parts else None
        self._serialize = None if in_parts else serialize

    def _begin(self, given: Any, context: Any) -> tuple[Any, ServedRecord]:
        """-> the request or requests as the handler wants them, and the record."""
        request = size = None
        if not self._streams_in:
            request, size = given
        named = self._named(None if type(request) is _Unreadable else request) if self._names else self._named
        service, method = named
        record = self._meter.begin(service, method, context, self._traced_as, self._system, self._over)
        record.streams = self._streams
        if size is not None:
            record.message_received(size)
            if type(request) is _Unreadable:
                with record:
                    request.refuse(context)
            return request, record
        if hasattr(given, "__anext__"):
            return _LaterRequests(given, record), record
        return (None if given is None else _Requests(given, record, context)), record

    def _sent(self, record: ServedRecord, response: Any, context: Any) -> Any:
        """`response` as the transport gets it."""
        serialize = self._serialize
        if serialize is None:
            record.message_sent(size_of(response))
            return response
        try:
            data = serialize(response)
        except Exception as error:
            _fail(context, error, _NOT_SERIALIZED)
            raise
        record.message_sent(len(data))
        return data

    def _answer(self, record: ServedRecord, response: Any, context: Any) -> Any:
        """The only response. Where the handler has set another status than OK, nobody gets it."""
        if code_of(context) is grpc.StatusCode.OK:
            return self._sent(record, response, context)
        if not is_synchronous(context) or self._serialize is None:
            return response if self._serialize is None else b""
        data = self._sent(record, response, context)
        record.sent = record.bytes_sent = 0
        return data

    # -- synchronous handlers

    def answer(self, given: Any, context: Any) -> Any:
        if self._quick and is_synchronous(context):
            request, size = given
            if type(request) is not _Unreadable:
                named = self._named(request) if self._names else self._named
                if not self._names or not named[1].startswith(BATCH_OF):
                    return self._answer_quickly(request, size, named, context)
        context = _telling(context)
        request, record = self._begin(given, context)
        with record, record.current():
            response = self._behavior(request, context)
            data = self._answer(record, response, context)
        record.returned(response)
        return data

    def _answer_quickly(self, request: Any, size: int, named: tuple[str, str], context: Any) -> Any:
        """The usual call, which needs no record until something unusual happens."""
        meter, serialize = self._meter, self._serialize
        stats = meter.begun(named)
        began = time.monotonic_ns()
        try:
            response = self._behavior(request, context)
            if context.code() is None:
                data = response
                if serialize is not None:
                    try:
                        data = serialize(response)
                    except Exception as error:
                        _fail(context, error, _NOT_SERIALIZED)
                        raise
                if type(data) is bytes and context.is_active():
                    left = context.time_remaining()
                    if left is None or left > 0:
                        meter.answered(stats, began, len(data), size, context)
                        return data
        except BaseException as error:
            self._resumed(stats, began, size, context).raised(error)
            raise
        with self._resumed(stats, began, size, context) as record:
            data = self._answer(record, response, context)
        record.returned(response)
        return data

    def _resumed(self, stats: CallStats, began: int, size: int, context: Any) -> ServedRecord:
        """The record of a call that has begun before."""
        record = ServedRecord(self._meter, stats, context, None, self._over, began)
        record.message_received(size)
        record.streams = False
        return record

    def answer_often(self, given: Any, context: Any) -> Iterator[Any]:
        context = _telling(context)
        request, record = self._begin(given, context)
        with record, contextlib.ExitStack() as stack:
            with record.current():
                responses = iter(self._behavior(request, context))
            stack.callback(getattr(responses, "close", _nothing))
            while True:
                with record.current():
                    response = next(responses, _END)
                if response is _END:
                    break
                yield self._sent(record, response, context)
        record.returned()

    def call_back(self, given: Any, context: Any, send: Callable[[Any], None]) -> Any:
        """Of a handler that returns at once, and sends its responses by a function."""
        context = _telling(context)
        request, record = self._begin(given, context)

        def passed_on(response: Any) -> None:
            if response is None:
                record.returned()
                send(None)
            else:
                send(self._sent(record, response, context))

        if not context.add_callback(record.left):
            record.left()
        with record:
            return self._behavior(request, context, passed_on)

    # -- coroutines

    async def answer_later(self, given: Any, context: Any) -> Any:
        context = _telling(context)
        request, record = self._begin(given, context)
        data = None
        with record, record.current():
            response = await self._behavior(request, self._context(record, context))
            if not self._streams_out:  # else it has written its responses itself
                data = self._answer(record, response, context)
        record.returned(response)
        return data

    async def answer_often_later(self, given: Any, context: Any) -> AsyncIterator[Any]:
        context = _telling(context)
        request, record = self._begin(given, context)
        with record:
            async with contextlib.aclosing(
                self._behavior(request, self._context(record, context))
            ) as responses:
                while True:
                    with record.current():
                        response = await anext(responses, _END)
                    if response is _END:
                        break
                    yield self._sent(record, response, context)
        record.returned()

    def _context(self, record: ServedRecord, context: Any) -> Any:
        return _CountedContext(self, record, context) if self._streams else context


class _CountedContext:
    """The context of an asyncio call, whose handler may read and write by it."""

    def __init__(self, around: _Around, record: ServedRecord, context: Any) -> None:
        self._around = around
        self._record = record
        self._context = context

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    async def read(self) -> Any:
        """As grpc.aio's."""
        given = await self._context.read()
        return given if given is grpc.aio.EOF else _received(given, self._record)

    async def write(self, message: Any) -> None:
        """As grpc.aio's."""
        await self._context.write(self._around._sent(self._record, message, self._context))


class _TellingContext:
    """The context of a handler in a thread of grpc.aio, which does not say what it was told."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self._code: Any = None
        self._details = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def set_code(self, code: Any) -> None:
        """As grpc.aio's, and so are the next."""
        self._code = code
        self._context.set_code(code)

    def set_details(self, details: str) -> None:
        self._details = details
        self._context.set_details(details)

    def abort(self, code: Any, details: str = "", trailing_metadata: Any = ()) -> None:
        self._code, self._details = code, details
        self._context.abort(code, details, trailing_metadata)

    def abort_with_status(self, status: Any) -> None:
        self._code, self._details = status.code, status.details
        self._context.abort_with_status(status)

    def code(self) -> Any:
        """What was said last."""
        return self._code

    def details(self) -> str:
        """What was said last."""
        return self._details


def _telling(context: Any) -> Any:
    return context if hasattr(context, "code") else _TellingContext(context)


class _Requests:
    """The requests of a call, for its handler."""

    def __init__(self, given: Any, record: ServedRecord, context: Any) -> None:
        self._given = given
        self._record = record
        self._context = context

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        request, size = next(self._given)
        self._record.message_received(size)
        if type(request) is _Unreadable:
            request.refuse(self._context)
        return request

    next = __next__

    def __getattr__(self, name: str) -> Any:
        return getattr(self._given, name)


class _LaterRequests:
    """The same of asyncio."""

    def __init__(self, given: Any, record: ServedRecord) -> None:
        self._given = given
        self._record = record

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        return _received(await self._given.__anext__(), self._record)


def _received(given: Any, record: ServedRecord) -> Any:
    request, size = given
    record.message_received(size)
    if type(request) is _Unreadable:
        raise request.error
    return request


# -- servers


def interceptor(meter: Meter) -> grpc.ServerInterceptor:
    """Counts the calls of a `grpc.server` or `sage_rpc.server`; give it as the first of its interceptors."""
    return _Interceptor(meter)


def aio_interceptor(meter: Meter) -> grpc.aio.ServerInterceptor:
    """The same for a `grpc.aio.server` or `sage_rpc.aio.server`."""
    return _AioInterceptor(meter)


def unknown(meter: Meter, service: str) -> grpc.GenericRpcHandler:
    """Counts calls of methods that are not served, as of `service`; the last of a server's handlers."""
    return _NotServed(meter, service)


class _NotServed(grpc.GenericRpcHandler):
    def __init__(self, meter: Meter, service: str) -> None:
        self._meter = meter
        self._service = service

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> None:
        self._meter.not_served(self._service, handler_call_details)


def _nothing() -> None:
    pass


def _intercepted(
    meter: Meter,
    details: grpc.HandlerCallDetails,
    handler: grpc.RpcMethodHandler | None,
    over: Callable[[], bool] | None = None,
) -> grpc.RpcMethodHandler | None:
    if handler is None:
        meter.not_served(UNKNOWN, details)
        return None
    service, _, method = details.method.removeprefix("/").rpartition("/")
    return measured(meter, handler, (service, method), over=over)


class _Interceptor(grpc.ServerInterceptor):
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        return _intercepted(self._meter, details, continuation(details))


class _AioInterceptor(grpc.aio.ServerInterceptor):
    def __init__(self, meter: Meter) -> None:
        self._meter = meter

    async def intercept_service(self, continuation: Any, details: grpc.HandlerCallDetails) -> Any:
        # A handler in a thread is not told that its call is over; the task that waits for it is.
        task: Any = asyncio.current_task()
        cancelling = getattr(task, "cancelling", int)  # since Python 3.11
        handler = await continuation(details)
        return _intercepted(self._meter, details, handler, lambda: task.cancelled() or cancelling() > 0)
