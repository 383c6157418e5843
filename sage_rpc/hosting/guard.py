"""What stands before the methods of a hosted service: its life, who may call, how many at once.

Nothing that a service serves is without its guard: plain objects are behind it in `dispatch`, handlers that
somebody gives to a server get it here, as they come.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.encoding.naming import snake_case
from sage_rpc.hosting.batches import DeclaredBatches
from sage_rpc.hosting.lifecycle import Life
from sage_rpc.observe.measured import measured
from sage_rpc.observe.served import Meter
from sage_rpc.policies.access import Access, peer_of
from sage_rpc.policies.admission import Gate, RefusedError
from sage_rpc.policies.sending import PRIORITY
from sage_rpc.text.exceptions import text_of
from sage_rpc.text.foreign import shown

__all__ = ["HEALTH_SERVICE", "Guard", "GuardedServer"]

HEALTH_SERVICE = "grpc.health.v1.Health"
_GENERIC = "(generic)"  # methods of a handler that finds them by itself: perhaps whatever callers ask for
_LONG = 100  # a name of so many characters is somebody's joke
_LOGGER = logging.getLogger("sage_rpc")


class Guard:
    """The guard of one service.

    Args:
        name: of the service.
        life: of its host.
        access: refuses callers; None: everybody may call who can connect.
        gate: bounds what runs; None: nothing does but the threads.

    Attributes:
        checks: there is something to do beside the life.
    """

    def __init__(
        self,
        name: str,
        life: Life,
        access: Access | None = None,
        gate: Gate | None = None,
    ) -> None:
        self.name = name
        self.life = life
        self._gate = gate
        self._access = access
        self.checks = access is not None or gate is not None

    @contextlib.contextmanager
    def around(self, method: str, context: grpc.ServicerContext) -> Iterator[None]:
        """Let a call pass that has entered its life, or abort it."""
        if self._access is not None:
            self._check_access(self._access, method, context)
        if self._gate is None:
            yield
            return
        try:
            self._gate.enter(context.peer(), _priority(context), context.time_remaining())
        except RefusedError as refused:
            context.set_trailing_metadata((errors.NOT_RUN,))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(refused))
        try:
            yield
        finally:
            self._gate.leave()

    def _check_access(self, access: Access, method: str, context: grpc.ServicerContext) -> None:
        peer = peer_of(context)
        named = method if method.isidentifier() and len(method) < _LONG else shown(method)
        text = f"{peer.address} may not call {self.name}.{named}"
        try:
            if access(peer, method) is not False:
                return
        except PermissionError as error:
            text = text_of(error) or text
        except Exception:
            _LOGGER.exception("the access hook of the service %r raised: the call is refused", self.name)
        context.set_trailing_metadata((errors.NOT_RUN,))
        context.abort(grpc.StatusCode.PERMISSION_DENIED, text)

    def handler(self, method: str, handler: grpc.RpcMethodHandler) -> grpc.RpcMethodHandler:
        """`handler` behind this guard, as a call that those it makes end with."""

        def answer_once(behavior: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            def behave(request: Any, context: grpc.ServicerContext) -> Any:
                served = self.life.enter(context)
                try:
                    if not self.checks:
                        return behavior(request, context)
                    with self.around(method, context):
                        return behavior(request, context)
                finally:
                    self.life.leave(served)

            return behave

        def answer_often(behavior: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
            def behave(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
                served = self.life.enter(context)
                try:
                    with self.around(method, context) if self.checks else contextlib.nullcontext():
                        yield from behavior(request, context)
                finally:
                    self.life.leave(served)

            return behave

        kind = ("unary_" if not handler.request_streaming else "stream_") + (
            "stream" if handler.response_streaming else "unary"
        )
        behavior = getattr(handler, kind)
        if getattr(behavior, "experimental_non_blocking", False):
            if self.checks:
                raise TypeError(
                    f"{self.name}.{method} answers from elsewhere (experimental_non_blocking), where access "
                    "and admission cannot follow: leave them out, or write it as an ordinary handler"
                )
            return handler
        wrap = answer_often if handler.response_streaming else answer_once
        made: grpc.RpcMethodHandler = getattr(grpc, f"{kind}_rpc_method_handler")(
            wrap(behavior), handler.request_deserializer, handler.response_serializer
        )
        return made


def _priority(context: grpc.ServicerContext) -> int:
    for name, value in context.invocation_metadata() or ():
        if name == PRIORITY:
            with contextlib.suppress(ValueError):
                return max(-8, min(7, int(value)))
    return 0


class GuardedServer:
    """A server as a generated `add_XServicer_to_server` sees it: handlers are guarded as they come.

    Args:
        server: gets them.
        guard: makes the guard of a service.
        meter: counts their calls; None: nobody does.
        name: of the service, for statistics.

    Attributes:
        guard_of: makes the guard of a service.
        services: names of those that came.
        batches: of their unary methods.
    """

    def __init__(
        self, server: grpc.Server, guard: Callable[[str], Guard], meter: Meter | None, name: str
    ) -> None:
        self._server = server
        self.guard_of = guard
        self._meter = meter
        self._name = name
        self.services: list[str] = []
        self.batches = DeclaredBatches()

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """As grpc's; those of a dictionary come once more by `add_registered_method_handlers`."""
        self._server.add_generic_rpc_handlers(tuple(map(self._generic, handlers)))

    def add_registered_method_handlers(self, service: str, handlers: Mapping[str, Any]) -> None:
        """As grpc's."""
        add: Any = self._server.add_registered_method_handlers
        add(service, self._guarded(service, handlers))

    def _generic(self, handler: grpc.GenericRpcHandler) -> grpc.GenericRpcHandler:
        known = getattr(handler, "_method_handlers", None)
        if not isinstance(known, dict) or not isinstance(handler, grpc.ServiceRpcHandler):
            return _GuardedHandler(handler, self)
        service = handler.service_name()
        methods = {path.rpartition("/")[2]: each for path, each in known.items()}
        return grpc.method_handlers_generic_handler(service, self._guarded(service, methods))

    def _guarded(self, service: str, handlers: Mapping[str, Any]) -> dict[str, Any]:
        if service not in self.services:
            self.services.append(service)
        if service == HEALTH_SERVICE:
            return dict(handlers)  # asked by whoever looks after the host, and while it serves nothing else
        guard = self.guard_of(service)
        for name, handler in handlers.items():
            if handler.unary_unary is not None:
                # Guarded as one call, and each of its calls is the handler's own.
                self.batches.add(service, name, handler, guard)
        return {
            name: self.guarded(handler, service, name, snake_case(name)) for name, handler in handlers.items()
        }

    def guarded(
        self, handler: grpc.RpcMethodHandler, service: str, method: str, counted: str
    ) -> grpc.RpcMethodHandler:
        """One handler behind its guard, counted as a method of that name."""
        found = self.guard_of(service).handler(method, handler)
        if self._meter is None:
            return found
        return measured(self._meter, found, (self._name, counted), (service, method))


class _GuardedHandler(grpc.GenericRpcHandler):
    """A generic handler that somebody wrote himself: what it finds for a call is guarded then."""

    def __init__(self, handler: grpc.GenericRpcHandler, server: GuardedServer) -> None:
        self._handler = handler
        self._server = server

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler | None:
        """As grpc's."""
        found = self._handler.service(details)
        if found is None:
            return None
        service, _, method = details.method.lstrip("/").rpartition("/")
        return self._server.guarded(found, service, method, _GENERIC)
