"""Many requests, one response: `StreamUnaryMultiCallable` by `__call__`, `with_call` and `future`."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import WAYS, failure, ways
from tests.conformance.service import SECONDS, echo

STREAM_UNARY = [way for way in WAYS if way.kind == "stream_unary"]
STYLES = pytest.mark.parametrize("style", ["__call__", "with_call", "future"])


def total(requests, _context):
    return b"%d" % sum(map(int, requests))


@ways(STREAM_UNARY)
@pytest.mark.parametrize("number", [0, 1, 2, 1000])
def test_every_request_arrives(rpc, way, number):
    outcome = way.run(rpc.stream_unary(total), [b"%d" % i for i in range(number)])
    assert outcome.responses == [b"%d" % sum(range(number))]


@ways(STREAM_UNARY)
def test_the_requests_arrive_in_order(rpc, way):
    outcome = way.run(
        rpc.stream_unary(lambda requests, _: b",".join(requests)), [b"%d" % i for i in range(100)]
    )
    assert outcome.responses == [b",".join(b"%d" % i for i in range(100))]


@pytest.mark.parametrize("size", [0, 1, 65_536, (4 << 20) - 1000])
def test_requests_of_any_size_come_as_they_were_sent(rpc, size):
    seen = []

    def behave(requests, _context):
        seen.extend(requests)
        return b""

    sent = [bytes([fill]) * size for fill in (1, 2, 3)]
    rpc.stream_unary(behave)(iter(sent), timeout=SECONDS)
    assert seen == sent


def test_the_multicallable_is_a_stream_unary_multicallable(rpc):
    assert isinstance(rpc.stream_unary(total), grpc.StreamUnaryMultiCallable)


def test_with_call_returns_the_response_and_a_call(rpc):
    response, call = rpc.stream_unary(total).with_call(iter([b"1", b"2"]))
    assert response == b"3"
    assert isinstance(call, grpc.Call)
    assert call.code() is grpc.StatusCode.OK


def test_future_returns_a_call_that_is_a_future(rpc):
    future = rpc.stream_unary(total).future(iter([b"1", b"2"]))
    assert isinstance(future, grpc.Call)
    assert isinstance(future, grpc.Future)
    assert future.result(timeout=SECONDS) == b"3"


@STYLES
def test_the_requests_may_come_from_a_generator(rpc, style):
    def requests():
        yield b"1"
        yield b"2"

    answer = getattr(rpc.stream_unary(total), style)(requests())
    answer = answer.result(timeout=SECONDS) if style == "future" else answer
    assert (answer[0] if style == "with_call" else answer) == b"3"


def test_a_request_is_sent_before_the_next_is_made(rpc):
    arrived = rpc.event()

    def behave(requests, _context):
        first = next(requests)
        arrived.set()
        return first + next(requests)

    def requests():
        yield b"1"
        assert arrived.wait(SECONDS)
        yield b"2"

    assert rpc.stream_unary(behave)(requests(), timeout=SECONDS) == b"12"


def test_the_servers_iterator_ends_with_the_requests(rpc):
    ends = []

    def behave(requests, _context):
        assert iter(requests) is requests
        assert next(requests) == b"1"
        for _ in range(2):
            try:
                next(requests)
            except StopIteration:
                ends.append("end")
        return b"done"

    assert rpc.stream_unary(behave)(iter([b"1"]), timeout=SECONDS) == b"done"
    assert ends == ["end", "end"]


@ways(STREAM_UNARY)
def test_the_handler_may_answer_before_the_requests_end(rpc, way):
    answered = rpc.event()

    def behave(requests, _context):
        return next(requests)

    def requests():
        yield b"first"
        answered.wait(SECONDS)
        yield b"ignored"

    answer = way.run_or_raise(rpc.stream_unary(behave), requests())
    answered.set()
    assert (answer[0] if way.style == "with_call" else answer) == b"first"


def test_an_unread_request_does_not_keep_the_call_from_ending(rpc):
    assert rpc.stream_unary(lambda _requests, _context: b"at once")(iter([b"1"] * 50), timeout=SECONDS) == (
        b"at once"
    )


@ways(STREAM_UNARY)
def test_an_error_before_the_requests_end_ends_the_call(rpc, way):
    ended = rpc.event()

    def behave(requests, context):
        next(requests)
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, "enough")

    def requests():
        yield b"1"
        ended.wait(SECONDS)

    with pytest.raises(grpc.RpcError) as caught:
        way.run_or_raise(rpc.stream_unary(behave), requests())
    ended.set()
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "enough")


@ways(STREAM_UNARY)
def test_an_exception_in_the_request_iterator_ends_the_call(rpc, way):
    def requests():
        yield b"1"
        raise ValueError("no more")

    with pytest.raises(grpc.RpcError) as caught:
        way.run_or_raise(rpc.stream_unary(total), requests())
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNKNOWN, "Exception iterating requests!",
    )  # fmt: skip


def test_the_handler_hears_of_an_exception_in_the_request_iterator(rpc):
    contexts, ended = [], rpc.event()

    def behave(requests, context):
        contexts.append(context)
        context.add_callback(ended.set)
        return b"%d" % len(list(requests))

    arrived = rpc.event()

    def requests():
        yield b"1"
        arrived.wait(SECONDS)
        raise ValueError("no more")

    future = rpc.stream_unary(lambda r, c: (arrived.set(), behave(r, c))[1]).future(requests())
    assert future.exception(timeout=SECONDS) is not None
    assert ended.wait(SECONDS)
    assert not contexts[0].is_active()


def test_the_request_iterator_is_not_run_in_the_calling_thread_to_its_end(rpc):
    """A future is returned although the iterator has not ended."""
    go = rpc.event()

    def requests():
        go.wait(SECONDS)
        yield b"5"

    future = rpc.stream_unary(total).future(requests(), timeout=SECONDS)
    assert not future.done()
    go.set()
    assert future.result(timeout=SECONDS) == b"5"


def test_a_slow_handler_stops_the_requests(rpc):
    """Back-pressure: what the transport holds is sent, and no more."""
    taken = []
    go = rpc.event()

    def behave(requests, _context):
        next(requests)
        go.wait(SECONDS)
        return b"done"

    def requests():
        for i in range(400):  # 400 MB
            taken.append(i)
            yield bytes(1_000_000)

    future = rpc.stream_unary(behave).future(requests())
    others = rpc.unary_unary(echo("unary_unary"))
    for _ in range(300):  # time for a sender that does not wait to send all of it
        others(b"x", timeout=SECONDS)
    assert len(taken) < 200
    go.set()
    assert future.result(timeout=SECONDS) == b"done"


@STYLES
def test_every_argument_may_be_given_by_position(rpc, style):
    arguments = (iter([b"1"]), SECONDS, (("key", "value"),), None, True, grpc.Compression.NoCompression)
    answer = getattr(rpc.stream_unary(total), style)(*arguments)
    answer = answer.result(timeout=SECONDS) if style == "future" else answer
    assert (answer[0] if style == "with_call" else answer) == b"1"


@STYLES
def test_every_argument_may_be_given_by_name(rpc, style):
    answer = getattr(rpc.stream_unary(total), style)(
        request_iterator=iter([b"1"]),
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    answer = answer.result(timeout=SECONDS) if style == "future" else answer
    assert (answer[0] if style == "with_call" else answer) == b"1"


@ways(STREAM_UNARY)
def test_a_handler_that_raises_is_an_exception_calling_the_application(rpc, way):
    def behave(requests, _context):
        list(requests)
        raise ValueError("bad sum")

    assert failure(way.run(rpc.stream_unary(behave))) == (
        grpc.StatusCode.UNKNOWN, "Exception calling application: bad sum",
    )  # fmt: skip
