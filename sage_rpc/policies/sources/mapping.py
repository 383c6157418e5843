"""Policies from plain data, as YAML and JSON have it: the fields of the classes by their names, nested as
they are.

    policy_from({"default": {"timeout": 2}, "methods": {"get": {"idempotent": True, "retry": {"max_attempts":
    4}}}})

Functions cannot be written so: `CachePolicy.key`, and `fallback` and `key` as functions. An empty mapping
means the class's defaults.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from typing import Any

from sage_rpc.policies import settings

__all__ = ["admission_from", "policy_from"]

# Which fields hold policies themselves.
_NESTED: dict[type, dict[str, type]] = {
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
    policy: settings.ServicePolicy = _made(settings.ServicePolicy, data, "")
    return policy


def admission_from(data: Mapping[str, Any]) -> settings.AdmissionPolicy:
    """The admission to a host.

    Raises:
        ValueError: a name is unknown or a value cannot work.
    """
    policy: settings.AdmissionPolicy = _made(settings.AdmissionPolicy, data, "")
    return policy


def _made(kind: Any, data: Any, where: str) -> Any:
    if not isinstance(data, Mapping):
        raise ValueError(f"{where or 'a policy'} is {data!r}: expected names and values")  # noqa: TRY004 - one family
    known = [each.name for each in dataclasses.fields(kind)]
    given: dict[str, Any] = {}
    for name, value in data.items():
        place = f"{where}.{name}" if where else str(name)
        if name not in known:
            close = difflib.get_close_matches(str(name), known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
            raise ValueError(f"{place} is unknown; {hint}")
        nested = _NESTED.get(kind, {}).get(name)
        if kind is settings.ServicePolicy and name == "methods":
            if not isinstance(value, Mapping):
                raise ValueError(f"{place} is {value!r}: expected names of methods")
            given[name] = {
                str(method): _made(settings.MethodPolicy, said, f"{place}.{method}")
                for method, said in value.items()
            }
        elif nested is not None and value is not None:
            given[name] = _made(nested, value, place)
        else:
            given[name] = value
    try:
        return kind(**given)
    except (ValueError, TypeError) as error:
        raise ValueError(f"{where}: {error}" if where else str(error)) from None
