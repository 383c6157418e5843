"""Serving plain Python objects: dispatch by method name, and a host for one service in this process.

What can be called is decided once, when the first call comes: see `public_methods`. Methods run in several
threads at once; a class that cannot bear that is hosted with `max_workers=1`.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent import futures
from typing import TYPE_CHECKING, Any, NamedTuple

import grpc

from sage_rpc import errors, serving
from sage_rpc.encoding import buffers, values
from sage_rpc.encoding.naming import snake_case
from sage_rpc.hosting.batches import DeclaredBatches
from sage_rpc.hosting.public_methods import PublicMethods, public_methods
from sage_rpc.observe.health import HostHealth
from sage_rpc.observe.measured import measured, unknown
from sage_rpc.observe.served import UNKNOWN, Meter
from sage_rpc.observe.stats import BATCH_OF
from sage_rpc.policies.access import Access, peer_of
from sage_rpc.policies.admission import Gate, RefusedError
from sage_rpc.policies.sending import PRIORITY
from sage_rpc.policies.settings import AdmissionPolicy
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.rpc.server import server
from sage_rpc.stubs import servicers
from sage_rpc.text.exceptions import text_of, traceback_of, type_name
from sage_rpc.text.foreign import shown
from sage_rpc.transport.options import message_options

if TYPE_CHECKING:
    from sage_rpc.observe.tracing import Tracing

__all__ = ["PlainServices", "ServiceHost"]

STREAM_SECONDS, STREAM_CALLS = 0.002, 64  # a stream of results sends what it has at least so often
_REFUSING = 4  # threads
# gRPC's core cancels calls that Python has not taken yet beyond 1000 to 3000 of them; to refuse is for us.
_QUEUE_OPTIONS = (
    ("grpc.server.max_pending_requests", 1 << 20),
    ("grpc.server.max_pending_requests_hard_limit", 1 << 20),
)
_HEALTH_SERVICE = "grpc.health.v1.Health"
_LOGGER = logging.getLogger("sage_rpc")


class _Guard:
    """What stands before the methods of one service: who may call, how many at once.

    Args:
        name: of the service.
        access: refuses callers; None: everybody may call who can connect.
        gate: bounds what runs; None: nothing does but the threads.
    """

    def __init__(self, name: str, access: Access | None, gate: Gate | None) -> None:
        self.name = name
        self.gate = gate
        self._access = access

    @property
    def needed(self) -> bool:
        """Whether there is anything to do."""
        return self._access is not None or self.gate is not None

    @contextlib.contextmanager
    def around(self, method: str, context: grpc.ServicerContext) -> Iterator[None]:
        """Let a call pass, or abort it."""
        if self._access is not None:
            self._check_access(self._access, method, context)
        if self.gate is None:
            yield
            return
        try:
            self.gate.enter(context.peer(), _priority(context), context.time_remaining())
        except RefusedError as refused:
            context.set_trailing_metadata((errors.NOT_RUN,))
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, str(refused))
        try:
            yield
        finally:
            self.gate.leave()

    def _check_access(self, access: Access, method: str, context: grpc.ServicerContext) -> None:
        peer = peer_of(context)
        text = f"{peer.address} may not call {self.name}.{method}"
        try:
            if access(peer, method) is not False:
                return
        except PermissionError as error:
            text = text_of(error) or text
        except Exception:
            _LOGGER.exception("the access hook of the service %r raised: the call is refused", self.name)
        context.set_trailing_metadata((errors.NOT_RUN,))
        context.abort(grpc.StatusCode.PERMISSION_DENIED, text)


def _priority(context: grpc.ServicerContext) -> int:
    for name, value in context.invocation_metadata() or ():
        if name == PRIORITY:
            with contextlib.suppress(ValueError):
                return max(-8, min(7, int(value)))
    return 0


class _Request(NamedTuple):
    """A ServiceRequest, as far as anybody reads it."""

    service: str
    method: str
    arguments: bytes
    buffers: Sequence[bytes]


class _Requests:
    """Parses ServiceRequests; most of them, short ones of a method that was called before, without protobuf.

    A message is the concatenation of its fields. Callers write the first two alike in every call of a method,
    and they are looked up as they are.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[str, str]] = {}

    def learn(self, service: str, method: str) -> None:
        """There is such a method."""
        head = invoke_pb2.ServiceRequest(service=service, method=method).SerializeToString()
        self._known[head] = (service, method)

    def FromString(self, data: bytes) -> Any:
        """As that of a message."""
        try:
            end = data[1] + 2
            end += data[end + 1] + 2
            known = self._known.get(data[:end])
            if known is not None and data[end] == _ARGUMENTS and data[end + 1] == len(data) - end - 2 < 128:
                return _new(_Request, (*known, data[end + 2 :], ()))
        except IndexError:
            pass
        return invoke_pb2.ServiceRequest.FromString(data)


