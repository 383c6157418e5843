"""A generated stub as a Caller, its servicer, and both ends of a library that looks like grpc.

`library` is grpc or sage_rpc: what is made of either here is the same text.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterable, Iterator
from concurrent import futures
from queue import SimpleQueue
from types import ModuleType
from typing import Any, TypeAlias

import grpc

from benchmarks import echo_pb2, echo_pb2_grpc
from benchmarks.answers import DISTINCT

__all__ = [
    "UNLIMITED",
    "WORKERS",
    "AioEchoServicer",
    "AioStubCaller",
    "ArrayStubCaller",
    "EchoServicer",
    "Options",
    "StubCaller",
    "serving",
    "serving_aio",
]

Options: TypeAlias = "list[tuple[str, Any]]"

WORKERS = 16  # threads of every server here: as many as the busiest scenario has callers in one process
UNLIMITED: Options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
CHANGED = "request {} is not the one that is due"


class EchoServicer(echo_pb2_grpc.EchoServicer):
    """Gives requests back."""

    def Call(self, request: echo_pb2.Blob, context: grpc.ServicerContext) -> echo_pb2.Blob:
        return request

    def CallArray(self, request: echo_pb2.Blob, context: grpc.ServicerContext) -> echo_pb2.Blob:
        return _array_again(request)

    def Repeat(self, request: echo_pb2.Batch, context: grpc.ServicerContext) -> Iterator[echo_pb2.Blob]:
        blobs = list(request.blobs)
        while True:
            yield from blobs

    def Collect(self, requests: Iterator[echo_pb2.Blob], context: grpc.ServicerContext) -> echo_pb2.Tally:
        first: list[bytes] = []
        count = 0
        for request in requests:
            if count < DISTINCT:
                first.append(request.payload)
            elif request.payload != first[count % DISTINCT]:
                context.abort(grpc.StatusCode.DATA_LOSS, CHANGED.format(count))
            count += 1
        return echo_pb2.Tally(count=count, payloads=first)

    def Exchange(
        self, requests: Iterator[echo_pb2.Blob], context: grpc.ServicerContext
    ) -> Iterator[echo_pb2.Blob]:
        yield from requests


def _array_again(request: echo_pb2.Blob) -> echo_pb2.Blob:
    import numpy as np

    array = np.frombuffer(request.payload, np.float32)
    return echo_pb2.Blob(payload=array.tobytes())


class AioEchoServicer(echo_pb2_grpc.EchoServicer):
    """The same in asyncio; no scenario of it sends a stream of requests alone."""

    async def Call(self, request: echo_pb2.Blob, context: Any) -> echo_pb2.Blob:
        return request

    async def CallArray(self, request: echo_pb2.Blob, context: Any) -> echo_pb2.Blob:
        return _array_again(request)

    async def Repeat(self, request: echo_pb2.Batch, context: Any) -> AsyncIterator[echo_pb2.Blob]:
        blobs = list(request.blobs)
        while True:
            for blob in blobs:
                yield blob

    async def Exchange(
        self, requests: AsyncIterator[echo_pb2.Blob], context: Any
    ) -> AsyncIterator[echo_pb2.Blob]:
        async for request in requests:
            yield request


class _Preparer:
    def prepare(self, payload: bytes) -> echo_pb2.Blob:
        return echo_pb2.Blob(payload=payload)


class StubCaller(_Preparer):
    """Calls through the generated stub; reads the payload of every response, as a user would."""

    shared = True

    def __init__(self, channel: grpc.Channel) -> None:
        self._stub = echo_pb2_grpc.EchoStub(channel)  # type: ignore[no-untyped-call]
        self._call = self._stub.Call
        self.start = self._call.future

    def call(self, request: echo_pb2.Blob) -> bytes:
        payload: bytes = self._call(request).payload
        return payload

    def finish(self, future: Any) -> bytes:
        payload: bytes = future.result().payload
        return payload

    def batch(self, requests: list[echo_pb2.Blob]) -> list[bytes]:
        return [self.finish(future) for future in [self.start(request) for request in requests]]

    def arrays(self) -> ArrayStubCaller:
        return ArrayStubCaller(self._stub)

    def responses(self, requests: Iterable[echo_pb2.Blob]) -> Generator[bytes, None, None]:
        call = self._stub.Repeat(echo_pb2.Batch(blobs=requests))
        try:
            for response in call:
                yield response.payload
        finally:
            call.cancel()

    def collect(self, requests: Iterator[echo_pb2.Blob]) -> tuple[int, list[bytes]]:
        tally: echo_pb2.Tally = self._stub.Collect(requests)
        return tally.count, list(tally.payloads)

    @contextlib.contextmanager
    def exchange(self) -> Iterator[Callable[[echo_pb2.Blob], bytes]]:
        # The usual way to send one by one: the thread that reads puts, the one that iterates gets.
        requests: SimpleQueue[echo_pb2.Blob | None] = SimpleQueue()
        responses = self._stub.Exchange(iter(requests.get, None))
        put = requests.put

        def call(request: echo_pb2.Blob) -> bytes:
            put(request)
            payload: bytes = next(responses).payload
            return payload

        try:
            yield call
        finally:
            put(None)


class ArrayStubCaller:
    """Calls with an array, as a user of stubs writes them: its bytes there, an array of the bytes back."""

    shared = True

    def __init__(self, stub: echo_pb2_grpc.EchoStub) -> None:
        self._call = stub.CallArray

    def prepare(self, payload: bytes) -> Any:
        import numpy as np

        return np.frombuffer(payload, np.float32)

    def call(self, request: Any) -> memoryview:
        import numpy as np

        response = self._call(echo_pb2.Blob(payload=request.tobytes()))
        return np.frombuffer(response.payload, np.float32).data.cast("B")

    def start(self, request: Any) -> Any:
        raise NotImplementedError("no scenario has futures of arrays")

    finish = start


class AioStubCaller(_Preparer):
    """The same in asyncio."""

    def __init__(self, channel: Any) -> None:
        self._stub = echo_pb2_grpc.EchoStub(channel)  # type: ignore[no-untyped-call]
        self._call = self._stub.Call

    async def call(self, request: echo_pb2.Blob) -> bytes:
        response: echo_pb2.Blob = await self._call(request)
        return response.payload

    async def responses(self, requests: Iterable[echo_pb2.Blob]) -> AsyncGenerator[bytes, None]:
        call = self._stub.Repeat(echo_pb2.Batch(blobs=requests))
        try:
            async for response in call:
                yield response.payload
        finally:
            call.cancel()

    @contextlib.asynccontextmanager
    async def exchange(self) -> AsyncIterator[Callable[[echo_pb2.Blob], Awaitable[bytes]]]:
        stream = self._stub.Exchange()
        write, read = stream.write, stream.read

        async def call(request: echo_pb2.Blob) -> bytes:
            await write(request)
            response: echo_pb2.Blob = await read()
            return response.payload

        yield call
        await stream.done_writing()


@contextlib.contextmanager
def serving(library: ModuleType, address: str, options: Options) -> Iterator[int]:
    """A synchronous server at `address`. -> its port."""
    server = library.server(futures.ThreadPoolExecutor(WORKERS), options=options)
    echo_pb2_grpc.add_EchoServicer_to_server(EchoServicer(), server)  # type: ignore[no-untyped-call]
    port: int = server.add_insecure_port(address)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()


@contextlib.contextmanager
def serving_aio(library: ModuleType, address: str, options: Options) -> Iterator[int]:
    """An asyncio server at `address`, in a thread of its own. -> its port."""

    async def start() -> tuple[Any, int]:
        server = library.aio.server(options=options)
        echo_pb2_grpc.add_EchoServicer_to_server(AioEchoServicer(), server)  # type: ignore[no-untyped-call]
        port: int = server.add_insecure_port(address)
        await server.start()
        return server, port

    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        server, port = asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield port
        asyncio.run_coroutine_threadsafe(server.stop(None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
