"""The table of docs/services.md tells the truth: every test that it names exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def test_every_test_in_the_table_of_the_design_document_exists() -> None:
    page = (ROOT / "docs" / "services.md").read_text("utf-8")
    table = page[page.index("## The design document, sentence by sentence") :]
    rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
    assert len(rows) > 30
    assert not [row for row in rows if not NAMED.search(row)], "a row without a test"
    for file, test in NAMED.findall(table):
        functions = {
            node.name
            for node in ast.parse((ROOT / file).read_text("utf-8")).body
            if isinstance(node, ast.FunctionDef)
        }
        assert test in functions, f"{file} has no {test}"
