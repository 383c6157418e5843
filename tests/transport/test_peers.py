"""Peers that break the rules of docs/wire.md, from both ends: nobody else notices."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
import tracemalloc
from collections.abc import Callable
from concurrent import futures

import grpc
import pytest

import sage_rpc
from tests import wire_peer as w
from tests.conftest import UNLIMITED, ServerProcess, needs_native

pytestmark = [needs_native]

SHM = [("sage_rpc.transport", "shm")]


@pytest.fixture
def server(lasting_server):
    """No peer that breaks the rules is the end of it."""
    return lasting_server("127.0.0.1:0")


ECHO = b"/test.Unary/echo"
CALL = w.END | w.HAS_MESSAGE | w.HAS_NAME


def echo_works(server: ServerProcess) -> bool:
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        return channel.unary_unary(ECHO.decode())(b"still here", timeout=10) == b"still here"


# ---------------------------------------------------------------- the document is right


def test_a_client_written_from_the_document_can_call(server):
    with w.client(server.port) as peer:
        peer.send(w.OPEN, CALL, 1, 7, w.block(ECHO) + b"hello")
        frame = peer.receive()
        assert (frame.type, frame.flags, frame.stream, frame.aux) == (w.TRAILERS, w.END | w.HAS_MESSAGE, 1, 0)
        assert frame.body == b"hello"
        peer.send(w.OPEN, w.END | w.HAS_MESSAGE, 2, 7, b"again")
        assert peer.receive().body == b"again"
        peer.send(w.PING, 0, 0, 99)
        assert peer.receive() == w.Frame(w.PING, w.END, 0, 99, b"")


def test_a_client_written_from_the_document_can_send_in_pieces(server):
    with w.client(server.port) as peer:
        peer.send(
            w.OPEN, w.HAS_MESSAGE | w.MORE | w.HAS_NAME, 1, 1, w.block(ECHO) + struct.pack("<Q", 9) + b"abc"
        )
        peer.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED | w.MORE, 1, 0, b"def")
        peer.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED | w.END, 1, 0, b"ghi")
        assert peer.receive().body == b"abcdefghi"


def test_a_stopping_server_says_which_calls_it_took(server):
    with w.client(server.port) as peer:
        peer.send(w.OPEN, CALL, 5, 1, w.block(ECHO) + b"x")
        assert peer.receive().stream == 5
        server.process.stdin.close()
        assert peer.receive() == w.Frame(w.GOAWAY, 0, 0, 5, b"")


# ---------------------------------------------------------------- clients that break the rules


def _open(peer: w.Peer, flags: int, stream: int, body: bytes) -> None:
    peer.send(w.OPEN, flags, stream, 1, body)


def _claim_to_have_read_more_than_was_sent(peer: w.Peer) -> None:
    peer.set_tail(1 << 40)
    for stream in range(1, 7):
        _open(peer, CALL, stream, w.block(ECHO) + bytes(100_000))
    with contextlib.suppress(ConnectionResetError):
        while peer.sock.recv(100):  # receive() would repair the counter
            pass


BROKEN_CLIENTS = {
    "a frame smaller than its header": lambda p: p.write(w.HEADER.pack(8, w.OPEN, 0, 0, 1, 0)),
    "a frame larger than what is there": lambda p: p.write(w.HEADER.pack(1 << 20, w.OPEN, 0, 0, 1, 0)),
    "an unknown type": lambda p: p.send(77, 0, 1),
    "a flag that is not allowed": lambda p: p.send(w.CANCEL, w.HAS_MESSAGE, 1, 0, b"x"),
    "a call on stream 0": lambda p: p.send(w.OPEN, w.END | w.HAS_MESSAGE, 0, 1),
    "a method without a name": lambda p: p.send(w.OPEN, w.END | w.HAS_MESSAGE, 1, 3),
    "a name cut short": lambda p: _open(p, CALL, 1, struct.pack("<I", 1 << 30) + b"/x"),
    "a name too long": lambda p: _open(p, CALL, 1, w.block(b"/" + b"x" * 4096)),
    "a stream twice": lambda p: [_open(p, CALL, 1, w.block(ECHO)), _open(p, w.END | w.HAS_MESSAGE, 1, b"")],
    "a stream that was not opened": lambda p: p.send(w.MESSAGE, w.HAS_MESSAGE, 9, 0, b"x"),
    "what only servers send": lambda p: p.send(w.TRAILERS, w.END, 1),
    "metadata cut short": lambda p: _open(
        p, CALL | w.HAS_METADATA, 1, w.block(ECHO) + w.block(b"\x05\x00\x01\x00") + b"x"
    ),
    "metadata with bytes after it": lambda p: _open(
        p, CALL | w.HAS_METADATA, 1, w.block(ECHO) + w.block(w.metadata((b"a", b"b")) + b"?") + b"x"
    ),
    "a piece longer than announced": lambda p: [
        _open(p, w.HAS_NAME | w.HAS_MESSAGE | w.MORE, 1, w.block(ECHO) + struct.pack("<Q", 9) + b"abc"),
        p.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED | w.END, 1, 0, b"defghijk"),
    ],
    "a message that ends early": lambda p: [
        _open(p, w.HAS_NAME | w.HAS_MESSAGE | w.MORE, 1, w.block(ECHO) + struct.pack("<Q", 9) + b"abc"),
        p.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED | w.END, 1, 0, b"def"),
    ],
    "a head beyond the ring": lambda p: p.set_head(2 * w.CAPACITY),
    "a head that is no multiple of eight": lambda p: p.set_head(13),
    "a head that goes back": lambda p: [_open(p, CALL, 1, w.block(ECHO)), p.receive(), p.set_head(0)],
    "a tail beyond what was sent": _claim_to_have_read_more_than_was_sent,
}


@pytest.mark.parametrize("broken", BROKEN_CLIENTS.values(), ids=BROKEN_CLIENTS.keys())
def test_a_client_that_breaks_the_rules_loses_its_connection_only(server, broken):
    with w.client(server.port) as peer:
        broken(peer)
        assert peer.ended()
    assert echo_works(server)


def _hello_with(data: bytes, *descriptors: Callable[[], int]) -> Callable[[socket.socket], None]:
    def talk(sock: socket.socket) -> None:
        fds = [make() for make in descriptors]
        socket.send_fds(sock, [data], fds)
        for fd in fds:
            os.close(fd)

    return talk


def _pipe() -> int:
    fd, other = os.pipe()
    os.close(other)
    return fd


STRANGERS = {
    "garbage": (lambda s: s.send(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), 2),
    "a short hello": (lambda s: s.send(b"SAGERPC\n"), 2),
    "another version": (_hello_with(w.hello(version=9), w.segment), 1),
    "no descriptor": (_hello_with(w.hello()), 2),
    "two descriptors": (_hello_with(w.hello(), w.segment, w.segment), 2),
    "no segment but a pipe": (_hello_with(w.hello(), _pipe), 2),
    "a segment that may shrink": (_hello_with(w.hello(), lambda: w.segment(seal=False)), 2),
    "a segment too small": (_hello_with(w.hello(), lambda: w.segment(size=4096)), 2),
    "an odd capacity": (_hello_with(w.hello(capacity=5000), w.segment), 2),
    "a segment with another header": (
        _hello_with(w.hello(capacity=1 << 18), lambda: w.segment(1 << 19)), 2,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("talk", "status"), STRANGERS.values(), ids=STRANGERS.keys())
def test_a_stranger_on_the_socket_is_told_why_and_sent_away(server, talk, status):
    with w.dial(server.port) as sock:
        talk(sock)
        said, text = w.welcome(sock)
        assert said == status
        assert text
        assert sock.recv(1) == b""
    assert echo_works(server)


def test_strangers_that_say_nothing_keep_nobody_out(server):
    silent = [w.dial(server.port) for _ in range(50)]
    assert echo_works(server)
    for sock in silent:
        sock.close()
    assert echo_works(server)


def test_a_client_that_does_not_read_its_answers_stalls_nobody(server):
    with w.client(server.port) as peer:
        _open(peer, CALL, 1, w.block(ECHO) + bytes(100_000))
        for stream in range(2, 20):
            _open(peer, w.END | w.HAS_MESSAGE, stream, bytes(100_000))
        assert echo_works(server)
        ended = []
        while len(ended) < 19:
            frame = peer.receive()
            if frame.type == w.TRAILERS:
                ended.append((frame.stream, frame.aux))
        assert sorted(ended) == [(stream, 0) for stream in range(1, 20)]


# ---------------------------------------------------------------- servers that break the rules


@pytest.fixture
def listener():
    with w.Listener() as listening:
        yield listening


@pytest.fixture
def wire_channel(listener):
    with sage_rpc.insecure_channel(listener.target, options=[*SHM, *UNLIMITED]) as channel:
        yield channel


def answer_with(listener: w.Listener, act) -> threading.Thread:
    """Accept one connection, take one call, `act(peer, frame)`, wait for the client's end."""

    def run() -> None:
        with listener.accept() as peer:
            act(peer, peer.receive())
            peer.ended()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


