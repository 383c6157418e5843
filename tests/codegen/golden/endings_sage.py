# Written by protoc-gen-sage from endings.proto; do not edit.
"""Services of endings.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Iterable
from concurrent.futures import Future

from sage_rpc import clients, servicers

from . import endings_pb2

__all__ = ["EndingsAioClient", "EndingsAsyncClient", "EndingsBase", "EndingsClient"]


class EndingsBase(servicers.Base):
    """Each call ends as its first request says."""

    SERVICE = "test.endings.Endings"
    RPCS = (
        servicers.Rpc("One", "one", endings_pb2.Order, endings_pb2.Receipt),
        servicers.Rpc(
            "Many",
            "many",
            endings_pb2.Order,
            endings_pb2.Receipt,
            responses_stream=True,
        ),
        servicers.Rpc(
            "Sum",
            "sum",
            endings_pb2.Order,
            endings_pb2.Receipt,
            requests_stream=True,
        ),
        servicers.Rpc(
            "Each",
            "each",
            endings_pb2.Order,
            endings_pb2.Receipt,
            requests_stream=True,
            responses_stream=True,
        ),
    )

    @abstractmethod
    def one(
        self,
        request: endings_pb2.Order,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[endings_pb2.Receipt]:
        """Serves test.endings.Endings.One."""

    @abstractmethod
    def many(
        self,
        request: endings_pb2.Order,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[endings_pb2.Receipt]:
        """Serves test.endings.Endings.Many."""

    @abstractmethod
    def sum(
        self,
        requests: servicers.Requests[endings_pb2.Order],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[endings_pb2.Receipt]:
        """Serves test.endings.Endings.Sum."""

    @abstractmethod
    def each(
        self,
        requests: servicers.Requests[endings_pb2.Order],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[endings_pb2.Receipt]:
        """Serves test.endings.Endings.Each."""


class EndingsClient(clients.Client):
    """Calls test.endings.Endings. Methods wait for the response.

    Each call ends as its first request says.
    """

    SERVICE = "test.endings.Endings"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_one = binder.unary_unary(
            "/test.endings.Endings/One",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_many = binder.unary_stream(
            "/test.endings.Endings/Many",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_sum = binder.stream_unary(
            "/test.endings.Endings/Sum",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_each = binder.stream_stream(
            "/test.endings.Endings/Each",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )

    def one(
        self,
        request: endings_pb2.Order | None = None,
        /,
        *,
        how: str | None = None,
        filling: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> endings_pb2.Receipt:
        """Calls test.endings.Endings.One."""
        if request is None:
            made = endings_pb2.Order()
            try:
                if how is not None:
                    made.how = how
                if filling is not None:
                    made.filling = filling
            except (TypeError, ValueError):
                pass
            else:
                return self._call_one(made, timeout, metadata, wait_for_ready)
        return self._call_one(
            clients.request_of(
                "test.endings.Endings.One",
                endings_pb2.Order,
                request,
                {"how": how, "filling": filling},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def many(
        self,
        request: endings_pb2.Order | None = None,
        /,
        *,
        how: str | None = None,
        filling: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Many."""
        if request is None:
            made = endings_pb2.Order()
            try:
                if how is not None:
                    made.how = how
                if filling is not None:
                    made.filling = filling
            except (TypeError, ValueError):
                pass
            else:
                return self._call_many(made, timeout, metadata, wait_for_ready)
        return self._call_many(
            clients.request_of(
                "test.endings.Endings.Many",
                endings_pb2.Order,
                request,
                {"how": how, "filling": filling},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def sum(
        self,
        requests: Iterable[endings_pb2.Order],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> endings_pb2.Receipt:
        """Calls test.endings.Endings.Sum."""
        return self._call_sum(requests, timeout, metadata, wait_for_ready)

    def each(
        self,
        requests: Iterable[endings_pb2.Order],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Each."""
        return self._call_each(requests, timeout, metadata, wait_for_ready)


class EndingsAsyncClient(clients.AsyncClient):
    """Calls test.endings.Endings. Methods give a Future of the response.

    Each call ends as its first request says.
    """

    SERVICE = "test.endings.Endings"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_one = binder.unary_unary(
            "/test.endings.Endings/One",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_many = binder.unary_stream(
            "/test.endings.Endings/Many",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_sum = binder.stream_unary(
            "/test.endings.Endings/Sum",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_each = binder.stream_stream(
            "/test.endings.Endings/Each",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )

    def one(
        self,
        request: endings_pb2.Order | None = None,
        /,
        *,
        how: str | None = None,
        filling: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[endings_pb2.Receipt]:
        """Calls test.endings.Endings.One."""
        if request is None:
            made = endings_pb2.Order()
            try:
                if how is not None:
                    made.how = how
                if filling is not None:
                    made.filling = filling
            except (TypeError, ValueError):
                pass
            else:
                return self._call_one(made, timeout, metadata, wait_for_ready)
        return self._call_one(
            clients.request_of(
                "test.endings.Endings.One",
                endings_pb2.Order,
                request,
                {"how": how, "filling": filling},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def many(
        self,
        request: endings_pb2.Order | None = None,
        /,
        *,
        how: str | None = None,
        filling: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Many."""
        if request is None:
            made = endings_pb2.Order()
            try:
                if how is not None:
                    made.how = how
                if filling is not None:
                    made.filling = filling
            except (TypeError, ValueError):
                pass
            else:
                return self._call_many(made, timeout, metadata, wait_for_ready)
        return self._call_many(
            clients.request_of(
                "test.endings.Endings.Many",
                endings_pb2.Order,
                request,
                {"how": how, "filling": filling},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def sum(
        self,
        requests: Iterable[endings_pb2.Order],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Sum."""
        return self._call_sum(requests, timeout, metadata, wait_for_ready)

    def each(
        self,
        requests: Iterable[endings_pb2.Order],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Each."""
        return self._call_each(requests, timeout, metadata, wait_for_ready)


class EndingsAioClient(clients.AioClient):
    """Calls test.endings.Endings. Methods are awaited.

    Each call ends as its first request says.
    """

    SERVICE = "test.endings.Endings"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_one = binder.unary_unary(
            "/test.endings.Endings/One",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_many = binder.unary_stream(
            "/test.endings.Endings/Many",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_sum = binder.stream_unary(
            "/test.endings.Endings/Sum",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )
        self._call_each = binder.stream_stream(
            "/test.endings.Endings/Each",
            endings_pb2.Order,
            endings_pb2.Receipt,
        )

    async def one(
        self,
        request: endings_pb2.Order | None = None,
        /,
        *,
        how: str | None = None,
        filling: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> endings_pb2.Receipt:
        """Calls test.endings.Endings.One."""
        if request is None:
            made = endings_pb2.Order()
            try:
                if how is not None:
                    made.how = how
                if filling is not None:
                    made.filling = filling
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_one(made, timeout, metadata, wait_for_ready)
        return await self._call_one(
            clients.request_of(
                "test.endings.Endings.One",
                endings_pb2.Order,
                request,
                {"how": how, "filling": filling},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def many(
        self,
        request: endings_pb2.Order | None = None,
        /,
        *,
        how: str | None = None,
        filling: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Many."""
        if request is None:
            made = endings_pb2.Order()
            try:
                if how is not None:
                    made.how = how
                if filling is not None:
                    made.filling = filling
            except (TypeError, ValueError):
                pass
            else:
                return self._call_many(made, timeout, metadata, wait_for_ready)
        return self._call_many(
            clients.request_of(
                "test.endings.Endings.Many",
                endings_pb2.Order,
                request,
                {"how": how, "filling": filling},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def sum(
        self,
        requests: AsyncIterable[endings_pb2.Order] | Iterable[endings_pb2.Order],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> endings_pb2.Receipt:
        """Calls test.endings.Endings.Sum."""
        return await self._call_sum(requests, timeout, metadata, wait_for_ready)

    def each(
        self,
        requests: AsyncIterable[endings_pb2.Order] | Iterable[endings_pb2.Order],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[endings_pb2.Receipt]:
        """Calls test.endings.Endings.Each."""
        return self._call_each(requests, timeout, metadata, wait_for_ready)
