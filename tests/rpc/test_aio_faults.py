"""asyncio clients and servers whose peers are killed, stopped, or speak garbage, and storms of ends.

Nothing hangs, no answer is wrong, nothing is left behind; a peer that misbehaves harms its own connection
only.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import select
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from sage_rpc import aio
from tests import wire_peer as w
from tests.conftest import PROGRAMS, UNLIMITED, ServerProcess, needs_native
from tests.loops import LOOPS, eventually, in_loop, run_in_loop
from tests.programs.aio_server import handlers
from tests.segments import mapped
from tests.transport.test_peers import BROKEN_CLIENTS, BROKEN_SERVERS, ODD_SERVERS, STRANGERS

pytestmark = [needs_native, pytest.mark.filterwarnings("error")]

FORCED = [("sage_rpc.transport", "shm")]
STREAMS = 1  # the feature bit
SECONDS = 10
KILLS = 30
CLIENTS = 2


class Nursery:
    """Server processes that are there at once: tests/programs/aio_server.py --nursery."""

    def __init__(self, loop: str) -> None:
        self._process = _program("aio_server.py", "--nursery", loop=loop)
        self.pid = 0

    def start(self, address: str = "127.0.0.1:0") -> int:
        """-> the port."""
        self._process.stdin.write(address + "\n")
        self._process.stdin.flush()
        self.pid, port = map(int, self._process.stdout.readline().split())
        return port

    def kill(self) -> float:
        """-> when, by time.monotonic()."""
        now = time.monotonic()
        os.kill(self.pid, signal.SIGKILL)
        return now

    def kill_and_wait(self) -> None:
        """Its sockets are closed when this returns."""
        process = os.pidfd_open(self.pid)
        try:
            self.kill()
            assert select.select([process], [], [], SECONDS)[0], "the killed server does not end"
        finally:
            os.close(process)

    def __enter__(self) -> Nursery:
        return self

    def __exit__(self, *args: object) -> None:
        self._process.communicate(timeout=SECONDS)


class LoadClient:
    """tests/programs/aio_load_client.py as a process."""

    def __init__(self, target: str, loop: str = "asyncio") -> None:
        self._process = _program("aio_load_client.py", target, loop=loop)

    def expect(self, word: str) -> list[float]:
        """Wait for the next report, which must be `word`; -> its numbers."""
        line = self._process.stdout.readline()
        if line.partition(" ")[0] != word:
            self._process.kill()
            raise AssertionError(f"expected {word!r}, got {line!r}\n{self._process.stderr.read()}")
        return [float(part) for part in line.split()[1:]]

    def go_on(self) -> None:
        self._process.stdin.write("go\n")
        self._process.stdin.flush()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()


def _program(name: str, *arguments: str, loop: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(PROGRAMS / name), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if name == "aio_load_client.py" else None,
        text=True,
        env={**os.environ, "PYTHONPATH": str(PROGRAMS.parents[1]), "TEST_LOOP": loop},
    )


@contextlib.contextmanager
def load(target: str, count: int = CLIENTS, loop: str = "asyncio") -> Iterator[list[LoadClient]]:
    clients = [LoadClient(target, loop) for _ in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.kill()


def client_of(target: str, program: str) -> subprocess.Popen[str]:
    """A client process that has said "up"."""
    client = subprocess.Popen([sys.executable, "-c", program, target], stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "up\n"
    return client


@contextlib.contextmanager
def stopped(process: subprocess.Popen[str]) -> Iterator[None]:
    process.send_signal(signal.SIGSTOP)
    os.waitid(os.P_PID, process.pid, os.WSTOPPED)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


@pytest.fixture
def aio_server():
    with ServerProcess("127.0.0.1:0", program="aio_server.py") as process:
        yield process


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[str]:
    """The target of a server in this loop."""
    server = aio.server()
    echo = grpc.unary_unary_rpc_method_handler(_echo)
    as_the_other = grpc.method_handlers_generic_handler("test.Unary", {"echo": echo})
    server.add_generic_rpc_handlers((handlers(), as_the_other))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
        await eventually(lambda: server._shm.core.active == 0 and not server._runner.tasks, "all calls end")
    finally:
        await server.stop(None)


async def _echo(request: bytes, context: Any) -> bytes:
    return request


async def echo(channel: aio.Channel, data: bytes = b"x") -> bytes:
    return await channel.unary_unary("/test.Aio/echo")(data, timeout=SECONDS)


async def held(channel: aio.Channel) -> list[int]:
    """What the server holds: descriptors, segments, tasks, threads, calls under way; this call included."""
    return [int(n) for n in (await channel.unary_unary("/test.Aio/held")(b"", timeout=SECONDS)).split()]


CALLS: list[Callable[..., Any]] = [
    lambda channel, **more: channel.unary_unary("/test.Aio/wait")(b"", **more),
    lambda channel, **more: channel.unary_stream("/test.Aio/wait_many")(b"", **more),
    lambda channel, **more: channel.stream_unary("/test.Aio/wait_join")(**more),
    lambda channel, **more: channel.stream_stream("/test.Aio/wait_chat")(**more),
]


# ---------------------------------------------------------------- killed


@pytest.mark.slow
@pytest.mark.timeout(120)
@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_killed_thirty_times_under_load(runtime_directory, loop):
    """Calls of all kinds end with UNAVAILABLE at once, new ones find the next server, nothing adds up."""
    kills = KILLS if loop == "asyncio" else KILLS // 3
    delays: list[float] = []
    with Nursery(loop) as nursery:
        port = nursery.start()
        with load(f"127.0.0.1:{port}", loop=loop) as clients:
            first = [client.expect("up") for client in clients]
            for _ in range(kills):
                killed = nursery.kill()
                delays += [client.expect("down")[0] - killed for client in clients]
                nursery.start(f"127.0.0.1:{port}")
                for client in clients:
                    client.go_on()
                last = [client.expect("up") for client in clients]
            for before, after in zip(first, last, strict=True):
                assert [n <= m + 2 for n, m in zip(after, before, strict=True)] == [True] * 4, (before, after)
                assert after[1] == 1  # one segment, that of the connection in use
        assert len(list(runtime_directory.iterdir())) == 1  # the socket of the server that lives
    assert len(delays) == CLIENTS * kills
    assert statistics.median(delays) < 0.1, sorted(delays)
    assert max(delays) < 2.0, sorted(delays)


@pytest.mark.slow
@in_loop
async def test_clients_killed_under_load_leave_nothing_in_the_server(aio_server):
    """Their handlers are cancelled, too: those that wait would otherwise wait for ever."""
    loop = asyncio.get_running_loop()
    async with aio.insecure_channel(aio_server.target, FORCED) as channel:
        with load(aio_server.target) as clients:
            for client in clients:
                await loop.run_in_executor(None, client.expect, "up")
        like: list[int] = []

        async def quiet() -> bool:
            """Whether the server holds one connection and this call, and what it held before."""
            now = await held(channel)
            like[:] = like or now
            return now[1] == 1 and now[4] == 1 and now <= like

        await eventually(quiet, "the first clients are forgotten")
        like[:] = await held(channel)
        for _ in range(6):
            with load(aio_server.target) as clients:
                for client in clients:
                    await loop.run_in_executor(None, client.expect, "up")
            await eventually(quiet, f"the clients are forgotten: {like}")
        waiting = await channel.unary_unary("/test.Aio/waiting")(b"")
        assert waiting == b"0 %d" % (4 * CLIENTS * 7)  # every one of them was cancelled


@in_loop
async def test_a_server_killed_in_the_middle_of_big_messages():
    big = bytes(32 << 20)
    with Nursery("asyncio") as nursery:
        port = nursery.start()
        async with aio.insecure_channel(f"127.0.0.1:{port}", [*FORCED, *UNLIMITED]) as channel:
            for delay in (0.0, 0.005, 0.01, 0.02):
                assert await echo(channel) == b"x"
                calls = [channel.unary_unary("/test.Aio/echo")(big) for _ in range(2)]
                stream = channel.stream_stream("/test.Aio/chat")()
                writing = asyncio.ensure_future(stream.write(big))
                await asyncio.sleep(delay)  # long enough to be in the middle, most likely
                nursery.kill()
                codes = await asyncio.wait_for(
                    asyncio.gather(*[call.code() for call in (*calls, stream)]), SECONDS
                )
                assert codes[-1] is grpc.StatusCode.UNAVAILABLE
                assert set(codes) <= {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK}
                await asyncio.wait([writing], timeout=SECONDS)
                assert writing.done()
                with contextlib.suppress(grpc.RpcError, asyncio.InvalidStateError, aio.InternalError):
                    writing.result()
                nursery.start(f"127.0.0.1:{port}")


@in_loop
async def test_a_client_killed_in_the_middle_of_a_big_message(aio_server):
    program = """
