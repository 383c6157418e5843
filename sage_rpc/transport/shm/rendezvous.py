"""Where client and server of one host meet: names of sockets in the runtime directory.

Rules:

1. The runtime directory belongs to the user alone (mode 0700): whoever can enter it is trusted as
   much as the user. A directory that is somebody else's, a link, or open to others is refused.
2. A server binds under a temporary name, listens, and only then renames. So a published socket that
   refuses connections belongs to a dead server, and anyone who finds it may unlink it.
3. A TCP endpoint's sockets are named after the network namespace, the port and the address that was bound,
   a `unix:` endpoint's after the socket's file. Several servers may share an endpoint (SO_REUSEPORT); each
   has a name of its own.
4. A client meets the server that gRPC would connect it to, or nobody.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import ipaddress
import logging
import os
import re
import socket
import stat
import struct
import sys
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

__all__ = [
    "NamedPlace",
    "Place",
    "RuntimeDirectoryError",
    "UnreachableError",
    "endpoints_bound",
    "place_of_target",
    "publish",
    "published",
    "remove_dead",
    "runtime_directory",
    "tcp_endpoint",
    "unix_endpoint",
]

_LOGGER = logging.getLogger("sage_rpc")
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


def tcp_endpoint(address: str, port: int) -> str:
    """The name of the servers that have bound `address` and TCP `port` in this network namespace."""
    address = _canonical(address)
    return f"{_network_namespace()}-tcp-{port}" + (f"-{address}" if address != "::" else "")


def unix_endpoint(path: str) -> str:
    """The name of the Unix socket at `path`, symbolic links followed; abstract names start with a zero byte.

    Raises:
        OSError: there is no socket there.
    """
    if path.startswith("\0"):
        return f"{_network_namespace()}-abstract-{hashlib.sha256(os.fsencode(path[1:])).hexdigest()[:16]}"
    # A path may come to mean another socket. The file's identity stays that of one socket: a bound socket
    # holds its inode, so no other file gets the number while its server lives.
    status = Path(path).stat()
    if not stat.S_ISSOCK(status.st_mode):
        raise OSError(errno.ENOTSOCK, f"{path} is no socket")
    return f"unix-{status.st_dev:x}-{status.st_ino}"


def endpoints_bound(address: str, bind: Callable[[], int]) -> tuple[int, list[str]]:
    """Have `bind` make gRPC listen at `address`. -> its port, and the names of what it has bound.

    A name such as "localhost" stands for several addresses, of which gRPC may have got some only.
    """
    unix = re.fullmatch(r"unix(?P<abstract>-abstract)?:(//)?(?P<path>.*)", address, re.DOTALL)
    with _binding:
        before = _own_listeners()
        port = bind()
        after = _own_listeners()
    if unix is not None:
        try:
            return port, [unix_endpoint(("\0" if unix["abstract"] else "") + unquote(unix["path"]))]
        except OSError as error:
            _LOGGER.warning("%s is served over gRPC only: %s", address, error)
            return port, []
    bound = [where for inode, where in after.items() if inode not in before]
    return port, sorted({tcp_endpoint(host, number) for host, number in bound if number == port})


_binding = threading.Lock()  # what this process listens at changes by one server at a time


def _own_listeners() -> dict[int, tuple[str, int]]:
    """Inode -> (address, port) of the TCP sockets that this process listens with."""
    found: dict[int, tuple[str, int]] = {}
    try:
        names = os.listdir("/proc/self/fd")
    except OSError as error:
        _LOGGER.warning("what gRPC listens at is served over gRPC only: /proc cannot be read: %s", error)
        return found
    for name in names:
        with contextlib.suppress(OSError):  # closed meanwhile, or not of the internet
            status = os.fstat(int(name))
            if not stat.S_ISSOCK(status.st_mode):
                continue
            sock = socket.socket(fileno=int(name))
            try:
                if sock.family in (socket.AF_INET, socket.AF_INET6) and sock.getsockopt(
                    socket.SOL_SOCKET, socket.SO_ACCEPTCONN
                ):
                    host, port = sock.getsockname()[:2]
                    if host == "::" and sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY):
                        continue  # its name would promise IPv4, too
                    found[status.st_ino] = (host, port)
            finally:
                sock.detach()
    return found


# -- the client's side: from a target to the sockets of its server


class Place(ABC):
    """Where a target's server may have published itself."""

    @abstractmethod
    def endpoints(self) -> list[str]:
        """The names that its server may have, as they are now; those that win over others first."""

    def sockets(self) -> Iterator[list[Path]]:
        """The sockets to try: those of one endpoint after those of the one before.

        Raises:
            RuntimeDirectoryError: there is no usable runtime directory.
            ConnectionError: another server than those tried is what gRPC would reach.
        """
        for endpoint in self.endpoints():
            yield published(endpoint)


class NamedPlace(Place):
    """One endpoint, by its name."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint

    def __repr__(self) -> str:
        return f"<NamedPlace {self._endpoint}>"

    def endpoints(self) -> list[str]:
        """That name."""
        return [self._endpoint]


class UnixPlace(Place):
    """A Unix socket: the file that is at the path at this moment."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __repr__(self) -> str:
        return f"<UnixPlace {self._path!r}>"

    def endpoints(self) -> list[str]:
        """The name of that file, if there is one."""
        try:
            return [unix_endpoint(self._path)]
        except OSError:
            return []


