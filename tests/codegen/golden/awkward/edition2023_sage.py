# Written by protoc-gen-sage from awkward/edition2023.proto; do not edit.
"""Services of awkward/edition2023.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from sage_rpc import clients, servicers

from . import edition2023_pb2

__all__ = ["EditionsAioClient", "EditionsAsyncClient", "EditionsBase", "EditionsClient"]


class EditionsBase(servicers.Base):
    """What implements test.awkward.edition2023.Editions."""

    SERVICE = "test.awkward.edition2023.Editions"
    RPCS = (
        servicers.Rpc("Get", "get", edition2023_pb2.Request, edition2023_pb2.Reply),
    )

    @abstractmethod
    def get(
        self,
        request: edition2023_pb2.Request,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[edition2023_pb2.Reply]:
        """Serves test.awkward.edition2023.Editions.Get."""


class EditionsClient(clients.Client):
    """Calls test.awkward.edition2023.Editions. Methods wait for the response."""

    SERVICE = "test.awkward.edition2023.Editions"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.edition2023.Editions/Get",
            edition2023_pb2.Request,
            edition2023_pb2.Reply,
        )

    def get(
        self,
        request: edition2023_pb2.Request | None = None,
        /,
        *,
        explicit: str | None = None,
        implicit: str | None = None,
        delimited: edition2023_pb2.Inner | Mapping[str, Any] | None = None,
        expanded: Iterable[int] | None = None,
        closed: edition2023_pb2.Closed | str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> edition2023_pb2.Reply:
        """Calls test.awkward.edition2023.Editions.Get."""
        if (
            request is None
            and delimited is None
            and expanded is None
            and closed is None
        ):
            made = edition2023_pb2.Request()
            try:
                if explicit is not None:
                    made.explicit = explicit
                if implicit is not None:
                    made.implicit = implicit
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.edition2023.Editions.Get",
                edition2023_pb2.Request,
                request,
                {
                    "explicit": explicit,
                    "implicit": implicit,
                    "delimited": delimited,
                    "expanded": expanded,
                    "closed": closed,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class EditionsAsyncClient(clients.AsyncClient):
    """Calls test.awkward.edition2023.Editions. Methods give a Future of the response."""

    SERVICE = "test.awkward.edition2023.Editions"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.edition2023.Editions/Get",
            edition2023_pb2.Request,
            edition2023_pb2.Reply,
        )

    def get(
        self,
        request: edition2023_pb2.Request | None = None,
        /,
        *,
        explicit: str | None = None,
        implicit: str | None = None,
        delimited: edition2023_pb2.Inner | Mapping[str, Any] | None = None,
        expanded: Iterable[int] | None = None,
        closed: edition2023_pb2.Closed | str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[edition2023_pb2.Reply]:
        """Calls test.awkward.edition2023.Editions.Get."""
        if (
            request is None
            and delimited is None
            and expanded is None
            and closed is None
        ):
            made = edition2023_pb2.Request()
            try:
                if explicit is not None:
                    made.explicit = explicit
                if implicit is not None:
                    made.implicit = implicit
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.edition2023.Editions.Get",
                edition2023_pb2.Request,
                request,
                {
                    "explicit": explicit,
                    "implicit": implicit,
                    "delimited": delimited,
                    "expanded": expanded,
                    "closed": closed,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class EditionsAioClient(clients.AioClient):
    """Calls test.awkward.edition2023.Editions. Methods are awaited."""

    SERVICE = "test.awkward.edition2023.Editions"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.edition2023.Editions/Get",
            edition2023_pb2.Request,
            edition2023_pb2.Reply,
        )

    async def get(
        self,
        request: edition2023_pb2.Request | None = None,
        /,
        *,
        explicit: str | None = None,
        implicit: str | None = None,
        delimited: edition2023_pb2.Inner | Mapping[str, Any] | None = None,
        expanded: Iterable[int] | None = None,
        closed: edition2023_pb2.Closed | str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> edition2023_pb2.Reply:
        """Calls test.awkward.edition2023.Editions.Get."""
        if (
            request is None
            and delimited is None
            and expanded is None
            and closed is None
        ):
            made = edition2023_pb2.Request()
            try:
                if explicit is not None:
                    made.explicit = explicit
                if implicit is not None:
                    made.implicit = implicit
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients.request_of(
                "test.awkward.edition2023.Editions.Get",
                edition2023_pb2.Request,
                request,
                {
                    "explicit": explicit,
                    "implicit": implicit,
                    "delimited": delimited,
                    "expanded": expanded,
                    "closed": closed,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
