"""`grpc.intercept_channel` and the four client interceptors."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, BLOCKING, WAYS, failure, ways
from tests.conformance.service import KINDS, SECONDS, echo

INTERFACES = {
    "unary_unary": grpc.UnaryUnaryClientInterceptor,
    "unary_stream": grpc.UnaryStreamClientInterceptor,
    "stream_unary": grpc.StreamUnaryClientInterceptor,
    "stream_stream": grpc.StreamStreamClientInterceptor,
}
DETAILS = ("method", "timeout", "metadata", "credentials", "wait_for_ready", "compression")
UNARY_RESPONSE = [way for way in WAYS if not way.response_streaming]


class CallDetails(grpc.ClientCallDetails):
    """What an interceptor makes of the details it was given."""


def changed(details, **changes):
    new = CallDetails()
    for name in DETAILS:
        setattr(new, name, changes.get(name, getattr(details, name)))
    return new


def interceptor(intercept, *kinds):
    """An interceptor of `kinds` (all without any) that calls `intercept(continuation, details, request)`."""
    kinds = kinds or KINDS
    methods = {
        f"intercept_{kind}": lambda _self, continuation, details, request: intercept(
            continuation, details, request
        )
        for kind in kinds
    }
    return type("Interceptor", tuple(INTERFACES[kind] for kind in kinds), methods)()


def intercepted(rpc, way, before, *interceptors, serializers=()):
    """The multicallable of an echo of `way.kind` behind `interceptors`."""
    channel = grpc.intercept_channel(rpc.channel, *interceptors)
    return rpc.method(way.kind, echo(way.kind, before), *serializers, channel=channel)


@ways()
def test_an_interceptor_that_only_goes_on_changes_nothing(rpc, way):
    through = interceptor(lambda go_on, details, request: go_on(details, request))
    outcome = way.run(intercepted(rpc, way, lambda _: None, through))
    assert outcome.error is None
    assert outcome.responses == [b"request"]


@ways()
def test_interceptors_are_given_control_in_their_order(rpc, way):
    order = []

    def named(name):
        def intercept(go_on, details, request):
            order.append(name)
            return go_on(details, request)

        return interceptor(intercept)

    way.run(intercepted(rpc, way, lambda _: order.append("handler"), named("first"), named("second")))
    assert order == ["first", "second", "handler"]


@ways()
def test_an_interceptor_sees_what_the_call_was_given(rpc, way):
    seen = []

    def intercept(go_on, details, request):
        seen.append(details)
        return go_on(details, request)

    way.run(
        intercepted(rpc, way, lambda _: None, interceptor(intercept)),
        timeout=7,
        metadata=(("key", "value"),),
        wait_for_ready=True,
        compression=grpc.Compression.Gzip,
    )
    details = seen[0]
    assert details.method.startswith("/conformance.Service/")
    assert details.timeout == 7
    assert details.metadata == (("key", "value"),)
    assert details.credentials is None
    assert details.wait_for_ready is True
    assert details.compression is grpc.Compression.Gzip


@ways()
def test_an_interceptor_may_add_metadata(rpc, way):
    def intercept(go_on, details, request):
        metadata = [*(details.metadata or ()), ("added", "1")]
        return go_on(changed(details, metadata=metadata), request)

    seen = []
    before = lambda context: seen.extend(context.invocation_metadata())
    way.run(intercepted(rpc, way, before, interceptor(intercept)), metadata=(("own", "0"),))
    assert {("own", "0"), ("added", "1")} <= {tuple(pair) for pair in seen}


@ways()
def test_an_interceptor_may_change_the_timeout(rpc, way):
    left = []
    shorter = interceptor(lambda go_on, details, request: go_on(changed(details, timeout=30), request))
    before = lambda context: left.append(context.time_remaining())
    way.run(intercepted(rpc, way, before, shorter), timeout=1000)
    assert 20 < left[0] < 31.5


@ways()
def test_an_interceptor_may_change_the_method(rpc, way):
    other = rpc.name(
        way.kind, echo(way.kind, lambda context: context.abort(grpc.StatusCode.ABORTED, "other"))
    )
    redirect = interceptor(lambda go_on, details, request: go_on(changed(details, method=other), request))
    assert failure(way.run(intercepted(rpc, way, lambda _: None, redirect))) == (
        grpc.StatusCode.ABORTED, "other",
    )  # fmt: skip


@ways()
def test_an_interceptor_may_change_the_request(rpc, way):
    def intercept(go_on, details, request):
        if way.request_streaming:
            return go_on(details, (part + b"!" for part in request))
        return go_on(details, request + b"!")

    outcome = way.run(intercepted(rpc, way, lambda _: None, interceptor(intercept)), [b"x"])
    assert outcome.responses == [b"x!"]


@ways()
def test_details_of_ones_own_may_leave_things_out(rpc, way):
    """What an interceptor's details lack is taken from the call."""

    class OnlyTheMetadata(grpc.ClientCallDetails):
        metadata = (("only", "1"),)

    seen = []
    before = lambda context: seen.extend(context.invocation_metadata())
    intercept = interceptor(lambda go_on, _details, request: go_on(OnlyTheMetadata(), request))
    outcome = way.run(intercepted(rpc, way, before, intercept))
    assert outcome.error is None
    assert ("only", "1") in [tuple(pair) for pair in seen]


