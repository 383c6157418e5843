"""Facts about the machine and the software that belong beside every figure."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import subprocess
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.peers import Peer

__all__ = ["Disturbance", "allow_many_files", "facts", "versions"]


def facts() -> dict[str, Any]:
    """CPUs, kernel, Python, load and, in a git checkout, the revision."""
    found: dict[str, Any] = {
        "cpu": _cpu_model(),
        "cpus": os.cpu_count(),
        "kernel": f"{platform.system()} {platform.release()}",
        "architecture": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_before": os.getloadavg()[0],
        "revision": _revision(),
    }
    if hasattr(os, "sched_getaffinity"):
        found["cpus"] = len(os.sched_getaffinity(0))
    return found


def _cpu_model() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or "unknown"


def _revision() -> str | None:
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    with contextlib.suppress(OSError):
        done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
        return done.stdout.strip() or None
    return None


def versions(peers: Iterable[Peer]) -> dict[str, str]:
    """The version of every distribution that `peers` measure."""
    found = {}
    for package in sorted({package for peer in peers for package in peer.packages}):
        with contextlib.suppress(metadata.PackageNotFoundError):
            found[package] = metadata.version(package)
    if any("sage-rpc" in peer.packages for peer in peers):
        from sage_rpc import __version__

        found["sage-rpc"] = __version__
    return found


def allow_many_files() -> None:
    """Let this process, and those it starts, have as many open files as the system allows them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


class Disturbance:
    """What else the CPUs did since this object was made, as shares of all their time, from 0.0 to 1.0.

    Counts everything but this process and its children that have ended.
    """

    def __init__(self) -> None:
        self._before = self._read()

    @staticmethod
    def _read() -> tuple[float, float, float, float] | None:
        """Seconds: all, busy, stolen, ours; None where the kernel does not say."""
        try:
            fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
        except OSError:
            return None
        user, nice, system, idle, wait, irq, soft, stolen = (int(field) for field in fields[1:9])
        busy = user + nice + system + irq + soft
        tick = 1 / os.sysconf("SC_CLK_TCK")
        ours = sum(
            used.ru_utime + used.ru_stime
            for used in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        )
        return (busy + idle + wait + stolen) * tick, busy * tick, stolen * tick, ours

    def shares(self) -> dict[str, float | None]:
        """`stolen` by the hypervisor, and used by `others` on this machine."""
        now = self._read()
        if self._before is None or now is None:
            return {"stolen": None, "others": None}
        total, busy, stolen, ours = (after - before for before, after in zip(self._before, now, strict=True))
        if total <= 0:
            return {"stolen": 0.0, "others": 0.0}
        return {"stolen": stolen / total, "others": max(0.0, busy - ours) / total}

    def __repr__(self) -> str:
        return f"<Disturbance {self.shares()}>"
