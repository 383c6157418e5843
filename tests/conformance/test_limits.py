"""Limits of messages and of metadata: `grpc.max_receive_message_length` and its relatives."""

from __future__ import annotations

import threading
from concurrent import futures

import grpc
import pytest

import sage_rpc
from tests.conformance.invocation import ASYNCHRONOUS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of

LIMIT = 1000
UNARY_FUTURE = [way for way in ASYNCHRONOUS if way.kind == "unary_unary"]
WHERE = {
    "the server receives": ("options", "grpc.max_receive_message_length", "SERVER: Received"),
    "the server sends": ("options", "grpc.max_send_message_length", "SERVER: Sent"),
    "the client receives": ("channel_options", "grpc.max_receive_message_length", "CLIENT: Received"),
    "the client sends": ("channel_options", "grpc.max_send_message_length", "CLIENT: Sent"),
}
everywhere = pytest.mark.parametrize("where", WHERE)
HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}


@pytest.fixture
def limited(serve):
    """A function that gives the multicallable of an echo, with options of the server and of the channel."""

    def start(way, **options):
        return getattr(serve(registered=HANDLERS, **options).channel, way.kind)(f"/{SERVICE}/{way.kind}")

    return start


@ways(ASYNCHRONOUS)
@everywhere
def test_a_message_over_a_limit_is_resource_exhausted(limited, way, where):
    side, option, text = WHERE[where]
    code, details = failure(way.run(limited(way, **{side: [(option, LIMIT)]}), [bytes(LIMIT + 1)]))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert f"{text} message larger than max ({LIMIT + 1} vs. {LIMIT})" in details


@ways(ASYNCHRONOUS)
@everywhere
def test_a_message_of_the_limit_passes(limited, way, where):
    side, option, _ = WHERE[where]
    outcome = way.run(limited(way, **{side: [(option, LIMIT)]}), [bytes(LIMIT)])
    assert outcome.responses == [bytes(LIMIT)]


@everywhere
@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
def test_a_message_over_a_limit_harms_no_other_call(limited, where, kind):
    side, option, _ = WHERE[where]
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    method = limited(way, **{side: [(option, LIMIT)]})
    for _ in range(3):
        assert way.run(method, [bytes(LIMIT + 1)]).error is not None
        assert way.run(method, [b"x"]).responses == [b"x"]


@ways()
def test_four_mebibytes_are_the_default_limit_of_what_is_received(limited, way):
    code, details = failure(way.run(limited(way), [bytes((4 << 20) + 1)]))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "larger than max (4194305 vs. 4194304)" in details


@ways(ASYNCHRONOUS)
def test_minus_one_is_no_limit(limited, way):
    unlimited = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    message = bytes(9 << 20)
    outcome = way.run(limited(way, options=unlimited, channel_options=unlimited), [message])
    assert outcome.error is None
    assert outcome.responses == [message]


@ways(ASYNCHRONOUS)
def test_zero_is_a_limit(limited, way):
    method = limited(way, options=[("grpc.max_receive_message_length", 0)])
    assert failure(way.run(method, [b"x"]))[0] is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert way.run(method, [b""]).error is None


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_the_limit_is_of_one_message_not_of_the_stream(limited, kind):
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    method = limited(way, options=[("grpc.max_receive_message_length", LIMIT)])
    outcome = way.run(method, [bytes(LIMIT)] * 20)
    assert b"".join(outcome.responses) == bytes(20 * LIMIT)


def test_the_messages_before_one_that_is_too_large_arrive(serve):
    def behave(_request, _context):
        yield b"small"
        yield bytes(LIMIT + 1)

    served = serve(
        registered={"m": handler_of("unary_stream", behave)},
        channel_options=[("grpc.max_receive_message_length", LIMIT)],
    )
    call = served.channel.unary_stream(f"/{SERVICE}/m")(b"", timeout=SECONDS)
    assert next(call) == b"small"
    with pytest.raises(grpc.RpcError):
        next(call)
    assert call.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


def test_the_server_is_told_that_its_response_was_too_large(serve):
    """The call has ended for the handler too: it does not stay active."""
    ended = threading.Event()

    def behave(_request, context):
        context.add_callback(ended.set)
        while context.is_active():
            yield bytes(LIMIT + 1)

    served = serve(
        registered={"m": handler_of("unary_stream", behave)},
        channel_options=[("grpc.max_receive_message_length", LIMIT)],
    )
    with pytest.raises(grpc.RpcError):
        list(served.channel.unary_stream(f"/{SERVICE}/m")(b"", timeout=SECONDS))
    assert ended.wait(SECONDS)


