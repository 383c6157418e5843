"""gRPC's service config (JSON), read and checked once for all who obey one.

`parsed` says what it means, in Python's values. `ChannelConfig` is that for those calls of a channel that go
over the memory queue, as gRPC's core carries it out for the others; `sage_rpc.policies` makes policies of it.

The format: https://github.com/grpc/grpc/blob/master/doc/service_config.md; retries and hedging: gRFC A6.
Rule: what gRPC's core does not take is not taken here, so that one text means one thing everywhere.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import grpc

from sage_rpc.text.foreign import hint
from sage_rpc.transport.attempts import Attempts, Budget, Retry

__all__ = ["ChannelConfig", "Hedging", "MethodConfig", "ServiceConfig", "parsed"]

_LOGGER = logging.getLogger("sage_rpc")
_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_DIGITS = re.compile(r"\d{1,20}(\.\d{1,20})?")
_MUCH = 1 << 31
_MOST_ATTEMPTS = 5  # gRFC A6: a greater maxAttempts counts as 5
_BY_NAME = {code.name: code for code in grpc.StatusCode if code is not grpc.StatusCode.OK}


class Hedging(NamedTuple):
    """A hedgingPolicy. `delay` in seconds."""

    max_attempts: int
    delay: float
    codes: frozenset[grpc.StatusCode]


class MethodConfig(NamedTuple):
    """What holds for the calls of a method that do not say otherwise; None where nothing does."""

    timeout: float | None = None
    wait_for_ready: bool | None = None
    max_request: int = -1
    max_response: int = -1
    retry: Retry | None = None
    hedging: Hedging | None = None
    attempt_timeout: float | None = None

    def deadline(self, timeout: float | None) -> float | None:
        """The timeout of a call, in seconds: the shorter one of its own and the method's."""
        if self.timeout is None or timeout is None:
            return self.timeout if timeout is None else timeout
        return min(timeout, self.timeout)

    def waits(self, wait_for_ready: bool | None) -> bool | None:
        """Whether a call waits for its server: what it says itself counts."""
        return self.wait_for_ready if wait_for_ready is None else wait_for_ready


@dataclass
class ServiceConfig:
    """What a service config says.

    Attributes:
        methods: (service, method) -> what holds for it; method "": its service; ("", ""): everybody.
        places: of the same, where in the config that stands.
        throttling: maxTokens and tokenRatio, or None.
        health: whose health is watched, or None.
        balancing: names of balancing policies, each with its own config; the first that is known counts.
    """

    methods: dict[tuple[str, str], MethodConfig] = field(default_factory=dict)
    places: dict[tuple[str, str], str] = field(default_factory=dict)
    throttling: tuple[float, float] | None = None
    health: str | None = None
    balancing: tuple[tuple[str, Any], ...] = ()

    def of(self, service: str, method: str) -> MethodConfig | None:
        """What holds for a method: its own entry alone, else its service's, else everybody's."""
        for key in ((service, method), (service, ""), ("", "")):
            if key in self.methods:
                return self.methods[key]
        return None


class ChannelConfig:
    """What a service config says of the calls of a channel that travel over the memory queue.

    Args:
        config: the JSON text.
        retries: whether calls are tried again, where it says so.
        retry_buffer: bytes of requests that a call keeps to send them again.

    Raises:
        ValueError: it is none, or says something that gRPC's core must carry out; the text says what.
    """

    def __init__(self, config: str | bytes, *, retries: bool, retry_buffer: int) -> None:
        self._config = found = parsed(config)
        if found.health is not None:
            raise ValueError("it has a healthCheckConfig")
        if found.balancing and found.balancing[0] != ("pick_first", {}):
            raise ValueError(f"it balances by {found.balancing[0][0]}")
        for key, method in found.methods.items():
            if method.hedging is not None or method.attempt_timeout is not None:
                what = "hedgingPolicy" if method.hedging is not None else "perAttemptRecvTimeout"
                text = "%s.%s may have no effect: gRPC's core has none, or must be told; policies hedge"
                _LOGGER.warning(text, found.places[key], what)
                raise ValueError(f"{found.places[key]} has a {what}")
            if not retries:
                found.methods[key] = method._replace(retry=None)
        self._budget = None if found.throttling is None else Budget(*found.throttling)
        self._retry_buffer = retry_buffer

    def of(self, method: str | bytes) -> MethodConfig | None:
        """What holds for "/package.Service/Method"."""
        path = method.decode("utf-8", "replace") if isinstance(method, bytes) else method
        service, _, name = path.removeprefix("/").rpartition("/")
        return self._config.of(service, name)

    def attempts(self, rules: Retry) -> Attempts:
        """Of a call that begins."""
        return Attempts(rules, self._budget, self._retry_buffer)

    def __repr__(self) -> str:
        return f"<ChannelConfig of {len(self._config.methods)} names>"


