"""One generated client, every way to carry its calls: both transports, three kinds of client, all kinds of
call, and servers of every make, ours and stock, in processes of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import pickle
import threading
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

import grpc
import pytest

import sage_rpc
from sage_rpc import aio, clients, errors, native
from sage_rpc.codegen import command
from sage_rpc.encoding import values
from sage_rpc.policies import BatchPolicy, CachePolicy, MethodPolicy, RetryPolicy, ServicePolicy
from tests.codegen.golden import kinds_pb2, kinds_pb2_grpc, kinds_sage
from tests.codegen.golden.kinds_sage import KindsAioClient, KindsAsyncClient, KindsClient
from tests.conftest import ServerProcess
from tests.programs.kinds_server import Kinds

SECONDS = 20
SERVERS = ["def sage", "async sage-aio", "def sage-aio", "def grpc", "async grpc-aio", "stock grpc"]


class Reached(NamedTuple):
    """A server, by one of the transports that lead to it.

    Attributes:
        streams_end: whether a stream that fails or is cancelled can be relied on to end: in grpc.aio itself,
            that of a handler written with `def` may go on for ever.
    """

    target: str
    options: list[tuple[str, str]]
    streams_end: bool


@pytest.fixture(scope="module")
def processes(tmp_path_factory):
    """Servers that live as long as the module's tests, by what they are."""
    path = tmp_path_factory.mktemp("run")
    path.chmod(0o700)
    running: dict[str, ServerProcess] = {}

    def start(what: str) -> ServerProcess:
        if what not in running:
            running[what] = alive.enter_context(
                ServerProcess(
                    *what.split(), program="kinds_server.py", env={"SAGE_RPC_RUNTIME_DIR": str(path)}
                )
            )
        return running[what]

    start.directory = path
    with contextlib.ExitStack() as alive:  # which kills those that do not end
        yield start
    assert {process.process.returncode for process in running.values()} <= {0}


def ways() -> list[tuple[str, str]]:
    """Every server by every transport that leads to it: the memory queue leads to ours."""
    over_shm = [server for server in SERVERS if " sage" in server and native.available()]
    return [*((server, "shm") for server in over_shm), *((server, "grpc") for server in SERVERS)]


@pytest.fixture(params=ways(), ids="-".join)
def reached(request, processes, monkeypatch):
    server, carrier = request.param
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(processes.directory))
    loses_errors = (server, carrier) == ("def sage-aio", "grpc")
    return Reached(processes(server).target, [("sage_rpc.transport", carrier)], not loses_errors)


@pytest.fixture
def target(processes, monkeypatch) -> str:
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(processes.directory))
    return processes("def sage").target


def items(*names: str) -> Iterator[kinds_pb2.Item]:
    return (kinds_pb2.Item(name=name) for name in names)


# -- every kind of call, by every kind of client


def test_a_client_that_waits(reached):
    target, options, streams_end = reached
    with KindsClient(target, options=options) as client:
        reply = client.echo(name="a", tags=["x"], color="RED", inner={"count": 3}, sizes={"s": 1})
        assert reply == kinds_pb2.Item(
            name="a", tags=["x"], color=kinds_pb2.RED, inner=kinds_pb2.Item(count=3), sizes={"s": 1}
        )
        assert client.echo(reply) == reply
        assert [item.name for item in client.repeat(name="r", count=3)] == ["r"] * 3
        assert client.collect(items("a", "b")).count == 2
        assert [item.name for item in client.exchange(items("a", "b"))] == ["a", "b"]
        with pytest.raises(errors.NotFound, match="asked for: x") as caught:
            client.echo(name="x", code=5)
        assert isinstance(caught.value, LookupError)
        if not streams_end:
            return
        stream = client.repeat(name="y", count=1, code=7)
        assert next(stream).name == "y"
        with pytest.raises(PermissionError, match="asked for: y"):
            next(stream)
        assert (stream.code(), stream.details()) == (grpc.StatusCode.PERMISSION_DENIED, "asked for: y")
        with pytest.raises(errors.InvalidArgument):
            client.collect([kinds_pb2.Item(code=3)])
        with pytest.raises(ValueError, match="asked for"):
            list(client.exchange([kinds_pb2.Item(code=3)]))


