"""Streams: flow control, endings and faults, on both transports; tests/conformance has what gRPC promises."""

from __future__ import annotations

import gc
import queue
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
import pytest

import sage_rpc
from tests import wire_peer as w
from tests.conftest import UNLIMITED, ServerProcess, needs_native

SHM = [("sage_rpc.transport", "shm"), *UNLIMITED]
MIB = 1 << 20


@pytest.fixture
def server():
    with ServerProcess("127.0.0.1:0", program="stream_server.py") as process:
        yield process


def unary_stream(channel, name):
    return channel.unary_stream(f"/test.Streams/{name}")


def stream_unary(channel, name):
    return channel.stream_unary(f"/test.Streams/{name}")


def stream_stream(channel, name):
    return channel.stream_stream(f"/test.Streams/{name}")


def unary(channel, name, request=b""):
    return channel.unary_unary(f"/test.Streams/{name}")(request, timeout=20)


# ---------------------------------------------------------------- messages


@pytest.mark.parametrize("size", [0, 1, 131_000, 131_072, MIB - 16, MIB, 5 * MIB])
def test_messages_of_any_size_come_back_in_order(channel, transport, size):
    sent = [bytes([i]) * (size + i) for i in range(4)]
    assert list(stream_stream(channel, "echo")(iter(sent), timeout=30)) == sent
    assert channel.transport == transport


@pytest.mark.slow
def test_many_small_messages_both_ways(channel):
    sent = [b"%d" % i for i in range(20_000)]
    assert list(stream_stream(channel, "echo")(iter(sent), timeout=60)) == sent


def test_large_messages_both_ways_by_several_threads(channel, transport):
    """Each is written without the GIL, so that threads find the ring taken, and free again, at any moment."""
    count = 400 if transport == "shm" else 40

    def one(n: int) -> bool:
        sent = [bytes([n]) * (70_000 * n + i) for i in range(count)]
        return list(stream_stream(channel, "echo")(iter(sent), timeout=20)) == sent

    assert one(3)
    with futures.ThreadPoolExecutor(3) as pool:
        assert all(pool.map(one, (1, 2, 3)))


@needs_native
def test_a_stream_goes_on_when_large_responses_of_other_calls_have_left(server):
    """A server's thread may be asleep, until there is room, when another one has made it."""
    options = [*SHM, ("sage_rpc.ring_bytes", 1 << 26)]  # so that writing a frame takes long enough to sleep
    large = bytes(4 * MIB)
    with sage_rpc.insecure_channel(server.target, options=options) as channel:
        for _ in range(20):
            stream = unary_stream(channel, "count")(b"50000", timeout=20)
            calls = [channel.unary_unary("/test.Streams/unary").future(large) for _ in range(5)]
            assert sum(1 for _ in stream) == 50_000
            assert all(call.result(20) == large for call in calls)


# ---------------------------------------------------------------- back-pressure

WINDOW, CHARGE = MIB, 16  # bytes of credit of each stream and direction; what a message costs besides its own
LEAST_PART = 16384  # bytes; a message that must be split is not split finer


