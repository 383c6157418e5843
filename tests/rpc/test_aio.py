"""sage_rpc.aio beyond grpc.aio's promise: what carries a call, event loops and their ends, contexts, fork.

What grpc.aio promises is in tests/conformance_aio; what happens when processes die in test_aio_faults.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import gc
import logging
import os
import pickle
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc import aio as stock

import sage_rpc
from sage_rpc import aio
from tests import wire_peer as w
from tests.conftest import ServerProcess, needs_native
from tests.loops import LOOPS, eventually, in_loop, run_in_loop
from tests.programs.aio_server import handlers
from tests.segments import mapped

pytestmark = [needs_native, pytest.mark.filterwarnings("error")]

FORCED = [("sage_rpc.transport", "shm")]
OVER_GRPC = [("sage_rpc.transport", "grpc")]
SECONDS = 10
ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def aio_server():
    with ServerProcess("127.0.0.1:0", program="aio_server.py") as process:
        yield process


@contextlib.asynccontextmanager
async def serving(
    *more: grpc.GenericRpcHandler, module: Any = aio, address: str = "127.0.0.1:0", **arguments: Any
) -> AsyncIterator[str]:
    """The target of a server in this loop."""
    server = module.server(**arguments)
    server.add_generic_rpc_handlers((handlers(), *more))
    port = server.add_insecure_port(address)
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


def method(name: str, behavior: Any, kind: str = "unary_unary") -> grpc.GenericRpcHandler:
    handler = getattr(grpc, f"{kind}_rpc_method_handler")(behavior)
    return grpc.method_handlers_generic_handler("test.Mine", {name: handler})


async def echo(channel: aio.Channel, data: bytes = b"x") -> bytes:
    return await channel.unary_unary("/test.Aio/echo")(data, timeout=SECONDS)


async def every_kind(channel: aio.Channel) -> None:
    """One call of each kind is answered as it must be."""

    async def requests() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    assert await echo(channel) == b"x"
    count = channel.unary_stream("/test.Aio/count")(b"3", timeout=SECONDS)
    assert [response async for response in count] == [b"0", b"1", b"2"]
    assert await channel.stream_unary("/test.Aio/join")(requests(), timeout=SECONDS) == b"ab"
    chat = channel.stream_stream("/test.Aio/chat")(timeout=SECONDS)
    for text in (b"ping", b"pong"):
        await chat.write(text)
        assert await chat.read() == text
    await chat.done_writing()
    assert await chat.read() is aio.EOF


CALLS: dict[str, Callable[[aio.Channel, Any], Any]] = {
    "unary_unary": lambda channel, more: channel.unary_unary("/test.Aio/wait")(b"", **more),
    "unary_stream": lambda channel, more: channel.unary_stream("/test.Aio/wait_many")(b"", **more),
    "stream_unary": lambda channel, more: channel.stream_unary("/test.Aio/wait_join")(**more),
    "stream_stream": lambda channel, more: channel.stream_stream("/test.Aio/wait_chat")(**more),
}
every = pytest.mark.parametrize("kind", CALLS)


def nobody() -> int:
    """A port that nobody listens on."""
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        return reserved.getsockname()[1]


def held() -> tuple[int, int]:
    """Descriptors and mapped segments of this process."""
    return len(os.listdir("/proc/self/fd")), mapped()


# ---------------------------------------------------------------- what carries a call


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "dns:///localhost", "ipv4:127.0.0.1"])
@in_loop
async def test_a_target_on_this_host_is_reached_over_the_memory_queue(host):
    async with serving() as target, aio.insecure_channel(target.replace("127.0.0.1", host)) as channel:
        assert channel.transport == "idle"
        assert "transport=idle" in repr(channel)
        assert await echo(channel) == b"x"
        assert (channel.transport, channel.transport_reason) == ("shm", "")
        assert re.fullmatch(r"<sage_rpc.aio.Channel \S+ transport=shm>", repr(channel))
    assert repr(channel).endswith(" closed>")


@pytest.mark.parametrize("scheme", ["unix:{}", "unix://{}", "unix-abstract:{}"])
@in_loop
async def test_a_unix_target_is_reached_over_the_memory_queue(tmp_path, scheme):
    address = scheme.format(tmp_path / "s.sock")
    async with serving(address=address), aio.insecure_channel(address, FORCED) as channel:
        await every_kind(channel)


@in_loop
async def test_a_stock_server_is_called_over_grpc():
    async with serving(module=stock) as target, aio.insecure_channel(target) as channel:
        await every_kind(channel)
        assert channel.transport == "grpc"
        assert "no server" in channel.transport_reason
        assert "transport=grpc" in repr(channel)


@in_loop
async def test_a_stock_client_calls_our_server():
    async with serving() as target, stock.insecure_channel(target) as channel:
        await every_kind(channel)


@in_loop
async def test_an_asyncio_client_calls_a_threaded_server(server):
    async with aio.insecure_channel(server.target, FORCED) as channel:
        assert await channel.unary_unary("/test.Unary/double")(b"21", timeout=SECONDS) == b"42"
        with pytest.raises(grpc.RpcError) as caught:
            await channel.unary_unary("/test.Unary/abort")(b"", timeout=SECONDS)
        assert caught.value.details() == "no such thing"


def test_a_threaded_client_calls_an_asyncio_server(aio_server):
    with sage_rpc.insecure_channel(aio_server.target, options=FORCED) as channel:
        assert channel.unary_unary("/test.Aio/echo")(b"x", timeout=SECONDS) == b"x"
        count = channel.unary_stream("/test.Aio/count")(b"3", timeout=SECONDS)
        assert list(count) == [b"0", b"1", b"2"]
        assert channel.stream_unary("/test.Aio/join")(iter([b"a", b"b"]), timeout=SECONDS) == b"ab"
        chat = channel.stream_stream("/test.Aio/chat")(iter([b"a", b"b"]), timeout=SECONDS)
        assert list(chat) == [b"a", b"b"]
        assert b"MainThread" not in channel.unary_unary("/test.Aio/in_thread")(b"", timeout=SECONDS)


@in_loop
async def test_the_option_forces_grpc():
    async with serving() as target, aio.insecure_channel(target, OVER_GRPC) as channel:
        assert await echo(channel) == b"x"
        assert channel.transport == "grpc"
        assert "forced to grpc" in channel.transport_reason


@in_loop
async def test_the_environment_forces_grpc_and_the_option_wins(monkeypatch):
    async with serving() as target:
        monkeypatch.setenv("SAGE_RPC_TRANSPORT", "grpc")
        async with aio.insecure_channel(target) as channel:
            assert await echo(channel) == b"x"
            assert channel.transport == "grpc"
        async with aio.insecure_channel(target, FORCED) as channel:
            assert await echo(channel) == b"x"
            assert channel.transport == "shm"


@in_loop
async def test_a_server_forced_to_grpc_publishes_no_memory_queue(runtime_directory):
    async with serving(options=OVER_GRPC) as target:
        assert list(runtime_directory.iterdir()) == []
        async with aio.insecure_channel(target) as channel:
            assert await echo(channel) == b"x"
            assert channel.transport == "grpc"


@in_loop
async def test_a_server_publishes_its_socket_while_it_serves(runtime_directory):
    async with serving():
        assert len(list(runtime_directory.iterdir())) == 1
    assert list(runtime_directory.iterdir()) == []


@in_loop
async def test_a_server_shows_its_state():
    server = aio.server()
    port = server.add_insecure_port("127.0.0.1:0")
    assert "shm=off" in repr(server)
    await server.start()
    assert f"-tcp-{port}" in repr(server)
    assert "0 connections" in repr(server)
    await server.stop(None)
    assert "shm=off" in repr(server)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([("sage_rpc.transport", "pigeon")], "'pigeon': expected one of auto, shm, grpc"),
        ([("sage_rpc.ring_bytes", 100_000)], "expected a power of two"),
        ([("sage_rpc.colour", "red")], "unknown option 'sage_rpc.colour'"),
    ],
)
@in_loop
async def test_a_wrong_option_is_named(options, says):
    with pytest.raises(ValueError, match=says):
        aio.insecure_channel("localhost:1", options)
    with pytest.raises(ValueError, match=says):
        aio.server(options=options)


# ---------------------------------------------------------------- where the memory queue cannot be had


@every
@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("localhost:1", "connection refused"),
        ("192.0.2.1:50051", "192.0.2.1 is not an address of this host"),
        ("xds:///service", "the xds resolver names no address"),
    ],
)
@in_loop
async def test_forcing_shm_where_it_cannot_be_had_is_unavailable_and_says_why(target, says, kind):
    async with aio.insecure_channel(target, FORCED) as channel:
        call = CALLS[kind](channel, {})
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
        for part in (says, target, "sage_rpc.transport=shm"):
            assert part in await call.details()
        assert channel.transport == "idle"
        assert says in channel.transport_reason
        assert channel.get_state() is not grpc.ChannelConnectivity.READY


@in_loop
async def test_the_memory_queue_cannot_be_forced_on_a_secure_channel():
    async with aio.secure_channel("localhost:1", grpc.ssl_channel_credentials(), FORCED) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            await echo(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        assert "a secure channel goes over gRPC" in caught.value.details()


def test_forcing_shm_without_the_native_core_is_unavailable_and_says_why(aio_server):
    program = """
