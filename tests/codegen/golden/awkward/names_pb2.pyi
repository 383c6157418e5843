# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf.internal import containers as _containers
import builtins as _builtins
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
        KEY_FIELD_NUMBER: _ClassVar[_builtins.int]
        VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
        key: _builtins.str
        value: _builtins.str
        def __init__(self, key: _Optional[_builtins.str] = ..., value: _Optional[_builtins.str] = ...) -> None: ...
    FROM_FIELD_NUMBER: _ClassVar[_builtins.int]
    CLASS_FIELD_NUMBER: _ClassVar[_builtins.int]
    SELF_FIELD_NUMBER: _ClassVar[_builtins.int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[_builtins.int]
    METADATA_FIELD_NUMBER: _ClassVar[_builtins.int]
    WAIT_FOR_READY_FIELD_NUMBER: _ClassVar[_builtins.int]
    REQUEST_FIELD_NUMBER: _ClassVar[_builtins.int]
    NONE_FIELD_NUMBER: _ClassVar[_builtins.int]
    MATCH_FIELD_NUMBER: _ClassVar[_builtins.int]
    NAMES_PB2_FIELD_NUMBER: _ClassVar[_builtins.int]
    CLIENTS_FIELD_NUMBER: _ClassVar[_builtins.int]
    ANY_FIELD_NUMBER: _ClassVar[_builtins.int]
    DATETIME_FIELD_NUMBER: _ClassVar[_builtins.int]
    CAMELCASE_FIELD_NUMBER: _ClassVar[_builtins.int]
    BINDER_FIELD_NUMBER: _ClassVar[_builtins.int]
    __DUNDER_FIELD_NUMBER: _ClassVar[_builtins.int]
    self: _builtins.str
    timeout: _builtins.float
    metadata: _containers.ScalarMap[_builtins.str, _builtins.str]
    wait_for_ready: _builtins.bool
    request: _builtins.str
    match: _builtins.str
    names_pb2: _builtins.str
    clients: _builtins.str
    Any: _builtins.str
    datetime: _builtins.bytes
    camelCase: _builtins.int
    binder: _builtins.str
    __dunder: _builtins.str
    def __init__(self_, self: _Optional[_builtins.str] = ..., timeout: _Optional[_builtins.float] = ..., metadata: _Optional[_Mapping[_builtins.str, _builtins.str]] = ..., wait_for_ready: _Optional[_builtins.bool] = ..., request: _Optional[_builtins.str] = ..., match: _Optional[_builtins.str] = ..., names_pb2: _Optional[_builtins.str] = ..., clients: _Optional[_builtins.str] = ..., Any: _Optional[_builtins.str] = ..., datetime: _Optional[_builtins.bytes] = ..., camelCase: _Optional[_builtins.int] = ..., binder: _Optional[_builtins.str] = ..., __dunder: _Optional[_builtins.str] = ..., **kwargs: _Any) -> None: ...

class Builtins(_message.Message):
    __slots__ = ("TypeError", "ValueError", "bytes", "int", "str", "float", "bool", "list", "dict", "type", "len", "print", "super", "made", "object", "property")
    class DictEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[_builtins.int]
        VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
        key: _builtins.str
        value: _builtins.int
        def __init__(self, key: _Optional[_builtins.str] = ..., value: _Optional[_builtins.int] = ...) -> None: ...
    TYPEERROR_FIELD_NUMBER: _ClassVar[_builtins.int]
    VALUEERROR_FIELD_NUMBER: _ClassVar[_builtins.int]
    BYTES_FIELD_NUMBER: _ClassVar[_builtins.int]
    INT_FIELD_NUMBER: _ClassVar[_builtins.int]
    STR_FIELD_NUMBER: _ClassVar[_builtins.int]
    FLOAT_FIELD_NUMBER: _ClassVar[_builtins.int]
    BOOL_FIELD_NUMBER: _ClassVar[_builtins.int]
    LIST_FIELD_NUMBER: _ClassVar[_builtins.int]
    DICT_FIELD_NUMBER: _ClassVar[_builtins.int]
    TYPE_FIELD_NUMBER: _ClassVar[_builtins.int]
    LEN_FIELD_NUMBER: _ClassVar[_builtins.int]
    PRINT_FIELD_NUMBER: _ClassVar[_builtins.int]
    SUPER_FIELD_NUMBER: _ClassVar[_builtins.int]
    MADE_FIELD_NUMBER: _ClassVar[_builtins.int]
    OBJECT_FIELD_NUMBER: _ClassVar[_builtins.int]
    PROPERTY_FIELD_NUMBER: _ClassVar[_builtins.int]
    TypeError: _builtins.str
    ValueError: _builtins.str
    bytes: _builtins.bytes
    int: _builtins.int
    str: _builtins.str
    float: _builtins.float
    bool: _builtins.bool
    list: _containers.RepeatedScalarFieldContainer[_builtins.str]
    dict: _containers.ScalarMap[_builtins.str, _builtins.int]
    type: _builtins.str
    len: _builtins.str
    print: _builtins.str
    super: _builtins.str
    made: _builtins.str
    object: _builtins.str
    property: _builtins.str
    def __init__(self, TypeError: _Optional[_builtins.str] = ..., ValueError: _Optional[_builtins.str] = ..., bytes: _Optional[_builtins.bytes] = ..., int: _Optional[_builtins.int] = ..., str: _Optional[_builtins.str] = ..., float: _Optional[_builtins.float] = ..., bool: _Optional[_builtins.bool] = ..., list: _Optional[_Iterable[_builtins.str]] = ..., dict: _Optional[_Mapping[_builtins.str, _builtins.int]] = ..., type: _Optional[_builtins.str] = ..., len: _Optional[_builtins.str] = ..., print: _Optional[_builtins.str] = ..., super: _Optional[_builtins.str] = ..., made: _Optional[_builtins.str] = ..., object: _Optional[_builtins.str] = ..., property: _Optional[_builtins.str] = ...) -> None: ...

class Nested(_message.Message):
    __slots__ = ()
    class Inner(_message.Message):
        __slots__ = ("deep", "kinds", "deeps", "kinds_by_name")
        class Kind(_builtins.int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
            __slots__ = ()
            ZERO: _ClassVar[Nested.Inner.Kind]
        ZERO: Nested.Inner.Kind
        class Deep(_message.Message):
            __slots__ = ("up",)
            UP_FIELD_NUMBER: _ClassVar[_builtins.int]
            up: Nested.Inner
            def __init__(self, up: _Optional[_Union[Nested.Inner, _Mapping[_builtins.str, _Any]]] = ...) -> None: ...
        class DeepsEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[_builtins.int]
            VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
            key: _builtins.int
            value: Nested.Inner.Deep
            def __init__(self, key: _Optional[_builtins.int] = ..., value: _Optional[_Union[Nested.Inner.Deep, _Mapping[_builtins.str, _Any]]] = ...) -> None: ...
        class KindsByNameEntry(_message.Message):
            __slots__ = ("key", "value")
            KEY_FIELD_NUMBER: _ClassVar[_builtins.int]
            VALUE_FIELD_NUMBER: _ClassVar[_builtins.int]
            key: _builtins.str
            value: Nested.Inner.Kind
            def __init__(self, key: _Optional[_builtins.str] = ..., value: _Optional[_Union[Nested.Inner.Kind, _builtins.str]] = ...) -> None: ...
        DEEP_FIELD_NUMBER: _ClassVar[_builtins.int]
        KINDS_FIELD_NUMBER: _ClassVar[_builtins.int]
        DEEPS_FIELD_NUMBER: _ClassVar[_builtins.int]
        KINDS_BY_NAME_FIELD_NUMBER: _ClassVar[_builtins.int]
        deep: Nested.Inner.Deep
        kinds: _containers.RepeatedScalarFieldContainer[Nested.Inner.Kind]
        deeps: _containers.MessageMap[_builtins.int, Nested.Inner.Deep]
        kinds_by_name: _containers.ScalarMap[_builtins.str, Nested.Inner.Kind]
        def __init__(self, deep: _Optional[_Union[Nested.Inner.Deep, _Mapping[_builtins.str, _Any]]] = ..., kinds: _Optional[_Iterable[_Union[Nested.Inner.Kind, _builtins.str]]] = ..., deeps: _Optional[_Mapping[_builtins.int, Nested.Inner.Deep]] = ..., kinds_by_name: _Optional[_Mapping[_builtins.str, Nested.Inner.Kind]] = ...) -> None: ...
    def __init__(self) -> None: ...

class Nothing(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...
