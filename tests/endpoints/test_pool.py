"""Pools: balancing over several real servers, ejection and return, health, idle connections, warm-up."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import functools
import signal
from concurrent import futures
from pathlib import Path

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.discovery import Endpoint, LocalRegistry
from sage_rpc.encoding import values
from sage_rpc.endpoints.balancing import ConsistentHash, LeastOutstanding, RoundRobin, key_bytes
from sage_rpc.policies import (
    BatchPolicy,
    HealthPolicy,
    MethodPolicy,
    OutlierPolicy,
    PoolPolicy,
    RetryPolicy,
    ServicePolicy,
)
from sage_rpc.policies.batching import results_of
from sage_rpc.proto.v1 import invoke_pb2
from tests import waiting
from tests.conftest import ServerProcess
from tests.loops import in_loop

SECONDS = 15
until = functools.partial(waiting.until, seconds=SECONDS)
PROMPT = OutlierPolicy(probe_interval=0.05, base_ejection=0.1)


class Peer:
    """What a rule knows of an endpoint."""

    def __init__(self, target, outstanding=0, weight=100):
        self.target = target
        self.outstanding = outstanding
        self.weight = weight


# ---------------------------------------------------------------- the rules


def test_round_robin_goes_round():
    rule = RoundRobin()
    peers = [Peer("a"), Peer("b"), Peer("c")]
    assert collections.Counter(rule(peers, None).target for _ in range(9)) == {"a": 3, "b": 3, "c": 3}


def test_least_outstanding_takes_the_idle_one_and_goes_round_among_equals():
    rule = LeastOutstanding()
    peers = [Peer("a", 3), Peer("b", 1), Peer("c", 2)]
    assert {rule(peers, None).target for _ in range(9)} == {"b"}
    assert {rule([Peer("a"), Peer("b"), Peer("c", 1)], None).target for _ in range(9)} == {"a", "b"}


def test_consistent_hashing_moves_only_the_keys_of_the_endpoint_that_goes():
    peers = [Peer(f"host-{n}:1") for n in range(5)]
    keys = [f"key {n}" for n in range(2000)]
    rule, other = ConsistentHash(), ConsistentHash()
    before = {key: rule(peers, key).target for key in keys}
    after = {key: other(peers[1:], key).target for key in keys}
    assert all(after[key] == before[key] for key in keys if before[key] != "host-0:1")
    shares = collections.Counter(before.values())
    assert all(200 < share < 700 for share in shares.values()), shares


def test_a_key_is_the_same_bytes_everywhere_or_refused():
    assert key_bytes("k") == b"k"
    assert key_bytes((1, "x")) == key_bytes((1, "x"))
    with pytest.raises(TypeError, match="cannot serialise"):
        key_bytes(object())


# ---------------------------------------------------------------- real servers


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """Three servers for the whole file; the test that kills one starts it itself."""
    directory = tmp_path_factory.mktemp("pool")
    directory.chmod(0o700)
    processes = [
        ServerProcess(program="policy_services.py", env={"SAGE_RPC_RUNTIME_DIR": str(directory)})
        for _ in range(3)
    ]
    yield processes, directory
    for each in processes:
        each.process.send_signal(signal.SIGCONT)
        each.stop()


@pytest.fixture
def servers(started, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(started[1]))
    return started[0]


@pytest.fixture
def column(transport, face):
    """Names what is counted at the servers, which outlive the test."""
    return f"{transport} {face.__name__}"


@pytest.fixture
def managed(transport, face):
    opened = []

    def make(targets, pool=None, **method):
        manager = face(
            {"subject": targets},
            timeout=SECONDS,
            options=[("sage_rpc.transport", transport)],
            policy=ServicePolicy(default=MethodPolicy(**method), pool=pool or PoolPolicy()),
        )
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()


def pids(proxy, calls):
    return collections.Counter(proxy.pid() for _ in range(calls))


def test_calls_go_round_all_endpoints(servers, managed):
    manager = managed([each.target for each in servers])
    counted = pids(manager.get_sync_proxy("subject"), 30)
    assert counted == {each.process.pid: 10 for each in servers}
    asynchronous = manager.get_async_proxy("subject")
    futures = [asynchronous.pid() for _ in range(30)]
    assert {future.result(SECONDS) for future in futures} == set(counted)
    until(lambda: all(endpoint.outstanding == 0 for endpoint in manager.pool_of("subject").endpoints))


def test_the_least_loaded_endpoint_takes_the_call(servers, managed, column):
    manager = managed([each.target for each in servers[:2]], PoolPolicy(balancing="least_outstanding"))
    proxy = manager.get_sync_proxy("subject")
    gate = f"least {column}"
    held = manager.get_async_proxy("subject").hold(gate)
    free = pids(proxy, 10)
    assert len(free) == 1  # whoever does not hold
    for endpoint in manager.pool_of("subject").endpoints:
        with sage_rpc.ServiceManager({"subject": endpoint.target}) as direct:
            direct.get_sync_proxy("subject").release(gate)
    assert held.result(SECONDS) is True


def test_equal_keys_meet_the_same_endpoint_so_a_sharded_cache_is_right(servers, managed, column):
    """Each process counts for itself: sums are right only if every call of a key reaches the same one."""
    targets = [each.target for each in servers]
    hashed = PoolPolicy(balancing="consistent_hash")
    first, second = managed(targets, hashed), managed(list(reversed(targets)), hashed)
    keys = [f"{column} key {number}" for number in range(20)]
    for key in keys:
        assert first.get_sync_proxy("subject").add(key) == 1
        assert first.get_async_proxy("subject").add(key).result(SECONDS) == 2
        assert second.get_sync_proxy("subject").add(key=key) == 3  # another manager, by keyword
    assert len({first.get_sync_proxy("subject").pid.with_options(key=lambda k=key: k)() for key in keys}) > 1


def test_batches_are_divided_by_keys_too(servers, managed, column):
    """By hand and coalesced: each process counts its own keys, and results come in order."""
    targets = [each.target for each in servers]
    keys = [f"{column} batch key {number}" for number in range(40)]
    hashed = PoolPolicy(balancing="consistent_hash")
    manager = managed(targets, hashed)
    proxy = manager.get_sync_proxy("subject")
    assert proxy.batch("add", keys) == [1] * 40
    assert proxy.batch("add", [sage_rpc.Arguments(key=key) for key in keys]) == [2] * 40
    assert [proxy.add(key) for key in keys] == [3] * 40
    assert list(proxy.batch_stream("add", keys)) == [4] * 40
    assert proxy.batch("echo", keys) == keys
    coalescing = managed(targets, hashed, batch=BatchPolicy(max_size=100, max_delay=0.02))
    futures = [coalescing.get_async_proxy("subject").add(key) for key in keys]
    assert [future.result(SECONDS) for future in futures] == [5] * 40
    assert coalescing.get_sync_proxy("subject").batch("add", keys) == [6] * 40


def lose(pool, gone):
    """Kill an endpoint, and wait until its callers have seen that: over gRPC, what is sent before is lost."""
    gone.kill()
    (endpoint,) = [each for each in pool.endpoints if each.target == gone.target]
    until(lambda: not endpoint.channel.connected_over_grpc)


def test_an_endpoint_that_is_gone_is_left_out_and_comes_back(servers, managed):
    """Calls that never reached it are tried elsewhere, so no caller notices."""
    retry = RetryPolicy(max_attempts=4, initial_backoff=0.005, max_backoff=0.01)
    gone = ServerProcess(program="policy_services.py")
    targets = [gone.target, *(each.target for each in servers[1:])]
    manager = managed(targets, PoolPolicy(outlier=PROMPT), retry=retry, idempotent=True)
    proxy = manager.get_sync_proxy("subject")
    assert len(pids(proxy, 9)) == 3
    pool = manager.pool_of("subject")
    lose(pool, gone)
    assert gone.process.pid not in pids(proxy, 30)
    assert [endpoint.ejected for endpoint in pool.endpoints] == [True, False, False]
    with ServerProcess(str(gone.port), program="policy_services.py") as back:
        until(lambda: not pool.endpoints[0].ejected)
        assert back.process.pid in pids(proxy, 9)


def test_a_hung_endpoint_is_left_out_and_comes_back_when_it_goes_on(servers, managed):
    outlier = OutlierPolicy(consecutive_failures=2, probe_interval=0.05)
    manager = managed([each.target for each in servers[:2]], PoolPolicy(outlier=outlier))
    proxy = manager.get_sync_proxy("subject")
    assert len(pids(proxy, 6)) == 2
    hung, pool = servers[0].process, manager.pool_of("subject")
    hung.send_signal(signal.SIGSTOP)
    late = 0
    try:
        until(lambda: Path(f"/proc/{hung.pid}/stat").read_text().split()[2] == "T")  # the signal has arrived
        while not pool.endpoints[0].ejected:
            assert late < 10
            try:
                assert proxy(method="pid", timeout=0.3) == servers[1].process.pid
            except TimeoutError:
                late += 1
        assert late >= 2
        assert pids(proxy, 6) == {servers[1].process.pid: 6}
    finally:
        hung.send_signal(signal.SIGCONT)
    until(lambda: not pool.endpoints[0].ejected)
    assert hung.pid in pids(proxy, 6)


def test_an_endpoint_that_says_it_is_not_serving_gets_no_calls(servers, managed):
    health = HealthPolicy(interval=0.05)
    manager = managed([each.target for each in servers[:2]], PoolPolicy(health=health))
    proxy = manager.get_sync_proxy("subject")
    assert len(pids(proxy, 6)) == 2
    sick = manager.pool_of("subject").endpoints[0]
    with sage_rpc.ServiceManager({"subject": sick.target}) as direct:
        direct.get_sync_proxy("subject").become(False)
        until(lambda: sick.sick)
        assert pids(proxy, 6) == {servers[1].process.pid: 6}
        direct.get_sync_proxy("subject").become(True)
        until(lambda: not sick.sick)
    assert len(pids(proxy, 6)) == 2


def test_a_connection_that_nobody_uses_is_closed_and_opened_again(servers, managed):
    manager = managed(servers[0].target, PoolPolicy(idle_after=0.1))
    proxy = manager.get_sync_proxy("subject")
    pid = proxy.pid()
    assert manager.transport_of("subject") != "idle"
    until(lambda: manager.transport_of("subject") == "idle")
    assert proxy.pid() == pid


def test_warm_up_connects_before_the_first_call(servers, managed):
    manager = managed([each.target for each in servers[:2]], PoolPolicy(warm_up=True))
    pool = manager.pool_of("subject")
    until(lambda: all(endpoint.transport != "idle" for endpoint in pool.endpoints))


def test_targets_may_change_while_calls_go_on(servers, managed, column):
    manager = managed(servers[0].target)
    proxy = manager.get_sync_proxy("subject")
    held = manager.get_async_proxy("subject").hold(f"while {column}")
    assert pids(proxy, 3) == {servers[0].process.pid: 3}
    manager.set_targets("subject", [servers[1].target, servers[2].target])
    assert set(pids(proxy, 6)) == {servers[1].process.pid, servers[2].process.pid}
    with sage_rpc.ServiceManager({"subject": servers[0].target}) as direct:
        direct.get_sync_proxy("subject").release(f"while {column}")
    assert held.result(SECONDS) is True
    manager.set_targets("subject", [])
    with pytest.raises(errors.Unavailable, match="'subject' has no endpoint now: connection refused"):
        proxy.pid()
    manager.set_targets("subject", [servers[0].target])
    assert proxy.pid() == servers[0].process.pid


def test_endpoints_of_this_host_come_first(servers, managed):
    """The other address is a documentation network's: a call that went there would not come back."""
    manager = managed(["192.0.2.1:5", servers[0].target], PoolPolicy(outlier=PROMPT))
    assert pids(manager.get_sync_proxy("subject"), 8) == {servers[0].process.pid: 8}
    assert manager.transport_of("subject") in {"shm", "grpc"}
    anywhere = managed(["192.0.2.1:5", servers[0].target], PoolPolicy(prefer_local=False), timeout=0.2)
    outcomes = []
    for _ in range(2):
        try:
            outcomes.append(anywhere.get_sync_proxy("subject").pid())
        except errors.RpcError as error:
            outcomes.append(error.code().name)
    assert servers[0].process.pid in outcomes
    # What never reached the other is sent here, and the other is left out.
    assert "DEADLINE_EXCEEDED" in outcomes or anywhere.pool_of("subject").endpoints[0].ejected


