"""What the tests share: a runtime directory of their own, real server processes, both transports."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import sage_rpc
from sage_rpc import native
from sage_rpc.discovery.directory import close_default_directories
from sage_rpc.endpoints.subchannel import TLS_VARIABLES
from tests.conformance.differences import pytest_collection_modifyitems, pytest_configure  # noqa: F401
from tests.services.looped import FACES

PROGRAMS = Path(__file__).parent / "programs"
UNLIMITED = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]

needs_native = pytest.mark.skipif(not native.available(), reason="the native core is not built")


# Shells start what runs in the background with Ctrl-C ignored, and programs inherit that: not those of tests.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Many tests collect garbage, and none of them need look at the thousands of tests each time."""
    gc.collect()
    gc.freeze()


class ServerProcess:
    """A program of tests/programs that prints its port and ends with its standard input.

    Attributes:
        directory: its runtime directory, where it has one of its own.
    """

    directory: Path

    def __init__(
        self, *args: str, program: str = "unary_server.py", env: dict[str, str] | None = None
    ) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / program), *args],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent), **(env or {})},
        )
        line = self.process.stdout.readline()
        assert line, f"{program} {args} ended with {self.process.wait()} before it served"
        self.port = int(line)
        # Not "localhost": whoever else has [::1] and this port would be met there.
        self.target = f"127.0.0.1:{self.port}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code

    def __enter__(self) -> ServerProcess:
        return self

    def __exit__(self, *args: object) -> None:
        try:
            self.stop()
        finally:
            if self.process.poll() is None:
                self.kill()


@pytest.fixture(autouse=True)
def runtime_directory(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Every test meets in a directory of its own, and leaves no socket in it."""
    path = tmp_path_factory.mktemp("run")
    path.chmod(0o700)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(path))
    for name in ("SAGE_RPC_TRANSPORT", "SAGE_RPC_REGISTRY", *TLS_VARIABLES):
        monkeypatch.delenv(name, raising=False)
    yield path
    close_default_directories()


@pytest.fixture
def short_path() -> Iterator[Path]:
    """A directory for sockets, whose names may not be long: those of pytest sometimes are."""
    with tempfile.TemporaryDirectory(prefix="sage-rpc-") as path:
        yield Path(path)


@pytest.fixture
def server() -> Iterator[ServerProcess]:
    with ServerProcess("127.0.0.1:0") as process:
        yield process


@pytest.fixture(scope="module")
def lasting_servers() -> Iterator[dict[str, ServerProcess]]:
    """The server processes that the tests of a module share, by program, once they are there."""
    servers: dict[str, ServerProcess] = {}
    yield servers
    for process in servers.values():
        process.stop()


@pytest.fixture
def lasting_server(
    lasting_servers: dict[str, ServerProcess],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., ServerProcess]]:
    """Gives a process of a program that was there before, unless a test has ended it.

    For tests that leave no trace in the process; its runtime directory is the test's.
    """

    def find(*args: str, program: str = "unary_server.py") -> ServerProcess:
        if program not in lasting_servers:
            directory = tmp_path_factory.mktemp("lasting")
            directory.chmod(0o700)
            env = {"SAGE_RPC_RUNTIME_DIR": str(directory)}
            lasting_servers[program] = ServerProcess(*args, program=program, env=env)
            lasting_servers[program].directory = directory
        process = lasting_servers[program]
        monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(process.directory))
        return process

    yield find
    for program, process in list(lasting_servers.items()):
        if process.process.stdin.closed or process.process.poll() is not None:
            del lasting_servers[program]
            process.stop()


@pytest.fixture(params=["shm", "grpc"])
def transport(request: pytest.FixtureRequest) -> str:
    if request.param == "shm" and not native.available():
        pytest.skip("the native core is not built")
    return str(request.param)


# For tests of what asyncio does not have, or has in another way.
only_threads = pytest.mark.parametrize("face", ["threads"], indirect=True)


@pytest.fixture(params=list(FACES))
def face(request: pytest.FixtureRequest) -> Any:
    """The manager of threads, and that of asyncio behind the same face."""
    return FACES[request.param]


@pytest.fixture
def channel(server: ServerProcess, transport: str) -> Iterator[sage_rpc.Channel]:
    with sage_rpc.insecure_channel(
        server.target, options=[*UNLIMITED, ("sage_rpc.transport", transport)]
    ) as opened:
        yield opened
