"""The process of one service of a job: make it, give it an address, hear where the others are, live."""

from __future__ import annotations

from sage_rpc.hosting.host import Host
from sage_rpc.operators.plan import ServiceSpec
from sage_rpc.operators.worker import Boot, make_context
from sage_rpc.processes.hosted import Presence, live
from sage_rpc.processes.messages import Bound, Done, Start
from sage_rpc.processes.parent import Parent
from sage_rpc.processes.steps import step

__all__ = ["work"]

_HURRY = 1.0  # seconds for calls under way when the job is over at once


def work(boot: Boot, spec: ServiceSpec, parent: Parent) -> Done:
    """Serve until the parent says Stop.

    Raises:
        StepError: the class's `__init__`, `setup` or `cleanup` raised, or it cannot be served.
        Stopped: the job was stopped before the service was ready.
    """
    with parent.interruptible(), step("__init__()"):
        instance = spec.cls(*spec.args, **spec.kwargs)
    with step("getting an address"):
        host = Host(spec.name, instance, spec.hosting)
        port = host.listen("127.0.0.1:0")
    parent.send(Bound(f"localhost:{port}"))
    start = parent.receive()
    assert isinstance(start, Start), start  # noqa: S101 - the parent's part of the protocol
    context = make_context(boot, start, tracing=host.tracing or False)
    return live(host, context, parent, Presence(), grace=spec.hosting.stop_grace, hurry=_HURRY)
