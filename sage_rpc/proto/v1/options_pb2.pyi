# ruff: noqa
# fmt: off
# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false
from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import Any as _Any, ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
SERVICE_FIELD_NUMBER: int
service: _descriptor.FieldDescriptor
METHOD_FIELD_NUMBER: int
method: _descriptor.FieldDescriptor

class ServiceOptions(_message.Message):
    __slots__ = ("deadline_seconds", "idempotent", "retry")
    DEADLINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    deadline_seconds: float
    idempotent: bool
    retry: RetryPolicy
    def __init__(self, deadline_seconds: _Optional[float] = ..., idempotent: _Optional[bool] = ..., retry: _Optional[_Union[RetryPolicy, _Mapping[str, _Any]]] = ...) -> None: ...

class MethodOptions(_message.Message):
    __slots__ = ("deadline_seconds", "idempotent", "retry", "cache", "batch", "affinity_key")
    DEADLINE_SECONDS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENT_FIELD_NUMBER: _ClassVar[int]
    RETRY_FIELD_NUMBER: _ClassVar[int]
    CACHE_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    AFFINITY_KEY_FIELD_NUMBER: _ClassVar[int]
    deadline_seconds: float
    idempotent: bool
    retry: RetryPolicy
    cache: CachePolicy
    batch: BatchPolicy
    affinity_key: str
    def __init__(self, deadline_seconds: _Optional[float] = ..., idempotent: _Optional[bool] = ..., retry: _Optional[_Union[RetryPolicy, _Mapping[str, _Any]]] = ..., cache: _Optional[_Union[CachePolicy, _Mapping[str, _Any]]] = ..., batch: _Optional[_Union[BatchPolicy, _Mapping[str, _Any]]] = ..., affinity_key: _Optional[str] = ...) -> None: ...

class RetryPolicy(_message.Message):
    __slots__ = ("max_attempts", "initial_backoff_seconds", "max_backoff_seconds", "backoff_multiplier", "retryable_codes")
    class Code(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
        __slots__ = ()
        OK: _ClassVar[RetryPolicy.Code]
        CANCELLED: _ClassVar[RetryPolicy.Code]
        UNKNOWN: _ClassVar[RetryPolicy.Code]
        INVALID_ARGUMENT: _ClassVar[RetryPolicy.Code]
        DEADLINE_EXCEEDED: _ClassVar[RetryPolicy.Code]
        NOT_FOUND: _ClassVar[RetryPolicy.Code]
        ALREADY_EXISTS: _ClassVar[RetryPolicy.Code]
        PERMISSION_DENIED: _ClassVar[RetryPolicy.Code]
        RESOURCE_EXHAUSTED: _ClassVar[RetryPolicy.Code]
        FAILED_PRECONDITION: _ClassVar[RetryPolicy.Code]
        ABORTED: _ClassVar[RetryPolicy.Code]
        OUT_OF_RANGE: _ClassVar[RetryPolicy.Code]
        UNIMPLEMENTED: _ClassVar[RetryPolicy.Code]
        INTERNAL: _ClassVar[RetryPolicy.Code]
        UNAVAILABLE: _ClassVar[RetryPolicy.Code]
        DATA_LOSS: _ClassVar[RetryPolicy.Code]
        UNAUTHENTICATED: _ClassVar[RetryPolicy.Code]
    OK: RetryPolicy.Code
    CANCELLED: RetryPolicy.Code
    UNKNOWN: RetryPolicy.Code
    INVALID_ARGUMENT: RetryPolicy.Code
    DEADLINE_EXCEEDED: RetryPolicy.Code
    NOT_FOUND: RetryPolicy.Code
    ALREADY_EXISTS: RetryPolicy.Code
    PERMISSION_DENIED: RetryPolicy.Code
    RESOURCE_EXHAUSTED: RetryPolicy.Code
    FAILED_PRECONDITION: RetryPolicy.Code
    ABORTED: RetryPolicy.Code
    OUT_OF_RANGE: RetryPolicy.Code
    UNIMPLEMENTED: RetryPolicy.Code
    INTERNAL: RetryPolicy.Code
    UNAVAILABLE: RetryPolicy.Code
    DATA_LOSS: RetryPolicy.Code
    UNAUTHENTICATED: RetryPolicy.Code
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    INITIAL_BACKOFF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_BACKOFF_SECONDS_FIELD_NUMBER: _ClassVar[int]
    BACKOFF_MULTIPLIER_FIELD_NUMBER: _ClassVar[int]
    RETRYABLE_CODES_FIELD_NUMBER: _ClassVar[int]
    max_attempts: int
    initial_backoff_seconds: float
    max_backoff_seconds: float
    backoff_multiplier: float
    retryable_codes: _containers.RepeatedScalarFieldContainer[RetryPolicy.Code]
    def __init__(self, max_attempts: _Optional[int] = ..., initial_backoff_seconds: _Optional[float] = ..., max_backoff_seconds: _Optional[float] = ..., backoff_multiplier: _Optional[float] = ..., retryable_codes: _Optional[_Iterable[_Union[RetryPolicy.Code, str]]] = ...) -> None: ...

class CachePolicy(_message.Message):
    __slots__ = ("ttl_seconds", "max_entries")
    TTL_SECONDS_FIELD_NUMBER: _ClassVar[int]
    MAX_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    ttl_seconds: float
    max_entries: int
    def __init__(self, ttl_seconds: _Optional[float] = ..., max_entries: _Optional[int] = ...) -> None: ...

class BatchPolicy(_message.Message):
    __slots__ = ("max_size", "max_delay_seconds")
    MAX_SIZE_FIELD_NUMBER: _ClassVar[int]
    MAX_DELAY_SECONDS_FIELD_NUMBER: _ClassVar[int]
    max_size: int
    max_delay_seconds: float
    def __init__(self, max_size: _Optional[int] = ..., max_delay_seconds: _Optional[float] = ...) -> None: ...
