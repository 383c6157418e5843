"""Tracing: spans of calls by the OpenTelemetry API, and W3C trace context in the calls' metadata.

The spans follow OpenTelemetry's conventions for RPC: named "service/method", kind CLIENT or SERVER, with
`rpc.system`, `rpc.service`, `rpc.method` and, where a call failed, its status. Who exports them is the user's
choice: whatever tracer provider is set is used. Without the package opentelemetry-api, asking for tracing is
    an error that says what to install.
"""

from __future__ import annotations

from typing import Any

import grpc

from sage_rpc import errors

try:
    from opentelemetry import context as otel_context
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # the extra `tracing` is not installed
    INSTALLED = False
else:
    INSTALLED = True

__all__ = ["CallSpan", "ServedSpan", "Tracing", "trace_ids"]

SYSTEM = "sage_rpc"
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
        parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
        state = context.trace_state.to_header() if context.trace_state else ""
        self.metadata: tuple[tuple[str, str], ...] = (
            (("traceparent", parent), ("tracestate", state)) if state else (("traceparent", parent),)
        )

    def end(self, error: BaseException | None) -> None:
        """The call has ended, with `error` or well."""
        span = self._span
        if error is not None and span.is_recording():
            describe(span, error, server=False)
        span.end()


def describe(span: Any, error: BaseException, *, server: bool) -> None:
    """Say in a span what went wrong."""
    code = error.code() if isinstance(error, errors.RpcError) else grpc.StatusCode.UNKNOWN
    span.set_attribute("rpc.response.status_code", code.name)
    if not (server and code in _OK_AT_SERVER):
        kind = error.type_name if isinstance(error, errors.RemoteError) else code.name
        span.set_attribute("error.type", kind)
        text = error.details() if isinstance(error, errors.RpcError) else str(error)
        span.set_status(trace.Status(trace.StatusCode.ERROR, text))


class ServedSpan:
    """The span of a call that is served: a context manager around the handler."""

    __slots__ = ("_span", "_token")

    def __init__(self, span: Any) -> None:
        self._span = span
        self._token: Any = None

    def __enter__(self) -> ServedSpan:
        self._token = otel_context.attach(trace.set_span_in_context(self._span))
        return self

    def failed(self, error: BaseException) -> None:
        """The handler raised, or aborted with that."""
        if self._span.is_recording():
            describe(self._span, error, server=True)

    def __exit__(self, *exc: object) -> None:
        otel_context.detach(self._token)
        self._span.end()


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
        self._attributes: dict[tuple[str, str], tuple[str, dict[str, str]]] = {}

    def _named(self, service: str, method: str) -> tuple[str, dict[str, str]]:
        found = self._attributes.get((service, method))
        if found is None:
            found = (
                f"{service}/{method}",
                {
                    "rpc.system": SYSTEM,
                    "rpc.service": service,
                    "rpc.method": method,
                },
            )
            self._attributes[service, method] = found
        return found

    def begin(self, service: str, method: str) -> CallSpan:
        """A call is made."""
        name, attributes = self._named(service, method)
        return CallSpan(self._tracer.start_span(name, kind=trace.SpanKind.CLIENT, attributes=attributes))

    def serve(self, service: str, method: str, metadata: Any, peer: str) -> ServedSpan:
        """A call is served: its parent is in its metadata."""
        name, attributes = self._named(service, method)
        carrier = {key: value for key, value in metadata or () if key in {"traceparent", "tracestate"}}
        parent = self._propagator.extract(carrier) if carrier else None
        span = self._tracer.start_span(
            name, parent, kind=trace.SpanKind.SERVER, attributes={**attributes, "network.peer.address": peer}
        )
        return ServedSpan(span)

    def __reduce__(self) -> tuple[Any, ...]:
        if self._provider is not None:
            raise TypeError(
                "tracing with a tracer provider of its own does not pickle: set the provider globally "
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
