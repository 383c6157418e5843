"""Proxies: a service's methods as methods of a Python object.

`ServiceCallProxy` waits for results, `AsyncServiceCallProxy` gives futures. Both keep no state but the
methods they have met, so they may be shared between threads and kept for as long as their manager lives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sage_rpc.policies.future import ServiceFuture
from sage_rpc.policies.settings import NO_FALLBACK
from sage_rpc.services.calls import ServiceCalls
from sage_rpc.services.method import Method
from sage_rpc.services.steps import run

__all__ = ["AsyncServiceCallProxy", "Method", "Proxy", "ServiceCallProxy", "ServiceFuture"]


class Proxy:
    """A service by name, and those of its methods that were called."""

    def __init__(self, name: str, calls: ServiceCalls, remake: Callable[[str], object] | None = None) -> None:
        self._name = name
        self._calls = calls
        self._remake = remake  # a method of the manager, which pickles: by it the proxy does, too

    def __sage_rpc_allocate__(self, size: int) -> Any:
        """Shared memory for an argument, or None: see `sage_rpc.empty`."""
        alone = self._calls.pool.alone
        if alone is None or self._calls.service is not None:
            return None
        allocate = getattr(alone.channel, "__sage_rpc_allocate__", None)
        return None if allocate is None else allocate(size)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._remake is None:
            raise TypeError(f"{self!r} was made without a ServiceManager and does not pickle")
        return self._remake, (self._name,)


class ServiceCallProxy(Proxy):
    """A service whose methods wait: `proxy.get("k")`, or `proxy("k", method="get", timeout=2.0)`."""

    def __getattr__(self, name: str) -> Method:
        method = self._calls.find(name)
        if self._calls.keeps(name):
            self.__dict__[name] = method
        return method

    def __call__(
        self,
        *args: Any,
        method: str = "process",
        timeout: float | None = None,
        fallback: Any = NO_FALLBACK,
        **kwargs: Any,
    ) -> Any:
        """Call `method` and wait.

        Args:
            args: of the method, as are `kwargs`.
            method: its name.
            timeout: seconds; None: what the policy says, or the manager.
            fallback: what a failed call gives instead: a value, or a function of the error.
        """
        found = self._calls.find(method)
        return found.call(args, kwargs, found.timeout if timeout is None else timeout, fallback)

    def batch(
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
        return run(self._calls.batch(method, items, timeout, return_errors=return_errors))

    def batch_stream(
        self, method: str, items: Sequence[Any], *, timeout: float | None = None
    ) -> Iterator[Any]:
        """The same, with results as they come; where a call raised, its error stands in its place."""
        calls, items = self._calls, list(items)
        calls.check_streamable(method)
        if calls.pool.by_keys:  # the results of several endpoints have no common order to come in
            yield from self.batch(method, items, timeout=timeout, return_errors=True)
            return
        with calls.batch_stream(method, items, timeout) as (responses, results):
            for response in responses:
                yield from results(response)


class AsyncServiceCallProxy(Proxy):
    """A service whose methods give a `ServiceFuture` at once; spelled like ServiceCallProxy."""

    def __getattr__(self, name: str) -> Callable[..., ServiceFuture]:
        method = self._calls.find(name)

        def start(*args: Any, **kwargs: Any) -> ServiceFuture:
            future: ServiceFuture = method.start(args, kwargs, method.timeout)
            return future

        if self._calls.keeps(name):
            self.__dict__[name] = start
        return start

    def __call__(
        self,
        *args: Any,
        method: str = "process",
        timeout: float | None = None,
        fallback: Any = NO_FALLBACK,
        **kwargs: Any,
    ) -> ServiceFuture:
        """Start `method`; it ends after `timeout` seconds (None: what the policy says, or the manager)."""
        found = self._calls.find(method)
        future: ServiceFuture = found.start(
            args, kwargs, found.timeout if timeout is None else timeout, fallback
        )
        return future
