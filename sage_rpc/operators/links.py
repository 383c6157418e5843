"""Rows on their way from the workers of one operator to the workers of the next.

Every pair of workers has a Unix socket pair. Rules:

1. The receiver asks: a request names how many rows it takes, and is answered by one frame of 1 to that
   many rows, as soon as there is one. So rows go to whoever is free, a batch is as large as the receiver
   is fast, and a row never waits for a batch to fill.
2. The sender holds at most `capacity` rows (and about MAX_HELD bytes) that nobody has asked for; `put`
   waits beyond that. This is the whole of back-pressure.
3. The end of a stream is a frame of its own that says how many rows the link carried. A link that closes
   without it was lost, and so was the job: whoever holds the other end has died.
4. A row is pickled when it is put, so that later changes to it are not seen elsewhere. Both ends are
   processes of one job and trust each other.

Frames: `<BQQ` kind, number of rows, bytes that follow; for rows, that many `<Q` sizes, then the pickles.
"""

from __future__ import annotations

import pickle
import select
import socket
import struct
import threading
import time
from array import array
from collections import deque
from collections.abc import Iterator, Sequence

from sage_rpc.processes.pickling import dumps
from sage_rpc.processes.steps import MachineryError

__all__ = ["LinkLostError", "RowInput", "RowOutput", "dump_row", "load_row"]

MAX_HELD = 16 << 20  # bytes
MAX_FRAME = 4 << 20  # bytes; one row may be larger
_JOIN = 1 << 16  # bytes below which a copy is cheaper than another system call
_BATCH_SECONDS = 0.005  # work that a receiver asks for at once
_PREFETCH_BELOW = 0.001  # seconds per row; slower rows are asked for one at a time, when they are wanted

_HEADER = struct.Struct("<BQQ")
_REQUEST = struct.Struct("<Q")
_ROWS, _END = 1, 2


class LinkLostError(MachineryError):
    """The other end of a link is gone."""


def dump_row(row: object) -> bytes:
    """`row` as bytes.

    Raises:
        Exception: whatever pickling it raises.
    """
    try:
        return pickle.dumps(row, protocol=5)
    except (pickle.PicklingError, AttributeError, TypeError):
        # Of a class that was defined in __main__ or in a function, perhaps.
        return dumps(row)


def load_row(data: bytes | memoryview) -> object:
    """What `dump_row` made `data` of."""
    return pickle.loads(data)  # noqa: S301 - from another process of this job


class RowOutput:
    """The sending side: rows for the workers of one operator.

    Args:
        links: one socket per receiving worker.
        capacity: rows held before `put` waits.
    """

    def __init__(self, links: Sequence[socket.socket], capacity: int) -> None:
        self._capacity = capacity
        lock = threading.Lock()  # guards everything below
        self._wanted = threading.Condition(lock)
        self._room = threading.Condition(lock)
        self._rows: deque[bytes] = deque()
        self._held = 0  # bytes
        self._finished = False
        self._lost = ""
        self._threads = [
            threading.Thread(target=self._serve, args=(link,), name=f"link {i}", daemon=True)
            for i, link in enumerate(links)
        ]
        for thread in self._threads:
            thread.start()

    def put(self, row: bytes) -> None:
        """Send a row; waits while the receivers have enough.

        Raises:
            LinkLostError: a receiver is gone.
        """
        with self._room:
            while (len(self._rows) >= self._capacity or self._held >= MAX_HELD) and not self._lost:
                self._room.wait()
            if self._lost:
                raise LinkLostError(self._lost)
            self._rows.append(row)
            self._held += len(row)
            self._wanted.notify()

    def finish(self) -> None:
        """Say that this was all, and wait until the receivers have it.

        Raises:
            LinkLostError: a receiver is gone.
        """
        with self._wanted:
            self._finished = True
            self._wanted.notify_all()
        for thread in self._threads:
            thread.join()
        if self._lost:
            raise LinkLostError(self._lost)

    def __repr__(self) -> str:
        state = "lost" if self._lost else "finished" if self._finished else "open"
        return f"<RowOutput {state}, {len(self._rows)} rows held, {len(self._threads)} receivers>"

    def _take(self, limit: int) -> list[bytes]:
        """1 to `limit` rows; none at the end."""
        rows: list[bytes] = []
        size = 0
        with self._wanted:
            while not self._rows and not self._finished:
                self._wanted.wait()
            while self._rows and len(rows) < limit and size < MAX_FRAME:
                row = self._rows.popleft()
                rows.append(row)
                size += len(row)
            self._held -= size
            self._room.notify()
        return rows

    def _serve(self, link: socket.socket) -> None:
        sent = 0
        try:
            with link:
                while True:
                    (limit,) = _REQUEST.unpack(_receive(link, _REQUEST.size))
                    rows = self._take(limit)
                    if not rows:
                        link.sendall(_HEADER.pack(_END, sent, 0))
                        return
                    _send_rows(link, rows)
                    sent += len(rows)
        except BaseException as error:  # noqa: BLE001 - whoever puts rows must not wait for this thread
            with self._room:
                self._lost = str(error) or type(error).__name__
                self._room.notify_all()


