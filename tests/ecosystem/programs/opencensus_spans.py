"""opencensus-ext-grpc: interceptors at both ends, their spans, and one trace of each call."""

import grpc
from calls import call_all, serve
from opencensus.ext.grpc.client_interceptor import OpenCensusClientInterceptor
from opencensus.ext.grpc.server_interceptor import OpenCensusServerInterceptor
from opencensus.trace import samplers, tracer

spans = []


class Exporter:
    def export(self, datas):
        spans.extend(datas)


sampler = samplers.AlwaysOnSampler()
server, target = serve(interceptors=(OpenCensusServerInterceptor(sampler, Exporter()),))
tracing = tracer.Tracer(sampler=sampler, exporter=Exporter())
intercepted = grpc.intercept_channel(
    grpc.insecure_channel(target), OpenCensusClientInterceptor(tracer=tracing, host_port=target)
)
call_all(intercepted, futures=False)  # its callback of a future loses its span when the call was quick
server.stop(None).wait()
print(sorted((span.name, span.attributes.get("ERROR_NAME")) for span in spans))
