"""What the client and the server program have in common: whose code runs, with which API, over what.

Everything that differs between grpcio and sage_rpc is in this file; the cases and the services are the same
code for both. Exit codes are one table for both programs.
"""

from __future__ import annotations

import argparse
from concurrent import futures
from enum import IntEnum
from typing import Any, NamedTuple

import grpc

import sage_rpc
from sage_rpc import native

IMPLEMENTATIONS = ("grpcio", "sage")
APIS = ("sync", "aio")
TRANSPORTS = ("grpc", "shm", "auto")

WORKERS = 16  # threads of a synchronous server


class Exit(IntEnum):
    """How the programs end; argparse has taken 2."""

    PASSED = 0
    FAILED = 1  # a case; or the server cannot listen
    USAGE = 2
    CANNOT = 3  # what was asked for is missing from this installation


class Side(NamedTuple):
    """One end: of IMPLEMENTATIONS, APIS and TRANSPORTS."""

    implementation: str
    api: str
    transport: str

    def why_not(self) -> str:
        """What this installation lacks for it, or ""."""
        if self.implementation == "grpcio":
            return ""
        if self.transport == "shm" and not native.available():
            return f"the native core is missing: {native.why_not()}"
        return ""

    def channel(self, target: str) -> Any:
        return self._module().insecure_channel(target, options=self._options())

    def carrier(self, channel: Any) -> str:
        """What carries the calls of `channel`: "shm", "grpc", or "idle" before its first one."""
        return "grpc" if self.implementation == "grpcio" else channel.transport

    def server(self) -> Any:
        # Two servers that share a port would take each other's calls.
        options = [*self._options(), ("grpc.so_reuseport", 0)]
        if self.api == "aio":
            return self._module().server(options=options)
        return self._module().server(futures.ThreadPoolExecutor(WORKERS), options=options)

    def _module(self) -> Any:
        if self.api == "aio":
            return grpc.aio if self.implementation == "grpcio" else sage_rpc.aio
        return grpc if self.implementation == "grpcio" else sage_rpc

    def _options(self) -> list[tuple[str, Any]]:
        return [] if self.implementation == "grpcio" else [("sage_rpc.transport", self.transport)]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--implementation", choices=IMPLEMENTATIONS, default="sage", help="default: sage")
    parser.add_argument("--api", choices=APIS, default="sync", help="default: sync")
    parser.add_argument(
        "--transport", choices=TRANSPORTS, default="auto", help="what may carry calls; default: auto"
    )


def side_of(parser: argparse.ArgumentParser, arguments: argparse.Namespace) -> Side:
    """The side that the arguments ask for; ends the program when it cannot be had."""
    side = Side(arguments.implementation, arguments.api, arguments.transport)
    if side.implementation == "grpcio" and side.transport == "shm":
        parser.error("--transport shm: grpcio knows gRPC only")
    if reason := side.why_not():
        parser.exit(Exit.CANNOT, f"{parser.prog}: {reason}\n")
    return side
