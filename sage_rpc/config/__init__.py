"""Configuration: YAML files, read with the place of everything in them and checked against a schema."""

from __future__ import annotations

try:
    from sage_rpc.config.document import ConfigError, Location, Problem
    from sage_rpc.config.load import json_schema, load_config
    from sage_rpc.config.policies import policies_of
    from sage_rpc.config.schema import Config, ServiceConfig
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] not in ("pydantic", "yaml"):
        raise
    raise ImportError(f"configuration needs {error.name}: pip install 'sage-rpc[serve]'") from error

__all__ = [
    "Config",
    "ConfigError",
    "Location",
    "Problem",
    "ServiceConfig",
    "json_schema",
    "load_config",
    "policies_of",
]
