"""What a job's main process and its worker processes say to each other.

One Unix socket pair per worker; messages are pickled, with their size in front. The worker's end is its
lifeline too: end-of-file means that the main process is gone, and the worker ends.

    worker                          main
    Bound (services)          ->         its address is known, nothing is served yet
                              <-    Start      where all services are; run setup()
    Opened (services)         ->         it says about its health that it is not serving yet
    Ready                     ->         setup() is done; a service answers calls
                              <-    Go (operators)      rows may flow
                              <-    Policies (supervised services)      what holds for calls
                              <-    Finish (sources, services)     produce no more; serve no more
                              <-    Stop       end now, within a limited time
    Done                      ->         cleanup() is done, the process ends
    Failed | Lost             ->         at any time
"""

from __future__ import annotations

import contextlib
import pickle
import socket
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sage_rpc.processes.pickling import dumps
from sage_rpc.services.manager import ServiceEndpoint
from sage_rpc.text.exceptions import text_of, traceback_of, type_name

__all__ = [
    "Bound",
    "Done",
    "Failed",
    "Finish",
    "Go",
    "Lost",
    "Message",
    "Messages",
    "Opened",
    "Policies",
    "Ready",
    "Start",
    "Stop",
    "packed",
    "send",
]

_SIZE = struct.Struct("<Q")
_LARGEST_EXCEPTION = 1 << 20  # bytes of a pickled one; of larger ones only the text travels


@dataclass(frozen=True)
class Bound:
    """A service has an address.

    Attributes:
        target: a gRPC target.
    """

    target: str


@dataclass(frozen=True)
class Start:
    """Where the services are.

    Attributes:
        endpoints: name -> endpoint.
        descriptors: serialized protobuf files of the declared ones, each after those it imports.
        timeout: seconds a call may take where it says nothing else.
        options: of the channels to services.
    """

    endpoints: dict[str, ServiceEndpoint]
    descriptors: tuple[bytes, ...]
    timeout: float | None
    options: tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Opened:
    """A service has been opened; setup() comes next.

    Attributes:
        sockets: paths that must be removed when its process cannot.
    """

    sockets: tuple[str, ...]


@dataclass(frozen=True)
class Ready:
    """setup() is done."""


@dataclass(frozen=True)
class Go:
    """Every operator is ready: rows may flow."""


@dataclass(frozen=True)
class Policies:
    """What holds for the calls of services, from now on.

    Attributes:
        policies: by the names of the services, as their configurations say.
    """

    policies: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Finish:
    """Come to an end: a source produces no more rows, a service serves no more."""


@dataclass(frozen=True)
class Stop:
    """End now."""


@dataclass(frozen=True)
class Done:
    """All went well.

    Attributes:
        rows_in: rows taken.
        rows_out: rows given on.
        served: calls that were served, as `Stats.to_list` has them, where they were counted.
    """

    rows_in: int = 0
    rows_out: int = 0
    served: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Failed:
    """User code, or what it needs, raised.

    Attributes:
        during: what was done, for example "setup()".
        type_name: qualified name of the exception's class.
        message: its text.
        remote_traceback: as the worker's interpreter prints it.
        pickled: the exception itself, where it can be pickled.
    """

    during: str
    type_name: str
    message: str
    remote_traceback: str
    pickled: bytes | None

    @classmethod
    def of(cls, during: str, error: BaseException) -> Failed:
        """What is to be said of `error`."""
        pickled = None
        with contextlib.suppress(BaseException):  # its __reduce__ is the user's code
            pickled = dumps(error)
        if pickled is not None and len(pickled) > _LARGEST_EXCEPTION:
            pickled = None
        name = type_name(type(error)).removeprefix("builtins.")
        return cls(during, name, text_of(error), traceback_of(error, error.__traceback__), pickled)

    def exception(self) -> BaseException | None:
        """The exception itself, where it survived the journey."""
        with contextlib.suppress(BaseException):  # its __setstate__ is the user's code
            found = pickle.loads(self.pickled or b"")  # noqa: S301 - from a process of our own
            return found if isinstance(found, BaseException) else None
        return None


@dataclass(frozen=True)
class Lost:
    """A neighbour is gone; whatever happened to it is the reason, this is not.

    Attributes:
        reason: what was seen.
    """

    reason: str


Message = Bound | Start | Opened | Ready | Go | Policies | Finish | Stop | Done | Failed | Lost


def send(sock: socket.socket, message: Message) -> None:
    """Send `message`.

    Raises:
        OSError: the other process is gone.
    """
    sock.sendall(packed(message))


def packed(message: Message) -> bytes:
    """`message` as it is sent."""
    data = pickle.dumps(message)
    return _SIZE.pack(len(data)) + data


class Messages:
    """Puts messages together from what arrives in pieces."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[Any]:
        """The messages that are complete with `data`."""
        self._data += data
        while len(self._data) >= _SIZE.size:
            (size,) = _SIZE.unpack_from(self._data)
            end = _SIZE.size + size
            if len(self._data) < end:
                return
            message = pickle.loads(self._data[_SIZE.size : end])  # noqa: S301 - from a process of our own
            del self._data[:end]
            yield message

    def __repr__(self) -> str:
        return f"<Messages {len(self._data)} bytes pending>"
