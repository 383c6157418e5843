"""The service layer of asyncio: the manager, its proxies, its channels for generated clients.

What is decided, and when, is decided by the same code as for threads: `BaseManager` knows the services,
chains of senders know the policies, and a `LoopDriver` has the event loop drive them. Here is only what is
awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import Any

import grpc
from grpc import aio as stock_aio

from sage_rpc import errors
from sage_rpc.endpoints.aio import PooledChannel, check_metadata
from sage_rpc.endpoints.looping import LoopPool
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.policies.loop import LoopDriver
from sage_rpc.policies.settings import NO_FALLBACK, PoolPolicy
from sage_rpc.services.calls import ServiceCalls
from sage_rpc.services.channel import Once, method_of
from sage_rpc.services.manager import HEALTH_TIMEOUT, BaseManager, attempts_of
from sage_rpc.services.method import Method
from sage_rpc.services.proxies import Proxy
from sage_rpc.services.steps import arun
from sage_rpc.transport.options import message_options

__all__ = ["AioMethod", "ServiceManager", "ServiceProxy"]


class AioMethod(Method):
    """One method of one service, which is awaited: `await method(*args)`.

    The call begins when it is awaited, and ends, at the server too, when the task that awaits is cancelled.
    """

    __slots__ = ()

    async def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call, with the default timeout."""
        pool: Any = self._calls.pool
        if not pool.informed:
            await pool.learn()
        return await self._begin(args, kwargs, self.timeout)

    async def call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        fallback: Any = NO_FALLBACK,
    ) -> Any:
        """Call and wait at most `timeout` seconds; what failed gives `fallback`, if one is given."""
        pool: Any = self._calls.pool
        if not pool.informed:
            await pool.learn()
        return await self.start(args, kwargs, timeout, fallback)


class ServiceProxy(Proxy):
    """A service whose methods are awaited: `await proxy.get("k")`, or `await proxy("k", method="get")`."""

    def __getattr__(self, name: str) -> AioMethod:
        method = _method(self._calls, name)
        if self._calls.keeps(name):
            self.__dict__[name] = method
        return method

    async def __call__(
        self,
        *args: Any,
        method: str = "process",
        timeout: float | None = None,
        fallback: Any = NO_FALLBACK,
        **kwargs: Any,
    ) -> Any:
        """Call `method`.

        Args:
            args: of the method, as are `kwargs`.
            method: its name.
            timeout: seconds; None: what the policy says, or the manager.
            fallback: what a failed call gives instead: a value, or a function of the error, which may be a
                coroutine function.
        """
        found = _method(self._calls, method)
        return await found.call(args, kwargs, found.timeout if timeout is None else timeout, fallback)

    async def batch(
        self,
        method: str,
        items: Iterable[Any],
        *,
        timeout: float | None = None,
        return_errors: bool = False,
    ) -> list[Any]:
        """Call `method` once for each item, all in one round trip. -> the results, in order.

        Args:
            method: its name.
            items: each is the only argument of a call, or `sage_rpc.Arguments(...)`.
            timeout: seconds for the whole.
            return_errors: where a call raised, its error is in the list; otherwise the first one is raised.
        """
        await _learn(self._calls.pool)
        return await arun(self._calls.batch(method, items, timeout, return_errors=return_errors))

    async def batch_stream(
        self, method: str, items: Iterable[Any], *, timeout: float | None = None
    ) -> AsyncIterator[Any]:
        """The same, with results as they come; where a call raised, its error stands in its place."""
        calls, items = self._calls, list(items)
        calls.check_streamable(method)
        await _learn(calls.pool)
        if calls.pool.by_keys:  # the results of several endpoints have no common order to come in
            for result in await self.batch(method, items, timeout=timeout, return_errors=True):
                yield result
            return
        with calls.batch_stream(method, items, timeout) as (responses, results):
            async for response in responses:
                for result in results(response):
                    yield result


async def _learn(pool: Any) -> None:
    """Where the pool does not know its endpoints as they are now, have it look."""
    if not pool.informed:
        await pool.learn()


def _method(calls: ServiceCalls, name: str) -> AioMethod:
    found = calls.find(name)
    assert isinstance(found, AioMethod)  # noqa: S101 - for mypy; the manager has said so
    return found


