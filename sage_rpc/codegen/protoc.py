"""One run of protoc: messages, their types and gRPC's stubs by its own plugins, and ours on the same input.

protoc comes with grpcio-tools and runs as a process, so that what it complains about can be caught.
"""

from __future__ import annotations

import ast
import importlib.util
import keyword
import subprocess
import sys
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from sage_rpc.codegen import layout, names, plugin, render

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
        reasons: why the modules of a `.proto` may be no Python, by its name.
    """

    files: dict[str, str]
    imported: tuple[str, ...]
    warnings: str
    reasons: dict[str, str]


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
    said = _protoc(
        *(f"-I{root}" for root in (*roots, INCLUDE)),
        *(f"{output}={out}" for output in ("--python_out", "--pyi_out")),
        f"--descriptor_set_out={described}",
        "--include_imports",
        "--include_source_info",
        *protos,
    )
    described_files = FileDescriptorSet.FromString(described.read_bytes())
    found = described_files.file
    response = plugin.respond(
        CodeGeneratorRequest(file_to_generate=protos, parameter=f"imports={imports}", proto_file=found)
    )
    if response.HasField("error"):
        raise GenerationError(response.error)
    quotable = directory / "quotable.binpb"
    quotable.write_bytes(_quotable(described_files).SerializeToString())
    _protoc(f"--descriptor_set_in={quotable}", f"--grpc_python_out={out}", *protos)
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
    reasons = {file.name: reason for file in found if (reason := _not_python(file)) is not None}
    return Generated(files, imported, said, reasons)


def _protoc(*arguments: str) -> str:
    """Run protoc. -> its warnings.

    Raises:
        GenerationError: with its complaints.
    """
    done = subprocess.run(
        [sys.executable, "-m", "grpc_tools.protoc", *arguments],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode != 0:
        raise GenerationError(done.stderr.strip() or f"protoc ended with code {done.returncode}")
    return done.stderr.strip()


def _quotable(files: FileDescriptorSet) -> FileDescriptorSet:
    """`files`, with comments that gRPC's generator can put between the quotes of a docstring as they are."""
    result = FileDescriptorSet()
    result.CopyFrom(files)
    for file in result.file:
        for location in file.source_code_info.location:
            for name in ("leading_comments", "trailing_comments"):
                if location.HasField(name):
                    setattr(location, name, layout.comment_text(getattr(location, name)))
            location.leading_detached_comments[:] = map(
                layout.comment_text, location.leading_detached_comments
            )
    return result


def _not_python(file: FileDescriptorProto) -> str | None:
    """Why Python's modules of `file` cannot be written, if they cannot: a name is to blame."""
    module = names.module_of(file.name)
    if not all(part.isidentifier() for part in module.split(".")):
        return f"its module would be {module}, which no program can import: rename the file"
    package = f"{file.package}." if file.package else ""
    pending: list[tuple[str, Any]] = [(package, each) for each in (*file.message_type, *file.enum_type)]
    while pending:
        above, type_ = pending.pop(0)
        if keyword.iskeyword(type_.name):
            return (
                f"{above}{type_.name} is called like a keyword of Python, which cannot be written: rename it"
            )
        if isinstance(type_, DescriptorProto):
            inside = (*type_.nested_type, *type_.enum_type)
            pending += [(f"{above}{type_.name}.", each) for each in inside]
    return None


def check_syntax(path: str, text: str, reasons: Mapping[str, str]) -> None:
    """Refuse what is no Python: protoc's own plugins do not mind what names they write.

    Args:
        path: of a module.
        text: of it.
        reasons: see Generated.

    Raises:
        GenerationError: `text` cannot be parsed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)
            ast.parse(text)
    except SyntaxError as error:
        for proto, reason in reasons.items():
            module = names.module_of(proto).replace(".", "/")
            if path.startswith((f"{module}.", f"{module}_")):
                raise GenerationError(f"{proto}: {reason}") from error
        line = (error.text or "").strip()
        raise GenerationError(
            f"{path}:{error.lineno}: protoc wrote a module that is no Python ({error.msg}): {line}"
        ) from error
