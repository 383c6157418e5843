"""grpcio-health-checking's asyncio servicer, unmodified, on our asyncio server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from tests.ecosystem.conftest import SECONDS, aio_serving
from tests.loops import in_loop

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


def about(service: str) -> health_pb2.HealthCheckRequest:
    return health_pb2.HealthCheckRequest(service=service)


@contextlib.asynccontextmanager
async def serving(
    transport: str,
) -> AsyncIterator[tuple[health_pb2_grpc.HealthStub, health.aio.HealthServicer]]:
    servicer = health.aio.HealthServicer()
    register = lambda server: health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    async with aio_serving(transport, register) as channel:
        yield health_pb2_grpc.HealthStub(channel), servicer


@in_loop
async def test_check_follows_what_is_set(transport):
    async with serving(transport) as (stub, servicer):
        assert (await stub.Check(about(""), timeout=SECONDS)).status == SERVING
        await servicer.set("cache", NOT_SERVING)
        assert (await stub.Check(about("cache"), timeout=SECONDS)).status == NOT_SERVING


@in_loop
async def test_check_of_an_unknown_service_is_not_found(transport):
    async with serving(transport) as (stub, _):
        with pytest.raises(grpc.RpcError) as caught:
            await stub.Check(about("nobody"), timeout=SECONDS)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@in_loop
async def test_watch_tells_every_change(transport):
    async with serving(transport) as (stub, servicer):
        watch = stub.Watch(about("cache"), timeout=SECONDS)
        seen = [(await watch.read()).status]
        for status in (SERVING, NOT_SERVING, SERVING):
            await servicer.set("cache", status)
            seen.append((await watch.read()).status)
        assert seen == [SERVICE_UNKNOWN, SERVING, NOT_SERVING, SERVING]
        watch.cancel()
        with pytest.raises(asyncio.CancelledError):
            await watch.read()


@in_loop
async def test_many_watch_at_a_time_and_a_shutdown_reaches_them(transport):
    async with serving(transport) as (stub, servicer):
        watches = [stub.Watch(about(""), timeout=SECONDS) for _ in range(50)]
        assert {(await watch.read()).status for watch in watches} == {SERVING}
        await servicer.enter_graceful_shutdown()
        assert {(await watch.read()).status for watch in watches} == {NOT_SERVING}
        await servicer.set("", SERVING)  # too late
        assert (await stub.Check(about(""), timeout=SECONDS)).status == NOT_SERVING