def test_both_transports_in_one_pool(servers):
    """One endpoint over the memory queue, one that serves gRPC alone."""
    with (
        ServerProcess(program="policy_services.py", env={"SAGE_RPC_TRANSPORT": "grpc"}) as over_grpc,
        sage_rpc.ServiceManager(
            {"subject": [servers[0].target, over_grpc.target]}, timeout=SECONDS
        ) as manager,
    ):
        assert len(pids(manager.get_sync_proxy("subject"), 6)) == 2
        transports = {endpoint.transport for endpoint in manager.pool_of("subject").endpoints}
        assert "grpc" in transports
        expected = "mixed" if "shm" in transports else "grpc"
        assert manager.transport_of("subject") == expected
        if expected == "mixed":  # each call is counted by what carried it
            manager.get_async_proxy("subject").echo(1).result(SECONDS)
            manager.get_async_proxy("subject").echo(2).result(SECONDS)
            counted = {(row.method, row.transport): row.calls for row in manager.stats()}
            assert counted == {
                **{("pid", transport): 3 for transport in ("grpc", "shm")},
                **{("echo", transport): 1 for transport in ("grpc", "shm")},
            }


# ---------------------------------------------------------------- names


@pytest.fixture
def registered(servers):
    """The three servers under one name."""
    with contextlib.ExitStack() as stack:
        registry = stack.enter_context(LocalRegistry())
        for each in servers:
            stack.enter_context(registry.register_service(Endpoint("subject", each.target)))
        yield registry


