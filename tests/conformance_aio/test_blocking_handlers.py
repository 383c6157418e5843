"""Handlers that are no coroutines: the server runs them in its migration thread pool.

Their context is the one of `grpc.aio`, made for threads: its methods block where those of a coroutine's
context are awaited.
"""

from __future__ import annotations

import asyncio
import threading
from concurrent import futures

import grpc
import pytest

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, status, ways
from tests.conformance_aio.service import KINDS, SECONDS, SERVICE, blocking_echo, echo, handler_of

METHODS = [
    "abort", "add_callback", "auth_context", "disable_next_message_compression", "invocation_metadata",
    "peer", "peer_identities", "peer_identity_key", "send_initial_metadata", "set_code", "set_compression",
    "set_details", "set_trailing_metadata", "time_remaining",
]  # fmt: skip

response_unary = pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])


async def run(rpc, kind, act, **arguments):
    """Run a blocking handler of `kind` that calls `act(context)`. -> the outcome"""
    return await BY_KIND[kind].run(rpc.method(kind, blocking_echo(kind, act)), **arguments)


async def cut_short(rpc, kind, act, **arguments):
    """Run a blocking handler whose call ends in `act(context)`. -> the outcome"""
    return await BY_KIND[kind].cut_short(rpc.method(kind, blocking_echo(kind, act)), **arguments)


async def seen_by(rpc, kind, look):
    """What `look(context)` gave inside a blocking handler."""
    seen = []
    outcome = await run(rpc, kind, lambda context: seen.append(look(context)))
    assert outcome.error is None, outcome.error
    return seen[0]


@ways()
@pytest.mark.parametrize("number", [1, 20])
async def test_a_blocking_handler_serves(rpc, way, number):
    requests = [b"%d," % i for i in range(number if way.request_streaming else 1)]
    outcome = await way.run(rpc.method(way.kind, blocking_echo(way.kind)), requests)
    assert b"".join(outcome.responses) == b"".join(requests)
    assert await status(outcome.call) == (grpc.StatusCode.OK, "")


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_function_may_return_an_iterator_of_responses(rpc, kind):
    method = rpc.method(kind, lambda _requests, _context: iter([b"1", b"2"]))
    assert (await BY_KIND[kind].run(method)).responses == [b"1", b"2"]


@either_kind
async def test_a_blocking_handler_runs_in_the_pool(serve, kind):
    names = []
    act = lambda _context: names.append(threading.current_thread().name)
    served = await serve(registered={"m": handler_of(kind, blocking_echo(kind, act))}, workers=1)
    await BY_KIND[kind].run(getattr(served.channel, kind)(f"/{SERVICE}/m"))
    assert names[0].startswith("ThreadPoolExecutor")
    assert names[0] != threading.current_thread().name


async def test_blocking_handlers_run_in_the_pool_that_was_given(column):
    names = []
    pool = futures.ThreadPoolExecutor(2, thread_name_prefix="mine")
    server = column.server(pool)
    act = lambda _context: names.append(threading.current_thread().name)
    server.add_registered_method_handlers(
        SERVICE, {kind: handler_of(kind, blocking_echo(kind, act)) for kind in KINDS}
    )
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with column.channel(f"localhost:{port}") as channel:
        for kind in KINDS:
            await BY_KIND[kind].run(getattr(channel, kind)(f"/{SERVICE}/{kind}"))
    await server.stop(None)
    assert len(names) == len(KINDS)
    assert all(name.startswith("mine") for name in names)


@every_kind
async def test_a_blocking_handler_does_not_stop_the_loop(rpc, kind):
    begun, gate = rpc.event(), rpc.thread_event()
    loop = asyncio.get_running_loop()

    def act(_context):
        loop.call_soon_threadsafe(begun.set)
        assert gate.wait(SECONDS)

    call = BY_KIND[kind].start(rpc.method(kind, blocking_echo(kind, act)))
    await begun.wait()
    assert await rpc.unary_unary(echo("unary_unary"))(b"meanwhile") == b"meanwhile"
    gate.set()
    assert (await BY_KIND[kind].finish(call)).responses == [b"request"]


async def test_blocking_handlers_over_the_size_of_the_pool_wait(serve):
    gate, begun = threading.Event(), threading.Semaphore(0)

    def act(_context):
        begun.release()
        assert gate.wait(SECONDS)

    handlers = {"m": handler_of("unary_unary", blocking_echo("unary_unary", act))}
    served = await serve(registered=handlers, workers=2)
    calls = [served.channel.unary_unary(f"/{SERVICE}/m")(b"%d" % i) for i in range(5)]
    for _ in range(2):
        assert await asyncio.to_thread(begun.acquire, timeout=SECONDS)
    assert not await asyncio.to_thread(begun.acquire, timeout=0.05)
    gate.set()
    assert await asyncio.gather(*calls) == [b"%d" % i for i in range(5)]


async def test_blocking_handlers_and_coroutines_share_a_server(serve):
    blocking = {f"blocking_{kind}": handler_of(kind, blocking_echo(kind)) for kind in KINDS}
    coroutines = {f"coroutine_{kind}": handler_of(kind, echo(kind)) for kind in KINDS}
    served = await serve(registered={**blocking, **coroutines}, workers=4)
    for name in ("blocking", "coroutine"):
        for kind in KINDS:
            outcome = await BY_KIND[kind].run(getattr(served.channel, kind)(f"/{SERVICE}/{name}_{kind}"))
            assert outcome.responses == [b"request"]


