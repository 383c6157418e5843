"""Methods of services, compiled: everything that the policies of a method say is put into one callable, once.

A `Method` is what a proxy calls. What differs between plain classes and declared services stands in a
`Codec`: how arguments become a request, and a response a result. The order of what wraps a call, from the
outside: fallback, cache, statistics and
trace, then the senders: retry or hedging, breaker, and the endpoint that the pool gives, or a batch.
"""

from __future__ import annotations

import contextvars
import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message import EncodeError

from sage_rpc import errors, serving
from sage_rpc.encoding import buffers, messages, values
from sage_rpc.encoding.plain import BATCH_METHOD, BATCH_STREAM_METHOD
from sage_rpc.encoding.plain import METHOD as PLAIN_METHOD
from sage_rpc.endpoints.pool import Pool, Pooled
from sage_rpc.observe.stats import CallStats
from sage_rpc.policies.batching import (
    Arguments,
    BatchCall,
    Coalescing,
    DeclaredBatch,
    stream_results,
)
from sage_rpc.policies.breaker import Breaker, Breaking
from sage_rpc.policies.cache import ABANDONED, Cache
from sage_rpc.policies.future import ServiceFuture, completed
from sage_rpc.policies.hedging import Hedging
from sage_rpc.policies.retry import RetryBudget, Retrying
from sage_rpc.policies.sending import PRIORITY, Direct, Metadata, Routed, Sender
from sage_rpc.policies.settings import (
    NO_FALLBACK,
    BatchPolicy,
    CachePolicy,
    MethodPolicy,
    RetryPolicy,
    ServicePolicy,
)
from sage_rpc.policies.sources import proto
from sage_rpc.policies.timer import timer
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.text.exceptions import text_of
from sage_rpc.text.foreign import shown, similar

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["Codec", "FallbackError", "Method", "ServiceCalls"]


# Takes (args, kwargs, timeout), and the call's own metadata if it has some and no cache.
_Invoke = Callable[..., Any]
_Begin = Callable[..., ServiceFuture]


class FallbackError(errors.RpcError):
    """The call failed, and so did its fallback, whose exception is the `__cause__`."""


_NOTHING_SAID = MethodPolicy()


@dataclass(frozen=True)
class Codec:
    """One method of one service, on the wire.

    Attributes:
        service: its full name, as spans and statistics call it.
        method: its name there.
        name: both, for errors.
        path: "/package.Service/Method".
        serializer: of requests; None: they are bytes.
        deserializer: of responses.
        encode: arguments -> request.
        check: raises the error that a response may carry inside; None: it carries none.
        decode: response -> result.
        copy: the same, of a response that others keep.
        keep: a response that may be kept for long.
        sent: bytes of a request.
        received: bytes of a response.
        key: bytes that stand for arguments.
        declared: what the declaration says about calling it.
        response: the class of responses of a declared service.
    """

    service: str
    method: str
    name: str
    path: str
    serializer: Any
    deserializer: Any
    encode: Callable[[tuple[Any, ...], dict[str, Any]], Any]
    check: Callable[[Any], None] | None
    decode: Callable[[Any], Any]
    copy: Callable[[Any], Any]
    keep: Callable[[Any], Any]
    sent: Callable[[Any], int]
    received: Callable[[Any], int]
    key: Callable[[tuple[Any, ...], dict[str, Any]], bytes]
    declared: MethodPolicy = _NOTHING_SAID
    response: Any = None

    @property
    def system(self) -> str:
        """As OpenTelemetry calls it."""
        return "sage_rpc" if self.path.startswith("/sage.rpc.v1.Invocation/") else "grpc"


