"""gRPC's service config (JSON) as gRPC's core reads it, for calls that travel over the memory queue.

The format: https://github.com/grpc/grpc/blob/master/doc/service_config.md; retries: gRFC A6. Rule: what this
does not understand, or what the memory queue does not do, is a ValueError, and then gRPC carries the calls.
"""

from __future__ import annotations

import json
import random
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import grpc

__all__ = ["Attempts", "MethodConfig", "RetryPolicy", "ServiceConfig", "Throttle"]

_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_MOST_ATTEMPTS = 5  # gRFC A6: a greater maxAttempts counts as 5
_JITTER = 0.2  # as of gRPC's backoff
_PUSHBACK = "grpc-retry-pushback-ms"
_BY_NAME = {code.name: code for code in grpc.StatusCode}


class RetryPolicy(NamedTuple):
    """When a call is tried again. Times in seconds."""

    max_attempts: int
    initial_backoff: float
    max_backoff: float
    multiplier: float
    codes: frozenset[grpc.StatusCode]
    largest: int  # a request of more bytes is not kept, and so not sent again


class MethodConfig(NamedTuple):
    """What holds for the calls of a method that do not say otherwise; None where nothing does."""

    timeout: float | None = None
    wait_for_ready: bool | None = None
    max_request: int = -1
    max_response: int = -1
    retry: RetryPolicy | None = None

    def deadline(self, timeout: float | None) -> float | None:
        """The timeout of a call, in seconds: the shorter one of its own and the method's."""
        if self.timeout is None or timeout is None:
            return self.timeout if timeout is None else timeout
        return min(timeout, self.timeout)

    def waits(self, wait_for_ready: bool | None) -> bool | None:
        """Whether a call waits for its server: what it says itself counts."""
        return self.wait_for_ready if wait_for_ready is None else wait_for_ready


class Throttle:
    """Ends retries while most calls fail, as gRFC A6 has it.

    Args:
        most: tokens at most; there are no retries while half of them or less are left.
        gain: tokens that a call which succeeds gives back.
    """

    def __init__(self, most: float, gain: float) -> None:
        self._most, self._gain = most, gain
        self._lock = threading.Lock()  # guards _tokens
        self._tokens = most

    def __repr__(self) -> str:
        return f"<Throttle {self._tokens:g} of {self._most:g}>"

    def succeeded(self) -> None:
        """A call did."""
        with self._lock:
            self._tokens = min(self._most, self._tokens + self._gain)

    def failed(self) -> bool:
        """An attempt did. -> whether another one may follow."""
        with self._lock:
            self._tokens = max(0.0, self._tokens - 1.0)
            return self._tokens > self._most / 2


class Attempts:
    """The attempts of one call: says after each that failed whether, and when, the next one begins."""

    def __init__(self, policy: RetryPolicy, throttle: Throttle | None) -> None:
        self._policy, self._throttle = policy, throttle
        self._backoff = policy.initial_backoff
        self.made = 1
        self.committed = False  # nothing is tried again any more

    def __repr__(self) -> str:
        return f"<Attempts {self.made} of {self._policy.max_attempts}>"

    def succeeded(self) -> None:
        """The call did."""
        if self._throttle is not None:
            self._throttle.succeeded()

    def pause_after(self, code: grpc.StatusCode | None, trailing_metadata: Any) -> float | None:
        """Seconds until the next attempt; None: there is none, the call has failed with `code`."""
        asked = next((value for key, value in trailing_metadata or () if key == _PUSHBACK), None)
        pushback = None
        if asked is not None:
            text = asked.decode("ascii", "replace") if isinstance(asked, bytes) else asked
            pushback = int(text) / 1000 if text.isascii() and text.isdecimal() else -1.0
        if code not in self._policy.codes:
            return None
        allowed = self._throttle is None or self._throttle.failed()
        if not allowed or self.committed or self.made >= self._policy.max_attempts:
            return None
        if pushback is not None and pushback < 0:
            return None
        self.made += 1
        if pushback is not None:
            self._backoff = self._policy.initial_backoff
            return pushback
        pause = self._backoff * random.uniform(1 - _JITTER, 1 + _JITTER)
        self._backoff = min(self._backoff * self._policy.multiplier, self._policy.max_backoff)
        return pause

    def metadata(self, metadata: Any, kind: Callable[[tuple[Any, ...]], Any]) -> Any:
        """The metadata of the next attempt, a `kind` of tuple: it says how many there were before."""
        if self.made == 1:
            return metadata
        return kind((*(metadata or ()), ("grpc-previous-rpc-attempts", str(self.made - 1))))


