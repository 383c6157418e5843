"""Who is on the other side: a coroutine or a thread, in this event loop or in another.

Every pair of one column's clients and servers meets here: asyncio calls blocking servers, blocking clients
call asyncio servers, and loops in different threads call each other.
"""

from __future__ import annotations

import asyncio
from concurrent import futures

import grpc
import pytest
from grpc import aio

from tests.conformance.invocation import ASYNCHRONOUS as BLOCKING_WAYS
from tests.conformance.invocation import WAYS as ALL_BLOCKING_WAYS
from tests.conformance.service import serve as serve_blocking
from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, status, ways
from tests.conformance_aio.loops import LoopThread
from tests.conformance_aio.service import (
    KINDS,
    SECONDS,
    SERVICE,
    Gate,
    blocking_echo,
    echo,
    handler_of,
)
from tests.conformance_aio.service import serve as serve_here

ECHOES = {kind: handler_of(kind, echo(kind)) for kind in KINDS}


async def abort(context):
    await context.send_initial_metadata((("first", "1"),))
    await context.abort(grpc.StatusCode.NOT_FOUND, "gone", (("last", "2"),))


def blocking_abort(context):
    context.send_initial_metadata((("first", "1"),))
    context.set_trailing_metadata((("last", "2"),))
    context.abort(grpc.StatusCode.NOT_FOUND, "gone")


# -- an asyncio client, a blocking server


@pytest.fixture
def blocking_server(column):
    """A function that serves blocking handlers of `SERVICE` in threads. -> its target"""
    started = []

    def start(handlers):
        started.append(serve_blocking(column.synchronous, registered=handlers))
        return started[-1].target

    yield start
    for served in started:
        served.channel.close()
        assert served.server.stop(None).wait(SECONDS)


@ways()
async def test_asyncio_calls_a_blocking_server(column, blocking_server, way):
    target = blocking_server({"m": handler_of(way.kind, blocking_echo(way.kind))})
    async with column.channel(target) as channel:
        requests = [b"%d," % i for i in range(20 if way.request_streaming else 1)]
        outcome = await way.run(getattr(channel, way.kind)(f"/{SERVICE}/m"), requests)
        assert b"".join(outcome.responses) == b"".join(requests)
        assert await status(outcome.call) == (grpc.StatusCode.OK, "")


@every_kind
async def test_asyncio_sees_how_a_blocking_handler_ends(column, blocking_server, kind):
    target = blocking_server({"m": handler_of(kind, blocking_echo(kind, blocking_abort))})
    async with column.channel(target) as channel:
        call = BY_KIND[kind].begin(getattr(channel, kind)(f"/{SERVICE}/m"))
        error = (await BY_KIND[kind].finish(call)).error
    assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "gone")
    assert ("last", "2") in tuple(error.trailing_metadata())


@every_kind
async def test_a_blocking_handler_hears_of_a_cancellation_by_asyncio(column, blocking_server, rpc, kind):
    begun, ended, loop = rpc.event(), rpc.event(), asyncio.get_running_loop()
    over = rpc.thread_event()

    def act(context):
        context.add_callback(over.set)
        context.add_callback(lambda: loop.call_soon_threadsafe(ended.set))
        loop.call_soon_threadsafe(begun.set)
        over.wait(SECONDS)

    target = blocking_server({"m": handler_of(kind, blocking_echo(kind, act))})
    async with column.channel(target) as channel:
        call = BY_KIND[kind].start(getattr(channel, kind)(f"/{SERVICE}/m"))
        await begun.wait()
        call.cancel()
        await ended.wait()
        assert await call.code() is grpc.StatusCode.CANCELLED


@either_kind
async def test_a_blocking_handler_that_takes_long_does_not_stop_the_loop(column, blocking_server, rpc, kind):
    begun, loop, gate = rpc.event(), asyncio.get_running_loop(), rpc.thread_event()

    def act(_context):
        loop.call_soon_threadsafe(begun.set)
        assert gate.wait(SECONDS)

    target = blocking_server({"m": handler_of(kind, blocking_echo(kind, act))})
    async with column.channel(target) as channel:
        call = BY_KIND[kind].start(getattr(channel, kind)(f"/{SERVICE}/m"))
        await begun.wait()
        assert await rpc.unary_unary(echo("unary_unary"))(b"meanwhile") == b"meanwhile"
        gate.set()
        assert (await BY_KIND[kind].finish(call)).responses == [b"request"]


async def test_a_hundred_calls_of_asyncio_to_a_blocking_server(column, blocking_server):
    target = blocking_server({"m": handler_of("unary_unary", blocking_echo("unary_unary"))})
    async with column.channel(target) as channel:
        method = channel.unary_unary(f"/{SERVICE}/m")
        responses = await asyncio.gather(*(method(b"%d" % i) for i in range(100)))
    assert responses == [b"%d" % i for i in range(100)]