import asyncio, sys
sys.modules["sage_rpc.native._core"] = None
from sage_rpc import aio
async def main():
    async with aio.insecure_channel(sys.argv[1]) as channel:
        print((await channel.unary_unary("/test.Aio/echo")(b"over grpc")).decode(), channel.transport)
    async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")]) as channel:
        call = channel.unary_unary("/test.Aio/echo")(b"")
        print((await call.code()).name, "native core is not built" in await call.details())
    server = aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await server.stop(None)
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, aio_server.target],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert done.stdout.splitlines() == ["over grpc grpc", "UNAVAILABLE True"], done.stderr
    assert "serving over gRPC only" in done.stderr


@in_loop
async def test_an_unusable_runtime_directory_leaves_grpc_and_a_warning(tmp_path, monkeypatch, caplog):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(shared))
    with caplog.at_level(logging.WARNING, "sage_rpc"):
        async with serving() as target, aio.insecure_channel(target) as channel:
            assert await echo(channel) == b"x"
            assert channel.transport == "grpc"
            assert "other users may write" in channel.transport_reason
    assert "serving over gRPC only" in caplog.text


@in_loop
async def test_a_server_forced_to_shm_does_not_start_without(tmp_path, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path / ("long" * 30)))
    server = aio.server(options=FORCED)
    server.add_insecure_port("127.0.0.1:0")
    with pytest.raises(sage_rpc.RpcError, match="the limit of a Unix socket"):
        await server.start()
    assert not await server.wait_for_termination(SECONDS)  # it is over already