BROKEN_SERVERS = {
    "an answer nobody asked for": lambda p, f: p.send(w.TRAILERS, w.END, 1000),
    "a call of its own": lambda p, f: p.send(w.OPEN, w.END, 1),
    "a bad frame": lambda p, f: p.write(b"\xff" * 64),
    "impossible counters": lambda p, f: p.set_head(1 << 50),
    "trailing metadata cut short": lambda p, f: p.send(
        w.TRAILERS, w.END | w.HAS_METADATA, f.stream, 0, w.block(b"\x01\x00")
    ),
    "initial metadata cut short": lambda p, f: p.send(
        w.HEADERS, w.HAS_METADATA, f.stream, 0, w.block(b"\xff\xff\x00\x00\x00\x00")
    ),
    "a continuation of nothing": lambda p, f: p.send(
        w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED, f.stream, 0, b"x"
    ),
    "its end": lambda p, f: p.sock.shutdown(socket.SHUT_RDWR),
}


@pytest.mark.parametrize("broken", BROKEN_SERVERS.values(), ids=BROKEN_SERVERS.keys())
def test_a_server_that_breaks_the_rules_is_unavailable(listener, wire_channel, broken):
    thread = answer_with(listener, broken)
    with pytest.raises(ConnectionError) as caught:
        wire_channel.unary_unary("/x/y")(b"", timeout=10)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert listener.target in caught.value.details()
    thread.join(10)
    assert not thread.is_alive()


