"""Channel and server options: ours are taken out, grpc's are read where the memory queue honours them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from types import NoneType
from typing import Any

__all__ = ["TRANSPORTS", "Options"]

TRANSPORTS = ("auto", "shm", "grpc")
_DEFAULT_MAX_METADATA = 16 * 1024  # gRPC's hard limit, bytes
_DEFAULT_MAX_RECEIVE = 4 * 1024 * 1024  # gRPC's own default, bytes
_USER_AGENTS = ("grpc.primary_user_agent", "grpc.secondary_user_agent")


class Options:
    """The options of one channel or server.

    Attributes:
        grpc: what goes on to grpcio.
        transport: "auto", "shm" or "grpc"; the option wins over `SAGE_RPC_TRANSPORT`.
        ring_bytes: size of each ring of a memory connection, in bytes.
        max_receive: largest message accepted, in bytes; -1 for any.
        max_send: largest message sent, in bytes; -1 for any.
        max_metadata: most metadata accepted of one kind in one call, in bytes.
        user_agent_before: what the user-agent says before gRPC's own text, in order; str.
        user_agent_after: what it says after that.
        longest_pause: between two attempts to reach a server that is awaited, in seconds at most.

    Raises:
        ValueError: an option of ours has a value that is not allowed, or options are no pairs.
        TypeError: gRPC takes no such name or value.
        OverflowError: a number is larger than gRPC takes.
    """

    def __init__(self, options: Sequence[tuple[str, Any]] | None, default_ring_bytes: int) -> None:
        ours: dict[str, Any] = {}
        self.grpc: list[tuple[str, Any]] = []
        self.max_receive = _DEFAULT_MAX_RECEIVE
        self.max_send = -1
        self.max_metadata = _DEFAULT_MAX_METADATA
        self.user_agent_before: list[str] = []
        self.user_agent_after: list[str] = []
        self.longest_pause = math.inf
        for name, value in options or ():
            if str(name).startswith("sage_rpc."):
                ours[name] = value
                continue
            self.grpc.append((name, value))
            _check(name, value)
            if name in _USER_AGENTS and value and isinstance(value, (str, bytes)):
                text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
                (self.user_agent_before if name == _USER_AGENTS[0] else self.user_agent_after).append(text)
            if not isinstance(value, int):
                continue  # gRPC, too, makes nothing of a limit that is no number
            if name == "grpc.max_receive_message_length":
                self.max_receive = value if value >= 0 else -1
            elif name == "grpc.max_send_message_length":
                self.max_send = value if value >= 0 else -1
            elif name == "grpc.max_metadata_size":  # the soft limit; the hard one is a quarter above
                self.max_metadata = max(self.max_metadata, value * 5 // 4)
            elif name == "grpc.absolute_max_metadata_size":
                self.max_metadata = max(self.max_metadata, value)
            elif name == "grpc.max_reconnect_backoff_ms":
                self.longest_pause = max(value, 1) / 1000
        source = "the option sage_rpc.transport"
        transport = ours.pop("sage_rpc.transport", None)
        if transport is None:
            source = "the environment variable SAGE_RPC_TRANSPORT"
            transport = os.environ.get("SAGE_RPC_TRANSPORT") or "auto"
        if transport not in TRANSPORTS:
            raise ValueError(f"{source} is {transport!r}: expected one of {', '.join(TRANSPORTS)}")
        self.transport: str = transport
        self.ring_bytes: int = ours.pop("sage_rpc.ring_bytes", default_ring_bytes)
        if (
            not isinstance(self.ring_bytes, int)
            or not 1 << 16 <= self.ring_bytes <= 1 << 28
            or self.ring_bytes & (self.ring_bytes - 1)
        ):
            raise ValueError(
                f"sage_rpc.ring_bytes is {self.ring_bytes!r}: expected a power of two from 65536 to 2**28"
            )
        if ours:
            raise ValueError(
                f"unknown option {next(iter(ours))!r}; known: sage_rpc.transport, sage_rpc.ring_bytes"
            )


def _check(name: Any, value: Any) -> None:
    """What grpcio checks when it makes a channel, which ours may do much later or not at all."""
    if not isinstance(name, (str, bytes, NoneType)):
        raise TypeError(f"an option's name must be str, not {type(name).__name__}: {name!r}")
    if isinstance(value, int):
        if not -(1 << 31) <= value < 1 << 31:
            raise OverflowError(f"the option {name!r} is {value}: expected a number of 32 bits")
    elif not isinstance(value, (str, bytes)) and not hasattr(value, "__int__"):
        raise TypeError(f"the option {name!r} is {value!r}: expected int, str or bytes")