@every
@in_loop
async def test_a_call_that_waits_until_it_is_ready_waits_for_the_memory_queue(kind):
    """A server that only gRPC reaches is none."""
    async with serving(options=OVER_GRPC) as target, aio.insecure_channel(target, FORCED) as channel:
        call = CALLS[kind](channel, {"wait_for_ready": True, "timeout": 0.2})
        assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        call = CALLS[kind](channel, {"wait_for_ready": False})
        assert await call.code() is grpc.StatusCode.UNAVAILABLE


@in_loop
async def test_calls_that_wait_until_it_is_ready_are_served_when_the_server_comes():
    port = nobody()
    async with aio.insecure_channel(f"127.0.0.1:{port}", FORCED) as channel:
        call = channel.unary_unary("/test.Aio/echo")
        waiting = [call(b"%d" % n, wait_for_ready=True, timeout=SECONDS) for n in range(20)]
        assert await call(b"", timeout=SECONDS).code() is grpc.StatusCode.UNAVAILABLE
        async with serving(address=f"127.0.0.1:{port}"):
            assert await asyncio.gather(*waiting) == [b"%d" % n for n in range(20)]
            assert channel.transport == "shm"


@in_loop
async def test_a_channel_returns_to_the_memory_queue_when_the_server_is_back():
    """Meanwhile gRPC carries the calls, or says that there is nobody."""
    port = nobody()
    async with aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        for _ in range(2):
            assert await channel.unary_unary("/test.Aio/echo")(b"").code() is grpc.StatusCode.UNAVAILABLE
            assert channel.transport == "grpc"
            async with serving(address=f"127.0.0.1:{port}"):

                async def back() -> bool:
                    with contextlib.suppress(grpc.RpcError):
                        await echo(channel)
                    return channel.transport == "shm"

                await eventually(back, "the memory queue carries calls")
                await every_kind(channel)
                waiting = CALLS["unary_unary"](channel, {})
                await eventually(lambda: _waiting(channel), "a handler waits")
            assert await waiting.code() is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("transport", ["shm", "grpc"])
@in_loop
async def test_waiting_for_another_state_in_vain_leaves_nothing_behind(transport):
    """A program that looks now and then whether its channel is still there."""
    options = [("sage_rpc.transport", transport)]
    async with serving() as target, aio.insecure_channel(target, options) as channel:
        await channel.channel_ready()
        tasks = len(asyncio.all_tasks())
        for _ in range(50):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(channel.wait_for_state_change(grpc.ChannelConnectivity.READY), 0.001)
        await asyncio.sleep(0)
        assert len(asyncio.all_tasks()) <= tasks + 1
        assert len(channel._channel._watchers) <= 1


# ---------------------------------------------------------------- event loops


@pytest.mark.parametrize("loop", LOOPS)
def test_client_and_server_live_in_one_loop(loop):
    async def main() -> None:
        async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
            await every_kind(channel)
            await asyncio.gather(*[every_kind(channel) for _ in range(50)])

    run_in_loop(main(), kind=loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_client_and_server_live_in_two_loops_of_one_process(loop):
    target: list[str] = []
    ready, ended = threading.Event(), threading.Event()

    def serve() -> None:
        async def main() -> None:
            async with serving() as mine:
                target.append(mine)
                ready.set()
                await asyncio.get_running_loop().run_in_executor(None, ended.wait, SECONDS)
            await asyncio.get_running_loop().shutdown_default_executor()

        run_in_loop(main(), kind=loop)

    async def main() -> None:
        async with aio.insecure_channel(target[0], FORCED) as channel:
            await every_kind(channel)
            await asyncio.gather(*[every_kind(channel) for _ in range(50)])
            for number in range(500):
                assert await echo(channel, b"%d" % number) == b"%d" % number

    failed: list[BaseException] = []
    thread = threading.Thread(target=_noting(serve, failed))
    thread.start()
    assert ready.wait(SECONDS)
    try:
        run_in_loop(main(), kind=loop)
    finally:
        ended.set()
        thread.join(SECONDS)
    assert not thread.is_alive()
    assert failed == []


def _noting(work: Callable[[], None], failed: list[BaseException]) -> Callable[[], None]:
    """For a thread: `work`, with what it raises put where the test sees it."""

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failed.append(error)

    return run


@pytest.mark.parametrize("loop", LOOPS)
def test_a_process_of_its_own_serves_any_loop(aio_server, loop):
    async def main() -> None:
        async with aio.insecure_channel(aio_server.target, FORCED) as channel:
            await every_kind(channel)
            await asyncio.gather(*[every_kind(channel) for _ in range(50)])
            for number in range(500):
                assert await echo(channel, b"%d" % number) == b"%d" % number

    run_in_loop(main(), kind=loop)


@in_loop
async def test_several_channels_share_a_loop():
    async with serving() as one, serving() as two, contextlib.AsyncExitStack() as stack:
        channels = [
            await stack.enter_async_context(aio.insecure_channel(target, FORCED)) for target in (one, two) * 5
        ]
        await asyncio.gather(*[every_kind(channel) for channel in channels for _ in range(5)])
        await channels[0].close()
        await asyncio.gather(*[every_kind(channel) for channel in channels[1:]])


def test_every_asyncio_run_may_have_its_channel_and_its_server():
    before = None
    for _ in range(4):

        async def main() -> None:
            async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
                await every_kind(channel)

        asyncio.run(main())
        gc.collect()
        before = before or held()  # the first run made what stays: gRPC's own descriptors
    assert held() <= before


def test_channel_and_server_may_be_made_before_their_loop_runs():
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    server = aio.server(handlers=(handlers(),))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    channel = aio.insecure_channel(target, FORCED)

    async def main() -> None:
        await server.start()
        await every_kind(channel)
        await channel.close()
        await server.stop(None)

    loop.run_until_complete(main())
    asyncio.set_event_loop(None)
    loop.close()


@in_loop
async def test_a_channel_may_be_let_go_of_by_another_thread():
    """By the garbage collector, for example, which runs in whichever thread it likes."""

    def let_go(held: list[aio.Channel]) -> None:
        held.clear()

    loop = asyncio.get_running_loop()
    loop.set_debug(True)  # it complains of what other threads do to it
    loop.slow_callback_duration = 1.0
    before = mapped()
    async with serving() as target:
        for _ in range(5):
            channels = [aio.insecure_channel(target, FORCED)]
            await echo(channels[0])
            await loop.run_in_executor(None, let_go, channels)
            await eventually(lambda: mapped() == before, "its connection ends")


@pytest.mark.skipif(not hasattr(asyncio, "eager_task_factory"), reason="came with Python 3.12")
@in_loop
async def test_tasks_may_be_eager():
    asyncio.get_running_loop().set_task_factory(asyncio.eager_task_factory)
    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        await every_kind(channel)
        await asyncio.gather(*[every_kind(channel) for _ in range(50)])
        calls = [CALLS[kind](channel, {"timeout": 0.1}) for kind in CALLS]
        codes = await asyncio.gather(*[call.code() for call in calls])
        assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}


