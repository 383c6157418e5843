"""Why a target is or is not reached by the memory queue: the checks of `sage-rpc doctor TARGET`.

Rules: as of `sage_rpc.cli.diagnosis`. "problem" means here that calls to the target do not use the memory
queue.
"""

from __future__ import annotations

import contextlib
import os
import re
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

import grpc

from sage_rpc import native
from sage_rpc.cli.diagnosis import Check
from sage_rpc.discovery import Endpoint, RegistryError, host_identity, open_registry
from sage_rpc.endpoints.opening import insecure_channel
from sage_rpc.endpoints.resolver import is_here
from sage_rpc.endpoints.targets import SCHEME, service_of_target
from sage_rpc.transport.base import GRPC, SHM
from sage_rpc.transport.shm.rendezvous import (
    RuntimeDirectoryError,
    UnreachableError,
    place_of_target,
    published,
    runtime_directory,
)

__all__ = ["examine_target"]

_TRY_SECONDS = 3.0


def examine_target(target: str) -> list[Check]:
    """Everything that decides how calls to `target` travel, in the order in which it is decided."""
    checks = list(_here())
    if target.startswith(f"{SCHEME}:"):
        checks += _of_service(target)
    else:
        checks += _of_address(target)
    checks.append(_tried(target))
    return checks


def _here() -> Iterator[Check]:
    forced = os.environ.get("SAGE_RPC_TRANSPORT", "")
    if forced == GRPC:
        yield Check("SAGE_RPC_TRANSPORT", "problem", "grpc: the memory queue is switched off", "unset it")
    if not native.available():
        yield Check("native core", "problem", native.why_not(), "sage-rpc doctor says how to build it")
    try:
        directory = runtime_directory()
    except RuntimeDirectoryError as error:
        yield Check("runtime directory", "problem", str(error.strerror or error))
    else:
        count = len(list(directory.glob("*.sock")))
        yield Check("runtime directory", "ok", f"{directory}, with {count} memory queues")


def _of_address(target: str) -> Iterator[Check]:
    try:
        endpoints = place_of_target(target).endpoints()
    except UnreachableError as error:
        yield Check(
            "on this host",
            "problem",
            str(error),
            "the memory queue joins processes of one host; to others, gRPC is the way",
        )
        return
    names = ", or ".join(f"{endpoint}-*.sock" for endpoint in endpoints)
    yield Check("on this host", "ok", f"its memory queue would be {names}" if names else "a Unix socket")
    with contextlib.suppress(OSError):
        paths = [path for endpoint in endpoints for path in published(endpoint)]
        if not paths:
            yield from _nothing_published(target, endpoints)
        for path in paths:
            yield _of_socket(path)


def _nothing_published(target: str, endpoints: Sequence[str]) -> Iterator[Check]:
    suffixes = [endpoint.partition("-")[2] for endpoint in endpoints if "-tcp-" in endpoint]
    elsewhere = sorted(p.name for each in suffixes for p in runtime_directory().glob(f"*-{each}-*.sock"))
    if elsewhere:
        namespace = elsewhere[0].partition("-")[0]
        yield Check(
            "memory queue",
            "problem",
            f"a server in another network namespace ({namespace}) has published one of that name",
            "a port means another server there: register it and call it by name, sage:///NAME",
        )
        return
    port = re.search(r":(\d+)$", target)
    listening = port is not None and _somebody_listens(target)
    if listening:
        yield Check(
            "memory queue",
            "problem",
            "a server listens at the address, but has published none in this runtime directory",
            "it is no server of sage_rpc, or serves with SAGE_RPC_TRANSPORT=grpc, or has another "
            "SAGE_RPC_RUNTIME_DIR or user, or its port is TLS",
        )
    else:
        yield Check("memory queue", "problem", "nobody serves at the address", "start the server")


def _somebody_listens(target: str) -> bool:
    channel = insecure_channel(target, [("sage_rpc.transport", GRPC)])
    with channel:
        try:
            grpc.channel_ready_future(channel).result(timeout=_TRY_SECONDS)
        except grpc.FutureTimeoutError:
            return False
    return True


def _of_socket(path: Path) -> Check:
    try:
        status = path.stat()
    except OSError as error:
        return Check("memory queue", "problem", f"{path.name}: {error.strerror}")
    if not stat.S_ISSOCK(status.st_mode):
        return Check("memory queue", "problem", f"{path.name} is no socket", f"remove {path}")
    if status.st_uid != os.getuid():
        return Check(
            "memory queue",
            "problem",
            f"{path.name} belongs to uid {status.st_uid}, not to uid {os.getuid()}",
            "the memory queue joins processes of one user",
        )
    return Check("memory queue", "ok", path.name)


def _of_service(target: str) -> Iterator[Check]:
    try:
        service = service_of_target(target)
        with open_registry() as registry:
            info = registry.discover_services().get(service)
            yield Check("registry", "ok", repr(registry).strip("<>"))
    except (RegistryError, ValueError) as error:
        yield Check("registry", "problem", str(error))
        return
    if info is None:
        yield Check(
            "service", "problem", f"no endpoint of {service!r} is registered", "sage-rpc list shows all"
        )
        return
    for endpoint in info.endpoints:
        yield _of_endpoint(endpoint)
    if not any(is_here(e) and e.health == "serving" for e in info.endpoints):
        yield Check("service", "problem", "no endpoint that serves is on this host")


def _of_endpoint(endpoint: Endpoint) -> Check:
    name = f"endpoint {endpoint.address}"
    if endpoint.health != "serving":
        return Check(name, "note", f"is {endpoint.health}: gets no calls")
    if not endpoint.memory:
        return Check(name, "note", "has no memory queue: its transports say grpc only")
    if not is_here(endpoint):
        return Check(
            name,
            "note",
            f"is on host {endpoint.host or 'unknown'}, this is {host_identity()}",
            "containers are one host where they share the runtime directory as a volume",
        )
    paths = published(endpoint.memory)
    if not paths:
        return Check(name, "note", "has registered a memory queue that is gone: it is ending, or was killed")
    return _of_socket(paths[0])


def _tried(target: str) -> Check:
    with insecure_channel(target) as channel:
        try:
            channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=_TRY_SECONDS)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
                return Check("a call", "problem", f"{error.code().name}: {error.details()}")
        except ValueError as error:
            return Check("a call", "problem", str(error))
        carried, reason = channel.transport, channel.transport_reason
    if carried == SHM:
        return Check("a call", "ok", "was carried by shm")
    return Check("a call", "problem", f"was carried by {carried}{': ' + reason if reason else ''}")