import asyncio, sys
from sage_rpc import aio
async def main():
    options = [("sage_rpc.transport", "shm"), ("grpc.max_receive_message_length", -1)]
    async with aio.insecure_channel(sys.argv[1], options) as channel:
        call = channel.unary_unary("/test.Aio/echo")
        await call(b"")
        print("up", flush=True)
        while True:
            await call(bytes(60 << 20))
asyncio.run(main())
"""
    async with aio.insecure_channel(aio_server.target, FORCED) as channel:
        for delay in (0.0, 0.05):
            client = client_of(aio_server.target, program)
            await asyncio.sleep(delay)
            client.kill()
            client.communicate()
            assert await echo(channel) == b"x"
        await eventually(lambda: _holds(channel, segments=1, calls=1), "its connections are gone")


async def _holds(channel: aio.Channel, segments: int, calls: int) -> bool:
    now = await held(channel)
    return (now[1], now[4]) == (segments, calls)


# ---------------------------------------------------------------- stopped


@in_loop
async def test_a_stopped_server_is_not_dead(aio_server):
    """SIGSTOP: deadlines end the calls, the connection stays and works when the server goes on."""
    async with aio.insecure_channel(aio_server.target, FORCED) as channel:
        assert await echo(channel) == b"x"
        chat = channel.stream_stream("/test.Aio/chat")()
        await chat.write(b"before")
        assert await chat.read() == b"before"
        with stopped(aio_server.process):
            late = [call(channel, timeout=0.2) for call in CALLS]
            codes = await asyncio.wait_for(asyncio.gather(*[call.code() for call in late]), SECONDS)
            assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}
            patient = channel.unary_unary("/test.Aio/echo")(b"late")
            await chat.write(b"meanwhile")
            assert not patient.done()
        assert await asyncio.wait_for(patient, SECONDS) == b"late"
        assert await asyncio.wait_for(chat.read(), SECONDS) == b"meanwhile"
        chat.cancel()
        assert channel.transport == "shm"
        await eventually(lambda: _holds(channel, segments=1, calls=1), "the late calls have ended there")


@in_loop
async def test_a_stopped_client_stalls_nobody(aio_server):
    """It neither reads nor dies: its handler waits, others are served, and goes on with it."""
    program = """
