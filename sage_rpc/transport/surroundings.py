"""What in a process keeps it from the memory queue, whatever its channels and servers ask for.

Where threads are greenlets (gevent, eventlet), waiting in our native code would stop all of them, while gRPC
knows how to let gevent's go on. And an agent that wraps grpcio's private classes sees only what passes them.
"""

from __future__ import annotations

import _thread
from types import FunctionType
from typing import Any

from grpc import _channel, _server

__all__ = ["hindrance"]

_GREEN = ("gevent", "eventlet")
_WRAPPED: tuple[tuple[Any, str], ...] = (
    (_channel._UnaryUnaryMultiCallable, "__call__"),
    (_channel._UnaryUnaryMultiCallable, "with_call"),
    (_channel._UnaryUnaryMultiCallable, "future"),
    (_channel._UnaryStreamMultiCallable, "__call__"),
    (_channel._StreamUnaryMultiCallable, "__call__"),
    (_channel._StreamUnaryMultiCallable, "with_call"),
    (_channel._StreamUnaryMultiCallable, "future"),
    (_channel._StreamStreamMultiCallable, "__call__"),
    (_server, "_unary_response_in_pool"),
    (_server, "_stream_response_in_pool"),
)


def hindrance() -> str:
    """Why this process cannot use the memory queue now; "" if it can."""
    patched_by = str(getattr(_thread.start_new_thread, "__module__", "")).partition(".")[0]
    if patched_by in _GREEN:
        return (
            f"{patched_by} has patched threading: its greenlets can wait for gRPC, not for the memory queue"
        )
    for owner, name in _WRAPPED:
        found = vars(owner).get(name)
        # By its very type: a wrapper may pass for what it wraps.
        if type(found) is not FunctionType or not found.__module__.startswith("grpc."):
            whose = type(found).__module__.partition(".")[0]
            return f"{whose} wraps {owner.__name__}.{name} of grpcio, which only calls over gRPC pass"
    return ""
