"""`grpc.aio.ServicerContext`: every method, in all kinds of coroutine handlers."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure
from tests.conformance_aio.service import STYLES, Blocked, echo

METHODS = [
    "abort", "abort_with_status", "add_done_callback", "auth_context", "cancelled", "code", "details",
    "disable_next_message_compression", "done", "invocation_metadata", "peer", "peer_identities",
    "peer_identity_key", "read", "send_initial_metadata", "set_code", "set_compression", "set_details",
    "set_trailing_metadata", "time_remaining", "trailing_metadata", "write",
]  # fmt: skip
every_handler = pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)


async def run(rpc, kind, act, style="iterator", **arguments):
    """Run a method of `kind` whose handler calls, or awaits, `act(context)`. -> the outcome"""
    return await BY_KIND[kind].run(rpc.method(kind, echo(kind, act, style)), **arguments)


async def seen_by(rpc, kind, look, style="iterator"):
    """What `look(context)` gave inside a handler."""
    seen = []
    outcome = await run(rpc, kind, lambda context: seen.append(look(context)), style)
    assert outcome.error is None, outcome.error
    return seen[0]


@every_handler
async def test_the_context_has_every_method(rpc, kind, style):
    look = lambda context: [name for name in METHODS if not callable(getattr(context, name, None))]
    assert await seen_by(rpc, kind, look, style) == []


@every_handler
async def test_the_context_of_a_running_handler_is_not_done(rpc, kind, style):
    assert await seen_by(rpc, kind, lambda context: (context.done(), context.cancelled()), style) == (
        False, False,
    )  # fmt: skip


@either_kind
@pytest.mark.parametrize("end", ["well", "abort", "raise"])
async def test_the_context_is_done_after_the_call(rpc, kind, end):
    ended, seen = rpc.event(), []

    async def act(context):
        context.add_done_callback(lambda given: (seen.append((given.done(), given.cancelled())), ended.set()))
        if end == "abort":
            await context.abort(grpc.StatusCode.ABORTED, "x")
        if end == "raise":
            raise ValueError("boom")

    await run(rpc, kind, act)
    await ended.wait()
    assert seen == [(True, False)]


@every_handler
async def test_a_done_callback_gets_the_context(rpc, kind, style):
    ended, given, called = rpc.event(), [], []

    def act(context):
        given.append(context)
        context.add_done_callback(lambda ended_context: (called.append(ended_context), ended.set()))
        assert called == []

    assert (await run(rpc, kind, act, style)).error is None
    await ended.wait()
    assert called == given


@either_kind
async def test_done_callbacks_run_in_their_order(rpc, kind):
    called, ended = [], rpc.event()

    def act(context):
        for i in range(3):
            context.add_done_callback(lambda _context, i=i: called.append(i))
        context.add_done_callback(lambda _context: ended.set())

    await run(rpc, kind, act)
    await ended.wait()
    assert called == [0, 1, 2]


@either_kind
async def test_a_done_callback_runs_after_a_cancellation(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = BY_KIND[kind].start(blocked.method)
    await blocked.wait_begun()
    call.cancel()
    await blocked.ended.wait()


@every_kind
async def test_an_exception_in_a_done_callback_harms_nobody(rpc, kind):
    called = rpc.event()

    def broken(_context):
        called.set()
        raise ValueError("in a callback")

    outcome = await run(rpc, kind, lambda context: context.add_done_callback(broken))
    assert outcome.responses == [b"request"]
    await called.wait()
    assert (await run(rpc, kind, lambda _context: None)).responses == [b"request"]


# -- who calls


@either_kind
async def test_peer_names_the_client(rpc, kind):
    peer = await seen_by(rpc, kind, lambda context: context.peer())
    assert isinstance(peer, str)
    assert peer.startswith(("ipv4:", "ipv6:", "unix:", "shm:"))


@either_kind
async def test_an_insecure_client_has_no_identity(rpc, kind):
    assert await seen_by(rpc, kind, lambda context: context.peer_identities()) is None
    assert await seen_by(rpc, kind, lambda context: context.peer_identity_key()) is None


@either_kind
async def test_the_auth_context_maps_names_to_lists_of_bytes(rpc, kind):
    properties = await seen_by(rpc, kind, lambda context: context.auth_context())
    assert isinstance(properties, dict)
    for name, values in properties.items():
        assert isinstance(name, str)
        assert all(isinstance(value, bytes) for value in values)


@every_handler
async def test_invocation_metadata_may_be_read_again(rpc, kind, style):
    seen = []

    def act(context):
        seen.extend((context.invocation_metadata(), context.invocation_metadata()))

    await run(rpc, kind, act, style, metadata=(("key", "value"),))
    assert seen[0] == seen[1]
    assert ("key", "value") in [tuple(pair) for pair in seen[0]]


@either_kind
async def test_invocation_metadata_stays_after_the_call(rpc, kind):
    kept = []
    await run(rpc, kind, lambda context: kept.append(context.invocation_metadata()), metadata=(("k", "v"),))
    assert ("k", "v") in [tuple(pair) for pair in kept[0]]


@either_kind
async def test_each_call_has_its_own_context(rpc, kind):
    contexts = []
    method = rpc.method(kind, echo(kind, contexts.append))
    for _ in range(2):
        await BY_KIND[kind].run(method)
    assert contexts[0] is not contexts[1]


# -- what was set


@either_kind
async def test_nothing_is_set_at_first(rpc, kind):
    look = lambda context: (context.code(), context.details(), context.trailing_metadata())
    code, details, trailing_metadata = await seen_by(rpc, kind, look)
    assert code in {None, grpc.StatusCode.OK}
    assert not details
    assert not trailing_metadata


@either_kind
async def test_code_is_what_was_set(rpc, kind):
    seen = []

    def act(context):
        context.set_code(grpc.StatusCode.NOT_FOUND)
        seen.append(context.code())

    await run(rpc, kind, act)
    assert seen == [grpc.StatusCode.NOT_FOUND]


@either_kind
async def test_details_are_what_was_set(rpc, kind):
    seen = []

    def act(context):
        context.set_details("größer")
        seen.append(context.details())

    await run(rpc, kind, act)
    assert seen == ["größer"]


@either_kind
async def test_trailing_metadata_is_what_was_set(rpc, kind):
    seen = []

    def act(context):
        context.set_trailing_metadata((("key", "value"), ("key-bin", b"\xff")))
        seen.append(context.trailing_metadata())

    await run(rpc, kind, act)
    assert [tuple(pair) for pair in seen[0]] == [("key", "value"), ("key-bin", b"\xff")]


@either_kind
async def test_what_abort_was_given_may_be_read_afterwards(rpc, kind):
    """By an interceptor, or a done callback, that logs how calls end."""
    seen, ended = [], rpc.event()

    def look(context):
        seen.extend((context.code(), context.details()))
        ended.set()

    async def act(context):
        context.add_done_callback(look)
        await context.abort(grpc.StatusCode.ABORTED, "no")

    await run(rpc, kind, act)
    await ended.wait()
    assert seen == [grpc.StatusCode.ABORTED, "no"]


# -- initial metadata


@every_handler
async def test_initial_metadata_is_sent_only_once(rpc, kind, style):
    errors = []

    async def act(context):
        await context.send_initial_metadata((("first", "1"),))
        try:
            await context.send_initial_metadata((("second", "2"),))
        except aio.UsageError as error:
            errors.append(error)

    outcome = await run(rpc, kind, act, style)
    assert outcome.error is None
    keys = (await outcome.call.initial_metadata()).keys()
    assert "first" in keys
    assert "second" not in keys
    assert len(errors) == 1


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_initial_metadata_after_the_first_response_is_refused(rpc, kind):
    errors = []

    async def behave(_requests, context):
        yield b"1"
        try:
            await context.send_initial_metadata((("late", "1"),))
        except aio.UsageError as error:
            errors.append(error)

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave))
    assert outcome.responses == [b"1"]
    assert len(errors) == 1


@either_kind
async def test_empty_initial_metadata_may_be_sent(rpc, kind):
    outcome = await run(rpc, kind, lambda context: context.send_initial_metadata(()))
    assert outcome.responses == [b"request"]


# -- read and write


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_write_returns_nothing(rpc, kind):
    seen = []

    async def behave(_requests, context):
        seen.append(await context.write(b"1"))

    assert (await BY_KIND[kind].run(rpc.method(kind, behave))).responses == [b"1"]
    assert seen == [None]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_read_gives_one_request(rpc, kind):
    seen = []

    async def act(context):
        seen.append(await context.read())

    await run(rpc, kind, act)
    assert seen == [b"request"]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_write_after_an_abort_fails(rpc, kind):
    errors = []

    async def behave(_requests, context):
        try:
            await context.abort(grpc.StatusCode.ABORTED, "no")
        except aio.AbortError:
            try:
                await context.write(b"late")
            except Exception as error:
                errors.append(error)
            raise

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave))
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "no")
    assert outcome.responses == []
    await rpc.idle()
    assert len(errors) == 1


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_read_after_an_abort_fails(rpc, kind):
    errors = []

    async def act(context):
        try:
            await context.abort(grpc.StatusCode.ABORTED, "no")
        except aio.AbortError:
            try:
                await context.read()
            except Exception as error:
                errors.append(error)
            raise

    assert failure(await run(rpc, kind, act)) == (grpc.StatusCode.ABORTED, "no")
    await rpc.idle()
    assert len(errors) == 1


# -- tasks


@every_kind
async def test_the_context_may_be_used_by_another_task(rpc, kind):
    async def other(context):
        await context.send_initial_metadata(())
        context.set_trailing_metadata((("last", "2"),))
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("by another task")

    outcome = await run(rpc, kind, lambda context: asyncio.create_task(other(context)))
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "by another task")
    assert ("last", "2") in tuple(outcome.error.trailing_metadata())


@either_kind
async def test_handlers_run_in_the_loop_of_their_server(rpc, kind):
    loops = []
    await run(rpc, kind, lambda _context: loops.append(asyncio.get_running_loop()))
    assert loops == [asyncio.get_running_loop()]


@either_kind
async def test_each_handler_has_a_task_of_its_own(rpc, kind):
    tasks = []
    method = rpc.method(kind, echo(kind, lambda _context: tasks.append(asyncio.current_task())))
    await asyncio.gather(*(BY_KIND[kind].run(method) for _ in range(5)))
    assert len(set(tasks)) == 5
    assert asyncio.current_task() not in tasks


@either_kind
async def test_a_handler_may_wait_for_tasks_of_its_own(rpc, kind):
    other = rpc.unary_unary(echo("unary_unary"))
    seen = []

    async def act(_context):
        seen.extend(await asyncio.gather(*(other(b"%d" % i) for i in range(10))))

    assert (await run(rpc, kind, act)).error is None
    assert seen == [b"%d" % i for i in range(10)]


@either_kind
async def test_a_task_of_a_handler_may_outlive_it(rpc, kind):
    gate, done, tasks = rpc.event(), rpc.event(), []

    async def afterwards():
        await gate.wait()
        done.set()

    outcome = await run(rpc, kind, lambda _context: tasks.append(asyncio.create_task(afterwards())))
    assert outcome.responses == [b"request"]
    gate.set()
    await done.wait()
