# Written by protoc-gen-sage from sage/rpc/v1/invoke.proto; do not edit.
"""Services of sage/rpc/v1/invoke.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
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
        servicers.Rpc(
            "Batch",
            "batch",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        ),
        servicers.Rpc(
            "BatchStream",
            "batch_stream",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
            responses_stream=True,
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

    @abstractmethod
    def batch(
        self,
        request: invoke_pb2.BatchRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[invoke_pb2.BatchResponse]:
        """Calls one method many times, in order, in one round trip. An exception ends one of the calls, not the batch.
        A declared service is called so by its full name; the elements of `calls` and `results` are its messages as bytes.
        """

    @abstractmethod
    def batch_stream(
        self,
        request: invoke_pb2.BatchRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[invoke_pb2.BatchResponse]:
        """The same, with results as they come: each response has those of some consecutive calls."""


class InvocationClient(clients.Client):
    """Calls sage.rpc.v1.Invocation. Methods wait for the response."""

    SERVICE = "sage.rpc.v1.Invocation"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_call = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Call",
            invoke_pb2.ServiceRequest,
            invoke_pb2.ServiceResponse,
        )
        self._call_batch = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Batch",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        )
        self._call_batch_stream = binder.unary_stream(
            "/sage.rpc.v1.Invocation/BatchStream",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        )

    def call(
        self,
        request: invoke_pb2.ServiceRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        arguments: bytes | None = None,
        buffers: Iterable[bytes] | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> invoke_pb2.ServiceResponse:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.

        Args:
            arguments: Encoded [list of positional arguments, map of keyword arguments]; empty: neither.
            buffers: Large buffers that the arguments refer to by number: arrays in C order, bytes.
        """
        if request is None and buffers is None:
            made = invoke_pb2.ServiceRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if arguments is not None:
                    made.arguments = arguments
            except (TypeError, ValueError):
                pass
            else:
                return self._call_call(made, timeout, metadata, wait_for_ready)
        return self._call_call(
            clients.request_of(
                "sage.rpc.v1.Invocation.Call",
                invoke_pb2.ServiceRequest,
                request,
                {
                    "service": service,
                    "method": method,
                    "arguments": arguments,
                    "buffers": buffers,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def batch(
        self,
        request: invoke_pb2.BatchRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        calls: bytes | None = None,
        whole: bool | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> invoke_pb2.BatchResponse:
        """Calls one method many times, in order, in one round trip. An exception ends one of the calls, not the batch.
        A declared service is called so by its full name; the elements of `calls` and `results` are its messages as bytes.

        Args:
            calls: Encoded list, an element for each call: its only argument, or, with `whole`, a list of its list of positional
                arguments and its map of keyword arguments.
        """
        if request is None:
            made = invoke_pb2.BatchRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if calls is not None:
                    made.calls = calls
                if whole is not None:
                    made.whole = whole
            except (TypeError, ValueError):
                pass
            else:
                return self._call_batch(made, timeout, metadata, wait_for_ready)
        return self._call_batch(
            clients.request_of(
                "sage.rpc.v1.Invocation.Batch",
                invoke_pb2.BatchRequest,
                request,
                {"service": service, "method": method, "calls": calls, "whole": whole},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def batch_stream(
        self,
        request: invoke_pb2.BatchRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        calls: bytes | None = None,
        whole: bool | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[invoke_pb2.BatchResponse]:
        """The same, with results as they come: each response has those of some consecutive calls.

        Args:
            calls: Encoded list, an element for each call: its only argument, or, with `whole`, a list of its list of positional
                arguments and its map of keyword arguments.
        """
        if request is None:
            made = invoke_pb2.BatchRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if calls is not None:
                    made.calls = calls
                if whole is not None:
                    made.whole = whole
            except (TypeError, ValueError):
                pass
            else:
                return self._call_batch_stream(made, timeout, metadata, wait_for_ready)
        return self._call_batch_stream(
            clients.request_of(
                "sage.rpc.v1.Invocation.BatchStream",
                invoke_pb2.BatchRequest,
                request,
                {"service": service, "method": method, "calls": calls, "whole": whole},
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
        self._call_batch = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Batch",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        )
        self._call_batch_stream = binder.unary_stream(
            "/sage.rpc.v1.Invocation/BatchStream",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        )

    def call(
        self,
        request: invoke_pb2.ServiceRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        arguments: bytes | None = None,
        buffers: Iterable[bytes] | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[invoke_pb2.ServiceResponse]:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.

        Args:
            arguments: Encoded [list of positional arguments, map of keyword arguments]; empty: neither.
            buffers: Large buffers that the arguments refer to by number: arrays in C order, bytes.
        """
        if request is None and buffers is None:
            made = invoke_pb2.ServiceRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if arguments is not None:
                    made.arguments = arguments
            except (TypeError, ValueError):
                pass
            else:
                return self._call_call(made, timeout, metadata, wait_for_ready)
        return self._call_call(
            clients.request_of(
                "sage.rpc.v1.Invocation.Call",
                invoke_pb2.ServiceRequest,
                request,
                {
                    "service": service,
                    "method": method,
                    "arguments": arguments,
                    "buffers": buffers,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def batch(
        self,
        request: invoke_pb2.BatchRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        calls: bytes | None = None,
        whole: bool | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[invoke_pb2.BatchResponse]:
        """Calls one method many times, in order, in one round trip. An exception ends one of the calls, not the batch.
        A declared service is called so by its full name; the elements of `calls` and `results` are its messages as bytes.

        Args:
            calls: Encoded list, an element for each call: its only argument, or, with `whole`, a list of its list of positional
                arguments and its map of keyword arguments.
        """
        if request is None:
            made = invoke_pb2.BatchRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if calls is not None:
                    made.calls = calls
                if whole is not None:
                    made.whole = whole
            except (TypeError, ValueError):
                pass
            else:
                return self._call_batch(made, timeout, metadata, wait_for_ready)
        return self._call_batch(
            clients.request_of(
                "sage.rpc.v1.Invocation.Batch",
                invoke_pb2.BatchRequest,
                request,
                {"service": service, "method": method, "calls": calls, "whole": whole},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def batch_stream(
        self,
        request: invoke_pb2.BatchRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        calls: bytes | None = None,
        whole: bool | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[invoke_pb2.BatchResponse]:
        """The same, with results as they come: each response has those of some consecutive calls.

        Args:
            calls: Encoded list, an element for each call: its only argument, or, with `whole`, a list of its list of positional
                arguments and its map of keyword arguments.
        """
        if request is None:
            made = invoke_pb2.BatchRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if calls is not None:
                    made.calls = calls
                if whole is not None:
                    made.whole = whole
            except (TypeError, ValueError):
                pass
            else:
                return self._call_batch_stream(made, timeout, metadata, wait_for_ready)
        return self._call_batch_stream(
            clients.request_of(
                "sage.rpc.v1.Invocation.BatchStream",
                invoke_pb2.BatchRequest,
                request,
                {"service": service, "method": method, "calls": calls, "whole": whole},
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
        self._call_batch = binder.unary_unary(
            "/sage.rpc.v1.Invocation/Batch",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        )
        self._call_batch_stream = binder.unary_stream(
            "/sage.rpc.v1.Invocation/BatchStream",
            invoke_pb2.BatchRequest,
            invoke_pb2.BatchResponse,
        )

    async def call(
        self,
        request: invoke_pb2.ServiceRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        arguments: bytes | None = None,
        buffers: Iterable[bytes] | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> invoke_pb2.ServiceResponse:
        """Calls one method of one service. An exception of the method is part of the response; a service or
        method that does not exist, or arguments that do not fit, are errors of the call.

        Args:
            arguments: Encoded [list of positional arguments, map of keyword arguments]; empty: neither.
            buffers: Large buffers that the arguments refer to by number: arrays in C order, bytes.
        """
        if request is None and buffers is None:
            made = invoke_pb2.ServiceRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if arguments is not None:
                    made.arguments = arguments
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_call(made, timeout, metadata, wait_for_ready)
        return await self._call_call(
            clients.request_of(
                "sage.rpc.v1.Invocation.Call",
                invoke_pb2.ServiceRequest,
                request,
                {
                    "service": service,
                    "method": method,
                    "arguments": arguments,
                    "buffers": buffers,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def batch(
        self,
        request: invoke_pb2.BatchRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        calls: bytes | None = None,
        whole: bool | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> invoke_pb2.BatchResponse:
        """Calls one method many times, in order, in one round trip. An exception ends one of the calls, not the batch.
        A declared service is called so by its full name; the elements of `calls` and `results` are its messages as bytes.

        Args:
            calls: Encoded list, an element for each call: its only argument, or, with `whole`, a list of its list of positional
                arguments and its map of keyword arguments.
        """
        if request is None:
            made = invoke_pb2.BatchRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if calls is not None:
                    made.calls = calls
                if whole is not None:
                    made.whole = whole
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_batch(made, timeout, metadata, wait_for_ready)
        return await self._call_batch(
            clients.request_of(
                "sage.rpc.v1.Invocation.Batch",
                invoke_pb2.BatchRequest,
                request,
                {"service": service, "method": method, "calls": calls, "whole": whole},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def batch_stream(
        self,
        request: invoke_pb2.BatchRequest | None = None,
        /,
        *,
        service: str | None = None,
        method: str | None = None,
        calls: bytes | None = None,
        whole: bool | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[invoke_pb2.BatchResponse]:
        """The same, with results as they come: each response has those of some consecutive calls.

        Args:
            calls: Encoded list, an element for each call: its only argument, or, with `whole`, a list of its list of positional
                arguments and its map of keyword arguments.
        """
        if request is None:
            made = invoke_pb2.BatchRequest()
            try:
                if service is not None:
                    made.service = service
                if method is not None:
                    made.method = method
                if calls is not None:
                    made.calls = calls
                if whole is not None:
                    made.whole = whole
            except (TypeError, ValueError):
                pass
            else:
                return self._call_batch_stream(made, timeout, metadata, wait_for_ready)
        return self._call_batch_stream(
            clients.request_of(
                "sage.rpc.v1.Invocation.BatchStream",
                invoke_pb2.BatchRequest,
                request,
                {"service": service, "method": method, "calls": calls, "whole": whole},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
