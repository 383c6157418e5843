"""grpc.health.v1 for hosted services: Check asks the service, Watch tells each change.

The servicer is grpcio-health-checking's. A service that has a check (`health_check()` of a plain class) is
asked anew for every Check, and by a thread every `WATCH_SECONDS` while somebody watches; one without is
serving for as long as its host is. None is asked, and none is serving, before its host is ready and
after it has begun to come to its end.

What a check gives: None, as of one that only raises when something is wrong, and whatever is true mean that
the service is well; whatever is false, and any exception, that it is not. A coroutine is run to its end.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

from grpc_health.v1 import health, health_pb2, health_pb2_grpc

__all__ = ["HostHealth"]

WATCH_SECONDS = 0.5
_LOGGER = logging.getLogger("sage_rpc")
_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


async def _awaited(found: Awaitable[Any]) -> Any:
    return await found


class HostHealth(health.HealthServicer):
    """The health of one host's services; none is serving before it says so by `come_up`.

    "" is the host as a whole: serving when all of its services are.
    """

    def __init__(self) -> None:
        super().__init__()
        # What the base sets on its own method, by which servers know that it holds no thread.
        watch: Any = type(self).Watch
        watch.experimental_non_blocking = True
        watch.experimental_thread_pool = None
        self._checks: dict[str, Callable[[], Any] | None] = {}
        self._known: dict[str, int] = {}
        self._up = False
        self.set("", _NOT_SERVING)
        self._watched = threading.Condition()  # guards _watchers and _polling
        self._watchers = 0
        self._polling = False

    def add(self, service: str, check: Callable[[], Any] | None) -> None:
        """A service of that name, with its check, where it has one; for what it gives see above."""
        self._checks[service] = check
        self._known[service] = int(_NOT_SERVING)
        self.set(service, _NOT_SERVING)

    def come_up(self) -> None:
        """The host is ready for calls."""
        self._up = True
        for service in (*self._checks, ""):
            self._tell(service, int(_SERVING))

    def enter_graceful_shutdown(self) -> None:
        """The host is about to end: nothing is serving from now on, and nobody is asked."""
        self._up = False
        super().enter_graceful_shutdown()

    def add_to(self, server: Any) -> None:
        """Serve it."""
        health_pb2_grpc.add_HealthServicer_to_server(self, server)

    def _ask(self, check: Callable[[], Any] | None) -> int:
        if not self._up:
            return int(_NOT_SERVING)
        if check is None:
            return int(_SERVING)
        try:
            found = check()
            if inspect.isawaitable(found):
                found = asyncio.run(_awaited(found))
            return int(_SERVING if found is None or found else _NOT_SERVING)
        except BaseException:  # SystemExit, too, says that something is wrong, and ends no thread of ours
            _LOGGER.exception("the health check %r raised", check)
            return int(_NOT_SERVING)

    def refresh(self, service: str) -> None:
        """Ask a service, or ("") all, and tell those who watch what has changed."""
        services = [service] if service in self._checks else list(self._checks)
        answers = {check: self._ask(check) for check in {self._checks[name] for name in services}}
        for name in services:
            self._tell(name, answers[self._checks[name]])
        well = all(self._known[name] == _SERVING for name in self._checks)
        self._tell("", int(_SERVING if well else _NOT_SERVING))

    def _tell(self, service: str, status: int) -> None:
        if self._known.get(service) != status:
            self._known[service] = status
            self.set(service, status)

    def Check(self, request: Any, context: Any) -> Any:
        """The state now."""
        if request.service in self._checks or not request.service:
            self.refresh(request.service)
        return super().Check(request, context)

    def Watch(self, request: Any, context: Any, send_response_callback: Any = None) -> Any:
        """The state now, and each other one."""
        self.refresh(request.service)
        with self._watched:
            self._watchers += 1
            if not self._polling and any(self._checks.values()):
                self._polling = True
                threading.Thread(target=self._poll, name="sage_rpc health", daemon=True).start()
        context.add_callback(self._watch_ended)
        return super().Watch(request, context, send_response_callback)

    def _watch_ended(self) -> None:
        with self._watched:
            self._watchers -= 1
            self._watched.notify_all()

    def _poll(self) -> None:
        while True:
            with self._watched:
                self._watched.wait_for(lambda: not self._watchers, WATCH_SECONDS)
                if not self._watchers:
                    self._polling = False
                    return
            self.refresh("")
