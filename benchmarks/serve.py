"""A server process: `python -m benchmarks.serve PEER DIRECTORY SIZE`.

It prints a JSON line, its `address` and the `pid` of the process that runs the handlers, and serves until
its stdin ends.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from benchmarks.peers import PEERS


def main() -> None:
    peer, directory, size = sys.argv[1:]
    with PEERS[peer].load().serve(peer, Path(directory), int(size)) as served:
        address, pid = (served, os.getpid()) if isinstance(served, str) else served
        print(json.dumps({"address": address, "pid": pid}), flush=True)
        # Nothing but the end of the suite, however it ends, closes this pipe.
        sys.stdin.buffer.read()


if __name__ == "__main__":
    main()
