"""The columns of the asyncio suite: stock grpc.aio, which is the control, and `sage_rpc.aio` over each
transport.

They are those of tests/conformance, made of coroutines: a test asks for the fixture `column` (or for `rpc`
or `serve`, which use it) and runs once per column. A test which stock grpc.aio fails is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc import aio

import sage_rpc
from tests.conformance import columns as synchronous
from tests.conformance.differences import known_difference

__all__ = ["COLUMNS", "Column", "known_difference"]


@dataclass(frozen=True)
class Column(synchronous.Column):
    """One implementation of `grpc.aio` over one transport; `transport` is None for stock grpc.aio."""

    @property
    def synchronous(self) -> synchronous.Column:
        """The blocking API of the same implementation over the same transport."""
        return synchronous.Column(self.name, self.transport)

    @property
    def module(self) -> Any:
        """`grpc.aio` or `sage_rpc.aio`."""
        return sage_rpc.aio if self.is_ours else aio

    def channel(
        self,
        target: str,
        options: Sequence[tuple[str, Any]] = (),
        compression: Any = None,
        interceptors: Sequence[aio.ClientInterceptor] | None = None,
    ) -> aio.Channel:
        return self.module.insecure_channel(target, self.options(options), compression, interceptors)

    def secure_channel(
        self,
        target: str,
        credentials: grpc.ChannelCredentials,
        options: Sequence[tuple[str, Any]] = (),
        compression: Any = None,
        interceptors: Sequence[aio.ClientInterceptor] | None = None,
    ) -> aio.Channel:
        """Security goes over gRPC, so nothing forces the memory queue here."""
        return self.module.secure_channel(target, credentials, options, compression, interceptors)

    def server(
        self,
        migration_thread_pool: futures.Executor | None = None,
        handlers: Sequence[grpc.GenericRpcHandler] | None = None,
        interceptors: Sequence[aio.ServerInterceptor] | None = None,
        options: Sequence[tuple[str, Any]] = (),
        maximum_concurrent_rpcs: int | None = None,
        compression: Any = None,
    ) -> aio.Server:
        return self.module.server(
            migration_thread_pool,
            handlers,
            interceptors,
            self.options(options),
            maximum_concurrent_rpcs,
            compression,
        )

    def __str__(self) -> str:
        return self.name


COLUMNS = [
    pytest.param(Column(given.values[0].name, given.values[0].transport), id=given.id, marks=given.marks)
    for given in synchronous.COLUMNS
]
