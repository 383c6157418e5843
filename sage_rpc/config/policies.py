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
from typing import TYPE_CHECKING, Any, get_args, get_type_hints

from sage_rpc.config.document import FromVariable, settled
from sage_rpc.policies.settings import AdmissionPolicy, MethodPolicy, ServicePolicy
from sage_rpc.policies.sources.mapping import NESTED, made

if TYPE_CHECKING:
    from sage_rpc.config.schema import Config

__all__ = ["admission_policy", "policies_of", "service_policy", "settled_policy"]

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
_TIME = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ms|s|m|h)\s*")
_BOOLEANS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0"), False),
}
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


def settled_policy(kind: type, value: Any, where: str) -> Any:
    """The mapping for a policy of class `kind`, with numbers and booleans for variables where they belong.

    Raises:
        ValueError: one belongs there, and the variable holds something else.
    """
    if not isinstance(value, dict):
        return settled(value)
    types = get_type_hints(kind)
    found = {}
    for name, entry in value.items():
        at = f"{where}.{name}"
        nested = NESTED.get(kind, {}).get(name)
        if nested is not None:
            found[name] = settled_policy(nested, entry, at)
        elif kind is ServicePolicy and name == "methods" and isinstance(entry, dict):
            found[name] = {m: settled_policy(MethodPolicy, each, f"{at}.{m}") for m, each in entry.items()}
        elif isinstance(entry, FromVariable):
            found[name] = _settled(entry, types.get(name, Any), at)
        else:
            found[name] = settled(entry)
    return found


def _settled(value: FromVariable, kind: Any, where: str) -> Any:
    kinds = {kind, *get_args(kind)}
    number, text = value.number(), str(value)
    if bool in kinds and text.lower() in _BOOLEANS:
        return _BOOLEANS[text.lower()]
    if kinds & {int, float, Any} and number is not None:
        return number
    if kinds & {int, float} and not kinds & {str, Any} and _TIME.fullmatch(text) is None:
        raise ValueError(f"{where} is {value!r}: expected a number")
    if bool in kinds:
        raise ValueError(f"{where} is {value!r}: expected true or false")
    return text


def _value(name: str, value: Any) -> Any:
    """What a field is: times may have units."""
    found = _TIME.fullmatch(value) if isinstance(value, str) and name not in _TEXTS else None
    return value if found is None else float(found[1]) * _UNITS[found[2]]
