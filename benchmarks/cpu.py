"""CPU time of any process, in seconds with the kernel's own resolution.

/proc/PID/stat counts ticks of 10 ms, too coarse for a cell of half a second; POSIX gives every process
a clock that others may read, all its threads included, those that have ended too.
"""

from __future__ import annotations

import ctypes
import os
import time

__all__ = ["CpuClock"]


class CpuClock:
    """Reads the CPU time (user and system) that process `pid` has used.

    Raises:
        ProcessLookupError: there is no such process.
    """

    def __init__(self, pid: int) -> None:
        self.pid = pid
        clock = ctypes.c_int()
        error = ctypes.CDLL(None).clock_getcpuclockid(pid, ctypes.byref(clock))
        if error:
            raise OSError(error, f"no CPU clock of process {pid}: {os.strerror(error)}")
        self._clock = clock.value

    def seconds(self) -> float:
        """CPU seconds since the process began."""
        return time.clock_gettime(self._clock)

    def __repr__(self) -> str:
        return f"<CpuClock of process {self.pid}>"