class Method:
    """One method of one service. `method(*args)` waits; `method.start(args, kwargs, timeout)` gives a future.

    Attributes:
        name: "service.method".
        timeout: seconds a call may take that says nothing else; None: no limit.
    """

    __slots__ = (
        *("_begin", "_calls", "_codec", "_fall_back", "_for_metadata", "_invoke", "_method"),
        *("cache", "name", "policy", "timeout"),
    )

    def __init__(self, calls: ServiceCalls, method: str, codec: Codec) -> None:
        self._calls = calls
        self._method = method
        self._codec = codec
        self.name = codec.name
        self.cache: Cache | None = None
        self.compile()

    def compile(self, over: MethodPolicy | None = None) -> None:
        """Put the policies as they are now into one callable.

        Args:
            over: what holds besides.
        """
        calls = self._calls
        policy = calls.policy_of(self._method, self._codec)
        if over is not None:
            policy = over.over(policy)
        self.policy = policy
        self.timeout = calls.timeout if policy.timeout is None else policy.timeout
        compiled = _Compiled(calls, self._method, self._codec, policy, self.cache)
        self.cache = compiled.cache
        self._invoke: _Invoke = compiled.invoke
        self._begin: _Begin = compiled.begin
        self._fall_back = compiled.fall_back
        self._for_metadata: _Compiled | None = None

    def with_metadata(self) -> tuple[_Invoke, _Begin]:
        """What calls, and what starts calls, with arguments, timeout and metadata.

        All policies hold but two: a result that another call's metadata led to is nobody else's, so there
        is no cache, and a batch has room for the metadata of one call only, so there is none.
        """
        found = self._for_metadata
        if found is None:
            policy = replace(self.policy, cache=None, batch=None)
            found = _Compiled(self._calls, self._method, self._codec, policy, None)
            self._for_metadata = found
        return found.invoke, found.begin

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
            if _is_wrong_call(error):
                raise
            return self._fall_back(fallback, error)

    def start(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        fallback: Any = NO_FALLBACK,
    ) -> ServiceFuture:
        """Call without waiting."""
        if fallback is NO_FALLBACK:
            return self._begin(args, kwargs, timeout)
        if self.policy.fallback is not NO_FALLBACK:
            return self.with_options(fallback=fallback).start(args, kwargs, timeout)
        return _Replaced(self._begin(args, kwargs, timeout), lambda error: self._fall_back(fallback, error))

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
        other = object.__new__(Method)
        other._calls, other._method, other._codec = self._calls, self._method, self._codec
        other.name = self.name
        other.cache = self.cache
        other.compile(
            MethodPolicy(
                timeout=timeout,
                fallback=fallback,
                key=key,
                priority=priority,
                retry=retry,
                idempotent=idempotent,
            )
        )
        if metadata is not None:
            call, start = other.with_metadata()
            given = tuple(metadata)
            other.cache = None
            other._invoke = lambda args, kwargs, timeout: call(args, kwargs, timeout, given)
            other._begin = lambda args, kwargs, timeout: start(args, kwargs, timeout, given)
        return other

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


