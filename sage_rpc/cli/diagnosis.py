"""What works on this machine and what is missing for the memory queue: the checks of `sage-rpc doctor`.

Rules:

1. A check never raises: whatever goes wrong is its result, with the next step for the reader.
2. "problem" means that the memory queue, for calls or as a named queue, cannot be used; "note" is
   worth knowing and no more.
3. Nothing stays behind: what a check creates, it removes. (The runtime directory is made to stay.)
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from sage_rpc import native
from sage_rpc.transport.base import GRPC, SHM, TRANSPORTS

Status = Literal["ok", "note", "problem"]

__all__ = ["Check", "Status", "examine", "report"]

_CHECKOUT = Path(__file__).parents[1]
_REINSTALL = (
    f"cd {_CHECKOUT} && make venv"
    if (_CHECKOUT / "Makefile").exists() and (_CHECKOUT / "setup.py").exists()
    # Not from the cache: a wheel without the core may lie there.
    else "pip install --force-reinstall --no-deps --no-cache-dir --no-binary sage-rpc sage-rpc"
)
_ROUND_TRIP_SECONDS = 5.0
_SHM = Path("/dev/shm")  # noqa: S108 - looked at, not written to
_SMALL_SHM = 64 << 20  # bytes: what container runtimes give by default


@dataclass(frozen=True)
class Check:
    """One finding: what was looked at, how it is, and what to do about it (`advice`, may be empty)."""

    name: str
    status: Status
    detail: str
    advice: str = ""


def examine() -> list[Check]:
    """All checks, in the order in which a reader should mend what they find."""
    checks: list[Check] = []
    for check in _CHECKS:
        try:
            checks.extend(check())
        except Exception as error:  # noqa: BLE001 - rule 1
            name = check.__name__.strip("_").replace("_", " ")
            checks.append(Check(name, "problem", f"the check failed: {type(error).__name__}: {error}"))
    if not any(check.status == "problem" for check in checks):
        checks.append(_round_trip())
    return checks


def report(checks: Sequence[Check]) -> dict[str, Any]:
    """`checks` as plain values for JSON; "memory_queue" says whether calls on this host can use it."""
    return {
        "memory_queue": all(check.status != "problem" for check in checks),
        "checks": [asdict(check) for check in checks],
    }


def _python() -> Iterator[Check]:
    version = platform.python_version()
    yield Check("python", "ok", f"{platform.python_implementation()} {version}, {sys.executable}")


def _platform() -> Iterator[Check]:
    detail = f"{platform.system()} {platform.release()} {platform.machine()}"
    if sys.platform == "linux":
        yield Check("platform", "ok", detail)
    else:
        yield Check("platform", "problem", detail, "the memory queue needs Linux; calls use gRPC here")


def _packages() -> Iterator[Check]:
    for name in ("grpcio", "protobuf", "posix_ipc", "cloudpickle"):
        try:
            yield Check(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, "problem", "not installed", f"pip install {name}")


def _native_core() -> Iterator[Check]:
    for name in ("sage_rpc.native._core", "sage_rpc.queue._queue"):
        try:
            module = importlib.import_module(name)
        except ImportError as error:
            yield Check(name, "problem", *_why_not_built(name, error))
        else:
            yield Check(name, "ok", str(module.__file__))
    codec = importlib.import_module("sage_rpc.encoding._codec")
    if str(codec.__file__).endswith(".py"):
        yield Check(codec.__name__, "problem", "works, but is not compiled: slow", f"build it: {_REINSTALL}")
    else:
        yield Check(codec.__name__, "ok", str(codec.__file__))


def _why_not_built(name: str, error: ImportError) -> tuple[str, str]:
    """Detail and advice for a native module that does not import."""
    directory = Path(__file__).parent / "native"
    stem = name.rpartition(".")[2]
    suffix = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
    if (directory / f"{stem}{suffix}").exists():
        return f"built, but does not load: {error}", f"rebuild it for this Python: {_REINSTALL}"
    built = sorted(path.name for path in directory.glob(f"{stem}.*.so"))
    if built:
        return f"not built for this Python (found {', '.join(built)})", f"build it: {_REINSTALL}"
    compiler = _compiler()
    if compiler is None:
        return "not built: no C compiler on PATH", f"install gcc or clang, then {_REINSTALL}"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return (
            f"not built: Python.h is not in {sysconfig.get_path('include')}",
            f"install Python's development headers (python3-dev), then {_REINSTALL}",
        )
    return f"not built, although {compiler} is here now", f"build it, watching for the reason: {_REINSTALL}"


def _compiler() -> str | None:
    configured = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    candidates = (
        (configured.split()[0],) if os.environ.get("CC") else (configured.split()[0], "cc", "gcc", "clang")
    )
    return next((found for found in map(shutil.which, candidates) if found), None)


def _memfd() -> Iterator[Check]:
    import fcntl

    if not hasattr(os, "memfd_create"):
        yield Check(
            "memfd_create", "note", "not offered by this system", "segments are made in /dev/shm instead"
        )
        return
    try:
        fd = os.memfd_create("sage-rpc-doctor", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError as error:
        yield Check(
            "memfd_create", "note", f"refused: {error.strerror}", "segments are made in /dev/shm instead"
        )
        return
    try:
        os.ftruncate(fd, 4096)
        fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK)
    except OSError as error:
        yield Check("memfd_create", "note", f"works, but sealing does not: {error.strerror}")
    else:
        yield Check("memfd_create", "ok", "sealed segments work")
    finally:
        os.close(fd)


def _shared_memory() -> Iterator[Check]:
    """Named queues live there, and segments where memfd_create does not work."""
    try:
        status = os.statvfs(_SHM)
    except OSError as error:
        yield Check(str(_SHM), "note", f"not there: {error.strerror}", "named queues (SageQueue) need it")
        return
    total, free = status.f_blocks * status.f_frsize, status.f_bavail * status.f_frsize
    detail = f"{free >> 20} of {total >> 20} MiB free"
    if not os.access(_SHM, os.W_OK | os.X_OK):
        yield Check(
            str(_SHM), "note", f"{detail}, not writable", "named queues (SageQueue) need to write there"
        )
    elif total <= _SMALL_SHM:
        yield Check(
            str(_SHM),
            "note",
            detail,
            "only named queues (SageQueue) are limited by it: docker run --shm-size=1g",
        )
    else:
        yield Check(str(_SHM), "ok", detail)


def _runtime_directory() -> Iterator[Check]:
    from sage_rpc.transport.shm.rendezvous import runtime_directory

    try:
        path = runtime_directory()
    except OSError as error:
        yield Check(
            "runtime directory",
            "problem",
            error.strerror or str(error),
            "set SAGE_RPC_RUNTIME_DIR to a directory of your own",
        )
        return
    if os.access(path, os.R_OK | os.W_OK | os.X_OK):
        yield Check("runtime directory", "ok", str(path))
    else:
        yield Check("runtime directory", "problem", f"{path} is not writable", "set SAGE_RPC_RUNTIME_DIR")


def _transport() -> Iterator[Check]:
    value = os.environ.get("SAGE_RPC_TRANSPORT", "")
    if not value:
        yield Check("SAGE_RPC_TRANSPORT", "ok", "not set: auto")
    elif value not in TRANSPORTS:
        yield Check("SAGE_RPC_TRANSPORT", "problem", repr(value), f"set one of {', '.join(TRANSPORTS)}")
    elif value == GRPC:
        yield Check("SAGE_RPC_TRANSPORT", "note", value, "unset it to use the memory queue")
    else:
        yield Check("SAGE_RPC_TRANSPORT", "ok", value)


def _spin() -> Iterator[Check]:
    if not native.available():
        return
    try:
        microseconds = native.core.spin_of_environment()
    except ValueError as error:
        yield Check("SAGE_RPC_SPIN_US", "note", str(error), "unset it, or set a number such as 50")
    else:
        if microseconds is not None:
            yield Check("SAGE_RPC_SPIN_US", "note", f"{microseconds:g} us of watching before a thread sleeps")


def _cpus() -> Iterator[Check]:
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detail = f"{usable} of {os.cpu_count()} usable"
    quota = _cgroup_quota()
    if quota is not None:
        detail += f", cgroup quota {quota:.2f}"
    if usable < 2 or (quota is not None and quota < 2):
        advice = "with fewer than two, a call waits asleep and costs a wake-up each way (about 50 us)"
        yield Check("cpus", "note", detail, advice)
    else:
        yield Check("cpus", "ok", detail)


def _cgroup_quota() -> float | None:
    """CPUs that the cgroup (version 2) allows, None where it sets no limit."""
    with contextlib.suppress(OSError, ValueError):
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text(encoding="ascii").split()
        if quota != "max":
            return int(quota) / int(period)
    return None


def _round_trip() -> Check:
    """One call to a server in this process, over the memory queue and nothing else."""
    import grpc

    from sage_rpc.endpoints.opening import insecure_channel
    from sage_rpc.rpc.server import server

    if os.environ.get("SAGE_RPC_TRANSPORT") == GRPC:
        return Check("round trip", "note", "not tried: SAGE_RPC_TRANSPORT=grpc")
    handler = grpc.method_handlers_generic_handler(
        "sage.rpc.Doctor", {"Echo": grpc.unary_unary_rpc_method_handler(lambda request, _context: request)}
    )
    with ThreadPoolExecutor(1) as pool:
        try:
            host = server(pool)
            host.add_generic_rpc_handlers((handler,))
            port = host.add_insecure_port("localhost:0")
            host.start()
        except (OSError, RuntimeError) as error:
            return Check("round trip", "problem", f"no server could be started: {error}")
        try:
            with insecure_channel(f"localhost:{port}", [("sage_rpc.transport", SHM)]) as channel:
                echo = channel.unary_unary("/sage.rpc.Doctor/Echo")
                echo(b"?", timeout=_ROUND_TRIP_SECONDS)
                carried = getattr(channel, "transport", GRPC)
        except grpc.RpcError as error:
            return Check("round trip", "problem", f"{error.code().name}: {error.details()}")
        finally:
            host.stop(None).wait()
    if carried != SHM:
        return Check("round trip", "problem", f"the call was carried by {carried}")
    return Check("round trip", "ok", "a call went over the memory queue and back")


_CHECKS: tuple[Callable[[], Iterator[Check]], ...] = (
    _python,
    _platform,
    _packages,
    _native_core,
    _memfd,
    _shared_memory,
    _runtime_directory,
    _transport,
    _spin,
    _cpus,
)
