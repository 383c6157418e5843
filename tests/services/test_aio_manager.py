"""The asyncio manager: what its callers have in their own way. What they share with those who wait is tested
where that is, for both (the fixture `face`).
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import itertools
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.discovery import Endpoint, LocalRegistry
from sage_rpc.discovery.directory import default_directory
from sage_rpc.policies import (
    BatchPolicy,
    BreakerPolicy,
    CachePolicy,
    HedgingPolicy,
    MethodPolicy,
    PoolPolicy,
    RetryPolicy,
    ServicePolicy,
)
from tests.codegen.golden import kinds_pb2
from tests.codegen.golden.kinds_sage import KindsAioClient, KindsBase, KindsClient
from tests.conftest import ServerProcess
from tests.loops import LOOPS, eventually, in_loop, run_in_loop

SECONDS = 20
names = (f"aio key {number}" for number in itertools.count())


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    directory = tmp_path_factory.mktemp("aio")
    directory.chmod(0o700)
    with ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield process, directory


@pytest.fixture
def managed(subject, transport, monkeypatch):
    """Makes managers of the subject; whoever makes one closes it."""
    process, directory = subject
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(directory))

    def make(policy=None, target=process.target, **more):
        options = [("sage_rpc.transport", transport)]
        return sage_rpc.aio.ServiceManager(
            {"subject": target}, timeout=SECONDS, options=options, policy=policy, **more
        )

    return make


def open_gate(subject, gate):
    """From outside, so that the handler which waits there is free again."""
    subject[0].process.stdin.write(f"{gate}\n")
    subject[0].process.stdin.flush()


def of_all(**method) -> ServicePolicy:
    return ServicePolicy(default=MethodPolicy(**method))


# ---------------------------------------------------------------- calling


@in_loop
async def test_calls_are_awaited_and_many_at_once(managed, transport):
    async with managed() as manager:
        proxy = manager.get_proxy("subject")
        assert await proxy.echo([1, 2.5, None]) == [1, 2.5, None]
        assert await proxy("x", method="echo", timeout=5.0) == "x"
        assert await manager.call_service("subject", "echo", value=3) == 3
        assert await asyncio.gather(*map(proxy.echo, range(100))) == list(range(100))
        assert manager.get_proxy("subject") is proxy
        assert manager.transport_of("subject") == transport


@in_loop
async def test_a_cancelled_task_ends_its_call_at_the_server(managed, subject):
    """And what the service called meanwhile, too."""
    async with managed() as manager:
        proxy, gate = manager.get_proxy("subject"), next(names)
        call = asyncio.create_task(proxy.until_cancelled(subject[0].target, gate))
        assert await proxy.wait_count(gate, 1, 10)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await proxy.wait_count(f"{gate} ended with CANCELLED", 1, 10)
        assert manager.stats().of("subject", "until_cancelled").failures == {"CANCELLED": 1}
        await proxy.release(gate)


@pytest.mark.parametrize(
    "method",
    [
        {"retry": RetryPolicy(max_attempts=9, initial_backoff=15, max_backoff=15), "idempotent": True},
        {"hedging": HedgingPolicy(max_attempts=2, delay=15)},
        {"cache": CachePolicy()},
        {"batch": BatchPolicy(max_delay=0.01)},
        {"fallback": "instead"},
    ],
    ids=lambda method: next(iter(method)),
)
@in_loop
async def test_a_call_under_any_policy_is_cancelled_at_once(managed, method):
    """Whatever it waits for: an answer, its next attempt, another caller's answer."""
    async with managed(of_all(**method)) as manager:
        proxy, gate = manager.get_proxy("subject"), next(names)
        calls = [asyncio.create_task(proxy.hold(gate)) for _ in range(2)]
        if "retry" in method:
            calls.append(asyncio.create_task(proxy.flaky(next(names), 9, "UNAVAILABLE")))
            await eventually(
                lambda: manager.stats().of("subject", "flaky").retries, "the first attempt failed"
            )
        async with managed() as direct:
            assert await direct.get_proxy("subject").wait_count(gate, 1, 10)
            for call in calls:
                call.cancel()
            ends = await asyncio.gather(*calls, return_exceptions=True)
            assert {type(end) for end in ends} == {asyncio.CancelledError}
            await direct.get_proxy("subject").release(gate)


