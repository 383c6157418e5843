r"""Traces as trees on a console, from spans as OpenTelemetry's console exporter writes them, one JSON object
a
line:

    ConsoleSpanExporter(out=file, formatter=lambda span: span.to_json(indent=None) + "\n")

Spans of several processes are read together: their files are concatenated. Pure functions, no I/O.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

__all__ = ["SpanRecord", "read_spans", "render", "traces"]


@dataclass(frozen=True)
class SpanRecord:
    """One finished span.

    Attributes:
        trace_id: hexadecimal.
        span_id: hexadecimal.
        parent_id: hexadecimal; None: the root of its trace.
        name: of the span.
        kind: "CLIENT", "SERVER" or another.
        start: seconds since the epoch.
        seconds: how long it took.
        error: what went wrong; "" for nothing.
        process: the service's name or the process that made it, where that is known.
    """

    trace_id: str
    span_id: str
    parent_id: str | None
    name: str
    kind: str
    start: float
    seconds: float
    error: str = ""
    process: str = field(default="")


def read_spans(lines: Iterable[str]) -> list[SpanRecord]:
    """Spans, one JSON object a line; empty lines are nothing.

    Raises:
        ValueError: a line is no span; its number is in the text.
    """
    found = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(_span(json.loads(line)))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise ValueError(f"line {number}: no span as JSON: {error!r}") from None
    return found


def _span(data: dict[str, Any]) -> SpanRecord:
    start, end = (
        datetime.fromisoformat(data[name].replace("Z", "+00:00")) for name in ("start_time", "end_time")
    )
    attributes = data.get("attributes") or {}
    status = data.get("status") or {}
    error = ""
    if status.get("status_code") == "ERROR":
        error = str(attributes.get("error.type", "ERROR"))
        if status.get("description"):
            error += f": {status['description']}"
    resource = (data.get("resource") or {}).get("attributes") or {}
    parent = data.get("parent_id")
    return SpanRecord(
        trace_id=data["context"]["trace_id"].removeprefix("0x"),
        span_id=data["context"]["span_id"].removeprefix("0x"),
        parent_id=None if parent is None else parent.removeprefix("0x"),
        name=data["name"],
        kind=str(data.get("kind", "")).removeprefix("SpanKind."),
        start=start.timestamp(),
        seconds=(end - start).total_seconds(),
        error=error,
        process=str(resource.get("service.name", "")),
    )


def traces(spans: Iterable[SpanRecord]) -> list[list[SpanRecord]]:
    """The spans of each trace, in the order of their starts; the earliest trace first."""
    by_trace: dict[str, list[SpanRecord]] = defaultdict(list)
    for span in spans:
        by_trace[span.trace_id].append(span)
    # A call and its handling may start in the same microsecond: the caller comes first.
    ordered = [sorted(each, key=lambda span: (span.start, -span.seconds)) for each in by_trace.values()]
    return sorted(ordered, key=lambda each: each[0].start)


def render(spans: Iterable[SpanRecord]) -> list[str]:
    """Lines that show each trace as a tree, children below and to the right of what called them."""
    lines: list[str] = []
    for trace in traces(spans):
        known = {span.span_id for span in trace}
        children: dict[str | None, list[SpanRecord]] = defaultdict(list)
        for span in trace:
            children[span.parent_id if span.parent_id in known else None].append(span)
        lines.append(f"trace {trace[0].trace_id}")
        for root in children[None]:
            lines += _branch(root, children, root.start, "", "")
    return lines


def _branch(
    span: SpanRecord,
    children: dict[str | None, list[SpanRecord]],
    began: float,
    first: str,
    rest: str,
) -> list[str]:
    below: Sequence[SpanRecord] = children.get(span.span_id, ())
    kind = f" {span.kind.lower()}" if span.kind and span.kind != "INTERNAL" else ""
    process = f" [{span.process}]" if span.process else ""
    error = f"  ! {span.error}" if span.error else ""
    at, took = (span.start - began) * 1000, span.seconds * 1000
    lines = [f"{first}{span.name}{kind}{process}  {took:.3f} ms, at {at:.3f} ms{error}"]
    for number, child in enumerate(below):
        last = number == len(below) - 1
        lines += _branch(
            child,
            children,
            began,
            rest + ("└─ " if last else "├─ "),
            rest + ("   " if last else "│  "),
        )
    return lines
