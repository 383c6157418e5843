"""gRPC's service config (JSON) as policies: retries, hedging, timeouts, throttling, health, balancing.

`sage_rpc.transport.service_config` reads it; here is what it means for the calls of a service. A method with
a retryPolicy or a hedgingPolicy counts as idempotent, as in gRFC A6. What there is no policy for is logged.
"""

from __future__ import annotations

import logging
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
from sage_rpc.text.foreign import hint
from sage_rpc.transport.service_config import MethodConfig, ServiceConfig, parsed

__all__ = ["from_service_config"]

_LOGGER = logging.getLogger("sage_rpc")
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
    found = parsed(config)
    methods = {name: _policy(found, key) for key in found.methods if (name := key[1]) and key[0] == service}
    pool: dict[str, Any] = {}
    if found.health is not None:
        pool["health"] = HealthPolicy(service_name=found.health)
    if found.balancing:
        pool["balancing"] = _balancing(found.balancing)
    given: dict[str, Any] = {}
    if found.throttling is not None:
        tokens, ratio = found.throttling
        given["retry_budget"] = _made(
            RetryBudgetPolicy, "retryThrottling", max_tokens=tokens, token_ratio=ratio
        )
    names = {key[0] for key in found.methods}
    if names and not names & {service, ""}:
        meant = hint(service, sorted(names), "it names ")
        _LOGGER.warning("the service config says nothing of the methods of %s; %s", service, meant)
    usual = next((_policy(found, key) for key in ((service, ""), ("", "")) if key in found.methods), None)
    default = usual or MethodPolicy()
    return ServicePolicy(default=default, methods=methods, pool=PoolPolicy(**pool), inherit=False, **given)


def _policy(config: ServiceConfig, key: tuple[str, str]) -> MethodPolicy:
    said, where = config.methods[key], config.places[key]
    for name, field in _NOTHING_FOR.items():
        if getattr(said, field) != MethodConfig._field_defaults[field]:
            _LOGGER.warning(
                "%s.%s has no effect: there is no policy for it, give it to the channel", where, name
            )
    given: dict[str, Any] = {"timeout": said.timeout}
    if said.retry is not None:
        given["retry"] = _made(RetryPolicy, f"{where}.retryPolicy", **said.retry._asdict())
    if said.hedging is not None:
        given["hedging"] = _made(HedgingPolicy, f"{where}.hedgingPolicy", **said.hedging._asdict())
    if said.retry is not None or said.hedging is not None:
        given["idempotent"] = True
    policy: MethodPolicy = _made(MethodPolicy, where, **given)
    return policy


_NOTHING_FOR = {
    "waitForReady": "wait_for_ready",
    "maxRequestMessageBytes": "max_request",
    "maxResponseMessageBytes": "max_response",
    "retryPolicy.perAttemptRecvTimeout": "attempt_timeout",
}


def _balancing(said: tuple[tuple[str, Any], ...]) -> str:
    for name, _ in said:  # gRPC: the first that is known
        if name in _BALANCING:
            return _BALANCING[name]
    names = ", ".join(name for name, _ in said)
    raise ValueError(f"loadBalancingConfig names {names}; known: {', '.join(_BALANCING)}")


def _made(kind: Any, where: str, **given: Any) -> Any:
    try:
        return kind(**given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}") from None