@in_loop
async def test_a_fallback_may_be_a_coroutine_function(managed):
    async def fallback(error):
        await asyncio.sleep(0)
        if error.code() is grpc.StatusCode.ABORTED:
            raise ZeroDivisionError("no way")
        return error.code().name

    async with managed(of_all(fallback=fallback)) as manager:
        proxy = manager.get_proxy("subject")
        assert await proxy.fail("INTERNAL") == "INTERNAL"
        assert await proxy("INTERNAL", method="fail", fallback=7) == 7
        with pytest.raises(errors.RpcError, match=r"the fallback of subject\.fail raised ZeroDivisionError"):
            await proxy.fail("ABORTED")


@in_loop
async def test_a_breaker_that_opened_refuses_calls(managed):
    async with managed(ServicePolicy(breaker=BreakerPolicy(consecutive_failures=2, open_for=60))) as manager:
        proxy = manager.get_proxy("subject")
        before = await asyncio.gather(*(proxy.fail("UNAVAILABLE") for _ in range(2)), return_exceptions=True)
        assert all("as you wish" in str(error) for error in before)
        with pytest.raises(errors.Unavailable, match="circuit breaker of 'subject' is open"):
            await proxy.echo(1)


# ---------------------------------------------------------------- names


@in_loop
async def test_equal_keys_meet_the_same_endpoint_behind_a_name(managed, subject):
    """However they are called, and by whichever manager, one of threads included."""
    policy = ServicePolicy(pool=PoolPolicy(balancing="consistent_hash"))
    environment = {"SAGE_RPC_RUNTIME_DIR": str(subject[1])}
    with contextlib.ExitStack() as stack:
        registry = stack.enter_context(LocalRegistry())
        for _ in range(2):
            process = stack.enter_context(ServerProcess(program="policy_services.py", env=environment))
            stack.enter_context(registry.register_service(Endpoint("subject", process.target)))
        threads = stack.enter_context(
            sage_rpc.ServiceManager({"subject": "sage:///subject"}, policy=policy, timeout=SECONDS)
        )
        keys = [next(names) for _ in range(20)]
        async with managed(policy, "sage:///subject") as manager:
            proxy = manager.get_proxy("subject")
            assert await asyncio.gather(*map(proxy.add, keys)) == [1] * 20
            assert await proxy.batch("add", keys) == [2] * 20
            waited = await asyncio.to_thread(lambda: list(map(threads.get_sync_proxy("subject").add, keys)))
            assert waited == [3] * 20
            pids = await asyncio.gather(*(proxy.pid.with_options(key=lambda k=key: k)() for key in keys))
            assert len(set(pids)) == 2


class _Slow(LocalRegistry):
    """A registry that takes its time to look, as one behind a network may."""

    def look(self, service):
        looked.set()
        time.sleep(0.5)
        return super().look(service)


looked = threading.Event()


@in_loop
async def test_the_loop_goes_on_while_names_are_looked_up(managed, monkeypatch):
    looked.clear()
    with _Slow() as registry:
        directory = default_directory()
        monkeypatch.setattr(directory, "_registry", registry)
        async with managed(target="sage:///nobody") as manager:
            call = asyncio.create_task(manager.get_proxy("subject").echo(1))
            await eventually(looked.is_set, "the registry is asked")
            longest, last = 0.0, time.monotonic()
            while not call.done():
                await asyncio.sleep(0.001)
                longest, last = max(longest, time.monotonic() - last), time.monotonic()
            with pytest.raises(errors.Unavailable, match="no endpoint of the service 'nobody' is registered"):
                await call
            assert longest < 0.4


# ---------------------------------------------------------------- generated clients


class Kinds(KindsBase):
    def __init__(self, name=""):
        self.name = name
        self.asked = collections.Counter()

    def echo(self, request, context):
        self.asked["echo"] += 1
        if self.asked["echo"] <= request.count:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return kinds_pb2.Item(name=self.name + request.name, count=self.asked["echo"])

    def repeat(self, request, context):
        if request.count < 0:
            context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such count")
        for _ in range(request.count):
            yield kinds_pb2.Item(name=self.name + request.name)

    def collect(self, requests, context):
        return kinds_pb2.Tally(count=sum(1 for _ in requests))

    def exchange(self, requests, context):
        yield from requests

    def left(self, request, context):
        return kinds_pb2.Item(weight=context.time_remaining())

    def hang(self, request, context):
        raise NotImplementedError

    old = hang


