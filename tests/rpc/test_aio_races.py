"""sage_rpc.aio where two things happen at once, or where what a turn calls does not return as it should."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

import grpc
import pytest

from sage_rpc import aio
from sage_rpc.transport.shm import feeders
from tests import wire_peer as w
from tests.conftest import ServerProcess, needs_native
from tests.loops import LOOPS, eventually, in_loop, run_in_loop

pytestmark = [needs_native, pytest.mark.filterwarnings("error")]

FORCED = [("sage_rpc.transport", "shm")]
SECONDS = 10
ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def aio_server():
    with ServerProcess("127.0.0.1:0", program="aio_server.py") as process:
        yield process


async def echo(request, context):
    return request


# ---------------------------------------------------------------- turns


@pytest.mark.parametrize("error", [ValueError, asyncio.CancelledError, GeneratorExit])
@pytest.mark.parametrize("loop", LOOPS)
def test_a_callback_that_raises_keeps_no_other_call_from_its_end(aio_server, error, loop):
    async def body():
        def fails(_call):
            raise error

        async with aio.insecure_channel(aio_server.target, options=FORCED) as channel:
            pause = channel.unary_unary("/test.Aio/pause")
            await pause(b"0", timeout=SECONDS)
            ended: list[str] = []
            first, second = pause(b"0.01"), pause(b"0.2")
            first.add_done_callback(fails)
            first.add_done_callback(lambda _: ended.append("first"))
            with pytest.raises(error):  # as grpc.aio has it: whoever awaits the call hears of it
                await first
            assert await asyncio.wait_for(asyncio.shield(second), SECONDS) == b"0.2"
            assert ended == []

    run_in_loop(body(), kind=loop)


@in_loop
async def test_a_callback_that_raises_keeps_no_deadline_from_passing():
    def fails(_call):
        raise asyncio.CancelledError

    with w.Listener(features=1) as listener:
        async with aio.insecure_channel(listener.target, options=FORCED) as channel:
            accepted = asyncio.ensure_future(asyncio.to_thread(listener.accept))
            await channel.channel_ready()
            with await accepted:  # which answers nothing
                call = channel.unary_unary("/test.Races/echo")
                first, second = call(b"", timeout=0.05), call(b"", timeout=0.1)
                first.add_done_callback(fails)
                code = await asyncio.wait_for(second.code(), SECONDS)
                assert code == grpc.StatusCode.DEADLINE_EXCEEDED


DROPPED_ELSEWHERE = """
import asyncio, gc, sys, threading
from sage_rpc import aio

sys.setswitchinterval(1e-6)
gc.disable()
box, go, done = [], threading.Event(), threading.Event()

def drop():
    while True:
        while not go.is_set():
            pass
        box.clear()
        gc.collect()
        go.clear()
        done.set()

async def main():
    threading.Thread(target=drop, daemon=True).start()
    for _ in range(30):
        channel = aio.insecure_channel(sys.argv[1], options=[("sage_rpc.transport", "shm")])
        call = channel.stream_stream("/test.Aio/chat")()
        await call.write(b"a")
        assert await call.read() == b"a"
        del channel                     # its connection ends with its last call
        gc.collect()
        await call.write(b"b")
        box.append(call)
        del call
        go.set()
        while not done.is_set():
            await asyncio.sleep(0)
        done.clear()
    gc.collect()
    print("well")

asyncio.run(main())
"""


@pytest.mark.slow
def test_the_last_call_of_a_connection_may_be_dropped_by_another_thread(aio_server):
    """The garbage collector runs in any thread, also while the loop's watches the ring."""
    ended = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", DROPPED_ELSEWHERE, aio_server.target],
        capture_output=True,
        text=True,
        timeout=50,
        cwd=ROOT,
        check=False,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "well\n", "")


# ---------------------------------------------------------------- hostile peers


async def silent(requests, context):
    await asyncio.Event().wait()


@contextlib.asynccontextmanager
async def raw_server(**arguments: Any):
    table = {
        "echo": grpc.unary_unary_rpc_method_handler(echo),
        "silent": grpc.stream_unary_rpc_method_handler(silent),
    }
    server = aio.server(**arguments)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Races", table),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield server, port
    finally:
        await server.stop(None)


@in_loop
async def test_calls_that_break_the_rules_do_not_count_as_calls_under_way():
    def break_rules(port):
        with w.client(port) as peer:
            peer.send(w.OPEN, w.HAS_NAME | w.HAS_MESSAGE, 1, 1, w.block(b"/test.Races/echo") + b"x")
            assert peer.ended()

    async with raw_server(maximum_concurrent_rpcs=1) as (_, port):
        await asyncio.to_thread(break_rules, port)
        async with aio.insecure_channel(f"127.0.0.1:{port}", options=FORCED) as channel:
            assert await channel.unary_unary("/test.Races/echo")(b"x", timeout=SECONDS) == b"x"


@in_loop
async def test_a_client_that_sends_more_than_its_credit_loses_its_connection():
    def flood(port):
        with w.client(port) as peer:
            peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(b"/test.Races/silent"))
            for _ in range(18):
                peer.send(w.MESSAGE, w.HAS_MESSAGE, 1, 0, bytes(65520))
            assert peer.ended()

    async with raw_server() as (_, port):
        await asyncio.to_thread(flood, port)


# ---------------------------------------------------------------- the end of channels


