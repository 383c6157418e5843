"""ServiceManager: names of services to proxies, over whatever transport reaches them, under their policies.

One pool of connections per service, one proxy of each kind, made on first use and shared by all threads. What
does not depend on how its calls are made is `BaseManager`, the base of the asyncio manager (`aio`), too.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from sage_rpc import errors
from sage_rpc.discovery.endpoint import Endpoint
from sage_rpc.endpoints.pool import Pool
from sage_rpc.endpoints.resolver import Resolver
from sage_rpc.endpoints.subchannel import CHECK, SERVING, Dialer, health_question
from sage_rpc.observe.stats import Stats
from sage_rpc.policies.breaker import BreakerState
from sage_rpc.policies.cache import CacheInfo
from sage_rpc.policies.driving import THREADS
from sage_rpc.policies.future import completed
from sage_rpc.policies.settings import PoolPolicy, ServicePolicy
from sage_rpc.services.calls import ServiceCalls
from sage_rpc.services.channel import ServiceChannel
from sage_rpc.services.method import Method
from sage_rpc.services.proxies import AsyncServiceCallProxy, Proxy, ServiceCallProxy, ServiceFuture
from sage_rpc.services.steps import Steps, run
from sage_rpc.stubs.clients import AnyClient
from sage_rpc.text.foreign import similar
from sage_rpc.transport.attempts import Attempts, Retry
from sage_rpc.transport.options import message_options

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["BaseManager", "ServiceEndpoint", "ServiceManager", "TracedServiceManager"]

ClientT = TypeVar("ClientT", bound=AnyClient)
ProxyT = TypeVar("ProxyT", bound=Proxy)
_LOGGER = logging.getLogger("sage_rpc")
DEFAULT_TIMEOUT = 30.0  # seconds
HEALTH_TIMEOUT = 5.0  # seconds
_NOT_KNOWN = "not known"  # the question, to whoever was asked
# The others are wrong calls, whoever answers them and whenever: call_with_retry does not repeat them.
_MAY_BECOME_RIGHT = frozenset(grpc.StatusCode) - {
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.UNIMPLEMENTED,
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED,
}


@dataclass(frozen=True)
class ServiceEndpoint:
    """Where a service is, and what it is.

    Attributes:
        target: a gRPC target, for example "localhost:50051", or several.
        service: full name of a declared protobuf service ("pkg.Cache"); None for a plain class.
        policy: what holds for its calls; None: the manager's.
    """

    target: str | Sequence[str]
    service: str | None = None
    policy: ServicePolicy | None = None

    @property
    def targets(self) -> tuple[str, ...]:
        """All of its addresses."""
        return (self.target,) if isinstance(self.target, str) else tuple(self.target)


class BaseManager:
    """Services by name, with their endpoints and policies; see `ServiceManager`."""

    _method: type[Method] = Method
    _keeps_clients = False  # those of asyncio, too

    def __init__(
        self,
        endpoints: Mapping[str, str | Sequence[str] | ServiceEndpoint] | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        options: Sequence[tuple[str, Any]] | None = None,
        policies: Mapping[str, ServicePolicy] | None = None,
        policy: ServicePolicy | None = None,
        tracing: Tracing | bool = False,
        logger: logging.Logger | None = None,
    ) -> None:
        _managers.add(self)
        self.driver = self._new_driver()
        self.logger = logger or logging.getLogger("sage_rpc.manager")
        self._timeout = timeout
        self._options = tuple(options or ())
        self._tracing = _tracing() if tracing is True else (tracing or None)
        self._lock = threading.RLock()  # guards everything below
        self._tracer = self._tracing  # for services whose own policy asks for spans
        self._policy = policy or ServicePolicy()
        self._policies = dict(policies or {})
        self._endpoints: dict[str, ServiceEndpoint] = {}
        self._calls: dict[str, ServiceCalls] = {}
        self._proxies: dict[tuple[type, str], Any] = {}
        self._clients: dict[tuple[type, str | None], Any] = {}
        self._channels: dict[str, Any] = {}
        self._closed = False
        for name, each in self._policies.items():
            _check_policy(name, each)
        for name, endpoint in (endpoints or {}).items():
            if isinstance(endpoint, ServiceEndpoint):
                self.register(name, endpoint.target, service=endpoint.service, policy=endpoint.policy)
            else:
                self.register(name, endpoint)
        for name in self._policies.keys() - self._endpoints.keys():
            for meant in similar(name, self._endpoints.keys() - self._policies.keys())[:1]:
                _LOGGER.warning("policies[%r] has no effect: did you mean %s?", name, meant)

    def register(
        self,
        name: str,
        target: str | Sequence[str],
        *,
        service: str | ServiceDescriptor | None = None,
        policy: ServicePolicy | None = None,
    ) -> None:
        """Let `name` mean the service at `target`.

        Args:
            name: what calls use; for a plain class also its name at its host.
            target: a gRPC target, or several, over which calls are balanced.
            service: full name or descriptor of a declared service; its module must be imported.
            policy: what holds for its calls; None: what the manager says.

        Raises:
            ValueError: the name is taken, the target is none, or the declared service is not known.
        """
        targets = _checked_targets(name, target)
        if isinstance(service, ServiceDescriptor):
            service = service.full_name
        if service is not None:
            _descriptor(service)
        if policy is not None:
            _check_policy(name, policy)
        with self._lock:
            if name in self._endpoints:
                where = ", ".join(self._endpoints[name].targets)
                raise ValueError(f"a service named {name!r} is registered already, at {where}")
            if policy is not None:
                self._policies[name] = policy
            self._endpoints[name] = ServiceEndpoint(target if isinstance(target, str) else targets, service)

    def set_targets(self, name: str, targets: Sequence[str]) -> None:
        """The service `name` is at these addresses from now on; calls under way elsewhere go on.

        Raises:
            NotFound: no service of that name is registered.
            ValueError: something among them is no address.
        """
        checked = _checked_targets(name, targets, or_none=True)
        with self._lock:
            self._known(name)
            self._endpoints[name] = ServiceEndpoint(checked, self._endpoints[name].service)
            calls = self._calls.get(name)
        if calls is not None:
            calls.pool.update(Resolver(checked))
            calls.recompile()

    def set_policy(self, name: str, policy: ServicePolicy) -> None:
        """Another policy for the service `name`; calls under way finish, and its statistics stay.

        Raises:
            NotFound: no service of that name is registered.
        """
        _check_policy(name, policy)
        with self._lock:
            self._known(name)
            self._policies[name] = policy
            calls = self._calls.get(name)
            if calls is not None and calls.policy.pool != policy.pool:
                calls.pool.retire()
                calls.pool = self._pool(name)
            if calls is not None:
                calls.tracing = self._traced(policy)
        if calls is not None:
            calls.recompile(policy)

    # -- generated clients

    def client(self, kind: type[ClientT], name: str | None = None) -> ClientT:
        """The generated client `kind` of a declared service, made on first use and kept.

        Args:
            kind: a class that `protoc-gen-sage` wrote, such as CacheClient. A client for asyncio belongs
                to its event loop and is made anew each time.
            name: which service, where several of this kind are registered.

        Raises:
            TypeError: `kind` is no such class.
            NotFound: no service of this kind, or not of this name, is registered.
            ValueError: several are, and no name is given.
        """
        found: ClientT | None = self._clients.get((kind, name))
        if found is None:
            if not _is_client(kind):
                raise TypeError(f"a class of clients, such as CacheClient, is needed, not {kind!r}")
            found = kind(self, name=name)
            if kind.KEEPS or self._keeps_clients:
                with self._lock:
                    found = self._clients.setdefault((kind, name), found)
        return found

    @property
    def timeout(self) -> float | None:
        """Seconds a call may take where nothing else is said; None: no limit."""
        return self._timeout

    def _name_of(self, service: str, name: str | None) -> str:
        """What the declared `service` is registered as."""
        with self._lock:
            if self._closed:
                raise ValueError("the ServiceManager is closed")
            known = dict(sorted(self._endpoints.items()))
        names = [each for each, endpoint in known.items() if endpoint.service == service]
        if name is None and len(names) > 1:
            raise ValueError(f"several are a {service}: give name=, one of {', '.join(names)}")
        if (not names) if name is None else (name not in names):
            what = f"no {service}" if name is None else f"no {service} named {name!r}"
            there = ", ".join(f"{each} ({known[each].service or 'a plain class'})" for each in known)
            raise errors.NotFound(
                grpc.StatusCode.NOT_FOUND,
                f"{what} is registered; registered: {there or 'none'}. A declared service is registered with "
                f"its full name: register(name, target, service={service!r})",
            )
        return names[0] if name is None else name

    # -- looking

    @property
    def services(self) -> tuple[str, ...]:
        """The registered names, sorted."""
        return tuple(sorted(self._endpoints))

    def transport_of(self, service_name: str) -> str:
        """What carries calls to a service now: "shm", "grpc", "mixed", or "idle" before the first one."""
        return self._calls_of(service_name).pool.transport

    def pool_of(self, service_name: str) -> Pool:
        """The endpoints of a service; its `repr` shows their states."""
        return self._calls_of(service_name).pool

    def breaker_of(self, service_name: str) -> BreakerState | None:
        """The state of a service's circuit breaker; None: it has none."""
        breaker = self._calls_of(service_name).breaker
        return None if breaker is None else breaker.state

    def stats(self, window: float | None = None) -> Stats:
        """What was counted of all calls: a row per service, method and transport.

        Args:
            window: the last so many seconds, at most 300, plus the unfinished one; None: since the start.

        Raises:
            ValueError: such a window cannot be had.
        """
        with self._lock:
            sources = [each for calls in self._calls.values() for each in calls.stats.values()]
        return Stats.read(sources, window)

    def cache_info(self, service_name: str, method_name: str) -> CacheInfo | None:
        """How the cache of a method does; None: it has none."""
        cache = self._calls_of(service_name).find(method_name).cache
        return None if cache is None else cache.info()

    def generate_trace_id(self) -> str:
        """The id of the trace that is being made, or a new one: 32 hexadecimal digits, as W3C has it."""
        from sage_rpc.observe.tracing import trace_ids

        ids = trace_ids()
        return secrets.token_hex(16) if ids is None else ids[0]

    def _health(self, timeout: float) -> Steps[dict[str, str]]:
        """Every service's state; all are asked at once."""
        names = self.services
        ends = yield [self._ask(name, timeout) for name in names]
        told = {name: _told(end) for name, end in zip(names, ends, strict=True)}
        unknown = [name for name, text in told.items() if text == _NOT_KNOWN]
        called = [name for name in unknown if self._endpoints[name].service is None]
        told.update(dict.fromkeys(unknown, "healthy"))
        calls = [self._calls_of(name).find("health_check").start((), {}, timeout) for name in called]
        for name, end in zip(called, (yield calls), strict=True):
            text = _told(end)
            told[name] = "healthy" if text == _NOT_KNOWN else text
        return told

    def _ask(self, name: str, timeout: float) -> Any:
        try:
            pool = self._calls_of(name).pool
            endpoint = pool.take(None)
            # Of a declared service the whole host is asked: it may be known by another name there.
            question = health_question("" if self._endpoints[name].service is not None else name)
            try:
                pending = endpoint.unary(CHECK, None, None).future(question, timeout=timeout)
            except BaseException:
                pool.give_back(endpoint, None)
                raise
            pending.add_done_callback(lambda _call: pool.give_back(endpoint, None))
            return self.driver.future(pending, _is_serving)
        except grpc.RpcError as error:
            refused = errors.from_grpc(error)
            return completed(lambda: _is_serving(None, refused), self.driver.future)

    def _shut(self) -> list[Pool]:
        """Know nothing any more. -> what is to be closed."""
        with self._lock:
            self._closed = True
            pools = [calls.pool for calls in self._calls.values()]
            self._calls.clear()
            for kept in (self._proxies, self._clients, self._channels):
                kept.clear()
        return pools

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {', '.join(self.services) or 'no services'}"
            f"{' closed' if self._closed else ''}>"
        )

    def _proxy(self, kind: type[ProxyT], name: str, remake: Callable[[str], object] | None = None) -> ProxyT:
        proxy: ProxyT | None = self._proxies.get((kind, name))
        if proxy is None:
            with self._lock:
                proxy = self._proxies.setdefault((kind, name), kind(name, self._calls_of(name), remake))
        return proxy

    def _known(self, name: str) -> ServiceEndpoint:
        """The lock is held."""
        if self._closed:
            raise ValueError("the ServiceManager is closed")
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            known = ", ".join(self.services) or "none"
            raise errors.NotFound(
                grpc.StatusCode.NOT_FOUND, f"no service named {name!r} is registered; registered: {known}"
            )
        return endpoint

    def _calls_of(self, name: str) -> ServiceCalls:
        with self._lock:
            endpoint = self._known(name)
            calls = self._calls.get(name)
            if calls is None:
                policy = self._policies.get(name, self._policy)
                calls = ServiceCalls(
                    name,
                    None if endpoint.service is None else _descriptor(endpoint.service),
                    self._pool(name),
                    policy,
                    self._timeout,
                    self._traced(policy),
                    self.driver,
                    self._method,
                )
                self._calls[name] = calls
            return calls

    def _traced(self, policy: ServicePolicy) -> Tracing | None:
        """What makes the spans of a service's calls. The lock is held."""
        if policy.tracing and self._tracer is None:
            self._tracer = _tracing()
        return self._tracing if policy.tracing is None else self._tracer if policy.tracing else None

    def _pool(self, name: str) -> Any:
        """A new pool of a service, by what is known now."""
        endpoint = self._endpoints[name]
        policy = self._policies.get(name, self._policy)
        return self._new_pool(name, Resolver(endpoint.targets), policy.pool, endpoint.service or name)

    def _new_driver(self) -> Any:
        return THREADS

    def _new_pool(self, name: str, resolver: Resolver, policy: PoolPolicy, asked: str) -> Pool:
        return Pool(name, resolver, policy, self._dialer(), asked)

    def _dialer(self) -> Callable[[Endpoint], Any]:
        """What makes the channels of its pools."""
        return Dialer(message_options(self._options))


