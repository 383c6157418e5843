"""The picker: what may carry the calls of a channel, and what a server offers; and why.

In order: a forced transport is obeyed; a target that is not on this host goes over gRPC; a live memory
connection is used; otherwise one is tried, at most every `RETRY_SECONDS` while gRPC carries the calls.

A `Picker` decides and connects; it holds no connection and no lock. Both faces of a channel, the
synchronous and the asyncio one, keep theirs and call it from one thread at a time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from typing import TYPE_CHECKING, Any, TypeVar

import grpc

from sage_rpc import errors, native
from sage_rpc.native import core
from sage_rpc.transport.base import GRPC, IDLE, SHM, Dialer
from sage_rpc.transport.options import Options
from sage_rpc.transport.shm.connect import MemoryDialer

if TYPE_CHECKING:
    from sage_rpc.native._core import ClientConnection

    _Connection = TypeVar("_Connection", bound=ClientConnection)

__all__ = ["NO_CALL_CREDENTIALS", "Picker", "offer"]

RETRY_SECONDS = 0.1
# What gRPC says when a call brings credentials that its channel must not carry.
NO_CALL_CREDENTIALS = (
    "Established channel does not have a sufficient security level to transfer call credential."
)
_DIALERS = (MemoryDialer,)  # in the order in which they are tried; gRPC is what is left
_LOGGER = logging.getLogger("sage_rpc")


class Picker:
    """Decides for one channel.

    Args:
        target: as the user gave it.
        options: the channel's.
        secure: the channel has credentials, so gRPC carries everything.
        endpoint: the server's name in the runtime directory, where more is known than the target tells.

    Attributes:
        reason: why calls do not travel over the memory queue; "" when they do or nothing was tried.
        picked: the name of the transport that was chosen last; IDLE before the first call.
    """

    def __init__(self, target: str, options: Options, *, secure: bool, endpoint: str | None = None) -> None:
        self.target = target
        self.options = options
        self.reason = ""
        self.picked: str = IDLE
        self._dialer: Dialer | None = None
        self._retry_at = 0.0
        if secure:
            self.picked, self.reason = GRPC, "a secure channel goes over gRPC"
        elif options.transport == GRPC:
            self.reason = "the transport is forced to grpc"
        elif options.over_grpc:
            self.reason = options.over_grpc
        else:
            for kind in _DIALERS:
                dialer = kind(target, options, endpoint)
                self.reason = dialer.why_not
                if not dialer.why_not:
                    self._dialer = dialer
                    break

    def __repr__(self) -> str:
        return f"<Picker {self.target} {self.picked}{': ' + self.reason if self.reason else ''}>"

    @property
    def forced(self) -> bool:
        """Whether nothing but the memory queue may carry calls."""
        return self.options.transport == SHM

    @property
    def possible(self) -> bool:
        """Whether the memory queue may carry calls at all, now or later."""
        return self._dialer is not None

    def carrier(self, conn: ClientConnection | None) -> str:
        """The name of what carries calls now, where `conn` is the channel's connection; or IDLE."""
        if conn is not None and not conn.dead:
            return SHM
        return GRPC if self.picked == GRPC else IDLE

    def user_agent(self, dialect: int) -> bytes | None:
        """What calls say of their client, "?" where HTTP would not carry it; None: what the server knows."""
        before, after = self.options.user_agent_before, self.options.user_agent_after
        if not before and not after:
            return None
        text = " ".join([*before, core.USER_AGENTS[dialect], *after])
        return "".join(c if " " <= c <= "~" else "?" for c in text).encode()

    def worth_trying(self) -> bool:
        """Whether a memory connection may come about now. Does no I/O."""
        return self._dialer is not None and (self.forced or time.monotonic() >= self._retry_at)

    def connect(self, timeout: float | None, kind: type[_Connection]) -> _Connection | None:
        """A new memory connection, or None, and then `reason` says why. Blocks for the handshake.

        Args:
            timeout: seconds the handshake may take at most; None for the default.
            kind: class of the connection.

        Raises:
            DeadlineExceeded: the memory queue is demanded, and `timeout` passed meanwhile.
        """
        if self._dialer is None:
            return None
        began = time.monotonic()
        conn: Any
        try:
            conn = self._dialer.dial(kind, timeout)
        except (OSError, core.ProtocolViolation) as error:
            reason = str(error)
            if reason != self.reason and not isinstance(error, ConnectionError) and not self.forced:
                _LOGGER.warning("%s: using gRPC, not the memory queue: %s", self.target, reason)
            self.give_up(reason)
            if self.forced and timeout is not None and time.monotonic() - began >= timeout:
                raise errors.rpc_error(
                    grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded", debug_error_string=reason
                ) from error
            return None
        self.reason = ""
        made: _Connection = conn
        return made

    def give_up(self, reason: str) -> None:
        """There is no connection, or none that will do: try again after a while."""
        self.reason = reason
        self._retry_at = time.monotonic() + RETRY_SECONDS

    def forget_failures(self) -> None:
        """Try again at once: in a forked child, say, everything may be different."""
        self._retry_at = 0.0

    def refused(self, reason: str | None = None) -> errors.RpcError:
        """The error of a call that only the memory queue may carry, and which it cannot."""
        return errors.rpc_error(
            grpc.StatusCode.UNAVAILABLE,
            f"{self.target} cannot be reached over shared memory, as sage_rpc.transport=shm asks: "
            f"{reason or self.reason}",
            never_ran=True,
        )


def offer(
    options: Options, endpoints: Collection[str], start: Callable[[], None], undo: Callable[[], None]
) -> errors.RpcError | None:
    """Have a server that serves over gRPC offer the memory queue, too, where it can.

    Args:
        options: of the server.
        endpoints: names of its insecure ports.
        start: begins to listen; it may raise an OSError.
        undo: ends what `start` had begun then.

    Returns:
        The error of a server of which the memory queue is demanded, and which cannot offer it.
    """
    if options.transport == GRPC or not endpoints:
        return None
    reason = options.over_grpc or native.why_not()
    if not reason:
        try:
            start()
            return None
        except OSError as error:
            reason = str(error)
            undo()
    if options.transport == SHM:
        return errors.rpc_error(
            grpc.StatusCode.UNAVAILABLE,
            f"cannot serve over shared memory, as sage_rpc.transport=shm asks: {reason}",
        )
    _LOGGER.warning("serving over gRPC only, not over the memory queue: %s", reason)
    return None
