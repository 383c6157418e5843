"""Limits of messages and of metadata: `grpc.max_receive_message_length` and its relatives."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, ways
from tests.conformance_aio.service import KINDS, SERVICE, echo, handler_of

LIMIT = 1000
WHERE = {
    "the server receives": ("options", "grpc.max_receive_message_length", "SERVER: Received"),
    "the server sends": ("options", "grpc.max_send_message_length", "SERVER: Sent"),
    "the client receives": ("channel_options", "grpc.max_receive_message_length", "CLIENT: Received"),
    "the client sends": ("channel_options", "grpc.max_send_message_length", "CLIENT: Sent"),
}
everywhere = pytest.mark.parametrize("where", WHERE)
# grpc.aio tells a caller that streams that its own message was too large, or that it could not be sent.
TOO_LARGE = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL}
HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}


@pytest.fixture
def limited(serve):
    """A function that gives the multicallable of an echo, with options of the server and of the channel."""

    async def start(kind, **options):
        served = await serve(registered=HANDLERS, **options)
        return getattr(served.channel, kind)(f"/{SERVICE}/{kind}")

    return start


@every_kind
@everywhere
async def test_a_message_over_a_limit_is_resource_exhausted(limited, kind, where):
    side, option, text = WHERE[where]
    method = await limited(kind, **{side: [(option, LIMIT)]})
    code, details = failure(await BY_KIND[kind].run(method, [bytes(LIMIT + 1)]))
    if where == "the client sends" and kind.startswith("stream"):
        assert code in TOO_LARGE
    else:
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert f"{text} message larger than max ({LIMIT + 1} vs. {LIMIT})" in details


@either_kind
@everywhere
async def test_a_message_of_the_limit_passes(limited, kind, where):
    side, option, _ = WHERE[where]
    outcome = await BY_KIND[kind].run(await limited(kind, **{side: [(option, LIMIT)]}), [bytes(LIMIT)])
    assert outcome.responses == [bytes(LIMIT)]


@everywhere
@either_kind
async def test_a_message_over_a_limit_harms_no_other_call(limited, where, kind):
    side, option, _ = WHERE[where]
    method = await limited(kind, **{side: [(option, LIMIT)]})
    for _ in range(2):
        assert (await BY_KIND[kind].run(method, [bytes(LIMIT + 1)])).error is not None
        assert (await BY_KIND[kind].run(method, [b"x"])).responses == [b"x"]


@ways()
async def test_four_mebibytes_are_the_default_limit_of_what_is_received(rpc, way):
    code, details = failure(await way.run(rpc.method(way.kind, echo(way.kind)), [bytes((4 << 20) + 1)]))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max (4194305 vs. 4194304)" in details


@either_kind
async def test_minus_one_is_no_limit(limited, kind):
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    message = bytes(9 << 20)
    method = await limited(kind, options=unlimited, channel_options=unlimited)
    outcome = await BY_KIND[kind].run(method, [message])
    assert outcome.error is None
    assert outcome.responses == [message]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_the_limit_is_of_one_message_not_of_the_stream(limited, kind):
    method = await limited(kind, options=[("grpc.max_receive_message_length", LIMIT)])
    outcome = await BY_KIND[kind].run(method, [bytes(LIMIT)] * 20)
    assert b"".join(outcome.responses) == bytes(20 * LIMIT)


async def test_the_messages_before_one_that_is_too_large_arrive(serve):
    async def behave(_request, _context):
        yield b"small"
        yield bytes(LIMIT + 1)

    served = await serve(
        registered={"m": handler_of("unary_stream", behave)},
        channel_options=[("grpc.max_receive_message_length", LIMIT)],
    )
    call = served.channel.unary_stream(f"/{SERVICE}/m")(b"")
    assert await call.read() == b"small"
    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_the_writer_of_a_message_that_is_too_large_may_write_no_more(limited):
    method = await limited("stream_stream", channel_options=[("grpc.max_send_message_length", LIMIT)])
    call = method()
    await call.write(b"small")
    assert await call.read() == b"small"

    async def write():
        while True:
            await call.write(bytes(LIMIT + 1))

    with pytest.raises((aio.AioRpcError, asyncio.InvalidStateError)):
        await write()
    assert await call.code() in TOO_LARGE


async def test_the_handler_of_a_response_that_was_too_large_is_told(serve, event_loop):
    """The call has ended for the handler too: it does not write for ever."""
    ended = event_loop.create_future()

    async def behave(_request, context):
        context.add_done_callback(lambda _context: ended.set_result(None))
        while True:
            yield bytes(LIMIT + 1)

    served = await serve(
        registered={"m": handler_of("unary_stream", behave)},
        channel_options=[("grpc.max_receive_message_length", LIMIT)],
    )
    call = served.channel.unary_stream(f"/{SERVICE}/m")(b"")
    with pytest.raises(aio.AioRpcError):
        await call.read()
    await ended


# -- metadata: gRPC rejects at random between the soft limit of 8 KiB and the hard one of 16 KiB


@either_kind
async def test_metadata_of_four_kibibytes_passes(rpc, kind):
    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind)), metadata=(("key", "v" * 4096),))
    assert outcome.error is None


@either_kind
@pytest.mark.parametrize("size", [20_000, 1 << 20])
async def test_metadata_over_sixteen_kibibytes_is_resource_exhausted(rpc, kind, size):
    method = rpc.method(kind, echo(kind))
    outcome = await BY_KIND[kind].run(method, metadata=(("key", "v" * size),))
    assert outcome.error is not None
    assert await outcome.call.code() in {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INTERNAL}
    assert (await BY_KIND[kind].run(method)).responses == [b"request"]


@every_kind
@pytest.mark.parametrize("which", ["send_initial_metadata", "set_trailing_metadata"])
async def test_metadata_of_the_response_over_sixteen_kibibytes_is_resource_exhausted(rpc, kind, which):
    act = lambda context: getattr(context, which)((("key", "v" * 20_000),))
    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)))
    # Who still sends when the call ends is told INTERNAL by grpc.aio, now and then.
    races = {grpc.StatusCode.INTERNAL} if kind.startswith("stream") else set()
    assert failure(outcome)[0] in {grpc.StatusCode.RESOURCE_EXHAUSTED} | races


@either_kind
async def test_a_larger_limit_of_metadata_may_be_set(limited, kind):
    larger = [("grpc.max_metadata_size", 1 << 16), ("grpc.absolute_max_metadata_size", 1 << 17)]
    method = await limited(kind, options=larger, channel_options=larger)
    assert (await BY_KIND[kind].run(method, metadata=(("key", "v" * 50_000),))).error is None
