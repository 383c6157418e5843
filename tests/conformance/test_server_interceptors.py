"""`grpc.ServerInterceptor`: what stands between a call and its handler."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import WAYS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of

ONE_WAY_EACH = tuple(way for way in WAYS if way.style in {"future", "iterator"})
each_kind = ways(ONE_WAY_EACH)


class Interceptor(grpc.ServerInterceptor):
    def __init__(self, intercept):
        self.intercept = intercept

    def intercept_service(self, continuation, handler_call_details):
        return self.intercept(continuation, handler_call_details)


def through(continuation, details):
    return continuation(details)


@pytest.fixture
def intercepted(serve):
    """-> start(kind, *intercepts, act=...): the multicallable of an echo behind these interceptors."""

    def start(kind, *intercepts, act=lambda _context: None, registered=True):
        handlers = {"Method": handler_of(kind, echo(kind, act))}
        arguments = {"interceptors": [Interceptor(intercept) for intercept in intercepts]}
        if registered:
            served = serve(registered=handlers, **arguments)
        else:
            served = serve([grpc.method_handlers_generic_handler(SERVICE, handlers)], **arguments)
        return getattr(served.channel, kind)(f"/{SERVICE}/Method")

    return start


@each_kind
@pytest.mark.parametrize("registered", [True, False], ids=["registered", "generic"])
def test_an_interceptor_that_only_goes_on_changes_nothing(intercepted, way, registered):
    outcome = way.run(intercepted(way.kind, through, registered=registered))
    assert outcome.error is None
    assert outcome.responses == [b"request"]


@each_kind
def test_interceptors_are_given_control_in_their_order(intercepted, way):
    order = []

    def named(name):
        return lambda go_on, details: (order.append(name), go_on(details))[1]

    way.run(intercepted(way.kind, named("first"), named("second"), act=lambda _: order.append("handler")))
    assert order == ["first", "second", "handler"]


@each_kind
@pytest.mark.parametrize("registered", [True, False], ids=["registered", "generic"])
def test_an_interceptor_sees_method_and_metadata(intercepted, way, registered):
    seen = []

    def intercept(go_on, details):
        seen.append((details.method, dict(details.invocation_metadata)))
        return go_on(details)

    way.run(
        intercepted(way.kind, intercept, registered=registered), metadata=(("key", "value"), ("b-bin", b"\0"))
    )
    method, metadata = seen[0]
    assert method == f"/{SERVICE}/Method"
    assert metadata["key"] == "value"
    assert metadata["b-bin"] == b"\0"


def test_the_details_are_handler_call_details(intercepted):
    seen = []
    method = intercepted("unary_unary", lambda go_on, details: (seen.append(details), go_on(details))[1])
    method(b"", timeout=SECONDS)
    assert isinstance(seen[0], grpc.HandlerCallDetails)


@each_kind
def test_an_interceptor_may_give_another_handler(intercepted, way):
    refuse = echo(way.kind, lambda context: context.abort(grpc.StatusCode.UNAUTHENTICATED, "who are you?"))
    method = intercepted(way.kind, lambda _go_on, _details: handler_of(way.kind, refuse))
    assert failure(way.run(method)) == (grpc.StatusCode.UNAUTHENTICATED, "who are you?")


@each_kind
def test_an_interceptor_may_wrap_the_handler(intercepted, way):
    order = []

    def intercept(go_on, details):
        inner = getattr(go_on(details), way.kind)

        def wrapped(request, context):
            order.append("wrapper")
            return inner(request, context)

        return handler_of(way.kind, wrapped)

    outcome = way.run(intercepted(way.kind, intercept, act=lambda _: order.append("handler")))
    assert outcome.responses == [b"request"]
    assert order == ["wrapper", "handler"]


@each_kind
def test_an_interceptor_that_returns_none_leaves_the_call_unserviced(intercepted, way):
    assert failure(way.run(intercepted(way.kind, lambda _go_on, _details: None))) == (
        grpc.StatusCode.UNIMPLEMENTED, "Method not found!",
    )  # fmt: skip


@each_kind
def test_an_exception_in_an_interceptor_is_unknown(intercepted, way):
    def intercept(_go_on, _details):
        raise ValueError("in an interceptor")

    assert failure(way.run(intercepted(way.kind, intercept))) == (
        grpc.StatusCode.UNKNOWN, "Error in service handler!",
    )  # fmt: skip


def test_the_server_goes_on_after_an_exception_in_an_interceptor(intercepted):
    calls = []

    def intercept(go_on, details):
        calls.append(1)
        if len(calls) == 1:
            raise ValueError("only once")
        return go_on(details)

    method = intercepted("unary_unary", intercept)
    with pytest.raises(grpc.RpcError):
        method(b"", timeout=SECONDS)
    assert method(b"x", timeout=SECONDS) == b"x"


@each_kind
def test_an_interceptor_is_asked_for_unknown_methods_too(serve, way):
    asked = []

    def intercept(go_on, details):
        asked.append(details.method)
        return go_on(details)

    served = serve(interceptors=[Interceptor(intercept)])
    outcome = way.run(getattr(served.channel, way.kind)("/no.Such/method"))
    assert failure(outcome)[0] is grpc.StatusCode.UNIMPLEMENTED
    assert asked == ["/no.Such/method"]


@each_kind
def test_an_interceptor_may_serve_a_method_that_nobody_else_has(serve, way):
    served = serve(interceptors=[Interceptor(lambda _go_on, _details: handler_of(way.kind, echo(way.kind)))])
    assert way.run(getattr(served.channel, way.kind)("/no.Such/method")).responses == [b"request"]


@each_kind
def test_an_interceptor_may_look_up_another_method(serve, way):
    class Details:
        method = f"/{SERVICE}/Real"
        invocation_metadata = ()

    generic = grpc.method_handlers_generic_handler(SERVICE, {"Real": handler_of(way.kind, echo(way.kind))})
    served = serve([generic], interceptors=[Interceptor(lambda go_on, _details: go_on(Details()))])
    assert way.run(getattr(served.channel, way.kind)(f"/{SERVICE}/Alias")).responses == [b"request"]


def test_an_interceptor_is_asked_for_every_call(intercepted):
    calls = []
    method = intercepted("unary_unary", lambda go_on, details: (calls.append(1), go_on(details))[1])
    for _ in range(10):
        method(b"", timeout=SECONDS)
    assert len(calls) == 10


def test_one_interceptor_serves_every_kind(serve):
    methods = []

    def intercept(go_on, details):
        methods.append(details.method)
        return go_on(details)

    handlers = {kind: handler_of(kind, echo(kind)) for kind in KINDS}
    served = serve(registered=handlers, interceptors=[Interceptor(intercept)])
    for way in ONE_WAY_EACH:
        method = getattr(served.channel, way.kind)(f"/{SERVICE}/{way.kind}")
        assert way.run(method).responses == [b"request"]
    assert methods == [f"/{SERVICE}/{way.kind}" for way in ONE_WAY_EACH]
