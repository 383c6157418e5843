"""SageQueue: a queue that processes of one host open by name, with many producers and consumers.

Rules of this file:

1. Opening is decided under a file lock on the shared-memory object, which the kernel releases when its
   holder dies: a queue is complete or nobody uses it, and whoever finds a half-made one starts afresh.
2. An object that was unlinked while we waited for that lock is not the queue of that name any more.
3. Memory is reserved before it is mapped, so that a full /dev/shm is an OSError and no SIGBUS later.

What happens inside the mapping is native/queue.h; docs/queue.md says what users may rely on.
"""

from __future__ import annotations

import contextlib
import os
import re
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sage_rpc.queue._queue import Handle

__all__ = ["QueueClosed", "QueueCorrupted", "SageQueue"]

DEFAULT_CAPACITY = 4 * 1024 * 1024  # bytes
_PREFIX = "/sage-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


class QueueClosed(ValueError):
    """The queue was closed in this process: before the call, or by another thread while the call waited."""


class QueueCorrupted(RuntimeError):
    """The shared memory holds what no queue writes. Nothing of it was used; remove the queue."""


class SageQueue:
    """A first-in-first-out queue between processes that open it by name.

    Put and get like `queue.Queue`; `queue.Full` and `queue.Empty` are the standard library's. bytes,
    bytearray and memoryview are the fast path and arrive as bytes. Other items are encoded without
    pickle: None, bool, int, float, str, list, tuple, dict, datetime, numpy arrays. A process may be killed
    at any moment without harm to the others: an item is put entirely or not at all, and no item is got
    twice. An item that a consumer had taken before it died is gone with it.

    The queue stays in memory until somebody calls `unlink`, also when no process has it open. It pickles as
    its name and is usable after fork.

    Example:
        >>> with SageQueue("jobs", maxsize=1000) as jobs:
        ...     jobs.put({"id": 7})
        ...     jobs.get(timeout=1.0)
        ...     jobs.unlink()
        {'id': 7}

    Args:
        name: letters, digits, ".", "_" and "-", at most 200, not beginning with one of the last three.
        maxsize: most items queued, 0 for as many as fit. None: what the queue has, 0 for a new one.
        capacity: bytes of shared memory for items, rounded up to 4096; each item takes its length, rounded
            up to 8, and 16 more. None: what the queue has, 4 MiB for a new one.
        create: make the queue when there is none.

    Raises:
        ValueError: bad name, maxsize or capacity; or the queue exists with another maxsize or capacity.
        FileNotFoundError: there is no such queue and `create` is False.
        PermissionError: the name belongs to another user.
        OSError: no room for it in shared memory.
        QueueCorrupted: something else lies under that name.
        ImportError: the native core is not built; the text says what to do.
    """

    def __init__(
        self, name: str, maxsize: int | None = None, capacity: int | None = None, *, create: bool = True
    ) -> None:
        path = _path(name)
        _check_number("maxsize", maxsize, 0)
        _check_number("capacity", capacity, 1)
        self._open(name, path, maxsize, capacity, create=create, token=None)

    def _open(
        self,
        name: str,
        path: str,
        maxsize: int | None,
        capacity: int | None,
        *,
        create: bool,
        token: int | None,
    ) -> None:
        self._name = name
        self._handle, self._token = _open(name, path, maxsize, capacity, create=create)
        if token not in {None, self._token}:
            self._handle.close()
            raise FileNotFoundError(f"the queue {name!r} was unlinked, and another one made under its name")
        _handles.add(self._handle)

    @property
    def name(self) -> str:
        """The name it was opened by."""
        return self._name

    @property
    def maxsize(self) -> int:
        """Most items queued; 0: as many as fit."""
        return self._handle.maxsize

    @property
    def capacity(self) -> int:
        """Bytes of shared memory for items."""
        return self._handle.capacity

    @property
    def closed(self) -> bool:
        """Whether `close` was called in this process."""
        return self._handle.closed

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
        """Append `item`, waiting for room if need be.

        Args:
            item: see the class.
            block: wait for room; False is the same as `put_nowait`.
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            queue.Full: no room, for that long.
            ValueError: the item is larger than the queue's capacity, or `timeout` is negative.
            UnserializableError: (`sage_rpc.encoding.values`) a TypeError; a part of the item does not travel.
            QueueClosed: this process closed the queue, before or meanwhile.
            QueueCorrupted: some process overwrote the shared memory.
        """
        self._handle.put(item, block, timeout)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        """Remove and return the first item, waiting for one if need be.

        Args:
            block: wait for an item; False is the same as `get_nowait`.
            timeout: seconds to wait at most; None for as long as it takes.

        Raises:
            queue.Empty: no item, for that long.
            ValueError: `timeout` is negative.
            QueueClosed: this process closed the queue, before or meanwhile.
            QueueCorrupted: some process overwrote the shared memory.
        """
        return self._handle.get(block, timeout)

    def put_nowait(self, item: Any) -> None:
        """`put` that raises `queue.Full` instead of waiting for room."""
        self._handle.put(item, False, None)

    def get_nowait(self) -> Any:
        """`get` that raises `queue.Empty` instead of waiting for an item."""
        return self._handle.get(False, None)

    def qsize(self) -> int:
        """Items in the queue a moment ago."""
        return self._handle.measure()[0]

    def empty(self) -> bool:
        """Whether the queue was empty a moment ago."""
        return self._handle.measure()[0] == 0

    def full(self) -> bool:
        """Whether a moment ago no item, not even an empty one, could have been put."""
        return self._handle.measure()[2]

    def close(self) -> None:
        """Let go of the queue in this process; items stay, other processes go on. May be called again.

        Threads of this process that wait in `put` or `get` get QueueClosed.
        """
        self._handle.close()

    def unlink(self) -> None:
        """Remove the name. Whoever has the queue open goes on; it vanishes with the last of them.

        Does nothing where the name is gone already, or stands for another queue by now.
        """
        with contextlib.suppress(FileNotFoundError), _locked(self._name, _path(self._name), 0) as shm:
            found = _native().inspect(shm.fd)
            if found is not None and found[3] == self._token:
                shm.unlink()

    @staticmethod
    def remove(name: str) -> None:
        """Remove the queue of that name without opening it: what `unlink` does, also for a corrupted one.

        Raises:
            FileNotFoundError: there is none.
        """
        with _locked(name, _path(name), 0) as shm:
            shm.unlink()

    def __enter__(self) -> SageQueue:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        if self.closed:
            raise QueueClosed(
                f"the queue {self._name!r} was closed in this process: a closed queue does not pickle"
            )
        return _reopen, (self._name, self._token)

    def __repr__(self) -> str:
        try:
            items, used, _ = self._handle.measure()
        except QueueClosed:
            state = "closed"
        except QueueCorrupted:
            state = "corrupted"
        else:
            limit = f" of {self.maxsize}" if self.maxsize else ""
            state = f"open, {items}{limit} items, {used} of {self.capacity} bytes"
        return f"<SageQueue {self._name!r} [{state}]>"


