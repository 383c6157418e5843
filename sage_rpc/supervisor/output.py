"""What supervised processes print: prefixed, passed on, kept for `sage-rpc logs`, written to a file.

Theory of operation. One thread reads what the processes print; each place where lines go (standard output,
the file) has a bounded queue and a thread of its own that writes. So nobody who supervises waits for a
terminal that is stopped, for a pipe that nobody reads, or for a disk.

1. Whoever gives a line returns at once.
2. Where lines come faster than they can be taken, lines are left out and counted, and a line says how many:
   of a process that prints more than LINES_PER_SECOND (its pipe is read on, slowly), and of a place that does
   not take what its queue holds.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import select
import selectors
import stat
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from sage_rpc.text.exceptions import text_of
from sage_rpc.text.foreign import printable

__all__ = ["LINES_PER_SECOND", "Line", "Output"]

LINES_PER_SECOND = 5000  # of one process, in the long run
_BURST = 10_000  # lines that a process may print at once
_REST = 0.01  # seconds between two looks at a process that prints too much
_SAY_EVERY = 1.0  # seconds
_KEPT, _KEPT_CHARACTERS = 5000, 16 << 20  # lines
_ANSWER = 2 << 20  # characters of one answer to who asks for lines
_QUEUED = 4 << 20  # bytes that wait for one place
_LINE = 64 << 10  # bytes without a newline that count as a line
_READ = 64 << 10
_CLOSE_SECONDS = 0.5  # for what is queued when all is closed


class Line(NamedTuple):
    """One line.

    Attributes:
        sequence: grows by one with each line of the supervisor.
        service: whose; "" for the supervisor's own.
        text: with its prefix.
    """

    sequence: int
    service: str
    text: str


class _Place(Protocol):
    """Where lines are written to.

    Attributes:
        name: what it is, for people.
    """

    name: str

    def write(self, lines: list[str]) -> None:
        """Write all of them, however long it takes.

        Raises:
            OSError: it cannot be done now.
            _GoneError: it will never be done.
        """


class _GoneError(Exception):
    """Whoever read has left."""


class _Queue:
    """What waits to be written to one place, and the thread that writes it.

    Args:
        place: takes the lines.
        complain: told what is wrong with it, once until it is well again.
    """

    def __init__(self, place: _Place, complain: Callable[[str], None]) -> None:
        self._place = place
        self._complain = complain
        self._changed = threading.Condition()  # guards everything below
        self._lines: list[str] = []
        self._size = 0
        self._left_out = 0
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=f"sage_rpc {place.name}", daemon=True)
        self._thread.start()

    def put(self, line: str) -> None:
        """Take a line, or leave it out where there is no room."""
        with self._changed:
            if self._size >= _QUEUED:
                self._left_out += 1
            elif not self._closed:
                self._lines.append(line)
                self._size += len(line)
                self._changed.notify()

    def close(self) -> bool:
        """Write what is queued, for a moment at most. -> whether nothing is under way any more."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(_CLOSE_SECONDS)
        return not self._thread.is_alive()

    def _run(self) -> None:
        failed = 0  # lines
        while True:
            with self._changed:
                while not self._lines and not self._closed:
                    self._changed.wait()
                if not self._lines:
                    return
                lines, self._lines = self._lines, []
                left_out, self._left_out = self._left_out, 0
            if failed:
                lines.insert(0, f"[output] {failed} lines were left out here: they could not be written")
            if left_out:
                lines.append(f"[output] {left_out} lines were left out here: they are taken too slowly")
            try:
                self._place.write(lines)
                failed = 0
            except _GoneError:
                with self._changed:
                    self._closed = True
                    self._lines.clear()
                    return
            except Exception as error:  # noqa: BLE001 - a stream of the user's raises what it likes
                if not failed:
                    self._complain(
                        f"{self._place.name} cannot be written: {text_of(error)}; lines are left out there"
                    )
                failed += len(lines) - bool(failed)
            with self._changed:
                self._size = sum(map(len, self._lines))


class _StandardOutput:
    """Standard output of this process, whatever it is at the moment."""

    name = "standard output"

    def write(self, lines: list[str]) -> None:
        text = "".join(f"{line}\n" for line in lines)
        stream = sys.stdout
        try:
            encoding = getattr(stream, "encoding", None) or "utf-8"
            data = text.encode(encoding, "backslashreplace")
            if stream is sys.__stdout__ and stream is not None:
                # Not by way of its buffer: its lock would be held as long as nobody reads, and the
                # interpreter takes it at its end.
                _write_all(stream.fileno(), data)
            else:
                stream.write(data.decode(encoding))
                stream.flush()
        except (BrokenPipeError, ValueError, AttributeError):
            raise _GoneError from None


