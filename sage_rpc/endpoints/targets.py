"""Targets: which of them are names for discovery."""

from __future__ import annotations

__all__ = ["SCHEME", "is_named", "service_of_target"]

SCHEME = "sage"


def is_named(target: str) -> bool:
    """Whether `target` is a name for discovery, and no address."""
    return target.startswith(f"{SCHEME}:")


def service_of_target(target: str) -> str:
    """The name in `sage:///NAME`.

    Raises:
        ValueError: there is none.
    """
    name = target.removeprefix(f"{SCHEME}:").lstrip("/")
    if not name:
        raise ValueError(f"{target!r} names no service: expected {SCHEME}:///NAME")
    return name