import asyncio, os, signal, sys
from sage_rpc import aio
async def main():
    async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")]) as channel:
        call = channel.unary_stream("/test.Aio/fill")(b"")
        await call.read()
        print("up", flush=True)
        os.kill(os.getpid(), signal.SIGSTOP)  # by itself, before it has read the rest
        for _ in range(100):
            await call.read()
        call.cancel()
        print("down", flush=True)
asyncio.run(main())
"""
    client = client_of(aio_server.target, program)
    async with aio.insecure_channel(aio_server.target, FORCED) as channel:
        with stopped(client):
            for number in range(200):
                assert await echo(channel, b"%d" % number) == b"%d" % number
        out, _ = await asyncio.get_running_loop().run_in_executor(None, client.communicate)
        assert out == "down\n"
        await eventually(lambda: _holds(channel, segments=1, calls=1), "its handler is cancelled")


# ---------------------------------------------------------------- quiet


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.slow
@in_loop
async def test_an_idle_server_and_its_clients_use_no_cpu(aio_server):
    """A hundred connections, each with a stream open, quiet for a while: nobody wakes up."""
    channels = [aio.insecure_channel(aio_server.target, FORCED) for _ in range(100)]
    await asyncio.gather(*[echo(channel) for channel in channels])
    streams = [CALLS[1](channel, timeout=1000) for channel in channels]
    assert await asyncio.gather(*[stream.read() for stream in streams]) == [b"first"] * 100
    await asyncio.sleep(0.3)  # what was hot cools down
    before = _cpu_seconds(aio_server.process.pid), time.process_time()
    await asyncio.sleep(1.5)
    used = _cpu_seconds(aio_server.process.pid) - before[0], time.process_time() - before[1]
    await asyncio.gather(*[channel.close() for channel in channels])
    assert used[0] <= 0.02, used
    assert used[1] <= 0.02, used


@in_loop
async def test_a_server_that_does_not_read_costs_no_cpu():
    """More is to be sent than the ring holds, and nobody waits for it any more."""
    with w.Listener(features=STREAMS) as listener:
        async with aio.insecure_channel(listener.target, [*FORCED, *UNLIMITED]) as channel:
            calls = [channel.unary_unary("/x/y")(bytes(4 << 20)) for _ in range(3)]
            stream = channel.stream_stream("/x/y")()
            writing = asyncio.ensure_future(stream.write(bytes(4 << 20)))
            peer = await asyncio.get_running_loop().run_in_executor(None, listener.accept)
            await asyncio.sleep(0.2)
            calls[0].cancel()
            before = time.process_time()
            await asyncio.sleep(0.7)
            assert time.process_time() - before < 0.2
            peer.close()
            codes = await asyncio.wait_for(asyncio.gather(*[c.code() for c in (*calls, stream)]), SECONDS)
            assert codes == [grpc.StatusCode.CANCELLED, *[grpc.StatusCode.UNAVAILABLE] * 3]
            await asyncio.wait([writing])
            assert writing.exception() is not None


# ---------------------------------------------------------------- garbage


def port_of(target: str) -> int:
    return int(target.rpartition(":")[2])


async def beside(work: Callable[..., Any], *arguments: Any) -> Any:
    """`work`, which blocks, in a thread."""
    return await asyncio.wait_for(
        asyncio.get_running_loop().run_in_executor(None, work, *arguments), 2 * SECONDS
    )


@pytest.mark.parametrize("broken", BROKEN_CLIENTS.values(), ids=BROKEN_CLIENTS.keys())
@in_loop
async def test_a_client_that_breaks_the_rules_loses_its_connection_only(broken, caplog):
    def misbehave() -> None:
        with w.client(port) as peer:
            broken(peer)
            assert peer.ended()

    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        port = port_of(target)
        chat = channel.stream_stream("/test.Aio/chat")()
        await chat.write(b"before")
        await beside(misbehave)
        assert await chat.read() == b"before"
        assert await echo(channel) == b"x"
        chat.cancel()
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize(("talk", "status"), STRANGERS.values(), ids=STRANGERS.keys())
@in_loop
async def test_a_stranger_on_the_socket_is_told_why_and_sent_away(talk, status):
    def strange() -> tuple[int, str, bytes]:
        with w.dial(port) as sock:
            talk(sock)
            return *w.welcome(sock), sock.recv(1)

    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        port = port_of(target)
        said, text, rest = await beside(strange)
        assert said == status
        assert text
        assert rest == b""
        assert await echo(channel) == b"x"


@in_loop
async def test_strangers_that_say_nothing_keep_nobody_out():
    async with serving() as target:
        silent = [w.dial(port_of(target)) for _ in range(50)]
        async with aio.insecure_channel(target, FORCED) as channel:
            assert await echo(channel) == b"x"
        for sock in silent:
            sock.close()
        async with aio.insecure_channel(target, FORCED) as channel:
            assert await echo(channel) == b"x"


@in_loop
async def test_a_client_that_does_not_read_its_answers_stalls_nobody():
    def ask(peer: w.Peer) -> None:
        flags = w.END | w.HAS_MESSAGE
        peer.send(w.OPEN, flags | w.HAS_NAME, 1, 1, w.block(b"/test.Unary/echo") + bytes(100_000))
        for stream in range(2, 20):
            peer.send(w.OPEN, flags, stream, 1, bytes(100_000))

    def read(peer: w.Peer) -> list[tuple[int, int]]:
        ended: list[tuple[int, int]] = []
        while len(ended) < 19:
            frame = peer.receive()
            if frame.type == w.TRAILERS:
                ended.append((frame.stream, frame.aux))
        return sorted(ended)

    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        with await beside(w.client, port_of(target)) as peer:
            await beside(ask, peer)
            for number in range(100):
                assert await echo(channel, b"%d" % number) == b"%d" % number
            assert await beside(read, peer) == [(stream, 0) for stream in range(1, 20)]


@contextlib.asynccontextmanager
async def answering(act: Callable[[w.Peer, w.Frame], Any]) -> AsyncIterator[aio.Channel]:
    """A channel to a peer that takes one call, does `act(peer, frame)`, and waits for the client's end."""

    def serve(listener: w.Listener) -> None:
        with listener.accept() as peer:
            act(peer, peer.receive())
            peer.ended()

    with w.Listener(features=STREAMS) as listener:
        answered = asyncio.get_running_loop().run_in_executor(None, serve, listener)
        async with aio.insecure_channel(listener.target, [*FORCED, *UNLIMITED]) as channel:
            yield channel
        await asyncio.wait_for(answered, SECONDS)


