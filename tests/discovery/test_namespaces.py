"""Two network namespaces as two hosts: memory within, gRPC between, and a link that is cut.

Needs root and iproute2; each "host" has a namespace, a runtime directory and a supervisor of its own, and
finds the other by an address that somebody wrote down.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "tests" / "programs"
CALLER = """
import json, sys, time, grpc, sage_rpc
with sage_rpc.ServiceManager({name: f"sage:///{name}" for name in sys.argv[1:]}) as manager:
    for line in sys.stdin:
        found = {}
        for name in sys.argv[1:]:
            began = time.monotonic()
            try:
                greeting = manager.call_service_sync(name, "greet", timeout=float(line))
                found[name] = [manager.transport_of(name), greeting]
            except grpc.RpcError as error:
                found[name] = [error.code().name, time.monotonic() - began]
        print(json.dumps(found), flush=True)
"""


def ip(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["ip", *arguments], capture_output=True, text=True, check=check)


def namespaces_work() -> bool:
    if os.geteuid() != 0 or shutil.which("ip") is None:
        return False
    name = f"sage-{secrets.token_hex(3)}"
    if ip("netns", "add", name, check=False).returncode != 0:
        return False
    ip("netns", "delete", name, check=False)
    return True


pytestmark = pytest.mark.skipif(not namespaces_work(), reason="needs root, iproute2 and network namespaces")


class Host:
    """A namespace with a runtime directory of its own, one end of a link, and what runs there."""

    def __init__(self, directory: Path, name: str, address: str, registry: str) -> None:
        self.namespace = f"sage-{name}-{secrets.token_hex(3)}"
        self.link = f"s{name}{secrets.token_hex(3)}"
        self.address = address
        directory.mkdir(mode=0o700)
        self.directory = directory
        self.environment = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "SAGE_RPC_RUNTIME_DIR": str(directory / "run"),
            "SAGE_RPC_REGISTRY": registry,
        }
        ip("netns", "add", self.namespace)
        ip("-n", self.namespace, "link", "set", "lo", "up")

    def run(self, *command: str, **more: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["ip", "netns", "exec", self.namespace, *command],
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            **more,
        )

    def serve(self, text: str) -> subprocess.Popen[str]:
        path = self.directory / "config.yaml"
        path.write_text(f"python_path: ['{PROGRAMS}']\nservices:\n{text}")
        process = self.run(sys.executable, "-m", "sage_rpc", "serve", str(path))
        lines = []
        for line in process.stdout:
            lines.append(line)
            if "services serve" in line:
                return process
        raise AssertionError("".join(lines))

    def set_link(self, state: str) -> None:
        ip("-n", self.namespace, "link", "set", self.link, state)


class Caller:
    """A process on a host that calls when it is told to."""

    def __init__(self, host: Host, *services: str) -> None:
        self.process = host.run(sys.executable, "-c", CALLER, *services)

    def call(self, timeout: float = 10.0) -> dict[str, list[Any]]:
        self.process.stdin.write(f"{timeout}\n")
        self.process.stdin.flush()
        found: dict[str, list[Any]] = json.loads(self.process.stdout.readline())
        return found


@pytest.fixture
def hosts() -> Iterator[tuple[Host, Host]]:
    # A short path: those of pytest's directories are longer than a Unix socket's may be.
    with tempfile.TemporaryDirectory(prefix="sage-") as directory:
        yield from linked(Path(directory))


def linked(tmp_path: Path) -> Iterator[tuple[Host, Host]]:
    addresses = ("10.213.0.1", "10.213.0.2")
    a = Host(tmp_path / "a", "a", addresses[0], f"static:there={addresses[1]}:50061")
    b = Host(tmp_path / "b", "b", addresses[1], f"static:here={addresses[0]}:50062")
    try:
        ip("link", "add", a.link, "netns", a.namespace, "type", "veth", "peer", b.link, "netns", b.namespace)
        for host in (a, b):
            ip("-n", host.namespace, "address", "add", f"{host.address}/24", "dev", host.link)
            host.set_link("up")
        yield a, b
    finally:
        for host in (a, b):
            ip("netns", "delete", host.namespace, check=False)


def ended(process: subprocess.Popen[str]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.communicate(timeout=15)
    process.kill()
    process.communicate()


def until_said(caller: Caller, expected: dict[str, list[Any]], seconds: float = 20.0) -> None:
    end, pause = time.monotonic() + seconds, threading.Event()
    while (said := caller.call(timeout=1.0)) != expected:
        assert time.monotonic() < end, said
        pause.wait(0.1)


@pytest.mark.slow
def test_memory_within_a_host_grpc_between_hosts_and_a_cut_link_heals(hosts: tuple[Host, Host]) -> None:
    a, b = hosts
    with contextlib.ExitStack() as stack:
        for host, text in (
            (a, f"  here: {{class: supervised.Echo, args: [from a], address: '{a.address}:50062'}}\n"),
            (b, f"  there: {{class: supervised.Echo, args: [from b], address: '{b.address}:50061'}}\n"),
        ):
            stack.callback(ended, host.serve(text))
        on_a, on_b = Caller(a, "here", "there"), Caller(b, "here", "there")
        stack.callback(ended, on_a.process)
        stack.callback(ended, on_b.process)
        until_said(on_a, {"here": ["shm", "from a"], "there": ["grpc", "from b"]})
        until_said(on_b, {"here": ["grpc", "from a"], "there": ["shm", "from b"]})

        a.set_link("down")
        cut = on_a.call(timeout=1.0)
        assert cut["here"] == ["shm", "from a"]  # nothing of it concerns the host itself
        code, took = cut["there"]
        assert code in ("UNAVAILABLE", "DEADLINE_EXCEEDED")
        assert took < 2.5

        a.set_link("up")
        until_said(on_a, {"here": ["shm", "from a"], "there": ["grpc", "from b"]})


@pytest.mark.slow
def test_an_address_of_another_namespace_is_not_taken_for_ones_own(hosts: tuple[Host, Host]) -> None:
    """The same port in both: each host's own server answers, by memory."""
    a, b = hosts
    with contextlib.ExitStack() as stack:
        for host, greeting in ((a, "from a"), (b, "from b")):
            text = f"  both: {{class: supervised.Echo, args: [{greeting}], address: '0.0.0.0:50063'}}\n"
            stack.callback(ended, host.serve(text))
        for host, greeting in ((a, "from a"), (b, "from b")):
            said = host.run(
                sys.executable, "-m", "sage_rpc", "call", "--target", "localhost:50063", "both.greet"
            ).communicate(timeout=30)[0]
            assert said == f"{greeting}\n"
        said = a.run(
            sys.executable, "-m", "sage_rpc", "call", "--target", f"{b.address}:50063", "both.greet"
        ).communicate(timeout=30)[0]
        assert said == "from b\n"
