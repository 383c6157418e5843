"""grpcio-health-checking, unmodified: its servicer on our server, its stub on our channel."""

from __future__ import annotations

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.ecosystem.conftest import SECONDS

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


@pytest.fixture
def servicer() -> health.HealthServicer:
    return health.HealthServicer()


@pytest.fixture
def stub(serve, servicer) -> health_pb2_grpc.HealthStub:
    channel = serve(lambda server: health_pb2_grpc.add_HealthServicer_to_server(servicer, server), workers=2)
    return health_pb2_grpc.HealthStub(channel)


def about(service: str) -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)


def test_check_follows_what_is_set(stub, servicer):
    assert stub.Check(about(""), timeout=SECONDS).status == SERVING
    servicer.set("cache", NOT_SERVING)
    assert stub.Check(about("cache"), timeout=SECONDS).status == NOT_SERVING
    assert stub.Check.future(about("cache")).result(SECONDS).status == NOT_SERVING


def test_check_of_an_unknown_service_is_not_found(stub):
    with pytest.raises(grpc.RpcError) as caught:
        stub.Check(about("nobody"), timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_watch_tells_every_change(stub, servicer):
    watch = stub.Watch(about("cache"), timeout=SECONDS)
    seen = [next(watch).status]
    for status in (SERVING, NOT_SERVING, SERVING):
        servicer.set("cache", status)
        seen.append(next(watch).status)
    assert seen == [SERVICE_UNKNOWN, SERVING, NOT_SERVING, SERVING]
    watch.cancel()
    with pytest.raises(grpc.RpcError) as caught:
        next(watch)
    assert caught.value.code() is grpc.StatusCode.CANCELLED


def test_watches_hold_no_thread_of_the_pool(stub, servicer):
    """The servicer asks for it (experimental_non_blocking): eight watches beside a pool of two."""
    watches = [stub.Watch(about(""), timeout=SECONDS) for _ in range(8)]
    assert [next(watch).status for watch in watches] == [SERVING] * 8
    assert stub.Check(about(""), timeout=SECONDS).status == SERVING
    servicer.set("", NOT_SERVING)
    assert [next(watch).status for watch in watches] == [NOT_SERVING] * 8
    for watch in watches:
        watch.cancel()


def test_graceful_shutdown_reaches_those_who_watch(stub, servicer):
    watch = stub.Watch(about(""), timeout=SECONDS)
    assert next(watch).status == SERVING
    servicer.enter_graceful_shutdown()
    assert next(watch).status == NOT_SERVING
    servicer.set("", SERVING)  # too late
    assert stub.Check(about(""), timeout=SECONDS).status == NOT_SERVING
    watch.cancel()