@either_kind
async def test_many_blocking_handlers_at_once(rpc, kind):
    method = rpc.method(kind, blocking_echo(kind))
    outcomes = await asyncio.gather(*(BY_KIND[kind].run(method, [b"%d" % i]) for i in range(60)))
    assert [outcome.responses for outcome in outcomes] == [[b"%d" % i] for i in range(60)]


async def test_responses_come_while_a_blocking_handler_still_runs(rpc):
    gate = rpc.thread_event()

    def behave(_request, _context):
        yield b"1"
        assert gate.wait(SECONDS)
        yield b"2"

    call = rpc.unary_stream(behave)(b"")
    assert await call.read() == b"1"
    assert not call.done()
    gate.set()
    assert await call.read() == b"2"


async def test_requests_come_while_a_blocking_handler_runs(rpc):
    call = rpc.stream_stream(blocking_echo("stream_stream"))()
    for i in range(10):
        await call.write(b"%d" % i)
        assert await call.read() == b"%d" % i
    await call.done_writing()


# -- its context


@either_kind
async def test_the_context_has_every_method(rpc, kind):
    look = lambda context: [name for name in METHODS if not callable(getattr(context, name, None))]
    assert await seen_by(rpc, kind, look) == []


@every_kind
async def test_abort_ends_the_call(rpc, kind):
    after = []

    def act(context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such row")
        after.append(1)

    assert failure(await cut_short(rpc, kind, act)) == (grpc.StatusCode.NOT_FOUND, "no such row")
    assert after == []


@either_kind
async def test_abort_sends_trailing_metadata(rpc, kind):
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, "x", (("last", "2"),))
    assert ("last", "2") in tuple((await cut_short(rpc, kind, act)).error.trailing_metadata())


@either_kind
async def test_code_and_details_may_be_set(rpc, kind):
    def act(context):
        context.set_code(grpc.StatusCode.DATA_LOSS)
        context.set_details("gone")

    assert failure(await run(rpc, kind, act)) == (grpc.StatusCode.DATA_LOSS, "gone")


@either_kind
async def test_metadata_may_be_sent(rpc, kind):
    def act(context):
        context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))

    call = (await run(rpc, kind, act)).call
    assert ("first", "1") in tuple(await call.initial_metadata())
    assert ("last", "2") in tuple(await call.trailing_metadata())


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_initial_metadata_arrives_at_once(rpc, kind):
    gate = rpc.thread_event()

    def act(context):
        context.send_initial_metadata((("first", "1"),))
        assert gate.wait(SECONDS)

    call = BY_KIND[kind].start(rpc.method(kind, blocking_echo(kind, act)))
    assert ("first", "1") in tuple(await call.initial_metadata())
    assert not call.done()
    gate.set()
    await BY_KIND[kind].finish(call)


@either_kind
async def test_invocation_metadata_may_be_read(rpc, kind):
    seen = []
    act = lambda context: seen.extend(context.invocation_metadata())
    await run(rpc, kind, act, metadata=(("key", "value"), ("key-bin", b"\xff")))
    assert {("key", "value"), ("key-bin", b"\xff")} <= {tuple(pair) for pair in seen}


@either_kind
async def test_the_time_that_remains_may_be_read(rpc, kind):
    left = []
    act = lambda context: left.append(context.time_remaining())
    await run(rpc, kind, act, timeout=60)
    assert 50 < left[0] < 61.5


@either_kind
async def test_who_calls_may_be_read(rpc, kind):
    look = lambda context: (context.peer(), context.peer_identities(), context.peer_identity_key())
    peer, identities, key = await seen_by(rpc, kind, look)
    assert peer.startswith(("ipv4:", "ipv6:", "unix:", "shm:"))
    assert identities is None
    assert key is None
    assert isinstance(await seen_by(rpc, kind, lambda context: context.auth_context()), dict)


@response_unary
async def test_a_callback_runs_after_a_blocking_handler(rpc, kind):
    called = rpc.event()
    loop = asyncio.get_running_loop()

    def act(context):
        context.add_callback(lambda: loop.call_soon_threadsafe(called.set))

    assert (await run(rpc, kind, act)).error is None
    await called.wait()


# -- how it ends; a generator whose call was cancelled would hold its thread for ever in grpc.aio


@every_kind
async def test_an_exception_is_unknown(rpc, kind):
    def act(_context):
        raise ValueError("boom")

    code, details = failure(await cut_short(rpc, kind, act))
    assert code is grpc.StatusCode.UNKNOWN
    assert "boom" in details


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_responses_before_an_exception_arrive(rpc, kind):
    def behave(_requests, _context):
        yield b"1"
        raise ValueError("boom")

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave))
    assert outcome.responses == [b"1"]
    assert failure(outcome)[0] is grpc.StatusCode.UNKNOWN


@response_unary
async def test_a_caller_need_not_wait_for_a_blocking_handler_that_it_cancels(rpc, kind):
    begun, gate = rpc.event(), rpc.thread_event()
    loop = asyncio.get_running_loop()

    def act(_context):
        loop.call_soon_threadsafe(begun.set)
        gate.wait(SECONDS)

    call = BY_KIND[kind].start(rpc.method(kind, blocking_echo(kind, act)))
    await begun.wait()
    call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED
    gate.set()


@response_unary
async def test_a_deadline_ends_the_call_of_a_blocking_handler(rpc, kind):
    gate = rpc.thread_event()
    outcome = await cut_short(rpc, kind, lambda _context: gate.wait(SECONDS), timeout=0.05)
    assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    gate.set()
