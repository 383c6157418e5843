"""`grpc.Server`: ports, handlers, start, stop with and without grace, limits of concurrency."""

from __future__ import annotations

import contextlib
import threading
import time
from concurrent import futures

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of

UNARY_FUTURE = ASYNCHRONOUS[0]


@pytest.fixture
def make(column):
    """A function that gives a server that is not started; it is stopped after the test."""
    made = []

    def create(workers=4, **arguments):
        server = column.server(futures.ThreadPoolExecutor(workers), **arguments)
        made.append(server)
        return server

    yield create
    for server in made:
        server.stop(0).wait(SECONDS)


def registered(**behaviours):
    return {name: handler_of("unary_unary", behaviour) for name, behaviour in behaviours.items()}


def generic(service, **behaviours):
    return grpc.method_handlers_generic_handler(service, registered(**behaviours))


def says(text):
    return lambda _request, _context: text


class Gate:
    """A handler that says when it runs, and waits until it is let through or its call ends."""

    def __init__(self):
        self.begun, self.open, self.ended = threading.Semaphore(0), threading.Event(), threading.Event()

    def __call__(self, context):
        context.add_callback(self.ended.set)
        context.add_callback(self.open.set)
        self.begun.release()
        self.open.wait(SECONDS)

    def wait_begun(self, number=1):
        for _ in range(number):
            assert self.begun.acquire(timeout=SECONDS)


# -- ports


def test_a_server_is_a_server(make):
    assert isinstance(make(), grpc.Server)


@pytest.mark.parametrize("address", ["localhost:0", "127.0.0.1:0", "[::]:0", "0.0.0.0:0", "[::1]:0"])
def test_a_port_of_zero_is_chosen(make, address):
    assert 0 < make().add_insecure_port(address) < 65536


def test_every_port_serves(make, column):
    server = make()
    server.add_registered_method_handlers(SERVICE, registered(m=says(b"here")))
    ports = [server.add_insecure_port("localhost:0") for _ in range(3)]
    server.start()
    assert len(set(ports)) == 3
    for port in ports:
        with column.channel(f"localhost:{port}") as channel:
            assert channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS) == b"here"


@pytest.mark.parametrize("address", ["nonsense:xx", "no-such-host.invalid:0"])
def test_an_address_that_cannot_be_bound_is_a_runtime_error(make, address):
    with pytest.raises(RuntimeError, match="Failed to bind to address"):
        make().add_insecure_port(address)


def test_a_taken_port_without_reuseport_is_a_runtime_error(make):
    first = make(options=[("grpc.so_reuseport", 0)])
    port = first.add_insecure_port("localhost:0")
    first.start()
    with pytest.raises(RuntimeError, match="Failed to bind to address"):
        make(options=[("grpc.so_reuseport", 0)]).add_insecure_port(f"localhost:{port}")


def test_a_taken_port_with_reuseport_is_shared(make, column):
    first, second = make(options=[("grpc.so_reuseport", 1)]), make(options=[("grpc.so_reuseport", 1)])
    for server in (first, second):
        server.add_registered_method_handlers(SERVICE, registered(m=says(b"either")))
    port = first.add_insecure_port("localhost:0")
    assert second.add_insecure_port(f"localhost:{port}") == port
    first.start()
    second.start()
    for stopped in (None, first):
        if stopped is not None:
            stopped.stop(None).wait(SECONDS)
        with column.channel(f"localhost:{port}", [("grpc.use_local_subchannel_pool", 1)]) as channel:
            method = channel.unary_unary(f"/{SERVICE}/m")
            assert method(b"", timeout=SECONDS, wait_for_ready=stopped is not None) == b"either"


# -- handlers


