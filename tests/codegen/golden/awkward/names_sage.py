# Written by protoc-gen-sage from awkward/names.proto; do not edit.
"""Services of awkward/names.proto: bases to implement, and clients."""

from __future__ import annotations

import builtins
from abc import abstractmethod
from collections.abc import AsyncIterable, Iterable, Mapping
from concurrent.futures import Future
from typing import Any as Any_

from sage_rpc import clients as clients_
from sage_rpc import servicers

from . import names_pb2 as names_pb2_

__all__ = [
    "NamesAioClient",
    "NamesAsyncClient",
    "NamesBase",
    "NamesClient",
    "lowerAioClient",
    "lowerAsyncClient",
    "lowerBase",
    "lowerClient",
]


class NamesBase(servicers.Base):
    """What implements test.awkward.Names."""

    SERVICE = "test.awkward.Names"
    RPCS = (
        servicers.Rpc("Import", "import_", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc(
            "Lambda",
            "lambda_",
            names_pb2_.Words,
            names_pb2_.Words,
            requests_stream=True,
            responses_stream=True,
        ),
        servicers.Rpc("Close", "close", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc(
            "CloseChannel",
            "close_channel_",
            names_pb2_.Words,
            names_pb2_.Words,
        ),
        servicers.Rpc(
            "AddToServer",
            "add_to_server_",
            names_pb2_.Words,
            names_pb2_.Words,
        ),
        servicers.Rpc(
            "GETHttpStatus2",
            "get_http_status2",
            names_pb2_.Words,
            names_pb2_.Words,
        ),
        servicers.Rpc(
            "already_snake",
            "already_snake",
            names_pb2_.Words,
            names_pb2_.Words,
        ),
        servicers.Rpc("_Hidden", "hidden", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Datetime", "datetime", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Float", "float", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc(
            "Str",
            "str",
            names_pb2_.Words,
            names_pb2_.Words,
            responses_stream=True,
        ),
        servicers.Rpc("Clients", "clients", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("NamesPb2", "names_pb2", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc(
            "Client",
            "client",
            names_pb2_.Nested.Inner,
            names_pb2_.Nested.Inner.Deep,
        ),
        servicers.Rpc("Bind", "bind", names_pb2_.Nothing, names_pb2_.Nothing),
    )

    @abstractmethod
    def import_(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Import."""

    @abstractmethod
    def lambda_(
        self,
        requests: servicers.Requests[names_pb2_.Words],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[names_pb2_.Words]:
        """Serves test.awkward.Names.Lambda."""

    @abstractmethod
    def close(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Close."""

    @abstractmethod
    def close_channel_(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.CloseChannel."""

    @abstractmethod
    def add_to_server_(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.AddToServer."""

    @abstractmethod
    def get_http_status2(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.GETHttpStatus2."""

    @abstractmethod
    def already_snake(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.already_snake."""

    @abstractmethod
    def hidden(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names._Hidden."""

    @abstractmethod
    def datetime(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Datetime."""

    @abstractmethod
    def float(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Float."""

    @abstractmethod
    def str(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[names_pb2_.Words]:
        """Serves test.awkward.Names.Str."""

    @abstractmethod
    def clients(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Clients."""

    @abstractmethod
    def names_pb2(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.NamesPb2."""

    @abstractmethod
    def client(
        self,
        request: names_pb2_.Nested.Inner,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Nested.Inner.Deep]:
        """Serves test.awkward.Names.Client."""

    @abstractmethod
    def bind(
        self,
        request: names_pb2_.Nothing,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Nothing]:
        """Serves test.awkward.Names.Bind."""


class NamesClient(clients_.Client):
    """Calls test.awkward.Names. Methods wait for the response."""

    SERVICE = "test.awkward.Names"

    def _bind_methods(self, binder: clients_.Binder) -> None:
        self._call_import_ = binder.unary_unary(
            "/test.awkward.Names/Import",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_lambda_ = binder.stream_stream(
            "/test.awkward.Names/Lambda",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_close = binder.unary_unary(
            "/test.awkward.Names/Close",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_close_channel_ = binder.unary_unary(
            "/test.awkward.Names/CloseChannel",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_add_to_server_ = binder.unary_unary(
            "/test.awkward.Names/AddToServer",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_get_http_status2 = binder.unary_unary(
            "/test.awkward.Names/GETHttpStatus2",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_already_snake = binder.unary_unary(
            "/test.awkward.Names/already_snake",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_hidden = binder.unary_unary(
            "/test.awkward.Names/_Hidden",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_datetime = binder.unary_unary(
            "/test.awkward.Names/Datetime",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_float = binder.unary_unary(
            "/test.awkward.Names/Float",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_str = binder.unary_stream(
            "/test.awkward.Names/Str",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_clients = binder.unary_unary(
            "/test.awkward.Names/Clients",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_names_pb2 = binder.unary_unary(
            "/test.awkward.Names/NamesPb2",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_client = binder.unary_unary(
            "/test.awkward.Names/Client",
            names_pb2_.Nested.Inner,
            names_pb2_.Nested.Inner.Deep,
        )
        self._call_bind = binder.unary_unary(
            "/test.awkward.Names/Bind",
            names_pb2_.Nothing,
            names_pb2_.Nothing,
        )

    def import_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Import.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_import_(made, timeout, metadata, wait_for_ready)
        return self._call_import_(
            clients_.request_of(
                "test.awkward.Names.Import",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def lambda_(
        self,
        requests: Iterable[names_pb2_.Words],
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients_.Stream[names_pb2_.Words]:
        """Calls test.awkward.Names.Lambda."""
        return self._call_lambda_(requests, timeout, metadata, wait_for_ready)

    def close(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Close.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_close(made, timeout, metadata, wait_for_ready)
        return self._call_close(
            clients_.request_of(
                "test.awkward.Names.Close",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def close_channel_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.CloseChannel.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_close_channel_(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return self._call_close_channel_(
            clients_.request_of(
                "test.awkward.Names.CloseChannel",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def add_to_server_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.AddToServer.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_add_to_server_(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return self._call_add_to_server_(
            clients_.request_of(
                "test.awkward.Names.AddToServer",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def get_http_status2(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.GETHttpStatus2.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get_http_status2(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return self._call_get_http_status2(
            clients_.request_of(
                "test.awkward.Names.GETHttpStatus2",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def already_snake(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.already_snake.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_already_snake(made, timeout, metadata, wait_for_ready)
        return self._call_already_snake(
            clients_.request_of(
                "test.awkward.Names.already_snake",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def hidden(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names._Hidden.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_hidden(made, timeout, metadata, wait_for_ready)
        return self._call_hidden(
            clients_.request_of(
                "test.awkward.Names._Hidden",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def datetime(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Datetime.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_datetime(made, timeout, metadata, wait_for_ready)
        return self._call_datetime(
            clients_.request_of(
                "test.awkward.Names.Datetime",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def float(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Float.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_float(made, timeout, metadata, wait_for_ready)
        return self._call_float(
            clients_.request_of(
                "test.awkward.Names.Float",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def str(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients_.Stream[names_pb2_.Words]:
        """Calls test.awkward.Names.Str.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_str(made, timeout, metadata, wait_for_ready)
        return self._call_str(
            clients_.request_of(
                "test.awkward.Names.Str",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def clients(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Clients.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_clients(made, timeout, metadata, wait_for_ready)
        return self._call_clients(
            clients_.request_of(
                "test.awkward.Names.Clients",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def names_pb2(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.NamesPb2.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_names_pb2(made, timeout, metadata, wait_for_ready)
        return self._call_names_pb2(
            clients_.request_of(
                "test.awkward.Names.NamesPb2",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def client(
        self,
        request: names_pb2_.Nested.Inner | None = None,
        /,
        *,
        deep: names_pb2_.Nested.Inner.Deep | Mapping[builtins.str, Any_] | None = None,
        kinds: Iterable[names_pb2_.Nested.Inner.Kind | builtins.str] | None = None,
        deeps: Mapping[int, names_pb2_.Nested.Inner.Deep | Mapping[builtins.str, Any_]]
        | None = None,
        kinds_by_name: Mapping[
            builtins.str, names_pb2_.Nested.Inner.Kind | builtins.str
        ]
        | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Nested.Inner.Deep:
        """Calls test.awkward.Names.Client."""
        return self._call_client(
            clients_.request_of(
                "test.awkward.Names.Client",
                names_pb2_.Nested.Inner,
                request,
                {
                    "deep": deep,
                    "kinds": kinds,
                    "deeps": deeps,
                    "kinds_by_name": kinds_by_name,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def bind(
        self,
        request: names_pb2_.Nothing | None = None,
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Nothing:
        """Calls test.awkward.Names.Bind."""
        return self._call_bind(
            clients_.request_of(
                "test.awkward.Names.Bind",
                names_pb2_.Nothing,
                request,
                {},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class NamesAsyncClient(clients_.AsyncClient):
    """Calls test.awkward.Names. Methods give a Future of the response."""

    SERVICE = "test.awkward.Names"

    def _bind_methods(self, binder: clients_.AsyncBinder) -> None:
        self._call_import_ = binder.unary_unary(
            "/test.awkward.Names/Import",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_lambda_ = binder.stream_stream(
            "/test.awkward.Names/Lambda",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_close = binder.unary_unary(
            "/test.awkward.Names/Close",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_close_channel_ = binder.unary_unary(
            "/test.awkward.Names/CloseChannel",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_add_to_server_ = binder.unary_unary(
            "/test.awkward.Names/AddToServer",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_get_http_status2 = binder.unary_unary(
            "/test.awkward.Names/GETHttpStatus2",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_already_snake = binder.unary_unary(
            "/test.awkward.Names/already_snake",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_hidden = binder.unary_unary(
            "/test.awkward.Names/_Hidden",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_datetime = binder.unary_unary(
            "/test.awkward.Names/Datetime",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_float = binder.unary_unary(
            "/test.awkward.Names/Float",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_str = binder.unary_stream(
            "/test.awkward.Names/Str",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_clients = binder.unary_unary(
            "/test.awkward.Names/Clients",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_names_pb2 = binder.unary_unary(
            "/test.awkward.Names/NamesPb2",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_client = binder.unary_unary(
            "/test.awkward.Names/Client",
            names_pb2_.Nested.Inner,
            names_pb2_.Nested.Inner.Deep,
        )
        self._call_bind = binder.unary_unary(
            "/test.awkward.Names/Bind",
            names_pb2_.Nothing,
            names_pb2_.Nothing,
        )

    def import_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.Import.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_import_(made, timeout, metadata, wait_for_ready)
        return self._call_import_(
            clients_.request_of(
                "test.awkward.Names.Import",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def lambda_(
        self,
        requests: Iterable[names_pb2_.Words],
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients_.Stream[names_pb2_.Words]:
        """Calls test.awkward.Names.Lambda."""
        return self._call_lambda_(requests, timeout, metadata, wait_for_ready)

    def close(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.Close.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_close(made, timeout, metadata, wait_for_ready)
        return self._call_close(
            clients_.request_of(
                "test.awkward.Names.Close",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def close_channel_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.CloseChannel.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_close_channel_(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return self._call_close_channel_(
            clients_.request_of(
                "test.awkward.Names.CloseChannel",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def add_to_server_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.AddToServer.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_add_to_server_(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return self._call_add_to_server_(
            clients_.request_of(
                "test.awkward.Names.AddToServer",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def get_http_status2(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.GETHttpStatus2.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get_http_status2(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return self._call_get_http_status2(
            clients_.request_of(
                "test.awkward.Names.GETHttpStatus2",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def already_snake(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.already_snake.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_already_snake(made, timeout, metadata, wait_for_ready)
        return self._call_already_snake(
            clients_.request_of(
                "test.awkward.Names.already_snake",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def hidden(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names._Hidden.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_hidden(made, timeout, metadata, wait_for_ready)
        return self._call_hidden(
            clients_.request_of(
                "test.awkward.Names._Hidden",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def datetime(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.Datetime.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_datetime(made, timeout, metadata, wait_for_ready)
        return self._call_datetime(
            clients_.request_of(
                "test.awkward.Names.Datetime",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def float(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.Float.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_float(made, timeout, metadata, wait_for_ready)
        return self._call_float(
            clients_.request_of(
                "test.awkward.Names.Float",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def str(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients_.Stream[names_pb2_.Words]:
        """Calls test.awkward.Names.Str.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_str(made, timeout, metadata, wait_for_ready)
        return self._call_str(
            clients_.request_of(
                "test.awkward.Names.Str",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def clients(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.Clients.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_clients(made, timeout, metadata, wait_for_ready)
        return self._call_clients(
            clients_.request_of(
                "test.awkward.Names.Clients",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def names_pb2(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.NamesPb2.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_names_pb2(made, timeout, metadata, wait_for_ready)
        return self._call_names_pb2(
            clients_.request_of(
                "test.awkward.Names.NamesPb2",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def client(
        self,
        request: names_pb2_.Nested.Inner | None = None,
        /,
        *,
        deep: names_pb2_.Nested.Inner.Deep | Mapping[builtins.str, Any_] | None = None,
        kinds: Iterable[names_pb2_.Nested.Inner.Kind | builtins.str] | None = None,
        deeps: Mapping[int, names_pb2_.Nested.Inner.Deep | Mapping[builtins.str, Any_]]
        | None = None,
        kinds_by_name: Mapping[
            builtins.str, names_pb2_.Nested.Inner.Kind | builtins.str
        ]
        | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Nested.Inner.Deep]:
        """Calls test.awkward.Names.Client."""
        return self._call_client(
            clients_.request_of(
                "test.awkward.Names.Client",
                names_pb2_.Nested.Inner,
                request,
                {
                    "deep": deep,
                    "kinds": kinds,
                    "deeps": deeps,
                    "kinds_by_name": kinds_by_name,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def bind(
        self,
        request: names_pb2_.Nothing | None = None,
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Nothing]:
        """Calls test.awkward.Names.Bind."""
        return self._call_bind(
            clients_.request_of(
                "test.awkward.Names.Bind",
                names_pb2_.Nothing,
                request,
                {},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class NamesAioClient(clients_.AioClient):
    """Calls test.awkward.Names. Methods are awaited."""

    SERVICE = "test.awkward.Names"

    def _bind_methods(self, binder: clients_.AioBinder) -> None:
        self._call_import_ = binder.unary_unary(
            "/test.awkward.Names/Import",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_lambda_ = binder.stream_stream(
            "/test.awkward.Names/Lambda",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_close = binder.unary_unary(
            "/test.awkward.Names/Close",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_close_channel_ = binder.unary_unary(
            "/test.awkward.Names/CloseChannel",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_add_to_server_ = binder.unary_unary(
            "/test.awkward.Names/AddToServer",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_get_http_status2 = binder.unary_unary(
            "/test.awkward.Names/GETHttpStatus2",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_already_snake = binder.unary_unary(
            "/test.awkward.Names/already_snake",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_hidden = binder.unary_unary(
            "/test.awkward.Names/_Hidden",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_datetime = binder.unary_unary(
            "/test.awkward.Names/Datetime",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_float = binder.unary_unary(
            "/test.awkward.Names/Float",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_str = binder.unary_stream(
            "/test.awkward.Names/Str",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_clients = binder.unary_unary(
            "/test.awkward.Names/Clients",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_names_pb2 = binder.unary_unary(
            "/test.awkward.Names/NamesPb2",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_client = binder.unary_unary(
            "/test.awkward.Names/Client",
            names_pb2_.Nested.Inner,
            names_pb2_.Nested.Inner.Deep,
        )
        self._call_bind = binder.unary_unary(
            "/test.awkward.Names/Bind",
            names_pb2_.Nothing,
            names_pb2_.Nothing,
        )

    async def import_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Import.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_import_(made, timeout, metadata, wait_for_ready)
        return await self._call_import_(
            clients_.request_of(
                "test.awkward.Names.Import",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def lambda_(
        self,
        requests: AsyncIterable[names_pb2_.Words] | Iterable[names_pb2_.Words],
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients_.AioStream[names_pb2_.Words]:
        """Calls test.awkward.Names.Lambda."""
        return self._call_lambda_(requests, timeout, metadata, wait_for_ready)

    async def close(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Close.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_close(made, timeout, metadata, wait_for_ready)
        return await self._call_close(
            clients_.request_of(
                "test.awkward.Names.Close",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def close_channel_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.CloseChannel.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_close_channel_(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_close_channel_(
            clients_.request_of(
                "test.awkward.Names.CloseChannel",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def add_to_server_(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.AddToServer.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_add_to_server_(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_add_to_server_(
            clients_.request_of(
                "test.awkward.Names.AddToServer",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def get_http_status2(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.GETHttpStatus2.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get_http_status2(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_get_http_status2(
            clients_.request_of(
                "test.awkward.Names.GETHttpStatus2",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def already_snake(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.already_snake.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_already_snake(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_already_snake(
            clients_.request_of(
                "test.awkward.Names.already_snake",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def hidden(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names._Hidden.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_hidden(made, timeout, metadata, wait_for_ready)
        return await self._call_hidden(
            clients_.request_of(
                "test.awkward.Names._Hidden",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def datetime(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Datetime.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_datetime(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_datetime(
            clients_.request_of(
                "test.awkward.Names.Datetime",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def float(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Float.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_float(made, timeout, metadata, wait_for_ready)
        return await self._call_float(
            clients_.request_of(
                "test.awkward.Names.Float",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def str(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients_.AioStream[names_pb2_.Words]:
        """Calls test.awkward.Names.Str.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_str(made, timeout, metadata, wait_for_ready)
        return self._call_str(
            clients_.request_of(
                "test.awkward.Names.Str",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def clients(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.Clients.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_clients(made, timeout, metadata, wait_for_ready)
        return await self._call_clients(
            clients_.request_of(
                "test.awkward.Names.Clients",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def names_pb2(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.NamesPb2.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_names_pb2(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_names_pb2(
            clients_.request_of(
                "test.awkward.Names.NamesPb2",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def client(
        self,
        request: names_pb2_.Nested.Inner | None = None,
        /,
        *,
        deep: names_pb2_.Nested.Inner.Deep | Mapping[builtins.str, Any_] | None = None,
        kinds: Iterable[names_pb2_.Nested.Inner.Kind | builtins.str] | None = None,
        deeps: Mapping[int, names_pb2_.Nested.Inner.Deep | Mapping[builtins.str, Any_]]
        | None = None,
        kinds_by_name: Mapping[
            builtins.str, names_pb2_.Nested.Inner.Kind | builtins.str
        ]
        | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Nested.Inner.Deep:
        """Calls test.awkward.Names.Client."""
        return await self._call_client(
            clients_.request_of(
                "test.awkward.Names.Client",
                names_pb2_.Nested.Inner,
                request,
                {
                    "deep": deep,
                    "kinds": kinds,
                    "deeps": deeps,
                    "kinds_by_name": kinds_by_name,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def bind(
        self,
        request: names_pb2_.Nothing | None = None,
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Nothing:
        """Calls test.awkward.Names.Bind."""
        return await self._call_bind(
            clients_.request_of(
                "test.awkward.Names.Bind",
                names_pb2_.Nothing,
                request,
                {},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class lowerBase(servicers.Base):
    """Its clients are `lowerClient` and so on."""

    SERVICE = "test.awkward.lower"
    RPCS = (servicers.Rpc("Get", "get", names_pb2_.Words, names_pb2_.Words),)

    @abstractmethod
    def get(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.lower.Get."""


class lowerClient(clients_.Client):
    """Calls test.awkward.lower. Methods wait for the response.

    Its clients are `lowerClient` and so on.
    """

    SERVICE = "test.awkward.lower"

    def _bind_methods(self, binder: clients_.Binder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.lower/Get",
            names_pb2_.Words,
            names_pb2_.Words,
        )

    def get(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.lower.Get.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients_.request_of(
                "test.awkward.lower.Get",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class lowerAsyncClient(clients_.AsyncClient):
    """Calls test.awkward.lower. Methods give a Future of the response.

    Its clients are `lowerClient` and so on.
    """

    SERVICE = "test.awkward.lower"

    def _bind_methods(self, binder: clients_.AsyncBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.lower/Get",
            names_pb2_.Words,
            names_pb2_.Words,
        )

    def get(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.lower.Get.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return self._call_get(made, timeout, metadata, wait_for_ready)
        return self._call_get(
            clients_.request_of(
                "test.awkward.lower.Get",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class lowerAioClient(clients_.AioClient):
    """Calls test.awkward.lower. Methods are awaited.

    Its clients are `lowerClient` and so on.
    """

    SERVICE = "test.awkward.lower"

    def _bind_methods(self, binder: clients_.AioBinder) -> None:
        self._call_get = binder.unary_unary(
            "/test.awkward.lower/Get",
            names_pb2_.Words,
            names_pb2_.Words,
        )

    async def get(
        self,
        request_: names_pb2_.Words | None = None,
        /,
        *,
        from_: builtins.str | None = None,
        class_: builtins.str | None = None,
        self_: builtins.str | None = None,
        timeout_: builtins.float | None = None,
        metadata_: Mapping[builtins.str, builtins.str] | None = None,
        wait_for_ready_: bool | None = None,
        request: builtins.str | None = None,
        None_: builtins.str | None = None,
        match: builtins.str | None = None,
        names_pb2: builtins.str | None = None,
        clients: builtins.str | None = None,
        Any: builtins.str | None = None,
        datetime: bytes | None = None,
        camelCase: int | None = None,
        binder: builtins.str | None = None,
        dunder_: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.lower.Get.

        Args:
            from_: the field `from`.
            class_: the field `class`.
                What kind.
            self_: the field `self`.
            timeout_: the field `timeout`.
            metadata_: the field `metadata`.
            wait_for_ready_: the field `wait_for_ready`.
            None_: the field `None`.
            dunder_: the field `__dunder`.
        """
        if (
            request_ is None
            and from_ is None
            and class_ is None
            and self_ is None
            and timeout_ is None
            and metadata_ is None
            and wait_for_ready_ is None
            and None_ is None
            and dunder_ is None
        ):
            made = names_pb2_.Words()
            try:
                if request is not None:
                    made.request = request
                if match is not None:
                    made.match = match
                if names_pb2 is not None:
                    made.names_pb2 = names_pb2
                if clients is not None:
                    made.clients = clients
                if Any is not None:
                    made.Any = Any
                if datetime is not None:
                    made.datetime = datetime
                if camelCase is not None:
                    made.camelCase = camelCase
                if binder is not None:
                    made.binder = binder
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_get(made, timeout, metadata, wait_for_ready)
        return await self._call_get(
            clients_.request_of(
                "test.awkward.lower.Get",
                names_pb2_.Words,
                request_,
                {
                    "from": from_,
                    "class": class_,
                    "self": self_,
                    "timeout": timeout_,
                    "metadata": metadata_,
                    "wait_for_ready": wait_for_ready_,
                    "request": request,
                    "None": None_,
                    "match": match,
                    "names_pb2": names_pb2,
                    "clients": clients,
                    "Any": Any,
                    "datetime": datetime,
                    "camelCase": camelCase,
                    "binder": binder,
                    "__dunder": dunder_,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
