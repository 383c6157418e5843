"""grpcio-reflection's asyncio servicer, unmodified: clients learn our services from our asyncio server."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

import sage_rpc
from sage_rpc import aio
from tests.ecosystem.conftest import SECONDS, aio_serving
from tests.loops import in_loop

HEALTH = "grpc.health.v1.Health"


def register(server: aio.Server) -> None:
    health_pb2_grpc.add_HealthServicer_to_server(health.aio.HealthServicer(), server)
    reflection.enable_server_reflection((HEALTH, reflection.SERVICE_NAME), server)


@in_loop
async def test_an_asyncio_client_asks_for_names_and_files(transport):
    async with aio_serving(transport, register) as channel:
        ask = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(timeout=SECONDS)

        async def answer(**question: Any) -> reflection_pb2.ServerReflectionResponse:
            await ask.write(reflection_pb2.ServerReflectionRequest(**question))
            return await ask.read()

        listed = (await answer(list_services="")).list_services_response
        assert sorted(one.name for one in listed.service) == sorted([HEALTH, reflection.SERVICE_NAME])
        found = (await answer(file_containing_symbol=HEALTH)).file_descriptor_response
        assert FileDescriptorProto.FromString(found.file_descriptor_proto[0]).name == (
            health_pb2.DESCRIPTOR.name
        )
        unknown = await answer(file_containing_symbol="nobody.Knows")
        assert unknown.error_response.error_code == 5
        await ask.done_writing()
        assert await ask.read() is aio.EOF


@in_loop
async def test_the_threaded_reflection_client_asks_an_asyncio_server(transport):
    """It blocks, so it asks from a thread."""

    def learn(target: str) -> list[str]:
        options = [("sage_rpc.transport", transport)]
        with sage_rpc.insecure_channel(target, options=options) as channel:
            database = ProtoReflectionDescriptorDatabase(channel)
            assert database.FindFileContainingSymbol(HEALTH).name == health_pb2.DESCRIPTOR.name
            return sorted(database.get_services())

    async with aio_serving(transport, register) as channel:
        services = await asyncio.get_running_loop().run_in_executor(None, learn, channel._target)
        assert services == sorted([HEALTH, reflection.SERVICE_NAME])