class _Compiled:
    """The closures of one method under one policy."""

    def __init__(
        self, calls: ServiceCalls, method: str, codec: Codec, policy: MethodPolicy, cache: Cache | None
    ) -> None:
        self._codec = codec
        self._stats = calls.stats_of(method) if calls.policy.stats else None
        self._begin_span = (
            None
            if calls.tracing is None
            else calls.tracing.of_method(codec.service, codec.method, codec.system)
        )
        self._metadata: Metadata = ((PRIORITY, str(policy.priority)),) if policy.priority else None
        self._key_of = _key_function(policy, calls.pool)
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
            if codec.path == PLAIN_METHOD:
                coalescing = Coalescing(BatchCall(calls.name, method), inner, policy.batch, place=place)
            else:
                batch = DeclaredBatch(codec.service, codec.method, codec.encode, codec.response)
                single = calls.sender(codec.path, None, codec.deserializer, None)
                coalescing = Coalescing(batch, inner, policy.batch, single, place)
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
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, given: Metadata = None
        ) -> Any:
            return decode(exchange(args, kwargs, timeout, given))

        self.invoke: _Invoke = invoke
        self.begin: _Begin = self._begin
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

    def _exchange(self) -> _Invoke:
        """Arguments -> response."""
        codec, stats, fixed = self._codec, self._stats, self._metadata
        encode, sent, received = codec.encode, codec.sent, codec.received
        send, key_of, current, clock = self._sender.send, self._key_of, serving.current, time.monotonic_ns
        begin_span, pooled = self._begin_span, self._pooled

        def exchange(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, given: Metadata = None
        ) -> Any:
            request = encode(args, kwargs)
            key: Any = None if key_of is None else key_of(args, kwargs)
            if pooled:
                key = Routed(key)
            metadata = fixed if given is None else _joined(given, fixed)
            span = None
            if begin_span is not None:
                span = begin_span()
                metadata = _joined(metadata, span.metadata)
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

    def _send_while_serving(self, request: Any, timeout: float | None, metadata: Metadata, key: Any) -> Any:
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
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        given: Metadata = None,
    ) -> ServiceFuture:
        return self._started(args, kwargs, timeout, self._codec.decode, given)

    def _started(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        timeout: float | None,
        decode: Callable[[Any], Any],
        given: Metadata = None,
    ) -> ServiceFuture:
        codec, stats = self._codec, self._stats
        metadata = self._metadata if given is None else _joined(given, self._metadata)
        request = codec.encode(args, kwargs)
        key: Any = None if self._key_of is None else self._key_of(args, kwargs)
        pooled = self._pooled
        if pooled:
            key = Routed(key)
        span = None
        if self._begin_span is not None:
            span = self._begin_span()
            metadata = _joined(metadata, span.metadata)
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
            return completed(lambda: conclude(None, failure))
        served = serving.current()
        if served is not None:
            served.watch(pending)
        return ServiceFuture(pending, conclude, codec.check)

    # -- the cache

    def _cached(self, cache: Cache, exchange: _Invoke) -> _Invoke:
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

    def _begin_cached(self, cache: Cache) -> _Begin:
        copy, keep, received = self._codec.copy, self._codec.keep, self._codec.received

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None) -> ServiceFuture:
            key = cache.key_of(args, kwargs)
            entry = cache.get(key)
            if entry is not None:
                return completed(lambda: entry.value if entry.simple else copy(entry.response))
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
                if not ours:
                    flight.add_done_callback(landed)
                    return
                try:
                    following.lead(context.run(fetch, key, epoch, args, kwargs, left))
                except BaseException as error:  # noqa: BLE001 - it is for whoever holds the future
                    following.fail(error)

            flight.add_done_callback(landed)
            if timeout is not None and not following.done():
                timer.call_later(timeout, lambda: following.fail(self._not_ended()))
            served = serving.current()
            if served is not None:
                served.watch(following)
            return following

        def fetch(
            key: Any, epoch: int, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None
        ) -> ServiceFuture:
            def arrived(response: Any) -> Any:
                value = copy(response)
                cache.land(key, epoch, keep(response), value, received(response))
                return value

            def ended(future: ServiceFuture) -> None:
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
            fetching.add_done_callback(ended)  # type: ignore[arg-type] # it is called with itself
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
            raise FallbackError(
                error.code(),
                f"the fallback of {self._codec.name} raised {type(failure).__name__}: {text_of(failure)}; it "
                f"was called because the call had failed with {error.code().name}: {error.details()}",
            ) from failure

    def _falling_back(self, invoke: _Invoke, fallback: Any) -> _Invoke:
        def falling_back(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, *given: Metadata
        ) -> Any:
            try:
                return invoke(args, kwargs, timeout, *given)
            except errors.RpcError as error:
                if _is_wrong_call(error):
                    raise
                return self.fall_back(fallback, error)

        return falling_back

    def _begin_falling_back(self, begin: _Begin, fallback: Any) -> _Begin:
        def falling_back(
            args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None, *given: Metadata
        ) -> ServiceFuture:
            first = begin(args, kwargs, timeout, *given)
            return _Replaced(first, lambda error: self.fall_back(fallback, error))

        return falling_back


