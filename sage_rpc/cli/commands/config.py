"""`sage-rpc config check|show|schema`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from sage_rpc.cli.commands.printing import CommandError, as_json, json_option, say

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the parsers."""
    parser = commands.add_parser(
        "config", help="check and show configurations", description="Check and show configurations."
    )
    kinds = parser.add_subparsers(metavar="WHAT", required=True)
    check = kinds.add_parser(
        "check",
        help="say what is wrong with a file",
        description="Say what is wrong with a configuration, with file, line and what to do. Exit code 1 "
        "where "
        "something is. With --full, classes are loaded and ports, certificates and directories are tried.",
    )
    check.add_argument("file", type=Path)
    check.add_argument("--full", action="store_true", help="check what only this host can tell, too")
    json_option(check)
    check.set_defaults(run=_check)
    show = kinds.add_parser(
        "show",
        help="show what a file means",
        description="Show a configuration as it is understood: includes merged, variables filled in, "
        "defaults "
        "applied.",
    )
    show.add_argument("file", type=Path)
    show.add_argument("--all", action="store_true", help="with what was left to its default")
    json_option(show)
    show.set_defaults(run=_show)
    schema = kinds.add_parser(
        "schema", help="print the JSON schema", description="Print the JSON schema of a configuration."
    )
    json_option(schema)
    schema.set_defaults(run=_schema)


def _loaded(file: Path) -> Any:
    try:
        from sage_rpc import config
    except ImportError as error:
        raise CommandError(str(error)) from None
    return config.load_config(file)


def _check(arguments: argparse.Namespace) -> int:
    from sage_rpc.config import ConfigError

    try:
        config = _loaded(arguments.file)
    except ConfigError as error:
        if arguments.json:
            problems = [{**p.where._asdict(), "text": p.text, "advice": p.advice} for p in error.problems]
            say(as_json({"ok": False, "problems": problems}))
            return 1
        raise CommandError(str(error)) from None
    found = list(_of_this_host(config)) if arguments.full else []
    if arguments.json:
        say(as_json({"ok": not found, "problems": [{"text": text} for text in found]}))
    elif found:
        raise CommandError("\n".join(found))
    else:
        say(f"{arguments.file}: {len(config.services)} services, nothing wrong")
    return 1 if found else 0


def _of_this_host(config: Any) -> Any:
    import sys

    from sage_rpc.supervisor import preflight
    from sage_rpc.supervisor.task import LoadError, load

    yield from preflight.problems(config)
    sys.path[:0] = config.python_path
    for name, service in config.services.items():
        named = (service.class_, service.servicer, service.access, service.tracing)
        for dotted in (name for name in named if isinstance(name, str)):
            try:
                load(dotted)
            except LoadError as error:
                yield f"services.{name}: {error}"


def _show(arguments: argparse.Namespace) -> int:
    from sage_rpc.config import ConfigError

    try:
        config = _loaded(arguments.file)
    except ConfigError as error:
        raise CommandError(str(error)) from None
    value = config.model_dump(
        mode="json", by_alias=True, exclude={"defaults"}, exclude_defaults=not arguments.all
    )
    if arguments.json:
        say(as_json(value))
    else:
        import yaml

        say(yaml.safe_dump(value, sort_keys=False, allow_unicode=True), end="")
    return 0


def _schema(_arguments: argparse.Namespace) -> int:
    try:
        from sage_rpc.config import json_schema
    except ImportError as error:
        raise CommandError(str(error)) from None
    say(as_json(json_schema()))
    return 0
