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
        servicers.Rpc("None", "none", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc(
            "is",
            "is_",
            names_pb2_.Words,
            names_pb2_.Words,
            requests_stream=True,
        ),
        servicers.Rpc("Self", "self", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("List", "list", names_pb2_.Builtins, names_pb2_.Builtins),
        servicers.Rpc("Type", "type", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Len", "len", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Print", "print", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Super", "super", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Property", "property", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Service", "service", names_pb2_.Words, names_pb2_.Words),
        servicers.Rpc("Rpcs", "rpcs", names_pb2_.Words, names_pb2_.Words),
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

    @abstractmethod
    def none(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.None."""

    @abstractmethod
    def is_(
        self,
        requests: servicers.Requests[names_pb2_.Words],
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.is."""

    @abstractmethod
    def self(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Self."""

    @abstractmethod
    def list(
        self,
        request: names_pb2_.Builtins,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Builtins]:
        """Serves test.awkward.Names.List."""

    @abstractmethod
    def type(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Type."""

    @abstractmethod
    def len(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Len."""

    @abstractmethod
    def print(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Print."""

    @abstractmethod
    def super(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Super."""

    @abstractmethod
    def property(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Property."""

    @abstractmethod
    def service(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Service."""

    @abstractmethod
    def rpcs(
        self,
        request: names_pb2_.Words,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[names_pb2_.Words]:
        """Serves test.awkward.Names.Rpcs."""


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
        self._call_none = binder.unary_unary(
            "/test.awkward.Names/None",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_is_ = binder.stream_unary(
            "/test.awkward.Names/is",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_self = binder.unary_unary(
            "/test.awkward.Names/Self",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_list = binder.unary_unary(
            "/test.awkward.Names/List",
            names_pb2_.Builtins,
            names_pb2_.Builtins,
        )
        self._call_type = binder.unary_unary(
            "/test.awkward.Names/Type",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_len = binder.unary_unary(
            "/test.awkward.Names/Len",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_print = binder.unary_unary(
            "/test.awkward.Names/Print",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_super = binder.unary_unary(
            "/test.awkward.Names/Super",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_property = binder.unary_unary(
            "/test.awkward.Names/Property",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_service = binder.unary_unary(
            "/test.awkward.Names/Service",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_rpcs = binder.unary_unary(
            "/test.awkward.Names/Rpcs",
            names_pb2_.Words,
            names_pb2_.Words,
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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

    def none(
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
        """Calls test.awkward.Names.None.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_none(made, timeout, metadata, wait_for_ready)
        return self._call_none(
            clients_.request_of(
                "test.awkward.Names.None",
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

    def is_(
        self,
        requests: Iterable[names_pb2_.Words],
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.is."""
        return self._call_is_(requests, timeout, metadata, wait_for_ready)

    def self(
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
        """Calls test.awkward.Names.Self.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_self(made, timeout, metadata, wait_for_ready)
        return self._call_self(
            clients_.request_of(
                "test.awkward.Names.Self",
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

    def list(
        self,
        request: names_pb2_.Builtins | None = None,
        /,
        *,
        TypeError: builtins.str | None = None,
        ValueError: builtins.str | None = None,
        bytes: bytes | None = None,
        int: int | None = None,
        str: builtins.str | None = None,
        float: builtins.float | None = None,
        bool: bool | None = None,
        list: Iterable[builtins.str] | None = None,
        dict: Mapping[builtins.str, int] | None = None,
        type: builtins.str | None = None,
        len: builtins.str | None = None,
        print: builtins.str | None = None,
        super: builtins.str | None = None,
        made: builtins.str | None = None,
        object: builtins.str | None = None,
        property: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Builtins:
        """Calls test.awkward.Names.List."""
        if request is None and list is None and dict is None:
            made_ = names_pb2_.Builtins()
            try:
                if TypeError is not None:
                    made_.TypeError = TypeError
                if ValueError is not None:
                    made_.ValueError = ValueError
                if bytes is not None:
                    made_.bytes = bytes
                if int is not None:
                    made_.int = int
                if str is not None:
                    made_.str = str
                if float is not None:
                    made_.float = float
                if bool is not None:
                    made_.bool = bool
                if type is not None:
                    made_.type = type
                if len is not None:
                    made_.len = len
                if print is not None:
                    made_.print = print
                if super is not None:
                    made_.super = super
                if made is not None:
                    made_.made = made
                if object is not None:
                    made_.object = object
                if property is not None:
                    made_.property = property
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_list(made_, timeout, metadata, wait_for_ready)
        return self._call_list(
            clients_.request_of(
                "test.awkward.Names.List",
                names_pb2_.Builtins,
                request,
                {
                    "TypeError": TypeError,
                    "ValueError": ValueError,
                    "bytes": bytes,
                    "int": int,
                    "str": str,
                    "float": float,
                    "bool": bool,
                    "list": list,
                    "dict": dict,
                    "type": type,
                    "len": len,
                    "print": print,
                    "super": super,
                    "made": made,
                    "object": object,
                    "property": property,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def type(
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
        """Calls test.awkward.Names.Type.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_type(made, timeout, metadata, wait_for_ready)
        return self._call_type(
            clients_.request_of(
                "test.awkward.Names.Type",
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

    def len(
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
        """Calls test.awkward.Names.Len.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_len(made, timeout, metadata, wait_for_ready)
        return self._call_len(
            clients_.request_of(
                "test.awkward.Names.Len",
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

    def print(
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
        """Calls test.awkward.Names.Print.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_print(made, timeout, metadata, wait_for_ready)
        return self._call_print(
            clients_.request_of(
                "test.awkward.Names.Print",
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

    def super(
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
        """Calls test.awkward.Names.Super.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_super(made, timeout, metadata, wait_for_ready)
        return self._call_super(
            clients_.request_of(
                "test.awkward.Names.Super",
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

    def property(
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
        """Calls test.awkward.Names.Property.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_property(made, timeout, metadata, wait_for_ready)
        return self._call_property(
            clients_.request_of(
                "test.awkward.Names.Property",
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

    def service(
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
        """Calls test.awkward.Names.Service.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_service(made, timeout, metadata, wait_for_ready)
        return self._call_service(
            clients_.request_of(
                "test.awkward.Names.Service",
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

    def rpcs(
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
        """Calls test.awkward.Names.Rpcs.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_rpcs(made, timeout, metadata, wait_for_ready)
        return self._call_rpcs(
            clients_.request_of(
                "test.awkward.Names.Rpcs",
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
        self._call_none = binder.unary_unary(
            "/test.awkward.Names/None",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_is_ = binder.stream_unary(
            "/test.awkward.Names/is",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_self = binder.unary_unary(
            "/test.awkward.Names/Self",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_list = binder.unary_unary(
            "/test.awkward.Names/List",
            names_pb2_.Builtins,
            names_pb2_.Builtins,
        )
        self._call_type = binder.unary_unary(
            "/test.awkward.Names/Type",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_len = binder.unary_unary(
            "/test.awkward.Names/Len",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_print = binder.unary_unary(
            "/test.awkward.Names/Print",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_super = binder.unary_unary(
            "/test.awkward.Names/Super",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_property = binder.unary_unary(
            "/test.awkward.Names/Property",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_service = binder.unary_unary(
            "/test.awkward.Names/Service",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_rpcs = binder.unary_unary(
            "/test.awkward.Names/Rpcs",
            names_pb2_.Words,
            names_pb2_.Words,
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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

    def none(
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
        """Calls test.awkward.Names.None.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_none(made, timeout, metadata, wait_for_ready)
        return self._call_none(
            clients_.request_of(
                "test.awkward.Names.None",
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

    def is_(
        self,
        requests: Iterable[names_pb2_.Words],
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Words]:
        """Calls test.awkward.Names.is."""
        return self._call_is_(requests, timeout, metadata, wait_for_ready)

    def self(
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
        """Calls test.awkward.Names.Self.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_self(made, timeout, metadata, wait_for_ready)
        return self._call_self(
            clients_.request_of(
                "test.awkward.Names.Self",
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

    def list(
        self,
        request: names_pb2_.Builtins | None = None,
        /,
        *,
        TypeError: builtins.str | None = None,
        ValueError: builtins.str | None = None,
        bytes: bytes | None = None,
        int: int | None = None,
        str: builtins.str | None = None,
        float: builtins.float | None = None,
        bool: bool | None = None,
        list: Iterable[builtins.str] | None = None,
        dict: Mapping[builtins.str, int] | None = None,
        type: builtins.str | None = None,
        len: builtins.str | None = None,
        print: builtins.str | None = None,
        super: builtins.str | None = None,
        made: builtins.str | None = None,
        object: builtins.str | None = None,
        property: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[names_pb2_.Builtins]:
        """Calls test.awkward.Names.List."""
        if request is None and list is None and dict is None:
            made_ = names_pb2_.Builtins()
            try:
                if TypeError is not None:
                    made_.TypeError = TypeError
                if ValueError is not None:
                    made_.ValueError = ValueError
                if bytes is not None:
                    made_.bytes = bytes
                if int is not None:
                    made_.int = int
                if str is not None:
                    made_.str = str
                if float is not None:
                    made_.float = float
                if bool is not None:
                    made_.bool = bool
                if type is not None:
                    made_.type = type
                if len is not None:
                    made_.len = len
                if print is not None:
                    made_.print = print
                if super is not None:
                    made_.super = super
                if made is not None:
                    made_.made = made
                if object is not None:
                    made_.object = object
                if property is not None:
                    made_.property = property
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_list(made_, timeout, metadata, wait_for_ready)
        return self._call_list(
            clients_.request_of(
                "test.awkward.Names.List",
                names_pb2_.Builtins,
                request,
                {
                    "TypeError": TypeError,
                    "ValueError": ValueError,
                    "bytes": bytes,
                    "int": int,
                    "str": str,
                    "float": float,
                    "bool": bool,
                    "list": list,
                    "dict": dict,
                    "type": type,
                    "len": len,
                    "print": print,
                    "super": super,
                    "made": made,
                    "object": object,
                    "property": property,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def type(
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
        """Calls test.awkward.Names.Type.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_type(made, timeout, metadata, wait_for_ready)
        return self._call_type(
            clients_.request_of(
                "test.awkward.Names.Type",
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

    def len(
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
        """Calls test.awkward.Names.Len.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_len(made, timeout, metadata, wait_for_ready)
        return self._call_len(
            clients_.request_of(
                "test.awkward.Names.Len",
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

    def print(
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
        """Calls test.awkward.Names.Print.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_print(made, timeout, metadata, wait_for_ready)
        return self._call_print(
            clients_.request_of(
                "test.awkward.Names.Print",
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

    def super(
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
        """Calls test.awkward.Names.Super.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_super(made, timeout, metadata, wait_for_ready)
        return self._call_super(
            clients_.request_of(
                "test.awkward.Names.Super",
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

    def property(
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
        """Calls test.awkward.Names.Property.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_property(made, timeout, metadata, wait_for_ready)
        return self._call_property(
            clients_.request_of(
                "test.awkward.Names.Property",
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

    def service(
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
        """Calls test.awkward.Names.Service.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_service(made, timeout, metadata, wait_for_ready)
        return self._call_service(
            clients_.request_of(
                "test.awkward.Names.Service",
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

    def rpcs(
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
        """Calls test.awkward.Names.Rpcs.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return self._call_rpcs(made, timeout, metadata, wait_for_ready)
        return self._call_rpcs(
            clients_.request_of(
                "test.awkward.Names.Rpcs",
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
        self._call_none = binder.unary_unary(
            "/test.awkward.Names/None",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_is_ = binder.stream_unary(
            "/test.awkward.Names/is",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_self = binder.unary_unary(
            "/test.awkward.Names/Self",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_list = binder.unary_unary(
            "/test.awkward.Names/List",
            names_pb2_.Builtins,
            names_pb2_.Builtins,
        )
        self._call_type = binder.unary_unary(
            "/test.awkward.Names/Type",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_len = binder.unary_unary(
            "/test.awkward.Names/Len",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_print = binder.unary_unary(
            "/test.awkward.Names/Print",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_super = binder.unary_unary(
            "/test.awkward.Names/Super",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_property = binder.unary_unary(
            "/test.awkward.Names/Property",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_service = binder.unary_unary(
            "/test.awkward.Names/Service",
            names_pb2_.Words,
            names_pb2_.Words,
        )
        self._call_rpcs = binder.unary_unary(
            "/test.awkward.Names/Rpcs",
            names_pb2_.Words,
            names_pb2_.Words,
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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

    async def none(
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
        """Calls test.awkward.Names.None.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_none(made, timeout, metadata, wait_for_ready)
        return await self._call_none(
            clients_.request_of(
                "test.awkward.Names.None",
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

    async def is_(
        self,
        requests: AsyncIterable[names_pb2_.Words] | Iterable[names_pb2_.Words],
        /,
        *,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Words:
        """Calls test.awkward.Names.is."""
        return await self._call_is_(requests, timeout, metadata, wait_for_ready)

    async def self(
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
        """Calls test.awkward.Names.Self.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_self(made, timeout, metadata, wait_for_ready)
        return await self._call_self(
            clients_.request_of(
                "test.awkward.Names.Self",
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

    async def list(
        self,
        request: names_pb2_.Builtins | None = None,
        /,
        *,
        TypeError: builtins.str | None = None,
        ValueError: builtins.str | None = None,
        bytes: bytes | None = None,
        int: int | None = None,
        str: builtins.str | None = None,
        float: builtins.float | None = None,
        bool: bool | None = None,
        list: Iterable[builtins.str] | None = None,
        dict: Mapping[builtins.str, int] | None = None,
        type: builtins.str | None = None,
        len: builtins.str | None = None,
        print: builtins.str | None = None,
        super: builtins.str | None = None,
        made: builtins.str | None = None,
        object: builtins.str | None = None,
        property: builtins.str | None = None,
        timeout: builtins.float | None = None,
        metadata: clients_.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> names_pb2_.Builtins:
        """Calls test.awkward.Names.List."""
        if request is None and list is None and dict is None:
            made_ = names_pb2_.Builtins()
            try:
                if TypeError is not None:
                    made_.TypeError = TypeError
                if ValueError is not None:
                    made_.ValueError = ValueError
                if bytes is not None:
                    made_.bytes = bytes
                if int is not None:
                    made_.int = int
                if str is not None:
                    made_.str = str
                if float is not None:
                    made_.float = float
                if bool is not None:
                    made_.bool = bool
                if type is not None:
                    made_.type = type
                if len is not None:
                    made_.len = len
                if print is not None:
                    made_.print = print
                if super is not None:
                    made_.super = super
                if made is not None:
                    made_.made = made
                if object is not None:
                    made_.object = object
                if property is not None:
                    made_.property = property
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_list(made_, timeout, metadata, wait_for_ready)
        return await self._call_list(
            clients_.request_of(
                "test.awkward.Names.List",
                names_pb2_.Builtins,
                request,
                {
                    "TypeError": TypeError,
                    "ValueError": ValueError,
                    "bytes": bytes,
                    "int": int,
                    "str": str,
                    "float": float,
                    "bool": bool,
                    "list": list,
                    "dict": dict,
                    "type": type,
                    "len": len,
                    "print": print,
                    "super": super,
                    "made": made,
                    "object": object,
                    "property": property,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def type(
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
        """Calls test.awkward.Names.Type.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_type(made, timeout, metadata, wait_for_ready)
        return await self._call_type(
            clients_.request_of(
                "test.awkward.Names.Type",
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

    async def len(
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
        """Calls test.awkward.Names.Len.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_len(made, timeout, metadata, wait_for_ready)
        return await self._call_len(
            clients_.request_of(
                "test.awkward.Names.Len",
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

    async def print(
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
        """Calls test.awkward.Names.Print.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_print(made, timeout, metadata, wait_for_ready)
        return await self._call_print(
            clients_.request_of(
                "test.awkward.Names.Print",
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

    async def super(
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
        """Calls test.awkward.Names.Super.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_super(made, timeout, metadata, wait_for_ready)
        return await self._call_super(
            clients_.request_of(
                "test.awkward.Names.Super",
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

    async def property(
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
        """Calls test.awkward.Names.Property.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_property(
                    made,
                    timeout,
                    metadata,
                    wait_for_ready,
                )
        return await self._call_property(
            clients_.request_of(
                "test.awkward.Names.Property",
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

    async def service(
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
        """Calls test.awkward.Names.Service.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_service(made, timeout, metadata, wait_for_ready)
        return await self._call_service(
            clients_.request_of(
                "test.awkward.Names.Service",
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

    async def rpcs(
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
        """Calls test.awkward.Names.Rpcs.

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
            except (builtins.TypeError, builtins.ValueError):
                pass
            else:
                return await self._call_rpcs(made, timeout, metadata, wait_for_ready)
        return await self._call_rpcs(
            clients_.request_of(
                "test.awkward.Names.Rpcs",
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
            except (builtins.TypeError, builtins.ValueError):
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
