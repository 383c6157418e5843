"""Where client and server of one host meet: names of sockets in the runtime directory.

Rules:

1. The runtime directory belongs to the user alone (mode 0700): whoever can enter it is trusted as
   much as the user. A directory that is somebody else's, a link, or open to others is refused.
2. A server binds under a temporary name, listens, and only then renames. So a published socket that
   refuses connections belongs to a dead server, and anyone who finds it may unlink it.
3. A TCP endpoint's sockets are named after the network namespace and the port, a `unix:` endpoint's
   after its path. Several servers may share an endpoint (SO_REUSEPORT); each has a name of its own.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import re
import secrets
import socket
import stat
import sys
from pathlib import Path
from urllib.parse import unquote

__all__ = [
    "RuntimeDirectoryError",
    "UnreachableError",
    "endpoint_of_target",
    "publish",
    "published",
    "runtime_directory",
    "tcp_endpoint",
    "unix_endpoint",
]

_MAX_SOCKET_PATH = 107  # bytes: sun_path without its closing zero


class RuntimeDirectoryError(OSError):
    """The runtime directory cannot be used; the text says why and what to do."""


class UnreachableError(Exception):
    """A target that the memory queue cannot reach; the text says why."""


def runtime_directory() -> Path:
    """The directory of this user's sockets, made on first use.

    `$SAGE_RPC_RUNTIME_DIR`, else `$XDG_RUNTIME_DIR/sage-rpc`, else `/tmp/sage-rpc-UID`.

    Raises:
        RuntimeDirectoryError: it is not a directory, not ours, or open to other users.
    """
    named = os.environ.get("SAGE_RPC_RUNTIME_DIR")
    base = os.environ.get("XDG_RUNTIME_DIR")
    if named:
        path = Path(named)
    elif base and Path(base).is_dir():
        path = Path(base) / "sage-rpc"
    else:
        path = Path(f"/tmp/sage-rpc-{os.getuid()}")  # noqa: S108 - checked below: ours, 0700, no link
    try:
        with contextlib.suppress(FileExistsError):
            path.mkdir(mode=0o700, parents=bool(named))
        status = path.lstat()
    except OSError as error:
        raise RuntimeDirectoryError(
            error.errno, f"cannot make the runtime directory {path}: {error.strerror}; {_ADVICE}"
        ) from error
    if not stat.S_ISDIR(status.st_mode):
        raise RuntimeDirectoryError(f"the runtime directory {path} is not a directory; {_ADVICE}")
    if status.st_uid != os.getuid():
        raise RuntimeDirectoryError(
            f"the runtime directory {path} belongs to uid {status.st_uid}, not to uid {os.getuid()}; "
            f"{_ADVICE}"
        )
    if status.st_mode & 0o022:
        raise RuntimeDirectoryError(
            f"other users may write to the runtime directory {path} "
            f"(mode {status.st_mode & 0o777:04o}); "
            f"chmod 700 it, or {_ADVICE}"
        )
    return path


_ADVICE = "set SAGE_RPC_RUNTIME_DIR to a directory of your own"


def _network_namespace() -> int:
    try:
        return Path("/proc/self/ns/net").stat().st_ino
    except OSError:
        return 0


def tcp_endpoint(port: int) -> str:
    """The name under which servers of TCP port `port` of this network namespace publish themselves."""
    return f"{_network_namespace()}-tcp-{port}"


def unix_endpoint(path: str) -> str:
    """The name for a `unix:` endpoint; abstract names start with a zero byte."""
    absolute = path if path.startswith("\0") else str(Path(path).absolute())
    digest = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:16]
    return f"{_network_namespace()}-unix-{digest}"


def endpoint_of_target(target: str) -> str:
    """The endpoint of a gRPC target on this host.

    Raises:
        UnreachableError: the target is on another host, or of a kind that names no host.
    """
    scheme, _, rest = target.partition(":")
    if scheme == "unix":
        return unix_endpoint(unquote(rest.removeprefix("//")))
    if scheme == "unix-abstract":
        return unix_endpoint("\0" + unquote(rest))
    if scheme in ("dns", "ipv4", "ipv6"):
        address = re.sub(r"^//[^/]*/", "", rest)
    elif re.match(r"^[a-z][a-z0-9+.-]*:///?", target):
        raise UnreachableError(f"the {scheme} resolver names no address on this host")
    else:
        address = target
    if "," in address:
        raise UnreachableError("the target names several addresses")
    host, port = _split(unquote(address))
    if not _is_local(host):
        raise UnreachableError(f"{host} is not an address of this host")
    return tcp_endpoint(port)


def _split(address: str) -> tuple[str, int]:
    match = re.fullmatch(r"\[(?P<v6>[^]]+)\](?::(?P<p6>\d+))?|(?P<v4>[^:]*)(?::(?P<p4>\d+))?", address)
    if match is None:
        if address.count(":") > 1:
            return address, 443
        raise UnreachableError(f"{address!r} is not HOST:PORT")
    host = match["v6"] or match["v4"] or ""
    port = int(match["p6"] or match["p4"] or 443)  # gRPC's default port
    if not host or not 0 < port < 65536:
        raise UnreachableError(f"{address!r} is not HOST:PORT")
    return host, port


@functools.lru_cache(maxsize=1024)
def _is_local(host: str) -> bool:
    """Whether packets to `host` stay here: only an own address can be bound."""
    if host in ("localhost", "127.0.0.1", "::1", "0.0.0.0", "::"):  # noqa: S104 - compared, not bound
        return True
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    except OSError:
        return False
    for family, kind, protocol, _, address in found:
        with contextlib.suppress(OSError), socket.socket(family, kind, protocol) as probe:
            probe.bind(address)
            return True
    return False


def published(endpoint: str) -> list[Path]:
    """The sockets of `endpoint`, in random order so that clients spread over its servers."""
    directory = runtime_directory()
    prefix = endpoint + "-"
    names = [n for n in os.listdir(directory) if n.startswith(prefix) and n.endswith(".sock")]
    if len(names) > 1:
        secrets.SystemRandom().shuffle(names)
    return [directory / name for name in names]


def publish(endpoint: str, backlog: int = 512) -> tuple[socket.socket, Path]:
    """A listening socket for `endpoint` and the path that clients find it by.

    Removes what killed servers left in the directory.

    Raises:
        RuntimeDirectoryError: there is no usable runtime directory.
        OSError: the socket cannot be made there.
    """
    directory = runtime_directory()
    for path in directory.glob("*.sock"):
        unlink_if_dead(path)
    name = f"{endpoint}-{secrets.token_hex(4)}.sock"
    path, temporary = directory / name, directory / f".{name}.tmp"
    if len(os.fsencode(temporary)) > _MAX_SOCKET_PATH:
        raise RuntimeDirectoryError(
            f"the path {temporary} is longer than {_MAX_SOCKET_PATH} bytes, the limit of a Unix socket; "
            f"set SAGE_RPC_RUNTIME_DIR to a shorter one"
        )
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    try:
        listener.bind(str(temporary))
        listener.listen(backlog)
        temporary.rename(path)
    except OSError as error:
        listener.close()
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise OSError(error.errno, f"cannot publish a socket in {directory}: {error.strerror}") from error
    return listener, path


def unlink_if_dead(path: Path) -> bool:
    """Remove a published socket that nobody listens on. -> whether it was dead."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            with contextlib.suppress(OSError):
                path.unlink()
            return True
        except OSError:
            return False
    return False


if sys.platform == "win32":
    raise ImportError("the memory queue needs Unix sockets; use gRPC on this platform")
