"""Generates the Python modules of every .proto here; `--check` only says whether they are fresh.

proto/sage/rpc/v1/NAME.proto becomes sage_rpc/proto/v1/NAME_pb2.py and .pyi; benchmarks/NAME.proto and
tests/interop/NAME.proto become modules beside themselves, stubs included. Run by `make proto`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
GENERATED = "*_pb2*.py*"


class Job(NamedTuple):
    """One directory of .proto files.

    Attributes:
        protos: where they are.
        include: what their import paths start from.
        target: where the modules go, at the same place below it as the .proto below `protos`.
        stubs: whether grpc's stubs are made too.
    """

    protos: Path
    include: Path
    target: Path
    stubs: bool


JOBS = (
    Job(ROOT / "proto" / "sage" / "rpc", ROOT / "proto", ROOT / "sage_rpc" / "proto", stubs=False),
    Job(ROOT / "benchmarks", ROOT, ROOT / "benchmarks", stubs=True),
    Job(ROOT / "tests" / "interop", ROOT, ROOT / "tests" / "interop", stubs=True),
)


def generate(job: Job, into: Path) -> dict[Path, str]:
    """Run protoc. -> what each generated file must contain."""
    outputs = ["--python_out", "--pyi_out", *(["--grpc_python_out"] if job.stubs else [])]
    code = protoc.main(
        [
            "protoc",
            f"-I{job.include}",
            f"-I{resources.files('grpc_tools') / '_proto'}",
            *(f"{output}={into}" for output in outputs),
            *map(str, sorted(job.protos.rglob("*.proto"))),
        ]
    )
    if code != 0:
        raise SystemExit(f"protoc failed with code {code}")
    made = into / job.protos.relative_to(job.include)
    return {job.target / path.relative_to(made): path.read_text() for path in sorted(made.rglob(GENERATED))}


def main() -> int:
    """Generate, or check. -> exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is stale")
    arguments = parser.parse_args()
    produced: dict[Path, str] = {}
    for job in JOBS:
        with tempfile.TemporaryDirectory() as directory:
            produced |= generate(job, Path(directory))
    stale = [path for path, text in produced.items() if not path.exists() or path.read_text() != text]
    extra = [
        p for job in JOBS for p in job.target.rglob(GENERATED) if p.suffix != ".pyc" and p not in produced
    ]
    if arguments.check:
        for path in [*stale, *extra]:
            print(f"stale: {path.relative_to(ROOT)} (run: make proto)", file=sys.stderr)
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(produced[path])
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
