"""Serializers and deserializers of both sides, request iterators, and what happens when they raise."""

from __future__ import annotations

import asyncio
import contextlib
import json

import grpc
import pytest

from tests.conformance_aio.invocation import BY_KIND, EVERY_WAY, WAYS, either_kind, every_kind, failure, ways
from tests.conformance_aio.service import STYLES, Blocked, echo

REQUEST_STREAMING = [way for way in EVERY_WAY if way.request_streaming]
encode, decode = (lambda text: text.encode()), (lambda data: data.decode())


def broken(_value):
    raise ValueError("does not serialize")


async def ends(way, call):
    """How the user of a call gets to see its end, whatever it is."""
    try:
        await way.take(call, [])
    except (Exception, asyncio.CancelledError) as error:
        return error


@ways()
async def test_the_clients_serializers_translate(rpc, way):
    method = rpc.method(way.kind, echo(way.kind), encode, decode)
    assert (await way.run(method, ["größer"])).responses == ["größer"]


@pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)
async def test_the_servers_serializers_translate(rpc, kind, style):
    seen = []

    async def behave(request, context):
        seen.append(request)
        return {"answer": request}

    async def by_context(requests, context):
        if kind == "stream_unary":
            seen.append(await context.read())
            return {"answer": seen[0]}
        seen.append(await context.read() if kind == "stream_stream" else requests)
        await context.write({"answer": seen[0]})
        return None

    async def by_iterator(requests, _context):
        seen.append(await anext(aiter(requests)) if kind == "stream_stream" else requests)
        yield {"answer": seen[0]}

    async def many(requests, _context):
        seen.append(await anext(aiter(requests)))
        return {"answer": seen[0]}

    handlers = {"unary_unary": behave, "stream_unary": many}
    chosen = by_context if style == "context" else handlers.get(kind, by_iterator)
    name = rpc.name(
        kind, chosen, request_deserializer=json.loads, response_serializer=lambda v: json.dumps(v).encode()
    )
    outcome = await BY_KIND[kind].run(getattr(rpc.channel, kind)(name), [b"[1, 2]"])
    assert seen == [[1, 2]]
    assert json.loads(outcome.responses[0]) == {"answer": [1, 2]}


@every_kind
async def test_a_serializer_runs_once_for_each_message(rpc, kind):
    serialized, deserialized = [], []

    def serialize(message):
        serialized.append(message)
        return message

    def deserialize(message):
        deserialized.append(message)
        return message

    await BY_KIND[kind].run(rpc.method(kind, echo(kind), serialize, deserialize))
    assert serialized == deserialized == [b"request"]


@either_kind
async def test_a_response_may_be_deserialized_to_anything_true_or_false(rpc, kind):
    for value in (0, "", [], False):
        method = rpc.method(kind, echo(kind), None, lambda _data, value=value: value)
        assert (await BY_KIND[kind].run(method)).responses == [value]


@ways()
async def test_a_request_serializer_that_raises_lets_nobody_wait(rpc, way):
    """Whatever becomes of the call, it ends, and the channel goes on."""
    await ends(way, way.start(rpc.method(way.kind, echo(way.kind), broken, None)))
    assert (await way.run(rpc.method(way.kind, echo(way.kind)))).responses == [b"request"]


@ways()
async def test_a_response_deserializer_that_raises_lets_nobody_wait(rpc, way):
    await ends(way, way.start(rpc.method(way.kind, echo(way.kind), None, broken)))
    assert (await way.run(rpc.method(way.kind, echo(way.kind)))).responses == [b"request"]


@ways()
async def test_a_response_that_does_not_parse_is_no_response(rpc, way):
    """The bytes that came are not passed off as the message."""
    call, responses = way.start(rpc.method(way.kind, echo(way.kind), None, broken)), []
    with contextlib.suppress(Exception):
        await way.take(call, responses)
    assert responses in ([], [None])


