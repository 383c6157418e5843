"""How others on this host talk to a supervisor: a plain service on a Unix socket, found by discovery.

Rules: the socket is in the runtime directory, so only its user comes here; whatever changes something says
what it did, and errors are told as `ControlError` with one clear line.
"""

from __future__ import annotations

import importlib.metadata
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sage_rpc.supervisor.manager import ServiceProcessManager, ServiceStartError

__all__ = ["Control", "ControlError"]

_LONGEST_WAIT = 20.0  # seconds that a request for lines may wait
_MOST_LINES = 5000


class ControlError(Exception):
    """What was asked for cannot be done."""


class Control:
    """The methods of a supervisor.

    Args:
        manager: does it.
        reload: reads the configuration again. -> what changed, one line each.
        config: the configuration in force, as JSON.
        file: of the configuration.
    """

    def __init__(
        self,
        manager: ServiceProcessManager,
        reload: Callable[[], list[str]],
        config: Callable[[], dict[str, Any]],
        file: str,
    ) -> None:
        self._manager = manager
        self._reload = reload
        self._config = config
        self._file = file
        self._began = time.time()

    def about(self) -> dict[str, Any]:
        """Who this is."""
        return {
            "name": self._manager.name,
            "version": importlib.metadata.version("sage-rpc"),
            "began": self._began,
            "file": self._file,
        }

    def status(self) -> list[dict[str, Any]]:
        """Every process."""
        return [asdict(one) for one in self._manager.status()]

    def reports(self) -> list[dict[str, Any]]:
        """What every process counted."""
        return self._manager.reports()

    def health(self) -> dict[str, list[str]]:
        """The health of every process, asked now."""
        return self._manager.monitor_service_health()

    def services(self) -> list[str]:
        """The names of the services."""
        return list(self._manager.services())

    def config(self) -> dict[str, Any]:
        """The configuration in force."""
        return self._config()

    def restart(self, service: str) -> str:
        """Replace the processes of a service one by one."""
        self._check(service)
        try:
            self._manager.restart_service(service)
        except ServiceStartError as error:
            raise ControlError(str(error)) from None
        return f"restarted {service}"

    def drain(self, service: str, number: int | None = None) -> str:
        """Let processes finish and end."""
        self._check(service)
        try:
            self._manager.drain(service, number)
        except LookupError as error:
            raise ControlError(str(error)) from None
        return f"drained {service}" + ("" if number is None else f"/{number}")

    def reload(self) -> list[str]:
        """Read the configuration again."""
        try:
            return self._reload()
        except (ValueError, ServiceStartError) as error:
            raise ControlError(str(error)) from None

    def logs(
        self, services: list[str], after: int = -1, wait: float = 0.0, last: int = 100
    ) -> list[list[Any]]:
        """Lines of output: (sequence, service, text)."""
        for service in services:
            self._check(service)
        wait, last = min(max(0.0, wait), _LONGEST_WAIT), min(max(1, last), _MOST_LINES)
        return [list(line) for line in self._manager.output.after(after, services, wait, last)]

    def _check(self, service: str) -> None:
        known = self._manager.services()
        if service not in known:
            names = ", ".join(known) or "none"
            raise ControlError(f"there is no service {service!r} here; there are {names}")
