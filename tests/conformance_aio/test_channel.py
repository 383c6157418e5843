"""`grpc.aio.Channel`: connectivity, readiness, targets, waiting for a server, closing, use after it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, status, ways
from tests.conformance_aio.service import KINDS, SECONDS, SERVICE, Blocked, Gate, echo, handler_of

IDLE, READY = grpc.ChannelConnectivity.IDLE, grpc.ChannelConnectivity.READY
CONNECTING = grpc.ChannelConnectivity.CONNECTING
TRANSIENT_FAILURE = grpc.ChannelConnectivity.TRANSIENT_FAILURE
SHUTDOWN = grpc.ChannelConnectivity.SHUTDOWN
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]
FAST_RECONNECT = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.max_reconnect_backoff_ms", 50)]
HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}


def connect(rpc):
    """A channel of the test's own to the shared server."""
    return rpc.column.channel(rpc.target, OWN_CONNECTION)


async def reach(channel, wanted):
    """Wait until the state is `wanted`. -> the states on the way"""
    seen = [channel.get_state(try_to_connect=True)]
    while seen[-1] is not wanted:
        await channel.wait_for_state_change(seen[-1])
        seen.append(channel.get_state(try_to_connect=True))
    return seen


async def test_a_channel_is_a_channel(rpc):
    assert isinstance(rpc.channel, aio.Channel)


@either_kind
async def test_a_multicallable_may_be_made_before_anything_is_connected(column, dead_port, kind):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        assert callable(getattr(channel, kind)("/x/y"))


@either_kind
async def test_a_multicallable_is_made_with_arguments_by_name(rpc, kind):
    method = getattr(rpc.channel, kind)(
        method=rpc.name(kind, echo(kind)), request_serializer=None, response_deserializer=None
    )
    assert (await BY_KIND[kind].run(method)).responses == [b"request"]


# -- connectivity


async def test_a_new_channel_is_idle(rpc):
    async with connect(rpc) as channel:
        assert channel.get_state() is IDLE


async def test_looking_alone_does_not_connect(rpc):
    async with connect(rpc) as channel:
        other = rpc.unary_unary(echo("unary_unary"))
        for _ in range(10):
            assert channel.get_state() is IDLE
            await other(b"")


async def test_a_channel_that_tries_to_connect_becomes_ready(rpc):
    async with connect(rpc) as channel:
        seen = await reach(channel, READY)
        assert set(seen) <= {IDLE, CONNECTING, READY}


async def test_a_ready_channel_stays_ready(rpc):
    async with connect(rpc) as channel:
        await reach(channel, READY)
        assert channel.get_state() is READY
        assert channel.get_state(try_to_connect=True) is READY


async def test_a_call_makes_its_channel_ready(rpc):
    async with connect(rpc) as channel:
        await rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"")
        assert channel.get_state() is READY


async def test_waiting_for_a_change_from_another_state_returns_at_once(rpc):
    async with connect(rpc) as channel:
        assert await channel.wait_for_state_change(READY) is None


async def test_waiting_for_a_change_waits(rpc):
    async with connect(rpc) as channel:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(channel.wait_for_state_change(IDLE), 0.05)


async def test_a_call_is_a_change_that_is_noticed(rpc):
    async with connect(rpc) as channel:
        waiter = asyncio.ensure_future(channel.wait_for_state_change(IDLE))
        await rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"")
        await waiter


async def test_an_unreachable_server_is_a_transient_failure(column, dead_port):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        seen = await reach(channel, TRANSIENT_FAILURE)
        assert READY not in seen


async def test_the_end_of_a_server_is_noticed(column, dead_port, serve):
    served = await serve(registered=HANDLERS, address=f"127.0.0.1:{dead_port}")
    async with column.channel(f"127.0.0.1:{dead_port}", OWN_CONNECTION) as channel:
        await channel.channel_ready()
        await served.server.stop(None)
        await channel.wait_for_state_change(READY)
        assert channel.get_state() is not READY


async def test_closing_is_a_shutdown(rpc):
    channel = connect(rpc)
    await channel.channel_ready()
    await channel.close()
    assert channel.get_state() is SHUTDOWN


# -- readiness


