"""Spans of OpenTelemetry's SDK at a third of their cost, where nobody can tell the difference.

A span of a call that is made needs no life of its own: nobody gets hold of it while the call is under way.
So only its ids are
drawn at the begin; the finished span is made, and given to the processors, at the end. That is the same
unless a processor looks
at spans when they start, the sampler is not the usual one (everything, or as the parent), or limits are set:
then, and with another
implementation than the SDK, `QuickSpans.of` gives None, and the caller starts ordinary spans.
"""

from __future__ import annotations

from time import time_ns
from types import MappingProxyType
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.text.exceptions import text_of

try:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider, sampling
    from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
    from opentelemetry.trace import INVALID_SPAN, SpanContext, get_current_span
except ImportError:
    INSTALLED = False
else:
    INSTALLED = True

__all__ = ["QuickSpans", "counts_of", "failure_of"]


class QuickSpans:
    """Makes them for one tracer provider.

    Args:
        provider: of the SDK, and examined.
        tracer: of it.
    """

    def __init__(self, provider: Any, tracer: Any) -> None:
        self._multi = provider._active_span_processor
        self._processors: tuple[Any, ...] = self._multi._span_processors
        self._resource = tracer.resource
        self._scope = tracer._instrumentation_scope
        self._trace_id = tracer.id_generator.generate_trace_id
        self._span_id = tracer.id_generator.generate_span_id
        flags = trace.TraceFlags.SAMPLED
        is_random = getattr(tracer.id_generator, "is_trace_id_random", lambda: False)
        if is_random():
            flags |= getattr(trace.TraceFlags, "RANDOM_TRACE_ID", 0)
        self._root_flags = trace.TraceFlags(flags)
        self._no_state = trace.TraceState()
        self._ok = trace.Status()
        self._kind = trace.SpanKind.CLIENT

    @classmethod
    def of(cls, provider: Any) -> QuickSpans | None:
        """Those of a provider, or None where an ordinary span would be another."""
        try:
            if not INSTALLED or type(provider) is not TracerProvider or _disabled(provider):
                return None
            tracer: Any = provider.get_tracer("sage_rpc")
            usual = {id(sampling.ALWAYS_ON), id(sampling.DEFAULT_ON)}
            processors = provider._active_span_processor._span_processors
            if id(tracer.sampler) not in usual or not all(map(_only_looks_at_ends, processors)):
                return None
            return cls(provider, tracer)
        except AttributeError:
            return None  # another version of the SDK than those whose insides we know

    def begin(self, name: str, attributes: MappingProxyType[str, str]) -> _QuickSpan | None:
        """A call is made. -> its span, or None: this one must be an ordinary one."""
        if self._multi._span_processors is not self._processors and not self._still_usable():
            return None
        current = get_current_span()
        if current is INVALID_SPAN:
            trace_id, flags, state, parent = self._trace_id(), self._root_flags, self._no_state, None
        else:
            parent = current.get_span_context()
            trace_id, flags, state = parent.trace_id, parent.trace_flags, parent.trace_state
            if not flags & 1:
                return None  # not sampled: what that means, the sampler says
        span = _QuickSpan()
        span.maker, span.name, span.attributes, span.parent = self, name, attributes, parent
        span.context = SpanContext(trace_id, span_id := self._span_id(), False, flags, state)
        span.metadata = (("traceparent", f"00-{trace_id:032x}-{span_id:016x}-{flags:02x}"),)
        if state:
            span.metadata += (("tracestate", state.to_header()),)
        span.began = time_ns()
        return span

    def _still_usable(self) -> bool:
        """A processor was added: is it one that only looks at ends?"""
        processors = self._multi._span_processors
        if not all(map(_only_looks_at_ends, processors)):
            return False
        self._processors = processors
        return True

    def finish(
        self, span: _QuickSpan, error: BaseException | None, messages: tuple[int, int] | None = None
    ) -> None:
        """Make the span, and give it to the processors."""
        attributes = span.attributes
        if messages is not None:
            attributes = MappingProxyType({**attributes, **counts_of(messages, error)})
        status = self._ok
        if error is not None:
            failed, text = failure_of(error)
            attributes = MappingProxyType({**attributes, **failed})
            status = trace.Status(trace.StatusCode.ERROR, text)
        made = ReadableSpan(
            span.name,
            span.context,
            span.parent,
            self._resource,
            attributes,
            (),
            (),
            self._kind,
            None,
            status,
            span.began,
            time_ns(),
            self._scope,
        )
        for processor in self._processors:
            processor.on_end(made)


class _QuickSpan:
    """See CallSpan."""

    __slots__ = ("attributes", "began", "context", "maker", "metadata", "name", "parent")

    maker: QuickSpans
    name: str
    attributes: MappingProxyType[str, Any]
    context: Any
    parent: Any
    metadata: tuple[tuple[str, str], ...]
    began: int

    def end(self, error: BaseException | None, messages: tuple[int, int] | None = None) -> None:
        """The call has ended, with `error` or well; of a stream, after so many messages sent and received."""
        self.maker.finish(self, error, messages)


def counts_of(messages: tuple[int, int], error: BaseException | None) -> dict[str, Any]:
    """Attributes of a stream; for the number of messages OpenTelemetry has no names."""
    sent, received = messages
    counts: dict[str, Any] = {"sage_rpc.messages_sent": sent, "sage_rpc.messages_received": received}
    return counts if error is not None else {**counts, "rpc.response.status_code": "OK"}


def failure_of(error: BaseException) -> tuple[dict[str, str], str]:
    """Attributes and text of what a call failed with."""
    code = error.code() if isinstance(error, errors.RpcError) else grpc.StatusCode.UNKNOWN
    kind = error.type_name if isinstance(error, errors.RemoteError) else code.name
    text = (
        error.details() if isinstance(error, errors.RpcError) else f"{type(error).__name__}: {text_of(error)}"
    )
    return {"rpc.response.status_code": code.name, "error.type": kind}, text


def _disabled(provider: Any) -> bool:
    return bool(getattr(provider, "_disabled", False))


def _only_looks_at_ends(processor: Any) -> bool:
    """Whether a processor does nothing when a span starts."""
    kind = type(processor)
    harmless = (SpanProcessor, SimpleSpanProcessor, BatchSpanProcessor)
    return all(
        getattr(kind, name, None) in {getattr(each, name, None) for each in harmless}
        for name in ("on_start", "_on_ending")
    )
