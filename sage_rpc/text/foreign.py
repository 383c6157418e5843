"""Text that somebody else chose: names that callers ask for, what services print, records of registries.

Rules: nothing is done with it before its length is known to be bounded, and none of it reaches a terminal as
anything but text.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

__all__ = ["hint", "printable", "shown", "similar"]

_LONGEST_COMPARED = 100  # characters
# Control characters but line feed and tab; what turns the direction of writing round; halves of characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_CONTROL_OR_BREAK = re.compile(_CONTROL.pattern[:-1] + r"\t\n\u2028\u2029]")


def printable(text: str, *, one_line: bool = False) -> str:
    r"""`text` with an escape (`\u001b`) in the place of everything that a terminal would obey.

    The escapes are those of JSON, so JSON stays what it was.

    Args:
        text: of whatever origin.
        one_line: escape line feeds and tabs, too.
    """
    return (_CONTROL_OR_BREAK if one_line else _CONTROL).sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def shown(name: str, limit: int = 100) -> str:
    """A name that somebody else gave, as a text may quote it: escaped, and cut where it is long."""
    return repr(name) if len(name) <= limit else f"{name[:limit]!r}... ({len(name)} characters)"


def similar(name: str, known: Iterable[str]) -> list[str]:
    """What somebody who gave `name` may have meant; nobody means one of more than 100 characters."""
    return difflib.get_close_matches(name, known, n=3) if len(name) <= _LONGEST_COMPARED else []


def hint(name: object, known: Iterable[str], otherwise: str = "known: ") -> str:
    """The end of a complaint about `name`: what may have been meant, or else all there is."""
    names = list(known)
    close = similar(str(name), names)
    return f"did you mean {close[0]}?" if close else otherwise + ", ".join(names)
