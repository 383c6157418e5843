"""Handlers as people write them, without grpc's own functions, and where they run."""

from __future__ import annotations

import threading
from concurrent import futures

import grpc
import pytest

from tests.conformance.invocation import WAYS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of, multicallable


class Spare:
    """A `grpc.RpcMethodHandler` that has what its kind needs, and nothing else."""

    def __init__(self, kind, behaviour):
        self.request_streaming = kind.startswith("stream")
        self.response_streaming = kind.endswith("stream")
        self.request_deserializer = self.response_serializer = None
        setattr(self, kind, behaviour)


class Generic(grpc.GenericRpcHandler):
    def __init__(self, service):
        self._service = service

    def service(self, handler_call_details):
        return self._service(handler_call_details)


@ways()
@pytest.mark.parametrize("how", ["registered", "generic"])
def test_a_handler_needs_what_its_kind_needs(serve, way, how):
    handlers = {"spare": Spare(way.kind, echo(way.kind))}
    if how == "registered":
        served = serve(registered=handlers)
    else:
        served = serve([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    method = multicallable(served.channel, way.kind, f"/{SERVICE}/spare")
    assert way.run(method, [b"x"]).responses == [b"x"]


@ways()
def test_what_a_generic_handler_raises_ends_its_call_and_no_other(serve, way):
    handlers = {f"/{SERVICE}/{kind}": handler_of(kind, echo(kind)) for kind in KINDS}

    def service(details):
        if details.method.endswith("broken"):
            raise ValueError("a bug")
        return handlers.get(details.method)

    served = serve([Generic(service)])
    held = threading.Event()
    handlers[f"/{SERVICE}/held"] = handler_of(
        "unary_unary", echo("unary_unary", lambda _context: held.wait(SECONDS))
    )
    under_way = served.channel.unary_unary(f"/{SERVICE}/held").future(b"x", timeout=SECONDS)
    for _ in range(2):
        outcome = way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/broken"))
        assert failure(outcome) == (grpc.StatusCode.UNKNOWN, "Error in service handler!")
    held.set()
    assert under_way.result(SECONDS) == b"x"
    assert way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/{way.kind}"), [b"x"]).responses == [
        b"x"
    ]


@ways()
@pytest.mark.parametrize("intercepted", [False, True])
def test_a_handler_runs_in_the_pool_that_it_asks_for(serve, way, intercepted):
    class Interceptor(grpc.ServerInterceptor):
        def intercept_service(self, continuation, details):
            return continuation(details)

    ran_in = []

    def behaviour(request, context):
        ran_in.append(threading.current_thread().name)
        return echo(way.kind)(request, context)

    with futures.ThreadPoolExecutor(2, thread_name_prefix="its own") as pool:
        behaviour.experimental_thread_pool = pool
        served = serve(
            registered={"method": handler_of(way.kind, behaviour)},
            interceptors=(Interceptor(),) if intercepted else (),
        )
        method = multicallable(served.channel, way.kind, f"/{SERVICE}/method")
        for _ in range(3):
            assert way.run(method, [b"x"]).responses == [b"x"]
        assert [name.partition("_")[0] for name in ran_in] == ["its own"] * 3


def test_a_handler_in_a_pool_of_its_own_keeps_no_other_waiting(serve):
    """One that blocks all threads of its pool leaves those of the server alone, which has one."""
    held = threading.Event()

    def blocking(request, _context):
        held.wait(SECONDS)
        return request

    with futures.ThreadPoolExecutor(1) as pool:
        blocking.experimental_thread_pool = pool
        served = serve(
            registered={
                "blocking": handler_of("unary_unary", blocking),
                "quick": handler_of("unary_unary", echo("unary_unary")),
            },
            workers=1,
        )
        slow = [
            served.channel.unary_unary(f"/{SERVICE}/blocking").future(b"x", timeout=SECONDS) for _ in range(3)
        ]
        assert served.channel.unary_unary(f"/{SERVICE}/quick")(b"y", timeout=SECONDS) == b"y"
        assert not any(call.done() for call in slow)
        held.set()
        assert [call.result(SECONDS) for call in slow] == [b"x"] * 3


@ways(WAYS)
def test_no_initial_metadata_may_be_sent_as_none(rpc, way):
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.send_initial_metadata(None)))
    outcome = way.run(method, [b"x"])
    assert outcome.responses == [b"x"]
    if way.gives_call:
        assert tuple(outcome.call.initial_metadata()) == ()
