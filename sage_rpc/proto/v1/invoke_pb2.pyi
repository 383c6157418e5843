# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

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
    def __init__(self, result: _Optional[bytes] = ..., exception: _Optional[_Union[RemoteException, _Mapping[str, _Any]]] = ..., buffers: _Optional[_Iterable[bytes]] = ...) -> None: ...

class RemoteException(_message.Message):
    __slots__ = ("type", "message", "traceback")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    TRACEBACK_FIELD_NUMBER: _ClassVar[int]
    type: str
    message: str
    traceback: str
    def __init__(self, type: _Optional[str] = ..., message: _Optional[str] = ..., traceback: _Optional[str] = ...) -> None: ...

class BatchRequest(_message.Message):
    __slots__ = ("service", "method", "calls", "whole")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    CALLS_FIELD_NUMBER: _ClassVar[int]
    WHOLE_FIELD_NUMBER: _ClassVar[int]
    service: str
    method: str
    calls: bytes
    whole: bool
    def __init__(self, service: _Optional[str] = ..., method: _Optional[str] = ..., calls: _Optional[bytes] = ..., whole: _Optional[bool] = ...) -> None: ...

class BatchResponse(_message.Message):
    __slots__ = ("first", "results", "exceptions")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    EXCEPTIONS_FIELD_NUMBER: _ClassVar[int]
    first: int
    results: bytes
    exceptions: _containers.RepeatedCompositeFieldContainer[CallException]
    def __init__(self, first: _Optional[int] = ..., results: _Optional[bytes] = ..., exceptions: _Optional[_Iterable[_Union[CallException, _Mapping[str, _Any]]]] = ...) -> None: ...

class CallException(_message.Message):
    __slots__ = ("index", "exception", "code", "details")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    EXCEPTION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    index: int
    exception: RemoteException
    code: int
    details: str
    def __init__(self, index: _Optional[int] = ..., exception: _Optional[_Union[RemoteException, _Mapping[str, _Any]]] = ..., code: _Optional[int] = ..., details: _Optional[str] = ...) -> None: ...
