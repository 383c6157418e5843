"""What a `.proto` says about calling its methods (`sage/rpc/v1/options.proto`), read from descriptors.

`declared_policy` gives a method's `MethodPolicy`: the method's own words before its service's, checked.
Managers act on it, generated clients take its timeout, and the code generator refuses what it refuses.
"""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import grpc
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from sage_rpc.policies.settings import BatchPolicy, CachePolicy, MethodPolicy, RetryPolicy
from sage_rpc.proto.v1 import options_pb2

__all__ = ["OptionError", "declared_policy"]

# protoc's .pyi gives extensions a type that type checkers do not take as a key of Extensions.
_OF_METHOD: Any = options_pb2.method
_OF_SERVICE: Any = options_pb2.service
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_FIRST_WAIT, _LONGEST_WAIT = 0.05, 1.0  # seconds between attempts, where nothing is said


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


@cache
def declared_policy(method: MethodDescriptor) -> MethodPolicy:
    """What is said about calling `method`, by itself or by its service.

    Raises:
        OptionError: a value makes no sense, `affinity_key` names no field of the request, or a method that
            streams cannot have it.
    """
    name, standard = method.full_name, method.GetOptions()
    own: options_pb2.MethodOptions = standard.Extensions[_OF_METHOD]
    general: options_pb2.ServiceOptions = method.containing_service.GetOptions().Extensions[_OF_SERVICE]
    streams = method.client_streaming or method.server_streaming
    if streams:
        for option in ("cache", "batch", "retry"):  # a service's retry is for its other methods
            if own.HasField(option):
                raise OptionError(name, option, "a streaming method cannot have it")
    if own.affinity_key:
        _check_key(name, method.input_type, tuple(own.affinity_key.split(".")))
        if method.client_streaming:
            text = "no request is known when the endpoint of a stream of requests is chosen"
            raise OptionError(name, "affinity_key", text)

    def said(option: str) -> Any:
        """The value of an option of both; None: nobody says it."""
        return next((getattr(each, option) for each in (own, general) if each.HasField(option)), None)

    deadline, idempotent, retry = said("deadline_seconds"), said("idempotent"), said("retry")
    if idempotent is None:
        idempotent = standard.idempotency_level != standard.IDEMPOTENCY_UNKNOWN
    return MethodPolicy(
        timeout=None if deadline is None else _seconds(name, "deadline_seconds", deadline),
        idempotent=idempotent or None,
        retry=None if retry is None or streams else _retry(name, retry),
        cache=_cache(name, own.cache) if own.HasField("cache") else None,
        batch=_batch(name, own.batch) if own.HasField("batch") else None,
        key=own.affinity_key or None,
    )


def _seconds(method: str, option: str, value: float, *, or_zero: bool = False) -> float:
    if not math.isfinite(value) or value < 0 or (value == 0 and not or_zero):
        raise OptionError(
            method, option, f"{value:g} is no number of seconds {'from 0' if or_zero else 'above 0'}"
        )
    return value


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


def _made(kind: type[Any], method: str, option: str, **given: Any) -> Any:
    try:
        return kind(**given)
    except (ValueError, TypeError) as error:
        raise OptionError(method, option, str(error)) from None


def _retry(method: str, said: options_pb2.RetryPolicy) -> Any:
    if said.max_attempts < 2:
        raise OptionError(
            method, "retry.max_attempts", f"{said.max_attempts}: the first attempt counts, so at least 2"
        )
    initial = _seconds(method, "retry.initial_backoff_seconds", said.initial_backoff_seconds or _FIRST_WAIT)
    longest = _seconds(
        method, "retry.max_backoff_seconds", said.max_backoff_seconds or max(_LONGEST_WAIT, initial)
    )
    if longest < initial:
        text = f"{longest:g} is less than the initial backoff {initial:g}"
        raise OptionError(method, "retry.max_backoff_seconds", text)
    given: dict[str, Any] = {}
    if said.backoff_multiplier:
        given["backoff_multiplier"] = said.backoff_multiplier
        if not math.isfinite(said.backoff_multiplier) or said.backoff_multiplier < 1:
            raise OptionError(
                method, "retry.backoff_multiplier", f"{said.backoff_multiplier:g} is less than 1"
            )
    for number in said.retryable_codes:
        if number == 0 or number not in _CODES:
            raise OptionError(
                method, "retry.retryable_codes", f"{number} is not the number of an error's status code"
            )
    if said.retryable_codes:
        given["codes"] = [_CODES[number] for number in said.retryable_codes]
    waits = {"initial_backoff": initial, "max_backoff": longest}
    return _made(RetryPolicy, method, "retry", max_attempts=said.max_attempts, **waits, **given)


def _cache(method: str, said: options_pb2.CachePolicy) -> Any:
    ttl = _seconds(method, "cache.ttl_seconds", said.ttl_seconds)
    size = {"max_entries": said.max_entries} if said.max_entries else {}
    return _made(CachePolicy, method, "cache", ttl=ttl, **size)


def _batch(method: str, said: options_pb2.BatchPolicy) -> Any:
    delay = _seconds(method, "batch.max_delay_seconds", said.max_delay_seconds, or_zero=True)
    size = {"max_size": said.max_size} if said.max_size else {}
    return _made(BatchPolicy, method, "batch", max_delay=delay, **size)