_handles: weakref.WeakSet[Handle] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for handle in list(_handles):
        handle.after_fork()


os.register_at_fork(after_in_child=_after_fork_in_child)


def _reopen(name: str, token: int) -> SageQueue:
    """What unpickling calls: the very queue that was pickled, or FileNotFoundError."""
    queue = SageQueue.__new__(SageQueue)
    queue._open(name, _path(name), None, None, create=False, token=token)
    return queue


def _native() -> Any:
    """The compiled binding. Any, because it may not be there to take a type from."""
    try:
        from sage_rpc.queue import _queue
    except ImportError as error:
        raise ImportError(
            f"SageQueue needs the native core, which is not built ({error}); on Linux install a C compiler "
            "and Python's headers, then reinstall: "
            "pip install --force-reinstall --no-binary sage-rpc sage-rpc"
        ) from error
    return _queue


def _path(name: str) -> str:
    if not isinstance(name, str):
        raise TypeError(f"the name of a queue is a str, not {type(name).__name__}")
    if not _NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a queue: 1 to 200 letters a-z and A-Z, digits, '.', '_' and '-', "
            "beginning with a letter or digit"
        )
    return _PREFIX + name


def _check_number(what: str, value: object, least: int) -> None:
    if value is None:
        return
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{what} is {value!r}: expected an int")
    if not least <= value < 1 << 40:
        raise ValueError(f"{what} is {value}: expected {least} to 2**40 - 1")


