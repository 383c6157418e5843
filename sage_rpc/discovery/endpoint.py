"""What discovery knows of a service: its endpoints, where each is and how it is."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Literal

from sage_rpc.transport.shm.rendezvous import runtime_directory

__all__ = ["SUPERVISOR", "Endpoint", "Health", "ServiceInfo", "group_by_service", "host_identity"]

SUPERVISOR = "sage.supervisor"  # the service under which supervisors are known
Health = Literal["starting", "serving", "not-serving", "draining"]
HEALTH: tuple[Health, ...] = ("starting", "serving", "not-serving", "draining")
_HOST_FILE = "host"


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
        authority: the name that calls are for, and that its certificate has, where `address` does not tell.
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
    authority: str = ""
    declared: str = ""
    health: Health = "serving"
    weight: int = 100
    version: str = ""
    pid: int = 0
    metadata: Mapping[str, str] = field(default_factory=dict, hash=False)

    def now(self, health: Health, metadata: Mapping[str, str] | None = None) -> Endpoint:
        """The same endpoint in another state, or with more metadata."""
        return replace(self, health=health, metadata={**self.metadata, **(metadata or {})})

    def to_json(self) -> str:
        """One line; `from_json` reads it."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str | bytes) -> Endpoint:
        """What `to_json` wrote, here or elsewhere, by this version or a later one.

        Raises:
            ValueError: it is no endpoint.
        """
        try:
            found = json.loads(text)
            known = {f.name: found[f.name] for f in fields(cls) if f.name in found}
            endpoint = cls(**known)
        except (TypeError, ValueError, KeyError) as error:
            raise ValueError(f"no endpoint: {error}") from None
        types: dict[str, type | tuple[type, ...]] = {
            "secure": bool,
            "weight": int,
            "pid": int,
            "metadata": dict,
        }
        for name, value in known.items():
            if not isinstance(value, types.get(name, str)):
                raise ValueError(f"no endpoint: {name} is {value!r}")  # noqa: TRY004 - of what was read
        if endpoint.health not in HEALTH or not endpoint.service or not endpoint.address:
            raise ValueError(f"no endpoint: {text!r}")
        return endpoint


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
        with contextlib.suppress(OSError):
            known = path.read_text("ascii")
            if known.partition("-")[0] == boot:
                return known
            path.unlink()  # of before the last boot
        _create(path, f"{boot}-{secrets.token_hex(4)}")
    return path.read_text("ascii")


def _create(path: Path, text: str) -> None:
    """Let `path` contain `text` unless it exists: whole from the first moment on."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    temporary.write_text(text, "ascii")
    with contextlib.suppress(FileExistsError):
        os.link(temporary, path)
    temporary.unlink()


def _boot_id() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip().replace("-", "")[:16]
    except OSError:
        return "0"
