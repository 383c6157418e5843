"""The cases, with the synchronous API. Each takes a Client and raises when it does not see what it must see.

Every call has a deadline, and every channel is asked for its transport when the case has ended.
"""

from __future__ import annotations

import contextlib
import queue
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc

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

    @contextlib.contextmanager
    def channel(self, port: int | None = None) -> Iterator[grpc.Channel]:
        """A channel of its own; it must be of use when the case has ended."""
        with self.plan.side.channel(self.plan.target(port)) as channel:
            yield channel
            TestServiceStub(channel).EmptyCall(Empty(), timeout=SECONDS)
            self.carriers.add(self.plan.checked_carrier(channel))

    @contextlib.contextmanager
    def stub(self) -> Iterator[TestServiceStub]:
        with self.channel() as channel:
            yield TestServiceStub(channel)

    @contextlib.contextmanager
    def watched_stub(self) -> Iterator[tuple[TestServiceStub, Wire]]:
        """A stub whose bytes are counted, where they can be."""
        if self.plan.side.transport == "shm":
            with self.stub() as stub:
                yield stub, Wire()
        else:
            with Relay(self.plan.host, self.plan.port) as relay, self.channel(relay.port) as channel:
                TestServiceStub(channel).EmptyCall(Empty(), timeout=SECONDS)  # connects
                yield TestServiceStub(channel), relay


@contextlib.contextmanager
def conversation() -> Iterator[queue.SimpleQueue[StreamingOutputCallRequest | None]]:
    """A queue of requests for `requests_of`; None, at the latest at the end of the block, is the last."""
    requests: queue.SimpleQueue[StreamingOutputCallRequest | None] = queue.SimpleQueue()
    try:
        yield requests
    finally:
        requests.put(None)


def requests_of(requests: queue.SimpleQueue[Any]) -> Iterator[Any]:
    return iter(requests.get, None)


def large_call(stub: TestServiceStub, **arguments: Any) -> None:
    response, call = stub.UnaryCall.with_call(messages.large(), timeout=SECONDS, **arguments)
    expect("status code", call.code(), OK)
    expect_payload("response", response, messages.LARGE_RESPONSE)


# -- unary


def empty_unary(client: Client) -> None:
    with client.stub() as stub:
        expect("response", stub.EmptyCall(Empty(), timeout=SECONDS), Empty())


def large_unary(client: Client) -> None:
    with client.stub() as stub:
        large_call(stub)


