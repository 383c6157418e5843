"""Starting one process of our own, and hearing of it until its end.

A child is started by path with the parent's `sys.path` (see program.py), not forked and not through
multiprocessing: so it works from scripts without `if __name__ == "__main__"`, `python -c`, an interactive
session and pytest, whatever threads the main process has.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from sage_rpc.processes.group import Group
from sage_rpc.processes.messages import Message, Messages, send
from sage_rpc.transport.shm.rendezvous import remove_dead

__all__ = ["Child", "here"]

_PROGRAM = Path(__file__).parent / "program.py"


def here() -> dict[str, list[str]]:
    """What a child needs of this process to import what it can: `path` and `argv`.

    Of the path nothing but text: Python ignores what else a program has put there, a `Path` for instance.
    """
    try:
        current = [str(Path.cwd())]
    except OSError:  # the working directory has been removed: nothing is imported from there either
        current = []
    entries: list[Any] = list(sys.path)
    path = [place for entry in entries if isinstance(entry, str) for place in ([entry] if entry else current)]
    return {"path": path, "argv": [str(argument) for argument in sys.argv]}


class Child:
    """A process of ours, as its parent sees it.

    Args:
        title: what it is called in messages and by `ps`.
        main: the module whose `run(title, header, payload, control)` it runs.
        header: what `here()` gives and whatever `main` wants, as JSON.
        payload: bytes for `main`.
        group: the process group to join.
        descriptors: to be inherited.
        env: its environment; None for this process's.
        cwd: its working directory; None for this process's.
        output: where its standard output and error go; None for this process's.

    Attributes:
        target: a service's address, once it is known.
    """

    def __init__(
        self,
        title: str,
        main: str,
        header: Mapping[str, Any],
        payload: bytes,
        group: Group,
        *,
        descriptors: Sequence[int] = (),
        env: Mapping[str, str] | None = None,
        cwd: str | None = None,
        output: int | None = None,
    ) -> None:
        self.title = title
        self.target: str | None = None
        self._messages = Messages()
        self._pidfd: int | None = None
        self.control, theirs = socket.socketpair()
        file = os.memfd_create("sage_rpc boot")
        try:
            with os.fdopen(os.dup(file), "wb") as writer:
                writer.write(json.dumps({**header, "main": main}).encode() + b"\n")
                writer.write(payload)
            os.lseek(file, 0, os.SEEK_SET)
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    *subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined]  # as multiprocessing does
                    str(_PROGRAM),
                    title,
                    *map(str, (theirs.fileno(), file, group.pgid, group.alive)),
                ],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=env,
                cwd=cwd,
                pass_fds=(theirs.fileno(), file, group.alive, *descriptors),
            )
        except BaseException:
            self.control.close()
            raise
        finally:
            theirs.close()
            os.close(file)

        # The death of a process whose sockets its own forked children hold is seen here alone.
        with contextlib.suppress(OSError):
            self._pidfd = os.pidfd_open(self.process.pid)

    @property
    def watched(self) -> list[socket.socket | int]:
        """What becomes readable when there is something to `read`, and when the process ends."""
        return [self.control] if self._pidfd is None else [self.control, self._pidfd]

    def tell(self, message: Message) -> None:
        """Send a message; one that is dead already will be noticed elsewhere."""
        with contextlib.suppress(OSError):
            send(self.control, message)

    def read(self) -> Iterator[Message]:
        """The messages that have arrived.

        Raises:
            EOFError: there will be no more.
        """
        over = self.process.poll() is not None  # asked first: what it wrote before has arrived now
        while True:
            try:
                data = self.control.recv(1 << 16, socket.MSG_DONTWAIT)
            except BlockingIOError:
                break
            except OSError:
                data = b""
            if not data:
                over = True
                break
            yield from self._messages.feed(data)
        if over:
            raise EOFError

    def death(self) -> str:
        """How the process has ended, in words; waits for it."""
        code = self.process.wait()
        if code >= 0:
            return f"ended with exit code {code}"
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"

    def end(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the process, kill it after that. -> whether it ended by itself."""
        in_time = True
        try:
            self.process.wait(max(0.0, timeout))
        except subprocess.TimeoutExpired:
            in_time = False
            self.process.kill()
            self.process.wait()
        self.control.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
            self._pidfd = None
        if self.process.returncode:
            remove_dead()  # who was killed has not done it, and may not have said where it was
        return in_time

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.title} process {self.process.pid}>"
