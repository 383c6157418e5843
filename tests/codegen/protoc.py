"""Real protoc runs for the tests of generated code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import FileDescriptorSet

ROOT = Path(__file__).parents[2]


def protoc(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run protoc in `directory`, which is the root of imports, as the repository's proto/ is."""
    return subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", "-I.", f"-I{ROOT / 'proto'}", *arguments],
        cwd=directory,
        capture_output=True,
        text=True,
        timeout=60,
    )


def pool_of(directory: Path, source: str) -> descriptor_pool.DescriptorPool:
    """A pool of its own with what the .proto text `source` declares."""
    (directory / "given.proto").write_text(source, "utf-8")
    done = protoc(directory, "--include_imports", "--descriptor_set_out=given.binpb", "given.proto")
    assert done.returncode == 0, done.stderr
    pool = descriptor_pool.DescriptorPool()
    for file in FileDescriptorSet.FromString((directory / "given.binpb").read_bytes()).file:
        pool.Add(file)
    return pool