ODD_SERVERS = {
    "a message without end": (
        lambda p, f: p.send(
            w.MESSAGE, w.HAS_MESSAGE | w.MORE, f.stream, 0, struct.pack("<Q", 1 << 46) + b"x"
        ),
        grpc.StatusCode.RESOURCE_EXHAUSTED,
    ),
    "two answers": (
        lambda p, f: [p.send(w.MESSAGE, w.HAS_MESSAGE, f.stream, 0, b"x") for _ in range(2)],
        grpc.StatusCode.INTERNAL,
    ),
    "success without an answer": (
        lambda p, f: p.send(w.TRAILERS, w.END, f.stream, 0),
        grpc.StatusCode.INTERNAL,
    ),
    "an unknown status": (lambda p, f: p.send(w.TRAILERS, w.END, f.stream, 4711), grpc.StatusCode.UNKNOWN),
    "a cancellation": (lambda p, f: p.send(w.CANCEL, 0, f.stream, 10), grpc.StatusCode.ABORTED),
}


@pytest.mark.parametrize(("odd", "code"), ODD_SERVERS.values(), ids=ODD_SERVERS.keys())
def test_an_odd_answer_ends_its_call_only(listener, wire_channel, odd, code):
    def act(peer: w.Peer, frame: w.Frame) -> None:
        odd(peer, frame)
        while (frame := peer.receive()) is not None:
            if frame.type == w.OPEN:
                peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"fine")

    answer_with(listener, act)
    with pytest.raises(grpc.RpcError) as caught:
        wire_channel.unary_unary("/x/y")(b"", timeout=10)
    assert caught.value.code() is code
    assert wire_channel.unary_unary("/x/y")(b"", timeout=10) == b"fine"


