"""Programs of several processes: fork in both directions, worker pools, spawn, and what travels by pickle.

A single fork and the pickled channel are in test_picker.py; here are the shapes that real programs have.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent import futures
from multiprocessing import forkserver
from typing import Any

import grpc
import pytest
import trustme
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

import sage_rpc
from tests.conftest import PROGRAMS, ServerProcess, needs_native

pytestmark = [needs_native, pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")]

FORCED = (("sage_rpc.transport", "shm"),)
SECONDS = 10
METHODS = ("fork", "spawn", "forkserver")


@pytest.fixture(autouse=True)
def forkserver_of_this_test(runtime_directory) -> None:
    """One that another test has started would give its children that test's environment."""
    forkserver._forkserver._stop()


@pytest.fixture
def channel(server: ServerProcess) -> Iterator[sage_rpc.Channel]:
    """A live one: its connection is in use when the test begins."""
    with sage_rpc.insecure_channel(server.target, options=FORCED) as opened:
        assert double(opened, 1) == 2
        yield opened


def double(channel: grpc.Channel, number: int) -> int:
    return int(channel.unary_unary("/test.Unary/double")(str(number).encode(), timeout=SECONDS))


def peer(channel: grpc.Channel) -> str:
    return channel.unary_unary("/test.Unary/peer")(b"", timeout=SECONDS).decode()


class Child:
    """A forked child: runs `work`, which must not raise."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._pid = os.fork()
        if self._pid == 0:
            status = 1
            try:
                signal.alarm(20)
                work()
                status = 0
            finally:
                os._exit(status)

    def join(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


# ---------------------------------------------------------------- fork


def test_parent_and_child_go_on_side_by_side(channel):
    """Neither takes the other's answers, however often they take turns."""

    def work() -> None:
        assert [double(channel, n) for n in range(500)] == [2 * n for n in range(500)]

    children = [Child(work) for _ in range(3)]
    assert [double(channel, n) for n in range(500)] == [2 * n for n in range(500)]
    assert [child.join() for child in children] == [0, 0, 0]
    assert double(channel, 21) == 42


def test_a_channel_goes_from_child_to_grandchild(channel):
    def younger() -> None:
        assert f"pid:{os.getpid()}" in peer(channel)

    def older() -> None:
        younger()
        assert Child(younger).join() == 0
        younger()

    assert Child(older).join() == 0
    younger()


def test_a_channel_first_used_in_a_child_is_used_in_the_parent_later(server):
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        call = channel.unary_unary("/test.Unary/echo")

        def work() -> None:
            assert call(b"child", timeout=SECONDS) == b"child"

        assert Child(work).join() == 0
        assert channel.transport == "idle"
        assert call(b"parent", timeout=SECONDS) == b"parent"


def test_a_child_may_close_what_it_inherited(channel):
    """And the parent what a child goes on with: the two are two channels from the fork on."""
    assert Child(channel.close).join() == 0
    assert double(channel, 21) == 42
    closed, done = os.pipe(), os.pipe()

    def work() -> None:
        os.read(closed[0], 1)
        assert double(channel, 21) == 42
        os.write(done[1], b"x")

    child = Child(work)
    channel.close()
    os.write(closed[1], b"x")
    assert child.join() == 0
    for end in (*closed, *done):
        os.close(end)


def test_a_fork_amid_calls_of_many_threads_harms_neither(channel):
    """A pool forks whenever it likes, for example while other threads hold the channel's connection."""
    stop = threading.Event()

    def hammer() -> int:
        calls = 0
        while not stop.is_set():
            assert double(channel, calls) == 2 * calls
            calls += 1
        return calls

    def work() -> None:
        assert double(channel, 21) == 42

    with futures.ThreadPoolExecutor(4) as threads:
        hammering = [threads.submit(hammer) for _ in range(4)]
        assert [Child(work).join() for _ in range(20)] == [0] * 20
        stop.set()
        assert all(one.result(SECONDS) > 0 for one in hammering)


def test_a_child_of_a_servers_handler_does_not_hide_the_servers_death(tmp_path):
    """It holds no connection: callers learn of the death at once, although the child lives on."""
    fifo = tmp_path / "until"
    os.mkfifo(fifo)
    with ServerProcess(program="forking_server.py") as process:
        with sage_rpc.insecure_channel(process.target, options=FORCED) as channel:
            child = int(channel.unary_unary("/test.Fork/fork")(str(fifo).encode(), timeout=SECONDS))
            with fifo.open("wb"):
                waiting = channel.unary_unary("/test.Fork/wait").future(b"")
                process.kill()
                error = waiting.exception(SECONDS)
                assert error.code() is grpc.StatusCode.UNAVAILABLE
                os.kill(child, 0)  # it is there


