"""`grpc.Channel`: connectivity, readiness, targets, waiting for a server, closing, use after it."""

from __future__ import annotations

import contextlib
import gc
import queue
import socket
import threading
import weakref
from concurrent import futures

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, BLOCKING, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of
from tests.waiting import until

# A channel that is closed while grpcio's own thread watches it makes that thread complain.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
READY, IDLE = grpc.ChannelConnectivity.READY, grpc.ChannelConnectivity.IDLE
TRANSIENT_FAILURE = grpc.ChannelConnectivity.TRANSIENT_FAILURE


class States:
    """What a subscription was told; `until` waits for a state."""

    def __init__(self):
        self.told = queue.SimpleQueue()
        self.seen = []

    def __call__(self, state):
        self.told.put(state)

    def until(self, wanted):
        while wanted not in self.seen:
            self.seen.append(self.told.get(timeout=SECONDS))
        return self.seen


@pytest.fixture
def dead_port():
    """A port on which nobody listens, and which nobody else gets meanwhile."""
    with socket.socket() as reserved:
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", 0))
        yield reserved.getsockname()[1]


@pytest.fixture
def channel(rpc):
    """A channel of the test's own to the shared server."""
    with rpc.column.channel(rpc.target, [("grpc.use_local_subchannel_pool", 1)]) as opened:
        yield opened


def start_server(column, port, before=lambda _context: None):
    server = column.server(futures.ThreadPoolExecutor(4))
    server.add_registered_method_handlers(
        SERVICE, {kind: handler_of(kind, echo(kind, before)) for kind in KINDS}
    )
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server


def test_a_channel_is_a_channel(channel):
    assert isinstance(channel, grpc.Channel)


@pytest.mark.parametrize("kind", KINDS)
def test_a_multicallable_may_be_made_before_anything_is_connected(column, dead_port, kind):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        assert callable(getattr(channel, kind)("/x/y"))


@pytest.mark.parametrize("kind", KINDS)
def test_a_multicallable_is_made_with_arguments_by_name(rpc, kind):
    method = getattr(rpc.channel, kind)(
        method=rpc.name(kind, echo(kind)), request_serializer=None, response_deserializer=None
    )
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    assert way.run(method).responses == [b"request"]


# -- connectivity


def test_a_subscription_tells_every_state_from_idle_to_ready(channel):
    states = States()
    channel.subscribe(states, try_to_connect=True)
    seen = states.until(READY)
    assert seen[0] is IDLE
    assert set(seen) <= {IDLE, grpc.ChannelConnectivity.CONNECTING, READY}


def test_a_subscription_reaches_ready(channel):
    states = States()
    channel.subscribe(states, try_to_connect=True)
    assert states.until(READY)[-1] is READY


def test_a_subscription_is_told_the_state_at_once(channel):
    states = States()
    channel.subscribe(states)
    assert states.until(IDLE) == [IDLE]


def test_a_subscription_notices_that_a_call_connected(rpc, channel):
    states = States()
    channel.subscribe(states)
    states.until(IDLE)
    rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"", timeout=SECONDS)
    with contextlib.suppress(queue.Empty):
        while READY not in states.seen:
            states.seen.append(states.told.get(timeout=1))
    assert states.seen[-1] is READY


def test_a_second_subscription_is_told_the_state_too(channel):
    first, second = States(), States()
    channel.subscribe(first, try_to_connect=True)
    first.until(READY)
    channel.subscribe(second)
    assert second.until(READY)[-1] is READY


def test_an_unsubscribed_callback_is_told_nothing_more(channel):
    states = States()
    channel.subscribe(states)
    states.until(IDLE)
    channel.unsubscribe(states)
    other = States()
    channel.subscribe(other, try_to_connect=True)
    other.until(READY)
    assert states.told.empty()


def test_a_callback_that_was_never_subscribed_may_be_unsubscribed(channel):
    channel.unsubscribe(lambda _state: None)


