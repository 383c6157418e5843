"""`protoc-gen-sage`, the plugin: protoc's request on stdin, files or an error on stdout.

    protoc --python_out=DIR --pyi_out=DIR --sage_out=DIR shop/cache.proto

Options (`--sage_opt=NAME=VALUE`): `imports=absolute` (default) for modules that are found from a directory
on sys.path, as those of `--python_out` are; `imports=relative` for modules within a package.
"""

from __future__ import annotations

import sys
from typing import get_args

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse
from google.protobuf.descriptor_pb2 import Edition
from google.protobuf.message import DecodeError

# Before the request is parsed: its options are then known by name.
from sage_rpc.codegen import render, schema
from sage_rpc.text.foreign import printable

__all__ = ["main", "respond"]

_OPTIONS = {"imports": get_args(render.Imports)}


def respond(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """What protoc is to write, or the error that it is to print."""
    response = CodeGeneratorResponse(
        supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL
        | CodeGeneratorResponse.FEATURE_SUPPORTS_EDITIONS,
        minimum_edition=Edition.EDITION_PROTO2,
        maximum_edition=Edition.EDITION_2024,
    )
    try:
        given = _options(request.parameter)
        imports: render.Imports = "relative" if given.get("imports") == "relative" else "absolute"
        for file in schema.read(request):
            if file.services:
                text = render.render(file, imports, request.file_to_generate)
                response.file.add(name=render.output_name(file.name), content=text)
    except (schema.Problem, ValueError) as error:
        del response.file[:]
        response.error = printable(str(error), one_line=True)
    return response


def _options(parameter: str) -> dict[str, str]:
    """The plugin's options: `name=value` with commas between.

    Raises:
        ValueError: one is unknown, or has a value that is not allowed.
    """
    found: dict[str, str] = {}
    for part in filter(None, parameter.split(",")):
        name, _, value = part.partition("=")
        if name not in _OPTIONS:
            raise ValueError(f"unknown option {name!r} for protoc-gen-sage; there is {', '.join(_OPTIONS)}")
        if value not in _OPTIONS[name]:
            raise ValueError(
                f"option {name}={value!r} for protoc-gen-sage: expected {' or '.join(_OPTIONS[name])}"
            )
        found[name] = value
    return found


def main() -> int:
    """Serve one request of protoc. -> exit code."""
    if sys.argv[1:]:
        print(f"{__doc__}\nprotoc runs it, and it takes no arguments.", file=sys.stderr)
        return 2
    if sys.stdin.isatty():
        print(f"{__doc__}\nprotoc runs it, with its request on stdin.", file=sys.stderr)
        return 2
    try:
        request = CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    except DecodeError:
        print("protoc-gen-sage: what is on stdin is no request of protoc", file=sys.stderr)
        return 2
    sys.stdout.buffer.write(respond(request).SerializeToString())
    return 0
