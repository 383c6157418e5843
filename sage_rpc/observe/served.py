"""What a server counts, and traces, of the calls that it serves: the same figures as of calls that are made.

A `Meter` belongs to a server, or a process. `sage_rpc.observe.measured` puts it around handlers. Rules:

1. A status is the one that the caller got, where the server knows it: of a call whose deadline passed
   DEADLINE_EXCEEDED, of one that was cancelled CANCELLED, whatever the handler made of it later.
2. Names come from what is served, never from callers: what they ask for in vain is counted as `UNKNOWN`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import grpc

from sage_rpc import errors
from sage_rpc.observe.stats import BATCH_OF, CallStats, Stats, StreamRecord
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.serving import CLOSE
from sage_rpc.text.exceptions import text_of
from sage_rpc.transport.base import GRPC, SHM

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["UNKNOWN", "Meter", "ServedRecord", "code_of", "details_of", "is_synchronous"]

UNKNOWN = "(unknown)"  # all methods that were asked for and are none: callers choose their names
_KEPT_ERRORS, _KEPT_CALLS = 50, 200
_NOTHING = contextlib.nullcontext()
_STATUS = {code.value[0]: code for code in grpc.StatusCode}


class Meter:
    """Counts the calls that a server serves.

    Attributes:
        tracing: makes spans, or None.

    Args:
        tracing: makes a span of each; None: none.
    """

    def __init__(self, tracing: Tracing | None = None) -> None:
        self.tracing = tracing
        self._methods: dict[tuple[str, str], CallStats] = {}
        self._errors: deque[dict[str, Any]] = deque(maxlen=_KEPT_ERRORS)
        self._calls: deque[tuple[float, str, float, str, str, str]] = deque(maxlen=_KEPT_CALLS)

    # -- readings

    @property
    def active(self) -> int:
        """Calls under way."""
        return sum(each.started - each.finished for each in tuple(self._methods.values()))

    def stats(self, window: float | None = None) -> Stats:
        """What was counted, as `ServiceManager.stats` gives it of calls that are made: sent are responses."""
        return Stats.read(tuple(self._methods.values()), window)

    def report(self) -> dict[str, Any]:
        """What was counted, for the wire."""
        return {
            "active": self.active,
            "stats": self.stats().to_list(),
            "errors": list(self._errors),
            "calls": [list(call) for call in self._calls],
        }

    # -- calls

    def not_served(self, service: str, details: grpc.HandlerCallDetails) -> None:
        """Somebody called a method that is not served."""
        stats = self.of(service, UNKNOWN)
        stats.begin()
        code = grpc.StatusCode.UNIMPLEMENTED
        stats.end(time.monotonic_ns(), code, 0, 0, _transport(details), (0, 0))
        self._tell_error(UNKNOWN, code, "Method not found!", "")

    def of(self, service: str, method: str) -> CallStats:
        """The counters of a method."""
        found = self._methods.get((service, method))
        if found is None:
            made = CallStats(service, method, lambda: GRPC)
            found = self._methods.setdefault((service, method), made)
        return found

    def begin(
        self,
        service: str,
        method: str,
        context: Any,
        traced_as: tuple[str, str] | None = None,
        system: str = "grpc",
        over: Callable[[], bool] | None = None,
    ) -> ServedRecord:
        """A call begins.

        Args:
            service: its name.
            method: its name.
            context: of the call.
            traced_as: the names in spans; None: the same.
            system: as OpenTelemetry calls it.
            over: tells whether the caller has left, where the context does not.
        """
        span = None
        if self.tracing is not None:
            span = self.tracing.serve(
                *(traced_as or (service, method)), context.invocation_metadata(), context.peer(), system
            )
        record = ServedRecord(self, self.begun((service, method)), context, span, over)
        if method.startswith(BATCH_OF):
            context.sage_rpc_record = record  # what runs the batch tells it of the members
        return record

    def begun(self, named: tuple[str, str]) -> CallStats:
        """A call of a service's method has begun. -> the method's counters."""
        stats = self._methods.get(named) or self.of(*named)
        stats.begin()
        return stats

    def answered(self, stats: CallStats, began: int, sent: int, received: int, context: Any) -> None:
        """A call with one message each way has ended well, and in time."""
        taken = stats.end(began, None, sent, received, _transport(context))
        self._calls.append((time.time(), stats.method, taken / 1e9, "OK", context.peer(), _trace(context)))

    def ended(
        self, method: str, peer: str, trace: str, seconds: float, error: errors.RpcError | None
    ) -> None:
        """A call has ended, and is counted."""
        code = grpc.StatusCode.OK if error is None else error.code()
        self._calls.append((time.time(), method, seconds, code.name, peer, trace))
        if error is not None:
            self._tell_error(method, code, error.details() or "", trace)

    def _tell_error(self, method: str, code: grpc.StatusCode, text: str, trace: str) -> None:
        self._errors.append(
            {"time": time.time(), "method": method, "code": code.name, "text": text[:500], "trace": trace}
        )


class ServedRecord(StreamRecord):
    """One call that is served.

    Attributes:
        span: of it, or None.
        peer: its caller.
        trace: the id of the caller's trace, or "".
        members: of a batch that came to its end: status -> how many of its calls; None: it is no batch.
    """

    stats: CallStats

    def __init__(
        self, meter: Meter, stats: CallStats, context: Any, span: Any, over: Any = None, began: int = 0
    ) -> None:
        super().__init__(stats, span, began or time.monotonic_ns())
        self._meter = meter
        self._context = context
        # Not to be asked for at the end: grpc.aio dies of it when the call is over.
        self.peer = context.peer()
        self.trace = _trace(context)
        self._over = over
        self.members: Mapping[grpc.StatusCode, int] | None = None

    def current(self) -> contextlib.AbstractContextManager[Any]:
        """What the handler does in it belongs to the span."""
        return _NOTHING if self.span is None else self.span

    def __enter__(self) -> ServedRecord:
        return self

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        """What goes through it has ended the call."""
        cancelled = isinstance(error, asyncio.CancelledError) and not is_synchronous(self._context)
        if cancelled or isinstance(error, GeneratorExit):
            self.left()
        elif error is not None:
            self.raised(error)

    def returned(self, response: Any = None) -> None:
        """The handler has returned `response`, or given all of its responses."""
        code = code_of(self._context)
        if code is not grpc.StatusCode.OK:
            self.finish(errors.rpc_error(code, details_of(self._context)))
        elif type(response) is invoke_pb2.ServiceResponse and response.HasField("exception"):
            remote = response.exception
            self.finish(errors.RemoteError(remote.type, remote.message, remote.traceback))
        else:
            self.finish(None)

    def raised(self, error: BaseException) -> None:
        """The handler raised `error`, which may be what abort() raises."""
        context = self._context
        code = code_of(context)
        if code is grpc.StatusCode.OK:
            text = f"{type(error).__name__}: {text_of(error)}"
            self.finish(errors.rpc_error(grpc.StatusCode.UNKNOWN, text))
            return
        # In asyncio, abort() has told the caller already.
        told = not is_synchronous(context) and type(error).__name__ == "AbortError"
        self.finish(errors.rpc_error(code, details_of(context) or text_of(error)), told=told)

    def left(self) -> None:
        """The caller has left before the handler came to its end."""
        self.finish(errors.rpc_error(grpc.StatusCode.CANCELLED, _LEFT), left=True)

    def finish(self, error: errors.RpcError | None, *, left: bool = False, told: bool = False) -> None:
        """Count the call as the caller knows it.

        Args:
            error: what the handler made of it.
            left: the caller has left before.
            told: the caller has heard of `error`.
        """
        if not self._open.acquire(blocking=False):
            return
        context = self._context
        if not told:
            error = _ended_meanwhile(context, left or (self._over is not None and self._over())) or error
        transport = _transport(context)
        began = self._began
        self._count(error, transport)
        if error is None and self.members:
            single = self.stats.method.removeprefix(BATCH_OF)
            self._meter.of(self.stats.service, single).members(began, self.members, transport)
        seconds = (time.monotonic_ns() - began) / 1e9
        self._meter.ended(self.stats.method, self.peer, self.trace, seconds, error)


_LEFT = "the caller left"
_CARRIED: dict[type, str] = {}  # classes of contexts -> by what their calls travel
_SYNCHRONOUS: dict[type, bool] = {}
_OF_MEMORY = {
    "sage_rpc.native._core",
    "sage_rpc.rpc.aio.servicing",
    "sage_rpc.rpc.server",
}  # their classes' modules


def _trace(context: Any) -> str:
    """The id of the caller's trace, or ""."""
    for name, value in context.invocation_metadata() or ():
        if name == "traceparent":
            return str(value)[3:35]
    return ""


