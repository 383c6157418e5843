"""Discovery: names to endpoints, by this host's runtime directory, by addresses, or by etcd."""

from sage_rpc.discovery.directory import Directory
from sage_rpc.discovery.endpoint import Endpoint, Health, ServiceInfo, host_identity
from sage_rpc.discovery.etcd import EtcdRegistry, EtcdTls
from sage_rpc.discovery.joined import JoinedRegistry
from sage_rpc.discovery.local import LocalRegistry
from sage_rpc.discovery.location import open_registry
from sage_rpc.discovery.registry import Registration, RegistryError, ServiceRegistry, StaticRegistry, Watch

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
