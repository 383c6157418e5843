"""One run of protoc: messages, their types and gRPC's stubs by its own plugins, and ours on the same input.

protoc comes with grpcio-tools and runs as a process, so that what it complains about can be caught.
"""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from sage_rpc.codegen import plugin, render

__all__ = ["INCLUDE", "Generated", "GenerationError", "check_syntax", "run"]

INCLUDE = Path(__file__).parent / "include"  # where sage/rpc/v1/options.proto is
_NEEDED = "sage-rpc gen needs protoc, which comes with grpcio-tools: pip install 'sage-rpc[codegen]'"


class GenerationError(Exception):
    """Nothing was generated; the text says what is wrong and where, one complaint to a line."""


@dataclass(frozen=True)
class Generated:
    """What a run made.

    Attributes:
        files: text of each file, by its path below the output directory.
        imported: `.proto` files that the generated ones import and that were not.
        warnings: what protoc said besides.
    """

    files: dict[str, str]
    imported: tuple[str, ...]
    warnings: str


def run(
    protos: Sequence[str],
    roots: Sequence[Path],
    directory: Path,
    imports: render.Imports,
) -> Generated:
    """Generate everything for `protos`.

    Args:
        protos: `.proto` files, as imports name them: relative to one of `roots`.
        roots: where imports are looked for, besides protoc's own and ours.
        directory: an empty one, for protoc's files.
        imports: how our files import the modules of messages.

    Raises:
        GenerationError: protoc is not there, or it or our plugin refused a file.
    """
    if importlib.util.find_spec("grpc_tools") is None:
        raise GenerationError(_NEEDED)
    described = directory / "descriptors.binpb"
    out = directory / "out"
    out.mkdir()
    outputs = ["--python_out", "--pyi_out", "--grpc_python_out"]
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "grpc_tools.protoc",
            *(f"-I{root}" for root in (*roots, INCLUDE)),
            *(f"{output}={out}" for output in outputs),
            f"--descriptor_set_out={described}",
            "--include_imports",
            "--include_source_info",
            *protos,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise GenerationError(done.stderr.strip() or f"protoc ended with code {done.returncode}")
    found = FileDescriptorSet.FromString(described.read_bytes()).file
    response = plugin.respond(
        CodeGeneratorRequest(file_to_generate=protos, parameter=f"imports={imports}", proto_file=found)
    )
    if response.HasField("error"):
        raise GenerationError(response.error)
    files = {
        path.relative_to(out).as_posix(): path.read_text("utf-8")
        for path in sorted(out.rglob("*"))
        if path.is_file()
    }
    with_services = {file.name for file in found if file.service}
    for proto in set(protos) - with_services:
        files.pop(render.output_name(proto, "_pb2_grpc"), None)  # protoc writes one without stubs, too
    files |= {file.name: file.content for file in response.file}
    imported = tuple(file.name for file in found if file.name not in protos)
    return Generated(files, imported, done.stderr.strip())


def check_syntax(path: str, text: str) -> None:
    """Refuse what is no Python: protoc's own plugins do not mind what stands in a name or a comment.

    Raises:
        GenerationError: `text`, of the module at `path`, cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # backslashes in comments, in grpc's docstrings
            ast.parse(text)
    except SyntaxError as error:
        line = (error.text or "").strip()
        raise GenerationError(
            f"{path}:{error.lineno}: protoc wrote a module that is no Python ({error.msg}): {line}\n"
            "A message named like a keyword, or three quotes in a comment, are more than it can bear."
        ) from error
