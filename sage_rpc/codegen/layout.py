"""How generated Python is laid out: as ruff's and black's formatters would, at their usual width.

Whatever fits on its line stays there; what does not is broken at its outermost brackets or unions, one
part to a line. Formatting generated code again changes nothing, which the golden tests check.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "Generic",
    "Union",
    "annotated",
    "bracketed",
    "class_line",
    "comment_text",
    "docstring",
    "returning",
]

WIDTH = 88
INDENT = 4


@dataclass(frozen=True)
class Generic:
    """`name[args]`."""

    name: str
    args: tuple[Annotation, ...]

    def __str__(self) -> str:
        return f"{self.name}[{', '.join(map(str, self.args))}]"


@dataclass(frozen=True)
class Union:
    """`a | b | c`."""

    parts: tuple[Annotation, ...]

    def __str__(self) -> str:
        return " | ".join(map(str, self.parts))


Annotation = str | Generic | Union


def bracketed(indent: int, before: str, parts: Sequence[str], after: str) -> list[str]:
    """`before` (ending with a bracket), `parts` with commas between, `after`: on one line, or on many."""
    one = " " * indent + before + ", ".join(parts) + after
    if len(one) <= WIDTH or not parts:
        return [one]
    inner = " " * (indent + INDENT)
    return [" " * indent + before, *(f"{inner}{part}," for part in parts), " " * indent + after]


def class_line(name: str, base: str) -> list[str]:
    """The first line of a class."""
    one = f"class {name}({base}):"
    return [one] if len(one) <= WIDTH else [f"class {name}(", f"{' ' * INDENT}{base}", "):"]


def annotated(indent: int, name: str, annotation: Annotation, default: str | None) -> list[str]:
    """A parameter on a line of its own, comma included."""
    after = "," if default is None else f" = {default},"
    return _laid_out(indent, f"{name}: ", annotation, after)


def returning(indent: int, before: str, annotation: Annotation) -> list[str]:
    """The end of a signature: `) -> annotation:`."""
    return _laid_out(indent, f"{before} -> ", annotation, ":")


def _laid_out(indent: int, before: str, annotation: Annotation, after: str) -> list[str]:
    one = f"{' ' * indent}{before}{annotation}{after}"
    if len(one) <= WIDTH or isinstance(annotation, str):
        return [one]
    if isinstance(annotation, Union):
        lines: list[str] = []
        last = len(annotation.parts) - 1
        for number, part in enumerate(annotation.parts):
            lines += _laid_out(indent, "| " if number else before, part, after if number == last else "")
        return lines
    inner = " " * (indent + INDENT)
    args = f"{inner}{', '.join(map(str, annotation.args))}"
    if len(args) <= WIDTH:
        lines = [args]
    elif len(annotation.args) == 1:
        lines = _laid_out(indent + INDENT, "", annotation.args[0], "")
    else:
        lines = [line for arg in annotation.args for line in _laid_out(indent + INDENT, "", arg, ",")]
    return [f"{' ' * indent}{before}{annotation.name}[", *lines, f"{' ' * indent}]{after}"]


def comment_text(text: str) -> str:
    """`text` of a `.proto` as it can stand between the quotes of a docstring."""
    return text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def docstring(indent: int, text: str) -> list[str]:
    """A docstring of lines that were made with `comment_text`."""
    margin = " " * indent
    first, *rest = text.strip().splitlines() or [""]
    if first.startswith('"'):
        first = f" {first}"
    if not rest:
        return [f'{margin}"""{first}{" " if first.endswith(chr(34)) else ""}"""']
    return [f'{margin}"""{first}', *(f"{margin}{line}".rstrip() for line in rest), f'{margin}"""']
