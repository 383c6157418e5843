"""How a synchronous channel comes to its memory connection: who tries, who waits for it, who is told.

Calls ask `pick` for a connection, and try by themselves when there is none. Calls that shall wait for a
server which is not there yet (`wait_for_ready`) are parked in the native core, and a thread of our
own tries again and again until it can start them. It also tries for those who watch the channel's state and
want it connected. The thread exists only as long as somebody waits or hopes.

Rules of this file:

1. One attempt is under way at a time, and it is made without the lock: a server that hangs in the handshake
   must not keep others from closing the channel, or from waiting with a deadline.
2. User code (callbacks of calls, subscriptions) never runs under the lock.
3. The connector does not hold its channel: its threads may outlive that.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc

from sage_rpc import errors
from sage_rpc.native import core
from sage_rpc.rpc.connectivity import Connectivity
from sage_rpc.transport.backoff import Backoff
from sage_rpc.transport.base import GRPC, SHM
from sage_rpc.transport.picker import NO_CALL_CREDENTIALS, Picker

if TYPE_CHECKING:
    from sage_rpc.native._core import ThreadConnection

__all__ = ["Connector"]

_CANCELLED: int = grpc.StatusCode.CANCELLED.value[0]

_IDLE = grpc.ChannelConnectivity.IDLE
_CONNECTING = grpc.ChannelConnectivity.CONNECTING
_READY = grpc.ChannelConnectivity.READY
_TRANSIENT_FAILURE = grpc.ChannelConnectivity.TRANSIENT_FAILURE


class Connector:
    """The memory connection of one channel.

    Args:
        picker: decides.
        over_grpc: gives gRPC's channel, or None when ours is closed or gone.

    Attributes:
        core: what the channel's multicallables share.
    """

    def __init__(self, picker: Picker, over_grpc: Callable[[], grpc.Channel | None]) -> None:
        self.core = core.ChannelCore()
        self.core.pick = self.pick
        self.core.target = picker.target
        self.core.user_agent = picker.user_agent(core.ThreadConnection.dialect)
        if picker.forced and picker.possible:
            self.core.connect_soon = self._connect_soon
        self._over_grpc = over_grpc
        self._connectivity = Connectivity()
        self._picker = picker
        self._pid = os.getpid()
        self._closed = False
        self._orphaned = False  # nobody makes calls any more; those that were made go on
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()  # guards everything here, and the picker
        self._attempting = False
        self._pursuing = False  # the thread exists
        self._wished = False  # a subscriber asked to connect
        self._following = False  # gRPC tells us its channel's state
        self._backoff = Backoff(self._picker.options.longest_pause)
        self._try_at = 0.0

    def __repr__(self) -> str:
        return f"<Connector {self._picker.target} {self._connectivity.state.name} conn={self.core.conn!r}>"

    # -- calls

    def pick(
        self, credentials: grpc.CallCredentials | None, timeout: float | None
    ) -> ThreadConnection | None:
        """A memory connection for the next call, or None: gRPC carries it.

        Raises:
            RpcError: the memory queue is demanded and cannot be had, or the deadline passed.
            ValueError: the channel is closed.
        """
        picker = self._picker
        deadline = None if timeout is None else time.monotonic() + timeout
        tried = late = False
        while not late:
            with self._changed:
                self._check_open()
                if credentials is not None:
                    if picker.forced:
                        raise errors.rpc_error(grpc.StatusCode.UNAUTHENTICATED, NO_CALL_CREDENTIALS)
                    picker.picked = GRPC
                    return None
                conn = self._live()
                if conn is not None:
                    picker.picked = SHM
                    return conn
                left = None if deadline is None else deadline - time.monotonic()
                if self._attempting:  # perhaps since before the server was there: after it, try again
                    late = not self._changed.wait(left)
                    continue
                if tried or not picker.worth_trying():
                    break
                self._attempting = tried = True
            self._attempt(left)
        if picker.forced:
            if late:
                raise errors.rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
            raise picker.refused()
        picker.picked = GRPC
        self._follow_grpc(try_to_connect=False)
        return None

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("Cannot invoke RPC on closed channel!")

    def _live(self) -> ThreadConnection | None:
        """The connection, if it takes calls now. The lock is held."""
        conn: ThreadConnection | None = self.core.conn
        if conn is not None and (conn.dead or conn.draining):
            conn.watch(None)
            conn.retire()
            self.core.conn = conn = None
            self._connectivity.tell(_IDLE)
        return conn

    # -- connecting

    def _attempt(self, timeout: float | None) -> None:
        """Try once to connect. `_attempting` was set, so nobody else does.

        Raises:
            DeadlineExceeded: the memory queue is demanded, and `timeout` passed meanwhile.
        """
        conn = None
        try:
            if self._connectivity.state is _IDLE:  # a failure lasts until there is a connection
                self._connectivity.tell(_CONNECTING)
            conn = self._picker.connect(timeout, core.ThreadConnection)
        finally:
            with self._changed:
                self._attempting = False
                if conn is None:
                    self._failed()
                    self._pursue_if_needed()
                elif self._closed:
                    conn.close()
                else:
                    self._adopt(conn)
                self._changed.notify_all()

    def _failed(self) -> None:
        if self._picker.forced:
            self._connectivity.tell(_TRANSIENT_FAILURE)
        if not self._connectivity.wanted:
            self._wished = False
            self._forget_grpc()
        now = time.monotonic()
        if now >= self._try_at:
            self._try_at = now + self._backoff.next()

    def _adopt(self, conn: ThreadConnection) -> None:
        self.core.conn = conn
        self._wished = False
        self._backoff.reset()
        self._try_at = 0.0
        self._connectivity.tell(_READY)
        self._watch(conn)

    def _watch(self, conn: ThreadConnection) -> None:
        """Have the connection's end told to those who subscribed."""
        if self._connectivity.wanted and not conn.watch(self._connection_ended):
            self._live()

    def _connection_ended(self) -> None:
        with self._changed:
            self._live()
            self._pursue_if_needed()

    # -- waiting and hoping

    def _connect_soon(self) -> None:
        """Calls were parked."""
        with self._changed:
            self._check_open()
            self._pursue_if_needed()

    def _needed(self) -> bool:
        """Is there somebody for whom to try? The lock is held."""
        if self._closed:
            return False
        if self.core.waiting:
            return True
        if self.core.conn is not None:
            return False
        if self._wished:
            return True
        failing = self._picker.forced and self._connectivity.state is _TRANSIENT_FAILURE
        return failing and self._connectivity.wanted

    def _pursue_if_needed(self) -> None:
        if self._pursuing:
            self._changed.notify_all()
        elif self._needed():
            self._pursuing = True
            threading.Thread(target=self._pursue, name="sage_rpc connector", daemon=True).start()

    def _pursue(self) -> None:
        """Connect and start the calls that wait, for as long as there is somebody for whom to try."""
        while True:
            left = self.core.expire()
            with self._changed:
                conn = None if self._closed else self._live()
                if not self._needed():
                    self._pursuing = False
                    return
                if conn is None:
                    pause = self._try_at - time.monotonic()
                    if self._attempting or pause > 0:
                        waits = [
                            seconds
                            for seconds in (left, None if self._attempting else pause)
                            if seconds is not None
                        ]
                        self._changed.wait(min(waits, default=None))
                        continue
                    self._attempting = True
            if conn is None:
                self._attempt(None)
                if self.core.conn is None and not self._picker.forced:
                    self._wished = False
                    self._picker.picked = GRPC
                    self._follow_grpc(try_to_connect=True)
                continue
            self.core.launch(conn)
            if self._orphaned:
                conn.retire()

    # -- the channel's state

    def subscribe(self, callback: Callable[[grpc.ChannelConnectivity], None], try_to_connect: bool) -> None:
        """Tell `callback` the state from now on, in another thread; with `try_to_connect`, connect."""
        with self._changed:
            if self._closed:
                return
            conn = self._live()
            if conn is not None and not conn.watch(self._connection_ended):
                conn = self._live()
            self._connectivity.subscribe(callback)
            if conn is None:
                self._wished = self._wished or try_to_connect
                self._pursue_if_needed()
        if conn is None and self._picker.picked == GRPC:
            self._follow_grpc(try_to_connect=False)

    def unsubscribe(self, callback: Callable[[grpc.ChannelConnectivity], None]) -> None:
        """Tell `callback` nothing more."""
        self._connectivity.unsubscribe(callback)
        with self._changed:
            if self._connectivity.wanted:
                return
            conn, following, self._following = self.core.conn, self._following, False
            if conn is not None:
                conn.watch(None)
            self._forget_grpc()
            self._changed.notify_all()
        over_grpc = self._over_grpc() if following else None
        if over_grpc is not None:
            over_grpc.unsubscribe(self._hear_grpc)

    def _follow_grpc(self, *, try_to_connect: bool) -> None:
        """Have gRPC, which carries the calls, tell its channel's state, if anybody wants to know."""
        if not self._connectivity.wanted:
            return
        over_grpc = self._over_grpc()
        if over_grpc is None:
            return
        with self._changed:
            follows, self._following = self._following, True
        if follows and not try_to_connect:
            return
        if follows:
            over_grpc.unsubscribe(self._hear_grpc)  # subscribed anew below: that is how to make it connect
        over_grpc.subscribe(self._hear_grpc, try_to_connect)

    def _forget_grpc(self) -> None:
        """Nobody wants to know gRPC's state, so what was heard of it grows old. The lock is held."""
        if not self._picker.forced and self.core.conn is None:
            self._connectivity.tell(_IDLE)

    def _hear_grpc(self, state: grpc.ChannelConnectivity) -> None:
        with self._changed:
            if self._closed or not self._following or self._live() is not None:
                return
            if state is _IDLE and self._connectivity.state is _CONNECTING:
                return  # it is about to begin
            self._connectivity.tell(state)

    # -- the end

    def close(self) -> None:
        """End the calls under way and those that wait with CANCELLED; later ones are a ValueError."""
        with self._changed:
            self._closed = True
            conn, self.core.conn = self.core.conn, None
            self._connectivity.unsubscribe_all()
            self._changed.notify_all()
        if conn is not None:
            conn.close()
        self.core.end_parked(_CANCELLED, "Channel closed!")

    def let_go(self) -> None:
        """Nobody holds the channel any more: calls under way finish. For a finalizer, so no lock is taken."""
        self._orphaned = True
        self._connectivity.unsubscribe_all()
        conn = self.core.conn
        if conn is not None and os.getpid() == self._pid:
            conn.watch(None)
            conn.retire()

    def forget_parent(self) -> None:
        """In a forked child nothing of the parent's connection may be used, not even the lock."""
        self._begin()
        self._pid = os.getpid()
        self.core.conn = None
        self.core.generation += 1
        self.core.forget_parked("the process was forked")
        self._connectivity.forget_parent()
        self._picker.forget_failures()
