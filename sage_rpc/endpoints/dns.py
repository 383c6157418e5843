"""What `dns:` targets stand for: the addresses of a host name, looked up again and again.

gRPC would look a name up again only when a connection has failed, so that a pod which is new behind a
headless service of Kubernetes got no calls, and it spreads calls by rules of its own. Here each address is
an endpoint like any other, and a pool's rules choose among them.

One thread looks up all names of the process, every `INTERVAL` seconds and soon after a call has met nobody,
for as long as a resolver wants them. A name that cannot be looked up keeps the addresses that it had.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

__all__ = ["HostNames", "authority_of", "host_names", "is_host_name"]

INTERVAL = 5.0  # seconds
SOONEST = 0.5  # seconds between two looks, where calls meet nobody
_PORT = "443"  # as gRPC's default
_LOGGER = logging.getLogger("sage_rpc")
# A server of names that is given as authority ("dns://1.1.1.1/name") is gRPC's to ask.
_TARGET = re.compile(r"dns:(?:///)?(?P<host>\[[^\]/]+\]|[^:/]+)(?::(?P<port>\d+))?")


def is_host_name(target: str) -> bool:
    """Whether `target` is a name of a host that is looked up here."""
    return _TARGET.fullmatch(target) is not None


def _looked_up(target: str) -> tuple[str, ...]:
    """The gRPC targets of all addresses of `target`, sorted. Raises an OSError where there is none."""
    found = _TARGET.fullmatch(target)
    assert found is not None  # noqa: S101 - whoever asks has looked
    host, port = found["host"].strip("[]"), found["port"] or _PORT
    addresses = set()
    for family, _, _, _, address in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
        if family == socket.AF_INET:
            addresses.add(f"ipv4:{address[0]}:{port}")
        elif family == socket.AF_INET6:
            addresses.add(f"ipv6:[{address[0]}]:{port}")
    return tuple(sorted(addresses))


def authority_of(target: str) -> str:
    """The name that calls to `target` are for, whatever address they go to."""
    return target.removeprefix("dns:").lstrip("/")


class HostNames:
    """The names that somebody in this process wants to know the addresses of."""

    def __init__(self) -> None:
        self._begin()

    def _begin(self) -> None:
        self._changed = threading.Condition()  # guards everything
        self._wanted: dict[str, weakref.WeakSet[Any]] = {}
        self._known: dict[str, tuple[str, ...]] = {}
        self._failures: dict[str, str] = {}
        self._listeners: list[Callable[[], None]] = []
        self._running = self._soon = False
        self.generation = 0

    def addresses(self, target: str, owner: Any) -> tuple[str, ...]:
        """The addresses of `target`, as gRPC's targets; the first look may take a moment.

        Args:
            target: "dns:///HOST:PORT".
            owner: whoever wants to know, for as long as it lives.
        """
        with self._changed:
            self._wanted.setdefault(target, weakref.WeakSet()).add(owner)
            known = self._known.get(target)
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name="sage_rpc dns", daemon=True).start()
        return self._look(target) if known is None else known

    def forget(self, owner: Any) -> None:
        """`owner` does not want to know any more."""
        with self._changed:
            for owners in self._wanted.values():
                owners.discard(owner)

    def why_none(self, target: str) -> str:
        """Why `target` has no address; "" if it has."""
        return self._failures.get(target, "")

    def look_soon(self) -> None:
        """A call has met nobody: addresses may be others."""
        if self._running and not self._soon:
            with self._changed:
                self._soon = True
                self._changed.notify_all()

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, from a thread of ours."""
        self._listeners.append(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Call it no more."""
        if callback in self._listeners:
            self._listeners.remove(callback)

    def __repr__(self) -> str:
        return f"<HostNames {', '.join(self._wanted) or 'none'}>"

    def _look(self, target: str) -> tuple[str, ...]:
        try:
            found, failure = _looked_up(target), ""
        except (OSError, UnicodeError) as error:
            found, failure = (), str(error)
        with self._changed:
            if failure:
                if self._failures.get(target) != failure:
                    _LOGGER.warning("%s cannot be looked up: %s", target, failure)
                self._failures[target] = failure
                return self._known.get(target, ())
            self._failures.pop(target, None)
            if self._known.get(target) == found:
                return found
            self._known[target] = found
            self.generation += 1
        for listener in list(self._listeners):
            listener()
        return found

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            with self._changed:
                self._changed.wait_for(lambda: self._soon, INTERVAL)
                self._changed.wait_for(lambda: False, began + SOONEST - time.monotonic())
                self._soon = False
                for target in [each for each, owners in self._wanted.items() if not owners]:
                    del self._wanted[target]
                    self._known.pop(target, None)
                    self._failures.pop(target, None)
                if not self._wanted:
                    self._running = False
                    return
                wanted = list(self._wanted)
            for target in wanted:
                self._look(target)

    def forget_parent(self) -> None:
        """In a forked child: the thread is the parent's."""
        listeners, generation = self._listeners, self.generation
        self._begin()
        self._listeners, self.generation = listeners, generation + 1  # whoever asks looks up anew


host_names = HostNames()
os.register_at_fork(after_in_child=host_names.forget_parent)