def test_a_client_of_futures(reached):
    target, options, streams_end = reached
    with KindsAsyncClient(target, options=options) as client:
        calls = [client.echo(count=number) for number in range(50)]
        assert all(isinstance(call, futures.Future) for call in calls)
        assert [call.result(SECONDS).count for call in calls] == list(range(50))
        assert {call.result().count for call in futures.as_completed(calls, SECONDS)} == set(range(50))
        assert client.collect(items("a", "b", "c")).result(SECONDS).count == 3
        assert [item.name for item in client.repeat(name="r", count=2)] == ["r"] * 2
        assert [item.name for item in client.exchange(items("a"))] == ["a"]
        failed = client.echo(name="x", code=5)
        assert isinstance(failed.exception(SECONDS), errors.NotFound)
        with pytest.raises(LookupError):
            client.collect([kinds_pb2.Item(code=5)]).result(SECONDS)
        if streams_end:
            with pytest.raises(PermissionError):
                list(client.repeat(code=7))


def test_a_client_for_asyncio(reached):
    target, options, streams_end = reached

    async def later():
        for item in items("a", "b"):
            yield item

    async def main():
        async with KindsAioClient(target, options=options) as client:
            replies = await asyncio.gather(*(client.echo(count=number) for number in range(50)))
            assert [reply.count for reply in replies] == list(range(50))
            assert [item.name async for item in client.repeat(name="r", count=3)] == ["r"] * 3
            assert (await client.collect(items("a", "b", "c"))).count == 3
            assert (await client.collect(later())).count == 2
            assert [item.name async for item in client.exchange(later())] == ["a", "b"]
            with pytest.raises(errors.NotFound, match="asked for: x") as caught:
                await client.echo(name="x", code=5)
            assert isinstance(caught.value, LookupError)
            if streams_end:
                with pytest.raises(errors.InvalidArgument):
                    await client.collect([kinds_pb2.Item(code=3)])
                stream = client.repeat(name="y", count=1, code=7)
                assert (await anext(stream)).name == "y"
                with pytest.raises(PermissionError, match="asked for: y"):
                    await anext(stream)
                assert await stream.code() is grpc.StatusCode.PERMISSION_DENIED
                endless = client.repeat(count=1 << 30)
                assert (await anext(endless)).count == 1 << 30
                assert endless.cancel()
                assert await endless.code() is grpc.StatusCode.CANCELLED

    asyncio.run(main())


def test_a_stream_can_be_cancelled(reached):
    target, options, streams_end = reached
    if not streams_end:
        pytest.skip("grpc.aio does not tell a handler written with def that its stream is cancelled")
    with KindsClient(target, options=options) as client:
        stream = client.repeat(count=1 << 30)
        assert next(stream).count == 1 << 30
        assert stream.is_active()
        stream.cancel()
        assert stream.code() is grpc.StatusCode.CANCELLED


# -- deadlines, metadata, waiting


def test_the_deadline_of_the_proto_holds_and_a_call_may_say_otherwise(reached):
    target, options, _ = reached
    with KindsClient(target, options=options) as client:
        with pytest.raises(TimeoutError) as caught:
            client.hang()  # its option says 0.2 s
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert 5 < client.left(timeout=9.0).weight < 10
    with KindsAsyncClient(target, options=options) as client, pytest.raises(TimeoutError):
        client.hang().result(SECONDS)


def test_metadata_travels(target):
    class Seen(grpc.UnaryUnaryClientInterceptor):
        def intercept_unary_unary(self, continuation, details, request):
            call = continuation(details, request)
            self.seen = dict(call.trailing_metadata())["seen"]
            return call

    interceptor = Seen()
    with sage_rpc.insecure_channel(target) as channel:
        client = KindsClient(grpc.intercept_channel(channel, interceptor))
        client.echo(name="a", metadata=[("token", "t-1")])
    assert interceptor.seen == "t-1"


def test_a_client_waits_for_its_server(processes, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(processes.directory))
    with KindsClient("localhost:1") as nobody:
        with pytest.raises(ConnectionError, match="connection refused"):
            nobody.echo(name="a", timeout=SECONDS)
        with pytest.raises(TimeoutError):
            nobody.echo(name="a", timeout=0.2, wait_for_ready=True)