@in_loop
async def test_generated_clients_obey_the_policies(transport):
    policy = ServicePolicy(
        methods={
            "echo": MethodPolicy(
                idempotent=True,
                retry=RetryPolicy(max_attempts=4, initial_backoff=0.001),
                cache=CachePolicy(ttl=60),
            ),
            "repeat": MethodPolicy(timeout=7),
        }
    )
    with sage_rpc.ServiceHost("kinds", Kinds()) as host:
        endpoint = sage_rpc.ServiceEndpoint(host.address, "test.kinds.Kinds", policy)
        options = [("sage_rpc.transport", transport)]
        async with sage_rpc.aio.ServiceManager({"kinds": endpoint}, options=options) as manager:
            client = manager.client(KindsAioClient)
            assert manager.client(KindsAioClient) is client
            assert (await client.echo(name="a", count=2)).count == 3  # at the third attempt
            assert (await client.echo(name="a", count=2)).count == 3  # from the cache
            assert (await client.echo(name="a", count=2, metadata=[("a", "b")])).count == 4  # whose own it is
            assert (await manager.get_proxy("kinds").echo(name="a", count=2)).count == 3  # the same cache
            assert [item.name async for item in client.repeat(name="r", count=3)] == ["r"] * 3
            assert (await client.collect([kinds_pb2.Item()] * 4)).count == 4
            row = manager.stats().of("kinds", "echo")
            assert (row.retries, row.cache_hits, row.calls) == (2, 2, 2)
            exchanged = client.exchange(kinds_pb2.Item(name=name) for name in "ab")
            assert [item.name async for item in exchanged] == ["a", "b"]
            with pytest.raises(errors.Unimplemented):
                await anext(client.repeat(name="not served", count=-1))
            rows = {row.method: row for row in manager.stats().rows}
            assert (rows["repeat"].messages_sent, rows["repeat"].messages_received) == (2, 3)
            assert (rows["collect"].messages_sent, rows["collect"].messages_received) == (4, 1)
            assert (rows["exchange"].messages_sent, rows["exchange"].messages_received) == (2, 2)
            assert rows["repeat"].failures == {"UNIMPLEMENTED": 1}
            assert not any(row.in_flight for row in rows.values())
            with pytest.raises(TypeError, match=r"KindsClient needs a sage_rpc\.ServiceManager"):
                manager.client(KindsClient)


@in_loop
async def test_clients_and_streams_go_where_their_key_is(transport):
    """Those of an asyncio manager, and those that a manager of threads makes for a loop."""
    policy = ServicePolicy(
        pool=PoolPolicy(balancing="consistent_hash"),
        methods={"Echo": MethodPolicy(key="name"), "Repeat": MethodPolicy(key="name")},
    )
    hosts = [sage_rpc.ServiceHost("kinds", Kinds(name)) for name in "123"]
    with hosts[0], hosts[1], hosts[2]:
        endpoint = sage_rpc.ServiceEndpoint([host.address for host in hosts], "test.kinds.Kinds", policy)
        options = [("sage_rpc.transport", transport)]
        given = {"kinds": endpoint}
        with sage_rpc.ServiceManager(given, options=options) as threads:
            async with (
                sage_rpc.aio.ServiceManager(given, options=options) as manager,
                threads.client(KindsAioClient) as made,
            ):
                client, served = manager.client(KindsAioClient), set()
                for key in map(str, range(20)):
                    host = (await client.echo(name=key)).name[0]
                    served.add(host)
                    for each in (client, made):
                        assert (await each.echo(name=key)).name[0] == host
                        assert (await each.echo(name=key, wait_for_ready=True)).name[0] == host
                        assert [item.name async for item in each.repeat(name=key, count=1)] == [host + key]
                assert len(served) > 1


class Outer(KindsBase):
    """Asynchronous methods, whose calls have what is left of the call that they serve."""

    def __init__(self, inner):
        self.inner = inner

    async def left(self, request, context):
        return await self.inner().left()

    async def echo(self, request, context):
        return await self.inner().echo(request)

    async def repeat(self, request, context):
        async for item in self.inner().repeat(request):
            yield item

    async def collect(self, requests, context):
        raise NotImplementedError

    hang = old = exchange = collect