# -- metadata: gRPC rejects at random between the soft limit of 8 KiB and the hard one of 16 KiB


@ways()
def test_metadata_of_four_kibibytes_passes(limited, way):
    assert way.run(limited(way), metadata=(("key", "v" * 4096),)).error is None


@ways()
def test_metadata_over_sixteen_kibibytes_is_resource_exhausted(limited, way):
    code, details = failure(way.run(limited(way), metadata=(("key", "v" * 20_000),)))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "metadata size exceeds hard limit" in details


@ways()
def test_metadata_of_a_mebibyte_is_resource_exhausted(limited, way):
    method = limited(way)
    assert failure(way.run(method, metadata=(("key", "v" * (1 << 20)),)))[0] is (
        grpc.StatusCode.RESOURCE_EXHAUSTED
    )
    assert way.run(method).error is None


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("which", ["send_initial_metadata", "set_trailing_metadata"])
def test_metadata_of_the_response_over_sixteen_kibibytes_is_resource_exhausted(rpc, way, which):
    act = lambda context: getattr(context, which)((("key", "v" * 20_000),))
    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act))))[0] is (
        grpc.StatusCode.RESOURCE_EXHAUSTED
    )


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("which", ["send_initial_metadata", "set_trailing_metadata"])
def test_metadata_of_the_response_of_a_mebibyte_is_resource_exhausted(rpc, way, which):
    act = lambda context: getattr(context, which)((("key", "v" * (1 << 20)),))
    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act)), timeout=1))[0] is (
        grpc.StatusCode.RESOURCE_EXHAUSTED
    )


@ways(ASYNCHRONOUS)
def test_a_larger_limit_of_metadata_may_be_set(limited, way):
    larger = [("grpc.max_metadata_size", 1 << 16), ("grpc.absolute_max_metadata_size", 1 << 17)]
    method = limited(way, options=larger, channel_options=larger)
    assert way.run(method, metadata=(("key", "v" * 50_000),)).error is None


# -- options


@pytest.mark.parametrize("side", ["channel", "server"])
@pytest.mark.parametrize(
    "options",
    [[], (), [("grpc.enable_retries", 0)], (("grpc.keepalive_time_ms", 60_000),), [("unknown.option", 1)],
     [("unknown.option", "text")], [("grpc.primary_user_agent", b"bytes")]],
    ids=str,
)  # fmt: skip
def test_options_of_any_name_are_taken(column, side, options):
    if side == "channel":
        column.channel("localhost:1", options).close()
    else:
        assert column.server(futures.ThreadPoolExecutor(1), options=options)


@pytest.mark.parametrize("side", ["channel", "server"])
@pytest.mark.parametrize("option", ["name", "value", "no value", "pair", "no pair", "too large"])
def test_options_of_the_wrong_type_are_an_error(column, side, option):
    bad = {
        "name": (5, 5), "value": ("unknown.option", object()), "no value": ("unknown.option", None),
        "pair": ("unknown.option",), "no pair": 5, "too large": ("unknown.option", 1 << 31),
    }[option]  # fmt: skip
    make = {
        "channel": lambda: column.channel("localhost:1", [bad]),
        "server": lambda: column.server(futures.ThreadPoolExecutor(1), options=[bad]),
    }
    with pytest.raises((TypeError, ValueError, OverflowError)):
        make[side]()


@pytest.mark.parametrize("side", ["channel", "server"])
@pytest.mark.parametrize("value", ["a number, in words", b"bytes"], ids=repr)
def test_a_limit_that_is_no_number_limits_nothing(serve, side, value):
    options = [("grpc.max_receive_message_length", value)]
    arguments = {"channel_options": options} if side == "channel" else {"options": options}
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary"))}, **arguments)
    message = bytes(100_000)
    assert served.channel.unary_unary(f"/{SERVICE}/m")(message, timeout=SECONDS) == message


def test_options_may_be_any_iterable(column, serve):
    served = serve(registered={"m": handler_of("unary_unary", echo("unary_unary"))})
    create = sage_rpc.insecure_channel if column.is_ours else grpc.insecure_channel
    limit = ("grpc.max_receive_message_length", 10)
    with create(served.target, iter(column.options([limit]))) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{SERVICE}/m")(bytes(11), timeout=SECONDS)
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
