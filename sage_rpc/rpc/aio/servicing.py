"""How a handler is run for a call that came over the memory queue: its context, and the rules of grpc.aio.

A handler is a coroutine function or an async generator function, or, to ease a migration, an ordinary
function or generator, which runs in the server's thread pool. A handler's task is cancelled when its call
is over before it has answered: cancelled by the client, late, or without a client.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent import futures
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from grpc import aio as stock_aio

if TYPE_CHECKING:
    from sage_rpc.native._core import LoopContext

__all__ = ["Runner", "ServicerContext", "SyncServicerContext"]

_LOGGER = logging.getLogger("sage_rpc")
_NUMBERS: dict[grpc.StatusCode, int] = {code: code.value[0] for code in grpc.StatusCode}
_OK = _NUMBERS[grpc.StatusCode.OK]
_CANCELLED = _NUMBERS[grpc.StatusCode.CANCELLED]
_UNKNOWN = _NUMBERS[grpc.StatusCode.UNKNOWN]
_INTERNAL = _NUMBERS[grpc.StatusCode.INTERNAL]
_UNIMPLEMENTED = _NUMBERS[grpc.StatusCode.UNIMPLEMENTED]
_END = object()


def _number(code: Any) -> int:
    """The number of a status code, which may be one already."""
    if isinstance(code, int):
        return code if code in _NUMBERS.values() else _UNKNOWN
    return _NUMBERS.get(code, _UNKNOWN) if isinstance(code, grpc.StatusCode) else _UNKNOWN


def _serialized(serializer: Callable[[Any], Any] | None, message: Any) -> bytes:
    data = message if serializer is None else serializer(message)
    if not isinstance(data, bytes):
        raise TypeError(f"Expected bytes, got {type(data).__name__}")
    return data


def _checked(metadata: Any) -> tuple[Any, ...]:
    """`metadata` as pairs; TypeError when it is something else."""
    if metadata is None:  # grpc.aio's own words
        raise TypeError(
            "Invalid trailing metadata type, expected Tuple[Tuple[str, Union[str, bytes]]...]: None"
        )
    pairs = tuple(metadata)
    for pair in pairs:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(f"metadata must be pairs of key and value, not {pair!r}")
    return pairs


class ServicerContext(stock_aio.ServicerContext):
    """The `grpc.aio.ServicerContext` of one call over the memory queue."""

    def __init__(
        self,
        call: LoopContext,
        deserializer: Callable[[bytes], Any] | None,
        serializer: Callable[[Any], bytes] | None,
    ) -> None:
        self._call = call
        self._deserializer = deserializer
        self._serializer = serializer
        self._abortion: BaseException | None = None
        self._given_code: Any = None
        self._code = _OK
        self._details = ""
        self._trailing: tuple[Any, ...] = ()
        self._sent = False  # initial metadata, by itself or with a message
        self._done_callbacks: list[Callable[[], None]] = []

    def __repr__(self) -> str:
        return f"<sage_rpc.aio.ServicerContext of {self._call!r}>"

    def _check(self) -> None:
        """Raise what ends a handler whose call is over."""
        if self._abortion is not None:
            raise self._abortion
        if self._call.answered:
            raise stock_aio.UsageError("RPC already finished.")

    # -- messages

    async def read(self) -> Any:
        self._check()
        message = await self._call.receive()
        self._check()
        if message is None:
            return stock_aio.EOF
        return message if self._deserializer is None else self._deserializer(message)

    async def write(self, message: Any) -> None:
        self._check()
        data = _serialized(self._serializer, message)
        self._sent = True
        if not await self._call.send(data):
            raise stock_aio.InternalError("the call is over: its client cancelled it or went away")

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        self._check()
        if self._sent:
            raise stock_aio.UsageError("Send initial metadata failed: already sent")
        pairs = _checked(iter(initial_metadata))
        self._sent = True
        self._call.send_initial_metadata(pairs)

    # -- the end

    async def abort(self, code: Any, details: str = "", trailing_metadata: Any = ()) -> NoReturn:
        if self._abortion is not None:
            raise stock_aio.UsageError("Abort already called!")
        trailing = _checked(trailing_metadata) or self._trailing
        self._abortion = stock_aio.AbortError("Locally aborted.")
        self.set_code(code)
        self._details = details or self._details
        self._trailing = trailing
        self._finish(None)
        raise self._abortion

    async def abort_with_status(self, status: Any) -> NoReturn:
        await self.abort(status.code, status.details, status.trailing_metadata)

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        self._trailing = _checked(trailing_metadata)

    def trailing_metadata(self) -> Any:
        return self._trailing

    def set_code(self, code: Any) -> None:
        self._given_code = code
        self._code = _number(code)

    def code(self) -> Any:
        return self._given_code

    def set_details(self, details: str) -> None:
        self._details = details

    def details(self) -> str:
        return self._details

    def _finish(self, message: bytes | None) -> None:
        """Send the end of the call, with its only response if it has one."""
        try:
            self._call.finish(self._code, self._details, self._trailing, message)
        except ValueError:
            self._call.finish(_INTERNAL, "Invalid metadata", (), None)

    # -- the call

    def invocation_metadata(self) -> Any:
        return self._call.invocation_metadata()

    def peer(self) -> str:
        return self._call.peer()

    def peer_identities(self) -> Iterable[bytes] | None:
        return None

    def peer_identity_key(self) -> str | None:
        return None

    def auth_context(self) -> dict[str, Iterable[bytes]]:
        return self._call.auth_context()

    def set_compression(self, compression: grpc.Compression) -> None:
        """Accepted, and nothing is compressed inside one host."""
        if self._sent:
            raise RuntimeError("Compression setting must be specified before sending initial metadata")

    def disable_next_message_compression(self) -> None:
        """Accepted: nothing is compressed inside one host."""

    def time_remaining(self) -> float | None:
        return self._call.time_remaining()

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._done_callbacks.append(functools.partial(callback, self))

    def done(self) -> bool:
        """Whether the call's end was sent."""
        return self._call.answered

    def cancelled(self) -> bool:
        return self._code == _CANCELLED


