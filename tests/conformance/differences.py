"""Known differences of ours from grpcio: the mark, what it does to a test, and the page that lists them.

Both conformance suites use it, the synchronous one and the one of asyncio; tests/conftest.py has the hooks.
Every marked test has a row in docs/compatibility.md, below the heading of its suite, and every row its test.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

__all__ = [
    "PAGE",
    "differing_tests",
    "known_difference",
    "listed_differences",
    "pytest_collection_modifyitems",
    "pytest_configure",
]

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
OURS = ("ours-grpc", "ours-shm")


def known_difference(
    reason: str, *columns: str, when: dict[str, Sequence[Any]] | None = None
) -> pytest.MarkDecorator:
    """Ours differs from grpcio here, for now: the test must fail in `columns`, and pass in the others.

    Args:
        reason: what ours does instead.
        columns: names of columns of ours; all of ours without any.
        when: of a parametrised test, only these values of these parameters.
    """
    assert "grpcio" not in columns, "a test which stock grpcio fails is wrong"
    return pytest.mark.known_difference(reason, columns or OURS, when or {})


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "known_difference(reason, columns, when): made by differences.known_difference"
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        parameters = item.callspec.params if hasattr(item, "callspec") else {}
        if str(parameters.get("column")) == "grpcio":
            item.add_marker(pytest.mark.control)
        for mark in item.iter_markers("known_difference"):
            reason, columns, when = mark.args
            if str(parameters.get("column")) in columns and all(
                parameters[name] in values for name, values in when.items()
            ):
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.Call]:
    for decorator in node.decorator_list:
        if (
            isinstance(decorator, ast.Call)
            and isinstance(decorator.func, ast.Name)
            and decorator.func.id == "known_difference"
        ):
            yield decorator


def differing_tests(suite: Path) -> dict[str, set[str]]:
    """The marked tests of the modules in `suite`, and the columns each mark is for."""
    found: dict[str, set[str]] = {}
    for path in suite.glob("test_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for mark in _marks(node):
                    columns = {ast.literal_eval(argument) for argument in mark.args[1:]}
                    found.setdefault(node.name, set()).update(columns or OURS)
    return found


def listed_differences(heading: str) -> list[tuple[str, set[str]]]:
    """The tests that the page lists below `heading` (of level 2), and their columns."""
    sections = dict(re.findall(r"^## (.+)\n((?:(?!## ).*\n?)*)", PAGE.read_text("utf-8"), re.MULTILINE))
    rows = re.findall(r"^\| `(test_\w+)` \| ([\w, ]+) \|", sections[heading], re.MULTILINE)
    return [(name, {f"ours-{column}" for column in columns.split(", ")}) for name, columns in rows]
