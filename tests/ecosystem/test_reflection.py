"""grpcio-reflection, unmodified: a client that knows no .proto learns ours from the server and calls it."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from tests.ecosystem.conftest import SECONDS

HEALTH = "grpc.health.v1.Health"


def register(server) -> None:
    health_pb2_grpc.add_HealthServicer_to_server(health.HealthServicer(), server)
    reflection.enable_server_reflection((HEALTH, reflection.SERVICE_NAME), server)


@pytest.fixture
def channel(serve):
    return serve(register)


def test_services_are_listed(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    assert sorted(database.get_services()) == sorted([HEALTH, reflection.SERVICE_NAME])


def test_files_are_found_by_name_and_by_symbol(channel):
    database = ProtoReflectionDescriptorDatabase(channel)
    file = database.FindFileContainingSymbol(HEALTH)
    assert file.name == health_pb2.DESCRIPTOR.name
    assert database.FindFileByName(file.name) == file
    with pytest.raises(KeyError):
        database.FindFileContainingSymbol("nobody.Knows")


def test_a_client_without_a_proto_calls_what_it_learnt(channel):
    pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))  # not the pool of this process
    method = pool.FindServiceByName(HEALTH).methods_by_name["Check"]
    request, response = GetMessageClass(method.input_type), GetMessageClass(method.output_type)
    assert request is not health_pb2.HealthCheckRequest
    call = channel.unary_unary(f"/{HEALTH}/{method.name}", request.SerializeToString, response.FromString)
    answer = call(request(service=""), timeout=SECONDS)
    assert (
        answer.status
        == answer.DESCRIPTOR.enum_types_by_name["ServingStatus"].values_by_name["SERVING"].number
    )
