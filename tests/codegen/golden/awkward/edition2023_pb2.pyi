# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Closed(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIRST: _ClassVar[Closed]
FIRST: Closed

class Request(_message.Message):
    __slots__ = ("explicit", "implicit", "delimited", "expanded", "closed")
    EXPLICIT_FIELD_NUMBER: _ClassVar[int]
    IMPLICIT_FIELD_NUMBER: _ClassVar[int]
    DELIMITED_FIELD_NUMBER: _ClassVar[int]
    EXPANDED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    explicit: str
    implicit: str
    delimited: Inner
    expanded: _containers.RepeatedScalarFieldContainer[int]
    closed: Closed
    def __init__(self, explicit: _Optional[str] = ..., implicit: _Optional[str] = ..., delimited: _Optional[_Union[Inner, _Mapping[str, _Any]]] = ..., expanded: _Optional[_Iterable[int]] = ..., closed: _Optional[_Union[Closed, str]] = ...) -> None: ...

class Inner(_message.Message):
    __slots__ = ("number",)
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    number: int
    def __init__(self, number: _Optional[int] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
