"""What things of a `.proto` are called in Python; pure functions.

A name that Python or the generated classes need for themselves gets an underscore behind it. protoc's own
rules for modules are repeated here, because its modules are what we import.
"""

from __future__ import annotations

import keyword
from collections.abc import Collection, Iterable

from sage_rpc.encoding.naming import snake_case

__all__ = [
    "cannot_be_written",
    "installed",
    "method_name",
    "module_of",
    "parameter_names",
    "relative_package",
    "unused",
]

# Methods that generated classes have, and parameters that generated methods have.
_METHODS = frozenset({"add_to_server", "close_channel"})
_PARAMETERS = frozenset({"self", "timeout", "metadata", "wait_for_ready"})


def module_of(proto: str, suffix: str = "_pb2") -> str:
    """`shop/my-cache.proto` -> `shop.my_cache_pb2`, as protoc names it."""
    return (
        proto.removesuffix(".proto").removesuffix(".protodevel").replace("-", "_").replace("/", ".") + suffix
    )


def installed(module: str) -> str:
    """Where a module is that is not generated now: those of our own protos are in `sage_rpc`."""
    package, _, leaf = module.rpartition(".")
    return f"sage_rpc.proto.v1.{leaf}" if package == "sage.rpc.v1" else module


def method_name(rpc: str) -> str:
    """`GetItem` -> `get_item`, `Import` -> `import_`."""
    name = snake_case(rpc).lstrip("_")
    if not name.isidentifier():
        name = f"rpc_{name}"
    return f"{name}_" if keyword.iskeyword(name) or name in _METHODS else name


def parameter_names(fields: Iterable[str]) -> dict[str, str]:
    """Each field's parameter: `key` -> `key`, `from` -> `from_`, `timeout` -> `timeout_`."""
    taken = set(fields) | _PARAMETERS
    found: dict[str, str] = {}
    for field in fields:
        name = field
        if keyword.iskeyword(name) or name in _PARAMETERS or name.startswith("__"):
            name = unused(f"{name.lstrip('_')}_", taken)
        taken.add(name)
        found[field] = name
    return found


def unused(name: str, taken: Collection[str]) -> str:
    """`name`, with as many underscores behind it as make it free."""
    while name in taken or keyword.iskeyword(name):
        name += "_"
    return name


def cannot_be_written(names: Iterable[str]) -> bool:
    """Whether `names` cannot be written in a class with dots between.

    One is a keyword, or no name at all (`1.proto`), or has two underscores in front: a class changes those.
    """
    return any(
        keyword.iskeyword(name)
        or not name.isidentifier()
        or (name.startswith("__") and not name.endswith("__"))
        for name in names
    )


def relative_package(package: str, here: str) -> str:
    """How a module in the package `here` imports from `package`: `a.b` in `a.c` is `..b`."""
    target, start = (name.split(".") if name else [] for name in (package, here))
    same = 0
    while same < min(len(target), len(start)) and target[same] == start[same]:
        same += 1
    return "." * (len(start) - same + 1) + ".".join(target[same:])
