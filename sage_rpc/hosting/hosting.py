"""What may be said about how a service is hosted, wherever that is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from sage_rpc.policies.access import Access
from sage_rpc.policies.settings import AdmissionPolicy

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["Hosting"]


@dataclass(frozen=True)
class Hosting:
    """How a service is hosted, wherever it is.

    Attributes:
        max_workers: threads that run its methods; None: as its class says by such an attribute, else 10. With
            `admission`, as many as it takes.
        admission: how many calls run and wait; None: as many run as there are threads, and any number wait.
        access: `access(peer, method)` says who may call: False or a PermissionError refuses.
        tracing: make spans of calls: True for OpenTelemetry's global tracer provider, or a `Tracing`, or a
            function that makes a tracer provider.
        stats: count the calls; with `tracing`, they are counted, too.
        add_to_server: for a declared service, the generated `add_XServicer_to_server`.
        options: of the server; messages up to MESSAGE_LIMIT bytes pass where they say nothing.
        stop_grace: seconds for calls under way at the end.
    """

    max_workers: int | None = None
    admission: AdmissionPolicy | None = None
    access: Access | None = None
    tracing: Tracing | bool | Callable[[], Any] = False
    stats: bool = False
    add_to_server: Callable[[Any, grpc.Server], None] | None = None
    options: Sequence[tuple[str, Any]] = ()
    stop_grace: float = 10.0
