"""Iterators and `read` or `write` are two styles: one call is used in one of them, in each direction."""

from __future__ import annotations

import pytest
from grpc import aio

from tests.conformance_aio.service import Blocked, echo

streaming_requests = pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
streaming_responses = pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
MIXED = "may not be mixed"


def started(rpc, kind):
    """A call of `kind` with the request or the iterator it needs."""
    method = rpc.method(kind, echo(kind))
    return method(iter([b"1", b"2"])) if kind.startswith("stream") else method(b"1")


@streaming_requests
async def test_writing_to_a_call_with_an_iterator_is_a_usage_error(rpc, kind):
    call = started(rpc, kind)
    with pytest.raises(aio.UsageError, match=MIXED):
        await call.write(b"more")
    call.cancel()


@streaming_requests
async def test_done_writing_of_a_call_with_an_iterator_is_a_usage_error(rpc, kind):
    call = started(rpc, kind)
    with pytest.raises(aio.UsageError, match=MIXED):
        await call.done_writing()
    call.cancel()


@streaming_responses
async def test_reading_after_iterating_is_a_usage_error(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = blocked.method() if kind == "stream_stream" else blocked.method(b"")
    call.__aiter__()
    with pytest.raises(aio.UsageError, match=MIXED):
        await call.read()
    call.cancel()


@streaming_responses
async def test_iterating_after_reading_is_a_usage_error(rpc, kind):
    call = started(rpc, kind)
    assert await call.read() == b"1"
    with pytest.raises(aio.UsageError, match=MIXED):
        await anext(call.__aiter__())
    call.cancel()


@streaming_responses
async def test_a_usage_error_leaves_the_call_alone(rpc, kind):
    call = started(rpc, kind)
    assert await call.read() == b"1"
    with pytest.raises(aio.UsageError):
        call.__aiter__()
    rest = [b"2"] if kind == "stream_stream" else []
    assert [await call.read() for _ in range(len(rest) + 1)] == [*rest, aio.EOF]


async def test_a_usage_error_of_writing_leaves_the_call_alone(rpc):
    call = started(rpc, "stream_unary")
    with pytest.raises(aio.UsageError):
        await call.write(b"more")
    assert await call == b"12"


async def test_requests_may_be_written_while_responses_are_iterated(rpc):
    call = rpc.stream_stream(echo("stream_stream"))()
    await call.write(b"1")
    await call.done_writing()
    assert [response async for response in call] == [b"1"]


async def test_responses_may_be_read_while_requests_are_iterated(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(iter([b"1"]))
    assert [await call.read(), await call.read()] == [b"1", aio.EOF]


async def test_a_usage_error_is_a_base_error(rpc):
    assert issubclass(aio.UsageError, aio.BaseError)
    assert issubclass(aio.BaseError, Exception)
