"""What of a plain object can be called from outside.

A public name can be called when it stands for a function in the object's class or one of its bases: a
method, a static or class method, decorated or not. Everything is found without asking the object
(`inspect.getattr_static`), so no property is evaluated, and values that happen to be callable (a class, a
builtin, a client kept in an attribute) are out of reach. What is set on an instance counts only where it
takes the place of a method by a function, as `self.get = functools.lru_cache(self.get)` does.
"""

from __future__ import annotations

import functools
import inspect
import types
from collections.abc import Callable
from typing import Any

from sage_rpc.text.foreign import shown, similar

__all__ = ["PublicMethods", "public_methods"]

# `setup` and `cleanup` belong to whoever runs the service; the others are what it has for calling services.
_NOT_SERVED = frozenset(
    ("setup", "cleanup", "ctx", "call_service", "call_service_async", "call_with_retry", "logger")
)
_BATCH = "batch_"


class PublicMethods(dict[str, Callable[..., Any]]):
    """Name -> what is called. A host takes one in place of an object, too."""

    @property
    def health_check(self) -> Callable[..., Any] | None:
        """What a host asks of an object, too."""
        return self.get("health_check")

    def meant(self, name: str) -> str:
        """The method behind `name`: of `batch_query` without such a method, `query`."""
        one = name.removeprefix(_BATCH)
        return one if name not in self and one in self else name

    def find(self, name: str) -> Callable[..., Any] | None:
        """What `name` calls: a method, or for `batch_query` without such a method, `query` for each item."""
        meant = self.meant(name)
        one = self.get(meant)
        if one is None or meant == name:
            return one

        def batched(items: Any) -> list[Any]:
            return [one(item) for item in items]

        return batched

    def complaint(self, name: str) -> str:
        """That there is no such method, and which there are."""
        known = similar(name, self) or sorted(self)[:10]
        hint = f"; did you mean {', '.join(known)}?" if known else ": no function of its class is public"
        return f"has no method {shown(name)}{hint}"


def public_methods(instance: Any) -> PublicMethods:
    """What can be called of `instance`."""
    if isinstance(instance, PublicMethods):
        return instance
    found = PublicMethods()
    kind = type(instance)
    for name in dir(kind):
        if name.startswith("_") or name in _NOT_SERVED:
            continue
        if _is_function(inspect.getattr_static(kind, name, None)):
            # Usually the same again; else what the instance has in its place, which may be bound already.
            own = inspect.getattr_static(instance, name, None)
            if _is_function(own, bound=True):
                found[name] = getattr(instance, name)
    return found


def _is_function(value: Any, *, bound: bool = False) -> bool:
    """Whether it was written as a function, whatever has been put around it since."""
    for _ in range(100):  # decorators; a chain that bites its tail is no function
        if isinstance(value, (staticmethod, classmethod)) or (bound and isinstance(value, types.MethodType)):
            value = value.__func__
        elif isinstance(value, (functools.partialmethod, functools.singledispatchmethod)):
            value = value.func
        elif isinstance(value, types.FunctionType) or type(value).__name__ == "cython_function_or_method":
            return True
        elif isinstance(value, types.MethodDescriptorType):  # of a class that was compiled
            return value.__objclass__.__module__ != "builtins"
        elif isinstance(value, type) or not callable(value):  # a class, a property of whatever kind
            return False
        else:
            value = inspect.getattr_static(value, "__wrapped__", None)
    return False
