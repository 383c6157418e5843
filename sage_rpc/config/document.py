"""A configuration as it stands in files: YAML with the place of everything in it, variables, includes.

Rules: every complaint names file, line and column. `${VAR}` is the variable's value and an error without it,
`${VAR:-default}` has one, `$$` is a dollar; they stand in values, not in keys. What a variable holds is text
and no YAML: the field makes a number of it (`FromVariable`). `include:` at the top names files, relative to
the one that includes: what is written in this one wins, mappings are merged.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

__all__ = ["ConfigError", "Document", "FromVariable", "Location", "Problem", "read", "settled"]

_VARIABLE = re.compile(
    r"\$(?:\$|\{(?P<name>[A-Za-z_]\w*)(?P<colon>:-(?P<default>[^}]*))?\}|\{(?P<bad>[^}]*)\}?)"
)
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,400})(?:\.[0-9]{1,400})?|-?\.[0-9]{1,400}")
Path_ = tuple["str | int", ...]


class FromVariable(str):
    """What an unquoted value with `${VAR}` in it became; its `repr` names the variables, for complaints.

    Attributes:
        names: of the variables.
    """

    __slots__ = ("names",)
    names: tuple[str, ...]

    def __new__(cls, text: str, names: tuple[str, ...]) -> FromVariable:  # noqa: D102
        made = super().__new__(cls, text)
        made.names = names
        return made

    def __repr__(self) -> str:
        return f"{str(self)!r} of {', '.join(f'${{{name}}}' for name in self.names)}"

    def __str__(self) -> str:
        return "".join(self)  # a plain one

    def number(self) -> int | float | None:
        """The number that this is in decimal notation; None for everything else, as 0123, 1e3 and inf."""
        if _NUMBER.fullmatch(self) is None:
            return None
        return float(self) if "." in self else int(self)


def settled(value: Any) -> Any:
    """`value` as it means where anything may stand: an unquoted variable is a number or else text."""
    if isinstance(value, FromVariable):
        number = value.number()
        return str(value) if number is None else number
    if isinstance(value, dict):
        return {key: settled(entry) for key, entry in value.items()}
    return [settled(entry) for entry in value] if isinstance(value, list) else value


class Location(NamedTuple):
    """A place in a file; line and column count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a configuration.

    Attributes:
        where: its place.
        text: what is wrong.
        advice: what to do; "" where the text says it.
    """

    where: Location
    text: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.text}{'; ' + self.advice if self.advice else ''}"


class ConfigError(ValueError):
    """A configuration that cannot be used.

    Attributes:
        problems: everything that was found, at least one.
    """

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass
class Document:
    """What a file and the files that it includes say.

    Attributes:
        value: mappings, sequences and scalars.
        places: path of keys and indices -> where that stands.
        files: every file that was read.
    """

    value: dict[str, Any]
    places: dict[Path_, Location]
    files: list[Path] = field(default_factory=list)

    def where(self, path: Path_) -> Location:
        """The place of `path`, or of what encloses it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.places:
                return self.places[path[:length]]
        return Location(str(self.files[0]) if self.files else "?", 1, 1)


def read(path: Path, variables: Mapping[str, str]) -> Document:
    """Read `path` and what it includes.

    Args:
        path: of the file.
        variables: what `${VAR}` stands for.

    Raises:
        ConfigError: a file cannot be read, is no YAML, or a variable is missing.
    """
    return _read(path, variables, ())


