"""Streams of responses: `UnaryStreamMultiCallable`, taken by `async for` and by `read`."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import EVERY_WAY, failure, ways
from tests.conformance_aio.service import SECONDS, STYLES, echo

UNARY_STREAM = [way for way in EVERY_WAY if way.kind == "unary_stream"]


async def count(request, _context):
    """Yields the numbers below the one in the request."""
    for i in range(int(request)):
        yield b"%d" % i


async def count_by_writing(request, context):
    for i in range(int(request)):
        await context.write(b"%d" % i)


both = pytest.mark.parametrize("behaviour", [count, count_by_writing])


@ways(UNARY_STREAM)
@both
@pytest.mark.parametrize("number", [0, 1, 200])
async def test_the_responses_come_in_order_and_end(rpc, way, behaviour, number):
    outcome = await way.run(rpc.unary_stream(behaviour), [b"%d" % number])
    assert outcome.error is None
    assert outcome.responses == [b"%d" % i for i in range(number)]


@ways(UNARY_STREAM)
async def test_responses_of_any_size_come_as_they_were(rpc, way):
    messages = [(bytes(range(251)) * (size // 251 + 1))[:size] for size in (0, 1, 65_536, (4 << 20) - 1000)]

    async def behave(_request, _context):
        for message in messages:
            yield message

    assert (await way.run(rpc.unary_stream(behave))).responses == messages


async def test_a_call_is_a_unary_stream_call(rpc):
    call = rpc.unary_stream(count)(b"0")
    for interface in (aio.UnaryStreamCall, aio.Call, aio.RpcContext):
        assert isinstance(call, interface)
    assert await call.read() is aio.EOF


async def test_the_multicallable_is_a_unary_stream_multicallable(rpc):
    assert isinstance(rpc.unary_stream(count), aio.UnaryStreamMultiCallable)


async def test_a_stream_is_not_awaited(rpc):
    call = rpc.unary_stream(count)(b"1")
    with pytest.raises(TypeError):
        await call
    call.cancel()


async def test_read_gives_one_response_at_a_time(rpc):
    call = rpc.unary_stream(count)(b"2")
    assert [await call.read(), await call.read(), await call.read()] == [b"0", b"1", aio.EOF]


async def test_read_after_the_end_gives_the_end_again(rpc):
    call = rpc.unary_stream(count)(b"1")
    assert await call.read() == b"0"
    assert [await call.read() for _ in range(3)] == [aio.EOF] * 3


async def test_the_end_is_false_and_no_message(rpc):
    """`while response := await call.read()` would stop at an empty message: it is compared to EOF."""
    call = rpc.unary_stream(echo("unary_stream"))(b"")
    assert await call.read() == b""
    end = await call.read()
    assert end is aio.EOF
    assert not end


async def test_the_iterator_of_a_stream_is_one(rpc):
    """Breaking off and iterating again goes on, and loses nothing."""
    call = rpc.unary_stream(count)(b"5")
    assert await call.__aiter__().__anext__() == b"0"
    assert await call.__aiter__().__anext__() == b"1"
    assert [response async for response in call] == [b"2", b"3", b"4"]


async def test_a_drained_stream_gives_nothing_more(rpc):
    call = rpc.unary_stream(count)(b"2")
    assert [response async for response in call] == [b"0", b"1"]
    assert [response async for response in call] == []


@ways(UNARY_STREAM)
async def test_responses_come_while_the_handler_still_runs(rpc, way):
    gate = rpc.event()

    async def behave(_request, _context):
        yield b"1"
        await gate.wait()
        yield b"2"

    call = way.start(rpc.unary_stream(behave))
    first = await (call.read() if way.responses == "read" else call.__aiter__().__anext__())
    assert first == b"1"
    assert not call.done()
    gate.set()
    assert (await way.finish(call)).responses == [b"2"]


@ways(UNARY_STREAM)
async def test_an_error_comes_after_the_responses_before_it(rpc, way):
    async def behave(_request, context):
        yield b"1"
        yield b"2"
        await context.abort(grpc.StatusCode.ABORTED, "enough")

    outcome = await way.run(rpc.unary_stream(behave))
    assert outcome.responses == [b"1", b"2"]
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "enough")


@ways(UNARY_STREAM)
async def test_an_error_is_raised_without_any_response(rpc, way):
    async def behave(_request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "nothing")
        yield b"never"

    assert failure(await way.run(rpc.unary_stream(behave))) == (grpc.StatusCode.NOT_FOUND, "nothing")


async def test_reading_on_after_an_error_raises_it_again(rpc):
    async def behave(_request, context):
        await context.abort(grpc.StatusCode.NOT_FOUND, "nothing")

    call = rpc.unary_stream(behave)(b"")
    for _ in range(3):
        with pytest.raises(aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_handler_without_responses_ends_the_stream(rpc):
    async def behave(_request, _context):
        pass

    call = rpc.unary_stream(behave)(b"")
    assert await call.read() is aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_a_handler_may_yield_and_write(rpc):
    async def behave(_request, context):
        yield b"yielded"
        await context.write(b"written")
        yield b"yielded again"

    outcome = await UNARY_STREAM[0].run(rpc.unary_stream(behave))
    assert outcome.responses == [b"yielded", b"written", b"yielded again"]


@pytest.mark.parametrize("style", STYLES["unary_stream"])
async def test_a_slow_reader_stops_its_sender(rpc, style):
    """The sender does not run ahead without end, although nobody reads."""
    sent, other = [], rpc.unary_unary(echo("unary_unary"))

    async def flood(_request, _context):
        while True:
            sent.append(1)
            yield bytes(100_000)

    async def flood_by_writing(_request, context):
        while True:
            sent.append(1)
            await context.write(bytes(100_000))

    call = rpc.unary_stream(flood if style == "iterator" else flood_by_writing)(b"")
    assert len(await call.read()) == 100_000
    for _ in range(50):
        await other(b"go on")
    assert len(sent) < 500
    call.cancel()


async def test_a_slow_reader_stops_nobody_else(rpc):
    async def flood(_request, _context):
        for _ in range(1000):
            yield bytes(100_000)

    method = rpc.unary_stream(flood)
    stopped = [method(b"") for _ in range(5)]
    for call in stopped:
        await call.read()
    assert (await UNARY_STREAM[0].run(rpc.unary_stream(count), [b"500"])).responses[-1] == b"499"
    for call in stopped:
        call.cancel()


async def test_a_slow_reader_loses_nothing(rpc):
    async def behave(_request, _context):
        for i in range(200):
            yield b"%04d" % i + bytes(20_000)

    call, other = rpc.unary_stream(behave)(b""), rpc.unary_unary(echo("unary_unary"))
    numbers = []
    async for response in call:
        numbers.append(int(response[:4]))
        if len(numbers) % 50 == 0:
            await other(b"meanwhile")
    assert numbers == list(range(200))


@ways(UNARY_STREAM)
async def test_many_streams_at_once_are_not_mixed_up(rpc, way):
    async def behave(request, _context):
        for i in range(20):
            yield request + b"-%d" % i
            await asyncio.sleep(0)

    method = rpc.unary_stream(behave)
    outcomes = await asyncio.gather(*(way.run(method, [b"%d" % i]) for i in range(30)))
    for i, outcome in enumerate(outcomes):
        assert outcome.responses == [b"%d-%d" % (i, j) for j in range(20)]


async def test_every_argument_may_be_given_by_name(rpc):
    call = rpc.unary_stream(echo("unary_stream"))(
        request=b"request",
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    assert await call.read() == b"request"


async def test_an_unknown_argument_is_a_type_error(rpc):
    with pytest.raises(TypeError):
        rpc.unary_stream(count)(b"1", time_out=1)


async def test_a_handler_hands_a_stream_on(rpc):
    inner = rpc.unary_stream(count)

    async def behave(request, _context):
        async for response in inner(request):
            yield response + b"!"

    assert (await UNARY_STREAM[0].run(rpc.unary_stream(behave), [b"2"])).responses == [b"0!", b"1!"]


async def test_another_task_may_read_than_made_the_call(rpc):
    call = rpc.unary_stream(count)(b"1")
    assert await asyncio.create_task(call.read()) == b"0"
