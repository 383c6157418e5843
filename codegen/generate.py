"""Generates the Python modules of proto/ into sage_rpc/proto/; `--check` only says whether they are fresh.

proto/sage/rpc/v1/NAME.proto becomes sage_rpc/proto/v1/NAME_pb2.py and .pyi. Run by `make proto`.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from importlib import resources
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "proto"
TARGET = ROOT / "sage_rpc" / "proto"
PREFIX = Path("sage") / "rpc"


def generate(into: Path) -> dict[Path, str]:
    """Run protoc. -> what each generated file, relative to TARGET, must contain."""
    protos = sorted(SOURCES.rglob("*.proto"))
    include = str(resources.files("grpc_tools") / "_proto")
    code = protoc.main(
        ["protoc", f"-I{SOURCES}", f"-I{include}", f"--python_out={into}", f"--pyi_out={into}", *map(str, protos)]
    )
    if code != 0:
        raise SystemExit(f"protoc failed with code {code}")
    produced = {}
    for path in sorted(into.rglob("*_pb2.py*")):
        relative = path.relative_to(into / PREFIX)
        produced[relative] = path.read_text()
    return produced


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a file is stale")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        produced = generate(Path(directory))
    stale = [p for p, text in produced.items() if not (TARGET / p).exists() or (TARGET / p).read_text() != text]
    extra = [p for p in TARGET.rglob("*_pb2.py*") if p.relative_to(TARGET) not in produced]
    if arguments.check:
        for path in [*stale, *extra]:
            print(f"stale: {path} (run: make proto)", file=sys.stderr)
        return 1 if stale or extra else 0
    for path in extra:
        path.unlink()
    for path in stale:
        (TARGET / path).parent.mkdir(parents=True, exist_ok=True)
        (TARGET / path).write_text(produced[path])
        print(f"wrote {(TARGET / path).relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
