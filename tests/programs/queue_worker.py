"""A process that works on a queue until it is told to stop, or killed: queue_worker.py ROLE QUEUE ARGS...

Rule: what a consumer got goes to its own file before the next get, in lines that are written by one system
call, so that the file tells the truth whenever the process dies.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from sage_rpc import SageQueue

STOP = b"stop"


def content(producer: int, number: int) -> bytes:
    """Bytes that say who put them, and that nobody else would put; some are larger than a page."""
    size = 10_000 if number % 50 == 0 else number % 200
    return b"%d %d " % (producer, number) + bytes([number % 251]) * size


def produce(name: str, producer: str, first: str, last: str) -> None:
    with SageQueue(name, create=False) as queue:
        for number in range(int(first), int(last)):
            queue.put(content(int(producer), number))


def consume(name: str, path: str) -> None:
    out = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with SageQueue(name, create=False) as queue:
        while (item := queue.get()) != STOP:
            producer, number, _ = item.split(b" ", 2)
            assert item == content(int(producer), int(number)), item[:100]
            os.write(out, b"%s %s\n" % (producer, number))


def create(name: str, ready: str) -> None:
    """Open the queue when `ready` appears, put one item, and say its capacity."""
    while not Path(ready).exists():
        os.sched_yield()
    with SageQueue(name, maxsize=100, capacity=65536) as queue:
        queue.put(os.getpid())
        print(queue.capacity, flush=True)


def wait(name: str) -> None:
    """Wait for an item that never comes; a Ctrl-C ends it like any Python program."""
    with SageQueue(name) as queue:
        print("waiting", flush=True)
        queue.get()


if __name__ == "__main__":
    {"produce": produce, "consume": consume, "create": create, "wait": wait}[sys.argv[1]](*sys.argv[2:])
