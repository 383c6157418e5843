"""The program that every process of ours runs: `program.py TITLE CONTROL BOOT GROUP ALIVE`.

It is started by path, with sage_rpc perhaps not yet importable: so it imports the standard library alone
until it has the parent's `sys.path`, in the first line of the file on descriptor BOOT, which also says which
module's `run` is to be called. CONTROL is its socket to the parent (see control.py), GROUP the process group
to join; ALIVE stays open as long as the process.
"""

from __future__ import annotations

import sys


def main() -> int:
    """Run one process. -> its exit code."""
    import contextlib
    import importlib
    import json
    import os
    import socket
    from pathlib import Path

    title, control, boot, group, _alive = sys.argv[1], *map(int, sys.argv[2:])
    # The guard that owns the group may be gone when the job has failed already; the lifeline ends us then.
    with contextlib.suppress(OSError):
        os.setpgid(0, group)
    # What `top` and `ps -o comm` show; Linux keeps 15 bytes.
    with contextlib.suppress(OSError):
        Path("/proc/self/comm").write_text(title.rpartition("/")[2][-15:], encoding="utf-8")
    with os.fdopen(boot, "rb") as file:
        header = json.loads(file.readline())
        sys.path[:] = header["path"]
        sys.argv[:] = header["argv"]
        module = importlib.import_module(header.pop("main"))
        code: int = module.run(title, header, file.read(), socket.socket(fileno=control))
        return code


if __name__ == "__main__":
    # Running by path has put this directory first, where modules of ours could hide others'.
    if sys.path and sys.path[0] == __file__.rpartition("/")[0]:
        del sys.path[0]
    sys.exit(main())
