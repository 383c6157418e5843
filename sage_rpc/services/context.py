"""What running code may ask for: services by name, a logger, and where it runs.

A `Context` exists only while its job runs, in the worker process that runs the code. Before and after,
and anywhere else, `call_service` is the error NOT_RUNNING.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import Any, TypeVar, overload

from sage_rpc.services.manager import ServiceManager
from sage_rpc.services.proxies import AsyncServiceCallProxy, ServiceCallProxy, ServiceFuture
from sage_rpc.stubs.clients import AsyncClient, Client

__all__ = ["AsyncServices", "BaseService", "Context", "InContext", "Services"]

ClientT = TypeVar("ClientT", bound=Client)
AsyncClientT = TypeVar("AsyncClientT", bound=AsyncClient)
NOT_RUNNING = "Runtime context not initialized. Cannot access services."


class Services:
    """Services whose methods wait: `services["cache"].get(k)` or `services("cache", k, method="get")`."""

    def __init__(self, manager: ServiceManager) -> None:
        self._manager = manager

    @overload
    def __getitem__(self, service: str) -> ServiceCallProxy: ...
    @overload
    def __getitem__(self, service: type[ClientT]) -> ClientT: ...
    def __getitem__(self, service: str | type[ClientT]) -> ServiceCallProxy | ClientT:
        """The service of a name, or the one that a generated client is for: `services[CacheClient]`."""
        if isinstance(service, str):
            return self._manager.get_sync_proxy(service)
        if not issubclass(service, Client):
            raise TypeError(f"call_service takes clients that wait, as CacheClient, not {service!r}")
        return self._manager.client(service)

    def __call__(
        self,
        service_name: str,
        *args: Any,
        method: str = "process",
        timeout: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """Call `method` and wait at most `timeout` seconds (None: the environment's timeout)."""
        return self._manager.get_sync_proxy(service_name)(*args, method=method, timeout=timeout, **kwargs)

    def __repr__(self) -> str:
        return f"<Services {', '.join(self._manager.services) or 'none'}>"


class AsyncServices:
    """Services whose methods give futures at once; spelled like `Services`."""

    def __init__(self, manager: ServiceManager) -> None:
        self._manager = manager

    @overload
    def __getitem__(self, service: str) -> AsyncServiceCallProxy: ...
    @overload
    def __getitem__(self, service: type[AsyncClientT]) -> AsyncClientT: ...
    def __getitem__(self, service: str | type[AsyncClientT]) -> AsyncServiceCallProxy | AsyncClientT:
        """The service of a name, or the one that a generated client is for: `services[CacheAsyncClient]`."""
        if isinstance(service, str):
            return self._manager.get_async_proxy(service)
        if not issubclass(service, AsyncClient):
            raise TypeError(
                f"call_service_async takes clients of futures, such as CacheAsyncClient, not {service!r}"
            )
        return self._manager.client(service)

    def __call__(
        self,
        service_name: str,
        *args: Any,
        method: str = "process",
        timeout: float | None = None,
        **kwargs: Any,
    ) -> ServiceFuture:
        """Start `method`; it ends after `timeout` seconds (None: the environment's timeout)."""
        return self._manager.get_async_proxy(service_name)(*args, method=method, timeout=timeout, **kwargs)

    def __repr__(self) -> str:
        return f"<AsyncServices {', '.join(self._manager.services) or 'none'}>"


@dataclass(frozen=True)
class Context:
    """Where some code runs.

    Attributes:
        job: name of the environment.
        name: name of the operator or service.
        worker: number of this worker process among those of the operator, from 0.
        parallelism: how many there are.
        service_manager: reaches the job's services.
    """

    job: str
    name: str
    worker: int
    parallelism: int
    service_manager: ServiceManager
    services: Services = field(init=False, repr=False)
    async_services: AsyncServices = field(init=False, repr=False)
    logger: logging.Logger = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "services", Services(self.service_manager))
        object.__setattr__(self, "async_services", AsyncServices(self.service_manager))
        object.__setattr__(self, "logger", logging.getLogger(f"{self.job}.{self.name}"))


class InContext:
    """What operators and services have in common.

    Attributes:
        ctx: where this object runs; None outside a running job.
    """

    ctx: Context | None = None

    @property
    def call_service(self) -> Services:
        """Services whose methods wait: `self.call_service["cache"].get(k)`.

        The same with a deadline: `self.call_service("cache", k, method="get", timeout=2.0)`, in seconds.

        Raises:
            RuntimeError: this object does not run in a job.
        """
        if self.ctx is None:
            raise RuntimeError(NOT_RUNNING)
        return self.ctx.services

    @property
    def call_service_async(self) -> AsyncServices:
        """Services whose methods give a Future: `self.call_service_async["cache"].get(k).result(2.0)`.

        Raises:
            RuntimeError: this object does not run in a job.
        """
        if self.ctx is None:
            raise RuntimeError(NOT_RUNNING)
        return self.ctx.async_services

    def call_with_retry(
        self, service_name: str, method_name: str, *args: Any, max_retries: int = 3, **kwargs: Any
    ) -> Any:
        """Call a method that may run twice, again after each failure: see `ServiceManager.call_with_retry`.

        Raises:
            RuntimeError: this object does not run in a job.
        """
        if self.ctx is None:
            raise RuntimeError(NOT_RUNNING)
        return self.ctx.service_manager.call_with_retry(
            service_name, method_name, *args, max_retries=max_retries, **kwargs
        )

    @property
    def logger(self) -> logging.Logger:
        """Writes to stderr of the program, each line marked with job, name and worker."""
        return logging.getLogger(type(self).__qualname__) if self.ctx is None else self.ctx.logger

    def setup(self) -> None:
        """Runs once in the worker process, with the services within reach, before anything else."""

    def cleanup(self) -> None:
        """Runs once in the worker process at its end, after a failure too, if `setup` was begun."""

    def __repr__(self) -> str:
        where = "not running" if self.ctx is None else f"{self.ctx.job}/{self.ctx.name}[{self.ctx.worker}]"
        return f"<{type(self).__qualname__} {where}>"

    def __getstate__(self) -> dict[str, Any]:
        state = dict(self.__dict__)
        state.pop("ctx", None)  # a context belongs to its process
        return state


class BaseService(InContext):
    """A base for services that want `call_service` and `logger`; not required, any class can be a service.

    Attributes:
        max_workers: threads that run its methods at once; 1 for a class that is not thread-safe.
    """

    max_workers: int = 10
