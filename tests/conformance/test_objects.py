"""The objects that users are given: attributes, weak references, inspection, and names that others read."""

from __future__ import annotations

import copy
import functools
import gc
import inspect
import threading
import weakref
from concurrent import futures
from unittest import mock

import grpc
import pytest
from grpc import _channel

from tests.conformance.invocation import ASYNCHRONOUS, BLOCKING, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of, multicallable

HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}


def hold(thing):
    """Do with an object what programs do that know it is one of Python's."""
    thing.mine = "kept"
    assert thing.mine == "kept"
    assert vars(thing)["mine"] == "kept"
    thing.__name__ = "named"
    assert functools.wraps(thing)(lambda: None).__name__ == "named"
    assert weakref.ref(thing)() is thing
    assert isinstance(hash(thing), int)
    with pytest.raises(AttributeError):
        thing.never_set  # noqa: B018 - that it raises is the point
    del thing.mine
    assert not hasattr(thing, "mine")


def bad_rpc(kind):
    def fail(context):
        context.set_trailing_metadata((("why", "so"),))
        context.abort(grpc.StatusCode.NOT_FOUND, "not there")

    return handler_of(kind, echo(kind, fail))


# ---------------------------------------------------------------- attributes


@pytest.mark.parametrize("kind", KINDS)
def test_multicallables_channels_and_servers_take_attributes(serve, kind):
    served = serve(registered=HANDLERS)
    for thing in (multicallable(served.channel, kind, f"/{SERVICE}/{kind}"), served.channel, served.server):
        hold(thing)


@ways(ASYNCHRONOUS)
def test_calls_under_way_and_ended_take_attributes(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind)))
    hold(call)
    way.finish(call)
    hold(call)


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
def test_the_call_beside_a_response_takes_attributes_and_is_ended(rpc, kind):
    request = iter([b"x"]) if kind == "stream_unary" else b"x"
    response, call = rpc.method(kind, echo(kind)).with_call(request, timeout=SECONDS)
    hold(call)
    assert response == b"x"
    assert (call.code(), call.details(), call.debug_error_string()) == (grpc.StatusCode.OK, "", "")
    assert not call.is_active()
    assert call.result() == b"x"