def test_calls_of_a_handler_end_when_its_own_call_does(target):
    """A servicer on KindsBase passes its deadline on."""

    class Middle(kinds_sage.KindsBase):
        def left(self, request, context):
            return inner.left(timeout=100.0)

        def echo(self, request, context):
            raise NotImplementedError

        repeat = collect = exchange = hang = old = echo

    with KindsClient(target) as inner, futures.ThreadPoolExecutor(2) as pool:
        server = sage_rpc.server(pool)
        Middle().add_to_server(server)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        try:
            with KindsClient(f"127.0.0.1:{port}") as outer:
                assert 1 < outer.left(timeout=5.0).weight < 6
        finally:
            server.stop(None).wait()


# -- how a client comes to its channel


def test_a_client_from_a_channel_leaves_it_open(target):
    for make in (sage_rpc.insecure_channel, grpc.insecure_channel):
        with make(target) as channel:
            with KindsClient(channel) as client:
                assert client.echo(name="a").name == "a"
            assert kinds_pb2_grpc.KindsStub(channel).Echo(kinds_pb2.Item(name="b")).name == "b"


def test_a_client_from_a_target_closes_its_channel(target):
    with KindsClient(target) as client:
        client.echo(name="a")
    with pytest.raises(ValueError, match="closed"):
        client.echo(name="a")


def test_a_client_for_asyncio_from_channels_of_both_makes(target):
    async def main():
        for make in (aio.insecure_channel, grpc.aio.insecure_channel):
            async with make(target) as channel:
                assert (await KindsAioClient(channel).echo(name="a")).name == "a"

    asyncio.run(main())


def test_a_client_from_a_manager(target):
    with sage_rpc.ServiceManager(
        {"kinds": sage_rpc.ServiceEndpoint(target, "test.kinds.Kinds"), "plain": "localhost:2"}, timeout=7.0
    ) as manager:
        client = manager.client(KindsClient)
        assert client.echo(name="a").name == "a"
        assert manager.client(KindsClient) is client
        assert KindsClient(manager, name="kinds").echo(name="b").name == "b"
        assert manager.client(KindsAsyncClient).echo(name="c").result(SECONDS).name == "c"
        assert 5 < client.left().weight < 8  # the manager's timeout
        with pytest.raises(TimeoutError):
            client.hang()  # the .proto's goes before it

        async def main():
            async with manager.client(KindsAioClient) as client:
                return await client.left()

        assert 5 < asyncio.run(main()).weight < 8
        again = pickle.loads(pickle.dumps(client))
        assert again.echo(name="d").name == "d"


@pytest.mark.parametrize("transport", ["shm", "grpc"])
def test_policies_hold_for_calls_with_metadata(transport):
    """They are tried again, counted and replaced; the result of one call's metadata is nobody else's."""
    if transport == "shm" and not native.available():
        pytest.skip("the native core is not built")
    seen = []

    class Flaky(Kinds):
        def echo(self, request, context):
            seen.append((request.name, dict(context.invocation_metadata()).get("token")))
            if request.count and len(seen) < request.count:
                context.abort(grpc.StatusCode.UNAVAILABLE, "once more")
            if request.code:
                context.abort(grpc.StatusCode.NOT_FOUND, request.name)
            return request

    retry = RetryPolicy(max_attempts=3, initial_backoff=0.01, max_backoff=0.02)
    policy = ServicePolicy(
        default=MethodPolicy(
            retry=retry, idempotent=True, cache=CachePolicy(), batch=BatchPolicy(), fallback="fallen back"
        )
    )
    with futures.ThreadPoolExecutor(4) as pool:
        server = sage_rpc.server(pool)
        Flaky().add_to_server(server)
        endpoint = sage_rpc.ServiceEndpoint(
            f"localhost:{server.add_insecure_port('localhost:0')}", "test.kinds.Kinds"
        )
        server.start()
        try:
            with sage_rpc.ServiceManager(
                {"kinds": endpoint}, policy=policy, options=[("sage_rpc.transport", transport)]
            ) as manager:
                client, later = manager.client(KindsClient), manager.client(KindsAsyncClient)
                assert client.echo(name="a", count=3, metadata=[("token", "1")]).name == "a"
                assert seen == [("a", "1")] * 3
                assert manager.stats().of("kinds").retries == 2
                del seen[:]
                for token in "23":
                    assert client.echo(name="a", metadata=[("token", token)]).name == "a"
                    assert later.echo(name="b", metadata=[("token", token)]).result(SECONDS).name == "b"
                assert seen == [("a", "2"), ("b", "2"), ("a", "3"), ("b", "3")]
                assert client.echo(name="c", code=5, metadata=[("token", "4")]) == "fallen back"
                gone = later.echo(name="c", code=5, metadata=[("token", "4")])
                assert gone.result(SECONDS) == "fallen back"
                del seen[:]
                proxy = manager.get_sync_proxy("kinds")
                tagged = proxy.echo.with_options(metadata=[("token", "5")], priority=1)
                assert [tagged(name="d").name for _ in range(2)] == ["d"] * 2
                assert tagged.start((), {"name": "d"}, SECONDS).result(SECONDS).name == "d"
                assert seen == [("d", "5")] * 3
                assert [proxy.echo(name="d").name for _ in range(2)] == ["d"] * 2
                assert seen == [("d", "5")] * 3 + [("d", None)]  # the second came from the cache
        finally:
            server.stop(None).wait()