def test_a_server_survives_a_task_factory_that_fails(caplog):
    """What fails in a turn of the loop is that turn's alone."""
    fails = 0

    def factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **more: Any) -> asyncio.Task[Any]:
        nonlocal fails
        if coroutine.__name__ == "_serve" and fails < 3:
            fails += 1
            coroutine.close()
            raise RuntimeError("no task today")
        return asyncio.Task(coroutine, loop=loop, **more)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
            calls = [channel.unary_unary("/test.Aio/echo")(b"x", timeout=0.5) for _ in range(10)]
            codes = await asyncio.gather(*[call.code() for call in calls])
            assert codes.count(grpc.StatusCode.OK) == 7
            await every_kind(channel)

    run_in_loop(main())
    assert fails == 3
    assert "no task today" in caplog.text


def test_a_loop_may_end_with_a_channel_and_calls_open(aio_server):
    """Nothing of it stays behind in either process."""
    kept = []
    at_first = mapped()

    async def main() -> None:
        channel = aio.insecure_channel(aio_server.target, FORCED)
        await every_kind(channel)
        calls = [CALLS[kind](channel, {}) for kind in CALLS]
        await calls[1].read()
        kept.append((channel, calls))

    asyncio.run(main())
    before = held()
    kept.clear()
    gc.collect()
    assert held()[0] < before[0]
    assert mapped() == at_first
    with sage_rpc.insecure_channel(aio_server.target, options=FORCED) as channel:
        waiting = channel.unary_unary("/test.Aio/waiting")
        with contextlib.suppress(TimeoutError):
            for _ in range(1000):
                if waiting(b"", timeout=SECONDS).startswith(b"0 "):
                    break
        assert waiting(b"", timeout=SECONDS).startswith(b"0 ")


def test_a_channel_is_closed_after_its_loop(aio_server):
    """By its finalizer, for example."""

    async def main() -> aio.Channel:
        channel = aio.insecure_channel(aio_server.target, FORCED)
        await echo(channel)
        return channel

    before = mapped()
    channel = asyncio.run(main())
    assert mapped() == before + 1
    channel._channel.close()
    assert mapped() == before


def test_a_loop_may_end_while_a_channel_connects(runtime_directory):
    """The server accepts and says nothing: the handshake is still under way."""
    before = mapped()
    with w.Listener() as listener:

        async def main() -> None:
            channel = aio.insecure_channel(listener.target, FORCED)
            call = channel.unary_unary("/x/y")(b"", timeout=0.1)
            assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED

        asyncio.run(main())
        with listener.accept() as peer:
            peer.ended()
    gc.collect()
    assert mapped() == before


@in_loop
async def test_a_channel_closed_while_it_connects_lets_go_of_the_connection():
    before = mapped()
    with w.Listener() as listener:
        channel = aio.insecure_channel(listener.target, FORCED)
        call = channel.unary_unary("/x/y")(b"")
        listener.socket.setblocking(False)
        sock, _ = await eventually(lambda: _accepted(listener.socket), "the client knocks")
        _, (fd,), _, _ = await eventually(lambda: _hello(sock), "the client says hello")
        os.close(fd)
        await channel.close()
        assert call.cancelled()
        sock.setblocking(False)
        sock.send(struct.pack("<8sHHII", b"SAGERPC\n", 1, 0, 1, 0))
        loop = asyncio.get_running_loop()
        assert await asyncio.wait_for(loop.sock_recv(sock, 1), SECONDS) == b""
        sock.close()
    assert mapped() == before


def _accepted(listener: socket.socket) -> Any:
    with contextlib.suppress(BlockingIOError):
        return listener.accept()


def _hello(sock: socket.socket) -> Any:
    sock.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        return socket.recv_fds(sock, 24, 1)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of grpc.aio's own server
@pytest.mark.filterwarnings("ignore:coroutine .AioServer.shutdown. was never awaited")
def test_a_loop_may_end_with_a_server_open(runtime_directory):
    async def main() -> str:
        server = aio.server()
        server.add_generic_rpc_handlers((handlers(),))
        target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        await server.start()
        async with aio.insecure_channel(target, FORCED) as channel:
            await every_kind(channel)
        channel = aio.insecure_channel(target, FORCED)
        await echo(channel)
        return target

    before = mapped()
    asyncio.run(main())
    gc.collect()
    assert mapped() == before
    assert list(runtime_directory.iterdir()) == []


