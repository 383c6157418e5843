"""gRPC's service config (JSON) as policies: retries, hedging, timeouts, throttling, health, balancing.

The format is gRPC's: https://github.com/grpc/grpc/blob/master/doc/service_config.md, retries and hedging as
in gRFC A6. A method with a retryPolicy or a hedgingPolicy counts as idempotent, as there. What is unknown is
refused, with its place.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from sage_rpc.policies.settings import (
    HealthPolicy,
    HedgingPolicy,
    MethodPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    RetryPolicy,
    ServicePolicy,
)

__all__ = ["from_service_config"]

_DURATION = re.compile(r"(\d+(?:\.\d{1,9})?)s")
_TOP = {"methodConfig", "retryThrottling", "healthCheckConfig", "loadBalancingConfig", "loadBalancingPolicy"}
_METHOD = {
    "name",
    "timeout",
    "waitForReady",
    "retryPolicy",
    "hedgingPolicy",
    "maxRequestMessageBytes",
    "maxResponseMessageBytes",
}
_RETRY = {
    "maxAttempts",
    "initialBackoff",
    "maxBackoff",
    "backoffMultiplier",
    "retryableStatusCodes",
    "perAttemptRecvTimeout",
}
_HEDGING = {"maxAttempts", "hedgingDelay", "nonFatalStatusCodes"}
_MOST_ATTEMPTS = 5  # gRFC A6: a greater maxAttempts counts as 5
_BALANCING = {
    "round_robin": "round_robin",
    "pick_first": "round_robin",
    "least_request_experimental": "least_outstanding",
    "ring_hash_experimental": "consistent_hash",
}


def from_service_config(config: str | Mapping[str, Any], service: str) -> ServicePolicy:
    """The policy that a gRPC service config gives to `service`.

    Args:
        config: JSON text, or what it parses to.
        service: the full name of a declared service ("pkg.Cache"), or the name of a plain class.

    Raises:
        ValueError: it is no service config; the text says where.
    """
    if isinstance(config, str):
        try:
            config = json.loads(config)
        except json.JSONDecodeError as error:
            raise ValueError(f"the service config is no JSON: {error}") from None
    known = _object(config, "the service config", _TOP)
    default = MethodPolicy()
    of_service: MethodPolicy | None = None
    methods: dict[str, MethodPolicy] = {}
    for index, entry in enumerate(_list(known.get("methodConfig", []), "methodConfig")):
        where = f"methodConfig[{index}]"
        policy = _method(_object(entry, where, _METHOD), where)
        for number, name in enumerate(_list(entry.get("name", []), f"{where}.name")):
            parts = _object(name, f"{where}.name[{number}]", {"service", "method"})
            if not parts.get("service"):
                if parts.get("method"):
                    raise ValueError(f"{where}.name[{number}]: a method needs its service")
                default = policy
            elif parts["service"] == service and parts.get("method"):
                methods[parts["method"]] = policy
            elif parts["service"] == service:
                of_service = policy
    given: dict[str, Any] = {}
    if "retryThrottling" in known:
        throttling = _object(known["retryThrottling"], "retryThrottling", {"maxTokens", "tokenRatio"})
        given["retry_budget"] = _made(
            RetryBudgetPolicy,
            "retryThrottling",
            max_tokens=throttling.get("maxTokens", 0),
            token_ratio=throttling.get("tokenRatio", 0),
        )
    pool: dict[str, Any] = {}
    if "healthCheckConfig" in known:
        health = _object(known["healthCheckConfig"], "healthCheckConfig", {"serviceName"})
        pool["health"] = HealthPolicy(service_name=health.get("serviceName", ""))
    balancing = _balancing(known)
    if balancing is not None:
        pool["balancing"] = balancing
    # gRPC takes the most exact entry alone, so nothing is inherited from a coarser one.
    return ServicePolicy(default=of_service or default, methods=methods, pool=PoolPolicy(**pool), **given)


def _method(entry: Mapping[str, Any], where: str) -> MethodPolicy:
    given: dict[str, Any] = {}
    if "timeout" in entry:
        given["timeout"] = _seconds(entry["timeout"], f"{where}.timeout")
    if "retryPolicy" in entry and "hedgingPolicy" in entry:
        raise ValueError(f"{where} has both a retryPolicy and a hedgingPolicy: gRPC allows one of them")
    if "retryPolicy" in entry:
        at = f"{where}.retryPolicy"
        retry = _object(entry["retryPolicy"], at, _RETRY)
        for name in (
            "maxAttempts",
            "initialBackoff",
            "maxBackoff",
            "backoffMultiplier",
            "retryableStatusCodes",
        ):
            if name not in retry:
                raise ValueError(f"{at} lacks {name}")
        given["idempotent"] = True
        given["retry"] = _made(
            RetryPolicy,
            at,
            max_attempts=_attempts(retry["maxAttempts"]),
            initial_backoff=_seconds(retry["initialBackoff"], f"{at}.initialBackoff"),
            max_backoff=_seconds(retry["maxBackoff"], f"{at}.maxBackoff"),
            backoff_multiplier=retry["backoffMultiplier"],
            codes=_list(retry["retryableStatusCodes"], f"{at}.retryableStatusCodes"),
        )
    if "hedgingPolicy" in entry:
        at = f"{where}.hedgingPolicy"
        hedging = _object(entry["hedgingPolicy"], at, _HEDGING)
        given["idempotent"] = True
        given["hedging"] = _made(
            HedgingPolicy,
            at,
            max_attempts=_attempts(hedging.get("maxAttempts")),
            delay=_seconds(hedging.get("hedgingDelay", "0s"), f"{at}.hedgingDelay"),
            codes=_list(hedging.get("nonFatalStatusCodes", []), f"{at}.nonFatalStatusCodes"),
        )
    policy: MethodPolicy = _made(MethodPolicy, where, **given)
    return policy


def _attempts(value: Any) -> Any:
    return min(value, _MOST_ATTEMPTS) if isinstance(value, int) else value


def _balancing(config: Mapping[str, Any]) -> str | None:
    names = [
        name
        for entry in _list(config.get("loadBalancingConfig", []), "loadBalancingConfig")
        for name in _object(entry, "loadBalancingConfig", None)
    ]
    if "loadBalancingPolicy" in config:
        names.append(str(config["loadBalancingPolicy"]).lower())
    for name in names:  # gRPC: the first that is known
        if name in _BALANCING:
            return _BALANCING[name]
    if names:
        raise ValueError(f"loadBalancingConfig names {', '.join(names)}; known: {', '.join(_BALANCING)}")
    return None


def _seconds(value: Any, where: str) -> float:
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise ValueError(f"{where} is {value!r}: expected seconds as text, such as '0.25s'")
    return float(found[1])


def _object(value: Any, where: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{where} is {value!r}: expected a JSON object")  # noqa: TRY004 - one family
    unknown = sorted(set(value) - known) if known is not None else []
    if unknown:
        raise ValueError(f"{where} has the unknown {unknown[0]!r}; known: {', '.join(sorted(known or ()))}")
    return value


def _list(value: Any, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError(f"{where} is {value!r}: expected a JSON list")  # noqa: TRY004 - one family
    return value


def _made(kind: Any, where: str, **given: Any) -> Any:
    try:
        return kind(**given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}") from None