def test_headers_without_metadata_are_no_headers(listener, wire_channel):
    def act(peer: w.Peer, frame: w.Frame) -> None:
        peer.send(w.HEADERS, 0, frame.stream)
        peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"fine")

    answer_with(listener, act)
    response, call = wire_channel.unary_unary("/x/y").with_call(b"", timeout=10)
    assert (response, call.initial_metadata()) == (b"fine", ())


def test_initial_metadata_may_come_with_the_answer(listener, wire_channel):
    flags = w.END | w.HAS_MESSAGE | w.HAS_INITIAL | w.HAS_METADATA

    def act(peer: w.Peer, frame: w.Frame) -> None:
        body = w.block(w.metadata((b"a", b"1"))) + w.block(w.metadata((b"b", b"2"))) + b"fine"
        peer.send(w.TRAILERS, flags, frame.stream, 0, body)

    answer_with(listener, act)
    response, call = wire_channel.unary_unary("/x/y").with_call(b"", timeout=10)
    assert response == b"fine"
    assert call.initial_metadata() == (("a", "1"),)
    assert call.trailing_metadata() == (("b", "2"),)


def test_a_server_that_does_not_shake_hands_is_given_up(listener):
    with sage_rpc.insecure_channel(listener.target, options=SHM) as channel:
        with pytest.raises(ConnectionError) as caught:
            channel.unary_unary("/x/y")(b"")
        assert "did not answer the handshake" in caught.value.details()


@pytest.mark.parametrize("timeout", [0.2, 0, -1])
def test_a_deadline_that_passes_during_the_handshake_is_what_ends_the_call(listener, timeout):
    with sage_rpc.insecure_channel(listener.target, options=SHM) as channel:
        with pytest.raises(TimeoutError) as caught:
            channel.unary_unary("/x/y")(b"", timeout=timeout)
        assert caught.value.details() == "Deadline Exceeded"
        assert "did not answer the handshake" in caught.value.debug_error_string()


def test_a_server_that_is_none_is_given_up(listener):
    def run() -> None:
        sock, _ = listener.socket.accept()
        with sock:
            sock.recv(1000)
            sock.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    threading.Thread(target=run, daemon=True).start()
    with sage_rpc.insecure_channel(listener.target, options=SHM) as channel:
        with pytest.raises(ConnectionError) as caught:
            channel.unary_unary("/x/y")(b"")
        assert "does not speak the memory queue's protocol" in caught.value.details()


# ---------------------------------------------------------------- interleavings only a slow server shows


def test_calls_a_leaving_server_did_not_take_are_sent_again(listener, wire_channel):
    """OPEN and GOAWAY cross: the call never ran, so it goes to the server's successor."""
    second: futures.Future[bytes] = futures.Future()

    def run() -> None:
        with listener.accept() as peer:
            frame = peer.receive()
            peer.send(w.GOAWAY, 0, 0, frame.stream - 1)
            with listener.accept() as successor:
                frame = successor.receive()
                second.set_result(frame.body)
                successor.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"from the successor")
                successor.ended()
            peer.ended()

    threading.Thread(target=run, daemon=True).start()
    assert wire_channel.unary_unary("/x/y")(b"once", timeout=10) == b"from the successor"
    assert second.result(10).endswith(b"once")


