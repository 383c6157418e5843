"""Serializers and deserializers of both sides, and what happens when one fails.

Each is a function of one argument; whatever it raises, and None where a value is due, is INTERNAL.
"""

from __future__ import annotations

import json
import queue
import threading

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, WAYS, failure, ways
from tests.conformance.service import SECONDS, SERVICE, echo, handler_of

UNARY = [way for way in WAYS if way.kind == "unary_unary"]
FUTURES = [way for way in WAYS if way.style == "future"]


def raises(_value):
    raise ValueError("cannot")


def gives_none(_value):
    return None


bad = pytest.mark.parametrize("broken", [raises, gives_none], ids=["raises", "none"])


def to_json(value):
    return json.dumps(value).encode()


@pytest.fixture
def serialized(serve):
    """A function that gives an echo whose server has these serializers."""

    def start(way, *client, behaviour=None, may_hang=False, **server):
        handler = handler_of(way.kind, behaviour or echo(way.kind), **server)
        served = serve(registered={"m": handler})
        served.may_hang = may_hang
        return getattr(served.channel, way.kind)(f"/{SERVICE}/m", *client)

    return start


@ways()
def test_the_clients_serializer_and_deserializer_are_used(rpc, way):
    method = rpc.method(way.kind, echo(way.kind), lambda number: b"%d" % number, int)
    assert way.run(method, [42]).responses == [42]


@ways()
def test_the_servers_deserializer_and_serializer_are_used(serialized, way):
    method = serialized(
        way,
        behaviour={
            "unary_unary": lambda number, _: number + 1,
            "unary_stream": lambda number, _: iter([number + 1]),
            "stream_unary": lambda numbers, _: sum(numbers) + 1,
            "stream_stream": lambda numbers, _: (number + 1 for number in numbers),
        }[way.kind],
        request_deserializer=int,
        response_serializer=lambda number: b"%d" % number,
    )
    assert way.run(method, [b"41"]).responses == [b"42"]


@ways()
def test_objects_travel_as_both_sides_agree(serialized, way):
    behaviour = {
        "stream_unary": lambda values, _: next(values),
        "unary_unary": lambda value, _: value,
    }.get(way.kind)
    method = serialized(
        way, to_json, json.loads, behaviour=behaviour, request_deserializer=json.loads,
        response_serializer=to_json,
    )  # fmt: skip
    value = {"a": [1, None, "ü"], "b": {"c": 1.5}}
    assert way.run(method, [value]).responses == [value]


@ways()
@bad
def test_a_request_that_does_not_serialize_is_internal(rpc, way, broken):
    outcome = way.run(rpc.method(way.kind, echo(way.kind), broken, None))
    assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Exception serializing request!")


@ways([way for way in ASYNCHRONOUS if not way.request_streaming])
@bad
def test_an_only_request_that_does_not_serialize_is_raised_at_once(rpc, way, broken):
    with pytest.raises(grpc.RpcError) as caught:
        way.start(rpc.method(way.kind, echo(way.kind), broken, None))
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.INTERNAL, "Exception serializing request!",
    )  # fmt: skip


@ways()
@bad
def test_a_request_that_does_not_parse_is_internal(serialized, way, broken):
    outcome = way.run(serialized(way, request_deserializer=broken, may_hang=way.request_streaming))
    assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Exception deserializing request!")


@ways()
@bad
def test_a_response_that_does_not_serialize_is_internal(serialized, way, broken):
    outcome = way.run(serialized(way, response_serializer=broken))
    assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Failed to serialize response!")


@ways()
@bad
def test_a_response_that_does_not_parse_is_internal(rpc, way, broken):
    behaviour = echo(way.kind)
    if way.kind == "stream_stream":  # grpcio does not cancel the call: the handler must not wait for more
        behaviour = lambda requests, _: iter([next(requests)])
    outcome = way.run(rpc.method(way.kind, behaviour, None, broken))
    assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Exception deserializing response!")