@in_loop
async def test_a_call_made_by_an_asyncio_handler_has_the_deadline_of_the_call_it_serves(transport):
    options = [("sage_rpc.transport", transport)]
    with sage_rpc.ServiceHost("kinds", Kinds()) as host:
        endpoint = sage_rpc.ServiceEndpoint(host.address, "test.kinds.Kinds")
        async with sage_rpc.aio.ServiceManager({"kinds": endpoint}, timeout=60, options=options) as manager:
            server = sage_rpc.aio.server()
            Outer(lambda: manager.client(KindsAioClient)).add_to_server(server)
            port = server.add_insecure_port("127.0.0.1:0")
            await server.start()
            try:
                async with KindsAioClient(f"127.0.0.1:{port}", options=options) as client:
                    # gRPC rounds what is left up.
                    assert 0 < (await client.left(timeout=SECONDS)).weight < SECONDS + 1
            finally:
                await server.stop(None)


# ---------------------------------------------------------------- loops, and the end


def test_two_loops_have_two_managers_at_once(managed):
    """Each in a thread of its own; and a manager is of one loop."""
    strange = []

    async def main(number):
        async with managed() as manager:
            proxy = manager.get_proxy("subject")
            strange.append(manager)
            return await asyncio.gather(*(proxy.echo((number, each)) for each in range(50)))

    found = {}
    threads = [
        threading.Thread(target=lambda n=number: found.update({n: asyncio.run(main(n))})) for number in (1, 2)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert found == {number: [(number, each) for each in range(50)] for number in (1, 2)}

    async def elsewhere(manager):
        manager.get_proxy("subject")

    manager = managed()
    asyncio.run(elsewhere(manager))
    with pytest.raises(RuntimeError, match="belongs to the event loop in which it was first used"):
        asyncio.run(manager.call_service("subject", "echo", 1))
    with pytest.raises(RuntimeError, match="no running event loop"):
        managed().get_proxy("subject")
    with pytest.raises(TypeError, match="does not pickle, it belongs to an event loop"):
        pickle.dumps(managed())


def open_sockets() -> int:
    found = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            found += str(link.readlink()).startswith("socket:")
    return found


@pytest.mark.parametrize("kind", LOOPS)
def test_nothing_is_left_of_a_manager_that_was_closed(managed, subject, kind):
    """Calls under way end with CANCELLED; no task, thread or socket stays."""
    policy = ServicePolicy(
        default=MethodPolicy(
            retry=RetryPolicy(max_attempts=3, initial_backoff=15, max_backoff=15), idempotent=True
        ),
        methods={"hold": MethodPolicy(hedging=HedgingPolicy(delay=15))},
    )

    mine = set()

    async def use():
        async with managed(policy) as manager:
            proxy, gate = manager.get_proxy("subject"), next(names)
            held = asyncio.create_task(proxy.hold(gate))
            again = asyncio.create_task(proxy.flaky(next(names), 9, "UNAVAILABLE"))
            assert await proxy.wait_count(gate, 1, 10)
            await eventually(
                lambda: manager.stats().of("subject", "flaky").retries, "it waits to be sent again"
            )
        open_gate(subject, gate)
        for call in (held, again):
            with pytest.raises(errors.RpcError) as caught:
                await call
            assert caught.value.code() is grpc.StatusCode.CANCELLED
        assert asyncio.all_tasks() == mine
        with pytest.raises(ValueError, match="closed"):
            await proxy.echo(1)
        with pytest.raises(ValueError, match="closed"):
            manager.get_proxy("subject")

    async def main():
        mine.update(asyncio.all_tasks())
        await use()
        # gRPC's poller, with its thread and sockets, comes and goes, and a thread waits for the next
        # handshake. One more for each manager that follows would be a leak.
        threads, sockets = threading.active_count(), open_sockets()
        for _ in range(8):
            await use()
        await eventually(lambda: threading.active_count() < threads + 8, "the threads have ended")
        await eventually(lambda: open_sockets() < sockets + 8, "the sockets are closed")

    run_in_loop(main(), kind=kind)


PROGRAM = """
import asyncio, sys
import sage_rpc

async def main(target, gate):
    async with sage_rpc.aio.ServiceManager({"subject": target}, timeout=60) as manager:
        proxy = manager.get_proxy("subject")
        call = asyncio.create_task(proxy.hold(gate))
        assert await proxy.wait_count(gate, 1, 10)
        print("it waits", flush=True)
        await call

asyncio.run(main(*sys.argv[1:]))
"""


def test_ctrl_c_ends_a_program_that_waits(managed, subject):
    gate = next(names)
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, subject[0].target, gate],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert program.stdout.readline() == "it waits\n"
    program.send_signal(signal.SIGINT)
    _, told = program.communicate(timeout=SECONDS)
    assert program.returncode == -signal.SIGINT
    assert told.strip().endswith("KeyboardInterrupt")
    open_gate(subject, gate)
