"""The text of a `_sage.py`: for each service the base of what implements it, and three clients.

The text depends on nothing but the `.proto` and the options of the run, so that it can be checked in and
checked to be fresh. Names of ours in it avoid those of its methods and fields.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from sage_rpc.codegen import names
from sage_rpc.codegen.layout import (
    WIDTH,
    Annotation,
    Generic,
    Union,
    annotated,
    bracketed,
    class_line,
    comment_text,
    docstring,
    returning,
)
from sage_rpc.codegen.schema import Field, File, Method, Service, Type

__all__ = ["Imports", "output_name", "render"]

# How a file imports the modules of messages: from where they are below the output directory ("relative"),
# or as protoc's own modules do, from a directory on sys.path ("absolute").
Imports = Literal["absolute", "relative"]

MARK = "# Written by protoc-gen-sage from "
_STANDARD = frozenset({"abc", "builtins", "collections.abc", "concurrent.futures", "datetime", "typing"})
_DATETIMES = {"google.protobuf.Timestamp": "datetime", "google.protobuf.Duration": "timedelta"}


def output_name(proto: str, suffix: str = "_sage") -> str:
    """`shop/cache.proto` -> `shop/cache_sage.py`."""
    return names.module_of(proto, suffix).replace(".", "/") + ".py"


def render(file: File, imports: Imports, generated: Iterable[str]) -> str:
    """The module for `file`.

    Args:
        file: a `.proto` with at least one service.
        imports: how the modules of messages are imported.
        generated: the `.proto` files of this run; with "relative", others' modules are absolute all the same.
    """
    return _Module(file, imports, frozenset(generated)).text()


@dataclass(frozen=True)
class _Kind:
    """What the three clients differ in.

    Attributes:
        base: its base in `sage_rpc.clients`, and the end of its name.
        binder: what binds its methods, there.
        does: what the docstring says of its methods.
        stream: the type of a stream of responses, there.
    """

    base: str
    binder: str
    does: str
    stream: str


_KINDS = (
    _Kind("Client", "Binder", "Methods wait for the response.", "Stream"),
    _Kind("AsyncClient", "AsyncBinder", "Methods give a Future of the response.", "Stream"),
    _Kind("AioClient", "AioBinder", "Methods are awaited.", "AioStream"),
)


class _Module:
    """One module while it is written: the names it uses, and its lines."""

    def __init__(self, file: File, imports: Imports, generated: frozenset[str]) -> None:
        self._file = file
        self._imports = imports
        self._generated = generated
        methods = [method for service in file.services for method in service.methods]
        self._methods = {method.python for method in methods}
        self._parameters = {field.parameter for method in methods for field in method.fields}
        self._taken = self._methods | self._parameters
        self._plain: dict[str, str] = {}  # module -> its name here
        self._from: dict[tuple[str, str], str] = {}  # (module, what of it) -> its name here
        self._lines: list[str] = []

    def text(self) -> str:
        body: list[str] = []
        if not any(self._file.name == type_.file for type_ in _requests_and_responses(self._file)):
            # Nothing else here imports what declares these services.
            body += ["", f"DESCRIPTOR = {self._messages(self._file.name)}.DESCRIPTOR"]
        for service in self._file.services:
            body += ["", "", *self._base(service)]
            for kind in _KINDS:
                body += ["", "", *self._client(service, kind)]
        classes = sorted(
            service.name + suffix
            for service in self._file.services
            for suffix in ("Base", *(kind.base for kind in _KINDS))
        )
        head = [
            f"{MARK}{self._file.name}; do not edit.",
            *docstring(0, f"Services of {comment_text(self._file.name)}: bases to implement, and clients."),
            "",
            "from __future__ import annotations",
            "",
            *self._import_lines(),
            "",
            *bracketed(0, "__all__ = [", [f'"{name}"' for name in classes], "]"),
        ]
        return "\n".join([*head, *body]) + "\n"

    # -- names

    def _named(self, wanted: str) -> str:
        name = names.unused(wanted, self._taken)
        self._taken.add(name)
        return name

    def _module(self, module: str) -> str:
        """The name here of a module imported by `import module`."""
        if module not in self._plain:
            self._plain[module] = self._named(module)
        return self._plain[module]

    def _of(self, module: str, what: str) -> str:
        """The name here of `what`, imported by `from module import what`."""
        if (module, what) not in self._from:
            self._from[module, what] = self._named(what)
        return self._from[module, what]

    def _builtin(self, name: str) -> str:
        """A type of Python's own; in a class, a method of that name hides it."""
        return f"{self._module('builtins')}.{name}" if name in self._methods else name

    def _exception(self, name: str) -> str:
        """An exception of Python's own; a field of that name hides it."""
        return f"{self._module('builtins')}.{name}" if name in self._parameters else name

    def _clients(self, what: str) -> str:
        return f"{self._of('sage_rpc', 'clients')}.{what}"

    def _servicers(self, what: str) -> str:
        return f"{self._of('sage_rpc', 'servicers')}.{what}"

    def _abc(self, what: str) -> str:
        return self._of("collections.abc", what)

    def _type(self, type_: Type) -> str:
        """The expression for a message or enum; "" where a keyword makes it impossible."""
        package, leaf = self._location(type_.file)
        if names.cannot_be_written((*filter(None, package.split(".")), leaf, *type_.path)):
            return ""
        return f"{self._messages(type_.file)}.{'.'.join(type_.path)}"

    def _messages(self, proto: str) -> str:
        """The name here of the module of a `.proto`'s messages."""
        package, leaf = self._location(proto)
        return self._of(package, leaf) if package else self._module(leaf)

    def _location(self, proto: str) -> tuple[str, str]:
        """The package, perhaps relative, and the name there of the module of a `.proto`'s messages."""
        if proto not in self._generated:
            package, _, leaf = names.installed(names.module_of(proto)).rpartition(".")
        else:
            package, _, leaf = names.module_of(proto).rpartition(".")
            if self._imports == "relative":
                here = names.module_of(self._file.name).rpartition(".")[0]
                package = names.relative_package(package, here)
        return package, leaf

    def _import_lines(self) -> list[str]:
        """All imports, in isort's order."""
        lines: list[tuple[tuple[int, int, int, str, str], list[str]]] = []
        for module, name in self._plain.items():
            alias = "" if name == module else f" as {name}"
            lines.append(((_section(module), 0, 0, module, ""), [f"import {module}{alias}"]))
        merged: dict[str, list[str]] = {}
        for (module, what), name in self._from.items():
            dots = len(module) - len(module.lstrip("."))
            if name == what:
                merged.setdefault(module, []).append(what)
            else:
                key = (_section(module), 1, -dots, module, what)
                lines.append((key, [f"from {module} import {what} as {name}"]))
        for module, whats in merged.items():
            whats.sort()
            dots = len(module) - len(module.lstrip("."))
            one = f"from {module} import {', '.join(whats)}"
            text = [one] if len(one) <= WIDTH else bracketed(0, f"from {module} import (", whats, ")")
            lines.append(((_section(module), 1, -dots, module, whats[0]), text))
        result: list[str] = []
        section = 0
        for key, text in sorted(lines):
            result += [*([""] if key[0] != section and result else []), *text]
            section = key[0]
        return result

    # -- the base

    def _base(self, service: Service) -> list[str]:
        comment = comment_text(service.comment)
        lines = [
            *class_line(f"{service.name}Base", self._servicers("Base")),
            *docstring(4, comment or f"What implements {service.full_name}."),
            "",
            f'    SERVICE = "{service.full_name}"',
        ]
        rows = [line for method in service.methods for line in self._rpc(method)]
        one = f"    RPCS = ({''.join(row.strip() for row in rows)})"
        if len(rows) <= 1 and len(one) <= WIDTH:
            lines.append(one)
        else:
            lines += ["    RPCS = (", *rows, "    )"]
        for method in service.methods:
            lines += ["", *self._handler(method)]
        return lines

    def _rpc(self, method: Method) -> list[str]:
        parts = [
            f'"{method.name}"',
            f'"{method.python}"',
            self._type(method.request),
            self._type(method.response),
        ]
        if method.requests_stream:
            parts.append("requests_stream=True")
        if method.responses_stream:
            parts.append("responses_stream=True")
        return bracketed(8, f"{self._servicers('Rpc')}(", parts, "),")

    def _handler(self, method: Method) -> list[str]:
        given: Annotation = self._type(method.request)
        if method.requests_stream:
            given = Generic(self._servicers("Requests"), (given,))
        response = self._type(method.response)
        result = Generic(self._servicers("Responses" if method.responses_stream else "Response"), (response,))
        what = "requests" if method.requests_stream else "request"
        context = self._servicers("AnyServicerContext")
        head = f"    def {method.python}"
        signature = [f"self, {what}: {given}, context: {context}, /"]
        one = f"{head}({signature[0]}) -> {result}:"
        lines = [f"    @{self._of('abc', 'abstractmethod')}"]
        if len(one) <= WIDTH:
            lines.append(one)
        else:
            lines += [
                f"{head}(",
                "        self,",
                *annotated(8, what, given, None),
                *annotated(8, "context", context, None),
                "        /,",
                *returning(4, ")", result),
            ]
        return [*lines, *docstring(8, self._method_text(method, calls=False))]

    # -- the clients

    def _client(self, service: Service, kind: _Kind) -> list[str]:
        comment = comment_text(service.comment)
        lines = [
            *(self._deprecation(service.full_name, 0) if service.deprecated else ()),
            *class_line(service.name + kind.base, self._clients(kind.base)),
            *docstring(4, f"Calls {service.full_name}. {kind.does}" + (f"\n\n{comment}" if comment else "")),
            "",
            f'    SERVICE = "{service.full_name}"',
            "",
            f"    def _bind_methods(self, binder: {self._clients(kind.binder)}) -> None:",
        ]
        for method in service.methods:
            lines += self._binding(service, method)
        if not service.methods:
            lines.append("        pass")
        for method in service.methods:
            lines += ["", *self._call(method, kind)]
        return lines

    def _binding(self, service: Service, method: Method) -> list[str]:
        shape = ("stream" if method.requests_stream else "unary") + (
            "_stream" if method.responses_stream else "_unary"
        )
        return bracketed(
            8,
            f"self._call_{method.python} = binder.{shape}(",
            [
                f'"/{service.full_name}/{method.name}"',
                self._type(method.request),
                self._type(method.response),
            ],
            ")",
        )

    def _call(self, method: Method, kind: _Kind) -> list[str]:
        awaits = kind.base == "AioClient" and not method.responses_stream
        lines = [
            *(self._deprecation(method.full_name, 4) if method.deprecated else ()),
            f"    {'async ' if awaits else ''}def {method.python}(",
            "        self,",
        ]
        if method.requests_stream:
            what = "requests"
            lines += [*annotated(8, what, self._requests(method, kind), None), "        /,"]
        else:
            what = names.unused("request", [field.parameter for field in method.fields])
            lines += [
                *annotated(8, what, Union((self._type(method.request), "None")), "None"),
                "        /,",
            ]
        lines += ["        *,"]
        if not method.requests_stream:
            for field in method.fields:
                lines += annotated(8, field.parameter, self._annotation(field), "None")
        metadata = self._clients("Metadata")
        lines += [
            *annotated(8, "timeout", Union((self._builtin("float"), "None")), "None"),
            *annotated(8, "metadata", Union((metadata, "None")), "None"),
            *annotated(8, "wait_for_ready", Union((self._builtin("bool"), "None")), "None"),
            *returning(4, ")", self._result(method, kind)),
            *docstring(8, self._method_text(method, calls=True)),
        ]
        before = f"return {'await ' if awaits else ''}self._call_{method.python}("
        options = ["timeout", "metadata", "wait_for_ready"]
        if method.requests_stream:
            return [*lines, *bracketed(8, before, [what, *options], ")")]
        return [
            *lines,
            *self._quick_request(method, what, before, options),
            f"        {before}",
            *self._request(method, what),
            *(f"            {option}," for option in options),
            "        )",
        ]

    def _quick_request(self, method: Method, what: str, before: str, options: list[str]) -> list[str]:
        """The usual call, of scalar fields alone: they are set one by one, which takes half as long.

        Where one has a wrong value, nothing has been sent, and the usual way finds out which.
        """
        quick = [field for field in method.fields if _is_quick(field)]
        if not quick:
            return []
        made = names.unused("made", [what, *(field.parameter for field in method.fields)])
        absent = [what, *(field.parameter for field in method.fields if field not in quick)]
        conditions = [f"{name} is None" for name in absent]
        one = f"        if {' and '.join(conditions)}:"
        lines = [one]
        if len(one) > WIDTH:
            lines = ["        if (", f"            {conditions[0]}"]
            lines += [*(f"            and {condition}" for condition in conditions[1:]), "        ):"]
        lines += [f"            {made} = {self._type(method.request)}()", "            try:"]
        for field in quick:
            lines += [
                f"                if {field.parameter} is not None:",
                f"                    {made}.{field.name} = {field.parameter}",
            ]
        return [
            *lines,
            f"            except ({self._exception('TypeError')}, {self._exception('ValueError')}):",
            "                pass",
            "            else:",
            *bracketed(16, before, [made, *options], ")"),
        ]

    def _request(self, method: Method, what: str) -> list[str]:
        type_ = self._type(method.request)
        pairs = [f'"{field.name}": {field.parameter}' for field in method.fields]
        before = f"{self._clients('request_of')}("
        one = f'            {before}"{method.full_name}", {type_}, {what}, {{{", ".join(pairs)}}}),'
        if len(one) <= WIDTH:
            return [one]
        return [
            f"            {before}",
            f'                "{method.full_name}",',
            f"                {type_},",
            f"                {what},",
            *bracketed(16, "{", pairs, "},"),
            "            ),",
        ]

    def _requests(self, method: Method, kind: _Kind) -> Annotation:
        request = self._type(method.request)
        iterable = Generic(self._abc("Iterable"), (request,))
        if kind.base != "AioClient":
            return iterable
        return Union((Generic(self._abc("AsyncIterable"), (request,)), iterable))

    def _result(self, method: Method, kind: _Kind) -> Annotation:
        response = self._type(method.response)
        if method.responses_stream:
            return Generic(self._clients(kind.stream), (response,))
        if kind.base == "AsyncClient":
            return Generic(self._of("concurrent.futures", "Future"), (response,))
        return response

    def _annotation(self, field: Field) -> Annotation:
        """The type of a field as a keyword argument; None is "not set"."""
        value = self._value(field)
        if field.key:
            whole: Annotation = Generic(self._abc("Mapping"), (self._builtin(field.key), value))
        elif field.repeated:
            whole = Generic(self._abc("Iterable"), (value,))
        else:
            whole = value
        return Union((*whole.parts, "None") if isinstance(whole, Union) else (whole, "None"))

    def _value(self, field: Field) -> Annotation:
        if field.type is None:
            return self._builtin(field.scalar)
        type_ = self._type(field.type)
        if field.type.is_enum:
            return Union((type_ or self._builtin("int"), self._builtin("str")))
        parts: list[Annotation] = [type_] if type_ else []
        if field.type.full_name in _DATETIMES:
            parts.append(f"{self._module('datetime')}.{_DATETIMES[field.type.full_name]}")
        return Union(
            (*parts, Generic(self._abc("Mapping"), (self._builtin("str"), self._of("typing", "Any"))))
        )

    # -- text

    def _deprecation(self, full_name: str, indent: int) -> list[str]:
        return [f'{" " * indent}@{self._clients("deprecated")}("{full_name} is deprecated")']

    def _method_text(self, method: Method, *, calls: bool) -> str:
        usual = f"{'Calls' if calls else 'Serves'} {method.full_name}."
        parts = [comment_text(method.comment) or usual]
        if calls and method.policy.timeout is not None:
            parts.append(f"Without `timeout` a call may take {method.policy.timeout:g} s.")
        if calls and not method.requests_stream:
            told = [field for field in method.fields if field.comment or field.parameter != field.name]
            lines = [line for field in told for line in _argument(field)]
            if lines:
                parts.append("\n".join(["Args:", *lines]))
        return "\n\n".join(parts)


def _requests_and_responses(file: File) -> Iterator[Type]:
    for service in file.services:
        for method in service.methods:
            yield method.request
            yield method.response


def _is_quick(field: Field) -> bool:
    """Whether a field can be set by one short assignment."""
    scalar = bool(field.scalar) and not field.repeated and not field.key
    return scalar and field.parameter == field.name and len(field.name) <= 24


def _argument(field: Field) -> list[str]:
    """A field in the list of arguments of a docstring."""
    said = comment_text(field.comment).splitlines()
    if field.parameter != field.name:
        said = [f"the field `{field.name}`.", *said]
    first, *rest = said
    return [f"    {field.parameter}: {first}", *(f"        {line}" if line else "" for line in rest)]


def _section(module: str) -> int:
    """Where isort puts it: the standard library, others, relative."""
    if module.startswith("."):
        return 2
    return 0 if module in _STANDARD else 1
