"""Targets to endpoints: an address stands for itself, `dns:///HOST:PORT` for every address that HOST has now,
`sage:///NAME` for whoever serves NAME now.

A resolver knows endpoints and connects to none of them. Its `generation` is a number that grows with what
discovery hears, so that asking whether anything has changed costs a comparison.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from sage_rpc.discovery.directory import Directory, default_directory
from sage_rpc.discovery.endpoint import Endpoint, host_identity
from sage_rpc.endpoints.dns import HostNames, authority_of, host_names, is_host_name
from sage_rpc.endpoints.targets import is_named, service_of_target
from sage_rpc.transport.shm.rendezvous import UnreachableError, place_of_target

__all__ = ["Resolver", "is_here", "is_local"]


class Resolver:
    """The endpoints that some targets stand for.

    Args:
        targets: addresses and names, in any order.
        directory: what knows the names; None: that of the registry that the environment names.

    Raises:
        ValueError: a target names no service.
    """

    def __init__(self, targets: Sequence[str], directory: Directory | None = None) -> None:
        self.targets = tuple(dict.fromkeys(targets))
        self._services = tuple(service_of_target(target) for target in self.targets if is_named(target))
        self._directory = (directory or default_directory()) if self._services else None
        self._sources: tuple[Directory | HostNames, ...] = (
            *(() if self._directory is None else (self._directory,)),
            # Addresses in a registry may be names of hosts, too.
            *((host_names,) if self._services or any(map(is_host_name, self.targets)) else ()),
        )

    @property
    def named(self) -> bool:
        """Whether its endpoints come and go."""
        return bool(self._sources)

    @property
    def generation(self) -> int:
        """Grows when endpoints may have changed."""
        return sum(source.generation for source in self._sources)

    def endpoints(self) -> tuple[Endpoint, ...]:
        """All that are known now, of every health. Waits for the first news of a registry, for a moment.

        Raises:
            RegistryError: the registry cannot be used at all.
        """
        told: list[Endpoint] = []
        for target in self.targets:
            if not is_named(target):
                told.append(Endpoint(target, target, id=target))
            elif self._directory is not None:
                told += self._directory.endpoints(service_of_target(target))
        return tuple({each.id: each for endpoint in told for each in self._at_addresses(endpoint)}.values())

    def _at_addresses(self, endpoint: Endpoint) -> tuple[Endpoint, ...]:
        """`endpoint`, or one for each address of the host that it names."""
        target = endpoint.address
        if not is_host_name(target) or is_here(endpoint):
            return (endpoint,)
        return tuple(
            replace(endpoint, id=f"{endpoint.id} {address}", address=address, authority=authority_of(target))
            for address in host_names.addresses(target, self)
        )

    def look_again(self) -> None:
        """A call has met nobody: what is known may be old."""
        if host_names in self._sources:
            host_names.look_soon()

    def anybody_serves(self) -> bool:
        """Whether an endpoint says so. Raises what `endpoints` does."""
        return any(endpoint.health == "serving" for endpoint in self.endpoints())

    def wait_for_change(self, generation: int, deadline: float | None) -> bool:
        """Wait until `generation` is over. -> False: not before `deadline` (of time.monotonic)."""
        changed = threading.Event()
        self.listen(changed.set)
        try:
            while self.generation == generation:
                left = None if deadline is None else deadline - time.monotonic()
                if not self._sources or not changed.wait(left if left is None or left > 0 else 0):
                    return False
                changed.clear()
        finally:
            self.unlisten(changed.set)
        return True

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, from the registry's thread."""
        for source in self._sources:
            source.listen(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Call it no more."""
        for source in self._sources:
            source.unlisten(callback)

    def close(self) -> None:
        """Nobody asks any more."""
        host_names.forget(self)

    def nobody(self, service: str) -> str:
        """Why no endpoint of `service` takes calls."""
        if self._directory is None:
            reasons = "; ".join(filter(None, map(host_names.why_none, self.targets)))
            return f"the service {service!r} has no endpoint now: connection refused" + (
                f": {reasons}" if reasons else ""
            )
        known = [endpoint for name in self._services for endpoint in self._directory.known(name)]
        if known:
            states = ", ".join(f"{e.address} is {e.health}" for e in known[:5])
            return f"no endpoint of the service {service!r} takes calls: {states}"
        name = self._services[0]
        others = [each for each in self._directory.names() if not each.startswith("sage.")]
        return (
            f"no endpoint of the service {name!r} is registered: connection refused; known: "
            f"{', '.join(others[:10]) or 'none'}"
        )

    def __repr__(self) -> str:
        return f"<Resolver {', '.join(self.targets)}>"


def is_here(endpoint: Endpoint) -> bool:
    """Whether the endpoint's memory queue is in this process's runtime directory."""
    if not endpoint.memory:
        return False
    try:
        return endpoint.host == host_identity()
    except OSError:
        return False


def is_local(endpoint: Endpoint) -> bool:
    """Whether it is on this host, as far as can be told. May look a host's name up."""
    if endpoint.host:
        return is_here(endpoint)
    try:
        place_of_target(endpoint.address)
    except (UnreachableError, OSError, ValueError):
        return False
    return True
