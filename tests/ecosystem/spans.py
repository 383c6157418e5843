"""The spans that have ended in this process, for the tests of OpenTelemetry's instrumentation."""

from __future__ import annotations

import functools
import itertools
import threading

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult

from tests.ecosystem.conftest import SECONDS

__all__ = ["Ended", "exported", "linked"]


class Ended(SpanExporter):
    """Keeps the spans that have ended; waits for as many as a test expects."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []
        self._more = threading.Condition()

    def export(self, spans):
        with self._more:
            self._spans.extend(spans)
            self._more.notify_all()
        return SpanExportResult.SUCCESS

    def clear(self) -> None:
        with self._more:
            self._spans.clear()

    def take(self, count: int) -> list[ReadableSpan]:
        """`count` spans in the order of their start: a handler's span may end after its caller's."""
        with self._more:
            assert self._more.wait_for(lambda: len(self._spans) >= count, SECONDS), self._spans
            spans = sorted(self._spans, key=lambda span: span.start_time)
            self._spans.clear()
        assert len(spans) == count
        return spans


@functools.cache
def exported() -> Ended:
    """The client's instrumentor takes the tracer of the process, which can be set once."""
    ended = Ended()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(ended))
    trace.set_tracer_provider(provider)
    return ended


def linked(spans: list[ReadableSpan]) -> bool:
    """Each span is the parent of the next, all in one trace."""
    return all(
        below.parent is not None
        and below.parent.span_id == above.context.span_id
        and below.context.trace_id == above.context.trace_id
        for above, below in itertools.pairwise(spans)
    )
