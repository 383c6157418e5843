"""Statistics as Prometheus reads them: a collector for prometheus_client, and an endpoint to scrape.

    endpoint = serve_metrics(manager.stats, "127.0.0.1:9464")   # GET /metrics
    ...
    endpoint.close()

Needs the package prometheus-client (the extra `metrics`). Names and labels are the contract of dashboards and
alerts: docs/services.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any

from sage_rpc.observe.histogram import Histogram, upper_bound
from sage_rpc.observe.http_server import Answer, HttpServer, Request
from sage_rpc.observe.stats import Stats

try:
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
    from prometheus_client.exposition import choose_encoder
    from prometheus_client.registry import Collector
except ImportError:  # the extra `metrics` is not installed
    INSTALLED = False
    Collector = object  # type: ignore[assignment, misc]
else:
    INSTALLED = True

__all__ = ["MetricsEndpoint", "StatsCollector", "exposition", "serve_metrics"]

_LABELS = ("service", "method", "transport")
# Seconds; the finer buckets of our histogram are summed up to these.
_BOUNDS = (
    *(1e-5, 2.5e-5, 5e-5, 1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3),
    *(1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
)


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    """Cumulative counts, as Prometheus wants them."""
    ordered = sorted(histogram.counts.items())
    buckets, seen, at = [], 0, 0
    for bound in _BOUNDS:
        while at < len(ordered) and upper_bound(ordered[at][0]) <= bound * 1e9:
            seen += ordered[at][1]
            at += 1
        buckets.append((f"{bound:g}", float(seen)))
    return [*buckets, ("+Inf", float(histogram.count))]


class StatsCollector(Collector):
    """Reads statistics for each scrape.

    Args:
        read: gives them; `manager.stats`.

    Raises:
        RuntimeError: prometheus-client is not installed.
    """

    def __init__(self, read: Callable[[], Stats]) -> None:
        if not INSTALLED:
            raise RuntimeError(
                "metrics need the package prometheus-client: pip install 'sage-rpc[metrics]', or read "
                "manager.stats() yourself"
            )
        self._read = read

    def collect(self) -> Iterator[Any]:
        """As prometheus_client wants it."""
        stats = self._read()
        calls = CounterMetricFamily("sage_rpc_calls", "Calls that have ended.", labels=(*_LABELS, "code"))
        seconds = HistogramMetricFamily("sage_rpc_call_seconds", "How long calls took.", labels=_LABELS)
        flying = GaugeMetricFamily("sage_rpc_calls_in_flight", "Calls under way.", labels=_LABELS)
        sums = {
            name: CounterMetricFamily(f"sage_rpc_{name}", text, labels=_LABELS)
            for name, text in (
                ("bytes_sent", "Bytes of arguments."),
                ("bytes_received", "Bytes of results."),
                ("retries", "Calls sent again after a failure."),
                ("hedges", "Calls sent again before a failure."),
                ("fallbacks", "Failed calls that gave their fallback."),
                ("cache_hits", "Calls answered by the cache."),
                ("cache_misses", "Calls that the cache could not answer."),
            )
        }
        for row in stats:
            labels = (row.service, row.method, row.transport)
            calls.add_metric((*labels, "OK"), row.successes)
            for code, number in sorted(row.failures.items()):
                calls.add_metric((*labels, code), number)
            seconds.add_metric(labels, _buckets(row.latency), row.latency.total_ns / 1e9)
            flying.add_metric(labels, row.in_flight)
            for name, family in sums.items():
                family.add_metric(labels, getattr(row, name))
        yield from (calls, seconds, flying, *sums.values())


def exposition(stats: Stats) -> bytes:
    """The text that Prometheus reads.

    Raises:
        RuntimeError: prometheus-client is not installed.
    """
    return generate_latest(_registry(lambda: stats))


def _registry(read: Callable[[], Stats]) -> Any:
    collector = StatsCollector(read)
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


class MetricsEndpoint:
    """An HTTP server with /metrics; a context manager.

    Attributes:
        address: where it listens, "host:port".
    """

    def __init__(self, read: Callable[[], Stats], address: str, hosts: Iterable[str] = ()) -> None:
        registry = _registry(read)

        def answer(request: Request) -> Answer:
            if request.path not in {"/", "/metrics"}:
                return Answer.refusal(HTTPStatus.NOT_FOUND, "there is no such page")
            encode, kind = choose_encoder(request.headers.get("accept", ""))
            return Answer(kind, encode(registry))

        self._server = HttpServer(address, answer, hosts=hosts, name="sage_rpc metrics")
        self.address = self._server.address

    def close(self) -> None:
        """Stop."""
        self._server.close()

    def __enter__(self) -> MetricsEndpoint:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<MetricsEndpoint http://{self.address}/metrics>"


def serve_metrics(
    read: Callable[[], Stats], address: str = "127.0.0.1:0", *, hosts: Iterable[str] = ()
) -> MetricsEndpoint:
    """Serve statistics to Prometheus.

    Args:
        read: gives them; `manager.stats`.
        address: "host:port"; port 0 picks a free one.
        hosts: more names by which it is reached: `Host` must be one, or on loopback a name of loopback,
            elsewhere any IP address or this machine's name.

    Raises:
        ValueError: that is no address.
        OSError: it cannot be listened on.
        RuntimeError: prometheus-client is not installed.
    """
    StatsCollector(read)  # says what is missing
    _, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(
            f"the address of metrics is {address!r}: expected 'host:port', such as '0.0.0.0:9464'"
        )
    return MetricsEndpoint(read, address, hosts)
