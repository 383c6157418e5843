"""What wraps a call, compiled: everything that the policies of a method say is put into two functions, once.

The order, from the outside: fallback, cache, statistics and trace, then the senders: retry or hedging,
breaker, and the endpoint that the pool gives, or a batch.
"""

from __future__ import annotations

import asyncio
import contextvars
import time
from collections.abc import Callable
from concurrent import futures
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc

from sage_rpc import errors, serving
from sage_rpc.encoding import buffers
from sage_rpc.encoding.plain import BATCH_METHOD
from sage_rpc.encoding.plain import METHOD as PLAIN_METHOD
from sage_rpc.endpoints.pool import Pool
from sage_rpc.policies.batching import BatchCall, Coalescing, DeclaredBatch
from sage_rpc.policies.cache import ABANDONED, Cache
from sage_rpc.policies.future import completed
from sage_rpc.policies.sending import PRIORITY, CallMetadata, Routed, Series
from sage_rpc.policies.settings import NO_FALLBACK, MethodPolicy
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.services.codec import Codec, same
from sage_rpc.text.exceptions import text_of

if TYPE_CHECKING:
    from sage_rpc.services.calls import ServiceCalls

__all__ = ["Begin", "Chain", "FallbackError", "Invoke", "is_wrong_call", "key_function"]


# Takes (args, kwargs, timeout), and the call's own metadata if it has some and no cache.
Invoke = Callable[..., Any]


# The same; gives a future of the driver's.
Begin = Callable[..., Any]


class FallbackError(errors.RpcError):
    """The call failed, and so did its fallback, whose exception is the `__cause__`."""


