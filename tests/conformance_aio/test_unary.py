"""Unary calls: `UnaryUnaryMultiCallable`, and awaiting what it returns."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.service import SECONDS, echo


@pytest.mark.parametrize("size", [0, 1, 5, 1000, 65_536, 1 << 20, (4 << 20) - 1000])
async def test_a_message_of_any_size_comes_back_as_it_was(rpc, size):
    message = (bytes(range(251)) * (size // 251 + 1))[:size]
    assert await rpc.unary_unary(echo("unary_unary"))(message) == message


async def test_a_call_is_awaited_for_its_response(rpc):
    async def shout(request, _context):
        return request + b"!"

    assert await rpc.unary_unary(shout)(b"hello") == b"hello!"


async def test_a_call_is_made_at_once_and_awaited_later(rpc):
    """The multicallable is no coroutine function: the request is under way before anybody waits."""
    begun = rpc.event()
    call = rpc.unary_unary(echo("unary_unary", lambda _context: begun.set()))(b"request")
    await begun.wait()
    assert await call == b"request"


async def test_a_call_may_be_awaited_again(rpc):
    call = rpc.unary_unary(echo("unary_unary"))(b"request")
    assert [await call, await call] == [b"request", b"request"]


async def test_several_tasks_may_await_one_call(rpc):
    call = rpc.unary_unary(echo("unary_unary"))(b"request")

    async def wait():
        return await call

    assert await asyncio.gather(*(wait() for _ in range(5))) == [b"request"] * 5


async def test_calls_may_be_gathered(rpc):
    method = rpc.unary_unary(echo("unary_unary"))
    assert await asyncio.gather(*(method(b"%d" % i) for i in range(20))) == [b"%d" % i for i in range(20)]


async def test_a_call_is_a_unary_unary_call(rpc):
    call = rpc.unary_unary(echo("unary_unary"))(b"")
    for interface in (aio.UnaryUnaryCall, aio.Call, aio.RpcContext):
        assert isinstance(call, interface)
    await call


async def test_the_multicallable_is_a_unary_unary_multicallable(rpc):
    assert isinstance(rpc.unary_unary(echo("unary_unary")), aio.UnaryUnaryMultiCallable)


async def test_every_argument_may_be_given_by_name(rpc):
    call = rpc.unary_unary(echo("unary_unary"))(
        request=b"request",
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    assert await call == b"request"


async def test_only_the_request_may_be_given_by_position(rpc):
    with pytest.raises(TypeError):
        rpc.unary_unary(echo("unary_unary"))(b"request", SECONDS)


async def test_an_unknown_argument_is_a_type_error(rpc):
    with pytest.raises(TypeError):
        rpc.unary_unary(echo("unary_unary"))(b"request", time_out=1)


async def test_a_request_is_needed(rpc):
    with pytest.raises(TypeError):
        rpc.unary_unary(echo("unary_unary"))()


async def test_a_multicallable_is_used_again_and_again(rpc):
    method = rpc.unary_unary(echo("unary_unary"))
    for i in range(50):
        assert await method(b"%d" % i) == b"%d" % i


async def test_two_multicallables_of_one_method_are_the_same_method(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))
    assert await rpc.channel.unary_unary(name)(b"1") == await rpc.channel.unary_unary(name)(b"1") == b"1"


async def test_a_registered_method_is_called_like_any_other(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))
    assert await rpc.channel.unary_unary(name, _registered_method=True)(b"1") == b"1"


async def test_a_call_may_be_made_inside_a_handler(rpc):
    inner = rpc.unary_unary(echo("unary_unary"))

    async def behave(request, _context):
        return await inner(request + b" inner") + b" outer"

    assert await rpc.unary_unary(behave)(b"x") == b"x inner outer"


async def test_a_call_may_be_awaited_by_another_task_than_made_it(rpc):
    call = rpc.unary_unary(echo("unary_unary"))(b"request")

    async def wait():
        return await call

    assert await asyncio.create_task(wait()) == b"request"


async def test_calls_end_in_the_order_of_their_handlers(rpc):
    gate = rpc.event()

    async def behave(request, _context):
        if request == b"slow":
            await gate.wait()
        return request

    method = rpc.unary_unary(behave)
    slow, quick = method(b"slow"), method(b"quick")
    assert await quick == b"quick"
    assert not slow.done()
    gate.set()
    assert await slow == b"slow"
