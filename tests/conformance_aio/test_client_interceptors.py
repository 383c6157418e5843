"""Client interceptors of the four kinds: what they see, what they may change, and how they end calls."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import (
    BY_KIND,
    EVERY_WAY,
    WAYS,
    either_kind,
    every_kind,
    failure,
    status,
    ways,
)
from tests.conformance_aio.service import SECONDS, SERVICE, Blocked, echo

INTERFACES = {
    "unary_unary": aio.UnaryUnaryClientInterceptor,
    "unary_stream": aio.UnaryStreamClientInterceptor,
    "stream_unary": aio.StreamUnaryClientInterceptor,
    "stream_stream": aio.StreamStreamClientInterceptor,
}
CALLS = {
    "unary_unary": aio.UnaryUnaryCall,
    "unary_stream": aio.UnaryStreamCall,
    "stream_unary": aio.StreamUnaryCall,
    "stream_stream": aio.StreamStreamCall,
}
response_unary = pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
response_streaming = pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
request_streaming = pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])


def interceptor(kind, intercept):
    """An interceptor of `kind` that awaits `intercept(continuation, details, request)`."""

    async def method(_self, continuation, client_call_details, request):
        return await intercept(continuation, client_call_details, request)

    return type("Interceptor", (INTERFACES[kind],), {f"intercept_{kind}": method})()


async def go_on(continuation, details, request):
    return await continuation(details, request)


@pytest.fixture
def intercepted(rpc, event_loop):
    """A function that gives the multicallable of an echo of a kind behind interceptors; they are functions
    like `go_on`, and the first comes first.
    """
    channels = []

    def make(kind, *intercepts, before=lambda _context: None, serializers=()):
        interceptors = [interceptor(kind, intercept) for intercept in intercepts]
        channels.append(rpc.column.channel(rpc.target, interceptors=interceptors))
        return rpc.method(kind, echo(kind, before), *serializers, channel=channels[-1])

    yield make
    for channel in channels:
        event_loop.run_until_complete(channel.close())


# -- going on


@ways()
async def test_an_interceptor_that_only_goes_on_changes_nothing(intercepted, way):
    outcome = await way.run(intercepted(way.kind, go_on))
    assert outcome.error is None
    assert outcome.responses == [b"request"]
    assert await status(outcome.call) == (grpc.StatusCode.OK, "")


@ways()
async def test_many_messages_come_through(intercepted, way):
    requests = [b"%d," % i for i in range(50)] if way.request_streaming else [b"request"]
    outcome = await way.run(intercepted(way.kind, go_on, go_on), requests)
    assert b"".join(outcome.responses) == b"".join(requests)


@ways()
async def test_an_error_comes_through(intercepted, way):
    act = lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "gone")
    outcome = await way.cut_short(intercepted(way.kind, go_on, before=act))
    assert failure(outcome) == (grpc.StatusCode.NOT_FOUND, "gone")
    assert await status(outcome.call) == (grpc.StatusCode.NOT_FOUND, "gone")


@every_kind
async def test_the_metadata_of_the_response_comes_through(intercepted, kind):
    async def act(context):
        await context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))

    call = (await BY_KIND[kind].run(intercepted(kind, go_on, before=act))).call
    assert ("first", "1") in tuple(await call.initial_metadata())
    assert ("last", "2") in tuple(await call.trailing_metadata())


@every_kind
async def test_an_intercepted_call_is_a_call_of_its_kind(intercepted, kind):
    call = BY_KIND[kind].start(intercepted(kind, go_on))
    assert isinstance(call, CALLS[kind])
    await BY_KIND[kind].finish(call)


@either_kind
async def test_an_intercepted_call_is_done_at_its_end(intercepted, kind):
    call = BY_KIND[kind].start(intercepted(kind, go_on))
    assert not call.done()
    await BY_KIND[kind].finish(call)
    await call.code()
    assert call.done()
    assert not call.cancelled()


@either_kind
async def test_a_done_callback_gets_the_intercepted_call(rpc, intercepted, kind):
    called, done = [], rpc.event()
    call = BY_KIND[kind].start(intercepted(kind, go_on))
    call.add_done_callback(lambda ended: (called.append(ended), done.set()))
    await BY_KIND[kind].finish(call)
    await done.wait()
    assert called == [call]


@either_kind
async def test_a_done_callback_of_an_ended_intercepted_call_runs(rpc, intercepted, kind):
    called, done = [], rpc.event()
    call = (await BY_KIND[kind].run(intercepted(kind, go_on))).call
    await call.code()
    call.add_done_callback(lambda ended: (called.append(ended), done.set()))
    await done.wait()
    assert called == [call]


@every_kind
async def test_the_connection_of_an_intercepted_call_may_be_waited_for(intercepted, kind):
    call = BY_KIND[kind].start(intercepted(kind, go_on))
    await call.wait_for_connection()
    assert (await BY_KIND[kind].finish(call)).responses == [b"request"]


@every_kind
async def test_the_continuation_gives_a_call_of_the_kind(intercepted, kind):
    seen = []

    async def intercept(continuation, details, request):
        seen.append(await continuation(details, request))
        return seen[0]

    await BY_KIND[kind].run(intercepted(kind, intercept))
    assert isinstance(seen[0], CALLS[kind])


async def test_an_intercepted_call_may_be_awaited_again(intercepted):
    call = intercepted("unary_unary", go_on)(b"x")
    assert [await call, await call] == [b"x", b"x"]


# -- chains


@ways()
async def test_interceptors_are_given_control_in_their_order(intercepted, way):
    order = []

    def named(name):
        async def intercept(continuation, details, request):
            order.append(name)
            return await continuation(details, request)

        return intercept

    before = lambda _context: order.append("handler")
    await way.run(intercepted(way.kind, named("first"), named("second"), named("third"), before=before))
    assert order == ["first", "second", "third", "handler"]


@either_kind
async def test_interceptors_are_left_in_the_opposite_order(intercepted, kind):
    order = []

    def named(name):
        async def intercept(continuation, details, request):
            call = await continuation(details, request)
            order.append(name)
            return call

        return intercept

    await BY_KIND[kind].run(intercepted(kind, named("first"), named("second")))
    assert order == ["second", "first"]


@every_kind
async def test_an_interceptor_is_asked_only_for_its_kind(rpc, kind):
    async def refuse(_continuation, _details, _request):
        raise AssertionError("asked for another kind")

    others = [interceptor(other, refuse) for other in INTERFACES if other != kind]
    async with rpc.column.channel(rpc.target, interceptors=others) as channel:
        outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind), channel=channel))
        assert outcome.responses == [b"request"]


async def test_interceptors_of_all_kinds_serve_one_channel(rpc):
    asked = []

    def named(kind):
        async def intercept(continuation, details, request):
            asked.append(kind)
            return await continuation(details, request)

        return interceptor(kind, intercept)

    async with rpc.column.channel(rpc.target, interceptors=[named(kind) for kind in INTERFACES]) as channel:
        for kind in INTERFACES:
            await BY_KIND[kind].run(rpc.method(kind, echo(kind), channel=channel))
    assert asked == list(INTERFACES)


# -- details


@every_kind
async def test_an_interceptor_sees_what_the_call_was_given(intercepted, kind):
    seen = []

    async def intercept(continuation, details, request):
        seen.append(details)
        return await continuation(details, request)

    method = intercepted(kind, intercept)
    await BY_KIND[kind].run(method, timeout=7, metadata=(("key", "value"),), wait_for_ready=True)
    details = seen[0]
    assert isinstance(details, aio.ClientCallDetails)
    assert details.method.startswith(f"/{SERVICE}/{kind}".encode())
    assert details.timeout == 7
    assert tuple(details.metadata) == (("key", "value"),)
    assert isinstance(details.metadata, aio.Metadata)
    assert details.credentials is None
    assert details.wait_for_ready is True


@either_kind
async def test_what_a_call_was_not_given_is_none(intercepted, kind):
    seen = []

    async def intercept(continuation, details, request):
        seen.append(details)
        return await continuation(details, request)

    await BY_KIND[kind].run(intercepted(kind, intercept))
    assert (seen[0].timeout, seen[0].credentials, seen[0].wait_for_ready) == (None, None, None)
    assert len(seen[0].metadata) == 0


@every_kind
async def test_an_interceptor_may_add_metadata(intercepted, kind):
    async def intercept(continuation, details, request):
        details.metadata.add("added", "1")
        return await continuation(details, request)

    seen = []
    before = lambda context: seen.extend(context.invocation_metadata())
    await BY_KIND[kind].run(intercepted(kind, intercept, before=before), metadata=(("own", "0"),))
    assert {("own", "0"), ("added", "1")} <= {tuple(pair) for pair in seen}


@every_kind
async def test_an_interceptor_may_make_details_of_its_own(intercepted, kind):
    async def intercept(continuation, details, request):
        new = aio.ClientCallDetails(details.method, 30, aio.Metadata(("added", "1")), None, None)
        return await continuation(new, request)

    seen, left = [], []

    def before(context):
        seen.extend(context.invocation_metadata())
        left.append(context.time_remaining())

    await BY_KIND[kind].run(intercepted(kind, intercept, before=before), timeout=1000)
    assert ("added", "1") in [tuple(pair) for pair in seen]
    assert 20 < left[0] < 31.5


@either_kind
async def test_details_may_be_replaced_in_part(intercepted, kind):
    """They are a named tuple."""
    left = []

    async def intercept(continuation, details, request):
        return await continuation(details._replace(timeout=30), request)

    before = lambda context: left.append(context.time_remaining())
    await BY_KIND[kind].run(intercepted(kind, intercept, before=before), timeout=1000)
    assert 20 < left[0] < 31.5


@every_kind
async def test_an_interceptor_may_change_the_method(rpc, intercepted, kind):
    other = rpc.name(kind, echo(kind, lambda context: context.abort(grpc.StatusCode.ABORTED, "other")))

    async def redirect(continuation, details, request):
        return await continuation(details._replace(method=other.encode()), request)

    outcome = await BY_KIND[kind].cut_short(intercepted(kind, redirect))
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "other")


@either_kind
async def test_an_interceptor_may_set_a_deadline(intercepted, rpc, kind):
    async def shorten(continuation, details, request):
        return await continuation(details._replace(timeout=0.05), request)

    method = intercepted(kind, shorten, before=lambda _context: rpc.event().wait())
    assert failure(await BY_KIND[kind].cut_short(method))[0] is grpc.StatusCode.DEADLINE_EXCEEDED


@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream"])
async def test_an_interceptor_may_change_the_request(intercepted, kind):
    async def intercept(continuation, details, request):
        return await continuation(details, request + b"!")

    assert (await BY_KIND[kind].run(intercepted(kind, intercept), [b"x"])).responses == [b"x!"]


@pytest.mark.parametrize("way", [way for way in WAYS if way.requests == "async iterator"], ids=str)
async def test_an_interceptor_may_change_the_requests(intercepted, way):
    async def louder(requests):
        async for request in requests:
            yield request + b"!"

    async def intercept(continuation, details, requests):
        return await continuation(details, louder(requests))

    outcome = await way.run(intercepted(way.kind, intercept), [b"1", b"2"])
    assert b"".join(outcome.responses) == b"1!2!"


@request_streaming
async def test_an_interceptor_sees_what_is_written_as_an_iterator(intercepted, kind):
    seen = []

    async def listen(requests):
        async for request in requests:
            seen.append(request)
            yield request

    async def intercept(continuation, details, requests):
        return await continuation(details, listen(requests))

    way = next(way for way in EVERY_WAY if way.kind == kind and way.requests == "write")
    assert (await way.run(intercepted(kind, intercept), [b"1", b"2"])).error is None
    assert seen == [b"1", b"2"]


@every_kind
async def test_an_interceptor_gets_messages_not_bytes(intercepted, kind):
    """Interceptors stand before the serializers."""
    seen = []

    async def intercept(continuation, details, request):
        if kind.startswith("stream"):
            request = [part async for part in request]
        seen.append(request)
        return await continuation(details, request)

    method = intercepted(kind, intercept, serializers=(str.encode, bytes.decode))
    assert (await BY_KIND[kind].run(method, ["text"])).responses == ["text"]
    assert seen == [["text"] if kind.startswith("stream") else "text"]


# -- answers


async def test_an_interceptor_may_answer_with_a_response(intercepted):
    """A cache does: the service hears nothing."""
    called = []

    async def intercept(_continuation, _details, request):
        return b"cached " + request

    call = intercepted("unary_unary", intercept, before=lambda _context: called.append(1))(b"x")
    assert await call == b"cached x"
    assert await status(call) == (grpc.StatusCode.OK, "")
    assert call.done()
    assert not call.cancelled()
    assert called == []


async def test_a_response_of_an_interceptor_may_be_awaited_by_another(intercepted):
    """The outer one gets a call, whatever the inner one returned."""
    seen = []

    async def outer(continuation, details, request):
        call = await continuation(details, request)
        seen.append(isinstance(call, aio.UnaryUnaryCall))
        return await call + b" seen"

    async def inner(_continuation, _details, _request):
        return b"cached"

    assert await intercepted("unary_unary", outer, inner)(b"x") == b"cached seen"
    assert seen == [True]


async def test_an_interceptor_may_change_the_response(intercepted):
    async def intercept(continuation, details, request):
        return (await (await continuation(details, request))).upper()

    assert await intercepted("unary_unary", intercept)(b"abc") == b"ABC"


@pytest.mark.parametrize("way", [way for way in WAYS if way.response_streaming], ids=str)
async def test_an_interceptor_may_change_the_responses(intercepted, way):
    async def upper(call):
        async for response in call:
            yield response.upper()

    async def intercept(continuation, details, request):
        return upper(await continuation(details, request))

    outcome = await way.run(intercepted(way.kind, intercept), [b"abc"])
    assert outcome.responses == [b"ABC"]
    assert await status(outcome.call) == (grpc.StatusCode.OK, "")


@response_streaming
async def test_the_iterator_of_an_interceptor_may_end_early(intercepted, kind):
    async def first(call):
        async for response in call:
            yield response
            return

    async def intercept(continuation, details, request):
        return first(await continuation(details, request))

    requests = [b"1", b"2", b"3"] if kind == "stream_stream" else [b"1"]
    outcome = await BY_KIND[kind].run(intercepted(kind, intercept), requests)
    assert outcome.responses == [b"1"]


@response_streaming
async def test_the_iterator_of_an_interceptor_may_raise(intercepted, kind):
    async def broken(call):
        async for response in call:
            yield response
            raise ValueError("in an iterator")

    async def intercept(continuation, details, request):
        return broken(await continuation(details, request))

    call, responses = BY_KIND[kind].start(intercepted(kind, intercept)), []
    with pytest.raises(ValueError, match="in an iterator"):
        await BY_KIND[kind].take(call, responses)
    assert responses == [b"request"]
    call.cancel()


@every_kind
async def test_an_interceptor_may_answer_with_another_call(rpc, intercepted, kind):
    other, called = rpc.method(kind, echo(kind)), []

    async def intercept(_continuation, _details, request):
        return other(request)

    method = intercepted(kind, intercept, before=lambda _context: called.append(1))
    assert (await BY_KIND[kind].run(method)).responses == [b"request"]
    assert called == []


async def test_an_interceptor_sees_the_outcome(intercepted):
    seen = []

    async def intercept(continuation, details, request):
        call = await continuation(details, request)
        seen.append((await call, await call.code()))
        return call

    assert await intercepted("unary_unary", intercept)(b"x") == b"x"
    assert seen == [(b"x", grpc.StatusCode.OK)]


async def test_an_interceptor_sees_the_error(intercepted):
    seen = []

    async def intercept(continuation, details, request):
        call = await continuation(details, request)
        try:
            await call
        except aio.AioRpcError as error:
            seen.append((error.code(), await call.code()))
        return call

    act = lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "gone")
    with pytest.raises(aio.AioRpcError) as caught:
        await intercepted("unary_unary", intercept, before=act)(b"x")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert seen == [(grpc.StatusCode.NOT_FOUND, grpc.StatusCode.NOT_FOUND)]


async def test_an_interceptor_may_turn_an_error_into_a_response(intercepted):
    async def intercept(continuation, details, request):
        try:
            return await (await continuation(details, request))
        except aio.AioRpcError:
            return b"fallback"

    act = lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "gone")
    assert await intercepted("unary_unary", intercept, before=act)(b"x") == b"fallback"


async def test_an_interceptor_may_try_again(intercepted):
    attempts = []

    async def act(context):
        attempts.append(1)
        if len(attempts) < 3:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")

    async def intercept(continuation, details, request):
        for _ in range(3):
            call = await continuation(details, request)
            if await call.code() is grpc.StatusCode.OK:
                break
        return call

    assert await intercepted("unary_unary", intercept, before=act)(b"x") == b"x"
    assert len(attempts) == 3


async def test_an_interceptor_may_try_once_its_call_is_connected(intercepted):
    """`wait_for_connection` is made for this."""

    async def intercept(continuation, details, request):
        call = await continuation(details, request)
        await call.wait_for_connection()
        return call

    assert await intercepted("unary_unary", intercept)(b"x") == b"x"


async def test_an_interceptor_may_ask_the_service_twice(intercepted):
    """Both at once, and the first that answers wins."""

    async def intercept(continuation, details, request):
        calls = [await continuation(details, request) for _ in range(2)]
        responses = await asyncio.gather(*calls)
        assert responses == [b"x", b"x"]
        return calls[0]

    assert await intercepted("unary_unary", intercept)(b"x") == b"x"


async def test_an_interceptor_may_make_other_calls_first(rpc, intercepted):
    """It fetches a token, say."""
    token = rpc.unary_unary(echo("unary_unary"))

    async def intercept(continuation, details, request):
        details.metadata.add("token", (await token(b"secret")).decode())
        return await continuation(details, request)

    seen = []
    before = lambda context: seen.extend(context.invocation_metadata())
    await intercepted("unary_unary", intercept, before=before)(b"x")
    assert ("token", "secret") in [tuple(pair) for pair in seen]


# -- errors


@ways()
async def test_an_exception_in_an_interceptor_reaches_the_caller(intercepted, way):
    async def intercept(_continuation, _details, _request):
        raise ValueError("in an interceptor")

    call = way.start(intercepted(way.kind, intercept))
    with pytest.raises(ValueError, match="in an interceptor"):
        await way.take(call, [])
    assert call.done()
    assert not call.cancelled()


@every_kind
async def test_an_rpc_error_of_an_interceptor_is_the_status_of_the_call(intercepted, kind):
    async def intercept(_continuation, _details, _request):
        raise aio.AioRpcError(
            grpc.StatusCode.PERMISSION_DENIED,
            aio.Metadata(("first", "1")),
            aio.Metadata(("last", "2")),
            "not you",
        )

    call = BY_KIND[kind].start(intercepted(kind, intercept))
    assert failure(await BY_KIND[kind].finish(call)) == (grpc.StatusCode.PERMISSION_DENIED, "not you")
    assert await status(call) == (grpc.StatusCode.PERMISSION_DENIED, "not you")
    assert ("first", "1") in tuple(await call.initial_metadata())
    assert ("last", "2") in tuple(await call.trailing_metadata())
    assert call.done()


@either_kind
async def test_done_callbacks_run_after_an_exception_in_an_interceptor(rpc, intercepted, kind):
    async def intercept(_continuation, _details, _request):
        raise ValueError("in an interceptor")

    called, done = [], rpc.event()
    call = BY_KIND[kind].start(intercepted(kind, intercept))
    call.add_done_callback(lambda ended: (called.append(ended), done.set()))
    with pytest.raises(ValueError, match="in an interceptor"):
        await BY_KIND[kind].take(call, [])
    await done.wait()
    assert called == [call]


@either_kind
async def test_an_outer_interceptor_may_catch_what_an_inner_one_raises(rpc, intercepted, kind):
    other = rpc.method(kind, echo(kind))

    async def outer(continuation, details, request):
        try:
            return await continuation(details, request)
        except ValueError:
            return other(request)

    async def inner(_continuation, _details, _request):
        raise ValueError("in an interceptor")

    assert (await BY_KIND[kind].run(intercepted(kind, outer, inner))).responses == [b"request"]


# -- cancellation


@ways()
async def test_the_call_behind_an_interceptor_may_be_cancelled(rpc, intercepted, way):
    begun, ended = rpc.event(), rpc.event()

    async def before(context):
        context.add_done_callback(lambda _context: ended.set())
        begun.set()
        await rpc.event().wait()

    call = way.start(intercepted(way.kind, go_on, before=before))
    await begun.wait()
    assert call.cancel()
    assert call.cancelled()
    assert call.done()
    assert await status(call) == (grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
    await ended.wait()


@ways()
async def test_an_interceptor_that_waits_is_cancelled_with_its_call(rpc, intercepted, way):
    waits, cancelled = rpc.event(), rpc.event()

    async def intercept(_continuation, _details, _request):
        waits.set()
        try:
            await rpc.event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    call = way.start(intercepted(way.kind, intercept))
    await waits.wait()
    assert call.cancel()
    await cancelled.wait()
    assert await status(call) == (grpc.StatusCode.CANCELLED, "Locally cancelled by application!")
    assert call.cancelled()
    assert call.done()
    with pytest.raises(asyncio.CancelledError):
        await way.take(call, [])


@every_kind
async def test_an_intercepted_call_may_be_cancelled_at_once(intercepted, kind):
    called = []
    call = BY_KIND[kind].start(intercepted(kind, go_on, before=lambda _context: called.append(1)))
    assert call.cancel()
    assert await call.code() is grpc.StatusCode.CANCELLED
    assert called == []


@either_kind
async def test_cancelling_an_intercepted_call_after_its_end_changes_nothing(intercepted, kind):
    call = (await BY_KIND[kind].run(intercepted(kind, go_on))).call
    await call.code()
    assert not call.cancel()
    assert not call.cancelled()


@every_kind
async def test_cancelling_the_task_that_waits_cancels_the_intercepted_call(rpc, intercepted, kind):
    begun, ended = rpc.event(), rpc.event()

    async def before(context):
        context.add_done_callback(lambda _context: ended.set())
        begun.set()
        await rpc.event().wait()

    call = BY_KIND[kind].start(intercepted(kind, go_on, before=before))
    task = asyncio.ensure_future(BY_KIND[kind].take(call, []))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await ended.wait()


@every_kind
async def test_an_interceptor_may_cancel_the_call(rpc, intercepted, kind):
    async def intercept(continuation, details, request):
        call = await continuation(details, request)
        call.cancel()
        return call

    call = BY_KIND[kind].start(intercepted(kind, intercept, before=lambda _context: rpc.event().wait()))
    assert await call.code() is grpc.StatusCode.CANCELLED
    assert call.cancelled()


@either_kind
async def test_closing_the_channel_cancels_the_intercepted_calls(rpc, kind):
    async with rpc.column.channel(rpc.target, interceptors=[interceptor(kind, go_on)]) as channel:
        blocked = Blocked(rpc, kind, channel=channel)
        call = BY_KIND[kind].start(blocked.method)
        await blocked.wait_begun()
    assert call.cancelled()
    await blocked.ended.wait()


# -- streams


@request_streaming
async def test_requests_may_be_written_to_an_intercepted_call(intercepted, kind):
    call, responses = intercepted(kind, go_on)(), []
    await call.write(b"1")
    await call.write(b"2")
    await call.done_writing()
    await BY_KIND[kind].take(call, responses)
    assert b"".join(responses) == b"12"


@request_streaming
async def test_writing_to_an_intercepted_call_with_an_iterator_is_a_usage_error(intercepted, kind):
    call = intercepted(kind, go_on)(iter([b"1"]))
    with pytest.raises(aio.UsageError, match="may not be mixed"):
        await call.write(b"2")
    await BY_KIND[kind].finish(call)


@request_streaming
async def test_writing_to_an_intercepted_call_after_its_end_is_an_invalid_state(intercepted, kind):
    call = intercepted(kind, go_on)()
    await call.done_writing()
    await BY_KIND[kind].finish(call)
    await call.code()
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"late")


@request_streaming
async def test_writing_to_an_intercepted_call_that_was_cancelled_is_an_invalid_state(intercepted, rpc, kind):
    call = intercepted(kind, go_on, before=lambda _context: rpc.event().wait())()
    await call.write(b"1")
    call.cancel()
    with pytest.raises(asyncio.InvalidStateError):
        await call.write(b"2")


async def test_writing_and_reading_by_turns_through_an_interceptor(intercepted):
    call = intercepted("stream_stream", go_on)()
    for i in range(20):
        await call.write(b"%d" % i)
        assert await call.read() == b"%d" % i
    await call.done_writing()
    assert await call.read() is aio.EOF


@response_streaming
async def test_reading_on_at_the_end_of_an_intercepted_stream_gives_the_end_again(intercepted, kind):
    call = BY_KIND[kind].start(intercepted(kind, go_on))
    assert await call.read() == b"request"
    assert [await call.read() for _ in range(3)] == [aio.EOF] * 3


@either_kind
async def test_many_intercepted_calls_at_once(intercepted, kind):
    method = intercepted(kind, go_on, go_on)
    outcomes = await asyncio.gather(*(BY_KIND[kind].run(method, [b"%d" % i]) for i in range(50)))
    assert [outcome.responses for outcome in outcomes] == [[b"%d" % i] for i in range(50)]


# -- what is no interceptor


@pytest.mark.parametrize(
    "thing", [object(), "text", grpc.UnaryUnaryClientInterceptor], ids=["object", "text", "class"]
)
async def test_what_is_no_interceptor_is_a_value_error(column, thing):
    with pytest.raises(ValueError, match="must be"):
        column.channel("localhost:1", interceptors=[thing])


@pytest.mark.parametrize("interceptors", [None, [], ()], ids=repr)
async def test_no_interceptors_change_nothing(rpc, interceptors):
    async with rpc.column.channel(rpc.target, interceptors=interceptors) as channel:
        method = rpc.method("unary_unary", echo("unary_unary"), channel=channel)
        assert await method(b"x", timeout=SECONDS) == b"x"


@either_kind
async def test_an_interceptor_runs_in_the_loop_of_its_call(intercepted, kind):
    loops = []

    async def intercept(continuation, details, request):
        loops.append(asyncio.get_running_loop())
        return await continuation(details, request)

    await BY_KIND[kind].run(intercepted(kind, intercept))
    assert loops == [asyncio.get_running_loop()]
