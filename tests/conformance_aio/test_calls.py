"""`grpc.aio.Call`: what a call says of itself, while it runs and after its end."""

from __future__ import annotations

import asyncio
import gc

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, status, ways
from tests.conformance_aio.service import SECONDS, Blocked, echo

waiting = pytest.mark.parametrize("wait", ["code", "details", "trailing_metadata", "debug_error_string"])


def aborting(rpc, kind):
    """A method that aborts."""
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, "no", (("last", "2"),))
    return rpc.method(kind, echo(kind, act))


async def aborted(rpc, kind):
    """A call that has ended so."""
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    await BY_KIND[kind].finish(call)
    return call


async def succeeded(rpc, kind, before=lambda _context: None):
    """A call that has ended well."""
    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, before)))
    await BY_KIND[kind].finish(call)
    await call.code()
    return call


@ways()
async def test_a_call_under_way_is_not_done(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert not call.done()
    assert not call.cancelled()
    await blocked.wait_begun()
    assert not call.done()
    assert not call.cancelled()
    blocked.gate.set()
    assert (await way.finish(call)).error is None


@ways()
async def test_a_call_that_ended_well_is_done(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind)))
    await way.finish(call)
    assert await status(call) == (grpc.StatusCode.OK, "")
    assert call.done()
    assert not call.cancelled()


@ways()
async def test_a_call_that_failed_is_done(rpc, way):
    call = way.begin(aborting(rpc, way.kind))
    await way.finish(call)
    assert call.done()
    assert not call.cancelled()


@ways()
async def test_the_status_of_a_failure_stays(rpc, way):
    call = way.begin(aborting(rpc, way.kind))
    assert failure(await way.finish(call)) == (grpc.StatusCode.ABORTED, "no")
    for _ in range(2):
        assert await status(call) == (grpc.StatusCode.ABORTED, "no")


@every_kind
async def test_the_status_may_be_asked_for_instead_of_the_response(rpc, kind):
    """`code()` alone tells how a call ended: nobody has to await the call, or to read."""
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    assert await status(call) == (grpc.StatusCode.ABORTED, "no")
    assert call.done()


@either_kind
@waiting
async def test_what_is_known_at_the_end_waits_for_it(rpc, kind, wait):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    waiter = asyncio.ensure_future(getattr(call, wait)())
    await blocked.wait_begun()
    assert not waiter.done()
    blocked.gate.set()
    await BY_KIND[kind].finish(call)
    await waiter


@either_kind
@waiting
async def test_whoever_waits_for_the_end_is_told_of_a_cancellation(rpc, kind, wait):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    waiter = asyncio.ensure_future(getattr(call, wait)())
    await blocked.wait_begun()
    call.cancel()
    await waiter


@either_kind
@waiting
async def test_a_wait_may_be_given_up(rpc, kind, wait):
    """It is the wait that ends, and not the call."""
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    await blocked.wait_begun()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(getattr(call, wait)(), 0.01)
    assert not call.done()
    blocked.gate.set()
    outcome = await BY_KIND[kind].finish(call)
    assert outcome.responses == [b"request"]


@either_kind
async def test_several_tasks_may_wait_for_the_end(rpc, kind):
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    codes = await asyncio.gather(*(call.code() for _ in range(5)))
    assert codes == [grpc.StatusCode.ABORTED] * 5


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_initial_metadata_comes_before_the_end(rpc, kind):
    gate = rpc.event()

    async def act(context):
        await context.send_initial_metadata((("first", "1"),))
        await gate.wait()

    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act)))
    assert ("first", "1") in tuple(await call.initial_metadata())
    assert not call.done()
    gate.set()
    assert (await BY_KIND[kind].finish(call)).error is None


@either_kind
async def test_metadata_stays_after_the_end(rpc, kind):
    async def act(context):
        await context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))

    call = await succeeded(rpc, kind, act)
    for _ in range(2):
        assert ("first", "1") in tuple(await call.initial_metadata())
        assert ("last", "2") in tuple(await call.trailing_metadata())


@either_kind
async def test_metadata_of_a_call_is_a_metadata(rpc, kind):
    call = await aborted(rpc, kind)
    assert isinstance(await call.initial_metadata(), aio.Metadata)
    assert isinstance(await call.trailing_metadata(), aio.Metadata)


@either_kind
async def test_the_metadata_that_nobody_sent_is_empty(rpc, kind):
    call = await succeeded(rpc, kind)
    assert len(await call.initial_metadata()) == 0
    assert len(await call.trailing_metadata()) == 0


@either_kind
async def test_a_failed_call_has_a_debug_string(rpc, kind):
    assert "no" in await (await aborted(rpc, kind)).debug_error_string()


@either_kind
async def test_the_repr_of_a_call_tells_how_it_ended(rpc, kind):
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    assert "ABORTED" not in repr(call)
    await call.code()
    assert "ABORTED" in repr(call)
    assert "no" in repr(call)
    assert str(call) == repr(call)


@either_kind
async def test_the_repr_of_a_success_says_ok(rpc, kind):
    assert "OK" in repr(await succeeded(rpc, kind))


# -- done callbacks


@ways()
async def test_a_done_callback_gets_the_call(rpc, way):
    blocked, called = Blocked(rpc, way.kind), []
    call = way.start(blocked.method)
    call.add_done_callback(called.append)
    await blocked.wait_begun()
    assert called == []
    blocked.gate.set()
    await way.finish(call)
    await call.code()
    assert called == [call]


