"""Cancellation: of a call in each state, of the task that waits for it, and what a handler hears of it."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, WAYS, either_kind, every_kind, status, ways
from tests.conformance_aio.service import SECONDS, STYLES, Blocked, echo

LOCALLY = (grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
every_handler = pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)


async def wait(way, call):
    """Wait for `call` as its user does; raises what that raises."""
    await way.take(call, [])


# -- by the call


@ways()
async def test_a_cancelled_call_has_the_status_cancelled(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    assert call.cancel() is True
    assert await status(call) == LOCALLY


@ways()
async def test_a_cancelled_call_is_cancelled_and_done(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    assert not call.cancelled()
    call.cancel()
    assert call.cancelled()
    assert call.done()


@ways()
async def test_a_call_may_be_cancelled_at_once(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind)))
    assert call.cancel() is True
    assert call.cancelled()
    assert call.done()
    assert await status(call) == LOCALLY


@ways()
async def test_waiting_for_a_cancelled_call_raises_cancelled_error(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait(way, call)


@ways()
async def test_waiting_for_a_call_that_was_cancelled_at_once_raises_cancelled_error(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind)))
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await wait(way, call)


@ways()
async def test_whoever_waits_is_woken_by_a_cancellation(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    waiter = asyncio.ensure_future(wait(way, call))
    await blocked.wait_begun()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiter


@ways()
async def test_cancelling_again_changes_nothing(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    assert [call.cancel(), call.cancel()] == [True, False]
    assert await status(call) == LOCALLY


@ways()
async def test_cancelling_a_call_that_ended_well_changes_nothing(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind)))
    await way.finish(call)
    await call.code()
    assert call.cancel() is False
    assert not call.cancelled()
    assert await status(call) == (grpc.StatusCode.OK, "")


@ways()
async def test_cancelling_a_call_that_failed_changes_nothing(rpc, way):
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, "no")
    call = way.begin(rpc.method(way.kind, echo(way.kind, act)))
    await way.finish(call)
    assert call.cancel() is False
    assert not call.cancelled()
    assert await status(call) == (grpc.StatusCode.ABORTED, "no")


@either_kind
async def test_the_metadata_of_a_cancelled_call_is_empty(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    await blocked.wait_begun()
    call.cancel()
    assert len(await call.initial_metadata()) == 0
    assert len(await call.trailing_metadata()) == 0


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_initial_metadata_that_came_before_a_cancellation_stays(rpc, kind):
    async def act(context):
        await context.send_initial_metadata((("first", "1"),))
        await rpc.event().wait()

    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act)))
    assert ("first", "1") in tuple(await call.initial_metadata())
    call.cancel()
    assert ("first", "1") in tuple(await call.initial_metadata())


@pytest.mark.parametrize("way", [way for way in WAYS if way.response_streaming], ids=str)
async def test_a_stream_may_be_cancelled_between_its_responses(rpc, way):
    async def behave(_requests, _context):
        yield b"1"
        await rpc.event().wait()

    call, responses = way.start(rpc.method(way.kind, behave)), []
    first = call.read() if way.responses == "read" else anext(aiter(call))
    assert await first == b"1"
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await way.take(call, responses)
    assert responses == []


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_cancelled_call_takes_no_more_requests(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = blocked.method()
    await call.write(b"1")
    call.cancel()
    with pytest.raises(asyncio.InvalidStateError, match="already finished"):
        await call.write(b"2")


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_cancelled_call_leaves_its_request_iterator(rpc, kind):
    blocked = Blocked(rpc, kind)
    drawn, cancelled = rpc.event(), rpc.event()

    async def requests():
        drawn.set()
        try:
            await rpc.event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise
        yield b"never"

    call = blocked.method(requests())
    await drawn.wait()
    await blocked.wait_begun()
    call.cancel()
    await cancelled.wait()


@ways()
async def test_a_cancelled_call_does_not_disturb_another(rpc, way):
    blocked = Blocked(rpc, way.kind)
    first, second = way.start(blocked.method), way.start(blocked.method)
    await blocked.wait_begun(2)
    first.cancel()
    blocked.gate.set()
    assert (await way.finish(second)).responses == [b"request"]


@ways()
async def test_many_calls_may_be_cancelled_at_once(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    calls = [way.start(method) for _ in range(30)]
    for call in calls:
        call.cancel()
    assert [await call.code() for call in calls] == [grpc.StatusCode.CANCELLED] * 30
    assert (await way.run(method)).responses == [b"request"]


# -- by the task that waits


@ways()
async def test_cancelling_the_task_that_waits_cancels_the_call(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    task = asyncio.ensure_future(wait(way, call))
    await blocked.wait_begun()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.cancelled()
    assert await call.code() is grpc.StatusCode.CANCELLED


@ways()
async def test_the_handler_hears_that_the_task_that_waits_was_cancelled(rpc, way):
    blocked = Blocked(rpc, way.kind)
    task = asyncio.ensure_future(wait(way, way.start(blocked.method)))
    await blocked.wait_begun()
    task.cancel()
    await blocked.ended.wait()
    assert isinstance(blocked.errors[0], asyncio.CancelledError)


@ways()
async def test_wait_for_cancels_the_call_when_it_times_out(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(wait(way, call), 0.01)
    assert call.cancelled()
    await blocked.ended.wait()


@ways()
async def test_wait_for_gives_the_responses_of_a_call_in_time(rpc, way):
    responses = []
    call = way.start(rpc.method(way.kind, echo(way.kind)))
    await asyncio.wait_for(way.take(call, responses), SECONDS)
    assert responses == [b"request"]
    assert not call.cancelled()


@ways()
async def test_a_shield_protects_the_call(rpc, way):
    blocked, responses = Blocked(rpc, way.kind), []
    call = way.start(blocked.method)
    waiter = asyncio.ensure_future(way.take(call, responses))
    await blocked.wait_begun()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiter), 0.01)
    assert not call.done()
    blocked.gate.set()
    await waiter
    assert responses == [b"request"]


@ways()
async def test_a_task_that_is_cancelled_before_it_starts_leaves_the_call_alone(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    asyncio.ensure_future(wait(way, call)).cancel()
    await blocked.wait_begun()
    assert not call.done()
    blocked.gate.set()
    assert (await way.finish(call)).error is None


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_cancelling_the_task_that_writes_cancels_the_call(rpc, kind):
    blocked = Blocked(rpc, kind)
    call, wrote = blocked.method(), rpc.event()

    async def write():
        while True:
            await call.write(bytes(100_000))
            wrote.set()

    task = asyncio.ensure_future(write())
    await wrote.wait()
    await blocked.wait_begun()
    other = rpc.unary_unary(echo("unary_unary"))
    for _ in range(50):  # until the writer waits for credit
        await other(b"")
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert call.cancelled()
    await blocked.ended.wait()


async def test_a_gather_that_is_cancelled_cancels_its_calls(rpc):
    blocked = Blocked(rpc, "unary_unary")
    calls = [blocked.method(b"%d" % i) for i in range(5)]

    async def together():
        await asyncio.gather(*calls)

    task = asyncio.ensure_future(together())
    await blocked.wait_begun(5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert all([await call.code() is grpc.StatusCode.CANCELLED for call in calls])


# -- in the handler


@every_handler
async def test_the_handler_is_cancelled(rpc, kind, style):
    """It is told as any coroutine is: CancelledError is raised where it waits."""
    blocked = Blocked(rpc, kind, style)
    call = BY_KIND[kind].start(blocked.method)
    await blocked.wait_begun()
    call.cancel()
    await blocked.ended.wait()
    assert [type(error) for error in blocked.errors] == [asyncio.CancelledError]


@pytest.mark.parametrize("style", STYLES["stream_unary"])
async def test_a_handler_that_waits_for_a_request_is_woken(rpc, style):
    begun, woken = rpc.event(), rpc.event()

    async def behave(requests, context):
        begun.set()
        try:
            await (anext(aiter(requests)) if style == "iterator" else context.read())
        finally:
            woken.set()

    call = rpc.stream_unary(behave)()
    await begun.wait()
    call.cancel()
    await woken.wait()


@pytest.mark.parametrize("style", STYLES["unary_stream"])
async def test_a_handler_that_waits_for_its_reader_is_woken(rpc, style):
    ended = rpc.event()

    async def flood(_request, _context):
        try:
            while True:
                yield bytes(100_000)
        finally:
            ended.set()

    async def flood_by_writing(_request, context):
        try:
            while True:
                await context.write(bytes(100_000))
        finally:
            ended.set()

    call = rpc.unary_stream(flood if style == "iterator" else flood_by_writing)(b"")
    other = rpc.unary_unary(echo("unary_unary"))
    for _ in range(50):
        await other(b"")
    call.cancel()
    await ended.wait()


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_response_generator_is_closed_when_its_call_is_cancelled(rpc, kind):
    """`finally` and `async with` in a handler run: it may hold a file, a lock or a connection."""
    closed, sent = rpc.event(), rpc.event()

    async def behave(_requests, _context):
        try:
            while True:
                yield bytes(1000)
                sent.set()
        finally:
            closed.set()

    call = BY_KIND[kind].start(rpc.method(kind, behave))
    await sent.wait()
    call.cancel()
    await closed.wait()


@either_kind
async def test_a_handler_may_clean_up_after_a_cancellation(rpc, kind):
    """It may await in `finally`, too."""
    begun, cleaned = rpc.event(), rpc.event()
    other = rpc.unary_unary(echo("unary_unary"))

    async def act(_context):
        begun.set()
        try:
            await rpc.event().wait()
        finally:
            assert await other(b"clean") == b"clean"
            cleaned.set()

    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act)))
    await begun.wait()
    call.cancel()
    await cleaned.wait()


@either_kind
async def test_done_callbacks_of_a_handler_run_after_a_cancellation(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    await blocked.wait_begun()
    call.cancel()
    await blocked.ended.wait()


@either_kind
async def test_a_cancellation_travels_on_to_the_calls_a_handler_waits_for(rpc, kind):
    inner = Blocked(rpc, "unary_unary")

    async def act(_context):
        await inner.method(b"")

    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act)))
    await inner.wait_begun()
    call.cancel()
    await inner.ended.wait()


@every_kind
async def test_a_handler_that_raises_cancelled_error_ends_its_call(rpc, kind):
    """By itself, with nobody who cancelled: grpc.aio lets the caller wait until its deadline."""

    async def act(_context):
        raise asyncio.CancelledError

    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)), timeout=0.1)
    assert isinstance(outcome.error, aio.AioRpcError)


@ways()
async def test_an_abort_with_cancelled_is_an_error_and_no_cancellation(rpc, way):
    """Who cancels a call gets CancelledError; who is told CANCELLED by the server, an AioRpcError."""
    act = lambda context: context.abort(grpc.StatusCode.CANCELLED, "by the server")
    call = way.begin(rpc.method(way.kind, echo(way.kind, act)))
    with pytest.raises(aio.AioRpcError) as caught:
        await wait(way, call)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.CANCELLED, "by the server")
