"""Configuration: YAML files, read with the place of everything in them and checked against a schema.

Its names are imported when they are asked for: a service's process needs its policies, and neither pydantic
nor YAML, whose imports would be a third of its start.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sage_rpc.config.document import ConfigError, Location, Problem
    from sage_rpc.config.load import json_schema, load_config
    from sage_rpc.config.manager import ConfiguredManager, manager_of
    from sage_rpc.config.policies import policies_of
    from sage_rpc.config.schema import Config, ServiceConfig

__all__ = [
    "Config",
    "ConfigError",
    "ConfiguredManager",
    "Location",
    "Problem",
    "ServiceConfig",
    "json_schema",
    "load_config",
    "manager_of",
    "policies_of",
]

_MODULES = {
    "Config": "schema",
    "ConfigError": "document",
    "ConfiguredManager": "manager",
    "Location": "document",
    "Problem": "document",
    "ServiceConfig": "schema",
    "json_schema": "load",
    "load_config": "load",
    "manager_of": "manager",
    "policies_of": "policies",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        return getattr(importlib.import_module(f"sage_rpc.config.{_MODULES[name]}"), name)
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("pydantic", "yaml"):
            raise
        raise ImportError(f"configuration needs {error.name}: pip install 'sage-rpc[serve]'") from error
