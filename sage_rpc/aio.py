"""`grpc.aio` over the memory queue where it can be had: channels and servers for asyncio.

`insecure_channel`, `secure_channel` and `server` have the signatures and the meaning of grpc.aio, and
`ServiceManager` is for asyncio what `sage_rpc.ServiceManager` is for threads. Every other name here is
grpc.aio's own, so that `from sage_rpc import aio` serves a program as `from grpc import aio` did.
"""

from typing import TYPE_CHECKING, Any

from grpc.aio import (
    EOF,
    AbortError,
    AioRpcError,
    BaseError,
    Call,
    ClientCallDetails,
    ClientInterceptor,
    InterceptedUnaryUnaryCall,
    InternalError,
    Metadata,
    RpcContext,
    ServerInterceptor,
    ServicerContext,
    StreamStreamCall,
    StreamStreamClientInterceptor,
    StreamStreamMultiCallable,
    StreamUnaryCall,
    StreamUnaryClientInterceptor,
    StreamUnaryMultiCallable,
    UnaryStreamCall,
    UnaryStreamClientInterceptor,
    UnaryStreamMultiCallable,
    UnaryUnaryCall,
    UnaryUnaryClientInterceptor,
    UnaryUnaryMultiCallable,
    UsageError,
    init_grpc_aio,
    shutdown_grpc_aio,
)

from sage_rpc.endpoints.opening import aio_insecure_channel as insecure_channel
from sage_rpc.rpc.aio import Channel, Server, secure_channel, server

if TYPE_CHECKING:
    from sage_rpc.services.aio import ServiceManager, ServiceProxy

__all__ = [
    "EOF",
    "AbortError",
    "AioRpcError",
    "BaseError",
    "Call",
    "Channel",
    "ClientCallDetails",
    "ClientInterceptor",
    "InterceptedUnaryUnaryCall",
    "InternalError",
    "Metadata",
    "RpcContext",
    "Server",
    "ServerInterceptor",
    "ServiceManager",
    "ServiceProxy",
    "ServicerContext",
    "StreamStreamCall",
    "StreamStreamClientInterceptor",
    "StreamStreamMultiCallable",
    "StreamUnaryCall",
    "StreamUnaryClientInterceptor",
    "StreamUnaryMultiCallable",
    "UnaryStreamCall",
    "UnaryStreamClientInterceptor",
    "UnaryStreamMultiCallable",
    "UnaryUnaryCall",
    "UnaryUnaryClientInterceptor",
    "UnaryUnaryMultiCallable",
    "UsageError",
    "init_grpc_aio",
    "insecure_channel",
    "secure_channel",
    "server",
    "shutdown_grpc_aio",
]


def __getattr__(name: str) -> Any:
    if name not in ("ServiceManager", "ServiceProxy"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sage_rpc.services import aio  # the service layer is not everybody's

    return getattr(aio, name)
