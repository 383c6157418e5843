"""Everything that the calls of one service share: its pool, its policies as they are now, its methods."""

from __future__ import annotations

import contextlib
import logging
import time
import weakref
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor

from sage_rpc import errors, serving
from sage_rpc.encoding import values
from sage_rpc.encoding.buffers import size_of
from sage_rpc.encoding.naming import snake_case
from sage_rpc.encoding.plain import BATCH_METHOD, BATCH_STREAM_METHOD
from sage_rpc.endpoints.pool import Pool, Pooled
from sage_rpc.observe.stats import BATCH_OF, CallStats, StreamRecord
from sage_rpc.policies import effects
from sage_rpc.policies.batching import Arguments, BatchCall, DeclaredBatch, results_of
from sage_rpc.policies.breaker import Breaker, Breaking
from sage_rpc.policies.driving import THREADS, Driver
from sage_rpc.policies.hedging import Hedging
from sage_rpc.policies.resolve import resolve
from sage_rpc.policies.retry import Retrying
from sage_rpc.policies.sending import Direct, Sender
from sage_rpc.policies.settings import MethodPolicy, ServicePolicy
from sage_rpc.policies.sources.proto import OptionError, declared_policy
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.services.chain import key_function
from sage_rpc.services.codec import Codec, same
from sage_rpc.services.declared import DeclaredCodecs
from sage_rpc.services.method import Method
from sage_rpc.services.plain import PlainCodecs
from sage_rpc.services.steps import Begin, Steps
from sage_rpc.text.foreign import shown
from sage_rpc.transport.attempts import Budget

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["OTHER", "ServiceCalls"]

_LOGGER = logging.getLogger("sage_rpc")

_MOST_METHODS, _LONGEST_NAME = (
    1000,
    200,
)  # of a service, and characters: what is kept of those that are called