@pytest.mark.parametrize("broken", BROKEN_SERVERS.values(), ids=BROKEN_SERVERS.keys())
@in_loop
async def test_a_server_that_breaks_the_rules_is_unavailable(broken):
    async with serving() as other, aio.insecure_channel(other, FORCED) as well, answering(broken) as channel:
        call = channel.unary_unary("/x/y")(b"", timeout=SECONDS)
        stream = channel.stream_stream("/x/y")(timeout=SECONDS)
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
        assert await stream.code() is grpc.StatusCode.UNAVAILABLE
        assert "over shared memory" in await call.details()
        assert await echo(well) == b"x"


@pytest.mark.parametrize(("odd", "code"), ODD_SERVERS.values(), ids=ODD_SERVERS.keys())
@in_loop
async def test_an_odd_answer_ends_its_call_only(odd, code):
    def act(peer: w.Peer, frame: w.Frame) -> None:
        odd(peer, frame)
        while (frame := peer.receive()) is not None:
            if frame.type == w.OPEN:
                peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"fine")

    async with answering(act) as channel:
        assert await channel.unary_unary("/x/y")(b"", timeout=SECONDS).code() is code
        assert await channel.unary_unary("/x/y")(b"", timeout=SECONDS) == b"fine"


def _mixed_up(peer: w.Peer, frame: w.Frame) -> None:
    flags = w.HAS_MESSAGE | w.MORE
    peer.send(w.MESSAGE, flags, frame.stream, 0, (9).to_bytes(8, "little") + b"abc")
    peer.send(w.MESSAGE, w.HAS_MESSAGE, frame.stream, 0, b"another")


