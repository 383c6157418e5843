"""Services, methods and fields of a `.proto`, as the generator sees them: what Python needs to know.

`read` turns protoc's descriptors into these nouns and refuses what has no meaning in Python. Every
complaint is a `Problem`, which names file, line and column.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import descriptor_pool
from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    MethodDescriptorProto,
    ServiceDescriptorProto,
)

from sage_rpc.codegen import names
from sage_rpc.policies.settings import MethodPolicy
from sage_rpc.policies.sources import proto

__all__ = ["Field", "File", "Method", "Problem", "Service", "Type", "read"]

_NUMBERS = {
    "TYPE_DOUBLE": "float",
    "TYPE_FLOAT": "float",
    "TYPE_BOOL": "bool",
    "TYPE_STRING": "str",
    "TYPE_BYTES": "bytes",
}  # every other scalar is an int

# Field numbers in descriptor.proto, from which the paths of source locations are made.
_SERVICE, _METHOD, _MESSAGE, _NESTED, _FIELD = 6, 2, 4, 3, 2

_UNWRITABLE = (
    "a keyword of Python, or what is no name there, as the name of a message, file or directory cannot be "
    "written in a program; rename it"
)


class Problem(Exception):
    """Something in a `.proto` that cannot become Python.

    Its text is as compilers write it: `shop/cache.proto:12:3: what is wrong`.
    """

    def __init__(self, file: str, place: tuple[int, int] | None, text: str) -> None:
        where = "" if place is None else f"{place[0]}:{place[1]}:"
        super().__init__(f"{file}:{where} {text}")


@dataclass(frozen=True)
class Type:
    """A message or an enum.

    Attributes:
        file: name of the `.proto` that declares it.
        full_name: as the `.proto` has it, without a leading dot.
        path: its names from the file's top level downwards.
        is_enum: whether it is an enum.
    """

    file: str
    full_name: str
    path: tuple[str, ...]
    is_enum: bool = False


@dataclass(frozen=True)
class Field:
    """A field of a request.

    Attributes:
        name: as the `.proto` has it.
        parameter: as Python has it.
        scalar: Python's type of a scalar; "" for messages and enums.
        type: of messages and enums.
        key: Python's type of a map's keys; "" for other fields.
        repeated: whether it is repeated and no map.
        comment: what the `.proto` says about it.
        deprecated: whether its option says so.
    """

    name: str
    parameter: str
    scalar: str
    type: Type | None
    key: str
    repeated: bool
    comment: str
    deprecated: bool


@dataclass(frozen=True)
class Method:
    """A method of a service; the names as for Field."""

    name: str
    python: str
    full_name: str
    request: Type
    response: Type
    requests_stream: bool
    responses_stream: bool
    fields: tuple[Field, ...]
    comment: str
    deprecated: bool
    policy: MethodPolicy


@dataclass(frozen=True)
class Service:
    """A service, and what the `.proto` says about it."""

    name: str
    full_name: str
    methods: tuple[Method, ...]
    comment: str
    deprecated: bool


@dataclass(frozen=True)
class File:
    """A `.proto` with its services."""

    name: str
    services: tuple[Service, ...]


def read(request: CodeGeneratorRequest) -> tuple[File, ...]:
    """The files that protoc asks to generate.

    Raises:
        Problem: a `.proto` that cannot become Python.
    """
    types = _Types(request.proto_file)
    wanted = set(request.file_to_generate)
    return tuple(_Reader(file, types).file() for file in request.proto_file if file.name in wanted)


class _Types:
    """Every message and enum of a run, and the descriptors of its methods."""

    def __init__(self, files: Sequence[FileDescriptorProto]) -> None:
        self.messages: dict[str, DescriptorProto] = {}
        self.types: dict[str, Type] = {}
        self.paths: dict[str, tuple[int, ...]] = {}
        self.places = {
            file.name: {tuple(location.path): location for location in file.source_code_info.location}
            for file in files
        }
        self.pool = descriptor_pool.DescriptorPool()
        for file in files:
            try:
                self.pool.Add(file)
            except TypeError as error:  # a rule that protoc does not check
                raise Problem(file.name, None, f"Python's protobuf refuses it: {error}") from error
            prefix = f".{file.package}" if file.package else ""
            for number, message in enumerate(file.message_type):
                self._add(file.name, prefix, message, (), (_MESSAGE, number))
            for enum in file.enum_type:
                self._add_enum(file.name, prefix, enum.name, ())

    def comment(self, file: str, place: tuple[int, ...]) -> str:
        """What the `.proto` says about what is at `place`."""
        found = self.places[file].get(place)
        return "" if found is None else _comment(found)

    def _add(
        self, file: str, prefix: str, message: DescriptorProto, above: tuple[str, ...], place: tuple[int, ...]
    ) -> None:
        name, path = f"{prefix}.{message.name}", (*above, message.name)
        self.messages[name] = message
        self.paths[name] = place
        self.types[name] = Type(file, name.removeprefix("."), path)
        for number, nested in enumerate(message.nested_type):
            self._add(file, name, nested, path, (*place, _NESTED, number))
        for enum in message.enum_type:
            self._add_enum(file, name, enum.name, path)

    def _add_enum(self, file: str, prefix: str, enum: str, above: tuple[str, ...]) -> None:
        name = f"{prefix}.{enum}"
        self.types[name] = Type(file, name.removeprefix("."), (*above, enum), is_enum=True)


class _Reader:
    """Reads one file; its places and comments are found by protoc's paths."""

    def __init__(self, file: FileDescriptorProto, types: _Types) -> None:
        self._file = file
        self._types = types

    def file(self) -> File:
        if self._file.service and names.cannot_be_written(names.module_of(self._file.name).split(".")):
            raise self._problem((_SERVICE, 0), f"the service is in {self._file.name}: {_UNWRITABLE}")
        services = tuple(self._service(service, number) for number, service in enumerate(self._file.service))
        classes: dict[str, str] = {}
        for number, service in enumerate(services):
            for suffix in ("Base", "Client", "AsyncClient", "AioClient"):
                other = classes.setdefault(service.name + suffix, service.name)
                if other != service.name:
                    raise self._problem(
                        (_SERVICE, number),
                        f"the services {other} and {service.name} both give a class {service.name + suffix}: "
                        "rename one of them",
                    )
        return File(self._file.name, services)

    def _service(self, service: ServiceDescriptorProto, number: int) -> Service:
        full_name = f"{self._file.package}.{service.name}".lstrip(".")
        methods = []
        found: dict[str, str] = {}
        for index, method in enumerate(service.method):
            place = (_SERVICE, number, _METHOD, index)
            methods.append(self._method(full_name, method, place))
            other = found.setdefault(methods[-1].python, method.name)
            if other != method.name:
                raise self._problem(
                    place,
                    f"the methods {other} and {method.name} of {full_name} are both {methods[-1].python} in "
                    "Python: rename one of them",
                )
        return Service(
            service.name,
            full_name,
            tuple(methods),
            self._comment((_SERVICE, number)),
            service.options.deprecated,
        )

    def _method(self, service: str, method: MethodDescriptorProto, place: tuple[int, ...]) -> Method:
        full_name = f"{service}.{method.name}"
        for type_name in (method.input_type, method.output_type):
            type_ = self._types.types[type_name]
            if names.cannot_be_written((*names.module_of(type_.file).split("."), *type_.path)):
                raise self._problem(
                    place,
                    f"{full_name} uses {type_.full_name} of {type_.file}: {_UNWRITABLE}",
                )
        try:
            said = proto.declared_policy(self._types.pool.FindMethodByName(full_name))
        except proto.OptionError as error:
            raise self._problem(place, str(error)) from error
        return Method(
            name=method.name,
            python=names.method_name(method.name),
            full_name=full_name,
            request=self._types.types[method.input_type],
            response=self._types.types[method.output_type],
            requests_stream=method.client_streaming,
            responses_stream=method.server_streaming,
            fields=self._fields(method.input_type),
            comment=self._comment(place),
            deprecated=method.options.deprecated,
            policy=said,
        )

    def _fields(self, message_name: str) -> tuple[Field, ...]:
        message = self._types.messages[message_name]
        parameters = names.parameter_names([field.name for field in message.field])
        file, place = self._types.types[message_name].file, self._types.paths[message_name]
        return tuple(
            self._field(field, parameters[field.name], self._types.comment(file, (*place, _FIELD, number)))
            for number, field in enumerate(message.field)
        )

    def _field(self, field: FieldDescriptorProto, parameter: str, comment: str) -> Field:
        repeated = field.label == field.LABEL_REPEATED
        value, key = field, ""
        if repeated and field.type == field.TYPE_MESSAGE:
            entry = self._types.messages[field.type_name]
            if entry.options.map_entry:
                repeated, key, value = False, _scalar(entry.field[0]), entry.field[1]
        type_ = self._types.types[value.type_name] if value.type_name else None
        return Field(
            name=field.name,
            parameter=parameter,
            scalar="" if type_ else _scalar(value),
            type=type_,
            key=key,
            repeated=repeated,
            comment=comment,
            deprecated=field.options.deprecated,
        )

    def _comment(self, place: tuple[int, ...]) -> str:
        return self._types.comment(self._file.name, place)

    def _problem(self, place: tuple[int, ...], text: str) -> Problem:
        found = self._types.places[self._file.name].get(place)
        return Problem(
            self._file.name, None if found is None else (found.span[0] + 1, found.span[1] + 1), text
        )


def _scalar(field: FieldDescriptorProto) -> str:
    return _NUMBERS.get(FieldDescriptorProto.Type.Name(field.type), "int")


def _comment(location: Any) -> str:
    """The comment before something, or behind it on its line, without what indents it."""
    lines = (location.leading_comments or location.trailing_comments).expandtabs(4).splitlines()
    if all(line.startswith(" ") or not line.strip() for line in lines):
        lines = [line[1:] for line in lines]
    return "\n".join(line.rstrip() for line in lines).strip("\n")
