"""Tracing: spans of calls by the OpenTelemetry API, and W3C trace context in the calls' metadata.

The spans follow OpenTelemetry's conventions for RPC: named "service/method", kind CLIENT or SERVER, with
`rpc.system.name`, `rpc.method` and, where a call failed, `rpc.response.status_code` and `error.type`. Who
exports them is the user's choice:
whatever tracer provider is set is used. Without the package opentelemetry-api, asking for tracing is an
error that says what to
install.

A span of the SDK costs as much as a call over the memory queue. Where nothing would see the difference
(`quick_spans`),
a call's span is therefore made when the call has ended, at once and finished.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.observe.quick_spans import QuickSpans, counts_of, failure_of

try:
    from opentelemetry import context as otel_context
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # the extra `tracing` is not installed
    INSTALLED = False
else:
    INSTALLED = True

__all__ = ["CallSpan", "ServedSpan", "TraceContextFilter", "Tracing", "trace_ids"]

_MOST_NAMES = 10_000  # of methods whose attributes are kept
_EXAMINE_SECONDS = 1.0  # how often it is looked whether quick spans have become possible
_OK_AT_SERVER = frozenset(  # what the conventions do not count as the server's error
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.ALREADY_EXISTS,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAUTHENTICATED,
    }
)


class CallSpan:
    """The span of a call that is made; it ends with `end`.

    Attributes:
        metadata: what carries its context to the server.
    """

    __slots__ = ("_span", "metadata")

    def __init__(self, span: Any) -> None:
        self._span = span
        context = span.get_span_context()
        self.metadata: tuple[tuple[str, str], ...] = ()
        if context.is_valid:
            parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
            self.metadata = (("traceparent", parent),)
            if context.trace_state:
                self.metadata += (("tracestate", context.trace_state.to_header()),)

    def end(self, error: BaseException | None, messages: tuple[int, int] | None = None) -> None:
        """The call has ended, with `error` or well; of a stream, after so many messages sent and received."""
        span = self._span
        if messages is not None:
            span.set_attributes(counts_of(messages, error))
        if error is not None and span.is_recording():
            attributes, text = failure_of(error)
            span.set_attributes(attributes)
            span.set_status(trace.Status(trace.StatusCode.ERROR, text))
        span.end()


class ServedSpan:
    """The span of a call that is served; within it, a context manager, its handler runs."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Any) -> None:
        self._span = span
        self._token: Any = None

    def __enter__(self) -> ServedSpan:
        self._token = otel_context.attach(trace.set_span_in_context(self._span))
        return self

    def __exit__(self, *exc: object) -> None:
        otel_context.detach(self._token)

    def end(self, error: BaseException | None, messages: tuple[int, int] | None = None) -> None:
        """The call has ended, with `error` or well; of a stream, after so many messages sent and received."""
        span = self._span
        if span.is_recording():
            if messages is not None:
                span.set_attributes(counts_of(messages, error))
            if error is not None:
                attributes, text = failure_of(error)
                code = error.code() if isinstance(error, errors.RpcError) else grpc.StatusCode.UNKNOWN
                if code in _OK_AT_SERVER:
                    span.set_attribute("rpc.response.status_code", code.name)
                else:
                    span.set_attributes(attributes)
                    span.set_status(trace.Status(trace.StatusCode.ERROR, text))
        span.end()


class Tracing:
    """Makes spans.

    Args:
        provider: a tracer provider; None: the global one of OpenTelemetry.

    Raises:
        RuntimeError: opentelemetry-api is not installed.
    """

    def __init__(self, provider: Any = None) -> None:
        if not INSTALLED:
            raise RuntimeError(
                "tracing needs the package opentelemetry-api: pip install 'sage-rpc[tracing]', or do not ask "
                "for tracing"
            )
        self._provider = provider
        self._tracer: Any = trace.get_tracer("sage_rpc", tracer_provider=provider)
        self._propagator = TraceContextTextMapPropagator()
        self._attributes: dict[tuple[str, str, str], tuple[str, MappingProxyType[str, str]]] = {}
        self._quick: QuickSpans | None = None
        self._examine_at = 0.0

    def _named(self, service: str, method: str, system: str) -> tuple[str, MappingProxyType[str, str]]:
        found = self._attributes.get((service, method, system))
        if found is None:
            name = f"{service}/{method}"
            found = name, MappingProxyType({"rpc.system.name": system, "rpc.method": name})
            if len(self._attributes) < _MOST_NAMES:
                self._attributes[service, method, system] = found
        return found

    def of_method(self, service: str, method: str, system: str = "sage_rpc") -> Callable[[], Any]:
        """What begins the span of a call of one method: a CallSpan, or what does as one.

        Args:
            service: its full name.
            method: its name there.
            system: "grpc" for a declared service.
        """
        name, attributes = self._named(service, method, system)
        client = trace.SpanKind.CLIENT

        def begin() -> Any:
            quick = self._quick
            if quick is not None:
                span = quick.begin(name, attributes)
                if span is not None:
                    return span
            elif time.monotonic() >= self._examine_at:
                self._examine_at = time.monotonic() + _EXAMINE_SECONDS
                self._quick = QuickSpans.of(self._provider or trace.get_tracer_provider())
            return CallSpan(self._tracer.start_span(name, kind=client, attributes=attributes))

        return begin

    def serve(
        self, service: str, method: str, metadata: Any, peer: str, system: str = "sage_rpc"
    ) -> ServedSpan:
        """A call is served: its parent is in its metadata."""
        name, attributes = self._named(service, method, system)
        carrier = {key: value for key, value in metadata or () if key in {"traceparent", "tracestate"}}
        parent = self._propagator.extract(carrier) if carrier else None
        span = self._tracer.start_span(
            name, parent, kind=trace.SpanKind.SERVER, attributes={**attributes, "network.peer.address": peer}
        )
        return ServedSpan(span)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._provider is not None:
            raise TypeError(
                "tracing with a tracer provider of its own does not pickle: give a host a function that "
                "makes the provider, or set the provider globally "
                "(opentelemetry.trace.set_tracer_provider) in each process"
            )
        return Tracing, ()

    def __repr__(self) -> str:
        return f"<Tracing {type(self._provider).__name__ if self._provider is not None else 'global'}>"


def trace_ids() -> tuple[str, str] | None:
    """(trace id, span id) of what is being done now, as W3C writes them; None: nothing is traced."""
    if not INSTALLED:
        return None
    context = trace.get_current_span().get_span_context()
    return (f"{context.trace_id:032x}", f"{context.span_id:016x}") if context.is_valid else None


class TraceContextFilter(logging.Filter):
    """Gives every log record `trace_id` and `span_id`, for formatters and structured logs.

    Both are "-" outside of a trace. An example:
    `logging.Formatter("%(trace_id)s %(span_id)s %(message)s")`
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Let it pass."""
        record.trace_id, record.span_id = trace_ids() or ("-", "-")
        return True