_new: Any = tuple.__new__  # that of a named tuple takes twice as long
_ARGUMENTS = invoke_pb2.ServiceRequest.ARGUMENTS_FIELD_NUMBER << 3 | 2  # the tag of the field


class PlainServices:
    """The servicer of `sage.rpc.v1.Invocation`: any number of plain objects under their names."""

    def __init__(self) -> None:
        self._instances: dict[str, Any] = {}
        self._public: dict[str, PublicMethods] = {}  # made at the first call: setup() is over then
        self._guards: dict[str, _Guard] = {}
        self._methods: dict[tuple[str, str], Callable[..., Any]] = {}
        self._requests = _Requests()

    def add(self, name: str, instance: Any, guard: _Guard | None = None) -> None:
        """Serve `instance` as `name`.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._instances:
            raise ValueError(f"a service named {name!r} is served here already")
        self._instances[name] = instance
        if guard is not None and guard.needed:
            self._guards[name] = guard

    def handler(self, meter: Meter | None = None) -> grpc.GenericRpcHandler:
        """What a server's `add_generic_rpc_handlers` takes; `meter` counts the calls."""
        request, response = invoke_pb2.BatchRequest, invoke_pb2.BatchResponse
        handlers = {
            "Call": grpc.unary_unary_rpc_method_handler(
                self._call,
                request_deserializer=buffers.deserializer(
                    self._requests, invoke_pb2.ServiceRequest.BUFFERS_FIELD_NUMBER
                ),
                response_serializer=buffers.serializer(invoke_pb2.ServiceResponse.BUFFERS_FIELD_NUMBER),
            ),
            "Batch": grpc.unary_unary_rpc_method_handler(
                self._batch, request.FromString, response.SerializeToString
            ),
            "BatchStream": grpc.unary_stream_rpc_method_handler(
                self._batch_stream, request.FromString, response.SerializeToString
            ),
        }
        if meter is not None:
            handlers = {
                name: measured(
                    meter,
                    each,
                    functools.partial(self._named, "" if name == "Call" else BATCH_OF),
                    None,
                    "sage_rpc",
                )
                for name, each in handlers.items()
            }
        return grpc.method_handlers_generic_handler("sage.rpc.v1.Invocation", handlers)

    def _named(self, prefix: str, request: Any) -> tuple[str, str]:
        """What a request is counted as: the method that it names, where there is such a one."""
        message = request.message if type(request) is buffers.WithBuffers else request
        if message is not None and self.knows(message.service, message.method):
            return message.service, prefix + message.method
        return next(iter(self._instances), UNKNOWN), UNKNOWN

    def _call(self, request: Any, context: grpc.ServicerContext) -> Any:
        large = request.buffers
        if type(request) is buffers.WithBuffers:
            request = request.message
        service, method, arguments = request.service, request.method, request.arguments
        function = self._methods.get((service, method)) or self._find(service, method, context)
        served = serving.enter(context.time_remaining(), context)
        try:
            if service not in self._guards:
                return self._run(function, arguments, large, service, method, context)
            # Whoever may not call, or must wait, has not made this process decode anything.
            with self._guards[service].around(method, context):
                return self._run(function, arguments, large, service, method, context)
        finally:
            serving.leave(served)

    def _run(
        self,
        function: Callable[..., Any],
        arguments: bytes,
        large: Sequence[Any],
        service: str,
        method: str,
        context: grpc.ServicerContext,
    ) -> Any:
        """-> the encoded response, with buffers or without, or a ServiceResponse that holds an exception."""
        args: Sequence[Any] = ()
        kwargs: dict[str, Any] = {}
        if arguments:
            try:
                args, kwargs = values.decode(arguments, large, values.CALL_LEVELS)
            except (ValueError, TypeError) as error:
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{service}.{method}: bad arguments: {error}")
        try:
            result = function(*args, **kwargs)
        except BaseException as error:  # noqa: BLE001 - whatever it is, SystemExit too, is the caller's to see
            if isinstance(error, errors.Abort):
                context.abort(error.code, text_of(error))
            if _wrong_arguments(error):
                context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"{service}.{method}: {text_of(error)}")
            if isinstance(error, errors.DeadlineExceeded) and serving.passed():
                # Of a call that this one was waiting for: the time is the caller's, and it is over.
                context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")
            return invoke_pb2.ServiceResponse(exception=_remote_exception(error))
        try:
            apart: list[Any] = []
            encoded = values.encode(result, apart)
        except values.UnserializableError as error:
            context.abort(grpc.StatusCode.INTERNAL, f"the result of {service}.{method}: {error}")
            raise
        response = buffers.head(invoke_pb2.ServiceResponse.RESULT_FIELD_NUMBER, len(encoded)) + encoded
        return buffers.WithBuffers(response, apart) if apart else response

    # -- batches

    def _batch(
        self, request: invoke_pb2.BatchRequest, context: grpc.ServicerContext
    ) -> invoke_pb2.BatchResponse:
        function = self._function(request, context)
        served = serving.enter(context.time_remaining(), context)
        guard = self._guards.get(request.service)
        try:
            with contextlib.nullcontext() if guard is None else guard.around(request.method, context):
                calls = self._calls(request, context)
                answers = _Answers(request, context)
                return answers.of(_called(function, call) for call in calls)
        finally:
            serving.leave(served)

    def _batch_stream(
        self, request: invoke_pb2.BatchRequest, context: grpc.ServicerContext
    ) -> Iterator[invoke_pb2.BatchResponse]:
        function = self._function(request, context)
        guard = self._guards.get(request.service)
        left = context.time_remaining()
        with contextlib.nullcontext() if guard is None else guard.around(request.method, context):
            answers, sent_at = _Answers(request, context), time.monotonic()
            for call in self._calls(request, context):
                # Between two responses, other code may run in this thread's context.
                served = serving.enter(left, context)
                try:
                    answers.add(_called(function, call))
                finally:
                    serving.leave(served)
                now = time.monotonic()
                if now - sent_at >= STREAM_SECONDS or len(answers.results) >= STREAM_CALLS:
                    yield answers.take()
                    sent_at = time.monotonic()
            if answers.results:
                yield answers.take()

    def _function(
        self, request: invoke_pb2.BatchRequest, context: grpc.ServicerContext
    ) -> Callable[..., Any]:
        """The method of a batch."""
        service, method = request.service, request.method
        return self._methods.get((service, method)) or self._find(service, method, context)

    @staticmethod
    def _calls(request: invoke_pb2.BatchRequest, context: grpc.ServicerContext) -> list[tuple[Any, Any]]:
        """The arguments of the calls of a batch."""
        try:
            calls = values.decode(request.calls, levels=values.CALL_LEVELS + 1)
            if not request.whole:
                return [((call,), None) for call in calls]
            return [(args, kwargs) for args, kwargs in calls]
        except (ValueError, TypeError) as error:
            text = f"a batch of {request.service}.{request.method}: {error}"
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, text)
            raise

    def _find(self, service: str, method: str, context: grpc.ServicerContext) -> Callable[..., Any]:
        public = self._public_methods(service)
        if public is None:
            known = ", ".join(sorted(self._instances)) or "none"
            text = f"no service {shown(service)} here; served: {known}"
            context.abort(grpc.StatusCode.NOT_FOUND, text)
            raise AssertionError("abort returned")
        found = public.find(method)
        if found is None:
            text = f"the service {service!r} {public.complaint(method)}"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
            raise AssertionError("abort returned")
        self._methods[service, method] = found
        self._requests.learn(service, method)
        return found

    def knows(self, service: str, method: str) -> bool:
        """Whether there is such a method."""
        if (service, method) in self._methods:
            return True
        public = self._public_methods(service)
        return public is not None and public.find(method) is not None

    def _public_methods(self, service: str) -> PublicMethods | None:
        public = self._public.get(service)
        if public is None and service in self._instances:
            public = self._public[service] = public_methods(self._instances[service])
        return public