@in_loop
async def test_closing_a_channel_ends_a_call_that_is_to_be_sent_again():
    with w.Listener(features=1) as listener:
        channel = aio.insecure_channel(listener.target)
        refused = asyncio.ensure_future(asyncio.to_thread(listener.accept))
        attempt = asyncio.ensure_future(channel.channel_ready())
        with await refused as peer:
            await attempt
            assert channel.transport == "shm"
            call = channel.unary_unary("/test.Races/echo")(b"x")
            assert (await asyncio.to_thread(peer.receive)).type == w.OPEN
            peer.send(w.GOAWAY, 0, 0, 0)
            # The next attempt, whose handshake nobody answers:
            await eventually(lambda: channel._channel._attempt, "an attempt to connect")
            await channel.close()
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(call, SECONDS)


@in_loop
async def test_closing_a_channel_ends_the_calls_of_the_connection_before():
    with w.Listener(features=1) as listener:
        channel = aio.insecure_channel(listener.target, options=FORCED)
        accepted = asyncio.ensure_future(asyncio.to_thread(listener.accept))
        await channel.channel_ready()
        with await accepted as peer:
            call = channel.unary_unary("/test.Races/echo")(b"x")
            assert (await asyncio.to_thread(peer.receive)).type == w.OPEN
            peer.send(w.GOAWAY, 0, 0, 1)
            conn = channel._channel.shm.conn
            await eventually(lambda: conn.draining, "GOAWAY")
            accepted = asyncio.ensure_future(asyncio.to_thread(listener.accept))
            await channel.channel_ready()  # over a new connection
            with await accepted:
                await channel.close()
                with pytest.raises(asyncio.CancelledError):
                    await asyncio.wait_for(call, SECONDS)


class _NoReaders(asyncio.SelectorEventLoop):
    """A loop that has no room for another descriptor."""

    full = False

    def add_reader(self, fd, callback, *args):
        if self.full:
            raise OSError(28, "No space left on device")
        super().add_reader(fd, callback, *args)


def test_a_loop_that_cannot_watch_a_connection_leaves_grpc():
    loop = _NoReaders()

    async def body():
        async with raw_server() as (_, port), aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            loop.full = True
            assert await channel.unary_unary("/test.Races/echo")(b"x", timeout=SECONDS) == b"x"
            assert channel.transport == "grpc"
            assert "No space left" in channel.transport_reason

    try:
        loop.run_until_complete(asyncio.wait_for(body(), SECONDS))
    finally:
        loop.close()


@in_loop
async def test_a_process_without_threads_leaves_grpc(monkeypatch):
    start = threading.Thread.start

    def refuses(thread):
        if thread.name == "sage_rpc requests":
            raise RuntimeError("can't start new thread")
        start(thread)

    async with raw_server() as (_, port), aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        monkeypatch.setattr(feeders, "_idle", deque())
        monkeypatch.setattr(threading.Thread, "start", refuses)
        assert await channel.unary_unary("/test.Races/echo")(b"x", timeout=SECONDS) == b"x"
        assert channel.transport == "grpc"


# ---------------------------------------------------------------- the end of servers


@pytest.mark.parametrize("transport", ["shm", "grpc"])
@in_loop
async def test_a_handler_may_stop_its_server(transport, runtime_directory):
    async def ends(request, context):
        await server.stop(None)

    server = aio.server()
    table = {"end": grpc.unary_unary_rpc_method_handler(ends)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Races", table),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("sage_rpc.transport", transport)]
    async with aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        with pytest.raises(aio.AioRpcError):
            await channel.unary_unary("/test.Races/end")(b"", timeout=SECONDS)
        await asyncio.wait_for(server.wait_for_termination(), SECONDS)
        assert list(runtime_directory.iterdir()) == []


@in_loop
async def test_a_stop_that_its_caller_gives_up_goes_on(runtime_directory):
    server = aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    stop = asyncio.ensure_future(server.stop(None))
    await asyncio.sleep(0)
    stop.cancel()
    await asyncio.wait([stop])
    await asyncio.wait_for(server.wait_for_termination(), SECONDS)
    assert list(runtime_directory.iterdir()) == []


@in_loop
async def test_a_server_that_is_stopped_while_it_starts_serves_nobody(runtime_directory):
    server = aio.server()
    server.add_insecure_port("127.0.0.1:0")
    start = asyncio.ensure_future(server.start())
    await asyncio.sleep(0)
    await server.stop(None)
    await asyncio.wait([start])
    await asyncio.wait_for(server.wait_for_termination(), SECONDS)
    assert list(runtime_directory.iterdir()) == []


@in_loop
async def test_a_request_in_pieces_arrives_within_the_grace():
    def first_piece(port):
        peer = w.client(port)
        body = w.block(b"/test.Races/echo") + (2000).to_bytes(8, "little") + bytes(1000)
        peer.send(w.OPEN, w.HAS_NAME | w.HAS_MESSAGE | w.MORE, 1, 1, body)
        peer.send(w.PING, 0, 0, 1)
        assert peer.receive().type == w.PING
        return peer

    def second_piece(peer):
        assert peer.receive().type == w.GOAWAY
        peer.send(w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED | w.END, 1, 0, bytes(1000))
        return peer.receive()

    async with raw_server() as (server, port):
        with await asyncio.to_thread(first_piece, port) as peer:
            stop = asyncio.ensure_future(server.stop(SECONDS))
            answer = await asyncio.to_thread(second_piece, peer)
            assert (answer.type, answer.aux, len(answer.body)) == (w.TRAILERS, 0, 2000)
            await stop
