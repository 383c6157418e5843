"""Channels over a pool for asyncio: the twin of `channel.py`. They serve names and the asyncio manager alike.

grpc.aio makes its call objects at once, and an endpoint may have to be waited for. What stands between the
two in grpc.aio are interceptors: theirs are the calls that begin later. So the choice of an endpoint is the
last interceptor of every method, which makes the call on the endpoint's own channel and hands that out.

Everything here happens in the thread of the channel's event loop; what takes a moment is the pool's affair.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
import weakref
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Protocol

import grpc
from grpc import aio as stock_aio
from grpc.aio._channel import Channel as StockChannel
from grpc.aio._interceptor import StreamStreamCallResponseIterator, UnaryStreamCallResponseIterator

from sage_rpc import errors
from sage_rpc.discovery.directory import Directory
from sage_rpc.encoding.buffers import size_of
from sage_rpc.endpoints.looping import LoopPool
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.endpoints.subchannel import Callables, Subchannel
from sage_rpc.endpoints.targets import service_of_target
from sage_rpc.observe.stats import StreamRecord
from sage_rpc.observe.streams import CountedResponses
from sage_rpc.policies.settings import PoolPolicy
from sage_rpc.rpc.aio.channel import error_of
from sage_rpc.transport.base import IDLE

__all__ = ["DiscoveredChannel", "Once", "PooledChannel", "check_metadata"]

_NOWHERE = "unix:/dev/null/endpoints-have-their-own"  # of gRPC's native channel, which carries no call


class Once(Protocol):
    """What is said about the calls of a method that go to one endpoint, once."""

    def limit(self, timeout: float | None) -> float | None:
        """Seconds that a call may take."""

    def key(self, request: Any) -> Any:
        """What consistent hashing goes by."""

    def begin(self, request: Any, metadata: Any) -> tuple[StreamRecord | None, Any, Any]:
        """A call begins. -> what counts it, and request and metadata as they are sent."""


class PooledChannel(StockChannel):
    """A `grpc.aio.Channel` whose calls go to endpoints of a pool; of the loop in which it was made."""

    def __init__(
        self,
        compression: grpc.Compression | None = None,
        interceptors: Sequence[stock_aio.ClientInterceptor] | None = None,
    ) -> None:
        super().__init__(_NOWHERE, (), None, compression, interceptors)
        self.ending: set[asyncio.Task[None]] = set()  # what gives endpoints back

    @property
    def pool(self) -> Any:
        """A LoopPool."""
        raise NotImplementedError

    def once(self, kind: str, method: str) -> Once | None:
        """What is said about calls of a method; None: nothing."""
        return None

    # -- choosing

    async def choose(
        self, key: Any, deadline: float | None, wait: bool, tried: Sequence[Subchannel]
    ) -> Subchannel:
        """The endpoint of the next call, which must be given back to the pool.

        Args:
            key: what consistent hashing goes by.
            deadline: of time.monotonic; None for none.
            wait: for an endpoint to appear, rather than fail.
            tried: endpoints that could not be reached.

        Raises:
            AioRpcError: nobody serves, or nobody did in time.
            UsageError: the channel was closed.
        """
        pool = self.pool
        while True:
            self._check_open()
            generation = pool.generation
            try:
                if not pool.informed:
                    await pool.learn()
                    self._check_open()
                found: Subchannel = pool.take(key, tried)
                return found
            except errors.RpcError as error:
                if not wait:
                    raise _awaited(error) from None
            await self._news(generation, deadline)

    def _check_open(self) -> None:
        if self.pool.closed:
            raise stock_aio.UsageError("Channel is closed.")

    async def _news(self, generation: int, deadline: float | None) -> None:
        """Wait until `generation` of what is known is over."""
        changed = asyncio.Event()

        def tell() -> None:
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(changed.set)

        pool = self.pool
        pool.listen(tell)
        try:
            if pool.generation != generation:
                return  # it was over before anybody listened
            left = None if deadline is None else max(0.0, deadline - time.monotonic())
            await asyncio.wait_for(changed.wait(), left)
        except (TimeoutError, asyncio.TimeoutError):  # one class since Python 3.11
            raise _awaited(pool.none_in_time()) from None
        finally:
            pool.unlisten(tell)

    # -- grpc.aio.Channel

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """As grpc.aio's."""
        return self._choosing(super().unary_unary(method, *codecs, **more), "unary_unary", method)

    def unary_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        """As grpc.aio's."""
        return self._choosing(super().unary_stream(method, *codecs, **more), "unary_stream", method)

    def stream_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """As grpc.aio's."""
        return self._choosing(super().stream_unary(method, *codecs, **more), "stream_unary", method)

    def stream_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        """As grpc.aio's."""
        return self._choosing(super().stream_stream(method, *codecs, **more), "stream_stream", method)

    async def _close(self, grace: float | None) -> None:
        await super()._close(grace)
        if self.ending:
            await asyncio.wait(self.ending)

    def _choosing(self, multicallable: Any, kind: str, method: str) -> Any:
        codecs = multicallable._request_serializer, multicallable._response_deserializer
        last = _Choice(self, kind, method, *codecs, self.once(kind, method))
        multicallable._interceptors = [*(multicallable._interceptors or ()), last]
        return multicallable


