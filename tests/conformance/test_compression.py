"""Compression, as gRPC's compression document has it: it may be asked for everywhere, and is never seen.

What a call, a channel, a server or a handler asks for changes no message. What it does on the wire is the
transport's affair; the memory queue compresses nothing.
"""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of

every = pytest.mark.parametrize("compression", list(grpc.Compression), ids=lambda member: member.name)
MESSAGES = {"compressible": b"x" * 50_000, "empty": b"", "random": bytes(range(256)) * 4}
HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}


@ways(ASYNCHRONOUS)
@every
@pytest.mark.parametrize("message", MESSAGES)
def test_a_call_may_ask_for_it(rpc, way, compression, message):
    outcome = way.run(rpc.method(way.kind, echo(way.kind)), [MESSAGES[message]], compression=compression)
    assert outcome.responses == [MESSAGES[message]]


@ways(ASYNCHRONOUS)
@every
def test_a_channel_may_ask_for_it(rpc, way, compression):
    with rpc.column.channel(rpc.target, compression=compression) as channel:
        method = rpc.method(way.kind, echo(way.kind), channel=channel)
        assert way.run(method, [b"x" * 5000]).responses == [b"x" * 5000]


@ways(ASYNCHRONOUS)
def test_a_call_overrides_its_channel(rpc, way):
    with rpc.column.channel(rpc.target, compression=grpc.Compression.Gzip) as channel:
        method = rpc.method(way.kind, echo(way.kind), channel=channel)
        outcome = way.run(method, [b"x" * 5000], compression=grpc.Compression.NoCompression)
        assert outcome.responses == [b"x" * 5000]


@every
def test_a_server_may_ask_for_it(serve, compression):
    served = serve(registered=HANDLERS, compression=compression)
    for way in ASYNCHRONOUS:
        method = getattr(served.channel, way.kind)(f"/{SERVICE}/{way.kind}")
        assert way.run(method, [b"x" * 5000]).responses == [b"x" * 5000]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_a_handler_may_leave_single_messages_uncompressed(rpc, kind):
    def behave(_requests, context):
        context.set_compression(grpc.Compression.Gzip)
        for i in range(4):
            if i % 2:
                context.disable_next_message_compression()
            yield bytes([i]) * 2000

    call = rpc.method(kind, behave)(b"" if kind == "unary_stream" else iter(()), timeout=SECONDS)
    assert list(call) == [bytes([i]) * 2000 for i in range(4)]


@ways(ASYNCHRONOUS)
def test_a_handler_is_not_shown_how_its_request_came(rpc, way):
    seen = []
    act = lambda context: seen.extend(key for key, _ in context.invocation_metadata())
    way.run(rpc.method(way.kind, echo(way.kind, act)), compression=grpc.Compression.Gzip)
    assert not [key for key in seen if "encoding" in key or "compress" in key]


@ways(ASYNCHRONOUS)
def test_a_limit_is_of_the_message_and_not_of_what_it_was_compressed_to(serve, way):
    served = serve(registered=HANDLERS, options=[("grpc.max_receive_message_length", 1000)])
    method = getattr(served.channel, way.kind)(f"/{SERVICE}/{way.kind}")
    outcome = way.run(method, [b"x" * 20_000], compression=grpc.Compression.Gzip)
    assert outcome.error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
