"""The columns of the suite: stock grpcio, which is the control, and ours over each transport.

A test asks for the fixture `column` (or for `rpc` or `serve`, which use it) and runs once per column. A
test which stock grpcio fails is wrong. Where ours differs today, `known_difference` marks the test for
that column, and docs/compatibility.md lists it.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
import pytest

import sage_rpc
from sage_rpc import native
from tests.conformance.differences import known_difference

__all__ = ["COLUMNS", "Column", "known_difference"]


@dataclass(frozen=True)
class Column:
    """One implementation of the API over one transport; `transport` is None for stock grpcio."""

    name: str
    transport: str | None

    @property
    def is_ours(self) -> bool:
        return self.transport is not None

    def options(self, options: Sequence[tuple[str, Any]]) -> list[tuple[str, Any]]:
        ours = [("sage_rpc.transport", self.transport)] if self.is_ours else []
        return [*options, *ours]

    def channel(
        self, target: str, options: Sequence[tuple[str, Any]] = (), compression: Any = None
    ) -> grpc.Channel:
        create = sage_rpc.insecure_channel if self.is_ours else grpc.insecure_channel
        return create(target, self.options(options), compression)

    def secure_channel(
        self, target: str, credentials: grpc.ChannelCredentials, options: Sequence[tuple[str, Any]] = ()
    ) -> grpc.Channel:
        """Security goes over gRPC, so nothing forces the memory queue here."""
        create = sage_rpc.secure_channel if self.is_ours else grpc.secure_channel
        return create(target, credentials, options)

    def server(
        self,
        pool: futures.Executor,
        handlers: Sequence[grpc.GenericRpcHandler] | None = None,
        interceptors: Sequence[grpc.ServerInterceptor] | None = None,
        options: Sequence[tuple[str, Any]] = (),
        maximum_concurrent_rpcs: int | None = None,
        compression: Any = None,
    ) -> grpc.Server:
        create = sage_rpc.server if self.is_ours else grpc.server
        return create(
            pool, handlers, interceptors, self.options(options), maximum_concurrent_rpcs, compression
        )

    def __str__(self) -> str:
        return self.name


COLUMNS = [
    pytest.param(Column("grpcio", None), id="grpcio"),
    pytest.param(Column("ours-grpc", "grpc"), id="ours-grpc"),
    pytest.param(
        Column("ours-shm", "shm"),
        id="ours-shm",
        marks=pytest.mark.skipif(not native.available(), reason="the native core is not built"),
    ),
]
