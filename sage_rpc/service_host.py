"""Serving plain Python objects: dispatch by method name, and a host for one service in this process.

Only public methods can be called (no leading underscore, not `setup` and `cleanup`, which belong to
whoever runs the service). They run in several threads at once; a class that cannot bear that is hosted
with `max_workers=1`.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Callable, Sequence
from concurrent import futures
from typing import Any

import grpc

from sage_rpc import buffers, deadline, errors, values
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.server import server

__all__ = ["MESSAGE_LIMIT", "METHOD", "PlainServices", "ServiceHost"]

METHOD = "/sage.rpc.v1.Invocation/Call"
MESSAGE_LIMIT = 64 << 20  # bytes, where the user's options say nothing: arrays are larger than gRPC's 4 MiB
LIFECYCLE = ("setup", "cleanup")


def message_options(options: Sequence[tuple[str, Any]] | None) -> list[tuple[str, Any]]:
    """`options` with MESSAGE_LIMIT as the default limit in both directions."""
    given = list(options or ())
    names = {name for name, _ in given}
    limits = ("grpc.max_receive_message_length", "grpc.max_send_message_length")
    return [*given, *((name, MESSAGE_LIMIT) for name in limits if name not in names)]


class PlainServices:
    """The servicer of `sage.rpc.v1.Invocation`: any number of plain objects under their names."""

    def __init__(self) -> None:
        self._instances: dict[str, Any] = {}
        self._methods: dict[tuple[str, str], Callable[..., Any]] = {}

    def add(self, name: str, instance: Any) -> None:
        """Serve `instance` as `name`.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._instances:
            raise ValueError(f"a service named {name!r} is served here already")
        self._instances[name] = instance

    def handler(self) -> grpc.GenericRpcHandler:
        """What a server's `add_generic_rpc_handlers` takes."""
        method = grpc.unary_unary_rpc_method_handler(
            self._call,
            request_deserializer=buffers.deserializer(
                invoke_pb2.ServiceRequest, invoke_pb2.ServiceRequest.BUFFERS_FIELD_NUMBER
            ),
            response_serializer=buffers.serializer(invoke_pb2.ServiceResponse.BUFFERS_FIELD_NUMBER),
        )
        return grpc.method_handlers_generic_handler("sage.rpc.v1.Invocation", {"Call": method})

    def _call(self, request: Any, context: grpc.ServicerContext) -> Any:
        if type(request) is buffers.WithBuffers:
            large, request = request.buffers, request.message
        else:
            large = request.buffers
        service, method = request.service, request.method
        function = self._methods.get((service, method)) or self._find(service, method, context)
        args: Sequence[Any] = ()
        kwargs: dict[str, Any] = {}
        if request.arguments:
            try:
                args, kwargs = values.decode(request.arguments, large)
            except ValueError as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{service}.{method}: bad arguments: {error}")
        buffers.serving(context)
        left = context.time_remaining()
        if left is not None:
            deadline.enter(left)
        try:
            result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - whatever the method raised is the caller's to see
            if _wrong_arguments(error):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{service}.{method}: {error}")
            if isinstance(error, errors.DeadlineExceeded) and deadline.passed():
                # Of a call that this one was waiting for: the time is the caller's, and it is over.
                context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
            return _exception_response(error)
        try:
            large = []
            response = invoke_pb2.ServiceResponse(result=values.encode(result, large))
            return buffers.WithBuffers(response, large) if large else response
        except values.UnserializableError as error:
            context.abort(grpc.StatusCode.INTERNAL, f"the result of {service}.{method}: {error}")
            raise

    def _find(self, service: str, method: str, context: grpc.ServicerContext) -> Callable[..., Any]:
        instance = self._instances.get(service)
        if service not in self._instances:
            known = ", ".join(sorted(self._instances)) or "none"
            context.abort(grpc.StatusCode.NOT_FOUND, f"no service {service!r} here; served: {known}")
        public = [n for n in dir(instance) if not n.startswith("_") and n not in LIFECYCLE]
        found: Callable[..., Any] | None = getattr(instance, method, None) if method in public else None
        if not callable(found):
            close = difflib.get_close_matches(method, public, n=3) or public[:10]
            hint = f"; did you mean {', '.join(close)}?" if close else ""
            context.abort(
                grpc.StatusCode.UNIMPLEMENTED, f"the service {service!r} has no method {method!r}{hint}"
            )
            raise AssertionError("abort returned")  # noqa: TRY004 - tells mypy that abort() raises
        self._methods[service, method] = found
        return found


def _wrong_arguments(error: BaseException) -> bool:
    """Whether the arguments do not fit the method's signature: no frame of it was entered."""
    return (
        isinstance(error, TypeError)
        and error.__traceback__ is not None
        and error.__traceback__.tb_next is None
    )


def _exception_response(error: BaseException) -> invoke_pb2.ServiceResponse:
    kind = type(error)
    # The first frame is the dispatcher's, of no interest to the caller.
    frames = error.__traceback__.tb_next if error.__traceback__ is not None else None
    text = "".join(traceback.format_exception(kind, error, frames))
    return invoke_pb2.ServiceResponse(
        exception=invoke_pb2.RemoteException(
            type=f"{kind.__module__}.{kind.__qualname__}", message=str(error), traceback=text
        )
    )


class ServiceHost:
    """One service on an address, in this process; a context manager.

    Args:
        name: what clients call it.
        instance: a plain object, or a servicer when `add_to_server` is given.
        address: as for `add_insecure_port`; port 0 picks a free one.
        max_workers: threads that run methods.
        options: server options; messages up to MESSAGE_LIMIT bytes pass where they say nothing.
        add_to_server: for a declared service, the generated `add_XServicer_to_server`.

    Raises:
        RuntimeError: the address cannot be bound.
    """

    def __init__(
        self,
        name: str,
        instance: Any,
        address: str = "127.0.0.1:0",
        max_workers: int = 10,
        options: Sequence[tuple[str, Any]] | None = None,
        *,
        add_to_server: Callable[[Any, grpc.Server], None] | None = None,
    ) -> None:
        self.name = name
        self._pool = futures.ThreadPoolExecutor(max_workers, thread_name_prefix=f"service {name}")
        self.server = server(self._pool, options=message_options(options))
        if add_to_server is not None:
            add_to_server(instance, self.server)
        else:
            services = PlainServices()
            services.add(name, instance)
            self.server.add_generic_rpc_handlers((services.handler(),))
        port = self.server.add_insecure_port(address)
        if address.startswith("unix"):
            self.address = address
        else:
            host = address.rpartition(":")[0]
            self.address = f"{'localhost' if host in ('', '127.0.0.1', '0.0.0.0', '[::]') else host}:{port}"  # noqa: S104

    def start(self) -> ServiceHost:
        """Begin to serve. -> self."""
        self.server.start()
        return self

    def stop(self, grace: float | None = None) -> None:
        """Stop serving, waiting up to `grace` seconds for calls under way; the rest are cancelled."""
        self.server.stop(grace).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> ServiceHost:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<ServiceHost {self.name} at {self.address}>"