def _cut_short(peer: w.Peer, frame: w.Frame) -> None:
    peer.send(w.MESSAGE, w.HAS_MESSAGE | w.MORE, frame.stream, 0, (9).to_bytes(8, "little") + b"abc")
    peer.send(w.TRAILERS, w.END, frame.stream)


BROKEN_STREAMS = {
    "success in the middle of a message": _cut_short,
    "pieces mixed up": _mixed_up,
    "credit without end": lambda p, f: [p.send(w.CREDIT, 0, f.stream, (1 << 31) - 1) for _ in range(2)],
    "a continuation of nothing": lambda p, f: p.send(
        w.MESSAGE, w.HAS_MESSAGE | w.CONTINUED, f.stream, 0, b"x"
    ),
}


@pytest.mark.parametrize("broken", BROKEN_STREAMS.values(), ids=BROKEN_STREAMS.keys())
@in_loop
async def test_a_server_that_breaks_the_rules_of_streams_is_unavailable(broken):
    async with answering(broken) as channel:
        call = channel.stream_stream("/x/y")(timeout=SECONDS)
        with pytest.raises(grpc.RpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


@in_loop
async def test_a_server_that_does_not_shake_hands_is_given_up():
    with w.Listener(features=STREAMS) as listener:
        async with aio.insecure_channel(listener.target, FORCED) as channel:
            late = [call(channel, timeout=0.2) for call in CALLS]
            patient = CALLS[0](channel)
            codes = await asyncio.gather(*[call.code() for call in late])
            assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}
            assert await patient.code() is grpc.StatusCode.UNAVAILABLE
            assert "did not answer the handshake" in await patient.details()