class TcpPlace(Place):
    """A port of one or more of this host's addresses, in the order in which gRPC would try them."""

    def __init__(self, addresses: Sequence[str], port: int) -> None:
        self._addresses = addresses
        self._port = port

    def __repr__(self) -> str:
        return f"<TcpPlace {' '.join(self._addresses)} port {self._port}>"

    def _bound(self) -> Iterator[str]:
        """What a server may have bound to get the connections; what the kernel prefers comes first."""
        for address in self._addresses:
            yield address
            if ":" not in address:
                yield "0.0.0.0"  # noqa: S104 - compared, not bound
            yield "::"

    def endpoints(self) -> list[str]:
        """The names of the addresses and of the wildcards that cover them."""
        return list(dict.fromkeys(tcp_endpoint(address, self._port) for address in self._bound()))

    def sockets(self) -> Iterator[list[Path]]:
        """Those of the server that gRPC would reach."""
        # A server that has bound the address itself wins over one that has bound all of them, and
        # connections to the one must not be answered by the other: the kernel's table says who listens.
        if not any(published(endpoint) for endpoint in self.endpoints()):
            return
        listening = None
        for address in self._bound():
            yield published(tcp_endpoint(address, self._port))
            if listening is None:
                listening = _listening(self._port)
            if address in listening:
                raise ConnectionError(
                    f"the server at {address}, port {self._port}, publishes no memory queue on this host"
                )


def _listening(port: int) -> set[str]:
    """The addresses at which anybody in this network namespace listens on TCP `port`."""
    found = set()
    for table in ("tcp", "tcp6"):
        with (
            contextlib.suppress(FileNotFoundError),
            Path("/proc/self/net", table).open(encoding="ascii") as rows,
        ):
            for row in rows:
                _, local, _, state = row.split(maxsplit=4)[:4]
                address, _, number = local.partition(":")
                if state == "0A" and int(number, 16) == port:
                    words = [int(address[i : i + 8], 16) for i in range(0, len(address), 8)]
                    packed = struct.pack(f"={len(words)}I", *words)
                    found.add(_canonical(str(ipaddress.ip_address(packed))))
    return found


def _canonical(address: str) -> str:
    """An address as it stands in names: IPv4 also where IPv6 maps it."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return str(mapped or parsed)


def place_of_target(target: str) -> Place:
    """Where the server of a gRPC target on this host would be.

    Raises:
        UnreachableError: the target is on another host, or of a kind that names no host.
    """
    scheme, _, rest = target.partition(":")
    if scheme == "unix":
        return UnixPlace(unquote(rest.removeprefix("//")))
    if scheme == "unix-abstract":
        return UnixPlace("\0" + unquote(rest))
    if scheme in ("dns", "ipv4", "ipv6"):
        address = re.sub(r"^//[^/]*/", "", rest)
    elif re.match(r"^[a-z][a-z0-9+.-]*:///?", target):
        raise UnreachableError(f"the {scheme} resolver names no address on this host")
    else:
        address = target
    if "," in address:
        raise UnreachableError("the target names several addresses")
    host, port = _split(unquote(address))
    addresses = _own_addresses(host)
    if not addresses:
        raise UnreachableError(f"{host} is not an address of this host")
    return TcpPlace(addresses, port)


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
def _own_addresses(host: str) -> tuple[str, ...]:
    """This host's addresses that `host` stands for, up to the first that is another host's."""
    if host == "localhost":
        return "::1", "127.0.0.1"  # as gRPC's resolver has it, whatever /etc/hosts says
    try:
        found = socket.getaddrinfo(host, 0, type=socket.SOCK_DGRAM)
    except OSError:
        return ()
    own: list[str] = []
    for family, kind, protocol, _, where in found:
        text = str(where[0])
        if "%" in text:  # one interface's: the same address may be another host's on another
            break
        address = _LOOPBACK_OF.get(text) or _canonical(text)
        try:
            with socket.socket(family, kind, protocol) as probe:
                probe.bind(where)  # only an own address can be bound
        except OSError:
            break
        own.append(address)
    return tuple(dict.fromkeys(own))


_LOOPBACK_OF = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where Linux connects to


def published(endpoint: str) -> list[Path]:
    """The sockets of `endpoint`, in random order so that clients spread over its servers."""
    directory = runtime_directory()
    names = [
        name
        for name in os.listdir(directory)
        if name.rpartition("-")[0] == endpoint and name.endswith(".sock")
    ]
    if len(names) > 1:
        names.sort(key=lambda _name: os.urandom(8))
    return [directory / name for name in names]


def publish(endpoint: str, backlog: int = 512) -> tuple[socket.socket, Path]:
    """A listening socket for `endpoint` and the path that clients find it by.

    Removes what killed servers left in the directory.

    Raises:
        RuntimeDirectoryError: there is no usable runtime directory.
        OSError: the socket cannot be made there.
    """
    directory = runtime_directory()
    remove_dead()
    name = f"{endpoint}-{os.urandom(4).hex()}.sock"
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


def remove_dead() -> None:
    """Remove what killed servers have left in the runtime directory, if there is one."""
    with contextlib.suppress(OSError):
        for path in runtime_directory().glob("*.sock"):
            unlink_if_dead(path)


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