async def test_channel_ready_waits_until_the_server_is_there(rpc):
    async with connect(rpc) as channel:
        assert await channel.channel_ready() is None
        assert channel.get_state() is READY


async def test_channel_ready_of_a_ready_channel_returns(rpc):
    async with connect(rpc) as channel:
        await channel.channel_ready()
        await channel.channel_ready()


async def test_several_tasks_may_wait_until_a_channel_is_ready(rpc):
    async with connect(rpc) as channel:
        await asyncio.gather(*(channel.channel_ready() for _ in range(5)))


async def test_channel_ready_waits_for_nobody_for_ever(column, dead_port):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(channel.channel_ready(), 0.1)


async def test_channel_ready_ends_when_the_server_comes(column, dead_port, serve):
    async with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        waiter = asyncio.ensure_future(channel.channel_ready())
        await reach(channel, TRANSIENT_FAILURE)
        assert not waiter.done()
        await serve(registered=HANDLERS, address=f"127.0.0.1:{dead_port}")
        await waiter


# -- servers that are not there


@ways()
async def test_a_call_to_nobody_is_unavailable(column, dead_port, way):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        outcome = await way.run(getattr(channel, way.kind)("/x/y"), timeout=SECONDS)
        code, details = failure(outcome)
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "connection refused" in details.lower()


@every_kind
async def test_waiting_for_nobody_ends_at_the_deadline(column, dead_port, kind):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        method = getattr(channel, kind)("/x/y")
        outcome = await BY_KIND[kind].cut_short(method, wait_for_ready=True, timeout=0.1)
        assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED


@every_kind
async def test_a_call_that_waits_is_served_when_the_server_comes(column, dead_port, serve, kind):
    async with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        method = getattr(channel, kind)(f"/{SERVICE}/{kind}")
        call = BY_KIND[kind].start(method, wait_for_ready=True)
        await reach(channel, TRANSIENT_FAILURE)
        assert not call.done()
        await serve(registered=HANDLERS, address=f"127.0.0.1:{dead_port}")
        assert (await BY_KIND[kind].finish(call)).responses == [b"request"]


@either_kind
async def test_a_call_that_waits_may_be_cancelled(column, dead_port, kind):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        call = BY_KIND[kind].start(getattr(channel, kind)("/x/y"), wait_for_ready=True)
        await reach(channel, TRANSIENT_FAILURE)
        assert call.cancel()
        assert await call.code() is grpc.StatusCode.CANCELLED


@either_kind
async def test_a_call_that_must_not_wait_is_unavailable(column, dead_port, kind):
    async with column.channel(f"127.0.0.1:{dead_port}") as channel:
        outcome = await BY_KIND[kind].run(getattr(channel, kind)("/x/y"), wait_for_ready=False)
        assert failure(outcome)[0] is grpc.StatusCode.UNAVAILABLE


@ways()
async def test_waiting_for_a_server_that_is_there_changes_nothing(rpc, way):
    outcome = await way.run(rpc.method(way.kind, echo(way.kind)), wait_for_ready=True)
    assert outcome.responses == [b"request"]


@every_kind
async def test_a_call_under_way_ends_with_its_server(serve, kind):
    gate = Gate()
    served = await serve(registered={"m": handler_of(kind, echo(kind, gate))})
    call = BY_KIND[kind].start(getattr(served.channel, kind)(f"/{SERVICE}/m"))
    await gate.wait_begun()
    await served.server.stop(None)
    outcome = await BY_KIND[kind].finish(call)
    assert failure(outcome)[0] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}


async def test_a_channel_finds_the_next_server_on_the_same_port(column, dead_port, serve):
    async with column.channel(f"127.0.0.1:{dead_port}", FAST_RECONNECT) as channel:
        for i in range(3):
            served = await serve(registered=HANDLERS, address=f"127.0.0.1:{dead_port}")
            method = channel.unary_unary(f"/{SERVICE}/unary_unary")
            assert await method(b"%d" % i, wait_for_ready=True) == b"%d" % i
            await served.server.stop(None)


# -- targets


@pytest.mark.parametrize("form", ["localhost:{}", "127.0.0.1:{}", "ipv4:127.0.0.1:{}", "dns:///localhost:{}"])
async def test_a_target_may_be_written(column, serve, form):
    served = await serve(registered=HANDLERS)
    async with column.channel(form.format(served.target.rpartition(":")[2])) as channel:
        assert await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"x") == b"x"