@pytest.mark.parametrize("tls", [False, True], ids=["in clear", "TLS"])
def test_a_channel_over_grpc_survives_a_fork_where_grpcio_was_told(tls, tmp_path):
    server = sage_rpc.server(futures.ThreadPoolExecutor(4))
    table = {
        "echo": grpc.unary_unary_rpc_method_handler(lambda request, context: request),
        "echo_all": grpc.stream_stream_rpc_method_handler(lambda requests, context: requests),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", table),))
    arguments = []
    if tls:
        authority = trustme.CA()
        certificate = authority.issue_cert("localhost", "127.0.0.1")
        chain = b"".join(blob.bytes() for blob in certificate.cert_chain_pems)
        pair = (certificate.private_key_pem.bytes(), chain)
        port = server.add_secure_port("127.0.0.1:0", grpc.ssl_server_credentials([pair]))
        arguments.append(str(tmp_path / "ca.pem"))
        authority.cert_pem.write_to_path(arguments[0])
    else:
        port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / "forking_client.py"), f"127.0.0.1:{port}", *arguments],
        env={**os.environ, "PYTHONPATH": str(PROGRAMS.parents[1]), "GRPC_ENABLE_FORK_SUPPORT": "1"},
        capture_output=True, text=True, timeout=40,
    )  # fmt: skip
    server.stop(None).wait()
    got = "True [b'a', b'b'] grpc"
    assert done.stdout.splitlines() == [f"parent {got}", f"child {got}", "status 0", f"parent {got}"], done


# ---------------------------------------------------------------- worker pools


class Dataset:
    """What a training program writes: rows come from a service. Its channel was opened in the parent."""

    def __init__(self, channel: sage_rpc.Channel) -> None:
        self.channel = channel

    def __getitem__(self, index: int) -> tuple[int, int]:
        return double(self.channel, index), os.getpid()


def fetch(dataset: Dataset, indices: Any, rows: Any, ended: Any) -> None:
    """The loop of a DataLoader's worker: indices come in, rows go out."""
    while True:
        batch = indices.get()
        if batch is None:
            break
        rows.put([dataset[index] for index in batch])
    ended.wait(SECONDS)  # as PyTorch's: a worker stays until all are told to end


@pytest.mark.parametrize("method", METHODS)
def test_workers_of_a_data_loader_share_the_parents_channel(channel, method):
    """As PyTorch makes them: daemons, a queue of indices each, one queue of rows; the parent goes on too."""
    context = multiprocessing.get_context(method)
    count, batches = (8, 5) if method == "fork" else (2, 5)
    dataset = Dataset(channel)
    rows, ended = context.Queue(), context.Event()
    queues = [context.Queue() for _ in range(count)]
    workers = [
        context.Process(target=fetch, args=(dataset, queue, rows, ended), daemon=True) for queue in queues
    ]
    for worker in workers:
        worker.start()
    for number, queue in enumerate(queues):
        for batch in range(batches):
            first = 4 * (number * batches + batch)
            queue.put(list(range(first, first + 4)))
        queue.put(None)
    fetched = []
    for _ in range(count * batches):
        assert double(channel, 21) == 42
        fetched += rows.get(timeout=SECONDS)
    ended.set()
    for worker in workers:
        worker.join(SECONDS)
    assert [worker.exitcode for worker in workers] == [0] * count
    assert sorted(value for value, _ in fetched) == [2 * n for n in range(4 * count * batches)]
    assert {pid for _, pid in fetched} == {worker.pid for worker in workers}
    for queue in (*queues, rows):
        queue.close()


@pytest.mark.parametrize("method", METHODS)
def test_a_process_pool_takes_a_channel_as_an_argument(channel, method):
    context = multiprocessing.get_context(method)
    with futures.ProcessPoolExecutor(2, mp_context=context) as pool:
        assert list(pool.map(functools.partial(double, channel), range(8))) == [2 * n for n in range(8)]
        assert f"pid:{os.getpid()}" not in pool.submit(peer, channel).result(SECONDS)
    assert f"pid:{os.getpid()}" in peer(channel)


