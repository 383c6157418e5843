"""Proxies: a service's methods as methods of a Python object.

`ServiceCallProxy` waits for results, `AsyncServiceCallProxy` gives futures. Both keep no state but the
methods they have met, so they may be shared between threads and kept for as long as their manager lives.
What differs between plain classes and declared services stands in one object per method (`Method`).
"""

from __future__ import annotations

import difflib
import re
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any, Protocol

import grpc
from google.protobuf import message_factory
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor

from sage_rpc import buffers, deadline, errors, values
from sage_rpc.proto.v1 import invoke_pb2

__all__ = [
    "AsyncServiceCallProxy",
    "DeclaredMethods",
    "Method",
    "PlainMethods",
    "ServiceCallProxy",
    "ServiceFuture",
]

PLAIN_METHOD = "/sage.rpc.v1.Invocation/Call"
REQUEST_BUFFERS = invoke_pb2.ServiceRequest.BUFFERS_FIELD_NUMBER
RESPONSE_BUFFERS = invoke_pb2.ServiceResponse.BUFFERS_FIELD_NUMBER


class Method:
    """One method of one service: how arguments become a request, and a response becomes a result."""

    __slots__ = ("_callable", "_decode", "_encode", "name", "timeout")

    def __init__(
        self,
        name: str,
        multicallable: grpc.UnaryUnaryMultiCallable,
        encode: Callable[[tuple[Any, ...], dict[str, Any]], Any],
        decode: Callable[[Any], Any],
        timeout: float | None,
    ) -> None:
        self.name = name
        self._callable = multicallable
        self._encode = encode
        self._decode = decode
        self.timeout = timeout

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call and wait, with the manager's default timeout."""
        return self.call(args, kwargs, self.timeout)

    def call(self, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None) -> Any:
        """Call and wait at most `timeout` seconds."""
        request = self._encode(args, kwargs)
        try:
            response = self._callable(request, deadline.limit(timeout))
        except errors.RpcError:
            raise
        except grpc.RpcError as error:
            raise errors.from_grpc(error) from error
        return self._decode(response)

    def start(self, args: tuple[Any, ...], kwargs: dict[str, Any], timeout: float | None) -> ServiceFuture:
        """Call without waiting."""
        request = self._encode(args, kwargs)
        return ServiceFuture(self._callable.future(request, deadline.limit(timeout)), self._decode)

    def __repr__(self) -> str:
        return f"<method {self.name}>"


class Methods(Protocol):
    """Finds the methods of one service."""

    def find(self, name: str) -> Method:
        """The method `name`; AttributeError when it is known not to exist."""


class PlainMethods:
    """Methods of a plain class: any name may exist, the service knows."""

    def __init__(self, service: str, channel: grpc.Channel, timeout: float | None) -> None:
        self._service = service
        self._timeout = timeout
        self._channel = channel
        self._callable = channel.unary_unary(
            PLAIN_METHOD,
            request_serializer=buffers.serializer(REQUEST_BUFFERS),
            response_deserializer=buffers.deserializer(invoke_pb2.ServiceResponse, RESPONSE_BUFFERS),
        )

    def allocate(self, size: int) -> Any:
        """Shared memory for an argument, or None: see `sage_rpc.empty`."""
        allocate = getattr(self._channel, "_allocate", None)
        return None if allocate is None else allocate(size)

    def find(self, name: str) -> Method:
        """The method `name`, whether the service has it or not."""
        service = self._service
        request = invoke_pb2.ServiceRequest
        encode_value = values.encode

        def encode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if not args and not kwargs:
                return request(service=service, method=name)
            large: list[Any] = []
            try:
                message = request(
                    service=service, method=name, arguments=encode_value([list(args), kwargs], large)
                )
                return buffers.WithBuffers(message, large) if large else message
            except values.UnserializableError as error:
                text = str(error).replace("value[0]", "args", 1).replace("value[1]", "kwargs", 1)
                raise values.UnserializableError(f"{service}.{name}: {text}") from None

        return Method(f"{service}.{name}", self._callable, encode, decode_plain, self._timeout)


def decode_plain(response: Any) -> Any:
    """The result in a response of the generic service; raises the remote exception there instead."""
    if type(response) is buffers.WithBuffers:
        return values.decode(response.message.result, response.buffers)
    if response.HasField("exception"):
        remote = response.exception
        raise errors.RemoteError(remote.type, remote.message, remote.traceback)
    return values.decode(response.result, response.buffers)