def test_an_exception_in_a_subscription_harms_nobody(rpc, channel):
    def broken(_state):
        raise ValueError("in a subscription")

    states = States()
    with contextlib.suppress(ValueError):
        channel.subscribe(broken, try_to_connect=True)
    channel.subscribe(states, try_to_connect=True)
    states.until(READY)
    assert rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x", timeout=SECONDS) == b"x"


def test_a_subscription_is_told_by_another_thread(channel):
    told = queue.SimpleQueue()
    channel.subscribe(lambda _state: told.put(threading.get_ident()), try_to_connect=True)
    assert told.get(timeout=SECONDS) != threading.get_ident()


def test_a_subscription_is_told_of_a_failure(column, dead_port):
    states = States()
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        channel.subscribe(states, try_to_connect=True)
        with contextlib.suppress(queue.Empty):
            states.until(TRANSIENT_FAILURE)
        assert TRANSIENT_FAILURE in states.seen


def test_a_subscription_is_told_that_the_server_went_away(column, dead_port):
    states = States()
    server = start_server(column, dead_port)
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        channel.subscribe(states, try_to_connect=True)
        states.until(READY)
        server.stop(None).wait(SECONDS)
        assert states.told.get(timeout=1) in {IDLE, TRANSIENT_FAILURE, grpc.ChannelConnectivity.CONNECTING}


@pytest.mark.parametrize("under_way", [False, True], ids=["idle", "busy"])
def test_a_subscription_is_told_that_the_server_is_going_away(column, dead_port, rpc, under_way):
    """At once, although the server gives its calls time to end, and this channel may have none."""
    gate, begun, states = rpc.event(), rpc.event(), States()

    def act(_context):
        begun.set()
        gate.wait(SECONDS)

    server = start_server(column, dead_port, before=act)
    with column.channel(f"127.0.0.1:{dead_port}") as channel, column.channel(
        f"127.0.0.1:{dead_port}", [("grpc.use_local_subchannel_pool", 1)]
    ) as other:  # fmt: skip
        channel.subscribe(states, try_to_connect=True)
        states.until(READY)
        caller = channel if under_way else other
        call = caller.unary_unary(f"/{SERVICE}/unary_unary").future(b"request", timeout=SECONDS)
        assert begun.wait(SECONDS)
        stopped = server.stop(SECONDS)
        assert states.told.get(timeout=2) is IDLE
        gate.set()
        assert call.result(timeout=SECONDS) == b"request"
        assert stopped.wait(SECONDS)


def test_a_subscription_is_told_that_the_server_came_after_a_call_failed(column, dead_port):
    states = States()
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        channel.subscribe(states)
        states.until(IDLE)
        with pytest.raises(grpc.RpcError):
            channel.unary_unary(f"/{SERVICE}/unary_unary")(b"", timeout=SECONDS)
        states.until(TRANSIENT_FAILURE)
        server = start_server(column, dead_port)
        try:
            assert states.until(READY)[-1] is READY
        finally:
            server.stop(None).wait(SECONDS)


def test_a_failure_lasts_until_there_is_a_connection(column, dead_port):
    """However many attempts fail meanwhile."""
    states = States()
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        channel.subscribe(states, try_to_connect=True)
        states.until(TRANSIENT_FAILURE)
        with pytest.raises(grpc.RpcError):
            channel.unary_unary("/x/y")(b"", wait_for_ready=True, timeout=0.2)
        server = start_server(column, dead_port)
        try:
            seen = states.until(READY)
            assert seen[seen.index(TRANSIENT_FAILURE) :] == [TRANSIENT_FAILURE, READY]
        finally:
            server.stop(None).wait(SECONDS)


def test_nobody_connects_again_unless_somebody_asks(column, dead_port):
    first, second = States(), States()
    server = start_server(column, dead_port)
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        channel.subscribe(first, try_to_connect=True)
        first.until(READY)
        server.stop(None).wait(SECONDS)
        assert first.told.get(timeout=SECONDS) is IDLE
        server = start_server(column, dead_port)
        try:
            channel.subscribe(second)
            assert second.told.get(timeout=SECONDS) is IDLE
            channel.subscribe(States(), try_to_connect=True)
            second.until(READY)
            first.until(READY)
        finally:
            server.stop(None).wait(SECONDS)