def test_the_time_of_a_call_that_is_sent_again_goes_on(listener, wire_channel):
    left: list[int] = []

    def run() -> None:
        with listener.accept() as peer:
            frame = peer.receive()
            left.append(struct.unpack_from("<Q", frame.body)[0])
            peer.send(w.GOAWAY, 0, 0, frame.stream - 1)
            with listener.accept() as successor:
                frame = successor.receive()
                left.append(struct.unpack_from("<Q", frame.body)[0])
                successor.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"")
                successor.ended()

    threading.Thread(target=run, daemon=True).start()
    wire_channel.unary_unary("/x/y")(b"", timeout=10)
    assert left[1] < left[0] <= 10_000_000_000


def test_a_retired_connection_ends_with_its_last_call(listener, wire_channel):
    """After GOAWAY the channel moves on; the old connection lives as long as a call is under way on it."""
    go = threading.Event()
    ended = threading.Event()

    def run() -> None:
        with listener.accept() as peer:
            frame = peer.receive()
            peer.send(w.GOAWAY, 0, 0, frame.stream)
            with listener.accept() as successor:
                other = successor.receive()
                successor.send(w.TRAILERS, w.END | w.HAS_MESSAGE, other.stream, 0, b"new")
                go.wait(10)
                peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"old")
                peer.ended()
                ended.set()
                successor.ended()

    threading.Thread(target=run, daemon=True).start()
    old = wire_channel.unary_unary("/x/y").future(b"")
    assert not ended.is_set()
    deadline = time.monotonic() + 10
    while wire_channel.unary_unary("/x/y").future(b"", timeout=0.2).exception() is not None:
        assert time.monotonic() < deadline  # the GOAWAY may arrive after a call that nobody answers
    go.set()
    assert old.result(10) == b"old"
    assert ended.wait(10)


def test_cancelling_wakes_a_thread_that_waits_for_the_result(listener, wire_channel):
    answer_with(listener, lambda peer, frame: None)
    future = wire_channel.unary_unary("/x/y").future(b"")
    with futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(future.exception)
        with pytest.raises(futures.TimeoutError):
            waiting.result(0.3)  # long enough to be asleep
        assert future.cancel()
        with pytest.raises(grpc.FutureCancelledError):
            waiting.result(5)


def test_a_callback_does_not_wait_for_the_call_of_another_thread(listener, wire_channel):
    """The thread that waits for "slow" receives the answer of "fast"; its callback is due at once."""

    def act(peer: w.Peer, first: w.Frame) -> None:
        second = peer.receive()
        fast = first if first.body.endswith(b"fast") else second
        peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, fast.stream, 0, b"")

    answer_with(listener, act)
    call = wire_channel.unary_unary("/x/y")
    called = threading.Event()
    future = call.future(b"fast")
    future.add_done_callback(lambda _: called.set())
    slow = call.future(b"slow")
    with futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(slow.result)
        assert called.wait(5)
        slow.cancel()
        with pytest.raises(grpc.FutureCancelledError):
            waiting.result(5)


def test_a_server_that_does_not_read_costs_no_cpu(listener, wire_channel):
    """More is to be sent than the ring holds, and nobody waits for it any more."""
    peers = []

    def run() -> None:
        peers.append(listener.accept())

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    future = wire_channel.unary_unary("/x/y").future(bytes(4 << 20))
    thread.join(10)
    future.cancel()
    idle = threading.Event()
    before = time.process_time()
    idle.wait(1.0)
    assert time.process_time() - before < 0.3
    peers[0].close()


def test_many_threads_that_begin_together_share_one_listener(server):
    with sage_rpc.insecure_channel(server.target, options=SHM) as channel:
        call = channel.unary_unary(ECHO.decode())
        call(b"", timeout=10)
        barrier = threading.Barrier(16)

        def start() -> bytes:
            barrier.wait()
            return call.future(b"x", timeout=10).result()

        with futures.ThreadPoolExecutor(16) as pool:
            assert [f.result() for f in [pool.submit(start) for _ in range(16)]] == [b"x"] * 16
        listeners = [t for t in threading.enumerate() if t.name == f"sage_rpc listener {server.target}"]
        assert len(listeners) <= 1


