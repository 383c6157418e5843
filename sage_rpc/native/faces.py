"""Private names of grpcio's that other packages read, as thin faces of what ours know.

py-grpc-prometheus reads `context._state.code`, opencensus `context._rpc_event.call_details.method`, agents
`multicallable._channel.target()`. Rule: a face holds the object that it speaks for and nothing of its own;
what grpcio keeps there and ours do not is not invented.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import grpc

from sage_rpc.errors import ErrorState

__all__ = ["CallState", "NativeCall", "NativeChannel", "RpcEvent", "ServicerState"]


class NativeChannel:
    """gRPC's native channel below one of ours, or what a multicallable knows of it.

    Whatever but the target is asked of it, gRPC's own answers.
    """

    def __init__(self, target: str, over_grpc: Callable[[], Any] | None = None) -> None:
        self._target = target
        self._over_grpc = over_grpc

    def __repr__(self) -> str:
        return f"<NativeChannel {self._target}>"

    def __getattr__(self, name: str) -> Any:
        if self._over_grpc is None or name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._over_grpc()._channel, name)

    def target(self) -> bytes:
        """Where it leads."""
        return self._target.encode()


class CallState(ErrorState):
    """The state of a call that may be under way: what is not known yet is None."""

    def __init__(self, handle: Any) -> None:
        super().__init__(handle)
        self.cancelled = handle.cancelled()

    @property
    def code(self) -> grpc.StatusCode | None:
        """How the call ended."""
        return super().code if self._error.done() else None

    @property
    def details(self) -> str | None:
        """The text that came with it."""
        return super().details if self._error.done() else None

    @property
    def initial_metadata(self) -> Any:
        """What the server sent first."""
        return super().initial_metadata if self._error.done() else None

    @property
    def trailing_metadata(self) -> Any:
        """What it sent last."""
        return super().trailing_metadata if self._error.done() else None

    @property
    def debug_error_string(self) -> str | None:
        """What a person would want to know besides."""
        return super().debug_error_string if self._error.done() else None


class NativeCall:
    """What a call's handle knows of the call below it."""

    def __init__(self, handle: Any) -> None:
        self._handle = handle

    def __repr__(self) -> str:
        return f"<NativeCall of {self._handle!r}>"

    def cancel(self, code: int = 1, details: str = "") -> None:
        """End the call from this side."""
        self._handle.cancel()


class ServicerState:
    """The state of a call that is being served."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.condition = threading.Condition()
        self.due: set[str] = set()
        self.rpc_errors: list[Exception] = []
        self.request = None
        self.compression_algorithm = None
        self.disable_next_compression = False

    def __repr__(self) -> str:
        return f"<ServicerState of {self._context!r}>"

    @property
    def client(self) -> str:
        """What is known of the client: "open" or "cancelled"."""
        return "cancelled" if self._context._facts()[1] else "open"

    @property
    def statused(self) -> bool:
        """Whether the end of the call was sent."""
        return bool(self._context._facts()[2])

    @property
    def aborted(self) -> bool:
        """Whether the handler has called abort()."""
        return bool(self._context._facts()[3])

    @property
    def initial_metadata_allowed(self) -> bool:
        """Whether initial metadata may still be sent."""
        return bool(self._context._facts()[4])

    @property
    def code(self) -> Any:
        """What the handler has set, or None."""
        return self._context.code()

    @code.setter
    def code(self, code: Any) -> None:
        self._context.set_code(code)

    @property
    def details(self) -> bytes | None:
        """What the handler has set, or None."""
        found: bytes | None = self._context.details()
        return found

    @details.setter
    def details(self, details: str | bytes) -> None:
        self._context.set_details(details)

    @property
    def trailing_metadata(self) -> Any:
        """What the handler has set, or None."""
        return self._context.trailing_metadata()

    @trailing_metadata.setter
    def trailing_metadata(self, metadata: Any) -> None:
        self._context.set_trailing_metadata(metadata)


class RpcEvent:
    """The event with which a call arrived."""

    def __init__(self, context: Any) -> None:
        self._context = context
        self.success = True

    def __repr__(self) -> str:
        return f"<RpcEvent of {self._context!r}>"

    @property
    def invocation_metadata(self) -> Any:
        """As the context's."""
        return self._context.invocation_metadata()

    @property
    def call_details(self) -> Any:
        """`method` and `host`, bytes, and the `deadline` by the clock of time.time()."""
        left = self._context.time_remaining()
        return SimpleNamespace(
            method=self._context._facts()[0].encode(),
            host=b"localhost",
            deadline=float("inf") if left is None else time.time() + left,
        )

    @property
    def call(self) -> Any:
        """`peer()`, bytes, and `cancel()`."""
        context = self._context
        return SimpleNamespace(peer=lambda: context.peer().encode(), cancel=context.cancel)