def test_a_callback_may_be_subscribed_twice_and_is_told_twice(channel):
    states = States()
    for _ in range(2):
        channel.subscribe(states)
    assert [states.told.get(timeout=SECONDS) for _ in range(2)] == [IDLE, IDLE]
    channel.unsubscribe(states)
    channel.subscribe(States(), try_to_connect=True)
    states.until(READY)


def test_a_callback_may_unsubscribe_itself_and_subscribe_others(channel):
    told, others = queue.SimpleQueue(), States()

    def once(state):
        told.put(state)
        channel.unsubscribe(once)
        channel.subscribe(others)

    channel.subscribe(once, try_to_connect=True)
    others.until(READY)
    assert told.get(timeout=SECONDS) is IDLE
    assert told.empty()


def test_a_callback_that_blocks_stops_no_call(rpc, channel):
    gate, told = rpc.event(), queue.SimpleQueue()

    def blocks(state):
        told.put(state)
        gate.wait(SECONDS)

    channel.subscribe(blocks, try_to_connect=True)
    assert told.get(timeout=SECONDS) is IDLE
    assert rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x", timeout=SECONDS) == b"x"
    gate.set()


def test_a_closed_channel_tells_nothing(rpc):
    channel = rpc.column.channel(rpc.target)
    states = States()
    channel.subscribe(states, try_to_connect=True)
    states.until(READY)
    channel.close()
    channel.subscribe(states)
    channel.unsubscribe(states)
    with rpc.column.channel(rpc.target) as other:
        grpc.channel_ready_future(other).result(timeout=SECONDS)
    assert states.told.empty()


def test_calls_go_on_beside_a_subscription(rpc, channel):
    """Whoever watches the connection does not get in the way of those who use it, however they mix."""
    states = States()
    channel.subscribe(states)
    method = rpc.method("unary_unary", echo("unary_unary"), channel=channel)
    stream = rpc.method("stream_stream", echo("stream_stream"), channel=channel)
    for i in range(50):
        assert method(b"%d" % i, timeout=SECONDS) == b"%d" % i
        assert method.future(b"%d" % i, timeout=SECONDS).result() == b"%d" % i
        assert list(stream(iter([b"a", b"b"]), timeout=SECONDS)) == [b"a", b"b"]
    assert states.until(READY)[-1] is READY


# -- readiness


def test_the_ready_future_of_a_reachable_server(channel):
    future = grpc.channel_ready_future(channel)
    assert isinstance(future, grpc.Future)
    assert future.result(timeout=SECONDS) is None
    assert future.done()
    assert not future.running()
    assert not future.cancelled()
    assert not future.cancel()


def test_the_ready_future_of_a_connected_channel(rpc, channel):
    rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"", timeout=SECONDS)
    assert grpc.channel_ready_future(channel).result(timeout=SECONDS) is None


def test_the_ready_future_calls_back(channel):
    called = queue.SimpleQueue()
    future = grpc.channel_ready_future(channel)
    future.add_done_callback(called.put)
    assert called.get(timeout=SECONDS) is future


def test_the_ready_future_of_an_unreachable_server_times_out(column, dead_port):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        future = grpc.channel_ready_future(channel)
        with pytest.raises(grpc.FutureTimeoutError):
            future.result(timeout=0.1)
        assert future.running()
        assert not future.done()
        future.cancel()


def test_a_ready_future_may_be_cancelled(column, dead_port):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        future = grpc.channel_ready_future(channel)
        assert future.cancel() is True
        assert future.cancelled()
        assert future.done()
        with pytest.raises(grpc.FutureCancelledError):
            future.result(timeout=SECONDS)