def test_equal_keys_meet_the_same_endpoint_behind_a_name_too(registered, servers, managed, column):
    hashed = PoolPolicy(balancing="consistent_hash")
    named, addressed = (
        managed(targets, hashed) for targets in ("sage:///subject", [each.target for each in servers])
    )
    keys = [f"{column} name key {number}" for number in range(20)]
    for key in keys:
        assert named.get_sync_proxy("subject").add(key) == 1
        assert named.get_async_proxy("subject").add(key).result(SECONDS) == 2
        assert addressed.get_sync_proxy("subject").add(key) == 3
    assert named.get_sync_proxy("subject").batch("add", keys) == [4] * 20
    assert len({named.get_sync_proxy("subject").pid.with_options(key=lambda k=key: k)() for key in keys}) > 1


def test_the_least_loaded_endpoint_behind_a_name_takes_the_call(registered, servers, managed, column):
    manager = managed("sage:///subject", PoolPolicy(balancing="least_outstanding"))
    proxy = manager.get_sync_proxy("subject")
    gate = f"least name {column}"
    held = [manager.get_async_proxy("subject").hold(gate) for _ in range(2)]
    assert len(pids(proxy, 10)) == 1  # whoever does not hold
    for each in servers:
        with sage_rpc.ServiceManager({"subject": each.target}) as direct:
            direct.get_sync_proxy("subject").release(gate)
    assert [each.result(SECONDS) for each in held] == [True, True]