class DiscoveredChannel(PooledChannel):
    """A channel to whatever serves `target` now."""

    def __init__(
        self,
        target: str,
        options: Sequence[tuple[str, Any]] | None = None,
        compression: grpc.Compression | None = None,
        interceptors: Sequence[stock_aio.ClientInterceptor] | None = None,
        directory: Directory | None = None,
    ) -> None:
        service = service_of_target(target)
        super().__init__(compression, interceptors)
        self._target = target
        self._resolver = Resolver((target,), directory)
        given = tuple(options or ()), compression
        self._pool = LoopPool(service, self._resolver, PoolPolicy(), service, *given)

    @property
    def pool(self) -> LoopPool:
        """Of its endpoints."""
        return self._pool

    @property
    def transport(self) -> str:
        """What carried the last call: "shm", "grpc", or "idle" before the first."""
        last = self.pool.last
        return IDLE if last is None else last.transport

    @property
    def transport_reason(self) -> str:
        """Why it did not travel over the memory queue."""
        last = self.pool.last
        return "" if last is None else str(last.channel.transport_reason)

    def __repr__(self) -> str:
        state = " closed" if self.pool.closed else ""
        return f"<sage_rpc.aio.DiscoveredChannel {self._target} {len(self.pool.endpoints)} endpoints{state}>"

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        """READY while somebody serves, else TRANSIENT_FAILURE."""
        if self.pool.closed:
            return grpc.ChannelConnectivity.SHUTDOWN
        if self._resolver.anybody_serves():
            return grpc.ChannelConnectivity.READY
        return grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Return when the state is another."""
        while True:
            generation = self._resolver.generation
            if await self._state() is not last_observed_state:
                return
            await self._news(generation, None)

    async def channel_ready(self) -> None:
        """Return when somebody serves."""
        while (state := await self._state()) is not grpc.ChannelConnectivity.READY:
            await self.wait_for_state_change(state)

    async def _state(self) -> grpc.ChannelConnectivity:
        return await self._loop.run_in_executor(None, self.get_state)

    async def _close(self, grace: float | None) -> None:
        if self.pool.closed:
            return
        await super()._close(grace)
        await self.pool.aclose()


class _Choice(
    stock_aio.UnaryUnaryClientInterceptor,
    stock_aio.UnaryStreamClientInterceptor,
    stock_aio.StreamUnaryClientInterceptor,
    stock_aio.StreamStreamClientInterceptor,
):
    """Makes the calls of one method on the channels of endpoints."""

    def __init__(
        self,
        channel: PooledChannel,
        kind: str,
        method: str,
        serializer: Any,
        deserializer: Any,
        once: Once | None,
    ) -> None:
        self._channel = channel
        self._once = once
        self._callables = Callables(kind, method, serializer, deserializer)

    def _limit(self, timeout: float | None) -> float | None:
        return timeout if self._once is None else self._once.limit(timeout)

    async def _begun(
        self, details: Any, request: Any, tried: Sequence[Subchannel] = ()
    ) -> tuple[Subchannel, Any]:
        """-> an endpoint, and the call that has begun there."""
        check_metadata(details.metadata)
        key = None if self._once is None else self._once.key(request)
        timeout = self._limit(details.timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        pool = self._channel.pool
        endpoint = await self._channel.choose(key, deadline, bool(details.wait_for_ready), tried)
        try:
            call = self._callables.on(endpoint, pool.endpoints)(
                request,
                timeout=None if deadline is None else max(0.0, deadline - time.monotonic()),
                metadata=details.metadata,
                credentials=details.credentials,
                wait_for_ready=details.wait_for_ready,
            )
        except BaseException:
            pool.give_back(endpoint, None)
            raise
        # It has the channel, which nobody else may hold any more once the endpoint has gone.
        call.add_done_callback(functools.partial(self._ended, endpoint, endpoint.channel))
        return endpoint, call

    def _ended(self, endpoint: Subchannel, channel: Any, call: Any) -> None:
        self._later(self._give_back(endpoint, channel, call))

    def _later(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(coroutine)
        ending = self._channel.ending
        ending.add(task)
        task.add_done_callback(ending.discard)

    async def _give_back(self, endpoint: Subchannel, channel: Any, call: Any) -> None:
        error: errors.RpcError | None = None
        try:
            error = await _error_of(call, channel)
        finally:
            self._channel.pool.give_back(endpoint, error)

    async def _recorded(self, details: Any, request: Any, begin: Callable[[Any, Any], Any]) -> Any:
        """The call that `begin` makes, counted where somebody counts."""
        if self._once is None:
            return (await begin(details, request))[1]
        record, request, metadata = self._once.begin(request, details.metadata)
        if record is None:
            return (await begin(details, request))[1]
        try:
            endpoint, call = await begin(details._replace(metadata=metadata), request)
        except BaseException as error:
            record.fail(error)
            raise
        record.carrier = endpoint
        wrap = _STREAMS.get(self._callables.kind)
        if wrap is None:
            call.add_done_callback(lambda ended: self._later(_count(record, ended, endpoint.channel)))
            return call
        responses = CountedResponses(call, record)
        told = weakref.ref(responses)
        call.add_done_callback(lambda ended: self._later(_tell(told, record, ended, endpoint.channel)))
        return wrap(call, responses)

    async def intercept_unary_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request: Any
    ) -> Any:
        """A call that never ran goes to another endpoint."""
        return await self._recorded(client_call_details, request, self._until_it_ran)

    async def _until_it_ran(self, details: Any, request: Any) -> tuple[Subchannel, Any]:
        tried: list[Subchannel] = []
        timeout = self._limit(details.timeout)
        details = details._replace(timeout=timeout)
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            endpoint, call = await self._begun(details, request, tried)
            tried.append(endpoint)
            try:
                await call.initial_metadata()  # or the end
            except BaseException:
                call.cancel()
                raise
            if not call.done():
                return endpoint, call
            error = await _error_of(call, endpoint.channel)
            if error is None or not self._channel.pool.elsewhere(error, tried):
                return endpoint, call
            if deadline is not None:
                details = details._replace(timeout=max(0.0, deadline - time.monotonic()))

    intercept_unary_stream = intercept_unary_unary

    async def intercept_stream_unary(
        self, continuation: Callable[..., Any], client_call_details: Any, request_iterator: Any
    ) -> Any:
        """As grpc.aio's."""
        return await self._recorded(client_call_details, request_iterator, self._begun)

    intercept_stream_stream = intercept_stream_unary


