"""What a `.proto` says about calling its methods (`sage/rpc/v1/options.proto`), read from descriptors.

`method_options` gives one frozen `CallOptions` per method: the method's own words before its service's,
checked, in plain Python types. A leaf module: policies and the ServiceManager act on what it reads, the
code generator refuses what it refuses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from sage_rpc.policies.settings import BatchPolicy, CachePolicy, MethodPolicy, RetryPolicy
from sage_rpc.proto.v1 import options_pb2

__all__ = [
    "Batching",
    "Caching",
    "CallOptions",
    "OptionError",
    "RetryOption",
    "declared_options",
    "declared_policy",
    "method_options",
]

# protoc's .pyi gives extensions a type that type checkers do not take as a key of Extensions.
_OF_METHOD: Any = options_pb2.method
_OF_SERVICE: Any = options_pb2.service
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}


class OptionError(ValueError):
    """An option in a `.proto` has a value that makes no sense.

    Attributes:
        method: full name of the method.
        option: the option's name as the `.proto` writes it, such as "cache.ttl_seconds".
    """

    def __init__(self, method: str, option: str, problem: str) -> None:
        super().__init__(f"{method}: option {option}: {problem}")
        self.method = method
        self.option = option
        self.problem = problem


@dataclass(frozen=True)
class RetryOption:
    """When a failed call is made again; gRPC's service config explains the terms.

    Attributes:
        max_attempts: in all, the first one included.
        initial_backoff: seconds before the second attempt.
        max_backoff: seconds that no wait exceeds.
        multiplier: how much longer each wait is than the one before.
        codes: the status codes after which another attempt is made.
    """

    max_attempts: int
    initial_backoff: float = 0.05
    max_backoff: float = 1.0
    multiplier: float = 2.0
    codes: frozenset[grpc.StatusCode] = frozenset({grpc.StatusCode.UNAVAILABLE})


@dataclass(frozen=True)
class Caching:
    """How long an answer may be used again.

    Attributes:
        ttl: seconds.
        max_entries: answers kept at once; None where the `.proto` leaves it open.
    """

    ttl: float
    max_entries: int | None = None


@dataclass(frozen=True)
class Batching:
    """How calls made at the same time may travel together.

    Attributes:
        max_size: calls at most; None where the `.proto` leaves it open.
        max_delay: seconds that a call waits for others at most.
    """

    max_size: int | None = None
    max_delay: float = 0.0


@dataclass(frozen=True)
class CallOptions:
    """What the `.proto` says about calls of one method.

    Attributes:
        deadline: seconds a call may take where its caller says nothing else; None: nothing is said.
        idempotent: whether a call that runs twice does no more harm than one that runs once.
        retry: when a failed call is made again; None: nothing is said.
        cache: how long an answer may be used again; None: it may not.
        batch: how calls may travel together; None: they may not.
        affinity_key: path to the request's field that chooses the endpoint; None: none does.
    """

    deadline: float | None = None
    idempotent: bool = False
    retry: RetryOption | None = None
    cache: Caching | None = None
    batch: Batching | None = None
    affinity_key: tuple[str, ...] | None = None


@cache
def method_options(method: MethodDescriptor) -> CallOptions:
    """What is said about `method`, by itself or by its service.

    Raises:
        OptionError: a value makes no sense, or `affinity_key` names no field of the request.
    """
    options = declared_options(method.full_name, method.GetOptions(), method.containing_service.GetOptions())
    if options.affinity_key is not None:
        _check_key(method.full_name, method.input_type, options.affinity_key)
    own: options_pb2.MethodOptions = method.GetOptions().Extensions[_OF_METHOD]
    if method.client_streaming or method.server_streaming:
        for option in ("cache", "batch", "retry"):  # a service's retry is for its other methods
            if own.HasField(option):
                raise OptionError(method.full_name, option, "a streaming method cannot have it")
        options = replace(options, retry=None)
    if method.client_streaming and options.affinity_key is not None:
        text = "no request is known when the endpoint of a stream of requests is chosen"
        raise OptionError(method.full_name, "affinity_key", text)
    return options


def declared_options(
    method: str, of_method: descriptor_pb2.MethodOptions, of_service: descriptor_pb2.ServiceOptions
) -> CallOptions:
    """The options of the method called `method`, without looking at its request.

    Raises:
        OptionError: a value makes no sense.
    """
    own: options_pb2.MethodOptions = of_method.Extensions[_OF_METHOD]
    general: options_pb2.ServiceOptions = of_service.Extensions[_OF_SERVICE]
    deadline_said = next((said for said in (own, general) if said.HasField("deadline_seconds")), None)
    idempotent_said = next((said for said in (own, general) if said.HasField("idempotent")), None)
    retry_said = next((said.retry for said in (own, general) if said.HasField("retry")), None)
    return CallOptions(
        deadline=None
        if deadline_said is None
        else _seconds(method, "deadline_seconds", deadline_said.deadline_seconds),
        idempotent=idempotent_said.idempotent
        if idempotent_said is not None
        else of_method.idempotency_level != of_method.IDEMPOTENCY_UNKNOWN,
        retry=None if retry_said is None else _retrying(method, retry_said),
        cache=_caching(method, own.cache) if own.HasField("cache") else None,
        batch=_batching(method, own.batch) if own.HasField("batch") else None,
        affinity_key=tuple(own.affinity_key.split(".")) if own.affinity_key else None,
    )


def _seconds(method: str, option: str, value: float, *, or_zero: bool = False) -> float:
    if not math.isfinite(value) or value < 0 or (value == 0 and not or_zero):
        raise OptionError(
            method, option, f"{value:g} is no number of seconds {'from 0' if or_zero else 'above 0'}"
        )
    return value


def _retrying(method: str, said: options_pb2.RetryPolicy) -> RetryOption:
    usual = RetryOption(said.max_attempts)
    if said.max_attempts < 2:
        raise OptionError(
            method, "retry.max_attempts", f"{said.max_attempts}: the first attempt counts, so at least 2"
        )
    initial = _seconds(
        method, "retry.initial_backoff_seconds", said.initial_backoff_seconds or usual.initial_backoff
    )
    longest = _seconds(
        method, "retry.max_backoff_seconds", said.max_backoff_seconds or max(usual.max_backoff, initial)
    )
    if longest < initial:
        raise OptionError(
            method,
            "retry.max_backoff_seconds",
            f"{longest:g} is less than the initial backoff {initial:g}",
        )
    multiplier = said.backoff_multiplier or usual.multiplier
    if not math.isfinite(multiplier) or multiplier < 1:
        raise OptionError(method, "retry.backoff_multiplier", f"{multiplier:g} is less than 1")
    unknown = [number for number in said.retryable_codes if number == 0 or number not in _CODES]
    if unknown:
        raise OptionError(
            method, "retry.retryable_codes", f"{unknown[0]} is not the number of an error's status code"
        )
    codes = frozenset(_CODES[number] for number in said.retryable_codes) or usual.codes
    return RetryOption(said.max_attempts, initial, longest, multiplier, codes)


def _caching(method: str, said: options_pb2.CachePolicy) -> Caching:
    return Caching(_seconds(method, "cache.ttl_seconds", said.ttl_seconds), said.max_entries or None)


def _batching(method: str, said: options_pb2.BatchPolicy) -> Batching:
    delay = _seconds(method, "batch.max_delay_seconds", said.max_delay_seconds, or_zero=True)
    if said.max_size == 1:
        raise OptionError(method, "batch.max_size", "1: a batch is of at least 2 calls")
    return Batching(said.max_size or None, delay)


def _check_key(method: str, request: Descriptor, path: tuple[str, ...]) -> None:
    inner: Descriptor | None = request
    for depth, name in enumerate(path):
        field: FieldDescriptor | None = None if inner is None else inner.fields_by_name.get(name)
        if field is None:
            where = ".".join(path[:depth]) or request.full_name
            known = "no fields" if inner is None else ", ".join(inner.fields_by_name) or "no fields"
            raise OptionError(method, "affinity_key", f"{where} has no field {name!r}; it has {known}")
        if field.is_repeated:
            raise OptionError(method, "affinity_key", f"{'.'.join(path[: depth + 1])} is repeated")
        inner = field.message_type
    if inner is not None:
        raise OptionError(method, "affinity_key", f"{'.'.join(path)} is a message: name a field in it")


def declared_policy(method: MethodDescriptor) -> MethodPolicy:
    """What a `.proto` says about calling a method."""
    said = method_options(method)
    given: dict[str, Any] = {}
    if said.cache is not None:
        entries: dict[str, Any] = {}
        if said.cache.max_entries is not None:
            entries["max_entries"] = said.cache.max_entries
        given["cache"] = CachePolicy(ttl=said.cache.ttl, **entries)
    if said.batch is not None:
        size = {} if said.batch.max_size is None else {"max_size": said.batch.max_size}
        given["batch"] = BatchPolicy(max_delay=said.batch.max_delay, **size)
    if said.retry is not None:
        given["retry"] = RetryPolicy(
            max_attempts=said.retry.max_attempts,
            initial_backoff=said.retry.initial_backoff,
            max_backoff=said.retry.max_backoff,
            backoff_multiplier=said.retry.multiplier,
            codes=said.retry.codes,
        )
    return MethodPolicy(
        timeout=said.deadline,
        idempotent=said.idempotent or None,
        key=None if said.affinity_key is None else ".".join(said.affinity_key),
        **given,
    )
