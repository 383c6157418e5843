# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
import datetime

from google.protobuf import any_pb2 as _any_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import empty_pb2 as _empty_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import struct_pb2 as _struct_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf import wrappers_pb2 as _wrappers_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Shade(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHADE_UNSPECIFIED: _ClassVar[Shade]
    LIGHT: _ClassVar[Shade]
SHADE_UNSPECIFIED: Shade
LIGHT: Shade

class Everything(_message.Message):
    __slots__ = ("a_double", "a_float", "an_int32", "a_uint64", "a_sint64", "a_fixed32", "a_sfixed64", "a_bool", "a_string", "some_bytes", "maybe", "maybe_shade", "text", "whole", "shade", "doubles", "wholes", "blobs", "waits", "at", "lasting", "any_fields", "any_value", "any_list", "anything", "mask", "wrapped", "times", "gone")
    class BlobsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bytes
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bytes] = ...) -> None: ...
    class WaitsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: bool
        value: _duration_pb2.Duration
        def __init__(self, key: _Optional[bool] = ..., value: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, _Any]]] = ...) -> None: ...
    A_DOUBLE_FIELD_NUMBER: _ClassVar[int]
    A_FLOAT_FIELD_NUMBER: _ClassVar[int]
    AN_INT32_FIELD_NUMBER: _ClassVar[int]
    A_UINT64_FIELD_NUMBER: _ClassVar[int]
    A_SINT64_FIELD_NUMBER: _ClassVar[int]
    A_FIXED32_FIELD_NUMBER: _ClassVar[int]
    A_SFIXED64_FIELD_NUMBER: _ClassVar[int]
    A_BOOL_FIELD_NUMBER: _ClassVar[int]
    A_STRING_FIELD_NUMBER: _ClassVar[int]
    SOME_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAYBE_FIELD_NUMBER: _ClassVar[int]
    MAYBE_SHADE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    SHADE_FIELD_NUMBER: _ClassVar[int]
    DOUBLES_FIELD_NUMBER: _ClassVar[int]
    WHOLES_FIELD_NUMBER: _ClassVar[int]
    BLOBS_FIELD_NUMBER: _ClassVar[int]
    WAITS_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    LASTING_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELDS_FIELD_NUMBER: _ClassVar[int]
    ANY_VALUE_FIELD_NUMBER: _ClassVar[int]
    ANY_LIST_FIELD_NUMBER: _ClassVar[int]
    ANYTHING_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    WRAPPED_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    GONE_FIELD_NUMBER: _ClassVar[int]
    a_double: float
    a_float: float
    an_int32: int
    a_uint64: int
    a_sint64: int
    a_fixed32: int
    a_sfixed64: int
    a_bool: bool
    a_string: str
    some_bytes: bytes
    maybe: str
    maybe_shade: Shade
    text: str
    whole: Everything
    shade: Shade
    doubles: _containers.RepeatedScalarFieldContainer[float]
    wholes: _containers.RepeatedCompositeFieldContainer[Everything]
    blobs: _containers.ScalarMap[str, bytes]
    waits: _containers.MessageMap[bool, _duration_pb2.Duration]
    at: _timestamp_pb2.Timestamp
    lasting: _duration_pb2.Duration
    any_fields: _struct_pb2.Struct
    any_value: _struct_pb2.Value
    any_list: _struct_pb2.ListValue
    anything: _any_pb2.Any
    mask: _field_mask_pb2.FieldMask
    wrapped: _wrappers_pb2.StringValue
    times: _containers.RepeatedCompositeFieldContainer[_timestamp_pb2.Timestamp]
    gone: str
    def __init__(self, a_double: _Optional[float] = ..., a_float: _Optional[float] = ..., an_int32: _Optional[int] = ..., a_uint64: _Optional[int] = ..., a_sint64: _Optional[int] = ..., a_fixed32: _Optional[int] = ..., a_sfixed64: _Optional[int] = ..., a_bool: _Optional[bool] = ..., a_string: _Optional[str] = ..., some_bytes: _Optional[bytes] = ..., maybe: _Optional[str] = ..., maybe_shade: _Optional[_Union[Shade, str]] = ..., text: _Optional[str] = ..., whole: _Optional[_Union[Everything, _Mapping[str, _Any]]] = ..., shade: _Optional[_Union[Shade, str]] = ..., doubles: _Optional[_Iterable[float]] = ..., wholes: _Optional[_Iterable[_Union[Everything, _Mapping[str, _Any]]]] = ..., blobs: _Optional[_Mapping[str, bytes]] = ..., waits: _Optional[_Mapping[bool, _duration_pb2.Duration]] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]] = ..., lasting: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping[str, _Any]]] = ..., any_fields: _Optional[_Union[_struct_pb2.Struct, _Mapping[str, _Any]]] = ..., any_value: _Optional[_Union[_struct_pb2.Value, _Mapping[str, _Any]]] = ..., any_list: _Optional[_Union[_struct_pb2.ListValue, _Mapping[str, _Any]]] = ..., anything: _Optional[_Union[_any_pb2.Any, _Mapping[str, _Any]]] = ..., mask: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping[str, _Any]]] = ..., wrapped: _Optional[_Union[_wrappers_pb2.StringValue, _Mapping[str, _Any]]] = ..., times: _Optional[_Iterable[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping[str, _Any]]]] = ..., gone: _Optional[str] = ...) -> None: ...
