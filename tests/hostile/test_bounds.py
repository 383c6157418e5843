"""What one peer may take of a process: each bound; an honest one who comes up to it loses nothing."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent import futures

import grpc
import pytest

import sage_rpc
from sage_rpc.transport.shm import accept
from tests import wire_peer as w
from tests.conftest import needs_native
from tests.hostile.attacks import CALL, frames_for_nothing, keep_full
from tests.waiting import until

pytestmark = [needs_native]

SHM = [("sage_rpc.transport", "shm")]
MIB = 1 << 20
ECHO = b"/t/echo"


class Handlers:
    """Counts what was begun, in order; `gate` holds up whoever asks for it."""

    def __init__(self) -> None:
        self.begun: list[bytes] = []
        self.gate = threading.Event()

    def echo(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.begun.append(request)
        return request

    def big(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.begun.append(request)
        return bytes(MIB)

    def wait(self, request: bytes, context: grpc.ServicerContext) -> bytes:
        self.gate.wait(20)
        return request

    def chat(self, requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
        yield from requests

    def as_generic(self, wrap: Callable[[Callable], Callable] = lambda f: f) -> grpc.GenericRpcHandler:
        unary = {name: getattr(self, name) for name in ("echo", "big", "wait")}
        methods = {name: grpc.unary_unary_rpc_method_handler(wrap(f)) for name, f in unary.items()}
        methods["chat"] = grpc.stream_stream_rpc_method_handler(self.chat)
        return grpc.method_handlers_generic_handler("t", methods)


@contextlib.contextmanager
def serving(handlers: Handlers, workers: int = 2) -> Iterator[int]:
    server = sage_rpc.server(futures.ThreadPoolExecutor(workers), handlers=(handlers.as_generic(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield port
    finally:
        handlers.gate.set()
        server.stop(None).wait()


@contextlib.contextmanager
def serving_in_a_loop(handlers: Handlers, workers: int = 2) -> Iterator[int]:
    def in_a_task(function: Callable) -> Callable:
        async def handle(request: bytes, context: grpc.aio.ServicerContext) -> bytes:
            if function == handlers.wait:
                return await asyncio.get_running_loop().run_in_executor(None, function, request, None)
            return function(request, context)

        return handle

    async def main() -> None:
        server = sage_rpc.aio.server(handlers=(handlers.as_generic(in_a_task),))
        started.set_result(server.add_insecure_port("127.0.0.1:0"))
        await server.start()
        ready.set()
        await asyncio.get_running_loop().run_in_executor(None, over.wait)
        await server.stop(None)

    started: futures.Future[int] = futures.Future()
    ready, over = threading.Event(), threading.Event()
    thread = threading.Thread(target=asyncio.run, args=(main(),))
    thread.start()
    try:
        assert ready.wait(20)
        yield started.result()
    finally:
        handlers.gate.set()
        over.set()
        thread.join()


@pytest.fixture(params=[serving, serving_in_a_loop], ids=["threads", "loop"])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[Handlers, int]]:
    handlers = Handlers()
    with request.param(handlers) as port:
        yield handlers, port


def call(peer: w.Peer, stream: int, name: bytes, body: bytes = b"") -> None:
    peer.send(w.OPEN, CALL, stream, stream % 60000, w.block(name) + body)


def answers(peer: w.Peer, count: int) -> dict[int, tuple[int, int]]:
    """Read until `count` calls have ended. -> stream: (status, bytes of the answer)"""
    sizes: dict[int, int] = {}
    ended: dict[int, tuple[int, int]] = {}
    while len(ended) < count:
        frame = peer.receive()
        assert frame is not None, "the server closed the connection"
        if frame.flags & w.HAS_MESSAGE:
            first = frame.flags & w.MORE and not frame.flags & w.CONTINUED
            sizes[frame.stream] = sizes.get(frame.stream, 0) + len(frame.body) - (8 if first else 0)
        if frame.type == w.TRAILERS:
            ended[frame.stream] = frame.aux, sizes.get(frame.stream, 0)
    return ended


# ---------------------------------------------------------------- what a client may have waiting


def test_calls_whose_answers_nobody_takes_are_not_begun_and_not_lost(server):
    """All requests are read at once; their answers, 200 MiB, would have to wait in the server."""
    handlers, port = server
    with w.client(port) as peer:
        for stream in range(1, 201):
            call(peer, stream, b"/t/big")
        until(lambda: len(handlers.begun) >= 16)
        with sage_rpc.insecure_channel(f"127.0.0.1:{port}", SHM) as channel:  # nobody else notices
            assert channel.unary_unary(ECHO.decode())(b"x", timeout=20) == b"x"
        assert len(handlers.begun) < 60
        ended = answers(peer, 200)
    assert set(ended.values()) == {(0, MIB)}


def test_requests_that_nobody_begins_are_not_read_and_not_lost():
    handlers = Handlers()
    with serving(handlers, workers=1) as port, w.client(port, capacity=1 << 24) as peer:
        call(peer, 1, b"/t/wait")
        body = bytes(4 * MIB - 200)
        sent = 1
        with contextlib.suppress(AssertionError):
            for stream in range(2, 100):
                limit = time.monotonic() + 1.0
                while peer.capacity - (peer.head - peer.taken()) < len(body) + 200:
                    assert time.monotonic() < limit, "it is not read"
                    time.sleep(0.001)
                call(peer, stream, ECHO, body)
                sent = stream
        assert 60 < 4 * sent < 100  # MiB: 64, and what the ring holds
        handlers.gate.set()
        assert set(answers(peer, sent).values()) == {(0, 0), (0, len(body))}


def test_beside_a_stream_requests_that_nobody_begins_are_refused_and_the_stream_goes_on():
    """The stream's handler may wait for what is behind them in the ring, so it has to be read."""
    handlers = Handlers()
    with serving(handlers, workers=2) as port, w.client(port, capacity=1 << 24) as peer:
        peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(b"/t/chat"))
        peer.send(w.MESSAGE, w.HAS_MESSAGE, 1, 0, b"first")
        while (frame := peer.receive()).type != w.MESSAGE:
            pass
        assert frame.body == b"first"
        call(peer, 2, b"/t/wait")
        body = bytes(4 * MIB - 200)
        for stream in range(3, 103):
            call(peer, stream, ECHO, body)
        ended = answers(peer, 20)
        assert {code for code, _ in ended.values()} == {grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]}
        peer.send(w.MESSAGE, w.HAS_MESSAGE, 1, 0, b"second")
        while (frame := peer.receive()).type == w.TRAILERS:
            ended[frame.stream] = frame.aux, 0
        assert (frame.type, frame.stream, frame.body) == (w.MESSAGE, 1, b"second")
        handlers.gate.set()
        ended |= answers(peer, 101 - len(ended))
        assert sum(code == 0 for code, _ in ended.values()) >= 60


