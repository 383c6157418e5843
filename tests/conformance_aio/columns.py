"""The columns of the asyncio suite: stock grpc.aio, which is the control, and `sage_rpc.aio` over each
transport.

They are those of tests/conformance, made of coroutines: a test asks for the fixture `column` (or for `rpc`
or `serve`, which use it) and runs once per column. A test which stock grpc.aio fails is wrong.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Sequence
from concurrent import futures
from dataclasses import dataclass
from typing import Any

import grpc
import pytest
from grpc import aio

from sage_rpc import native
from tests.conformance import columns as synchronous
from tests.conformance.differences import known_difference

__all__ = ["COLUMNS", "Column", "known_difference"]

OURS_EXISTS = importlib.util.find_spec("sage_rpc.aio") is not None


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
        return importlib.import_module("sage_rpc.aio") if self.is_ours else aio

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


exists = pytest.mark.skipif(not OURS_EXISTS, reason="there is no sage_rpc.aio yet")
built = pytest.mark.skipif(not native.available(), reason="the native core is not built")
COLUMNS = [
    pytest.param(Column("grpcio", None), id="grpcio"),
    pytest.param(Column("ours-grpc", "grpc"), id="ours-grpc", marks=exists),
    pytest.param(Column("ours-shm", "shm"), id="ours-shm", marks=[exists, built]),
]