class ServiceConfig:
    """What a service config says of methods.

    Args:
        config: the JSON text.
        retries: whether calls are tried again, where it says so.
        retry_buffer: bytes of requests that a call keeps to send them again.

    Raises:
        ValueError: it is none, or says something that the memory queue cannot do; the text says what.
    """

    def __init__(self, config: str | bytes, *, retries: bool, retry_buffer: int) -> None:
        try:
            parsed = json.loads(config)
        except ValueError as error:
            raise ValueError(f"it is no JSON: {error}") from None
        known = _object(
            parsed, "it", {"methodConfig", "retryThrottling", "loadBalancingConfig", "loadBalancingPolicy"}
        )
        self._retry_buffer = retry_buffer
        self._methods: dict[tuple[str, str], MethodConfig] = {}
        for index, entry in enumerate(_list(known.get("methodConfig", []), "methodConfig")):
            self._add(entry, f"methodConfig[{index}]", retries=retries)
        self.throttle: Throttle | None = None
        if "retryThrottling" in known:
            given = _object(known["retryThrottling"], "retryThrottling", {"maxTokens", "tokenRatio"})
            most, gain = (_number(given.get(name), name) for name in ("maxTokens", "tokenRatio"))
            self.throttle = Throttle(most, gain)
        balancing = _list(known.get("loadBalancingConfig", []), "loadBalancingConfig")
        names = [name for each in balancing for name in _object(each, "loadBalancingConfig", None)]
        names += [str(known["loadBalancingPolicy"]).lower()] if "loadBalancingPolicy" in known else []
        if names and names[0] != "pick_first":
            raise ValueError(f"it balances by {names[0]}")

    def __repr__(self) -> str:
        return f"<ServiceConfig of {len(self._methods)} names>"

    def of(self, method: str | bytes) -> MethodConfig | None:
        """What holds for "/package.Service/Method": its own entry, its service's, or everybody's."""
        path = method.decode("utf-8", "replace") if isinstance(method, bytes) else method
        service, _, name = path.removeprefix("/").rpartition("/")
        for key in ((service, name), (service, ""), ("", "")):
            if key in self._methods:
                return self._methods[key]
        return None

    def attempts(self, policy: RetryPolicy) -> Attempts:
        """Of a call that begins."""
        return Attempts(policy, self.throttle)

    def _add(self, entry: Any, where: str, *, retries: bool) -> None:
        fields = {
            "name",
            "timeout",
            "waitForReady",
            "retryPolicy",
            "maxRequestMessageBytes",
            "maxResponseMessageBytes",
        }
        given = _object(entry, where, fields)
        waits = given.get("waitForReady")
        if waits is not None and not isinstance(waits, bool):
            raise ValueError(f"{where}.waitForReady is {waits!r}")
        retry = self._retry(given["retryPolicy"], f"{where}.retryPolicy") if "retryPolicy" in given else None
        method = MethodConfig(
            _seconds(given["timeout"], f"{where}.timeout") if "timeout" in given else None,
            waits,
            _bytes(given.get("maxRequestMessageBytes"), where),
            _bytes(given.get("maxResponseMessageBytes"), where),
            retry if retries else None,
        )
        for number, name in enumerate(_list(given.get("name", []), f"{where}.name")):
            parts = _object(name, f"{where}.name[{number}]", {"service", "method"})
            key = (parts.get("service") or "", parts.get("method") or "")
            if (
                not all(isinstance(part, str) for part in key)
                or (key[1] and not key[0])
                or key in self._methods
            ):
                raise ValueError(f"{where}.name[{number}] is {dict(parts)!r}")
            self._methods[key] = method

    def _retry(self, entry: Any, where: str) -> RetryPolicy:
        fields = (
            "maxAttempts",
            "initialBackoff",
            "maxBackoff",
            "backoffMultiplier",
            "retryableStatusCodes",
        )
        given = _object(entry, where, set(fields))
        for name in fields:
            if name not in given:
                raise ValueError(f"{where} lacks {name}")
        attempts = given["maxAttempts"]
        if not isinstance(attempts, int) or attempts < 2:
            raise ValueError(f"{where}.maxAttempts is {attempts!r}")
        codes = [_BY_NAME.get(name) for name in _list(given["retryableStatusCodes"], where)]
        if not codes or None in codes:
            raise ValueError(f"{where}.retryableStatusCodes is {given['retryableStatusCodes']!r}")
        backoff = _seconds(given["initialBackoff"], f"{where}.initialBackoff")
        longest = _seconds(given["maxBackoff"], f"{where}.maxBackoff")
        if not backoff or not longest:
            raise ValueError(f"{where} has a backoff of no time")
        return RetryPolicy(
            min(attempts, _MOST_ATTEMPTS),
            min(backoff, longest),
            longest,
            _number(given["backoffMultiplier"], f"{where}.backoffMultiplier"),
            frozenset(code for code in codes if code is not None),
            self._retry_buffer,
        )


def _seconds(value: Any, where: str) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{where} is {value!r}")
    return float(found[1])


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
        raise ValueError(f"{where} is {value!r}")
    return float(value)


def _bytes(value: Any, where: str) -> int:
    """A limit of messages, a number or its digits; -1 for none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        value = int(value)
    if value is None:
        return -1
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{where} has a limit of {value!r}")
    return value


def _object(value: Any, where: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {value!r}")  # noqa: TRY004 - one family
    for name in value:
        if known is not None and name not in known:
            raise ValueError(f"{where} has a {name}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} is {value!r}")  # noqa: TRY004 - one family
    return value