def parsed(config: str | bytes | Mapping[str, Any]) -> ServiceConfig:
    """What `config` says: JSON text, or what that stands for.

    Raises:
        ValueError: it is no service config; the text says where and why.
    """
    if isinstance(config, (str, bytes)):
        try:
            config = json.loads(config, parse_constant=_no_constant)
        except ValueError as error:
            raise ValueError(f"the service config is no JSON: {error}") from None
    known = _object(
        config,
        "the service config",
        "methodConfig retryThrottling healthCheckConfig loadBalancingConfig loadBalancingPolicy",
    )
    found = ServiceConfig()
    for index, entry in enumerate(_list(known.get("methodConfig", []), "methodConfig")):
        _add(found, entry, f"methodConfig[{index}]")
    if "retryThrottling" in known:
        said = _object(known["retryThrottling"], "retryThrottling", "maxTokens tokenRatio")
        tokens = _whole(said.get("maxTokens"), "retryThrottling.maxTokens", 1)
        found.throttling = tokens, _number(said.get("tokenRatio"), "retryThrottling.tokenRatio", 0.001)
    if "healthCheckConfig" in known:
        said = _object(known["healthCheckConfig"], "healthCheckConfig", "serviceName")
        found.health = _text(said.get("serviceName", ""), "healthCheckConfig.serviceName")
    if "loadBalancingPolicy" in known:
        found.balancing = ((_text(known["loadBalancingPolicy"], "loadBalancingPolicy").lower(), {}),)
    if "loadBalancingConfig" in known:  # which counts where both are given
        each = _list(known["loadBalancingConfig"], "loadBalancingConfig")
        found.balancing = tuple(_named(one, f"loadBalancingConfig[{i}]") for i, one in enumerate(each))
        if not each:
            raise ValueError("loadBalancingConfig is empty")
    return found


def _named(value: Any, where: str) -> tuple[str, Any]:
    said = _object(value, where, None)
    if len(said) != 1:
        raise ValueError(f"{where} has {len(said)} names: expected one")
    return next(iter(said.items()))


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no number")


def _add(found: ServiceConfig, entry: Any, where: str) -> None:
    method = _method(entry, where)
    for number, name in enumerate(_list(entry.get("name", []), f"{where}.name")):
        at = f"{where}.name[{number}]"
        parts = _object(name, at, "service method")
        key = _text(parts.get("service") or "", at), _text(parts.get("method") or "", at)
        if key[1] and not key[0]:
            raise ValueError(f"{at}: a method needs its service")
        if key in found.methods:
            raise ValueError(
                f"{at}: {'/'.join(filter(None, key)) or 'everybody'} is in {found.places[key]}, too"
            )
        found.methods[key] = method
        found.places[key] = where


