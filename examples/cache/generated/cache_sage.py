# Written by protoc-gen-sage from cache.proto; do not edit.
"""Services of cache.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Iterable
from concurrent.futures import Future

from sage_rpc import clients, servicers

from . import cache_pb2

__all__ = ["CacheAioClient", "CacheAsyncClient", "CacheBase", "CacheClient"]


class CacheBase(servicers.Base):
    """Keeps values by key."""

    SERVICE = "cache.Cache"
    RPCS = (
        servicers.Rpc("Get", "get", cache_pb2.GetRequest, cache_pb2.GetReply),
        servicers.Rpc("Put", "put", cache_pb2.PutRequest, cache_pb2.PutReply),
        servicers.Rpc(
            "Load",
            "load",
            cache_pb2.PutRequest,
            cache_pb2.LoadReply,
            requests_stream=True,
        ),
        servicers.Rpc(
            "Keys",
            "keys",
            cache_pb2.KeysRequest,
            cache_pb2.Key,
            responses_stream=True,
        ),
    )

    @abstractmethod
    def get(
        self,
        request: cache_pb2.GetRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[cache_pb2.GetReply]:
        """The value of a key; NOT_FOUND where there is none."""

    @abstractmethod
    def put(
        self,
        request: cache_pb2.PutRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[cache_pb2.PutReply]:
        """Keeps a value."""

    @abstractmethod
    def load(
        self,
        requests: servicers.Requests[cache_pb2.PutRequest],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[cache_pb2.LoadReply]:
        """Keeps many values."""

    @abstractmethod
    def keys(
        self,
        request: cache_pb2.KeysRequest,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[cache_pb2.Key]:
        """The keys that begin with something, in order."""


class CacheClient(clients.Client):
    """Calls cache.Cache. Methods wait for the response.

    Keeps values by key.
    """

    SERVICE = "cache.Cache"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/cache.Cache/Get",
            cache_pb2.GetRequest,
            cache_pb2.GetReply,
        )
        self._call_put = binder.unary_unary(
            "/cache.Cache/Put",
            cache_pb2.PutRequest,
            cache_pb2.PutReply,
        )
        self._call_load = binder.stream_unary(
            "/cache.Cache/Load",
            cache_pb2.PutRequest,
            cache_pb2.LoadReply,
        )
        self._call_keys = binder.unary_stream(
            "/cache.Cache/Keys",
            cache_pb2.KeysRequest,
            cache_pb2.Key,
        )

    def get(
        self,
        request: cache_pb2.GetRequest | None = None,
        /,
        *,
        key: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> cache_pb2.GetReply:
        """The value of a key; NOT_FOUND where there is none.

        Without `timeout` a call may take 2 s.

        Args:
            key: Which value.
        """
        if request is None:
            made = cache_pb2.GetRequest()
            try:
                if key is not None:
                    made.key = key
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "cache.Cache.Get",
                cache_pb2.GetRequest,
                request,
                {"key": key},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def put(
        self,
        request: cache_pb2.PutRequest | None = None,
        /,
        *,
        key: str | None = None,
        value: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> cache_pb2.PutReply:
        """Keeps a value.

        Without `timeout` a call may take 2 s.

        Args:
            key: Where to keep it; what was there is replaced.
            value: At most 1 MiB.
        """
        if request is None:
            made = cache_pb2.PutRequest()
            try:
                if key is not None:
                    made.key = key
                if value is not None:
                    made.value = value
            except (TypeError, ValueError):
                pass
            else:
                return self._call_put(made, timeout, metadata, wait_for_ready)
        return self._call_put(
            clients.request_of(
                "cache.Cache.Put",
                cache_pb2.PutRequest,
                request,
                {"key": key, "value": value},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def load(
        self,
        requests: Iterable[cache_pb2.PutRequest],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> cache_pb2.LoadReply:
        """Keeps many values.

        Without `timeout` a call may take 2 s.
        """
        return self._call_load(requests, timeout, metadata, wait_for_ready)

    def keys(
        self,
        request: cache_pb2.KeysRequest | None = None,
        /,
        *,
        prefix: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[cache_pb2.Key]:
        """The keys that begin with something, in order.

        Without `timeout` a call may take 2 s.

        Args:
            prefix: What they begin with; nothing: all of them.
        """
        if request is None:
            made = cache_pb2.KeysRequest()
            try:
                if prefix is not None:
                    made.prefix = prefix
            except (TypeError, ValueError):
                pass
            else:
                return self._call_keys(made, timeout, metadata, wait_for_ready)
        return self._call_keys(
            clients.request_of(
                "cache.Cache.Keys",
                cache_pb2.KeysRequest,
                request,
                {"prefix": prefix},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class CacheAsyncClient(clients.AsyncClient):
    """Calls cache.Cache. Methods give a Future of the response.

    Keeps values by key.
    """

    SERVICE = "cache.Cache"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/cache.Cache/Get",
            cache_pb2.GetRequest,
            cache_pb2.GetReply,
        )
        self._call_put = binder.unary_unary(
            "/cache.Cache/Put",
            cache_pb2.PutRequest,
            cache_pb2.PutReply,
        )
        self._call_load = binder.stream_unary(
            "/cache.Cache/Load",
            cache_pb2.PutRequest,
            cache_pb2.LoadReply,
        )
        self._call_keys = binder.unary_stream(
            "/cache.Cache/Keys",
            cache_pb2.KeysRequest,
            cache_pb2.Key,
        )

    def get(
        self,
        request: cache_pb2.GetRequest | None = None,
        /,
        *,
        key: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[cache_pb2.GetReply]:
        """The value of a key; NOT_FOUND where there is none.

        Without `timeout` a call may take 2 s.

        Args:
            key: Which value.
        """
        if request is None:
            made = cache_pb2.GetRequest()
            try:
                if key is not None:
                    made.key = key
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "cache.Cache.Get",
                cache_pb2.GetRequest,
                request,
                {"key": key},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def put(
        self,
        request: cache_pb2.PutRequest | None = None,
        /,
        *,
        key: str | None = None,
        value: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[cache_pb2.PutReply]:
        """Keeps a value.

        Without `timeout` a call may take 2 s.

        Args:
            key: Where to keep it; what was there is replaced.
            value: At most 1 MiB.
        """
        if request is None:
            made = cache_pb2.PutRequest()
            try:
                if key is not None:
                    made.key = key
                if value is not None:
                    made.value = value
            except (TypeError, ValueError):
                pass
            else:
                return self._call_put(made, timeout, metadata, wait_for_ready)
        return self._call_put(
            clients.request_of(
                "cache.Cache.Put",
                cache_pb2.PutRequest,
                request,
                {"key": key, "value": value},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def load(
        self,
        requests: Iterable[cache_pb2.PutRequest],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[cache_pb2.LoadReply]:
        """Keeps many values.

        Without `timeout` a call may take 2 s.
        """
        return self._call_load(requests, timeout, metadata, wait_for_ready)

    def keys(
        self,
        request: cache_pb2.KeysRequest | None = None,
        /,
        *,
        prefix: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[cache_pb2.Key]:
        """The keys that begin with something, in order.

        Without `timeout` a call may take 2 s.

        Args:
            prefix: What they begin with; nothing: all of them.
        """
        if request is None:
            made = cache_pb2.KeysRequest()
            try:
                if prefix is not None:
                    made.prefix = prefix
            except (TypeError, ValueError):
                pass
            else:
                return self._call_keys(made, timeout, metadata, wait_for_ready)
        return self._call_keys(
            clients.request_of(
                "cache.Cache.Keys",
                cache_pb2.KeysRequest,
                request,
                {"prefix": prefix},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class CacheAioClient(clients.AioClient):
    """Calls cache.Cache. Methods are awaited.

    Keeps values by key.
    """

    SERVICE = "cache.Cache"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/cache.Cache/Get",
            cache_pb2.GetRequest,
            cache_pb2.GetReply,
        )
        self._call_put = binder.unary_unary(
            "/cache.Cache/Put",
            cache_pb2.PutRequest,
            cache_pb2.PutReply,
        )
        self._call_load = binder.stream_unary(
            "/cache.Cache/Load",
            cache_pb2.PutRequest,
            cache_pb2.LoadReply,
        )
        self._call_keys = binder.unary_stream(
            "/cache.Cache/Keys",
            cache_pb2.KeysRequest,
            cache_pb2.Key,
        )

    async def get(
        self,
        request: cache_pb2.GetRequest | None = None,
        /,
        *,
        key: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> cache_pb2.GetReply:
        """The value of a key; NOT_FOUND where there is none.

        Without `timeout` a call may take 2 s.

        Args:
            key: Which value.
        """
        if request is None:
            made = cache_pb2.GetRequest()
            try:
                if key is not None:
                    made.key = key
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients.request_of(
                "cache.Cache.Get",
                cache_pb2.GetRequest,
                request,
                {"key": key},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def put(
        self,
        request: cache_pb2.PutRequest | None = None,
        /,
        *,
        key: str | None = None,
        value: bytes | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> cache_pb2.PutReply:
        """Keeps a value.

        Without `timeout` a call may take 2 s.

        Args:
            key: Where to keep it; what was there is replaced.
            value: At most 1 MiB.
        """
        if request is None:
            made = cache_pb2.PutRequest()
            try:
                if key is not None:
                    made.key = key
                if value is not None:
                    made.value = value
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_put(made, timeout, metadata, wait_for_ready)
        return await self._call_put(
            clients.request_of(
                "cache.Cache.Put",
                cache_pb2.PutRequest,
                request,
                {"key": key, "value": value},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def load(
        self,
        requests: AsyncIterable[cache_pb2.PutRequest] | Iterable[cache_pb2.PutRequest],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> cache_pb2.LoadReply:
        """Keeps many values.

        Without `timeout` a call may take 2 s.
        """
        return await self._call_load(requests, timeout, metadata, wait_for_ready)

    def keys(
        self,
        request: cache_pb2.KeysRequest | None = None,
        /,
        *,
        prefix: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[cache_pb2.Key]:
        """The keys that begin with something, in order.

        Without `timeout` a call may take 2 s.

        Args:
            prefix: What they begin with; nothing: all of them.
        """
        if request is None:
            made = cache_pb2.KeysRequest()
            try:
                if prefix is not None:
                    made.prefix = prefix
            except (TypeError, ValueError):
                pass
            else:
                return self._call_keys(made, timeout, metadata, wait_for_ready)
        return self._call_keys(
            clients.request_of(
                "cache.Cache.Keys",
                cache_pb2.KeysRequest,
                request,
                {"prefix": prefix},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