@pytest.mark.slow
def test_streams_are_refused_before_they_fill_the_memory(server):
    _, port = server
    with w.client(port, capacity=1 << 22) as peer:
        peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(b"/t/chat"))
        for stream in range(2, 50_000, 1000):
            peer.write(b"".join(w.frame(w.OPEN, 0, stream + n, 1) for n in range(1000)))
        refused = peer.receive()
        assert refused.aux == grpc.StatusCode.RESOURCE_EXHAUSTED.value[0]
        assert 30_000 < refused.stream < 35_000


def test_who_has_a_thousand_requests_waiting_does_not_keep_another_waiting():
    handlers = Handlers()
    with serving(handlers, workers=1) as port, w.client(port) as many, w.client(port) as one:
        call(many, 1, b"/t/wait")
        for stream in range(2, 1002):
            call(many, stream, ECHO, b"many")
        until(lambda: many.taken() == many.head)
        call(one, 1, ECHO, b"one")
        until(lambda: one.taken() == one.head)
        handlers.gate.set()
        assert answers(one, 1) == {1: (0, 3)}
        assert handlers.begun.index(b"one") <= 2
        answers(many, 1001)


# ---------------------------------------------------------------- what costs the peer nothing


def test_pings_whose_answers_nobody_reads_are_not_answered(server):
    _, port = server
    with w.client(port, capacity=1 << 16) as peer:
        keep_full(peer, frames_for_nothing(1)[0], time.monotonic() + 0.5)
        peer.sock.setblocking(True)
        peer.sock.settimeout(w.WAIT)
        peer.head = peer._u64(peer.out)
        until(lambda: peer.taken() == peer.head)
        assert peer.head > 4 * peer.capacity  # so many were read
        answered = (peer._u64(peer.into) - peer.tail) // 16
        assert answered <= peer.capacity // 16
        for _ in range(answered):
            assert peer.receive().type == w.PING
        call(peer, 1, ECHO, b"still here")
        while (frame := peer.receive()).type == w.PING:
            pass
        assert frame.body == b"still here"


def test_the_names_of_a_connection_are_bounded(server, monkeypatch):
    monkeypatch.setattr(w, "WAIT", 2.0)
    _, port = server
    with w.client(port) as peer:
        with contextlib.suppress(AssertionError, OSError):
            for number in range(1, 1000):
                peer.send(w.OPEN, CALL, number, number, w.block(b"/n/%d" % number + b"\xff" * 4000))
                peer.set_tail(peer._u64(peer.into))
        assert peer.ended()
        assert 0.9 * MIB < peer.taken() < 1.1 * MIB


def test_a_client_with_many_long_names_takes_another_connection(server):
    _, port = server
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}", SHM) as channel:
        for number in range(600):
            name = f"/{'n' * 4000}/{number}"
            with pytest.raises(grpc.RpcError) as raised:
                channel.unary_unary(name)(b"", timeout=20)
            assert raised.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_blocks_that_do_not_come_back_end_the_connection(monkeypatch):
    """The same memory, sent again and again."""
    monkeypatch.setattr(w, "WAIT", 2.0)
    handlers = Handlers()
    with serving(handlers, workers=1) as port:
        with w.client(port, features=3, arena=w.ARENA) as peer:
            call(peer, 1, b"/t/wait")
            table = w.blocks(*((n * 4096, 0, 4096) for n in range(512)))
            with contextlib.suppress(AssertionError, OSError):
                for stream in range(2, 300):
                    peer.send(w.OPEN, CALL, stream, 2, w.block(ECHO) + table, extra=w.BLOCKS)
            assert peer.ended()
            assert 120 <= peer.taken() // 12_000 <= 140


