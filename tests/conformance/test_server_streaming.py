"""One request, many responses: `UnaryStreamMultiCallable`, and the call that is an iterator."""

from __future__ import annotations

import threading

import grpc
import pytest

from tests.conformance.service import SECONDS, echo


def count(request, _context):
    yield from (b"%d" % i for i in range(int(request)))


@pytest.mark.parametrize("number", [0, 1, 2, 100, 3000])
def test_every_response_arrives_in_order(rpc, number):
    assert list(rpc.unary_stream(count)(b"%d" % number)) == [b"%d" % i for i in range(number)]


@pytest.mark.parametrize("size", [0, 1, 65_536, (4 << 20) - 1000])
def test_responses_of_any_size_come_as_they_were_sent(rpc, size):
    def behave(_request, _context):
        for fill in (1, 2, 3):
            yield bytes([fill]) * size

    assert list(rpc.unary_stream(behave)(b"")) == [bytes([fill]) * size for fill in (1, 2, 3)]


def test_the_multicallable_is_a_unary_stream_multicallable(rpc):
    assert isinstance(rpc.unary_stream(count), grpc.UnaryStreamMultiCallable)


@pytest.mark.parametrize("interface", [grpc.Call, grpc.RpcContext, grpc.Future])
def test_the_call_is_an_iterator_and_a(rpc, interface):
    call = rpc.unary_stream(count)(b"1")
    assert isinstance(call, interface)
    assert iter(call) is call
    assert next(call) == b"0"
    assert list(call) == []


def test_the_iterator_is_done_after_the_last_response(rpc):
    call = rpc.unary_stream(count)(b"1")
    assert next(call) == b"0"
    for _ in range(3):
        with pytest.raises(StopIteration):
            next(call)


def test_next_is_a_method_too(rpc):
    call = rpc.unary_stream(count)(b"2")
    assert [call.next(), call.next()] == [b"0", b"1"]


def test_a_response_arrives_before_the_next_is_made(rpc):
    taken = rpc.event()

    def behave(_request, _context):
        yield b"first"
        assert taken.wait(SECONDS)
        yield b"second"

    call = rpc.unary_stream(behave)(b"")
    assert next(call) == b"first"
    taken.set()
    assert next(call) == b"second"


def test_the_responses_before_an_error_arrive(rpc):
    def behave(_request, context):
        yield b"1"
        yield b"2"
        context.abort(grpc.StatusCode.DATA_LOSS, "no more")

    call = rpc.unary_stream(behave)(b"")
    assert [next(call), next(call)] == [b"1", b"2"]
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DATA_LOSS, "no more")


def test_the_error_that_is_raised_is_the_call_itself(rpc):
    call = rpc.unary_stream(echo("unary_stream", lambda context: context.abort(grpc.StatusCode.ABORTED, "")))(
        b""
    )
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert caught.value is call


def test_the_error_is_raised_again_for_every_further_response(rpc):
    call = rpc.unary_stream(echo("unary_stream", lambda context: context.abort(grpc.StatusCode.ABORTED, "")))(
        b""
    )
    for _ in range(3):
        with pytest.raises(grpc.RpcError):
            next(call)


def test_the_behaviour_may_return_any_iterator(rpc):
    assert list(rpc.unary_stream(lambda _request, _context: iter([b"1", b"2"]))(b"")) == [b"1", b"2"]


def test_a_plain_behaviour_that_raises_is_an_exception_calling_the_application(rpc):
    def behave(_request, _context):
        raise ValueError("at once")

    call = rpc.unary_stream(behave)(b"")
    with pytest.raises(grpc.RpcError):
        next(call)
    assert (call.code(), call.details()) == (
        grpc.StatusCode.UNKNOWN, "Exception calling application: at once",
    )  # fmt: skip


def test_a_generator_that_raises_is_an_exception_iterating_responses(rpc):
    def behave(_request, _context):
        yield b"1"
        raise ValueError("later")

    call = rpc.unary_stream(behave)(b"")
    assert next(call) == b"1"
    with pytest.raises(grpc.RpcError):
        next(call)
    assert (call.code(), call.details()) == (
        grpc.StatusCode.UNKNOWN, "Exception iterating responses: later",
    )  # fmt: skip


def test_none_ends_the_stream(rpc):
    assert list(rpc.unary_stream(lambda _request, _context: iter([b"1", None]))(b"")) == [b"1"]


