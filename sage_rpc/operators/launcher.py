"""The worker processes of a job, as its main process starts them and sees them."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from dataclasses import asdict

from sage_rpc.operators.worker import Boot
from sage_rpc.processes.child import Child
from sage_rpc.processes.group import Group
from sage_rpc.processes.messages import Done
from sage_rpc.processes.parent import GRACE

__all__ = ["KILL_AFTER", "Worker", "flatten", "socket_pairs"]

KILL_AFTER = GRACE + 1.0  # seconds that workers get to end by themselves


class Worker(Child):
    """One operator's or service's process, as its main process sees it.

    Args:
        boot: where it stands in the job.
        kind: "operator" or "service".
        payload: what it runs, pickled.
        group: the process group to join.

    Attributes:
        ready: it has said that setup() is done.
        done: what it said at its end; None before.
        reported: it has said what went wrong.
    """

    def __init__(self, boot: Boot, kind: str, payload: bytes, group: Group) -> None:
        self.name = boot.name
        self.kind = kind
        self.number = boot.worker
        self.parallelism = boot.parallelism
        self.ready = False
        self.done: Done | None = None
        self.reported = False
        super().__init__(
            f"{boot.job}/{boot.name}[{boot.worker}]",
            "sage_rpc.operators.worker",
            asdict(boot),
            payload,
            group,
            descriptors=[*boot.inputs, *(fd for fds in boot.outputs for fd in fds)],
        )

    @property
    def label(self) -> str:
        """How messages to users call it."""
        if self.kind == "service":
            return f"service {self.name!r}"
        return f"operator {self.name!r} (worker {self.number + 1} of {self.parallelism})"

    def __repr__(self) -> str:
        return f"<Worker {self.label} process {self.process.pid}{' ready' if self.ready else ''}>"


def socket_pairs(senders: int, receivers: int) -> tuple[list[list[socket.socket]], list[list[socket.socket]]]:
    """Socket pairs between workers. -> for each sender its ends, for each receiver its ends."""
    pairs = [[socket.socketpair() for _ in range(receivers)] for _ in range(senders)]
    return [[a for a, _ in row] for row in pairs], [[row[i][1] for row in pairs] for i in range(receivers)]


def flatten(groups: Sequence[Sequence[socket.socket]]) -> list[socket.socket]:
    """All sockets of some groups."""
    return [one for group in groups for one in group]
