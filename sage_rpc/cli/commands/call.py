"""`sage-rpc call`: one call from the command line, to a service by name or to any gRPC server."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.cli.commands.printing import CommandError, as_json, json_option, positive_seconds, say
from sage_rpc.cli.commands.services import discovered
from sage_rpc.endpoints.opening import insecure_channel
from sage_rpc.endpoints.subchannel import tls_of_environment
from sage_rpc.rpc.channel import secure_channel
from sage_rpc.services.asking import ask
from sage_rpc.transport.options import message_options

__all__ = ["add", "parse_arguments"]


def add(commands: Any) -> None:
    """Add the parser."""
    parser = commands.add_parser(
        "call",
        help="call a method",
        description="Call a method and print its result. SERVICE.METHOD is a service that discovery "
        "knows: a plain "
        "class, or a declared service by reflection. PACKAGE.SERVICE/METHOD is a method of any gRPC "
        "server, by "
        "reflection, at --target.",
        epilog="""examples: sage-rpc call cache.get '{"key": "k"}'; sage-rpc call cache.get '["k"]'; """
        """sage-rpc call --target localhost:50051 pkg.Greeter/Hello '{"name": "Ada"}'""",
    )
    parser.add_argument("method", help="SERVICE.METHOD, or PACKAGE.SERVICE/METHOD")
    parser.add_argument(
        "arguments",
        nargs="?",
        help="JSON: an object is arguments by name, a list arguments by position; - reads standard input",
    )
    parser.add_argument("--target", help="a gRPC server, instead of discovery")
    parser.add_argument("--secure", action="store_true", help="TLS to --target; see SAGE_RPC_TLS_CA")
    parser.add_argument("--timeout", type=positive_seconds, default=10.0, help="seconds (default 10)")
    json_option(parser)
    parser.set_defaults(run=_run)


def parse_arguments(text: str | None) -> Any:
    """What was given as JSON.

    Raises:
        CommandError: it is none.
    """
    if text is None:
        return None
    try:
        return json.loads(sys.stdin.read() if text == "-" else text)
    except (UnicodeDecodeError, RecursionError) as error:
        raise CommandError(f"the arguments are no JSON: {error}", 2) from None
    except json.JSONDecodeError as error:
        raise CommandError(
            f"the arguments are no JSON: {error.msg} at character {error.pos + 1}: quote them for the shell, "
            """as '{"key": "k"}'""",
            2,
        ) from None


def _run(arguments: argparse.Namespace) -> int:
    given = parse_arguments(arguments.arguments)
    try:
        if "/" in arguments.method:
            return _reflected(arguments, arguments.method, given)
        service, dot, method = arguments.method.rpartition(".")
        if not dot or not service or not method:
            raise CommandError(
                f"{arguments.method!r} names no method: write SERVICE.METHOD, or PACKAGE.SERVICE/METHOD", 2
            )
        if arguments.target is None:
            info = discovered().get(service)
            declared = next((e.declared for e in info.endpoints if e.declared), "") if info else ""
            if info is None:
                raise CommandError(
                    f"no service {service!r} is registered; registered: {', '.join(discovered()) or 'none'}"
                )
            if declared:
                arguments.target = f"sage:///{service}"
                return _reflected(arguments, f"{declared}/{method}", given)
        return _plain(arguments, service, method, given)
    except errors.RemoteError as error:
        raise CommandError(f"{arguments.method} raised {error.type_name}: {error.message}") from None
    except grpc.RpcError as error:
        raise CommandError(f"{error.code().name}: {error.details()}") from None
    except ValueError as error:
        raise CommandError(str(error)) from None


def _plain(arguments: argparse.Namespace, service: str, method: str, given: Any) -> int:
    target = arguments.target or f"sage:///{service}"
    options = message_options(None)
    if arguments.secure:
        credentials = tls_of_environment() or grpc.ssl_channel_credentials()
        channel = secure_channel(target, credentials, options)
    else:
        channel = insecure_channel(target, options)
    with channel:
        args, kwargs = _placed(given)
        _print(arguments, ask(channel, service, method, args, kwargs, timeout=arguments.timeout))
    return 0


def _placed(given: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if given is None:
        return (), {}
    if isinstance(given, dict):
        return (), given
    return (tuple(given) if isinstance(given, list) else (given,)), {}


def _reflected(arguments: argparse.Namespace, name: str, given: Any) -> int:
    if arguments.target is None:
        raise CommandError("PACKAGE.SERVICE/METHOD needs --target HOST:PORT", 2)
    from sage_rpc.cli.commands.reflection import Reflected

    service, _, method = name.strip("/").partition("/")
    with Reflected(arguments.target, secure=arguments.secure) as server:
        for response in server.call(server.method(service, method), given, arguments.timeout):
            _print(arguments, response)
    return 0


def _print(arguments: argparse.Namespace, value: Any) -> None:
    if isinstance(value, str) and not arguments.json:
        say(value)
    else:
        say(as_json(value))
