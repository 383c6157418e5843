"""What an address in a configuration says about who can reach it."""

from __future__ import annotations

__all__ = ["is_loopback"]


def is_loopback(address: str) -> bool:
    """Whether only this host can reach `address`."""
    return address.rpartition(":")[0] in ("localhost", "127.0.0.1", "[::1]") or address.startswith("unix:")
