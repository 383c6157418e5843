"""grpc-interceptor's asyncio interceptors, unmodified, on our asyncio server; all kinds of calls."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_interceptor import AsyncExceptionToStatusInterceptor, AsyncServerInterceptor
from grpc_interceptor.exceptions import NotFound

from sage_rpc import aio
from tests.ecosystem.conftest import SECONDS, aio_serving
from tests.loops import in_loop

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Recorder(AsyncServerInterceptor):
    def __init__(self) -> None:
        self.seen: list[tuple[str, Any, str]] = []

    async def intercept(self, method, request_or_iterator, context, method_name):
        token = dict(context.invocation_metadata()).get("token")
        self.seen.append((method_name, token, context.peer()))
        response = method(request_or_iterator, context)
        return response if hasattr(response, "__aiter__") else await response


async def unary(request, context):
    if request.value == "missing":
        raise NotFound("no such thing")
    return request


async def count(request, context):
    for _ in range(2):
        yield request


async def join(requests, context):
    return StringValue(value="".join([request.value async for request in requests]))


async def echo(requests, context):
    async for request in requests:
        yield request


async def fail_later(request, context):
    yield request
    raise NotFound("no such thing")


BOTH = (StringValue.FromString, StringValue.SerializeToString)
HANDLERS = {
    "unary_unary": grpc.unary_unary_rpc_method_handler(unary, *BOTH),
    "unary_stream": grpc.unary_stream_rpc_method_handler(count, *BOTH),
    "stream_unary": grpc.stream_unary_rpc_method_handler(join, *BOTH),
    "stream_stream": grpc.stream_stream_rpc_method_handler(echo, *BOTH),
    "fail_later": grpc.unary_stream_rpc_method_handler(fail_later, *BOTH),
}
A = StringValue(value="a")


@contextlib.asynccontextmanager
async def serving(transport: str) -> AsyncIterator[tuple[aio.Channel, Recorder]]:
    recorder = Recorder()
    generic = grpc.method_handlers_generic_handler("t.T", HANDLERS)
    interceptors = [recorder, AsyncExceptionToStatusInterceptor()]
    register = lambda server: server.add_generic_rpc_handlers((generic,))
    async with aio_serving(transport, register, interceptors=interceptors) as channel:
        yield channel, recorder


def method(channel: aio.Channel, kind: str, name: str | None = None) -> Any:
    return getattr(channel, kind)(
        f"/t.T/{name or kind}", StringValue.SerializeToString, StringValue.FromString
    )


@pytest.mark.parametrize("kind", KINDS)
@in_loop
async def test_interceptors_see_every_kind(transport, carried, kind):
    async with serving(transport) as (channel, recorder):
        request = iter([A, A]) if kind.startswith("stream") else A
        call = method(channel, kind)(request, timeout=SECONDS, metadata=(("token", "secret"),))
        if kind.endswith("stream"):
            assert [response.value async for response in call] == ["a", "a"]
        else:
            assert (await call).value == ("a" if kind == "unary_unary" else "aa")
        ((name, token, peer),) = recorder.seen
        assert (name, token) == (f"/t.T/{kind}", "secret")
        assert carried(peer)


@in_loop
async def test_an_exception_becomes_its_status(transport):
    async with serving(transport) as (channel, _):
        with pytest.raises(grpc.RpcError) as caught:
            await method(channel, "unary_unary")(StringValue(value="missing"), timeout=SECONDS)
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND
        assert caught.value.details() == "no such thing"


@in_loop
async def test_an_exception_in_a_stream_becomes_its_status(transport):
    async with serving(transport) as (channel, _):
        stream = method(channel, "unary_stream", "fail_later")(A, timeout=SECONDS)
        assert await stream.read() == A
        with pytest.raises(grpc.RpcError) as caught:
            await stream.read()
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


@in_loop
async def test_a_method_that_is_not_there_stays_unimplemented(transport):
    async with serving(transport) as (channel, recorder):
        with pytest.raises(grpc.RpcError) as caught:
            await channel.unary_unary("/t.T/nothing")(b"", timeout=SECONDS)
        assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED
        assert recorder.seen == []
