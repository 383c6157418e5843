"""Where the Unix sockets of supervised processes are: a folder of the runtime directory.

A folder of their own, because gRPC binds a socket before it listens, and the sweep of the runtime directory
takes a socket that nobody listens on for a dead one.
"""

from __future__ import annotations

from pathlib import Path

from sage_rpc.transport.shm.rendezvous import runtime_directory

__all__ = ["inside_path", "socket_path"]

_LONGEST = 107  # bytes: sun_path without its closing zero


def socket_path(name: str) -> Path:
    """The path of the socket `name`; its folder is made.

    Raises:
        OSError: there is no usable runtime directory, or the path is too long for a socket.
    """
    directory = runtime_directory() / "sockets"
    directory.mkdir(mode=0o700, exist_ok=True)
    path = directory / f"{name}.sock"
    if len(str(path).encode()) > _LONGEST:
        raise OSError(
            f"the path {path} is longer than {_LONGEST} bytes, the limit of a Unix socket; "
            "set SAGE_RPC_RUNTIME_DIR to a shorter one"
        )
    return path


def inside_path(name: str) -> Path:
    """The path of the socket by which the supervisor reaches the process `name`.

    Raises:
        OSError: as of `socket_path`.
    """
    return socket_path(f"{name}.in")
