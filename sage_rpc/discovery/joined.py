"""Two registries as one: this host's, which is right at once, and one of many hosts.

Rules: what the local registry knows of this host is the truth about it, so an endpoint of this host that only
the other registry still has is dead and left out; a local outage, or one of the other, hides nothing that
is known.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Mapping

from sage_rpc.discovery.endpoint import Endpoint, Health, ServiceInfo, group_by_service, host_identity
from sage_rpc.discovery.registry import Registration, RegistryError, ServiceRegistry, State, Watch

__all__ = ["JoinedRegistry"]


class JoinedRegistry(ServiceRegistry):
    """The registry of this host, and one of many hosts.

    Args:
        local: this host's.
        remote: the other; `close()` closes both.
    """

    def __init__(self, local: ServiceRegistry, remote: ServiceRegistry) -> None:
        self.local = local
        self.remote = remote
        self.news_seconds = remote.news_seconds

    def register_service(self, endpoint: Endpoint) -> Registration:
        """Register with both; one whose address reaches this host only (`unix:`, localhost), locally."""
        here = self.local.register_service(endpoint)
        if not reachable_from_elsewhere(endpoint.address):
            return here
        try:
            return _Both(here, self.remote.register_service(endpoint))
        except BaseException:
            here.close()
            raise

    def discover_services(self) -> dict[str, ServiceInfo]:
        """What either knows.

        Raises:
            RegistryError: neither can be read.
        """
        local = self.local.discover_services()
        try:
            remote = self.remote.discover_services()
        except RegistryError:
            if not local:
                raise
            remote = {}
        return joined(local, remote)

    def look(self, service: str) -> ServiceInfo | None:
        """What the local registry says."""
        return self.local.look(service)

    def watch(self, callback: Callable[[State], None]) -> Watch:
        """Tell `callback` the state of both as soon as the local one is known, and after every change."""
        follower = _Follower(callback)
        follower.watches.append(self.local.watch(follower.local))
        follower.watches.append(self.remote.watch(follower.remote))
        return Watch(lambda _watch: follower.close(), callback)

    def close(self) -> None:
        """Close both."""
        self.local.close()
        self.remote.close()

    def __repr__(self) -> str:
        return f"<JoinedRegistry {self.local!r} {self.remote!r}>"


def reachable_from_elsewhere(address: str) -> bool:
    """Whether another host can make use of a gRPC target."""
    return not address.startswith(("unix:", "unix-abstract:", "localhost:", "127.", "[::1]:"))


def joined(local: State, remote: State) -> dict[str, ServiceInfo]:
    """The rule of this file, applied."""
    try:
        here = host_identity()
    except OSError:
        here = ""
    found: dict[str, Endpoint] = {e.id: e for e in _endpoints(remote) if not here or e.host != here}
    found.update((e.id, e) for e in _endpoints(local))
    return group_by_service(found.values())


def _endpoints(state: State) -> Iterable[Endpoint]:
    return (endpoint for info in state.values() for endpoint in info.endpoints)


class _Both(Registration):
    def __init__(self, first: Registration, second: Registration) -> None:
        self._two = (first, second)

    @property
    def endpoint(self) -> Endpoint:  # type: ignore[override]  # read from the first, so that it cannot differ
        return self._two[0].endpoint

    def update(self, health: Health, metadata: Mapping[str, str] | None = None) -> None:
        for one in self._two:
            one.update(health, metadata)

    def close(self) -> None:
        for one in self._two:
            one.close()


class _Follower:
    """Joins the news of two registries, which come from two threads."""

    def __init__(self, callback: Callable[[State], None]) -> None:
        self.watches: list[Watch] = []
        self._callback = callback
        self._telling = threading.Lock()  # guards the order in which states are told
        self._local: State | None = None
        self._remote: State = {}

    def local(self, state: State) -> None:
        with self._telling:
            self._local = state
            self._tell()

    def remote(self, state: State) -> None:
        with self._telling:
            self._remote = state
            self._tell()

    def _tell(self) -> None:
        if self._local is not None:
            self._callback(joined(self._local, self._remote))

    def close(self) -> None:
        for watch in self.watches:
            with contextlib.suppress(RegistryError):
                watch.close()
