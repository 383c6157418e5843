"""What the base classes that `protoc-gen-sage` writes for services are made of; see docs/guide/.

A generated `CacheBase` declares one abstract method per rpc. Who implements them, with `def` or with
`async def`, gets a servicer that every server takes: `CacheService().add_to_server(server)`.

The contexts are described here for type checkers: what handlers get are grpc's own objects, or ours with
the same methods.
"""

from __future__ import annotations

import inspect
from abc import ABC
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, NoReturn, Protocol, TypeAlias, TypeVar

import grpc
from google.protobuf.message import Message

from sage_rpc import serving
from sage_rpc.stubs.binding import Metadata

__all__ = [
    "AioServicerContext",
    "AnyServicerContext",
    "Base",
    "Requests",
    "Response",
    "Responses",
    "Rpc",
    "ServicerContext",
]

RequestT_co = TypeVar("RequestT_co", bound=Message, covariant=True)


class _AnyContext(Protocol):
    """What a handler may ask of its call, whether it is a coroutine or not."""

    def invocation_metadata(self) -> Iterable[tuple[str, str | bytes]]:
        """What the caller sent along."""

    def peer(self) -> str:
        """Who calls, as an address."""

    def peer_identities(self) -> Iterable[bytes] | None:
        """Who calls, as its certificate says."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """What is known of who calls."""

    def time_remaining(self) -> float | None:
        """Seconds until the deadline; None without one."""

    def set_code(self, code: grpc.StatusCode) -> None:
        """What the call is to end with."""

    def set_details(self, details: str) -> None:
        """What the caller is told about that."""

    def set_trailing_metadata(self, trailing_metadata: Metadata) -> None:
        """What is sent at the end."""


class ServicerContext(_AnyContext, Protocol):
    """The call, to a method written with `def`."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """End the call with an error."""

    def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        """Send this before the first response."""

    def is_active(self) -> bool:
        """Whether the caller still waits."""

    def cancel(self) -> None:
        """End the call."""

    def add_callback(self, callback: Callable[[], None]) -> bool:
        """Let `callback` run when the call ends. -> False when it has."""


class AioServicerContext(_AnyContext, Protocol):
    """The call, to a method written with `async def`."""

    async def abort(
        self, code: grpc.StatusCode, details: str = "", trailing_metadata: Metadata = ()
    ) -> NoReturn:
        """End the call with an error."""

    async def send_initial_metadata(self, initial_metadata: Metadata) -> None:
        """Send this before the first response."""

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Let `callback` run when the call ends."""

    def cancelled(self) -> bool:
        """Whether the caller has gone."""


if TYPE_CHECKING:
    # What a base declares, so that a method may say ServicerContext, AioServicerContext or grpc's class:
    # it is all of them, and there is no such object.
    class AnyServicerContext(  # type: ignore[misc]
        ServicerContext,
        AioServicerContext,  # pyright: ignore[reportIncompatibleMethodOverride]
        grpc.ServicerContext,
        grpc.aio.ServicerContext,
    ):
        """ServicerContext or AioServicerContext, whichever fits the method."""

    class Requests(Iterator[RequestT_co], AsyncIterator[RequestT_co]):
        """The requests of a stream: an Iterator in `def`, an AsyncIterator in `async def`."""

else:
    AnyServicerContext = grpc.ServicerContext
    Requests = Iterator


ResponseT = TypeVar("ResponseT", bound=Message)
# What a method gives: at once, or when it is awaited.
Response: TypeAlias = "ResponseT | Awaitable[ResponseT]"
Responses: TypeAlias = "Iterator[ResponseT] | AsyncIterator[ResponseT]"


class Rpc(NamedTuple):
    """One method of a declared service.

    Attributes:
        name: as the `.proto` has it.
        method: as Python has it.
        request: type of the request, or of each of them.
        response: type of the response, or of each of them.
        requests_stream: whether there are any number of requests.
        responses_stream: whether there are any number of responses.
    """

    name: str
    method: str
    request: type[Message]
    response: type[Message]
    requests_stream: bool = False
    responses_stream: bool = False


class Base(ABC):
    """The base of generated bases.

    Attributes:
        SERVICE: full name of the service, as the `.proto` has it.
        RPCS: its methods.
    """

    SERVICE: ClassVar[str]
    RPCS: ClassVar[tuple[Rpc, ...]]

    def add_to_server(self, server: grpc.Server | grpc.aio.Server) -> None:
        """Let `server` serve this, before it starts.

        Args:
            server: any of `sage_rpc.server`, `grpc.server`, `sage_rpc.aio.server` and `grpc.aio.server`.
                Methods written with `async def` need one of the last two; others run in threads there.

        Raises:
            TypeError: a method is `async`, and the server has no event loop.
        """
        looping = inspect.iscoroutinefunction(getattr(server, "start", None))  # also of one in a wrapper
        handlers = {rpc.name: _handler(self, rpc, looping=looping) for rpc in self.RPCS}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(self.SERVICE, handlers),))
        server.add_registered_method_handlers(self.SERVICE, handlers)


def _handler(servicer: Base, rpc: Rpc, *, looping: bool) -> grpc.RpcMethodHandler:
    function = getattr(servicer, rpc.method)
    is_async = inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)
    if is_async and not looping:
        raise TypeError(
            f"{type(servicer).__qualname__}.{rpc.method} is async: serve it with sage_rpc.aio.server or "
            "grpc.aio.server, or write it with `def`"
        )
    make = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[rpc.requests_stream, rpc.responses_stream]
    return make(
        _entered(function, rpc, looping=looping, is_async=is_async),
        request_deserializer=rpc.request.FromString,
        response_serializer=rpc.response.SerializeToString,
    )


def _entered(
    function: Callable[[Any, Any], Any], rpc: Rpc, *, looping: bool, is_async: bool
) -> Callable[[Any, Any], Any]:
    """`function`, whose own calls end when the call that it serves does.

    It stays what it is, a generator or a coroutine or neither: grpc.aio looks at it.
    """

    def enter(context: Any) -> serving.Serving:
        # Contexts of grpc.aio do not say in time that their call was cancelled: its deadline is all there is.
        return serving.enter(context.time_remaining(), None if looping else context)

    def answer(request: Any, context: Any) -> Any:
        served = enter(context)
        try:
            return function(request, context)
        finally:
            serving.leave(served)

    def answer_often(request: Any, context: Any) -> Iterator[Any]:
        served = enter(context)
        try:
            yield from function(request, context)
        finally:
            serving.leave(served)

    async def answer_later(request: Any, context: Any) -> Any:
        served = enter(context)
        try:
            return await function(request, context)
        finally:
            serving.leave(served)

    async def answer_often_later(request: Any, context: Any) -> AsyncIterator[Any]:
        served = enter(context)
        try:
            async for response in function(request, context):
                yield response
        finally:
            serving.leave(served)

    if is_async:
        return answer_often_later if inspect.isasyncgenfunction(function) else answer_later
    return answer_often if rpc.responses_stream else answer
