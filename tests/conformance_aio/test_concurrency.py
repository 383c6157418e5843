"""Hundreds of calls and streams in one loop, and what is slow among them stops nothing else."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, WAYS, either_kind, every_kind, failure, ways
from tests.conformance_aio.service import Blocked, echo

OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
LONG = 0.2  # seconds; how long a task is busy that should leave turns to others


@ways()
async def test_a_hundred_calls_at_once_are_not_mixed_up(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    outcomes = await asyncio.gather(*(way.run(method, [b"%d" % i]) for i in range(100)))
    assert [outcome.responses for outcome in outcomes] == [[b"%d" % i] for i in range(100)]


async def test_five_hundred_unary_calls_at_once(rpc):
    method = rpc.unary_unary(echo("unary_unary"))
    responses = await asyncio.gather(*(method(b"%d" % i) for i in range(500)))
    assert responses == [b"%d" % i for i in range(500)]


@every_kind
async def test_hundreds_of_handlers_run_at_once(rpc, kind):
    blocked = Blocked(rpc, kind)
    calls = [BY_KIND[kind].start(blocked.method, [b"%d" % i]) for i in range(90)]
    await blocked.wait_begun(90)
    assert not any(call.done() for call in calls)
    blocked.gate.set()
    outcomes = await asyncio.gather(*(BY_KIND[kind].finish(call) for call in calls))
    assert [outcome.responses for outcome in outcomes] == [[b"%d" % i] for i in range(90)]


async def test_calls_of_all_ways_at_once(rpc):
    methods = {way: rpc.method(way.kind, echo(way.kind)) for way in WAYS}
    outcomes = await asyncio.gather(
        *(way.run(method, [b"%d" % i]) for i in range(10) for way, method in methods.items())
    )
    assert [outcome.responses for outcome in outcomes] == [[b"%d" % i] for i in range(10) for _ in WAYS]


async def test_calls_of_many_channels_at_once(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))
    channels = [rpc.column.channel(rpc.target, OWN_CONNECTION) for _ in range(10)]
    calls = [channel.unary_unary(name)(b"%d" % i) for i, channel in enumerate(channels)]
    assert await asyncio.gather(*calls) == [b"%d" % i for i in range(10)]
    await asyncio.gather(*(channel.close() for channel in channels))


@either_kind
async def test_good_and_bad_ends_at_once_are_not_mixed_up(rpc, kind):
    async def act(context):
        number = int(dict(context.invocation_metadata())["number"])
        if number % 3 == 1:
            await context.abort(grpc.StatusCode.ABORTED, str(number))
        if number % 3 == 2:
            raise ValueError(number)

    method, way = rpc.method(kind, echo(kind, act)), BY_KIND[kind]
    outcomes = await asyncio.gather(
        *(way.run(method, [b"%d" % i], metadata=(("number", str(i)),)) for i in range(60))
    )
    for i, outcome in enumerate(outcomes):
        if i % 3 == 0:
            assert outcome.responses == [b"%d" % i]
        elif i % 3 == 1:
            assert failure(outcome) == (grpc.StatusCode.ABORTED, str(i))
        else:
            assert failure(outcome)[0] is grpc.StatusCode.UNKNOWN


@ways()
async def test_calls_are_cancelled_while_others_go_on(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    cancelled, kept = [], []
    for i in range(40):
        (cancelled if i % 2 else kept).append(way.start(method, [b"%d" % i]))
    for call in cancelled:
        call.cancel()
    outcomes = await asyncio.gather(*(way.finish(call) for call in kept))
    assert [outcome.responses for outcome in outcomes] == [[b"%d" % i] for i in range(0, 40, 2)]


@either_kind
async def test_a_blocked_handler_stops_nobody_else(rpc, kind):
    blocked, other = Blocked(rpc, kind), rpc.method(kind, echo(kind))
    held = [BY_KIND[kind].start(blocked.method) for _ in range(20)]
    await blocked.wait_begun(20)
    for _ in range(20):
        assert (await BY_KIND[kind].run(other)).responses == [b"request"]
    for call in held:
        call.cancel()


async def test_a_big_message_stops_nobody_for_long(rpc):
    method = rpc.unary_unary(echo("unary_unary"))
    big, small = bytes(4_000_000), [b"%d" % i for i in range(20)]
    responses = await asyncio.gather(*(method(message) for message in [big, *small, big]))
    assert responses == [big, *small, big]


async def test_a_reader_that_waits_is_served_while_another_does_not_read(rpc):
    """Two streams of one connection have each their own flow control."""

    async def flood(_request, _context):
        while True:
            yield bytes(60_000)

    async def count(_request, _context):
        for i in range(100):
            yield b"%d" % i

    stopped = rpc.unary_stream(flood)(b"")
    await stopped.read()
    outcome = await BY_KIND["unary_stream"].run(rpc.unary_stream(count))
    assert outcome.responses == [b"%d" % i for i in range(100)]
    stopped.cancel()


async def test_a_reader_that_starts_again_gets_the_rest(rpc):
    async def behave(_request, _context):
        for i in range(100):
            yield b"%04d" % i + bytes(50_000)

    call, other = rpc.unary_stream(behave)(b""), rpc.unary_unary(echo("unary_unary"))
    numbers = []
    while (response := await call.read()) is not aio.EOF:
        numbers.append(int(response[:4]))
        if len(numbers) in {1, 50}:
            for _ in range(20):
                await other(b"")
    assert numbers == list(range(100))


async def test_a_handler_that_starts_to_read_again_gets_the_rest(rpc):
    gate, numbers = rpc.event(), []

    async def behave(requests, _context):
        async for request in requests:
            numbers.append(int(request[:4]))
            if len(numbers) == 1:
                await gate.wait()
        return b""

    async def requests():
        for i in range(100):
            yield b"%04d" % i + bytes(50_000)

    call, other = rpc.stream_unary(behave)(requests()), rpc.unary_unary(echo("unary_unary"))
    for _ in range(20):
        await other(b"")
    gate.set()
    assert await call == b""
    assert numbers == list(range(100))


async def test_both_directions_of_a_stream_may_be_full(rpc):
    """Each side writes more than fits before it reads: nobody waits for ever."""
    message, number = bytes(50_000), 40

    async def behave(requests, context):
        async def write():
            for _ in range(number):
                await context.write(message)

        writing = asyncio.ensure_future(write())
        received = [request async for request in requests]
        await writing
        assert len(received) == number

    call = rpc.stream_stream(behave)()

    async def write():
        for _ in range(number):
            await call.write(message)
        await call.done_writing()

    async def read():
        return [response async for response in call]

    _, responses = await asyncio.gather(write(), read())
    assert responses == [message] * number


async def test_many_long_streams_at_once(rpc):
    method = rpc.stream_stream(echo("stream_stream"))

    async def exchange(number):
        call, seen = method(), []
        for i in range(20):
            await call.write(b"%d-%d" % (number, i))
            seen.append(await call.read())
        await call.done_writing()
        assert await call.read() is aio.EOF
        return seen

    for number, seen in enumerate(await asyncio.gather(*(exchange(number) for number in range(40)))):
        assert seen == [b"%d-%d" % (number, i) for i in range(20)]


async def test_the_loop_goes_on_while_calls_wait(rpc):
    """Waiting for a call blocks its task, and not the loop."""
    blocked, turns = Blocked(rpc, "unary_unary"), []

    async def turn():
        for i in range(100):
            turns.append(i)
            await asyncio.sleep(0)

    call = blocked.method(b"")
    await blocked.wait_begun()
    await turn()
    assert not call.done()
    assert turns == list(range(100))
    blocked.gate.set()
    await call


@pytest.fixture
def turns(event_loop):
    """A list that grows by one with each turn of the loop."""
    counted = []

    async def count():
        while True:
            counted.append(1)
            await asyncio.sleep(0)

    counter = event_loop.create_task(count())
    yield counted
    counter.cancel()


async def test_a_task_that_writes_and_writes_lets_others_have_their_turn(rpc, turns):
    async def behave(requests, _context):
        async for _request in requests:
            pass
        return b""

    call = rpc.stream_unary(behave)()
    await call.wait_for_connection()
    before, until = len(turns), time.monotonic() + LONG
    while time.monotonic() < until:
        await call.write(b"x")
    assert len(turns) - before > 2
    await call.done_writing()
    await call


async def test_a_handler_that_sends_and_sends_lets_others_have_their_turn(rpc, turns):
    between = []

    async def behave(_request, _context):
        before, until = len(turns), time.monotonic() + LONG
        while time.monotonic() < until:
            yield b"x"
        between.append(len(turns) - before)

    assert (await BY_KIND["unary_stream"].run(rpc.unary_stream(behave))).error is None
    assert between[0] > 2


@pytest.mark.parametrize("depth", [1, 5, 20])
async def test_handlers_call_each_other_in_a_chain(rpc, depth):
    async def behave(request, _context):
        left = int(request)
        return b"end" if left == 0 else await method(b"%d" % (left - 1))

    method = rpc.unary_unary(behave)
    assert await method(b"%d" % depth) == b"end"
