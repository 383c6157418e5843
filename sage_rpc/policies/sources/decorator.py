"""Policies said at the methods of a plain class, by a decorator, and read from the class.

    class Cache:
        @method_policy(idempotent=True, cache=CachePolicy(ttl=60))
        def get(self, key): ...

`LocalEnvironment.register_service` reads them; elsewhere: `ServiceManager(..., policies={"cache":
policy_of(Cache)})`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sage_rpc.policies.settings import MethodPolicy, ServicePolicy

__all__ = ["method_policy", "policy_of"]

F = TypeVar("F", bound=Callable[..., Any])
_SAID = "__sage_rpc_policy__"


def method_policy(**fields: Any) -> Callable[[F], F]:
    """Say what holds for calls of a method; the arguments are MethodPolicy's.

    Raises:
        ValueError: a value cannot work, or the method is private: nobody calls it.
        TypeError: there is no such field, a value has the wrong type, or what it stands at is no method.
    """
    policy = MethodPolicy(**fields)

    def say(function: F) -> F:
        method = function.__func__ if isinstance(function, (staticmethod, classmethod)) else function
        if not callable(method):
            raise TypeError(f"method_policy is for methods, and {function!r} is none")
        name = getattr(method, "__name__", "")
        if name.startswith("_"):
            raise ValueError(f"method_policy at {name}: it is private, so nobody calls it as a service")
        setattr(method, _SAID, policy)
        return function

    return say


def policy_of(cls: Any, **more: Any) -> ServicePolicy | None:
    """What the methods of a class say; None: nothing.

    Args:
        cls: the class.
        more: the other fields of the ServicePolicy.
    """
    methods = {
        name: said
        for name in dir(cls)
        if not name.startswith("_")
        and isinstance(said := getattr(getattr(cls, name, None), _SAID, None), MethodPolicy)
    }
    return ServicePolicy(methods=methods, **more) if methods or more else None