@ways()
def test_an_interceptor_is_asked_only_for_its_kinds(rpc, way):
    others = [kind for kind in KINDS if kind != way.kind]

    def refuse(_go_on, _details, _request):
        raise AssertionError("asked for another kind")

    assert way.run(intercepted(rpc, way, lambda _: None, interceptor(refuse, *others))).error is None


@ways()
def test_an_exception_in_an_interceptor_reaches_the_caller(rpc, way):
    """As it is from a blocking call, and as the error of an asynchronous one."""

    def intercept(_go_on, _details, _request):
        raise ValueError("in an interceptor")

    method = intercepted(rpc, way, lambda _: None, interceptor(intercept))
    if way in BLOCKING:
        with pytest.raises(ValueError, match="in an interceptor"):
            way.invoke(method)
        return
    call = way.invoke(method)
    assert call.done()
    assert not call.running()
    assert not call.cancelled()
    assert call.code() is grpc.StatusCode.INTERNAL
    assert call.details() == "Exception raised while intercepting the RPC"
    with pytest.raises(ValueError, match="in an interceptor"):
        call.result()
    assert isinstance(call.exception(), ValueError)
    assert call.traceback() is not None


@ways(UNARY_RESPONSE)
def test_an_interceptor_may_answer_itself(rpc, way):
    """With an object that is a call and a future; the service hears nothing."""
    called = []

    def intercept(_go_on, details, _request):
        return other.future(b"from elsewhere", timeout=details.timeout)

    other = rpc.unary_unary(echo("unary_unary"))
    method = intercepted(rpc, way, lambda _: called.append(1), interceptor(intercept))
    assert way.run(method).responses == [b"from elsewhere"]
    assert called == []


@ways([way for way in WAYS if way.response_streaming])
def test_an_interceptor_may_change_the_responses(rpc, way):
    def intercept(go_on, details, request):
        return (response.upper() for response in go_on(details, request))

    call = way.invoke(intercepted(rpc, way, lambda _: None, interceptor(intercept)), [b"abc"])
    assert list(call) == [b"ABC"]


@ways(UNARY_RESPONSE)
def test_an_interceptor_sees_the_outcome(rpc, way):
    seen = []

    def intercept(go_on, details, request):
        call = go_on(details, request)
        seen.append((call.code(), call.result()))
        return call

    way.run(intercepted(rpc, way, lambda _: None, interceptor(intercept)))
    assert seen == [(grpc.StatusCode.OK, b"request")]