def test_the_ready_future_matures_when_the_server_comes(column, dead_port):
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        future = grpc.channel_ready_future(channel)
        with pytest.raises(grpc.FutureTimeoutError):
            future.result(timeout=0.1)
        server = start_server(column, dead_port)
        try:
            assert future.result(timeout=3) is None
        finally:
            server.stop(None).wait(SECONDS)


# -- servers that are not there

FAST_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 50)]


@ways()
def test_a_call_to_nobody_is_unavailable(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        code, details = failure(way.run(getattr(channel, way.kind)("/x/y")))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "connection refused" in details.lower()


@ways()
def test_waiting_for_nobody_ends_at_the_deadline(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        outcome = way.run(getattr(channel, way.kind)("/x/y"), wait_for_ready=True, timeout=0.1)
        assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED


@ways(ASYNCHRONOUS)
def test_a_call_that_waits_is_served_when_the_server_comes(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        method = getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}")
        call = way.start(method, wait_for_ready=True, timeout=SECONDS)
        assert not call.done()
        server = start_server(column, dead_port)
        try:
            assert way.finish(call).responses == [b"request"]
        finally:
            server.stop(None).wait(SECONDS)


@ways(BLOCKING)
def test_a_thread_that_waits_is_served_when_the_server_comes(column, dead_port, way):
    outcome = queue.SimpleQueue()
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        method = getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}")
        threading.Thread(target=lambda: outcome.put(way.run(method, wait_for_ready=True))).start()
        with pytest.raises(queue.Empty):
            outcome.get(timeout=0.1)
        server = start_server(column, dead_port)
        try:
            assert outcome.get(timeout=SECONDS).responses == [b"request"]
        finally:
            server.stop(None).wait(SECONDS)


def test_many_calls_wait_side_by_side(column, dead_port):
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        calls = [
            (way, way.start(getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}"), [b"%d" % i],
                            wait_for_ready=True, timeout=SECONDS))
            for way in ASYNCHRONOUS
            for i in range(20)
        ]  # fmt: skip
        server = start_server(column, dead_port)
        try:
            answers = [way.finish(call).responses for way, call in calls]
            assert answers == [[b"%d" % i] for _ in ASYNCHRONOUS for i in range(20)]
        finally:
            server.stop(None).wait(SECONDS)


@ways(ASYNCHRONOUS)
def test_a_call_that_waits_is_under_way(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        call = way.start(getattr(channel, way.kind)("/x/y"), wait_for_ready=True, timeout=SECONDS)
        assert call.running()
        assert call.is_active()
        assert not call.done()
        assert not call.cancelled()
        assert 0 < call.time_remaining() <= SECONDS
        with pytest.raises(grpc.FutureTimeoutError):
            call.result(timeout=0.01)


@ways(ASYNCHRONOUS)
def test_a_call_that_waits_may_be_cancelled(column, dead_port, way):
    told = queue.SimpleQueue()
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        call = way.start(getattr(channel, way.kind)("/x/y"), wait_for_ready=True)
        call.add_done_callback(told.put)
        assert call.cancel()
        assert call.cancelled()
        assert (call.code(), call.details()) == (
            grpc.StatusCode.CANCELLED, "Locally cancelled by application!",
        )  # fmt: skip
        assert told.get(timeout=SECONDS) is call


@ways(ASYNCHRONOUS)
def test_a_call_that_waits_meets_its_deadline_with_nobody_looking(column, dead_port, way):
    told = queue.SimpleQueue()
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        call = way.start(getattr(channel, way.kind)("/x/y"), wait_for_ready=True, timeout=0.1)
        call.add_done_callback(told.put)
        assert told.get(timeout=SECONDS) is call
        assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


@ways(ASYNCHRONOUS)
def test_closing_ends_a_call_that_waits(column, dead_port, way):
    told = queue.SimpleQueue()
    channel = column.channel(f"127.0.0.1:{dead_port}")
    call = way.start(getattr(channel, way.kind)("/x/y"), wait_for_ready=True)
    call.add_done_callback(told.put)
    channel.close()
    assert told.get(timeout=SECONDS) is call
    assert (call.code(), call.details()) == (grpc.StatusCode.CANCELLED, "Channel closed!")
    assert not call.cancelled()


@ways(BLOCKING)
def test_closing_ends_the_wait_of_a_thread(column, dead_port, way):
    outcome = queue.SimpleQueue()
    channel = column.channel(f"127.0.0.1:{dead_port}")
    method = getattr(channel, way.kind)("/x/y")
    threading.Thread(target=lambda: outcome.put(way.run(method, wait_for_ready=True))).start()
    with pytest.raises(queue.Empty):
        outcome.get(timeout=0.1)
    channel.close()
    assert failure(outcome.get(timeout=SECONDS)) == (grpc.StatusCode.CANCELLED, "Channel closed!")


@ways(ASYNCHRONOUS)
def test_a_call_that_waits_and_that_nobody_holds_is_never_sent(column, dead_port, way):
    seen = []
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        method = getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}")
        call = way.start(method, [b"dropped"], wait_for_ready=True)
        assert call.running()
        del call
        server = start_server(column, dead_port, before=seen.append)
        try:
            assert way.run(method, [b"held"], wait_for_ready=True).responses == [b"held"]
        finally:
            server.stop(None).wait(SECONDS)
    assert len(seen) == 1


