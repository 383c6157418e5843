"""Futures of calls by name: the standard library's, awaitable, many at once."""

from __future__ import annotations

import asyncio
import concurrent.futures
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.policies import CachePolicy, MethodPolicy, RetryPolicy, ServicePolicy
from tests.conftest import PROGRAMS, ServerProcess, needs_native

ROOT = Path(__file__).parents[2]
SECONDS = 20
MIB = 1 << 20
POLICIES = {
    "bare": MethodPolicy(),
    "retried": MethodPolicy(retry=RetryPolicy(), idempotent=True),
    "fallback": MethodPolicy(fallback=lambda error: error),
    "cached": MethodPolicy(cache=CachePolicy()),
}


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    directory = tmp_path_factory.mktemp("futures")
    directory.chmod(0o700)
    with ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture(params=sorted(POLICIES))
def proxy(subject, transport, request, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(subject[1]))
    with sage_rpc.ServiceManager(
        {"subject": subject[0].target},
        timeout=SECONDS,
        options=[("sage_rpc.transport", transport)],
        policy=ServicePolicy(methods={"echo": POLICIES[request.param], "hold": POLICIES[request.param]}),
    ) as manager:
        yield manager.get_async_proxy("subject")


def test_wait_and_as_completed_of_the_standard_library(proxy):
    pending = [proxy.echo(number) for number in range(30)]
    done, not_done = concurrent.futures.wait(pending, timeout=SECONDS)
    assert (len(done), len(not_done)) == (30, 0)
    assert all(isinstance(future, concurrent.futures.Future) for future in done)
    again = [proxy.echo(number) for number in range(30)]
    assert {f.result() for f in concurrent.futures.as_completed(again, SECONDS)} == set(range(30))


def test_done_callbacks_and_states(proxy, request):
    gate = f"states {request.node.name}"
    called = threading.Event()
    future = proxy.hold(gate)
    future.add_done_callback(lambda done: called.set() if done is future else None)
    assert not future.done()
    assert not called.is_set()
    assert proxy.release(gate).result(SECONDS) is None
    assert future.result(SECONDS) is True
    assert future.exception() is None
    assert called.wait(SECONDS)
    assert future.done()
    assert not future.cancel()


@pytest.mark.parametrize("error", [ValueError, SystemExit, asyncio.CancelledError])
def test_a_callback_that_raises_keeps_nobody_from_learning_of_the_end(proxy, request, error):
    gate = f"callback {error.__name__} {request.node.name}"
    called = threading.Event()

    def leave(_future):
        raise error("a callback")

    future = proxy.hold(gate)
    for callback in (leave, lambda _future: called.set()):
        future.add_done_callback(callback)
    proxy.release(gate).result(SECONDS)
    assert called.wait(SECONDS)
    later = [proxy.echo(number) for number in range(5)]  # who reads for all calls reads on
    assert [each.result(SECONDS) for each in later] == list(range(5))


def test_cancel_ends_the_call(proxy, request):
    gate = f"cancel {request.node.name}"
    future = proxy.hold(gate)
    assert future.cancel()
    assert future.cancelled()
    with pytest.raises(concurrent.futures.CancelledError):
        future.result(SECONDS)
    proxy.release(gate).result(SECONDS)


def test_a_result_that_is_not_there_in_time_may_be_asked_for_again(proxy, request):
    gate = f"again {request.node.name}"
    future = proxy.hold(gate)
    with pytest.raises(concurrent.futures.TimeoutError):
        future.result(timeout=0.02)
    proxy.release(gate).result(SECONDS)
    assert future.result(timeout=SECONDS) is True


def test_a_future_is_awaited_in_an_event_loop(proxy):
    async def gather():
        return await asyncio.gather(*(proxy.echo(number) for number in range(20)))

    assert asyncio.run(gather()) == list(range(20))

    async def failing():
        await proxy.fail("ABORTED")

    with pytest.raises(errors.RpcError, match="as you wish"):
        asyncio.run(failing())


def test_a_task_that_is_cancelled_cancels_its_call(proxy, request):
    gate = f"task {request.node.name}"

    async def give_up():
        future = proxy.hold(gate)
        task = asyncio.ensure_future(asyncio.wrap_future(future))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return future

    assert asyncio.run(give_up()).cancelled()
    proxy.release(gate).result(SECONDS)


def ten_thousand(transport):
    """What ten thousand calls under way add to a process of its own: memory (bytes) and threads."""
    with ServerProcess(program="policy_services.py") as server:
        with subprocess.Popen(
            [sys.executable, str(PROGRAMS / "many_futures.py"), server.target, transport],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        ) as process:
            under_way = json.loads(process.stdout.readline())["under_way"]
            server.process.stdin.write("gate\n")
            server.process.stdin.flush()
            output, _ = process.communicate("go\n", timeout=50)
        found = json.loads(output)
    print(transport, found)
    assert found["right"] == 10_000
    assert under_way > 9_900  # gRPC may let a few overtake those that hold the workers
    return found


@needs_native
def test_ten_thousand_in_flight_need_no_threads_and_little_memory():
    found = ten_thousand("shm")
    assert found["threads"] <= 0
    assert found["memory"] < 100 * MIB


@pytest.mark.slow
def test_over_grpc_they_need_little_more_than_grpcio_does():
    found, stock = ten_thousand("grpc"), ten_thousand("stock")
    assert found["threads"] <= stock["threads"] + 2  # gRPC's core starts pollers of its own when it likes
    assert found["memory"] - stock["memory"] < 100 * MIB