class ServiceManager(BaseManager):
    """Calls services by name, from one event loop: the one that runs when it is first used.

    Args:
        endpoints: name -> target or targets of a plain-class service, or ServiceEndpoint.
        timeout: seconds a call may take where nothing else is said; None for no limit.
        options: options of the channels; messages up to 64 MiB pass where they say nothing.
        policies: name -> what holds for that service's calls.
        policy: what holds for the others.
        tracing: make spans of calls: True for OpenTelemetry's global tracer provider, or a `Tracing`.
        logger: where the manager logs.

    An asynchronous context manager. Everything but making it belongs to the thread of the loop.
    """

    _method = AioMethod
    _keeps_clients = True

    # -- calling

    def get_proxy(self, service_name: str) -> ServiceProxy:
        """The proxy whose methods are awaited.

        Raises:
            NotFound: no service of that name is registered.
            RuntimeError: no event loop runs, or another one than before.
        """
        return self._proxy(ServiceProxy, service_name)

    async def call_service(
        self, service_name: str, method_name: str, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        """Call a method and wait at most `timeout` seconds (None: the policy's, or the manager's default).

        Raises:
            TimeoutError: the deadline passed.
            ConnectionError: the service cannot be reached.
            RemoteError: the method raised.
            RpcError: any other failure.
        """
        return await self.get_proxy(service_name)(*args, method=method_name, timeout=timeout, **kwargs)

    async def call_with_retry(
        self,
        service_name: str,
        method_name: str,
        *args: Any,
        max_retries: int = 3,
        timeout: float | None = None,
        initial_backoff: float = 0.1,
        **kwargs: Any,
    ) -> Any:
        """Call a method, again after each failure: see `sage_rpc.ServiceManager.call_with_retry`."""
        attempts = attempts_of(max_retries, initial_backoff)
        while True:
            try:
                return await self.call_service(service_name, method_name, *args, timeout=timeout, **kwargs)
            except errors.RpcError as error:
                pause = attempts.after(error.code(), error.trailing_metadata())
                if pause is None:
                    raise
            await asyncio.sleep(pause)

    async def health_check_all_services(self, timeout: float = HEALTH_TIMEOUT) -> dict[str, str]:
        """Every service's state: see `sage_rpc.ServiceManager.health_check_all_services`."""
        await asyncio.gather(*(_learn(self._calls_of(name).pool) for name in self.services))
        return await arun(self._health(timeout))

    # -- generated clients

    def channel_of(self, service: str, name: str | None = None) -> grpc.aio.Channel:
        """A channel to the declared `service` (its full name), for generated clients and stubs.

        Its calls go to the service's pool, under its policies. It is the manager's to close.

        Raises:
            NotFound: no such service, or not of this name, is registered.
            ValueError: several are, and no name is given.
        """
        return self._channel_of(service, name)

    aio_channel_of = channel_of

    def own_channel_of(self, service: str) -> grpc.aio.Channel:
        """The same, of a manager that nobody else uses: closing the channel closes the manager."""
        channel = self._channel_of(service, None)
        channel.owned = self
        return channel

    def _channel_of(self, service: str, name: str | None) -> _ServiceChannel:
        name = self._name_of(service, name)
        calls = self._calls_of(name)
        channel: _ServiceChannel | None = self._channels.get(name)
        if channel is None:
            channel = self._channels[name] = _ServiceChannel(calls)
        return channel

    # -- life

    async def close(self) -> None:
        """Close the connections; calls under way end with CANCELLED. Nothing is left when this returns."""
        channels = list(self._channels.values())
        pools: list[Any] = self._shut()
        self.driver.end()
        for channel in channels:
            await channel.end()
        for pool in pools:
            await pool.aclose()

    async def __aenter__(self) -> ServiceManager:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        raise TypeError(f"{self!r} does not pickle, it belongs to an event loop: make one where it is needed")

    def _new_driver(self) -> LoopDriver:
        return LoopDriver()

    def _new_pool(self, name: str, resolver: Resolver, policy: PoolPolicy, asked: str) -> LoopPool:
        self.driver.check()
        return LoopPool(name, resolver, policy, asked, message_options(self._options))


class _ServiceChannel(PooledChannel):
    """A `grpc.aio.Channel` to a declared service by name; `services.channel` says which policies hold."""

    under_policies = True  # deadlines and errors are what generated clients promise, already

    def __init__(self, calls: ServiceCalls) -> None:
        super().__init__()
        self._calls = calls
        self.owned: ServiceManager | None = None  # closed with it

    @property
    def pool(self) -> Any:
        """The service's, which is another after some changes of its policy."""
        return self._calls.pool

    def once(self, kind: str, method: str) -> Once:
        """What the service's policies say about a method."""
        return Once(self._calls, kind, method)

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """As grpc.aio's."""
        usual = super().unary_unary(method, *codecs, **more)
        found = method_of(self._calls, method.rpartition("/")[2])
        return usual if found is None else _UnderPolicies(self._calls, found, usual)

    async def close(self, grace: float | None = None) -> None:
        """Nothing, where the connections are the manager's."""
        if self.owned is not None:
            await self.owned.close()

    async def __aexit__(self, *exc: object) -> None:
        await self.close()

    async def end(self) -> None:
        """End its calls."""
        await self._close(None)

    def __repr__(self) -> str:
        return f"<sage_rpc.aio.ServiceChannel {self._calls.name} {self._calls.pool!r}>"


class _UnderPolicies(stock_aio.UnaryUnaryMultiCallable[Any, Any]):
    """One request, one response: what the service's policies are for."""

    def __init__(self, calls: ServiceCalls, method: Method, usual: Any) -> None:
        self._calls = calls
        self._method = method
        self._usual = usual

    def __call__(
        self,
        request: Any,
        *,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        """As grpc.aio's; what it gives is a future of asyncio."""
        if not (credentials is wait_for_ready is compression is None):
            return self._usual(
                request,
                timeout=timeout,
                metadata=metadata,
                credentials=credentials,
                wait_for_ready=wait_for_ready,
                compression=compression,
            )
        given = tuple(metadata or ())
        check_metadata(given)
        if self._calls.pool.informed:
            return self._method.start_message(request, timeout, given)
        return asyncio.ensure_future(self._later(request, timeout, given))

    async def _later(self, request: Any, timeout: float | None, metadata: Any) -> Any:
        await _learn(self._calls.pool)
        return await self._method.start_message(request, timeout, metadata)
