"""The supervisor by HTTP: a page for people, its data as JSON, and metrics for Prometheus.

Rules: it only shows, and changes nothing. With a token, whoever looks must have it: as `?token=...` (then
kept
in a cookie) or as `Authorization: Bearer ...`; it is compared in constant time. Nothing on the page comes
from elsewhere,
and everything that services say is shown as text.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from typing import Any
from urllib.parse import parse_qs, urlsplit

from sage_rpc.supervisor.manager import ServiceProcessManager
from sage_rpc.supervisor.meter import Counts
from sage_rpc.supervisor.rates import Rates

__all__ = ["Web", "metrics"]

_INTERVAL = 1.0  # seconds between two samples
_COOKIE = "sage_rpc_token"
_SHOWN_ERRORS, _SHOWN_CALLS = 30, 30
_POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'"


class Sampler:
    """Takes samples of all services, for as long as it is not closed."""

    def __init__(self, manager: ServiceProcessManager) -> None:
        self._manager = manager
        self._lock = threading.Lock()  # guards what follows
        self._rates = Rates()
        self._reports: list[dict[str, Any]] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sage_rpc samples", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(RuntimeError):  # the manager is being closed
                reports = self._manager.reports(_INTERVAL)
                with self._lock:
                    self._reports = reports
                    self._rates.update(reports, time.time())
            self._over.wait(_INTERVAL)

    def state(self) -> dict[str, Any]:
        """Everything that the page shows."""
        with self._lock:
            reports, rates = self._reports, self._rates.as_dict()
            methods = [
                {"service": service, "method": method, **asdict(sample)}
                for (service, method), sample in self._rates.methods.items()
            ]
        failed = [{"service": r["service"], **error} for r in reports for error in r["errors"]]
        calls = [
            {"service": r["service"], **dict(zip(_CALL_FIELDS, call, strict=True))}
            for r in reports
            for call in r["calls"]
        ]
        return {
            "name": self._manager.name,
            "time": time.time(),
            "processes": [asdict(status) for status in self._manager.status()],
            "rates": rates,
            "methods": methods,
            "errors": sorted(failed, key=_when, reverse=True)[:_SHOWN_ERRORS],
            "calls": sorted(calls, key=_when, reverse=True)[:_SHOWN_CALLS],
        }

    def close(self) -> None:
        """End the thread."""
        self._over.set()
        self._thread.join(5.0)


_CALL_FIELDS = ("time", "method", "seconds", "code", "peer", "trace")


def _when(entry: dict[str, Any]) -> float:
    return float(entry["time"])


def metrics(manager: ServiceProcessManager) -> bytes:
    """What Prometheus scrapes.

    Raises:
        ImportError: prometheus-client is not installed.
    """
    from prometheus_client import CollectorRegistry, generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, SummaryMetricFamily

    class Collected:
        def collect(self) -> Iterator[Any]:
            label = ["service", "number"]
            up = GaugeMetricFamily("sage_rpc_process_up", "whether the process serves", labels=label)
            restarts = CounterMetricFamily("sage_rpc_process_restarts", "after deaths", labels=label)
            memory = GaugeMetricFamily("sage_rpc_process_resident_bytes", "resident memory", labels=label)
            for status in manager.status():
                names = [status.service, str(status.number)]
                if status.state == "draining":
                    continue  # its successor has the number now
                up.add_metric(names, float(status.state == "serving"))
                restarts.add_metric(names, status.restarts)
                memory.add_metric(names, status.rss)
            yield from (up, restarts, memory)
            calls = CounterMetricFamily(
                "sage_rpc_served_calls", "that ended", labels=["service", "number", "method", "code"]
            )
            took = SummaryMetricFamily(
                "sage_rpc_served_seconds", "how long they took", labels=["service", "number", "method"]
            )
            latency = GaugeMetricFamily(
                "sage_rpc_served_latency_seconds",
                "that the share of calls since the process began did not exceed",
                labels=["service", "number", "method", "quantile"],
            )
            active = GaugeMetricFamily("sage_rpc_served_active", "calls under way", labels=label)
            for report in manager.reports():
                names = [report["service"], str(report["number"])]
                active.add_metric(names, report["active"])
                for method, counted in report["methods"].items():
                    counts = Counts.from_dict(counted)
                    for code, count in counts.codes.items():
                        calls.add_metric([*names, method, code], count)
                    took.add_metric([*names, method], counts.calls, counts.histogram.total_ns / 1e9)
                    for q, value in zip(
                        (0.5, 0.9, 0.99), counts.histogram.quantiles((0.5, 0.9, 0.99)), strict=True
                    ):
                        latency.add_metric([*names, method, str(q)], value)
            yield from (calls, took, latency, active)

    registry = CollectorRegistry()
    registry.register(Collected())
    return bytes(generate_latest(registry))


class Web:
    """An HTTP server.

    Args:
        manager: what it shows.
        address: "HOST:PORT"; port 0 picks one.
        token: who looks must have it; None: everybody may.
        page: serve the page and its data, too, not the metrics alone.

    Attributes:
        address: where it listens.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(
        self, manager: ServiceProcessManager, address: str, *, token: str | None = None, page: bool = True
    ) -> None:
        host, _, port = address.rpartition(":")
        self._sampler = Sampler(manager) if page else None
        sampler = self._sampler
        routes: dict[str, Callable[[], tuple[str, bytes]]] = {
            "/metrics": lambda: ("text/plain; version=0.0.4; charset=utf-8", metrics(manager))
        }
        if sampler is not None:
            text = (resources.files("sage_rpc.supervisor") / "page.html").read_bytes()
            routes["/"] = lambda: ("text/html; charset=utf-8", text)
            routes["/state"] = lambda: ("application/json", json.dumps(sampler.state()).encode())
        try:
            self._server = _server(host.strip("[]"), int(port), routes, token)
        except OSError:
            if sampler is not None:
                sampler.close()
            raise
        self.address = f"{host}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="sage_rpc web", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        if self._sampler is not None:
            self._sampler.close()

    def __repr__(self) -> str:
        return f"<Web at {self.address}>"


