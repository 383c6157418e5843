"""The supervisor by HTTP: a page for people, its data as JSON, and metrics for Prometheus.

Rules: it only shows, and changes nothing. With a token, whoever looks must have it: as `?token=...` (which is
then kept in a cookie, and nothing else ever is) or as `Authorization: Bearer ...`; it is compared in constant
time. Nothing on the page comes from elsewhere or is written into it, scripts neither, and everything that
services say is shown as text.
"""

from __future__ import annotations

import contextlib
import functools
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from http import HTTPStatus
from importlib import resources
from typing import Any
from urllib.parse import quote, unquote

from sage_rpc.observe.http_server import Answer, HttpServer, Request
from sage_rpc.observe.prometheus import families, registry_of
from sage_rpc.observe.stats import StatsRow
from sage_rpc.supervisor.manager import ServiceProcessManager
from sage_rpc.supervisor.rates import Rates

__all__ = ["Web", "metrics"]

_INTERVAL = 1.0  # seconds between two samples
_COOKIE = "sage_rpc_token"
_SHOWN_ERRORS, _SHOWN_CALLS = 30, 30
_FILES = {
    "/": ("page.html", "text/html; charset=utf-8"),
    "/page.css": ("page.css", "text/css; charset=utf-8"),
    "/page.js": ("page.js", "text/javascript; charset=utf-8"),
}


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
    from prometheus_client import generate_latest
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

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
            rows = [
                ((str(report["number"]),), StatsRow.from_dict(row))
                for report in manager.reports()
                for row in report["stats"]
            ]
            yield from families(rows, served=True, labels=("number",))

    return bytes(generate_latest(registry_of(Collected())))


class Web:
    """An HTTP server.

    Args:
        manager: what it shows.
        address: "HOST:PORT"; port 0 picks one.
        token: who looks must have it; None: everybody may who calls this server by its name.
        page: serve the page and its data, too, not the metrics alone.
        hosts: more names of this server, beside those that `HttpServer` knows.

    Attributes:
        address: where it listens.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(
        self,
        manager: ServiceProcessManager,
        address: str,
        *,
        token: str | None = None,
        page: bool = True,
        hosts: Iterable[str] = (),
    ) -> None:
        self._token = token
        self._routes: dict[str, Callable[[], Answer]] = {
            "/metrics": lambda: Answer("text/plain; version=0.0.4; charset=utf-8", metrics(manager))
        }
        self._sampler = sampler = Sampler(manager) if page else None
        if sampler is not None:
            files = resources.files("sage_rpc.supervisor")
            for path, (file, kind) in _FILES.items():
                self._routes[path] = functools.partial(Answer, kind, (files / file).read_bytes())
            self._routes["/state"] = lambda: Answer("application/json", json.dumps(sampler.state()).encode())
        try:
            self._server = HttpServer(address, self._answer, hosts=hosts, name="sage_rpc web")
        except OSError:
            if sampler is not None:
                sampler.close()
            raise
        self.address = self._server.address

    def close(self) -> None:
        """Stop serving."""
        self._server.close()
        if self._sampler is not None:
            self._sampler.close()

    def __repr__(self) -> str:
        return f"<Web at {self.address}>"

    def _answer(self, request: Request) -> Answer:
        given = request.query.get("token", "")
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        # Each is compared, so that the time tells nothing about which came close.
        right = [self._is_token(each) for each in (given, bearer, _cookie(request))]
        if not any(right):
            return Answer.refusal(HTTPStatus.UNAUTHORIZED, "a token is needed: ?token=...")
        route = self._routes.get(request.path)
        if route is None:
            return Answer.refusal(HTTPStatus.NOT_FOUND, "there is no such page")
        answer = route()
        if self._token is not None and right[0]:
            cookie = f"{_COOKIE}={quote(given, safe='')}; Path=/; HttpOnly; SameSite=Strict"
            answer = replace(answer, headers={"Set-Cookie": cookie})
        return answer

    def _is_token(self, given: str) -> bool:
        return self._token is None or hmac.compare_digest(given.encode(), self._token.encode())


def _cookie(request: Request) -> str:
    for pair in request.headers.get("cookie", "").split(";"):
        name, _, value = pair.strip().partition("=")
        if name == _COOKIE:
            return unquote(value)
    return ""
