"""Many requests, many responses: `StreamStreamMultiCallable`; the two directions are independent."""

from __future__ import annotations

import queue
import threading

import grpc
import pytest

from tests.conformance.service import SECONDS, echo


def feed(requests: queue.SimpleQueue):
    """The usual way to write requests one at a time; None ends them."""
    return iter(lambda: requests.get(timeout=SECONDS), None)


@pytest.mark.parametrize("number", [0, 1, 2, 1000])
def test_every_message_arrives_in_order(rpc, number):
    messages = [b"%d" % i for i in range(number)]
    assert list(rpc.stream_stream(echo("stream_stream"))(iter(messages), timeout=SECONDS)) == messages


@pytest.mark.parametrize("size", [0, 1, 65_536, (4 << 20) - 1000])
def test_messages_of_any_size_come_as_they_were_sent(rpc, size):
    messages = [bytes([fill]) * size for fill in (1, 2, 3)]
    assert list(rpc.stream_stream(echo("stream_stream"))(iter(messages), timeout=SECONDS)) == messages


def test_the_multicallable_is_a_stream_stream_multicallable(rpc):
    assert isinstance(rpc.stream_stream(echo("stream_stream")), grpc.StreamStreamMultiCallable)


@pytest.mark.parametrize("interface", [grpc.Call, grpc.RpcContext, grpc.Future])
def test_the_call_is_an_iterator_and_a(rpc, interface):
    call = rpc.stream_stream(echo("stream_stream"))(iter([b"1"]))
    assert isinstance(call, interface)
    assert iter(call) is call
    assert list(call) == [b"1"]


def test_ping_pong(rpc):
    requests = queue.SimpleQueue()
    call = rpc.stream_stream(echo("stream_stream"))(feed(requests), timeout=SECONDS)
    for i in range(100):
        requests.put(b"%d" % i)
        assert next(call) == b"%d" % i
    requests.put(None)
    assert list(call) == []
    assert call.code() is grpc.StatusCode.OK


def test_the_server_may_speak_first(rpc):
    def behave(requests, _context):
        yield b"hello"
        yield next(requests)

    requests = queue.SimpleQueue()
    call = rpc.stream_stream(behave)(feed(requests), timeout=SECONDS)
    assert next(call) == b"hello"
    requests.put(b"you too")
    assert next(call) == b"you too"
    requests.put(None)
    assert list(call) == []


def test_the_server_may_go_on_after_the_requests_ended(rpc):
    def behave(requests, _context):
        taken = list(requests)
        yield from taken
        yield b"%d" % len(taken)

    call = rpc.stream_stream(behave)(iter([b"a", b"b"]), timeout=SECONDS)
    assert list(call) == [b"a", b"b", b"2"]


def test_the_server_may_end_before_the_requests_do(rpc):
    requests = queue.SimpleQueue()
    call = rpc.stream_stream(lambda _requests, _context: iter([b"enough"]))(feed(requests), timeout=SECONDS)
    assert list(call) == [b"enough"]
    assert call.code() is grpc.StatusCode.OK
    requests.put(None)


def test_requests_may_arrive_at_another_thread_of_the_handler(rpc):
    def behave(requests, _context):
        taken = queue.SimpleQueue()
        reader = threading.Thread(target=lambda: [taken.put(request) for request in [*requests, None]])
        reader.start()
        yield from feed(taken)
        reader.join(SECONDS)

    messages = [b"%d" % i for i in range(50)]
    assert list(rpc.stream_stream(behave)(iter(messages), timeout=SECONDS)) == messages


def test_more_responses_than_requests(rpc):
    def behave(requests, _context):
        for request in requests:
            yield from [request] * 10

    call = rpc.stream_stream(behave)(iter([b"1", b"2"]), timeout=SECONDS)
    assert list(call) == [b"1"] * 10 + [b"2"] * 10


