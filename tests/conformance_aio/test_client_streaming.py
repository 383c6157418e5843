"""Streams of requests: `StreamUnaryMultiCallable`, by iterators and by `write`, awaited."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import EVERY_WAY, failure, iterate, ways
from tests.conformance_aio.service import SECONDS, STYLES, Blocked, echo

STREAM_UNARY = [way for way in EVERY_WAY if way.kind == "stream_unary"]
styles = pytest.mark.parametrize("style", STYLES["stream_unary"])


@ways(STREAM_UNARY)
@styles
@pytest.mark.parametrize("number", [0, 200])
async def test_the_requests_arrive_in_order_and_end(rpc, way, style, number):
    requests = [b"%d," % i for i in range(number)]
    outcome = await way.run(rpc.stream_unary(echo("stream_unary", style=style)), requests)
    assert outcome.responses == [b"".join(requests)]


@ways(STREAM_UNARY)
async def test_requests_of_any_size_arrive_as_they_were(rpc, way):
    seen = []

    async def behave(requests, _context):
        seen.extend([request async for request in requests])
        return b""

    messages = [(bytes(range(251)) * (size // 251 + 1))[:size] for size in (0, 1, 65_536, (4 << 20) - 1000)]
    await way.run(rpc.stream_unary(behave), messages)
    assert seen == messages


async def test_a_call_is_a_stream_unary_call(rpc):
    call = rpc.stream_unary(echo("stream_unary"))(iter([b""]))
    for interface in (aio.StreamUnaryCall, aio.Call, aio.RpcContext):
        assert isinstance(call, interface)
    await call


async def test_the_multicallable_is_a_stream_unary_multicallable(rpc):
    assert isinstance(rpc.stream_unary(echo("stream_unary")), aio.StreamUnaryMultiCallable)


async def test_requests_arrive_while_more_are_to_come(rpc):
    gate, arrived = rpc.event(), rpc.event()

    async def behave(requests, _context):
        got = []
        async for request in requests:
            got.append(request)
            arrived.set()
        return b"".join(got)

    async def requests():
        yield b"1"
        await gate.wait()
        yield b"2"

    call = rpc.stream_unary(behave)(requests())
    await arrived.wait()
    assert not call.done()
    gate.set()
    assert await call == b"12"


async def test_what_is_written_arrives_while_more_is_to_come(rpc):
    arrived = rpc.event()

    async def behave(requests, _context):
        got = []
        async for request in requests:
            got.append(request)
            arrived.set()
        return b"".join(got)

    call = rpc.stream_unary(behave)()
    await call.write(b"1")
    await arrived.wait()
    assert not call.done()
    await call.write(b"2")
    await call.done_writing()
    assert await call == b"12"


async def test_done_writing_again_changes_nothing(rpc):
    call = rpc.stream_unary(echo("stream_unary"))()
    await call.write(b"1")
    await call.done_writing()
    await call.done_writing()
    assert await call == b"1"
    await call.done_writing()


async def test_writing_after_done_writing_is_an_invalid_state(rpc):
    blocked = Blocked(rpc, "stream_unary")
    call = blocked.method()
    await call.done_writing()
    with pytest.raises(asyncio.InvalidStateError, match="half closed"):
        await call.write(b"late")
    blocked.gate.set()
    assert await call == b""


async def test_writing_after_the_end_is_an_invalid_state(rpc):
    call = rpc.stream_unary(echo("stream_unary"))()
    await call.done_writing()
    await call
    with pytest.raises(asyncio.InvalidStateError, match="already finished"):
        await call.write(b"late")


async def test_writing_after_an_error_is_an_invalid_state(rpc):
    async def behave(_requests, context):
        await context.abort(grpc.StatusCode.ABORTED, "no")

    call = rpc.stream_unary(behave)()
    assert await call.code() is grpc.StatusCode.ABORTED
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"late")


async def test_done_writing_after_an_error_does_nothing(rpc):
    async def behave(_requests, context):
        await context.abort(grpc.StatusCode.ABORTED, "no")

    call = rpc.stream_unary(behave)()
    assert await call.code() is grpc.StatusCode.ABORTED
    await call.done_writing()


async def test_nothing_written_and_nothing_done_waits(rpc):
    """Without requests the call stays open until its caller says that there are none."""
    blocked = Blocked(rpc, "stream_unary")
    blocked.gate.set()
    call = blocked.method()
    await blocked.wait_begun()
    assert not call.done()
    await call.done_writing()
    assert await call == b""


async def test_a_handler_may_answer_before_the_last_request(rpc):
    async def behave(requests, _context):
        return await anext(aiter(requests))

    async def requests():
        yield b"1"
        await rpc.event().wait()

    assert await rpc.stream_unary(behave)(requests()) == b"1"


async def test_a_handler_may_answer_what_is_still_written(rpc):
    async def behave(requests, _context):
        return await anext(aiter(requests))

    call = rpc.stream_unary(behave)()
    await call.write(b"1")
    assert await call == b"1"


@ways(STREAM_UNARY)
async def test_a_handler_may_answer_without_looking_at_the_requests(rpc, way):
    async def behave(_requests, _context):
        return b"whatever"

    assert (await way.run(rpc.stream_unary(behave))).responses == [b"whatever"]


@ways(STREAM_UNARY)
async def test_an_error_before_the_end_of_the_requests_ends_the_call(rpc, way):
    async def behave(requests, context):
        async for _request in requests:
            await context.abort(grpc.StatusCode.ABORTED, "enough")

    outcome = await way.run(rpc.stream_unary(behave))
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "enough")


async def test_an_infinite_iterator_is_left_when_the_call_ends(rpc):
    drawn, closed = [], rpc.event()

    async def requests():
        try:
            while True:
                drawn.append(1)
                yield bytes(1000)
        finally:
            closed.set()

    async def behave(_requests, _context):
        return b"enough"

    assert await rpc.stream_unary(behave)(requests()) == b"enough"
    other = rpc.unary_unary(echo("unary_unary"))
    for _ in range(5):
        await other(b"")
    before = len(drawn)
    for _ in range(20):
        await other(b"")
    assert len(drawn) <= before + 1


async def test_a_slow_handler_stops_its_sender(rpc):
    blocked = Blocked(rpc, "stream_unary")
    drawn = []

    async def requests():
        while True:
            drawn.append(1)
            yield bytes(100_000)

    call = blocked.method(requests())
    await blocked.wait_begun()
    other = rpc.unary_unary(echo("unary_unary"))
    for _ in range(50):
        await other(b"")
    assert len(drawn) < 500
    call.cancel()


async def test_a_write_to_a_slow_handler_waits(rpc):
    blocked = Blocked(rpc, "stream_unary")
    written = []

    async def write():
        while True:
            await call.write(bytes(100_000))
            written.append(1)

    call = blocked.method()
    writer = asyncio.ensure_future(write())
    await blocked.wait_begun()
    other = rpc.unary_unary(echo("unary_unary"))
    for _ in range(50):
        await other(b"")
    assert len(written) < 500
    assert not writer.done()
    call.cancel()
    with pytest.raises((asyncio.CancelledError, asyncio.InvalidStateError)):
        await writer


async def test_a_slow_handler_stops_nobody_else(rpc):
    blocked = Blocked(rpc, "stream_unary")

    async def requests():
        while True:
            yield bytes(100_000)

    stopped = [blocked.method(requests()) for _ in range(3)]
    await blocked.wait_begun(3)
    way = STREAM_UNARY[0]
    assert (await way.run(rpc.stream_unary(echo("stream_unary")), [b"x"] * 500)).responses == [b"x" * 500]
    for call in stopped:
        call.cancel()


async def test_a_handler_may_read_after_the_end(rpc):
    seen = []

    async def behave(_requests, context):
        seen.extend([await context.read() for _ in range(4)])
        return b""

    await rpc.stream_unary(behave)(iter([b"1", b"2"]))
    assert seen == [b"1", b"2", aio.EOF, aio.EOF]


async def test_a_handler_may_iterate_and_read(rpc):
    seen = []

    async def behave(requests, context):
        async for request in requests:
            seen.append(request)
            break
        seen.append(await context.read())
        seen.append(await context.read())
        return b""

    await rpc.stream_unary(behave)(iter([b"1", b"2"]))
    assert seen == [b"1", b"2", aio.EOF]


@pytest.mark.parametrize("make", [list, tuple, iter, iterate], ids=["list", "tuple", "iterator", "async"])
async def test_the_requests_may_be_any_iterable(rpc, make):
    assert await rpc.stream_unary(echo("stream_unary"))(make([b"1", b"2"])) == b"12"


async def test_the_requests_may_be_an_object_that_iterates(rpc):
    class Requests:
        def __aiter__(self):
            return iterate([b"1", b"2"])

    assert await rpc.stream_unary(echo("stream_unary"))(Requests()) == b"12"


async def test_every_argument_may_be_given_by_position(rpc):
    call = rpc.stream_unary(echo("stream_unary"))(
        iter([b"x"]), SECONDS, (("key", "value"),), None, True, grpc.Compression.NoCompression
    )
    assert await call == b"x"


async def test_every_argument_may_be_given_by_name(rpc):
    call = rpc.stream_unary(echo("stream_unary"))(
        request_iterator=iter([b"x"]),
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    assert await call == b"x"


@ways(STREAM_UNARY)
async def test_many_streams_at_once_are_not_mixed_up(rpc, way):
    method = rpc.stream_unary(echo("stream_unary"))
    outcomes = await asyncio.gather(*(way.run(method, [b"%d," % i] * 20) for i in range(30)))
    for i, outcome in enumerate(outcomes):
        assert outcome.responses == [b"%d," % i * 20]


async def test_a_call_may_be_awaited_while_another_task_writes(rpc):
    call = rpc.stream_unary(echo("stream_unary"))()

    async def write():
        for _ in range(100):
            await call.write(b"x")
        await call.done_writing()

    response, _ = await asyncio.gather(asyncio.wait_for(call, SECONDS), write())
    assert response == b"x" * 100
