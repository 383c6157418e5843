"""From a file to a checked `Config`, with every complaint at its line."""

from __future__ import annotations

import os
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sage_rpc.config.addresses import is_loopback
from sage_rpc.config.document import ConfigError, Document, Problem, read
from sage_rpc.config.policies import admission_policy
from sage_rpc.config.schema import AccessConfig, Config, ServiceConfig
from sage_rpc.text.foreign import hint, similar
from sage_rpc.transport.base import GRPC

__all__ = ["json_schema", "load_config"]

_MESSAGES = {"missing": "is missing", "extra_forbidden": "is not known here"}


def load_config(
    path: str | Path, variables: Mapping[str, str] | None = None, *, dashboard: str | None = None
) -> Config:
    """Read, merge, fill in and check a configuration.

    Args:
        path: of a YAML file.
        variables: what `${VAR}` stands for; None: the environment.
        dashboard: address that counts instead of the file's.

    Raises:
        ConfigError: it cannot be used; each problem has file, line and what to do.
    """
    document = read(Path(path), os.environ if variables is None else variables)
    value = _with_defaults(document)
    if dashboard is not None:
        observability = dict(value.get("observability") or {})
        observability["dashboard"] = {**(observability.get("dashboard") or {}), "address": dashboard}
        value["observability"] = observability
    try:
        config = Config.model_validate(value)
    except ValidationError as error:
        errors = error.errors()
        problems = [_problem(document, e) for e in errors if not _misspelt(e, errors)]
        raise ConfigError(sorted(set(problems), key=lambda p: p.where)) from None
    problems = list(_contradictions(document, config))
    if problems:
        raise ConfigError(problems)
    return _absolute(config, Path(path).resolve().parent)


def json_schema() -> dict[str, Any]:
    """The JSON schema of a configuration, for editors."""
    schema = Config.model_json_schema(by_alias=True)
    schema["properties"]["include"] = {
        "description": "files that this one is laid over",
        "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
    }
    return schema


def _with_defaults(document: Document) -> dict[str, Any]:
    """What the document says, with `defaults` in every service."""
    value = dict(document.value)
    defaults, services = value.get("defaults"), value.get("services")
    if not isinstance(defaults, dict) or not isinstance(services, dict):
        return value
    unknown = [key for key in defaults if key not in _names(ServiceConfig)]
    if unknown:
        raise ConfigError([_unknown(document, ("defaults", key), ServiceConfig) for key in unknown])
    for name, service in services.items():
        if isinstance(service, dict):
            for key in defaults.keys() - service.keys():
                at = document.places.get(("defaults", key))
                if at is not None:
                    document.places[("services", name, key)] = at
    value["services"] = {
        name: {**defaults, **service} if isinstance(service, dict) else service
        for name, service in services.items()
    }
    return value


def _misspelt(missing: Any, errors: Sequence[Any]) -> bool:
    """Whether what is missing is there under a name that is almost right, which is said already."""
    *parent, name = missing["loc"] or ("",)
    unknown = [
        str(e["loc"][-1]) for e in errors if e["type"] == "extra_forbidden" and [*e["loc"][:-1]] == parent
    ]
    return missing["type"] == "missing" and any(similar(u, [str(name)]) for u in unknown)


def _problem(document: Document, found: Any) -> Problem:
    """What pydantic has found, in our words and at its place."""
    # "[key]", and which kind of value it was taken for.
    path = tuple(part for part in found["loc"] if not (isinstance(part, str) and part.startswith("[")))
    kind, name = found["type"], ".".join(map(str, path))
    if kind == "extra_forbidden":
        return _unknown(document, path, _model_at(path[:-1]))
    where = document.where(path)
    if kind == "missing":
        return Problem(where, f"{name} is missing", _description(path))
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return Problem(where, f"{name or 'the file'} is {found['input']!r}: expected a mapping")
    text = found["msg"].removeprefix("Value error, ")
    given = found["input"]
    shown = f" {given!r}" if isinstance(given, (str, int, float, bool, type(None))) else ""
    if kind == "value_error":
        return Problem(where, f"{name}: {text}", _description(path))
    return Problem(where, f"{name}:{shown} is wrong: {text[0].lower()}{text[1:]}", _description(path))


def _unknown(document: Document, path: tuple[Any, ...], model: type[BaseModel] | None) -> Problem:
    known = _names(model) if model is not None else []
    if model is Config:
        known = [*known, "include"]
    return Problem(document.where(path), f"{'.'.join(map(str, path))} is not known", hint(path[-1], known))


