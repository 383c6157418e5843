"""Every way to invoke an RPC, behind one face: a promise about calls is tested for each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest

from tests.conformance.service import SECONDS

__all__ = ["ASYNCHRONOUS", "BLOCKING", "WAYS", "WITH_CALL", "Outcome", "Way", "failure", "ways"]


@dataclass
class Outcome:
    """How a call ended.

    Attributes:
        responses: what was received, in order.
        error: the `grpc.RpcError` that was raised, or None.
        call: the call, where this way of invoking gives one, or the error, which is one too.
    """

    responses: list[Any] = field(default_factory=list)
    error: Any = None
    call: Any = None

    @property
    def status(self) -> tuple[grpc.StatusCode, str]:
        if self.call is None:
            assert self.error is None
            return grpc.StatusCode.OK, ""
        return self.call.code(), self.call.details()


@dataclass(frozen=True)
class Way:
    """One kind of RPC, invoked in one style: "call", "with_call", "future" or "iterator"."""

    kind: str
    style: str

    @property
    def request_streaming(self) -> bool:
        return self.kind.startswith("stream")

    @property
    def response_streaming(self) -> bool:
        return self.kind.endswith("stream")

    @property
    def gives_call(self) -> bool:
        return self.style != "call"

    def invoke(self, method: Any, requests: Sequence[Any] = (b"request",), **arguments: Any) -> Any:
        """What the invocation itself returns; for a unary request, `requests` holds it."""
        request = iter(requests) if self.request_streaming else requests[0]
        function = method if self.style in {"call", "iterator"} else getattr(method, self.style)
        return function(request, **arguments)

    def start(self, method: Any, requests: Iterable[Any] = (b"request",), **arguments: Any) -> Any:
        """A call under way: only for the styles of `ASYNCHRONOUS`."""
        assert self.style in {"future", "iterator"}
        return self.invoke(method, requests, **arguments)

    def finish(self, call: Any) -> Outcome:
        """Wait for the end of a call under way."""
        outcome = Outcome(call=call)
        try:
            if self.style == "future":
                outcome.responses.append(call.result(timeout=SECONDS))
            else:
                outcome.responses.extend(call)
        except grpc.RpcError as error:
            outcome.error = error
        return outcome

    def run(self, method: Any, requests: Sequence[Any] = (b"request",), **arguments: Any) -> Outcome:
        """Invoke and wait for the end; an `RpcError` is part of the outcome."""
        arguments.setdefault("timeout", SECONDS)
        try:
            answer = self.invoke(method, requests, **arguments)
        except grpc.RpcError as error:
            return Outcome(error=error, call=error)
        if self.style == "call":
            return Outcome([answer])
        if self.style == "with_call":
            return Outcome([answer[0]], call=answer[1])
        return self.finish(answer)

    def run_or_raise(self, method: Any, request: Any, **arguments: Any) -> Any:
        """Invoke with `request` just as it is, and wait for the end; raises the error."""
        arguments.setdefault("timeout", SECONDS)
        function = method if self.style in {"call", "iterator"} else getattr(method, self.style)
        answer = function(request, **arguments)
        if self.style == "iterator":
            return list(answer)
        return answer.result(timeout=SECONDS) if self.style == "future" else answer

    def __str__(self) -> str:
        return f"{self.kind}-{self.style}"


WAYS = tuple(
    Way(kind, style)
    for kind, styles in (
        ("unary_unary", ("call", "with_call", "future")),
        ("unary_stream", ("iterator",)),
        ("stream_unary", ("call", "with_call", "future")),
        ("stream_stream", ("iterator",)),
    )
    for style in styles
)
WITH_CALL = tuple(way for way in WAYS if way.gives_call)
ASYNCHRONOUS = tuple(way for way in WAYS if way.style in {"future", "iterator"})
BLOCKING = tuple(way for way in WAYS if way.style in {"call", "with_call"})


def ways(chosen: Sequence[Way] = WAYS) -> pytest.MarkDecorator:
    """Parametrise a test over ways to invoke, as `way`."""
    return pytest.mark.parametrize("way", chosen, ids=str)


def failure(outcome: Outcome) -> tuple[grpc.StatusCode, str]:
    """Status and details of a call that must have raised."""
    assert isinstance(outcome.error, grpc.RpcError), f"no error, but {outcome.responses}"
    return outcome.error.code(), outcome.error.details()
