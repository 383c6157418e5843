"""Statistics as Prometheus reads them: a collector for prometheus_client, and an endpoint to scrape.

    endpoint = serve_metrics(manager.stats, "127.0.0.1:9464")                  # GET /metrics: calls made
    endpoint = serve_metrics(manager.stats, "127.0.0.1:9464", served=meter.stats)   # and calls served
    ...
    endpoint.close()

Needs the package prometheus-client (the extra `metrics`). Names and labels are the contract of dashboards and
alerts: docs/services.md has the table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any, NamedTuple

from sage_rpc.observe.histogram import Histogram, upper_bound
from sage_rpc.observe.http_server import Answer, HttpServer, Request
from sage_rpc.observe.stats import Stats, StatsRow

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

__all__ = ["MetricsEndpoint", "StatsCollector", "exposition", "families", "registry_of", "serve_metrics"]

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


class _Family(NamedTuple):
    """What is made of one field of the rows."""

    field: str
    text: str
    counts: bool = True  # up, for ever


# After the prefix; what calls made and calls served have in common, and what only calls made have.
_FAMILIES = {
    "bytes_sent": _Family("bytes_sent", "Bytes of arguments, or of results that are served."),
    "bytes_received": _Family("bytes_received", "Bytes of results, or of arguments that are served."),
    "messages_sent": _Family("messages_sent", "Messages that were sent."),
    "messages_received": _Family("messages_received", "Messages that have arrived."),
}
_MADE = {
    "calls_in_flight": _Family("in_flight", "Calls under way.", counts=False),
    **_FAMILIES,
    "retries": _Family("retries", "Calls sent again after a failure."),
    "hedges": _Family("hedges", "Calls sent again before a failure."),
    "fallbacks": _Family("fallbacks", "Failed calls that gave their fallback."),
    "cache_hits": _Family("cache_hits", "Calls answered by the cache."),
    "cache_misses": _Family("cache_misses", "Calls that the cache could not answer."),
}
_SERVED = {"active": _Family("in_flight", "Calls under way.", counts=False), **_FAMILIES}


def families(
    rows: Iterable[tuple[tuple[str, ...], StatsRow]], *, served: bool, labels: tuple[str, ...] = ()
) -> Iterator[Any]:
    """The metrics of some rows.

    Args:
        rows: each with values of `labels`; those that are alike in all labels are added up.
        served: of calls served: the names begin with "sage_rpc_served_".
        labels: more labels, after "service".
    """
    names = ("service", *labels, "method", "transport")
    merged: dict[tuple[str, ...], StatsRow] = {}
    for values, row in rows:
        key = (row.service, *values, row.method, row.transport)
        merged.setdefault(key, StatsRow(row.service, row.method, row.transport)).merge(row)
    prefix, seconds_name = ("sage_rpc_served_", "seconds") if served else ("sage_rpc_", "call_seconds")
    calls = CounterMetricFamily(f"{prefix}calls", "Calls that have ended.", labels=(*names, "code"))
    seconds = HistogramMetricFamily(f"{prefix}{seconds_name}", "How long calls took.", labels=names)
    more = {
        kind: (CounterMetricFamily if kind.counts else GaugeMetricFamily)(
            prefix + name, kind.text, labels=names
        )
        for name, kind in (_SERVED if served else _MADE).items()
    }
    for key, row in sorted(merged.items()):
        calls.add_metric((*key, "OK"), row.successes)
        for code, number in sorted(row.failures.items()):
            calls.add_metric((*key, code), number)
        seconds.add_metric(key, _buckets(row.latency), row.latency.total_ns / 1e9)
        for kind, family in more.items():
            family.add_metric(key, getattr(row, kind.field))
    yield from (calls, seconds, *more.values())


class StatsCollector(Collector):
    """Reads statistics for each scrape.

    Args:
        read: gives those of calls made: `manager.stats`; None: there are none.
        served: gives those of calls served: `meter.stats`.

    Raises:
        RuntimeError: prometheus-client is not installed.
    """

    def __init__(self, read: Callable[[], Stats] | None, served: Callable[[], Stats] | None = None) -> None:
        if not INSTALLED:
            raise RuntimeError(
                "metrics need the package prometheus-client: pip install 'sage-rpc[metrics]', or read "
                "manager.stats() yourself"
            )
        self._read = read
        self._served = served

    def collect(self) -> Iterator[Any]:
        """As prometheus_client wants it."""
        if self._read is not None:
            yield from families((((), row) for row in self._read()), served=False)
        if self._served is not None:
            yield from families((((), row) for row in self._served()), served=True)


def exposition(stats: Stats) -> bytes:
    """The text that Prometheus reads.

    Raises:
        RuntimeError: prometheus-client is not installed.
    """
    return generate_latest(registry_of(StatsCollector(lambda: stats)))


def registry_of(collector: Any) -> Any:
    """A registry with nothing else."""
    registry = CollectorRegistry()
    registry.register(collector)
    return registry


class MetricsEndpoint:
    """An HTTP server with /metrics; a context manager.

    Attributes:
        address: where it listens, "host:port".
    """

    def __init__(self, collector: StatsCollector, address: str, hosts: Iterable[str] = ()) -> None:
        registry = registry_of(collector)

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
    read: Callable[[], Stats] | None,
    address: str = "127.0.0.1:0",
    *,
    served: Callable[[], Stats] | None = None,
    hosts: Iterable[str] = (),
) -> MetricsEndpoint:
    """Serve statistics to Prometheus.

    Args:
        read: gives those of calls made, `manager.stats`; None: there are none.
        served: gives those of calls served, `Meter.stats`.
        address: "host:port"; port 0 picks a free one.
        hosts: more names by which it is reached: `Host` must be one, or on loopback a name of loopback,
            elsewhere any IP address or this machine's name.

    Raises:
        ValueError: that is no address.
        OSError: it cannot be listened on.
        RuntimeError: prometheus-client is not installed.
    """
    collector = StatsCollector(read, served)
    _, colon, port = address.rpartition(":")
    if not colon or not port.isdigit():
        raise ValueError(
            f"the address of metrics is {address!r}: expected 'host:port', such as '0.0.0.0:9464'"
        )
    return MetricsEndpoint(collector, address, hosts)
