# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from sage_rpc.proto.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Color(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COLOR_UNSPECIFIED: _ClassVar[Color]
    RED: _ClassVar[Color]
COLOR_UNSPECIFIED: Color
RED: Color

class Item(_message.Message):
    __slots__ = ("name", "count", "weight", "code", "tags", "color", "inner", "sizes")
    class SizesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: int
        def __init__(self, key: _Optional[str] = ..., value: _Optional[int] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    COLOR_FIELD_NUMBER: _ClassVar[int]
    INNER_FIELD_NUMBER: _ClassVar[int]
    SIZES_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    weight: float
    code: int
    tags: _containers.RepeatedScalarFieldContainer[str]
    color: Color
    inner: Item
    sizes: _containers.ScalarMap[str, int]
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., weight: _Optional[float] = ..., code: _Optional[int] = ..., tags: _Optional[_Iterable[str]] = ..., color: _Optional[_Union[Color, str]] = ..., inner: _Optional[_Union[Item, _Mapping[str, _Any]]] = ..., sizes: _Optional[_Mapping[str, int]] = ...) -> None: ...

class Tally(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: int
    def __init__(self, count: _Optional[int] = ...) -> None: ...
