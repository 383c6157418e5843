"""What supervised processes print: prefixed, passed on, kept for `sage-rpc logs`, written to a file."""

from __future__ import annotations

import logging
import logging.handlers
import sys
import threading
from collections import deque
from typing import NamedTuple

from sage_rpc.foreign_text import printable

__all__ = ["Line", "Output"]

_KEPT = 5000  # lines


class Line(NamedTuple):
    """One line.

    Attributes:
        sequence: grows by one with each line of the supervisor.
        service: whose; "" for the supervisor's own.
        text: with its prefix.
    """

    sequence: int
    service: str
    text: str


class Output:
    """Where lines go.

    Args:
        echo: pass them on to this process's standard output.
        path: of a file to write them to, too; None for none.
        max_bytes: size at which the file is put aside.
        backups: how many files that were put aside are kept.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(
        self, *, echo: bool = True, path: str | None = None, max_bytes: int = 16 << 20, backups: int = 3
    ) -> None:
        self._echo = echo
        self._changed = threading.Condition()  # guards the lines
        self._lines: deque[Line] = deque(maxlen=_KEPT)
        self._sequence = 0
        self._file = (
            logging.handlers.RotatingFileHandler(path, "a", max_bytes, backups, encoding="utf-8")
            if path
            else None
        )

    def write(self, service: str, prefix: str, text: str) -> None:
        """Take one line; whoever reads it, in a terminal say, reads text."""
        line = printable(f"[{prefix}] {text}")
        with self._changed:
            self._sequence += 1
            self._lines.append(Line(self._sequence, service, line))
            self._changed.notify_all()
        if self._echo:
            try:
                sys.stdout.write(line + "\n")
                sys.stdout.flush()
            except (OSError, ValueError):
                self._echo = False  # whoever read it has left; services go on
        if self._file is not None:
            self._file.emit(logging.LogRecord("", logging.INFO, "", 0, line, None, None))

    def after(self, sequence: int, services: list[str], wait: float, last: int) -> list[Line]:
        """Lines that came after `sequence`.

        Args:
            sequence: the last one that is known; -1 for none.
            services: whose; empty for all.
            wait: seconds to wait for one where there is none.
            last: at most so many, the newest.
        """

        def found() -> list[Line]:
            return [
                line
                for line in self._lines
                if line.sequence > sequence and (not services or line.service in services)
            ]

        with self._changed:
            if wait > 0 and not found():
                self._changed.wait_for(found, wait)
            return found()[-last:]

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def __repr__(self) -> str:
        return f"<Output {self._sequence} lines>"