@either_kind
@pytest.mark.parametrize("end", ["well", "badly"])
async def test_a_done_callback_of_an_ended_call_runs(rpc, kind, end):
    call, done, called = await (succeeded if end == "well" else aborted)(rpc, kind), rpc.event(), []
    call.add_done_callback(lambda ended: (called.append(ended), done.set()))
    await done.wait()
    assert called == [call]


@either_kind
async def test_done_callbacks_run_once_each_in_their_order(rpc, kind):
    blocked, called, done = Blocked(rpc, kind), [], rpc.event()
    call = BY_KIND[kind].start(blocked.method)
    for i in range(3):
        call.add_done_callback(lambda _call, i=i: called.append(i))
    call.add_done_callback(lambda _call: done.set())
    blocked.gate.set()
    await BY_KIND[kind].finish(call)
    await done.wait()
    assert called == [0, 1, 2]


@either_kind
async def test_the_call_is_done_in_its_done_callback(rpc, kind):
    seen, done = [], rpc.event()
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    call.add_done_callback(lambda ended: (seen.append((ended.done(), ended.cancelled())), done.set()))
    await done.wait()
    assert seen == [(True, False)]


@either_kind
async def test_a_done_callback_runs_although_nobody_waits(rpc, kind):
    done = rpc.event()
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    call.add_done_callback(lambda _call: done.set())
    await done.wait()
    assert call.done()


@every_kind
async def test_a_done_callback_runs_after_a_cancellation(rpc, kind):
    blocked, called, done = Blocked(rpc, kind), [], rpc.event()
    call = BY_KIND[kind].start(blocked.method)
    call.add_done_callback(lambda ended: (called.append(ended), done.set()))
    call.cancel()
    await done.wait()
    assert called == [call]


@either_kind
async def test_a_done_callback_runs_in_the_loop_of_the_call(rpc, kind):
    loops, done = [], rpc.event()
    call = BY_KIND[kind].begin(aborting(rpc, kind))
    call.add_done_callback(lambda _call: (loops.append(asyncio.get_running_loop()), done.set()))
    await done.wait()
    assert loops == [asyncio.get_running_loop()]


async def test_a_done_callback_may_start_another_call(rpc):
    method, others = rpc.unary_unary(echo("unary_unary")), asyncio.Queue()
    call = method(b"1")
    call.add_done_callback(lambda _call: others.put_nowait(method(b"2")))
    assert await call == b"1"
    assert await (await others.get()) == b"2"


# -- time


@either_kind
async def test_a_call_without_a_deadline_has_no_time_remaining(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    assert call.time_remaining() is None
    call.cancel()


@either_kind
async def test_the_time_that_remains_shrinks(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method, timeout=60)
    first = call.time_remaining()
    await blocked.wait_begun()
    assert 50 < call.time_remaining() < first <= 60
    call.cancel()


# -- the connection


@every_kind
async def test_a_connection_may_be_waited_for(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    blocked.gate.set()
    assert await call.wait_for_connection() is None
    assert (await BY_KIND[kind].finish(call)).responses == [b"request"]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_waiting_for_a_connection_does_not_wait_for_the_end(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = blocked.method()
    await call.wait_for_connection()
    assert not call.done()
    await call.done_writing()
    call.cancel()


@either_kind
async def test_a_connection_may_be_waited_for_after_the_end(rpc, kind):
    call = await succeeded(rpc, kind)
    await call.wait_for_connection()


@every_kind
async def test_waiting_for_the_connection_to_nobody_raises(rpc, kind, dead_port):
    async with rpc.column.channel(f"127.0.0.1:{dead_port}") as channel:
        call = BY_KIND[kind].start(getattr(channel, kind)("/x/y"), timeout=SECONDS)
        with pytest.raises(aio.AioRpcError) as caught:
            await call.wait_for_connection()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@every_kind
async def test_waiting_for_the_connection_of_an_ended_call_raises_its_error(rpc, kind):
    call = await aborted(rpc, kind)
    with pytest.raises(aio.AioRpcError) as caught:
        await call.wait_for_connection()
    assert caught.value.code() is grpc.StatusCode.ABORTED


# -- nobody waits


@either_kind
async def test_a_failure_that_nobody_waits_for_is_not_complained_about(rpc, kind):
    """No "Task exception was never retrieved": the call keeps its error until somebody asks."""
    loop, complaints = asyncio.get_running_loop(), []
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: complaints.append(context["message"]))
    try:
        call = BY_KIND[kind].begin(aborting(rpc, kind))
        await call.code()
        del call
        gc.collect()
        await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(before)
    assert complaints == []


@every_kind
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
async def test_a_done_callback_that_raises_is_the_last_one(column, rpc, kind, used):
    """Who awaits the only response hears of it; of a stream's, the event loop."""
    called, reported = [], []

    def raising(_call):
        called.append("first")
        raise ValueError("mine")

    loop = asyncio.get_running_loop()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _loop, context: reported.append(context.get("exception")))
    try:
        async with column.channel(rpc.target) as channel:
            method = getattr(channel, kind)(rpc.name(kind, echo(kind)))
            if used:
                await BY_KIND[kind].run(method)
            call = BY_KIND[kind].start(method, [b"x"])
            call.add_done_callback(raising)
            call.add_done_callback(lambda _call: called.append("second"))
            if kind.endswith("stream"):
                assert (await BY_KIND[kind].finish(call)).responses == [b"x"]
            else:
                with pytest.raises(ValueError, match="mine"):
                    await call
            assert await call.code() is grpc.StatusCode.OK
            del call
            gc.collect()  # grpc.aio's task tells of its error when nobody can ask for it any more
            await asyncio.sleep(0)
        assert called == ["first"]
        assert [str(error) for error in reported] == (["mine"] if kind.endswith("stream") else [])
    finally:
        loop.set_exception_handler(before)
