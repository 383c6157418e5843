"""Targets to endpoints: an address stands for itself, `sage:///NAME` for whoever serves NAME now.

A resolver knows endpoints and connects to none of them. Its `generation` is a number that grows with what
discovery hears, so that asking whether anything has changed costs a comparison.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sage_rpc.discovery.directory import Directory, default_directory
from sage_rpc.discovery.endpoint import Endpoint, host_identity
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

    @property
    def named(self) -> bool:
        """Whether its endpoints come and go."""
        return self._directory is not None

    @property
    def generation(self) -> int:
        """Grows when endpoints may have changed."""
        return 0 if self._directory is None else self._directory.generation

    def endpoints(self) -> tuple[Endpoint, ...]:
        """All that are known now, of every health. Waits for the first news of a registry, for a moment.

        Raises:
            RegistryError: the registry cannot be used at all.
        """
        found: dict[str, Endpoint] = {}
        for target in self.targets:
            if not is_named(target):
                found[target] = Endpoint(target, target, id=target)
            elif self._directory is not None:
                for endpoint in self._directory.endpoints(service_of_target(target)):
                    found[endpoint.id] = endpoint
        return tuple(found.values())

    def anybody_serves(self) -> bool:
        """Whether an endpoint says so. Raises what `endpoints` does."""
        return any(endpoint.health == "serving" for endpoint in self.endpoints())

    def wait_for_change(self, generation: int, deadline: float | None) -> bool:
        """Wait until `generation` is over. -> False: not before `deadline` (of time.monotonic)."""
        return self._directory is not None and self._directory.wait_for_change(generation, deadline)

    def listen(self, callback: Callable[[], None]) -> None:
        """Call `callback` after every change, from the registry's thread."""
        if self._directory is not None:
            self._directory.listen(callback)

    def unlisten(self, callback: Callable[[], None]) -> None:
        """Call it no more."""
        if self._directory is not None:
            self._directory.unlisten(callback)

    def nobody(self, service: str) -> str:
        """Why no endpoint of `service` takes calls."""
        if self._directory is None:
            return f"the service {service!r} has no endpoint now: connection refused"
        known = self.endpoints()
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