class SyncServicerContext:
    """The context as a handler in the thread pool gets it."""

    def __init__(self, context: ServicerContext, loop: asyncio.AbstractEventLoop) -> None:
        self._context = context
        self._loop = loop
        self.callbacks: list[Callable[[], None]] = []
        for name in _SHARED:
            setattr(self, name, getattr(context, name))

    def __repr__(self) -> str:
        return f"<sage_rpc.aio.SyncServicerContext of {self._context._call!r}>"

    def _in_loop(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def abort(self, code: Any, details: str = "", trailing_metadata: Any = ()) -> None:
        """As the context's, from this thread."""
        self._in_loop(self._context.abort(code, details, trailing_metadata))

    def abort_with_status(self, status: Any) -> None:
        """As the context's, from this thread."""
        self._in_loop(self._context.abort_with_status(status))

    def send_initial_metadata(self, initial_metadata: Any) -> None:
        """As the context's, from this thread."""
        self._in_loop(self._context.send_initial_metadata(initial_metadata))

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Have `callback` called when the handler has returned."""
        self.callbacks.append(callback)
        return True

    def is_active(self) -> bool:
        """Whether an answer can still be sent."""
        return not self._context._call.over


_SHARED = (
    "auth_context",
    "code",
    "details",
    "disable_next_message_compression",
    "invocation_metadata",
    "peer",
    "peer_identities",
    "peer_identity_key",
    "set_code",
    "set_compression",
    "set_details",
    "set_trailing_metadata",
    "time_remaining",
    "trailing_metadata",
)


class _Requests:
    """The requests of a call, for an async handler. No generator, which would have to be closed."""

    def __init__(self, context: ServicerContext) -> None:
        self._context = context

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        message = await self._context.read()
        if message is stock_aio.EOF:
            raise StopAsyncIteration
        return message


def _requests_in_thread(context: ServicerContext, loop: asyncio.AbstractEventLoop) -> Iterator[Any]:
    """The requests of a call, for a handler in a thread."""
    while True:
        message = asyncio.run_coroutine_threadsafe(context.read(), loop).result()
        if message is stock_aio.EOF:
            return
        yield message


def _is_async(behavior: Any) -> bool:
    return inspect.iscoroutinefunction(behavior) or inspect.isasyncgenfunction(behavior)


class Runner:
    """Runs handlers: what they share in one server.

    Args:
        loop: of the server.
        pool: for handlers that are no coroutines.
        resolve: (method, invocation metadata) -> coroutine of the handler or None, for methods that are
            looked up for every call.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        pool: futures.Executor | None,
        resolve: Callable[[str, Any], Any],
    ) -> None:
        self.loop = loop
        self._pool = pool
        self._resolve = resolve
        self.tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        return f"<Runner of {len(self.tasks)} handlers>"

    def start(self, call: LoopContext) -> None:
        """Run the handler of `call` in a task of its own."""
        call.task = task = self.loop.create_task(self._serve(call))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _serve(self, call: LoopContext) -> None:
        entry = call.begin()
        context = None
        try:
            handler = entry.behavior
            if entry.dynamic:
                handler = await self._resolve(entry.name, call.invocation_metadata())
            if handler is None:
                call.finish(_UNIMPLEMENTED, "Method not found!", (), None)
                return
            context = ServicerContext(call, handler.request_deserializer, handler.response_serializer)
            await self._run(handler, call, context)
        except stock_aio.AbortError as error:
            if context is None or error is not context._abortion:
                self._failed(call, context, error)
        except asyncio.CancelledError:
            _LOGGER.debug("%s was cancelled", entry.name)
        except Exception as error:  # noqa: BLE001 - the user's, and logged
            self._failed(call, context, error)
        else:
            if context._abortion is not None:
                _LOGGER.error("%s went on after abort(), whose exception it must not catch", entry.name)
        finally:
            call.forget()
            if context is not None and context._done_callbacks:
                self.loop.call_soon(_run_callbacks, context, entry.name)

    def _failed(self, call: LoopContext, context: ServicerContext | None, error: Exception) -> None:
        """The handler raised: tell the client, if it has not been told anything else."""
        _LOGGER.error(
            "Unexpected [%s] raised by %s", type(error).__name__, call.method_entry.name, exc_info=error
        )
        if call.answered:
            return
        try:
            details = f"Unexpected {type(error)}: {error}"
        except Exception:  # noqa: BLE001 - its __str__ is the user's code
            details = f"Unexpected {type(error)}"
        if context is None:
            call.finish(_UNKNOWN, details, (), None)
            return
        if context._code == _OK:
            context._code = _UNKNOWN
        context._details = details
        context._finish(None)

    async def _run(self, handler: Any, call: LoopContext, context: ServicerContext) -> None:
        if handler.request_streaming:
            behavior = handler.stream_stream if handler.response_streaming else handler.stream_unary
            request: Any = (
                _Requests(context) if _is_async(behavior) else _requests_in_thread(context, self.loop)
            )
        else:
            behavior = handler.unary_stream if handler.response_streaming else handler.unary_unary
            request = await context.read()
            if request is stock_aio.EOF:
                if not call.over:
                    call.finish(
                        _UNIMPLEMENTED,
                        f'"{call.method_entry.name}" requires exactly one request message.',
                        (),
                        None,
                    )
                return
        if handler.response_streaming:
            await self._stream(behavior, request, context)
            if call.sending:  # and nobody waited for that to its end
                await call.until_sent()
            context._check()
            context._finish(None)
            return
        if _is_async(behavior):
            response = await behavior(request, context)
        else:
            sync_context = SyncServicerContext(context, self.loop)
            response = await self.loop.run_in_executor(self._pool, behavior, request, sync_context)
            for callback in sync_context.callbacks:
                callback()
        context._check()
        context._finish(_serialized(handler.response_serializer, response) if context._code == _OK else None)

    async def _stream(self, behavior: Any, request: Any, context: ServicerContext) -> None:
        """Send what a handler of many responses gives, or let it do so itself."""
        if inspect.iscoroutinefunction(behavior):
            await behavior(request, context)
            return
        if inspect.isasyncgenfunction(behavior):
            responses = behavior(request, context)
            try:
                async for response in responses:
                    await context.write(response)
            finally:
                await responses.aclose()
            return
        sync_context = SyncServicerContext(context, self.loop)
        run = functools.partial(self.loop.run_in_executor, self._pool)
        iterator = iter(await run(behavior, request, sync_context))
        while (response := await run(next, iterator, _END)) is not _END:
            await context.write(response)
        for callback in sync_context.callbacks:
            callback()


def _run_callbacks(context: ServicerContext, name: str) -> None:
    for callback in context._done_callbacks:
        try:
            callback()
        except Exception:
            _LOGGER.exception("Exception in a done callback of %s", name)
