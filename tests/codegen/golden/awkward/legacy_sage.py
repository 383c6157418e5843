# Written by protoc-gen-sage from awkward/legacy.proto; do not edit.
"""Services of awkward/legacy.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from concurrent.futures import Future
from typing import Any

from sage_rpc import clients, servicers

from . import legacy_pb2

__all__ = ["LegacyAioClient", "LegacyAsyncClient", "LegacyBase", "LegacyClient"]


class LegacyBase(servicers.Base):
    """What implements test.awkward.legacy.Legacy."""

    SERVICE = "test.awkward.legacy.Legacy"
    RPCS = (servicers.Rpc("Get", "get", legacy_pb2.Request, legacy_pb2.Reply),)

    @abstractmethod
    def get(
        self,
        request: legacy_pb2.Request,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[legacy_pb2.Reply]:
        """Serves test.awkward.legacy.Legacy.Get."""


class LegacyClient(clients.Client):
    """Calls test.awkward.legacy.Legacy. Methods wait for the response."""

    SERVICE = "test.awkward.legacy.Legacy"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.legacy.Legacy/Get",
            legacy_pb2.Request,
            legacy_pb2.Reply,
        )

    def get(
        self,
        request: legacy_pb2.Request | None = None,
        /,
        *,
        name: str | None = None,
        count: int | None = None,
        part: legacy_pb2.Request.Part | Mapping[str, Any] | None = None,
        timeout_: float | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> legacy_pb2.Reply:
        """Calls test.awkward.legacy.Legacy.Get.

        Args:
            timeout_: the field `timeout`.
        """
        if request is None and part is None and timeout_ is None:
            made = legacy_pb2.Request()
            try:
                if name is not None:
                    made.name = name
                if count is not None:
                    made.count = count
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.legacy.Legacy.Get",
                legacy_pb2.Request,
                request,
                {"name": name, "count": count, "part": part, "timeout": timeout_},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class LegacyAsyncClient(clients.AsyncClient):
    """Calls test.awkward.legacy.Legacy. Methods give a Future of the response."""

    SERVICE = "test.awkward.legacy.Legacy"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.legacy.Legacy/Get",
            legacy_pb2.Request,
            legacy_pb2.Reply,
        )

    def get(
        self,
        request: legacy_pb2.Request | None = None,
        /,
        *,
        name: str | None = None,
        count: int | None = None,
        part: legacy_pb2.Request.Part | Mapping[str, Any] | None = None,
        timeout_: float | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[legacy_pb2.Reply]:
        """Calls test.awkward.legacy.Legacy.Get.

        Args:
            timeout_: the field `timeout`.
        """
        if request is None and part is None and timeout_ is None:
            made = legacy_pb2.Request()
            try:
                if name is not None:
                    made.name = name
                if count is not None:
                    made.count = count
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.legacy.Legacy.Get",
                legacy_pb2.Request,
                request,
                {"name": name, "count": count, "part": part, "timeout": timeout_},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class LegacyAioClient(clients.AioClient):
    """Calls test.awkward.legacy.Legacy. Methods are awaited."""

    SERVICE = "test.awkward.legacy.Legacy"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.legacy.Legacy/Get",
            legacy_pb2.Request,
            legacy_pb2.Reply,
        )

    async def get(
        self,
        request: legacy_pb2.Request | None = None,
        /,
        *,
        name: str | None = None,
        count: int | None = None,
        part: legacy_pb2.Request.Part | Mapping[str, Any] | None = None,
        timeout_: float | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> legacy_pb2.Reply:
        """Calls test.awkward.legacy.Legacy.Get.

        Args:
            timeout_: the field `timeout`.
        """
        if request is None and part is None and timeout_ is None:
            made = legacy_pb2.Request()
            try:
                if name is not None:
                    made.name = name
                if count is not None:
                    made.count = count
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients.request_of(
                "test.awkward.legacy.Legacy.Get",
                legacy_pb2.Request,
                request,
                {"name": name, "count": count, "part": part, "timeout": timeout_},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
