"""The channels that users open: of an address, an ordinary one; of `sage:///NAME`, one over a pool.

What a program does not use is not imported: discovery, pools and policies come with the first name, asyncio's
half with its first channel.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import grpc
from grpc import aio as stock_aio

from sage_rpc.endpoints.targets import is_named
from sage_rpc.rpc.channel import Channel

__all__ = ["aio_insecure_channel", "insecure_channel"]


def insecure_channel(
    target: str,
    options: Sequence[tuple[str, Any]] | None = None,
    compression: grpc.Compression | None = None,
) -> Channel:
    """A channel to `target` with `grpc.insecure_channel`'s signature.

    Args:
        target: a gRPC target, for example "localhost:50051" or "unix:/run/x.sock"; or a service that
            discovery knows, "sage:///cache": then it is a `DiscoveredChannel`, with the same methods.
        options: gRPC's channel options, and ours: ("sage_rpc.transport", "auto" | "shm" | "grpc") and
            ("sage_rpc.ring_bytes", size of each ring in bytes, a power of two).
        compression: for calls over gRPC; the memory queue compresses nothing.

    Raises:
        ValueError: an option of ours has a value that is not allowed, or the target names no service.
        TypeError: the target is no text, or gRPC takes no such option.
    """
    if is_named(str(target)):
        from sage_rpc.endpoints.channel import DiscoveredChannel

        made: Any = DiscoveredChannel(target, options, compression)  # has what a Channel has
        named: Channel = made
        return named
    return Channel(target, options, compression)


def aio_insecure_channel(
    target: str,
    options: Sequence[tuple[str, Any]] | None = None,
    compression: grpc.Compression | None = None,
    interceptors: Sequence[stock_aio.ClientInterceptor] | None = None,
) -> stock_aio.Channel:
    """A channel to `target` with `grpc.aio.insecure_channel`'s signature, for the running event loop.

    Args:
        target: a gRPC target, for example "localhost:50051" or "unix:/run/x.sock"; or a service that
            discovery knows, "sage:///cache".
        options: gRPC's channel options, and ours: ("sage_rpc.transport", "auto" | "shm" | "grpc") and
            ("sage_rpc.ring_bytes", size of each ring in bytes, a power of two).
        compression: for calls over gRPC; the memory queue compresses nothing.
        interceptors: as grpc.aio's, on both transports.

    Raises:
        ValueError: an option of ours has a value that is not allowed, or the target names no service.
    """
    if is_named(str(target)):
        from sage_rpc.endpoints.aio import DiscoveredChannel

        return DiscoveredChannel(target, options, compression, interceptors)
    from sage_rpc.rpc.aio.channel import Channel as AioChannel

    return AioChannel(target, options, None, compression, interceptors)
