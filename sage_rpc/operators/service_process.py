"""The process of one service: make it, give it an address, set it up, serve, clean up."""

from __future__ import annotations

import logging

from sage_rpc.hosting.host import ServiceHost
from sage_rpc.hosting.lifecycle import give_context, max_workers_of, run_hook
from sage_rpc.operators.plan import ServiceSpec
from sage_rpc.operators.worker import Boot, make_context
from sage_rpc.processes.messages import Bound, Done, Ready, Start
from sage_rpc.processes.parent import Parent, Stopped
from sage_rpc.processes.steps import StepError, step

__all__ = ["work"]

DRAIN_SECONDS = 1.0  # for calls under way when the service stops


def work(boot: Boot, spec: ServiceSpec, parent: Parent) -> Done:
    """Serve until the parent says Stop.

    Raises:
        StepError: the class's `__init__`, `setup` or `cleanup` raised, or it cannot be served.
        Stopped: the job was stopped before the service was ready.
    """
    with parent.interruptible(), step("__init__()"):
        instance = spec.cls(*spec.args, **spec.kwargs)
    with step("getting an address"):
        host = ServiceHost(spec.name, instance, max_workers=max_workers_of(instance))
    parent.send(Bound(host.address))
    start = parent.receive()
    assert isinstance(start, Start), start  # noqa: S101 - the parent's part of the protocol
    context = make_context(boot, start)
    with context.service_manager:
        give_context(instance, context)
        try:
            with parent.interruptible(), step("setup()"):
                run_hook(instance, "setup")
            with step("starting to serve"):
                host.start()
            parent.send(Ready(tuple(map(str, host.server.published))))
            parent.wait_for_stop()
        except (StepError, Stopped):
            _stop(host)
            try:
                run_hook(instance, "cleanup")
            except Exception:  # the first error is the one to report
                context.logger.exception("cleanup() failed, too")
            raise
        _stop(host)
        with step("cleanup()"):
            run_hook(instance, "cleanup")
    return Done()


def _stop(host: ServiceHost) -> None:
    """Stop serving; a method that does not end is left behind and dies with the process."""
    if not host.server.stop(DRAIN_SECONDS).wait(2 * DRAIN_SECONDS):
        logging.getLogger(__name__).warning("calls of %s go on after %s s", host.name, DRAIN_SECONDS)
    host.server.stop(None)
