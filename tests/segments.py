"""The shared segments that this process has mapped."""

from __future__ import annotations

import gc
from pathlib import Path

__all__ = ["mapped"]


def mapped() -> int:
    """How many are held; each has several mappings, whose number is nobody's business."""
    gc.collect()  # what a test before left in cycles is not this one's
    lines = Path("/proc/self/maps").read_text().splitlines()
    return len({line.split()[4] for line in lines if "memfd:sage_rpc" in line})
