# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Order(_message.Message):
    __slots__ = ("how", "filling")
    HOW_FIELD_NUMBER: _ClassVar[int]
    FILLING_FIELD_NUMBER: _ClassVar[int]
    how: str
    filling: bytes
    def __init__(self, how: _Optional[str] = ..., filling: _Optional[bytes] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("how", "filling")
    HOW_FIELD_NUMBER: _ClassVar[int]
    FILLING_FIELD_NUMBER: _ClassVar[int]
    how: str
    filling: bytes
    def __init__(self, how: _Optional[str] = ..., filling: _Optional[bytes] = ...) -> None: ...