def _write_all(descriptor: int, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        try:
            rest = rest[os.write(descriptor, rest) :]
        except BlockingIOError:  # somebody else, who shares the terminal, has made it so
            select.select([], [descriptor], [])


class _File:
    """A file that is put aside when it is large enough, and made anew when it has been taken away.

    Args:
        path: of it; what is no regular file, such as /dev/stderr, is never put aside.
        max_bytes: size at which it is put aside; 0 for never.
        backups: how many that were put aside are kept.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, path: str, max_bytes: int, backups: int) -> None:
        self.name = f"the log file {path}"
        self._path = path
        self._max_bytes = max_bytes
        self._backups = backups
        self._descriptor = self._open()

    def _open(self) -> int:
        # Without waiting for somebody who reads, where it is a FIFO.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
        descriptor = os.open(self._path, flags, 0o666)
        found = os.fstat(descriptor)
        self._regular = stat.S_ISREG(found.st_mode)
        self._identity = found.st_dev, found.st_ino
        self._size = found.st_size if self._regular else 0
        return descriptor

    def _reopen(self) -> None:
        descriptor = self._open()
        old, self._descriptor = self._descriptor, descriptor
        os.close(old)

    def _taken_away(self) -> bool:
        try:
            found = Path(self._path).stat()
        except OSError:
            return True
        return (found.st_dev, found.st_ino) != self._identity

    def write(self, lines: list[str]) -> None:
        if self._regular and self._taken_away():
            self._reopen()
        # As many at once as go into the file before it must be put aside.
        together: list[bytes] = []
        size = self._size
        for line in lines:
            data = line.encode("utf-8", "backslashreplace") + b"\n"
            if self._regular and self._max_bytes and size and size + len(data) > self._max_bytes:
                self._append(together)
                self._put_aside()
                together, size = [], self._size
            together.append(data)
            size += len(data)
        self._append(together)

    def _append(self, pieces: Sequence[bytes]) -> None:
        data = b"".join(pieces)
        _write_all(self._descriptor, data)
        self._size += len(data)

    def _put_aside(self) -> None:
        names = [self._path, *(f"{self._path}.{number}" for number in range(1, self._backups + 1))]
        if not self._backups:
            Path(self._path).unlink()
        for newer, older in reversed(list(itertools.pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                Path(newer).replace(older)
        self._reopen()

    def close(self) -> None:
        os.close(self._descriptor)


class _Stream:
    """What one process prints."""

    def __init__(self, descriptor: int, service: str, prefix: str) -> None:
        self.descriptor = descriptor
        self.service = service
        self.prefix = prefix
        self.tokens = float(_BURST)  # lines that it may print
        self.filled_at = time.monotonic()
        self.rests_until = 0.0
        self.left_out = 0
        self.say_at = 0.0
        self._partial = b""

    def read(self) -> tuple[list[bytes], bool]:
        """Look once. -> whole lines that may be shown, and whether there will be no more."""
        try:
            data = os.read(self.descriptor, _READ)
        except BlockingIOError:
            return [], False
        except OSError:
            data = b""
        if not data:
            rest, self._partial = self._partial, b""
            return [rest] if rest else [], True
        now = time.monotonic()
        self.tokens = min(_BURST, self.tokens + (now - self.filled_at) * LINES_PER_SECOND)
        self.filled_at = now
        lines = (self._partial + data).split(b"\n")
        self._partial = lines.pop()
        if len(self._partial) > _LINE:
            lines.append(self._partial)
            self._partial = b""
        shown = min(len(lines), int(self.tokens))
        self.tokens -= shown
        if shown < len(lines):
            if not self.left_out:
                self.say_at = now + _SAY_EVERY
            self.left_out += len(lines) - shown
            self.rests_until = now + _REST
        return lines[:shown], False


class Output:
    """Where lines go.

    Args:
        echo: pass them on to this process's standard output.
        path: of a file to write them to, too; None for none.
        max_bytes: size at which the file is put aside; 0 for never.
        backups: how many files that were put aside are kept.

    Raises:
        OSError: the file cannot be written.
    """

    def __init__(
        self, *, echo: bool = True, path: str | None = None, max_bytes: int = 16 << 20, backups: int = 3
    ) -> None:
        self._changed = threading.Condition()  # guards the lines
        self._lines: deque[Line] = deque()
        self._characters = 0
        self._sequence = 0
        self._closed = False
        self._places: list[_Queue] = []
        self._file = _File(path, max_bytes, backups) if path else None
        if echo:
            self._places.append(_Queue(_StandardOutput(), self._complain))
        if self._file is not None:
            self._places.append(_Queue(self._file, self._complain))
        self._reader: _Reader | None = None

    def write(self, service: str, prefix: str, text: str) -> None:
        """Take one line; whoever reads it, in a terminal say, reads text."""
        line = printable(f"[{prefix}] {text}")
        with self._changed:
            self._sequence += 1
            self._lines.append(Line(self._sequence, service, line))
            self._characters += len(line)
            while len(self._lines) > _KEPT or self._characters > _KEPT_CHARACTERS:
                self._characters -= len(self._lines.popleft().text)
            for place in self._places:  # under the lock, for the same order everywhere
                place.put(line)
            self._changed.notify_all()

    def _complain(self, text: str) -> None:
        self.write("", "output", text)

    def follow(self, descriptor: int, service: str, prefix: str) -> None:
        """Read what a process prints until its end; `descriptor` is closed then.

        Args:
            descriptor: the end of a pipe, without waiting.
            service: whose process it is.
            prefix: of its lines.
        """
        if self._reader is None:
            self._reader = _Reader(self)
        self._reader.add(_Stream(descriptor, service, prefix))

    def after(self, sequence: int, services: list[str], wait: float, last: int) -> list[Line]:
        """Lines that came after `sequence`.

        Args:
            sequence: the last one that is known; -1 for none.
            services: whose; empty for all.
            wait: seconds to wait for one where there is none.
            last: at most so many, the newest; fewer, where they are long.
        """
        until = time.monotonic() + wait
        with self._changed:
            seen = sequence
            while True:
                found: list[Line] = []
                characters = 0
                for line in reversed(self._lines):
                    if line.sequence <= seen or len(found) == last or characters > _ANSWER:
                        break
                    if not services or line.service in services:
                        found.append(line)
                        characters += len(line.text)
                seen = max(seen, self._sequence)
                left = until - time.monotonic()
                if found or left <= 0 or self._closed:
                    return found[::-1]
                self._changed.wait(left)

    def close(self) -> None:
        """Write what there is, for a moment at most, and let go."""
        if self._reader is not None:
            self._reader.close()
        with self._changed:
            self._closed = True  # whoever waits for lines gets none
            self._changed.notify_all()
        ended = [place.close() for place in self._places]
        if all(ended) and self._file is not None:
            self._file.close()
            self._file = None

    def __repr__(self) -> str:
        return f"<Output {self._sequence} lines>"


class _Reader:
    """The thread that reads what processes print."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._coming: queue.SimpleQueue[_Stream] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._selector.register(self._wake, selectors.EVENT_READ)
        self._streams: set[_Stream] = set()
        self._resting: set[_Stream] = set()
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="sage_rpc output", daemon=True)
        self._thread.start()

    def add(self, stream: _Stream) -> None:
        self._coming.put(stream)
        with contextlib.suppress(BlockingIOError):
            os.write(self._waker, b"a")

    def close(self) -> None:
        """Read what there is at the moment, and end."""
        self._closing = True
        with contextlib.suppress(BlockingIOError):
            os.write(self._waker, b"c")
        self._thread.join()  # it waits for nothing
        self._selector.close()
        os.close(self._wake)
        os.close(self._waker)

    def _run(self) -> None:
        while not self._closing:
            for key, _ in self._selector.select(self._pause()):
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake, 4096)
                else:
                    self._read(key.data)
            self._take_new()
            self._tend()
        self._take_new()
        for stream in list(self._streams):
            self._read(stream)
            if stream in self._streams:
                self._end(stream)

    def _take_new(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                stream = self._coming.get_nowait()
                self._streams.add(stream)
                self._selector.register(stream.descriptor, selectors.EVENT_READ, stream)

    def _pause(self) -> float | None:
        """Seconds until there is something to do, if nothing comes."""
        times = [stream.rests_until for stream in self._resting]
        times += [stream.say_at for stream in self._streams if stream.left_out]
        return max(0.0, min(times) - time.monotonic()) if times else None

    def _tend(self) -> None:
        now = time.monotonic()
        for stream in [each for each in self._resting if each.rests_until <= now]:
            self._resting.discard(stream)
            self._selector.register(stream.descriptor, selectors.EVENT_READ, stream)
        for stream in self._streams:
            if stream.left_out and stream.say_at <= now:
                self._say(stream)

    def _say(self, stream: _Stream) -> None:
        left_out, stream.left_out = stream.left_out, 0
        text = f"({left_out} lines were left out here: more than {LINES_PER_SECOND} a second)"
        self._output.write(stream.service, stream.prefix, text)

    def _read(self, stream: _Stream) -> None:
        lines, over = stream.read()
        for line in lines:
            self._output.write(stream.service, stream.prefix, line.decode("utf-8", "replace"))
        if over:
            self._end(stream)
        elif stream.rests_until > time.monotonic() and stream not in self._resting:
            self._resting.add(stream)
            self._selector.unregister(stream.descriptor)

    def _end(self, stream: _Stream) -> None:
        if stream.left_out:
            self._say(stream)
        self._streams.discard(stream)
        if stream in self._resting:
            self._resting.discard(stream)
        else:
            self._selector.unregister(stream.descriptor)
        os.close(stream.descriptor)
