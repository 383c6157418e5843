"""ServiceManager: names of services to proxies, over whatever transport reaches them.

One channel per target, one proxy of each kind per service, made on first use and shared by all threads.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor

from sage_rpc import aio, errors
from sage_rpc.channel import Channel, insecure_channel
from sage_rpc.clients import AnyClient
from sage_rpc.proxies import (
    AsyncServiceCallProxy,
    DeclaredMethods,
    PlainMethods,
    ServiceCallProxy,
    ServiceFuture,
)
from sage_rpc.service_host import message_options

__all__ = ["ServiceEndpoint", "ServiceManager"]

ClientT = TypeVar("ClientT", bound=AnyClient)
DEFAULT_TIMEOUT = 30.0  # seconds
HEALTH_TIMEOUT = 5.0  # seconds
_HEALTH_CHECK = "/grpc.health.v1.Health/Check"
_SERVING = b"\x08\x01"  # HealthCheckResponse(status=SERVING)


@dataclass(frozen=True)
class ServiceEndpoint:
    """Where a service is, and what it is.

    Attributes:
        target: a gRPC target, for example "localhost:50051".
        service: full name of a declared protobuf service ("pkg.Cache"); None for a plain class.
    """

    target: str
    service: str | None = None


class ServiceManager:
    """Calls services by name.

    Args:
        endpoints: name -> target of a plain-class service, or ServiceEndpoint.
        timeout: seconds a call may take where it says nothing else; None for no limit.
        options: options of the channels; messages up to 64 MiB pass where they say nothing.

    A context manager. Pickles, and connects anew where it is unpickled and in a forked child.
    """

    def __init__(
        self,
        endpoints: Mapping[str, str | ServiceEndpoint] | None = None,
        *,
        timeout: float | None = DEFAULT_TIMEOUT,
        options: Sequence[tuple[str, Any]] | None = None,
    ) -> None:
        _managers.add(self)
        self._timeout = timeout
        self._options = tuple(options or ())
        self._lock = threading.RLock()  # guards everything below
        self._endpoints: dict[str, ServiceEndpoint] = {}
        self._channels: dict[str, Channel] = {}
        self._methods: dict[str, PlainMethods | DeclaredMethods] = {}
        self._sync: dict[str, ServiceCallProxy] = {}
        self._async: dict[str, AsyncServiceCallProxy] = {}
        self._clients: dict[tuple[type, str | None], Any] = {}
        self._closed = False
        for name, endpoint in (endpoints or {}).items():
            if isinstance(endpoint, ServiceEndpoint):
                self.register(name, endpoint.target, service=endpoint.service)
            else:
                self.register(name, endpoint)

    def register(self, name: str, target: str, *, service: str | ServiceDescriptor | None = None) -> None:
        """Let `name` mean the service at `target`.

        Args:
            name: what calls use; for a plain class also its name at its host.
            target: a gRPC target.
            service: full name or descriptor of a declared service; its module must be imported.

        Raises:
            ValueError: the name is taken, or the declared service is not known.
        """
        if not target or type(target) is not str:
            raise ValueError(
                f"the target of {name!r} must be an address such as 'localhost:50051', not {target!r}"
            )
        if isinstance(service, ServiceDescriptor):
            service = service.full_name
        if service is not None:
            _descriptor(service)
        with self._lock:
            if name in self._endpoints:
                raise ValueError(
                    f"a service named {name!r} is registered already, at {self._endpoints[name].target}"
                )
            self._endpoints[name] = ServiceEndpoint(target, service)

    # -- calling

    def get_sync_proxy(self, service_name: str) -> ServiceCallProxy:
        """The proxy whose methods wait.

        Raises:
            NotFound: no service of that name is registered.
        """
        proxy = self._sync.get(service_name)
        if proxy is None:
            with self._lock:
                proxy = self._sync.setdefault(
                    service_name,
                    ServiceCallProxy(service_name, self._methods_of(service_name), self.get_sync_proxy),
                )
        return proxy

    def get_async_proxy(self, service_name: str) -> AsyncServiceCallProxy:
        """The proxy whose methods give futures.

        Raises:
            NotFound: no service of that name is registered.
        """
        proxy = self._async.get(service_name)
        if proxy is None:
            with self._lock:
                proxy = self._async.setdefault(
                    service_name,
                    AsyncServiceCallProxy(service_name, self._methods_of(service_name), self.get_async_proxy),
                )
        return proxy

    def call_service_sync(
        self, service_name: str, method_name: str, *args: Any, timeout: float | None = None, **kwargs: Any
    ) -> Any:
        """Call a method and wait at most `timeout` seconds (None: the manager's default).

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
            if kind.KEEPS:
                with self._lock:
                    found = self._clients.setdefault((kind, name), found)
        return found

    @property
    def timeout(self) -> float | None:
        """Seconds a call may take where nothing else is said; None for no limit."""
        return self._timeout

    def channel_of(self, service: str, name: str | None = None) -> Channel:
        """The channel to the declared `service` (its full name); it is the manager's to close.

        Raises:
            NotFound: no such service, or not of this name, is registered.
            ValueError: several are, and no name is given.
        """
        with self._lock:
            return self._channel_to(self._endpoint_of(service, name).target)

    def aio_channel_of(self, service: str, name: str | None = None) -> aio.Channel:
        """A new channel for the running event loop, to be closed by the caller; else as `channel_of`."""
        with self._lock:
            target = self._endpoint_of(service, name).target
        return aio.insecure_channel(target, message_options(self._options))

    def _endpoint_of(self, service: str, name: str | None) -> ServiceEndpoint:
        self._check_open()
        names = [known for known, endpoint in self._endpoints.items() if endpoint.service == service]
        if name is None and len(names) > 1:
            raise ValueError(f"several are a {service}: give name=, one of {', '.join(sorted(names))}")
        if (not names) if name is None else (name not in names):
            what = f"no {service}" if name is None else f"no {service} named {name!r}"
            known = ", ".join(
                f"{known} ({endpoint.service or 'a plain class'})"
                for known, endpoint in sorted(self._endpoints.items())
            )
            raise errors.NotFound(
                grpc.StatusCode.NOT_FOUND,
                f"{what} is registered; registered: {known or 'none'}. A declared service is registered with "
                f"its full name: register(name, target, service={service!r})",
            )
        return self._endpoints[names[0] if name is None else name]

    # -- looking

    @property
    def services(self) -> tuple[str, ...]:
        """The registered names, sorted."""
        return tuple(sorted(self._endpoints))

    def transport_of(self, service_name: str) -> str:
        """What carries calls to a service now: "shm", "grpc", or "idle" before the first one."""
        self._methods_of(service_name)
        return self._channels[self._endpoints[service_name].target].transport

    def health_check_all_services(self, timeout: float = HEALTH_TIMEOUT) -> dict[str, str]:
        """Every service's state: "healthy", "unhealthy" or "error: ...".

        A plain class answers by its method `health_check` where it has one, a declared service by
        grpc.health.v1; one that answers at all without having either is healthy.
        """
        return {name: self._health(name, timeout) for name in self.services}

    def _health(self, name: str, timeout: float) -> str:
        try:
            if self._endpoints[name].service is None:
                return (
                    "healthy"
                    if self.call_service_sync(name, "health_check", timeout=timeout)
                    else "unhealthy"
                )
            self._methods_of(name)
            channel = self._channels[self._endpoints[name].target]
            return (
                "healthy"
                if channel.unary_unary(_HEALTH_CHECK)(b"", timeout=timeout) == _SERVING
                else "unhealthy"
            )
        except grpc.RpcError as error:
            converted = errors.from_grpc(error)
            if converted.code() is grpc.StatusCode.UNIMPLEMENTED:
                return "healthy"
            return f"error: {converted.code().name}: {converted.details()}"

    # -- life

    def close(self) -> None:
        """Close the channels; calls under way end with CANCELLED."""
        with self._lock:
            self._closed = True
            channels = list(self._channels.values())
            self._channels.clear()
            self._methods.clear()
            self._sync.clear()
            self._async.clear()
            self._clients.clear()
        for channel in channels:
            channel.close()

    def __enter__(self) -> ServiceManager:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return (
            f"<ServiceManager {', '.join(self.services) or 'no services'}{' closed' if self._closed else ''}>"
        )

    def __getstate__(self) -> dict[str, Any]:
        return {"endpoints": dict(self._endpoints), "timeout": self._timeout, "options": self._options}

    def __setstate__(self, state: dict[str, Any]) -> None:
        ServiceManager.__init__(self, state["endpoints"], timeout=state["timeout"], options=state["options"])

    def _methods_of(self, name: str) -> PlainMethods | DeclaredMethods:
        with self._lock:
            self._check_open()
            endpoint = self._endpoints.get(name)
            if endpoint is None:
                known = ", ".join(self.services) or "none"
                raise errors.NotFound(
                    grpc.StatusCode.NOT_FOUND, f"no service named {name!r} is registered; registered: {known}"
                )
            methods = self._methods.get(name)
            if methods is None:
                channel = self._channel_to(endpoint.target)
                if endpoint.service is None:
                    methods = PlainMethods(name, channel, self._timeout)
                else:
                    methods = DeclaredMethods(_descriptor(endpoint.service), channel, self._timeout)
                self._methods[name] = methods
            return methods

    def _channel_to(self, target: str) -> Channel:
        channel = self._channels.get(target)
        if channel is None:
            channel = insecure_channel(target, message_options(self._options))
            self._channels[target] = channel
        return channel

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("the ServiceManager is closed")


_managers: weakref.WeakSet[ServiceManager] = weakref.WeakSet()


def _after_fork_in_child() -> None:
    for manager in list(_managers):
        manager._lock = threading.RLock()  # a thread of the parent may have held the old one


os.register_at_fork(after_in_child=_after_fork_in_child)


def _is_client(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, AnyClient)


def _descriptor(full_name: str) -> ServiceDescriptor:
    try:
        return descriptor_pool.Default().FindServiceByName(full_name)
    except KeyError:
        raise ValueError(
            f"no protobuf service {full_name!r} is known here; import its generated _pb2 module first"
        ) from None