@ways()
def test_errors_take_attributes(serve, way):
    served = serve(registered={"bad": bad_rpc(way.kind)})
    hold(way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/bad")).error)


@pytest.mark.parametrize("kind", KINDS)
def test_contexts_and_request_iterators_take_attributes(rpc, kind):
    """A context carries what an interceptor has found out about the caller to the handler."""
    held = []

    def behaviour(request, context):
        hold(context)
        if kind.startswith("stream"):
            hold(request)
        context.user = "ada"
        # What is set on an instance wins over its class, as everywhere in Python.
        context.details = lambda: "mine"
        held.append((context.user, context.details(), context.code()))
        return echo(kind)(request, context)

    method = rpc.method(kind, behaviour)
    answer = method(iter([b"x"]) if kind.startswith("stream") else b"x", timeout=SECONDS)
    if kind.endswith("stream"):
        list(answer)
    assert held == [("ada", "mine", None)]


def test_handler_call_details_take_attributes_and_are_what_grpcios_are(serve):
    found = []

    class Interceptor(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            details.mine = 1
            found.append(details)
            return continuation(details)

    served = serve(registered=HANDLERS, interceptors=(Interceptor(),))
    assert served.channel.unary_unary(f"/{SERVICE}/unary_unary")(b"x", timeout=SECONDS) == b"x"
    (details,) = found
    assert details.mine == 1
    assert isinstance(details, grpc.HandlerCallDetails)
    assert details._replace(method="/other").method == "/other"


def test_an_object_that_holds_itself_is_collected(rpc):
    contexts = []

    def behaviour(request, context):
        context.itself = context
        contexts.append(weakref.ref(context))
        return request

    rpc.unary_unary(behaviour)(b"", timeout=SECONDS)
    gc.collect()
    rpc.unary_unary(lambda request, context: request)(b"", timeout=SECONDS)  # the thread lets go of the first
    gc.collect()
    assert contexts[0]() is None


# ---------------------------------------------------------------- inspection

ARGUMENTS = ["timeout", "metadata", "credentials", "wait_for_ready", "compression"]


@ways([*BLOCKING, *ASYNCHRONOUS])
def test_signatures_are_those_of_grpcio(serve, way):
    method = multicallable(serve(registered=HANDLERS).channel, way.kind, f"/{SERVICE}/{way.kind}")
    first = "request_iterator" if way.request_streaming else "request"
    function = method if way.style in {"call", "iterator"} else getattr(method, way.style)
    assert list(inspect.signature(function).parameters) == [first, *ARGUMENTS]
    assert list(inspect.signature(method.__call__).parameters) == [first, *ARGUMENTS]
    for wrong in ({"nope": 1}, {}):
        with pytest.raises(TypeError):
            function(**wrong)


def test_mocks_made_from_a_method_check_its_arguments(serve):
    method = serve(registered=HANDLERS).channel.unary_unary(f"/{SERVICE}/unary_unary")
    specified = mock.create_autospec(method, instance=True)
    specified.return_value = b"mocked"
    assert specified(b"x", timeout=1) == b"mocked"
    with pytest.raises(TypeError):
        specified(b"x", timeOut=1)


def test_a_class_of_multicallables_can_be_patched(serve):
    channel = serve(registered=HANDLERS).channel
    method = channel.unary_unary(f"/{SERVICE}/unary_unary")
    with mock.patch.object(type(method), "__call__", return_value=b"patched"):
        assert method(b"x", timeout=SECONDS) == b"patched"
    assert method(b"x", timeout=SECONDS) == b"x"
    assert isinstance(method, grpc.UnaryUnaryMultiCallable)
    assert type(method).__name__ == "_UnaryUnaryMultiCallable"


# ---------------------------------------------------------------- errors


@ways()
def test_errors_are_of_the_classes_that_grpcios_are(serve, way):
    served = serve(registered={"bad": bad_rpc(way.kind)})
    error = way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/bad")).error
    blocking = way.style in {"call", "with_call"}
    wanted = _channel._InactiveRpcError if blocking else _channel._MultiThreadedRendezvous
    other = _channel._MultiThreadedRendezvous if blocking else _channel._InactiveRpcError
    assert isinstance(error, wanted)
    assert not isinstance(error, other)
    with pytest.raises(wanted) as caught:
        raise error
    assert caught.value._state.code is grpc.StatusCode.NOT_FOUND
    assert caught.value._state.details == "not there"
    assert dict(caught.value._state.trailing_metadata) == {"why": "so"}


@ways(BLOCKING)
def test_errors_can_be_copied(serve, way):
    served = serve(registered={"bad": bad_rpc(way.kind)})
    error = way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/bad")).error
    copied = copy.copy(error)
    assert (copied.code(), copied.details()) == failure(
        way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/bad"))
    )
    assert type(copied) is type(error)


# ---------------------------------------------------------------- private names


@ways(ASYNCHRONOUS)
def test_the_state_of_a_call_is_read_without_waiting(rpc, way):
    held = rpc.event()
    call = way.start(rpc.method(way.kind, echo(way.kind, lambda _context: held.wait(SECONDS))))
    assert call._state.code is None
    held.set()
    way.finish(call)
    assert call._state.code is grpc.StatusCode.OK
    with call._state.condition:
        assert not call._state.cancelled
    assert call._call is not None
    assert call._response_deserializer is None


def test_what_agents_read_of_a_method_and_its_channel(serve):
    served = serve(registered=HANDLERS)
    method = served.channel.unary_unary(f"/{SERVICE}/unary_unary", bytes, bytes)
    assert method._method == f"/{SERVICE}/unary_unary".encode()
    assert method._channel.target().decode().endswith(served.target)
    assert served.channel._channel.target().decode().endswith(served.target)
    assert method._request_serializer is bytes
    assert method._response_deserializer is bytes


def test_what_packages_read_of_a_context(serve):
    seen = {}

    def behaviour(request, context):
        seen["before"] = (context._state.code, context._state.details, context._state.client)
        context.set_code(grpc.StatusCode.OK)
        context.set_details("fine")
        seen["after"] = (context._state.code, context._state.details, context._state.aborted)
        seen["event"] = context._rpc_event.call_details.method.decode()
        seen["metadata"] = dict(context._rpc_event.invocation_metadata)["k"]
        return request

    handlers = {"read": handler_of("unary_unary", behaviour)}
    served = serve([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    served.channel.unary_unary(f"/{SERVICE}/read")(b"x", timeout=SECONDS, metadata=(("k", "v"),))
    assert seen == {
        "before": (None, None, "open"),
        "after": (grpc.StatusCode.OK, b"fine", False),
        "event": f"/{SERVICE}/read",
        "metadata": "v",
    }


def test_a_context_tells_that_its_client_is_gone(rpc):
    begun, seen = threading.Event(), futures.Future()

    def behaviour(request, context):
        ended = threading.Event()
        context.add_callback(ended.set)
        begun.set()
        ended.wait(SECONDS)
        seen.set_result(context._state.client)
        return request

    call = rpc.unary_unary(behaviour).future(b"", timeout=SECONDS)
    assert begun.wait(SECONDS)
    call.cancel()
    assert seen.result(SECONDS) == "cancelled"