class RowInput:
    """The receiving side: batches of pickled rows from the workers of the operator before.

    Args:
        links: one socket per sending worker.
        capacity: rows asked for at once, at most.
    """

    def __init__(self, links: Sequence[socket.socket], capacity: int) -> None:
        self._links = {link.fileno(): link for link in links}
        self._received = dict.fromkeys(self._links, 0)
        self._most = max(1, capacity // 2)
        self._limit = 1
        self._prefetch = False

    def batches(self) -> Iterator[list[memoryview]]:
        """Batches of rows as they come, in the order of each link; ends when every sender has ended.

        Raises:
            LinkLostError: a sender is gone and has not said that it had ended.
        """
        poller = select.poll()
        try:
            for fd, link in self._links.items():
                poller.register(fd, select.POLLIN)
                self._request(link)
            while self._links:
                for fd, _ in poller.poll():
                    link = self._links[fd]
                    rows = self._read(fd, link)
                    if rows is None:
                        poller.unregister(fd)
                        self._links.pop(fd).close()
                        continue
                    ahead = self._prefetch
                    if ahead:
                        self._request(link)
                    start = time.perf_counter()
                    yield rows
                    self._pace((time.perf_counter() - start) / len(rows))
                    if not ahead:
                        self._request(link)
        except OSError as error:
            raise LinkLostError(str(error)) from error

    def close(self) -> None:
        """Give up; senders see a lost link."""
        for link in self._links.values():
            link.close()
        self._links.clear()

    def __repr__(self) -> str:
        return f"<RowInput {len(self._links)} senders, {sum(self._received.values())} rows received>"

    def _request(self, link: socket.socket) -> None:
        link.sendall(_REQUEST.pack(self._limit))

    def _pace(self, seconds: float) -> None:
        wanted = int(_BATCH_SECONDS / seconds) if seconds > 0 else self._most
        self._limit = max(1, min(wanted, 2 * self._limit, self._most))
        self._prefetch = seconds < _PREFETCH_BELOW

    def _read(self, fd: int, link: socket.socket) -> list[memoryview] | None:
        kind, count, size = _HEADER.unpack(_receive(link, _HEADER.size))
        if kind == _END:
            if count != self._received[fd]:
                raise LinkLostError(f"{count} rows were sent and {self._received[fd]} received")
            return None
        data = memoryview(_receive(link, size))
        rows = []
        at = 8 * count
        for length in data[:at].cast("Q"):
            rows.append(data[at : at + length])
            at += length
        self._received[fd] += count
        return rows


def _send_rows(link: socket.socket, rows: list[bytes]) -> None:
    sizes = array("Q", map(len, rows)).tobytes()
    total = sum(map(len, rows))
    head = _HEADER.pack(_ROWS, len(rows), len(sizes) + total) + sizes
    if total < _JOIN:
        link.sendall(b"".join((head, *rows)))
        return
    link.sendall(head)
    for row in rows:
        link.sendall(row)


def _receive(link: socket.socket, size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        got = link.recv_into(view)
        if not got:
            raise LinkLostError("the other end is gone")
        view = view[got:]
    return data
