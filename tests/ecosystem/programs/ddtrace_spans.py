"""ddtrace's integration of grpc: spans of both ends of every call, in one trace."""

import os

os.environ.update(
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_TRACE_STARTUP_LOGS="false",
    DD_TRACE_AGENT_URL="http://localhost:1",
)

import logging

logging.disable(logging.CRITICAL)
import grpc
from calls import call_all, serve
from ddtrace import patch
from ddtrace.trace import TraceFilter, tracer

spans = []


class Keep(TraceFilter):
    def process_trace(self, trace):
        spans.extend(trace)


tracer.configure(trace_processors=[Keep()])
patch(grpc=True)
server, target = serve()
with grpc.insecure_channel(target) as channel:
    call_all(channel)
server.stop(None).wait()
tags = ("grpc.method.kind", "span.kind", "grpc.status.code", "error.type")
tracer.flush()
for span in sorted(spans, key=lambda span: (span.resource, str(span.get_tag("span.kind")))):
    print(span.name, span.resource, span.error, *[span.get_tag(tag) for tag in tags])
print("traces", len({span.trace_id for span in spans}))
os._exit(0)
