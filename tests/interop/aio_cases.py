"""The cases, with the asyncio API: as cases.py, function by function."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import grpc
from grpc.aio import EOF

from tests.interop import messages
from tests.interop.interop_pb2 import Empty, StreamingOutputCallRequest
from tests.interop.interop_pb2_grpc import TestServiceStub, UnimplementedServiceStub
from tests.interop.messages import Failed, ends_with, expect, expect_payload, expect_payloads
from tests.interop.plan import SECONDS, Plan
from tests.interop.relay import Relay, Wire

GZIP, PLAIN = grpc.Compression.Gzip, grpc.Compression.NoCompression
OK, CANCELLED = grpc.StatusCode.OK, grpc.StatusCode.CANCELLED


class Client:
    """Channels to the server under test; each must be carried by what the plan asks for."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.carriers: set[str] = set()

    @contextlib.asynccontextmanager
    async def channel(self, port: int | None = None) -> AsyncIterator[grpc.aio.Channel]:
        """A channel of its own; it must be of use when the case has ended."""
        async with self.plan.side.channel(self.plan.target(port)) as channel:
            yield channel
            await TestServiceStub(channel).EmptyCall(Empty(), timeout=SECONDS)
            self.carriers.add(self.plan.checked_carrier(channel))

    @contextlib.asynccontextmanager
    async def stub(self) -> AsyncIterator[TestServiceStub]:
        async with self.channel() as channel:
            yield TestServiceStub(channel)

    @contextlib.asynccontextmanager
    async def watched_stub(self) -> AsyncIterator[tuple[TestServiceStub, Wire]]:
        """A stub whose bytes are counted, where they can be."""
        if self.plan.side.transport == "shm":
            async with self.stub() as stub:
                yield stub, Wire()
        else:
            with Relay(self.plan.host, self.plan.port) as relay:
                async with self.channel(relay.port) as channel:
                    await TestServiceStub(channel).EmptyCall(Empty(), timeout=SECONDS)  # connects
                    yield TestServiceStub(channel), relay


async def large_call(stub: TestServiceStub) -> None:
    call = stub.UnaryCall(messages.large(), timeout=SECONDS)
    expect_payload("response", await call, messages.LARGE_RESPONSE)
    expect("status code", await call.code(), OK)


async def in_turn(requests: Any) -> AsyncIterator[Any]:
    """An asynchronous iterator of what is there already."""
    for request in requests:
        yield request


async def collected(call: AsyncIterator[Any]) -> list[Any]:
    return [response async for response in call]


# -- unary


async def empty_unary(client: Client) -> None:
    async with client.stub() as stub:
        expect("response", await stub.EmptyCall(Empty(), timeout=SECONDS), Empty())


async def large_unary(client: Client) -> None:
    async with client.stub() as stub:
        await large_call(stub)