@in_loop
async def test_calls_a_leaving_server_did_not_take_are_sent_again():
    """OPEN and GOAWAY cross: the call never ran, so it goes to the server's successor."""

    def serve(listener: w.Listener) -> bytes:
        with listener.accept() as peer:
            frame = peer.receive()
            peer.send(w.GOAWAY, 0, 0, frame.stream - 1)
            with listener.accept() as successor:
                frame = successor.receive()
                successor.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"from the successor")
                successor.ended()
            peer.ended()
        return frame.body

    with w.Listener(features=STREAMS) as listener:
        served = asyncio.get_running_loop().run_in_executor(None, serve, listener)
        async with aio.insecure_channel(listener.target, FORCED) as channel:
            assert await channel.unary_unary("/x/y")(b"once", timeout=SECONDS) == b"from the successor"
        assert (await served).endswith(b"once")


@in_loop
async def test_a_retired_connection_ends_with_its_last_call():
    """After GOAWAY the channel moves on; the old connection lives as long as a call is under way on it."""
    go = asyncio.Event()
    loop = asyncio.get_running_loop()

    def serve(listener: w.Listener) -> None:
        with listener.accept() as peer:
            frame = peer.receive()
            peer.send(w.GOAWAY, 0, 0, frame.stream)
            with listener.accept() as successor:
                other = successor.receive()
                successor.send(w.TRAILERS, w.END | w.HAS_MESSAGE, other.stream, 0, b"new")
                asyncio.run_coroutine_threadsafe(go.wait(), loop).result(SECONDS)
                peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"old")
                peer.ended()
                successor.ended()

    with w.Listener(features=STREAMS) as listener:
        served = loop.run_in_executor(None, serve, listener)
        async with aio.insecure_channel(listener.target, FORCED) as channel:
            old = channel.unary_unary("/x/y")(b"")
            await eventually(lambda: channel.transport == "shm", "it is connected")
            await eventually(lambda: channel._channel._conn.draining, "the GOAWAY is there")
            assert await channel.unary_unary("/x/y")(b"", timeout=SECONDS) == b"new"
            go.set()
            assert await old == b"old"
        await asyncio.wait_for(served, SECONDS)


async def _unary_unary(channel: aio.Channel) -> None:
    assert await echo(channel) == b"x"


async def _unary_stream(channel: aio.Channel) -> None:
    call = channel.unary_stream("/test.Aio/count")(b"2", timeout=SECONDS)
    assert [response async for response in call] == [b"0", b"1"]


async def _stream_unary(channel: aio.Channel) -> None:
    call = channel.stream_unary("/test.Aio/join")(timeout=SECONDS)
    await call.write(b"a")
    await call.done_writing()
    assert await call == b"a"


async def _stream_stream(channel: aio.Channel) -> None:
    call = channel.stream_stream("/test.Aio/chat")(timeout=SECONDS)
    await call.write(b"a")
    assert await call.read() == b"a"
    await call.done_writing()
    assert await call.read() is aio.EOF


@in_loop
async def test_calls_begun_after_a_server_was_replaced_find_the_next_one():
    """Nobody had time to notice: the loop was busy."""
    with Nursery("asyncio") as nursery:
        port = nursery.start()
        async with aio.insecure_channel(f"127.0.0.1:{port}", FORCED) as channel:
            for work in (_unary_unary, _unary_stream, _stream_unary, _stream_stream):
                assert await echo(channel) == b"x"
                nursery.kill_and_wait()  # which blocks
                nursery.start(f"127.0.0.1:{port}")
                await work(channel)


# ---------------------------------------------------------------- storms