@in_loop
async def test_a_server_that_nobody_holds_stops(runtime_directory):
    """As grpc.aio's does."""
    server = aio.server()
    server.add_generic_rpc_handlers((handlers(),))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    async with aio.insecure_channel(target, FORCED) as channel:
        call = CALLS["unary_unary"](channel, {})
        await eventually(lambda: _waiting(channel), "the handler runs")
        del server
        gc.collect()
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
    await eventually(lambda: not list(runtime_directory.iterdir()), "the socket is removed")


async def _waiting(channel: aio.Channel) -> bool:
    """Whether one of the handlers that wait does."""
    waiting = await channel.unary_unary("/test.Aio/waiting")(b"", timeout=SECONDS)
    return not waiting.startswith(b"0 ")


@in_loop
async def test_a_channel_that_nobody_holds_gives_its_connection_back_after_its_last_call():
    before = mapped()
    async with serving() as target:
        for end in ("answer", "cancel", "deadline"):
            channel = aio.insecure_channel(target, FORCED)
            timeout = {"timeout": 0.2} if end == "deadline" else {}
            many = channel.stream_stream("/test.Aio/chat")(**timeout)
            await many.write(b"first")
            assert await many.read() == b"first"
            slow = channel.unary_unary("/test.Aio/pause")(b"0.1")
            await asyncio.sleep(0)
            del channel
            gc.collect()
            assert await slow == b"0.1"
            if end == "cancel":
                many.cancel()
            elif end == "deadline":
                assert await many.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            else:
                await many.done_writing()
                assert await many.read() is aio.EOF
            await eventually(lambda: mapped() == before, f"the connection ends after {end}")


@every
@pytest.mark.parametrize("transport", ["shm", "grpc"])
@in_loop
async def test_a_call_that_nobody_holds_goes_on(transport, kind):
    """As in grpc.aio: `stub.Notify(event)`, and the answer is of no interest."""
    begun = 0

    async def note(request: bytes, context: Any) -> bytes:
        nonlocal begun
        await asyncio.sleep(0.01)
        begun += 1
        return b""

    async def note_many(request: bytes, context: Any) -> AsyncIterator[bytes]:
        yield await note(request, context)

    mine = method("note", note_many if kind.endswith("stream") else note, kind)
    options = [("sage_rpc.transport", transport)]
    async with serving(mine) as target, aio.insecure_channel(target, options) as channel:
        await echo(channel)
        call = getattr(channel, kind)("/test.Mine/note")
        for _ in range(10):
            call(*[b""] if kind.startswith("unary") else ())
        gc.collect()
        await eventually(lambda: begun == 10, "the handlers run")


# ---------------------------------------------------------------- the end of a server


async def stubborn(request: bytes, context: Any) -> bytes:
    """Takes its time when it is cancelled."""
    try:
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0.2)
    return b""


@pytest.mark.parametrize("graces", [(None, SECONDS), (SECONDS, None), (0.05, SECONDS), (None, None, None)])
@in_loop
async def test_a_server_may_be_stopped_while_it_stops(graces):
    server = aio.server(handlers=(method("stubborn", stubborn),))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    async with aio.insecure_channel(target, FORCED) as channel:
        call = channel.unary_unary("/test.Mine/stubborn")(b"")
        await eventually(lambda: server._runner.tasks, "the handler runs")
        stops = []
        for grace in graces:
            stops.append(asyncio.ensure_future(server.stop(grace)))
            await asyncio.sleep(0.02)
        await asyncio.wait_for(asyncio.gather(*stops), SECONDS / 2)
        assert await call.code() is grpc.StatusCode.UNAVAILABLE
        await server.stop(None)


@in_loop
async def test_a_big_answer_under_way_arrives_within_the_grace():
    """The handler is done, its answer is not yet through the ring."""
    answered = asyncio.Event()

    async def big(request: bytes, context: Any) -> bytes:
        context.add_done_callback(lambda _: answered.set())
        return bytes(32 << 20)

    server = aio.server(handlers=(method("big", big),))
    target = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    options = [*FORCED, ("grpc.max_receive_message_length", -1)]
    async with aio.insecure_channel(target, options) as channel:
        call = channel.unary_unary("/test.Mine/big")(b"")
        await answered.wait()
        await server.stop(SECONDS)
        assert len(await call) == 32 << 20


def test_an_error_of_a_handler_is_logged_once(caplog):
    async def fail(request: bytes, context: Any) -> bytes:
        raise ValueError("a bug")

    async def main() -> None:
        async with serving(method("fail", fail)) as target, aio.insecure_channel(target, FORCED) as channel:
            call = channel.unary_unary("/test.Mine/fail")(b"")
            assert await call.code() is grpc.StatusCode.UNKNOWN

    run_in_loop(main())
    assert [record.exc_info[0] for record in caplog.records] == [ValueError]


# ---------------------------------------------------------------- contexts


VALUE: contextvars.ContextVar[bytes] = contextvars.ContextVar("VALUE", default=b"unset")


@pytest.mark.parametrize("loop", LOOPS)
def test_a_handler_does_not_see_what_another_put_into_its_context(loop):
    """Neither one before it nor one beside it; all see what was there when the server started."""

    async def swap(request: bytes, context: Any) -> bytes:
        seen = VALUE.get()
        VALUE.set(request)
        await asyncio.sleep(0.001 * (int(request) % 3))
        assert VALUE.get() == request
        return seen

    async def main() -> None:
        VALUE.set(b"start")
        async with serving(method("swap", swap)) as target:
            VALUE.set(b"client")
            async with aio.insecure_channel(target, FORCED) as channel:
                call = channel.unary_unary("/test.Mine/swap")

                async def one(number: int) -> list[bytes]:
                    return [await call(b"%d" % number) for _ in range(50)]

                seen = await asyncio.gather(*[one(number) for number in range(4)])
                assert {value for values in seen for value in values} == {b"start"}

    run_in_loop(main(), kind=loop)