def messages_of_a_window(size: int) -> int:
    return max(1, WINDOW // (CHARGE + size))  # the first one arrives however large it is


def wait_until(reached: Callable[[], bool], channel: grpc.Channel) -> None:
    """Call over the same connection, which also reads it, until then."""
    end = time.monotonic() + 20
    while not reached():
        assert time.monotonic() < end
        unary(channel, "unary")


def others_go_on(channel: grpc.Channel) -> None:
    """Calls of all four kinds; the streams are several windows long."""
    assert [unary(channel, "unary", b"%d" % i) for i in range(100)] == [b"%d" % i for i in range(100)]
    assert list(unary_stream(channel, "count")(b"5000", timeout=20)) == [b"%d" % i for i in range(5000)]
    assert stream_unary(channel, "total")(iter([bytes(10_000)] * 500), timeout=20) == b"5000000"
    sent = [bytes([i]) * 100_000 for i in range(50)]
    assert list(stream_stream(channel, "echo")(iter(sent), timeout=20)) == sent


@needs_native
@pytest.mark.parametrize("size", [0, 100, 10_000, 300_000, 3 * MIB])
def test_a_slow_reader_stops_its_sender_and_nobody_else(server, size):
    most = messages_of_a_window(size) + 1  # one waits in the hands of the sender
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        slow = unary_stream(channel, "flood")(b"%d" % size)
        wait_until(lambda: int(unary(channel, "produced")) >= most, channel)
        others_go_on(channel)
        assert int(unary(channel, "produced")) == most
        for _ in range(most + 100):  # it goes on when it is read
            assert len(next(slow)) == size
        slow.cancel()


class Counted:
    """Requests of which it is known how many were taken."""

    def __init__(self, size: int, count: int) -> None:
        self.size, self.count, self.taken = size, count, 0

    def __iter__(self) -> Iterator[bytes]:
        for i in range(self.count):
            self.taken += 1
            yield bytes([i % 251]) * self.size


@needs_native
@pytest.mark.parametrize("size", [0, 1000, 300_000])
def test_a_slow_handler_stops_the_client_that_feeds_it_and_nobody_else(server, size):
    most = messages_of_a_window(size) + 1
    requests = Counted(size, 2 * most)
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        future = stream_unary(channel, "slow_total").future(iter(requests))
        # The handler has taken one; from a quarter of the window, what was taken is given back.
        most += CHARGE + size >= WINDOW // 4
        wait_until(lambda: requests.taken >= most, channel)
        others_go_on(channel)
        # While the handler waits, it is given back for the pieces of a message that is still arriving.
        assert most <= requests.taken <= most + (size > LEAST_PART)
        unary(channel, "open_gate")
        assert future.result(20) == b"%d" % (size * requests.count)


@needs_native
@pytest.mark.parametrize("size", [0, 1000, 300_000])
def test_a_client_that_reads_no_response_stops_its_own_requests_and_nobody_else(server, size):
    """The handler stops at the window of its responses, and so the client at that of its requests."""
    usual = 2 * (messages_of_a_window(size) + 1)
    # Credit is given back a quarter of a window at a time.
    least = usual - 2 - (WINDOW // 4) // (CHARGE + size)
    # While the handler waits, it is given back for the pieces of a message that is still arriving.
    most = usual + (size > LEAST_PART)
    requests = Counted(size, 2 * most)
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        slow = stream_stream(channel, "echo")(iter(requests))
        wait_until(lambda: requests.taken >= least, channel)
        others_go_on(channel)
        assert requests.taken <= most
        assert list(slow) == list(Counted(size, requests.count))


# ---------------------------------------------------------------- endings


def test_a_stream_that_nobody_holds_is_cancelled(channel):
    call = unary_stream(channel, "flood")(b"10")
    next(call)
    del call
    gc.collect()
    assert unary(channel, "flood_ended") == b"yes"


def test_cancelling_ends_both_sides(channel):
    call = unary_stream(channel, "flood")(b"10")
    next(call)
    assert call.cancel()
    assert call.code() is grpc.StatusCode.CANCELLED
    with pytest.raises(grpc.RpcError) as caught:
        for _ in call:
            pass
    assert caught.value.code() is grpc.StatusCode.CANCELLED
    assert unary(channel, "flood_ended") == b"yes"


def test_cancelling_wakes_the_thread_that_waits(channel):
    requests: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    call = stream_stream(channel, "echo")(iter(requests.get, None))
    requests.put(b"x")
    assert next(call) == b"x"
    with futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(next, call)
        with pytest.raises(futures.TimeoutError):
            waiting.result(0.2)
        call.cancel()
        with pytest.raises(grpc.RpcError):
            waiting.result(10)
    requests.put(None)


def test_a_deadline_ends_a_stream_on_both_sides(channel):
    call = unary_stream(channel, "flood")(b"10", timeout=0.3)
    with pytest.raises(grpc.RpcError) as caught:
        for _ in call:
            pass
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert unary(channel, "flood_ended") == b"yes"


def test_a_deadline_passes_although_nobody_reads(channel):
    call = unary_stream(channel, "flood")(b"10", timeout=0.2)
    done = threading.Event()
    call.add_done_callback(lambda _: done.set())
    assert done.wait(10)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@needs_native
def test_is_active_sees_the_end_without_waiting(server):
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        call = unary_stream(channel, "count")(b"3")
        while call.is_active():
            pass
        assert list(call) == [b"0", b"1", b"2"]
        assert call.done()


def test_responses_before_an_error_are_delivered_first(channel):
    call = stream_stream(channel, "give_up")(iter([b"1", b"2", b"3"]))
    assert [next(call), next(call)] == [b"1", b"2"]
    with pytest.raises(grpc.RpcError) as caught:
        next(call)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DATA_LOSS, "that is all")


def test_a_handler_may_answer_before_the_last_request(channel):
    gate = threading.Event()

    def requests():
        yield b"first"
        gate.wait(20)
        yield b"too late"

    assert stream_unary(channel, "early")(requests(), timeout=10) == b"first"
    gate.set()
    assert unary(channel, "unary", b"on") == b"on"


def test_request_threads_are_used_again(server):
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        call = stream_unary(channel, "total")
        for _ in range(50):
            assert call(iter([b"ab", b"c"]), timeout=10) == b"3"
        feeding = [t for t in threading.enumerate() if t.name == "sage_rpc requests"]
        assert len(feeding) <= 10


@pytest.mark.slow
def test_many_streams_at_once_over_one_channel(channel):
    def one(n: int) -> bool:
        sent = [b"%d" % (n * i) for i in range(300)]
        return list(stream_stream(channel, "echo")(iter(sent), timeout=40)) == sent

    with futures.ThreadPoolExecutor(8) as pool:
        assert all(pool.map(one, range(24)))


@needs_native
def test_a_killed_server_ends_every_stream(server):
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        reading = unary_stream(channel, "flood")(b"10")
        next(reading)
        feeding = stream_unary(channel, "slow_total").future(iter(lambda: bytes(1000), None))
        echo = stream_stream(channel, "echo")(iter(queue.SimpleQueue().get, None))
        with futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(next, echo)
            with pytest.raises(futures.TimeoutError):
                waiting.result(0.2)
            server.kill()
            with pytest.raises(grpc.RpcError):
                for _ in reading:
                    pass
            assert reading.code() is grpc.StatusCode.UNAVAILABLE
            assert feeding.exception(10).code() is grpc.StatusCode.UNAVAILABLE
            assert waiting.exception(10).code() is grpc.StatusCode.UNAVAILABLE


# ---------------------------------------------------------------- peers that break the rules


ECHO = b"/test.Streams/echo"


@needs_native
def test_a_client_written_from_the_document_can_stream(server):
    with w.client(server.port) as peer:
        peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(ECHO))
        for text in (b"one", b"two"):
            peer.send(w.MESSAGE, w.HAS_MESSAGE, 1, 0, text)
            frame = peer.receive()
            assert (frame.type, frame.flags, frame.stream, frame.body) == (w.MESSAGE, w.HAS_MESSAGE, 1, text)
        peer.send(w.MESSAGE, w.HAS_MESSAGE | w.MORE, 1, 0, struct.pack("<Q", 6) + b"abc")
        peer.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED | w.END, 1, 0, b"def")
        assert peer.receive().body == b"abcdef"
        assert peer.receive() == w.Frame(w.TRAILERS, w.END, 1, 0, b"")


