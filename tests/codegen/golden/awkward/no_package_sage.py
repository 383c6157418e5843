# Written by protoc-gen-sage from awkward/no_package.proto; do not edit.
"""Services of awkward/no_package.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future

from sage_rpc import clients, servicers

from . import no_package_pb2

__all__ = ["BareAioClient", "BareAsyncClient", "BareBase", "BareClient"]


class BareBase(servicers.Base):
    """What implements Bare."""

    SERVICE = "Bare"
    RPCS = (
        servicers.Rpc("Get", "get", no_package_pb2.BareKey, no_package_pb2.BareKey),
        servicers.Rpc("Put", "put", no_package_pb2.BareKey, no_package_pb2.BareKey),
    )

    @abstractmethod
    def get(
        self,
        request: no_package_pb2.BareKey,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[no_package_pb2.BareKey]:
        """Serves Bare.Get."""

    @abstractmethod
    def put(
        self,
        request: no_package_pb2.BareKey,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[no_package_pb2.BareKey]:
        """Serves Bare.Put."""


class BareClient(clients.Client):
    """Calls Bare. Methods wait for the response."""

    SERVICE = "Bare"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/Bare/Get",
            no_package_pb2.BareKey,
            no_package_pb2.BareKey,
        )
        self._call_put = binder.unary_unary(
            "/Bare/Put",
            no_package_pb2.BareKey,
            no_package_pb2.BareKey,
        )

    def get(
        self,
        request: no_package_pb2.BareKey | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> no_package_pb2.BareKey:
        """Calls Bare.Get.

        Without `timeout` a call may take 0.25 s.
        """
        if request is None:
            made = no_package_pb2.BareKey()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "Bare.Get",
                no_package_pb2.BareKey,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def put(
        self,
        request: no_package_pb2.BareKey | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> no_package_pb2.BareKey:
        """Calls Bare.Put.

        Without `timeout` a call may take 5 s.
        """
        if request is None:
            made = no_package_pb2.BareKey()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return self._call_put(made, timeout, metadata, wait_for_ready)
        return self._call_put(
            clients.request_of(
                "Bare.Put",
                no_package_pb2.BareKey,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class BareAsyncClient(clients.AsyncClient):
    """Calls Bare. Methods give a Future of the response."""

    SERVICE = "Bare"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/Bare/Get",
            no_package_pb2.BareKey,
            no_package_pb2.BareKey,
        )
        self._call_put = binder.unary_unary(
            "/Bare/Put",
            no_package_pb2.BareKey,
            no_package_pb2.BareKey,
        )

    def get(
        self,
        request: no_package_pb2.BareKey | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[no_package_pb2.BareKey]:
        """Calls Bare.Get.

        Without `timeout` a call may take 0.25 s.
        """
        if request is None:
            made = no_package_pb2.BareKey()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "Bare.Get",
                no_package_pb2.BareKey,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def put(
        self,
        request: no_package_pb2.BareKey | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[no_package_pb2.BareKey]:
        """Calls Bare.Put.

        Without `timeout` a call may take 5 s.
        """
        if request is None:
            made = no_package_pb2.BareKey()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return self._call_put(made, timeout, metadata, wait_for_ready)
        return self._call_put(
            clients.request_of(
                "Bare.Put",
                no_package_pb2.BareKey,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class BareAioClient(clients.AioClient):
    """Calls Bare. Methods are awaited."""

    SERVICE = "Bare"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/Bare/Get",
            no_package_pb2.BareKey,
            no_package_pb2.BareKey,
        )
        self._call_put = binder.unary_unary(
            "/Bare/Put",
            no_package_pb2.BareKey,
            no_package_pb2.BareKey,
        )

    async def get(
        self,
        request: no_package_pb2.BareKey | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> no_package_pb2.BareKey:
        """Calls Bare.Get.

        Without `timeout` a call may take 0.25 s.
        """
        if request is None:
            made = no_package_pb2.BareKey()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients.request_of(
                "Bare.Get",
                no_package_pb2.BareKey,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def put(
        self,
        request: no_package_pb2.BareKey | None = None,
        /,
        *,
        name: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> no_package_pb2.BareKey:
        """Calls Bare.Put.

        Without `timeout` a call may take 5 s.
        """
        if request is None:
            made = no_package_pb2.BareKey()
            try:
                if name is not None:
                    made.name = name
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_put(made, timeout, metadata, wait_for_ready)
        return await self._call_put(
            clients.request_of(
                "Bare.Put",
                no_package_pb2.BareKey,
                request,
                {"name": name},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