def _read(path: Path, variables: Mapping[str, str], above: tuple[Path, ...]) -> Document:
    start = Location(str(path), 1, 1)
    if path.resolve() in above:
        chain = " -> ".join(str(p) for p in (*above, path.resolve()))
        raise ConfigError([Problem(start, f"files include each other: {chain}")])
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigError([Problem(start, "there is no such file")]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError([Problem(start, f"cannot be read: {error}")]) from None
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        builder = _Builder(str(path), loader, variables)
        value = {} if node is None else builder.build(node, ())
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = start if mark is None else Location(str(path), mark.line + 1, mark.column + 1)
        raise ConfigError([Problem(where, f"no YAML: {error.problem or error.context}")]) from None
    except yaml.YAMLError as error:
        raise ConfigError([Problem(start, f"no YAML: {error}")]) from None
    finally:
        loader.dispose()
    if builder.problems:
        raise ConfigError(builder.problems)
    if not isinstance(value, dict):
        raise ConfigError([Problem(builder.places[()], "expected a mapping with services in it")])
    document = Document(value, builder.places, [path])
    return _with_includes(document, path, variables, (*above, path.resolve()))


def _with_includes(
    document: Document, path: Path, variables: Mapping[str, str], above: tuple[Path, ...]
) -> Document:
    named = document.value.pop("include", [])
    where = document.where(("include",))
    names = [named] if isinstance(named, str) else named
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise ConfigError([Problem(where, "include names files: expected text or a list of texts")])
    base = Document({}, {}, [])
    for index, name in enumerate(names):
        try:
            included = _read(path.parent / name, variables, above)
        except ConfigError as error:
            at = document.where(("include", index))
            if len(error.problems) == 1 and "no such file" in error.problems[0].text:
                raise ConfigError(
                    [Problem(at, f"cannot include {path.parent / name}: no such file")]
                ) from None
            raise
        base = _merged(base, included)
    merged = _merged(base, document)
    merged.files = [path, *(f for f in merged.files if f != path)]
    return merged


def _merged(below: Document, above: Document) -> Document:
    """`above` over `below`: mappings are merged, everything else is replaced."""
    value = _merge(below.value, above.value)
    places = {p: at for p, at in below.places.items() if p not in above.places}
    return Document(value, places | above.places, [*below.files, *above.files])


def _merge(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    found = dict(below)
    for key, value in above.items():
        old = found.get(key)
        found[key] = _merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return found


class _Builder:
    """Turns YAML's nodes into values, and remembers where each stood."""

    def __init__(self, file: str, loader: yaml.SafeLoader, variables: Mapping[str, str]) -> None:
        self.places: dict[Path_, Location] = {}
        self.problems: list[Problem] = []
        self._file = file
        self._loader = loader
        self._variables = variables

    def build(self, node: yaml.Node, path: Path_) -> Any:
        self.places[path] = where = self._location(node)
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.build(child, (*path, index)) for index, child in enumerate(node.value)]
        value = self._loader.construct_object(node)
        if isinstance(value, str) and "$" in value:
            text = self._substitute(value, where)
            names = tuple(dict.fromkeys(m["name"] for m in _VARIABLE.finditer(value) if m["name"]))
            if names and isinstance(node, yaml.ScalarNode) and node.style is None:
                return FromVariable(text, names)
            return text
        return value

    def _mapping(self, node: yaml.MappingNode, path: Path_) -> dict[str, Any]:
        own = sum(key.tag != "tag:yaml.org,2002:merge" for key, _ in node.value)
        self._loader.flatten_mapping(node)
        merged = len(node.value) - own  # of "<<" come first, and may be said otherwise after that
        found: dict[str, Any] = {}
        mine: set[str] = set()
        for number, (key_node, value_node) in enumerate(node.value):
            key = self._loader.construct_object(key_node)
            where = self._location(key_node)
            if not isinstance(key, Hashable) or not isinstance(key, (str, int, float, bool)):
                self.problems.append(Problem(where, f"a key must be text, not {key!r}"))
                continue
            key = str(key)
            if key in mine:
                self.problems.append(Problem(where, f"{key!r} stands here twice"))
            if number >= merged:
                mine.add(key)
            found[key] = self.build(value_node, (*path, key))
            self.places[(*path, key)] = where
        return found

    def _location(self, node: yaml.Node) -> Location:
        return Location(self._file, node.start_mark.line + 1, node.start_mark.column + 1)

    def _substitute(self, text: str, where: Location) -> str:
        def value(match: re.Match[str]) -> str:
            name = match["name"]
            if match[0] == "$$":
                return "$"
            if name is None:
                self.problems.append(
                    Problem(where, f"${{{match['bad']}}} is no variable", "write ${NAME}, or $$ for a dollar")
                )
                return ""
            found = self._variables.get(name)
            if found:
                return found
            if match["colon"] is not None:
                return match["default"]
            if found is None:
                self.problems.append(
                    Problem(
                        where,
                        f"the variable {name} is not set",
                        f"set it, or give a default: ${{{name}:-...}}",
                    )
                )
            return ""

        return _VARIABLE.sub(value, text)