def test_more_requests_than_responses(rpc):
    def behave(requests, _context):
        yield b"%d" % sum(1 for _ in requests)

    assert list(rpc.stream_stream(behave)(iter([b"x"] * 500), timeout=SECONDS)) == [b"500"]


def test_the_responses_before_an_error_arrive(rpc):
    def behave(requests, context):
        yield next(requests)
        context.abort(grpc.StatusCode.OUT_OF_RANGE, "too far")

    requests = queue.SimpleQueue()
    call = rpc.stream_stream(behave)(feed(requests), timeout=SECONDS)
    requests.put(b"1")
    assert next(call) == b"1"
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert caught.value.code() is grpc.StatusCode.OUT_OF_RANGE
    assert (call.code(), call.details()) == (grpc.StatusCode.OUT_OF_RANGE, "too far")
    requests.put(None)


def test_an_exception_in_the_request_iterator_ends_the_call(rpc):
    def requests():
        yield b"1"
        raise ValueError("no more")

    call = rpc.stream_stream(echo("stream_stream"))(requests(), timeout=SECONDS)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert (call.code(), call.details()) == (grpc.StatusCode.UNKNOWN, "Exception iterating requests!")


def test_a_request_iterator_may_use_the_responses(rpc):
    """Each request depends on the response before it."""
    answers = queue.SimpleQueue()

    def requests():
        yield b"1"
        for _ in range(9):
            yield b"%d" % (2 * int(answers.get(timeout=SECONDS)))

    received = []
    for response in rpc.stream_stream(echo("stream_stream"))(requests(), timeout=SECONDS):
        received.append(int(response))
        answers.put(response)
    assert received == [2**i for i in range(10)]


def test_the_call_ends_although_the_request_iterator_blocks(rpc):
    blocked = rpc.event()

    def requests():
        blocked.wait(SECONDS)
        yield b"never sent"

    call = rpc.stream_stream(lambda _requests, _context: iter(()))(requests(), timeout=SECONDS)
    assert list(call) == []
    blocked.set()


def test_the_request_iterator_is_not_asked_again_after_the_call_ended(rpc):
    ended = rpc.event()
    asked = []

    def requests():
        yield b"1"
        ended.wait(SECONDS)
        for i in range(1000):
            asked.append(i)
            yield b"more"

    call = rpc.stream_stream(lambda requests, _context: iter([next(requests)]))(requests(), timeout=SECONDS)
    assert list(call) == [b"1"]
    ended.set()
    for _ in range(20):
        rpc.unary_unary(echo("unary_unary"))(b"x", timeout=SECONDS)
    assert len(asked) <= 1


def test_many_streams_are_open_at_once(rpc):
    method = rpc.stream_stream(echo("stream_stream"))
    feeds = [queue.SimpleQueue() for _ in range(10)]
    calls = [method(feed(requests), timeout=SECONDS) for requests in feeds]
    for i in range(10):
        for requests in feeds:
            requests.put(b"%d" % i)
        assert [next(call) for call in calls] == [b"%d" % i] * 10
    for requests in feeds:
        requests.put(None)
    assert all(list(call) == [] for call in calls)


def test_one_thread_writes_while_another_reads(rpc):
    messages = [b"%d" % i for i in range(2000)]
    requests = queue.SimpleQueue()
    call = rpc.stream_stream(echo("stream_stream"))(feed(requests), timeout=SECONDS)
    writer = threading.Thread(target=lambda: [requests.put(message) for message in [*messages, None]])
    writer.start()
    assert list(call) == messages
    writer.join(SECONDS)


def test_every_argument_may_be_given_by_position(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(
        iter([b"1"]), SECONDS, (("key", "value"),), None, True, grpc.Compression.NoCompression
    )
    assert list(call) == [b"1"]


def test_every_argument_may_be_given_by_name(rpc):
    call = rpc.stream_stream(echo("stream_stream"))(
        request_iterator=iter([b"1"]),
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    assert list(call) == [b"1"]
