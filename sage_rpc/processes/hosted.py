"""The life of a service that has a process of its own, told to its parent: a job's, or a supervisor's."""

from __future__ import annotations

from collections.abc import Callable

from sage_rpc.hosting.host import Host
from sage_rpc.hosting.lifecycle import give_context
from sage_rpc.processes.messages import Done, Message, Opened, Ready
from sage_rpc.processes.parent import Parent, Stopped
from sage_rpc.processes.steps import StepError, step
from sage_rpc.services.context import Context

__all__ = ["Presence", "live"]


class Presence:
    """Where others see a process, beside its host; subclasses say it there."""

    def opened(self) -> tuple[str, ...]:
        """The host answers, and setup() comes. -> more sockets to remove when this process cannot."""
        return ()

    def ready(self) -> None:
        """Calls are taken from now on."""

    def draining(self) -> None:
        """Calls should go elsewhere."""

    def gone(self) -> None:
        """Nothing is served any more."""


def live(
    host: Host,
    context: Context,
    parent: Parent,
    presence: Presence,
    *,
    grace: float,
    notice: float = 0.0,
    hurry: float,
    take: Callable[[Message], None] | None = None,
) -> Done:
    """Set up, serve until the parent, or a SIGTERM, says otherwise, drain, clean up.

    Args:
        host: bound, not open.
        context: what the service gets to call others.
        parent: says when it ends.
        presence: where others see it.
        grace: seconds for calls under way at the end.
        notice: seconds without a call after which everybody has heard of the end; 0: nobody needs to.
        hurry: the grace where the process was told to stop at once.
        take: gets what else the parent says.

    Raises:
        StepError: `setup` or `cleanup` raised, or it cannot be served.
        Stopped: the process was to end before the service was ready.
    """
    with context.service_manager:
        give_context(host.instance, context)
        try:
            with step("starting to serve"):
                host.open()
                parent.send(Opened((*map(str, host.server.published), *presence.opened())))
            with parent.interruptible(), step("setup()"):
                host.set_up()
            with step("starting to serve"):
                presence.ready()
                parent.send(Ready())
            parent.wait_for_stop(take)
        except (StepError, Stopped):
            presence.gone()
            host.give_up()
            raise
        presence.draining()
        if parent.stopping:
            host.drain(hurry)
        else:
            host.drain(grace, notice)
        presence.gone()
        host.close()
        with step("cleanup()"):
            host.clean_up()
    return Done(served=() if host.meter is None else tuple(host.meter.stats().to_list()))
