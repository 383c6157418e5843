"""What discovery knows of a service: its endpoints, where each is and how it is."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from sage_rpc.foreign_text import printable, shown
from sage_rpc.transport.shm.rendezvous import RuntimeDirectoryError, runtime_directory

__all__ = ["Endpoint", "Health", "ServiceInfo", "group_by_service", "host_identity"]

Health = Literal["starting", "serving", "not-serving", "draining"]
HEALTH: tuple[Health, ...] = ("starting", "serving", "not-serving", "draining")
_HOST_FILE = "host"
_IDENTITY = re.compile(rb"[0-9a-f]{1,16}-[0-9a-f]{8}")
_LONGEST_RECORD = 64 << 10  # bytes
_LONGEST_TEXT, _MOST_WEIGHT = 4096, 1_000_000


@dataclass(frozen=True)
class Endpoint:
    """One process that serves a service.

    Attributes:
        service: the name that callers use.
        id: tells this endpoint from all others, of other hosts too.
        address: a gRPC target.
        host: identity of the host it runs on, see `host_identity`.
        memory: name of its memory queue in that host's runtime directory; "" where it has none.
        secure: gRPC at `address` is TLS.
        declared: full name of its protobuf service; "" for a plain class.
        health: what its process says of itself.
        weight: its share of the calls, relative to others'.
        version: of the service, as its owner counts.
        pid: process id on its host; 0 where unknown.
        metadata: whatever the owner wants to tell.
    """

    service: str
    address: str
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    host: str = ""
    memory: str = ""
    secure: bool = False
    declared: str = ""
    health: Health = "serving"
    weight: int = 100
    version: str = ""
    pid: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)

    def with_health(self, health: Health) -> Endpoint:
        """The same endpoint in another state."""
        return replace(self, health=health)

    def to_json(self) -> str:
        """One line; `from_json` reads it."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Endpoint:
        """What `to_json` wrote, here or elsewhere, by this version or a later one.

        Whoever can write a registry may have written anything: what is given back surprises nobody.

        Raises:
            ValueError: it is no endpoint.
        """
        if len(text) > _LONGEST_RECORD:
            raise ValueError(f"no endpoint: {len(text)} bytes, more than {_LONGEST_RECORD}")
        try:
            found = json.loads(text.decode() if isinstance(text, bytes) else text)
        except UnicodeDecodeError:
            raise ValueError("no endpoint: it is not UTF-8") from None
        except RecursionError:
            raise ValueError("no endpoint: it is too deep") from None
        except ValueError as error:
            raise ValueError(f"no endpoint: {error}") from None
        if not isinstance(found, dict) or "service" not in found or "address" not in found:
            raise ValueError("no endpoint: it has no service and address")
        endpoint = cls(**{f.name: found[f.name] for f in fields(cls) if f.name in found})
        endpoint.check()
        return endpoint

    def check(self) -> None:
        """Whether others can understand it.

        Raises:
            ValueError: they cannot; the text says which field is wrong.
        """
        for each in fields(self):
            value: Any = getattr(self, each.name)
            if not _FITS.get(each.name, _is_text)(value):
                expected = _EXPECTED.get(each.name, _LINE)
                raise ValueError(f"no endpoint: {each.name} is {shown(repr(value))}, not {expected}")
        if not (self.service and self.address and self.id):
            raise ValueError("no endpoint: its service, address or id is empty")


def _is_text(value: Any) -> bool:
    return type(value) is str and len(value) <= _LONGEST_TEXT and printable(value, one_line=True) == value


_FITS: dict[str, Callable[[Any], bool]] = {
    "secure": lambda value: type(value) is bool,
    "health": lambda value: type(value) is str and value in HEALTH,
    "weight": lambda value: type(value) is int and 0 <= value <= _MOST_WEIGHT,
    "pid": lambda value: type(value) is int and 0 <= value < 1 << 32,
    "metadata": lambda value: (
        isinstance(value, Mapping) and all(_is_text(key) and _is_text(each) for key, each in value.items())
    ),
}
_LINE = f"a text of one line and at most {_LONGEST_TEXT} characters"
_EXPECTED = {
    "secure": "true or false",
    "health": f"one of {', '.join(HEALTH)}",
    "weight": f"an integer from 0 to {_MOST_WEIGHT}",
    "pid": "a process id",
    "metadata": f"a mapping, each key and value {_LINE}",
}


@dataclass(frozen=True)
class ServiceInfo:
    """A service and every endpoint of it that is known.

    Attributes:
        name: what callers use.
        endpoints: ordered by id; of every health.
    """

    name: str
    endpoints: tuple[Endpoint, ...]

    @property
    def serving(self) -> tuple[Endpoint, ...]:
        """The endpoints that take new calls."""
        return tuple(e for e in self.endpoints if e.health == "serving")


def group_by_service(endpoints: Iterable[Endpoint]) -> dict[str, ServiceInfo]:
    """`endpoints` as what `ServiceRegistry.discover_services` gives."""
    found: dict[str, list[Endpoint]] = {}
    for endpoint in sorted(endpoints, key=lambda e: (e.service, e.id)):
        found.setdefault(endpoint.service, []).append(endpoint)
    return {name: ServiceInfo(name, tuple(members)) for name, members in found.items()}


def host_identity() -> str:
    """Identity of this host: processes that share a runtime directory are on one host, and no others.

    So containers that share it as a volume are one host, and containers that do not are several, though
    they run on one kernel. It is kept in the directory, together with the kernel's boot id.

    Raises:
        RuntimeDirectoryError: there is no usable runtime directory.
    """
    path = runtime_directory() / _HOST_FILE
    boot = _boot_id()
    for _ in range(3):
        known = _identity(path)
        if known is not None and known.partition("-")[0] == boot:
            return known
        with contextlib.suppress(OSError):
            path.unlink()  # of before the last boot, or no such file at all
        _create(path, f"{boot}-{secrets.token_hex(4)}")
    raise RuntimeDirectoryError(f"this host's identity cannot be kept in {path}: remove {path}")


def _identity(path: Path) -> str | None:
    """What the file says; None where it is none of ours, and nobody is waited for."""
    data = read_regular_file(path, 64)
    return data.decode("ascii") if data is not None and _IDENTITY.fullmatch(data) else None


def _create(path: Path, text: str) -> None:
    """Let `path` contain `text` unless it exists: whole from the first moment on."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_text(text, "ascii")
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def read_regular_file(path: Path, most: int) -> bytes | None:
    """The first `most` bytes of a file; None where there is none, or something else under its name."""
    try:
        fd = open_regular_file(path)
    except OSError:
        return None
    try:
        return os.read(fd, most)
    except OSError:
        return None
    finally:
        os.close(fd)


def open_regular_file(path: Path) -> int:
    """A descriptor to read a file, got without waiting for anybody.

    Raises:
        OSError: there is none, or a link, pipe, directory or device under its name.
    """
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no regular file")
    return fd


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", "")[:16]
    except OSError:
        return "0"
