"""Generates the Python modules of every .proto here; `--check` only says whether they are fresh.

Two kinds of job. What is ours goes through our own generator, as `sage-rpc gen` runs it: proto/ becomes
sage_rpc/proto/v1/, those of examples/cache and tests/codegen become packages beside them. What shows stock
stubs at work is made by protoc alone: benchmarks/ and tests/interop/. Run by `make proto`.

protoc's modules refuse to work with a protobuf that is older than protoc, or two majors newer, and a grpcio
that is older than its generator. What the package ships, and what tests check in, works with every version
that the package does (`make test-lowest`, `make test`), and so has no such check. Who generates anew has it.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from grpc_tools import protoc

from sage_rpc.codegen import command
from sage_rpc.codegen.protoc import INCLUDE, GenerationError

ROOT = Path(__file__).resolve().parent.parent
PATTERNS = ("*_pb2.py", "*_pb2.pyi", "*_pb2_grpc.py", "*_sage.py")


class Ours(NamedTuple):
    """Protos for our generator.

    Attributes:
        protos: where they are; imports start from here, or from `root`.
        target: where the modules go.
        root: what import paths start from; the modules go to the same place below `target` as the protos
            are below `protos` all the same.
        clients: whether gRPC's stubs and our clients are kept, or the messages alone.
        checks: whether modules check the versions of protobuf and grpcio.
    """

    protos: Path
    target: Path
    root: Path | None = None
    clients: bool = True
    checks: bool = True


class Stock(NamedTuple):
    """Protos for protoc alone: modules beside them, stubs included, imported from the repository's root."""

    protos: Path
    checks: bool = True


OURS = (
    Ours(
        ROOT / "proto" / "sage" / "rpc",
        ROOT / "sage_rpc" / "proto",
        root=ROOT / "proto",
        clients=False,
        checks=False,
    ),
    Ours(ROOT / "examples" / "cache", ROOT / "examples" / "cache" / "generated"),
    Ours(ROOT / "tests" / "codegen" / "protos", ROOT / "tests" / "codegen" / "golden", checks=False),
)
STOCK = (Stock(ROOT / "benchmarks", checks=False), Stock(ROOT / "tests" / "interop", checks=False))

# What protoc and gRPC's generator write to check versions, and which version that is.
_CHECKS = re.compile(
    r"^# Protobuf Python Version: .*\n"
    r"|^from google\.protobuf import runtime_version as _runtime_version\n"
    r"|^_runtime_version\.ValidateProtobufRuntimeVersion\(\n(?:    .*\n)+\)\n"
    r"|^GRPC_GENERATED_VERSION = (?:.*\n)+?if _version_not_supported:\n(?:    .*\n)+\n?",
    re.MULTILINE,
)


def without_checks(text: str) -> str:
    """A generated module that works with whichever protobuf and grpcio there is."""
    return _CHECKS.sub("", text)


def by_ours(job: Ours, into: Path) -> dict[Path, str]:
    """Run our generator. -> what each generated file must contain."""
    root = job.root or job.protos
    made = command.generate([job.protos], into, [root])
    start = into / job.protos.relative_to(root)
    produced: dict[Path, str] = {}
    for path, text in made.items():
        if text is None or not path.is_relative_to(start):
            continue
        target = job.target / path.relative_to(start)
        written_by_hand = path.name == "__init__.py" and target.exists()
        if not written_by_hand and (job.clients or not path.name.endswith(("_pb2_grpc.py", "_sage.py"))):
            produced[target] = text if job.checks else without_checks(text)
    return produced


def by_protoc(job: Stock, into: Path) -> dict[Path, str]:
    """Run protoc. -> what each generated file must contain."""
    code = protoc.main(
        [
            "protoc",
            f"-I{ROOT}",
            f"-I{resources.files('grpc_tools') / '_proto'}",
            *(f"{output}={into}" for output in ("--python_out", "--pyi_out", "--grpc_python_out")),
            *map(str, sorted(job.protos.rglob("*.proto"))),
        ]
    )
    if code != 0:
        raise SystemExit(f"protoc failed with code {code}")
    made = into / job.protos.relative_to(ROOT)
    texts = {job.protos / path.relative_to(made): path.read_text() for path in _modules(made)}
    return texts if job.checks else {path: without_checks(text) for path, text in texts.items()}


def included() -> dict[Path, str]:
    """The .proto files that our package brings along for others to import."""
    sources = sorted((ROOT / "proto").rglob("*.proto"))
    return {INCLUDE / source.relative_to(ROOT / "proto"): source.read_text("utf-8") for source in sources}


def _modules(directory: Path) -> list[Path]:
    return sorted(path for pattern in PATTERNS for path in directory.rglob(pattern))


def main() -> int:
    """Generate, or check. -> exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is stale")
    arguments = parser.parse_args()
    produced = included()
    try:
        for ours in OURS:
            with tempfile.TemporaryDirectory() as directory:
                produced |= by_ours(ours, Path(directory))
    except GenerationError as error:
        raise SystemExit(str(error)) from None
    for stock in STOCK:
        with tempfile.TemporaryDirectory() as directory:
            produced |= by_protoc(stock, Path(directory))
    stale = [path for path, text in produced.items() if not path.exists() or path.read_text("utf-8") != text]
    targets = [*(job.target for job in OURS), *(job.protos for job in STOCK)]
    extra = [path for target in targets for path in _modules(target) if path not in produced]
    if arguments.check:
        for path in [*stale, *extra]:
            print(f"stale: {path.relative_to(ROOT)} (run: make proto)", file=sys.stderr)
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(produced[path], "utf-8")
        print(f"wrote {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
