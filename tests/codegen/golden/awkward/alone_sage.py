# Written by protoc-gen-sage from awkward/alone.proto; do not edit.
"""Services of awkward/alone.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from google.protobuf import empty_pb2
from sage_rpc import clients, servicers

from .. import kinds_pb2
from . import alone_pb2

__all__ = ["AloneAioClient", "AloneAsyncClient", "AloneBase", "AloneClient"]

DESCRIPTOR = alone_pb2.DESCRIPTOR


class AloneBase(servicers.Base):
    """What implements test.awkward.Alone."""

    SERVICE = "test.awkward.Alone"
    RPCS = (
        servicers.Rpc("Echo", "echo", kinds_pb2.Item, kinds_pb2.Item),
        servicers.Rpc(
            "Forget",
            "forget",
            empty_pb2.Empty,
            empty_pb2.Empty,
            responses_stream=True,
        ),
    )

    @abstractmethod
    def echo(
        self,
        request: kinds_pb2.Item,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Item]:
        """Serves test.awkward.Alone.Echo."""

    @abstractmethod
    def forget(
        self,
        request: empty_pb2.Empty,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[empty_pb2.Empty]:
        """Serves test.awkward.Alone.Forget."""


class AloneClient(clients.Client):
    """Calls test.awkward.Alone. Methods wait for the response."""

    SERVICE = "test.awkward.Alone"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_echo = binder.unary_unary(
            "/test.awkward.Alone/Echo",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_forget = binder.unary_stream(
            "/test.awkward.Alone/Forget",
            empty_pb2.Empty,
            empty_pb2.Empty,
        )

    def echo(
        self,
        request: kinds_pb2.Item | None = None,
        /,
        *,
        name: str | None = None,
        count: int | None = None,
        weight: float | None = None,
        code: int | None = None,
        tags: Iterable[str] | None = None,
        color: kinds_pb2.Color | str | None = None,
        inner: kinds_pb2.Item | Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> kinds_pb2.Item:
        """Calls test.awkward.Alone.Echo.

        Without `timeout` a call may take 3 s.

        Args:
            name: What it is called.
            code: A status code that the call is to end with; 0: OK.
        """
        if (
            request is None
            and tags is None
            and color is None
            and inner is None
            and sizes is None
        ):
            made = kinds_pb2.Item()
            try:
                if name is not None:
                    made.name = name
                if count is not None:
                    made.count = count
                if weight is not None:
                    made.weight = weight
                if code is not None:
                    made.code = code
            except (TypeError, ValueError):
                pass
            else:
                return self._call_echo(made, timeout, metadata, wait_for_ready)
        return self._call_echo(
            clients.request_of(
                "test.awkward.Alone.Echo",
                kinds_pb2.Item,
                request,
                {
                    "name": name,
                    "count": count,
                    "weight": weight,
                    "code": code,
                    "tags": tags,
                    "color": color,
                    "inner": inner,
                    "sizes": sizes,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def forget(
        self,
        request: empty_pb2.Empty | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[empty_pb2.Empty]:
        """Calls test.awkward.Alone.Forget."""
        return self._call_forget(
            clients.request_of(
                "test.awkward.Alone.Forget",
                empty_pb2.Empty,
                request,
                {},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class AloneAsyncClient(clients.AsyncClient):
    """Calls test.awkward.Alone. Methods give a Future of the response."""

    SERVICE = "test.awkward.Alone"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_echo = binder.unary_unary(
            "/test.awkward.Alone/Echo",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_forget = binder.unary_stream(
            "/test.awkward.Alone/Forget",
            empty_pb2.Empty,
            empty_pb2.Empty,
        )

    def echo(
        self,
        request: kinds_pb2.Item | None = None,
        /,
        *,
        name: str | None = None,
        count: int | None = None,
        weight: float | None = None,
        code: int | None = None,
        tags: Iterable[str] | None = None,
        color: kinds_pb2.Color | str | None = None,
        inner: kinds_pb2.Item | Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[kinds_pb2.Item]:
        """Calls test.awkward.Alone.Echo.

        Without `timeout` a call may take 3 s.

        Args:
            name: What it is called.
            code: A status code that the call is to end with; 0: OK.
        """
        if (
            request is None
            and tags is None
            and color is None
            and inner is None
            and sizes is None
        ):
            made = kinds_pb2.Item()
            try:
                if name is not None:
                    made.name = name
                if count is not None:
                    made.count = count
                if weight is not None:
                    made.weight = weight
                if code is not None:
                    made.code = code
            except (TypeError, ValueError):
                pass
            else:
                return self._call_echo(made, timeout, metadata, wait_for_ready)
        return self._call_echo(
            clients.request_of(
                "test.awkward.Alone.Echo",
                kinds_pb2.Item,
                request,
                {
                    "name": name,
                    "count": count,
                    "weight": weight,
                    "code": code,
                    "tags": tags,
                    "color": color,
                    "inner": inner,
                    "sizes": sizes,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def forget(
        self,
        request: empty_pb2.Empty | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[empty_pb2.Empty]:
        """Calls test.awkward.Alone.Forget."""
        return self._call_forget(
            clients.request_of(
                "test.awkward.Alone.Forget",
                empty_pb2.Empty,
                request,
                {},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class AloneAioClient(clients.AioClient):
    """Calls test.awkward.Alone. Methods are awaited."""

    SERVICE = "test.awkward.Alone"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_echo = binder.unary_unary(
            "/test.awkward.Alone/Echo",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_forget = binder.unary_stream(
            "/test.awkward.Alone/Forget",
            empty_pb2.Empty,
            empty_pb2.Empty,
        )

    async def echo(
        self,
        request: kinds_pb2.Item | None = None,
        /,
        *,
        name: str | None = None,
        count: int | None = None,
        weight: float | None = None,
        code: int | None = None,
        tags: Iterable[str] | None = None,
        color: kinds_pb2.Color | str | None = None,
        inner: kinds_pb2.Item | Mapping[str, Any] | None = None,
        sizes: Mapping[str, int] | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> kinds_pb2.Item:
        """Calls test.awkward.Alone.Echo.

        Without `timeout` a call may take 3 s.

        Args:
            name: What it is called.
            code: A status code that the call is to end with; 0: OK.
        """
        if (
            request is None
            and tags is None
            and color is None
            and inner is None
            and sizes is None
        ):
            made = kinds_pb2.Item()
            try:
                if name is not None:
                    made.name = name
                if count is not None:
                    made.count = count
                if weight is not None:
                    made.weight = weight
                if code is not None:
                    made.code = code
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_echo(made, timeout, metadata, wait_for_ready)
        return await self._call_echo(
            clients.request_of(
                "test.awkward.Alone.Echo",
                kinds_pb2.Item,
                request,
                {
                    "name": name,
                    "count": count,
                    "weight": weight,
                    "code": code,
                    "tags": tags,
                    "color": color,
                    "inner": inner,
                    "sizes": sizes,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def forget(
        self,
        request: empty_pb2.Empty | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[empty_pb2.Empty]:
        """Calls test.awkward.Alone.Forget."""
        return self._call_forget(
            clients.request_of(
                "test.awkward.Alone.Forget",
                empty_pb2.Empty,
                request,
                {},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