_STREAMS = {
    "unary_stream": UnaryStreamCallResponseIterator,
    "stream_stream": StreamStreamCallResponseIterator,
}


async def _count(record: StreamRecord, call: Any, channel: Any) -> None:
    """A call with one response has ended."""
    try:
        response = await call  # only then a call of grpc.aio is sure of its status
    except (grpc.RpcError, asyncio.CancelledError):
        record.end(await _error_of(call, channel))
    else:
        record.message_received(size_of(response))
        record.end(None)


async def _tell(
    responses: weakref.ref[CountedResponses], record: StreamRecord, call: Any, channel: Any
) -> None:
    """A stream of responses has ended."""
    error = await _error_of(call, channel)
    reading = responses()
    if reading is None:
        record.end(error)
    else:
        reading.over(error)


def check_metadata(metadata: Any) -> None:
    """Raise a TypeError where grpc.aio would do so in a task of its own, and leave those who wait to wait."""
    for key, value in metadata or ():
        if not isinstance(key, str) or not isinstance(value, (str, bytes)):
            raise TypeError(f"metadata is pairs of a str and a str or bytes, not {(key, value)!r}")


async def _error_of(call: Any, channel: Any) -> errors.RpcError | None:
    """How a call ended, which has; None: well."""
    code = await call.code()
    if code is grpc.StatusCode.OK:
        return None
    return error_of(call, code, await call.details() or "", await call.trailing_metadata() or (), channel)


def _awaited(error: errors.RpcError) -> stock_aio.AioRpcError:
    """`error` as grpc.aio raises it."""
    return stock_aio.AioRpcError(
        error.code(),
        stock_aio.Metadata(),
        stock_aio.Metadata(),
        error.details(),
        error.debug_error_string(),
    )