def _names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _model_at(path: tuple[Any, ...]) -> type[BaseModel] | None:
    """The model that stands at `path` of a configuration."""
    here: Any = Config
    for part in path:
        if isinstance(here, type) and issubclass(here, BaseModel):
            info = next((i for n, i in here.model_fields.items() if (i.alias or n) == part), None)
            here = None if info is None else info.annotation
        elif typing.get_origin(here) is dict:
            here = typing.get_args(here)[1]
        if not _is_dict(here):
            here = next(filter(_is_model, _kinds(here)), here)
    return here if _is_model(here) else None


def _kinds(hint: Any) -> typing.Iterator[Any]:
    """The types that an annotation is made of."""
    for part in typing.get_args(hint):
        yield part
        yield from _kinds(part)


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _is_dict(kind: Any) -> bool:
    return typing.get_origin(kind) is dict


def _description(path: tuple[Any, ...]) -> str:
    model = _model_at(path[:-1]) if path else None
    if model is None:
        return ""
    info = next((i for n, i in model.model_fields.items() if (i.alias or n) == path[-1]), None)
    return f"it is {info.description}" if info is not None and info.description else ""


def _contradictions(document: Document, config: Config) -> typing.Iterator[Problem]:
    """What is right alone and wrong together."""
    fixed: dict[str, str] = {}
    for name, service in config.services.items():
        port = (service.address or ":0").rpartition(":")[2]
        if port != "0" and service.address:
            other = fixed.setdefault(service.address, name)
            if other != name:
                yield Problem(
                    document.where(("services", name, "address")),
                    f"services.{name}.address is that of {other}, too: {service.address}",
                    "give each service its own, or port 0",
                )
        if isinstance(service.args, dict):
            twice = sorted(service.args.keys() & service.kwargs.keys())
            if twice:
                yield Problem(
                    document.where(("services", name, "kwargs", twice[0])),
                    f"services.{name}: {twice[0]!r} is in args and in kwargs",
                )
        if service.address and GRPC not in service.transports:
            yield Problem(
                document.where(("services", name, "transports")),
                f"services.{name}.transports leaves out grpc, which other hosts need for its address",
                "add grpc, or leave out address",
            )
        yield from (
            Problem(document.where(("services", name, key)), f"services.{name}.{key} {text}", advice)
            for key, text, advice in _without_effect(document.value["services"][name], config, service)
        )
    dashboard = config.observability.dashboard
    if dashboard is not None and not dashboard.token and not is_loopback(dashboard.address):
        yield Problem(
            document.where(("observability", "dashboard", "address")),
            f"the dashboard at {dashboard.address} can be seen from other hosts, and has no token",
            "set observability.dashboard.token, or use 127.0.0.1",
        )


def _without_effect(said: Mapping[str, Any], config: Config, service: ServiceConfig) -> typing.Iterator[Any]:
    """What a service says, and would not get: (field, why, what to do)."""
    for key in ("tls", "advertise"):
        if key in said and not service.address:
            yield key, "is about an address that other hosts reach, and there is none", "give an address"
    access = service.access
    if isinstance(access, AccessConfig):
        tls = service.address and (service.tls or config.tls)
        if access.identities and not (tls and tls.require_client_cert):
            yield (
                "access",
                "names identities, and no caller has one",
                "they are known of callers at an address, by tls with require_client_cert",
            )
        if access.uids and "shm" not in service.transports:
            yield "access", "names uids, which are known over shm alone", "add it to transports"
    running = admission_policy(service.admission).max_running if service.admission else 0
    if service.max_workers is not None and service.max_workers < running:
        yield (
            "max_workers",
            f"is {service.max_workers}, and admission lets {running} calls run",
            "leave one out, or let no more run than there are workers",
        )


def _absolute(config: Config, directory: Path) -> Config:
    """Paths of the file, made independent of who reads them from where."""

    def full(path: str | None) -> str | None:
        return None if path is None else str((directory / Path(path).expanduser()).resolve())

    def tls(found: Any) -> Any:
        if found is None:
            return None
        return found.model_copy(
            update={"cert": full(found.cert), "key": full(found.key), "ca": full(found.ca)}
        )

    services = {
        name: service.model_copy(
            update={
                "tls": tls(service.tls or config.tls) if service.address else None,
                "cwd": full(service.cwd),
            }
        )
        for name, service in config.services.items()
    }
    etcd = config.registry.etcd
    return config.model_copy(
        update={
            "runtime_dir": full(config.runtime_dir),
            "python_path": [full(path) for path in config.python_path],
            "tls": tls(config.tls),
            "registry": config.registry.model_copy(
                update={"etcd": etcd and etcd.model_copy(update={"tls": tls(etcd.tls)})}
            ),
            "observability": config.observability.model_copy(
                update={"log_file": full(config.observability.log_file)}
            ),
            "services": services,
        }
    )
