# Written by protoc-gen-sage from sage/rpc/v1/invoke.proto; do not edit.
"""Services of sage/rpc/v1/invoke.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future

from sage_rpc import clients, servicers

from . import invoke_pb2

__all__ = [
    "InvocationAioClient",
    "InvocationAsyncClient",
    "InvocationBase",
    "InvocationClient",
]


class InvocationBase(servicers.Base):
    """What implements sage.rpc.v1.Invocation."""

    SERVICE = "sage.rpc.v1.Invocation"
    RPCS = (
        servicers.Rpc(
            "Call",
            "call",
            invoke_pb2.ServiceRequest,
            invoke_pb2.ServiceResponse,
        ),
    )

    @abstractmethod
    def call(
        self,
        request: invoke_pb2.ServiceRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[invoke_pb2.ServiceResponse]:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.
        """


class InvocationClient(clients.Client):
    """Calls sage.rpc.v1.Invocation. Methods wait for the response."""

    SERVICE = "sage.rpc.v1.Invocation"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_call = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Call",
            invoke_pb2.ServiceRequest,
            invoke_pb2.ServiceResponse,
        )

    def call(
        self,
        request: invoke_pb2.ServiceRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        arguments: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> invoke_pb2.ServiceResponse:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.

        Args:
            arguments: Encoded [list of positional arguments, map of keyword arguments]; empty: neither.
        """
        return self._call_call(
            clients.request_of(
                "sage.rpc.v1.Invocation.Call",
                invoke_pb2.ServiceRequest,
                request,
                {"service": service, "method": method, "arguments": arguments},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class InvocationAsyncClient(clients.AsyncClient):
    """Calls sage.rpc.v1.Invocation. Methods give a Future of the response."""

    SERVICE = "sage.rpc.v1.Invocation"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_call = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Call",
            invoke_pb2.ServiceRequest,
            invoke_pb2.ServiceResponse,
        )

    def call(
        self,
        request: invoke_pb2.ServiceRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        arguments: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[invoke_pb2.ServiceResponse]:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.

        Args:
            arguments: Encoded [list of positional arguments, map of keyword arguments]; empty: neither.
        """
        return self._call_call(
            clients.request_of(
                "sage.rpc.v1.Invocation.Call",
                invoke_pb2.ServiceRequest,
                request,
                {"service": service, "method": method, "arguments": arguments},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class InvocationAioClient(clients.AioClient):
    """Calls sage.rpc.v1.Invocation. Methods are awaited."""

    SERVICE = "sage.rpc.v1.Invocation"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_call = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Call",
            invoke_pb2.ServiceRequest,
            invoke_pb2.ServiceResponse,
        )

    async def call(
        self,
        request: invoke_pb2.ServiceRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        arguments: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> invoke_pb2.ServiceResponse:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.

        Args:
            arguments: Encoded [list of positional arguments, map of keyword arguments]; empty: neither.
        """
        return await self._call_call(
            clients.request_of(
                "sage.rpc.v1.Invocation.Call",
                invoke_pb2.ServiceRequest,
                request,
                {"service": service, "method": method, "arguments": arguments},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
