"""The pool of an event loop, and what its calls are to the senders.

The pool is the one of threads, but for what takes time: a loop goes by what is known, and whatever has to be
looked up or asked is done by a thread meanwhile. A multicallable of asyncio gets what that of threads has:
`future`, whose `Pending` calls back in the thread of the loop.
"""

from __future__ import annotations

import asyncio
import functools
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import grpc
from grpc import aio as stock_aio

from sage_rpc import errors, native
from sage_rpc.discovery.endpoint import Endpoint
from sage_rpc.endpoints.pool import Pool
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.endpoints.subchannel import CHECK, Dialer, Subchannel
from sage_rpc.native import core
from sage_rpc.policies.settings import PoolPolicy
from sage_rpc.rpc import aio
from sage_rpc.rpc.aio.channel import raised_by

__all__ = ["LoopDialer", "LoopPool"]


class LoopDialer(Dialer):
    """Makes asyncio channels, for the running loop."""

    def _open(self, endpoint: Endpoint, options: Any, credentials: Any, memory: str | None) -> Any:
        return _Channel(endpoint.address, options, credentials, self._compression, None, memory=memory)


class LoopPool(Pool):
    """A pool whose calls are made in one event loop.

    Args:
        service: its name, for errors.
        resolver: what its endpoints are.
        policy: which endpoint takes a call.
        asked: whom health is asked about.
        options: of the channels.
        compression: for calls over gRPC.
    """

    def __init__(
        self,
        service: str,
        resolver: Resolver,
        policy: PoolPolicy,
        asked: str,
        options: Sequence[tuple[str, Any]] = (),
        compression: grpc.Compression | None = None,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._learning: asyncio.Future[None] | None = None  # a thread is
        super().__init__(
            service,
            resolver,
            policy,
            LoopDialer(options, compression),
            asked,
        )

    def _begin(self) -> None:
        if self.policy.prefer_local and len(self._resolver.targets) > 1:
            self._begin_to_learn()  # which of them are local may have to be looked up
        else:
            super()._begin()

    def _learn(self) -> None:
        if self._generation != self._resolver.generation:
            self._begin_to_learn()

    def _begin_to_learn(self) -> asyncio.Future[None]:
        if self._learning is None:
            self._learning = self._loop.run_in_executor(None, self._refresh)
            self._learning.add_done_callback(self._learned)
        return self._learning

    def _learned(self, learning: asyncio.Future[None]) -> None:
        self._learning = None
        if not learning.cancelled():
            learning.exception()  # those who wait for it have it, too

    async def learn(self) -> None:
        """Know what there is to know now.

        Raises:
            RegistryError: the registry cannot be used at all.
        """
        late = self._learning is not None  # it may have looked before what is to be known was there
        await asyncio.shield(self._begin_to_learn())
        if late and not self.informed:
            await asyncio.shield(self._begin_to_learn())

    def _later(self, seconds: float, fn: Callable[[], None]) -> None:
        self._loop.call_soon_threadsafe(self._loop.call_later, seconds, fn)

    def _probe_round(self) -> float | None:
        return None if self._loop.is_closed() else super()._probe_round()

    def _ask(self, endpoint: Subchannel, timeout: float) -> Any:
        return asyncio.run_coroutine_threadsafe(self._asked(endpoint, timeout), self._loop)

    async def _asked(self, endpoint: Subchannel, timeout: float) -> bytes:
        answer: bytes = await endpoint.unary(CHECK, None, None)(self._question, timeout=timeout)
        return answer

    def forget_parent(self) -> None:
        """In a forked child: its loop is the parent's."""
        self._closed = self.closed = True

    async def aclose(self) -> None:
        """Close the connections; calls under way end with CANCELLED."""
        channels = self.end()
        for channel in channels:
            await channel.close()
        if self._learning is not None:
            await asyncio.wait([self._learning])
        prober = self._prober
        if prober is not None and prober.is_alive():  # its questions have ended with their channels
            await self._loop.run_in_executor(None, prober.join)


class _Channel(aio.Channel):
    """A channel whose unary multicallables have `future`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.awaiting: set[asyncio.Future[Any]] = set()  # tasks that wait for calls
        self._made: weakref.WeakSet[_Unary] = weakref.WeakSet()

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        made = _Unary(self, super().unary_unary(*args, **kwargs))
        self._made.add(made)
        return made

    async def _close(self, grace: float | None) -> None:
        for made in self._made:
            made.close()
        await super()._close(grace)
        if self.awaiting:
            await asyncio.wait(self.awaiting)


def _closed(*_args: Any, **_kwargs: Any) -> Any:
    raise stock_aio.UsageError("Channel is closed.")


class _Unary:
    __slots__ = ("__weakref__", "_call", "_channel")

    def __init__(self, channel: _Channel, call: stock_aio.UnaryUnaryMultiCallable) -> None:
        self._channel: Any = channel
        self._call: Any = call

    def close(self) -> None:
        """Let go of the channel: whoever keeps this does not keep that."""
        self._channel, self._call = None, _closed

    def __call__(self, request: Any, **rest: Any) -> stock_aio.UnaryUnaryCall:
        return self._call(request, **rest)

    def future(self, request: Any, timeout: float | None = None, metadata: Any = None) -> _Pending:
        try:
            return _Pending(self._channel, self._call(request, timeout=timeout, metadata=metadata))
        except stock_aio.UsageError:
            raise ValueError("Cannot invoke RPC on closed channel!") from None  # as threads have it


class _Pending:
    """A `sage_rpc.policies.sending.Pending`: a call of asyncio under way."""

    __slots__ = ("_call", "_cancelled", "_channel", "_ended", "_error", "_response")
    never_ran = None  # its error says so

    def __init__(self, channel: _Channel, call: stock_aio.UnaryUnaryCall[Any, Any]) -> None:
        self._channel = channel
        self._call = call
        self._cancelled = False
        self._response: Any = None
        self._error: BaseException | None = None
        # The native core's call has its response when it has ended; grpc.aio's, when somebody has awaited it.
        self._ended: Any = call
        if not (native.available() and type(call) is core.QuickCall):
            self._ended = asyncio.ensure_future(call)
            channel.awaiting.add(self._ended)
            self._ended.add_done_callback(functools.partial(_look, channel.awaiting))

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        self._ended.add_done_callback(lambda _ended: fn(self))

    def result(self, timeout: float | None = None) -> Any:
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._response

    def exception(self, timeout: float | None = None) -> BaseException | None:
        if self._response is None and self._error is None:
            if self._cancelled:
                raise grpc.FutureCancelledError
            if not self._ended.done():
                raise grpc.FutureTimeoutError
            self._look()
        return self._error

    def _look(self) -> None:
        try:
            self._response = _result_of(self._ended)
        except asyncio.CancelledError:
            raise grpc.FutureCancelledError from None
        except grpc.RpcError as error:
            self._error = raised_by(self._call, error, self._channel)
        except Exception as error:  # noqa: BLE001 - it is asked for
            self._error = error
        else:
            if self._response is None:  # grpc.aio has logged why
                text = "Exception deserializing response!"
                self._error = errors.rpc_error(grpc.StatusCode.INTERNAL, text)

    def cancel(self) -> bool:
        if self._cancelled or self._ended.done():
            return False
        self._cancelled = True
        return bool(self._call.cancel())


def _look(awaiting: set[asyncio.Future[Any]], ended: asyncio.Future[Any]) -> None:
    """Nobody may want to know how a call ended that was not the first."""
    awaiting.discard(ended)
    if not ended.cancelled():
        ended.exception()


def _result_of(ended: Any) -> Any:
    """The response of what has ended. Raises what it failed with."""
    if isinstance(ended, asyncio.Future):
        return ended.result()
    try:
        ended.__await__().send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("a call that has ended waits")