@needs_native
def test_a_sender_stops_where_its_credit_ends(server):
    with w.client(server.port) as peer:
        peer.send(
            w.OPEN, w.END | w.HAS_MESSAGE | w.HAS_NAME, 1, 1, w.block(b"/test.Streams/flood") + b"10000"
        )
        spent = 0
        while spent + 10_016 <= MIB:
            spent += 16 + len(peer.receive().body)
        peer.send(w.PING, 0, 0, 7)
        frame = peer.receive()
        while frame.type == w.MESSAGE:  # what credit is left is used for a part
            spent += 16 + len(frame.body)
            frame = peer.receive()
        assert frame.type == w.PING
        assert spent <= MIB
        peer.send(w.CREDIT, 0, 1, 50_000)
        assert peer.receive().type == w.MESSAGE
        peer.send(w.CANCEL, 0, 1, 1)


BROKEN = {
    # Published at once: otherwise the handler may have answered, and what comes then is passed over.
    "a request after the last": lambda p: p.write(
        w.frame(w.MESSAGE, w.END, 1) + w.frame(w.MESSAGE, w.HAS_MESSAGE, 1, 0, b"x")
    ),
    "an end in the middle": lambda p: [
        p.send(w.MESSAGE, w.HAS_MESSAGE | w.MORE, 1, 0, struct.pack("<Q", 9) + b"x"),
        p.send(w.MESSAGE, w.END, 1),
    ],
    "another message in the middle": lambda p: [
        p.send(w.MESSAGE, w.HAS_MESSAGE | w.MORE, 1, 0, struct.pack("<Q", 9) + b"x"),
        p.send(w.MESSAGE, w.HAS_MESSAGE, 1, 0, b"x"),
    ],
    "a continuation of nothing": lambda p: p.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED, 1, 0, b"x"),
    "too much credit": lambda p: p.send(w.CREDIT, 0, 1, 0x7FFFFFFF),
}


@needs_native
@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN.keys())
def test_a_client_that_breaks_the_rules_of_streams_loses_its_connection_only(server, broken):
    with w.client(server.port) as peer:
        peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(b"/test.Streams/slow_total"))
        broken(peer)
        assert peer.ended()
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        assert unary(channel, "unary", b"on") == b"on"
