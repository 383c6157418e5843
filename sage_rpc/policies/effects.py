"""What of a service's policies cannot take effect, and why: nothing is written down in vain and unsaid.

Whoever compiles policies says what this finds, each thing once. It looks at what holds after all sources have
been resolved, so it does not matter which of them said it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import grpc

from sage_rpc.policies.settings import (
    NO_FALLBACK,
    MethodPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    ServicePolicy,
)
from sage_rpc.text.foreign import hint

__all__ = ["of_method", "of_service", "unknown_methods"]

_STREAMS = "a call that streams is sent once, as it is"
# What a call can have ended with that certainly has not run: nobody was reached, or it was not let in.
_NEVER_RAN = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED})


def of_method(
    policy: MethodPolicy, pool: PoolPolicy, timeout: float | None, kind: str = "unary_unary"
) -> Iterator[tuple[str, str]]:
    """What has no effect for a method. -> fields, and why.

    Args:
        policy: what holds for it.
        pool: of its service.
        timeout: seconds that a call may take where the policy does not say.
        kind: "unary_unary", "unary_stream" and so on.
    """
    if policy.key is not None and pool.balancing != "consistent_hash":
        yield "key", f"balancing is {pool.balancing}, which goes by no key"
    elif policy.key is not None and kind.startswith("stream"):
        yield "key", "no request is known when the endpoint of a stream of requests is chosen"
    if kind != "unary_unary":
        for field in ("retry", "hedging", "cache", "batch", "priority"):
            if getattr(policy, field) is not None:
                yield field, _STREAMS
        if policy.fallback is not NO_FALLBACK:
            yield "fallback", _STREAMS
        return
    limit = timeout if policy.timeout is None else policy.timeout
    retry, hedging, batch = policy.retry, policy.hedging, policy.batch
    if retry is not None:
        if not policy.idempotent and not _NEVER_RAN & frozenset(retry.codes):
            yield "retry", "with its codes a call may have run, and the method is not idempotent"
        wait = retry.initial_backoff
        if limit is not None and wait * (1 - retry.jitter) >= limit:
            yield "retry", f"its first wait, {wait:g} s, is not shorter than the timeout, {limit:g} s"
    if hedging is not None and limit is not None and hedging.delay >= limit and not hedging.codes:
        yield "hedging", f"its delay, {hedging.delay:g} s, is not shorter than the timeout, {limit:g} s"
    if batch is not None and limit is not None and batch.max_delay >= limit:
        yield "batch", f"calls end before it leaves, at {batch.max_delay:g} s: their timeout is {limit:g} s"


def of_service(
    policy: ServicePolicy,
    methods: Iterable[tuple[str, str, MethodPolicy]],
    timeout: float | None,
    endpoints: int | None,
) -> Iterator[str]:
    """What has no effect for a service, one text each.

    Args:
        policy: of the service.
        methods: name, kind and policy of each that is known.
        timeout: seconds that a call may take where nobody says.
        endpoints: how many there are for good; None: they come and go.
    """
    found: dict[tuple[str, str], list[str]] = {}
    repeats, streams = False, []
    for name, kind, each in methods:
        repeats |= kind == "unary_unary" and (each.retry is not None or each.hedging is not None)
        if kind != "unary_unary":
            streams.append(name)
        for said in of_method(each, policy.pool, timeout, kind):
            found.setdefault(said, []).append(name)
    for (field, why), names in found.items():
        yield f"{field} has no effect for {', '.join(names)}: {why}"
    if streams and policy.breaker is not None:
        yield f"breaker has no effect for {', '.join(streams)}: {_STREAMS}"
    if not repeats and policy.retry_budget != RetryBudgetPolicy():
        yield "retry_budget bounds only what with_options has tried again: no method has retry or hedging"
    if endpoints == 1:
        if policy.pool.balancing != "round_robin":
            yield f"pool.balancing: {policy.pool.balancing} has no effect: there is one endpoint"
        if not policy.pool.prefer_local:
            yield "pool.prefer_local: false has no effect: there is one endpoint"


def unknown_methods(policy: ServicePolicy, known: Collection[str]) -> Iterator[str]:
    """Texts for the methods of a policy that its service, which has the `known` ones, does not have."""
    for name in policy.methods:
        if name not in known:
            yield f"methods.{name} has no effect: there is no such method; {hint(name, sorted(known))}"
