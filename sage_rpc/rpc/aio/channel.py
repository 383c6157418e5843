"""The asyncio channel: grpc.aio's own, over our transport (`sage_rpc.rpc.aio.transport`)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from grpc import aio as stock_aio
from grpc.aio._channel import Channel as StockChannel

from sage_rpc import errors, native
from sage_rpc.native import core
from sage_rpc.rpc.aio.transport import Transport
from sage_rpc.transport import grpc as stock
from sage_rpc.transport.base import SHM
from sage_rpc.transport.options import Options
from sage_rpc.transport.picker import Picker
from sage_rpc.transport.shm.connect import DEFAULT_RING_BYTES

__all__ = ["Channel", "error_of", "raised_by", "secure_channel"]


def secure_channel(
    target: str,
    credentials: grpc.ChannelCredentials,
    options: Sequence[tuple[str, Any]] | None = None,
    compression: grpc.Compression | None = None,
    interceptors: Sequence[stock_aio.ClientInterceptor] | None = None,
) -> Channel:
    """A channel to `target` with `grpc.aio.secure_channel`'s signature. gRPC carries its calls.

    Args:
        target: a gRPC target, for example "example.org:443".
        credentials: from `grpc.ssl_channel_credentials` and its kin.
        options: as of `insecure_channel`; with ("sage_rpc.transport", "shm") every call is refused.
        compression: for all calls.
        interceptors: as grpc.aio's.

    Raises:
        ValueError: an option of ours has a value that is not allowed.
    """
    return Channel(target, options, credentials, compression, interceptors)


def error_of(
    call: Any, code: grpc.StatusCode, details: str, trailing: Any, channel: Channel
) -> errors.RpcError:
    """How `call`, which was made on `channel`, failed; with whether it never ran."""
    raised = stock_aio.AioRpcError(code, stock_aio.Metadata(), stock_aio.Metadata(*trailing), details)
    return raised_by(call, raised, channel)


def raised_by(call: Any, raised: grpc.RpcError, channel: Channel) -> errors.RpcError:
    """What `call`, which was made on `channel`, raised, as one of the family; with whether it never ran."""
    never_ran = getattr(getattr(call, "_cython_call", call), "never_ran", None)
    if never_ran is not None:
        raised.never_ran = never_ran
    return errors.from_grpc(raised, channel)


class Channel(StockChannel):
    """A `grpc.aio.Channel` over the memory queue where it can be had, over gRPC elsewhere.

    Belongs to the event loop in which it was made, as grpc.aio's does. `memory`: as of `sage_rpc.Channel`.
    """

    _channel: Any  # grpc.aio keeps its native channel here; ours takes its place

    def __init__(
        self,
        target: str,
        options: Sequence[tuple[str, Any]] | None,
        credentials: grpc.ChannelCredentials | None,
        compression: grpc.Compression | None,
        interceptors: Sequence[stock_aio.ClientInterceptor] | None,
        *,
        memory: str | None = None,
    ) -> None:
        ours = Options(options, DEFAULT_RING_BYTES)
        native_credentials = None if credentials is None else credentials._credentials
        super().__init__(target, tuple(ours.grpc), native_credentials, compression, interceptors)
        self._target = target
        self._picker = Picker(
            target, ours, secure=credentials is not None and memory is None, endpoint=memory
        )
        self._channel = Transport(self._channel, self._picker, self._loop, self)

    def unary_unary(
        self,
        method: str,
        request_serializer: Callable[[Any], bytes] | None = None,
        response_deserializer: Callable[[bytes], Any] | None = None,
        _registered_method: bool | None = False,
    ) -> stock_aio.UnaryUnaryMultiCallable:
        usual = super().unary_unary(method, request_serializer, response_deserializer, _registered_method)
        services = self._picker.options.service_config
        if (
            self._unary_unary_interceptors
            or not native.available()
            or (services is not None and services.of(method) is not None)
        ):
            return usual
        layer: Transport = self._channel
        return core.QuickUnary(
            layer.shm, method, request_serializer, response_deserializer, usual, layer.send_again
        )

    async def _close(self, grace: float | None) -> None:
        # grpc.aio waits for the calls that it knows, then cancels them: let it know the quick ones, too.
        if not self._channel.closed():
            quick = self._channel.quick_calls()
            known = getattr(self, "_active_calls", None)
            if known is not None:
                known.update(quick)
            elif quick:  # grpcio before 1.81 looks for its own calls among the tasks
                self._channel.closing()
                grace = await self._end(quick, grace)
        await super()._close(grace)

    async def _end(self, calls: list[Any], grace: float | None) -> float | None:
        """Give `calls` their grace, in seconds, and cancel them. -> what is left of it."""
        began = self._loop.time()
        ends = [self._loop.create_task(call.code()) for call in calls if not call.done()]
        if grace and ends:
            await asyncio.wait(ends, timeout=grace)
            grace = max(0.0, grace - (self._loop.time() - began))
        for call in calls:
            call.cancel()
        return grace

    def __del__(self) -> None:
        layer: Transport | None = getattr(self, "_channel", None)
        if layer is None or layer.closed():
            return
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            if self._loop.is_running():  # perhaps in another thread, perhaps in the middle of reading
                self._loop.call_soon_threadsafe(layer.close)
            else:
                layer.close()

    @property
    def transport(self) -> str:
        """What carries calls now: "shm", "grpc", or "idle" before the first call."""
        return str(self._channel.name)

    @property
    def transport_reason(self) -> str:
        """Why calls do not travel over the memory queue; "" when they do or nothing was tried."""
        return "" if self.transport == SHM else self._picker.reason

    @property
    def connected_over_grpc(self) -> bool:
        """Whether gRPC has a connection to the target now."""
        return stock.connected(self._channel.stock)

    def __repr__(self) -> str:
        closed = " closed" if self._channel.closed() else ""
        return f"<sage_rpc.aio.Channel {self._target} transport={self.transport}{closed}>"

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(
            f"the asyncio channel to {self._target} does not pickle, it belongs to an event loop: send the "
            "target, and call sage_rpc.aio.insecure_channel in the loop that is to use it"
        )