def test_handlers_of_a_process_of_their_own_do_not_share_a_context():
    """The client answers so quickly that the server reads its next request in the turn after the answer."""
    program = """
import asyncio, contextvars, sys
import grpc
from sage_rpc import aio
value = contextvars.ContextVar("value", default=b"unset")
async def swap(request, context):
    seen = value.get()
    value.set(request)
    await asyncio.sleep(0.005)
    return seen
async def main():
    server = aio.server()
    table = {"swap": grpc.unary_unary_rpc_method_handler(swap)}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Mine", table),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    await server.start()
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    await server.stop(None)
asyncio.run(main())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    target = f"127.0.0.1:{int(process.stdout.readline())}"
    with sage_rpc.insecure_channel(target, options=FORCED) as channel:
        call = channel.unary_unary("/test.Mine/swap")
        while True:  # it prints before it publishes its socket
            try:
                call(b"", timeout=SECONDS)
            except ConnectionError:
                continue
            break
        assert [call(b"%d" % number, timeout=SECONDS) for number in range(40)] == [b"unset"] * 40
    assert process.communicate(timeout=SECONDS)
    assert process.returncode == 0


@every
@in_loop
async def test_what_is_called_at_the_end_of_a_call_sees_the_callers_context(kind):
    seen = []
    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        VALUE.set(b"first")
        await echo(channel)  # which connects

        async def one(value: bytes) -> None:
            VALUE.set(value)
            call = CALLS[kind](channel, {"timeout": 0.1})
            call.add_done_callback(lambda _: seen.append(VALUE.get()))
            assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED

        await asyncio.gather(one(b"a"), one(b"b"))
    assert sorted(seen) == [b"a", b"b"]


@in_loop
async def test_a_channel_keeps_nothing_of_the_context_of_its_first_call():
    class Request:
        pass

    async def first() -> weakref.ref[Request]:
        request = Request()
        VALUE.set(request)
        await echo(channel)
        return weakref.ref(request)

    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        seen = await asyncio.create_task(first())
        await asyncio.sleep(0)  # the loop lets go of the task
        gc.collect()
        assert seen() is None


# ---------------------------------------------------------------- nothing unexpected is said


@pytest.mark.parametrize("transport", ["shm", "grpc"])
def test_debug_mode_has_nothing_to_say(transport, caplog):
    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.slow_callback_duration = 1.0  # a busy machine is no bug
        options = [("sage_rpc.transport", transport)]
        async with serving() as target, aio.insecure_channel(target, options) as channel:
            await every_kind(channel)
            await asyncio.gather(*[every_kind(channel) for _ in range(20)])
            calls = [CALLS[kind](channel, {}) for kind in CALLS]
            await calls[1].read()
            for call in calls:
                call.cancel()
            await asyncio.gather(*[call.code() for call in calls])
            late = [CALLS[kind](channel, {"timeout": 0.05}) for kind in CALLS]
            codes = await asyncio.gather(*[call.code() for call in late])
            assert set(codes) == {grpc.StatusCode.DEADLINE_EXCEEDED}

    with caplog.at_level(logging.WARNING):
        run_in_loop(main(), debug=True)
    assert [record.getMessage() for record in caplog.records] == []


def test_a_strict_interpreter_has_nothing_to_say(aio_server):
    """Development mode, warnings as errors: nothing forgotten, nothing unclosed, not even at exit."""
    program = f"""
import asyncio, sys
from sage_rpc import aio
async def every(channel, more):
    await channel.unary_unary("/test.Aio/echo")(b"x")
    async for _ in channel.unary_stream("/test.Aio/count")(b"3"): pass
    call = channel.unary_stream("/test.Aio/wait_many")(b"")
    await call.read()
    if more:
        call.cancel()
async def main():
    for transport in ("shm", "grpc"):
        async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", transport)]) as channel:
            await every(channel, True)
    channel = aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")])
    await every(channel, False)
    server = aio.server()
    server.add_insecure_port("127.0.0.1:0")
    await server.start()
    await server.stop(None)
    print("done")
sys.path.insert(0, {ROOT!r})
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, aio_server.target],
        capture_output=True, text=True, timeout=30,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")


# ---------------------------------------------------------------- flow


async def _late_reader(requests: Any, context: Any) -> bytes:
    """Takes no request before the client says so by its metadata's event."""
    await READ.wait()
    return b"%d" % sum([len(request) async for request in requests])


READ: asyncio.Event


@in_loop
async def test_a_writer_waits_for_a_handler_that_does_not_read():
    global READ
    READ = asyncio.Event()
    written = 0
    mine = method("late", _late_reader, "stream_unary")
    async with serving(mine) as target, aio.insecure_channel(target, FORCED) as channel:
        call = channel.stream_unary("/test.Mine/late")()

        async def write() -> None:
            nonlocal written
            for _ in range(100):
                await call.write(bytes(65536))
                written += 65536
            await call.done_writing()

        writing = asyncio.create_task(write())
        before = -1
        while written != before:
            before = written
            assert await echo(channel) == b"x"  # others are not held up
            await asyncio.sleep(0.02)
        assert (1 << 20) - 65536 <= written <= 1 << 20  # the window
        READ.set()
        await asyncio.wait_for(writing, SECONDS)
        assert await call == b"%d" % (100 * 65536)


