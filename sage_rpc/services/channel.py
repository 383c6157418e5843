"""A `grpc.Channel` to a declared service by name: what a ServiceManager gives to generated clients and stubs.

Unary calls go through the service's policies, as those of a proxy do; with metadata, all but the cache and
batches. Those that come with `wait_for_ready` or with credentials, and calls that stream, go to an endpoint
of the service's pool, once: their deadlines hold, the endpoint is the one that their key belongs to, how
they end counts for it, and they are counted and traced; but nothing repeats, caches or replaces them.
"""

from __future__ import annotations

import functools
from typing import Any, NoReturn

from sage_rpc import serving
from sage_rpc.encoding.buffers import size_of
from sage_rpc.encoding.naming import snake_case
from sage_rpc.endpoints.channel import ManyResponses, OneResponse
from sage_rpc.endpoints.subchannel import Subchannel
from sage_rpc.observe.stats import StreamRecord
from sage_rpc.observe.streams import CountedCall, CountedRequests, end_of
from sage_rpc.policies import effects
from sage_rpc.policies.future import ServiceFuture, response_or_error
from sage_rpc.policies.sources.proto import declared_policy
from sage_rpc.rpc.faces import ChannelFace
from sage_rpc.services.calls import ServiceCalls
from sage_rpc.services.chain import key_function
from sage_rpc.services.method import Method

__all__ = ["Once", "ServiceChannel", "method_of"]


class ServiceChannel(ChannelFace):
    """See the head of the file. Belongs to its manager, which closes the connections.

    Args:
        calls: of a declared service.
    """

    under_policies = True  # deadlines, futures and errors are what generated clients promise, already

    def __init__(self, calls: ServiceCalls) -> None:
        self._calls = calls

    def __repr__(self) -> str:
        return f"<ServiceChannel {self._calls.name} {self._calls.pool!r}>"

    def multicallable(
        self, kind: str, method: str | bytes, serializer: Any, deserializer: Any, registered: bool | None
    ) -> Any:
        """See ChannelFace."""
        kinds = {"unary_unary": _UnderPolicies, "stream_unary": _OneResponse}
        return kinds.get(kind, _ManyResponses)(self._calls, kind, str(method), serializer, deserializer)

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> NoReturn:
        """A service has as many connections as endpoints: `manager.pool_of(name)` shows them."""
        raise NotImplementedError(f"{self!r} has no state of its own: look at manager.pool_of(...)")

    def unsubscribe(self, callback: Any) -> None:
        """Nothing was subscribed."""

    def close(self) -> None:
        """Nothing: the connections are the manager's."""


class Once:
    """What the service's policies say about the calls of a method that go to an endpoint of its pool once.

    Args:
        calls: of the service.
        kind: what grpc's channel calls the method: "unary_unary" and so on.
        path: "/package.Service/Method".

    Raises:
        ValueError: the service has no such method.
    """

    def __init__(self, calls: ServiceCalls, kind: str, path: str) -> None:
        self._calls = calls
        self._kind = kind
        self._name = path.rpartition("/")[2]
        if calls.service is None or self._name not in calls.service.methods_by_name:
            raise ValueError(f"{calls.name} has no method {path}")
        self._traced_as = calls.service.full_name, self._name, "grpc"
        self._declared = declared_policy(calls.service.methods_by_name[self._name])
        self._seen: Any = None  # what _timeout and _key_of were made from
        self._timeout: float | None = None
        self._key_of: Any = None
        self._past = ""  # policies that a call which goes once goes past

    def _look(self) -> None:
        """Learn what holds now: policies and endpoints may be others by and by."""
        calls = self._calls
        seen = (calls.policy, calls.pool, calls.pool.alone)
        if seen == self._seen:
            return
        policy = calls.resolved(self._name, self._declared)
        self._timeout = (
            calls.timeout if policy.timeout is None and self._kind == "unary_unary" else policy.timeout
        )
        # A stream of requests has nothing to go by when its endpoint is chosen.
        self._key_of = key_function(policy, calls.pool) if self._kind.startswith("unary") else None
        past = effects.of_method(policy, calls.policy.pool, None, "unary_stream")
        self._past = ", ".join(field for field, _ in past if field != "key")
        self._seen = seen

    def key(self, request: Any) -> Any:
        """What consistent hashing goes by."""
        self._look()
        return None if self._key_of is None else self._key_of((request,), {})

    def limit(self, timeout: float | None) -> float | None:
        """Seconds that a call may take."""
        self._look()
        return serving.limit(self._timeout if timeout is None else timeout)

    def begin(self, request: Any, metadata: Any) -> tuple[StreamRecord | None, Any, Any]:
        """A call begins. -> what counts it, and request and metadata as they are sent."""
        streams = self._kind != "unary_unary"
        self._look()
        if self._past and not streams:
            self._calls.complain(
                f"{self._past} has no effect for calls of {self._name} by with_call, or with credentials, "
                "wait_for_ready or compression: these are sent once, as they are"
            )
        record = self._calls.record(snake_case(self._name), self._traced_as, streams=streams)
        if record is None:
            return None, request, metadata
        if self._kind.startswith("stream"):
            request = CountedRequests(request, record)
        else:
            record.message_sent(size_of(request))
        return record, request, (*(metadata or ()), *record.metadata) or None


