"""The one family of errors: each is a `grpc.RpcError`, and also the builtin a Python user catches.

| status              | class            | also a                          |
| ------------------- | ---------------- | ------------------------------- |
| DEADLINE_EXCEEDED   | DeadlineExceeded | TimeoutError                    |
| UNAVAILABLE         | Unavailable      | ConnectionError, RuntimeError   |
| INVALID_ARGUMENT    | InvalidArgument  | ValueError, TypeError           |
| NOT_FOUND           | NotFound         | LookupError                     |
| PERMISSION_DENIED   | PermissionDenied | PermissionError                 |
| UNIMPLEMENTED       | Unimplemented    | NotImplementedError             |
| every other         | RpcError         |                                 |

`rpc_error` picks the class, so the table stands in one place. An UNAVAILABLE whose cause was a refused
connection has the text "connection refused" in lower case, whichever transport met it. Whether a call may be
sent again no text tells, but `never_ran`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Protocol

import grpc
from grpc._channel import _InactiveRpcError

from sage_rpc.text.exceptions import text_of, traceback_of, type_name

__all__ = [
    "NOT_RUN",
    "Abort",
    "Connected",
    "DeadlineExceeded",
    "ErrorState",
    "InvalidArgument",
    "NotFound",
    "PermissionDenied",
    "RemoteError",
    "RpcError",
    "Unavailable",
    "Unimplemented",
    "class_of",
    "debug_string",
    "from_grpc",
    "rpc_error",
]

Metadata = Sequence[tuple[str, str | bytes]]
NOT_RUN = ("sage-rpc-not-run", "1")  # trailing metadata of a call that a server refused before it began it


class ErrorState:
    """The state of a call that has failed."""

    def __init__(self, error: Any) -> None:
        self._error = error
        self.condition = threading.Condition()
        self.due: set[int] = set()
        self.response = None
        self.cancelled = False
        self.callbacks = None

    def __repr__(self) -> str:
        return f"<ErrorState of {self._error!r}>"

    @property
    def code(self) -> grpc.StatusCode | None:
        """How the call ended."""
        found: grpc.StatusCode | None = self._error.code()
        return found

    @property
    def details(self) -> str | None:
        """The text that came with it."""
        found: str | None = self._error.details()
        return found

    @property
    def initial_metadata(self) -> Any:
        """What the server sent first."""
        return self._error.initial_metadata()

    @property
    def trailing_metadata(self) -> Any:
        """What it sent last."""
        return self._error.trailing_metadata()

    @property
    def debug_error_string(self) -> str | None:
        """What a person would want to know besides."""
        found: str | None = self._error.debug_error_string()
        return found


class RpcError(grpc.RpcError, grpc.Call, grpc.Future):
    """A call that ended with another status than OK.

    Like the error of grpc's blocking calls it is also the ended call itself and a done future.

    Attributes:
        never_ran: whether it is certain that the service has not begun the call, which may be sent again.
    """

    def __init__(
        self,
        code: grpc.StatusCode,
        details: str,
        *,
        initial_metadata: Metadata = (),
        trailing_metadata: Metadata = (),
        debug_error_string: str = "",
        never_ran: bool = False,
    ) -> None:
        Exception.__init__(self, details)  # not what may be between: grpcio's wants a state of its own
        self.never_ran = never_ran or NOT_RUN in trailing_metadata
        self._code = code
        self._details = details
        self._initial_metadata = tuple(initial_metadata)
        self._trailing_metadata = tuple(trailing_metadata)
        self._debug_error_string = debug_error_string

    def __str__(self) -> str:
        # grpcio's text, on which people match.
        return (
            f"<{type(self).__name__} of RPC that terminated with:\n\tstatus = {self._code}\n"
            f'\tdetails = "{self._details}"\n\tdebug_error_string = "{self._debug_error_string}"\n>'
        )

    def __repr__(self) -> str:
        return RpcError.__str__(self)

    def __reduce__(self) -> tuple[Any, ...]:
        kept = {name: self.__dict__[name] for name in self.__dict__ if name[0] == "_" or name == "never_ran"}
        kind = _FAMILY.get(type(self))
        return _rebuild, (kind or type(self), self._code, self._details, kept, kind is not None)

    @property
    def _state(self) -> ErrorState:
        return ErrorState(self)

    # -- grpc.Call

    def code(self) -> grpc.StatusCode:
        return self._code

    def details(self) -> str:
        return self._details

    def initial_metadata(self) -> Metadata:
        return self._initial_metadata

    def trailing_metadata(self) -> Metadata:
        return self._trailing_metadata

    def debug_error_string(self) -> str:
        return self._debug_error_string

    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> float | None:
        return None

    def cancel(self) -> bool:
        return False

    def add_callback(self, callback: Callable[[], None]) -> bool:
        return False

    # -- grpc.Future

    def cancelled(self) -> bool:
        return self._code is grpc.StatusCode.CANCELLED

    def running(self) -> bool:
        return False

    def done(self) -> bool:
        return True

    def result(self, timeout: float | None = None) -> Any:
        raise self

    def exception(self, timeout: float | None = None) -> RpcError:
        return self

    def traceback(self, timeout: float | None = None) -> TracebackType | None:
        raised_at: TracebackType | None = self.__traceback__
        return raised_at

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        fn(self)


class DeadlineExceeded(RpcError, TimeoutError):
    """DEADLINE_EXCEEDED."""


class Unavailable(RpcError, ConnectionError, RuntimeError):
    """UNAVAILABLE: the service cannot be reached, or was lost during the call."""


class InvalidArgument(RpcError, ValueError, TypeError):
    """INVALID_ARGUMENT."""


class NotFound(RpcError, LookupError):
    """NOT_FOUND."""


class PermissionDenied(RpcError, PermissionError):
    """PERMISSION_DENIED."""


class Unimplemented(RpcError, NotImplementedError):
    """UNIMPLEMENTED: the service has no such method."""


class RemoteError(RpcError):
    """A method of a plain-class service raised.

    Attributes:
        type_name: qualified name of the remote exception's class, for example "builtins.KeyError".
        message: its text.
        remote_traceback: its traceback as the remote interpreter would have printed it.
    """

    def __init__(self, type_name: str, message: str, remote_traceback: str = "") -> None:
        short = type_name.removeprefix("builtins.")
        super().__init__(grpc.StatusCode.UNKNOWN, f"{short}: {message}" if message else short)
        self.type_name = type_name
        self.message = message
        self.remote_traceback = remote_traceback

    def __str__(self) -> str:
        text = f"the service raised {self._details}"
        return f"{text}\n\nRemote traceback:\n{self.remote_traceback}" if self.remote_traceback else text

    def __reduce__(self) -> tuple[Any, ...]:
        return RemoteError, (self.type_name, self.message, self.remote_traceback)

    @classmethod
    def from_exception(cls, error: BaseException) -> RemoteError:
        """What a caller elsewhere gets to see of `error`."""
        return cls(type_name(type(error)), text_of(error), traceback_of(error, error.__traceback__))


class Abort(Exception):
    """Raised by a method of a plain class: the call ends with this status, instead of as a RemoteError.

    Args:
        code: the status.
        details: what the caller reads.
    """

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        if not isinstance(code, grpc.StatusCode) or code is grpc.StatusCode.OK:
            raise ValueError(f"{code!r} is no status that a call can fail with")
        self.code = code


_CLASSES: dict[grpc.StatusCode, type[RpcError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.INVALID_ARGUMENT: InvalidArgument,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDenied,
    grpc.StatusCode.UNIMPLEMENTED: Unimplemented,
}


def class_of(code: grpc.StatusCode) -> type[RpcError]:
    """The class of the family for calls that ended with `code`, as the table above has it."""
    return _CLASSES.get(code, RpcError)


def _ended(family: Any) -> Any:
    """`family` for the error of a blocking call, which to grpcio's users is a class of its own.

    The error of a future or of a stream is that call itself, and no such thing.
    """
    named = {"__module__": __name__, "__qualname__": family.__qualname__, "__doc__": family.__doc__}
    return type(family)(family.__name__, (family, _InactiveRpcError), named)


_FAMILIES: tuple[type[RpcError], ...] = (RpcError, *_CLASSES.values())
_ENDED: dict[type[RpcError], type[RpcError]] = {family: _ended(family) for family in _FAMILIES}
_FAMILY = {ended: family for family, ended in _ENDED.items()}


def _rebuild(
    kind: type[RpcError], code: grpc.StatusCode, details: str, kept: dict[str, Any], ended: bool = False
) -> RpcError:
    error = (_ENDED[kind] if ended else kind)(code, details)
    error.__dict__.update(kept)
    return error


def rpc_error(
    code: grpc.StatusCode,
    details: str,
    *,
    initial_metadata: Metadata = (),
    trailing_metadata: Metadata = (),
    debug_error_string: str = "",
    never_ran: bool = False,
) -> RpcError:
    """The error of a call that ended with `code`."""
    return _ENDED[class_of(code)](
        code,
        details,
        initial_metadata=initial_metadata,
        trailing_metadata=trailing_metadata,
        debug_error_string=debug_error_string,
        never_ran=never_ran,
    )


class Connected(Protocol):
    """A channel that tells whether gRPC has a connection for it."""

    @property
    def connected_over_grpc(self) -> bool: ...


# How details begin where gRPC's core had no connection to send a call on.
_NO_CONNECTION = ("failed to connect to all addresses", "errors resolving ", "DNS resolution failed")


def from_grpc(error: grpc.RpcError, channel: Connected | None = None) -> RpcError:
    """`error`, of grpcio or of an interceptor, as one of the family; the original is its `__cause__`.

    Args:
        error: what was raised.
        channel: what the call was made on. That a call never left, gRPC tells by its text alone, which a
            server may use as well: only with a channel that has no connection it is believed.
    """
    if isinstance(error, RpcError):
        return error
    code, details, initial, trailing, debug = _end_of(error)
    if not isinstance(code, grpc.StatusCode) or code is grpc.StatusCode.OK:
        code, details = grpc.StatusCode.UNKNOWN, details or str(error)
    unavailable = code is grpc.StatusCode.UNAVAILABLE
    never_ran = getattr(error, "never_ran", None)
    if never_ran is None:
        unsent = unavailable and details.startswith(_NO_CONNECTION)
        never_ran = unsent and channel is not None and not channel.connected_over_grpc
    refused = unavailable and "connection refused" in (details + debug).lower()
    if refused and "connection refused" not in details:
        details = f"connection refused: {details}"
    converted = rpc_error(
        code,
        details,
        initial_metadata=initial,
        trailing_metadata=trailing,
        debug_error_string=debug,
        never_ran=never_ran,
    )
    converted.__cause__ = error
    return converted


def _end_of(error: grpc.RpcError) -> tuple[Any, str, Metadata, Metadata, str]:
    """Code, details, initial and trailing metadata and grpcio's text for people, without waiting for them.

    The error of a future or a stream of grpcio's is the call itself, whose methods wait: for ever where
    this side has ended the call, which never gets a text, and in a callback, whose thread is the one that
    would receive the metadata. So not the call is asked, but its state.
    """
    state = getattr(error, "_state", None)
    if hasattr(state, "debug_error_string"):
        asked: list[Any] = [getattr(state, name, None) for name in _PARTS]
    else:
        methods = (getattr(error, name, None) for name in _PARTS)
        asked = [method() if callable(method) else None for method in methods]
    code, details, initial, trailing, debug = asked
    return code, _text(details), initial or (), trailing or (), _text(debug)


_PARTS = ("code", "details", "initial_metadata", "trailing_metadata", "debug_error_string")


def debug_string(call: Any) -> str:
    """What grpcio has to say to people about how a call of its own ended; "" where it says nothing."""
    return _end_of(call)[4]


def _text(said: Any) -> str:
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else said or ""