class Chain:
    """The closures of one method under one policy."""

    def __init__(
        self, calls: ServiceCalls, method: str, codec: Codec, policy: MethodPolicy, cache: Cache | None
    ) -> None:
        self._codec = codec
        self._driver = calls.driver
        self._stats = calls.stats_of(method) if calls.policy.stats else None
        self._begin_span = (
            None
            if calls.tracing is None
            else calls.tracing.of_method(codec.service, codec.method, codec.system)
        )
        self._metadata: CallMetadata = ((PRIORITY, str(policy.priority)),) if policy.priority else None
        self._key_of = key_function(policy, calls.pool)
        self._pooled = (
            calls.pool.alone is None
        )  # calls go to different endpoints, maybe over different transports
        if policy.batch is not None:
            inner = calls.sender(
                BATCH_METHOD,
                invoke_pb2.BatchRequest.SerializeToString,
                invoke_pb2.BatchResponse.FromString,
                None,
            )
            place = calls.pool.place_of if calls.pool.by_keys else None
            batch: BatchCall | DeclaredBatch = BatchCall(calls.name, method)
            single = None
            if codec.path != PLAIN_METHOD:
                batch = DeclaredBatch(codec.service, codec.method, codec.encode, codec.response)
                single = calls.sender(codec.path, None, codec.deserializer, None)
            coalescing = Coalescing(batch, inner, policy.batch, single, place, calls.driver.call_later)
            self._codec = codec = _coalesced(codec)
            self._sender = calls.guard(coalescing, policy, None, self._stats)
        else:
            if policy.retry is not None or policy.hedging is not None:
                self._codec = codec = replace(codec, encode=_kept(codec.encode))
            self._sender = calls.guard(
                calls.sender(codec.path, codec.serializer, codec.deserializer, codec.check),
                policy,
                codec.check,
                self._stats,
            )
        self.cache: Cache | None = None
        exchange = self._exchange()
        decode = codec.decode

        def invoke(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, given: CallMetadata = None
        ) -> Any:
            return decode(exchange(args, kwargs, timeout, given))

        self.invoke: Invoke = invoke
        self.begin: Begin = self._begin
        if policy.cache is not None:
            if cache is None or cache.policy != policy.cache:
                cache = Cache(codec.name, policy.cache, codec.key)
            self.cache = cache
            if self._stats is not None:
                self._stats.cache = lambda: (cache.hits, cache.misses)
            self.invoke = self._cached(cache, exchange)
            self.begin = self._begin_cached(cache)
        if policy.fallback is not NO_FALLBACK:
            self.invoke = self._falling_back(self.invoke, policy.fallback)
            self.begin = self._begin_falling_back(self.begin, policy.fallback)

    def _exchange(self) -> Invoke:
        """Arguments -> response."""
        codec, stats, fixed = self._codec, self._stats, self._metadata
        encode, sent, received = codec.encode, codec.sent, codec.received
        send, key_of, current, clock = self._sender.send, self._key_of, serving.current, time.monotonic_ns
        begin_span, pooled = self._begin_span, self._pooled

        def exchange(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, given: CallMetadata = None
        ) -> Any:
            request = encode(args, kwargs)
            key: Any = None if key_of is None else key_of(args, kwargs)
            if pooled:
                key = Routed(key)
            metadata = fixed if given is None else joined(given, fixed)
            span = None
            if begin_span is not None:
                span = begin_span()
                metadata = joined(metadata, span.metadata)
            began = clock()
            if stats is not None:
                stats.begin()
            try:
                if current() is None:
                    response = send(request, timeout, metadata, key)
                else:
                    response = self._send_while_serving(request, timeout, metadata, key)
            except BaseException as error:
                code = error.code() if isinstance(error, errors.RpcError) else grpc.StatusCode.CANCELLED
                if stats is not None:
                    stats.end(began, code, sent(request), 0, key.transport if pooled else None)
                if span is not None:
                    span.end(error)
                raise
            if stats is not None:
                stats.end(began, None, sent(request), received(response), key.transport if pooled else None)
            if span is not None:
                span.end(None)
            return response

        return exchange

    def _send_while_serving(
        self, request: Any, timeout: float | None, metadata: CallMetadata, key: Any
    ) -> Any:
        """A call made while another is served ends with that: at its deadline, or when it is cancelled."""
        served = serving.current()
        assert served is not None  # noqa: S101 - for mypy; the caller has just looked
        pending = self._sender.start(request, serving.limit(timeout), metadata, key)
        served.watch(pending)
        try:
            response = pending.result()
        except grpc.FutureCancelledError:
            raise errors.rpc_error(
                grpc.StatusCode.CANCELLED, "cancelled with the call that was being served"
            ) from None
        except errors.RpcError:
            raise
        except grpc.RpcError as error:
            raise errors.from_grpc(error) from error
        except BaseException:
            pending.cancel()
            raise
        if self._codec.check is not None:
            self._codec.check(response)
        return response

    def _begin(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, given: CallMetadata = None
    ) -> Any:
        return self._started(args, kwargs, timeout, self._codec.decode, given)

    def _started(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        decode: Callable[[Any], Any],
        given: CallMetadata = None,
    ) -> Any:
        codec, stats = self._codec, self._stats
        metadata = self._metadata if given is None else joined(given, self._metadata)
        request = codec.encode(args, kwargs)
        key: Any = None if self._key_of is None else self._key_of(args, kwargs)
        pooled = self._pooled
        if pooled:
            key = Routed(key)
        span = None
        if self._begin_span is not None:
            span = self._begin_span()
            metadata = joined(metadata, span.metadata)
        began = time.monotonic_ns()
        if stats is not None:
            stats.begin()
        size = codec.sent(request)

        def conclude(response: Any, error: errors.RpcError | None) -> Any:
            if stats is not None:
                stats.end(
                    began,
                    None if error is None else error.code(),
                    size,
                    0 if error is not None else codec.received(response),
                    key.transport if pooled else None,
                )
            if span is not None:
                span.end(error)
            if error is not None:
                raise error
            return decode(response)

        try:
            pending = self._sender.start(request, serving.limit(timeout), metadata, key)
        except grpc.RpcError as error:  # it was refused here: the future says so
            failure = errors.from_grpc(error)
            return completed(lambda: conclude(None, failure), self._driver.future)
        served = serving.current()
        if served is not None:
            self._driver.watch(served, pending)
        return self._driver.future(pending, conclude, codec.check)

    # -- the cache

    def _cached(self, cache: Cache, exchange: Invoke) -> Invoke:
        copy, keep, received = self._codec.copy, self._codec.keep, self._codec.received
        key_of, get = cache.key_of, cache.get

        def cached(args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None) -> Any:
            key = key_of(args, kwargs)
            entry = get(key)
            if entry is not None:
                return entry.value if entry.simple else copy(entry.response)
            flight, ours, epoch = cache.board(key)
            if not ours:
                timeout = serving.limit(timeout)
                until = None if timeout is None else time.monotonic() + timeout
            while not ours:
                try:
                    response = flight.result(timeout)
                except errors.RpcError:
                    raise
                except (TimeoutError, futures.TimeoutError):  # one class since Python 3.11
                    raise self._not_ended() from None
                if response is not ABANDONED:
                    return copy(response)
                timeout = None if until is None else max(0.0, until - time.monotonic())
                flight, ours, epoch = cache.board(key, again=True)
            try:
                response = exchange(args, kwargs, timeout)
                value = copy(response)
            except BaseException as error:
                cache.crash(key, error)
                raise
            cache.land(key, epoch, keep(response), value, received(response))
            return value

        return cached

    def _begin_cached(self, cache: Cache) -> Begin:
        copy, keep, received = self._codec.copy, self._codec.keep, self._codec.received
        driver = self._driver

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None) -> Any:
            key = cache.key_of(args, kwargs)
            entry = cache.get(key)
            if entry is not None:
                return completed(lambda: entry.value if entry.simple else copy(entry.response), driver.future)
            flight, ours, epoch = cache.board(key)
            if ours:
                return fetch(key, epoch, args, kwargs, timeout)
            timeout = serving.limit(timeout)
            until = None if timeout is None else time.monotonic() + timeout
            following = _Following(copy)
            context = contextvars.copy_context()  # the leader may end in another call's

            def landed(done: Any) -> None:
                if following.done():
                    return
                if done.exception() is not None or done.result() is not ABANDONED:
                    following.settle(done)
                    return
                left = None if until is None else until - time.monotonic()
                flight, ours, epoch = cache.board(key, again=True)
                if ours:
                    following.lead(lambda: context.run(fetch, key, epoch, args, kwargs, left))
                else:
                    flight.add_done_callback(landed)

            flight.add_done_callback(landed)
            if timeout is not None and not following.done():
                driver.call_later(timeout, lambda: following.fail(self._not_ended()))
            served = serving.current()
            if served is not None:
                driver.watch(served, following)
            return driver.future(following)

        def fetch(
            key: Any, epoch: int, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None
        ) -> Any:
            def arrived(response: Any) -> Any:
                value = copy(response)
                cache.land(key, epoch, keep(response), value, received(response))
                return value

            def ended(future: Any) -> None:
                failure = (
                    errors.rpc_error(grpc.StatusCode.CANCELLED, "the call that fetched this was cancelled")
                    if future.cancelled()
                    else future.exception()
                )
                if failure is not None:
                    cache.crash(key, failure)

            try:
                fetching = self._started(args, kwargs, timeout, arrived)
            except BaseException as error:
                cache.crash(key, error)
                raise
            fetching.add_done_callback(ended)
            return fetching

        return begin

    def _not_ended(self) -> errors.RpcError:
        return errors.rpc_error(
            grpc.StatusCode.DEADLINE_EXCEEDED,
            f"another caller's call of {self._codec.name} with these arguments has not ended",
        )

    # -- the fallback

    def fall_back(self, fallback: Any, error: errors.RpcError) -> Any:
        """What a failed call gives instead.

        Raises:
            FallbackError: the fallback raised.
        """
        if self._stats is not None:
            self._stats.fell_back()
        if not callable(fallback):
            return fallback
        try:
            return fallback(error)
        except BaseException as failure:
            raise self._fallback_failed(error, failure) from failure

    def _fallback_failed(self, error: errors.RpcError, failure: BaseException) -> FallbackError:
        return FallbackError(
            error.code(),
            f"the fallback of {self._codec.name} raised {type(failure).__name__}: {text_of(failure)}; it "
            f"was called because the call had failed with {error.code().name}: {error.details()}",
        )

    async def _awaited(self, fallback: Any, error: errors.RpcError) -> Any:
        """What a fallback gives that is a coroutine, for asyncio alone."""
        try:
            return await fallback
        except Exception as failure:
            raise self._fallback_failed(error, failure) from failure

    def _falling_back(self, invoke: Invoke, fallback: Any) -> Invoke:
        def falling_back(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, *given: CallMetadata
        ) -> Any:
            try:
                return invoke(args, kwargs, timeout, *given)
            except errors.RpcError as error:
                if is_wrong_call(error):
                    raise
                return self.fall_back(fallback, error)

        return falling_back

    def _begin_falling_back(self, begin: Begin, fallback: Any) -> Begin:
        def falling_back(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, *given: CallMetadata
        ) -> Any:
            return self.replaced(begin(args, kwargs, timeout, *given), fallback)

        return falling_back

    def replaced(self, first: Any, fallback: Any) -> Any:
        """The future `first`, with what `fall_back` gives where it fails."""

        def fall_back(error: errors.RpcError) -> Any:
            given = self.fall_back(fallback, error)
            return asyncio.ensure_future(self._awaited(given, error)) if asyncio.iscoroutine(given) else given

        call = _Replaced(fall_back)
        call.lead(lambda: first)
        return self._driver.future(call)


