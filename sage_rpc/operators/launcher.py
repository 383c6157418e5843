"""Starting worker processes and the guard, from the main process.

A worker is started by path with the parent's `sys.path` (see worker.py), not forked and not through
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
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from sage_rpc.operators.control import Done, Message, Messages, send
from sage_rpc.operators.parent import GRACE
from sage_rpc.operators.processes import Boot
from sage_rpc.transport.shm.rendezvous import endpoint_of_target, published, unlink_if_dead

__all__ = ["KILL_AFTER", "Group", "Worker", "flatten", "socket_pairs"]

_HERE = Path(__file__).parent
KILL_AFTER = GRACE + 1.0  # seconds that workers get to end by themselves


class Group:
    """The process group of a job, led by its guard; see guard.py.

    Attributes:
        pgid: the group's number, which is the guard's process id.
    """

    def __init__(self) -> None:
        lifeline, self._lifeline = os.pipe()
        alive, self.alive = os.pipe()
        try:
            self._guard = subprocess.Popen(
                [
                    sys.executable,
                    "-I",
                    "-S",
                    str(_HERE / "guard.py"),
                    str(lifeline),
                    str(alive),
                    str(KILL_AFTER),
                ],
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


class Worker:
    """One operator's or service's process, as its main process sees it.

    Args:
        boot: where it stands in the job.
        kind: "operator" or "service".
        payload: what it runs, pickled.
        group: the process group to join.

    Attributes:
        ready: it has said that setup() is done.
        target: a service's address, once it is known.
        done: what it said at its end; None before.
        reported: it has said what went wrong.
    """

    def __init__(self, boot: Boot, kind: str, payload: bytes, group: Group) -> None:
        self.name = boot.name
        self.kind = kind
        self.number = boot.worker
        self.parallelism = boot.parallelism
        self.ready = False
        self.target: str | None = None
        self.done: Done | None = None
        self.reported = False
        self._messages = Messages()
        self._pidfd: int | None = None
        self.control, theirs = socket.socketpair()
        file = os.memfd_create("sage_rpc boot")
        try:
            with os.fdopen(os.dup(file), "wb") as writer:
                writer.write(json.dumps(asdict(boot)).encode() + b"\n")
                writer.write(payload)
            os.lseek(file, 0, os.SEEK_SET)
            links = [*boot.inputs, *(fd for fds in boot.outputs for fd in fds)]
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    *subprocess._args_from_interpreter_flags(),  # type: ignore[attr-defined]  # as multiprocessing does
                    str(_HERE / "worker.py"),
                    f"{boot.job}/{boot.name}[{boot.worker}]",
                    *map(str, (theirs.fileno(), file, group.pgid, group.alive)),
                ],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), file, group.alive, *links),
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

    @property
    def label(self) -> str:
        """How messages to users call it."""
        if self.kind == "service":
            return f"service {self.name!r}"
        return f"operator {self.name!r} (worker {self.number + 1} of {self.parallelism})"

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
        if self.target is not None:
            _remove_sockets(self.target)
        return in_time

    def __repr__(self) -> str:
        return f"<Worker {self.label} process {self.process.pid}{' ready' if self.ready else ''}>"


def _remove_sockets(target: str) -> None:
    """Remove what a service that was killed has left of itself."""
    with contextlib.suppress(OSError):
        for path in published(endpoint_of_target(target)):
            unlink_if_dead(path)


def socket_pairs(senders: int, receivers: int) -> tuple[list[list[socket.socket]], list[list[socket.socket]]]:
    """Socket pairs between workers. -> for each sender its ends, for each receiver its ends."""
    pairs = [[socket.socketpair() for _ in range(receivers)] for _ in range(senders)]
    return [[a for a, _ in row] for row in pairs], [[row[i][1] for row in pairs] for i in range(receivers)]


def flatten(groups: Sequence[Sequence[socket.socket]]) -> list[socket.socket]:
    """All sockets of some groups."""
    return [one for group in groups for one in group]
