"""A door to `sage_rpc.rpc.channel` that keeps its place."""

from sage_rpc.endpoints.opening import insecure_channel
from sage_rpc.rpc.channel import Channel, secure_channel

__all__ = ["Channel", "insecure_channel", "secure_channel"]
