"""A server and a channel that a column's tests share, and methods that a test makes for itself.

`Methods` hands out methods of the shared server: a test gives the behaviour and receives the multicallable.
The server finds the handler when the call comes, so a method is whatever the test says, and is gone after
it. A handler that outlives its test is a failure of that test.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent import futures
from typing import Any

import grpc
from grpc import aio

from tests.conformance.service import KINDS, NO_TARPIT, SECONDS, SERVICE, handler_of, multicallable
from tests.conformance.service import echo as blocking_echo
from tests.conformance_aio.columns import Column

__all__ = [
    "KINDS", "SECONDS", "SERVICE", "STYLES", "Blocked", "Gate", "Methods", "Served", "Service",
    "blocking_echo", "echo", "handler_of", "multicallable", "serve",
]  # fmt: skip

Behaviour = Callable[[Any, Any], Any]

# How a handler that is no blocking function may be written: with what it receives and returns or yields,
# or with the `read` and `write` of its context. A unary request comes, and a unary response goes, only so.
STYLES = {
    "unary_unary": ("iterator",),
    "unary_stream": ("iterator", "context"),
    "stream_unary": ("iterator", "context"),
    "stream_stream": ("iterator", "context"),
}


async def nothing(_context: Any) -> None:
    """What an echo does before it answers, unless it is told."""


def echo(kind: str, before: Callable[[Any], Any] = nothing, style: str = "iterator") -> Behaviour:
    """A behaviour of `kind` that calls `before(context)`, awaits it if it can be awaited, and then gives
    every request back.

    The unary response to many requests is all of them in one.
    """

    async def prepare(context: Any) -> None:
        done = before(context)
        if inspect.isawaitable(done):
            await done

    async def requests_of(context: Any) -> AsyncIterator[bytes]:
        while (request := await context.read()) is not aio.EOF:
            yield request

    async def unary_unary(request: bytes, context: Any) -> bytes:
        await prepare(context)
        return request

    async def unary_stream(request: bytes, context: Any) -> AsyncIterator[bytes]:
        await prepare(context)
        yield request

    async def stream_unary(requests: AsyncIterator[bytes], context: Any) -> bytes:
        await prepare(context)
        return b"".join([request async for request in requests])

    async def stream_stream(requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        await prepare(context)
        async for request in requests:
            yield request

    async def unary_stream_by_context(request: bytes, context: Any) -> None:
        await prepare(context)
        await context.write(request)

    async def stream_unary_by_context(_requests: Any, context: Any) -> bytes:
        await prepare(context)
        return b"".join([request async for request in requests_of(context)])

    async def stream_stream_by_context(_requests: Any, context: Any) -> None:
        await prepare(context)
        async for request in requests_of(context):
            await context.write(request)

    behaviours: dict[tuple[str, str], Behaviour] = {
        ("unary_unary", "iterator"): unary_unary,
        ("unary_stream", "iterator"): unary_stream,
        ("stream_unary", "iterator"): stream_unary,
        ("stream_stream", "iterator"): stream_stream,
        ("unary_stream", "context"): unary_stream_by_context,
        ("stream_unary", "context"): stream_unary_by_context,
        ("stream_stream", "context"): stream_stream_by_context,
    }
    return behaviours[kind, style]


class _Running:
    """How many handlers of a test run, in the loop and in the threads of the migration pool."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._number = 0
        self._lock = threading.Lock()  # guards _number
        self._idle = asyncio.Event()
        self._idle.set()

    @contextlib.contextmanager
    def counted(self) -> Iterator[None]:
        self._count(1)
        try:
            yield
        finally:
            self._count(-1)

    def _count(self, by: int) -> None:
        with self._lock:
            self._number += by
        if threading.current_thread() is threading.main_thread():
            self._tell()
        else:
            self._loop.call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        with self._lock:
            idle = self._number == 0
        (self._idle.set if idle else self._idle.clear)()

    @property
    def idle(self) -> bool:
        return self._idle.is_set()

    async def wait_until_idle(self, seconds: float) -> bool:
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._idle.wait(), seconds)
        return self.idle

    def count(self, behaviour: Behaviour) -> Behaviour:
        """`behaviour`, counted while it runs: as much a coroutine function, or a generator, as before."""

        @functools.wraps(behaviour)
        async def coroutine(request: Any, context: Any) -> Any:
            with self.counted():
                return await behaviour(request, context)

        @functools.wraps(behaviour)
        async def async_generator(request: Any, context: Any) -> AsyncIterator[Any]:
            with self.counted():
                async with contextlib.aclosing(behaviour(request, context)) as responses:
                    async for response in responses:
                        yield response

        @functools.wraps(behaviour)
        def generator(request: Any, context: Any) -> Iterator[Any]:
            with self.counted():
                yield from behaviour(request, context)

        @functools.wraps(behaviour)
        def function(request: Any, context: Any) -> Any:
            with self.counted():
                return behaviour(request, context)

        if inspect.iscoroutinefunction(behaviour):
            return coroutine
        if inspect.isasyncgenfunction(behaviour):
            return async_generator
        return generator if inspect.isgeneratorfunction(behaviour) else function


class Served:
    """A running server, its port, and the channel to it."""

    def __init__(self, column: Column, server: aio.Server, target: str, channel: aio.Channel) -> None:
        self.column, self.server, self.target, self.channel = column, server, target, channel

    async def close(self) -> None:
        await self.channel.close()
        await self.server.stop(None)


