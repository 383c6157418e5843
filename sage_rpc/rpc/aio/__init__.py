"""The grpc-shaped faces for asyncio: channel and server."""

from sage_rpc.rpc.aio.channel import Channel, secure_channel
from sage_rpc.rpc.aio.server import Server, server

__all__ = ["Channel", "Server", "secure_channel", "server"]