class _OfService:
    """A method of a service, as `Once` says."""

    family = True

    def __init__(self, calls: ServiceCalls, kind: str, path: str, serializer: Any, deserializer: Any) -> None:
        self._calls = calls
        self._once = Once(calls, kind, path)
        super().__init__(calls.pool, kind, path, serializer, deserializer)  # type: ignore[call-arg]

    def take(
        self, request: Any, deadline: float | None, wait_for_ready: bool | None, tried: tuple[Subchannel, ...]
    ) -> Subchannel:
        endpoint: Subchannel = super().take(request, deadline, wait_for_ready, tried)  # type: ignore[misc]
        if type(request) is CountedRequests:
            request.record.carrier = endpoint
        return endpoint

    def started(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        """See the face; a future is a `concurrent.futures.Future`."""
        record, request, metadata = self._once.begin(request, metadata)
        try:
            call = super().started(start, request, timeout, metadata, *rest)  # type: ignore[misc]
        except BaseException as error:
            if record is not None:
                record.fail(error)
            raise
        if record is not None:
            record.carrier = call
        if start == "future":
            if record is not None:
                call.add_done_callback(functools.partial(_count, record))
            return ServiceFuture(call, response_or_error)
        return call if record is None else CountedCall(call, record)

    def waited(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        record, request, metadata = self._once.begin(request, metadata)
        try:
            answer = super().waited(start, request, timeout, metadata, *rest)  # type: ignore[misc]
        except BaseException as error:
            if record is not None:
                record.fail(error)
            raise
        if record is not None:
            record.message_received(size_of(answer[0] if start == "with_call" else answer))
            record.end(None)
        return answer

    def _key(self, request: Any) -> Any:
        return self._once.key(request)

    def _limit(self, timeout: float | None) -> float | None:
        self.pool = self._calls.pool  # which may be another now
        return self._once.limit(timeout)


def _count(record: StreamRecord, call: Any) -> None:
    """A call with one response has ended."""
    error = end_of(call)
    if error is None:
        record.message_received(size_of(call.result()))
    record.end(error)


class _OneResponse(_OfService, OneResponse):
    """One response."""


class _ManyResponses(_OfService, ManyResponses):
    """A stream of responses."""


def method_of(calls: ServiceCalls, name: str) -> Method | None:
    """The method that proxies call by its snake_case name: both have one cache, and one row of statistics.

    None: a name with an underscore in front is not a proxy's to call, and has no policies.
    """
    if name.startswith("_"):
        return None
    usual = calls.find(snake_case(name))
    return usual if usual._codec.method == name else calls.find(name)


class _UnderPolicies(_OneResponse):
    """One request, one response: what the service's policies are for."""

    def __init__(self, calls: ServiceCalls, kind: str, path: str, serializer: Any, deserializer: Any) -> None:
        super().__init__(calls, kind, path, serializer, deserializer)
        name = path.rpartition("/")[2]
        self._method = method_of(calls, name)

    def __call__(
        self,
        request: Any,
        timeout: float | None = None,
        metadata: Any = None,
        credentials: Any = None,
        wait_for_ready: bool | None = None,
        compression: Any = None,
    ) -> Any:
        method = self._method
        if method is None or not (credentials is wait_for_ready is compression is None):
            return super().__call__(request, timeout, metadata, credentials, wait_for_ready, compression)
        if timeout is None:
            timeout = method.timeout
        if not metadata:
            return method.call((request,), {}, timeout)
        call, _ = method.with_metadata()
        return call((request,), {}, timeout, metadata)

    def started(self, start: str, request: Any, timeout: float | None, metadata: Any, *rest: Any) -> Any:
        """See the face."""
        method = self._method
        if method is None or rest != (None, None, None):
            return super().started(start, request, timeout, metadata, *rest)
        return method.start_message(request, timeout, metadata)
