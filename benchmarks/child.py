"""Processes of a measurement, which end with the suite, however it ends.

Rules: a child's stdin is a pipe from us, and its end tells the child to leave. A child is in a session of
its own, so that Ctrl-C reaches the suite alone and children end in order. Every wait has a limit.
"""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

__all__ = ["Child", "ChildFailedError"]

ROOT = Path(__file__).resolve().parent.parent
LEAVING = 5.0  # seconds a child has to end by itself
LINES_SHOWN = 6


class ChildFailedError(Exception):
    """A child ended, or said nothing in time; the text has the last lines it wrote on stderr."""


class Child:
    """`python -m MODULE ARGS`, read line by line. A context manager: on exit the process is gone."""

    def __init__(self, module: str, *args: str, env: Mapping[str, str]) -> None:
        self._what = " ".join([module, *args])
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the child
        self._rest = b""
        paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), **env},
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def line(self, timeout: float) -> str:
        """The next line of its stdout, within `timeout` seconds.

        Raises:
            ChildFailedError: there is none.
        """
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
        end = time.monotonic() + timeout
        while b"\n" not in self._rest:
            left = end - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                raise ChildFailedError(f"{self._what} said nothing for {timeout:.0f} s{self._last_words()}")
            chunk = os.read(descriptor, 65536)
            if not chunk:
                code = self._process.wait(LEAVING)
                raise ChildFailedError(f"{self._what} ended with code {code}{self._last_words()}")
            self._rest += chunk
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    def send(self, line: str) -> None:
        """Write a line to its stdin; a child that has ended says so at the next `line()`."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line.encode() + b"\n")
            self._process.stdin.flush()

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()[-LINES_SHOWN:]
        return ": " + " | ".join(line.strip() for line in lines) if lines else ""

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *exc: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(LEAVING)
        finally:
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
            self._process.stdout.close()
            self._errors.close()

    def __repr__(self) -> str:
        state = self._process.poll()
        return f"<Child {self._what} pid={self.pid} {'running' if state is None else f'ended {state}'}>"