# ---------------------------------------------------------------- handshakes


@pytest.mark.parametrize("capacity", [1 << 29, 1 << 30])
def test_larger_rings_than_256_mib_are_refused(server, capacity):
    _, port = server
    with w.dial(port) as sock:
        socket.send_fds(sock, [w.hello(capacity)], [w.segment(capacity)])
        status, text = w.welcome(sock)
    assert status == 2
    assert "capacity" in text


def test_larger_arenas_than_a_server_maps_are_not_used():
    with serving(Handlers()) as port:
        for arena, accepted in ((1 << 24, 3), (1 << 34, 1)):
            with w.dial(port) as sock:
                segment = w.segment(arena=arena)
                socket.send_fds(sock, [w.hello(features=3)], [segment])
                os.close(segment)
                assert struct.unpack("<8sHHII", sock.recv(20))[2:4] == (0, accepted)


def test_the_oldest_stranger_makes_room(server):
    _, port = server
    strangers = [w.dial(port) for _ in range(accept.MOST_STRANGERS + 3)]
    for sock in strangers[:3]:
        assert sock.recv(1) == b""
    strangers[3].setblocking(False)
    with pytest.raises(BlockingIOError):
        strangers[3].recv(1)
    with w.client(port) as peer:
        call(peer, 1, ECHO, b"x")
        assert answers(peer, 1) == {1: (0, 1)}
    for sock in strangers:
        sock.close()


def test_a_welcome_that_drips_does_not_stretch_a_deadline():
    with w.Listener() as listener, sage_rpc.insecure_channel(listener.target, SHM) as channel:

        def drip() -> None:
            sock, _ = listener.socket.accept()
            with sock, contextlib.suppress(OSError):
                for byte in struct.pack("<8sHHII", b"SAGERPC\n", 1, 0, 0, 16) + bytes(16):
                    sock.send(bytes([byte]))
                    if over.wait(0.2):
                        return

        over = threading.Event()
        thread = threading.Thread(target=drip)
        thread.start()
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            channel.unary_unary("/x/y")(b"", timeout=0.5)
        assert time.monotonic() - begun < 2.0  # and not 36 times 0.2 s
        over.set()
        thread.join()


def test_a_server_with_a_full_backlog_is_passed_over():
    """Nobody accepts there; connecting to it would block."""
    handlers = Handlers()
    with serving(handlers) as port, w.Listener(port) as full:
        full.socket.listen(0)
        waiting = []
        with contextlib.suppress(BlockingIOError):
            while True:
                sock = socket.socket(socket.AF_UNIX)
                waiting.append(sock)
                sock.setblocking(False)
                sock.connect(str(full.path))
        for _ in range(10):  # in random order
            with sage_rpc.insecure_channel(f"127.0.0.1:{port}", SHM) as channel:
                begun = time.monotonic()
                assert channel.unary_unary(ECHO.decode())(b"x", timeout=20) == b"x"
                assert time.monotonic() - begun < 1.5
        for sock in waiting:
            sock.close()


# ---------------------------------------------------------------- servers that flood their clients


@pytest.mark.parametrize("number", range(5))
@pytest.mark.parametrize("how", ["call", "future", "stream"])
def test_a_deadline_holds_beside_frames_without_end(number, how):
    """Whoever waits looks at the time, however much there is to read."""
    end = threading.Event()

    def serve() -> None:
        with listener.accept() as peer:
            frame = peer.receive()
            while not end.is_set():
                keep_full(peer, frames_for_nothing(frame.stream)[number], time.monotonic() + 0.1)

    with (
        w.Listener(1 + number, features=1) as listener,
        sage_rpc.insecure_channel(listener.target, SHM) as channel,
    ):
        thread = threading.Thread(target=serve)
        thread.start()
        begun = time.monotonic()
        ways = {
            "call": lambda: channel.unary_unary("/x/y")(b"", timeout=0.3),
            "future": lambda: channel.unary_unary("/x/y").future(b"", timeout=0.3).result(),
            "stream": lambda: list(channel.stream_stream("/x/y")(iter([b"a"]), timeout=0.3)),
        }
        with pytest.raises(TimeoutError):
            ways[how]()
        assert time.monotonic() - begun < 5
        end.set()
    thread.join()


def test_what_a_dead_server_goes_on_writing_is_read_once():
    """Its socket is shut, and its ring is always full."""
    end = threading.Event()

    def serve() -> None:
        with listener.accept() as peer:
            peer.receive()
            peer.sock.shutdown(socket.SHUT_RDWR)
            while not end.is_set():
                keep_full(peer, frames_for_nothing(1)[0], time.monotonic() + 0.1)

    with w.Listener() as listener, sage_rpc.insecure_channel(listener.target, SHM) as channel:
        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(ConnectionError):
            channel.unary_unary("/x/y")(b"", timeout=20)
        end.set()
    thread.join()
