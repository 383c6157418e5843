"""Policies of calls as they stand in a configuration: mappings that become `sage_rpc.policies`.

The names are those of the dataclasses, with what is nested as mappings; times may have units. Code cannot be
written down: `fallback` is a value, and a `key` names an argument.

    policy:
      default: {timeout: 2s, retry: {max_attempts: 4, codes: [UNAVAILABLE]}}
      methods: {get: {idempotent: true, cache: {ttl: 30s}}}
      breaker: {failure_rate: 0.5, open_for: 5s}
      pool: {balancing: consistent_hash}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sage_rpc.policies.settings import AdmissionPolicy, ServicePolicy
from sage_rpc.policies.sources.mapping import made

if TYPE_CHECKING:
    from sage_rpc.config.schema import Config

__all__ = ["admission_policy", "policies_of", "service_policy"]

TIME_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*")
_TEXTS = {"balancing", "service_name", "fallback", "key", "codes"}


def service_policy(value: Mapping[str, Any]) -> ServicePolicy:
    """What `policy:` of a service says.

    Raises:
        ValueError: a name is unknown, or a value cannot work; the text has its place.
    """
    policy: ServicePolicy = made(ServicePolicy, value, "policy", _value)
    return policy


def admission_policy(value: Mapping[str, Any]) -> AdmissionPolicy:
    """What `admission:` of a service says.

    Raises:
        ValueError: as of `service_policy`.
    """
    policy: AdmissionPolicy = made(AdmissionPolicy, value, "admission", _value)
    return policy


def policies_of(config: Config) -> dict[str, ServicePolicy]:
    """Name of a service -> its policy, as a `ServiceManager` takes them.

    Example:
        config = load_config("config.yaml")
        manager = ServiceManager({"cache": "sage:///cache"}, policies=policies_of(config))
    """
    return {name: service_policy(s.policy) for name, s in config.services.items() if s.policy}


def _value(name: str, value: Any) -> Any:
    """What a field is: times may have units."""
    found = TIME.fullmatch(value) if isinstance(value, str) and name not in _TEXTS else None
    return value if found is None else float(found[1]) * TIME_UNITS[found[2]]