class _OfFuture(Series):
    """A call that is, or comes to be, that of another future."""

    def lead(self, begin: Callable[[], Any]) -> None:
        """From now on it is the one that `begin` begins."""
        self._begin(begin)

    def done(self) -> bool:
        """Whether it has ended."""
        return self._over

    def _on_end(self, future: Any) -> None:
        with self._changed:
            if future not in self._live:
                return
            self._live.remove(future)
        if future.cancelled():
            self.cancel()
            return
        error = future.exception()
        self._attempt_ended(None if error is not None else future.result(), error)

    def _attempt_ended(self, response: Any, error: BaseException | None) -> None:
        self._finish(response, error)


class _Following(_OfFuture):
    """A call that waits for what another caller fetches.

    Args:
        copy: makes the result of the response that the other got.
    """

    def __init__(self, copy: Callable[[Any], Any]) -> None:
        super().__init__()
        self._copy = copy

    def settle(self, flight: Any) -> None:
        """The flight has ended."""
        try:
            self._finish(self._copy(flight.result()), None)
        except BaseException as error:  # noqa: BLE001 - it is for whoever holds the future
            self.fail(error)

    def fail(self, error: BaseException) -> None:
        """End with `error`, if this has not ended."""
        self._finish(None, error)

    def lead(self, begin: Callable[[], Any]) -> None:
        """The other has given up: this call fetches."""
        try:
            super().lead(begin)
        except BaseException as error:  # noqa: BLE001 - it is for whoever holds the future
            self.fail(error)


