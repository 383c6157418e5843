"""Streams both ways: `StreamStreamMultiCallable`, every way to send with every way to receive."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import EVERY_WAY, failure, iterate, ways
from tests.conformance_aio.service import SECONDS, STYLES, Blocked, echo

STREAM_STREAM = [way for way in EVERY_WAY if way.kind == "stream_stream"]
styles = pytest.mark.parametrize("style", STYLES["stream_stream"])


@ways(STREAM_STREAM)
@styles
@pytest.mark.parametrize("number", [0, 100])
async def test_the_messages_come_back_in_order_and_end(rpc, way, style, number):
    requests = [b"%d" % i for i in range(number)]
    outcome = await way.run(rpc.stream_stream(echo("stream_stream", style=style)), requests)
    assert outcome.error is None
    assert outcome.responses == requests


@ways(STREAM_STREAM)
async def test_messages_of_any_size_come_back_as_they_were(rpc, way):
    messages = [(bytes(range(251)) * (size // 251 + 1))[:size] for size in (0, 1, 65_536, (4 << 20) - 1000)]
    outcome = await way.run(rpc.stream_stream(echo("stream_stream")), messages)
    assert outcome.responses == messages


async def test_a_call_is_a_stream_stream_call(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(iter(()))
    for interface in (aio.StreamStreamCall, aio.Call, aio.RpcContext):
        assert isinstance(call, interface)
    assert await call.read() is aio.EOF


async def test_the_multicallable_is_a_stream_stream_multicallable(rpc):
    assert isinstance(rpc.stream_stream(echo("stream_stream")), aio.StreamStreamMultiCallable)


async def test_a_stream_is_not_awaited(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(iter(()))
    with pytest.raises(TypeError):
        await call
    call.cancel()


@styles
async def test_writing_and_reading_by_turns(rpc, style):
    call = rpc.stream_stream(echo("stream_stream", style=style))()
    for i in range(50):
        await call.write(b"%d" % i)
        assert await call.read() == b"%d" % i
    await call.done_writing()
    assert await call.read() is aio.EOF
    assert await call.code() is grpc.StatusCode.OK


async def test_writing_and_iterating_by_turns(rpc):
    call = rpc.stream_stream(echo("stream_stream"))()
    responses = call.__aiter__()
    for i in range(50):
        await call.write(b"%d" % i)
        assert await responses.__anext__() == b"%d" % i
    await call.done_writing()
    with pytest.raises(StopAsyncIteration):
        await responses.__anext__()


async def test_one_task_writes_while_another_reads(rpc):
    call = rpc.stream_stream(echo("stream_stream"))()

    async def write():
        for i in range(200):
            await call.write(b"%d" % i)
        await call.done_writing()

    async def read():
        return [response async for response in call]

    _, responses = await asyncio.gather(write(), read())
    assert responses == [b"%d" % i for i in range(200)]


async def test_a_response_may_decide_about_the_next_request(rpc):
    """As a game, or a negotiation, does: requests that wait for responses."""
    answers = asyncio.Queue()

    async def requests():
        number = 1
        while number < 1000:
            yield b"%d" % number
            number = int(await answers.get()) * 2

    seen = []
    async for response in rpc.stream_stream(echo("stream_stream"))(requests()):
        seen.append(int(response))
        answers.put_nowait(response)
    assert seen == [2**i for i in range(10)]


async def test_responses_come_before_any_request(rpc):
    async def behave(requests, _context):
        yield b"hello"
        async for request in requests:
            yield request

    call = rpc.stream_stream(behave)()
    assert await call.read() == b"hello"
    await call.done_writing()
    assert await call.read() is aio.EOF


async def test_responses_come_after_the_last_request(rpc):
    async def behave(requests, _context):
        got = [request async for request in requests]
        for request in reversed(got):
            yield request

    call = rpc.stream_stream(behave)(iter([b"1", b"2", b"3"]))
    assert [response async for response in call] == [b"3", b"2", b"1"]


async def test_done_writing_again_changes_nothing(rpc):
    call = rpc.stream_stream(echo("stream_stream"))()
    await call.write(b"1")
    await call.done_writing()
    await call.done_writing()
    assert [await call.read(), await call.read()] == [b"1", aio.EOF]
    await call.done_writing()


async def test_writing_after_done_writing_is_an_invalid_state(rpc):
    blocked = Blocked(rpc, "stream_stream")
    call = blocked.method()
    await call.done_writing()
    with pytest.raises(asyncio.InvalidStateError, match="half closed"):
        await call.write(b"late")
    call.cancel()


async def test_writing_after_the_end_is_an_invalid_state(rpc):
    call = rpc.stream_stream(echo("stream_stream"))()
    await call.done_writing()
    assert await call.read() is aio.EOF
    assert await call.code() is grpc.StatusCode.OK
    with pytest.raises(asyncio.InvalidStateError, match="already finished"):
        await call.write(b"late")


async def test_reading_after_the_end_gives_the_end_again(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(iter([b"1"]))
    assert await call.read() == b"1"
    assert [await call.read() for _ in range(3)] == [aio.EOF] * 3


async def test_a_handler_may_end_before_the_last_request(rpc):
    async def behave(requests, _context):
        async for request in requests:
            yield request
            return

    async def requests():
        yield b"1"
        await rpc.event().wait()

    call = rpc.stream_stream(behave)(requests())
    assert [response async for response in call] == [b"1"]
    assert await call.code() is grpc.StatusCode.OK


@ways(STREAM_STREAM)
async def test_an_error_comes_after_the_responses_before_it(rpc, way):
    async def behave(requests, context):
        async for request in requests:
            yield request
        await context.abort(grpc.StatusCode.ABORTED, "enough")

    outcome = await way.run(rpc.stream_stream(behave), [b"0", b"1"])
    assert outcome.responses == [b"0", b"1"]
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "enough")


async def test_a_write_to_a_call_that_was_aborted_fails(rpc):
    async def behave(_requests, context):
        await context.abort(grpc.StatusCode.ABORTED, "no")

    call = rpc.stream_stream(behave)()
    assert await call.code() is grpc.StatusCode.ABORTED
    with pytest.raises((asyncio.InvalidStateError, aio.AioRpcError)):
        await call.write(b"late")


async def test_an_abort_while_a_writer_writes_tells_the_writer(rpc):
    """It meets the end of the call sooner or later, as one error or another."""
    gate = rpc.event()

    async def behave(_requests, context):
        await gate.wait()
        await context.abort(grpc.StatusCode.ABORTED, "no")

    call = rpc.stream_stream(behave)()

    async def write():
        while True:
            await call.write(bytes(100_000))
            gate.set()

    with pytest.raises((asyncio.InvalidStateError, aio.AioRpcError)):
        await write()
    assert await call.code() is not grpc.StatusCode.OK


async def test_a_caller_that_does_not_read_stops_the_whole_exchange(rpc):
    drawn = []

    async def requests():
        while True:
            drawn.append(1)
            yield bytes(100_000)

    call = rpc.stream_stream(echo("stream_stream"))(requests())
    await call.read()
    other = rpc.unary_unary(echo("unary_unary"))
    for _ in range(50):
        await other(b"")
    assert len(drawn) < 500
    call.cancel()


async def test_a_stopped_exchange_stops_nobody_else(rpc):
    async def requests():
        while True:
            yield bytes(100_000)

    method = rpc.stream_stream(echo("stream_stream"))
    stopped = [method(requests()) for _ in range(3)]
    for call in stopped:
        await call.read()
    outcome = await STREAM_STREAM[0].run(method, [b"x"] * 300)
    assert outcome.responses == [b"x"] * 300
    for call in stopped:
        call.cancel()


@ways(STREAM_STREAM)
async def test_many_streams_at_once_are_not_mixed_up(rpc, way):
    method = rpc.stream_stream(echo("stream_stream"))
    outcomes = await asyncio.gather(
        *(way.run(method, [b"%d-%d" % (i, j) for j in range(10)]) for i in range(20))
    )
    for i, outcome in enumerate(outcomes):
        assert outcome.responses == [b"%d-%d" % (i, j) for j in range(10)]


@pytest.mark.parametrize("make", [list, tuple, iter, iterate], ids=["list", "tuple", "iterator", "async"])
async def test_the_requests_may_be_any_iterable(rpc, make):
    call = rpc.stream_stream(echo("stream_stream"))(make([b"1", b"2"]))
    assert [response async for response in call] == [b"1", b"2"]


async def test_every_argument_may_be_given_by_position(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(
        iter([b"x"]), SECONDS, (("key", "value"),), None, True, grpc.Compression.NoCompression
    )
    assert await call.read() == b"x"


async def test_every_argument_may_be_given_by_name(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(
        request_iterator=iter([b"x"]),
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    assert await call.read() == b"x"


async def test_a_handler_hands_an_exchange_on(rpc):
    inner = rpc.stream_stream(echo("stream_stream"))

    async def behave(requests, _context):
        async for response in inner(requests):
            yield response + b"!"

    call = rpc.stream_stream(behave)(iter([b"1", b"2"]))
    assert [response async for response in call] == [b"1!", b"2!"]


async def test_a_handler_may_read_and_write_in_tasks_of_its_own(rpc):
    async def behave(_requests, context):
        queue = asyncio.Queue()

        async def read():
            while (request := await context.read()) is not aio.EOF:
                queue.put_nowait(request)
            queue.put_nowait(None)

        reader = asyncio.ensure_future(read())
        while (request := await queue.get()) is not None:
            await context.write(request)
        await reader

    call = rpc.stream_stream(behave)(iter([b"%d" % i for i in range(100)]))
    assert [response async for response in call] == [b"%d" % i for i in range(100)]
