"""Serving plain Python objects: dispatch by method name.

What can be called is decided once, when the first call comes: see `public_methods`. Methods run in several
threads at once; a class that cannot bear that is hosted with `max_workers=1`.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import grpc

from sage_rpc import errors, serving
from sage_rpc.encoding import buffers, values
from sage_rpc.hosting.guard import Guard
from sage_rpc.hosting.lifecycle import Life, Stage
from sage_rpc.hosting.public_methods import PublicMethods, public_methods
from sage_rpc.observe.measured import measured
from sage_rpc.observe.served import UNKNOWN, Meter
from sage_rpc.observe.stats import BATCH_OF
from sage_rpc.proto.v1 import invoke_pb2
from sage_rpc.text.exceptions import text_of, traceback_of, type_name
from sage_rpc.text.foreign import shown

__all__ = ["GENERIC", "PlainServices"]

GENERIC = "sage.rpc.v1.Invocation"  # the service that carries the calls of plain objects
_NOTHING = contextlib.nullcontext()
STREAM_SECONDS, STREAM_CALLS = 0.002, 64  # a stream of results sends what it has at least so often


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
    """The servicer of `sage.rpc.v1.Invocation`: any number of plain objects under their names.

    Args:
        life: of their host; None: it is ready, always.
    """

    def __init__(self, life: Life | None = None) -> None:
        self._life = life or Life(GENERIC, Stage.READY)
        self._instances: dict[str, Any] = {}
        self._public: dict[str, PublicMethods] = {}  # made at the first call: setup() is over then
        self._guards: dict[str, Guard] = {}
        self._methods: dict[tuple[str, str], Callable[..., Any]] = {}
        self._requests = _Requests()

    def add(self, name: str, instance: Any, guard: Guard | None = None) -> None:
        """Serve `instance` as `name`.

        Raises:
            ValueError: the name is taken.
        """
        if name in self._instances:
            raise ValueError(f"a service named {name!r} is served here already")
        self._instances[name] = instance
        if guard is not None and guard.checks:
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
        return grpc.method_handlers_generic_handler(GENERIC, handlers)

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
        life = self._life  # its `enter` and `leave`, written out: the way of every call
        if not life.open:
            life.admit(context)
        served = serving.enter(context.time_remaining(), context)
        life.calls.add(served)
        try:
            if service not in self._guards:
                function = self._methods.get((service, method)) or self._find(service, method, context)
                return self._run(function, arguments, large, service, method, context)
            # Who may not call, or must wait, learns no names and has not made this process decode anything.
            with self._guarded(service, method, context):
                function = self._methods.get((service, method)) or self._find(service, method, context)
                return self._run(function, arguments, large, service, method, context)
        finally:
            life.calls.discard(served)
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
        served = self._life.enter(context)
        try:
            with self._guarded(request.service, request.method, context):
                function = self._function(request, context)
                calls = self._calls(request, context)
                return _Answers(request, context).of(_called(function, call) for call in calls)
        finally:
            self._life.leave(served)

    def _batch_stream(
        self, request: invoke_pb2.BatchRequest, context: grpc.ServicerContext
    ) -> Iterator[invoke_pb2.BatchResponse]:
        whole = self._life.enter(context)
        try:
            with self._guarded(request.service, request.method, context):
                function = self._function(request, context)
                answers, sent_at = _Answers(request, context), time.monotonic()
                for call in self._calls(request, context):
                    # Between two responses, other code may run in this thread's context.
                    served = serving.enter(context.time_remaining(), context)
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
        finally:
            self._life.leave(whole)

    def _guarded(
        self, service: str, method: str, context: grpc.ServicerContext
    ) -> contextlib.AbstractContextManager[None]:
        """What stands before a method, whatever it is called by."""
        guard, public = self._guards.get(service), self._public_methods(service)
        return _NOTHING if guard is None or public is None else guard.around(public.meant(method), context)

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
        behind = public[public.meant(method)]
        if inspect.iscoroutinefunction(behind) or inspect.isasyncgenfunction(behind):
            text = f"{service}.{method} is async, and no event loop runs it: write it with `def`"
            context.abort(grpc.StatusCode.UNIMPLEMENTED, text)
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