def test_the_call_is_active_until_its_last_response_was_taken(rpc):
    go = rpc.event()

    def behave(_request, _context):
        yield b"1"
        go.wait(SECONDS)

    call = rpc.unary_stream(behave)(b"")
    assert next(call) == b"1"
    assert call.is_active()
    assert call.running()
    assert not call.done()
    go.set()
    assert list(call) == []
    assert not call.is_active()
    assert call.done()
    assert not call.running()


def test_code_and_details_wait_for_the_end(rpc):
    call = rpc.unary_stream(lambda _request, _context: iter(()))(b"", timeout=SECONDS)
    assert (call.code(), call.details()) == (grpc.StatusCode.OK, "")


def test_result_of_an_empty_stream_is_none(rpc):
    call = rpc.unary_stream(lambda _request, _context: iter(()))(b"", timeout=SECONDS)
    assert call.result(timeout=SECONDS) is None
    assert call.exception(timeout=SECONDS) is None
    assert call.traceback(timeout=SECONDS) is None


def test_exception_is_the_error(rpc):
    def behave(_request, context):
        context.abort(grpc.StatusCode.ABORTED, "so")

    call = rpc.unary_stream(behave)(b"", timeout=SECONDS)
    error = call.exception(timeout=SECONDS)
    assert isinstance(error, grpc.RpcError)
    assert error.code() is grpc.StatusCode.ABORTED
    with pytest.raises(grpc.RpcError):
        call.result(timeout=SECONDS)


def test_result_times_out_while_the_call_is_under_way(rpc):
    go = rpc.event()

    def behave(_request, _context):
        go.wait(SECONDS)
        yield b"1"

    call = rpc.unary_stream(behave)(b"")
    with pytest.raises(grpc.FutureTimeoutError):
        call.result(timeout=0.05)
    go.set()
    assert next(call) == b"1"


def test_many_streams_are_open_at_once(rpc):
    method = rpc.unary_stream(count)
    calls = [method(b"20") for _ in range(15)]
    received = [[next(call) for call in calls] for _ in range(20)]
    assert received == [[b"%d" % i] * 15 for i in range(20)]
    assert all(list(call) == [] for call in calls)


def test_a_stream_that_nobody_reads_does_not_stop_another_call(rpc):
    """Back-pressure belongs to one stream."""
    stopped = rpc.event()

    def flood(_request, context):
        context.add_callback(stopped.set)
        while context.is_active():
            yield bytes(100_000)

    unread = rpc.unary_stream(flood)(b"")
    next(unread)
    assert list(rpc.unary_stream(count)(b"200", timeout=SECONDS)) == [b"%d" % i for i in range(200)]
    assert rpc.unary_unary(echo("unary_unary"))(b"x", timeout=SECONDS) == b"x"
    unread.cancel()
    assert stopped.wait(SECONDS)


def test_a_reader_that_stops_stops_the_sender(rpc):
    """The sender fills what the transport holds, and then waits: it does not send it all."""
    sent = []
    done = rpc.event()

    def flood(_request, context):
        context.add_callback(done.set)
        for i in range(400):  # 400 MB
            sent.append(i)
            yield bytes(1_000_000)

    call = rpc.unary_stream(flood)(b"")
    next(call)
    others = rpc.unary_unary(echo("unary_unary"))
    for _ in range(300):  # time for a sender that does not wait to send all of it
        others(b"x", timeout=SECONDS)
    assert len(sent) < 200
    call.cancel()
    assert done.wait(SECONDS)


def test_the_responses_may_be_read_by_another_thread(rpc):
    call = rpc.unary_stream(count)(b"100")
    read = []
    reader = threading.Thread(target=lambda: read.extend(call))
    reader.start()
    reader.join(SECONDS)
    assert read == [b"%d" % i for i in range(100)]


def test_a_call_that_is_dropped_is_cancelled(rpc):
    ended = rpc.event()

    def behave(_request, context):
        context.add_callback(ended.set)
        yield b"1"
        ended.wait(SECONDS)

    call = rpc.unary_stream(behave)(b"")
    assert next(call) == b"1"
    del call
    assert ended.wait(SECONDS)


def test_every_argument_may_be_given_by_position(rpc):
    call = rpc.unary_stream(count)(
        b"2", SECONDS, (("key", "value"),), None, True, grpc.Compression.NoCompression
    )
    assert list(call) == [b"0", b"1"]


def test_every_argument_may_be_given_by_name(rpc):
    call = rpc.unary_stream(count)(
        request=b"2",
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    assert list(call) == [b"0", b"1"]
