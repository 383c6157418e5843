"""gRPC itself as a way to carry a call: grpcio's factories as they were when sage_rpc was imported.

Rule: whatever of ours wants grpcio takes it from here. `sage_rpc.install()` puts our factories in the place
of `grpc.insecure_channel` and its kin, and a lookup there would lead back to us.
"""

from __future__ import annotations

import inspect
from typing import Any

import grpc
from grpc import aio

__all__ = [
    "aio_insecure_channel",
    "aio_secure_channel",
    "aio_server",
    "connected",
    "insecure_channel",
    "secure_channel",
    "server",
]

# Unwrapped: what instruments grpc.insecure_channel would otherwise see calls of our channels, but only
# those that gRPC carries.
insecure_channel = inspect.unwrap(grpc.insecure_channel)
secure_channel = inspect.unwrap(grpc.secure_channel)
server = inspect.unwrap(grpc.server)
aio_insecure_channel = inspect.unwrap(aio.insecure_channel)
aio_secure_channel = inspect.unwrap(aio.secure_channel)
aio_server = inspect.unwrap(aio.server)


def connected(channel: Any) -> bool:
    """Whether one of the channels of gRPC's core has a connection now."""
    return bool(channel.check_connectivity_state(False) == grpc.ChannelConnectivity.READY.value[0])
