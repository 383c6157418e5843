"""contextvars: a call's interceptors and handler share one new context; the caller's own goes along.

Sources: `ServerInterceptor.intercept_service` ("the first interceptor is called from an empty
contextvars.Context, and the same Context is used for downstream interceptors and for the final handler
call"), and grpcio's request iterators, which run in a copy of the context of the call.
"""

from __future__ import annotations

import contextvars

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of

VARIABLE = contextvars.ContextVar("VARIABLE", default="unset")
UNARY_FUTURE = [way for way in ASYNCHRONOUS if way.kind == "unary_unary"]


class Interceptor(grpc.ServerInterceptor):
    def __init__(self, act):
        self.act = act

    def intercept_service(self, continuation, handler_call_details):
        self.act(handler_call_details)
        return continuation(handler_call_details)


@ways(ASYNCHRONOUS)
def test_a_handler_begins_with_an_empty_context(rpc, way):
    seen = []

    def act(_context):
        seen.append(VARIABLE.get())
        VARIABLE.set("from a handler")

    VARIABLE.set("from the caller")
    method = rpc.method(way.kind, echo(way.kind, act))
    for _ in range(3):
        way.run(method)
    assert seen == ["unset"] * 3
    assert VARIABLE.get() == "from the caller"


@ways(ASYNCHRONOUS)
def test_a_handler_sees_what_its_interceptor_set(serve, way):
    seen = []
    handler = handler_of(way.kind, echo(way.kind, lambda _context: seen.append(VARIABLE.get())))
    served = serve(
        registered={"m": handler},
        interceptors=[Interceptor(lambda details: VARIABLE.set(dict(details.invocation_metadata)["who"]))],
    )
    method = getattr(served.channel, way.kind)(f"/{SERVICE}/m")
    for who in ("ada", "grace"):
        way.run(method, metadata=(("who", who),))
    assert seen == ["ada", "grace"]


@ways(ASYNCHRONOUS)
def test_an_interceptor_sees_what_the_one_before_it_set(serve, way):
    seen = []
    served = serve(
        registered={"m": handler_of(way.kind, echo(way.kind))},
        interceptors=[
            Interceptor(lambda _: VARIABLE.set("first")),
            Interceptor(lambda _: seen.append(VARIABLE.get())),
        ],
    )
    way.run(getattr(served.channel, way.kind)(f"/{SERVICE}/m"))
    assert seen == ["first"]


@ways(ASYNCHRONOUS)
def test_the_first_interceptor_begins_with_an_empty_context(serve, way):
    seen = []

    def act(_details):
        seen.append(VARIABLE.get())
        VARIABLE.set("left over")

    served = serve(registered={"m": handler_of(way.kind, echo(way.kind))}, interceptors=[Interceptor(act)])
    for _ in range(3):
        way.run(getattr(served.channel, way.kind)(f"/{SERVICE}/m"))
    assert seen == ["unset"] * 3


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_a_generator_keeps_its_context_between_responses(rpc, kind):
    def behave(_requests, _context):
        VARIABLE.set("mine")
        for _ in range(3):
            yield VARIABLE.get().encode()

    call = rpc.method(kind, behave)(b"" if kind == "unary_stream" else iter(()), timeout=SECONDS)
    assert list(call) == [b"mine"] * 3


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_the_request_iterator_runs_in_the_callers_context(rpc, kind):
    def requests():
        yield VARIABLE.get().encode()

    VARIABLE.set("of the caller")
    method = rpc.method(kind, echo(kind))
    if kind == "stream_unary":
        assert method(requests(), timeout=SECONDS) == b"of the caller"
    else:
        assert list(method(requests(), timeout=SECONDS)) == [b"of the caller"]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_what_the_request_iterator_sets_stays_there(rpc, kind):
    def requests():
        VARIABLE.set("of the iterator")
        yield b""

    VARIABLE.set("of the caller")
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    method = rpc.method(kind, echo(kind))
    way.finish(method.future(requests()) if way.style == "future" else method(requests()))
    assert VARIABLE.get() == "of the caller"


@pytest.mark.parametrize("kind", KINDS)
def test_the_servers_serializers_run_in_the_calls_context(serve, kind):
    seen = []

    def serialize(value):
        seen.append(VARIABLE.get())
        return value

    handler = handler_of(kind, echo(kind, lambda _: VARIABLE.set("mine")), response_serializer=serialize)
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    way.run(getattr(serve(registered={"m": handler}).channel, kind)(f"/{SERVICE}/m"))
    assert seen == ["mine"]
