"""The names and signatures of `grpc.aio`, and generated code, which knows nothing else."""

from __future__ import annotations

import inspect
import weakref
from unittest import mock

import grpc
import pytest
from grpc import aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.conformance_aio.invocation import BY_KIND, every_kind
from tests.conformance_aio.service import echo
from tests.interop import interop_pb2, interop_pb2_grpc

MADE = ["insecure_channel", "secure_channel", "server"]


def parameters(function):
    """Names, kinds and defaults of the parameters."""
    return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]


def test_the_module_has_every_name(column):
    assert [name for name in aio.__all__ if not hasattr(column.module, name)] == []
    assert set(aio.__all__) <= set(column.module.__all__)


def test_what_the_module_does_not_make_is_grpcs_own(column):
    """`except grpc.aio.AioRpcError` and `isinstance(call, grpc.aio.Call)` are in programs already."""
    for name in set(aio.__all__) - set(MADE):
        ours, theirs = getattr(column.module, name), getattr(aio, name)
        assert ours is theirs or (inspect.isclass(ours) and issubclass(ours, theirs)), name


@pytest.mark.parametrize("name", MADE)
def test_what_the_module_makes_has_the_signature_of_grpcs(column, name):
    assert parameters(getattr(column.module, name)) == parameters(getattr(aio, name))


async def test_the_methods_of_a_channel_have_the_signatures_of_grpcs(column):
    async with column.channel("localhost:1") as channel:
        for name in (name for name in dir(aio.Channel) if not name.startswith("_")):
            assert parameters(getattr(channel, name)) == parameters(getattr(aio.Channel, name))[1:], name


async def test_the_methods_of_a_server_have_the_parameters_of_grpcs(column):
    server = column.server()
    for method in (name for name in dir(aio.Server) if not name.startswith("_")):
        names = [name for name, *_ in parameters(getattr(server, method))]
        assert names == [name for name, *_ in parameters(getattr(aio.Server, method))][1:], method


# -- generated code


class Servicer(interop_pb2_grpc.TestServiceServicer):
    """One method of each kind."""

    async def UnaryCall(self, request, context):
        return interop_pb2.SimpleResponse(payload=request.payload)

    async def StreamingOutputCall(self, request, context):
        for parameters in request.response_parameters:
            payload = interop_pb2.Payload(body=bytes(parameters.size))
            yield interop_pb2.StreamingOutputCallResponse(payload=payload)

    async def StreamingInputCall(self, request_iterator, context):
        sizes = [len(request.payload.body) async for request in request_iterator]
        return interop_pb2.StreamingInputCallResponse(aggregated_payload_size=sum(sizes))

    async def FullDuplexCall(self, request_iterator, context):
        async for request in request_iterator:
            yield interop_pb2.StreamingOutputCallResponse(payload=request.payload)


@pytest.fixture
def connected(event_loop, column):
    """A function that serves what `add(server)` adds. -> the channel to it"""
    started = []

    async def start(add):
        server = column.server()
        add(server)
        port = server.add_insecure_port("localhost:0")
        await server.start()
        started.extend((column.channel(f"localhost:{port}"), server))
        return started[0]

    async def stop():
        await started[0].close()
        await started[1].stop(None)

    yield start
    event_loop.run_until_complete(stop())


@pytest.fixture
def stub(event_loop, connected):
    add = lambda server: interop_pb2_grpc.add_TestServiceServicer_to_server(Servicer(), server)
    return interop_pb2_grpc.TestServiceStub(event_loop.run_until_complete(connected(add)))


def message_of(kind, body):
    return kind(payload=interop_pb2.Payload(body=body))


async def test_a_generated_stub_makes_unary_calls(stub):
    response = await stub.UnaryCall(message_of(interop_pb2.SimpleRequest, b"x"))
    assert response.payload.body == b"x"


async def test_a_generated_stub_takes_streams(stub):
    sizes = [1, 2, 3]
    parameters = [interop_pb2.ResponseParameters(size=size) for size in sizes]
    call = stub.StreamingOutputCall(interop_pb2.StreamingOutputCallRequest(response_parameters=parameters))
    assert [len(response.payload.body) async for response in call] == sizes


async def test_a_generated_stub_sends_streams(stub):
    requests = (message_of(interop_pb2.StreamingInputCallRequest, bytes(size)) for size in (1, 2, 3))
    assert (await stub.StreamingInputCall(requests)).aggregated_payload_size == 6


async def test_a_generated_stub_exchanges_streams(stub):
    call = stub.FullDuplexCall()
    for body in (b"1", b"2"):
        await call.write(message_of(interop_pb2.StreamingOutputCallRequest, body))
        assert (await call.read()).payload.body == body
    await call.done_writing()
    assert await call.read() is aio.EOF


async def test_a_method_that_a_servicer_leaves_out_is_unimplemented(stub):
    with pytest.raises(aio.AioRpcError) as caught:
        await stub.EmptyCall(interop_pb2.Empty())
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_the_health_service_of_grpc_serves(connected):
    """It is written for `grpc.aio`, by others than us."""
    servicer = health.aio.HealthServicer()
    channel = await connected(lambda server: health_pb2_grpc.add_HealthServicer_to_server(servicer, server))
    stub, request = health_pb2_grpc.HealthStub(channel), health_pb2.HealthCheckRequest(service="one")
    await servicer.set("one", health_pb2.HealthCheckResponse.SERVING)
    assert (await stub.Check(request)).status == health_pb2.HealthCheckResponse.SERVING
    watch = stub.Watch(request)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.SERVING
    await servicer.set("one", health_pb2.HealthCheckResponse.NOT_SERVING)
    assert (await watch.read()).status == health_pb2.HealthCheckResponse.NOT_SERVING
    watch.cancel()


@every_kind
async def test_multicallables_and_calls_take_attributes_and_weak_references(column, rpc, kind):
    """On a channel that is connected, where ours have calls of their own for unary ones."""
    async with column.channel(rpc.target) as channel:
        method = getattr(channel, kind)(rpc.name(kind, echo(kind)))
        await BY_KIND[kind].run(method)
        call = BY_KIND[kind].start(method)
        for thing in (channel, method, call):
            thing.mine = "kept"
            assert vars(thing)["mine"] == "kept"
            assert weakref.ref(thing)() is thing
        await BY_KIND[kind].finish(call)
        assert call.mine == "kept"


async def test_the_signature_of_a_unary_method_is_grpc_aios(column, rpc):
    async with column.channel(rpc.target) as channel:
        method = channel.unary_unary(rpc.name("unary_unary", echo("unary_unary")))
        found = inspect.signature(method).parameters.values()
        names = ["request", "timeout", "metadata", "credentials", "wait_for_ready", "compression"]
        assert [parameter.name for parameter in found] == names
        assert [parameter.kind for parameter in found][1:] == [inspect.Parameter.KEYWORD_ONLY] * 5
        with mock.patch.object(type(method), "__call__", return_value="patched"):
            assert method(b"x") == "patched"
        assert await method(b"x") == b"x"
        assert isinstance(method, aio.UnaryUnaryMultiCallable)
