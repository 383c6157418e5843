# Written by protoc-gen-sage from hello.proto; do not edit.
"""Services of hello.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future

import hello_pb2
from sage_rpc import clients, servicers

__all__ = ["GreeterAioClient", "GreeterAsyncClient", "GreeterBase", "GreeterClient"]


class GreeterBase(servicers.Base):
    """What implements hello.Greeter."""

    SERVICE = "hello.Greeter"
    RPCS = (
        servicers.Rpc("Hello", "hello", hello_pb2.HelloRequest, hello_pb2.HelloReply),
    )

    @abstractmethod
    def hello(
        self,
        request: hello_pb2.HelloRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[hello_pb2.HelloReply]:
        """Serves hello.Greeter.Hello."""


class GreeterClient(clients.Client):
    """Calls hello.Greeter. Methods wait for the response."""

    SERVICE = "hello.Greeter"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_hello = binder.unary_unary(
            "/hello.Greeter/Hello",
            hello_pb2.HelloRequest,
            hello_pb2.HelloReply,
        )

    def hello(
        self,
        request: hello_pb2.HelloRequest | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> hello_pb2.HelloReply:
        """Calls hello.Greeter.Hello."""
        return self._call_hello(
            clients.request_of(
                "hello.Greeter.Hello",
                hello_pb2.HelloRequest,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class GreeterAsyncClient(clients.AsyncClient):
    """Calls hello.Greeter. Methods give a Future of the response."""

    SERVICE = "hello.Greeter"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_hello = binder.unary_unary(
            "/hello.Greeter/Hello",
            hello_pb2.HelloRequest,
            hello_pb2.HelloReply,
        )

    def hello(
        self,
        request: hello_pb2.HelloRequest | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[hello_pb2.HelloReply]:
        """Calls hello.Greeter.Hello."""
        return self._call_hello(
            clients.request_of(
                "hello.Greeter.Hello",
                hello_pb2.HelloRequest,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class GreeterAioClient(clients.AioClient):
    """Calls hello.Greeter. Methods are awaited."""

    SERVICE = "hello.Greeter"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_hello = binder.unary_unary(
            "/hello.Greeter/Hello",
            hello_pb2.HelloRequest,
            hello_pb2.HelloReply,
        )

    async def hello(
        self,
        request: hello_pb2.HelloRequest | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> hello_pb2.HelloReply:
        """Calls hello.Greeter.Hello."""
        return await self._call_hello(
            clients.request_of(
                "hello.Greeter.Hello",
                hello_pb2.HelloRequest,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