@pytest.mark.parametrize("form", ["unix:{}", "unix://{}"])
async def test_a_unix_target_may_be_written(column, serve, tmp_path, form):
    await serve(registered=HANDLERS, address=f"unix:{tmp_path}/sock")
    async with column.channel(form.format(f"{tmp_path}/sock")) as channel:
        assert await channel.unary_unary(f"/{SERVICE}/unary_unary")(b"x") == b"x"


async def test_a_name_that_does_not_resolve_is_unavailable(column):
    async with column.channel("no-such-host.invalid:50051") as channel:
        code = await channel.unary_unary("/x/y")(b"", timeout=SECONDS).code()
        assert code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED}


# -- the end


@ways()
async def test_closing_cancels_the_calls_under_way(rpc, way):
    channel = connect(rpc)
    blocked = Blocked(rpc, way.kind, channel=channel)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    await channel.close()
    assert call.done()
    assert call.cancelled()
    assert await call.code() is grpc.StatusCode.CANCELLED
    await blocked.ended.wait()


@ways()
async def test_whoever_waits_is_woken_when_the_channel_is_closed(rpc, way):
    channel = connect(rpc)
    blocked = Blocked(rpc, way.kind, channel=channel)
    waiter = asyncio.ensure_future(way.take(way.start(blocked.method), []))
    await blocked.wait_begun()
    await channel.close()
    with pytest.raises((asyncio.CancelledError, aio.AioRpcError)):
        await waiter


@every_kind
async def test_a_call_on_a_closed_channel_is_a_usage_error(rpc, kind):
    channel = connect(rpc)
    method = rpc.method(kind, echo(kind), channel=channel)
    await BY_KIND[kind].run(method)
    await channel.close()
    with pytest.raises(aio.UsageError, match="closed"):
        BY_KIND[kind].start(method)


@either_kind
async def test_a_call_on_a_channel_closed_before_its_first_call_is_a_usage_error(rpc, kind):
    channel = connect(rpc)
    method = rpc.method(kind, echo(kind), channel=channel)
    await channel.close()
    with pytest.raises(aio.UsageError, match="closed"):
        BY_KIND[kind].start(method)


@either_kind
async def test_a_multicallable_may_be_made_of_a_closed_channel(rpc, kind):
    channel = connect(rpc)
    await channel.close()
    assert callable(getattr(channel, kind)("/x/y"))


@pytest.mark.parametrize("grace", [None, 0, 1])
async def test_closing_again_changes_nothing(rpc, grace):
    channel = connect(rpc)
    await channel.close()
    await channel.close(grace)


async def test_a_channel_that_was_never_used_may_be_closed(column, dead_port):
    await column.channel(f"127.0.0.1:{dead_port}").close()


@pytest.mark.parametrize("grace", [None, 0, 100])
async def test_an_idle_channel_closes_at_once(rpc, grace):
    channel = connect(rpc)
    await rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"")
    await asyncio.wait_for(channel.close(grace), SECONDS)


async def test_a_negative_grace_is_a_value_error(rpc):
    channel = connect(rpc)
    with pytest.raises(ValueError, match="grace"):
        await channel.close(-1)
    await channel.close()


@ways()
async def test_within_its_grace_a_call_may_end(rpc, way):
    channel = connect(rpc)
    blocked = Blocked(rpc, way.kind, channel=channel)
    call = way.start(blocked.method)
    await blocked.wait_begun()
    closing = asyncio.ensure_future(channel.close(SECONDS))
    blocked.gate.set()
    assert (await way.finish(call)).responses == [b"request"]
    await closing


@either_kind
async def test_after_its_grace_a_call_is_cancelled(rpc, kind):
    channel = connect(rpc)
    blocked = Blocked(rpc, kind, channel=channel)
    call = BY_KIND[kind].start(blocked.method)
    await blocked.wait_begun()
    await channel.close(0.05)
    assert call.cancelled()
    await blocked.ended.wait()


