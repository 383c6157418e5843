"""What is said of an exception, whoever wrote its class.

An exception of user code brings user code along: its `__str__` may raise, give no string, call itself for
ever or give a gigabyte, and so may those of its causes. What is reported here is always some text, of bounded
length.
"""

from __future__ import annotations

import traceback
from types import TracebackType

__all__ = ["text_of", "traceback_of", "type_name"]

LONGEST_TEXT = 16 << 10  # characters
_LONGEST_TRACEBACK = 64 << 10


def text_of(error: BaseException) -> str:
    """`str(error)`, or what stands for it where that is not to be had."""
    try:
        return _bounded(str(error), LONGEST_TEXT)
    except BaseException as failure:  # noqa: BLE001 - the code is the user's, and its failure part of the report
        return f"<its text is not to be had: {type(failure).__name__}>"


def type_name(kind: type[BaseException]) -> str:
    """The qualified name of an exception's class, for example "builtins.KeyError"."""
    try:
        return f"{kind.__module__}.{kind.__qualname__}"
    except BaseException:  # noqa: BLE001 - a metaclass is the user's code, too
        return "an exception without a name"


def traceback_of(error: BaseException, frames: TracebackType | None) -> str:
    """`error` with its causes as the interpreter prints it, from `frames` on."""
    try:
        text = "".join(traceback.format_exception(type(error), error, frames))
    except BaseException as failure:  # noqa: BLE001 - as above
        lines = "".join(traceback.format_tb(frames))
        why = type(failure).__name__
        text = (
            f"Traceback (most recent call last):\n{lines}{type_name(type(error))}: <not to be had: {why}>\n"
        )
    return _bounded(text, _LONGEST_TRACEBACK)


def _bounded(text: str, longest: int) -> str:
    """`text`, without its middle where it is longer than `longest` characters."""
    if len(text) <= longest:
        return text if type(text) is str else str.__str__(text)
    half = longest // 2
    return f"{text[:half]} [{len(text) - 2 * half} characters are left out] {text[-half:]}"