# -- a blocking client, an asyncio server


@pytest.mark.parametrize("way", ALL_BLOCKING_WAYS, ids=str)
async def test_a_thread_calls_an_asyncio_server(column, serve, way):
    served = await serve(registered=ECHOES)

    def call():
        with column.synchronous.channel(served.target) as channel:
            requests = [b"%d," % i for i in range(20 if way.request_streaming else 1)]
            outcome = way.run(getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}"), requests)
            assert b"".join(outcome.responses) == b"".join(requests)

    await asyncio.to_thread(call)


@pytest.mark.parametrize("way", ALL_BLOCKING_WAYS, ids=str)
async def test_a_thread_sees_how_a_coroutine_ends(column, serve, way):
    served = await serve(registered={"m": handler_of(way.kind, echo(way.kind, abort))})

    def call():
        with column.synchronous.channel(served.target) as channel:
            error = way.run(getattr(channel, way.kind)(f"/{SERVICE}/m")).error
            assert (error.code(), error.details()) == (grpc.StatusCode.NOT_FOUND, "gone")
            assert ("first", "1") in error.initial_metadata()
            assert ("last", "2") in error.trailing_metadata()

    await asyncio.to_thread(call)


@pytest.mark.parametrize("way", BLOCKING_WAYS, ids=str)
async def test_a_coroutine_hears_of_a_cancellation_by_a_thread(column, serve, way):
    gate = Gate()
    served = await serve(registered={"m": handler_of(way.kind, echo(way.kind, gate))})
    with column.synchronous.channel(served.target) as channel:
        call = await asyncio.to_thread(way.start, getattr(channel, way.kind)(f"/{SERVICE}/m"))
        await gate.wait_begun()
        await asyncio.to_thread(call.cancel)
        await gate.ended.wait()
        assert [type(error) for error in gate.errors] == [asyncio.CancelledError]
        await asyncio.to_thread(channel.close)


async def test_many_threads_call_an_asyncio_server(column, serve):
    served = await serve(registered=ECHOES)
    with column.synchronous.channel(served.target) as channel:
        method = channel.unary_unary(f"/{SERVICE}/unary_unary")

        def work(i):
            return [method(b"%d-%d" % (i, j), timeout=SECONDS) for j in range(20)]

        results = await asyncio.gather(*(asyncio.to_thread(work, i) for i in range(4)))
        await asyncio.to_thread(channel.close)
    assert results == [[b"%d-%d" % (i, j) for j in range(20)] for i in range(4)]


async def test_a_thread_and_a_coroutine_call_one_server_at_once(column, serve):
    served = await serve(registered=ECHOES)

    def work():
        with column.synchronous.channel(served.target) as channel:
            method = channel.unary_unary(f"/{SERVICE}/unary_unary")
            return [method(b"%d" % i, timeout=SECONDS) for i in range(30)]

    method = served.channel.unary_unary(f"/{SERVICE}/unary_unary")
    by_thread, by_loop = await asyncio.gather(
        asyncio.to_thread(work), asyncio.gather(*(method(b"%d" % i) for i in range(30)))
    )
    assert by_thread == by_loop == [b"%d" % i for i in range(30)]


# -- other event loops


@pytest.fixture
def other():
    with LoopThread() as loop:
        yield loop


@ways()
async def test_a_server_in_another_loop_is_called(column, other, way):
    served = await other.run(serve_here(column, registered=ECHOES))
    async with column.channel(served.target) as channel:
        requests = [b"%d," % i for i in range(20 if way.request_streaming else 1)]
        outcome = await way.run(getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}"), requests)
        assert b"".join(outcome.responses) == b"".join(requests)
    await other.run(served.close())


@ways()
async def test_a_client_in_another_loop_is_served(column, serve, other, way):
    served = await serve(registered=ECHOES)

    async def call():
        async with column.channel(served.target) as channel:
            requests = [b"%d," % i for i in range(20 if way.request_streaming else 1)]
            outcome = await way.run(getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}"), requests)
            assert b"".join(outcome.responses) == b"".join(requests)

    await other.run(call())


@either_kind
async def test_both_sides_in_another_loop(column, other, kind):
    async def call():
        served = await serve_here(column, registered=ECHOES)
        outcome = await BY_KIND[kind].run(getattr(served.channel, kind)(f"/{SERVICE}/{kind}"))
        assert outcome.responses == [b"request"]
        await served.close()

    await other.run(call())


