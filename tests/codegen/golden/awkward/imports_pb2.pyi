# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from .by_name import common_types_pb2 as _common_types_pb2
from .other import common_types_pb2 as _common_types_pb2_1
from . import fields_pb2 as _fields_pb2
from .. import kinds_pb2 as _kinds_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Joined(_message.Message):
    __slots__ = ("key", "values", "all", "shade")
    class AllEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _fields_pb2.Everything
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_fields_pb2.Everything, _Mapping[str, _Any]]] = ...) -> None: ...
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    ALL_FIELD_NUMBER: _ClassVar[int]
    SHADE_FIELD_NUMBER: _ClassVar[int]
    key: _common_types_pb2.Key
    values: _containers.RepeatedCompositeFieldContainer[_common_types_pb2_1.Value]
    all: _containers.MessageMap[str, _fields_pb2.Everything]
    shade: _fields_pb2.Shade
    def __init__(self, key: _Optional[_Union[_common_types_pb2.Key, _Mapping[str, _Any]]] = ..., values: _Optional[_Iterable[_Union[_common_types_pb2_1.Value, _Mapping[str, _Any]]]] = ..., all: _Optional[_Mapping[str, _fields_pb2.Everything]] = ..., shade: _Optional[_Union[_fields_pb2.Shade, str]] = ...) -> None: ...