class DeclaredMethods:
    """Methods of a protobuf service: snake_case or the declared names, keyword arguments as fields."""

    def __init__(self, service: ServiceDescriptor, channel: grpc.Channel, timeout: float | None) -> None:
        self._service = service
        self._channel = channel
        self._timeout = timeout
        self._methods: dict[str, MethodDescriptor] = {}
        for method in service.methods:
            self._methods[method.name] = method
            self._methods.setdefault(snake_case(method.name), method)

    def find(self, name: str) -> Method:
        """The method `name`.

        Raises:
            AttributeError: there is none, or it is a streaming one.
        """
        method = self._methods.get(name)
        if method is None:
            known = sorted({snake_case(m.name) for m in self._service.methods})
            close = difflib.get_close_matches(name, known, n=3)
            hint = f"did you mean {', '.join(close)}?" if close else f"it has {', '.join(known)}"
            raise AttributeError(f"the service {self._service.full_name} has no method {name!r}; {hint}")
        if method.client_streaming or method.server_streaming:
            raise AttributeError(f"{method.full_name} is a streaming method; use the generated stub for it")
        request: Any = message_factory.GetMessageClass(method.input_type)
        response: Any = message_factory.GetMessageClass(method.output_type)
        multicallable = self._channel.unary_unary(
            f"/{self._service.full_name}/{method.name}",
            request_serializer=request.SerializeToString,
            response_deserializer=response.FromString,
        )
        full_name = method.full_name
        fields = [field.name for field in method.input_type.fields]

        def encode(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            if args:
                if len(args) == 1 and not kwargs and isinstance(args[0], request):
                    return args[0]
                raise errors.InvalidArgument(
                    grpc.StatusCode.INVALID_ARGUMENT,
                    f"{full_name} takes one {request.DESCRIPTOR.full_name} or its fields by keyword: "
                    f"{', '.join(fields) or 'it has none'}",
                )
            try:
                return request(**kwargs)
            except (ValueError, TypeError) as error:
                wrong = [name for name in kwargs if name not in fields]
                what = (
                    f"no field {wrong[0]!r}; the fields are {', '.join(fields) or 'none'}"
                    if wrong
                    else str(error)
                )
                raise errors.InvalidArgument(
                    grpc.StatusCode.INVALID_ARGUMENT, f"{full_name}: {what}"
                ) from error

        return Method(full_name, multicallable, encode, _same, self._timeout)


def _same(response: Any) -> Any:
    return response


def snake_case(name: str) -> str:
    """`GetItem` -> `get_item`, `GetHTTPStatus` -> `get_http_status`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class ServiceFuture(futures.Future[Any]):
    """The future of a call: a `concurrent.futures.Future` whose waiting thread receives for itself."""

    def __init__(self, call: Any, decode: Callable[[Any], Any]) -> None:
        super().__init__()
        self._call = call
        self._decode = decode
        self._settling = threading.Lock()  # one thread turns the ended call into a result
        self.set_running_or_notify_cancel()
        call.add_done_callback(self._settle)

    def _settle(self, call: Any) -> None:
        with self._settling:
            if self.done():
                return
            try:
                result = self._decode(call.result(0))
            except grpc.FutureCancelledError:
                self._finish_cancelled()
            except grpc.RpcError as error:
                self.set_exception(errors.from_grpc(error))
            except Exception as error:  # noqa: BLE001 - a result that cannot be decoded is the caller's to see
                self.set_exception(error)
            else:
                self.set_result(result)

    def _finish_cancelled(self) -> None:
        with self._condition:
            self._state = (
                "PENDING"  # a running future of the standard library cannot be cancelled; a call can
            )
        super().cancel()
        self.set_running_or_notify_cancel()

    def _wait(self, timeout: float | None) -> None:
        if self.done():
            return
        try:
            self._call.exception(timeout)
        except grpc.FutureTimeoutError:
            raise futures.TimeoutError(f"the call has not ended after {timeout} s") from None
        except grpc.FutureCancelledError:
            pass
        self._settle(self._call)

    def result(self, timeout: float | None = None) -> Any:
        """The result; waits at most `timeout` seconds.

        Raises:
            TimeoutError: the call goes on.
            CancelledError: it was cancelled.
            RpcError: it failed.
        """
        self._wait(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """What the call failed with, or None; waits at most `timeout` seconds."""
        self._wait(timeout)
        return super().exception(0)

    def cancel(self) -> bool:
        """End the call. -> False when it had ended."""
        if self.done() or not self._call.cancel():
            return False
        self._settle(self._call)
        return True


class _Proxy:
    """A service by name, and those of its methods that were called."""

    def __init__(self, name: str, methods: Methods, remake: Callable[[str], object] | None = None) -> None:
        self._name = name
        self._methods = methods
        self._remake = remake  # a method of the manager, which pickles: by it the proxy does, too
        self._found: dict[str, Method] = {}

    def _method(self, name: str) -> Method:
        found = self._found.get(name)
        if found is None:
            if name.startswith("_"):
                raise AttributeError(
                    f"{name!r} is private: only public methods of the service {self._name} can be called"
                )
            found = self._found[name] = self._methods.find(name)
        return found

    def _allocate(self, size: int) -> Any:
        return self._methods.allocate(size) if isinstance(self._methods, PlainMethods) else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        if self._remake is None:
            raise TypeError(f"{self!r} was made without a ServiceManager and does not pickle")
        return self._remake, (self._name,)


class ServiceCallProxy(_Proxy):
    """A service whose methods wait: `proxy.get("k")`, or `proxy("k", method="get", timeout=2.0)`."""

    def __getattr__(self, name: str) -> Method:
        method = self.__dict__[name] = self._method(name)
        return method

    def __call__(
        self, *args: Any, method: str = "process", timeout: float | None = None, **kwargs: Any
    ) -> Any:
        """Call `method` and wait at most `timeout` seconds (None: the manager's default)."""
        found = self._method(method)
        return found.call(args, kwargs, found.timeout if timeout is None else timeout)


class AsyncServiceCallProxy(_Proxy):
    """A service whose methods give a `ServiceFuture` at once; spelled like ServiceCallProxy."""

    def __getattr__(self, name: str) -> Callable[..., ServiceFuture]:
        method = self._method(name)

        def start(*args: Any, **kwargs: Any) -> ServiceFuture:
            return method.start(args, kwargs, method.timeout)

        self.__dict__[name] = start
        return start

    def __call__(
        self, *args: Any, method: str = "process", timeout: float | None = None, **kwargs: Any
    ) -> ServiceFuture:
        """Start `method`; it ends after `timeout` seconds (None: the manager's default)."""
        found = self._method(method)
        return found.start(args, kwargs, found.timeout if timeout is None else timeout)
