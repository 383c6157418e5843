"""Processes that are killed under load: nothing hangs, nothing is wrong, nothing is left behind."""

from __future__ import annotations

import contextlib
import os
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest

import sage_rpc
from tests.conftest import PROGRAMS, ServerProcess, needs_native

pytestmark = [needs_native, pytest.mark.slow]

FORCED = [("sage_rpc.transport", "shm")]
CLIENTS = 4
KILLS = 50


class LoadClient:
    """tests/programs/load_client.py as a process."""

    def __init__(self, target: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAMS / "load_client.py"), target],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        )

    def expect(self, word: str) -> list[float]:
        """Wait for the next report, which must be `word`; -> its numbers."""
        line = self.process.stdout.readline()
        if line.partition(" ")[0] != word:
            self.process.kill()
            raise AssertionError(f"expected {word!r}, got {line!r}\n{self.process.stderr.read()}")
        return [float(part) for part in line.split()[1:]]

    def go_on(self) -> None:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@contextlib.contextmanager
def load(target: str, count: int) -> Iterator[list[LoadClient]]:
    clients = [LoadClient(target) for _ in range(count)]
    try:
        yield clients
    finally:
        for client in clients:
            client.kill()


@pytest.mark.timeout(280)
def test_a_server_killed_fifty_times_under_load(runtime_directory):
    """Pending calls end with UNAVAILABLE at once, no answer is wrong, clients hold no more than before."""
    server = ServerProcess("127.0.0.1:0")
    port = server.port
    delays: list[float] = []
    try:
        with load(server.target, CLIENTS) as clients:
            first = [client.expect("up") for client in clients]
            for _ in range(KILLS):
                killed = time.monotonic()
                server.kill()
                delays += [client.expect("down")[0] - killed for client in clients]
                server = ServerProcess(f"127.0.0.1:{port}")
                for client in clients:
                    client.go_on()
                last = [client.expect("up") for client in clients]
            for before, after in zip(first, last, strict=True):
                assert [n <= m + 2 for n, m in zip(after, before, strict=True)] == [True] * 3, (before, after)
                assert after[1] == 1  # one segment, that of the connection in use
        assert len(list(runtime_directory.iterdir())) == 1  # the socket of the server that lives
    finally:
        server.kill()
    assert len(delays) == CLIENTS * KILLS
    assert statistics.median(delays) < 0.1, sorted(delays)
    assert max(delays) < 2.0, sorted(delays)


def settled(channel: grpc.Channel, like: bytes) -> None:
    """Wait until the server holds what it held before."""
    call = channel.unary_unary("/test.Unary/held")
    deadline = time.monotonic() + 10
    while (now := call(b"", timeout=10)) != like:
        assert time.monotonic() < deadline, f"descriptors, segments, threads: {now} where {like} were before"


@pytest.mark.timeout(280)
def test_clients_killed_under_load_leave_nothing_in_the_server(runtime_directory):
    with ServerProcess("127.0.0.1:0") as server:
        with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
            with load(server.target, CLIENTS) as clients:  # the pool's threads are made on demand
                for client in clients:
                    client.expect("up")
            call = channel.unary_unary("/test.Unary/pause")
            for future in [call.future(b"0.1") for _ in range(10)]:
                future.result(10)
            fds, _, threads = channel.unary_unary("/test.Unary/held")(b"").split()
            like = b"%s 1 %s" % (fds, threads)
            settled(channel, like)
            for _ in range(13):
                with load(server.target, CLIENTS) as clients:
                    for client in clients:
                        client.expect("up")
                settled(channel, like)
        assert len(list(runtime_directory.iterdir())) == 1
    assert list(runtime_directory.iterdir()) == []


def test_a_client_killed_in_the_middle_of_a_big_message(server):
    program = """
import os, sys, threading
import sage_rpc
options = [("sage_rpc.transport", "shm"), ("grpc.max_receive_message_length", -1)]
channel = sage_rpc.insecure_channel(sys.argv[1], options=options)
call = channel.unary_unary("/test.Unary/echo")
call(b"")
print("up", flush=True)
big = bytes(60 << 20)
while True:
    call(big)
"""
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        for _ in range(5):
            client = subprocess.Popen([sys.executable, "-c", program, server.target], stdout=subprocess.PIPE)
            assert client.stdout.readline() == b"up\n"
            with contextlib.suppress(subprocess.TimeoutExpired):
                client.wait(0.05)
            client.kill()
            client.communicate()
            assert channel.unary_unary("/test.Unary/echo")(b"x", timeout=10) == b"x"
        deadline = time.monotonic() + 10
        while channel.unary_unary("/test.Unary/held")(b"").split()[1] != b"1":
            assert time.monotonic() < deadline