class _Following(ServiceFuture):
    """The future of a call that waits for what another caller fetches.

    Args:
        copy: makes the result of the response that the other got.
    """

    def __init__(self, copy: Callable[[Any], Any]) -> None:
        super().__init__(None)
        self._copy = copy
        self._fetching: ServiceFuture | None = None  # once this is the leader

    def settle(self, flight: Any) -> None:
        """The flight has ended."""
        try:
            value = self._copy(flight.result())
        except BaseException as error:  # noqa: BLE001 - it is for whoever holds the future
            self.fail(error)
        else:
            if self._claim.acquire(blocking=False):
                self.set_result(value)

    def lead(self, fetching: ServiceFuture) -> None:
        """The other has given up: this call fetches."""
        self._fetching = fetching
        fetching.add_done_callback(self._fetched)
        if self.done():  # it was cancelled meanwhile
            fetching.cancel()

    def _fetched(self, fetching: Any) -> None:
        if not self._claim.acquire(blocking=False):
            return
        if fetching.cancelled():
            self._finish_cancelled()
        elif fetching.exception() is not None:
            self.set_exception(fetching.exception())
        else:
            self.set_result(fetching.result())

    def fail(self, error: BaseException) -> None:
        """End with `error`, if this has not ended."""
        if self._claim.acquire(blocking=False):
            self.set_exception(error)

    def cancel(self) -> bool:
        if self._fetching is not None:
            return self._fetching.cancel()
        if not self._claim.acquire(blocking=False):
            return False
        self._finish_cancelled()
        return True


class _Replaced(ServiceFuture):
    """The future of a call with a fallback."""

    def __init__(self, first: ServiceFuture, fall_back: Callable[[errors.RpcError], Any]) -> None:
        super().__init__(None)
        self._first = first
        self._fall_back = fall_back
        first.add_done_callback(self._first_ended)

    def _first_ended(self, first: Any) -> None:
        if first.cancelled():
            self._finish_cancelled()
            return
        error = first.exception()
        if isinstance(error, errors.RpcError) and not _is_wrong_call(error):
            try:
                result = self._fall_back(error)
            except BaseException as failure:  # noqa: BLE001 - it is for whoever holds the future
                self.set_exception(failure)
            else:
                self.set_result(result)
        elif error is not None:
            self.set_exception(error)
        else:
            self.set_result(first.result())

    def _wait(self, timeout: float | None) -> None:
        if not self.done():
            self._first._wait(timeout)

    def cancel(self) -> bool:
        return self._first.cancel()


def _joined(first: Metadata, rest: Metadata) -> Metadata:
    return (*(first or ()), *(rest or ()))


def _is_wrong_call(error: errors.RpcError) -> bool:
    """Whether the caller's own code is to blame: no fallback hides that."""
    return error.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.UNIMPLEMENTED}


def _key_function(
    policy: MethodPolicy, pool: Pool
) -> Callable[[tuple[Any, ...], dict[str, Any]], Any] | None:
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
        decode=_same,
        copy=_same if plain else codec.copy,
        keep=_same,
        sent=len,
        received=_unknown,
    )


def _same(response: Any) -> Any:
    return response


def _unknown(_message: Any) -> int:
    return 0


_MOST_METHODS, _LONGEST_NAME = (
    1000,
    200,
)  # of a service, and characters: what is kept of those that are called
OTHER = "(other)"  # stands for the methods that are not kept, among the statistics
_BATCH_OF = "batch of "  # and then the method's name: the name of a method that is called in batches


