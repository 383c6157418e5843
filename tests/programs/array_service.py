"""A plain class that takes and gives arrays: prints its port, ends with its stdin."""

from __future__ import annotations

import sys

import numpy as np

import sage_rpc


class Arrays:
    def __init__(self) -> None:
        self.kept: list[object] = []

    def echo(self, value: object) -> object:
        return value

    def keep(self, value: object) -> int:
        """Hold on to what was received."""
        self.kept.append(value)
        return len(self.kept)

    def first_kept(self) -> int:
        return int(self.kept[0].reshape(-1)[:1].astype(np.int64)[0])

    def forget(self) -> None:
        self.kept.clear()

    def writeable(self, value: np.ndarray) -> bool:
        return bool(value.flags.writeable)

    def total(self, value: np.ndarray) -> int:
        return int(value.sum(dtype=np.int64))

    def made(self, size: int) -> np.ndarray:
        """An array that was allocated for the caller; kept here, too."""
        array = sage_rpc.empty(size // 4, np.float32)
        array[:] = 7
        self.kept.append(array)
        return array

    def overwrite(self, value: int) -> None:
        self.kept[-1][:] = value


with sage_rpc.ServiceHost("arrays", Arrays()) as host:
    print(host.address.rpartition(":")[2], flush=True)
    sys.stdin.read()
