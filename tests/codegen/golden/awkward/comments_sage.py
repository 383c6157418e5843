# Written by protoc-gen-sage from awkward/comments.proto; do not edit.
"""Services of awkward/comments.proto: bases to implement, and clients."""

from __future__ import annotations

from abc import abstractmethod
from concurrent.futures import Future

from sage_rpc import clients, servicers

from . import comments_pb2

__all__ = [
    "EmptyAioClient",
    "EmptyAsyncClient",
    "EmptyBase",
    "EmptyClient",
    "PastAioClient",
    "PastAsyncClient",
    "PastBase",
    "PastClient",
    "QuotesAioClient",
    "QuotesAsyncClient",
    "QuotesBase",
    "QuotesClient",
]


class QuotesBase(servicers.Base):
    """ "Quoted" at both ends, says "me" """

    SERVICE = "test.awkward.Quotes"
    RPCS = (
        servicers.Rpc("Get", "get", comments_pb2.Quote, comments_pb2.Quote),
        servicers.Rpc("Trailing", "trailing", comments_pb2.Quote, comments_pb2.Quote),
        servicers.Rpc("Block", "block", comments_pb2.Quote, comments_pb2.Quote),
        servicers.Rpc(
            "Layout",
            "layout",
            comments_pb2.Quote,
            comments_pb2.Quote,
            responses_stream=True,
        ),
    )

    @abstractmethod
    def get(
        self,
        request: comments_pb2.Quote,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[comments_pb2.Quote]:
        """A path: C:\\new\\table, a regex: \\d+."""

    @abstractmethod
    def trailing(
        self,
        request: comments_pb2.Quote,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[comments_pb2.Quote]:
        """Only "behind" """

    @abstractmethod
    def block(
        self,
        request: comments_pb2.Quote,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[comments_pb2.Quote]:
        """A block
        with stars,

          and an indented line, naïve and 日本語.
        """

    @abstractmethod
    def layout(
        self,
        request: comments_pb2.Quote,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[comments_pb2.Quote]:
        """A tab, and trailing blanks:

        - a list
          - of two levels

            and code
        """


class QuotesClient(clients.Client):
    """Calls test.awkward.Quotes. Methods wait for the response.

    "Quoted" at both ends, says "me"
    """

    SERVICE = "test.awkward.Quotes"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.Quotes/Get",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_trailing = binder.unary_unary(
            "/test.awkward.Quotes/Trailing",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_block = binder.unary_unary(
            "/test.awkward.Quotes/Block",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_layout = binder.unary_stream(
            "/test.awkward.Quotes/Layout",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )

    def get(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """A path: C:\\new\\table, a regex: \\d+.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.Quotes.Get",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def trailing(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """Only "behind"

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_trailing(made, timeout, metadata, wait_for_ready)
        return self._call_trailing(
            clients.request_of(
                "test.awkward.Quotes.Trailing",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def block(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """A block
        with stars,

          and an indented line, naïve and 日本語.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_block(made, timeout, metadata, wait_for_ready)
        return self._call_block(
            clients.request_of(
                "test.awkward.Quotes.Block",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def layout(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[comments_pb2.Quote]:
        """A tab, and trailing blanks:

        - a list
          - of two levels

            and code

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_layout(made, timeout, metadata, wait_for_ready)
        return self._call_layout(
            clients.request_of(
                "test.awkward.Quotes.Layout",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class QuotesAsyncClient(clients.AsyncClient):
    """Calls test.awkward.Quotes. Methods give a Future of the response.

    "Quoted" at both ends, says "me"
    """

    SERVICE = "test.awkward.Quotes"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.Quotes/Get",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_trailing = binder.unary_unary(
            "/test.awkward.Quotes/Trailing",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_block = binder.unary_unary(
            "/test.awkward.Quotes/Block",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_layout = binder.unary_stream(
            "/test.awkward.Quotes/Layout",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )

    def get(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[comments_pb2.Quote]:
        """A path: C:\\new\\table, a regex: \\d+.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.Quotes.Get",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def trailing(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[comments_pb2.Quote]:
        """Only "behind"

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_trailing(made, timeout, metadata, wait_for_ready)
        return self._call_trailing(
            clients.request_of(
                "test.awkward.Quotes.Trailing",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def block(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[comments_pb2.Quote]:
        """A block
        with stars,

          and an indented line, naïve and 日本語.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_block(made, timeout, metadata, wait_for_ready)
        return self._call_block(
            clients.request_of(
                "test.awkward.Quotes.Block",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def layout(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[comments_pb2.Quote]:
        """A tab, and trailing blanks:

        - a list
          - of two levels

            and code

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_layout(made, timeout, metadata, wait_for_ready)
        return self._call_layout(
            clients.request_of(
                "test.awkward.Quotes.Layout",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class QuotesAioClient(clients.AioClient):
    """Calls test.awkward.Quotes. Methods are awaited.

    "Quoted" at both ends, says "me"
    """

    SERVICE = "test.awkward.Quotes"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.Quotes/Get",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_trailing = binder.unary_unary(
            "/test.awkward.Quotes/Trailing",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_block = binder.unary_unary(
            "/test.awkward.Quotes/Block",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_layout = binder.unary_stream(
            "/test.awkward.Quotes/Layout",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )

    async def get(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """A path: C:\\new\\table, a regex: \\d+.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients.request_of(
                "test.awkward.Quotes.Get",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def trailing(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """Only "behind"

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_trailing(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_trailing(
            clients.request_of(
                "test.awkward.Quotes.Trailing",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def block(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """A block
        with stars,

          and an indented line, naïve and 日本語.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_block(made, timeout, metadata, wait_for_ready)
        return await self._call_block(
            clients.request_of(
                "test.awkward.Quotes.Block",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def layout(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[comments_pb2.Quote]:
        """A tab, and trailing blanks:

        - a list
          - of two levels

            and code

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_layout(made, timeout, metadata, wait_for_ready)
        return self._call_layout(
            clients.request_of(
                "test.awkward.Quotes.Layout",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class EmptyBase(servicers.Base):
    """What implements test.awkward.Empty."""

    SERVICE = "test.awkward.Empty"
    RPCS = ()


class EmptyClient(clients.Client):
    """Calls test.awkward.Empty. Methods wait for the response."""

    SERVICE = "test.awkward.Empty"

    def _bind_methods(self, binder: clients.Binder) -> None:
        pass


class EmptyAsyncClient(clients.AsyncClient):
    """Calls test.awkward.Empty. Methods give a Future of the response."""

    SERVICE = "test.awkward.Empty"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        pass


class EmptyAioClient(clients.AioClient):
    """Calls test.awkward.Empty. Methods are awaited."""

    SERVICE = "test.awkward.Empty"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        pass


class PastBase(servicers.Base):
    """Of the past."""

    SERVICE = "test.awkward.Past"
    RPCS = (
        servicers.Rpc("Get", "get", comments_pb2.Quote, comments_pb2.Quote),
        servicers.Rpc(
            "Old",
            "old",
            comments_pb2.Quote,
            comments_pb2.Quote,
            responses_stream=True,
        ),
    )

    @abstractmethod
    def get(
        self,
        request: comments_pb2.Quote,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[comments_pb2.Quote]:
        """Serves test.awkward.Past.Get."""

    @abstractmethod
    def old(
        self,
        request: comments_pb2.Quote,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[comments_pb2.Quote]:
        """Serves test.awkward.Past.Old."""


@clients.deprecated("test.awkward.Past is deprecated")
class PastClient(clients.Client):
    """Calls test.awkward.Past. Methods wait for the response.

    Of the past.
    """

    SERVICE = "test.awkward.Past"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.Past/Get",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_old = binder.unary_stream(
            "/test.awkward.Past/Old",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )

    def get(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """Calls test.awkward.Past.Get.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.Past.Get",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    @clients.deprecated("test.awkward.Past.Old is deprecated")
    def old(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[comments_pb2.Quote]:
        """Calls test.awkward.Past.Old.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_old(made, timeout, metadata, wait_for_ready)
        return self._call_old(
            clients.request_of(
                "test.awkward.Past.Old",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


@clients.deprecated("test.awkward.Past is deprecated")
class PastAsyncClient(clients.AsyncClient):
    """Calls test.awkward.Past. Methods give a Future of the response.

    Of the past.
    """

    SERVICE = "test.awkward.Past"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.Past/Get",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_old = binder.unary_stream(
            "/test.awkward.Past/Old",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )

    def get(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[comments_pb2.Quote]:
        """Calls test.awkward.Past.Get.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients.request_of(
                "test.awkward.Past.Get",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    @clients.deprecated("test.awkward.Past.Old is deprecated")
    def old(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[comments_pb2.Quote]:
        """Calls test.awkward.Past.Old.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_old(made, timeout, metadata, wait_for_ready)
        return self._call_old(
            clients.request_of(
                "test.awkward.Past.Old",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


@clients.deprecated("test.awkward.Past is deprecated")
class PastAioClient(clients.AioClient):
    """Calls test.awkward.Past. Methods are awaited.

    Of the past.
    """

    SERVICE = "test.awkward.Past"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.Past/Get",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )
        self._call_old = binder.unary_stream(
            "/test.awkward.Past/Old",
            comments_pb2.Quote,
            comments_pb2.Quote,
        )

    async def get(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> comments_pb2.Quote:
        """Calls test.awkward.Past.Get.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients.request_of(
                "test.awkward.Past.Get",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    @clients.deprecated("test.awkward.Past.Old is deprecated")
    def old(
        self,
        request: comments_pb2.Quote | None = None,
        /,
        *,
        text: str | None = None,
        by: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[comments_pb2.Quote]:
        """Calls test.awkward.Past.Old.

        Args:
            text: "Said" by
                somebody: C:\\
            by: Deprecated, too.
        """
        if request is None:
            made = comments_pb2.Quote()
            try:
                if text is not None:
                    made.text = text
                if by is not None:
                    made.by = by
            except (TypeError, ValueError):
                pass
            else:
                return self._call_old(made, timeout, metadata, wait_for_ready)
        return self._call_old(
            clients.request_of(
                "test.awkward.Past.Old",
                comments_pb2.Quote,
                request,
                {"text": text, "by": by},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