def test_a_stopped_server_is_not_dead(server):
    """SIGSTOP: deadlines end the calls, the connection stays and works when the server goes on."""
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        call = channel.unary_unary("/test.Unary/echo")
        assert call(b"x") == b"x"
        server.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.process.pid, os.WSTOPPED)
        try:
            with pytest.raises(TimeoutError):
                call(b"x", timeout=0.2)
            late = call.future(b"late")
            with pytest.raises(grpc.FutureTimeoutError):
                late.result(0.2)
        finally:
            server.process.send_signal(signal.SIGCONT)
        assert late.result(10) == b"late"
        assert channel.transport == "shm"


def test_ctrl_c_ends_a_waiting_call(server):
    program = """
import sys
import sage_rpc
channel = sage_rpc.insecure_channel(sys.argv[1], options=[("sage_rpc.transport", "shm")])
call = channel.unary_unary("/test.Unary/wait")
channel.unary_unary("/test.Unary/echo")(b"")
print("up", flush=True)
try:
    call(b"")
except KeyboardInterrupt:
    print("interrupted", channel.unary_unary("/test.Unary/echo")(b"still").decode(), flush=True)
"""
    client = subprocess.Popen(
        [sys.executable, "-c", program, server.target], stdout=subprocess.PIPE, text=True
    )
    assert client.stdout.readline() == "up\n"
    with pytest.raises(subprocess.TimeoutExpired):
        client.wait(0.2)  # by now it waits, most likely; the signal counts either way
    client.send_signal(signal.SIGINT)
    assert client.communicate(timeout=10)[0] == "interrupted still\n"


def test_what_is_called_at_the_end_of_a_call_may_block(server):
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        call = channel.unary_unary("/test.Unary/block_when_ended")
        futures = [call.future(b"") for _ in range(3)]
        with contextlib.suppress(grpc.FutureTimeoutError):
            futures[0].result(0.2)
        for future in futures:
            future.cancel()
        for i in range(100):
            assert channel.unary_unary("/test.Unary/echo")(b"%d" % i, timeout=10) == b"%d" % i
        channel.unary_unary("/test.Unary/open_gate")(b"", timeout=10)


def test_an_idle_server_and_its_clients_use_no_cpu(server):
    """A hundred connections, quiet for two seconds: nobody wakes up."""

    def cpu_seconds(pid: int) -> float:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    channels = [sage_rpc.insecure_channel(server.target, options=FORCED) for _ in range(100)]
    for channel in channels:
        channel.unary_unary("/test.Unary/echo").future(b"").result(10)
    quiet = threading.Event()
    quiet.wait(1.5)  # what was hot cools down
    before = cpu_seconds(server.process.pid), time.process_time()
    quiet.wait(2.0)
    used = cpu_seconds(server.process.pid) - before[0], time.process_time() - before[1]
    for channel in channels:
        channel.close()
    assert used[0] <= 0.02, used
    assert used[1] <= 0.02, used


def test_a_channel_closed_or_cancelled_in_the_middle_of_big_messages(server):
    """The thread that copies a piece does so without the GIL: what it copies into must stay."""
    options = [*FORCED, ("grpc.max_receive_message_length", -1)]
    big = bytes(8 << 20)
    for i in range(15):
        channel = sage_rpc.insecure_channel(server.target, options=options)
        call = channel.unary_unary("/test.Unary/echo")
        pending = [call.future(big) for _ in range(3)]
        waiter = threading.Thread(target=lambda future: future.code(), args=(pending[0],))
        waiter.start()
        with contextlib.suppress(grpc.FutureTimeoutError, grpc.RpcError):
            pending[1].result(0.001 * i)
        pending[2].cancel()
        if i % 2:
            pending[0].cancel()
        channel.close()
        waiter.join(10)
        assert not waiter.is_alive()
        assert all(future.done() for future in pending)
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        assert channel.unary_unary("/test.Unary/echo")(b"x", timeout=20) == b"x"
