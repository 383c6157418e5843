"""docs/compatibility.md names the known differences that the tests mark, and no others."""

from __future__ import annotations

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "compatibility.md"


def marked(decorator: ast.expr) -> bool:
    return (
        isinstance(decorator, ast.Call)
        and isinstance(decorator.func, ast.Name)
        and decorator.func.id == "known_difference"
    )


def differing_tests() -> dict[str, set[str]]:
    """The tests with a mark, and the columns it is for."""
    found: dict[str, set[str]] = {}
    for path in HERE.glob("test_*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                for mark in filter(marked, node.decorator_list):
                    columns = {ast.literal_eval(argument) for argument in mark.args[1:]}
                    found.setdefault(node.name, set()).update(columns or {"ours-grpc", "ours-shm"})
    return found


def test_the_page_lists_every_known_difference_and_its_columns() -> None:
    rows = re.findall(r"^\| `(test_\w+)` \| ([\w, ]+) \|", PAGE.read_text("utf-8"), re.MULTILINE)
    listed = {name: {f"ours-{column}" for column in columns.split(", ")} for name, columns in rows}
    assert listed == differing_tests()
    assert len(rows) == len(listed), "a test is listed twice"
