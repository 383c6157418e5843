"""opentelemetry-instrumentation-grpc, unmodified: caller and handler in one trace, over both transports.

The instrumentors wrap what stands in `grpc`: with sage_rpc.install() that is ours, and the code under test
knows nothing but grpc.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent import futures

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import (
    GrpcInstrumentorClient,
    GrpcInstrumentorServer,
    client_interceptor,
    server_interceptor,
)
from opentelemetry.instrumentation.grpc.grpcext import intercept_channel
from opentelemetry.trace import SpanKind, StatusCode

import sage_rpc
from tests.ecosystem.conftest import SECONDS
from tests.ecosystem.spans import Ended, exported, linked


@pytest.fixture
def ended() -> Ended:
    exported().clear()
    return exported()


@pytest.fixture
def instrumented(transport, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("SAGE_RPC_TRANSPORT", transport)
    sage_rpc.install()
    client, server = GrpcInstrumentorClient(), GrpcInstrumentorServer()
    client.instrument()
    server.instrument()
    yield
    server.uninstrument()
    client.uninstrument()
    sage_rpc.uninstall()
    assert grpc.insecure_channel.__module__ == grpc.server.__module__ == "grpc"


def echo(request, context):
    if request == b"refuse":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    if request == b"raise":
        raise ValueError("a bug")
    return context.peer().split(":")[0].encode() if request == b"peer" else request


HANDLERS = {
    "echo": grpc.unary_unary_rpc_method_handler(echo),
    "count": grpc.unary_stream_rpc_method_handler(lambda request, context: iter([request] * 3)),
    "join": grpc.stream_unary_rpc_method_handler(lambda requests, context: b"".join(requests)),
    "echo_all": grpc.stream_stream_rpc_method_handler(lambda requests, context: requests),
}


@pytest.fixture
def serve():
    """Nothing but grpc in here: what stands there is whatever was instrumented and installed."""
    servers = []

    def start(handlers=HANDLERS, **arguments) -> str:
        server = grpc.server(futures.ThreadPoolExecutor(4), **arguments)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        servers.append(server)
        return f"127.0.0.1:{port}"

    yield start
    for server in servers:
        server.stop(None).wait()


@pytest.fixture
def channel(instrumented, serve):
    with grpc.insecure_channel(serve()) as channel:
        yield channel


def test_a_call_has_a_span_at_each_end_in_one_trace(channel, transport, ended):
    carrier = channel.unary_unary("/t.T/echo")(b"peer", timeout=SECONDS).decode()
    assert carrier == {"shm": "shm", "grpc": "ipv4"}[transport]
    client, server = ended.take(2)
    assert (client.kind, server.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert client.name == server.name == "/t.T/echo"
    assert server.attributes["rpc.service"] == "t.T"
    assert server.attributes["rpc.method"] == "echo"
    assert linked([client, server])
    assert server.parent.is_remote


def test_a_span_of_the_caller_is_the_parent_of_all(channel, ended):
    with trace.get_tracer("test").start_as_current_span("mine"):
        channel.unary_unary("/t.T/echo")(b"x", timeout=SECONDS, metadata=(("key", "value"),))
    spans = ended.take(3)
    assert [span.name for span in spans] == ["mine", "/t.T/echo", "/t.T/echo"]
    assert linked(spans)


def test_a_future_and_with_call_are_traced_too(channel, ended):
    assert channel.unary_unary("/t.T/echo").future(b"x", timeout=SECONDS).result(SECONDS) == b"x"
    assert linked(ended.take(2))
    assert channel.unary_unary("/t.T/echo").with_call(b"x", timeout=SECONDS)[0] == b"x"
    assert linked(ended.take(2))


def test_streams_are_traced_too(channel, ended):
    assert list(channel.unary_stream("/t.T/count")(b"x", timeout=SECONDS)) == [b"x"] * 3
    assert linked(ended.take(2))
    assert channel.stream_unary("/t.T/join")(iter([b"a", b"b"]), timeout=SECONDS) == b"ab"
    assert linked(ended.take(2))


@pytest.mark.parametrize(
    ("request_", "code"), [(b"refuse", grpc.StatusCode.NOT_FOUND), (b"raise", grpc.StatusCode.UNKNOWN)]
)
def test_a_failed_call_has_failed_spans(channel, ended, request_, code):
    with pytest.raises(grpc.RpcError):
        channel.unary_unary("/t.T/echo")(request_, timeout=SECONDS)
    client, server = ended.take(2)
    assert linked([client, server])
    assert client.status.status_code is StatusCode.ERROR
    assert client.attributes["rpc.grpc.status_code"] == code.value[0]
    if request_ == b"refuse":
        assert server.attributes["rpc.grpc.status_code"] == code.value[0]


def test_the_trace_goes_on_when_a_handler_calls_another_service(instrumented, serve, ended):
    inner = serve()
    with grpc.insecure_channel(inner) as onward:
        call = onward.unary_unary("/t.T/echo")
        handlers = {"relay": grpc.unary_unary_rpc_method_handler(lambda r, c: call(r, timeout=SECONDS))}
        with grpc.insecure_channel(serve(handlers)) as channel:
            assert channel.unary_unary("/t.T/relay")(b"x", timeout=SECONDS) == b"x"
    spans = ended.take(4)
    assert [span.name for span in spans] == ["/t.T/relay"] * 2 + ["/t.T/echo"] * 2
    assert linked(spans)


def test_interceptors_given_by_hand_do_the_same(transport, monkeypatch, ended):
    """The other way that its documentation names, without install()."""
    monkeypatch.setenv("SAGE_RPC_TRANSPORT", transport)
    server = sage_rpc.server(futures.ThreadPoolExecutor(2), interceptors=[server_interceptor()])
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", HANDLERS),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        traced = intercept_channel(channel, client_interceptor())
        assert traced.unary_unary("/t.T/echo")(b"x", timeout=SECONDS) == b"x"
        assert channel.transport == transport
    assert linked(ended.take(2))
    server.stop(None).wait()
