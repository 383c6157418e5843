"""Discovery: names to endpoints, by this host's runtime directory, by addresses, or by etcd."""

from typing import TYPE_CHECKING, Any

from sage_rpc.discovery.directory import Directory
from sage_rpc.discovery.endpoint import Endpoint, Health, ServiceInfo, host_identity
from sage_rpc.discovery.joined import JoinedRegistry
from sage_rpc.discovery.local import LocalRegistry
from sage_rpc.discovery.location import open_registry
from sage_rpc.discovery.registry import Registration, RegistryError, ServiceRegistry, StaticRegistry, Watch

if TYPE_CHECKING:
    from sage_rpc.discovery.etcd import EtcdRegistry, EtcdTls

__all__ = [
    "Directory",
    "Endpoint",
    "EtcdRegistry",
    "EtcdTls",
    "Health",
    "JoinedRegistry",
    "LocalRegistry",
    "Registration",
    "RegistryError",
    "ServiceInfo",
    "ServiceRegistry",
    "StaticRegistry",
    "Watch",
    "host_identity",
    "open_registry",
]


def __getattr__(name: str) -> Any:
    # Imported late: most programs have no etcd.
    if name in {"EtcdRegistry", "EtcdTls"}:
        from sage_rpc.discovery import etcd

        return getattr(etcd, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