@pytest.mark.parametrize("kind", KINDS)
def test_a_generic_handler_serves(serve, kind):
    handler = grpc.method_handlers_generic_handler("a.Service", {"m": handler_of(kind, echo(kind))})
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    assert way.run(getattr(serve([handler]).channel, kind)("/a.Service/m")).responses == [b"request"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_registered_handler_serves(serve, kind):
    served = serve(registered={"m": handler_of(kind, echo(kind))})
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    assert way.run(getattr(served.channel, kind)(f"/{SERVICE}/m")).responses == [b"request"]


def test_handlers_may_be_added_before_the_start(make, column):
    server = make()
    server.add_generic_rpc_handlers((generic("a.Service", m=says(b"added")),))
    port = server.add_insecure_port("localhost:0")
    server.start()
    with column.channel(f"localhost:{port}") as channel:
        assert channel.unary_unary("/a.Service/m")(b"", timeout=SECONDS) == b"added"


def test_the_first_generic_handler_that_has_the_method_serves(serve):
    served = serve([generic("a.Service", m=says(b"first")), generic("a.Service", m=says(b"second"))])
    assert served.channel.unary_unary("/a.Service/m")(b"", timeout=SECONDS) == b"first"


def test_a_later_generic_handler_serves_what_the_first_has_not(serve):
    served = serve([generic("a.Service", a=says(b"1")), generic("a.Service", b=says(b"2"))])
    assert served.channel.unary_unary("/a.Service/b")(b"", timeout=SECONDS) == b"2"


def test_a_registered_handler_takes_precedence(serve):
    served = serve([generic(SERVICE, m=says(b"generic"))], registered=registered(m=says(b"registered")))
    assert served.channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS) == b"registered"


class Anything(grpc.GenericRpcHandler):
    """A handler of every method, which it decides about call by call."""

    def __init__(self, choose):
        self.choose = choose

    def service(self, handler_call_details):
        return self.choose(handler_call_details)


@ways(ASYNCHRONOUS)
def test_a_generic_handler_of_ones_own_decides_call_by_call(serve, way):
    def choose(details):
        answer = dict(details.invocation_metadata).get("answer")
        if answer is None:
            return None
        return handler_of(
            way.kind, echo(way.kind, lambda context: context.set_trailing_metadata((("a", answer),)))
        )

    method = getattr(serve([Anything(choose)]).channel, way.kind)("/any/thing")
    for answer in ("1", "2"):
        outcome = way.run(method, metadata=(("answer", answer),))
        assert ("a", answer) in outcome.call.trailing_metadata()
    assert failure(way.run(method))[0] is grpc.StatusCode.UNIMPLEMENTED


def test_a_generic_handler_sees_the_methods_name(serve):
    names = []
    served = serve([Anything(lambda details: names.append(details.method))])
    for name in ("/a.b.C/d", "/x/y"):
        with pytest.raises(grpc.RpcError):
            served.channel.unary_unary(name)(b"", timeout=SECONDS)
    assert names == ["/a.b.C/d", "/x/y"]


def test_an_exception_in_a_generic_handler_is_unknown(serve):
    def choose(_details):
        raise ValueError("cannot say")

    with pytest.raises(grpc.RpcError) as caught:
        serve([Anything(choose)]).channel.unary_unary("/any/thing")(b"", timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNKNOWN, "Error in service handler!",
    )  # fmt: skip


def test_what_is_no_generic_handler_is_an_attribute_error(make):
    with pytest.raises(AttributeError, match="service"):
        make().add_generic_rpc_handlers([object()])


def test_what_is_no_generic_handler_is_an_attribute_error_at_once(make):
    with pytest.raises(AttributeError, match="service"):
        make(handlers=[object()])


def test_a_handler_registered_after_the_start_is_not_served(serve):
    served = serve(registered=registered(m=says(b"")))
    served.server.add_registered_method_handlers("late.Service", registered(m=says(b"late")))
    with pytest.raises(grpc.RpcError) as caught:
        served.channel.unary_unary("/late.Service/m")(b"", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


@pytest.mark.parametrize("called_before", [False, True], ids=["unknown", "found missing"])
def test_a_generic_handler_added_after_the_start_serves(serve, called_before):
    served = serve(registered=registered(m=says(b"")))
    method = served.channel.unary_unary("/late.Service/m")
    if called_before:
        with pytest.raises(grpc.RpcError):
            method(b"", timeout=SECONDS)
    served.server.add_generic_rpc_handlers((generic("late.Service", m=says(b"late")),))
    assert method(b"", timeout=SECONDS) == b"late"


def test_a_handler_registered_again_after_the_start_replaces_none(serve):
    served = serve(registered=registered(m=says(b"early")))
    served.server.add_registered_method_handlers(SERVICE, registered(m=says(b"late")))
    assert served.channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS) == b"early"