def _wrong_arguments(error: BaseException) -> bool:
    """Whether the arguments do not fit the method's signature: no frame of it was entered."""
    return (
        isinstance(error, TypeError)
        and error.__traceback__ is not None
        and error.__traceback__.tb_next is None
    )


def _remote_exception(error: BaseException) -> invoke_pb2.RemoteException:
    # The first frame is the dispatcher's, of no interest to the caller.
    frames = error.__traceback__.tb_next if error.__traceback__ is not None else None
    return invoke_pb2.RemoteException(
        type=_sendable(type_name(type(error))),
        message=_sendable(text_of(error)),
        traceback=_sendable(traceback_of(error, frames)),
    )


def _sendable(text: str) -> str:
    """`text` as protobuf takes it: without halves of surrogate pairs, as a file name may have them."""
    return text.encode("utf-8", "backslashreplace").decode()


class _Answers:
    """The results of a batch, each encoded as soon as it is there: the next call may change what it was."""

    def __init__(self, request: invoke_pb2.BatchRequest, context: grpc.ServicerContext) -> None:
        self._request = request
        self._context = context
        self._first = 0  # number of the first result that was not taken
        self._exceptions: list[invoke_pb2.CallException] = []
        self.results: list[bytes] = []
        self._members: Counter[grpc.StatusCode] = Counter()
        record = getattr(context, "sage_rpc_record", None)
        if record is not None:
            record.members = self._members

    def add(self, result: Any) -> None:
        """One more. Aborts the batch if it does not travel."""
        index = self._first + len(self.results)
        if type(result) is _Raised:
            remote = _remote_exception(result.error)
            self._exceptions.append(invoke_pb2.CallException(index=index, exception=remote))
        self._members[grpc.StatusCode.UNKNOWN if type(result) is _Raised else grpc.StatusCode.OK] += 1
        try:
            self.results.append(values.encode(None if type(result) is _Raised else result))
        except values.UnserializableError as error:
            text = str(error).replace("value", f"item[{index}]", 1)
            what = f"{self._request.service}.{self._request.method}"
            self._context.abort(grpc.StatusCode.INTERNAL, f"the results of a batch of {what}: {text}")

    def of(self, results: Iterable[Any]) -> invoke_pb2.BatchResponse:
        """All of them."""
        for result in results:
            self.add(result)
        return self.take()

    def take(self) -> invoke_pb2.BatchResponse:
        """The response with those that were not taken before."""
        response = invoke_pb2.BatchResponse(
            first=self._first, results=values.encode_list(self.results), exceptions=self._exceptions
        )
        self._first += len(self.results)
        self.results, self._exceptions = [], []
        return response


