"""Waiting for a server and watching a channel's state, where ours has more to it than grpcio: two transports
to choose from, handshakes that hang, servers that are killed, forks, and no thread left behind.

What grpcio does as well is in conformance/test_channel.py.
"""

from __future__ import annotations

import contextlib
import gc
import os
import queue
import socket
import threading
import time
import weakref
from concurrent import futures

import grpc
import pytest

import sage_rpc
from tests import wire_peer as w
from tests.conftest import ServerProcess, needs_native
from tests.waiting import until

pytestmark = [
    needs_native,
    # A channel that is closed while grpcio's own thread watches it makes that thread complain.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning"),
]
SHM = [("sage_rpc.transport", "shm")]
SECONDS = 10.0
IDLE, READY = grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.READY
CONNECTING, TRANSIENT_FAILURE = (
    grpc.ChannelConnectivity.CONNECTING,
    grpc.ChannelConnectivity.TRANSIENT_FAILURE,
)


class States:
    """What a subscription was told."""

    def __init__(self) -> None:
        self.told: queue.SimpleQueue[grpc.ChannelConnectivity] = queue.SimpleQueue()

    def __call__(self, state: grpc.ChannelConnectivity) -> None:
        self.told.put(state)

    def until(self, wanted: grpc.ChannelConnectivity) -> list[grpc.ChannelConnectivity]:
        seen = [self.told.get(timeout=SECONDS)]
        while seen[-1] is not wanted:
            seen.append(self.told.get(timeout=SECONDS))
        return seen