@contextlib.contextmanager
def _locked(name: str, path: str, flags: int) -> Iterator[Any]:
    """The shared-memory object of that name, locked against other openers, still of that name."""
    import fcntl

    import posix_ipc

    while True:
        try:
            shm = posix_ipc.SharedMemory(path, flags=flags, mode=0o600)
        except posix_ipc.ExistentialError:
            raise FileNotFoundError(f"there is no queue {name!r} (no {path} in shared memory)") from None
        except posix_ipc.PermissionsError:
            raise PermissionError(
                f"the queue {name!r} belongs to another user; choose another name"
            ) from None
        try:
            owner = os.fstat(shm.fd).st_uid
            if owner != os.geteuid():
                raise PermissionError(f"the queue {name!r} belongs to user {owner}; choose another name")
            fcntl.flock(shm.fd, fcntl.LOCK_EX)
            if os.fstat(shm.fd).st_nlink > 0:
                yield shm
                return
        finally:
            # Closing does not unlock: a mapping made meanwhile keeps the open file, and its lock, alive.
            fcntl.flock(shm.fd, fcntl.LOCK_UN)
            shm.close_fd()


def _open(
    name: str, path: str, maxsize: int | None, capacity: int | None, *, create: bool
) -> tuple[Handle, int]:
    """A mapping of the queue, made if need be, and its token."""
    import posix_ipc

    native = _native()
    with _locked(name, path, posix_ipc.O_CREAT if create else 0) as shm:
        found = native.inspect(shm.fd)
        if found is None:
            _check_unformatted(name, shm.fd)
            if not create:
                raise FileNotFoundError(f"there is no queue {name!r}: its maker died before it was complete")
            try:
                _make(name, shm.fd, maxsize or 0, capacity or DEFAULT_CAPACITY)
            except BaseException:
                shm.unlink()
                raise
            found = native.inspect(shm.fd)
        _check(name, found, maxsize, capacity)
        may_spin = len(os.sched_getaffinity(0)) > 1
        return native.Handle(shm.fd, name, may_spin), found[3]


def _check_unformatted(name: str, fd: int) -> None:
    """A half-made queue has no header yet; anything else that is not a queue is left alone."""
    if any(os.pread(fd, 8, 0)):
        raise QueueCorrupted(
            f"what lies under the name of the queue {name!r} is no queue, or was overwritten; "
            f"if nobody needs it, remove it with SageQueue.remove({name!r})"
        )


def _make(name: str, fd: int, maxsize: int, capacity: int) -> None:
    native = _native()
    capacity = _rounded(capacity)
    size = native.HEADER_BYTES + capacity
    os.ftruncate(fd, 0)  # what a maker that died had begun
    try:
        os.posix_fallocate(fd, 0, size)
    except OSError as error:
        raise OSError(
            error.errno,
            f"no room for the queue {name!r} of {size} bytes in shared memory ({error.strerror}; "
            f"{_free(fd)} bytes are free there): choose a smaller capacity=, remove queues nobody uses, or "
            "raise the limit: of shared memory (docker run --shm-size=1g) or of file sizes (ulimit -f)",
        ) from None
    native.format_segment(fd, capacity, maxsize, int.from_bytes(os.urandom(8), "little"), _pid_namespace())


def _check(
    name: str, found: tuple[int, int, int, int, int], maxsize: int | None, capacity: int | None
) -> None:
    version, has_capacity, has_maxsize, _, namespace = found
    if version != _native().VERSION:
        raise ValueError(
            f"the queue {name!r} has format {version}, made by another version of sage_rpc; this one "
            f"knows {_native().VERSION}: stop its users and remove it with SageQueue.remove({name!r})"
        )
    if maxsize not in {None, has_maxsize}:
        raise ValueError(f"the queue {name!r} exists with maxsize={has_maxsize}, not {maxsize}")
    if capacity is not None and _rounded(capacity) != has_capacity:
        raise ValueError(f"the queue {name!r} exists with capacity={has_capacity}, not {_rounded(capacity)}")
    # The locks hold thread ids, and the kernel compares them when a thread dies.
    if 0 not in {namespace, _pid_namespace()} and namespace != _pid_namespace():
        raise OSError(
            f"the queue {name!r} was made in another PID namespace (container); processes that share a queue "
            "must share that too, for example with docker run --pid=container:NAME"
        )


def _rounded(capacity: int) -> int:
    page: int = _native().PAGE
    return -(-capacity // page) * page


def _free(fd: int) -> int:
    stat = os.fstatvfs(fd)
    return stat.f_bavail * stat.f_frsize


def _pid_namespace() -> int:
    """A number for the PID namespace of this process; 0 where /proc does not say."""
    try:
        return Path("/proc/self/ns/pid").stat().st_ino
    except OSError:
        return 0