class _Raised:
    """Stands among the results of a batch for a call that raised."""

    __slots__ = ("error",)

    def __init__(self, error: BaseException) -> None:
        self.error = error


def _called(function: Callable[..., Any], call: tuple[Any, Any]) -> Any:
    args, kwargs = call
    try:
        return function(*args, **kwargs) if kwargs else function(*args)
    except BaseException as error:  # noqa: BLE001 - whatever it is, SystemExit too, is the caller's to see
        return _Raised(error)


class _GuardedServer:
    """A server as a generated `add_XServicer_to_server` sees it: what comes is guarded, and counted.

    Args:
        server: gets them.
        guard: gives the guard of a service.
        meter: counts their calls; None: they are not counted.
        name: of the service, for statistics.
    """

    def __init__(
        self, server: grpc.Server, guard: Callable[[str], _Guard], meter: Meter | None, name: str
    ) -> None:
        self._server = server
        self._guard = guard
        self._meter = meter
        self._name = name
        self.services: list[str] = []
        self.batches = DeclaredBatches()

    def add_generic_rpc_handlers(self, handlers: Sequence[grpc.GenericRpcHandler]) -> None:
        """As grpc's; those of a dictionary come once more by `add_registered_method_handlers`."""
        self._server.add_generic_rpc_handlers(tuple(map(self._generic, handlers)))

    def _generic(self, handler: grpc.GenericRpcHandler) -> grpc.GenericRpcHandler:
        known = getattr(handler, "_method_handlers", None)
        if not isinstance(known, dict) or not isinstance(handler, grpc.ServiceRpcHandler):
            return handler
        service = handler.service_name()
        methods = {path.rpartition("/")[2]: each for path, each in known.items()}
        return grpc.method_handlers_generic_handler(service, self._guarded(service, methods))

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Any]) -> None:
        """As grpc's."""
        add: Any = self._server.add_registered_method_handlers
        add(service, self._guarded(service, handlers))

    def _guarded(self, service: str, handlers: dict[str, Any]) -> dict[str, Any]:
        if service not in self.services:
            self.services.append(service)
        guard = self._guard(service)
        for name, handler in handlers.items():
            if handler.unary_unary is not None:
                # Guarded as one call, and each of its calls is the handler's own.
                self.batches.add(service, name, handler, guard.around if guard.needed else None)
        guarded = {name: _guarded_handler(name, handler, guard) for name, handler in handlers.items()}
        meter = self._meter
        if meter is None:
            return guarded
        return {
            name: measured(meter, handler, (self._name, snake_case(name)), (service, name))
            for name, handler in guarded.items()
        }


