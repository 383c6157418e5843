# Written by protoc-gen-sage from awkward/fields.proto; do not edit.
"""Services of awkward/fields.proto: bases to implement, and clients."""

from __future__ import annotations

import datetime
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from concurrent.futures import Future
from typing import Any

from google.protobuf import (
    any_pb2,
    duration_pb2,
    empty_pb2,
    field_mask_pb2,
    struct_pb2,
    timestamp_pb2,
    wrappers_pb2,
)
from sage_rpc import clients, servicers

from . import fields_pb2

__all__ = ["FieldsAioClient", "FieldsAsyncClient", "FieldsBase", "FieldsClient"]


class FieldsBase(servicers.Base):
    """What implements test.awkward.Fields."""

    SERVICE = "test.awkward.Fields"
    RPCS = (
        servicers.Rpc("Set", "set", fields_pb2.Everything, empty_pb2.Empty),
        servicers.Rpc("Now", "now", empty_pb2.Empty, timestamp_pb2.Timestamp),
        servicers.Rpc(
            "Ticks",
            "ticks",
            duration_pb2.Duration,
            timestamp_pb2.Timestamp,
            responses_stream=True,
        ),
    )

    @abstractmethod
    def set(
        self,
        request: fields_pb2.Everything,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[empty_pb2.Empty]:
        """Serves test.awkward.Fields.Set."""

    @abstractmethod
    def now(
        self,
        request: empty_pb2.Empty,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Response[timestamp_pb2.Timestamp]:
        """Serves test.awkward.Fields.Now."""

    @abstractmethod
    def ticks(
        self,
        request: duration_pb2.Duration,
        context: servicers.AnyServicerContext,
        /,
    ) -> servicers.Responses[timestamp_pb2.Timestamp]:
        """Serves test.awkward.Fields.Ticks."""


class FieldsClient(clients.Client):
    """Calls test.awkward.Fields. Methods wait for the response."""

    SERVICE = "test.awkward.Fields"

    def _bind_methods(self, binder: clients.Binder) -> None:
        self._call_set = binder.unary_unary(
            "/test.awkward.Fields/Set",
            fields_pb2.Everything,
            empty_pb2.Empty,
        )
        self._call_now = binder.unary_unary(
            "/test.awkward.Fields/Now",
            empty_pb2.Empty,
            timestamp_pb2.Timestamp,
        )
        self._call_ticks = binder.unary_stream(
            "/test.awkward.Fields/Ticks",
            duration_pb2.Duration,
            timestamp_pb2.Timestamp,
        )

    def set(
        self,
        request: fields_pb2.Everything | None = None,
        /,
        *,
        a_double: float | None = None,
        a_float: float | None = None,
        an_int32: int | None = None,
        a_uint64: int | None = None,
        a_sint64: int | None = None,
        a_fixed32: int | None = None,
        a_sfixed64: int | None = None,
        a_bool: bool | None = None,
        a_string: str | None = None,
        some_bytes: bytes | None = None,
        maybe: str | None = None,
        maybe_shade: fields_pb2.Shade | str | None = None,
        text: str | None = None,
        whole: fields_pb2.Everything | Mapping[str, Any] | None = None,
        shade: fields_pb2.Shade | str | None = None,
        doubles: Iterable[float] | None = None,
        wholes: Iterable[fields_pb2.Everything | Mapping[str, Any]] | None = None,
        blobs: Mapping[str, bytes] | None = None,
        waits: Mapping[
            bool, duration_pb2.Duration | datetime.timedelta | Mapping[str, Any]
        ]
        | None = None,
        at: timestamp_pb2.Timestamp
        | datetime.datetime
        | Mapping[str, Any]
        | None = None,
        lasting: duration_pb2.Duration
        | datetime.timedelta
        | Mapping[str, Any]
        | None = None,
        any_fields: struct_pb2.Struct | Mapping[str, Any] | None = None,
        any_value: struct_pb2.Value | Mapping[str, Any] | None = None,
        any_list: struct_pb2.ListValue | Mapping[str, Any] | None = None,
        anything: any_pb2.Any | Mapping[str, Any] | None = None,
        mask: field_mask_pb2.FieldMask | Mapping[str, Any] | None = None,
        wrapped: wrappers_pb2.StringValue | Mapping[str, Any] | None = None,
        times: Iterable[timestamp_pb2.Timestamp | datetime.datetime | Mapping[str, Any]]
        | None = None,
        gone: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> empty_pb2.Empty:
        """Calls test.awkward.Fields.Set."""
        if (
            request is None
            and maybe_shade is None
            and whole is None
            and shade is None
            and doubles is None
            and wholes is None
            and blobs is None
            and waits is None
            and at is None
            and lasting is None
            and any_fields is None
            and any_value is None
            and any_list is None
            and anything is None
            and mask is None
            and wrapped is None
            and times is None
        ):
            made = fields_pb2.Everything()
            try:
                if a_double is not None:
                    made.a_double = a_double
                if a_float is not None:
                    made.a_float = a_float
                if an_int32 is not None:
                    made.an_int32 = an_int32
                if a_uint64 is not None:
                    made.a_uint64 = a_uint64
                if a_sint64 is not None:
                    made.a_sint64 = a_sint64
                if a_fixed32 is not None:
                    made.a_fixed32 = a_fixed32
                if a_sfixed64 is not None:
                    made.a_sfixed64 = a_sfixed64
                if a_bool is not None:
                    made.a_bool = a_bool
                if a_string is not None:
                    made.a_string = a_string
                if some_bytes is not None:
                    made.some_bytes = some_bytes
                if maybe is not None:
                    made.maybe = maybe
                if text is not None:
                    made.text = text
                if gone is not None:
                    made.gone = gone
            except (TypeError, ValueError):
                pass
            else:
                return self._call_set(made, timeout, metadata, wait_for_ready)
        return self._call_set(
            clients.request_of(
                "test.awkward.Fields.Set",
                fields_pb2.Everything,
                request,
                {
                    "a_double": a_double,
                    "a_float": a_float,
                    "an_int32": an_int32,
                    "a_uint64": a_uint64,
                    "a_sint64": a_sint64,
                    "a_fixed32": a_fixed32,
                    "a_sfixed64": a_sfixed64,
                    "a_bool": a_bool,
                    "a_string": a_string,
                    "some_bytes": some_bytes,
                    "maybe": maybe,
                    "maybe_shade": maybe_shade,
                    "text": text,
                    "whole": whole,
                    "shade": shade,
                    "doubles": doubles,
                    "wholes": wholes,
                    "blobs": blobs,
                    "waits": waits,
                    "at": at,
                    "lasting": lasting,
                    "any_fields": any_fields,
                    "any_value": any_value,
                    "any_list": any_list,
                    "anything": anything,
                    "mask": mask,
                    "wrapped": wrapped,
                    "times": times,
                    "gone": gone,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def now(
        self,
        request: empty_pb2.Empty | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> timestamp_pb2.Timestamp:
        """Calls test.awkward.Fields.Now."""
        return self._call_now(
            clients.request_of("test.awkward.Fields.Now", empty_pb2.Empty, request, {}),
            timeout,
            metadata,
            wait_for_ready,
        )

    def ticks(
        self,
        request: duration_pb2.Duration | None = None,
        /,
        *,
        seconds: int | None = None,
        nanos: int | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[timestamp_pb2.Timestamp]:
        """Calls test.awkward.Fields.Ticks.

        Args:
            seconds: Signed seconds of the span of time. Must be from -315,576,000,000
                to +315,576,000,000 inclusive. Note: these bounds are computed from:
                60 sec/min * 60 min/hr * 24 hr/day * 365.25 days/year * 10000 years
            nanos: Signed fractions of a second at nanosecond resolution of the span
                of time. Durations less than one second are represented with a 0
                `seconds` field and a positive or negative `nanos` field. For durations
                of one second or more, a non-zero value for the `nanos` field must be
                of the same sign as the `seconds` field. Must be from -999,999,999
                to +999,999,999 inclusive.
        """
        if request is None:
            made = duration_pb2.Duration()
            try:
                if seconds is not None:
                    made.seconds = seconds
                if nanos is not None:
                    made.nanos = nanos
            except (TypeError, ValueError):
                pass
            else:
                return self._call_ticks(made, timeout, metadata, wait_for_ready)
        return self._call_ticks(
            clients.request_of(
                "test.awkward.Fields.Ticks",
                duration_pb2.Duration,
                request,
                {"seconds": seconds, "nanos": nanos},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class FieldsAsyncClient(clients.AsyncClient):
    """Calls test.awkward.Fields. Methods give a Future of the response."""

    SERVICE = "test.awkward.Fields"

    def _bind_methods(self, binder: clients.AsyncBinder) -> None:
        self._call_set = binder.unary_unary(
            "/test.awkward.Fields/Set",
            fields_pb2.Everything,
            empty_pb2.Empty,
        )
        self._call_now = binder.unary_unary(
            "/test.awkward.Fields/Now",
            empty_pb2.Empty,
            timestamp_pb2.Timestamp,
        )
        self._call_ticks = binder.unary_stream(
            "/test.awkward.Fields/Ticks",
            duration_pb2.Duration,
            timestamp_pb2.Timestamp,
        )

    def set(
        self,
        request: fields_pb2.Everything | None = None,
        /,
        *,
        a_double: float | None = None,
        a_float: float | None = None,
        an_int32: int | None = None,
        a_uint64: int | None = None,
        a_sint64: int | None = None,
        a_fixed32: int | None = None,
        a_sfixed64: int | None = None,
        a_bool: bool | None = None,
        a_string: str | None = None,
        some_bytes: bytes | None = None,
        maybe: str | None = None,
        maybe_shade: fields_pb2.Shade | str | None = None,
        text: str | None = None,
        whole: fields_pb2.Everything | Mapping[str, Any] | None = None,
        shade: fields_pb2.Shade | str | None = None,
        doubles: Iterable[float] | None = None,
        wholes: Iterable[fields_pb2.Everything | Mapping[str, Any]] | None = None,
        blobs: Mapping[str, bytes] | None = None,
        waits: Mapping[
            bool, duration_pb2.Duration | datetime.timedelta | Mapping[str, Any]
        ]
        | None = None,
        at: timestamp_pb2.Timestamp
        | datetime.datetime
        | Mapping[str, Any]
        | None = None,
        lasting: duration_pb2.Duration
        | datetime.timedelta
        | Mapping[str, Any]
        | None = None,
        any_fields: struct_pb2.Struct | Mapping[str, Any] | None = None,
        any_value: struct_pb2.Value | Mapping[str, Any] | None = None,
        any_list: struct_pb2.ListValue | Mapping[str, Any] | None = None,
        anything: any_pb2.Any | Mapping[str, Any] | None = None,
        mask: field_mask_pb2.FieldMask | Mapping[str, Any] | None = None,
        wrapped: wrappers_pb2.StringValue | Mapping[str, Any] | None = None,
        times: Iterable[timestamp_pb2.Timestamp | datetime.datetime | Mapping[str, Any]]
        | None = None,
        gone: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[empty_pb2.Empty]:
        """Calls test.awkward.Fields.Set."""
        if (
            request is None
            and maybe_shade is None
            and whole is None
            and shade is None
            and doubles is None
            and wholes is None
            and blobs is None
            and waits is None
            and at is None
            and lasting is None
            and any_fields is None
            and any_value is None
            and any_list is None
            and anything is None
            and mask is None
            and wrapped is None
            and times is None
        ):
            made = fields_pb2.Everything()
            try:
                if a_double is not None:
                    made.a_double = a_double
                if a_float is not None:
                    made.a_float = a_float
                if an_int32 is not None:
                    made.an_int32 = an_int32
                if a_uint64 is not None:
                    made.a_uint64 = a_uint64
                if a_sint64 is not None:
                    made.a_sint64 = a_sint64
                if a_fixed32 is not None:
                    made.a_fixed32 = a_fixed32
                if a_sfixed64 is not None:
                    made.a_sfixed64 = a_sfixed64
                if a_bool is not None:
                    made.a_bool = a_bool
                if a_string is not None:
                    made.a_string = a_string
                if some_bytes is not None:
                    made.some_bytes = some_bytes
                if maybe is not None:
                    made.maybe = maybe
                if text is not None:
                    made.text = text
                if gone is not None:
                    made.gone = gone
            except (TypeError, ValueError):
                pass
            else:
                return self._call_set(made, timeout, metadata, wait_for_ready)
        return self._call_set(
            clients.request_of(
                "test.awkward.Fields.Set",
                fields_pb2.Everything,
                request,
                {
                    "a_double": a_double,
                    "a_float": a_float,
                    "an_int32": an_int32,
                    "a_uint64": a_uint64,
                    "a_sint64": a_sint64,
                    "a_fixed32": a_fixed32,
                    "a_sfixed64": a_sfixed64,
                    "a_bool": a_bool,
                    "a_string": a_string,
                    "some_bytes": some_bytes,
                    "maybe": maybe,
                    "maybe_shade": maybe_shade,
                    "text": text,
                    "whole": whole,
                    "shade": shade,
                    "doubles": doubles,
                    "wholes": wholes,
                    "blobs": blobs,
                    "waits": waits,
                    "at": at,
                    "lasting": lasting,
                    "any_fields": any_fields,
                    "any_value": any_value,
                    "any_list": any_list,
                    "anything": anything,
                    "mask": mask,
                    "wrapped": wrapped,
                    "times": times,
                    "gone": gone,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    def now(
        self,
        request: empty_pb2.Empty | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> Future[timestamp_pb2.Timestamp]:
        """Calls test.awkward.Fields.Now."""
        return self._call_now(
            clients.request_of("test.awkward.Fields.Now", empty_pb2.Empty, request, {}),
            timeout,
            metadata,
            wait_for_ready,
        )

    def ticks(
        self,
        request: duration_pb2.Duration | None = None,
        /,
        *,
        seconds: int | None = None,
        nanos: int | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.Stream[timestamp_pb2.Timestamp]:
        """Calls test.awkward.Fields.Ticks.

        Args:
            seconds: Signed seconds of the span of time. Must be from -315,576,000,000
                to +315,576,000,000 inclusive. Note: these bounds are computed from:
                60 sec/min * 60 min/hr * 24 hr/day * 365.25 days/year * 10000 years
            nanos: Signed fractions of a second at nanosecond resolution of the span
                of time. Durations less than one second are represented with a 0
                `seconds` field and a positive or negative `nanos` field. For durations
                of one second or more, a non-zero value for the `nanos` field must be
                of the same sign as the `seconds` field. Must be from -999,999,999
                to +999,999,999 inclusive.
        """
        if request is None:
            made = duration_pb2.Duration()
            try:
                if seconds is not None:
                    made.seconds = seconds
                if nanos is not None:
                    made.nanos = nanos
            except (TypeError, ValueError):
                pass
            else:
                return self._call_ticks(made, timeout, metadata, wait_for_ready)
        return self._call_ticks(
            clients.request_of(
                "test.awkward.Fields.Ticks",
                duration_pb2.Duration,
                request,
                {"seconds": seconds, "nanos": nanos},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )


class FieldsAioClient(clients.AioClient):
    """Calls test.awkward.Fields. Methods are awaited."""

    SERVICE = "test.awkward.Fields"

    def _bind_methods(self, binder: clients.AioBinder) -> None:
        self._call_set = binder.unary_unary(
            "/test.awkward.Fields/Set",
            fields_pb2.Everything,
            empty_pb2.Empty,
        )
        self._call_now = binder.unary_unary(
            "/test.awkward.Fields/Now",
            empty_pb2.Empty,
            timestamp_pb2.Timestamp,
        )
        self._call_ticks = binder.unary_stream(
            "/test.awkward.Fields/Ticks",
            duration_pb2.Duration,
            timestamp_pb2.Timestamp,
        )

    async def set(
        self,
        request: fields_pb2.Everything | None = None,
        /,
        *,
        a_double: float | None = None,
        a_float: float | None = None,
        an_int32: int | None = None,
        a_uint64: int | None = None,
        a_sint64: int | None = None,
        a_fixed32: int | None = None,
        a_sfixed64: int | None = None,
        a_bool: bool | None = None,
        a_string: str | None = None,
        some_bytes: bytes | None = None,
        maybe: str | None = None,
        maybe_shade: fields_pb2.Shade | str | None = None,
        text: str | None = None,
        whole: fields_pb2.Everything | Mapping[str, Any] | None = None,
        shade: fields_pb2.Shade | str | None = None,
        doubles: Iterable[float] | None = None,
        wholes: Iterable[fields_pb2.Everything | Mapping[str, Any]] | None = None,
        blobs: Mapping[str, bytes] | None = None,
        waits: Mapping[
            bool, duration_pb2.Duration | datetime.timedelta | Mapping[str, Any]
        ]
        | None = None,
        at: timestamp_pb2.Timestamp
        | datetime.datetime
        | Mapping[str, Any]
        | None = None,
        lasting: duration_pb2.Duration
        | datetime.timedelta
        | Mapping[str, Any]
        | None = None,
        any_fields: struct_pb2.Struct | Mapping[str, Any] | None = None,
        any_value: struct_pb2.Value | Mapping[str, Any] | None = None,
        any_list: struct_pb2.ListValue | Mapping[str, Any] | None = None,
        anything: any_pb2.Any | Mapping[str, Any] | None = None,
        mask: field_mask_pb2.FieldMask | Mapping[str, Any] | None = None,
        wrapped: wrappers_pb2.StringValue | Mapping[str, Any] | None = None,
        times: Iterable[timestamp_pb2.Timestamp | datetime.datetime | Mapping[str, Any]]
        | None = None,
        gone: str | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> empty_pb2.Empty:
        """Calls test.awkward.Fields.Set."""
        if (
            request is None
            and maybe_shade is None
            and whole is None
            and shade is None
            and doubles is None
            and wholes is None
            and blobs is None
            and waits is None
            and at is None
            and lasting is None
            and any_fields is None
            and any_value is None
            and any_list is None
            and anything is None
            and mask is None
            and wrapped is None
            and times is None
        ):
            made = fields_pb2.Everything()
            try:
                if a_double is not None:
                    made.a_double = a_double
                if a_float is not None:
                    made.a_float = a_float
                if an_int32 is not None:
                    made.an_int32 = an_int32
                if a_uint64 is not None:
                    made.a_uint64 = a_uint64
                if a_sint64 is not None:
                    made.a_sint64 = a_sint64
                if a_fixed32 is not None:
                    made.a_fixed32 = a_fixed32
                if a_sfixed64 is not None:
                    made.a_sfixed64 = a_sfixed64
                if a_bool is not None:
                    made.a_bool = a_bool
                if a_string is not None:
                    made.a_string = a_string
                if some_bytes is not None:
                    made.some_bytes = some_bytes
                if maybe is not None:
                    made.maybe = maybe
                if text is not None:
                    made.text = text
                if gone is not None:
                    made.gone = gone
            except (TypeError, ValueError):
                pass
            else:
                return await self._call_set(made, timeout, metadata, wait_for_ready)
        return await self._call_set(
            clients.request_of(
                "test.awkward.Fields.Set",
                fields_pb2.Everything,
                request,
                {
                    "a_double": a_double,
                    "a_float": a_float,
                    "an_int32": an_int32,
                    "a_uint64": a_uint64,
                    "a_sint64": a_sint64,
                    "a_fixed32": a_fixed32,
                    "a_sfixed64": a_sfixed64,
                    "a_bool": a_bool,
                    "a_string": a_string,
                    "some_bytes": some_bytes,
                    "maybe": maybe,
                    "maybe_shade": maybe_shade,
                    "text": text,
                    "whole": whole,
                    "shade": shade,
                    "doubles": doubles,
                    "wholes": wholes,
                    "blobs": blobs,
                    "waits": waits,
                    "at": at,
                    "lasting": lasting,
                    "any_fields": any_fields,
                    "any_value": any_value,
                    "any_list": any_list,
                    "anything": anything,
                    "mask": mask,
                    "wrapped": wrapped,
                    "times": times,
                    "gone": gone,
                },
            ),
            timeout,
            metadata,
            wait_for_ready,
        )

    async def now(
        self,
        request: empty_pb2.Empty | None = None,
        /,
        *,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> timestamp_pb2.Timestamp:
        """Calls test.awkward.Fields.Now."""
        return await self._call_now(
            clients.request_of("test.awkward.Fields.Now", empty_pb2.Empty, request, {}),
            timeout,
            metadata,
            wait_for_ready,
        )

    def ticks(
        self,
        request: duration_pb2.Duration | None = None,
        /,
        *,
        seconds: int | None = None,
        nanos: int | None = None,
        timeout: float | None = None,
        metadata: clients.Metadata | None = None,
        wait_for_ready: bool | None = None,
    ) -> clients.AioStream[timestamp_pb2.Timestamp]:
        """Calls test.awkward.Fields.Ticks.

        Args:
            seconds: Signed seconds of the span of time. Must be from -315,576,000,000
                to +315,576,000,000 inclusive. Note: these bounds are computed from:
                60 sec/min * 60 min/hr * 24 hr/day * 365.25 days/year * 10000 years
            nanos: Signed fractions of a second at nanosecond resolution of the span
                of time. Durations less than one second are represented with a 0
                `seconds` field and a positive or negative `nanos` field. For durations
                of one second or more, a non-zero value for the `nanos` field must be
                of the same sign as the `seconds` field. Must be from -999,999,999
                to +999,999,999 inclusive.
        """
        if request is None:
            made = duration_pb2.Duration()
            try:
                if seconds is not None:
                    made.seconds = seconds
                if nanos is not None:
                    made.nanos = nanos
            except (TypeError, ValueError):
                pass
            else:
                return self._call_ticks(made, timeout, metadata, wait_for_ready)
        return self._call_ticks(
            clients.request_of(
                "test.awkward.Fields.Ticks",
                duration_pb2.Duration,
                request,
                {"seconds": seconds, "nanos": nanos},
            ),
            timeout,
            metadata,
            wait_for_ready,
        )
