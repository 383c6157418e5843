"""Linux's inotify, as far as the registry of a host needs it."""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

__all__ = ["CLOSED", "GONE", "OVERFLOW", "WRITTEN", "Event", "Inotify"]

_MODIFY, _CLOSE_WRITE, _MOVED_FROM, _MOVED_TO = 0x2, 0x8, 0x40, 0x80
_CREATE, _DELETE, _OVERFLOW, _DELETE_SELF, _IGNORED = 0x100, 0x200, 0x4000, 0x400, 0x8000
WRITTEN = _MODIFY | _MOVED_TO
CLOSED = _CLOSE_WRITE
GONE = _DELETE | _MOVED_FROM
OVERFLOW = _OVERFLOW | _DELETE_SELF | _IGNORED  # anything may have happened: look at everything
_HEAD = struct.Struct("iIII")


class Event(NamedTuple):
    """What happened to a file of the directory."""

    mask: int
    name: str


class Inotify:
    """Watches the files of one directory.

    Raises:
        OSError: the directory cannot be watched, or the user's limit of watches is reached.
    """

    def __init__(self, directory: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self.fd: int = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        mask = WRITTEN | CLOSED | GONE | _DELETE_SELF
        if self.fd < 0 or libc.inotify_add_watch(self.fd, os.fsencode(directory), mask) < 0:
            code = ctypes.get_errno()
            self.close()
            raise OSError(code, f"cannot watch {directory}: {os.strerror(code)}")

    def read(self) -> Iterator[Event]:
        """What has happened since the last time."""
        while True:
            try:
                data = os.read(self.fd, 1 << 16)
            except BlockingIOError:
                return
            at = 0
            while at < len(data):
                _, mask, _, length = _HEAD.unpack_from(data, at)
                at += _HEAD.size
                yield Event(mask, os.fsdecode(data[at : at + length].rstrip(b"\0")))
                at += length

    def close(self) -> None:
        """Stop watching."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def __repr__(self) -> str:
        return f"<Inotify {self.fd}>"
