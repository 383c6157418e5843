"""Deadlines: the timeout of a call, what both sides see of it, and what ends with it."""

from __future__ import annotations

import asyncio
import time

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, status, ways
from tests.conformance_aio.service import SECONDS, Blocked, echo

SHORT = 0.05  # seconds; the calls that get it never end by themselves
ENOUGH = 0.2  # seconds; for calls whose handler must have begun meanwhile


@ways()
async def test_a_call_ends_at_its_deadline(rpc, way):
    blocked = Blocked(rpc, way.kind)
    begun = time.monotonic()
    code, details = failure(await way.run(blocked.method, timeout=SHORT))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "Deadline Exceeded" in details
    assert 0.9 * SHORT <= time.monotonic() - begun < SECONDS


@every_kind
async def test_the_handler_is_cancelled_when_the_deadline_passes(rpc, kind):
    blocked = Blocked(rpc, kind)
    outcome = await BY_KIND[kind].cut_short(blocked.method, timeout=ENOUGH)
    assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    await blocked.ended.wait()
    assert [type(error) for error in blocked.errors] == [asyncio.CancelledError]


@either_kind
async def test_a_call_that_met_its_deadline_is_done_and_not_cancelled(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = (await BY_KIND[kind].run(blocked.method, timeout=SHORT)).call
    assert call.done()
    assert not call.cancelled()
    assert not call.cancel()


@every_kind
async def test_a_deadline_passes_although_nobody_waits(rpc, kind):
    blocked, done = Blocked(rpc, kind), rpc.event()
    call = BY_KIND[kind].start(blocked.method, timeout=SHORT)
    call.add_done_callback(lambda _call: done.set())
    await done.wait()
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@every_kind
@pytest.mark.parametrize("timeout", [0, -1])
async def test_a_deadline_in_the_past_is_over_at_once(rpc, kind, timeout):
    blocked = Blocked(rpc, kind)
    begun = time.monotonic()
    outcome = await BY_KIND[kind].cut_short(blocked.method, timeout=timeout)
    assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < SECONDS


@either_kind
@pytest.mark.parametrize("timeout", [None, 60.5, 1e8], ids=str)
async def test_a_call_that_ends_in_time_succeeds(rpc, kind, timeout):
    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind)), timeout=timeout)
    assert outcome.responses == [b"request"]


@every_kind
async def test_the_handler_sees_the_time_that_remains(rpc, kind):
    left = []
    method = rpc.method(kind, echo(kind, lambda context: left.append(context.time_remaining())))
    await BY_KIND[kind].run(method, timeout=60)
    assert 50 < left[0] < 61.5  # gRPC rounds what it sends up


@every_kind
async def test_the_handler_of_a_call_without_a_deadline_has_no_time_remaining(rpc, kind):
    left = []
    method = rpc.method(kind, echo(kind, lambda context: left.append(context.time_remaining())))
    await BY_KIND[kind].run(method)
    assert left == [None]


async def test_the_time_that_remains_is_never_negative(rpc):
    blocked = Blocked(rpc, "unary_unary")
    call = blocked.method(b"", timeout=SHORT)
    assert 0 < call.time_remaining() <= SHORT
    await call.code()
    assert call.time_remaining() == 0


async def test_the_time_that_remains_to_the_handler_is_never_negative(rpc):
    blocked = Blocked(rpc, "unary_unary")
    await blocked.method(b"", timeout=ENOUGH).code()
    await blocked.ended.wait()
    assert 0 <= blocked.context.time_remaining() <= ENOUGH


@either_kind
async def test_deadlines_pass_in_their_own_order(rpc, kind):
    blocked, order = Blocked(rpc, kind), []
    late = BY_KIND[kind].start(blocked.method, timeout=3 * SHORT)
    early = BY_KIND[kind].start(blocked.method, timeout=SHORT)
    late.add_done_callback(lambda _call: order.append("late"))
    early.add_done_callback(lambda _call: order.append("early"))
    await asyncio.gather(late.code(), early.code())
    assert order == ["early", "late"]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_what_arrived_before_the_deadline_counts(rpc, kind):
    async def behave(_requests, _context):
        yield b"1"
        await rpc.event().wait()

    call = BY_KIND[kind].begin(rpc.method(kind, behave), timeout=ENOUGH)
    assert await anext(aiter(call)) == b"1"
    assert failure(await BY_KIND[kind].finish(call))[0] is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_deadline_ends_a_call_whose_requests_do_not_come(rpc, kind):
    async def requests():
        await rpc.event().wait()
        yield b"never"

    call = rpc.method(kind, echo(kind))(requests(), timeout=SHORT)
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_deadline_ends_a_call_that_nobody_writes_to(rpc, kind):
    call = rpc.method(kind, echo(kind))(timeout=SHORT)
    assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"late")


async def test_a_deadline_ends_a_stream_that_nobody_reads(rpc):
    ended = rpc.event()

    async def flood(_request, _context):
        try:
            while True:
                yield bytes(100_000)
        finally:
            ended.set()

    call = rpc.unary_stream(flood)(b"", timeout=ENOUGH)
    await ended.wait()
    with pytest.raises(aio.AioRpcError) as caught:
        async for _ in call:
            pass
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_call_after_one_that_met_its_deadline_is_not_disturbed(rpc):
    blocked, other = Blocked(rpc, "unary_unary"), rpc.unary_unary(echo("unary_unary"))
    for i in range(3):
        assert await blocked.method(b"", timeout=0.01).code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert await other(b"%d" % i) == b"%d" % i


@either_kind
async def test_a_handler_may_end_with_deadline_exceeded_itself(rpc, kind):
    act = lambda context: context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "mine")
    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act)))
    assert await status(call) == (grpc.StatusCode.DEADLINE_EXCEEDED, "mine")


async def test_a_deadline_and_wait_for_may_both_be_given(rpc):
    """Whichever is shorter: here it is the deadline, which is an error and no cancellation."""
    blocked = Blocked(rpc, "unary_unary")
    with pytest.raises(aio.AioRpcError) as caught:
        await asyncio.wait_for(blocked.method(b"", timeout=SHORT), SECONDS)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_a_handler_may_hand_its_time_on(rpc):
    left = []
    inner = rpc.unary_unary(echo("unary_unary", lambda context: left.append(context.time_remaining())))

    async def behave(request, context):
        return await inner(request, timeout=context.time_remaining())

    await rpc.unary_unary(behave)(b"", timeout=60)
    assert 50 < left[0] < 61.5


@every_kind
async def test_hundreds_of_deadlines_pass(rpc, kind):
    """Whichever side is the first to notice, and whatever it was about to do."""
    blocked = Blocked(rpc, kind)
    calls = [BY_KIND[kind].start(blocked.method, timeout=SHORT) for _ in range(100)]
    codes = await asyncio.gather(*(call.code() for call in calls))
    assert grpc.StatusCode.OK not in codes


@either_kind
@pytest.mark.parametrize("timeout", ["1", [1]], ids=["str", "list"])
async def test_a_timeout_that_is_no_number_is_a_type_error(rpc, kind, timeout):
    method = rpc.method(kind, echo(kind))
    with pytest.raises(TypeError):
        BY_KIND[kind].start(method, timeout=timeout)
    assert (await BY_KIND[kind].run(method)).responses == [b"request"]


@pytest.mark.parametrize("timeout", [True, 5, 5.0])
async def test_a_timeout_is_any_number(rpc, timeout):
    assert await rpc.unary_unary(echo("unary_unary"))(b"x", timeout=timeout) == b"x"