def test_a_manager_names_what_it_lacks(target):
    with sage_rpc.ServiceManager() as manager:
        manager.register("plain", "localhost:2")
        with pytest.raises(
            LookupError, match=r"no test\.kinds\.Kinds is registered; registered: plain \(a p"
        ):
            manager.client(KindsClient)
        manager.register("one", target, service="test.kinds.Kinds")
        manager.register("two", target, service="test.kinds.Kinds")
        with pytest.raises(ValueError, match=r"several are a test\.kinds\.Kinds: .* one of one, two"):
            manager.client(KindsClient)
        assert manager.client(KindsClient, "two").echo(name="a").name == "a"
        with pytest.raises(LookupError, match=r"no test\.kinds\.Kinds named 'plain'"):
            manager.client(KindsClient, "plain")
        with pytest.raises(TypeError, match="a class of clients, such as CacheClient, is needed, not 'one'"):
            manager.client("one")


@pytest.mark.parametrize(
    ("kind", "source", "options", "problem"),
    [
        (KindsClient, 7, {}, "KindsClient is made from a channel, a target such as .*, not 7"),
        (KindsClient, "localhost:1", {"name": "x"}, "name='x' is for one of a ServiceManager's services"),
        (
            KindsClient,
            grpc.insecure_channel("localhost:1"),
            {"options": []},
            "options are for a channel made",
        ),
        (KindsAioClient, grpc.insecure_channel("localhost:1"), {}, r"needs a channel from sage_rpc\.aio"),
    ],
)
def test_a_client_from_something_else_is_refused(kind, source, options, problem):
    with pytest.raises(TypeError, match=problem):
        kind(source, **options)


def test_a_waiting_client_refuses_an_asyncio_channel():
    async def main():
        async with aio.insecure_channel("localhost:1") as channel:
            with pytest.raises(TypeError, match=r"KindsClient needs a channel from sage_rpc\.insecure"):
                KindsClient(channel)

    asyncio.run(main())


def test_a_client_may_be_shared_between_threads(target):
    with KindsClient(target) as client, futures.ThreadPoolExecutor(8) as pool:
        start = threading.Barrier(8)

        def run(worker):
            start.wait(SECONDS)
            return [client.echo(name=f"{worker}", count=number).name for number in range(50)]

        assert list(pool.map(run, range(8))) == [[str(worker)] * 50 for worker in range(8)]


# -- what is wrong is named


@pytest.mark.parametrize(
    ("arguments", "fields", "problem"),
    [
        ((), {"count": "three"}, r"test\.kinds\.Kinds\.Echo: field 'count': .* \(given: 'three'\)"),
        ((), {"name": "fine", "count": 2**40}, r"field 'count': .*out of range"),
        ((), {"name": b"\xff"}, r"field 'name': .*utf-8"),
        ((), {"color": "GREEN"}, r"field 'color': .*GREEN"),
        ((), {"inner": {"nme": 1}}, r"field 'inner': .*nme"),
        ((), {"tags": 5}, r"field 'tags': .*iterable"),
        (
            ("name",),
            {},
            r"Echo takes a test\.kinds\.Item or its fields by keyword \(name, count, .*\), not str",
        ),
        ((kinds_pb2.Tally(),), {}, r"takes a test\.kinds\.Item .* not Tally"),
        (
            (kinds_pb2.Item(name="a"),),
            {"count": 0, "name": "b"},
            r"Echo: both a test\.kinds\.Item and fields are given \(name, count\): give one or the other",
        ),
    ],
)
def test_wrong_arguments_are_named(arguments, fields, problem):
    with KindsClient("localhost:1") as client:
        with pytest.raises(ValueError, match=problem) as caught:
            client.echo(*arguments, **fields)
        assert isinstance(caught.value, TypeError)
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    with KindsAsyncClient("localhost:1") as client, pytest.raises(TypeError, match=problem):
        client.echo(*arguments, **fields)