@in_loop
async def test_a_handler_waits_for_a_client_that_does_not_read():
    written = 0

    async def fill(request: bytes, context: Any) -> None:
        nonlocal written
        for _ in range(100):
            await context.write(bytes(65536))
            written += 65536

    mine = method("fill", fill, "unary_stream")
    async with serving(mine) as target, aio.insecure_channel(target, FORCED) as channel:
        call = channel.unary_stream("/test.Mine/fill")(b"")
        before = -1
        while written != before or written == 0:
            before = written
            assert await echo(channel) == b"x"
            await asyncio.sleep(0.02)
        assert (1 << 20) - 65536 <= written <= 1 << 20
        assert sum([len(message) async for message in call]) == 100 * 65536


@in_loop
async def test_a_response_that_nobody_waits_for_any_more_is_sent_whole():
    """A handler gives up waiting in the middle of a big message, and goes on."""

    async def impatient(request: bytes, context: Any) -> None:
        await context.write(b"unread")
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(context.write(bytes(5_000_000)), 0.05)
        gave_up.set()
        if request:
            await context.write(request)

    mine = method("impatient", impatient, "unary_stream")
    options = [*FORCED, ("grpc.max_receive_message_length", -1)]
    async with serving(mine) as target, aio.insecure_channel(target, options) as channel:
        other = CALLS["unary_unary"](channel, {})
        for request in (b"", b"next"):
            gave_up = asyncio.Event()
            call = channel.unary_stream("/test.Mine/impatient")(request)
            await gave_up.wait()
            assert [len(message) async for message in call] == [6, 5_000_000, *[4] * (request == b"next")]
            assert await call.code() is grpc.StatusCode.OK
        assert not other.done()
        other.cancel()


@in_loop
async def test_messages_written_at_the_same_time_stay_whole():
    """grpc.aio refuses some of them; none may harm the connection."""
    sizes = [10, 3_000_000, 0, 100_000, 1, 2_000_000, 20_000] * 3

    async def write_all(call: Any) -> None:
        async def later(number: int, size: int) -> None:
            await asyncio.sleep(0.0005 * (number % 5))
            await call.write(bytes([number]) * size)

        await asyncio.gather(*[later(number, size) for number, size in enumerate(sizes)])

    async def check_all(messages: AsyncIterator[bytes]) -> None:
        got = [message async for message in messages]
        assert all(message == message[:1] * len(message) for message in got)
        assert sorted(len(message) for message in got) == sorted(sizes)

    async def send(request: bytes, context: Any) -> None:
        await write_all(context)

    async def take(requests: AsyncIterator[bytes], context: Any) -> bytes:
        await check_all(requests)
        return b"all"

    several = grpc.method_handlers_generic_handler(
        "test.Mine",
        {
            "send": grpc.unary_stream_rpc_method_handler(send),
            "take": grpc.stream_unary_rpc_method_handler(take),
        },
    )
    options = [("grpc.max_receive_message_length", -1)]
    async with (
        serving(several, options=options) as target,
        aio.insecure_channel(target, [*FORCED, *options]) as channel,
    ):
        other = CALLS["unary_unary"](channel, {})
        for _ in range(3):
            await check_all(channel.unary_stream("/test.Mine/send")(b""))
            call = channel.stream_unary("/test.Mine/take")()
            writing = asyncio.ensure_future(write_all(call))
            await asyncio.wait([writing])
            await call.done_writing()
            assert await call == b"all"
        assert not other.done()
        other.cancel()


@pytest.mark.parametrize("late", [False, True], ids=["in the middle of a request", "before a request"])
@in_loop
async def test_the_end_of_the_requests_is_the_end(aio_server, late):
    """Said by another task than the one that writes: after a request under way, or instead of it."""
    options = [*FORCED, ("grpc.max_receive_message_length", -1)]
    async with aio.insecure_channel(aio_server.target, options) as channel:
        other = CALLS["unary_unary"](channel, {})
        call = channel.stream_unary("/test.Aio/join")(timeout=SECONDS)
        await call.write(b"small")
        big = call.write(bytes(20_000_000))
        if late:
            await call._cython_call.send_receive_close()
            with pytest.raises(grpc.RpcError) as caught:
                await big
            assert caught.value.code() is await call.code() is grpc.StatusCode.INTERNAL
            assert ", 1 calls under way" in repr(channel._channel._conn)  # the other one
        else:
            writing = asyncio.ensure_future(big)
            await asyncio.sleep(0)
            await call.done_writing()
            assert writing.done()
            assert await call == b"small" + bytes(20_000_000)
        assert not other.done()
        other.cancel()


@pytest.mark.parametrize("size", [0, 1, 65535, 1 << 20, 9_000_000])
@in_loop
async def test_messages_of_any_size_stream_in_both_directions(aio_server, size):
    options = [*FORCED, ("grpc.max_receive_message_length", -1)]
    message = os.urandom(size)

    async def requests() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield message

    async with aio.insecure_channel(aio_server.target, options) as channel:
        responses = channel.stream_stream("/test.Aio/chat")(requests(), timeout=SECONDS)
        assert [response == message async for response in responses] == [True] * 3
        assert await channel.stream_unary("/test.Aio/join")(requests(), timeout=SECONDS) == 3 * message