def attempts_of(max_retries: int, initial_backoff: float) -> Attempts:
    """Those of `call_with_retry`.

    Raises:
        ValueError: `max_retries` is less than 1.
    """
    if max_retries < 1:
        raise ValueError(f"max_retries is {max_retries}: at least one attempt is needed")
    rules = Retry(max_retries, initial_backoff, max(initial_backoff, 30.0), 2.0, _MAY_BECOME_RIGHT)
    return Attempts(rules, None)


class ServiceManager(BaseManager):
    """Calls services by name.

    Args:
        endpoints: name -> target or targets of a plain-class service, or ServiceEndpoint.
        timeout: seconds a call may take where nothing else is said; None for no limit.
        options: options of the channels; messages up to 64 MiB pass where they say nothing.
        policies: name -> what holds for that service's calls.
        policy: what holds for the others.
        tracing: make spans of calls: True for OpenTelemetry's global tracer provider, or a `Tracing`.
        logger: where the manager logs.

    A context manager. Pickles, and connects anew where it is unpickled and in a forked child.
    """

    # -- calling

    def get_sync_proxy(self, service_name: str) -> ServiceCallProxy:
        """The proxy whose methods wait.

        Raises:
            NotFound: no service of that name is registered.
        """
        return self._proxy(ServiceCallProxy, service_name, self.get_sync_proxy)

    def get_async_proxy(self, service_name: str) -> AsyncServiceCallProxy:
        """The proxy whose methods give futures.

        Raises:
            NotFound: no service of that name is registered.
        """
        return self._proxy(AsyncServiceCallProxy, service_name, self.get_async_proxy)

    def call_service_sync(
        self, service_name: str, method_name: str, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        """Call a method and wait at most `timeout` seconds (None: the policy's, or the manager's default).

        Raises:
            TimeoutError: the deadline passed.
            ConnectionError: the service cannot be reached.
            RemoteError: the method raised.
            RpcError: any other failure.
        """
        return self.get_sync_proxy(service_name)(*args, method=method_name, timeout=timeout, **kwargs)

    def call_service_async(
        self, service_name: str, method_name: str, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> ServiceFuture:
        """Start a call; its future raises what `call_service_sync` would."""
        return self.get_async_proxy(service_name)(*args, method=method_name, timeout=timeout, **kwargs)

    def call_with_retry(
        self,
        service_name: str,
        method_name: str,
        *args: Any,
        max_retries: int = 3,
        timeout: float | None = None,
        initial_backoff: float = 0.1,
        **kwargs: Any,
    ) -> Any:
        """Call a method, again after each failure; for methods that may run twice.

        Everything is tried again but what cannot become right: INVALID_ARGUMENT, UNIMPLEMENTED,
        PERMISSION_DENIED, UNAUTHENTICATED, and programming errors of the caller. A policy is the better place
        for retries that every call should have.

        Args:
            service_name: of the service.
            method_name: of the method.
            args: of the method, as are `kwargs`.
            max_retries: attempts in all.
            timeout: seconds for each attempt.
            initial_backoff: seconds before the second attempt; twice as long each further time, with jitter.

        Raises:
            ValueError: `max_retries` is less than 1.
            RpcError: what the last attempt failed with.
        """
        attempts = attempts_of(max_retries, initial_backoff)
        while True:
            try:
                return self.call_service_sync(service_name, method_name, *args, timeout=timeout, **kwargs)
            except errors.RpcError as error:
                pause = attempts.after(error.code(), error.trailing_metadata())
                if pause is None:
                    raise
            time.sleep(pause)

    def channel_of(self, service: str, name: str | None = None) -> ServiceChannel:
        """A channel to the declared `service` (its full name), for generated clients and stubs.

        Its calls go to the service's pool, under its policies.

        Raises:
            NotFound: no such service, or not of this name, is registered.
            ValueError: several are, and no name is given.
        """
        return ServiceChannel(self._calls_of(self._name_of(service, name)))

    def aio_channel_of(self, service: str, name: str | None = None) -> grpc.aio.Channel:
        """The same for the running event loop: an asyncio manager of its own makes the calls.

        Closing the channel closes that. Raises what `channel_of` does.
        """
        from sage_rpc.services.aio import ServiceManager as AioServiceManager  # asyncio is not everybody's

        name = self._name_of(service, name)
        settings = {**self.__getstate__(), "endpoints": {name: self._endpoints[name]}}
        return AioServiceManager(**settings).own_channel_of(service)

    def health_check_all_services(self, timeout: float = HEALTH_TIMEOUT) -> dict[str, str]:
        """Every service's state: "healthy", "unhealthy" or "error: ...". All are asked at once.

        They are asked by grpc.health.v1, for which the host of a plain class asks its method `health_check`,
        where it has one. Where a plain class is served without grpc.health.v1, the method is called. One
        that answers at all without knowing the question is healthy.

        Args:
            timeout: seconds each may take.
        """
        return run(self._health(timeout))

    # -- life

    def close(self) -> None:
        """Close the connections; calls under way end with CANCELLED."""
        for pool in self._shut():
            pool.close()

    def __enter__(self) -> ServiceManager:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __getstate__(self) -> dict[str, Any]:
        return {
            "endpoints": dict(self._endpoints),
            "timeout": self._timeout,
            "options": self._options,
            "policies": dict(self._policies),
            "policy": self._policy,
            "tracing": self._tracing or False,
            "logger": self.logger,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        ServiceManager.__init__(self, state.pop("endpoints"), **state)


class TracedServiceManager(ServiceManager):
    """A ServiceManager that logs the begin and the end of each `call_service_sync`, with a trace id.

    With `tracing`, the spans of its calls are children of what is current, and the logged id is that of the
    trace.
    """

    def call_service_sync(
        self, service_name: str, method_name: str, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        """As of ServiceManager, logged."""
        trace_id = self.generate_trace_id()
        self.logger.info("Service call started: %s -> %s.%s", trace_id, service_name, method_name)
        began = time.monotonic()
        try:
            result = super().call_service_sync(service_name, method_name, *args, timeout=timeout, **kwargs)
        except Exception as error:
            self.logger.error("Service call failed: %s - %s", trace_id, error)  # noqa: TRY400 - as designed
            raise
        self.logger.info("Service call completed: %s in %.3fs", trace_id, time.monotonic() - began)
        return result


_managers: weakref.WeakSet[BaseManager] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for manager in list(_managers):
        manager._lock = threading.RLock()  # a thread of the parent may have held the old one
        for calls in list(manager._calls.values()):
            for stats in calls.stats.values():
                stats.forget_parent()


os.register_at_fork(after_in_child=_after_fork_in_child)


def _tracing() -> Tracing:
    # OpenTelemetry is not everybody's.
    from sage_rpc.observe.tracing import Tracing

    return Tracing()


def _is_serving(response: bytes | None, error: errors.RpcError | None) -> bool:
    if error is not None:
        raise error
    return response == SERVING


def _told(answer: Any) -> str:
    """What an answer about health means, or the error of one."""
    if not isinstance(answer, BaseException):
        return "healthy" if answer is None or answer else "unhealthy"
    if not isinstance(answer, errors.RpcError):
        raise answer
    if answer.code() in (grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.NOT_FOUND):
        return _NOT_KNOWN
    return f"error: {answer.code().name}: {answer.details()}"


def _checked_targets(name: str, target: Any, *, or_none: bool = False) -> tuple[str, ...]:
    targets = (target,) if isinstance(target, str) else target
    if not isinstance(targets, Sequence) or not (targets or or_none):
        raise ValueError(
            f"the target of {name!r} must be an address such as 'localhost:50051', not {target!r}"
        )
    for each in targets:
        if not each or type(each) is not str:
            raise ValueError(
                f"the target of {name!r} must be an address such as 'localhost:50051', not {each!r}"
            )
    return tuple(targets)


def _check_policy(name: str, policy: object) -> None:
    if not isinstance(policy, ServicePolicy):
        raise TypeError(f"the policy of {name!r} is {policy!r}: expected a ServicePolicy")


def _is_client(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, AnyClient)


def _descriptor(full_name: str) -> ServiceDescriptor:
    try:
        return descriptor_pool.Default().FindServiceByName(full_name)
    except KeyError:
        raise ValueError(
            f"no protobuf service {full_name!r} is known here; import its generated _pb2 module first"
        ) from None
