"""Faults on demand: a channel whose calls are late, lost, failed or cut off, as a test says.

    injector = FaultInjector()
    channel = injector.channel(sage_rpc.insecure_channel(target))
    injector.add(Fault(method="/shop.Shop/Buy", code="UNAVAILABLE", times=2))

The faults are made where a network makes them, around the call: what is not dropped or failed really happens.
`injector.manager(...)` is a ServiceManager whose connections have them.
"""

from __future__ import annotations

import fnmatch
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.discovery.endpoint import Endpoint
from sage_rpc.policies.settings import Code, status_code
from sage_rpc.services.manager import ServiceManager

__all__ = ["Fault", "FaultInjector", "FaultyChannel"]


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What goes wrong with a call. One of `code`, `drop` and `disconnect`, or a delay alone.

    Attributes:
        method: "/package.Service/Method" of the calls it meets; "*" and "?" match as in file names.
        delay: seconds before the call is sent.
        code: the call ends with this status, and is not sent.
        details: text that comes with it.
        drop: "request": the call is not sent, and ends at its deadline; "response": it runs, and ends so too.
        disconnect: the call runs, and ends with UNAVAILABLE, as if the connection had broken before its
            response.
        times: how many calls it meets; None: all.
    """

    method: str = "*"
    delay: float = 0.0
    code: Code | None = None
    details: str = "an injected fault"
    drop: str | None = None
    disconnect: bool = False
    times: int | None = None

    def __post_init__(self) -> None:
        if self.code is not None:
            object.__setattr__(self, "code", status_code(self.code))
            if self.code is grpc.StatusCode.OK:
                raise ValueError("Fault.code is OK: a call that ends well has no fault")
        if self.drop not in {None, "request", "response"}:
            raise ValueError(f"Fault.drop is {self.drop!r}: expected 'request', 'response' or None")
        if not self.delay >= 0:
            raise ValueError(f"Fault.delay is {self.delay!r}: expected seconds, at least 0")
        if self.times is not None and self.times < 1:
            raise ValueError(f"Fault.times is {self.times!r}: expected at least 1, or None for all")
        if sum((self.code is not None, self.drop is not None, self.disconnect)) > 1:
            raise ValueError("a Fault ends a call in one way: code, drop or disconnect")
        if not (self.delay or self.code is not None or self.drop or self.disconnect):
            raise ValueError("a Fault without delay, code, drop and disconnect does nothing")


class FaultInjector:
    """Faults that are added and removed while calls go on; of several that meet a call, the first counts."""

    def __init__(self) -> None:
        self._lock = threading.Lock()  # guards everything below
        self._faults: list[Fault] = []
        self._met: dict[int, int] = {}
        self.injected = 0

    def add(self, fault: Fault) -> Fault:
        """Inject it from now on. -> it, for `remove`."""
        with self._lock:
            self._faults.append(fault)
            self._met[id(fault)] = 0
        return fault

    def remove(self, fault: Fault) -> None:
        """Not any more.

        Raises:
            ValueError: it was not added.
        """
        with self._lock:
            self._faults.remove(fault)

    def clear(self) -> None:
        """No faults any more."""
        with self._lock:
            self._faults.clear()

    def next_fault(self, method: str) -> Fault | None:
        """The fault of a call that is made now."""
        with self._lock:
            for fault in self._faults:
                if fnmatch.fnmatchcase(method, fault.method):
                    if fault.times is not None and self._met[id(fault)] >= fault.times:
                        continue
                    self._met[id(fault)] += 1
                    self.injected += 1
                    return fault
        return None

    def channel(self, inner: grpc.Channel) -> FaultyChannel:
        """`inner` with faults."""
        return FaultyChannel(inner, self)

    def manager(self, endpoints: Any = None, **more: Any) -> ServiceManager:
        """A ServiceManager whose connections have the faults; the arguments are its own."""
        return _FaultyManager(self, endpoints, **more)

    def __repr__(self) -> str:
        return f"<FaultInjector {len(self._faults)} faults, {self.injected} injected>"


class _FaultyManager(ServiceManager):
    def __init__(self, injector: FaultInjector, endpoints: Any, **more: Any) -> None:
        self._injector = injector
        super().__init__(endpoints, **more)

    def _dialer(self) -> Callable[[Endpoint], Any]:
        dial = super()._dialer()
        return lambda endpoint: FaultyChannel(dial(endpoint), self._injector)

    def __reduce__(self) -> Any:
        raise TypeError("a manager with faults does not pickle: make one where the test runs")


class FaultyChannel(grpc.Channel):
    """A channel with faults in its unary calls; the other kinds go through it, delayed or failed at their
    begin.

    Args:
        inner: carries the calls.
        injector: says what goes wrong.
    """

    def __init__(self, inner: grpc.Channel, injector: FaultInjector) -> None:
        self._inner = inner
        self._injector = injector

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)  # transport, for example

    def unary_unary(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        """As grpc's."""
        return _Faulty(self._inner.unary_unary(method, *args, **kwargs), _name(method), self._injector)

    def unary_stream(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        """As grpc's."""
        return self._streaming(self._inner.unary_stream(method, *args, **kwargs), method)

    def stream_unary(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        """As grpc's."""
        return self._streaming(self._inner.stream_unary(method, *args, **kwargs), method)

    def stream_stream(self, method: Any, *args: Any, **kwargs: Any) -> Any:
        """As grpc's."""
        return self._streaming(self._inner.stream_stream(method, *args, **kwargs), method)

    def _streaming(self, call: Any, method: Any) -> Callable[..., Any]:
        name = _name(method)

        def begin(*args: Any, **kwargs: Any) -> Any:
            fault = self._injector.next_fault(name)
            if fault is not None:
                time.sleep(fault.delay)
                if fault.code is not None or fault.drop or fault.disconnect:
                    return _FailedStream(_error(fault))
            return call(*args, **kwargs)

        return begin

    def subscribe(self, callback: Any, try_to_connect: bool | None = False) -> None:
        """As grpc's."""
        self._inner.subscribe(callback, try_to_connect)

    def unsubscribe(self, callback: Any) -> None:
        """As grpc's."""
        self._inner.unsubscribe(callback)

    def close(self) -> None:
        """As grpc's."""
        self._inner.close()

    def __enter__(self) -> FaultyChannel:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<FaultyChannel {self._inner!r} {self._injector!r}>"


def _name(method: str | bytes) -> str:
    return method.decode() if isinstance(method, bytes) else method


def _error(fault: Fault) -> errors.RpcError:
    code = fault.code if isinstance(fault.code, grpc.StatusCode) else grpc.StatusCode.UNAVAILABLE
    if fault.drop:
        code = grpc.StatusCode.DEADLINE_EXCEEDED
    return errors.rpc_error(code, "Deadline Exceeded" if fault.drop else fault.details)


class _FailedStream:
    """A call that streams and has failed before it began."""

    def __init__(self, error: errors.RpcError) -> None:
        self._error = error

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        raise self._error

    def __getattr__(self, name: str) -> Any:
        return getattr(self._error, name)


class _Faulty(grpc.UnaryUnaryMultiCallable):
    """A unary multicallable with faults."""

    def __init__(self, inner: Any, method: str, injector: FaultInjector) -> None:
        self._inner = inner
        self._method = method
        self._injector = injector

    def __call__(self, request: Any, timeout: float | None = None, *args: Any, **kwargs: Any) -> Any:
        fault = self._injector.next_fault(self._method)
        if fault is None:
            return self._inner(request, timeout, *args, **kwargs)
        until = None if timeout is None else time.monotonic() + timeout
        self._wait(fault.delay, until)
        left = None if until is None else until - time.monotonic()
        if fault.code is not None:
            raise _error(fault)
        if fault.drop != "request":
            response = self._inner(request, left, *args, **kwargs)
            if fault.disconnect:
                raise _error(fault)
            if fault.drop is None:
                return response
        self._wait(None, until)
        raise _error(fault)

    def with_call(self, request: Any, timeout: float | None = None, *args: Any, **kwargs: Any) -> Any:
        """As grpc's; the call object of one without faults is its own."""
        fault = self._injector.next_fault(self._method)
        if fault is None:
            return self._inner.with_call(request, timeout, *args, **kwargs)
        until = None if timeout is None else time.monotonic() + timeout
        self._wait(fault.delay, until)
        if fault.code is not None or fault.drop or fault.disconnect:
            if fault.drop:
                self._wait(None, until)
            raise _error(fault)
        return self._inner.with_call(
            request, None if until is None else until - time.monotonic(), *args, **kwargs
        )

    def future(self, request: Any, timeout: float | None = None, *args: Any, **kwargs: Any) -> Any:
        """As grpc's: the fault happens to the future."""
        fault = self._injector.next_fault(self._method)
        if fault is None:
            return self._inner.future(request, timeout, *args, **kwargs)
        return _FaultyFuture(self._inner, fault, (request, timeout, args, kwargs))

    @staticmethod
    def _wait(seconds: float | None, until: float | None) -> None:
        """So many seconds, or (None) until the deadline; the deadline ends it.

        Raises:
            DeadlineExceeded: it passed.
        """
        left = None if until is None else max(0.0, until - time.monotonic())
        if seconds is None and left is None:
            raise ValueError("a call that is dropped needs a deadline: without one it would never end")
        waits = [each for each in (seconds, left) if each is not None]
        time.sleep(min(waits))
        if left is not None and (seconds is None or seconds >= left):
            raise errors.rpc_error(grpc.StatusCode.DEADLINE_EXCEEDED, "Deadline Exceeded")


class _FaultyFuture:
    """The future of a call with a fault; a thread of its own makes the call, as this is for tests."""

    def __init__(self, inner: Any, fault: Fault, call: tuple[Any, Any, Any, Any]) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()  # guards the callbacks
        self._callbacks: list[Callable[[Any], None]] = []
        self._response: Any = None
        self._error: Any = None
        self._cancelled = False
        self._inner = inner
        self._fault = fault
        self._call = call
        threading.Thread(target=self._run, name="sage_rpc fault", daemon=True).start()

    def _run(self) -> None:
        request, timeout, args, kwargs = self._call
        error: Any = None
        try:
            response = _Faulty(self._inner, "", _Always(self._fault))(request, timeout, *args, **kwargs)
        except BaseException as failure:  # noqa: BLE001 - it is for whoever holds the future
            response, error = None, failure
        self._finish(response, error)

    def _finish(self, response: Any, error: Any, *, cancelled: bool = False) -> bool:
        with self._lock:
            if self._done.is_set():
                return False
            self._response, self._error, self._cancelled = response, error, cancelled
            self._done.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback(self)
        return True

    def add_done_callback(self, fn: Callable[[Any], None]) -> None:
        with self._lock:
            if not self._done.is_set():
                self._callbacks.append(fn)
                return
        fn(self)

    def cancel(self) -> bool:
        return self._finish(None, None, cancelled=True)

    def cancelled(self) -> bool:
        return self._cancelled

    def code(self) -> grpc.StatusCode:
        self._done.wait()
        if self._cancelled:
            return grpc.StatusCode.CANCELLED
        return grpc.StatusCode.OK if self._error is None else errors.from_grpc(self._error).code()

    def done(self) -> bool:
        return self._done.is_set()

    def running(self) -> bool:
        return not self.done()

    def exception(self, timeout: float | None = None) -> Any:
        if not self._done.wait(timeout):
            raise grpc.FutureTimeoutError
        if self._cancelled:
            raise grpc.FutureCancelledError
        return self._error

    def result(self, timeout: float | None = None) -> Any:
        error = self.exception(timeout)
        if error is not None:
            raise error
        return self._response


class _Always(FaultInjector):
    """Has one fault for whatever is called."""

    def __init__(self, fault: Fault) -> None:
        super().__init__()
        self._fault = fault

    def next_fault(self, method: str) -> Fault | None:
        return self._fault
