"""protoc's modules as part of a package: their imports of each other, and types as checkers want them.

protoc writes `from shop import cache_pb2`, which works only where the output directory is on sys.path. Here
that becomes `from . import cache_pb2`, so that the output can be a package anywhere; and our own
protos, which protoc takes for a package `sage`, become those of `sage_rpc`.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection

from sage_rpc.codegen import names

__all__ = ["adapted"]


# The lines by which protoc's modules import each other, as its plugins write them.
_IMPORT = re.compile(r"^import (?P<leaf>\w+_pb2) as (?P<alias>\w+)$", re.MULTILINE)
_FROM = re.compile(r"^from (?P<package>[\w.]+) import (?P<leaf>\w+_pb2) as (?P<alias>\w+)$", re.MULTILINE)
_PUBLIC = re.compile(r"^from (?P<module>[\w.]+_pb2) import (?P<names>.+)$", re.MULTILINE)
_BY_NAME = re.compile(
    r"^(?P<alias>\w+) = importlib\.import_module\('(?P<module>[\w.]+_pb2)'\)$", re.MULTILINE
)
# A method that is called like a keyword, as gRPC's stub generator writes it; `None` becomes `None_`.
_KEYWORD_RPC = re.compile(
    rf"^( +self\.| +def | +servicer\.)({'|'.join(keyword.kwlist)})(?= = channel\.|\(|,$)", re.MULTILINE
)
# A scalar type, where it stands for the type and is not the name of a field.
_SCALAR = re.compile(r"""(?<![\w."'])(bool|bytes|float|int|str)\b(?!\s*[:="'])""")
_FIELD_LIKE_SCALAR = re.compile(r"^ +(bool|bytes|float|int|str): ", re.MULTILINE)
# protoc lays its modules out in its own way, and grpc's stubs have no types.
_UNCHECKED = "# ruff: noqa\n# fmt: off\n"
_UNTYPED = "# type: ignore\n"
_LOOSELY = "# pyright: basic, reportSelfClsParameterName=false, reportGeneralTypeIssues=false\n"


def adapted(text: str, path: str, modules: Collection[str], *, relative: bool) -> str:
    """The text of one of protoc's modules, as part of a package.

    Args:
        text: what protoc wrote.
        path: of the module, below the output directory.
        modules: those of messages that are generated beside it, with dots.
        relative: whether they are imported relatively.
    """
    if path.endswith(".pyi"):
        text = _UNCHECKED + _LOOSELY + _strict(text)
    else:
        first, _, rest = text.partition("\n")
        text = f"{first}\n{_UNCHECKED}{_UNTYPED}{rest}"
        if path.endswith("_pb2_grpc.py"):
            text = _KEYWORD_RPC.sub(r"\1\2_", text)
    return _with_imports(text, path, modules, relative=relative)


def _with_imports(text: str, path: str, modules: Collection[str], *, relative: bool) -> str:
    here = path.rpartition("/")[0].replace("/", ".")

    def place(module: str) -> tuple[str, str]:
        """Package and name of a module as it is to be imported."""
        if module not in modules:
            module = names.installed(module)
        package, _, leaf = module.rpartition(".")
        if relative and module in modules:
            package = names.relative_package(package, here)
        return package, leaf

    def imported(match: re.Match[str]) -> str:
        package, leaf = place(".".join(filter(None, (match.groupdict().get("package"), match["leaf"]))))
        return f"from {package} import {leaf} as {match['alias']}" if package else match[0]

    def public(match: re.Match[str]) -> str:
        package, leaf = place(match["module"])
        return f"from {_joined(package, leaf)} import {match['names']}"

    def by_name(match: re.Match[str]) -> str:
        package, leaf = place(match["module"])
        anchor = ", __package__" if package.startswith(".") else ""
        return f"{match['alias']} = importlib.import_module('{_joined(package, leaf)}'{anchor})"

    text = _FROM.sub(imported, _IMPORT.sub(imported, text))
    return _BY_NAME.sub(by_name, _PUBLIC.sub(public, text))


def _joined(package: str, leaf: str) -> str:
    return f"{package}{'' if package.endswith('.') or not package else '.'}{leaf}"


def _strict(text: str) -> str:
    """Protoc's `.pyi`, without what strict type checkers refuse in it."""
    strict = re.sub(r"(?<!as )\b_Mapping(?=[],])", "_Mapping[str, _Any]", text)
    strict = strict.replace("**kwargs)", "**kwargs: _Any)")
    strict = strict.replace("_python_message._ExtensionDict", "_Any")  # a name that type stubs lack
    # The number of an extension is a variable of the module, not of a class.
    strict = re.sub(r"^(\w+): _ClassVar\[int\]$", r"\1: int", strict, flags=re.MULTILINE)
    # protoc declares values of enums that are called like a keyword, as Python cannot.
    strict = re.sub(rf"^ *(?:{'|'.join(keyword.kwlist)}): .*\n", "", strict, flags=re.MULTILINE)
    if "_Any" in strict:
        strict = strict.replace("\nfrom typing import ", "\nfrom typing import Any as _Any, ", 1)
    if _FIELD_LIKE_SCALAR.search(strict):
        strict = _SCALAR.sub(r"_builtins.\1", strict)
        strict = strict.replace("\nfrom ", "\nimport builtins as _builtins\nfrom ", 1)
    return strict
