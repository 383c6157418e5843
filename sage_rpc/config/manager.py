"""A ServiceManager that obeys a configuration: every service by its name, under the policies of the file.

Services are whoever discovery knows under the name. Policies change while calls go on: in the processes of a
supervisor when it tells them, elsewhere when the supervisor of the same name on this host has reloaded.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from google.protobuf import descriptor_pool

from sage_rpc.config.policies import service_policy
from sage_rpc.discovery import LocalRegistry, RegistryError
from sage_rpc.discovery.directory import default_directory
from sage_rpc.discovery.endpoint import SUPERVISOR
from sage_rpc.services.manager import ServiceManager

if TYPE_CHECKING:
    from sage_rpc.discovery.registry import State
    from sage_rpc.services.calls import ServiceCalls

__all__ = ["ConfiguredManager", "manager_of"]

_LOGGER = logging.getLogger("sage_rpc")


def manager_of(path: str | Path, **options: Any) -> ConfiguredManager:
    """A manager of the services of a configuration, under its policies.

    It reads the file again when the supervisor of that name on this host has reloaded, or by `reload()`:
    proxies, methods and clients in use follow, and calls under way go on. A forked child keeps what it was
    forked with.

    Args:
        path: of the file.
        options: those of ServiceManager.

    Raises:
        ConfigError: the file cannot be used.

    Example:
        with manager_of("config.yaml") as manager:
            manager.get_sync_proxy("cache").get("k")
    """
    manager = ConfiguredManager(**options)
    manager.obey(Path(path).resolve())
    return manager


class ConfiguredManager(ServiceManager):
    """Reaches every service that discovery knows, by its name; see the head of the file."""

    _said: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    _path: Path | None = None
    _registry: LocalRegistry | None = None
    _heard: tuple[str, str] | None = None  # which supervisor, and which of its reloads

    # -- the configuration

    def obey(self, path: Path) -> None:
        """Hold what the file says, now and after each reload of its supervisor."""
        self._path = path
        self.reload()
        self._registry = LocalRegistry()
        try:
            self._registry.watch(self._look)
        except RegistryError as error:
            _LOGGER.warning("policies of %s do not follow reloads of a supervisor: %s", path, error)

    def reload(self) -> None:
        """Read the file again.

        Raises:
            ConfigError: it cannot be used; everything stays as it was.
            ValueError: this manager has none.
        """
        if self._path is None:
            raise ValueError(f"{self!r} was not made of a file")
        from sage_rpc.config.load import load_config  # pydantic is not for a service's process

        config = load_config(self._path)
        self._name = config.name
        self.follow({name: service.policy for name, service in config.services.items()})

    def follow(self, said: Mapping[str, Mapping[str, Any]]) -> None:
        """From now on this holds for calls of services, by their names."""
        with self._lock:
            for name in {*said, *self._said}:
                if said.get(name) == self._said.get(name):
                    continue
                policy = service_policy(said.get(name, {}))
                if name in self._endpoints:
                    self.set_policy(name, policy)
                else:
                    self._policies[name] = policy
            self._said = dict(said)

    def _look(self, state: State) -> None:
        info = state.get(SUPERVISOR)
        for endpoint in () if info is None else info.endpoints:
            told = (endpoint.id, endpoint.metadata.get("reloads", ""))
            if endpoint.metadata.get("name") == self._name and told != self._heard:
                self._heard = told
                try:
                    self.reload()
                except ValueError as error:  # the supervisor may have seen other variables, or an older file
                    _LOGGER.warning("policies stay as they were: %s", error)

    # -- services

    @property
    def services(self) -> tuple[str, ...]:
        """Those of the configuration, and others that were called; sorted."""
        return tuple(sorted({*self._said, *self._endpoints}))

    def _calls_of(self, name: str) -> ServiceCalls:
        self._learn(name)
        return super()._calls_of(name)

    def _name_of(self, service: str, name: str | None) -> str:
        directory = default_directory()
        for each in directory.names():
            if any(endpoint.declared == service for endpoint in directory.endpoints(each)):
                self._learn(each)
        return super()._name_of(service, name)

    def _learn(self, name: str) -> None:
        if name in self._endpoints or self._closed:
            return
        descriptor = None
        with contextlib.suppress(RegistryError, KeyError):  # calls say so; its module is not imported here
            known = default_directory().endpoints(name)
            declared = next((endpoint.declared for endpoint in known if endpoint.declared), None)
            descriptor = declared and descriptor_pool.Default().FindServiceByName(declared)
        with contextlib.suppress(ValueError):  # another thread was faster
            self.register(name, f"sage:///{name}", service=descriptor)

    # -- life

    def close(self) -> None:
        """See ServiceManager."""
        if self._registry is not None:
            self._registry.close()
        super().close()

    def __getstate__(self) -> dict[str, Any]:
        return {**super().__getstate__(), "path": self._path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        path = state.pop("path")
        super().__setstate__(state)
        if path is not None:
            self.obey(path)
