"""The process of one service: make it, give it an address, set it up, serve, clean up."""

from __future__ import annotations

import contextlib
import logging
from typing import Any

from sage_rpc.operators.context import BaseService
from sage_rpc.operators.control import Bound, Done, Ready, Start
from sage_rpc.operators.parent import Parent, Stopped
from sage_rpc.operators.plan import ServiceSpec
from sage_rpc.operators.processes import Boot, StepError, make_context, step
from sage_rpc.service_host import ServiceHost
from sage_rpc.transport.shm.rendezvous import endpoint_of_target, published

__all__ = ["work"]

DRAIN_SECONDS = 1.0  # for calls under way when the service stops
_CONTEXT = ("ctx", "call_service", "call_service_async", "logger")


class _Public:
    """What of a service may be called: everything public but its context."""

    def __init__(self, instance: Any) -> None:
        self._instance = instance

    def __dir__(self) -> list[str]:
        return [name for name in dir(self._instance) if name not in _CONTEXT]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._instance, name)


def work(boot: Boot, spec: ServiceSpec, parent: Parent) -> Done:
    """Serve until the parent says Stop.

    Raises:
        StepError: the class's `__init__`, `setup` or `cleanup` raised, or it cannot be served.
        Stopped: the job was stopped before the service was ready.
    """
    with parent.interruptible(), step("__init__()"):
        instance = spec.cls(*spec.args, **spec.kwargs)
    with step("getting an address"):
        max_workers = getattr(instance, "max_workers", None)
        if not isinstance(max_workers, int):
            max_workers = BaseService.max_workers
        host = ServiceHost(spec.name, _Public(instance), max_workers=max_workers)
    parent.send(Bound(host.address))
    start = parent.receive()
    assert isinstance(start, Start), start  # noqa: S101 - the parent's part of the protocol
    context = make_context(boot, start)
    with context.service_manager:
        if isinstance(instance, BaseService):
            instance.ctx = context
        else:
            _lend(instance, "call_service", context.services)
            _lend(instance, "call_service_async", context.async_services)
            _lend(instance, "logger", context.logger)
        try:
            with parent.interruptible(), step("setup()"):
                getattr(instance, "setup", _nothing)()
            with step("starting to serve"):
                host.start()
            parent.send(Ready(_sockets(host.address)))
            parent.wait_for_stop()
        except (StepError, Stopped):
            _stop(host)
            try:
                getattr(instance, "cleanup", _nothing)()
            except Exception:  # the first error is the one to report
                context.logger.exception("cleanup() failed, too")
            raise
        _stop(host)
        with step("cleanup()"):
            getattr(instance, "cleanup", _nothing)()
    return Done()


def _nothing() -> None:
    pass


def _lend(instance: Any, name: str, value: Any) -> None:
    """Give a plain object what a BaseService has, where it has nothing of that name."""
    if not hasattr(instance, name):
        with contextlib.suppress(AttributeError, TypeError):
            setattr(instance, name, value)


def _stop(host: ServiceHost) -> None:
    """Stop serving; a method that does not end is left behind and dies with the process."""
    if not host.server.stop(DRAIN_SECONDS).wait(2 * DRAIN_SECONDS):
        logging.getLogger(__name__).warning("calls of %s go on after %s s", host.name, DRAIN_SECONDS)
    host.server.stop(None)


def _sockets(target: str) -> tuple[str, ...]:
    try:
        return tuple(map(str, published(endpoint_of_target(target))))
    except OSError:
        return ()  # no runtime directory: the service serves over gRPC only
