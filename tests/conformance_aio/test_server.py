"""`grpc.aio.Server`: ports, handlers, start, stop with and without grace, limits of concurrency."""

from __future__ import annotations

import asyncio
import contextlib
import gc

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, ways
from tests.conformance_aio.service import KINDS, SECONDS, SERVICE, STYLES, Gate, echo, handler_of

OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
ECHOES = {kind: handler_of(kind, echo(kind)) for kind in KINDS}
GONE = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


@pytest.fixture
def make(event_loop, column):
    """A function that gives a server that is not started; it is stopped after the test."""
    made = []

    def create(**arguments):
        made.append(column.server(**arguments))
        return made[-1]

    yield create
    for server in made:
        event_loop.run_until_complete(server.stop(None))


@pytest.fixture
def gated(serve):
    """A function that serves an echo of a kind behind a gate. -> what serves, the multicallable, the gate"""

    async def start(kind, **arguments):
        gate = Gate()
        handlers = {"m": handler_of(kind, echo(kind, gate)), "other": handler_of(kind, echo(kind))}
        served = await serve(registered=handlers, **arguments)
        return served, getattr(served.channel, kind)(f"/{SERVICE}/m"), gate

    return start


def says(text):
    async def behave(_request, _context):
        return text

    return {"m": handler_of("unary_unary", behave)}


# -- ports


async def test_a_server_is_a_server(make):
    assert isinstance(make(), aio.Server)


@pytest.mark.parametrize("address", ["localhost:0", "127.0.0.1:0", "[::]:0", "0.0.0.0:0", "[::1]:0"])
async def test_a_port_of_zero_is_chosen(make, address):
    assert 0 < make().add_insecure_port(address) < 65536


async def test_every_port_serves(make, column):
    server = make()
    server.add_registered_method_handlers(SERVICE, says(b"here"))
    ports = [server.add_insecure_port("localhost:0") for _ in range(3)]
    await server.start()
    assert len(set(ports)) == 3
    for port in ports:
        async with column.channel(f"localhost:{port}") as channel:
            assert await channel.unary_unary(f"/{SERVICE}/m")(b"") == b"here"


@pytest.mark.parametrize("address", ["nonsense:xx", "no-such-host.invalid:0"])
async def test_an_address_that_cannot_be_bound_is_a_runtime_error(make, address):
    with pytest.raises(RuntimeError):
        make().add_insecure_port(address)


async def test_a_port_that_is_taken_is_a_runtime_error(make, serve):
    port = (await serve(registered=ECHOES)).target.rpartition(":")[2]
    with pytest.raises(RuntimeError):
        make(options=[("grpc.so_reuseport", 0)]).add_insecure_port(f"localhost:{port}")


async def test_a_port_is_free_again_after_the_stop(serve, make):
    served = await serve(registered=ECHOES)
    await served.server.stop(None)
    port = int(served.target.rpartition(":")[2])
    assert make(options=[("grpc.so_reuseport", 0)]).add_insecure_port(f"localhost:{port}") == port


# -- handlers


@pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)
async def test_a_registered_handler_serves(serve, kind, style):
    served = await serve(registered={"m": handler_of(kind, echo(kind, style=style))})
    outcome = await BY_KIND[kind].run(getattr(served.channel, kind)(f"/{SERVICE}/m"))
    assert outcome.responses == [b"request"]


@pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)
async def test_a_generic_handler_serves(serve, kind, style):
    handlers = {"m": handler_of(kind, echo(kind, style=style))}
    served = await serve([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    outcome = await BY_KIND[kind].run(getattr(served.channel, kind)(f"/{SERVICE}/m"))
    assert outcome.responses == [b"request"]


async def test_generic_handlers_may_be_added_before_the_start(make, column):
    server = make()
    for text in (b"one", b"two"):
        server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(text.decode(), says(text))])
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with column.channel(f"localhost:{port}") as channel:
        assert await channel.unary_unary("/one/m")(b"") == b"one"
        assert await channel.unary_unary("/two/m")(b"") == b"two"