def test_a_method_handler_of_ones_own_class_serves(serve):
    """`RpcMethodHandler` is an interface of attributes."""

    class Handler(grpc.RpcMethodHandler):
        request_streaming = response_streaming = False
        request_deserializer = staticmethod(bytes.decode)
        response_serializer = staticmethod(str.encode)
        unary_unary = staticmethod(lambda request, _context: request.upper())
        unary_stream = stream_unary = stream_stream = None

    served = serve([Anything(lambda _details: Handler())])
    assert served.channel.unary_unary("/any/thing")(b"text", timeout=SECONDS) == b"TEXT"


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
def test_a_method_may_be_called_as_another_kind(rpc, served_as, called_as):
    """On the wire every call is a stream: generic proxies call everything as stream_stream."""
    way = next(way for way in ASYNCHRONOUS if way.kind == called_as)
    method = getattr(rpc.channel, called_as)(rpc.name(served_as, echo(served_as)))
    assert way.run(method).responses == [b"request"]


@pytest.mark.parametrize("served_as", ["unary_unary", "unary_stream"])
def test_a_call_without_a_request_of_a_unary_method_is_unimplemented(rpc, served_as):
    call = rpc.channel.stream_stream(rpc.name(served_as, echo(served_as)))(iter(()), timeout=SECONDS)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() is grpc.StatusCode.UNIMPLEMENTED
    assert "requires exactly one request message." in call.details()


# -- start and stop


def test_starting_again_is_a_value_error(make):
    server = make()
    server.start()
    with pytest.raises(ValueError, match="Cannot start already-started server!"):
        server.start()


def test_a_stopped_server_does_not_start_again(make):
    server = make()
    server.start()
    server.stop(None).wait(SECONDS)
    with pytest.raises(ValueError, match="started"):
        server.start()


@pytest.mark.parametrize("grace", [None, 0, 1, 100])
def test_stopping_a_server_that_was_not_started_is_done_at_once(make, grace):
    assert make().stop(grace).is_set()


@pytest.mark.parametrize("grace", [None, 0, 1, 100])
def test_an_idle_server_stops_at_once(serve, grace):
    begun = time.monotonic()
    event = serve(registered=registered(m=says(b""))).server.stop(grace)
    assert isinstance(event, threading.Event)
    assert event.wait(SECONDS)
    assert time.monotonic() - begun < SECONDS


def test_stop_without_grace_returns_when_it_has_stopped(serve):
    assert all(serve(registered=registered(m=says(b""))).server.stop(None).is_set() for _ in range(20))


def test_stopping_again_is_allowed(serve):
    server = serve(registered=registered(m=says(b""))).server
    for grace in (None, 0, 1):
        assert server.stop(grace).wait(SECONDS)


@ways(ASYNCHRONOUS)
def test_stop_without_grace_ends_the_calls_under_way(serve, way):
    gate = Gate()
    served = serve(registered={"m": handler_of(way.kind, echo(way.kind, gate))})
    call = way.start(getattr(served.channel, way.kind)(f"/{SERVICE}/m"), timeout=SECONDS)
    gate.wait_begun()
    stopped = served.server.stop(None)
    assert failure(way.finish(call))[0] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    assert gate.ended.wait(SECONDS)
    assert stopped.wait(SECONDS)


@ways(ASYNCHRONOUS)
def test_within_its_grace_a_call_may_end(serve, way):
    gate = Gate()
    served = serve(registered={"m": handler_of(way.kind, echo(way.kind, gate))})
    call = way.start(getattr(served.channel, way.kind)(f"/{SERVICE}/m"), timeout=SECONDS)
    gate.wait_begun()
    stopped = served.server.stop(SECONDS)
    assert not stopped.is_set()
    gate.open.set()
    assert way.finish(call).responses == [b"request"]
    assert stopped.wait(SECONDS)


