"""Server interceptors: what they see, what they may change, and how they end calls."""

from __future__ import annotations

import asyncio
import contextvars

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, ways
from tests.conformance_aio.service import KINDS, SERVICE, echo, handler_of


def interceptor(intercept):
    """An interceptor that awaits `intercept(continuation, details)`."""

    class Interceptor(aio.ServerInterceptor):
        async def intercept_service(self, continuation, handler_call_details):
            return await intercept(continuation, handler_call_details)

    return Interceptor()


async def go_on(continuation, details):
    return await continuation(details)


@pytest.fixture
def intercepted(serve):
    """A function that gives the multicallable of an echo of a kind behind interceptors; they are functions
    like `go_on`, and the first comes first.
    """

    async def start(kind, *intercepts, before=lambda _context: None):
        handlers = {kind: handler_of(kind, echo(kind, before)) for kind in KINDS}
        served = await serve(registered=handlers, interceptors=[interceptor(each) for each in intercepts])
        return getattr(served.channel, kind)(f"/{SERVICE}/{kind}")

    return start


@ways()
async def test_an_interceptor_that_only_goes_on_changes_nothing(intercepted, way):
    assert (await way.run(await intercepted(way.kind, go_on))).responses == [b"request"]


@either_kind
async def test_interceptors_are_given_control_in_their_order(intercepted, kind):
    order = []

    def named(name):
        async def intercept(continuation, details):
            order.append(name)
            handler = await continuation(details)
            order.append(f"{name} again")
            return handler

        return intercept

    before = lambda _context: order.append("handler")
    await BY_KIND[kind].run(await intercepted(kind, named("first"), named("second"), before=before))
    assert order == ["first", "second", "second again", "first again", "handler"]


@every_kind
async def test_an_interceptor_sees_the_method_and_the_metadata(intercepted, kind):
    seen = []

    async def intercept(continuation, details):
        seen.append((details.method, {tuple(pair) for pair in details.invocation_metadata}))
        return await continuation(details)

    await BY_KIND[kind].run(
        await intercepted(kind, intercept), metadata=(("key", "value"), ("key-bin", b"\xff"))
    )
    method, metadata = seen[0]
    assert method == f"/{SERVICE}/{kind}"
    assert {("key", "value"), ("key-bin", b"\xff")} <= metadata


@either_kind
async def test_an_interceptor_gets_the_handler(intercepted, kind):
    seen = []

    async def intercept(continuation, details):
        seen.append(await continuation(details))
        return seen[0]

    await BY_KIND[kind].run(await intercepted(kind, intercept))
    handler = seen[0]
    assert callable(getattr(handler, kind))
    assert handler.request_streaming == kind.startswith("stream")
    assert handler.response_streaming == kind.endswith("stream")


@every_kind
async def test_an_interceptor_may_answer_with_a_handler_of_its_own(intercepted, kind):
    """Authorisation does: the service hears nothing."""
    called = []
    refuse = handler_of(
        kind, echo(kind, lambda context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you"))
    )

    async def intercept(_continuation, _details):
        return refuse

    method = await intercepted(kind, intercept, before=lambda _context: called.append(1))
    outcome = await BY_KIND[kind].cut_short(method)
    assert failure(outcome) == (grpc.StatusCode.UNAUTHENTICATED, "who are you")
    assert called == []


@either_kind
async def test_an_interceptor_decides_call_by_call(intercepted, kind):
    refuse = handler_of(kind, echo(kind, lambda context: context.abort(grpc.StatusCode.ABORTED, "no")))

    async def intercept(continuation, details):
        if dict(details.invocation_metadata).get("token") != "good":
            return refuse
        return await continuation(details)

    method = await intercepted(kind, intercept)
    assert (await BY_KIND[kind].run(method, metadata=(("token", "good"),))).responses == [b"request"]
    outcome = await BY_KIND[kind].cut_short(method)
    assert failure(outcome)[0] is grpc.StatusCode.ABORTED


async def test_an_interceptor_may_wrap_the_handler(intercepted):
    async def intercept(continuation, details):
        handler = await continuation(details)

        async def louder(request, context):
            return (await handler.unary_unary(request, context)) + b"!"

        return grpc.unary_unary_rpc_method_handler(
            louder, handler.request_deserializer, handler.response_serializer
        )

    assert await (await intercepted("unary_unary", intercept, intercept))(b"x") == b"x!!"


async def test_an_interceptor_may_wrap_a_stream(intercepted):
    async def intercept(continuation, details):
        handler = await continuation(details)

        async def louder(request, context):
            async for response in handler.unary_stream(request, context):
                yield response + b"!"

        return grpc.unary_stream_rpc_method_handler(
            louder, handler.request_deserializer, handler.response_serializer
        )

    outcome = await BY_KIND["unary_stream"].run(await intercepted("unary_stream", intercept))
    assert outcome.responses == [b"request!"]


async def test_an_interceptor_may_turn_exceptions_into_statuses(intercepted):
    async def intercept(continuation, details):
        handler = await continuation(details)

        async def guarded(request, context):
            try:
                return await handler.unary_unary(request, context)
            except KeyError as error:
                await context.abort(grpc.StatusCode.NOT_FOUND, f"no {error.args[0]}")

        return grpc.unary_unary_rpc_method_handler(guarded)

    def before(_context):
        raise KeyError("row")

    call = (await intercepted("unary_unary", intercept, before=before))(b"x")
    with pytest.raises(aio.AioRpcError) as caught:
        await call
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.NOT_FOUND, "no row")