def test_requests_that_are_no_stream_are_named():
    with KindsClient("localhost:1") as client:
        for call in (client.collect, client.exchange):
            with pytest.raises(TypeError, match=r"Kinds\.\w+ takes an iterable of requests, not Item"):
                call(kinds_pb2.Item())

    async def main():
        async with KindsAioClient("localhost:1") as client:
            with pytest.raises(TypeError, match="takes an iterable of requests, not int"):
                await client.collect(5)
            with pytest.raises(TypeError, match="takes an iterable of requests, not Item"):
                client.exchange(kinds_pb2.Item())

    asyncio.run(main())


def test_an_unknown_field_is_named():
    with (
        KindsClient("localhost:1") as client,
        pytest.raises(TypeError, match=r"Client\.echo\(\).*'nme'"),
    ):
        client.echo(nme="a")


def test_a_deprecated_method_warns_and_works(target):
    with (
        KindsClient(target) as client,
        pytest.warns(DeprecationWarning, match=r"Kinds\.Old is deprecated"),
    ):
        assert client.old(name="a").name == "a"


# -- bases


def test_a_base_names_what_is_not_implemented():
    class Half(kinds_sage.KindsBase):
        def echo(self, request, context):
            return request

    with pytest.raises(TypeError, match=r"abstract class Half .*collect"):
        Half()


def test_an_async_method_needs_a_loop():
    class Echoing(kinds_sage.KindsBase):
        def echo(self, request, context):
            return request

        repeat = collect = exchange = hang = left = old = echo

    class Mixed(Echoing):
        async def collect(self, requests, context):
            return kinds_pb2.Tally()

    with futures.ThreadPoolExecutor(1) as pool:
        for make in (sage_rpc.server, grpc.server):
            Echoing().add_to_server(make(pool))
            with pytest.raises(TypeError, match=r"Mixed\.collect is async: serve it with"):
                Mixed().add_to_server(make(pool))


# -- stock clients


@pytest.mark.parametrize("server", ["def sage", "async sage-aio", "def grpc"])
def test_a_stock_client_calls_what_a_base_serves(processes, server):
    with grpc.insecure_channel(processes(server).target) as channel:
        stub = kinds_pb2_grpc.KindsStub(channel)
        assert stub.Echo(kinds_pb2.Item(name="a"), timeout=SECONDS).name == "a"
        assert len(list(stub.Repeat(kinds_pb2.Item(count=3)))) == 3
        assert stub.Collect(items("a", "b")).count == 2
        assert [item.name for item in stub.Exchange(items("a", "b"))] == ["a", "b"]
        with pytest.raises(grpc.RpcError) as caught:
            stub.Echo(kinds_pb2.Item(code=5, name="x"))
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.NOT_FOUND, "asked for: x")


# -- our own services


def test_the_generated_client_of_plain_services(tmp_path):
    """Of the protocol that plain classes are called by: who wants one generates it from our own .proto."""
    protos = Path(__file__).parents[2] / "proto"
    made = command.generate([protos / "sage" / "rpc"], tmp_path, [protos])
    source = next(text for path, text in made.items() if path.name == "invoke_sage.py")
    file = tmp_path / "invoke_sage.py"
    file.write_text(source)
    spec = importlib.util.spec_from_file_location("sage_rpc.proto.v1.invoke_sage", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    class Cache:
        def get(self, key):
            return [key]

    with sage_rpc.ServiceHost("cache", Cache()) as host, module.InvocationClient(host.address) as client:
        reply = client.call(service="cache", method="get", arguments=values.encode([["k"], {}]))
        assert values.decode(reply.result) == ["k"]


def test_options_of_a_client_say_who_it_is(target):
    with KindsClient(target) as client:
        client.echo(name="a")
        assert repr(client).startswith(f"<KindsClient <sage_rpc.Channel {target} transport=")
    assert issubclass(KindsClient, clients.Client)
