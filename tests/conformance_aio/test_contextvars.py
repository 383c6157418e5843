"""contextvars: a call's interceptors and handler share one new context; the caller's own goes along.

Source: `ServerInterceptor.intercept_service` ("the first interceptor is called from an empty
contextvars.Context, and the same Context is used for downstream interceptors and for the final handler
call"); tasks copy the context of whoever makes them.
"""

from __future__ import annotations

import asyncio
import contextvars

import pytest

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind
from tests.conformance_aio.service import STYLES, echo

VARIABLE = contextvars.ContextVar("VARIABLE", default="unset")


@pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)
async def test_what_a_handler_sets_stays_with_its_call(rpc, kind, style):
    seen = []

    def act(_context):
        seen.append(VARIABLE.get())
        VARIABLE.set("from a handler")

    method = rpc.method(kind, echo(kind, act, style))
    for _ in range(3):
        await BY_KIND[kind].run(method)
    assert seen == ["unset"] * 3
    assert VARIABLE.get() == "unset"


@every_kind
async def test_a_handler_does_not_see_what_its_caller_set(rpc, kind):
    seen = []
    VARIABLE.set("from the caller")
    await BY_KIND[kind].run(rpc.method(kind, echo(kind, lambda _context: seen.append(VARIABLE.get()))))
    assert seen == ["unset"]
    assert VARIABLE.get() == "from the caller"


@every_kind
async def test_a_handler_keeps_what_it_set_while_it_awaits(rpc, kind):
    seen, other = [], rpc.unary_unary(echo("unary_unary"))

    async def act(context):
        who = dict(context.invocation_metadata())["who"]
        VARIABLE.set(who)
        for _ in range(3):
            await other(b"")
            seen.append(VARIABLE.get() == who)

    method, way = rpc.method(kind, echo(kind, act)), BY_KIND[kind]
    await asyncio.gather(*(way.run(method, metadata=(("who", str(i)),)) for i in range(10)))
    assert seen == [True] * 30


@either_kind
async def test_tasks_of_a_handler_see_what_it_set(rpc, kind):
    seen = []

    async def look():
        seen.append(VARIABLE.get())

    async def act(_context):
        VARIABLE.set("from a handler")
        await asyncio.create_task(look())

    await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)))
    assert seen == ["from a handler"]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_generator_keeps_what_it_set_between_its_responses(rpc, kind):
    seen = []

    async def behave(_requests, _context):
        VARIABLE.set("from a handler")
        for i in range(3):
            seen.append(VARIABLE.get())
            yield b"%d" % i

    await BY_KIND[kind].run(rpc.method(kind, behave))
    assert seen == ["from a handler"] * 3


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_request_iterator_sees_what_the_caller_set(rpc, kind):
    seen = []

    async def requests():
        seen.append(VARIABLE.get())
        yield b"1"

    VARIABLE.set("from the caller")
    await BY_KIND[kind].finish(rpc.method(kind, echo(kind))(requests()))
    assert seen == ["from the caller"]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_what_a_request_iterator_sets_stays_with_it(rpc, kind):
    async def requests():
        VARIABLE.set("from the iterator")
        yield b"1"

    VARIABLE.set("from the caller")
    await BY_KIND[kind].finish(rpc.method(kind, echo(kind))(requests()))
    assert VARIABLE.get() == "from the caller"