def _transport(told: Any) -> str:
    """What carried the call of a context, or of what interceptors are told."""
    kind = type(told)
    found = _CARRIED.get(kind)
    if found is None:
        found = _CARRIED[kind] = SHM if kind.__module__ in _OF_MEMORY else GRPC
    return found


def is_synchronous(context: Any) -> bool:
    """Whether it is that of a synchronous server, and so knows whether its call is over."""
    kind = type(context)
    found = _SYNCHRONOUS.get(kind)
    if found is None:
        found = _SYNCHRONOUS[kind] = issubclass(kind, grpc.ServicerContext)
    return found


def _ended_meanwhile(context: Any, left: bool) -> errors.RpcError | None:
    """What the caller got instead of what the handler made of the call, which came too late."""
    remaining = context.time_remaining()
    is_active = getattr(context, "is_active", None)  # contexts of asyncio have none
    active = not left and (is_active is None or is_active())
    # The caller's clock may be a little ahead: then its end of the call comes before the deadline does here.
    if remaining is not None and remaining <= (0 if active else CLOSE):
        return errors.rpc_error(
            grpc.StatusCode.DEADLINE_EXCEEDED, "the deadline passed before the handler returned"
        )
    return None if active else errors.rpc_error(grpc.StatusCode.CANCELLED, _LEFT)


def code_of(context: Any) -> grpc.StatusCode:
    """What the handler has said of the call's end; OK: nothing."""
    code = context.code()
    if isinstance(code, grpc.StatusCode):
        return code
    return _STATUS.get(code, grpc.StatusCode.OK) if isinstance(code, int) else grpc.StatusCode.OK


def details_of(context: Any) -> str:
    """What it has said in words."""
    details = context.details()
    return details.decode("utf-8", "replace") if isinstance(details, bytes) else str(details or "")
