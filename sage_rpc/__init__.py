"""sage_rpc: gRPC-compatible RPC over shared-memory queues on one host, over gRPC between hosts.

The public names are imported when they are first used: what a program does not use costs it nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sage_rpc import aio
    from sage_rpc.discovery import ServiceInfo, ServiceRegistry, open_registry
    from sage_rpc.dropin.install import install, installed, uninstall
    from sage_rpc.encoding.buffers import empty
    from sage_rpc.encoding.tensors import Arrays, Tensor, array, tensor, with_arrays
    from sage_rpc.endpoints.channel import DiscoveredChannel
    from sage_rpc.endpoints.opening import insecure_channel
    from sage_rpc.errors import Abort, RemoteError, RpcError
    from sage_rpc.hosting.host import ServiceHost
    from sage_rpc.hosting.hosting import Hosting
    from sage_rpc.policies.batching import Arguments
    from sage_rpc.proto.v1.invoke_pb2 import ServiceRequest, ServiceResponse
    from sage_rpc.queue import QueueClosed, QueueCorrupted, SageQueue
    from sage_rpc.rpc.channel import Channel, secure_channel
    from sage_rpc.rpc.server import Server, server
    from sage_rpc.services.manager import ServiceEndpoint, ServiceManager, TracedServiceManager
    from sage_rpc.services.proxies import AsyncServiceCallProxy, ServiceCallProxy
    from sage_rpc.supervisor.manager import ServiceProcessManager

__all__ = [
    "Abort",
    "Arguments",
    "Arrays",
    "AsyncServiceCallProxy",
    "Channel",
    "DiscoveredChannel",
    "Hosting",
    "QueueClosed",
    "QueueCorrupted",
    "RemoteError",
    "RpcError",
    "SageQueue",
    "Server",
    "ServiceCallProxy",
    "ServiceEndpoint",
    "ServiceHost",
    "ServiceInfo",
    "ServiceManager",
    "ServiceProcessManager",
    "ServiceRegistry",
    "ServiceRequest",
    "ServiceResponse",
    "Tensor",
    "TracedServiceManager",
    "aio",
    "array",
    "empty",
    "insecure_channel",
    "install",
    "installed",
    "open_registry",
    "secure_channel",
    "server",
    "tensor",
    "uninstall",
    "with_arrays",
]
__version__ = "0.1.0"
_HOMES = {
    "Abort": "sage_rpc.errors",
    "Arguments": "sage_rpc.policies.batching",
    "Arrays": "sage_rpc.encoding.tensors",
    "AsyncServiceCallProxy": "sage_rpc.services.proxies",
    "Channel": "sage_rpc.rpc.channel",
    "DiscoveredChannel": "sage_rpc.endpoints.channel",
    "Hosting": "sage_rpc.hosting.hosting",
    "QueueClosed": "sage_rpc.queue",
    "QueueCorrupted": "sage_rpc.queue",
    "RemoteError": "sage_rpc.errors",
    "RpcError": "sage_rpc.errors",
    "SageQueue": "sage_rpc.queue",
    "Server": "sage_rpc.rpc.server",
    "ServiceCallProxy": "sage_rpc.services.proxies",
    "ServiceEndpoint": "sage_rpc.services.manager",
    "ServiceHost": "sage_rpc.hosting.host",
    "ServiceInfo": "sage_rpc.discovery",
    "ServiceManager": "sage_rpc.services.manager",
    "ServiceProcessManager": "sage_rpc.supervisor.manager",
    "ServiceRegistry": "sage_rpc.discovery",
    "ServiceRequest": "sage_rpc.proto.v1.invoke_pb2",
    "ServiceResponse": "sage_rpc.proto.v1.invoke_pb2",
    "Tensor": "sage_rpc.encoding.tensors",
    "TracedServiceManager": "sage_rpc.services.manager",
    "array": "sage_rpc.encoding.tensors",
    "empty": "sage_rpc.encoding.buffers",
    "insecure_channel": "sage_rpc.endpoints.opening",
    "install": "sage_rpc.dropin.install",
    "installed": "sage_rpc.dropin.install",
    "open_registry": "sage_rpc.discovery",
    "secure_channel": "sage_rpc.rpc.channel",
    "server": "sage_rpc.rpc.server",
    "tensor": "sage_rpc.encoding.tensors",
    "uninstall": "sage_rpc.dropin.install",
    "with_arrays": "sage_rpc.encoding.tensors",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    try:
        value = import_module(f"sage_rpc.{name}") if home is None else getattr(import_module(home), name)
    except ModuleNotFoundError as error:
        if home is not None or error.name != f"sage_rpc.{name}":
            raise
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
    globals()[name] = value
    return value
