"""`sage-rpc restart`, `drain`, `reload` and `logs`: what a supervisor does when it is asked."""

from __future__ import annotations

import argparse
import re
from typing import Any

from sage_rpc.cli.commands.printing import CommandError, as_json, json_option, say
from sage_rpc.cli.commands.supervisors import all_supervisors, supervisor_of

__all__ = ["add"]

_POLL_SECONDS = 10.0


def add(commands: Any) -> None:
    """Add the parsers."""
    restart = commands.add_parser(
        "restart",
        help="replace the processes of a service, one by one",
        description="Replace the processes of a service one by one: each new one serves before the old one "
        "drains, so no call is lost. Exit code 1 where a new one does not start; the old ones go on.",
    )
    restart.add_argument("service")
    _name_option(restart)
    json_option(restart)
    restart.set_defaults(run=lambda arguments: _change(arguments, "restart"))

    drain = commands.add_parser(
        "drain",
        help="let processes finish their calls and end",
        description="Let the processes of a service, or one of them, finish their calls and end. "
        "sage-rpc restart brings them back.",
    )
    drain.add_argument("service", help="SERVICE, or SERVICE/NUMBER for one process")
    _name_option(drain)
    json_option(drain)
    drain.set_defaults(run=lambda arguments: _change(arguments, "drain"))

    reload = commands.add_parser(
        "reload",
        help="have a supervisor read its configuration again",
        description="Have the supervisors of this host read their configuration again and change only "
        "what has "
        "changed. Exit code 1 where one cannot be used; services go on as they were.",
    )
    _name_option(reload)
    json_option(reload)
    reload.set_defaults(run=_reload)

    logs = commands.add_parser(
        "logs", help="show what services printed", description="Show what services printed."
    )
    logs.add_argument("service", nargs="*", help="whose; default: all of this host")
    logs.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    logs.add_argument("-n", "--lines", type=int, default=100, help="begin with so many (default 100)")
    _name_option(logs)
    json_option(logs)
    logs.set_defaults(run=_logs)


def _name_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--name", help="of the supervisor, where several run")


def _change(arguments: argparse.Namespace, what: str) -> int:
    service, _, number = arguments.service.partition("/")
    if number and not re.fullmatch(r"\d+", number):
        raise CommandError(f"{number!r} is no number of a process", 2)
    with supervisor_of(service, arguments.name) as supervisor:
        said = supervisor.work(what, service, *([int(number)] if number else []))
    say(as_json({"done": said}, indent=None) if arguments.json else said)
    return 0


def _reload(arguments: argparse.Namespace) -> int:
    with all_supervisors(arguments.name) as supervisors:
        if not supervisors:
            raise CommandError("no supervisor runs on this host")
        done = {supervisor.name: supervisor.work("reload") for supervisor in supervisors}
    if arguments.json:
        say(as_json(done))
    else:
        for name, lines in done.items():
            for line in lines or ["nothing has changed"]:
                say(f"{name}: {line}")
    return 0


def _logs(arguments: argparse.Namespace) -> int:
    with all_supervisors(arguments.name) as supervisors:
        if not supervisors:
            raise CommandError("no supervisor runs on this host")
        wanted = [(s, [name for name in arguments.service if name in s.ask("services")]) for s in supervisors]
        chosen = [(s, names) for s, names in wanted if names or not arguments.service]
        if not chosen:
            raise CommandError(f"no service {arguments.service[0]!r} is supervised on this host")
        after: dict[Any, int] = {}
        wait, last = 0.0, arguments.lines
        try:
            while True:
                for supervisor, names in chosen:
                    lines = supervisor.ask(
                        "logs", names, after.get(supervisor, -1), wait, last, timeout=wait + 5.0
                    )
                    for sequence, service, text in lines:
                        after[supervisor] = sequence
                        line = {"supervisor": supervisor.name, "service": service, "text": text}
                        say(as_json(line, indent=None) if arguments.json else text)
                if not arguments.follow:
                    return 0
                wait, last = (_POLL_SECONDS if len(chosen) == 1 else 0.5), 5000
        except KeyboardInterrupt:
            return 0
