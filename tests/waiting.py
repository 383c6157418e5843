"""Waiting for what other processes do, where there is nobody to tell."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = ["until"]


def until(condition: Callable[[], Any], seconds: float = 20.0) -> float:
    """Wait for `condition`, at most `seconds`. -> the seconds it took."""
    began, pause = time.monotonic(), threading.Event()
    while not condition():
        assert time.monotonic() - began < seconds, "it did not come true in time"
        pause.wait(0.005)
    return time.monotonic() - began