async def test_a_closing_channel_takes_no_new_calls(rpc):
    channel = connect(rpc)
    blocked = Blocked(rpc, "unary_unary", channel=channel)
    call = blocked.method(b"")
    await blocked.wait_begun()
    closing = asyncio.ensure_future(channel.close(SECONDS))
    await asyncio.sleep(0)
    with pytest.raises(aio.UsageError, match="closed"):
        blocked.method(b"")
    blocked.gate.set()
    assert await call == b""
    await closing


async def test_a_channel_is_a_context_manager_that_closes(rpc):
    channel = connect(rpc)
    async with channel as entered:
        assert entered is channel
        method = rpc.method("unary_unary", echo("unary_unary"), channel=channel)
        assert await method(b"x") == b"x"
    with pytest.raises(aio.UsageError, match="closed"):
        method(b"x")


@either_kind
async def test_leaving_the_context_cancels_the_calls_under_way(rpc, kind):
    async with connect(rpc) as channel:
        blocked = Blocked(rpc, kind, channel=channel)
        call = BY_KIND[kind].start(blocked.method)
        await blocked.wait_begun()
    assert call.cancelled()
    await blocked.ended.wait()


async def test_a_channels_context_passes_exceptions_on(rpc):
    with pytest.raises(ZeroDivisionError):
        async with connect(rpc):
            raise ZeroDivisionError


async def test_the_status_of_a_call_stays_after_its_channel_was_closed(rpc):
    async with connect(rpc) as channel:
        act = lambda context: context.abort(grpc.StatusCode.ABORTED, "no")
        call = rpc.method("unary_unary", echo("unary_unary", act), channel=channel)(b"")
        with contextlib.suppress(aio.AioRpcError):
            await call
    assert await status(call) == (grpc.StatusCode.ABORTED, "no")


async def test_a_multicallable_keeps_its_channel_alive(rpc):
    """`stub = Stub(insecure_channel(...))` and nobody holds the channel."""
    method = rpc.method("unary_unary", echo("unary_unary"), channel=connect(rpc))
    for _ in range(2):
        gc.collect()
        assert await method(b"x") == b"x"


async def test_a_call_keeps_its_channel_alive(rpc):
    blocked = Blocked(rpc, "unary_unary", channel=connect(rpc))
    call = blocked.method(b"x")
    del blocked.method
    await blocked.wait_begun()
    gc.collect()
    blocked.gate.set()
    assert await call == b"x"


async def test_a_dropped_channel_goes_away(rpc):
    channel = connect(rpc)
    await rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x")
    gone = weakref.ref(channel)
    del channel
    gc.collect()
    assert gone() is None


async def test_closing_one_channel_leaves_another_alone(rpc):
    first, second = connect(rpc), connect(rpc)
    method = rpc.method("unary_unary", echo("unary_unary"), channel=second)
    await first.close()
    assert await method(b"x") == b"x"
    await second.close()


async def test_a_channel_may_be_closed_by_a_done_callback(rpc):
    channel, closing = connect(rpc), []
    call = rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x")
    call.add_done_callback(lambda _call: closing.append(asyncio.ensure_future(channel.close())))
    assert await call == b"x"
    await call.code()
    await closing[0]


@pytest.mark.parametrize("options", [None, [], (), [("grpc.enable_retries", 0)], [("unknown.option", 1)]])
async def test_options_of_any_name_are_taken(rpc, options):
    async with rpc.column.channel(rpc.target, options or ()) as channel:
        assert await rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x") == b"x"


@every_kind
@pytest.mark.parametrize("used", [False, True], ids=["new", "used"])
async def test_close_waits_for_calls_that_have_just_been_made_and_no_longer(column, rpc, kind, used):
    """Also for those that it has not sent yet, and also when it is not connected yet."""
    method = rpc.name(kind, echo(kind))
    channel = column.channel(rpc.target)
    if used:
        await BY_KIND[kind].run(getattr(channel, kind)(method))
    began = asyncio.get_running_loop().time()
    running = asyncio.ensure_future(BY_KIND[kind].run(getattr(channel, kind)(method), [b"x"]))
    await asyncio.sleep(0)  # the call is made, and has not got far
    await channel.close(2 * SECONDS)
    outcome = await running
    assert outcome.responses == [b"x"]
    assert asyncio.get_running_loop().time() - began < SECONDS