@ways(ASYNCHRONOUS)
def test_after_its_grace_a_call_is_ended(serve, way):
    gate = Gate()
    served = serve(registered={"m": handler_of(way.kind, echo(way.kind, gate))})
    call = way.start(getattr(served.channel, way.kind)(f"/{SERVICE}/m"), timeout=SECONDS)
    gate.wait_begun()
    stopped = served.server.stop(0.1)
    assert failure(way.finish(call))[0] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
    assert gate.ended.wait(SECONDS)
    assert stopped.wait(SECONDS)


@ways(ASYNCHRONOUS)
def test_a_stopping_server_takes_no_new_calls(serve, way, column):
    gate = Gate()
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary", gate)),
                               "other": handler_of(way.kind, echo(way.kind))})  # fmt: skip
    held = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    stopped = served.server.stop(SECONDS)
    with column.channel(served.target, [("grpc.use_local_subchannel_pool", 1)]) as other:
        outcome = way.run(getattr(other, way.kind)(f"/{SERVICE}/other"))
        assert failure(outcome)[0] is grpc.StatusCode.UNAVAILABLE
    gate.open.set()
    assert held.result(timeout=SECONDS) == b""
    assert stopped.wait(SECONDS)


def test_a_smaller_grace_shortens_a_longer_one(serve):
    gate = Gate()
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary", gate))})
    call = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    first = served.server.stop(60)
    assert not first.is_set()
    second = served.server.stop(0)
    assert first.wait(1)
    assert second.wait(SECONDS)
    assert call.exception(timeout=SECONDS) is not None


def test_the_smallest_of_many_graces_counts(serve):
    gate = Gate()
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary", gate))})
    call = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    stopped = [served.server.stop(grace) for grace in (60, 0.1, 30, 60)]
    assert all(event.wait(1) for event in stopped)
    assert call.exception(timeout=SECONDS) is not None


def test_a_longer_grace_does_not_lengthen_a_smaller_one(serve):
    gate = Gate()
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary", gate))})
    call = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    first = served.server.stop(0.1)
    served.server.stop(60)
    assert first.wait(SECONDS)
    assert call.exception(timeout=SECONDS) is not None


def test_none_shortens_a_grace(serve):
    gate = Gate()
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary", gate))})
    call = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    first = served.server.stop(60)
    served.server.stop(None)
    assert first.wait(SECONDS)
    assert call.exception(timeout=SECONDS) is not None


def test_waiting_for_termination_times_out(serve):
    assert serve(registered=registered(m=says(b""))).server.wait_for_termination(timeout=0.05) is True


def test_waiting_for_the_termination_of_a_stopped_server(serve):
    server = serve(registered=registered(m=says(b""))).server
    server.stop(None).wait(SECONDS)
    assert server.wait_for_termination(timeout=SECONDS) is False


def test_whoever_waits_for_termination_is_woken(serve):
    server = serve(registered=registered(m=says(b""))).server
    outcomes, waits = [], threading.Event()
    thread = threading.Thread(
        target=lambda: (waits.set(), outcomes.append(server.wait_for_termination())), daemon=True
    )
    thread.start()
    assert waits.wait(SECONDS)
    server.stop(None)
    thread.join(SECONDS)
    assert outcomes == [False]


def test_waiting_for_termination_waits_for_the_last_call(serve):
    gate = Gate()
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary", gate))})
    call = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    served.server.stop(SECONDS)
    assert served.server.wait_for_termination(timeout=0.1) is True
    gate.open.set()
    assert call.result(timeout=SECONDS) == b""
    assert served.server.wait_for_termination(timeout=SECONDS) is False


# -- concurrency