async def serve(
    column: Column,
    handlers: Sequence[grpc.GenericRpcHandler] = (),
    *,
    address: str = "localhost:0",
    workers: int = 0,
    registered: dict[str, grpc.RpcMethodHandler] | None = None,
    options: Sequence[tuple[str, Any]] = (),
    channel_options: Sequence[tuple[str, Any]] = (),
    **arguments: Any,
) -> Served:
    """Start a server of `column` and open a channel to it.

    Args:
        address: to listen on; by default, a free port.
        workers: of the migration thread pool, which runs the handlers that are no coroutines.
        registered: methods of `SERVICE` by their names.
    """
    pool = futures.ThreadPoolExecutor(workers) if workers else None
    server = column.server(pool, handlers, options=[*NO_TARPIT, *options], **arguments)
    if registered is not None:
        server.add_registered_method_handlers(SERVICE, registered)
    port = server.add_insecure_port(address)
    await server.start()
    target = address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
    return Served(column, server, target, column.channel(target, channel_options))


class Service(grpc.GenericRpcHandler):
    """The server that all tests of one column share: its methods do what the tests say."""

    served: Served

    def __init__(self, column: Column) -> None:
        self.column = column
        self.handlers: dict[str, grpc.RpcMethodHandler] = {}
        self.made = 0

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        return self.handlers.get(handler_call_details.method)

    async def start(self) -> None:
        self.served = await serve(self.column, [self], workers=32)

    async def close(self) -> None:
        await self.served.close()


class Methods:
    """What one test uses of the shared service; `channel` and `target` are those of the service."""

    def __init__(self, service: Service, loop: asyncio.AbstractEventLoop) -> None:
        self.column, self.channel, self.target = service.column, service.served.channel, service.served.target
        self._service = service
        self._names: list[str] = []
        self._events: list[asyncio.Event | threading.Event] = []
        self._running = _Running(loop)

    def name(self, kind: str, behaviour: Behaviour, **serializers: Any) -> str:
        """The full name of a method of `kind` that behaves so until the end of the test.

        `serializers` are the server's two.
        """
        self._service.made += 1
        name = f"/{SERVICE}/{kind}_{self._service.made}"
        self._service.handlers[name] = handler_of(kind, self._running.count(behaviour), **serializers)
        self._names.append(name)
        return name

    def method(self, kind: str, behaviour: Behaviour, *serializers: Any, channel: Any = None) -> Any:
        """The multicallable of a method that behaves so; `serializers` are the client's two."""
        return multicallable(channel or self.channel, kind, self.name(kind, behaviour), *serializers)

    def unary_unary(self, behaviour: Behaviour, *serializers: Any) -> aio.UnaryUnaryMultiCallable:
        return self.method("unary_unary", behaviour, *serializers)

    def unary_stream(self, behaviour: Behaviour, *serializers: Any) -> aio.UnaryStreamMultiCallable:
        return self.method("unary_stream", behaviour, *serializers)

    def stream_unary(self, behaviour: Behaviour, *serializers: Any) -> aio.StreamUnaryMultiCallable:
        return self.method("stream_unary", behaviour, *serializers)

    def stream_stream(self, behaviour: Behaviour, *serializers: Any) -> aio.StreamStreamMultiCallable:
        return self.method("stream_stream", behaviour, *serializers)

    def event(self) -> asyncio.Event:
        """An event that is set at the latest at the end of the test, so that nobody waits for ever."""
        self._events.append(event := asyncio.Event())
        return event

    def thread_event(self) -> threading.Event:
        """The same, for a handler in a thread."""
        self._events.append(event := threading.Event())
        return event

    def release(self) -> bool:
        """Let everybody go who waits. -> whether no handler runs any more"""
        for event in self._events:
            event.set()
        return self._running.idle

    async def idle(self) -> None:
        """Wait until no handler runs: a caller may know of the end of its call before the handler does."""
        for seconds in (0.05, 0.2, 1, SECONDS):
            if await self._running.wait_until_idle(seconds):
                return
            gc.collect()  # what a cycle of errors, calls and generators holds ends when it is dropped
        raise AssertionError("handlers still run after the end of their calls")

    def forget(self) -> None:
        for name in self._names:
            del self._service.handlers[name]


class Gate:
    """Where handlers wait until it is open or their calls end; `echo(kind, gate)` does so.

    Attributes:
        begun: is released by each handler as it begins.
        gate: lets the handlers go on.
        ended: is set when a handler has ended, either way.
        errors: what the handlers were told while they waited.
        context: of the handler that began last.
    """

    def __init__(self) -> None:
        self.begun, self.gate, self.ended = asyncio.Semaphore(0), asyncio.Event(), asyncio.Event()
        self.errors: list[BaseException] = []
        self.context: Any = None

    async def __call__(self, context: Any) -> None:
        self.context = context
        context.add_done_callback(lambda _context: self.ended.set())
        self.begun.release()
        try:
            await self.gate.wait()
        except BaseException as error:
            self.errors.append(error)
            raise

    async def wait_begun(self, number: int = 1) -> None:
        for _ in range(number):
            await self.begun.acquire()


class Blocked(Gate):
    """A method of the shared server whose handlers wait so, and then echo what they got."""

    def __init__(self, rpc: Methods, kind: str, style: str = "iterator", channel: Any = None) -> None:
        super().__init__()
        self.gate = rpc.event()
        self.method = rpc.method(kind, echo(kind, self, style), channel=channel)
