"""What a service process counts of the calls it serves: numbers, latencies, errors, the last calls."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import grpc

from sage_rpc.observe.histogram import Histogram
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.serving import CLOSE
from sage_rpc.text.exceptions import text_of

__all__ = ["UNKNOWN", "Counts", "Meter"]

UNKNOWN = "(unknown)"  # all methods that were asked for and are none: callers choose their names
_KEPT_ERRORS, _KEPT_CALLS = 50, 200


@dataclass
class Counts:
    """Of one method, or of several together.

    Attributes:
        codes: name of a status code -> calls that ended with it.
        histogram: how long they took.
    """

    codes: dict[str, int] = field(default_factory=dict)
    histogram: Histogram = field(default_factory=Histogram)

    @property
    def calls(self) -> int:
        """How many."""
        return sum(self.codes.values())

    @property
    def failures(self) -> int:
        """How many did not end with OK."""
        return self.calls - self.codes.get("OK", 0)

    def merge(self, other: Counts) -> None:
        """Count everything that `other` has counted, too."""
        for code, count in other.codes.items():
            self.codes[code] = self.codes.get(code, 0) + count
        self.histogram.merge(other.histogram)

    def since(self, before: Counts | None) -> Counts:
        """What was counted after `before`, which counted the same."""
        if before is None or before.calls > self.calls:  # another process, by now
            return self
        codes = {code: count - before.codes.get(code, 0) for code, count in self.codes.items()}
        old = before.histogram
        counts = {b: n - old.counts.get(b, 0) for b, n in self.histogram.counts.items()}
        spent = self.histogram.total_ns - old.total_ns
        return Counts(
            {c: n for c, n in codes.items() if n}, Histogram({b: n for b, n in counts.items() if n}, spent)
        )

    def as_dict(self) -> dict[str, Any]:
        """For the wire."""
        return {
            "codes": dict(self.codes),
            "durations": dict(self.histogram.counts),
            "total_ns": self.histogram.total_ns,
        }

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Counts:
        """What `as_dict` gave."""
        return cls(dict(value["codes"]), Histogram(value["durations"], value["total_ns"]))


class Meter:
    """Counts the calls of a process."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.Lock())  # guards everything here
        self._methods: dict[str, Counts] = {}
        self._errors: deque[dict[str, Any]] = deque(maxlen=_KEPT_ERRORS)
        self._calls: deque[tuple[float, str, float, str, str, str]] = deque(maxlen=_KEPT_CALLS)
        self._begun = 0
        self._watched = False
        self.active = 0

    def wait_until_quiet(self, quiet: float, timeout: float) -> bool:
        """Wait until no call is under way and none has begun for `quiet` seconds. -> whether it was so."""
        end = time.monotonic() + timeout
        with self._changed:
            self._watched = True
            while True:
                left = end - time.monotonic()
                if left <= 0:
                    return False
                begun = self._begun
                if self.active:
                    self._changed.wait_for(lambda: not self.active, left)
                elif not self._wait_for_a_call(begun, min(quiet, left)):
                    return quiet <= left

    def _wait_for_a_call(self, begun: int, seconds: float) -> bool:
        return self._changed.wait_for(lambda: self._begun != begun, seconds)

    def report(self) -> dict[str, Any]:
        """What was counted, for the wire."""
        with self._changed:
            return {
                "active": self.active,
                "methods": {name: counts.as_dict() for name, counts in self._methods.items()},
                "errors": list(self._errors),
                "calls": [list(call) for call in self._calls],
            }

    def measured(
        self, handler: grpc.RpcMethodHandler, name_of: Callable[[Any], str]
    ) -> grpc.RpcMethodHandler:
        """`handler`, counted.

        Args:
            handler: of any of the four kinds.
            name_of: request -> name of the method; gets None where requests stream.
        """
        streams_in, streams_out = bool(handler.request_streaming), bool(handler.response_streaming)
        behavior = (
            (handler.stream_stream if streams_in else handler.unary_stream)
            if streams_out
            else (handler.stream_unary if streams_in else handler.unary_unary)
        )

        def unary(request: Any, context: grpc.ServicerContext) -> Any:
            began = self._begin()
            response = None
            try:
                response = behavior(request, context)
                return response
            except BaseException as error:
                name = name_of(None if streams_in else request)
                self._end(began, name, context, _failure(context), text_of(error) or _details(context))
                began = 0.0
                raise
            finally:
                if began:
                    code, text = _outcome(response, context)
                    self._end(began, name_of(None if streams_in else request), context, code, text)

        def stream(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            began = self._begin()
            code, text = "CANCELLED", "the caller left"
            try:
                yield from behavior(request, context)
                code, text = _outcome(None, context)
            except GeneratorExit:
                raise
            except BaseException as error:
                code, text = _failure(context), text_of(error) or _details(context)
                raise
            finally:
                self._end(began, name_of(None if streams_in else request), context, code, text)

        kinds: dict[tuple[bool, bool], Any] = {
            (False, False): grpc.unary_unary_rpc_method_handler,
            (False, True): grpc.unary_stream_rpc_method_handler,
            (True, False): grpc.stream_unary_rpc_method_handler,
            (True, True): grpc.stream_stream_rpc_method_handler,
        }
        return kinds[streams_in, streams_out](
            stream if streams_out else unary, handler.request_deserializer, handler.response_serializer
        )

    def _begin(self) -> float:
        with self._changed:
            self.active += 1
            self._begun += 1
            if self._watched:
                self._changed.notify_all()
        return time.perf_counter()

    def _end(self, began: float, method: str, context: grpc.ServicerContext, code: str, text: str) -> None:
        seconds = time.perf_counter() - began
        ended = _ended_meanwhile(context)
        if ended is not None:
            code, text = ended
        trace = next((str(v)[3:35] for k, v in context.invocation_metadata() if k == "traceparent"), "")
        peer = context.peer()
        with self._changed:
            self.active -= 1
            counts = self._methods.get(method)
            if counts is None:
                counts = self._methods[method] = Counts()
            counts.codes[code] = counts.codes.get(code, 0) + 1
            counts.histogram.add(seconds)
            now = time.time()
            self._calls.append((now, method, seconds, code, peer, trace))
            if code != "OK":
                self._errors.append(
                    {"time": now, "method": method, "code": code, "text": text[:500], "trace": trace}
                )
            if self._watched:
                self._changed.notify_all()


def _ended_meanwhile(context: grpc.ServicerContext) -> tuple[str, str] | None:
    """What the caller got instead of what the handler made of the call, which came too late."""
    left = context.time_remaining()
    active = context.is_active()
    # The caller's clock may be a little ahead: then its end of the call comes before the deadline does here.
    if left is not None and left <= (0 if active else CLOSE):
        return "DEADLINE_EXCEEDED", "the deadline passed before the handler returned"
    return None if active else ("CANCELLED", "the caller left")


def _failure(context: grpc.ServicerContext) -> str:
    """The code of a call whose handler raised: what abort() was told, else UNKNOWN."""
    code = context.code()
    return code.name if isinstance(code, grpc.StatusCode) and code is not grpc.StatusCode.OK else "UNKNOWN"


def _details(context: grpc.ServicerContext) -> str:
    """What abort() was told."""
    details = context.details()
    return details.decode("utf-8", "replace") if isinstance(details, bytes) else str(details or "")


def _outcome(response: Any, context: grpc.ServicerContext) -> tuple[str, str]:
    """Code and text of a call whose handler returned `response`."""
    code = context.code()
    if isinstance(code, grpc.StatusCode) and code is not grpc.StatusCode.OK:
        return code.name, _details(context)
    if type(response) is invoke_pb2.ServiceResponse and response.HasField("exception"):
        return "UNKNOWN", f"{response.exception.type}: {response.exception.message}"
    return "OK", ""
