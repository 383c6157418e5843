"""Metadata in both directions: what is sent is what arrives, in order, text and binary."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, ways
from tests.conformance_aio.service import STYLES, echo

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
MAKE = {
    "tuple": tuple,
    "list": list,
    "metadata": lambda pairs: aio.Metadata(*pairs),
    "lists": lambda pairs: [list(pair) for pair in pairs],
}


def received(metadata, sent):
    """Of metadata that arrived, what the test sent: a transport may add some of its own."""
    keys = {key for key, _ in sent}
    return [tuple(pair) for pair in metadata if pair[0] in keys]


def looking(rpc, kind):
    """A method, and the list of what its handlers see of metadata."""
    seen = []
    return rpc.method(kind, echo(kind, lambda context: seen.extend(context.invocation_metadata()))), seen


def sending(where, metadata):
    """What a handler does to send `metadata` in front, or at the end."""
    if where == "initial":
        return lambda context: context.send_initial_metadata(metadata)
    return lambda context: context.set_trailing_metadata(metadata)


async def sent_by(call, where):
    return await (call.initial_metadata() if where == "initial" else call.trailing_metadata())


both_ends = pytest.mark.parametrize("where", ["initial", "trailing"])


@values
async def test_the_handler_sees_what_was_sent(rpc, pair):
    method, seen = looking(rpc, "unary_unary")
    await method(b"", metadata=(pair,))
    assert received(seen, [pair]) == [pair]


@both_ends
@values
async def test_the_caller_sees_what_the_handler_sent(rpc, where, pair):
    call = rpc.unary_unary(echo("unary_unary", sending(where, (pair,))))(b"")
    await call
    assert received(await sent_by(call, where), [pair]) == [pair]


@every_kind
@both_ends
async def test_metadata_comes_from_handlers_of_every_kind(rpc, kind, where):
    sent = (("key", "value"), ("key-bin", b"\xff"))
    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind, sending(where, sent))))
    assert received(await sent_by(outcome.call, where), sent) == list(sent)


@ways()
async def test_metadata_goes_with_a_call_of_any_way(rpc, way):
    method, seen = looking(rpc, way.kind)
    await way.run(method, metadata=(("key", "value"), ("key-bin", b"\xff")))
    assert {("key", "value"), ("key-bin", b"\xff")} <= {tuple(pair) for pair in seen}


@pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)
async def test_an_error_carries_both(rpc, kind, style):
    told = rpc.event()

    async def act(context):
        await context.send_initial_metadata((("first", "1"), ("first-bin", b"\1")))
        context.set_trailing_metadata((("last", "2"), ("last-bin", b"\2")))
        await told.wait()
        await context.abort(grpc.StatusCode.ABORTED, "x")

    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act, style)))
    if kind != "unary_unary":  # whose metadata comes with its end; in a stream, the end may overtake it
        await call.initial_metadata()
    told.set()
    error = (await BY_KIND[kind].finish(call)).error
    assert {("first", "1"), ("first-bin", b"\1")} <= set(error.initial_metadata())
    assert {("last", "2"), ("last-bin", b"\2")} <= set(error.trailing_metadata())


@either_kind
async def test_a_key_may_come_several_times_and_keeps_its_order(rpc, kind):
    method, seen = looking(rpc, kind)
    await BY_KIND[kind].run(method, metadata=[("key", "2"), ("other", "x"), ("key", "1"), ("key", "3")])
    assert [value for key, value in seen if key == "key"] == ["2", "1", "3"]


@either_kind
@both_ends
async def test_repeated_keys_keep_their_order_on_the_way_back(rpc, kind, where):
    act = sending(where, (("key", "2"), ("key", "1"), ("key-bin", b"2"), ("key-bin", b"1")))
    outcome = await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)))
    got = await sent_by(outcome.call, where)
    assert got.get_all("key") == ["2", "1"]
    assert got.get_all("key-bin") == [b"2", b"1"]


@pytest.mark.parametrize("metadata", [None, (), [], aio.Metadata()], ids=repr)
async def test_no_metadata_is_fine(rpc, metadata):
    method, seen = looking(rpc, "unary_unary")
    await method(b"", metadata=metadata)
    assert not [pair for pair in seen if pair[0] != "user-agent"]


@either_kind
@pytest.mark.parametrize("make", MAKE)
async def test_metadata_is_any_sequence_of_pairs(rpc, kind, make):
    method, seen = looking(rpc, kind)
    await BY_KIND[kind].run(method, metadata=MAKE[make]([("a", "1"), ("b", "2")]))
    assert received(seen, [("a", ""), ("b", "")]) == [("a", "1"), ("b", "2")]


@both_ends
@pytest.mark.parametrize("make", ["tuple", "list", "metadata"])
async def test_the_handlers_metadata_is_any_sequence_of_pairs(rpc, where, make):
    act = sending(where, MAKE[make]([("a", "1"), ("b", "2")]))
    outcome = await BY_KIND["unary_unary"].run(rpc.unary_unary(echo("unary_unary", act)))
    got = await sent_by(outcome.call, where)
    assert received(got, [("a", ""), ("b", "")]) == [("a", "1"), ("b", "2")]


async def test_the_metadata_of_a_call_is_left_as_it_was(rpc):
    method, seen = looking(rpc, "unary_unary")
    metadata = aio.Metadata(("key", "value"))
    for _ in range(2):
        await method(b"", metadata=metadata, compression=grpc.Compression.Gzip)
    assert tuple(metadata) == (("key", "value"),)
    assert received(seen, [("key", "")]) == [("key", "value")] * 2


async def test_what_arrived_is_looked_up_by_its_key(rpc):
    call = rpc.unary_unary(echo("unary_unary", sending("trailing", (("key", "1"), ("key", "2")))))(b"")
    got = await call.trailing_metadata()
    assert got["key"] == got.get("key") == "1"
    assert got.get_all("key") == ["1", "2"]
    assert "key" in got
    assert "other" not in got
    assert got.get("other", "default") == "default"


async def test_what_the_handler_sees_is_a_tuple_of_pairs_with_names(rpc):
    """`dict(context.invocation_metadata())` and `pair.key` are in every second program."""
    seen = []
    method = rpc.unary_unary(echo("unary_unary", lambda context: seen.append(context.invocation_metadata())))
    await method(b"", metadata=(("key", "value"), ("key-bin", b"1")))
    assert isinstance(seen[0], tuple)
    assert dict(seen[0])["key"] == "value"
    assert ("key-bin", b"1") in [(pair.key, pair.value) for pair in seen[0]]


async def test_the_handler_is_told_the_callers_user_agent(rpc):
    method, seen = looking(rpc, "unary_unary")
    await method(b"")
    assert dict(seen).get("user-agent", "").startswith("grpc-python-asyncio/")


async def test_the_user_agent_may_be_added_to(rpc):
    seen = []
    behaviour = echo("unary_unary", lambda context: seen.extend(context.invocation_metadata()))
    async with rpc.column.channel(rpc.target, [("grpc.secondary_user_agent", "mine/1.0")]) as channel:
        await rpc.method("unary_unary", behaviour, channel=channel)(b"")
    assert "mine/1.0" in dict(seen).get("user-agent", "")


async def test_what_belongs_to_the_protocol_is_not_the_callers_to_send(rpc):
    method, seen = looking(rpc, "unary_unary")
    await method(b"", metadata=(("te", "mine"), ("content-type", "mine"), ("own", "x")))
    assert "mine" not in [pair[1] for pair in seen]
    assert ("own", "x") in [tuple(pair) for pair in seen]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_initial_metadata_goes_with_the_first_response_if_it_is_not_sent_before(rpc, kind):
    gate = rpc.event()

    async def behave(_requests, _context):
        yield b"1"
        await gate.wait()

    call = BY_KIND[kind].start(rpc.method(kind, behave))
    assert len(await call.initial_metadata()) == 0
    assert not call.done()
    gate.set()
    assert (await BY_KIND[kind].finish(call)).responses == [b"1"]


@either_kind
async def test_the_last_trailing_metadata_is_sent(rpc, kind):
    async def act(context):
        context.set_trailing_metadata((("key", "first"), ("other", "gone")))
        context.set_trailing_metadata((("key", "second"),))

    call = (await BY_KIND[kind].run(rpc.method(kind, echo(kind, act)))).call
    got = await call.trailing_metadata()
    assert got.get_all("key") == ["second"]
    assert "other" not in got


async def test_many_pairs_arrive(rpc):
    sent = [(f"key-{i}", f"value {i}") for i in range(100)]
    method, seen = looking(rpc, "unary_unary")
    await method(b"", metadata=sent)
    assert received(seen, sent) == sent


async def test_metadata_of_one_call_is_not_that_of_another(rpc):
    seen = []
    look = lambda context: seen.append(dict(context.invocation_metadata()).get("key"))
    method = rpc.unary_unary(echo("unary_unary", look))
    for value in ("1", "2"):
        await method(b"", metadata=(("key", value),))
    await method(b"")
    assert seen == ["1", "2", None]


# -- what is no metadata


BAD = {
    "capital key": ("Key", "value"),
    "key with space": ("a key", "value"),
    "empty key": ("", "value"),
    "value with newline": ("key", "a\nb"),
    "value beyond ASCII": ("key", "größer"),
}


@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
@either_kind
@pytest.mark.parametrize("bad", BAD)
async def test_metadata_that_may_not_be_sent_fails_the_call(rpc, kind, bad):
    """It is refused, the handler hears nothing, and the channel goes on."""
    method, seen = looking(rpc, kind)
    with pytest.raises((ValueError, aio.BaseError, aio.AioRpcError, asyncio.CancelledError)):
        await BY_KIND[kind].take(BY_KIND[kind].start(method, metadata=(BAD[bad],)), [])
    assert seen == []
    assert (await BY_KIND[kind].run(rpc.method(kind, echo(kind)))).responses == [b"request"]


@pytest.mark.parametrize(
    "metadata",
    [5, "text", (("only a key",),), (5,), (("key", 5),), ((5, "value"),)],
    ids=repr,
)
async def test_metadata_of_the_wrong_type_fails_the_call(rpc, metadata):
    method, seen = looking(rpc, "unary_unary")
    with pytest.raises((TypeError, ValueError, AttributeError)):
        await method(b"", metadata=metadata)
    assert seen == []
