"""Two things at once: whichever comes first, a call ends once, and whoever waits for it is woken.

Each test tries its race many times, over a channel that goes on afterwards. A race is lost or won by how
many turns of the loop come before what it is about, which is what `turns` varies.
"""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, EVERY_WAY, either_kind, every_kind, ways
from tests.conformance_aio.service import Blocked, echo

ROUNDS = 30
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


async def turns(number):
    """Let the loop do `number` turns."""
    for _ in range(number):
        await asyncio.sleep(0)


async def end_of(way, call):
    """Wait for the end of `call` as its users do. -> its responses, or what it raises"""
    responses = []
    try:
        await way.take(call, responses)
    except (aio.AioRpcError, asyncio.CancelledError) as error:
        return error
    return responses


@ways()
async def test_a_cancellation_meets_the_response(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    for i in range(ROUNDS):
        call = way.start(method)
        waiter = asyncio.ensure_future(end_of(way, call))
        await turns(i)
        call.cancel()
        outcome = await waiter
        if await call.code() is grpc.StatusCode.OK:
            assert outcome == [b"request"]
            assert not call.cancelled()
        else:
            assert call.cancelled()
    assert (await way.run(method)).responses == [b"request"]


@ways()
async def test_a_cancelled_task_meets_the_response(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    for i in range(ROUNDS):
        call = way.start(method)
        task = asyncio.ensure_future(way.take(call, []))
        await turns(i)
        task.cancel()
        await asyncio.wait({task})
        call.cancel()  # the task may not have begun to wait for it, or be through
        assert await call.code() in {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}
    assert (await way.run(method)).responses == [b"request"]


@every_kind
async def test_a_deadline_meets_the_response(rpc, kind):
    method, way = rpc.method(kind, echo(kind)), BY_KIND[kind]
    for i in range(ROUNDS):
        call = way.start(method, timeout=0.0003 * (i % 10))
        outcome = await end_of(way, call)
        assert (await call.code() is grpc.StatusCode.OK) == (outcome == [b"request"])
    assert (await way.run(method)).responses == [b"request"]


@every_kind
async def test_a_deadline_meets_a_cancellation(rpc, kind):
    blocked, way = Blocked(rpc, kind), BY_KIND[kind]
    for i in range(ROUNDS):
        call = way.start(blocked.method, timeout=0.002)
        await asyncio.sleep(0.001 + 0.0001 * (i % 15))
        call.cancel()
        assert await call.code() is not grpc.StatusCode.OK


@every_kind
async def test_a_cancellation_meets_the_request(rpc, kind):
    """The handler has begun or has not; if it has, it hears of it."""
    running, way = [], BY_KIND[kind]

    async def act(_context):
        running.append(1)
        try:
            await rpc.event().wait()
        finally:
            running.pop()

    method = rpc.method(kind, echo(kind, act))
    for i in range(ROUNDS):
        call = way.start(method)
        await turns(i)
        call.cancel()
        assert await call.code() is grpc.StatusCode.CANCELLED
    other = rpc.unary_unary(echo("unary_unary"))
    while running:
        await other(b"")


@either_kind
async def test_a_done_callback_that_is_added_at_the_end_runs_once(rpc, kind):
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, "")
    method, way = rpc.method(kind, echo(kind, act)), BY_KIND[kind]
    for i in range(ROUNDS):
        called, done = [], asyncio.Event()
        call = way.start(method)
        await turns(i)
        call.add_done_callback(lambda ended, called=called, done=done: (called.append(ended), done.set()))
        await done.wait()
        assert await call.code() is grpc.StatusCode.ABORTED
        assert called == [call]


@either_kind
async def test_several_tasks_cancel(rpc, kind):
    blocked = Blocked(rpc, kind)
    for i in range(ROUNDS):
        call = BY_KIND[kind].start(blocked.method)
        await turns(i)

        async def cancel(call=call):
            return call.cancel()

        assert sorted(await asyncio.gather(*(cancel() for _ in range(3)))) == [False, False, True]


@either_kind
async def test_closing_a_channel_meets_the_response(rpc, kind):
    name, way = rpc.name(kind, echo(kind)), BY_KIND[kind]
    for i in range(10):
        channel = rpc.column.channel(rpc.target, OWN_CONNECTION)
        await channel.channel_ready()
        call = way.start(getattr(channel, kind)(name))
        waiter = asyncio.ensure_future(end_of(way, call))
        await turns(2 * i)
        await channel.close()
        await waiter
        assert await call.code() in {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}


@either_kind
async def test_a_channel_is_closed_while_it_connects(rpc, kind):
    name, way = rpc.name(kind, echo(kind)), BY_KIND[kind]
    for i in range(10):
        channel = rpc.column.channel(rpc.target, OWN_CONNECTION)
        call = way.start(getattr(channel, kind)(name))
        waiter = asyncio.ensure_future(end_of(way, call))
        await turns(i)
        await channel.close()
        await waiter
        assert await call.code() in {grpc.StatusCode.OK, grpc.StatusCode.CANCELLED}


@pytest.mark.parametrize(
    "way", [way for way in EVERY_WAY if way.requests == "write" and way.responses != "async for"], ids=str
)
async def test_the_end_of_a_call_meets_a_write(rpc, way):
    """A writer learns of it by an error, now or the next time, and never hangs."""

    async def act(context):
        await context.abort(grpc.StatusCode.ABORTED, "")

    method = rpc.method(way.kind, echo(way.kind, act))
    for i in range(ROUNDS):
        call = method()
        await turns(i)
        with pytest.raises((aio.AioRpcError, asyncio.InvalidStateError)):
            await write_for_ever(call)
        assert await call.code() is not grpc.StatusCode.OK


async def write_for_ever(call):
    while True:
        await call.write(b"more")


async def test_the_end_of_a_stream_meets_its_reader(rpc):
    async def behave(_request, _context):
        for _ in range(3):
            yield b"x"

    method = rpc.unary_stream(behave)
    for i in range(ROUNDS):
        call = method(b"")
        await turns(i)
        assert [response async for response in call] == [b"x"] * 3
        assert await call.code() is grpc.StatusCode.OK
