"""opentelemetry-instrumentation-grpc's asyncio half, unmodified: caller and handler in one trace.

With sage_rpc.install() the code under test knows nothing but grpc.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import pytest
from opentelemetry import trace
from opentelemetry.instrumentation.grpc import (
    GrpcAioInstrumentorClient,
    GrpcAioInstrumentorServer,
    aio_client_interceptors,
    aio_server_interceptor,
)
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind, StatusCode

import sage_rpc
from sage_rpc import aio
from tests.ecosystem.conftest import SECONDS, aio_serving
from tests.ecosystem.spans import Ended, exported, linked
from tests.loops import in_loop


@pytest.fixture
def ended() -> Ended:
    exported().clear()
    return exported()


@pytest.fixture
def instrumented(transport, monkeypatch) -> Iterator[None]:
    monkeypatch.setenv("SAGE_RPC_TRANSPORT", transport)
    sage_rpc.install()
    client, server = GrpcAioInstrumentorClient(), GrpcAioInstrumentorServer()
    client.instrument()
    server.instrument()
    yield
    server.uninstrument()
    client.uninstrument()
    sage_rpc.uninstall()
    assert grpc.aio.insecure_channel.__module__.startswith("grpc.aio")


async def echo(request, context):
    if request == b"refuse":
        await context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    if request == b"raise":
        raise ValueError("a bug")
    return context.peer().split(":")[0].encode() if request == b"peer" else request


async def count(request, context):
    for _ in range(3):
        yield request


async def join(requests, context):
    return b"".join([request async for request in requests])


async def echo_all(requests, context):
    async for request in requests:
        yield request


HANDLERS = {
    "echo": grpc.unary_unary_rpc_method_handler(echo),
    "count": grpc.unary_stream_rpc_method_handler(count),
    "join": grpc.stream_unary_rpc_method_handler(join),
    "echo_all": grpc.stream_stream_rpc_method_handler(echo_all),
}


@contextlib.asynccontextmanager
async def serving(handlers: Any = HANDLERS) -> AsyncIterator[Any]:
    """Nothing but grpc in here: what stands there is whatever was instrumented and installed."""
    server = grpc.aio.server()
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield channel
    await server.stop(None)


async def taken(ended: Ended, number: int) -> list[ReadableSpan]:
    """`number` spans; the loop goes on meanwhile."""
    return await asyncio.get_running_loop().run_in_executor(None, ended.take, number)


@in_loop
async def test_a_call_has_a_span_at_each_end_in_one_trace(instrumented, transport, ended):
    async with serving() as channel:
        carrier = (await channel.unary_unary("/t.T/echo")(b"peer", timeout=SECONDS)).decode()
        assert carrier == {"shm": "shm", "grpc": "ipv4"}[transport]
        client, server = await taken(ended, 2)
    assert (client.kind, server.kind) == (SpanKind.CLIENT, SpanKind.SERVER)
    assert client.name == server.name == "/t.T/echo"
    assert linked([client, server])
    assert server.parent.is_remote


@in_loop
async def test_a_span_of_the_caller_is_the_parent_of_all(instrumented, ended):
    async with serving() as channel:
        with trace.get_tracer("test").start_as_current_span("mine"):
            await channel.unary_unary("/t.T/echo")(b"x", timeout=SECONDS, metadata=(("key", "value"),))
        spans = await taken(ended, 3)
    assert [span.name for span in spans] == ["mine", "/t.T/echo", "/t.T/echo"]
    assert linked(spans)


@in_loop
async def test_streams_are_traced_too(instrumented, ended):
    async with serving() as channel:
        stream = channel.unary_stream("/t.T/count")(b"x", timeout=SECONDS)
        assert [response async for response in stream] == [b"x"] * 3
        assert linked(await taken(ended, 2))
        assert await channel.stream_unary("/t.T/join")(iter([b"a", b"b"]), timeout=SECONDS) == b"ab"
        assert linked(await taken(ended, 2))
        stream = channel.stream_stream("/t.T/echo_all")(iter([b"a", b"b"]), timeout=SECONDS)
        assert [response async for response in stream] == [b"a", b"b"]
        assert linked(await taken(ended, 2))


@pytest.mark.parametrize(
    ("request_", "code"), [(b"refuse", grpc.StatusCode.NOT_FOUND), (b"raise", grpc.StatusCode.UNKNOWN)]
)
@in_loop
async def test_a_failed_call_has_failed_spans(instrumented, ended, request_, code):
    async with serving() as channel:
        with pytest.raises(grpc.RpcError):
            await channel.unary_unary("/t.T/echo")(request_, timeout=SECONDS)
        client, server = await taken(ended, 2)
    assert linked([client, server])
    assert client.status.status_code is StatusCode.ERROR
    assert client.attributes["rpc.grpc.status_code"] == code.value[0]


@in_loop
async def test_concurrent_calls_do_not_mix_up_their_traces(instrumented, ended):
    tracer = trace.get_tracer("test")

    async def one(channel: Any, number: int) -> None:
        with tracer.start_as_current_span(f"mine {number}"):
            for _ in range(3):
                await channel.unary_unary("/t.T/echo")(b"%d" % number, timeout=SECONDS)

    async with serving() as channel:
        await asyncio.gather(*[one(channel, number) for number in range(10)])
        spans = await taken(ended, 10 * (1 + 3 * 2))
    traces: dict[int, list[str]] = {}
    for span in spans:
        traces.setdefault(span.context.trace_id, []).append(span.name)
    assert sorted(names[0] for names in traces.values()) == sorted(f"mine {number}" for number in range(10))
    assert {tuple(names[1:]) for names in traces.values()} == {("/t.T/echo",) * 6}


@in_loop
async def test_the_trace_goes_on_when_a_handler_calls_another_service(instrumented, ended):
    async with serving() as onward:

        async def relay(request: bytes, context: Any) -> bytes:
            return await onward.unary_unary("/t.T/echo")(request, timeout=SECONDS)

        async with serving({"relay": grpc.unary_unary_rpc_method_handler(relay)}) as channel:
            assert await channel.unary_unary("/t.T/relay")(b"x", timeout=SECONDS) == b"x"
        spans = await taken(ended, 4)
    assert [span.name for span in spans] == ["/t.T/relay"] * 2 + ["/t.T/echo"] * 2
    assert linked(spans)


@in_loop
async def test_interceptors_given_by_hand_do_the_same(transport, ended):
    """The other way that its documentation names, without install()."""
    generic = grpc.method_handlers_generic_handler("t.T", HANDLERS)
    register = lambda server: server.add_generic_rpc_handlers((generic,))
    async with aio_serving(transport, register, interceptors=[aio_server_interceptor()]) as plain:
        options = [("sage_rpc.transport", transport)]
        interceptors = aio_client_interceptors()
        async with aio.insecure_channel(plain._target, options, interceptors=interceptors) as channel:
            assert await channel.unary_unary("/t.T/echo")(b"x", timeout=SECONDS) == b"x"
            assert channel.transport == transport
        assert linked(await taken(ended, 2))
