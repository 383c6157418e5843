"""What this process knows of services, kept up to date by one watch that all its channels share."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

from sage_rpc.discovery.endpoint import Endpoint, ServiceInfo
from sage_rpc.discovery.location import REGISTRY_VARIABLE, open_registry
from sage_rpc.discovery.registry import RegistryError, ServiceRegistry, State, Watch

__all__ = ["Directory", "close_default_directories", "default_directory"]

_FIRST_NEWS_SECONDS = 2.0  # for a registry to tell what it knows, before the first call of all


class Directory:
    """The state of a registry, as last told.

    Args:
        registry: whose; None for the one that the environment names, opened at the first look-up.

    Attributes:
        generation: grows with every change.
    """

    def __init__(self, registry: ServiceRegistry | None = None) -> None:
        self._registry = registry
        self._opened = registry is None
        self._begin()
        _directories.add(self)

    def _begin(self) -> None:
        self._starting = threading.Lock()  # guards _registry and _watch; taken before any other
        self._changed = threading.Condition()  # guards the rest
        self._state: State = {}
        self._watch: Watch | None = None
        self._informed = False
        self._settled_at = 0.0  # of time.monotonic
        self._listeners: list[Callable[[], None]] = []
        self.generation = 0

    def endpoints(self, service: str) -> tuple[Endpoint, ...]:
        """Every endpoint of `service` that is known.

        Raises:
            RegistryError: the registry cannot be used at all.
            ValueError: the environment names no registry.
        """
        if self._watch is None:
            self._start()
        info = self._state.get(service) or self._look(service)
        if info is None and time.monotonic() < self._settled_at:
            # A process that has just begun: what it does not know may be known to the registry.
            with self._changed:
                left = self._settled_at - time.monotonic()
                self._changed.wait_for(lambda: service in self._state, max(0.0, left))
            info = self._state.get(service)
        return info.endpoints if info is not None else ()

    def known(self, service: str) -> tuple[Endpoint, ...]:
        """Those that are known already; asks nobody."""
        info = self._state.get(service)
        return () if info is None else info.endpoints

    def _look(self, service: str) -> ServiceInfo | None:
        """What the registry can say at once of a service that is not known: it may have begun just now."""
        registry = self._registry
        try:
            info = None if registry is None else registry.look(service)
        except RegistryError:
            return None
        if info is not None:
            with self._changed:
                self._state = {service: info, **self._state}
                self.generation += 1
                self._changed.notify_all()
        return info

    def names(self) -> list[str]:
        """The services that are known, sorted."""
        if self._watch is None:
            self._start()
        return sorted(self._state)

    def wait_for_change(self, generation: int, deadline: float | None) -> bool:
        """Wait until `generation` is over. -> False: `deadline` (of time.monotonic) came first."""
        with self._changed:
            timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
            return self._changed.wait_for(lambda: self.generation != generation, timeout)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, from the registry's thread."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Call it no more."""
        if callback in self._listeners:
            self._listeners.remove(callback)

    def close(self) -> None:
        """Let go of the registry, where it was opened here; the next look-up opens it anew."""
        with self._starting:
            watch, self._watch = self._watch, None
            registry = self._registry
            if self._opened:
                self._registry = None
        if watch is not None:
            watch.close()
        if self._opened and registry is not None:
            registry.close()

    def __repr__(self) -> str:
        return f"<Directory of {self._registry!r}, {len(self._state)} services>"

    def _start(self) -> None:
        with self._starting:
            if self._watch is None:
                if self._registry is None:
                    self._registry = open_registry()
                self._settled_at = time.monotonic() + self._registry.news_seconds
                self._watch = self._registry.watch(self._told)
        with self._changed:
            # A registry that cannot be reached now tells later; calls do not wait for it for ever.
            self._changed.wait_for(lambda: self._informed, _FIRST_NEWS_SECONDS)

    def _told(self, state: State) -> None:
        with self._changed:
            self._state = state
            self._informed = True
            self.generation += 1
            self._changed.notify_all()
        for listener in list(self._listeners):
            listener()

    def _forget_parent(self) -> None:
        listeners = self._listeners
        self._begin()
        self._listeners = listeners


_directories: weakref.WeakSet[Directory] = weakref.WeakSet()
_defaults: dict[tuple[str | None, ...], Directory] = {}
_opening = threading.Lock()  # guards _defaults


def default_directory() -> Directory:
    """The one that `sage:///NAME` targets use: of the registry that the environment names now."""
    key = tuple(map(os.environ.get, (REGISTRY_VARIABLE, "SAGE_RPC_RUNTIME_DIR", "XDG_RUNTIME_DIR")))
    with _opening:
        if key not in _defaults:
            _defaults[key] = Directory()
        return _defaults[key]


def close_default_directories() -> None:
    """Let go of every registry that `sage:///NAME` targets have opened; the next one opens it anew."""
    with _opening:
        directories = list(_defaults.values())
        _defaults.clear()
    for directory in directories:
        directory.close()


def _after_fork_in_child() -> None:
    global _opening  # noqa: PLW0603 - a thread of the parent may have held the old one
    _opening = threading.Lock()
    for directory in list(_directories):
        directory._forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)