@every_kind
async def test_a_request_deserializer_of_the_server_that_raises_fails_the_call(rpc, kind):
    called = []
    name = rpc.name(kind, echo(kind, lambda _context: called.append(1)), request_deserializer=broken)
    outcome = await BY_KIND[kind].run(getattr(rpc.channel, kind)(name))
    assert failure(outcome)[0] in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}
    if kind.startswith("unary"):
        assert called == []


@every_kind
async def test_a_response_serializer_of_the_server_that_raises_fails_the_call(rpc, kind):
    name = rpc.name(kind, echo(kind), response_serializer=broken)
    outcome = await BY_KIND[kind].run(getattr(rpc.channel, kind)(name))
    assert failure(outcome)[0] in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}
    assert outcome.responses == []


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
async def test_the_response_of_a_call_that_failed_is_not_serialized(rpc, kind):
    """The handler set a code: what it returns is of no use, and may be None."""

    async def behave(_requests, context):
        context.set_code(grpc.StatusCode.NOT_FOUND)

    name = rpc.name(kind, behave, response_serializer=broken)
    outcome = await BY_KIND[kind].run(getattr(rpc.channel, kind)(name))
    assert failure(outcome)[0] is grpc.StatusCode.NOT_FOUND


# -- request iterators


@pytest.mark.parametrize("way", [way for way in REQUEST_STREAMING if way.requests != "write"], ids=str)
@pytest.mark.parametrize("before", [0, 5])
async def test_a_request_iterator_that_raises_cancels_the_call(rpc, way, before):
    def requests():
        for i in range(before):
            yield b"%d" % i
        raise ValueError("no more")

    call = way.start(rpc.method(way.kind, echo(way.kind)), requests())
    assert isinstance(await ends(way, call), asyncio.CancelledError)
    assert call.cancelled()


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_the_handler_hears_that_a_request_iterator_raised(rpc, kind):
    blocked = Blocked(rpc, kind)

    async def requests():
        await blocked.wait_begun()
        raise ValueError("no more")
        yield b"never"

    call = blocked.method(requests())
    await call.code()
    await blocked.ended.wait()


@pytest.mark.parametrize("what", [5, object(), 5.0], ids=["int", "object", "float"])
@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_requests_that_do_not_iterate_end_the_call(rpc, kind, what):
    call = rpc.method(kind, echo(kind))(what)
    assert await ends(BY_KIND[kind], call) is not None
    assert await call.code() is not grpc.StatusCode.OK


@pytest.mark.parametrize("way", [way for way in WAYS if way.requests != "write"], ids=str)
@pytest.mark.parametrize("request_", ["text", 5], ids=repr)
async def test_a_request_that_is_no_bytes_without_a_serializer_ends_the_call(rpc, way, request_):
    call = way.start(rpc.method(way.kind, echo(way.kind)), [request_])
    assert isinstance(await ends(way, call), (TypeError, asyncio.CancelledError))
    call.cancel()


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
@pytest.mark.parametrize("request_", ["text", 5], ids=repr)
async def test_writing_what_is_no_bytes_without_a_serializer_is_a_type_error(rpc, kind, request_):
    call = rpc.method(kind, echo(kind))()
    with pytest.raises(TypeError):
        await call.write(request_)
    call.cancel()


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_request_iterator_is_drawn_from_in_the_loop_of_the_call(rpc, kind):
    loops = []

    async def requests():
        loops.append(asyncio.get_running_loop())
        yield b"1"

    call = rpc.method(kind, echo(kind))(requests())
    await BY_KIND[kind].finish(call)
    assert loops == [asyncio.get_running_loop()]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
async def test_a_request_iterator_may_make_calls_of_its_own(rpc, kind):
    other = rpc.unary_unary(echo("unary_unary"))

    async def requests():
        for i in range(3):
            yield await other(b"%d" % i)

    responses = []
    await BY_KIND[kind].take(rpc.method(kind, echo(kind))(requests()), responses)
    assert b"".join(responses) == b"012"
