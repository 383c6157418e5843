"""How commands say things: tables for people, JSON for programs, complaints in one line.

Everything goes out by `say`: what services, callers and registries say has no control over a terminal.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from sage_rpc.text.foreign import printable

__all__ = [
    "CommandError",
    "age",
    "as_json",
    "bytes_text",
    "json_option",
    "positive_seconds",
    "say",
    "seconds_text",
    "table",
]


_LONGEST_INT = 10_000  # bits: Python refuses to write longer ones in decimal
_NOT_FINITE = {math.inf: "Infinity", -math.inf: "-Infinity"}


class CommandError(Exception):
    """What a command cannot do; the text is for a person, in one line.

    Attributes:
        code: exit code.
    """

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def say(text: str, *, end: str = "\n", file: TextIO | None = None) -> None:
    """Print, with escapes in the place of control characters, and of what the output's encoding lacks."""
    stream = file or sys.stdout
    encoding = getattr(stream, "encoding", None) or "utf-8"
    shown = printable(text).encode(encoding, "backslashreplace").decode(encoding)
    print(shown, end=end, file=stream, flush=True)


def positive_seconds(text: str) -> float:
    """What an option says in seconds.

    Raises:
        argparse.ArgumentTypeError: no time is so long.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds greater than 0")
    return seconds


def json_option(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def as_json(value: Any, *, indent: int | None = 2) -> str:
    """`value` as JSON, which any JSON parser takes.

    What JSON lacks becomes text: "NaN" and "Infinity", dates as ISO 8601 has them, keys as they would be as
    values. Arrays and sets become lists.
    """
    try:
        return json.dumps(_plain(value), indent=indent, ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise CommandError("the result is nested too deeply to be printed") from None


def _plain(value: Any) -> Any:
    """`value` of nothing but what JSON has."""
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _NOT_FINITE.get(value, "NaN")
    if isinstance(value, int):
        return value if value.bit_length() < _LONGEST_INT else hex(value)
    if isinstance(value, dict):
        found = {_key(key): _plain(each) for key, each in value.items()}
        if len(found) == len(value):
            return found
        return [[_plain(key), _plain(each)] for key, each in value.items()]  # 1 and "1", for instance
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value).decode("utf-8", "backslashreplace")
    if isinstance(value, (datetime.datetime, datetime.date, datetime.time)):
        return value.isoformat()
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, (set, frozenset)):
        try:
            return _plain(sorted(value))
        except TypeError:  # of several types
            return sorted(map(_plain, value), key=str)
    return str(value)


def _key(key: Any) -> str:
    """A key of a dict as JSON has it: text. `(1, 2)` is "[1, 2]"."""
    plain = _plain(key)
    return plain if isinstance(plain, str) else json.dumps(plain, ensure_ascii=False, allow_nan=False)


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
