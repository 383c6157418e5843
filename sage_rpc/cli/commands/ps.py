"""`sage-rpc ps`: the service processes of this host."""

from __future__ import annotations

import argparse
from typing import Any

from sage_rpc.cli.commands.printing import CommandError, age, as_json, bytes_text, json_option, say, table
from sage_rpc.cli.commands.supervisors import all_supervisors
from sage_rpc.discovery import LocalRegistry, RegistryError
from sage_rpc.discovery.endpoint import SUPERVISOR

__all__ = ["add"]


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "ps",
        help="show the service processes of this host",
        description="Show the service processes of this host, supervised ones and others that have "
        "registered. "
        "Exit code 1 where one has been given up.",
    )
    json_option(parser)
    parser.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    rows: list[dict[str, Any]] = []
    with all_supervisors() as supervisors:
        for supervisor in supervisors:
            rows += [{"supervisor": supervisor.name, **row} for row in supervisor.ask("status")]
    pids = {row["pid"] for row in rows}
    try:
        services = LocalRegistry().discover_services()
    except RegistryError as error:
        raise CommandError(str(error)) from None
    for name, info in services.items():
        rows += [
            {
                "supervisor": "",
                "service": name,
                "number": 0,
                "state": endpoint.health,
                "pid": endpoint.pid,
                "uptime": 0.0,
                "restarts": 0,
                "target": endpoint.address,
                "rss": 0,
                "error": "",
            }
            for endpoint in info.endpoints
            if name != SUPERVISOR and endpoint.pid not in pids
        ]
    if arguments.json:
        say(as_json(rows))
    elif not rows:
        say("no service processes; sage-rpc serve FILE starts some")
    else:
        head = ("SUPERVISOR", "SERVICE", "NO", "STATE", "PID", "UP", "RESTARTS", "MEMORY", "LAST ERROR")
        say(
            table(
                head,
                [
                    (
                        row["supervisor"] or "-",
                        row["service"],
                        row["number"],
                        row["state"],
                        row["pid"] or "-",
                        age(row["uptime"]),
                        row["restarts"],
                        bytes_text(row["rss"]) if row["rss"] else "-",
                        row["error"],
                    )
                    for row in rows
                ],
            )
        )
    return 1 if any(row["state"] == "failed" for row in rows) else 0