@ways(UNARY_RESPONSE)
def test_an_interceptor_sees_the_error(rpc, way):
    seen = []

    def intercept(go_on, details, request):
        call = go_on(details, request)
        seen.append((call.code(), call.exception().details()))
        return call

    before = lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "gone")
    assert failure(way.run(intercepted(rpc, way, before, interceptor(intercept)))) == (
        grpc.StatusCode.NOT_FOUND, "gone",
    )  # fmt: skip
    assert seen == [(grpc.StatusCode.NOT_FOUND, "gone")]


@ways([way for way in WAYS if way.kind == "unary_unary"])
def test_an_interceptor_may_try_again(rpc, way):
    attempts = []

    def before(context):
        attempts.append(1)
        if len(attempts) < 3:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")

    def intercept(go_on, details, request):
        for _ in range(3):
            call = go_on(details, request)
            if call.code() is grpc.StatusCode.OK:
                break
        return call

    outcome = way.run(intercepted(rpc, way, before, interceptor(intercept)))
    assert outcome.responses == [b"request"]
    assert len(attempts) == 3


@ways(ASYNCHRONOUS)
def test_the_call_behind_an_interceptor_may_be_cancelled(rpc, way):
    ended = rpc.event()

    def before(context):
        context.add_callback(ended.set)
        ended.wait(SECONDS)

    through = interceptor(lambda go_on, details, request: go_on(details, request))
    call = way.invoke(intercepted(rpc, way, before, through))
    assert call.cancel()
    assert call.cancelled()
    assert call.code() is grpc.StatusCode.CANCELLED


@ways()
def test_the_metadata_of_the_response_comes_through(rpc, way):
    def before(context):
        context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))

    through = interceptor(lambda go_on, details, request: go_on(details, request))
    outcome = way.run(intercepted(rpc, way, before, through))
    if way.gives_call:
        assert ("first", "1") in outcome.call.initial_metadata()
        assert ("last", "2") in outcome.call.trailing_metadata()


@pytest.mark.parametrize("kind", KINDS)
def test_an_interceptor_gets_messages_not_bytes(rpc, kind):
    """Interceptors stand before the serializers."""
    requests = []
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)

    def intercept(go_on, details, request):
        request = list(request) if way.request_streaming else request
        requests.append(request)
        return go_on(details, iter(request) if way.request_streaming else request)

    serializers = (lambda text: text.encode(), lambda data: data.decode())
    method = intercepted(rpc, way, lambda _: None, interceptor(intercept), serializers=serializers)
    assert way.run(method, ["text"]).responses == ["text"]
    assert requests == [["text"] if way.request_streaming else "text"]


def test_no_interceptors_is_the_channel_as_it_was(rpc):
    channel = grpc.intercept_channel(rpc.channel)
    assert rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x", timeout=SECONDS) == b"x"


def test_what_is_no_interceptor_is_a_type_error(rpc):
    with pytest.raises(TypeError):
        grpc.intercept_channel(rpc.channel, object())


def test_an_intercepted_channel_is_a_channel(rpc):
    channel = grpc.intercept_channel(rpc.channel, interceptor(lambda go_on, d, r: go_on(d, r)))
    assert isinstance(channel, grpc.Channel)
    states = []
    channel.subscribe(states.append, try_to_connect=True)
    channel.unsubscribe(states.append)


def test_a_channel_may_be_intercepted_again(rpc):
    order = []

    def named(name):
        def intercept(go_on, details, request):
            order.append(name)
            return go_on(details, request)

        return interceptor(intercept)

    channel = grpc.intercept_channel(grpc.intercept_channel(rpc.channel, named("inner")), named("outer"))
    rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"", timeout=SECONDS)
    assert order == ["outer", "inner"]


def test_closing_the_intercepted_channel_closes_the_channel(rpc):
    inner = rpc.column.channel(rpc.target)
    with grpc.intercept_channel(inner, interceptor(lambda go_on, d, r: go_on(d, r))) as channel:
        assert rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x", timeout=SECONDS) == b"x"
    with pytest.raises(ValueError, match="closed channel"):
        rpc.method("unary_unary", echo("unary_unary"), channel=inner)(b"x")
