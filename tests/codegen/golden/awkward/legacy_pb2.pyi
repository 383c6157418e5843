# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import python_message as _python_message
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
EXTRA_FIELD_NUMBER: int
extra: _descriptor.FieldDescriptor

class Request(_message.Message):
    __slots__ = ("name", "count", "part", "timeout")
    Extensions: _Any
    class Part(_message.Message):
        __slots__ = ("text",)
        TEXT_FIELD_NUMBER: _ClassVar[int]
        text: str
        def __init__(self, text: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    PART_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    name: str
    count: int
    part: Request.Part
    timeout: float
    def __init__(self, name: _Optional[str] = ..., count: _Optional[int] = ..., part: _Optional[_Union[Request.Part, _Mapping[str, _Any]]] = ..., timeout: _Optional[float] = ...) -> None: ...

class Reply(_message.Message):
    __slots__ = ("row",)
    class Row(_message.Message):
        __slots__ = ("seen",)
        SEEN_FIELD_NUMBER: _ClassVar[int]
        seen: bool
        def __init__(self, seen: _Optional[bool] = ...) -> None: ...
    ROW_FIELD_NUMBER: _ClassVar[int]
    row: _containers.RepeatedCompositeFieldContainer[Reply.Row]
    def __init__(self, row: _Optional[_Iterable[_Union[Reply.Row, _Mapping[str, _Any]]]] = ...) -> None: ...