def test_an_endpoint_behind_a_name_is_left_out_and_comes_back(registered, servers, managed):
    gone = ServerProcess(program="policy_services.py")
    with registered.register_service(Endpoint("subject", gone.target)):
        manager = managed("sage:///subject", PoolPolicy(outlier=PROMPT))
        proxy = manager.get_sync_proxy("subject")
        until(lambda: len(pids(proxy, 8)) == 4)
        lose(manager.pool_of("subject"), gone)
        assert gone.process.pid not in pids(proxy, 30)  # and no caller notices
        ejected = [each for each in manager.pool_of("subject").endpoints if each.ejected]
        assert [each.target for each in ejected] == [gone.target]
        with ServerProcess(str(gone.port), program="policy_services.py") as back:
            until(lambda: not ejected[0].ejected)
            assert back.process.pid in pids(proxy, 9)


def failing_with(details, ran):
    """A gRPC server whose method fails with these details, say because a call of its own ended so."""

    def fail(_request, context):
        ran.append(details)
        context.abort(grpc.StatusCode.UNAVAILABLE, details)

    made = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(fail)
    made.add_generic_rpc_handlers(
        (grpc.method_handlers_generic_handler("sage.rpc.v1.Invocation", {"Call": handler}),)
    )
    port = made.add_insecure_port("127.0.0.1:0")
    made.start()
    return made, f"127.0.0.1:{port}"


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize(
    "details", ["the database: connection refused", "failed to connect to all addresses; x"]
)
def test_what_a_server_says_is_no_proof_that_a_call_never_ran(details, later):
    ran = []
    made, target = failing_with(details, ran)
    retry = MethodPolicy(retry=RetryPolicy(max_attempts=3, initial_backoff=0.001))
    options = [("sage_rpc.transport", "grpc")]
    for targets in ([target], [target, "127.0.0.1:1"]):
        ran.clear()
        policy = ServicePolicy(default=retry, pool=PoolPolicy(outlier=None))
        with sage_rpc.ServiceManager(
            {"x": targets}, timeout=SECONDS, policies={"x": policy}, options=options
        ) as manager:
            proxy = manager.get_async_proxy("x") if later else manager.get_sync_proxy("x")
            with pytest.raises(errors.Unavailable, match=details.partition(";")[0]) as caught:
                proxy.change().result(SECONDS)  # a synchronous call does not come to the end of this line
            assert len(ran) == 1
            assert not caught.value.never_ran
    made.stop(None)