class _Replaced(_OfFuture):
    """A call with a fallback."""

    def __init__(self, fall_back: Callable[[errors.RpcError], Any]) -> None:
        super().__init__()
        self._fall_back: Callable[[errors.RpcError], Any] | None = fall_back

    def _attempt_ended(self, response: Any, error: BaseException | None) -> None:
        fall_back, self._fall_back = self._fall_back, None
        if fall_back is not None and isinstance(error, errors.RpcError) and not is_wrong_call(error):
            try:
                response, error = fall_back(error), None
            except BaseException as failure:  # noqa: BLE001 - it is for whoever holds the future
                error = failure
            if isinstance(response, asyncio.Future):
                self.lead(lambda: response)
                return
        self._finish(response, error)


def joined(first: CallMetadata, rest: CallMetadata) -> CallMetadata:
    return (*(first or ()), *(rest or ()))


def is_wrong_call(error: errors.RpcError) -> bool:
    """Whether the caller's own code is to blame: no fallback hides that."""
    return error.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED}


def key_function(policy: MethodPolicy, pool: Pool) -> Callable[[tuple[Any, ...], dict[str, Any]], Any] | None:
    """What gives the key of a call, where the balancing goes by keys."""
    if not pool.by_keys:
        return None
    key = policy.key
    if callable(key):
        return lambda args, kwargs: key(*args, **kwargs)
    if isinstance(key, str):
        first, *rest = key.split(".")

        def by_name(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if first in kwargs:
                found = kwargs[first]
            elif args and hasattr(args[0], first):  # a request of a declared service
                found = getattr(args[0], first)
            else:
                return None
            for name in rest:
                found = found[name] if isinstance(found, dict) else getattr(found, name)
            return found

        return by_name
    number = key or 0

    def by_number(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if number < len(args):
            return args[number]
        return next(iter(kwargs.values()), None) if not args and number == 0 else None

    return by_number


def _kept(encode: Callable[..., Any]) -> Callable[..., Any]:
    """`encode`, with nothing in the request that the caller may change before it is sent again."""

    def kept(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        request = encode(args, kwargs)
        return request.kept() if type(request) is buffers.WithBuffers else request

    return kept


def _coalesced(codec: Codec) -> Codec:
    """The codec of a method whose sender takes the encoded arguments of one call and gives its result."""
    plain = codec.path == PLAIN_METHOD
    return replace(
        codec,
        encode=codec.key if plain else codec.encode,
        check=None,
        decode=same,
        copy=same if plain else codec.copy,
        keep=same,
        sent=len,
        received=_unknown,
    )


def _unknown(_message: Any) -> int:
    return 0
