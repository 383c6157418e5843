"""Every way a call can end: it ends, and with an error of the family, whoever raised it.

Generated clients that wait, give futures or are awaited, made of a target or of a manager, and gRPC's own
stubs on our channels; all four kinds of call; both transports.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from typing import Any, NamedTuple

import grpc
import pytest

import sage_rpc
from sage_rpc import aio, errors, native
from tests.codegen.golden.endings_pb2 import Order, Receipt
from tests.codegen.golden.endings_pb2_grpc import EndingsStub
from tests.codegen.golden.endings_sage import EndingsAioClient, EndingsAsyncClient, EndingsClient
from tests.programs import endings_server
from tests.waiting import until

BOUND = 30.0  # seconds after which a call has not ended; no deadline but the one that is tested is before it
LIMITS = [("grpc.max_send_message_length", 100_000), ("grpc.max_receive_message_length", 100_000)]
ONE_RESPONSE = ("one", "sum")
MANY_RESPONSES = ("many", "each")
REQUESTS_STREAM = ("sum", "each")
CODE = grpc.StatusCode
# grpc.aio of older versions does not know all of its calls, and not always why one fails.
OLD_AIO = tuple(map(int, grpc.__version__.split(".")[:2])) < (1, 83)


class Ending(NamedTuple):
    """How a call is made to end.

    Attributes:
        code: its status in the end.
        how: what the first request says; None: it lacks that required field.
        filling: of the first request.
        more: the requests that follow, where they stream; None: none.
        timeout: seconds.
        metadata: of the call.
        action: what this side does once the server is at work: "cancel" or "close".
    """

    code: grpc.StatusCode
    how: str | None = "ok"
    filling: bytes = b""
    more: Callable[[], Iterator[Any]] | None = None
    timeout: float = 2 * BOUND
    metadata: Any = None
    action: str = ""


def broken() -> Iterator[Order]:
    raise RuntimeError("mine")
    yield


ENDINGS = {
    "well": Ending(CODE.OK),
    "by an abort": Ending(CODE.FAILED_PRECONDITION, "abort"),
    "by an exception in the handler": Ending(CODE.UNKNOWN, "raise"),
    "at its deadline": Ending(CODE.DEADLINE_EXCEEDED, "hang", timeout=0.05),
    "by its caller, who cancels it": Ending(CODE.CANCELLED, "hang", action="cancel"),
    "with its channel": Ending(CODE.CANCELLED, "hang", action="close"),
    "with its server": Ending(CODE.UNAVAILABLE, "die"),
    "by a response that does not parse": Ending(CODE.INTERNAL, "unparsable"),
    "by a response that is too large": Ending(CODE.RESOURCE_EXHAUSTED, "large"),
    "by a request that is too large": Ending(CODE.RESOURCE_EXHAUSTED, filling=b"x" * 200_000),
    "by a request without a required field": Ending(CODE.INVALID_ARGUMENT, how=None),
    "by a later request without a required field": Ending(CODE.INTERNAL, more=lambda: iter([Order()])),
    "by a later request that is no message": Ending(CODE.INTERNAL, more=lambda: iter(["text"])),
    "by requests that raise": Ending(CODE.UNKNOWN, more=broken),
    "by metadata with a key that is none": Ending(CODE.INTERNAL, metadata=[("a b", "c")]),
    "by metadata with a value that is none": Ending(CODE.INTERNAL, metadata=[("a", "b\n")]),
    "by metadata with a value of another type": Ending(CODE.INVALID_ARGUMENT, metadata=[("a", 5)]),
    "by metadata of another type": Ending(CODE.INVALID_ARGUMENT, metadata=5),
}


class Made(NamedTuple):
    """A call to be made.

    Attributes:
        start: makes it.
        close: closes its channel.
        at_work: returns once the server is at work on it.
        action: what is to be done then.
        many: whether its responses stream.
    """

    start: Callable[[], Any]
    close: Callable[[], Any]
    at_work: Callable[[], None]
    action: str
    many: bool

    def act(self, call: Any) -> None:
        if self.action:
            self.at_work()
            assert call.cancel() if self.action == "cancel" else self.close() is None

    def wait(self) -> Any:
        """The last response."""
        if self.many:
            return self.read(self.start())
        other = threading.Thread(target=self.act, args=(None,), daemon=True)
        other.start()
        return self.start()

    def future(self) -> Any:
        """The only response."""
        call = self.start()
        self.act(call)
        return call.result()

    def read(self, stream: Any) -> Any:
        """The last response."""
        responses = [next(stream)]
        self.act(stream)
        try:
            responses.extend(stream)
        except grpc.RpcError as error:
            with pytest.raises(grpc.RpcError) as again:
                next(stream)
            if not again.value.code() is error.code() is stream.code():
                raise AssertionError(f"{stream} ends another way when it is read again: {again}") from error
            raise
        return responses[-1]

    async def aio(self) -> Any:
        """The last response."""
        if self.many:
            return await self.aio_read(self.start())

        async def call() -> Any:
            return await self.start()

        task = asyncio.ensure_future(call())
        await self.aio_act(task)
        return await task

    async def aio_act(self, call: Any) -> None:
        if self.action:
            await asyncio.to_thread(self.at_work)
            assert call.cancel() if self.action == "cancel" else await self.close() is None

    async def aio_read(self, stream: Any) -> Any:
        responses = aiter(stream)
        found = [await anext(responses)]
        await self.aio_act(stream)
        try:
            found.extend([response async for response in responses])
        except errors.RpcError as error:
            with pytest.raises(errors.RpcError) as again:
                await anext(responses)
            if not again.value.code() is error.code() is await stream.code():
                raise AssertionError(f"{stream} ends another way when it is read again: {again}") from error
            raise
        return found[-1]


# -- ways to call: each takes target, options, method, arguments and the rest of Made

Way = Callable[..., Any]


@contextlib.contextmanager
def managed(target: str, options: Any) -> Iterator[sage_rpc.ServiceManager]:
    endpoint = sage_rpc.ServiceEndpoint(target, "test.endings.Endings")
    with sage_rpc.ServiceManager({"endings": endpoint}, options=options) as manager:
        yield manager


def client(kind: type, style: str) -> Way:
    def call(target, options, method, arguments, *rest):
        with kind(target, options=options) as made:
            start = lambda: getattr(made, method)(arguments[0], **arguments[1])
            return getattr(Made(start, made.close_channel, *rest), style)()

    return call


def client_of_a_manager(kind: type, style: str) -> Way:
    def call(target, options, method, arguments, *rest):
        with managed(target, options) as manager:
            start = lambda: getattr(manager.client(kind), method)(arguments[0], **arguments[1])
            return getattr(Made(start, manager.close, *rest), style)()

    return call


def aio_client(of_a_manager: bool) -> Way:
    def call(target, options, method, arguments, *rest):
        async def main():
            with managed(target, options) as manager:
                made = (
                    manager.client(EndingsAioClient)
                    if of_a_manager
                    else EndingsAioClient(target, options=options)
                )
                async with made:
                    start = lambda: getattr(made, method)(arguments[0], **arguments[1])
                    return await Made(start, made.close_channel, *rest).aio()

        return asyncio.run(main())

    return call


def stub(style: str) -> Way:
    def call(target, options, method, arguments, *rest):
        with sage_rpc.insecure_channel(target, options) as channel:
            made = getattr(EndingsStub(channel), method.capitalize())
            made = made.future if style == "future" else made
            start = lambda: made(arguments[0], **arguments[1])
            return getattr(Made(start, channel.close, *rest), style)()

    return call


def aio_stub(target, options, method, arguments, *rest):
    async def main():
        async with aio.insecure_channel(target, options) as channel:
            start = lambda: getattr(EndingsStub(channel), method.capitalize())(arguments[0], **arguments[1])
            return await Made(start, channel.close, *rest).aio()

    return asyncio.run(main())


ALL = (*ONE_RESPONSE, *MANY_RESPONSES)
WAYS: dict[str, tuple[Way, tuple[str, ...]]] = {
    "client": (client(EndingsClient, "wait"), ALL),
    "future client": (client(EndingsAsyncClient, "future"), ONE_RESPONSE),
    "future client's stream": (client(EndingsAsyncClient, "wait"), MANY_RESPONSES),
    "asyncio client": (aio_client(of_a_manager=False), ALL),
    "manager's client": (client_of_a_manager(EndingsClient, "wait"), ALL),
    "manager's future client": (client_of_a_manager(EndingsAsyncClient, "future"), ONE_RESPONSE),
    "manager's asyncio client": (aio_client(of_a_manager=True), ALL),
    "stub": (stub("wait"), ALL),
    "stub's future": (stub("future"), ONE_RESPONSE),
    "asyncio stub": (aio_stub, ALL),
}


# -- the test


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("run")
    path.chmod(0o700)
    return path


@pytest.fixture(scope="module")
def start_server(directory):
    """Starts a server in a process of its own, quickly: its modules are imported once. -> its target"""
    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload([endings_server.__name__])
    started = []

    def start() -> str:
        ours, theirs = processes.Pipe()
        process = processes.Process(target=endings_server.serve, args=(str(directory), theirs))
        process.start()
        theirs.close()
        started.append((process, ours))
        return f"127.0.0.1:{ours.recv()}"

    yield start
    for process, pipe in started:
        pipe.close()
        process.join(BOUND)
        assert process.exitcode in (0, -signal.SIGKILL)


@pytest.fixture(scope="module")
def server(start_server):
    return start_server()


def arguments_of(ending: Ending, method: str) -> tuple[Any, dict[str, Any]]:
    order = Order(how=ending.how, filling=ending.filling)

    def orders() -> Iterator[Any]:
        yield order
        if ending.more is not None:
            yield from ending.more()

    first = orders() if method in REQUESTS_STREAM else order
    return first, {"timeout": ending.timeout, "metadata": ending.metadata}


def within_bound(call: Callable[[], Any]) -> Any:
    """What `call()` gives, or the exception that it raises, or a text: it does neither."""
    outcome: list[Any] = []

    def run() -> None:
        try:
            outcome.append(call())
        except BaseException as error:
            outcome.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(BOUND)
    return outcome[0] if outcome else f"has not ended within {BOUND} s"


def is_right(came: Any, name: str, way: str, method: str, transport: str) -> bool:
    """Whether a call ended as it should."""
    ending = ENDINGS[name]
    if isinstance(came, str):
        return False
    if way == "asyncio stub":
        return True  # it has ended; how, tests/conformance_aio compares with grpc.aio
    if ending.code is CODE.OK:
        return bool(came == Receipt(how="ok", filling=b""))
    if ending.action == "cancel" and method in ONE_RESPONSE:
        return isinstance(came, (futures.CancelledError, asyncio.CancelledError, grpc.FutureCancelledError))
    if "stub" in way and ending.metadata is not None and isinstance(came, (TypeError, ValueError)):
        return True  # as with grpcio
    codes = {ending.code}
    if ending.metadata is not None:
        codes |= {CODE.INVALID_ARGUMENT}  # grpcio said so once
    if ending.how is None and (method in REQUESTS_STREAM or "stub" in way):
        codes = {CODE.INTERNAL}
    if ending.filling and "asyncio" in way:
        codes |= {CODE.INTERNAL}  # grpc.aio does not always see why it could not send it
    family = grpc.RpcError if ("stub" in way and transport == "grpc") else errors.RpcError
    return isinstance(came, family) and came.code() in codes


def is_possible(ending: Ending, way: str, method: str) -> bool:
    if ending.action == "cancel" and method in ONE_RESPONSE and way in ("client", "manager's client", "stub"):
        return False  # who waits holds nothing to cancel
    if "asyncio" in way:
        if ending.action == "close" and (sys.version_info < (3, 11) or OLD_AIO):
            return (
                False  # the task that waits seems to be cancelled; a call that nobody waits for is forgotten
            )
        if ending.metadata is not None and OLD_AIO:
            return False  # where something streams, it is waited for until the deadline
    return ending.more is None or method in REQUESTS_STREAM


@pytest.mark.slow
@pytest.mark.parametrize("transport", ["shm", "grpc"])
@pytest.mark.parametrize("name", ENDINGS)
def test_a_call_ends(name, transport, server, start_server, directory, monkeypatch):
    if transport == "shm" and not native.available():
        pytest.skip("the native core is not built")
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))
    ending = ENDINGS[name]
    options = [("sage_rpc.transport", transport), *LIMITS]
    wrong: dict[str, Any] = {}
    with EndingsClient(server) as other:

        def hanging() -> int:
            return int(other.one(how="hanging").how)

        def outcome(call: Way, method: str) -> Any:
            until(lambda: hanging() == 0)
            target = start_server() if ending.how == "die" else server
            made = (
                arguments_of(ending, method),
                lambda: until(hanging),
                ending.action,
                method in MANY_RESPONSES,
            )
            return within_bound(lambda: call(target, options, method, *made))

        for way, (call, methods) in WAYS.items():
            for method in methods:
                if is_possible(ending, way, method):
                    came = outcome(call, method)
                    if not is_right(came, name, way, method, transport):
                        wrong[f"{way}: {method}"] = came
    assert not wrong
