"""Policies from plain data, as YAML and JSON have it: the fields of the classes by their names, nested as
they are.

    policy_from({"default": {"timeout": 2}, "methods": {"get": {"idempotent": True, "retry": {"max_attempts":
    4}}}})

Functions cannot be written so: `CachePolicy.key`, and `fallback` and `key` as functions. An empty mapping
means the class's defaults.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from sage_rpc.policies import settings
from sage_rpc.text.foreign import hint

__all__ = ["NESTED", "admission_from", "made", "policy_from"]

# Which fields hold policies themselves.
NESTED: dict[type, dict[str, type]] = {
    settings.ServicePolicy: {
        "default": settings.MethodPolicy,
        "breaker": settings.BreakerPolicy,
        "retry_budget": settings.RetryBudgetPolicy,
        "pool": settings.PoolPolicy,
    },
    settings.MethodPolicy: {
        "retry": settings.RetryPolicy,
        "hedging": settings.HedgingPolicy,
        "cache": settings.CachePolicy,
        "batch": settings.BatchPolicy,
    },
    settings.PoolPolicy: {"outlier": settings.OutlierPolicy, "health": settings.HealthPolicy},
}


def policy_from(data: Mapping[str, Any]) -> settings.ServicePolicy:
    """The policy of a service.

    Raises:
        ValueError: a name is unknown or a value cannot work; the text says where.
    """
    policy: settings.ServicePolicy = made(settings.ServicePolicy, data, "")
    return policy


def admission_from(data: Mapping[str, Any]) -> settings.AdmissionPolicy:
    """The admission to a host.

    Raises:
        ValueError: a name is unknown or a value cannot work.
    """
    policy: settings.AdmissionPolicy = made(settings.AdmissionPolicy, data, "")
    return policy


def _belongs(name: Any) -> str:
    """Where a field of that name would have an effect; "": there is none."""
    owners = [
        owner.__name__
        for owner in map(settings.__dict__.get, settings.__all__)
        if isinstance(owner, type) and name in {each.name for each in dataclasses.fields(owner)}
    ]
    return f"it is a field of {' and '.join(owners)}" if owners else ""


def made(kind: Any, data: Any, where: str, value_of: Callable[[str, Any], Any] | None = None) -> Any:
    """A policy of class `kind`.

    Args:
        kind: one of the classes in `settings`.
        data: names of its fields and their values; what is nested is a mapping, too.
        where: its place, for errors; "" at the top.
        value_of: makes the value of a field, by the field's name and what stands there; None: it is that.

    Raises:
        ValueError: a name is not known or a value cannot work; the text says where.
    """
    if not isinstance(data, Mapping):
        raise ValueError(f"{where or 'a policy'} is {data!r}: expected a mapping")  # noqa: TRY004 - one family
    known = [each.name for each in dataclasses.fields(kind)]
    given: dict[str, Any] = {}
    for name, value in data.items():
        place = f"{where}.{name}" if where else str(name)
        if name not in known:
            raise ValueError(f"{place} is not known; {_belongs(name) or hint(name, known)}")
        nested = NESTED.get(kind, {}).get(name)
        if kind is settings.ServicePolicy and name == "methods":
            if not isinstance(value, Mapping):
                raise ValueError(f"{place} is {value!r}: expected names of methods")
            given[name] = {
                str(method): made(settings.MethodPolicy, said, f"{place}.{method}", value_of)
                for method, said in value.items()
            }
        elif nested is not None and value is not None:
            given[name] = made(nested, value, place, value_of)
        else:
            given[name] = value if value_of is None else value_of(name, value)
    try:
        return kind(**given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from None
