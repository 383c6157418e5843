"""A method of a service as a proxy calls it, under its policies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from sage_rpc import errors
from sage_rpc.policies import effects
from sage_rpc.policies.cache import Cache
from sage_rpc.policies.settings import NO_FALLBACK, MethodPolicy, RetryPolicy
from sage_rpc.services.chain import Begin, Chain, Invoke, is_wrong_call
from sage_rpc.services.codec import Codec

if TYPE_CHECKING:
    from sage_rpc.services.calls import ServiceCalls

__all__ = ["Method"]


class Method:
    """One method of one service. `method(*args)` waits; `method.start(args, kwargs, timeout)` gives a future.

    Attributes:
        name: "service.method".
        timeout: seconds a call may take that says nothing else; None: no limit.
    """

    __slots__ = (
        *("__weakref__", "_begin", "_calls", "_chain", "_codec", "_for_metadata", "_given", "_invoke"),
        *("_generation", "_method", "_over", "cache", "name", "policy", "timeout"),
    )

    def __init__(
        self,
        calls: ServiceCalls,
        method: str,
        codec: Codec,
        cache: Cache | None = None,
        over: MethodPolicy | None = None,
        given: tuple[tuple[str, str | bytes], ...] | None = None,
    ) -> None:
        self._calls = calls
        self._method = method
        self._codec = codec
        self._over = over  # what holds besides
        self._given = given  # metadata that goes with every call
        self.name = codec.name
        self.cache = cache
        self.compile()

    def compile(self) -> None:
        """Put the policies as they are now into one callable."""
        calls = self._calls
        self._generation = calls.generation
        policy = calls.policy_of(self._method, self._codec)
        if self._over is not None:
            policy = self._over.over(policy)
            for field, why in effects.of_method(policy, calls.policy.pool, calls.timeout):
                calls.complain(f"{field} has no effect for {self._method}: {why}")
        self.policy = policy
        self.timeout = calls.timeout if policy.timeout is None else policy.timeout
        compiled = Chain(calls, self._method, self._codec, policy, self.cache)
        self.cache = compiled.cache
        self._chain = compiled
        self._for_metadata: Chain | None = None
        invoke, begin, given = compiled.invoke, compiled.begin, self._given
        if given is not None:
            call, start = self.with_metadata()
            self.cache = None
            invoke = lambda args, kwargs, timeout: call(args, kwargs, timeout, given)  # noqa: E731
            begin = lambda args, kwargs, timeout: start(args, kwargs, timeout, given)  # noqa: E731
        self._invoke: Invoke = invoke
        self._begin: Begin = begin

    def catch_up(self) -> None:
        """What was changed since `compile` holds, too: to be called once changes reach this method."""
        if self._generation != self._calls.generation:
            self.compile()

    def with_metadata(self) -> tuple[Invoke, Begin]:
        """What calls, and what starts calls, with arguments, timeout and metadata.

        All policies hold but two: a result that another call's metadata led to is nobody else's, so there
        is no cache, and a batch has room for the metadata of one call only, so there is none.
        """
        found = self._for_metadata
        if found is None:
            policy = replace(self.policy, cache=None, batch=None)
            found = Chain(self._calls, self._method, self._codec, policy, None)
            self._for_metadata = found
        return found.invoke, found.begin

    def start_message(self, request: Any, timeout: float | None, metadata: Any) -> Any:
        """Start a call with a request that is made already, as channels are given it. -> its future"""
        if timeout is None:
            timeout = self.timeout
        if not metadata:
            return self.start((request,), {}, timeout)
        return self.with_metadata()[1]((request,), {}, timeout, metadata)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call and wait, with the default timeout."""
        return self._invoke(args, kwargs, self.timeout)

    def call(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        fallback: Any = NO_FALLBACK,
    ) -> Any:
        """Call and wait at most `timeout` seconds; what failed gives `fallback`, if one is given."""
        if fallback is NO_FALLBACK:
            return self._invoke(args, kwargs, timeout)
        if self.policy.fallback is not NO_FALLBACK:
            return self.with_options(fallback=fallback).call(args, kwargs, timeout)
        try:
            return self._invoke(args, kwargs, timeout)
        except errors.RpcError as error:
            if is_wrong_call(error):
                raise
            return self._chain.fall_back(fallback, error)

    def start(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        fallback: Any = NO_FALLBACK,
    ) -> Any:
        """Call without waiting. -> the future, of the manager's kind."""
        if fallback is NO_FALLBACK:
            return self._begin(args, kwargs, timeout)
        if self.policy.fallback is not NO_FALLBACK:
            return self.with_options(fallback=fallback).start(args, kwargs, timeout)
        return self._chain.replaced(self._begin(args, kwargs, timeout), fallback)

    def with_options(
        self,
        *,
        timeout: float | None = None,
        fallback: Any = NO_FALLBACK,
        key: int | str | Callable[..., Any] | None = None,
        priority: int | None = None,
        retry: RetryPolicy | None = None,
        idempotent: bool | None = None,
        metadata: Sequence[tuple[str, str | bytes]] | None = None,
    ) -> Method:
        """The method with something else for some calls; keep it where it is used often.

        Args:
            timeout: seconds.
            fallback: what a failed call gives: a value, or a function of the error.
            key: what consistent hashing goes by.
            priority: among those that wait at the service.
            retry: after failures.
            idempotent: whether it may run twice.
            metadata: (key, value) pairs that go with every call; these are neither cached nor batched.
        """
        over = MethodPolicy(
            timeout=timeout,
            fallback=fallback,
            key=key,
            priority=priority,
            retry=retry,
            idempotent=idempotent,
        )
        given = None if metadata is None else tuple(metadata)
        return self._calls.follow(type(self)(self._calls, self._method, self._codec, self.cache, over, given))

    def invalidate(self, *args: Any, **kwargs: Any) -> None:
        """Forget the cached result of these arguments; of all, when there are none.

        Raises:
            ValueError: the method has no cache.
        """
        if self.cache is None:
            raise ValueError(f"{self.name} has no cache: its policy says nothing about one")
        if args or kwargs:
            self.cache.invalidate(args, kwargs)
        else:
            self.cache.invalidate()

    def __repr__(self) -> str:
        return f"<method {self.name}>"
