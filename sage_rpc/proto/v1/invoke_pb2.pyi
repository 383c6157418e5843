from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServiceRequest(_message.Message):
    __slots__ = ("service", "method", "arguments", "buffers")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_FIELD_NUMBER: _ClassVar[int]
    BUFFERS_FIELD_NUMBER: _ClassVar[int]
    service: str
    method: str
    arguments: bytes
    buffers: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, service: _Optional[str] = ..., method: _Optional[str] = ..., arguments: _Optional[bytes] = ..., buffers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ServiceResponse(_message.Message):
    __slots__ = ("result", "exception", "buffers")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    BUFFERS_FIELD_NUMBER: _ClassVar[int]
    result: bytes
    exception: RemoteException
    buffers: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, result: _Optional[bytes] = ..., exception: _Optional[_Union[RemoteException, _Mapping]] = ..., buffers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RemoteException(_message.Message):
    __slots__ = ("type", "message", "traceback")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    traceback: str
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ..., traceback: _Optional[str] = ...) -> None: ...