@pytest.mark.slow
@pytest.mark.parametrize("loop", LOOPS)
def test_a_storm_of_cancellations(aio_server, loop):
    """Thousands of calls of all kinds, cancelled at any point of their lives: the rest works, and is idle."""

    async def one(channel: aio.Channel, number: int, rng: random.Random) -> None:
        kinds = [
            lambda: channel.unary_unary("/test.Aio/echo")(bytes(rng.choice((1, 70_000)))),
            lambda: channel.unary_stream("/test.Aio/count")(b"20"),
            lambda: channel.unary_stream("/test.Aio/fill")(b""),
            lambda: channel.stream_unary("/test.Aio/join")(_numbers()),
            lambda: channel.stream_stream("/test.Aio/chat")(_numbers()),
            *[lambda kind=kind: kind(channel) for kind in CALLS],
        ]
        call = kinds[number % len(kinds)]()
        for _ in range(rng.choice((0, 0, 1, 2, 5, 20))):
            await asyncio.sleep(0)
        if rng.random() < 0.5 and hasattr(call, "read"):
            reading = asyncio.ensure_future(call.read())
            await asyncio.sleep(0.001 * rng.random())
            reading.cancel()
            await asyncio.wait([reading])
        call.cancel()
        assert call.done()
        with contextlib.suppress(asyncio.CancelledError, grpc.RpcError):
            await call.code()

    async def main() -> None:
        rng = random.Random(1)
        async with aio.insecure_channel(aio_server.target, FORCED) as channel:
            await echo(channel)
            for _ in range(10):
                await asyncio.gather(*[one(channel, number, rng) for number in range(200)])
                assert await echo(channel) == b"x"
            await eventually(lambda: _holds(channel, segments=1, calls=1), "the server is idle")
            assert "0 calls under way" in repr(channel._channel._conn)
            waiting = await channel.unary_unary("/test.Aio/waiting")(b"", timeout=SECONDS)
            assert waiting.startswith(b"0 ")

    run_in_loop(main(), kind=loop)


async def _numbers() -> AsyncIterator[bytes]:
    for number in range(20):
        yield b"%d" % number
        if number % 5 == 0:
            await asyncio.sleep(0)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_storm_of_deadlines(aio_server, loop):
    """Calls of all kinds whose deadlines pass at about the same time, here and there."""

    async def main() -> None:
        rng = random.Random(1)
        async with aio.insecure_channel(aio_server.target, FORCED) as channel:
            await echo(channel)
            for _ in range(3):
                calls = [
                    CALLS[number % 4](channel, timeout=rng.choice((0.0, 0.0001, 0.01, 0.05 * rng.random())))
                    for number in range(500)
                ]
                codes = await asyncio.gather(*[call.code() for call in calls])
                assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}
                assert await echo(channel) == b"x"
            await eventually(lambda: _holds(channel, segments=1, calls=1), "the server is idle")
            assert "0 calls under way" in repr(channel._channel._conn)

    run_in_loop(main(), kind=loop)


@in_loop
async def test_a_storm_of_channels():
    """Opened and closed at any point, calls under way: nothing of them stays."""

    async def one(target: str, number: int) -> None:
        channel = aio.insecure_channel(target, FORCED)
        calls = [call(channel) for call in CALLS]
        for _ in range(number % 20):
            await asyncio.sleep(0.0005)
        await channel.close()
        codes = await asyncio.gather(*[call.code() for call in calls])
        assert set(codes) == {grpc.StatusCode.CANCELLED}

    def mine() -> tuple[int, int]:
        return len(os.listdir("/proc/self/fd")), mapped()

    at_first = mine()[1]
    async with serving() as target:
        await asyncio.gather(*[one(target, number) for number in range(20)])
        await eventually(lambda: mine()[1] == at_first, "the connections end")
        before = mine()
        for _ in range(5):
            await asyncio.gather(*[one(target, number) for number in range(20)])
        await eventually(lambda: mine() <= before, f"all is as before: {before}")


@in_loop
async def test_a_limit_of_concurrent_calls_survives_a_storm():
    """What is cancelled, late, or loses its client gives its place back."""
    with ServerProcess("127.0.0.1:0", "10", program="aio_server.py") as process:
        async with aio.insecure_channel(process.target, FORCED) as channel:
            for _ in range(5):
                calls = [CALLS[n % 4](channel, timeout=0.05 + 0.05 * (n % 2)) for n in range(40)]
                codes = await asyncio.gather(*[call.code() for call in calls])
                assert set(codes) == {
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                    grpc.StatusCode.RESOURCE_EXHAUSTED,
                }
                async with aio.insecure_channel(process.target, FORCED) as other:
                    for call in [CALLS[n % 4](other) for n in range(20)]:
                        await asyncio.sleep(0.0001)
                        call.cancel()

            async def free() -> bool:
                answers = await asyncio.gather(
                    *[channel.unary_unary("/test.Aio/pause")(b"0.01") for _ in range(10)],
                    return_exceptions=True,
                )
                return answers == [b"0.01"] * 10

            await eventually(free, "all ten places are free")