_stub: health_pb2_grpc.HealthStub


def make_stub(target: str) -> None:
    """The initializer of a pool: each worker has its stub, made once."""
    global _stub
    sage_rpc.install()
    _stub = health_pb2_grpc.HealthStub(grpc.insecure_channel(target, options=FORCED))


def ask_health(service: str) -> int:
    return _stub.Check(health_pb2.HealthCheckRequest(service=service), timeout=SECONDS).status


@pytest.fixture
def health_target() -> Iterator[str]:
    server = sage_rpc.server(futures.ThreadPoolExecutor(4))
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize("method", METHODS)
def test_workers_of_a_pool_make_a_stub_each(health_target, method):
    """The server is in the parent, which forks beside its running threads."""
    context = multiprocessing.get_context(method)
    with futures.ProcessPoolExecutor(2, context, make_stub, (health_target,)) as pool:
        assert list(pool.map(ask_health, [""] * 10)) == [health_pb2.HealthCheckResponse.SERVING] * 10


def put_and_get(manager: sage_rpc.ServiceManager, key: str) -> tuple[str, int]:
    cache = manager.get_sync_proxy("cache")
    cache.put(key, key.upper())
    return cache.get(key), manager.get_async_proxy("cache").get("number").result(SECONDS)


@pytest.mark.parametrize("method", METHODS)
def test_a_manager_goes_to_the_workers_of_a_pool(method):
    context = multiprocessing.get_context(method)
    with (
        ServerProcess(program="plain_services.py") as process,
        sage_rpc.ServiceManager({"cache": process.target}, options=FORCED) as manager,
    ):
        manager.get_sync_proxy("cache").put("number", 42)
        with futures.ProcessPoolExecutor(2, mp_context=context) as pool:
            given = [pool.submit(put_and_get, manager, key) for key in "abcd"]
            assert [one.result(SECONDS) for one in given] == [(key.upper(), 42) for key in "abcd"]
        assert manager.get_sync_proxy("cache").get("d") == "D"


def test_a_forked_child_goes_on_with_the_proxies_it_inherited():
    with (
        ServerProcess(program="plain_services.py") as process,
        sage_rpc.ServiceManager({"cache": process.target}, options=FORCED) as manager,
    ):
        cache, later = manager.get_sync_proxy("cache"), manager.get_async_proxy("cache")
        cache.put("a", 1)

        def work() -> None:
            assert cache.get("a") == 1
            assert later.put("b", 2).result(SECONDS) == 2

        assert Child(work).join() == 0
        assert cache.get("b") == 2


# ---------------------------------------------------------------- pickling


def test_a_channel_keeps_its_options_and_its_compression():
    options = [("sage_rpc.transport", "grpc"), ("grpc.max_receive_message_length", 17)]
    with sage_rpc.insecure_channel("localhost:1", options, grpc.Compression.Gzip) as channel:
        assert channel.__reduce__()[1] == ("localhost:1", tuple(options), grpc.Compression.Gzip, None)
        with pickle.loads(pickle.dumps(channel)) as copy:
            assert copy.__reduce__() == channel.__reduce__()


@pytest.mark.parametrize("part", ["stub", "method", "call", "server"])
def test_what_does_not_pickle_says_what_to_do(channel, part):
    stub = health_pb2_grpc.HealthStub(channel)
    call = channel.unary_unary("/test.Unary/echo").future(b"x")
    assert call.result(SECONDS) == b"x"
    what, advice = {
        "stub": (stub, r"send the channel, or its target, and make the stub where it is used"),
        "method": (stub.Check, r"send the channel, or its target, and make the stub where it is used"),
        "call": (call, r"send its result\(\)"),
        "server": (
            sage_rpc.server(futures.ThreadPoolExecutor(1)),
            r"make it in the process that is to serve",
        ),
    }[part]
    with pytest.raises(TypeError, match=advice):
        pickle.dumps(what)


def test_a_server_that_was_stopped_leaves_no_thread_that_reads() -> None:
    server = sage_rpc.server(futures.ThreadPoolExecutor(1))
    server.add_insecure_port("127.0.0.1:0")
    before = set(threading.enumerate())
    server.start()
    (watcher,) = (each for each in set(threading.enumerate()) - before if each.name == "sage_rpc watcher")
    server.stop(None).wait()
    assert not watcher.is_alive()