@pytest.mark.parametrize("kind", ["proxy's future", "channel's future", "channel's stream"])
def test_what_never_reached_its_endpoint_goes_to_another_whoever_waits(servers, managed, transport, kind):
    gone = ServerProcess(program="policy_services.py")
    gone.kill()
    targets = [gone.target, servers[0].target]
    items = values.encode([[[], {}]])
    batch = invoke_pb2.BatchRequest(service="subject", method="pid", calls=items, whole=True)
    request, result = calling("pid")

    def by_proxy():
        return managed(targets, PoolPolicy(outlier=None)).get_async_proxy("subject").pid().result(SECONDS)

    def by_future():
        call = channel.unary_unary("/sage.rpc.v1.Invocation/Call").future(request, SECONDS)
        assert call.code() is grpc.StatusCode.OK
        return result(call.result())

    def by_stream():
        call = channel.unary_stream("/sage.rpc.v1.Invocation/BatchStream")(batch.SerializeToString(), SECONDS)
        assert call.initial_metadata() is not None
        (response,) = call
        assert call.code() is grpc.StatusCode.OK
        return results_of(invoke_pb2.BatchResponse.FromString(response))[0]

    call = {"proxy's future": by_proxy, "channel's future": by_future, "channel's stream": by_stream}[kind]
    with contextlib.ExitStack() as stack:
        registry = stack.enter_context(LocalRegistry())
        for target in targets:
            stack.enter_context(registry.register_service(Endpoint("subject", target)))
        options = [("sage_rpc.transport", transport)]
        channel = stack.enter_context(sage_rpc.insecure_channel("sage:///subject", options))
        assert {call() for _ in range(6)} == {servers[0].process.pid}  # every other one met who is gone


# ---------------------------------------------------------------- names, for asyncio


def calling(method, *args):
    request = sage_rpc.ServiceRequest(
        service="subject", method=method, arguments=values.encode([list(args), {}])
    ).SerializeToString()
    return request, lambda data: values.decode(sage_rpc.ServiceResponse.FromString(data).result)


