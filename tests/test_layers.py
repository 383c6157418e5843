"""Imports point downwards only: the layers of the house, and every module's place in them.

Rules: an import counts wherever it stands, inside functions and under TYPE_CHECKING too. A module
that has no place in LAYERS fails the test, so that whoever adds one decides where it belongs.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sage_rpc"

# From the ground up. A name stands for the module and everything below it in the package tree; modules
# of one group may import each other, groups of one layer may not.
LAYERS: tuple[tuple[frozenset[str], ...], ...] = (
    (frozenset({"exception_text"}), frozenset({"foreign_text"}), frozenset({"faces"})),
    (frozenset({"errors"}), frozenset({"deadline"}), frozenset({"proto"})),
    (frozenset({"options"}), frozenset({"requests"})),
    (frozenset({"native", "queue", "values"}),),
    (frozenset({"buffers"}),),
    (frozenset({"tensors"}),),
    (frozenset({"wire"}),),
    (frozenset({"transport"}),),
    (frozenset({"transport.shm"}), frozenset({"transport.grpc"})),
    (frozenset({"picker"}), frozenset({"connectivity"})),
    (frozenset({"connector"}),),
    (frozenset({"method_config"}),),
    (frozenset({"channel", "server", "aio"}),),
    (frozenset({"install"}), frozenset({"discovery"})),
    (frozenset({"observe"}),),
    # What may be configured, and what decides, stand below what has connections and calls.
    (frozenset({"policies"}), frozenset({"balancing"})),
    (frozenset({"service_future"}), frozenset({"pool"})),
    (frozenset({"methods"}),),
    (
        frozenset(
            {
                "manager",
                "proxies",
                "service_host",
                "public_methods",
                "declared_batches",
                "service_channel",
                "binding",
                "clients",
                "servicers",
            }
            | {"proto.v1.invoke_sage"}  # generated, and made of the two before
        ),
    ),
    (frozenset({"processes"}),),
    (frozenset({"supervisor", "config"}), frozenset({"testing"})),
    (frozenset({"operators"}),),
    # The package itself offers the public names of all that is below.
    (frozenset({""}),),
    (frozenset({"codegen"}),),
    (frozenset({"cli", "commands", "__main__", "doctor", "target_doctor", "demo", "run", "startup"}),),
)

Place = tuple[int, int]


def place_of(module: str) -> Place | None:
    """Layer and group of `module` (dotted, below sage_rpc; "" is the package), by its longest prefix."""
    names = module.split(".")
    for length in range(len(names), 0, -1):
        prefix = ".".join(names[:length])
        for layer, groups in enumerate(LAYERS):
            for group, members in enumerate(groups):
                if prefix in members:
                    return layer, group
    return None


def module_name(path: Path) -> str:
    names = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(names[:-1] if names[-1] == "__init__" else names)


def imported(source: str, importer: str, modules: set[str], *, is_package: bool) -> set[str]:
    """Modules of ours that the Python `source` of `importer` imports."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = node.module or ""
            if node.level:
                above = ("sage_rpc." + importer).rstrip(".").split(".")
                kept = above[: len(above) - node.level + is_package]
                start = ".".join([*kept, *([node.module] if node.module else [])])
            found.update(f"{start}.{alias.name}" for alias in node.names)
    return resolved(found, modules)


def imported_by_cython(source: str, modules: set[str]) -> set[str]:
    """The same for Cython, whose `import` and `cimport` lines are Python's."""
    found: set[str] = set()
    for start, names in re.findall(
        r"^\s*from\s+(sage_rpc[\w.]*)\s+c?import\s+\(?([^#\n]*)", source, re.MULTILINE
    ):
        found.update(f"{start}.{name.split(' as ')[0].strip()}" for name in names.strip(")").split(","))
    found.update(re.findall(r"^\s*c?import\s+(sage_rpc[\w.]*)", source, re.MULTILINE))
    return resolved(found, modules)


def resolved(names: set[str], modules: set[str]) -> set[str]:
    """`sage_rpc.errors.RpcFailure` is an import of "errors", `sage_rpc.insecure_channel` one of ""."""
    ours = (name.removeprefix("sage_rpc").lstrip(".") for name in names if name.split(".")[0] == "sage_rpc")
    return {next((m for m in prefixes(name) if m in modules), "") for name in ours}


def prefixes(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def full(module: str) -> str:
    return f"sage_rpc.{module}".rstrip(".")


def violations(imports: dict[str, set[str]]) -> list[str]:
    """What breaks the rule in `imports` (importer -> imported), one line each."""
    found = []
    for importer, targets in sorted(imports.items()):
        here = place_of(importer)
        if here is None:
            found.append(f"{full(importer)} has no layer: give it one in LAYERS")
            continue
        for target in sorted(targets - {importer}):
            there = place_of(target)
            if there is None:
                found.append(f"{full(target)} has no layer: give it one in LAYERS")
            elif there != here and there[0] >= here[0]:
                found.append(f"{full(importer)} imports {full(target)}, which is not below it")
    return found


def imports_of_the_package() -> dict[str, set[str]]:
    python = {module_name(path): path for path in PACKAGE.rglob("*.py")}
    modules = set(python)
    imports = {
        name: imported(path.read_text("utf-8"), name, modules, is_package=path.name == "__init__.py")
        for name, path in python.items()
    }
    for kind in ("pyx", "pxi", "pxd"):
        for path in PACKAGE.rglob(f"*.{kind}"):
            imports.setdefault(module_name(path), set()).update(
                imported_by_cython(path.read_text("utf-8"), modules)
            )
    return imports


def test_imports_point_downwards() -> None:
    found = violations(imports_of_the_package())
    assert not found, "\n".join(found)


def test_the_package_is_seen() -> None:
    imports = imports_of_the_package()
    assert {"", "channel", "cli", "transport.shm"} <= set(imports)
    assert "doctor" in imports["commands.doctor"]


MODULES = {"", "errors", "channel", "wire", "manager", "transport", "transport.shm", "transport.grpc"}


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("wire", "import sage_rpc.channel"),
        ("wire", "from sage_rpc.channel import insecure_channel"),
        ("wire", "from sage_rpc import channel"),
        ("wire", "from sage_rpc import insecure_channel"),
        ("wire", "from . import channel"),
        ("wire", "from .channel import insecure_channel"),
        ("wire", "def f():\n    if f:\n        from sage_rpc import manager"),
        ("wire", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sage_rpc import manager"),
        ("transport.shm", "from sage_rpc.transport import grpc"),
        ("transport.shm", "from ..grpc import call"),
        ("errors", "from sage_rpc import wire"),
        ("unheard_of", "import os"),
    ],
)
def test_an_upward_import_is_found(importer: str, source: str) -> None:
    assert violations({importer: imported(source, importer, MODULES, is_package=False)})


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("channel", "from sage_rpc.transport.shm import connect\nfrom sage_rpc import errors, wire"),
        ("channel", "from . import errors"),
        ("transport.shm", "from ..errors import RpcFailure"),
        ("wire", "import struct\nfrom sage_rpc_other import channel"),
    ],
)
def test_a_downward_import_is_allowed(importer: str, source: str) -> None:
    assert not violations({importer: imported(source, importer, MODULES, is_package=False)})


@pytest.mark.parametrize(
    "line",
    [
        "from sage_rpc import errors, channel",
        "cimport sage_rpc.channel",
        "    from sage_rpc.channel import x",
    ],
)
def test_an_upward_import_in_cython_is_found(line: str) -> None:
    assert violations({"native": imported_by_cython(f"cdef int x\n{line}\n", MODULES)})
