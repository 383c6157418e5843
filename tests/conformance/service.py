"""A server and a channel that a column's tests share, and methods that a test makes for itself.

`Methods` hands out methods of the shared server: a test gives the behaviour and receives the
multicallable. A method is free again once no handler runs in it; a handler that outlives its test is a
failure of that test.
"""

from __future__ import annotations

import gc
import threading
import types
from collections.abc import Callable, Iterable, Sequence
from concurrent import futures
from typing import Any

import grpc

from tests.conformance.columns import Column

__all__ = ["KINDS", "SECONDS", "Methods", "Served", "Service", "echo", "handler_of", "multicallable", "serve"]

SECONDS = 10.0  # what must happen happens within this time; nothing waits for it to pass
KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
NO_TARPIT = [("grpc.http.tarpit", 0)]  # gRPC lets clients that break a limit wait, up to a second
SLOTS = 48  # methods of each kind that may be in use at once
SERVICE = "conformance.Service"

Behaviour = Callable[[Any, grpc.ServicerContext], Any]


def handler_of(kind: str, behaviour: Behaviour, **serializers: Any) -> grpc.RpcMethodHandler:
    """`grpc.KIND_rpc_method_handler(behaviour)`."""
    handler: grpc.RpcMethodHandler = getattr(grpc, f"{kind}_rpc_method_handler")(behaviour, **serializers)
    return handler


def multicallable(channel: grpc.Channel, kind: str, method: str, *serializers: Any) -> Any:
    return getattr(channel, kind)(method, *serializers)


def echo(kind: str, before: Callable[[Any], object] = lambda _context: None) -> Behaviour:
    """A behaviour of `kind` that calls `before(context)` and then gives every request back.

    The unary response to many requests is all of them in one.
    """

    def unary_unary(request: bytes, context: grpc.ServicerContext) -> bytes:
        before(context)
        return request

    def unary_stream(request: bytes, context: grpc.ServicerContext) -> Iterable[bytes]:
        before(context)
        yield request

    def stream_unary(requests: Iterable[bytes], context: grpc.ServicerContext) -> bytes:
        before(context)
        return b"".join(requests)

    def stream_stream(requests: Iterable[bytes], context: grpc.ServicerContext) -> Iterable[bytes]:
        before(context)
        yield from requests

    return {f.__name__: f for f in (unary_unary, unary_stream, stream_unary, stream_stream)}[kind]


class _Slot:
    """One method of the shared server, and the behaviour it has at the moment."""

    def __init__(self, kind: str, number: int) -> None:
        self.kind = kind
        self.name = f"{kind}_{number}"
        self.behaviour: Behaviour | None = None
        self._running = 0
        self._changed = threading.Condition()  # guards _running

    def run(self, request: Any, context: grpc.ServicerContext) -> Any:
        behaviour = self.behaviour
        assert behaviour is not None, f"{self.name} was called outside its test"
        self._count(1)
        try:
            answer = behaviour(request, context)
        except BaseException:
            self._count(-1)
            raise
        if isinstance(answer, types.GeneratorType):
            return self._iterate(answer)
        self._count(-1)
        return answer

    def _iterate(self, answer: Iterable[Any]) -> Iterable[Any]:
        try:
            yield from answer
        finally:
            self._count(-1)

    def _count(self, by: int) -> None:
        with self._changed:
            self._running += by
            self._changed.notify_all()

    def wait_until_idle(self, seconds: float) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self._running == 0, seconds)


class Served:
    """A running server, what reaches it, and the channel to it.

    Attributes:
        may_hang: grpcio itself loses count of the calls of this test, and its server never stops.
    """

    may_hang = False

    def __init__(self, column: Column, server: grpc.Server, target: str, channel: grpc.Channel) -> None:
        self.column, self.server, self.target, self.channel = column, server, target, channel


def serve(
    column: Column,
    handlers: Sequence[grpc.GenericRpcHandler] = (),
    *,
    workers: int = 16,
    registered: dict[str, grpc.RpcMethodHandler] | None = None,
    options: Sequence[tuple[str, Any]] = (),
    channel_options: Sequence[tuple[str, Any]] = (),
    **arguments: Any,
) -> Served:
    """Start a server of `column` on a free port and open a channel to it."""
    pool = futures.ThreadPoolExecutor(workers)
    server = column.server(pool, handlers, options=[*NO_TARPIT, *options], **arguments)
    if registered is not None:
        server.add_registered_method_handlers(SERVICE, registered)
    port = server.add_insecure_port("localhost:0")
    server.start()
    target = f"localhost:{port}"
    return Served(column, server, target, column.channel(target, channel_options))


class Service:
    """The server that all tests of one column share: its methods do what the tests say."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.free = {kind: [_Slot(kind, number) for number in range(SLOTS)] for kind in KINDS}
        handlers = {
            slot.name: handler_of(kind, slot.run) for kind, slots in self.free.items() for slot in slots
        }
        # As generated code does it: both as a generic handler and registered.
        generic = grpc.method_handlers_generic_handler(SERVICE, handlers)
        self.served = serve(column, [generic], workers=32, registered=handlers)
        self.channel, self.target = self.served.channel, self.served.target

    def close(self) -> None:
        self.channel.close()
        self.served.server.stop(None).wait(SECONDS)


class Methods:
    """What one test uses of the shared service; `channel` and `target` are those of the service."""

    def __init__(self, service: Service) -> None:
        self.column, self.channel, self.target = service.column, service.channel, service.target
        self._service = service
        self._slots: list[_Slot] = []
        self._events: list[threading.Event] = []

    def name(self, kind: str, behaviour: Behaviour) -> str:
        """The full name of a method of `kind` that behaves so until the end of the test."""
        slot = self._service.free[kind].pop()
        slot.behaviour = behaviour
        self._slots.append(slot)
        return f"/{SERVICE}/{slot.name}"

    def method(self, kind: str, behaviour: Behaviour, *serializers: Any, channel: Any = None) -> Any:
        """The multicallable of a method that behaves so; `serializers` are the client's two."""
        return multicallable(channel or self.channel, kind, self.name(kind, behaviour), *serializers)

    def unary_unary(self, behaviour: Behaviour, *serializers: Any) -> grpc.UnaryUnaryMultiCallable:
        return self.method("unary_unary", behaviour, *serializers)

    def unary_stream(self, behaviour: Behaviour, *serializers: Any) -> grpc.UnaryStreamMultiCallable:
        return self.method("unary_stream", behaviour, *serializers)

    def stream_unary(self, behaviour: Behaviour, *serializers: Any) -> grpc.StreamUnaryMultiCallable:
        return self.method("stream_unary", behaviour, *serializers)

    def stream_stream(self, behaviour: Behaviour, *serializers: Any) -> grpc.StreamStreamMultiCallable:
        return self.method("stream_stream", behaviour, *serializers)

    def event(self) -> threading.Event:
        """An event that is set at the latest at the end of the test, so that nobody waits for ever."""
        event = threading.Event()
        self._events.append(event)
        return event

    def close(self) -> None:
        for event in self._events:
            event.set()
        if not all(slot.wait_until_idle(0.05) for slot in self._slots):
            gc.collect()  # an error holds its call, and the call holds the error: it ends when it is dropped
        left = [slot for slot in self._slots if not slot.wait_until_idle(SECONDS)]
        for slot in self._slots:
            if slot not in left:
                slot.behaviour = None
                # At the far end: a late request for it must not meet the next test.
                self._service.free[slot.kind].insert(0, slot)
        assert not left, f"handlers still run after the end of their calls: {[slot.name for slot in left]}"
