"""sage_rpc: gRPC-compatible RPC over shared-memory queues on one host, over gRPC between hosts."""

from sage_rpc.channel import Channel, insecure_channel
from sage_rpc.server import Server, server

__all__ = ["Channel", "Server", "insecure_channel", "server"]
__version__ = "0.1.0"
