"""One service process as its supervisor sees it: its state, its health, its output."""

from __future__ import annotations

import contextlib
import enum
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import grpc

from sage_rpc.discovery.local import record_paths
from sage_rpc.endpoints.opening import insecure_channel
from sage_rpc.processes.child import Child, here
from sage_rpc.processes.group import Group
from sage_rpc.processes.messages import Bound, Failed, Message, Opened, Ready, packed
from sage_rpc.processes.pickling import dumps
from sage_rpc.rpc.channel import Channel
from sage_rpc.supervisor.sockets import inside_path, socket_path
from sage_rpc.supervisor.task import Task

__all__ = ["ServiceProcess", "State"]

_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"  # HealthCheckResponse(status=SERVING)
_SMALL_RING = 1 << 16  # bytes: a supervisor has a connection to each of its processes


class State(enum.Enum):
    """Of a process; see MOVES for what follows what."""

    STARTING = "starting"
    SERVING = "serving"
    UNHEALTHY = "unhealthy"  # some checks have failed, not enough for a restart
    DRAINING = "draining"
    ENDED = "ended"


MOVES: dict[State, frozenset[State]] = {
    State.STARTING: frozenset({State.SERVING, State.DRAINING, State.ENDED}),
    State.SERVING: frozenset({State.UNHEALTHY, State.DRAINING, State.ENDED}),
    State.UNHEALTHY: frozenset({State.SERVING, State.DRAINING, State.ENDED}),
    State.DRAINING: frozenset({State.ENDED}),
    State.ENDED: frozenset(),
}


class ServiceProcess(Child):
    """A process of a service.

    Args:
        task: what it is to do.
        group: the process group that it joins.
        path: where it finds modules, before its parent's places.
        env: its environment.

    Attributes:
        state: where it is in its life.
        output: descriptor to read what it prints; whoever takes it closes it.
        failure: what it said before it ended; None where it said nothing.
        sockets: what it has left when it was killed.
    """

    def __init__(self, task: Task, group: Group, path: list[str], env: Mapping[str, str]) -> None:
        self.task = task
        self.state = State.STARTING
        self.started = time.monotonic()
        self.ready_at: float | None = None
        self.failure: Failed | None = None
        # Known before the process is: it may be killed before it can tell.
        paths = [
            socket_path(task.endpoint_id),
            inside_path(task.endpoint_id),
            *record_paths(task.endpoint_id),
        ]
        self.sockets = tuple(map(str, paths))
        self.failed_checks = 0
        self.check_at = float("inf")
        self.checking = False
        self.ending = False  # it has closed its socket
        self.kill_at = self.started + task.config.start_timeout
        self.killed = False  # by us
        self.kill_reason = f"it was not ready after {task.config.start_timeout:g} s"
        self._channel: Channel | None = None
        self.output, writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self.output, False)
        try:
            header = here()
            header["path"] = [*map(str, path), *header["path"]]
            super().__init__(
                f"{task.service}[{task.number}]",
                "sage_rpc.supervisor.serving",
                {**header, "log_level": task.log_level},
                dumps(task),
                group,
                env=env,
                cwd=task.config.cwd,
                output=writer,
            )
        except BaseException:
            os.close(self.output)
            raise
        finally:
            os.close(writer)

    @staticmethod
    def new_id() -> str:
        """An id for discovery."""
        return secrets.token_hex(8)

    def move(self, state: State) -> None:
        """Go on to `state`.

        Raises:
            AssertionError: nothing leads there.
        """
        if state is not self.state:
            assert state in MOVES[self.state], f"{self} cannot become {state}"  # noqa: S101 - see MOVES
            self.state = state

    def tell(self, message: Message) -> None:
        """Send a message, without waiting: a process that is stopped and has read none of many is killed."""
        data = packed(message)
        try:
            sent = self.control.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            sent = 0
        except OSError:
            return  # it is dead already, which will be noticed elsewhere
        if sent < len(data):
            self.kill_reason, self.killed = "it has not read what it was told", True
            self.process.kill()

    def take(self, message: Message) -> None:
        """Learn from what the process says."""
        if isinstance(message, Bound):
            self.target = message.target
        elif isinstance(message, Failed):
            self.failure = message
        elif isinstance(message, Opened):
            self.sockets = (*self.sockets, *(s for s in message.sockets if s not in self.sockets))
        elif isinstance(message, Ready):
            self.kill_at = float("inf")
            if self.state is State.STARTING:
                self.ready_at = time.monotonic()
                self.move(State.SERVING)
                self.check_at = self.ready_at + self.task.config.health_check_interval

    def inside(self) -> Channel:
        """A channel for the supervisor's own calls."""
        if self._channel is None:
            self._channel = insecure_channel(
                f"unix:{inside_path(self.task.endpoint_id)}", [("sage_rpc.ring_bytes", _SMALL_RING)]
            )
        return self._channel

    def check(self, done: Callable[[str], None]) -> None:
        """Ask for its health; `done` gets "" or what is wrong, from another thread.

        That thread is the check's own: to connect to a process that is stopped takes as long as its timeout.

        Raises:
            RuntimeError: there can be no thread more.
        """
        check = self.inside().unary_unary(_CHECK)
        timeout = self.task.config.health_check_timeout

        def ask() -> None:
            try:
                answer = check(b"", timeout=timeout)
            except grpc.RpcError as error:
                text = f"{error.code().name}: {error.details()}"
            except BaseException as error:  # noqa: BLE001 - whoever asked waits for an answer
                text = f"{type(error).__name__}: {error}"
            else:
                text = "" if answer == _SERVING else "it says that it is not serving"
            done(text)

        threading.Thread(target=ask, name=f"check {self.title}", daemon=True).start()

    def forget(self) -> None:
        """Let go of everything; the process has ended."""
        self.move(State.ENDED)
        if self._channel is not None:
            self._channel.close()
            self._channel = None
        self.end(0.0)
        for path in self.sockets:
            with contextlib.suppress(OSError):
                Path(path).unlink()

    def __repr__(self) -> str:
        return f"<ServiceProcess {self.title} {self.state.value} process {self.process.pid}>"