def _server(
    host: str, port: int, routes: dict[str, Callable[[], tuple[str, bytes]]], token: str | None
) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        server_version, sys_version = "sage-rpc", ""
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            url = urlsplit(self.path)
            given = parse_qs(url.query).get("token", [""])[0]
            if not self._allowed(given):
                self._answer(HTTPStatus.UNAUTHORIZED, "text/plain", b"a token is needed: ?token=...\n")
                return
            route = routes.get(url.path)
            if route is None:
                self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"there is no such page\n")
                return
            try:
                kind, body = route()
            except Exception as error:  # noqa: BLE001 - whoever asked shall know
                text = f"{type(error).__name__}: {error}\n".encode()
                self._answer(HTTPStatus.INTERNAL_SERVER_ERROR, "text/plain", text)
                return
            self._answer(HTTPStatus.OK, kind, body, given if token else "")

        def _allowed(self, given: str) -> bool:
            if token is None:
                return True
            bearer = self.headers.get("Authorization", "").removeprefix("Bearer ")
            cookie = ""
            with contextlib.suppress(CookieError, KeyError):
                cookie = SimpleCookie(self.headers.get("Cookie", ""))[_COOKIE].value
            # Each is compared, so that the time tells nothing about which came close.
            right = [hmac.compare_digest(each.encode(), token.encode()) for each in (given, bearer, cookie)]
            return any(right)

        def _answer(self, status: HTTPStatus, kind: str, body: bytes, cookie: str = "") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Cache-Control", "no-store")
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Referrer-Policy", "no-referrer")
            self.send_header("Content-Security-Policy", _POLICY)
            if cookie:
                self.send_header("Set-Cookie", f"{_COOKIE}={cookie}; HttpOnly; SameSite=Strict")
            self.end_headers()
            with contextlib.suppress(OSError):  # who asked has left
                self.wfile.write(body)

        def log_message(self, _format: str, *_args: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

    return Server((host or "0.0.0.0", port), Handler)  # noqa: S104 - as the address says