def test_the_handler_is_told_the_time_that_is_left_after_the_wait(column, dead_port):
    left = []
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        call = channel.unary_unary(f"/{SERVICE}/unary_unary").future(
            b"", wait_for_ready=True, timeout=SECONDS
        )
        with pytest.raises(grpc.FutureTimeoutError):
            call.result(timeout=0.2)
        server = start_server(column, dead_port, before=lambda context: left.append(context.time_remaining()))
        try:
            call.result(timeout=SECONDS)
        finally:
            server.stop(None).wait(SECONDS)
    assert 0 < left[0] < SECONDS - 0.1


def test_no_more_than_one_request_is_taken_while_a_call_waits(column, dead_port):
    taken = []

    def requests():
        for i in range(3):
            taken.append(i)
            yield b"%d" % i

    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        call = channel.stream_stream(f"/{SERVICE}/stream_stream")(
            requests(), wait_for_ready=True, timeout=SECONDS
        )
        with pytest.raises(grpc.FutureTimeoutError):
            call.result(timeout=0.1)
        assert len(taken) <= 1
        server = start_server(column, dead_port)
        try:
            assert list(call) == [b"0", b"1", b"2"]
        finally:
            server.stop(None).wait(SECONDS)


@ways()
def test_what_is_wrong_with_a_call_is_told_before_it_waits(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        method = getattr(channel, way.kind)("/x/y")
        outcome = way.run(method, metadata=(("Upper", "x"),), wait_for_ready=True)
        assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Invalid metadata")
        with pytest.raises((TypeError, ValueError, KeyError)):
            way.invoke(method, compression=99, wait_for_ready=True)


@ways()
def test_a_call_that_need_not_wait_fails_at_once(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        outcome = way.run(getattr(channel, way.kind)("/x/y"), wait_for_ready=False)
        assert failure(outcome)[0] is grpc.StatusCode.UNAVAILABLE


@ways()
def test_waiting_on_a_closed_channel_is_a_value_error(column, dead_port, way):
    channel = column.channel(f"127.0.0.1:{dead_port}")
    channel.close()
    with pytest.raises(ValueError, match="Cannot invoke RPC"):
        way.invoke(getattr(channel, way.kind)("/x/y"), wait_for_ready=True)


@ways()
def test_a_call_waits_for_the_server_to_come_back(column, dead_port, way):
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        method = getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}")
        states = []
        channel.subscribe(states.append)
        for _ in range(3):
            server = start_server(column, dead_port)
            try:
                assert way.run(method, wait_for_ready=True).responses == [b"request"]
            finally:
                until(lambda: states and states[-1] is grpc.ChannelConnectivity.READY)
                server.stop(None).wait(SECONDS)
            # What is sent before the end is known is lost, also where calls wait for a server.
            until(lambda: states[-1] is not grpc.ChannelConnectivity.READY)


@ways()
def test_waiting_for_a_server_that_is_there_changes_nothing(rpc, way):
    outcome = way.run(rpc.method(way.kind, echo(way.kind)), wait_for_ready=True)
    assert outcome.responses == [b"request"]


@ways(ASYNCHRONOUS)
def test_a_call_under_way_is_unavailable_when_the_server_stops(column, dead_port, way, rpc):
    begun, ended = rpc.event(), rpc.event()

    def act(context):
        context.add_callback(ended.set)
        begun.set()
        ended.wait(SECONDS)

    server = column.server(futures.ThreadPoolExecutor(4))
    server.add_registered_method_handlers(SERVICE, {"m": handler_of(way.kind, echo(way.kind, act))})
    server.add_insecure_port(f"127.0.0.1:{dead_port}")
    server.start()
    with column.channel(f"127.0.0.1:{dead_port}") as channel:
        call = way.start(getattr(channel, way.kind)(f"/{SERVICE}/m"), timeout=SECONDS)
        assert begun.wait(SECONDS)
        stopped = server.stop(0)
        assert failure(way.finish(call))[0] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
        assert stopped.wait(SECONDS)


def test_a_channel_finds_the_next_server_on_the_same_port(column, dead_port):
    with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        for i in range(3):
            server = start_server(column, dead_port)
            try:
                method = channel.unary_unary(f"/{SERVICE}/unary_unary")
                grpc.channel_ready_future(channel).result(timeout=SECONDS)
                assert method(b"%d" % i, wait_for_ready=True, timeout=SECONDS) == b"%d" % i
            finally:
                server.stop(None).wait(SECONDS)


# -- targets


@pytest.mark.parametrize("form", ["localhost:{}", "127.0.0.1:{}", "ipv4:127.0.0.1:{}", "dns:///localhost:{}"])
def test_a_target_may_be_written(column, serve, form):
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary"))})
    target = form.format(served.target.rpartition(":")[2])
    with column.channel(target) as channel:
        assert channel.unary_unary(f"/{SERVICE}/m")(b"x", timeout=SECONDS) == b"x"


@pytest.mark.parametrize("form", ["unix:{}", "unix://{}"])
def test_a_unix_target_may_be_written(column, tmp_path, form):
    server = column.server(futures.ThreadPoolExecutor(4))
    server.add_registered_method_handlers(SERVICE, {"m": handler_of("unary_unary", echo("unary_unary"))})
    server.add_insecure_port(f"unix:{tmp_path}/sock")
    server.start()
    try:
        with column.channel(form.format(f"{tmp_path}/sock")) as channel:
            assert channel.unary_unary(f"/{SERVICE}/m")(b"x", timeout=SECONDS) == b"x"
    finally:
        server.stop(None).wait(SECONDS)


def test_a_name_that_does_not_resolve_is_unavailable(column):
    with column.channel("no-such-host.invalid:50051") as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/x/y")(b"", timeout=SECONDS)
        assert caught.value.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


# -- the end


@ways(ASYNCHRONOUS)
def test_closing_ends_the_calls_under_way(rpc, way):
    begun, ended = rpc.event(), rpc.event()

    def act(context):
        context.add_callback(ended.set)
        begun.set()
        ended.wait(SECONDS)

    channel = rpc.column.channel(rpc.target)
    call = way.start(rpc.method(way.kind, echo(way.kind, act), channel=channel))
    assert begun.wait(SECONDS)
    channel.close()
    assert (call.code(), call.details()) == (grpc.StatusCode.CANCELLED, "Channel closed!")
    assert ended.wait(SECONDS)


@ways(ASYNCHRONOUS)
def test_calls_that_closing_ended_are_not_cancelled_by_the_caller(rpc, way):
    begun, ended = rpc.event(), rpc.event()

    def act(context):
        context.add_callback(ended.set)
        begun.set()
        ended.wait(SECONDS)

    channel = rpc.column.channel(rpc.target)
    call = way.start(rpc.method(way.kind, echo(way.kind, act), channel=channel))
    assert begun.wait(SECONDS)
    channel.close()
    assert call.done()
    assert not call.cancelled()
    with pytest.raises(grpc.RpcError):
        call.result(timeout=SECONDS)


@ways()
def test_a_call_on_a_closed_channel_is_a_value_error(rpc, way):
    channel = rpc.column.channel(rpc.target)
    method = rpc.method(way.kind, echo(way.kind), channel=channel)
    way.run(method)
    channel.close()
    with pytest.raises(ValueError, match="Cannot invoke RPC"):
        way.invoke(method)


@ways()
def test_a_call_on_a_channel_closed_before_its_first_call_is_a_value_error(rpc, way):
    channel = rpc.column.channel(rpc.target)
    method = rpc.method(way.kind, echo(way.kind), channel=channel)
    channel.close()
    with pytest.raises(ValueError, match="Cannot invoke RPC"):
        way.invoke(method)


@pytest.mark.parametrize("kind", KINDS)
def test_a_multicallable_may_be_made_of_a_closed_channel(rpc, kind):
    channel = rpc.column.channel(rpc.target)
    channel.close()
    assert callable(getattr(channel, kind)("/x/y"))


def test_closing_again_changes_nothing(rpc):
    channel = rpc.column.channel(rpc.target)
    channel.close()
    channel.close()


def test_a_channel_that_was_never_used_may_be_closed(column, dead_port):
    column.channel(f"127.0.0.1:{dead_port}").close()


def test_a_channel_is_a_context_manager_that_closes(rpc):
    channel = rpc.column.channel(rpc.target)
    with channel as entered:
        assert entered is channel
        method = rpc.method("unary_unary", echo("unary_unary"), channel=channel)
        assert method(b"x", timeout=SECONDS) == b"x"
    with pytest.raises(ValueError, match="Cannot invoke RPC"):
        method(b"x")


def test_a_channels_context_passes_exceptions_on(rpc):
    with pytest.raises(ZeroDivisionError), rpc.column.channel(rpc.target):
        raise ZeroDivisionError


def test_a_multicallable_keeps_its_channel_alive(rpc):
    """`stub = Stub(insecure_channel(...))` and nobody holds the channel."""
    method = rpc.method("unary_unary", echo("unary_unary"), channel=rpc.column.channel(rpc.target))
    gc.collect()
    assert method(b"x", timeout=SECONDS) == b"x"
    gc.collect()
    assert method(b"x", timeout=SECONDS) == b"x"


def test_a_call_keeps_its_channel_alive(rpc):
    gate = rpc.event()
    method = rpc.method(
        "unary_unary",
        echo("unary_unary", lambda _context: gate.wait(SECONDS)),
        channel=rpc.column.channel(rpc.target),
    )
    future = method.future(b"x", timeout=SECONDS)
    del method
    gc.collect()
    gate.set()
    assert future.result(timeout=SECONDS) == b"x"


def test_a_dropped_channel_goes_away(rpc):
    channel = rpc.column.channel(rpc.target)
    rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x", timeout=SECONDS)
    gone = weakref.ref(channel)
    del channel
    gc.collect()
    assert gone() is None


def test_closing_one_channel_leaves_another_alone(rpc):
    first, second = rpc.column.channel(rpc.target), rpc.column.channel(rpc.target)
    method = rpc.method("unary_unary", echo("unary_unary"), channel=second)
    first.close()
    assert method(b"x", timeout=SECONDS) == b"x"
    second.close()


def test_a_channel_may_be_closed_by_a_callback(rpc):
    channel = rpc.column.channel(rpc.target)
    closed = rpc.event()
    future = rpc.method("unary_unary", echo("unary_unary"), channel=channel).future(b"x", timeout=SECONDS)
    future.add_done_callback(lambda _: (channel.close(), closed.set()))
    assert closed.wait(SECONDS)
    assert future.result(timeout=SECONDS) == b"x"
