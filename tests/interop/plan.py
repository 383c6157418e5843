"""What one run of the client is to do, where, and how much of it; the same for both APIs."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from tests.interop.messages import Failed
from tests.interop.sides import Side

SECONDS = 20.0  # the deadline of each call that must succeed

# gRPC's names, in the order of its descriptions.
CASES = (
    "empty_unary",
    "large_unary",
    "client_compressed_unary",
    "server_compressed_unary",
    "client_streaming",
    "client_compressed_streaming",
    "server_streaming",
    "server_compressed_streaming",
    "ping_pong",
    "empty_stream",
    "custom_metadata",
    "status_code_and_message",
    "special_status_message",
    "unimplemented_method",
    "unimplemented_service",
    "cancel_after_begin",
    "cancel_after_first_response",
    "timeout_on_sleeping_server",
    "concurrent_large_unary",
    "rpc_soak",
    "channel_soak",
)


@dataclass(frozen=True)
class Plan:
    """The arguments of the client program.

    Attributes:
        concurrent_calls: calls at the same time in concurrent_large_unary.
        soak_iterations: calls, and in channel_soak channels, one after the other.
        soak_max_failures: so many of them may fail.
        soak_latency: seconds an iteration may take; one that takes longer has failed.
        soak_timeout: seconds for all of them.
    """

    side: Side
    host: str
    port: int
    concurrent_calls: int
    soak_iterations: int
    soak_max_failures: int
    soak_latency: float
    soak_timeout: float

    def target(self, port: int | None = None) -> str:
        return f"{self.host}:{self.port}" if port is None else f"127.0.0.1:{port}"

    def checked_carrier(self, channel: Any) -> str:
        """What carries the calls of `channel`, which must be what was asked for."""
        carrier = self.side.carrier(channel)
        if self.side.transport not in (carrier, "auto"):
            raise Failed(f"channel.transport: expected {self.side.transport!r}, got {carrier!r}")
        return carrier

    def soak(self) -> Soak:
        return Soak(self)


class Soak:
    """The account of one of the soak cases."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._end = time.monotonic() + plan.soak_timeout
        self._done = 0
        self._failures: list[str] = []

    def goes_on(self) -> bool:
        return (
            self._done < self._plan.soak_iterations
            and len(self._failures) <= self._plan.soak_max_failures
            and time.monotonic() < self._end
        )

    def succeeded(self, seconds: float) -> None:
        self._done += 1
        if seconds > self._plan.soak_latency:
            self._failures.append(f"iteration {self._done} took {seconds:.3f} s")

    def failed(self, error: Exception) -> None:
        self._done += 1
        self._failures.append(f"iteration {self._done}: {error}")

    def settle(self) -> None:
        """Raise unless there were enough iterations, and not too many failures."""
        if len(self._failures) > self._plan.soak_max_failures:
            raise Failed(f"{len(self._failures)} of {self._done} iterations failed: {self._failures[0]}")
        if self._done < self._plan.soak_iterations:
            raise Failed(f"{self._done} of {self._plan.soak_iterations} iterations in the time there was")