def test_a_thousand_cancelled_calls_leave_no_deadlines_behind(listener, wire_channel):
    def answer_last(peer: w.Peer, frame: w.Frame) -> None:
        while frame is not None:
            if frame.body.endswith(b"last"):
                peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"")
            frame = peer.receive()

    answer_with(listener, answer_last)
    call = wire_channel.unary_unary("/x/y")

    def burst() -> None:
        for _ in range(2000):
            call.future(b"", timeout=1000).cancel()
        call(b"last", timeout=10)

    burst()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(5):
        burst()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 200_000, f"{grown} bytes more after 10000 cancelled calls"


def stuffed(peer: w.Peer, frame: Callable[[int], tuple]) -> int:
    """Send `frame(1)`, `frame(2)`, ... until the server takes no more. -> how many it took."""
    count = 0
    size = 16 + len(frame(1)[4]) + 7
    while True:
        limit = time.monotonic() + 0.5
        while peer.capacity - (peer.head - peer.taken()) < size:
            if time.monotonic() > limit:
                return count
            os.sched_yield()
        count += 1
        assert count * size < 200 << 20, "the server takes whatever comes"
        peer.send(*frame(count))


def test_a_client_that_does_not_take_its_answers_is_not_read(server):
    """What it is owed would fill the server's memory; it goes on when it reads again."""
    body = bytes(60_000)
    with w.client(server.port) as peer:
        peer.send(w.OPEN, CALL, 1, 1, w.block(ECHO) + body)
        calls = 1 + stuffed(peer, lambda n: (w.OPEN, w.END | w.HAS_MESSAGE, n + 1, 1, body))
        assert calls < 600  # 16 MiB and what is in the rings and on the way, of 36 MiB
        assert echo_works(server)
        frames: list[w.Frame] = []
        while calls:
            frames.append(peer.receive())
            calls -= frames[-1].type == w.TRAILERS
        assert all(frame.aux == 0 for frame in frames if frame.type == w.TRAILERS)
        assert all(frame.body == body for frame in frames if frame.body)
        peer.send(w.PING, 0, 0, 7_000_000)
        assert peer.receive().aux == 7_000_000


def test_who_never_says_anything_is_sent_away(monkeypatch):
    from sage_rpc.transport.shm import accept

    monkeypatch.setattr(accept, "STRANGER_SECONDS", 0.05)
    server = sage_rpc.server(futures.ThreadPoolExecutor(1))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    silent = w.dial(port)
    assert silent.recv(1) == b""
    silent.close()
    with w.client(port) as peer:
        peer.send(w.PING, 0, 0, 5)
        assert peer.receive().aux == 5
    server.stop(None).wait()


@pytest.mark.slow
def test_the_time_that_a_connection_took_is_the_calls_own():
    """A silent peer keeps the handshake waiting; a call that then goes over gRPC has the rest of its time."""
    server = grpc.server(futures.ThreadPoolExecutor(4))

    def wait(request: bytes, context: grpc.ServicerContext) -> bytes:
        over = threading.Event()
        context.add_callback(over.set)
        over.wait(10)
        return request

    handler = grpc.unary_unary_rpc_method_handler(wait)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("a", {"b": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    ways = {
        "call": lambda method: method(b"", timeout=1.0),
        "with_call": lambda method: method.with_call(b"", timeout=1.0),
        "future": lambda method: method.future(b"", timeout=1.0).result(),
    }
    for way in ways.values():
        with w.Listener(port), sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            begun = time.monotonic()
            with pytest.raises(grpc.RpcError) as raised:
                way(channel.unary_unary("/a/b"))
            assert raised.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            assert 0.9 < time.monotonic() - begun < 1.8  # not once to connect and once more to wait
    server.stop(None).wait()