@pytest.fixture
def port():
    """A port that nobody listens on or gets meanwhile."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@contextlib.contextmanager
def serving(create, port):
    handlers = {"echo": grpc.unary_unary_rpc_method_handler(lambda request, _context: request)}
    server = create(futures.ThreadPoolExecutor(2))
    server.add_registered_method_handlers("test.Unary", handlers)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    try:
        yield
    finally:
        server.stop(None).wait(SECONDS)


def echo(channel):
    return channel.unary_unary("/test.Unary/echo")


def threads(name: str) -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name.startswith(f"sage_rpc {name}")]


def assert_gone(name: str) -> None:
    """No thread of that name lives on, not even one that is just being started."""
    until(lambda: not threads(name), SECONDS)


# ---------------------------------------------------------------- which transport is ready


@pytest.mark.parametrize(("create", "transport"), [(sage_rpc.server, "shm"), (grpc.server, "grpc")])
def test_a_channel_that_may_choose_is_ready_over_what_there_is(port, create, transport):
    states = States()
    with serving(create, port), sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.subscribe(states, try_to_connect=True)
        assert states.until(READY)[0] is IDLE
        assert echo(channel)(b"x", timeout=SECONDS) == b"x"
        assert channel.transport == transport
        grpc.channel_ready_future(channel).result(timeout=SECONDS)
        assert states.told.empty()


@pytest.mark.parametrize("create", [sage_rpc.server, grpc.server])
def test_a_channel_that_may_choose_follows_its_server(port, create):
    states = States()
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        channel.subscribe(states)
        assert states.until(IDLE) == [IDLE]
        for _ in range(2):
            with serving(create, port):
                assert echo(channel)(b"x", wait_for_ready=True, timeout=SECONDS) == b"x"
                states.until(READY)
            states.until(IDLE)


def test_a_call_that_may_choose_waits_over_grpc(port):
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        call = echo(channel).future(b"x", wait_for_ready=True, timeout=SECONDS)
        assert not call.done()
        with serving(grpc.server, port):
            assert call.result() == b"x"
        assert channel.transport == "grpc"


def test_nobody_waits_for_what_cannot_come():
    with sage_rpc.insecure_channel("no-such-host.invalid:1", SHM) as channel:
        with pytest.raises(ConnectionError, match="not an address of this host"):
            echo(channel)(b"", wait_for_ready=True, timeout=SECONDS)
        states = States()
        channel.subscribe(states, try_to_connect=True)
        assert states.until(TRANSIENT_FAILURE)[0] is IDLE


# ---------------------------------------------------------------- the end of a server


def test_a_subscription_is_told_that_the_server_was_killed():
    states = States()
    with ServerProcess("127.0.0.1:0") as server, sage_rpc.insecure_channel(server.target, SHM) as channel:
        channel.subscribe(states, try_to_connect=True)
        states.until(READY)
        server.kill()
        assert states.told.get(timeout=SECONDS) is IDLE


def test_it_is_told_in_the_middle_of_calls():
    states = States()
    with ServerProcess("127.0.0.1:0") as server, sage_rpc.insecure_channel(server.target, SHM) as channel:
        channel.subscribe(states)
        call = echo(channel)
        failed = threading.Event()

        def keep_calling() -> None:
            with contextlib.suppress(grpc.RpcError):
                while True:
                    call(b"x", timeout=SECONDS)
            failed.set()

        callers = [threading.Thread(target=keep_calling) for _ in range(3)]
        for caller in callers:
            caller.start()
        states.until(READY)
        server.kill()
        assert failed.wait(SECONDS)
        states.until(IDLE)
        for caller in callers:
            caller.join(SECONDS)


# ---------------------------------------------------------------- handshakes that hang


def test_a_deadline_passes_while_a_server_hangs_in_the_handshake():
    with w.Listener() as listener, sage_rpc.insecure_channel(listener.target, SHM) as channel:
        began = time.monotonic()
        first = echo(channel).future(b"", wait_for_ready=True)
        assert listener.socket.accept()  # and nothing more
        with pytest.raises(TimeoutError):
            echo(channel)(b"", wait_for_ready=True, timeout=0.2)
        with pytest.raises(TimeoutError):
            echo(channel)(b"", timeout=0.2)
        assert first.running()
        assert time.monotonic() - began < SECONDS / 2


def test_a_channel_closes_while_a_server_hangs_in_the_handshake():
    with w.Listener() as listener:
        channel = sage_rpc.insecure_channel(listener.target, SHM)
        began = time.monotonic()
        call = echo(channel).future(b"", wait_for_ready=True)
        assert listener.socket.accept()
        channel.close()
        assert call.code() is grpc.StatusCode.CANCELLED
        assert time.monotonic() - began < SECONDS / 2
    assert_gone("connector")


# ---------------------------------------------------------------- what is left


def test_no_thread_is_left_when_nobody_waits_any_more(port):
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}", SHM) as channel:
        call = echo(channel).future(b"", wait_for_ready=True)
        assert threads("connector")
        call.cancel()
        assert_gone("connector")
        ready = grpc.channel_ready_future(channel)
        with pytest.raises(grpc.FutureTimeoutError):
            ready.result(timeout=0.05)
        assert threads("connector")
        ready.cancel()
        assert_gone("connector")
        assert_gone("connectivity")


def test_a_channel_that_is_watched_goes_away_when_it_is_dropped(server):
    channel = sage_rpc.insecure_channel(server.target, SHM)
    states = States()
    channel.subscribe(states, try_to_connect=True)
    states.until(READY)
    gone = weakref.ref(channel)
    del channel
    gc.collect()
    assert gone() is None
    assert_gone(f"listener {server.target}")
    assert states.told.empty()


def test_a_call_that_waits_outlives_its_channel(port):
    channel = sage_rpc.insecure_channel(f"127.0.0.1:{port}", SHM)
    call = echo(channel).future(b"x", wait_for_ready=True, timeout=SECONDS)
    del channel
    gc.collect()
    with serving(sage_rpc.server, port):
        assert call.result() == b"x"
        del call
        gc.collect()
        assert_gone("connector")
        assert_gone(f"listener 127.0.0.1:{port}")


def test_the_child_of_a_fork_waits_for_itself(port):
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}", SHM) as channel:
        states = States()
        channel.subscribe(states)
        call = echo(channel).future(b"parent", wait_for_ready=True, timeout=SECONDS)
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                assert call.done()
                assert echo(channel)(b"child", wait_for_ready=True, timeout=SECONDS) == b"child"
                code = 0
            os._exit(code)
        with ServerProcess(f"127.0.0.1:{port}"):
            assert call.result() == b"parent"
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            states.until(READY)
