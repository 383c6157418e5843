"""grpcio-status, unmodified: google.rpc.Status with details from an asyncio handler to an asyncio client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import grpc
import pytest
from grpc_status import rpc_status

from sage_rpc import aio
from tests.ecosystem.conftest import SECONDS, aio_serving
from tests.ecosystem.test_rich_status import rich
from tests.loops import in_loop


async def refuse(request: Any, context: aio.ServicerContext) -> None:
    await context.abort_with_status(rpc_status.to_status(rich()))


async def refuse_later(request: bytes, context: aio.ServicerContext) -> AsyncIterator[bytes]:
    yield request
    await refuse(request, context)


async def inconsistent(request: bytes, context: aio.ServicerContext) -> None:
    context.set_trailing_metadata((("grpc-status-details-bin", rich().SerializeToString()),))
    await context.abort(grpc.StatusCode.NOT_FOUND, "plain")


async def echo(request: bytes, context: aio.ServicerContext) -> bytes:
    return request


HANDLERS = {
    "refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "refuse_later": grpc.unary_stream_rpc_method_handler(refuse_later),
    "refuse_all": grpc.stream_unary_rpc_method_handler(refuse),
    "inconsistent": grpc.unary_unary_rpc_method_handler(inconsistent),
    "echo": grpc.unary_unary_rpc_method_handler(echo),
}


def register(server: aio.Server) -> None:
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", HANDLERS),))


CALLS: dict[str, Callable[[aio.Channel], aio.Call]] = {
    "refuse": lambda channel: channel.unary_unary("/t.T/refuse")(b"x", timeout=SECONDS),
    "refuse_later": lambda channel: channel.unary_stream("/t.T/refuse_later")(b"x", timeout=SECONDS),
    "refuse_all": lambda channel: channel.stream_unary("/t.T/refuse_all")(iter([b"x"]), timeout=SECONDS),
}


@pytest.mark.parametrize("name", CALLS)
@in_loop
async def test_details_arrive_with_the_call_and_with_its_error(transport, name):
    async with aio_serving(transport, register) as channel:
        call = CALLS[name](channel)
        if name == "refuse_later":
            assert await call.read() == b"x"
        with pytest.raises(grpc.RpcError) as caught:
            await (call.read() if name == "refuse_later" else call)
        assert rpc_status.from_call(caught.value) == rich()
        assert await rpc_status.aio.from_call(call) == rich()


@in_loop
async def test_a_success_has_none(transport):
    async with aio_serving(transport, register) as channel:
        call = channel.unary_unary("/t.T/echo")(b"x", timeout=SECONDS)
        assert await call == b"x"
        assert await rpc_status.aio.from_call(call) is None


@in_loop
async def test_details_that_contradict_the_status_are_refused(transport):
    async with aio_serving(transport, register) as channel:
        call = channel.unary_unary("/t.T/inconsistent")(b"x", timeout=SECONDS)
        with pytest.raises(ValueError, match="doesn't match status code"):
            await rpc_status.aio.from_call(call)
