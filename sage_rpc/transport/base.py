"""The seam: what a way to carry calls is called, and what it offers to channels and to servers.

A transport has a `Dialer` for each channel and a `Listener` for each server; the picker (`picker.py`) holds
the only list of them, and says which one a call takes. gRPC, which can reach everything, is what is left when
no other dialer can: its connections are grpcio's channels (`grpc.py`), and its listener is grpcio's server.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

if TYPE_CHECKING:
    from sage_rpc.native._core import ClientConnection

__all__ = ["AUTO", "GRPC", "IDLE", "MIXED", "SHM", "TRANSPORTS", "Dialer", "Listener"]

AUTO: Final = "auto"  # what may be asked for, only: the picker decides
SHM: Final = "shm"  # the memory queue
GRPC: Final = "grpc"
IDLE: Final = "idle"  # nothing has carried a call yet
MIXED: Final = "mixed"  # of several endpoints: some by this, some by that
TRANSPORTS: Final = (AUTO, SHM, GRPC)


class Dialer(Protocol):
    """Makes the connections of one channel over one transport."""

    name: str
    why_not: str  # it cannot carry calls of this channel, now or later; "": perhaps it can

    def dial(self, kind: type[ClientConnection], timeout: float | None) -> ClientConnection:
        """A new connection. Blocks.

        Args:
            kind: its class: one that threads drive, or one that an event loop drives.
            timeout: seconds it may take at most; None for the default.

        Raises:
            ConnectionError: nobody is there, or the server said no.
            OSError: this side cannot.
            ProtocolViolation: what is there speaks another language.
        """


class Listener(Protocol):
    """Lets clients in over one transport, for one server, and reads what they send."""

    core: Any  # of the native core: it runs the calls

    @property
    def published(self) -> tuple[Path, ...]:
        """Where clients find it."""

    def listen(self, endpoint: str) -> None:
        """Be there for clients of `endpoint`. Raises an OSError that says why it cannot."""

    def unpublish(self) -> None:
        """Let no new client in."""