async def aio_pids(channel, calls, **more):
    request, result = calling("pid")
    call = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
    return collections.Counter([result(await call(request, timeout=SECONDS, **more)) for _ in range(calls)])


@in_loop
async def test_asyncio_calls_by_name_go_round_all_endpoints(registered, servers, transport):
    options = [("sage_rpc.transport", transport)]
    async with sage_rpc.aio.insecure_channel("sage:///subject", options) as channel:
        await channel.channel_ready()
        assert await aio_pids(channel, 30) == {each.process.pid: 10 for each in servers}
        assert channel.transport == transport
        request, result = calling("pid")
        call = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
        together = await asyncio.gather(*(call(request, timeout=SECONDS) for _ in range(30)))
        assert len({result(each) for each in together}) == 3
        until(lambda: not any(each.outstanding for each in channel.pool.endpoints))


@in_loop
async def test_an_asyncio_call_that_never_reached_its_endpoint_goes_to_another(registered, servers):
    gone = ServerProcess(program="policy_services.py")
    with registered.register_service(Endpoint("subject", gone.target)):
        async with sage_rpc.aio.insecure_channel("sage:///subject") as channel:
            while len(await aio_pids(channel, 8)) < 4:
                pass
            lose(channel.pool, gone)
            assert gone.process.pid not in await aio_pids(channel, 30)
            ejected = [each for each in channel.pool.endpoints if each.ejected]
            assert [each.target for each in ejected] == [gone.target]
            with ServerProcess(str(gone.port), program="policy_services.py") as back:
                while back.process.pid not in await aio_pids(channel, 9):
                    pass


@in_loop
async def test_an_asyncio_stream_that_never_reached_its_endpoint_goes_to_another(registered, servers):
    gone = ServerProcess(program="policy_services.py")
    gone.kill()
    items = values.encode([[[], {}]])
    request = invoke_pb2.BatchRequest(service="subject", method="pid", calls=items, whole=True)
    with registered.register_service(Endpoint("subject", gone.target)):
        async with sage_rpc.aio.insecure_channel("sage:///subject") as channel:
            method = channel.unary_stream("/sage.rpc.v1.Invocation/BatchStream")
            for _ in range(8):  # who goes round meets the one that is gone
                got = [data async for data in method(request.SerializeToString(), timeout=SECONDS)]
                assert len(got) == 1


@in_loop
async def test_asyncio_calls_to_a_name_that_nobody_has_fail_or_wait(servers):
    async with sage_rpc.aio.insecure_channel("sage:///subject") as channel:
        with pytest.raises(
            grpc.aio.AioRpcError, match="'subject' is registered: connection refused"
        ) as caught:
            await aio_pids(channel, 1)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        call = channel.unary_unary("/sage.rpc.v1.Invocation/Call")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call(b"", timeout=0.1, wait_for_ready=True)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        waiting = asyncio.ensure_future(aio_pids(channel, 1, wait_for_ready=True))
        with LocalRegistry() as registry, registry.register_service(Endpoint("subject", servers[0].target)):
            assert await waiting == {servers[0].process.pid: 1}
    with pytest.raises(grpc.aio.UsageError):
        await aio_pids(channel, 1)


@in_loop
async def test_asyncio_streams_go_to_an_endpoint_behind_a_name(registered, servers):
    items = values.encode([[["k"], {}]] * 3)
    request = invoke_pb2.BatchRequest(service="subject", method="echo", calls=items, whole=True)
    async with sage_rpc.aio.insecure_channel("sage:///subject") as channel:
        call = channel.unary_stream("/sage.rpc.v1.Invocation/BatchStream")(request.SerializeToString())
        got = [
            result async for data in call for result in results_of(invoke_pb2.BatchResponse.FromString(data))
        ]
        assert got == ["k"] * 3
        assert await call.code() is grpc.StatusCode.OK
        await asyncio.sleep(0)
        until(lambda: not any(each.outstanding for each in channel.pool.endpoints))
