"""Imports point downwards only: the rooms of the house, and the rank of each.

Rules: a directory is a room; a module imports its own room or one of lower rank, never one of equal rank. An
import counts wherever it stands, inside functions and under TYPE_CHECKING too. A room that has no rank fails
the test, so that whoever adds one decides where it belongs. A name with an underscore in front stays in its
room.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sage_rpc"

# From the ground up; a name stands for the module or directory in the root of the package. `doors` are the
# modules of the root that offer the public names of what is below, the package itself ("") among them.
RANKS: tuple[frozenset[str], ...] = tuple(
    map(
        frozenset,
        (
            {"text"},
            {"errors", "serving", "proto"},
            {"native"},
            {"encoding"},
            {"queue", "transport"},
            {"rpc"},
            {"discovery", "policies", "observe"},
            {"endpoints"},
            {"stubs"},
            {"services"},
            {"hosting", "config"},
            {"processes"},
            {"operators", "supervisor", "testing", "dropin"},
            {"", "aio", "channel", "clients", "servicers"},
            {"codegen", "demo"},
            {"cli"},
            {"__main__"},
        ),
    )
)
DOORS = RANKS[13]


def room_of(module: str) -> str:
    """The room of `module` (dotted, below sage_rpc; "" is the package)."""
    return module.partition(".")[0]


def rank_of(room: str) -> int | None:
    return next((rank for rank, rooms in enumerate(RANKS) if room in rooms), None)


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
        here = rank_of(room_of(importer))
        if here is None:
            found.append(f"{full(importer)} is in a room without a rank: give it one in RANKS")
            continue
        for target in sorted(targets):
            there = rank_of(room_of(target))
            if there is None:
                found.append(f"{full(target)} is in a room without a rank: give it one in RANKS")
            elif room_of(target) != room_of(importer) and there >= here and not (here == there == 13):
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
    assert {"", "rpc.channel", "cli", "transport.shm"} <= set(imports)
    assert "cli.diagnosis" in imports["cli.commands.doctor"]


MODULES = {"", "errors", "rpc", "rpc.channel", "services", "transport", "transport.shm", "queue", "policies"}


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("transport.shm", "import sage_rpc.rpc.channel"),
        ("transport.shm", "from sage_rpc.rpc.channel import insecure_channel"),
        ("transport.shm", "from sage_rpc.rpc import channel"),
        ("transport.shm", "from sage_rpc import insecure_channel"),
        ("transport", "from . import shm\nfrom .. import rpc"),
        ("transport", "from ..rpc.channel import insecure_channel"),
        ("transport", "def f():\n    if f:\n        from sage_rpc import services"),
        (
            "transport",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from sage_rpc import services",
        ),
        ("transport.shm", "from sage_rpc import queue"),
        ("errors", "from sage_rpc import rpc"),
        ("unheard_of", "import sage_rpc.errors"),
    ],
)
def test_an_upward_import_is_found(importer: str, source: str) -> None:
    assert violations({importer: imported(source, importer, MODULES, is_package="." not in importer)})


@pytest.mark.parametrize(
    ("importer", "source"),
    [
        ("rpc.channel", "from sage_rpc.transport.shm import connect\nfrom sage_rpc import errors"),
        ("rpc.channel", "from .. import errors"),
        ("transport.shm", "from sage_rpc.transport import grpc"),
        ("policies", "import struct\nfrom sage_rpc_other import channel"),
    ],
)
def test_a_downward_import_is_allowed(importer: str, source: str) -> None:
    assert not violations({importer: imported(source, importer, MODULES, is_package=False)})


@pytest.mark.parametrize(
    "line",
    [
        "from sage_rpc import errors, services",
        "cimport sage_rpc.services",
        "    from sage_rpc.rpc.channel import x",
    ],
)
def test_an_upward_import_in_cython_is_found(line: str) -> None:
    assert violations({"native": imported_by_cython(f"cdef int x\n{line}\n", MODULES)})


# ---------------------------------------------------------------- private names


def private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


def private_names(source: str, room: str) -> tuple[set[str], set[tuple[int, str]]]:
    """-> what the `source` of a module in `room` defines, and (line, name) of what it takes elsewhere."""
    defined, taken = set(), set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
        elif isinstance(node, ast.Attribute):
            if isinstance(node.value, ast.Name) and node.value.id in {"self", "cls"}:
                defined.add(node.attr)
            else:
                taken.add((node.lineno, node.attr))
        elif isinstance(node, ast.ImportFrom):
            package, _, origin = (node.module or "").partition(".")
            if package == "sage_rpc" and room_of(origin) != room:
                taken.update((node.lineno, alias.name) for alias in node.names)
    return set(filter(private, defined)), {(line, name) for line, name in taken if private(name)}


def trespasses(sources: dict[str, str]) -> list[str]:
    """Uses of a private name that only other rooms define, in `sources` (module -> text)."""
    seen = {module: private_names(source, room_of(module)) for module, source in sources.items()}
    owners: dict[str, set[str]] = {}
    for module, (defined, _) in seen.items():
        for name in defined:
            owners.setdefault(name, set()).add(room_of(module))
    return [
        f"{full(module)}, line {line}: {name} belongs to {', '.join(sorted(owners[name]))}"
        for module, (_, taken) in sorted(seen.items())
        for line, name in sorted(taken)
        if name in owners and room_of(module) not in owners[name]
    ]


# Of grpcio's own objects, which ours stand in for.
GRPCS = {"_channel", "_interceptors"}


def test_private_names_stay_in_their_rooms() -> None:
    sources = {module_name(path): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    found = [line for line in trespasses(sources) if line.split(": ")[1].split()[0] not in GRPCS]
    assert not found, "\n".join(found)


def test_a_private_name_of_another_room_is_found() -> None:
    owner = "class Guard:\n    def __init__(self):\n        self._inner = 1\ndef _make(): ..."
    assert trespasses({"hosting.host": owner, "supervisor.serving": "guard._inner"})
    assert trespasses(
        {"hosting.host": owner, "supervisor.serving": "from sage_rpc.hosting.host import _make"}
    )
    assert not trespasses({"hosting.host": owner, "hosting.batches": "guard._inner"})
    assert not trespasses({"hosting.host": owner, "supervisor.serving": "guard._of_grpcio"})
