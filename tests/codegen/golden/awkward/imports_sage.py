# Written by protoc-gen-sage from awkward/imports.proto; do not edit.
"""Services of awkward/imports.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from sage_rpc import clients, servicers

from .. import kinds_pb2
from . import fields_pb2, imports_pb2
from .by_name import common_types_pb2
from .other import common_types_pb2 as common_types_pb2_

__all__ = ["ImportsAioClient", "ImportsAsyncClient", "ImportsBase", "ImportsClient"]


class ImportsBase(servicers.Base):
    """What implements test.awkward.Imports."""

    SERVICE = "test.awkward.Imports"
    RPCS = (
        servicers.Rpc("Find", "find", common_types_pb2.Key, common_types_pb2_.Value),
        servicers.Rpc("Join", "join", imports_pb2.Joined, imports_pb2.Joined),
        servicers.Rpc(
            "Count",
            "count",
            kinds_pb2.Item,
            kinds_pb2.Tally,
            requests_stream=True,
        ),
    )

    @abstractmethod
    def find(
        self,
        request: common_types_pb2.Key,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[common_types_pb2_.Value]:
        """Serves test.awkward.Imports.Find."""

    @abstractmethod
    def join(
        self,
        request: imports_pb2.Joined,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[imports_pb2.Joined]:
        """Serves test.awkward.Imports.Join."""

    @abstractmethod
    def count(
        self,
        requests: servicers.Requests[kinds_pb2.Item],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Tally]:
        """Serves test.awkward.Imports.Count."""


class ImportsClient(clients.Client):
    """Calls test.awkward.Imports. Methods wait for the response."""

    SERVICE = "test.awkward.Imports"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_find = binder.unary_unary(
            "/test.awkward.Imports/Find",
            common_types_pb2.Key,
            common_types_pb2_.Value,
        )
        self._call_join = binder.unary_unary(
            "/test.awkward.Imports/Join",
            imports_pb2.Joined,
            imports_pb2.Joined,
        )
        self._call_count = binder.stream_unary(
            "/test.awkward.Imports/Count",
            kinds_pb2.Item,
            kinds_pb2.Tally,
        )

    def find(
        self,
        request: common_types_pb2.Key | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> common_types_pb2_.Value:
        """Calls test.awkward.Imports.Find."""
        if request is None:
            made = common_types_pb2.Key()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return self._call_find(made, timeout, metadata, wait_for_ready)
        return self._call_find(
            clients.request_of(
                "test.awkward.Imports.Find",
                common_types_pb2.Key,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def join(
        self,
        request: imports_pb2.Joined | None = None,
        /,
        *,
        key: common_types_pb2.Key | Mapping[str, Any] | None = None,
        values: Iterable[common_types_pb2_.Value | Mapping[str, Any]] | None = None,
        all: Mapping[str, fields_pb2.Everything | Mapping[str, Any]] | None = None,
        shade: fields_pb2.Shade | str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> imports_pb2.Joined:
        """Calls test.awkward.Imports.Join."""
        return self._call_join(
            clients.request_of(
                "test.awkward.Imports.Join",
                imports_pb2.Joined,
                request,
                {"key": key, "values": values, "all": all, "shade": shade},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def count(
        self,
        requests: Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> kinds_pb2.Tally:
        """Calls test.awkward.Imports.Count."""
        return self._call_count(requests, timeout, metadata, wait_for_ready)


class ImportsAsyncClient(clients.AsyncClient):
    """Calls test.awkward.Imports. Methods give a Future of the response."""

    SERVICE = "test.awkward.Imports"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_find = binder.unary_unary(
            "/test.awkward.Imports/Find",
            common_types_pb2.Key,
            common_types_pb2_.Value,
        )
        self._call_join = binder.unary_unary(
            "/test.awkward.Imports/Join",
            imports_pb2.Joined,
            imports_pb2.Joined,
        )
        self._call_count = binder.stream_unary(
            "/test.awkward.Imports/Count",
            kinds_pb2.Item,
            kinds_pb2.Tally,
        )

    def find(
        self,
        request: common_types_pb2.Key | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[common_types_pb2_.Value]:
        """Calls test.awkward.Imports.Find."""
        if request is None:
            made = common_types_pb2.Key()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return self._call_find(made, timeout, metadata, wait_for_ready)
        return self._call_find(
            clients.request_of(
                "test.awkward.Imports.Find",
                common_types_pb2.Key,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def join(
        self,
        request: imports_pb2.Joined | None = None,
        /,
        *,
        key: common_types_pb2.Key | Mapping[str, Any] | None = None,
        values: Iterable[common_types_pb2_.Value | Mapping[str, Any]] | None = None,
        all: Mapping[str, fields_pb2.Everything | Mapping[str, Any]] | None = None,
        shade: fields_pb2.Shade | str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[imports_pb2.Joined]:
        """Calls test.awkward.Imports.Join."""
        return self._call_join(
            clients.request_of(
                "test.awkward.Imports.Join",
                imports_pb2.Joined,
                request,
                {"key": key, "values": values, "all": all, "shade": shade},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def count(
        self,
        requests: Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[kinds_pb2.Tally]:
        """Calls test.awkward.Imports.Count."""
        return self._call_count(requests, timeout, metadata, wait_for_ready)


class ImportsAioClient(clients.AioClient):
    """Calls test.awkward.Imports. Methods are awaited."""

    SERVICE = "test.awkward.Imports"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_find = binder.unary_unary(
            "/test.awkward.Imports/Find",
            common_types_pb2.Key,
            common_types_pb2_.Value,
        )
        self._call_join = binder.unary_unary(
            "/test.awkward.Imports/Join",
            imports_pb2.Joined,
            imports_pb2.Joined,
        )
        self._call_count = binder.stream_unary(
            "/test.awkward.Imports/Count",
            kinds_pb2.Item,
            kinds_pb2.Tally,
        )

    async def find(
        self,
        request: common_types_pb2.Key | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> common_types_pb2_.Value:
        """Calls test.awkward.Imports.Find."""
        if request is None:
            made = common_types_pb2.Key()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_find(made, timeout, metadata, wait_for_ready)
        return await self._call_find(
            clients.request_of(
                "test.awkward.Imports.Find",
                common_types_pb2.Key,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def join(
        self,
        request: imports_pb2.Joined | None = None,
        /,
        *,
        key: common_types_pb2.Key | Mapping[str, Any] | None = None,
        values: Iterable[common_types_pb2_.Value | Mapping[str, Any]] | None = None,
        all: Mapping[str, fields_pb2.Everything | Mapping[str, Any]] | None = None,
        shade: fields_pb2.Shade | str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> imports_pb2.Joined:
        """Calls test.awkward.Imports.Join."""
        return await self._call_join(
            clients.request_of(
                "test.awkward.Imports.Join",
                imports_pb2.Joined,
                request,
                {"key": key, "values": values, "all": all, "shade": shade},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def count(
        self,
        requests: AsyncIterable[kinds_pb2.Item] | Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> kinds_pb2.Tally:
        """Calls test.awkward.Imports.Count."""
        return await self._call_count(requests, timeout, metadata, wait_for_ready)
