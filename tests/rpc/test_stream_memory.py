"""A long stream takes little memory: two processes, whose resident memory the kernel counts."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys

import pytest

from tests.conftest import PROGRAMS, ServerProcess
from tests.programs.stream_server import MESSAGE, digest, pour

MIB = 1 << 20
LITTLE = 64 * MIB
# Over gRPC, whose promise it is not, for control of the test: less, since that is slow.
LENGTH = {"shm": 1024 * MIB, "grpc": 128 * MIB}

sent = functools.cache(lambda length: digest(pour(length // MESSAGE)).decode())


def measure(kind: str, transport: str, length: int) -> dict:
    """What tests/programs/stream_client.py prints."""
    with ServerProcess("127.0.0.1:0", program="stream_server.py") as server:
        done = subprocess.run(
            [
                sys.executable, str(PROGRAMS / "stream_client.py"),
                server.target, transport, kind, str(length), str(server.process.pid),
            ],
            env={**os.environ, "PYTHONPATH": str(PROGRAMS.parents[1])},
            capture_output=True, text=True, timeout=40,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["transport"] == transport
    assert found["arrived"] == sent(length)
    assert found["arrived"].startswith(f"{length} ")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["upload", "download", "echo"])
def test_resident_memory_of_both_sides_grows_by_less_than_64_mib(kind, transport):
    found = measure(kind, transport, LENGTH[transport])
    assert found["client"] < LITTLE
    assert found["server"] < LITTLE


def test_a_reader_that_keeps_everything_would_be_noticed():
    found = measure("keep", "grpc", 128 * MIB)
    assert found["client"] > 120 * MIB
    assert found["server"] < LITTLE