@either_kind
async def test_an_interceptor_is_asked_for_methods_that_do_not_exist(serve, kind):
    names, handlers = [], []

    async def intercept(continuation, details):
        names.append(details.method)
        handlers.append(await continuation(details))
        return handlers[-1]

    served = await serve(interceptors=[interceptor(intercept)])
    call = BY_KIND[kind].begin(getattr(served.channel, kind)("/no.such/Method"))
    outcome = await BY_KIND[kind].finish(call)
    assert failure(outcome)[0] is grpc.StatusCode.UNIMPLEMENTED
    assert names == ["/no.such/Method"]
    assert handlers == [None]


@either_kind
async def test_an_interceptor_may_serve_a_method_that_does_not_exist(serve, kind):
    async def intercept(_continuation, _details):
        return handler_of(kind, echo(kind))

    served = await serve(interceptors=[interceptor(intercept)])
    assert (await BY_KIND[kind].run(getattr(served.channel, kind)("/any/Thing"))).responses == [b"request"]


@either_kind
async def test_an_interceptor_may_disown_a_method(intercepted, kind):
    async def intercept(_continuation, _details):
        return None

    outcome = await BY_KIND[kind].cut_short(await intercepted(kind, intercept))
    assert failure(outcome)[0] is grpc.StatusCode.UNIMPLEMENTED


@either_kind
async def test_an_exception_in_an_interceptor_is_unknown(intercepted, kind):
    async def intercept(_continuation, _details):
        raise ValueError("in an interceptor")

    outcome = await BY_KIND[kind].cut_short(await intercepted(kind, intercept))
    assert failure(outcome)[0] is grpc.StatusCode.UNKNOWN


@either_kind
async def test_an_exception_in_an_interceptor_harms_no_other_call(intercepted, kind):
    async def intercept(continuation, details):
        if "bad" in dict(details.invocation_metadata):
            raise ValueError("in an interceptor")
        return await continuation(details)

    method = await intercepted(kind, intercept)
    for _ in range(3):
        assert (await BY_KIND[kind].run(method, metadata=(("bad", "1"),))).error is not None
        assert (await BY_KIND[kind].run(method)).responses == [b"request"]


async def test_an_interceptor_may_await(intercepted):
    gate, waits = asyncio.Event(), asyncio.Event()

    async def intercept(continuation, details):
        waits.set()
        await gate.wait()
        return await continuation(details)

    call = (await intercepted("unary_unary", intercept))(b"x")
    await waits.wait()
    assert not call.done()
    gate.set()
    assert await call == b"x"


async def test_an_interceptor_that_waits_stops_nobody_else(intercepted):
    gate, waits = asyncio.Event(), asyncio.Event()

    async def intercept(continuation, details):
        if "slow" in dict(details.invocation_metadata):
            waits.set()
            await gate.wait()
        return await continuation(details)

    method = await intercepted("unary_unary", intercept)
    slow = method(b"slow", metadata=(("slow", "1"),))
    await waits.wait()
    assert await method(b"quick") == b"quick"
    gate.set()
    assert await slow == b"slow"


async def test_an_interceptor_that_waits_is_cancelled_with_its_call(intercepted):
    waits, cancelled = asyncio.Event(), asyncio.Event()

    async def intercept(_continuation, _details):
        waits.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            cancelled.set()
            raise

    call = (await intercepted("unary_unary", intercept))(b"x")
    await waits.wait()
    call.cancel()
    await cancelled.wait()


@every_kind
async def test_context_variables_of_an_interceptor_reach_the_handler(intercepted, kind):
    """The documentation promises it: interceptors and the handler of a call share one context."""
    variable, seen = contextvars.ContextVar("variable", default="unset"), []

    async def first(continuation, details):
        variable.set("first")
        return await continuation(details)

    async def second(continuation, details):
        seen.append(variable.get())
        variable.set("second")
        return await continuation(details)

    method = await intercepted(kind, first, second, before=lambda _context: seen.append(variable.get()))
    await BY_KIND[kind].run(method)
    assert seen == ["first", "second"]


@either_kind
async def test_context_variables_of_one_call_are_not_those_of_another(intercepted, kind):
    variable, seen = contextvars.ContextVar("variable", default="unset"), []

    async def intercept(continuation, details):
        seen.append(variable.get())
        variable.set("set")
        return await continuation(details)

    method = await intercepted(kind, intercept)
    for _ in range(3):
        await BY_KIND[kind].run(method)
    assert seen == ["unset"] * 3


@pytest.mark.parametrize("thing", [object(), "text", grpc.ServerInterceptor], ids=["object", "text", "class"])
async def test_what_is_no_interceptor_is_a_value_error(column, thing):
    with pytest.raises(ValueError, match="nterceptor"):
        column.server(interceptors=[thing])


@pytest.mark.parametrize("interceptors", [None, [], ()], ids=repr)
async def test_no_interceptors_change_nothing(serve, interceptors):
    served = await serve(
        registered={"m": handler_of("unary_unary", echo("unary_unary"))}, interceptors=interceptors
    )
    assert await served.channel.unary_unary(f"/{SERVICE}/m")(b"x") == b"x"