@in_loop
async def test_a_small_ring_carries_everything(aio_server):
    options = [*FORCED, ("sage_rpc.ring_bytes", 1 << 16), ("grpc.max_receive_message_length", -1)]
    async with aio.insecure_channel(aio_server.target, options) as channel:
        big = os.urandom(3_000_000)
        answers = await asyncio.gather(*[echo(channel, big) for _ in range(4)])
        assert answers == [big] * 4
        await asyncio.gather(*[every_kind(channel) for _ in range(20)])


@in_loop
async def test_a_huge_message_leaves_room_for_small_calls(aio_server):
    """64 MiB there and back. Small calls of the same channel wait their turn, those of another do not."""
    options = [*FORCED, ("grpc.max_receive_message_length", -1)]
    huge = os.urandom(1 << 20) * 64
    async with (
        aio.insecure_channel(aio_server.target, options) as channel,
        aio.insecure_channel(aio_server.target, options) as other,
    ):
        under_way = asyncio.ensure_future(echo(channel, huge))
        beside = [asyncio.ensure_future(echo(channel, b"%d" % n)) for n in range(10)]
        small = 0
        while not under_way.done():
            assert await echo(other, b"%d" % small) == b"%d" % small
            small += 1
        assert await under_way == huge
        assert await asyncio.gather(*beside) == [b"%d" % n for n in range(10)]
        assert small >= 3


@in_loop
async def test_asking_for_a_request_in_vain_leaves_nothing_behind():
    """A handler that looks for a request every now and then, for hours."""
    left: list[int] = []

    def cancelled() -> int:
        gc.collect()  # what nothing refers to but itself is nobody's
        return sum(type(o).__name__ == "Future" and o.cancelled() for o in gc.get_objects())

    async def look(requests: Any, context: Any) -> AsyncIterator[bytes]:
        yield b"up"
        before = cancelled()  # of other tests
        for _ in range(200):
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(context.read(), 0.0005)
        left.append(cancelled() - before)
        yield await context.read()

    mine = method("look", look, "stream_stream")
    async with serving(mine) as target, aio.insecure_channel(target, FORCED) as channel:
        call = channel.stream_stream("/test.Mine/look")()
        assert await call.read() == b"up"
        await eventually(lambda: left, "the handler has looked")
        assert left[0] < 100
        await call.write(b"there")
        assert await call.read() == b"there"
        call.cancel()


# ---------------------------------------------------------------- fork and pickle


def exit_status(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@in_loop
async def test_a_forked_child_does_not_keep_the_parents_connection_alive():
    """The server dies; a child that still had the socket would hide it."""
    with ServerProcess("127.0.0.1:0", program="aio_server.py") as process:
        async with aio.insecure_channel(process.target, FORCED) as channel:
            await echo(channel)
            calls = [CALLS[kind](channel, {}) for kind in CALLS]
            assert await calls[1].read() == b"first"
            gate_read, gate_write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(gate_write)
                os.read(gate_read, 1)
                os._exit(0)
            process.kill()
            codes = await asyncio.wait_for(asyncio.gather(*[call.code() for call in calls]), SECONDS)
            assert set(codes) == {grpc.StatusCode.UNAVAILABLE}
            os.close(gate_write)
            assert exit_status(child) == 0
            os.close(gate_read)


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@in_loop
async def test_a_forked_child_takes_nothing_from_its_parent(runtime_directory):
    """What it drops, and even closes, is the parent's to use: channel, server, selector."""
    async with serving() as target, aio.insecure_channel(target, FORCED) as channel:
        await every_kind(channel)
        call = CALLS["unary_stream"](channel, {})
        assert await call.read() == b"first"
        child = os.fork()
        if child == 0:
            status = 1
            try:
                signal.alarm(20)
                channel._channel._conn.retire()
                assert channel._channel._conn.dead
                gc.collect()
                status = 0
            finally:
                os._exit(status)
        assert exit_status(child) == 0
        assert not call.done()
        await every_kind(channel)
        assert len(list(runtime_directory.iterdir())) == 1
        async with aio.insecure_channel(target, FORCED) as another:
            await every_kind(another)
        call.cancel()


FORKING = """
import asyncio, os, signal, sys
from sage_rpc import aio
async def use(who):
    async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")]) as channel:
        call = channel.unary_stream("/test.Aio/count")(b"2", timeout=5)
        assert [response async for response in call] == [b"0", b"1"]
        print(who, (await channel.unary_unary("/test.Aio/echo")(b"works", timeout=5)).decode(), flush=True)
def fork(who):
    child = os.fork()
    if child == 0:
        signal.alarm(20)
        asyncio.run(use(who))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
fork("a child of a fresh process")
asyncio.run(use("the parent"))
fork("a child after the parent's loop")
async def live():
    async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")]) as channel:
        await channel.unary_unary("/test.Aio/echo")(b"")
        fork("a child of a running loop")
        assert await channel.unary_unary("/test.Aio/echo")(b"still") == b"still"
asyncio.run(live())
"""


def test_a_forked_child_has_channels_of_its_own(aio_server):
    """As the workers of a server that forks before it serves."""
    done = subprocess.run(
        [sys.executable, "-c", FORKING, aio_server.target], capture_output=True, text=True, timeout=40
    )
    assert done.stdout.splitlines() == [
        "a child of a fresh process works",
        "the parent works",
        "a child after the parent's loop works",
        "a child of a running loop works",
    ], done.stderr


@in_loop
async def test_neither_channel_nor_server_pickles_and_both_say_what_to_do():
    async with aio.insecure_channel("localhost:1") as channel:
        with pytest.raises(TypeError, match=r"belongs to an event loop: send the target, and call sage_rpc"):
            pickle.dumps(channel)
    with pytest.raises(TypeError, match=r"make it in the process that is to serve"):
        pickle.dumps(aio.server())
