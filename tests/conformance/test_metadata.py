"""Metadata in both directions: what is sent is what arrives, in order, text and binary."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, WAYS, ways
from tests.conformance.service import SECONDS, echo

VALUES = [
    ("key", "value"),
    ("key", ""),
    ("key", "with space, comma; and = sign"),
    ("key", "~!@#$%^&*()"),
    ("a-key_with.every-character_0123456789", "x"),
    ("key-bin", b""),
    ("key-bin", b"\x00"),
    ("key-bin", bytes(range(256))),
    ("key-bin", b"\xff\xfe,\x00"),
    ("key", "v" * 2000),
]
values = pytest.mark.parametrize(
    "pair", VALUES, ids=lambda pair: f"{pair[0][:7]}-{len(pair[1])}-{pair[1][:4]!r}"
)


def received(call_metadata, sent):
    """Of metadata that arrived, what the test sent: a transport may add some of its own."""
    keys = {key for key, _ in sent}
    return [tuple(pair) for pair in call_metadata if pair[0] in keys]


MAKE = {
    "tuple": tuple,
    "list": list,
    "iterator": iter,
    "generator": lambda pairs: (pair for pair in pairs),
    "lists": lambda pairs: [list(pair) for pair in pairs],
}


@ways(ASYNCHRONOUS)
@values
def test_the_handler_sees_what_was_sent(rpc, way, pair):
    seen = []
    method = rpc.method(way.kind, echo(way.kind, lambda context: seen.extend(context.invocation_metadata())))
    assert way.run(method, metadata=(pair,)).error is None
    assert received(seen, [pair]) == [pair]


@ways(ASYNCHRONOUS)
@values
def test_the_caller_sees_initial_metadata(rpc, way, pair):
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.send_initial_metadata((pair,))))
    outcome = way.run(method)
    assert outcome.error is None
    assert received(outcome.call.initial_metadata(), [pair]) == [pair]


@ways(ASYNCHRONOUS)
@values
def test_the_caller_sees_trailing_metadata(rpc, way, pair):
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.set_trailing_metadata((pair,))))
    outcome = way.run(method)
    assert outcome.error is None
    assert received(outcome.call.trailing_metadata(), [pair]) == [pair]


@ways()
def test_an_error_carries_both(rpc, way):
    def act(context):
        context.send_initial_metadata((("first", "1"), ("first-bin", b"\1")))
        context.set_trailing_metadata((("last", "2"), ("last-bin", b"\2")))
        context.abort(grpc.StatusCode.ABORTED, "x")

    error = way.run(rpc.method(way.kind, echo(way.kind, act))).error
    assert {("first", "1"), ("first-bin", b"\1")} <= set(error.initial_metadata())
    assert {("last", "2"), ("last-bin", b"\2")} <= set(error.trailing_metadata())


@ways()
def test_a_key_may_come_several_times_and_keeps_its_order(rpc, way):
    sent = [("key", "2"), ("other", "x"), ("key", "1"), ("key", "3")]
    seen = []
    method = rpc.method(way.kind, echo(way.kind, lambda context: seen.extend(context.invocation_metadata())))
    way.run(method, metadata=sent)
    assert [value for key, value in seen if key == "key"] == ["2", "1", "3"]


@pytest.mark.parametrize("where", ["initial", "trailing"])
def test_repeated_keys_keep_their_order_on_the_way_back(rpc, where):
    sent = (("key", "2"), ("key", "1"), ("key-bin", b"2"), ("key-bin", b"1"))

    def act(context):
        (context.send_initial_metadata if where == "initial" else context.set_trailing_metadata)(sent)

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(b"", timeout=SECONDS)
    got = call.initial_metadata() if where == "initial" else call.trailing_metadata()
    assert [value for key, value in got if key == "key"] == ["2", "1"]
    assert [value for key, value in got if key == "key-bin"] == [b"2", b"1"]


@ways()
@pytest.mark.parametrize("metadata", [None, (), []], ids=repr)
def test_no_metadata_is_fine(rpc, way, metadata):
    seen = []
    method = rpc.method(way.kind, echo(way.kind, lambda context: seen.append(context.invocation_metadata())))
    assert way.run(method, metadata=metadata).error is None
    assert not [pair for pair in seen[0] if pair[0] != "user-agent"]


@pytest.mark.parametrize("make", ["tuple", "list", "iterator", "generator", "lists"])
def test_metadata_is_any_iterable_of_pairs(rpc, make):
    seen = []
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.extend(context.invocation_metadata())))
    method(b"", metadata=MAKE[make]([("a", "1"), ("b", "2")]), timeout=SECONDS)
    assert received(seen, [("a", ""), ("b", "")]) == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("where", ["initial", "trailing"])
@pytest.mark.parametrize("make", [tuple, list], ids=["tuple", "list"])
def test_the_handlers_metadata_is_any_sequence_of_pairs(rpc, where, make):
    def act(context):
        send = context.send_initial_metadata if where == "initial" else context.set_trailing_metadata
        send(make([("a", "1"), ("b", "2")]))

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(b"", timeout=SECONDS)
    got = call.initial_metadata() if where == "initial" else call.trailing_metadata()
    assert received(got, [("a", ""), ("b", "")]) == [("a", "1"), ("b", "2")]


def test_a_pair_has_a_key_and_a_value(rpc):
    """Metadata is of pairs whose parts have names: `metadatum.key` is in every second program."""
    seen = []

    def act(context):
        seen.extend((pair.key, pair.value) for pair in context.invocation_metadata())
        context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(
        b"", metadata=(("k", "v"),), timeout=SECONDS
    )
    assert ("k", "v") in seen
    assert ("first", "1") in [(pair.key, pair.value) for pair in call.initial_metadata()]
    assert ("last", "2") in [(pair.key, pair.value) for pair in call.trailing_metadata()]


def test_the_metadata_of_a_call_is_a_tuple(rpc):
    def act(context):
        assert isinstance(context.invocation_metadata(), tuple)

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(b"", timeout=SECONDS)
    assert isinstance(call.initial_metadata(), tuple)
    assert isinstance(call.trailing_metadata(), tuple)


def test_metadata_makes_a_dict(rpc):
    seen = {}
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.update(context.invocation_metadata())))
    method(b"", metadata=(("a", "1"), ("b-bin", b"2")), timeout=SECONDS)
    assert seen["a"] == "1"
    assert seen["b-bin"] == b"2"


def test_the_handler_is_told_the_callers_user_agent(rpc):
    seen = {}
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.update(context.invocation_metadata())))
    method(b"", timeout=SECONDS)
    assert seen.get("user-agent", "").startswith("grpc-python/")


@pytest.mark.parametrize("name", ["primary_user_agent", "secondary_user_agent"])
def test_the_user_agent_may_be_added_to(rpc, name):
    seen = {}
    behaviour = echo("unary_unary", lambda context: seen.update(context.invocation_metadata()))
    with rpc.column.channel(rpc.target, [(f"grpc.{name}", "mine/1.0")]) as channel:
        rpc.method("unary_unary", behaviour, channel=channel)(b"", timeout=SECONDS)
    assert "mine/1.0" in seen.get("user-agent", "")


def test_the_user_agent_says_everything_in_order(rpc):
    seen = {}
    behaviour = echo("unary_unary", lambda context: seen.update(context.invocation_metadata()))
    options = [(f"grpc.{name}_user_agent", f"{name}/{i}") for i in "12" for name in ("secondary", "primary")]
    with rpc.column.channel(rpc.target, options) as channel:
        rpc.method("unary_unary", behaviour, channel=channel)(b"", metadata=(("own", "x"),), timeout=SECONDS)
    words = seen["user-agent"].split()
    assert words[:2] == ["primary/1", "primary/2"]
    assert words[2].startswith("grpc-python/")
    assert words[-2:] == ["secondary/1", "secondary/2"]
    assert seen["own"] == "x"


def test_the_user_agent_is_there_beside_other_metadata(rpc):
    seen = []
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.extend(context.invocation_metadata())))
    method(b"", metadata=(("own", "x"),), timeout=SECONDS)
    assert [key for key, _ in seen] == ["user-agent", "own"]


OF_THE_PROTOCOL = (
    "te", "content-type", "content-length", "grpc-encoding", "grpc-accept-encoding",
    "grpc-internal-encoding-request", "grpc-status", "grpc-message", "grpc-trace-bin", "grpc-tags-bin",
    "grpc-server-stats-bin", "endpoint-load-metrics-bin", "lb-cost-bin", "x-envoy-peer-metadata",
)  # fmt: skip


@pytest.mark.parametrize(
    "key", [*OF_THE_PROTOCOL, "grpc-timeout", "user-agent", "grpc-previous-rpc-attempts"]
)
def test_what_belongs_to_the_protocol_is_not_the_callers_to_send(rpc, key):
    seen = []
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.extend(context.invocation_metadata())))
    value = b"mine" if key.endswith("-bin") else "mine"
    method(b"", metadata=((key, value), ("own", "x")), timeout=SECONDS)
    assert (key, value) not in [tuple(pair) for pair in seen]
    assert ("own", "x") in [tuple(pair) for pair in seen]


@pytest.mark.parametrize("key", OF_THE_PROTOCOL)
def test_what_belongs_to_the_protocol_is_not_the_handlers_to_send(rpc, key):
    value = b"mine" if key.endswith("-bin") else "mine"

    def act(context):
        context.send_initial_metadata(((key, value), ("own", "x")))
        context.set_trailing_metadata(((key, value), ("own", "y")))

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(b"", timeout=SECONDS)
    assert [tuple(pair) for pair in call.initial_metadata()] == [("own", "x")]
    assert [tuple(pair) for pair in call.trailing_metadata()] == [("own", "y")]


@pytest.mark.parametrize(
    "key",
    [
        "host",
        "accept-encoding",
        "authorization",
        "grpc-status-details-bin",
        "traceparent",
        "cookie",
        "grpc-own",
    ],
)
def test_a_key_that_only_looks_like_the_protocols_travels(rpc, key):
    value = b"mine" if key.endswith("-bin") else "mine"
    seen = []

    def act(context):
        seen.extend(context.invocation_metadata())
        context.set_trailing_metadata(((key, value),))

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(
        b"", metadata=((key, value),), timeout=SECONDS
    )
    assert (key, value) in [tuple(pair) for pair in seen]
    assert [tuple(pair) for pair in call.trailing_metadata()] == [(key, value)]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_unary", "stream_stream"])
def test_initial_metadata_arrives_before_the_first_response(rpc, kind):
    go = rpc.event()

    def act(context):
        context.send_initial_metadata((("early", "1"),))
        assert go.wait(SECONDS)

    way = next(way for way in WAYS if way.kind == kind and way.style in {"future", "iterator"})
    call = way.start(rpc.method(kind, echo(kind, act)), timeout=SECONDS)
    assert ("early", "1") in call.initial_metadata()
    assert call.is_active()
    go.set()
    assert way.finish(call).error is None


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_initial_metadata_goes_with_the_first_response_if_it_is_not_sent_before(rpc, kind):
    go = rpc.event()

    def behave(_requests, _context):
        yield b"1"
        assert go.wait(SECONDS)

    method = rpc.method(kind, behave)
    call = method(b"" if kind == "unary_stream" else iter(()), timeout=SECONDS)
    assert isinstance(call.initial_metadata(), tuple)
    assert call.is_active()
    go.set()
    assert list(call) == [b"1"]


def test_trailing_metadata_waits_for_the_end(rpc):
    def behave(_request, context):
        yield b"1"
        context.set_trailing_metadata((("last", "1"),))

    call = rpc.unary_stream(behave)(b"", timeout=SECONDS)
    assert list(call) == [b"1"]
    assert ("last", "1") in call.trailing_metadata()


def test_the_last_trailing_metadata_is_sent(rpc):
    def act(context):
        context.set_trailing_metadata((("key", "first"),))
        context.set_trailing_metadata((("key", "second"),))

    _, call = rpc.unary_unary(echo("unary_unary", act)).with_call(b"", timeout=SECONDS)
    assert received(call.trailing_metadata(), [("key", "")]) == [("key", "second")]


def test_trailing_metadata_goes_with_an_exception(rpc):
    def act(context):
        context.set_trailing_metadata((("key", "value"),))
        raise ValueError("boom")

    with pytest.raises(grpc.RpcError) as caught:
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=SECONDS)
    assert ("key", "value") in caught.value.trailing_metadata()


def test_many_pairs_arrive(rpc):
    sent = [(f"key-{i}", f"value {i}") for i in range(100)]
    seen = []
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.extend(context.invocation_metadata())))
    method(b"", metadata=sent, timeout=SECONDS)
    assert received(seen, sent) == sent


def test_a_text_value_may_be_given_as_bytes(rpc):
    seen = []
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.extend(context.invocation_metadata())))
    method(b"", metadata=((b"key", b"value"),), timeout=SECONDS)
    assert ("key", "value") in [tuple(pair) for pair in seen]


def test_metadata_of_one_call_is_not_that_of_another(rpc):
    seen = []
    method = rpc.unary_unary(
        echo("unary_unary", lambda context: seen.append(dict(context.invocation_metadata()).get("key")))
    )
    for value in ("1", "2"):
        method(b"", metadata=(("key", value),), timeout=SECONDS)
    method(b"", timeout=SECONDS)
    assert seen == ["1", "2", None]
