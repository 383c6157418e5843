"""Streams: flow control, endings and faults, on both transports; tests/conformance has what gRPC promises."""

from __future__ import annotations

import gc
import queue
import resource
import struct
import threading
from concurrent import futures

import grpc
import pytest

import sage_rpc
from tests import wire_peer as w
from tests.conftest import UNLIMITED, ServerProcess, needs_native

pytestmark = pytest.mark.timeout(60)

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


def test_many_small_messages_both_ways(channel):
    sent = [b"%d" % i for i in range(20_000)]
    assert list(stream_stream(channel, "echo")(iter(sent), timeout=60)) == sent


def test_a_stream_of_a_gibibyte_takes_little_memory(server):
    """Resident memory of both sides grows by less than 64 MiB."""
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        chunk = bytes(MIB)
        stream_unary(channel, "total")(iter([chunk]))
        here = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        there = int(unary(channel, "memory"))
        assert stream_unary(channel, "total")((chunk for _ in range(1024)), timeout=50) == b"%d" % (1 << 30)
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - here < 64 * 1024
        assert int(unary(channel, "memory")) - there < 64 * 1024


# ---------------------------------------------------------------- back-pressure


def settled(channel: grpc.Channel) -> int:
    """How many messages flood had made when it stopped making more."""
    seen, same = -1, 0
    while same < 20:
        now = int(unary(channel, "produced"))
        seen, same = now, same + 1 if now == seen else 0
    return seen


@pytest.mark.parametrize("size", [0, 100, 10_000, 300_000])
def test_a_slow_reader_stops_its_sender_and_nobody_else(server, size):
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        slow = unary_stream(channel, "flood")(b"%d" % size)
        next(slow)
        stopped = settled(channel)
        assert stopped <= (2 * MIB) // (16 + size) + 4
        assert len(list(unary_stream(channel, "count")(b"5000", timeout=20))) == 5000  # others go on
        for _ in range(stopped + 100):  # it goes on when it is read
            assert len(next(slow)) == size
        slow.cancel()


def test_a_slow_handler_stops_the_client_that_feeds_it(server):
    taken = 0

    def requests():
        nonlocal taken
        for _ in range(5000):
            taken += 1
            yield bytes(1000)

    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        future = stream_unary(channel, "slow_total").future(requests())
        seen, same = -1, 0
        while same < 200:
            unary(channel, "unary")
            seen, same = taken, same + 1 if taken == seen else 0
        assert seen <= MIB // 1016 + 3
        unary(channel, "open_gate")
        assert future.result(20) == b"5000000"


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
        assert len(feeding) <= 3


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
    "a request after the last": lambda p: [
        p.send(w.MESSAGE, w.END, 1),
        p.send(w.MESSAGE, w.HAS_MESSAGE, 1, 0, b"x"),
    ],
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