async def test_a_registered_handler_comes_before_a_generic_one(serve):
    served = await serve(
        [grpc.method_handlers_generic_handler(SERVICE, says(b"generic"))], registered=says(b"registered")
    )
    assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"registered"


async def test_the_first_generic_handler_that_knows_a_method_serves_it(serve):
    served = await serve(
        [grpc.method_handlers_generic_handler(SERVICE, says(text)) for text in (b"first", b"second")]
    )
    assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"first"


async def test_several_services_share_a_server(serve):
    served = await serve(
        [grpc.method_handlers_generic_handler(name, says(name.encode())) for name in ("a.A", "a.b.B", "C")]
    )
    for name in ("a.A", "a.b.B", "C"):
        assert await served.channel.unary_unary(f"/{name}/m")(b"") == name.encode()


class Anything(grpc.GenericRpcHandler):
    """A handler of every method, which it decides about call by call."""

    def __init__(self, choose):
        self.choose = choose

    def service(self, handler_call_details):
        return self.choose(handler_call_details)


@either_kind
async def test_a_generic_handler_of_ones_own_decides_call_by_call(serve, kind):
    def choose(details):
        answer = dict(details.invocation_metadata).get("answer")
        if answer is None:
            return None
        act = lambda context: context.set_trailing_metadata((("a", answer),))
        return handler_of(kind, echo(kind, act))

    method = getattr((await serve([Anything(choose)])).channel, kind)("/any/thing")
    for answer in ("1", "2"):
        outcome = await BY_KIND[kind].run(method, metadata=(("answer", answer),))
        assert (await outcome.call.trailing_metadata())["a"] == answer
    outcome = await BY_KIND[kind].cut_short(method)
    assert failure(outcome)[0] is grpc.StatusCode.UNIMPLEMENTED


async def test_a_generic_handler_sees_the_methods_name(serve):
    names = []
    served = await serve([Anything(lambda details: names.append(details.method))])
    for name in ("/a.b.C/d", "/x/y"):
        assert await served.channel.unary_unary(name)(b"").code() is grpc.StatusCode.UNIMPLEMENTED
    assert names == ["/a.b.C/d", "/x/y"]


async def test_an_exception_in_a_generic_handler_is_unknown(serve):
    def choose(_details):
        raise ValueError("cannot say")

    served = await serve([Anything(choose)])
    assert await served.channel.unary_unary("/any/thing")(b"").code() is grpc.StatusCode.UNKNOWN


async def test_a_method_handler_of_ones_own_class_serves(serve):
    """`RpcMethodHandler` is an interface of attributes."""

    async def double(request, _context):
        return request * 2

    class Handler(grpc.RpcMethodHandler):
        request_streaming = response_streaming = False
        request_deserializer = staticmethod(int)
        response_serializer = staticmethod(lambda number: b"%d" % number)
        unary_unary = staticmethod(double)
        unary_stream = stream_unary = stream_stream = None

    served = await serve([Anything(lambda _details: Handler())])
    assert await served.channel.unary_unary("/any/thing")(b"21") == b"42"


async def test_methods_of_an_object_serve(serve):
    """As generated servicers do: bound methods are coroutine functions, and async generators, too."""

    class Servicer:
        async def one(self, request, _context):
            return request

        async def many(self, request, _context):
            yield request
            yield request

    servicer = Servicer()
    served = await serve(
        registered={
            "one": handler_of("unary_unary", servicer.one),
            "many": handler_of("unary_stream", servicer.many),
        }
    )
    assert await served.channel.unary_unary(f"/{SERVICE}/one")(b"x") == b"x"
    outcome = await BY_KIND["unary_stream"].run(served.channel.unary_stream(f"/{SERVICE}/many"))
    assert outcome.responses == [b"request"] * 2