@in_loop
async def test_a_handler_cancelled_before_its_first_step_gives_its_place_back():
    """The cancellation is read after the task was made and before it ran, as uvloop may do it."""
    armed = True

    def cancel_and_read() -> None:
        call.cancel()
        server._shm.core._readable()

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        nonlocal armed
        if coroutine.__name__ == "_serve" and armed:
            armed = False
            loop.call_soon(cancel_and_read)
        return asyncio.Task(coroutine, loop=loop, **more)

    asyncio.get_running_loop().set_task_factory(factory)
    server = aio.server(maximum_concurrent_rpcs=1, handlers=(handlers(),))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    async with aio.insecure_channel(target, FORCED) as channel:
        call = channel.unary_unary("/test.Aio/wait")(b"")
        assert await call.code() is grpc.StatusCode.CANCELLED
        await eventually(lambda: server._shm.core.active == 0, "the call is over")
        assert not armed
        assert await echo(channel) == b"x"
    await server.stop(None)


@pytest.mark.slow
def test_two_hundred_thousand_calls_do_not_grow_anybody():
    """Resident memory of client and server, in bytes, between the 30,000th call and the 200,000th."""
    program = """
import asyncio, sys
from pathlib import Path
from sage_rpc import aio
def rss():
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096
async def main():
    async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")]) as channel:
        echo, count = channel.unary_unary("/test.Aio/echo"), channel.unary_stream("/test.Aio/count")
        async def some(calls):
            for number in range(calls):
                await echo(b"%d" % number, timeout=10 if number % 4 else None, metadata=(("k", "v"),))
                if number % 50 == 0:
                    async for _ in count(b"3"): pass
                    echo(b"x", timeout=10).cancel()
        async def round(calls):
            await asyncio.gather(*[some(calls // 64) for _ in range(64)])
        await round(30_000)
        print(rss(), flush=True)
        sys.stdin.readline()
        await round(170_000)
        print(rss(), flush=True)
asyncio.run(main())
"""

    def resident(pid: int) -> int:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096

    with ServerProcess("127.0.0.1:0", program="aio_server.py") as server:
        client = subprocess.Popen(
            [sys.executable, "-c", program, server.target],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        before = int(client.stdout.readline()), resident(server.process.pid)
        out, _ = client.communicate("go\n", timeout=55)
        after = int(out), resident(server.process.pid)
        assert client.returncode == 0
    grown = [b - a for a, b in zip(before, after, strict=True)]
    assert max(grown) < 2 << 20, f"{grown} bytes more"


@pytest.mark.slow
def test_a_server_without_descriptors_turns_clients_away_and_goes_on():
    """It neither stops nor spins, and serves again when there are some."""
    program = """
import asyncio, resource, sys
from sage_rpc import aio
from tests.programs.aio_server import handlers
from tests import segments
async def main():
    server = aio.server(handlers=(handlers(),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    resource.setrlimit(resource.RLIMIT_NOFILE, (60, 60))
    print(port, flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)
asyncio.run(main())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        cwd=PROGRAMS.parents[1],
    )  # fmt: skip
    port = int(process.stdout.readline())

    async def main() -> None:
        async with aio.insecure_channel(f"127.0.0.1:{port}", FORCED) as channel:
            assert await echo(channel) == b"x"
            silent = [w.dial(port) for _ in range(100)]
            before = _cpu_seconds(process.pid)
            for number in range(100):
                assert await echo(channel, b"%d" % number) == b"%d" % number
            await asyncio.sleep(0.5)
            assert _cpu_seconds(process.pid) - before < 0.3
            for sock in silent:
                sock.close()

            async def another() -> bool:
                async with aio.insecure_channel(f"127.0.0.1:{port}", FORCED) as other:
                    call = other.unary_unary("/test.Aio/echo")(b"", timeout=1)
                    return await call.code() is grpc.StatusCode.OK

            await eventually(another, "another client is served")

    run_in_loop(main())
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0
    assert "no file descriptors left" in said
