"""Generated clients and bases in operators and at the service layer: by name, under policies."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

import sage_rpc
from sage_rpc.config import ServiceConfig
from sage_rpc.operators import BaseService, LocalEnvironment, MapFunction
from sage_rpc.policies.settings import CachePolicy, MethodPolicy, PoolPolicy, RetryPolicy, ServicePolicy
from sage_rpc.supervisor.manager import ServiceProcessManager
from sage_rpc.supervisor.output import Output
from tests.codegen.golden import kinds_pb2, kinds_pb2_grpc
from tests.codegen.golden.awkward import no_package_pb2
from tests.codegen.golden.awkward.no_package_sage import BareBase, BareClient
from tests.codegen.golden.kinds_sage import KindsAioClient, KindsAsyncClient, KindsBase, KindsClient

ROOT = Path(__file__).parents[2]
SECONDS = 20


class Kinds(KindsBase):
    """Echoes, and counts what it was asked."""

    def __init__(self, greeting="", fail=0):
        self.greeting, self.fail, self.asked = greeting, fail, 0

    def echo(self, request, context):
        self.asked += 1
        if self.asked <= self.fail:
            context.abort(sage_rpc.errors.grpc.StatusCode.UNAVAILABLE, "not yet")
        return kinds_pb2.Item(name=self.greeting + request.name, count=self.asked)

    def repeat(self, request, context):
        for _ in range(request.count):
            yield kinds_pb2.Item(name=self.greeting + request.name)

    def collect(self, requests, context):
        return kinds_pb2.Tally(count=sum(1 for _ in requests))

    def exchange(self, requests, context):
        yield from requests

    def hang(self, request, context):
        raise NotImplementedError

    left = old = hang


class Lookup(MapFunction):
    def execute(self, row):
        waited = self.call_service[KindsClient].echo(name=row)
        later = self.call_service_async[KindsAsyncClient].echo(name=row)
        by_name = self.call_service["kinds"].echo(name=row)
        streamed = [item.name for item in self.call_service[KindsClient].repeat(name=row, count=2)]
        return [waited.name, later.result(SECONDS).name, by_name.name, *streamed]


class Wrong(MapFunction):
    def execute(self, row):
        with pytest.raises(TypeError, match="call_service takes clients that wait, as CacheClient"):
            self.call_service[KindsAsyncClient]
        with pytest.raises(TypeError, match="call_service_async takes clients of futures"):
            self.call_service_async[KindsClient]
        with pytest.raises(LookupError, match="no Bare is registered; registered: kinds"):
            self.call_service[BareClient]
        return row


def test_operators_call_declared_services_by_their_clients():
    env = LocalEnvironment("declared")
    env.register_service("kinds", Kinds, greeting="hello ")
    assert env.from_batch(["a"]).map(Lookup).collect() == [["hello a"] * 5]


def test_what_an_operator_cannot_have_is_named():
    env = LocalEnvironment("wrong")
    env.register_service("kinds", Kinds)
    assert env.from_batch(["a"]).map(Wrong).collect() == ["a"]


class Bare(BareBase, BaseService):
    """A declared service that calls another."""

    def get(self, request, context):
        return no_package_pb2.BareKey(name=self.call_service[KindsClient].echo(name=request.name).name)

    put = get


def test_declared_services_call_each_other():
    env = LocalEnvironment("chain")
    env.register_service("kinds", Kinds, greeting="hello ")
    env.register_service("bare", Bare)
    rows = env.from_batch(["a"]).map(AskBare).collect()
    assert rows == ["hello a"]


class AskBare(MapFunction):
    def execute(self, row):
        return self.call_service[BareClient].get(name=row).name


@pytest.fixture
def hosted():
    """An implementation at a host that needs no more than the instance."""
    service = Kinds()
    with sage_rpc.ServiceHost("kinds", service) as host:
        yield service, sage_rpc.ServiceEndpoint(host.address, "test.kinds.Kinds")


def test_policies_hold_for_generated_clients(hosted):
    service, endpoint = hosted
    service.fail = 2
    policy = ServicePolicy(
        methods={
            "Echo": MethodPolicy(
                idempotent=True,
                retry=RetryPolicy(max_attempts=3, initial_backoff=0.001, max_backoff=0.002),
                cache=CachePolicy(ttl=60.0),
            )
        }
    )
    with sage_rpc.ServiceManager({"kinds": endpoint}, policies={"kinds": policy}) as manager:
        client = manager.client(KindsClient)
        assert client.echo(name="a").count == 3  # at the third attempt
        assert client.echo(name="a").count == 3  # from the cache
        assert manager.client(KindsAsyncClient).echo(name="a").result(SECONDS).count == 3
        assert manager.cache_info("kinds", "echo").hits == 2
        assert client.echo(name="b").count == 4
        assert client.echo(name="b", metadata=[("token", "t")]).count == 5  # straight to an endpoint
        assert len(list(client.repeat(count=3))) == 3
        assert client.collect(iter([kinds_pb2.Item()] * 4)).count == 4
        assert len(list(client.exchange(iter([kinds_pb2.Item()] * 2)))) == 2
        assert {row.method for row in manager.stats().rows} == {"echo", "repeat", "collect", "exchange"}
        # Stock stubs are served by the same channel.
        stub = kinds_pb2_grpc.KindsStub(manager.channel_of("test.kinds.Kinds"))
        assert stub.Echo(kinds_pb2.Item(name="a")).count == 3
        assert stub.Echo.with_call(kinds_pb2.Item(name="a"))[0].count == 6
        assert stub.Collect.future(iter([kinds_pb2.Item()])).result(SECONDS).count == 1


def test_an_endpoint_is_given_back_whatever_ends_a_call(hosted):
    _, endpoint = hosted
    with sage_rpc.ServiceManager({"kinds": endpoint}) as manager:
        client = manager.client(KindsClient)
        for _ in client.repeat(count=2):
            pass
        client.repeat(count=1 << 20).cancel()
        with pytest.raises(sage_rpc.RpcError):
            client.hang(name="a", metadata=[("a", "b")])
        with pytest.raises(sage_rpc.RpcError):
            client.collect(broken())
        deadline = time.monotonic() + SECONDS
        while (left := manager.pool_of("kinds").endpoints[0].outstanding) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert left == 0


def broken():
    """Requests that cannot all be had."""
    yield kinds_pb2.Item()
    raise OSError


def test_a_supervised_service_may_be_declared():
    with ServiceProcessManager("declared", python_path=[str(ROOT)], output=Output(echo=False)) as processes:
        config = ServiceConfig.model_validate(
            {"class": f"{__name__}.Kinds", "kwargs": {"greeting": "hello "}, "process_count": 2}
        )
        processes.start_service_process("kinds", config)
        endpoint = sage_rpc.ServiceEndpoint("sage:///kinds", "test.kinds.Kinds")
        with sage_rpc.ServiceManager({"kinds": endpoint}) as manager:
            assert manager.client(KindsClient).echo(name="a", timeout=SECONDS).name == "hello a"


def test_calls_go_over_all_endpoints_of_a_service():
    first, second = Kinds("1"), Kinds("2")
    with sage_rpc.ServiceHost("kinds", first) as one, sage_rpc.ServiceHost("kinds", second) as two:
        endpoint = sage_rpc.ServiceEndpoint((one.address, two.address), "test.kinds.Kinds")
        with sage_rpc.ServiceManager({"kinds": endpoint}) as manager:
            client = manager.client(KindsClient)
            assert {client.echo().name for _ in range(8)} == {"1", "2"}

            async def main():
                async with manager.client(KindsAioClient) as client:
                    return (await client.echo()).name

            assert asyncio.run(main()) in {"1", "2"}


def test_equal_keys_go_to_the_same_endpoint_however_they_are_called():
    hosts = [sage_rpc.ServiceHost("kinds", Kinds(name)) for name in "123"]
    with hosts[0], hosts[1], hosts[2]:
        policy = ServicePolicy(
            pool=PoolPolicy(balancing="consistent_hash"),
            methods={"Echo": MethodPolicy(key="name"), "Repeat": MethodPolicy(key="name")},
        )
        endpoint = sage_rpc.ServiceEndpoint([host.address for host in hosts], "test.kinds.Kinds")
        with sage_rpc.ServiceManager({"kinds": endpoint}, policies={"kinds": policy}) as manager:
            client, later = manager.client(KindsClient), manager.client(KindsAsyncClient)
            served = set()
            for key in map(str, range(20)):
                host = client.echo(name=key).name[0]
                served.add(host)
                assert client.echo(name=key, metadata=[("a", "b")]).name[0] == host
                assert later.echo(name=key, wait_for_ready=True).result(SECONDS).name[0] == host
                assert [item.name for item in client.repeat(name=key, count=1)] == [host + key]
            assert len(served) > 1


def test_options_of_the_proto_hold_for_generated_clients():
    """Its `Get` is cached for a minute, and is idempotent."""

    class Counting(BareBase):
        asked = 0

        def get(self, request, context):
            self.asked += 1
            assert context.time_remaining() < 1
            return request

        def put(self, request, context):
            self.asked += 1
            assert 1 < context.time_remaining() < 6
            return request

    service = Counting()
    with sage_rpc.ServiceHost("bare", service) as host:
        with sage_rpc.ServiceManager({"bare": sage_rpc.ServiceEndpoint(host.address, "Bare")}) as manager:
            client = manager.client(BareClient)
            for _ in range(3):
                assert client.get(name="a").name == "a"
            assert service.asked == 1
            for _ in range(3):
                client.put(name="a")
            assert service.asked == 4