def _guarded_handler(method: str, handler: Any, guard: _Guard) -> Any:
    """`handler` with the call entered, so that calls it makes end with it, and behind its guard."""

    def enter(context: grpc.ServicerContext) -> serving.Serving:
        return serving.enter(context.time_remaining(), context)

    def around(context: grpc.ServicerContext) -> contextlib.AbstractContextManager[Any]:
        return guard.around(method, context) if guard.needed else contextlib.nullcontext()

    def answer_once(behavior: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def behave(request: Any, context: grpc.ServicerContext) -> Any:
            served = enter(context)
            try:
                with around(context):
                    return behavior(request, context)
            finally:
                serving.leave(served)

        return behave

    def answer_often(behavior: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
        def behave(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            served = enter(context)
            try:
                with around(context):
                    yield from behavior(request, context)
            finally:
                serving.leave(served)

        return behave

    wrap = answer_often if handler.response_streaming else answer_once
    kinds = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")
    kind = next(name for name in kinds if getattr(handler, name) is not None)
    behavior = getattr(handler, kind)
    if getattr(behavior, "experimental_non_blocking", False):
        return handler  # it answers from elsewhere, when it likes
    return handler._replace(**{kind: wrap(behavior)})


class ServiceHost:
    """One service on an address, in this process; a context manager.

    grpc.health.v1 is served beside it: by the service's name (a declared one's full name), and "" for the
    host.

    Args:
        name: what clients call it.
        instance: a plain object, an implementation of a generated base (`CacheBase`), or a servicer when
            `add_to_server` is given.
        address: as for `add_insecure_port`; port 0 picks a free one.
        max_workers: threads that run methods; with `admission`, as many as that admits.
        options: server options; messages up to MESSAGE_LIMIT bytes pass where they say nothing.
        add_to_server: for a declared service, the generated `add_XServicer_to_server`.
        admission: how many calls run and wait; None: as many run as there are threads, and any number wait.
        access: `access(peer, method)` says who may call: False or a PermissionError refuses.
        tracing: make spans of calls: True for OpenTelemetry's global tracer provider, or a `Tracing`.
        stats: count the calls: `host.meter.stats()`; with `tracing`, they are counted, too.
        credentials: of the server; the address is a secure port then, which gRPC alone serves.

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
        admission: AdmissionPolicy | None = None,
        access: Access | None = None,
        tracing: Tracing | bool = False,
        stats: bool = False,
        credentials: grpc.ServerCredentials | None = None,
    ) -> None:
        self.name = name
        self.gate = None if admission is None else Gate(name, admission)
        if admission is not None:
            # Who waits for admission waits in a thread; some more refuse those for whom there is no room.
            max_workers = admission.max_running + admission.max_waiting + _REFUSING
        self._pool = futures.ThreadPoolExecutor(max_workers, thread_name_prefix=f"service {name}")
        self.server = server(self._pool, options=[*_QUEUE_OPTIONS, *message_options(options)])
        if tracing is True:
            from sage_rpc.observe.tracing import Tracing

            tracing = Tracing()
        self.meter = Meter(tracing or None) if tracing or stats else None
        self.health = HostHealth()
        if add_to_server is None and isinstance(instance, servicers.Base):
            add_to_server = type(instance).add_to_server
        if add_to_server is not None:
            guarded: Any = _GuardedServer(
                self.server, lambda service: _Guard(service, access, self.gate), self.meter, name
            )
            add_to_server(instance, guarded)
            for service in guarded.services:
                if service != _HEALTH_SERVICE:
                    self.health.add(service, None)
            served = guarded.services
            self.server.add_generic_rpc_handlers((guarded.batches.handler(self.meter, name),))
        else:
            services = PlainServices()
            services.add(name, instance, _Guard(name, access, self.gate))
            self.server.add_generic_rpc_handlers((services.handler(self.meter),))
            check = getattr(instance, "health_check", None)
            self.health.add(name, check if callable(check) else None)
            served = []
        if _HEALTH_SERVICE not in served:
            self.health.add_to(self.server)
        if self.meter is not None:
            self.server.add_generic_rpc_handlers((unknown(self.meter, name),))
        port = (
            self.server.add_insecure_port(address)
            if credentials is None
            else self.server.add_secure_port(address, credentials)
        )
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
        if grace:
            self.health.enter_graceful_shutdown()
        self.server.stop(grace).wait()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> ServiceHost:
        return self.start()

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        gate = "" if self.gate is None else f", {self.gate.running} run, {self.gate.waiting} wait"
        return f"<ServiceHost {self.name} at {self.address}{gate}>"