def client_compressed_unary(client: Client) -> None:
    size = messages.LARGE_REQUEST
    with client.watched_stub() as (stub, wire):
        for compressed, at_least, less_than in ((True, 0, size // 4), (False, size, size * 2)):
            request = messages.large(sent_compressed=compressed)
            with wire.carries("sent", at_least, less_than):
                response = stub.UnaryCall(request, timeout=SECONDS, compression=GZIP if compressed else PLAIN)
            expect_payload("response", response, messages.LARGE_RESPONSE)


def server_compressed_unary(client: Client) -> None:
    size = messages.LARGE_RESPONSE
    with client.watched_stub() as (stub, wire):
        for compressed, at_least, less_than in ((True, 0, size // 4), (False, size, size * 2)):
            with wire.carries("received", at_least, less_than):
                response = stub.UnaryCall(messages.large(answer_compressed=compressed), timeout=SECONDS)
            expect_payload("response", response, size)


# -- streams


def client_streaming(client: Client) -> None:
    with client.stub() as stub:
        response = stub.StreamingInputCall(map(messages.upload, messages.REQUESTS), timeout=SECONDS)
        expect("aggregated size", response.aggregated_payload_size, messages.AGGREGATED)


def client_compressed_streaming(client: Client) -> None:
    """Python compresses calls and not single messages: each message has a call of its own."""
    packed, plain = messages.COMPRESSED_REQUESTS
    with client.watched_stub() as (stub, wire):
        for size, compressed, at_least, less_than in (
            (packed, True, 0, packed // 4),
            (plain, False, plain, plain * 2),
        ):
            with wire.carries("sent", at_least, less_than):
                response = stub.StreamingInputCall(
                    iter([messages.upload(size, sent_compressed=compressed)]),
                    timeout=SECONDS,
                    compression=GZIP if compressed else PLAIN,
                )
            expect("aggregated size", response.aggregated_payload_size, size)


def server_streaming(client: Client) -> None:
    with client.stub() as stub:
        call = stub.StreamingOutputCall(messages.download(*messages.RESPONSES), timeout=SECONDS)
        expect_payloads(call, messages.RESPONSES)
        expect("status code", call.code(), OK)


def server_compressed_streaming(client: Client) -> None:
    packed, plain = messages.COMPRESSED_RESPONSES
    with client.watched_stub() as (stub, wire):
        with wire.carries("received", plain, plain + packed // 2):
            responses = list(stub.StreamingOutputCall(messages.compressed_download(), timeout=SECONDS))
        expect_payloads(responses, messages.COMPRESSED_RESPONSES)


def ping_pong(client: Client) -> None:
    with client.stub() as stub, conversation() as requests:
        call = stub.FullDuplexCall(requests_of(requests), timeout=SECONDS)
        for request_size, response_size in zip(messages.REQUESTS, messages.RESPONSES, strict=True):
            requests.put(messages.turn(request_size, response_size))
            expect_payload("response", next(call), response_size)
        requests.put(None)
        expect("responses after the last one", list(call), [])
        expect("status code", call.code(), OK)


def empty_stream(client: Client) -> None:
    with client.stub() as stub:
        call = stub.FullDuplexCall(iter(()), timeout=SECONDS)
        expect("responses", list(call), [])
        expect("status code", call.code(), OK)


# -- metadata and status


def custom_metadata(client: Client) -> None:
    metadata = (messages.INITIAL, messages.TRAILING)
    with client.stub() as stub:
        response, call = stub.UnaryCall.with_call(messages.large(), timeout=SECONDS, metadata=metadata)
        expect_payload("response", response, messages.LARGE_RESPONSE)
        messages.expect_echoed(call.initial_metadata(), call.trailing_metadata())
        request = messages.turn(messages.LARGE_REQUEST, messages.LARGE_RESPONSE)
        stream = stub.FullDuplexCall(iter([request]), timeout=SECONDS, metadata=metadata)
        expect_payloads(stream, [messages.LARGE_RESPONSE])
        messages.expect_echoed(stream.initial_metadata(), stream.trailing_metadata())


def status_code_and_message(client: Client) -> None:
    status = messages.STATUS
    with client.stub() as stub:
        with ends_with(messages.code_of(status), status.message):
            stub.UnaryCall(messages.SimpleRequest(response_status=status), timeout=SECONDS)
        request = StreamingOutputCallRequest(response_status=status)
        with ends_with(messages.code_of(status), status.message):
            list(stub.FullDuplexCall(iter([request]), timeout=SECONDS))


def special_status_message(client: Client) -> None:
    status = messages.SPECIAL_STATUS
    with client.stub() as stub, ends_with(messages.code_of(status), status.message):
        stub.UnaryCall(messages.SimpleRequest(response_status=status), timeout=SECONDS)


def unimplemented_method(client: Client) -> None:
    with client.stub() as stub, ends_with(grpc.StatusCode.UNIMPLEMENTED):
        stub.UnimplementedCall(Empty(), timeout=SECONDS)


def unimplemented_service(client: Client) -> None:
    with client.channel() as channel, ends_with(grpc.StatusCode.UNIMPLEMENTED):
        UnimplementedServiceStub(channel).UnimplementedCall(Empty(), timeout=SECONDS)


# -- the end before the end


def cancel_after_begin(client: Client) -> None:
    with client.stub() as stub, conversation() as requests:
        call = stub.StreamingInputCall.future(requests_of(requests), timeout=SECONDS)
        call.cancel()
        expect("cancelled()", call.cancelled(), wanted=True)
        expect("status code", call.code(), CANCELLED)


def cancel_after_first_response(client: Client) -> None:
    with client.stub() as stub, conversation() as requests:
        call = stub.FullDuplexCall(requests_of(requests), timeout=SECONDS)
        requests.put(messages.turn(messages.REQUESTS[0], messages.RESPONSES[0]))
        expect_payload("response", next(call), messages.RESPONSES[0])
        call.cancel()
        with ends_with(CANCELLED):
            next(call)
        expect("status code", call.code(), CANCELLED)


def timeout_on_sleeping_server(client: Client) -> None:
    """The server waits for another request, which does not come; on a new channel, and on a connected one."""
    with client.stub() as stub:
        for _ in range(2):
            with conversation() as requests:
                requests.put(messages.turn(messages.REQUESTS[0]))
                call = stub.FullDuplexCall(requests_of(requests), timeout=0.001)
                with ends_with(grpc.StatusCode.DEADLINE_EXCEEDED):
                    next(call)
            stub.EmptyCall(Empty(), timeout=SECONDS)


# -- much


def concurrent_large_unary(client: Client) -> None:
    with client.stub() as stub:
        calls = [
            stub.UnaryCall.future(messages.large(), timeout=SECONDS)
            for _ in range(client.plan.concurrent_calls)
        ]
        for call in calls:
            expect_payload("response", call.result(), messages.LARGE_RESPONSE)


def rpc_soak(client: Client) -> None:
    with client.stub() as stub:
        soak(client.plan, lambda: large_call(stub))


def channel_soak(client: Client) -> None:
    def call_over_a_new_channel() -> None:
        with client.stub() as stub:
            large_call(stub)

    soak(client.plan, call_over_a_new_channel)


def soak(plan: Plan, step: Callable[[], None]) -> None:
    account = plan.soak()
    while account.goes_on():
        began = time.monotonic()
        try:
            step()
        except (grpc.RpcError, Failed) as error:
            account.failed(error)
        else:
            account.succeeded(time.monotonic() - began)
    account.settle()


def run(plan: Plan, name: str) -> set[str]:
    """Run the case of this name, one of `plan.CASES`. -> what carried its calls; raises when it fails."""
    client = Client(plan)
    globals()[name](client)
    return client.carriers
