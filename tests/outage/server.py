"""An endpoint of the outage: `server.py JOURNAL [PORT]`; prints its port, ends with its stdin.

Everything that ran stands in the journal, a line each, appended by one system call, so that it survives
SIGKILL.
"""

from __future__ import annotations

import os
import random
import sys
import time

import grpc

import sage_rpc


class Ledger:
    def __init__(self, journal: str) -> None:
        self._journal = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        self._slow = 0.0
        self._failing = 0.0
        self._random = random.Random(os.getpid())

    def get(self, key):
        """Idempotent."""
        self._suffer()
        self._write(f"get {key}")
        return key

    def record(self, entry):
        """Not idempotent: whoever runs it twice has a duplicate in the journal."""
        self._suffer()
        self._write(f"record {entry}")
        return entry

    def become(self, slow, failing):
        """From now on calls take `slow` seconds, and the share `failing` of them is refused."""
        self._slow, self._failing = slow, failing

    def _suffer(self):
        if self._random.random() < self._failing:
            raise sage_rpc.Abort(grpc.StatusCode.UNAVAILABLE, "one of the failing ones")
        if self._slow:
            time.sleep(self._slow)

    def _write(self, text):
        os.write(self._journal, f"{time.monotonic():.6f} {text}\n".encode())


def main() -> None:
    journal, port = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "0"
    host = sage_rpc.ServiceHost("ledger", Ledger(journal), f"127.0.0.1:{port}", max_workers=16)
    host.start()
    print(host.address.rpartition(":")[2], flush=True)
    sys.stdin.read()
    host.stop(0.5)


if __name__ == "__main__":
    main()
