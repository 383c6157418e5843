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

class Words(_message.Message):
    __slots__ = ("self", "timeout", "metadata", "wait_for_ready", "request", "match", "names_pb2", "clients", "Any", "datetime", "camelCase", "binder", "__dunder")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    FROM_FIELD_NUMBER: _ClassVar[int]
    CLASS_FIELD_NUMBER: _ClassVar[int]
    SELF_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    WAIT_FOR_READY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    MATCH_FIELD_NUMBER: _ClassVar[int]
    NAMES_PB2_FIELD_NUMBER: _ClassVar[int]
    CLIENTS_FIELD_NUMBER: _ClassVar[int]
    ANY_FIELD_NUMBER: _ClassVar[int]
    DATETIME_FIELD_NUMBER: _ClassVar[int]
    CAMELCASE_FIELD_NUMBER: _ClassVar[int]
    BINDER_FIELD_NUMBER: _ClassVar[int]
    __DUNDER_FIELD_NUMBER: _ClassVar[int]
    self: str
    timeout: float
    metadata: _containers.ScalarMap[str, str]
    wait_for_ready: bool
    request: str
    match: str
    names_pb2: str
    clients: str
    Any: str
    datetime: bytes
    camelCase: int
    binder: str
    __dunder: str
    def __init__(self_, self: _Optional[str] = ..., timeout: _Optional[float] = ..., metadata: _Optional[_Mapping[str, str]] = ..., wait_for_ready: _Optional[bool] = ..., request: _Optional[str] = ..., match: _Optional[str] = ..., names_pb2: _Optional[str] = ..., clients: _Optional[str] = ..., Any: _Optional[str] = ..., datetime: _Optional[bytes] = ..., camelCase: _Optional[int] = ..., binder: _Optional[str] = ..., __dunder: _Optional[str] = ..., **kwargs: _Any) -> None: ...

class Nested(_message.Message):
    __slots__ = ()
    class Inner(_message.Message):
        __slots__ = ("deep", "kinds", "deeps", "kinds_by_name")
        class Kind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            ZERO: _ClassVar[Nested.Inner.Kind]
        ZERO: Nested.Inner.Kind
        class Deep(_message.Message):
            __slots__ = ("up",)
            UP_FIELD_NUMBER: _ClassVar[int]
            up: Nested.Inner
            def __init__(self, up: _Optional[_Union[Nested.Inner, _Mapping[str, _Any]]] = ...) -> None: ...
        class DeepsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: int
            value: Nested.Inner.Deep
            def __init__(self, key: _Optional[int] = ..., value: _Optional[_Union[Nested.Inner.Deep, _Mapping[str, _Any]]] = ...) -> None: ...
        class KindsByNameEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[int]
            VALUE_FIELD_NUMBER: _ClassVar[int]
            key: str
            value: Nested.Inner.Kind
            def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[Nested.Inner.Kind, str]] = ...) -> None: ...
        DEEP_FIELD_NUMBER: _ClassVar[int]
        KINDS_FIELD_NUMBER: _ClassVar[int]
        DEEPS_FIELD_NUMBER: _ClassVar[int]
        KINDS_BY_NAME_FIELD_NUMBER: _ClassVar[int]
        deep: Nested.Inner.Deep
        kinds: _containers.RepeatedScalarFieldContainer[Nested.Inner.Kind]
        deeps: _containers.MessageMap[int, Nested.Inner.Deep]
        kinds_by_name: _containers.ScalarMap[str, Nested.Inner.Kind]
        def __init__(self, deep: _Optional[_Union[Nested.Inner.Deep, _Mapping[str, _Any]]] = ..., kinds: _Optional[_Iterable[_Union[Nested.Inner.Kind, str]]] = ..., deeps: _Optional[_Mapping[int, Nested.Inner.Deep]] = ..., kinds_by_name: _Optional[_Mapping[str, Nested.Inner.Kind]] = ...) -> None: ...
    def __init__(self) -> None: ...

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