def _arguments_of(item: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The arguments of an item of a batch."""
    if isinstance(item, Arguments):
        return item.args, item.kwargs
    return (item,), {}


class ServiceCalls:
    """Everything that calls of one service share: endpoints, breaker, budget, statistics, methods.

    Args:
        name: as the manager knows it.
        service: descriptor of a declared service; None: a plain class.
        pool: its endpoints.
        policy: what holds for its calls.
        timeout: seconds, where nothing else is said.
        tracing: makes spans; None: none.
    """

    def __init__(
        self,
        name: str,
        service: ServiceDescriptor | None,
        pool: Pool,
        policy: ServicePolicy,
        timeout: float | None,
        tracing: Tracing | None,
    ) -> None:
        self.name = name
        self.service = service
        self.pool = pool
        self.policy = policy
        self.timeout = timeout
        self.tracing = tracing
        self.breaker = None if policy.breaker is None else Breaker(name, policy.breaker)
        self.budget = RetryBudget(policy.retry_budget)
        self.stats: dict[str, CallStats] = {}
        self._found: dict[str, Method] = {}
        self._codecs = _PlainCodecs(name) if service is None else _DeclaredCodecs(service)

    def find(self, method: str) -> Method:
        """The method of that name.

        Raises:
            AttributeError: it is known not to exist, or private.
        """
        found = self._found.get(method)
        if found is None:
            if method.startswith("_"):
                raise self._private(method)
            found = self._keep(method, Method(self, method, self._codecs.find(method)))
        return found

    def _private(self, method: str) -> AttributeError:
        text = f"{shown(method)} is private: only public methods of the service {self.name} can be called"
        return AttributeError(text)

    def keeps(self, method: str) -> bool:
        """Whether what belongs to a method of that name outlives its calls.

        Who passes on names that others give, as a gateway does, is not filled up with them.
        """
        return method in self._found or (len(self._found) < _MOST_METHODS and len(method) <= _LONGEST_NAME)

    def _keep(self, name: str, method: Method) -> Method:
        return self._found.setdefault(name, method) if self.keeps(name) else method

    def recompile(self, policy: ServicePolicy | None = None) -> None:
        """The endpoints have changed in number, or the policy is another now."""
        if policy is not None:
            if policy.breaker != self.policy.breaker:
                self.breaker = None if policy.breaker is None else Breaker(self.name, policy.breaker)
            if policy.retry_budget != self.policy.retry_budget:
                self.budget = RetryBudget(policy.retry_budget)
            self.policy = policy
        for method in list(self._found.values()):
            method.compile()

    def policy_of(self, method: str, codec: Codec) -> MethodPolicy:
        """What holds for a method: as configured, under either of its names; then as declared."""
        if codec.path == BATCH_METHOD:
            one = method.removeprefix(_BATCH_OF)
            single = self.policy_of(one, self._codecs.find(one))
            # A batch is one call: it is sent again like each of its calls, and goes where its first one goes.
            key_of = _key_function(single, self.pool)
            return MethodPolicy(
                timeout=single.timeout,
                idempotent=single.idempotent,
                retry=single.retry,
                priority=single.priority,
                key=None
                if key_of is None
                else lambda items: key_of(
                    *(((), items[0]) if self._fields(items[0]) else _arguments_of(items[0]))
                ),
            )
        methods = self.policy.methods
        own = methods.get(method) or methods.get(codec.method)
        configured = self.policy.default if own is None else own.over(self.policy.default)
        return configured.over(codec.declared)

    def stats_of(self, method: str) -> CallStats:
        """The counters of a method; one for all that are not kept."""
        if not self.keeps(method):
            method = OTHER
        found = self.stats.get(method)
        if found is None:
            found = self.stats.setdefault(method, CallStats(self.name, method, lambda: self.pool.transport))
        return found

    def sender(
        self, path: str, serializer: Any, deserializer: Any, check: Callable[[Any], None] | None
    ) -> Sender:
        """The innermost sender of a method."""
        alone = self.pool.alone
        if alone is not None:
            return Direct(alone.unary(path, serializer, deserializer), check)
        return Pooled(self.pool, path, serializer, deserializer, check)

    def guard(
        self,
        sender: Sender,
        policy: MethodPolicy,
        check: Callable[[Any], None] | None,
        stats: CallStats | None,
    ) -> Sender:
        """`sender` with breaker, retries and hedging around it."""
        if self.breaker is not None:
            sender = Breaking(sender, self.breaker, check)
        if policy.retry is not None:
            again = stats.again if stats is not None else _nothing
            return Retrying(
                sender, policy.retry, self.budget, check, again, idempotent=bool(policy.idempotent)
            )
        if policy.hedging is not None:
            hedged = stats.hedged if stats is not None else _nothing
            return Hedging(sender, policy.hedging, self.budget, check, hedged)
        return sender

    # -- batches

    def batch(
        self, method: str, items: Iterable[Any], timeout: float | None, *, return_errors: bool
    ) -> list[Any]:
        """The results of one call for each item, in one round trip."""
        items = list(items)
        results: list[Any] = []
        if items:
            exchange = self._batch_method(method)
            limit = exchange.timeout if timeout is None else timeout
            try:
                if self.pool.by_keys:
                    results = self._divided(exchange, method, items, limit)
                else:
                    results = exchange.call((items,), {}, limit)
            except errors.Unimplemented:
                if self.service is None:
                    raise
                results = self._pipelined(method, items, limit)
        if not return_errors:
            for result in results:
                if isinstance(result, errors.RpcError):
                    raise result
        return results

    def _divided(self, exchange: Method, method: str, items: list[Any], timeout: float | None) -> list[Any]:
        """A batch for each endpoint, of the items whose keys are there; all at once."""
        key_of = _key_function(self.find(method).policy, self.pool)
        by_place: dict[Any, list[int]] = {}
        for index, item in enumerate(items):
            args, kwargs = ((), item) if self._fields(item) else _arguments_of(item)
            key = None if key_of is None else key_of(args, kwargs)
            by_place.setdefault(self.pool.place_of(key), []).append(index)
        parts = [
            (indices, exchange.start(([items[index] for index in indices],), {}, timeout))
            for indices in by_place.values()
        ]
        results: list[Any] = [None] * len(items)
        for indices, future in parts:
            for index, result in zip(indices, future.result(), strict=True):
                results[index] = result
        return results

    def _fields(self, item: Any) -> bool:
        """Whether an item is the fields of a declared request."""
        return self.service is not None and isinstance(item, dict)

    def _pipelined(self, method: str, items: list[Any], timeout: float | None) -> list[Any]:
        """The server knows no batches of declared services: all calls are under way at once."""
        found = self.find(method)
        limit = found.timeout if timeout is None else timeout
        started = []
        for item in items:
            args, kwargs = ((), item) if self._fields(item) else _arguments_of(item)
            started.append(found.start(args, kwargs, limit))
        results: list[Any] = []
        for future in started:
            try:
                results.append(future.result())
            except errors.RpcError as error:
                results.append(error)
        return results

    def _batch_method(self, method: str) -> Method:
        name = _BATCH_OF + method
        found = self._found.get(name)
        if found is None:
            if method.startswith("_"):
                raise self._private(method)
            one = self._codecs.find(method)
            batch: BatchCall | DeclaredBatch
            if self.service is None:
                batch = BatchCall(self.name, method)
            else:
                batch = DeclaredBatch(one.service, one.method, one.encode, one.response)
            codec = Codec(
                service=self.name,
                method=method,
                name=f"{self.name}.{method}",
                path=BATCH_METHOD,
                serializer=invoke_pb2.BatchRequest.SerializeToString,
                deserializer=invoke_pb2.BatchResponse.FromString,
                encode=lambda args, _kwargs: batch.encode(args[0]),
                check=None,
                decode=batch.results,
                copy=batch.results,
                keep=_same,
                sent=lambda request: len(request.calls),
                received=lambda response: len(response.results),
                key=lambda args, _kwargs: values.encode(args, levels=values.CALL_LEVELS),
            )
            found = self._keep(name, Method(self, name, codec))
        return found

    def batch_stream(self, method: str, items: Sequence[Any], timeout: float | None) -> Iterator[Any]:
        """The results of one call for each item, as they come.

        Raises:
            AttributeError: the service is a declared one, or the method is private.
        """
        if self.service is not None:
            raise AttributeError(
                f"{self.service.full_name} is a declared service: give it a streaming method"
            )
        if method.startswith("_"):
            raise self._private(method)
        items = list(items)
        if self.pool.by_keys:  # the results of several endpoints have no common order to come in
            yield from self.batch(method, items, timeout, return_errors=True)
            return
        request = BatchCall(self.name, method).encode(items)
        limit = serving.limit(self.timeout if timeout is None else timeout)
        endpoint = self.pool.take(None)
        call = endpoint.channel.unary_stream(
            BATCH_STREAM_METHOD,
            request_serializer=invoke_pb2.BatchRequest.SerializeToString,
            response_deserializer=invoke_pb2.BatchResponse.FromString,
        )
        error: errors.RpcError | None = None
        try:
            yield from stream_results(call(request, limit))
        except errors.RpcError as failure:
            error = failure
            raise
        finally:
            self.pool.give_back(endpoint, error)

    def __repr__(self) -> str:
        return f"<ServiceCalls {self.name} {self.pool!r}>"


def _nothing() -> None:
    pass


class _PlainCodecs:
    """Methods of a plain class: any name may exist, the service knows."""

    def __init__(self, service: str) -> None:
        self._service = service

    def find(self, method: str) -> Codec:
        """The codec of a method, whether the service has it or not."""
        service = self._service
        encode_value = values.encode
        # A message is the concatenation of its fields: the first two are the same for every call.
        bare = invoke_pb2.ServiceRequest(service=service, method=method).SerializeToString()
        head, field = buffers.head, invoke_pb2.ServiceRequest.ARGUMENTS_FIELD_NUMBER

        def complain(args: tuple[Any, ...], kwargs: dict[str, Any]) -> values.UnserializableError:
            try:
                values.encode([list(args), kwargs], levels=values.CALL_LEVELS)
            except values.UnserializableError as error:
                text = str(error).replace("value[0]", "args", 1).replace("value[1]", "kwargs", 1)
                return values.UnserializableError(f"{service}.{method}: {text}")
            raise AssertionError("it can be encoded after all")

        def arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
            try:
                return encode_value([list(args), kwargs], None, values.CALL_LEVELS)
            except values.UnserializableError:
                raise complain(args, kwargs) from None

        def encode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if not args and not kwargs:
                return bare
            large: list[Any] = []
            try:
                encoded = encode_value([list(args), kwargs], large, values.CALL_LEVELS)
            except values.UnserializableError:
                raise complain(args, kwargs) from None
            message = b"".join((bare, head(field, len(encoded)), encoded))
            return buffers.WithBuffers(message, large) if large else message

        return Codec(
            service=service,
            method=method,
            name=f"{service}.{method}",
            path=PLAIN_METHOD,
            serializer=_SERIALIZER,
            deserializer=_DESERIALIZER,
            encode=encode,
            check=check_plain,
            decode=decode_plain,
            copy=decode_plain,
            keep=keep_plain,
            sent=size_of,
            received=size_of,
            key=arguments,
        )


class _PlainResponse:
    """What is made of a ServiceResponse: the encoded result, with buffers or without, or the exception."""

    @staticmethod
    def FromString(data: bytes) -> Any:
        # Most are short and hold nothing but field 1, a result: tag, length, bytes.
        if len(data) < 130 and data[:1] == b"\x0a" and data[1] == len(data) - 2:
            return data[2:]
        response = invoke_pb2.ServiceResponse.FromString(data)
        if response.HasField("exception"):
            remote = response.exception
            return errors.RemoteError(remote.type, remote.message, remote.traceback)
        if response.buffers:
            return buffers.WithBuffers(response.result, response.buffers)
        return response.result


_SERIALIZER = buffers.serializer(invoke_pb2.ServiceRequest.BUFFERS_FIELD_NUMBER)
_plain_response: Any = _PlainResponse
_DESERIALIZER = buffers.deserializer(_plain_response, invoke_pb2.ServiceResponse.BUFFERS_FIELD_NUMBER)


def check_plain(response: Any) -> None:
    """Raise what came instead of a result."""
    if type(response) is errors.RemoteError:
        raise response


def decode_plain(response: Any) -> Any:
    """The result.

    Raises:
        Internal: what came is no value.
    """
    try:
        if type(response) is bytes:
            return values.decode(response)
        return values.decode(response.message, response.buffers)
    except ValueError as error:
        raise errors.rpc_error(grpc.StatusCode.INTERNAL, f"the service's answer: {error}") from error


def keep_plain(response: Any) -> Any:
    """A response that holds no memory of its sender."""
    if type(response) is bytes:
        return response
    return response.kept()


def size_of(message: Any) -> int:
    """Bytes of a request or response."""
    if type(message) is bytes:
        return len(message)
    return len(message.message) + sum(map(len, message.buffers))


class _DeclaredCodecs:
    """Methods of a protobuf service: snake_case or the declared names, keyword arguments as fields."""

    def __init__(self, service: ServiceDescriptor) -> None:
        self._service = service
        self._methods: dict[str, MethodDescriptor] = {}
        for method in service.methods:
            self._methods[method.name] = method
            self._methods.setdefault(snake_case(method.name), method)

    def find(self, name: str) -> Codec:
        """The codec of a method.

        Raises:
            AttributeError: there is none, or it is a streaming one.
        """
        method = self._methods.get(name)
        if method is None:
            known = sorted({snake_case(m.name) for m in self._service.methods})
            close = similar(name, known)
            hint = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(known)}"
            raise AttributeError(f"the service {self._service.full_name} has no method {shown(name)}; {hint}")
        if method.client_streaming or method.server_streaming:
            raise AttributeError(f"{method.full_name} is a streaming method; use the generated stub for it")
        request: Any = message_factory.GetMessageClass(method.input_type)
        response: Any = message_factory.GetMessageClass(method.output_type)
        full_name = method.full_name
        fields = [field.name for field in method.input_type.fields]
        incomplete = messages.may_be_incomplete(request)

        def message(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if args:
                if len(args) == 1 and not kwargs and isinstance(args[0], request):
                    if incomplete:
                        messages.check_complete(full_name, args[0])
                    return args[0]
                raise messages.invalid(
                    f"{full_name} takes one {request.DESCRIPTOR.full_name} or its fields by keyword: "
                    f"{', '.join(fields) or 'it has none'}"
                )
            made = messages.made(full_name, request, kwargs)
            if incomplete:
                messages.check_complete(full_name, made)
            return made

        def encode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
            return bytes(message(args, kwargs).SerializeToString())

        def key(args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
            return bytes(message(args, kwargs).SerializeToString(deterministic=True))

        def copied(message: Any) -> Any:
            copy = response()
            copy.CopyFrom(message)
            return copy

        declared = _declared_policy(method)
        return Codec(
            service=self._service.full_name,
            method=method.name,
            name=full_name,
            path=f"/{self._service.full_name}/{method.name}",
            serializer=None,
            deserializer=response.FromString,
            encode=encode,
            check=None,
            decode=_same,
            copy=copied,
            keep=_same,
            sent=len,
            received=_size,
            key=key,
            declared=declared,
            response=response,
        )


def _size(message: Any) -> int:
    """Of a message on the wire, in bytes."""
    try:
        return int(message.ByteSize())
    except EncodeError:  # a response without a required field; protobuf parses it, and so takes it
        return len(message.SerializePartialToString())


def _declared_policy(method: MethodDescriptor) -> MethodPolicy:
    """What a `.proto` says about calling a method."""
    said = proto.method_options(method)
    given: dict[str, Any] = {}
    if said.cache is not None:
        entries: dict[str, Any] = {}
        if said.cache.max_entries is not None:
            entries["max_entries"] = said.cache.max_entries
        given["cache"] = CachePolicy(ttl=said.cache.ttl, **entries)
    if said.batch is not None:
        size = {} if said.batch.max_size is None else {"max_size": max(2, said.batch.max_size)}
        given["batch"] = BatchPolicy(max_delay=said.batch.max_delay, **size)
    if said.retry is not None:
        given["retry"] = RetryPolicy(
            max_attempts=said.retry.max_attempts,
            initial_backoff=said.retry.initial_backoff,
            max_backoff=said.retry.max_backoff,
            backoff_multiplier=said.retry.multiplier,
            codes=said.retry.codes,
        )
    return MethodPolicy(
        timeout=said.deadline,
        idempotent=said.idempotent or None,
        key=None if said.affinity_key is None else ".".join(said.affinity_key),
        **given,
    )


def snake_case(name: str) -> str:
    """`GetItem` -> `get_item`, `GetHTTPStatus` -> `get_http_status`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()