OTHER = "(other)"  # stands for the methods that are not kept, among the statistics


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
        driver: of its chains.
        kind: the class of its methods.
    """

    def __init__(
        self,
        name: str,
        service: ServiceDescriptor | None,
        pool: Pool,
        policy: ServicePolicy,
        timeout: float | None,
        tracing: Tracing | None,
        driver: Driver = THREADS,
        kind: type[Method] = Method,
    ) -> None:
        self.name = name
        self.service = service
        self.pool = pool
        self.policy = policy
        self.timeout = timeout
        self.tracing = tracing
        self.driver = driver
        self._kind = kind
        self.breaker = None if policy.breaker is None else Breaker(name, policy.breaker)
        self.budget = _budget(policy)
        self.stats: dict[str, CallStats] = {}
        self._found: dict[str, Method] = {}
        self._variants: dict[int, weakref.ref[Method]] = {}  # methods with options of their own
        self.generation = 0  # of what methods are compiled from
        self._codecs = PlainCodecs(name) if service is None else DeclaredCodecs(service)
        self._complaints: set[str] = set()
        self._check()

    def _check(self) -> None:
        """Say what of the policies cannot take effect."""
        policy = self.policy
        known: dict[str, tuple[str, MethodPolicy]] = {}
        if self.service is None:
            known = {name: ("unary_unary", policy.of(name)) for name in (*policy.methods, "its methods")}
        else:
            for method in self.service.methods:
                kind = "_".join(
                    "stream" if streams else "unary"
                    for streams in (method.client_streaming, method.server_streaming)
                )
                with contextlib.suppress(OptionError):  # which whoever calls the method gets
                    declared = declared_policy(method)
                    holds = self.resolved(method.name, declared)
                    if holds.key == declared.key and not self.pool.by_keys:
                        # It says what the key is; whether calls go by it is for their callers to say.
                        holds = replace(holds, key=None)
                    known[method.name] = kind, holds
            names = {*known, *map(snake_case, known)}
            for text in effects.unknown_methods(policy, names):
                self.complain(text)
        methods = ((name, kind, each) for name, (kind, each) in known.items())
        for text in effects.of_service(policy, methods, self.timeout, self.pool.for_good):
            self.complain(text)

    def complain(self, text: str) -> None:
        """Say once that something of the policies cannot take effect."""
        if text not in self._complaints:
            self._complaints.add(text)
            _LOGGER.warning("policy of %s: %s", self.name, text)

    def resolved(self, method: str, declared: MethodPolicy) -> MethodPolicy:
        """What holds for a method of that declared name, which its `.proto` says `declared` of."""
        if self.service is None:
            return resolve(self.policy, (method,), declared)
        policy = resolve(self.policy, (method, snake_case(method)), declared)
        if policy.key is None and self.pool.by_keys:
            fields = self.service.methods_by_name[method].input_type.fields
            # As of a plain class the first argument, of those that can be a key.
            key = next((f.name for f in fields if f.message_type is None and not f.is_repeated), None)
            policy = replace(policy, key=key)
        return policy

    def find(self, method: str) -> Method:
        """The method of that name.

        Raises:
            AttributeError: it is known not to exist, or private.
        """
        found = self._found.get(method)
        if found is None:
            if method.startswith("_"):
                raise self._private(method)
            found = self._keep(method, self._kind(self, method, self._codecs.find(method)))
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
        if self.keeps(name):
            method = self._found.setdefault(name, method)
            method.catch_up()
        return method

    def recompile(self, policy: ServicePolicy | None = None) -> None:
        """The endpoints have changed in number, or the policy is another now."""
        if policy is not None:
            if policy.breaker != self.policy.breaker:
                self.breaker = None if policy.breaker is None else Breaker(self.name, policy.breaker)
            if policy.retry_budget != self.policy.retry_budget:
                self.budget = _budget(policy)
            self.policy = policy
        self.generation += 1
        self._check()
        for method in (*list(self._found.values()), *(ref() for ref in list(self._variants.values()))):
            if method is not None:
                method.compile()

    def follow(self, method: Method) -> Method:
        """Compile `method`, too, whenever something has changed, for as long as somebody has it."""
        key, variants = id(method), self._variants
        variants[key] = weakref.ref(method, lambda _gone: variants.pop(key, None))
        method.catch_up()
        return method

    def policy_of(self, method: str, codec: Codec) -> MethodPolicy:
        """What holds for a method: as configured, under either of its names; then as declared."""
        if codec.path == BATCH_METHOD:
            one = method.removeprefix(BATCH_OF)
            single = self.policy_of(one, self._codecs.find(one))
            # A batch is one call: it is sent again like each of its calls, and goes where its first one goes.
            key_of = key_function(single, self.pool)
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
        return self.resolved(codec.method, codec.declared)

    def stats_of(self, method: str) -> CallStats:
        """The counters of a method; one for all that are not kept."""
        if not self.keeps(method):
            method = OTHER
        found = self.stats.get(method)
        if found is None:
            found = self.stats.setdefault(method, CallStats(self.name, method, lambda: self.pool.transport))
        return found

    def record(
        self, method: str, traced_as: tuple[str, str, str], *, streams: bool = True
    ) -> StreamRecord | None:
        """What counts, and traces, a call that does not go through a chain; None: nobody asks for that.

        Args:
            method: its name, for statistics.
            traced_as: the names of service, method and system in spans.
            streams: whether the messages are of interest.
        """
        stats = self.stats_of(method) if self.policy.stats else None
        span = None if self.tracing is None else self.tracing.of_method(*traced_as)()
        if stats is None and span is None:
            return None
        record = StreamRecord(stats, span)
        record.streams = streams
        return record

    def sender(
        self, path: str, serializer: Any, deserializer: Any, check: Callable[[Any], None] | None
    ) -> Sender:
        """The innermost sender of a method."""
        alone = self.pool.alone
        if alone is not None:
            return Direct(alone, alone.unary(path, serializer, deserializer), check)
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
            idempotent, later = bool(policy.idempotent), self.driver.call_later
            return Retrying(
                sender, policy.retry, self.budget, check, again, idempotent=idempotent, later=later
            )
        if policy.hedging is not None:
            hedged = stats.hedged if stats is not None else _nothing
            return Hedging(sender, policy.hedging, self.budget, check, hedged, self.driver.call_later)
        return sender

    # -- batches

    def batch(
        self, method: str, items: Iterable[Any], timeout: float | None, *, return_errors: bool
    ) -> Steps[list[Any]]:
        """The results of one call for each item, in one round trip for each endpoint."""
        items = list(items)
        results: list[Any] = []
        if items:
            exchange = self._batch_method(method)
            limit = exchange.timeout if timeout is None else timeout
            began = time.monotonic_ns()
            try:
                results = yield from self._divided(exchange, method, items, limit)
                self._count_members(method, began, results)
            except errors.RpcError as error:
                if self.service is None or error.code() is not grpc.StatusCode.UNIMPLEMENTED:
                    self._count_members(method, began, [error] * len(items))
                    raise
                results = yield from self._pipelined(method, items, limit)
        if not return_errors:
            for result in results:
                if isinstance(result, BaseException):
                    raise result
        return results

    def _count_members(self, method: str, began: int, results: list[Any]) -> None:
        """The calls of a batch have ended, each with a result or an error."""
        if self.policy.stats:
            # No value is an exception; to ask for ours alone, which are grpc's abstract classes, takes long.
            failed: list[Any] = [each for each in results if isinstance(each, BaseException)]
            codes = Counter(each.code() for each in failed)
            if len(failed) < len(results):
                codes[grpc.StatusCode.OK] = len(results) - len(failed)
            self.stats_of(method).members(began, codes, None)

    def _divided(
        self, exchange: Method, method: str, items: list[Any], timeout: float | None
    ) -> Steps[list[Any]]:
        """A batch for each endpoint, of the items whose keys are there; all at once."""
        by_place: dict[Any, list[int]] = {}
        if not self.pool.by_keys:
            by_place[None] = list(range(len(items)))
        else:
            key_of = key_function(self.find(method).policy, self.pool)
            for index, item in enumerate(items):
                args, kwargs = ((), item) if self._fields(item) else _arguments_of(item)
                key = None if key_of is None else key_of(args, kwargs)
                by_place.setdefault(self.pool.place_of(key), []).append(index)
        parts = yield [
            Begin(exchange, ([items[index] for index in indices],), timeout) for indices in by_place.values()
        ]
        results: list[Any] = [None] * len(items)
        for indices, part in zip(by_place.values(), parts, strict=True):
            if isinstance(part, BaseException):
                raise part
            for index, result in zip(indices, part, strict=True):
                results[index] = result
        return results

    def _fields(self, item: Any) -> bool:
        """Whether an item is the fields of a declared request."""
        return self.service is not None and isinstance(item, dict)

    def _pipelined(self, method: str, items: list[Any], timeout: float | None) -> Steps[list[Any]]:
        """The server knows no batches of declared services: all calls are under way at once."""
        found = self.find(method)
        limit = found.timeout if timeout is None else timeout
        started = []
        for item in items:
            args, kwargs = ((), item) if self._fields(item) else _arguments_of(item)
            started.append(found.start(args, kwargs, limit))
        results = yield started
        for result in results:
            if isinstance(result, BaseException) and not isinstance(result, errors.RpcError):
                raise result
        return results

    def _batch_method(self, method: str) -> Method:
        name = BATCH_OF + method
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
                keep=same,
                sent=size_of,
                received=size_of,
                key=lambda args, _kwargs: values.encode(args, levels=values.CALL_LEVELS),
            )
            found = self._keep(name, self._kind(self, name, codec))
        return found

    def check_streamable(self, method: str) -> None:
        """Whether the results of a batch may come one by one.

        Raises:
            AttributeError: the service is a declared one, or the method is private.
        """
        if self.service is not None:
            raise AttributeError(
                f"{self.service.full_name} is a declared service: give it a streaming method"
            )
        if method.startswith("_"):
            raise self._private(method)

    @contextlib.contextmanager
    def batch_stream(
        self, method: str, items: list[Any], timeout: float | None
    ) -> Iterator[tuple[Any, Callable[[Any], list[Any]]]]:
        """-> a call whose responses come one by one, and what gives the results in a response."""
        request = BatchCall(self.name, method).encode(items)
        limit = serving.limit(self.timeout if timeout is None else timeout)
        record = self.record(BATCH_OF + method, (self.name, method, "sage_rpc"))
        began, ended = time.monotonic_ns(), []
        endpoint = self.pool.take(None)
        call: Any = None
        error: errors.RpcError | None = None

        def results(response: Any) -> list[Any]:
            if record is not None:
                record.message_received(size_of(response))
            found = results_of(response)
            ended.extend(found)
            return found

        try:
            stub = endpoint.channel.unary_stream(
                BATCH_STREAM_METHOD,
                request_serializer=invoke_pb2.BatchRequest.SerializeToString,
                response_deserializer=invoke_pb2.BatchResponse.FromString,
            )
            call = stub(request, timeout=limit, metadata=None if record is None else record.metadata)
            if record is not None:
                record.message_sent(size_of(request))
                record.carrier = endpoint
            yield call, results
            if record is not None:
                record.end(None)
        except BaseException as failure:
            if isinstance(failure, grpc.RpcError):
                error = errors.from_grpc(failure, endpoint.channel)
            if record is not None:
                record.fail(error or failure)
            if error is None or error is failure:
                raise
            raise error from failure
        finally:
            if call is not None:
                call.cancel()
            self._count_members(method, began, ended)
            self.pool.give_back(endpoint, error)

    def __repr__(self) -> str:
        return f"<ServiceCalls {self.name} {self.pool!r}>"


def _budget(policy: ServicePolicy) -> Budget:
    return Budget(policy.retry_budget.max_tokens, policy.retry_budget.token_ratio)


def _nothing() -> None:
    pass