@pytest.mark.parametrize(
    ("served_as", "called_as"),
    [
        ("unary_unary", "unary_stream"),
        ("unary_unary", "stream_unary"),
        ("unary_unary", "stream_stream"),
        ("stream_unary", "unary_unary"),
        ("stream_stream", "unary_unary"),
        ("stream_stream", "unary_stream"),
        ("stream_stream", "stream_unary"),
        ("unary_stream", "stream_stream"),
    ],
)
async def test_a_method_may_be_called_as_another_kind(rpc, served_as, called_as):
    """On the wire every call is a stream: generic proxies call everything as stream_stream."""
    method = getattr(rpc.channel, called_as)(rpc.name(served_as, echo(served_as)))
    assert (await BY_KIND[called_as].run(method)).responses == [b"request"]


# -- start


async def test_a_server_serves_once_it_is_started(make, column):
    server = make()
    server.add_registered_method_handlers(SERVICE, says(b"here"))
    port = server.add_insecure_port("localhost:0")
    assert await server.start() is None
    async with column.channel(f"localhost:{port}") as channel:
        assert await channel.unary_unary(f"/{SERVICE}/m")(b"") == b"here"


async def test_starting_again_leaves_the_server_serving(serve):
    served = await serve(registered=says(b"here"))
    with contextlib.suppress(aio.UsageError):
        await served.server.start()
    assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"here"


async def test_a_stopped_server_does_not_start_again(make):
    server = make()
    await server.start()
    await server.stop(None)
    with pytest.raises(aio.UsageError):
        await server.start()


async def test_a_server_without_ports_may_be_started(make):
    await make().start()


async def test_two_servers_of_one_loop_do_not_meet(serve):
    one, two = await serve(registered=says(b"one")), await serve(registered=says(b"two"))
    assert await one.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"one"
    assert await two.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"two"
    await one.server.stop(None)
    assert await two.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"two"


async def test_another_server_follows_on_the_same_port(serve, dead_port):
    for text in (b"one", b"two", b"three"):
        served = await serve(registered=says(text), address=f"127.0.0.1:{dead_port}")
        assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"", wait_for_ready=True) == text
        await served.close()


# -- stop

graces = pytest.mark.parametrize("grace", [None, 0, 1, 100])


@graces
async def test_stopping_a_server_that_was_not_started_returns(make, grace):
    assert await make().stop(grace) is None


@graces
async def test_an_idle_server_stops_at_once(serve, grace):
    served = await serve(registered=says(b""))
    await served.channel.unary_unary(f"/{SERVICE}/m")(b"")
    await asyncio.wait_for(served.server.stop(grace), SECONDS)


@graces
async def test_stopping_again_returns(serve, grace):
    served = await serve(registered=says(b""))
    await served.server.stop(None)
    assert await served.server.stop(grace) is None


@ways()
async def test_stop_without_grace_ends_the_calls_under_way(gated, way):
    served, method, gate = await gated(way.kind)
    call = way.start(method)
    await gate.wait_begun()
    await served.server.stop(None)
    assert failure(await way.finish(call))[0] in GONE


@every_kind
async def test_stop_without_grace_cancels_the_handlers(gated, kind):
    served, method, gate = await gated(kind)
    call = BY_KIND[kind].start(method)
    await gate.wait_begun()
    await served.server.stop(None)
    await gate.ended.wait()
    assert [type(error) for error in gate.errors] == [asyncio.CancelledError]
    await BY_KIND[kind].finish(call)


@ways()
async def test_within_its_grace_a_call_may_end(gated, way):
    served, method, gate = await gated(way.kind)
    call = way.start(method)
    await gate.wait_begun()
    stopping = asyncio.ensure_future(served.server.stop(SECONDS))
    gate.gate.set()
    assert (await way.finish(call)).responses == [b"request"]
    await stopping


