"""A door to `sage_rpc.rpc.channel` that keeps its place."""

from sage_rpc.rpc.channel import Channel, insecure_channel, secure_channel

__all__ = ["Channel", "insecure_channel", "secure_channel"]
