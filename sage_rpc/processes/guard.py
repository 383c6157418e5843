"""The program that ends a group of processes when who made it is gone: `guard.py LIFELINE ALIVE GRACE`.

It leads the process group that all of them join. Both descriptors are read ends of pipes: the main
process alone holds the other end of LIFELINE, and every member one of ALIVE. When the main process is gone
and the members have not all ended by themselves within GRACE seconds, the guard kills the group, and
removes the sockets that the main process named on LIFELINE, one path a line. It imports nothing of ours.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
from pathlib import Path


def main() -> None:
    """Run until the main process is gone."""
    lifeline, alive, grace = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    os.setpgid(0, 0)
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    os.write(1, b"\n")  # the group exists
    os.close(1)
    with os.fdopen(lifeline, "rb") as file:
        sockets = os.fsdecode(file.read()).splitlines()
    select.select([alive], [], [], grace)
    for path in sockets:
        with contextlib.suppress(OSError):
            Path(path).unlink()
    os.killpg(0, signal.SIGKILL)


main()
