"""What one service process is told to do; travels pickled from the supervisor that starts it."""

from __future__ import annotations

import difflib
import importlib
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sage_rpc.text.exceptions import text_of

if TYPE_CHECKING:
    from sage_rpc.config import ServiceConfig


__all__ = ["LoadError", "Task", "load"]


class LoadError(Exception):
    """What a dotted name means cannot be had; the text says why."""


@dataclass(frozen=True)
class Task:
    """One process of one service.

    Attributes:
        service: its name.
        number: of the process among those of the service, from 0.
        config: of the service.
        code: the class itself with its arguments, pickled, where there is no name for it.
        endpoint_id: what discovery shall know it by.
        log_level: of the root logger.
        supervisor: name of the supervisor.
        policies: of calls to other services, as their configurations say.
    """

    service: str
    number: int
    config: ServiceConfig
    code: bytes | None = None
    endpoint_id: str = ""
    log_level: str = "info"
    supervisor: str = ""
    policies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """With the configuration as plain values of the same names: its process does without pydantic."""
        return {**self.__dict__, "config": _plain(self.config, with_arguments=self.code is None)}

    def factory(self) -> tuple[Any, Sequence[Any], Mapping[str, Any]]:
        """The class and its arguments.

        Raises:
            LoadError: there is none of that name.
        """
        if self.code is None:
            return load(self.config.class_), self.config.positional, self.config.by_name
        found: tuple[Any, Sequence[Any], Mapping[str, Any]] = pickle.loads(self.code)  # noqa: S301 - our parent's
        return found


def _plain(config: Any, *, with_arguments: bool) -> Any:
    values = {name: getattr(config, name) for name in type(config).model_fields}
    values["tls"] = None if config.tls is None else SimpleNamespace(**config.tls.model_dump())
    if hasattr(config.access, "model_dump"):
        values["access"] = config.access.model_dump()
    values["restart"] = None  # is the supervisor's
    if not with_arguments:
        values["args"], values["kwargs"] = [], {}
        return SimpleNamespace(**values)
    return SimpleNamespace(**values, positional=config.positional, by_name=config.by_name)


def load(dotted: str) -> Any:
    """What `dotted` ("package.module.Class", or "package.module:Class") means.

    Raises:
        LoadError: it means nothing.
    """
    module_name, _, attribute = dotted.rpartition(":" if ":" in dotted else ".")
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise LoadError(
                f"{dotted}: there is no module {error.name!r}; modules are looked for in python_path"
            ) from None
        raise LoadError(f"{dotted}: importing {module_name} failed: {text_of(error)}") from error
    except Exception as error:
        raise LoadError(
            f"{dotted}: importing {module_name} failed: {type(error).__name__}: {text_of(error)}"
        ) from error
    found = getattr(module, attribute, None)
    if found is None:
        names = [name for name in vars(module) if not name.startswith("_")]
        close = difflib.get_close_matches(attribute, names, n=1)
        hint = f"; did you mean {module_name}.{close[0]}?" if close else ""
        raise LoadError(f"{dotted}: the module {module_name} has no {attribute!r}{hint}")
    if not callable(found):
        raise LoadError(f"{dotted} is no class, but {type(found).__name__}")
    return found
