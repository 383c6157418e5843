"""What is checked before any process starts, so that a mistake is one clear line and no crash loop."""

from __future__ import annotations

import errno
import socket
import ssl
from collections.abc import Iterator

from sage_rpc.config import Config, ServiceConfig
from sage_rpc.observe.tracing import INSTALLED
from sage_rpc.transport.shm.rendezvous import RuntimeDirectoryError, runtime_directory

__all__ = ["problems"]


def problems(config: Config) -> Iterator[str]:
    """What stands in the way of `config`, one line each."""
    try:
        runtime_directory()
    except RuntimeDirectoryError as error:
        yield str(error.strerror or error)
        return
    checked: set[tuple[str, ...]] = set()
    for name, service in config.services.items():
        if service.tls is not None:
            files = (service.tls.cert, service.tls.key, service.tls.ca or "")
            if files not in checked:
                checked.add(files)
                yield from _of_tls(service.tls.cert, service.tls.key, service.tls.ca)
        yield from (f"services.{name}: {text}" for text in in_use(service))
        if service.tracing and not INSTALLED:
            yield f"services.{name}.tracing: needs the package opentelemetry-api"
    if config.tls is not None and not checked:
        yield from _of_tls(config.tls.cert, config.tls.key, config.tls.ca)


def _of_tls(cert: str, key: str, ca: str | None) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    for what, path in (("cert", cert), ("key", key), ("ca", ca)):
        if path is None:
            continue
        try:
            with open(path, "rb"):  # noqa: PTH123 - only whether it opens
                pass
        except OSError as error:
            yield f"tls.{what}: cannot read {path}: {error.strerror}"
            return
    try:
        context.load_cert_chain(cert, key)
    except (ssl.SSLError, OSError) as error:
        yield f"tls: {cert} and {key} are no certificate with its key: {_of_ssl(error)}"
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except (ssl.SSLError, OSError) as error:
            yield f"tls.ca: {ca} has no certificates: {_of_ssl(error)}"


def _of_ssl(error: Exception) -> str:
    reason = getattr(error, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else str(error)


def in_use(service: ServiceConfig) -> Iterator[str]:
    """Whether somebody else listens where the service wants to.

    Its processes share their port (SO_REUSEPORT), and would share it with a stranger's, too: that none is
    there can be told only by asking for the port alone.
    """
    address = service.address
    if address is None or address.startswith("unix:") or address.endswith(":0"):
        return
    host, _, port = address.rpartition(":")
    try:
        name, number = host.strip("[]") or None, int(port)
        found = socket.getaddrinfo(name, number, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        yield f"{host} is no address of this host: {error.strerror}"
        return
    family, kind, protocol, _, where = found[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(where)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                yield f"the address {address} is in use by another program: stop that, or choose another port"
            else:
                yield f"cannot listen at {address}: {error.strerror}"