@ways(FUTURES)
@bad
def test_code_alone_tells_that_a_response_does_not_parse(rpc, way, broken):
    call = way.start(rpc.method(way.kind, echo(way.kind), None, broken), timeout=SECONDS)
    assert (call.code(), call.details()) == (grpc.StatusCode.INTERNAL, "Exception deserializing response!")


@ways(FUTURES)
def test_exception_alone_tells_that_a_response_does_not_parse(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind), None, raises), timeout=SECONDS)
    assert call.exception(timeout=SECONDS).code() is grpc.StatusCode.INTERNAL


@ways(FUTURES)
def test_a_callback_is_told_that_a_response_does_not_parse(rpc, way):
    told = queue.SimpleQueue()
    call = way.start(rpc.method(way.kind, echo(way.kind), None, raises), timeout=SECONDS)
    call.add_done_callback(lambda future: told.put(future.code()))
    assert told.get(timeout=SECONDS) is grpc.StatusCode.INTERNAL


@ways(ASYNCHRONOUS)
def test_a_call_goes_on_after_one_that_did_not_serialize(rpc, way):
    name = rpc.name(way.kind, echo(way.kind))
    broken = getattr(rpc.channel, way.kind)(name, raises, None)
    good = getattr(rpc.channel, way.kind)(name)
    for _ in range(3):
        assert way.run(broken).error is not None
        assert way.run(good).responses == [b"request"]


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_the_handler_hears_of_a_request_that_did_not_serialize(rpc, kind):
    ended = rpc.event()

    def act(context):
        context.add_callback(ended.set)

    sent = iter([b"good", b"bad"])
    method = rpc.method(kind, echo(kind, act), lambda value: value if value == b"good" else None, None)
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    call = method.future(sent) if way.style == "future" else method(sent)
    assert failure(way.finish(call))[0] is grpc.StatusCode.INTERNAL
    # The second request may fail before the call reached the server, which then hears nothing.
    ended.wait(0.2)


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_the_handler_gets_the_requests_before_one_that_does_not_parse(serve, kind):
    got = []

    def parse(data):
        return int(data)

    def unary(requests, _context):
        got.extend(requests)
        return b""

    def stream(requests, _context):
        for request in requests:
            got.append(request)
            yield b"%d" % request

    behaviour = unary if kind == "stream_unary" else stream
    served = serve(registered={"m": handler_of(kind, behaviour, request_deserializer=parse)})
    served.may_hang = True
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    outcome = way.run(getattr(served.channel, kind)(f"/{SERVICE}/m"), [b"1", b"x", b"3"])
    assert failure(outcome)[0] is grpc.StatusCode.INTERNAL
    assert got in ([1], [])  # a list that is extended takes all or nothing


def test_a_deserializer_gets_bytes(rpc):
    types = []

    def look(data):
        types.append(type(data))
        return data

    rpc.unary_unary(echo("unary_unary"), None, look)(b"x", timeout=SECONDS)
    assert types == [bytes]


def test_the_response_of_a_future_is_parsed_once(rpc):
    parsed = []

    def parse(data):
        parsed.append(data)
        return int(data)

    future = rpc.unary_unary(echo("unary_unary"), None, parse).future(b"7", timeout=SECONDS)
    assert future.result(timeout=SECONDS) is future.result(timeout=SECONDS)
    assert future.code() is grpc.StatusCode.OK
    assert parsed == [b"7"]


def test_a_falsy_response_is_a_response(rpc):
    """Only None is no value: 0, "" and [] are what they are."""
    for value in (0, "", [], False):
        method = rpc.unary_unary(echo("unary_unary"), None, lambda _, value=value: value)
        assert method(b"", timeout=SECONDS) == value


def test_a_falsy_request_is_a_request(serve):
    seen = []

    def behave(request, _context):
        seen.append(request)
        return b""

    served = serve(registered={"m": handler_of("unary_unary", behave, request_deserializer=len)})
    served.channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS)
    assert seen == [0]


def test_requests_are_serialized_in_the_calling_thread(rpc):
    threads = []

    def look(value):
        threads.append(threading.get_ident())
        return value

    rpc.unary_unary(echo("unary_unary"), look, None)(b"x", timeout=SECONDS)
    assert threads == [threading.get_ident()]