async def client_compressed_unary(client: Client) -> None:
    size = messages.LARGE_REQUEST
    async with client.watched_stub() as (stub, wire):
        for compressed, at_least, less_than in ((True, 0, size // 4), (False, size, size * 2)):
            request = messages.large(sent_compressed=compressed)
            with wire.carries("sent", at_least, less_than):
                response = await stub.UnaryCall(
                    request, timeout=SECONDS, compression=GZIP if compressed else PLAIN
                )
            expect_payload("response", response, messages.LARGE_RESPONSE)


async def server_compressed_unary(client: Client) -> None:
    size = messages.LARGE_RESPONSE
    async with client.watched_stub() as (stub, wire):
        for compressed, at_least, less_than in ((True, 0, size // 4), (False, size, size * 2)):
            with wire.carries("received", at_least, less_than):
                response = await stub.UnaryCall(messages.large(answer_compressed=compressed), timeout=SECONDS)
            expect_payload("response", response, size)


# -- streams


async def client_streaming(client: Client) -> None:
    async with client.stub() as stub:
        call = stub.StreamingInputCall(timeout=SECONDS)
        for size in messages.REQUESTS:
            await call.write(messages.upload(size))
        await call.done_writing()
        expect("aggregated size", (await call).aggregated_payload_size, messages.AGGREGATED)


async def client_compressed_streaming(client: Client) -> None:
    """Python compresses calls and not single messages: each message has a call of its own."""
    packed, plain = messages.COMPRESSED_REQUESTS
    async with client.watched_stub() as (stub, wire):
        for size, compressed, at_least, less_than in (
            (packed, True, 0, packed // 4),
            (plain, False, plain, plain * 2),
        ):
            with wire.carries("sent", at_least, less_than):
                response = await stub.StreamingInputCall(
                    in_turn([messages.upload(size, sent_compressed=compressed)]),
                    timeout=SECONDS,
                    compression=GZIP if compressed else PLAIN,
                )
            expect("aggregated size", response.aggregated_payload_size, size)


async def server_streaming(client: Client) -> None:
    async with client.stub() as stub:
        call = stub.StreamingOutputCall(messages.download(*messages.RESPONSES), timeout=SECONDS)
        expect_payloads(await collected(call), messages.RESPONSES)
        expect("status code", await call.code(), OK)


async def server_compressed_streaming(client: Client) -> None:
    packed, plain = messages.COMPRESSED_RESPONSES
    async with client.watched_stub() as (stub, wire):
        with wire.carries("received", plain, plain + packed // 2):
            responses = await collected(
                stub.StreamingOutputCall(messages.compressed_download(), timeout=SECONDS)
            )
        expect_payloads(responses, messages.COMPRESSED_RESPONSES)


async def ping_pong(client: Client) -> None:
    async with client.stub() as stub:
        call = stub.FullDuplexCall(timeout=SECONDS)
        for request_size, response_size in zip(messages.REQUESTS, messages.RESPONSES, strict=True):
            await call.write(messages.turn(request_size, response_size))
            expect_payload("response", await call.read(), response_size)
        await call.done_writing()
        expect("what comes after the last response", await call.read(), EOF)
        expect("status code", await call.code(), OK)


async def empty_stream(client: Client) -> None:
    async with client.stub() as stub:
        call = stub.FullDuplexCall(timeout=SECONDS)
        await call.done_writing()
        expect("what comes", await call.read(), EOF)
        expect("status code", await call.code(), OK)


# -- metadata and status


async def custom_metadata(client: Client) -> None:
    metadata = (messages.INITIAL, messages.TRAILING)
    async with client.stub() as stub:
        call = stub.UnaryCall(messages.large(), timeout=SECONDS, metadata=metadata)
        expect_payload("response", await call, messages.LARGE_RESPONSE)
        messages.expect_echoed(await call.initial_metadata(), await call.trailing_metadata())
        stream = stub.FullDuplexCall(timeout=SECONDS, metadata=metadata)
        await stream.write(messages.turn(messages.LARGE_REQUEST, messages.LARGE_RESPONSE))
        await stream.done_writing()
        expect_payloads(await collected(stream), [messages.LARGE_RESPONSE])
        messages.expect_echoed(await stream.initial_metadata(), await stream.trailing_metadata())


async def status_code_and_message(client: Client) -> None:
    status = messages.STATUS
    async with client.stub() as stub:
        with ends_with(messages.code_of(status), status.message):
            await stub.UnaryCall(messages.SimpleRequest(response_status=status), timeout=SECONDS)
        request = StreamingOutputCallRequest(response_status=status)
        with ends_with(messages.code_of(status), status.message):
            await collected(stub.FullDuplexCall(in_turn([request]), timeout=SECONDS))


async def special_status_message(client: Client) -> None:
    status = messages.SPECIAL_STATUS
    async with client.stub() as stub:
        with ends_with(messages.code_of(status), status.message):
            await stub.UnaryCall(messages.SimpleRequest(response_status=status), timeout=SECONDS)


async def unimplemented_method(client: Client) -> None:
    async with client.stub() as stub:
        with ends_with(grpc.StatusCode.UNIMPLEMENTED):
            await stub.UnimplementedCall(Empty(), timeout=SECONDS)


async def unimplemented_service(client: Client) -> None:
    async with client.channel() as channel:
        with ends_with(grpc.StatusCode.UNIMPLEMENTED):
            await UnimplementedServiceStub(channel).UnimplementedCall(Empty(), timeout=SECONDS)


# -- the end before the end


async def expect_cancelled(call: Any, waiting: Awaitable[Any]) -> None:
    """Who waits for a call that this side cancelled gets CancelledError; the call's status says it too."""
    try:
        await waiting
    except asyncio.CancelledError:
        expect("cancelled()", call.cancelled(), wanted=True)
        expect("status code", await call.code(), CANCELLED)
    else:
        raise Failed("the call was expected to be cancelled, and was not")


async def cancel_after_begin(client: Client) -> None:
    async with client.stub() as stub:
        call = stub.StreamingInputCall(timeout=SECONDS)
        await call.wait_for_connection()
        call.cancel()
        await expect_cancelled(call, call)


async def cancel_after_first_response(client: Client) -> None:
    async with client.stub() as stub:
        call = stub.FullDuplexCall(timeout=SECONDS)
        await call.write(messages.turn(messages.REQUESTS[0], messages.RESPONSES[0]))
        expect_payload("response", await call.read(), messages.RESPONSES[0])
        call.cancel()
        await expect_cancelled(call, call.read())


async def timeout_on_sleeping_server(client: Client) -> None:
    """The server waits for another request, which does not come; on a new channel, and on a connected one."""
    async with client.stub() as stub:
        for _ in range(2):
            with ends_with(grpc.StatusCode.DEADLINE_EXCEEDED):
                raise await error_of_call_without_time(stub)
            await stub.EmptyCall(Empty(), timeout=SECONDS)


async def error_of_call_without_time(stub: TestServiceStub) -> grpc.RpcError:
    """How a call with a deadline of 1 ms ends.

    grpc.aio says INTERNAL when the deadline ends the sending of a message and the loop hears of that first
    (https://github.com/grpc/grpc/issues/36066). Such a call is made again.
    """
    for _ in range(20):
        call = stub.FullDuplexCall(timeout=0.001)
        try:
            with contextlib.suppress(asyncio.InvalidStateError):  # it has ended already
                await call.write(messages.turn(messages.REQUESTS[0]))
            await call.read()
        except grpc.RpcError as error:
            if error.details() != "Internal error from Core":
                return error
        else:
            raise Failed("the call was expected to fail, and did not")
    raise Failed("no call came to its deadline")


# -- much


async def concurrent_large_unary(client: Client) -> None:
    async with client.stub() as stub:
        calls = [
            stub.UnaryCall(messages.large(), timeout=SECONDS) for _ in range(client.plan.concurrent_calls)
        ]
        for response in await asyncio.gather(*calls):
            expect_payload("response", response, messages.LARGE_RESPONSE)


async def rpc_soak(client: Client) -> None:
    async with client.stub() as stub:
        await soak(client.plan, lambda: large_call(stub))


async def channel_soak(client: Client) -> None:
    async def call_over_a_new_channel() -> None:
        async with client.stub() as stub:
            await large_call(stub)

    await soak(client.plan, call_over_a_new_channel)


async def soak(plan: Plan, step: Callable[[], Awaitable[None]]) -> None:
    account = plan.soak()
    while account.goes_on():
        began = time.monotonic()
        try:
            await step()
        except (grpc.RpcError, Failed) as error:
            account.failed(error)
        else:
            account.succeeded(time.monotonic() - began)
    account.settle()


def run(plan: Plan, name: str) -> set[str]:
    """Run the case of this name, one of `plan.CASES`. -> what carried its calls; raises when it fails."""
    client = Client(plan)
    asyncio.run(globals()[name](client))
    return client.carriers