@every_kind
async def test_stop_waits_for_the_calls_in_its_grace(gated, kind):
    served, method, gate = await gated(kind)
    call = BY_KIND[kind].start(method)
    await gate.wait_begun()
    stopping = asyncio.ensure_future(served.server.stop(SECONDS))
    done, _ = await asyncio.wait({stopping}, timeout=0.05)
    assert not done
    gate.gate.set()
    await BY_KIND[kind].finish(call)
    await stopping


@ways()
async def test_after_its_grace_a_call_is_ended(gated, way):
    served, method, gate = await gated(way.kind)
    call = way.start(method)
    await gate.wait_begun()
    await served.server.stop(0.05)
    assert failure(await way.finish(call))[0] in GONE
    await gate.ended.wait()


async def nobody_listens(target: str) -> None:
    """Wait until the port is closed: gRPC does that by and by, and may forget a connection made meanwhile."""
    host, _, port = target.rpartition(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host.strip("[]"), int(port))
        except ConnectionError:
            return
        writer.close()
        await asyncio.wait({asyncio.ensure_future(writer.wait_closed())}, timeout=0.01)


@every_kind
async def test_a_stopping_server_takes_no_new_calls(gated, column, kind):
    served, method, gate = await gated(kind)
    held = BY_KIND[kind].start(method)
    await gate.wait_begun()
    stopping = asyncio.ensure_future(served.server.stop(SECONDS))
    await asyncio.wait({stopping}, timeout=0.01)
    await nobody_listens(served.target)
    async with column.channel(served.target, OWN_CONNECTION) as other:
        outcome = await BY_KIND[kind].run(getattr(other, kind)(f"/{SERVICE}/other"))
        assert failure(outcome)[0] is grpc.StatusCode.UNAVAILABLE
    gate.gate.set()
    assert (await BY_KIND[kind].finish(held)).responses == [b"request"]
    await stopping


@pytest.mark.parametrize("sooner", [None, 0, 0.05])
async def test_a_smaller_grace_stops_a_server_sooner(gated, sooner):
    served, method, gate = await gated("unary_unary")
    call = method(b"")
    await gate.wait_begun()
    first = asyncio.ensure_future(served.server.stop(60))
    await asyncio.wait({first}, timeout=0.01)
    await served.server.stop(sooner)
    await first
    assert await call.code() in GONE


async def test_a_longer_grace_does_not_stop_a_server_later(gated):
    served, method, gate = await gated("unary_unary")
    call = method(b"")
    await gate.wait_begun()
    first = asyncio.ensure_future(served.server.stop(0.05))
    await asyncio.wait({first}, timeout=0.01)
    await served.server.stop(60)
    await first
    assert await call.code() in GONE


async def test_several_tasks_may_stop_a_server(gated):
    served, method, gate = await gated("unary_unary")
    call = method(b"")
    await gate.wait_begun()
    await asyncio.gather(*(served.server.stop(0.01) for _ in range(5)))
    assert await call.code() in GONE


async def test_a_handler_may_stop_its_server(serve):
    stopping = []

    async def behave(request, _context):
        stopping.append(asyncio.ensure_future(served.server.stop(SECONDS)))
        return request

    served = await serve(registered={"m": handler_of("unary_unary", behave)})
    assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"bye") == b"bye"
    await stopping[0]


async def test_a_stop_that_is_cancelled_may_be_repeated(gated):
    served, method, gate = await gated("unary_unary")
    call = method(b"")
    await gate.wait_begun()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(served.server.stop(60), 0.02)
    await served.server.stop(None)
    assert await call.code() in GONE


# -- termination


async def test_waiting_for_termination_times_out(serve):
    served = await serve(registered=says(b""))
    assert await served.server.wait_for_termination(timeout=0.02) is True


async def test_waiting_for_the_termination_of_a_stopped_server(serve):
    served = await serve(registered=says(b""))
    await served.server.stop(None)
    assert await served.server.wait_for_termination() is False
    assert await served.server.wait_for_termination(timeout=SECONDS) is False