def _method(entry: Any, where: str) -> MethodConfig:
    said = _object(
        entry,
        where,
        "name timeout waitForReady retryPolicy hedgingPolicy maxRequestMessageBytes maxResponseMessageBytes",
    )
    waits = said.get("waitForReady")
    if waits is not None and not isinstance(waits, bool):
        raise ValueError(f"{where}.waitForReady is {waits!r}: expected true or false")
    if "retryPolicy" in said and "hedgingPolicy" in said:
        raise ValueError(f"{where} has both a retryPolicy and a hedgingPolicy: gRPC allows one of them")
    retry, attempt_timeout = None, None
    if "retryPolicy" in said:
        retry, attempt_timeout = _retry(said["retryPolicy"], f"{where}.retryPolicy")
    request, response = (
        _whole(said[name], f"{where}.{name}", 0) if name in said else -1
        for name in ("maxRequestMessageBytes", "maxResponseMessageBytes")
    )
    return MethodConfig(
        _seconds(said.get("timeout", "0s"), f"{where}.timeout") or None,  # to gRPC, too, 0 is none
        waits,
        request,
        response,
        retry,
        _hedging(said["hedgingPolicy"], f"{where}.hedgingPolicy") if "hedgingPolicy" in said else None,
        attempt_timeout,
    )


def _retry(entry: Any, where: str) -> tuple[Retry, float | None]:
    needed = "maxAttempts initialBackoff maxBackoff backoffMultiplier retryableStatusCodes"
    said = _object(entry, where, needed + " perAttemptRecvTimeout")
    for name in needed.split():
        if name not in said:
            raise ValueError(f"{where} lacks {name}")
    codes = _codes(said["retryableStatusCodes"], f"{where}.retryableStatusCodes")
    if not codes:
        raise ValueError(f"{where}.retryableStatusCodes is empty: nothing would ever be tried again")
    first = _seconds(said["initialBackoff"], f"{where}.initialBackoff")
    longest = _seconds(said["maxBackoff"], f"{where}.maxBackoff")
    if not first or not longest:
        raise ValueError(f"{where} has a backoff of no time")
    limit = said.get("perAttemptRecvTimeout")
    return Retry(
        min(_whole(said["maxAttempts"], f"{where}.maxAttempts", 2), _MOST_ATTEMPTS),
        min(first, longest),
        longest,
        _number(said["backoffMultiplier"], f"{where}.backoffMultiplier", 0.001),
        codes,
    ), None if limit is None else _seconds(limit, f"{where}.perAttemptRecvTimeout")


def _hedging(entry: Any, where: str) -> Hedging:
    said = _object(entry, where, "maxAttempts hedgingDelay nonFatalStatusCodes")
    return Hedging(
        min(_whole(said.get("maxAttempts"), f"{where}.maxAttempts", 2), _MOST_ATTEMPTS),
        _seconds(said.get("hedgingDelay", "0s"), f"{where}.hedgingDelay"),
        _codes(said.get("nonFatalStatusCodes", []), f"{where}.nonFatalStatusCodes"),
    )


def _codes(value: Any, where: str) -> frozenset[grpc.StatusCode]:
    for name in _list(value, where):
        if name not in _BY_NAME:
            raise ValueError(f"{where}: {name!r} is no status code of a failure; {hint(name, _BY_NAME)}")
    return frozenset(_BY_NAME[name] for name in value)


def _seconds(value: Any, where: str) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{where} is {value!r}: expected seconds as text, such as '0.25s'")
    return float(found[1])


def _number(value: Any, where: str, least: float) -> float:
    """A number, or its digits: JSON of protobuf has both."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value < _MUCH:
        raise ValueError(f"{where} is {value!r}: expected a number of at least {least:g}")
    return float(value)


def _whole(value: Any, where: str, least: int) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdecimal() else value
    if isinstance(number, bool) or not isinstance(number, int) or not least <= number < _MUCH:
        raise ValueError(f"{where} is {value!r}: expected a whole number of at least {least}")
    return number


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{where} is {value!r}: expected text")  # noqa: TRY004 - one family
    return value


def _object(value: Any, where: str, known: str | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {value!r}: expected a JSON object")  # noqa: TRY004 - one family
    for name in value:
        if known is not None and name not in known.split():
            raise ValueError(f"{where} has the unknown {name!r}; {hint(name, known.split())}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} is {value!r}: expected a JSON list")  # noqa: TRY004 - one family
    return value
