"""How commands say things: tables for people, JSON for programs, complaints in one line.

Everything goes out by `say`: what services, callers and registries say has no control over a terminal.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from sage_rpc.foreign_text import printable

__all__ = ["CommandError", "age", "as_json", "bytes_text", "json_option", "say", "seconds_text", "table"]


class CommandError(Exception):
    """What a command cannot do; the text is for a person, in one line.

    Attributes:
        code: exit code.
    """

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def say(text: str, *, end: str = "\n", file: TextIO | None = None) -> None:
    """Print, with escapes in the place of control characters."""
    print(printable(text), end=end, file=file or sys.stdout, flush=True)


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """`value` as JSON; what JSON lacks becomes text, arrays become lists."""
    return json.dumps(value, indent=indent, default=_plain, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return value.tolist()
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    return str(value)


def table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Columns as wide as what is in them; numbers to the right."""
    texts = [[printable(str(cell), one_line=True) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(head, *texts, strict=True)]
    right = [
        all(isinstance(row[i], (int, float)) for row in rows) if rows else False for i in range(len(head))
    ]

    def line(cells: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if to_right else cell.ljust(width)
            for cell, width, to_right in zip(cells, widths, right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(head), *map(line, texts)])


def age(seconds: float) -> str:
    """A time span as a person says it: "5s", "3m", "2h", "4d"."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f}{unit}"
    return f"{seconds:.0f}s"


def seconds_text(seconds: float) -> str:
    """A latency: "12us", "3.4ms", "1.2s"."""
    if seconds < 0.001:
        return f"{seconds * 1e6:.0f}us"
    if seconds < 1:
        return f"{seconds * 1e3:.1f}ms"
    return f"{seconds:.2f}s"


def bytes_text(count: float) -> str:
    """A size: "512B", "12MiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.0f}{unit}"
        count /= 1024
    raise AssertionError("unreachable")
