"""A `.proto` from a typed Python class: how a prototype grows into a declared service.

Every public method becomes an rpc, its parameters the fields of a request, its result a reply. Dataclasses,
named tuples and typed dictionaries become messages, enums enums; docstrings become comments. It is a first
draft: numbers of fields, once used, must stay, and whoever declares the service goes on from here by hand.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import datetime
import enum
import importlib
import inspect
import os
import re
import sys
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sage_rpc.encoding.naming import snake_case

__all__ = ["SkeletonError", "skeleton"]

_SCALARS: dict[Any, str] = {str: "string", bytes: "bytes", bool: "bool", int: "int64", float: "double"}
_IMPORTED: dict[Any, tuple[str, str]] = {
    datetime.datetime: ("google.protobuf.Timestamp", "timestamp"),
    datetime.timedelta: ("google.protobuf.Duration", "duration"),
    Any: ("google.protobuf.Value", "struct"),
    object: ("google.protobuf.Value", "struct"),
}
_LISTS = (
    list,
    set,
    frozenset,
    collections.abc.Sequence,
    collections.abc.Iterable,
    collections.abc.Collection,
)
_MAPS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_STREAMS = (
    collections.abc.Iterator,
    collections.abc.AsyncIterator,
    collections.abc.AsyncIterable,
    collections.abc.Generator,
    collections.abc.AsyncGenerator,
)
_LIFECYCLE = ("setup", "cleanup")  # of services, for whoever runs them
_HEADER = "// A first draft, written by `sage-rpc gen --from-class {}`: read it, then edit it.\n"


class SkeletonError(Exception):
    """The class cannot become a service; the text says where it stands and what to change."""


@dataclass
class _Proto:
    """The `.proto` while it is written.

    Attributes:
        imports: files to import.
        blocks: texts of messages and enums, by name, in order.
        sources: what each of them was made from.
    """

    imports: set[str] = field(default_factory=set)
    blocks: dict[str, str] = field(default_factory=dict)
    sources: dict[str, Any] = field(default_factory=dict)


def skeleton(path: str) -> str:
    """The text of a `.proto` for the class at `path`, such as "myapp.services:CacheService".

    Raises:
        SkeletonError: there is no such class, or a type in it has no counterpart in protobuf.
    """
    cls = _load(path)
    proto = _Proto()
    service = cls.__name__.removesuffix("Service") or cls.__name__
    rpcs = [
        _rpc(proto, cls, name, getattr(cls, name))
        for name, value in vars(cls).items()
        if isinstance(value, (types.FunctionType, staticmethod))
        and not name.startswith("_")
        and name not in _LIFECYCLE
    ]
    if not rpcs:
        raise SkeletonError(f"{_place(cls)}: {cls.__qualname__} has no public methods")
    package = "" if cls.__module__ == "__main__" else f"package {cls.__module__.lower()};\n\n"
    imports = "".join(f'import "{name}";\n' for name in sorted(proto.imports))
    body = "".join(rpcs)
    return (
        _HEADER.format(path)
        + f'syntax = "proto3";\n\n{package}{imports}{chr(10) if imports else ""}'
        + f"{_comment(_doc(cls), 0)}service {service} {{\n{body}}}\n"
        + "".join(f"\n{block}" for block in proto.blocks.values())
    )


def _load(path: str) -> type:
    module_name, colon, class_name = path.partition(":")
    if not (module_name and colon and class_name):
        raise SkeletonError(f"{path!r}: expected MODULE:CLASS, such as myapp.services:CacheService")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # as `python -m` does
    try:
        found: Any = importlib.import_module(module_name)
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        raise SkeletonError(f"{path!r}: cannot import {module_name}: {why}") from error
    for name in class_name.split("."):
        found = getattr(found, name, None)
    if not isinstance(found, type):
        raise SkeletonError(f"{path!r}: {module_name} has no class {class_name}")
    return found


def _rpc(proto: _Proto, cls: type, name: str, function: Callable[..., Any]) -> str:
    where = f"{_place(function)}: {cls.__qualname__}.{name}"
    try:
        hints = typing.get_type_hints(function)
    except (NameError, TypeError) as error:
        raise SkeletonError(f"{where}: its annotations cannot be read: {error}") from error
    parameters = list(inspect.signature(function).parameters.values())
    if not isinstance(inspect.getattr_static(cls, name), staticmethod):
        parameters = parameters[1:]
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise SkeletonError(f"{where}: {parameter} cannot be a field; name the parameters one by one")
        if parameter.name not in hints:
            raise SkeletonError(f"{where}: the parameter {parameter.name!r} has no type")
    if "return" not in hints:
        raise SkeletonError(f"{where}: the result has no type; write `-> None` where there is none")
    camel = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    request_stream, response_stream = "", ""
    if len(parameters) == 1 and _streamed(hints[parameters[0].name]) is not None:
        request_stream = "stream "
        item = _streamed(hints[parameters[0].name])
        request = _message_for(proto, f"{camel}Request", "value", item, f"{where}: {parameters[0].name!r}")
    else:
        request = f"{camel}Request"
        rows = [
            (each.name, hints[each.name], None if each.default is each.empty else repr(each.default))
            for each in parameters
        ]
        _add_message(proto, request, rows, function, "", where)
    result = hints["return"]
    item = _streamed(result)
    if item is None and typing.get_origin(result) is collections.abc.Iterable:
        item = typing.get_args(result)[0]
    if item is not None:
        response_stream, result = "stream ", item
    response = _message_for(proto, f"{camel}Reply", "result", result, f"{where}: the result")
    return (
        f"{_comment(_doc(function), 2)}  rpc {camel}({request_stream}{request}) "
        f"returns ({response_stream}{response});\n"
    )


def _streamed(type_: Any) -> Any:
    """What a stream is of; None where `type_` is no stream."""
    arguments = typing.get_args(type_)
    return arguments[0] if typing.get_origin(type_) in _STREAMS and arguments else None


def _message_for(proto: _Proto, name: str, field_name: str, type_: Any, where: str) -> str:
    """The message that carries `type_`: itself where it is one, else `name` with one field."""
    if _rows_of(type_) is not None:
        return _named(proto, type_, where)
    rows = [] if type_ in (None, type(None)) else [(field_name, type_, None)]
    _add_message(proto, name, rows, None, "", where)
    return name


def _add_message(
    proto: _Proto, name: str, rows: Sequence[tuple[str, Any, str | None]], source: Any, doc: str, where: str
) -> None:
    if name in proto.sources:
        raise SkeletonError(f"{where}: two messages would be called {name}; rename the method or the class")
    proto.sources[name] = source
    proto.blocks[name] = ""  # its place comes before those of the messages in it
    lines = []
    for number, (row, type_, default) in enumerate(rows, 1):
        kind = "parameter" if inspect.isfunction(source) else f"field {name}"
        at = f"{where}: the {kind} {row!r}"
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", row):
            raise SkeletonError(f"{at}: the name of a field is made of ASCII letters, digits and underscores")
        label, text = _field_type(proto, type_, at, has_default=default is not None)
        if default not in (None, "None"):
            lines.append(f"  // Default: {default}.\n")
        lines.append(f"  {label}{text} {row} = {number};\n")
    inside = "".join(lines)
    proto.blocks[name] = f"{_comment(doc, 0)}message {name} {{{chr(10) if inside else ''}{inside}}}\n"


def _field_type(proto: _Proto, type_: Any, where: str, *, has_default: bool = False) -> tuple[str, str]:
    """-> label ("repeated ", "optional " or ""), type of a field."""
    origin, arguments = typing.get_origin(type_), typing.get_args(type_)
    if origin in (typing.Union, types.UnionType):
        others = [argument for argument in arguments if argument is not type(None)]
        if len(others) != 1 or len(others) == len(arguments):
            raise SkeletonError(f"{where}: {_shown(type_)} is one of several types: declare a oneof by hand")
        return _field_type(proto, others[0], where, has_default=True)
    if type_ in _MAPS or (origin in _MAPS and arguments[1] in (Any, object) and arguments[0] is str):
        proto.imports.add("google/protobuf/struct.proto")
        return "", "google.protobuf.Struct"
    if origin in _MAPS:
        key, value = arguments
        if key not in (str, int, bool):
            raise SkeletonError(f"{where}: the keys of a map are str, int or bool, not {_shown(key)}")
        return "", f"map<{_SCALARS[key]}, {_single(proto, value, where)}>"
    if origin in _LISTS or (origin is tuple and arguments[1:] == (...,)):
        return "repeated ", _single(proto, arguments[0], where)
    text = _single(proto, type_, where)
    is_message = _rows_of(type_) is not None or text.startswith("google.")
    return "optional " if has_default and not is_message else "", text


def _single(proto: _Proto, type_: Any, where: str) -> str:
    """The type of one value, neither repeated nor a map."""
    if typing.get_origin(type_) is typing.Literal:
        type_ = type(typing.get_args(type_)[0])
    if isinstance(type_, typing.Hashable) and type_ in _SCALARS:
        return _SCALARS[type_]
    if isinstance(type_, typing.Hashable) and type_ in _IMPORTED:
        text, file = _IMPORTED[type_]
        proto.imports.add(f"google/protobuf/{file}.proto")
        return text
    if _rows_of(type_) is not None or (isinstance(type_, type) and issubclass(type_, enum.Enum)):
        return _named(proto, type_, where)
    nested = typing.get_origin(type_) in (*_LISTS, *_MAPS, tuple)
    hint = "put it into a dataclass" if nested else "use a dataclass, an enum or a plain type"
    raise SkeletonError(f"{where}: {_shown(type_)} has no counterpart in protobuf; {hint}")


def _named(proto: _Proto, type_: type, where: str) -> str:
    """The name of the message or enum of a class, which is written on first use."""
    name = type_.__name__
    if proto.sources.get(name) is type_:
        return name
    rows = _rows_of(type_)
    if rows is not None:
        _add_message(
            proto, name, [(row, hint, None) for row, hint in rows.items()], type_, _doc(type_), where
        )
        return name
    if name in proto.sources:
        raise SkeletonError(f"{where}: two types are called {name}; rename one of them")
    proto.sources[name] = type_
    prefix = snake_case(name).upper()
    members = [f"{prefix}_UNSPECIFIED", *(f"{prefix}_{snake_case(m.name).upper()}" for m in type_)]  # type: ignore[attr-defined]
    lines = "".join(f"  {member} = {number};\n" for number, member in enumerate(members))
    proto.blocks[name] = f"{_comment(_doc(type_), 0)}enum {name} {{\n{lines}}}\n"
    return name


def _rows_of(type_: Any) -> Mapping[str, Any] | None:
    """Names and types of what a class is made of; None where it is no such class."""
    if not isinstance(type_, type):
        return None
    if dataclasses.is_dataclass(type_):
        hints = typing.get_type_hints(type_)
        return {each.name: hints[each.name] for each in dataclasses.fields(type_)}
    if typing.is_typeddict(type_) or (issubclass(type_, tuple) and hasattr(type_, "_fields")):
        return typing.get_type_hints(type_)
    return None


def _doc(thing: Any) -> str:
    """The docstring that somebody wrote, and none that Python makes up."""
    text = thing.__dict__.get("__doc__") if isinstance(thing, type) else thing.__doc__
    if not text or text.startswith(f"{thing.__name__}("):  # as dataclasses and named tuples have
        return ""
    return inspect.cleandoc(text)


def _comment(text: str, indent: int) -> str:
    return "".join(f"{' ' * indent}// {line}".rstrip() + "\n" for line in text.splitlines())


def _shown(type_: Any) -> str:
    return type_.__qualname__ if isinstance(type_, type) and not typing.get_args(type_) else str(type_)


def _place(thing: Any) -> str:
    """File and line where a class or function stands."""
    try:
        _, line = inspect.getsourcelines(thing)
        return f"{os.path.relpath(inspect.getsourcefile(thing) or '?')}:{line}"
    except (OSError, TypeError):
        return str(thing.__module__)
