"""The registry of one host: a file per endpoint in the runtime directory, and no server.

Theory of operation. An endpoint's owner keeps its file open and locked (flock) for as long as it lives: a
file that can be locked belongs to a dead process, and whoever finds it removes it. The kernel lets go of the
lock whatever ends the process, kill -9 too, and tells watchers at that moment that a file was closed
(inotify), in every container that shares the directory. So death is seen, and nothing is polled.

1. A file gets its name only when it is locked and written, and its name is used only once: nobody removes
   a file that is just being made or has come back.
2. It changes in place, within one page. Readers check a sum, and read again where it is wrong.
3. The kernel tells of the closing a moment before it drops the lock: so after that, look again.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

from sage_rpc.discovery.endpoint import Endpoint, Health, ServiceInfo, group_by_service
from sage_rpc.discovery.inotify import CLOSED, GONE, OVERFLOW, Inotify
from sage_rpc.discovery.registry import Registration, RegistryError, ServiceRegistry, State, Watch, Watchers
from sage_rpc.transport.shm.rendezvous import RuntimeDirectoryError, runtime_directory

__all__ = ["LocalRegistry", "record_paths"]

_DIRECTORY, _SUFFIX = "registry", ".endpoint"
_LARGEST = 4096  # bytes of a record: within one page, so that a reader sees it whole
_LOOK_AGAIN = (0.001, 0.003, 0.01, 0.05, 0.2)  # seconds after a file was closed, see rule 3
_READS = 20


class LocalRegistry(ServiceRegistry):
    """The registry of this host.

    Args:
        directory: a runtime directory; None for this process's.
    """

    def __init__(self, directory: Path | None = None) -> None:
        self._given = directory
        self._watchers = Watchers()
        self._lock = threading.Lock()  # guards _watcher and _registrations
        self._watcher: _Watcher | None = None
        self._registrations: set[_Record] = set()
        _registries.add(self)

    def register_service(self, endpoint: Endpoint) -> Registration:
        """Write the endpoint down for as long as this process lives.

        Raises:
            RegistryError: the runtime directory cannot be used, or the endpoint is larger than 4 KiB.
        """
        record = _Record(self._directory(), endpoint, self._forget)
        with self._lock:
            self._registrations.add(record)
        return record

    def _forget(self, record: _Record) -> None:
        with self._lock:
            self._registrations.discard(record)

    def discover_services(self) -> dict[str, ServiceInfo]:
        """Every endpoint of this host whose process lives."""
        directory = self._directory()
        return group_by_service(e for name in _names(directory) if (e := _read(directory / name)) is not None)

    def look(self, service: str) -> ServiceInfo | None:
        """As the files are now, whether or not the watch has had its turn."""
        return self.discover_services().get(service)

    def watch(self, callback: Callable[[State], None]) -> Watch:
        """Tell `callback` the whole state now and after every change."""
        watch = self._watchers.add(callback)
        with self._lock:
            if self._watcher is None:
                self._watcher = _Watcher(self._directory(), self._watchers)
            else:
                self._watcher.tell_again()
        return watch

    def close(self) -> None:
        """End the thread and this object's registrations."""
        with self._lock:
            watcher, self._watcher = self._watcher, None
            records = list(self._registrations)
        if watcher is not None:
            watcher.close()
        for record in records:
            record.close()

    def __repr__(self) -> str:
        return f"<LocalRegistry {self._given or 'of this host'}>"

    def _directory(self) -> Path:
        try:
            directory = (self._given or runtime_directory()) / _DIRECTORY
            directory.mkdir(mode=0o700, exist_ok=True)
        except RuntimeDirectoryError as error:
            raise RegistryError(f"no registry of this host: {error}") from error
        except OSError as error:
            raise RegistryError(f"no registry of this host: {error.filename}: {error.strerror}") from error
        return directory

    def _forget_parent(self) -> None:
        """In a forked child: registrations and the thread are the parent's."""
        for record in list(self._registrations):
            record.forget()
        self._registrations.clear()
        self._watchers = Watchers()
        self._watcher = None
        self._lock = threading.Lock()


_registries: weakref.WeakSet[LocalRegistry] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for registry in list(_registries):
        registry._forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)


