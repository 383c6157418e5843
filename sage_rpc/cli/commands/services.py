"""`sage-rpc list` and `sage-rpc health`: the services that discovery knows, or that a server offers."""

from __future__ import annotations

import argparse
from typing import Any

import grpc

from sage_rpc.cli.commands.printing import CommandError, as_json, json_option, positive_seconds, say, table
from sage_rpc.discovery import Endpoint, RegistryError, ServiceInfo, open_registry
from sage_rpc.discovery.endpoint import SUPERVISOR
from sage_rpc.endpoints.resolver import is_here
from sage_rpc.endpoints.subchannel import tls_of_environment
from sage_rpc.rpc.channel import Channel

__all__ = ["add"]

_HEALTH = "/grpc.health.v1.Health/Check"
_STATES = {b"": "unknown", b"\x08\x01": "serving", b"\x08\x02": "not serving", b"\x08\x03": "service unknown"}


def add(commands: Any) -> None:
    """Add the parsers."""
    listing = commands.add_parser(
        "list",
        help="show the services that can be called",
        description="Show the services that discovery knows, or with --target those that a gRPC server "
        "offers, "
        "by reflection, with their methods.",
    )
    listing.add_argument("--target", help="a gRPC server to ask, instead of discovery")
    json_option(listing)
    listing.set_defaults(run=_list)

    health = commands.add_parser(
        "health",
        help="ask services for their health",
        description="Ask every endpoint by grpc.health.v1. Exit code 1 where one does not serve.",
    )
    health.add_argument("service", nargs="*", help="whose; default: all that discovery knows")
    health.add_argument("--target", help="a gRPC server to ask, instead of discovery")
    health.add_argument(
        "--timeout", type=positive_seconds, default=2.0, help="seconds for each endpoint (default 2)"
    )
    json_option(health)
    health.set_defaults(run=_health)


def discovered() -> dict[str, ServiceInfo]:
    """What discovery knows, without our own services.

    Raises:
        CommandError: it knows nothing, because no registry can be used.
    """
    try:
        with open_registry() as registry:
            found = registry.discover_services()
    except (RegistryError, ValueError) as error:
        raise CommandError(str(error)) from None
    return {name: info for name, info in found.items() if name != SUPERVISOR}


def _list(arguments: argparse.Namespace) -> int:
    if arguments.target:
        from sage_rpc.cli.commands.reflection import Reflected

        with Reflected(arguments.target) as server:
            offered = server.services()
        if arguments.json:
            say(as_json(offered))
        else:
            for name, methods in offered.items():
                say(name)
                for method in methods:
                    say(f"  {method['name']}({method['request']}) -> {method['response']}")
        return 0
    services = discovered()
    rows = [
        {
            "service": name,
            "endpoints": len(info.endpoints),
            "serving": len(info.serving),
            "here": sum(is_here(e) for e in info.endpoints),
            "kind": next((e.declared for e in info.endpoints if e.declared), "plain class"),
            "version": ", ".join(sorted({e.version for e in info.endpoints if e.version})),
            "addresses": [e.address for e in info.endpoints],
        }
        for name, info in services.items()
    ]
    if arguments.json:
        say(as_json(rows))
    elif not rows:
        say("no services are registered")
    else:
        head = ("SERVICE", "SERVING", "ENDPOINTS", "BY MEMORY QUEUE", "KIND", "VERSION")
        say(
            table(
                head,
                [
                    (r["service"], r["serving"], r["endpoints"], r["here"], r["kind"], r["version"])
                    for r in rows
                ],
            )
        )
    return 0


def _health(arguments: argparse.Namespace) -> int:
    if arguments.target:
        endpoints = [Endpoint(arguments.target, arguments.target)]
    else:
        services = discovered()
        missing = [name for name in arguments.service if name not in services]
        if missing:
            known = ", ".join(services) or "none"
            raise CommandError(f"no service {missing[0]!r} is registered; registered: {known}")
        chosen = arguments.service or list(services)
        endpoints = [e for name in chosen for e in services[name].endpoints]
    rows = [{"service": e.service, "endpoint": e.address, **_ask(e, arguments.timeout)} for e in endpoints]
    if arguments.json:
        say(as_json(rows))
    elif not rows:
        say("no services are registered")
    else:
        head = ("SERVICE", "ENDPOINT", "HEALTH", "BY")
        say(table(head, [(r["service"], r["endpoint"], r["health"], r["transport"]) for r in rows]))
    return 0 if rows and all(r["health"] == "serving" for r in rows) else 1


def _ask(endpoint: Endpoint, timeout: float) -> dict[str, str]:
    try:
        credentials = (tls_of_environment() or grpc.ssl_channel_credentials()) if endpoint.secure else None
    except ValueError as error:
        raise CommandError(str(error)) from None
    memory = endpoint.memory if is_here(endpoint) else None
    with Channel(endpoint.address, None, None, credentials, memory=memory) as channel:
        try:
            answer = channel.unary_unary(_HEALTH)(b"", timeout=timeout)
        except grpc.RpcError as error:
            return {"health": f"{error.code().name}: {error.details()}", "transport": "-"}
        health = _STATES.get(bytes(answer), "unknown")
        if endpoint.health == "draining":
            health = "draining"
        return {"health": health, "transport": channel.transport}
