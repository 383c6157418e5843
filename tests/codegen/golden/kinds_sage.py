# Written by protoc-gen-sage from kinds.proto; do not edit.
"""Services of kinds.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import AsyncIterable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from sage_rpc import clients, servicers

from . import kinds_pb2

__all__ = ["KindsAioClient", "KindsAsyncClient", "KindsBase", "KindsClient"]


class KindsBase(servicers.Base):
    """Counts and repeats."""

    SERVICE = "test.kinds.Kinds"
    RPCS = (
        servicers.Rpc("Echo", "echo", kinds_pb2.Item, kinds_pb2.Item),
        servicers.Rpc(
            "Repeat",
            "repeat",
            kinds_pb2.Item,
            kinds_pb2.Item,
            responses_stream=True,
        ),
        servicers.Rpc(
            "Collect",
            "collect",
            kinds_pb2.Item,
            kinds_pb2.Tally,
            requests_stream=True,
        ),
        servicers.Rpc(
            "Exchange",
            "exchange",
            kinds_pb2.Item,
            kinds_pb2.Item,
            requests_stream=True,
            responses_stream=True,
        ),
        servicers.Rpc("Hang", "hang", kinds_pb2.Item, kinds_pb2.Item),
        servicers.Rpc("Left", "left", kinds_pb2.Item, kinds_pb2.Item),
        servicers.Rpc("Old", "old", kinds_pb2.Item, kinds_pb2.Item),
    )

    @abstractmethod
    def echo(
        self,
        request: kinds_pb2.Item,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Item]:
        """Gives back what it got, or ends as `code` says."""

    @abstractmethod
    def repeat(
        self,
        request: kinds_pb2.Item,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[kinds_pb2.Item]:
        """The item, `count` times."""

    @abstractmethod
    def collect(
        self,
        requests: servicers.Requests[kinds_pb2.Item],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Tally]:
        """How many items came."""

    @abstractmethod
    def exchange(
        self,
        requests: servicers.Requests[kinds_pb2.Item],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[kinds_pb2.Item]:
        """Each item comes back."""

    @abstractmethod
    def hang(
        self,
        request: kinds_pb2.Item,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Item]:
        """Waits until the call ends."""

    @abstractmethod
    def left(
        self,
        request: kinds_pb2.Item,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Item]:
        """What the call has left, in seconds, as `Item.weight`."""

    @abstractmethod
    def old(
        self,
        request: kinds_pb2.Item,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[kinds_pb2.Item]:
        """Gone soon."""


class KindsClient(clients.Client):
    """Calls test.kinds.Kinds. Methods wait for the response.

    Counts and repeats.
    """

    SERVICE = "test.kinds.Kinds"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_echo = binder.unary_unary(
            "/test.kinds.Kinds/Echo",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_repeat = binder.unary_stream(
            "/test.kinds.Kinds/Repeat",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_collect = binder.stream_unary(
            "/test.kinds.Kinds/Collect",
            kinds_pb2.Item,
            kinds_pb2.Tally,
        )
        self._call_exchange = binder.stream_stream(
            "/test.kinds.Kinds/Exchange",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_hang = binder.unary_unary(
            "/test.kinds.Kinds/Hang",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_left = binder.unary_unary(
            "/test.kinds.Kinds/Left",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_old = binder.unary_unary(
            "/test.kinds.Kinds/Old",
            kinds_pb2.Item,
            kinds_pb2.Item,
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
        """Gives back what it got, or ends as `code` says.

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
                "test.kinds.Kinds.Echo",
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

    def repeat(
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
    ) -> clients.Stream[kinds_pb2.Item]:
        """The item, `count` times.

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
                return self._call_repeat(made, timeout, metadata, wait_for_ready)
        return self._call_repeat(
            clients.request_of(
                "test.kinds.Kinds.Repeat",
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

    def collect(
        self,
        requests: Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> kinds_pb2.Tally:
        """How many items came."""
        return self._call_collect(requests, timeout, metadata, wait_for_ready)

    def exchange(
        self,
        requests: Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[kinds_pb2.Item]:
        """Each item comes back."""
        return self._call_exchange(requests, timeout, metadata, wait_for_ready)

    def hang(
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
        """Waits until the call ends.

        Without `timeout` a call may take 0.2 s.

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
                return self._call_hang(made, timeout, metadata, wait_for_ready)
        return self._call_hang(
            clients.request_of(
                "test.kinds.Kinds.Hang",
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

    def left(
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
        """What the call has left, in seconds, as `Item.weight`.

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
                return self._call_left(made, timeout, metadata, wait_for_ready)
        return self._call_left(
            clients.request_of(
                "test.kinds.Kinds.Left",
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

    @clients.deprecated("test.kinds.Kinds.Old is deprecated")
    def old(
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
        """Gone soon.

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
                return self._call_old(made, timeout, metadata, wait_for_ready)
        return self._call_old(
            clients.request_of(
                "test.kinds.Kinds.Old",
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


class KindsAsyncClient(clients.AsyncClient):
    """Calls test.kinds.Kinds. Methods give a Future of the response.

    Counts and repeats.
    """

    SERVICE = "test.kinds.Kinds"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_echo = binder.unary_unary(
            "/test.kinds.Kinds/Echo",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_repeat = binder.unary_stream(
            "/test.kinds.Kinds/Repeat",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_collect = binder.stream_unary(
            "/test.kinds.Kinds/Collect",
            kinds_pb2.Item,
            kinds_pb2.Tally,
        )
        self._call_exchange = binder.stream_stream(
            "/test.kinds.Kinds/Exchange",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_hang = binder.unary_unary(
            "/test.kinds.Kinds/Hang",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_left = binder.unary_unary(
            "/test.kinds.Kinds/Left",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_old = binder.unary_unary(
            "/test.kinds.Kinds/Old",
            kinds_pb2.Item,
            kinds_pb2.Item,
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
        """Gives back what it got, or ends as `code` says.

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
                "test.kinds.Kinds.Echo",
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

    def repeat(
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
    ) -> clients.Stream[kinds_pb2.Item]:
        """The item, `count` times.

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
                return self._call_repeat(made, timeout, metadata, wait_for_ready)
        return self._call_repeat(
            clients.request_of(
                "test.kinds.Kinds.Repeat",
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

    def collect(
        self,
        requests: Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[kinds_pb2.Tally]:
        """How many items came."""
        return self._call_collect(requests, timeout, metadata, wait_for_ready)

    def exchange(
        self,
        requests: Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[kinds_pb2.Item]:
        """Each item comes back."""
        return self._call_exchange(requests, timeout, metadata, wait_for_ready)

    def hang(
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
        """Waits until the call ends.

        Without `timeout` a call may take 0.2 s.

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
                return self._call_hang(made, timeout, metadata, wait_for_ready)
        return self._call_hang(
            clients.request_of(
                "test.kinds.Kinds.Hang",
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

    def left(
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
        """What the call has left, in seconds, as `Item.weight`.

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
                return self._call_left(made, timeout, metadata, wait_for_ready)
        return self._call_left(
            clients.request_of(
                "test.kinds.Kinds.Left",
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

    @clients.deprecated("test.kinds.Kinds.Old is deprecated")
    def old(
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
        """Gone soon.

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
                return self._call_old(made, timeout, metadata, wait_for_ready)
        return self._call_old(
            clients.request_of(
                "test.kinds.Kinds.Old",
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


class KindsAioClient(clients.AioClient):
    """Calls test.kinds.Kinds. Methods are awaited.

    Counts and repeats.
    """

    SERVICE = "test.kinds.Kinds"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_echo = binder.unary_unary(
            "/test.kinds.Kinds/Echo",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_repeat = binder.unary_stream(
            "/test.kinds.Kinds/Repeat",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_collect = binder.stream_unary(
            "/test.kinds.Kinds/Collect",
            kinds_pb2.Item,
            kinds_pb2.Tally,
        )
        self._call_exchange = binder.stream_stream(
            "/test.kinds.Kinds/Exchange",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_hang = binder.unary_unary(
            "/test.kinds.Kinds/Hang",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_left = binder.unary_unary(
            "/test.kinds.Kinds/Left",
            kinds_pb2.Item,
            kinds_pb2.Item,
        )
        self._call_old = binder.unary_unary(
            "/test.kinds.Kinds/Old",
            kinds_pb2.Item,
            kinds_pb2.Item,
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
        """Gives back what it got, or ends as `code` says.

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
                "test.kinds.Kinds.Echo",
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

    def repeat(
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
    ) -> clients.AioStream[kinds_pb2.Item]:
        """The item, `count` times.

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
                return self._call_repeat(made, timeout, metadata, wait_for_ready)
        return self._call_repeat(
            clients.request_of(
                "test.kinds.Kinds.Repeat",
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

    async def collect(
        self,
        requests: AsyncIterable[kinds_pb2.Item] | Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> kinds_pb2.Tally:
        """How many items came."""
        return await self._call_collect(requests, timeout, metadata, wait_for_ready)

    def exchange(
        self,
        requests: AsyncIterable[kinds_pb2.Item] | Iterable[kinds_pb2.Item],
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[kinds_pb2.Item]:
        """Each item comes back."""
        return self._call_exchange(requests, timeout, metadata, wait_for_ready)

    async def hang(
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
        """Waits until the call ends.

        Without `timeout` a call may take 0.2 s.

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
                return await self._call_hang(made, timeout, metadata, wait_for_ready)
        return await self._call_hang(
            clients.request_of(
                "test.kinds.Kinds.Hang",
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

    async def left(
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
        """What the call has left, in seconds, as `Item.weight`.

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
                return await self._call_left(made, timeout, metadata, wait_for_ready)
        return await self._call_left(
            clients.request_of(
                "test.kinds.Kinds.Left",
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

    @clients.deprecated("test.kinds.Kinds.Old is deprecated")
    async def old(
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
        """Gone soon.

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
                return await self._call_old(made, timeout, metadata, wait_for_ready)
        return await self._call_old(
            clients.request_of(
                "test.kinds.Kinds.Old",
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
