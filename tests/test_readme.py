"""README and docs tell the truth: their examples run as they stand and print what they say."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import grpc
import pytest

from sage_rpc import native

ROOT = Path(__file__).parents[1]
EXAMPLE = re.compile(r"^<!-- run: (\S+) -->\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SECONDS = 40


@pytest.fixture
def examples(tmp_path: Path) -> Path:
    """A directory with every marked example; their server listens on a free port."""
    with socket.create_server(("localhost", 0)) as probe:
        port = str(probe.getsockname()[1])
    (tmp_path / "port").write_text(port)
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        for name, text in EXAMPLE.findall(page.read_text("utf-8")):
            assert not (tmp_path / name).exists(), f"two examples are called {name}"
            (tmp_path / name).write_text(text.replace("50051", port))
    return tmp_path


def run(directory: Path, *arguments: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=directory,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    return done.stdout.splitlines()


def test_the_stub_example(examples: Path) -> None:
    run(examples, "-m", "grpc_tools.protoc", "-I.", "--python_out=.", "--grpc_python_out=.", "greeter.proto")
    env = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, "server.py"], cwd=examples, env=env) as server:
        try:
            with grpc.insecure_channel(f"localhost:{(examples / 'port').read_text()}") as channel:
                grpc.channel_ready_future(channel).result(timeout=SECONDS)
            lines = run(examples, "client.py")
            lines += run(examples, "aio_client.py")
        finally:
            server.terminate()
    transport = "shm" if native.available() else "grpc"
    assert lines == ["Hello, Ada!", transport, "Hello, Ada! Hello, Grace! Hello, Barbara!"]


def test_the_operator_example(examples: Path) -> None:
    lines = run(examples, "squares.py")
    assert sorted(int(line) for line in lines if line.isdigit()) == [1, 1, 4, 4, 9]


def test_the_example_of_services_by_name(examples: Path) -> None:
    assert run(examples, "cache.py") == ["[1, 2.5, None]", "none", "[1, 2.5, None]", "{'cache': 'healthy'}"]


def test_the_example_of_services_by_name_for_asyncio(examples: Path) -> None:
    assert run(examples, "aio_cache.py") == ["[[1, 2.5, None], 'none']", "[[1, 2.5, None], None]", "6"]


def test_the_example_of_policies(examples: Path) -> None:
    assert run(examples, "policies.py") == [
        "[3, 3, 3] 2",
        "later: UNKNOWN",
        "BreakerState.CLOSED {'UNKNOWN': 1}",
    ]