class _Record(Registration):
    """A file, open and locked."""

    def __init__(self, directory: Path, endpoint: Endpoint, closed: Callable[[_Record], None]) -> None:
        self.endpoint = endpoint
        self._closed = closed
        self._path = directory / f"{endpoint.id}{_SUFFIX}"
        temporary = directory / f".{endpoint.id}.tmp"
        self._lock = threading.Lock()  # guards the descriptor
        self._fd = -1
        record = _encoded(endpoint)
        try:
            self._fd = os.open(temporary, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.pwrite(self._fd, record, 0)
            temporary.rename(self._path)
        except OSError as error:
            self.forget()
            raise RegistryError(
                f"cannot register {endpoint.service} in {directory}: {error.strerror}"
            ) from error

    def update(self, health: Health, metadata: Mapping[str, str] | None = None) -> None:
        with self._lock:
            self.endpoint = self.endpoint.now(health, metadata)
            if self._fd >= 0:
                os.pwrite(self._fd, _encoded(self.endpoint), 0)

    def close(self) -> None:
        with self._lock:
            if self._fd >= 0:
                with contextlib.suppress(OSError):
                    self._path.unlink()
            self.forget()
        self._closed(self)

    def forget(self) -> None:
        """Close the file, without a word."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _encoded(endpoint: Endpoint) -> bytes:
    body = endpoint.to_json().encode()
    data = b"%08x %s\n" % (zlib.crc32(body), body)
    if len(data) > _LARGEST:
        raise RegistryError(
            f"cannot register {endpoint.service}: its record has {len(data)} bytes, more than {_LARGEST}; "
            "give it less metadata"
        )
    return data.ljust(_LARGEST, b" ")


def record_paths(endpoint_id: str) -> list[Path]:
    """The files of an endpoint of this host, for whoever cleans up after a process that was killed."""
    directory = runtime_directory() / _DIRECTORY
    return [directory / f"{endpoint_id}{_SUFFIX}", directory / f".{endpoint_id}.tmp"]


def _names(directory: Path) -> list[str]:
    return [name for name in os.listdir(directory) if name.endswith(_SUFFIX)]


def _read(path: Path) -> Endpoint | None:
    """The endpoint of a record; None, and the file is removed, when its owner is gone."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            with contextlib.suppress(OSError):
                path.unlink()
            return None
        for _ in range(_READS):
            total, _, body = os.pread(fd, _LARGEST, 0).partition(b" ")
            body = body.rstrip()
            if total == b"%08x" % zlib.crc32(body):
                with contextlib.suppress(ValueError):
                    return Endpoint.from_json(body)
                return None
    finally:
        os.close(fd)
    return None


class _Watcher:
    """The thread that follows a directory."""

    def __init__(self, directory: Path, watchers: Watchers) -> None:
        self._directory = directory
        self._watchers = watchers
        self._inotify = Inotify(directory)
        self._wake, self._waker = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._closing = False
        self._pid = os.getpid()
        self._thread = threading.Thread(target=self._run, name="sage_rpc registry", daemon=True)
        self._thread.start()

    def tell_again(self) -> None:
        """Tell the state once more: somebody new listens."""
        os.write(self._waker, b"t")

    def close(self) -> None:
        """End the thread."""
        self._closing = True
        os.write(self._waker, b"c")
        if self._thread is not threading.current_thread():
            self._thread.join(timeout=5.0)

    def _run(self) -> None:
        self._known = self._scan()
        self._suspects: dict[str, tuple[float, int]] = {}  # closed files: when to look, and how often we did
        told: dict[str, Endpoint] | None = None
        poll = select.poll()
        poll.register(self._inotify.fd, select.POLLIN)
        poll.register(self._wake, select.POLLIN)
        asked = True
        while not self._closing:
            if asked or self._known != told:
                told = dict(self._known)
                self._watchers.tell(group_by_service(told.values()))
            wait = None
            if self._suspects:
                wait = 1000 * max(0.0, min(at for at, _ in self._suspects.values()) - time.monotonic())
            poll.poll(wait)
            asked = False
            with contextlib.suppress(BlockingIOError):
                asked = bool(os.read(self._wake, 64))
            self._follow()
            self._look_again()
        self._inotify.close()
        os.close(self._wake)
        os.close(self._waker)

    def _follow(self) -> None:
        """Take in what has happened in the directory."""
        for event in self._inotify.read():
            if event.mask & OVERFLOW:
                self._known = self._scan()
            elif not event.name.endswith(_SUFFIX):
                continue
            elif event.mask & GONE:
                self._known.pop(event.name, None)
                self._suspects.pop(event.name, None)
            else:
                self._look(event.name)
                if event.mask & CLOSED and event.name in self._known:
                    self._suspects[event.name] = (time.monotonic() + _LOOK_AGAIN[0], 1)

    def _look_again(self) -> None:
        now = time.monotonic()
        for name, (at, looks) in list(self._suspects.items()):
            if at > now:
                continue
            self._look(name)
            if name in self._known and looks < len(_LOOK_AGAIN):
                self._suspects[name] = (now + _LOOK_AGAIN[looks], looks + 1)
            else:
                del self._suspects[name]

    def _look(self, name: str) -> None:
        endpoint = _read(self._directory / name)
        if endpoint is None:
            self._known.pop(name, None)
        else:
            self._known[name] = endpoint

    def _scan(self) -> dict[str, Endpoint]:
        found = {name: _read(self._directory / name) for name in _names(self._directory)}
        return {name: endpoint for name, endpoint in found.items() if endpoint is not None}
