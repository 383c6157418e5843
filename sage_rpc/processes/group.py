"""A process group that outlives nothing: its guard kills it when the process that made it is gone."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

__all__ = ["Group"]

_GUARD = Path(__file__).parent / "guard.py"


class Group:
    """A process group, led by its guard; see guard.py.

    Args:
        grace: seconds that processes get to end by themselves after the process that made this is gone.

    Attributes:
        pgid: the group's number, which is the guard's process id.
        alive: a descriptor that every member keeps open for as long as it lives.
    """

    def __init__(self, grace: float) -> None:
        lifeline, self._lifeline = os.pipe()
        os.set_blocking(self._lifeline, False)  # a guard that is stopped must not stop who speaks to it
        alive, self.alive = os.pipe()
        try:
            self._guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(_GUARD), str(lifeline), str(alive), str(grace)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                pass_fds=(lifeline, alive),
            )
        except OSError:
            self.forget()
            raise
        finally:
            os.close(lifeline)
            os.close(alive)
        self.pgid = self._guard.pid
        assert self._guard.stdout is not None  # noqa: S101 - it is a pipe
        with self._guard.stdout as ready:
            ready.read(1)

    def remember(self, path: str) -> None:
        """Let the guard remove the socket at `path` if this process cannot."""
        with contextlib.suppress(OSError):
            os.write(self._lifeline, os.fsencode(path) + b"\n")

    def end(self) -> None:
        """Kill whatever of the group is left, for instance programs that user code has started."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pgid, signal.SIGKILL)
        self._guard.wait()
        self.forget()

    def forget(self) -> None:
        """Close this process's ends, without a word: in a forked child they are not its own."""
        for fd in (self._lifeline, self.alive):
            with contextlib.suppress(OSError):
                os.close(fd)

    def __repr__(self) -> str:
        return f"<Group {self.pgid}>"