async def test_whoever_waits_for_termination_is_woken(serve):
    served = await serve(registered=says(b""))
    waiters = [asyncio.ensure_future(served.server.wait_for_termination()) for _ in range(3)]
    await served.channel.unary_unary(f"/{SERVICE}/m")(b"")
    assert not any(waiter.done() for waiter in waiters)
    await served.server.stop(None)
    assert await asyncio.gather(*waiters) == [False] * 3


async def test_waiting_for_termination_waits_for_the_last_call(gated):
    served, method, gate = await gated("unary_unary")
    call = method(b"")
    await gate.wait_begun()
    stopping = asyncio.ensure_future(served.server.stop(SECONDS))
    assert await served.server.wait_for_termination(timeout=0.05) is True
    gate.gate.set()
    assert await call == b""
    assert await served.server.wait_for_termination(timeout=SECONDS) is False
    await stopping


async def test_a_server_that_nobody_holds_stops_serving(column):
    """Its last reference stops it."""
    server = column.server()
    server.add_registered_method_handlers(SERVICE, says(b"still here"))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with column.channel(f"localhost:{port}") as channel:
        method = channel.unary_unary(f"/{SERVICE}/m")
        assert await method(b"") == b"still here"
        del server
        gc.collect()
        while (code := await method(b"").code()) is grpc.StatusCode.OK:
            pass
        assert code in GONE


# -- concurrency


@ways()
async def test_calls_over_the_limit_of_concurrency_are_resource_exhausted(gated, way):
    _, method, gate = await gated(way.kind, maximum_concurrent_rpcs=2)
    held = [way.start(method) for _ in range(2)]
    await gate.wait_begun(2)
    assert failure(await way.run(method)) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!",
    )  # fmt: skip
    gate.gate.set()
    for call in held:
        assert (await way.finish(call)).responses == [b"request"]


async def test_the_limit_of_concurrency_counts_all_channels(gated, column):
    served, method, gate = await gated("unary_unary", maximum_concurrent_rpcs=1)
    held = method(b"")
    await gate.wait_begun()
    async with column.channel(served.target, OWN_CONNECTION) as other:
        code = await other.unary_unary(f"/{SERVICE}/m")(b"").code()
        assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    gate.gate.set()
    await held


async def test_the_limit_of_concurrency_is_free_again_after_a_call(serve):
    served = await serve(registered=says(b""), maximum_concurrent_rpcs=1)
    method = served.channel.unary_unary(f"/{SERVICE}/m")
    for _ in range(20):
        while await method(b"").code() is not grpc.StatusCode.OK:
            pass  # the server may count a call a moment longer than its caller


async def test_calls_under_the_limit_of_concurrency_run_at_once(gated):
    _, method, gate = await gated("unary_unary", maximum_concurrent_rpcs=50)
    calls = [method(b"%d" % i) for i in range(50)]
    await gate.wait_begun(50)
    gate.gate.set()
    assert await asyncio.gather(*calls) == [b"%d" % i for i in range(50)]


@pytest.mark.parametrize("limit", [0, -1])
async def test_a_limit_of_concurrency_is_positive(column, limit):
    with pytest.raises(ValueError, match="positive"):
        column.server(maximum_concurrent_rpcs=limit)


async def test_without_a_limit_hundreds_of_handlers_run_at_once(gated):
    _, method, gate = await gated("unary_unary")
    calls = [method(b"%d" % i) for i in range(300)]
    await gate.wait_begun(300)
    gate.gate.set()
    assert await asyncio.gather(*calls) == [b"%d" % i for i in range(300)]


@pytest.mark.parametrize("options", [[], (), [("grpc.enable_retries", 0)], [("unknown.option", 1)]], ids=str)
async def test_options_of_any_name_are_taken(serve, options):
    served = await serve(registered=says(b"here"), options=options)
    assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"") == b"here"
