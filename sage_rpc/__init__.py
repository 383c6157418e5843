"""sage_rpc: gRPC-compatible RPC over shared-memory queues on one host, over gRPC between hosts."""

from sage_rpc.channel import insecure_channel
from sage_rpc.server import server

__all__ = ["insecure_channel", "server"]
__version__ = "0.1.0"
