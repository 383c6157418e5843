"""py-grpc-prometheus: interceptors at both ends, and what they count."""

import grpc
from calls import call_all, serve
from prometheus_client import REGISTRY
from py_grpc_prometheus.prometheus_client_interceptor import PromClientInterceptor
from py_grpc_prometheus.prometheus_server_interceptor import PromServerInterceptor

server, target = serve(interceptors=(PromServerInterceptor(),))
call_all(grpc.intercept_channel(grpc.insecure_channel(target), PromClientInterceptor()))
server.stop(None).wait()
for side in ("server", "client"):
    samples = [sample for metric in REGISTRY.collect() for sample in metric.samples]
    counts = {
        (
            sample.labels["grpc_method"],
            sample.labels.get("code") or sample.labels.get("grpc_code"),
        ): sample.value
        for sample in samples
        if sample.name in {f"grpc_{side}_handled_total", f"grpc_{side}_completed_total"}
    }
    print(side, sorted(counts.items(), key=str))