@either_kind
async def test_the_sides_in_two_other_loops(column, kind):
    with LoopThread() as here, LoopThread() as there:
        served = await there.run(serve_here(column, registered=ECHOES))

        async def call():
            async with column.channel(served.target) as channel:
                return await BY_KIND[kind].run(getattr(channel, kind)(f"/{SERVICE}/{kind}"))

        assert (await here.run(call())).responses == [b"request"]
        await there.run(served.close())


@either_kind
async def test_an_error_comes_from_another_loop(column, other, kind):
    served = await other.run(serve_here(column, registered={"m": handler_of(kind, echo(kind, abort))}))
    async with column.channel(served.target) as channel:
        outcome = await BY_KIND[kind].cut_short(getattr(channel, kind)(f"/{SERVICE}/m"))
        assert failure(outcome) == (grpc.StatusCode.NOT_FOUND, "gone")
    await other.run(served.close())


@every_kind
async def test_a_cancellation_reaches_another_loop(column, other, kind):
    async def start():
        gate = Gate()
        return gate, await serve_here(column, registered={"m": handler_of(kind, echo(kind, gate))})

    async def ended(gate):
        await gate.ended.wait()
        return [type(error) for error in gate.errors]

    gate, served = await other.run(start())
    async with column.channel(served.target) as channel:
        call = BY_KIND[kind].start(getattr(channel, kind)(f"/{SERVICE}/m"))
        await other.run(gate.wait_begun())
        call.cancel()
        assert await other.run(ended(gate)) == [asyncio.CancelledError]
    await other.run(served.close())


@either_kind
async def test_a_deadline_passes_between_loops(column, other, kind):
    async def start():
        gate = Gate()
        return gate, await serve_here(column, registered={"m": handler_of(kind, echo(kind, gate))})

    gate, served = await other.run(start())
    async with column.channel(served.target) as channel:
        outcome = await BY_KIND[kind].cut_short(getattr(channel, kind)(f"/{SERVICE}/m"), timeout=0.2)
        assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    await other.run(gate.ended.wait())
    await other.run(served.close())


async def test_the_end_of_a_server_in_another_loop_ends_the_calls(column, other):
    async def start():
        gate = Gate()
        return gate, await serve_here(
            column, registered={"m": handler_of("unary_unary", echo("unary_unary", gate))}
        )

    gate, served = await other.run(start())
    async with column.channel(served.target) as channel:
        call = channel.unary_unary(f"/{SERVICE}/m")(b"")
        await other.run(gate.wait_begun())
        await other.run(served.close())
        assert await call.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


async def test_loops_call_each_other(column, serve, other):
    here = await serve(registered=ECHOES)
    there = await other.run(serve_here(column, registered=ECHOES))

    async def call_many(target):
        async with column.channel(target) as channel:
            method = channel.unary_unary(f"/{SERVICE}/unary_unary")
            return await asyncio.gather(*(method(b"%d" % i) for i in range(100)))

    one, two = await asyncio.gather(call_many(there.target), other.run(call_many(here.target)))
    assert one == two == [b"%d" % i for i in range(100)]
    await other.run(there.close())


async def test_many_loops_call_one_server(column, serve):
    served = await serve(registered=ECHOES)

    async def call_many(number):
        async with column.channel(served.target) as channel:
            method = channel.stream_stream(f"/{SERVICE}/stream_stream")
            outcomes = [await BY_KIND["stream_stream"].run(method, [b"%d" % number] * 5) for _ in range(5)]
        return [outcome.responses for outcome in outcomes]

    loops = [LoopThread() for _ in range(3)]
    for loop in loops:
        loop.__enter__()
    results = await asyncio.gather(*(loop.run(call_many(i)) for i, loop in enumerate(loops)))
    for loop in loops:
        loop.__exit__(None, None, None)
    assert results == [[[b"%d" % i] * 5] * 5 for i in range(3)]


def test_one_loop_after_another_may_be_used(column):
    """`asyncio.run` twice: what the first loop left behind does not disturb the second."""

    async def main(text):
        served = await serve_here(column, registered=ECHOES)
        response = await served.channel.unary_unary(f"/{SERVICE}/unary_unary")(text)
        await served.close()
        return response

    with futures.ThreadPoolExecutor(1) as pool:
        assert [pool.submit(asyncio.run, main(text)).result(SECONDS) for text in (b"1", b"2")] == [b"1", b"2"]


def test_a_loop_may_end_although_a_call_is_under_way(column):
    async def main():
        async def behave(_request, _context):
            await asyncio.Event().wait()

        served = await serve_here(column, registered={"m": handler_of("unary_unary", behave)})
        call = served.channel.unary_unary(f"/{SERVICE}/m")(b"")
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(asyncio.shield(call.code()), 0.05)
        await served.close()
        return isinstance(call, aio.Call)

    with futures.ThreadPoolExecutor(1) as pool:
        assert pool.submit(asyncio.run, main()).result(SECONDS)
