"""sage_rpc: gRPC-compatible RPC over shared-memory queues on one host, over gRPC between hosts."""

from typing import TYPE_CHECKING, Any

from sage_rpc import aio
from sage_rpc.discovery import ServiceInfo, ServiceRegistry, open_registry
from sage_rpc.dropin.install import install, installed, uninstall
from sage_rpc.encoding.buffers import empty
from sage_rpc.encoding.tensors import Arrays, Tensor, array, tensor, with_arrays
from sage_rpc.endpoints.channel import DiscoveredChannel, insecure_channel
from sage_rpc.errors import Abort, RemoteError, RpcError
from sage_rpc.hosting.host import ServiceHost
from sage_rpc.policies.batching import Arguments
from sage_rpc.proto.v1.invoke_pb2 import ServiceRequest, ServiceResponse
from sage_rpc.queue import QueueClosed, QueueCorrupted, SageQueue
from sage_rpc.rpc.channel import Channel, secure_channel
from sage_rpc.rpc.server import Server, server
from sage_rpc.services.manager import ServiceEndpoint, ServiceManager, TracedServiceManager
from sage_rpc.services.proxies import AsyncServiceCallProxy, ServiceCallProxy

if TYPE_CHECKING:
    from sage_rpc.supervisor.manager import ServiceProcessManager

__all__ = [
    "Abort",
    "Arguments",
    "Arrays",
    "AsyncServiceCallProxy",
    "Channel",
    "DiscoveredChannel",
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


def __getattr__(name: str) -> Any:
    # What it needs (sage-rpc[serve]) is not everybody's.
    if name == "ServiceProcessManager":
        from sage_rpc.supervisor.manager import ServiceProcessManager

        return ServiceProcessManager
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