@ways(ASYNCHRONOUS)
def test_calls_over_the_limit_of_concurrency_are_resource_exhausted(serve, way):
    gate = Gate()
    served = serve(registered={"m": handler_of(way.kind, echo(way.kind, gate))}, maximum_concurrent_rpcs=2)
    method = getattr(served.channel, way.kind)(f"/{SERVICE}/m")
    held = [way.start(method, timeout=SECONDS) for _ in range(2)]
    gate.wait_begun(2)
    assert failure(way.run(method)) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED, "Concurrent RPC limit exceeded!",
    )  # fmt: skip
    gate.open.set()
    for call in held:
        assert way.finish(call).responses == [b"request"]


def test_the_limit_of_concurrency_counts_all_channels(serve, column):
    gate = Gate()
    served = serve(
        registered={"m": handler_of("unary_unary", echo("unary_unary", gate))}, maximum_concurrent_rpcs=1
    )
    held = served.channel.unary_unary(f"/{SERVICE}/m").future(b"", timeout=SECONDS)
    gate.wait_begun()
    with column.channel(served.target, [("grpc.use_local_subchannel_pool", 1)]) as other:
        with pytest.raises(grpc.RpcError) as caught:
            other.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    gate.open.set()
    held.result(timeout=SECONDS)


def test_the_limit_of_concurrency_is_free_again_after_a_call(serve):
    served = serve(registered=registered(m=says(b"")), maximum_concurrent_rpcs=1)
    method = served.channel.unary_unary(f"/{SERVICE}/m")
    deadline = time.monotonic() + SECONDS
    for _ in range(20):
        while True:  # the server may count a call a moment longer than its caller
            with contextlib.suppress(grpc.RpcError):
                method(b"", timeout=SECONDS)
                break
            assert time.monotonic() < deadline


@ways(ASYNCHRONOUS)
def test_calls_over_the_size_of_the_pool_wait(serve, way):
    gate = Gate()
    served = serve(registered={"m": handler_of(way.kind, echo(way.kind, gate))}, workers=2)
    method = getattr(served.channel, way.kind)(f"/{SERVICE}/m")
    calls = [way.start(method, timeout=SECONDS) for _ in range(5)]
    gate.wait_begun(2)
    assert not gate.begun.acquire(timeout=0.05)
    gate.open.set()
    assert [way.finish(call).responses for call in calls] == [[b"request"]] * 5


def test_handlers_run_in_the_pool_that_was_given(column):
    names = []
    pool = futures.ThreadPoolExecutor(2, thread_name_prefix="mine")
    server = column.server(pool)
    act = lambda _context: names.append(threading.current_thread().name)
    server.add_registered_method_handlers(
        SERVICE, {kind: handler_of(kind, echo(kind, act)) for kind in KINDS}
    )
    port = server.add_insecure_port("localhost:0")
    server.start()
    with column.channel(f"localhost:{port}") as channel:
        for way in ASYNCHRONOUS:
            way.run(getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}"))
    server.stop(None).wait(SECONDS)
    assert len(names) == 4
    assert all(name.startswith("mine") for name in names)


def test_two_servers_of_one_process_do_not_meet(serve):
    one = serve(registered={"m": handler_of("unary_unary", says(b"one"))})
    two = serve(registered={"m": handler_of("unary_unary", says(b"two"))})
    assert one.channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS) == b"one"
    assert two.channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS) == b"two"


def test_a_server_that_nobody_holds_stops_serving(column):
    """As grpcio's: the last reference stops it."""
    server = column.server(futures.ThreadPoolExecutor(2))
    server.add_registered_method_handlers(SERVICE, registered(m=says(b"still here")))
    port = server.add_insecure_port("localhost:0")
    server.start()
    del server
    with column.channel(f"localhost:{port}") as channel:
        method = channel.unary_unary(f"/{SERVICE}/m")
        deadline = time.monotonic() + 2.5  # grpcio looks once a second
        while time.monotonic() < deadline:
            try:
                method(b"", timeout=SECONDS)
            except grpc.RpcError as error:
                assert error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}  # noqa: PT017
                return
        pytest.fail("it serves on")
