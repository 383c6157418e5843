"""What every registry offers: register, discover, watch.

Rules for whoever writes one:

1. `discover_services` gives what is known now; it fails only when nothing was ever known.
2. A watcher is told the whole state, first at once and then after every change, always by the same thread of
   the registry's. A registry that loses its server tells nothing and keeps what it knew.
3. A `Registration` lasts until it is closed or its process ends, whatever ends that.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping

from sage_rpc.discovery.endpoint import Endpoint, Health, ServiceInfo, group_by_service

__all__ = ["Registration", "RegistryError", "ServiceRegistry", "StaticRegistry", "Watch", "Watchers"]

_LOGGER = logging.getLogger("sage_rpc")
State = Mapping[str, ServiceInfo]


class RegistryError(ConnectionError):
    """The registry cannot be used; the text says which, why, and what to do."""


class Registration(ABC):
    """One registered endpoint; a context manager.

    Attributes:
        endpoint: as it is registered now.
    """

    endpoint: Endpoint

    @abstractmethod
    def update(self, health: Health, metadata: Mapping[str, str] | None = None) -> None:
        """Tell everyone the endpoint's health, and more metadata."""

    @abstractmethod
    def close(self) -> None:
        """Take the endpoint away. Idempotent."""

    def __enter__(self) -> Registration:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.endpoint.service} at {self.endpoint.address}>"


class Watch:
    """Somebody who is told of changes; `close()` ends it, and it is a context manager."""

    def __init__(self, close: Callable[[Watch], None], callback: Callable[[State], None]) -> None:
        self._close = close
        self.callback = callback

    def close(self) -> None:
        """Tell nothing more. Idempotent."""
        self._close(self)

    def __enter__(self) -> Watch:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class Watchers:
    """The watchers of one registry."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards _watches
        self._watches: list[Watch] = []

    def add(self, callback: Callable[[State], None]) -> Watch:
        """Begin to tell `callback`."""
        watch = Watch(self.remove, callback)
        with self._lock:
            self._watches.append(watch)
        return watch

    def remove(self, watch: Watch) -> None:
        """Stop telling `watch`."""
        with self._lock, contextlib.suppress(ValueError):
            self._watches.remove(watch)

    def __len__(self) -> int:
        return len(self._watches)

    def tell(self, state: State) -> None:
        """Call every callback; one that raises is logged and harms no other."""
        with self._lock:
            watches = list(self._watches)
        for watch in watches:
            try:
                watch.callback(state)
            except Exception:
                _LOGGER.exception("a watcher of services raised")


class ServiceRegistry(ABC):
    """Names to endpoints.

    Attributes:
        news_seconds: how long after the beginning of a watch its first news may be incomplete.
    """

    news_seconds: float = 0.0

    @abstractmethod
    def register_service(self, endpoint: Endpoint) -> Registration:
        """Let `endpoint` be found under its service's name.

        Raises:
            RegistryError: the registry cannot be written.
        """

    @abstractmethod
    def discover_services(self) -> dict[str, ServiceInfo]:
        """All that is known.

        Raises:
            RegistryError: nothing is known, because the registry cannot be read.
        """

    def look(self, service: str) -> ServiceInfo | None:
        """`service`, where that can be told at once and for little; None: a watch tells, sooner or later."""
        return None

    @abstractmethod
    def watch(self, callback: Callable[[State], None]) -> Watch:
        """Tell `callback` the whole state now and after every change, from a thread of the registry's."""

    def close(self) -> None:
        """Let go of threads and connections; registrations end."""
        return

    def __enter__(self) -> ServiceRegistry:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


class _Fixed(Registration):
    """A registration where nothing can be registered: only its owner knows of it."""

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint

    def update(self, health: Health, metadata: Mapping[str, str] | None = None) -> None:
        self.endpoint = self.endpoint.now(health, metadata)

    def close(self) -> None:
        pass


class StaticRegistry(ServiceRegistry):
    """Addresses that somebody wrote down.

    Args:
        addresses: service -> gRPC targets. `dns:///name:port` stands for all addresses that the name has, and
            is looked up again and again: what a headless service of Kubernetes wants.
    """

    def __init__(self, addresses: Mapping[str, list[str]]) -> None:
        self._state = group_by_service(
            Endpoint(service, address, id=f"{service}@{address}")
            for service, targets in addresses.items()
            for address in targets
        )

    def register_service(self, endpoint: Endpoint) -> Registration:
        """Nothing is written down: others know the address already, or never will."""
        return _Fixed(endpoint)

    def discover_services(self) -> dict[str, ServiceInfo]:
        """What was written down."""
        return dict(self._state)

    def watch(self, callback: Callable[[State], None]) -> Watch:
        """Tell `callback` once; nothing changes."""
        callback(dict(self._state))
        return Watch(lambda _watch: None, callback)

    def __repr__(self) -> str:
        return f"<StaticRegistry {', '.join(self._state) or 'empty'}>"
