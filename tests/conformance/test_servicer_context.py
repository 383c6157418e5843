"""`grpc.ServicerContext`: every method, in all four kinds of handlers."""

from __future__ import annotations

import threading

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, failure
from tests.conformance.service import KINDS, SECONDS, echo

every_kind = pytest.mark.parametrize("kind", KINDS)
METHODS = [
    "abort", "abort_with_status", "add_callback", "auth_context", "cancel", "code", "details",
    "disable_next_message_compression", "invocation_metadata", "is_active", "peer", "peer_identities",
    "peer_identity_key", "send_initial_metadata", "set_code", "set_compression", "set_details",
    "set_trailing_metadata", "time_remaining", "trailing_metadata",
]  # fmt: skip


def run(rpc, kind, act, **arguments):
    """Run a method of `kind` whose handler calls `act(context)`. -> the outcome"""
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    return way.run(rpc.method(kind, echo(kind, act)), **arguments)


def seen_by(rpc, kind, look):
    """What `look(context)` gave inside a handler of `kind`."""
    seen = []
    outcome = run(rpc, kind, lambda context: seen.append(look(context)))
    assert outcome.error is None, outcome.error
    return seen[0]


@every_kind
@pytest.mark.parametrize("interface", [grpc.ServicerContext, grpc.RpcContext])
def test_the_context_is_a(rpc, kind, interface):
    assert seen_by(rpc, kind, lambda context: isinstance(context, interface))


@every_kind
def test_the_context_has_every_method(rpc, kind):
    assert seen_by(rpc, kind, lambda context: [m for m in METHODS if not callable(getattr(context, m))]) == []


@every_kind
def test_the_context_is_active_in_the_handler(rpc, kind):
    assert seen_by(rpc, kind, lambda context: context.is_active()) is True


@every_kind
def test_the_context_is_not_active_after_the_call(rpc, kind):
    kept, ended = [], rpc.event()

    def act(context):
        kept.append(context)
        context.add_callback(ended.set)

    run(rpc, kind, act)
    assert ended.wait(SECONDS)
    assert kept[0].is_active() is False


@every_kind
def test_a_callback_runs_once_after_the_end_of_the_call(rpc, kind):
    called, ended = [], rpc.event()

    def act(context):
        assert context.add_callback(lambda: called.append(context.is_active())) is True
        assert context.add_callback(ended.set) is True
        assert called == []

    assert run(rpc, kind, act).error is None
    assert ended.wait(SECONDS)
    assert called == [False]


@every_kind
def test_callbacks_run_in_their_order(rpc, kind):
    called, ended = [], rpc.event()

    def act(context):
        for i in range(3):
            context.add_callback(lambda i=i: called.append(i))
        context.add_callback(ended.set)

    run(rpc, kind, act)
    assert ended.wait(SECONDS)
    assert called == [0, 1, 2]


@every_kind
@pytest.mark.parametrize("end", ["abort", "raise"])
def test_a_callback_runs_after_a_failure_too(rpc, kind, end):
    ended = rpc.event()

    def act(context):
        context.add_callback(ended.set)
        if end == "abort":
            context.abort(grpc.StatusCode.ABORTED, "x")
        raise ValueError("boom")

    assert run(rpc, kind, act).error is not None
    assert ended.wait(SECONDS)


@every_kind
def test_an_exception_in_a_callback_harms_nobody(rpc, kind):
    ended = rpc.event()

    def broken():
        raise ValueError("in a callback")

    def act(context):
        context.add_callback(broken)
        context.add_callback(ended.set)

    assert run(rpc, kind, act).error is None
    assert ended.wait(SECONDS)
    assert run(rpc, kind, lambda _context: None).error is None


@every_kind
def test_a_callback_after_the_end_is_refused(rpc, kind):
    kept, ended = [], rpc.event()

    def act(context):
        kept.append(context)
        context.add_callback(ended.set)

    run(rpc, kind, act)
    assert ended.wait(SECONDS)
    assert kept[0].add_callback(lambda: None) is False


@every_kind
def test_peer_names_the_client(rpc, kind):
    peer = seen_by(rpc, kind, lambda context: context.peer())
    assert isinstance(peer, str)
    assert peer.startswith(("ipv4:", "ipv6:", "unix:", "shm:"))


@every_kind
def test_an_insecure_client_has_no_identity(rpc, kind):
    assert seen_by(rpc, kind, lambda context: context.peer_identities()) is None
    assert seen_by(rpc, kind, lambda context: context.peer_identity_key()) is None


@every_kind
def test_the_auth_context_maps_names_to_lists_of_bytes(rpc, kind):
    properties = seen_by(rpc, kind, lambda context: context.auth_context())
    assert isinstance(properties, dict)
    for name, values in properties.items():
        assert isinstance(name, str)
        assert all(isinstance(value, bytes) for value in values)


@every_kind
def test_invocation_metadata_may_be_read_again(rpc, kind):
    seen = []

    def act(context):
        seen.extend((context.invocation_metadata(), context.invocation_metadata()))

    run(rpc, kind, act, metadata=(("key", "value"),))
    assert seen[0] == seen[1]
    assert ("key", "value") in seen[0]


@every_kind
def test_code_details_and_trailing_metadata_are_none_until_they_are_set(rpc, kind):
    assert seen_by(
        rpc, kind, lambda context: (context.code(), context.details(), context.trailing_metadata())
    ) == (None, None, None)


@every_kind
def test_code_is_what_was_set(rpc, kind):
    seen = []

    def act(context):
        context.set_code(grpc.StatusCode.NOT_FOUND)
        seen.append(context.code())

    run(rpc, kind, act)
    assert seen == [grpc.StatusCode.NOT_FOUND]


@every_kind
def test_details_are_what_was_set_as_bytes(rpc, kind):
    """The documentation says string; grpcio gives it encoded, and programs decode it."""
    seen = []

    def act(context):
        context.set_details("größer")
        seen.append(context.details())

    run(rpc, kind, act)
    assert seen == ["größer".encode()]


@every_kind
def test_trailing_metadata_is_what_was_set(rpc, kind):
    seen = []
    sent = (("key", "value"),)

    def act(context):
        context.set_trailing_metadata(sent)
        seen.append(context.trailing_metadata())

    run(rpc, kind, act)
    assert seen == [sent]


@every_kind
def test_initial_metadata_is_sent_only_once(rpc, kind):
    errors = []

    def act(context):
        context.send_initial_metadata((("first", "1"),))
        try:
            context.send_initial_metadata((("second", "2"),))
        except ValueError as error:
            errors.append(error)

    outcome = run(rpc, kind, act)
    assert outcome.error is None
    keys = [key for key, _ in outcome.call.initial_metadata()]
    assert "first" in keys
    assert "second" not in keys
    assert str(errors[0]) == "Initial metadata no longer allowed!"


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_initial_metadata_after_the_first_response_is_refused(rpc, kind):
    errors = []

    def behave(_requests, context):
        yield b"1"
        try:
            context.send_initial_metadata((("late", "1"),))
        except ValueError as error:
            errors.append(str(error))

    call = rpc.method(kind, behave)(b"" if kind == "unary_stream" else iter(()), timeout=SECONDS)
    assert list(call) == [b"1"]
    assert errors == ["Initial metadata no longer allowed!"]


@every_kind
def test_initial_metadata_for_a_call_that_was_cancelled_raises(rpc, kind):
    begun, ended, errors, looked = rpc.event(), rpc.event(), [], rpc.event()

    def act(context):
        context.add_callback(ended.set)
        begun.set()
        ended.wait(SECONDS)
        try:
            context.send_initial_metadata((("late", "1"),))
        except grpc.RpcError as error:
            errors.append(error)
            raise
        finally:
            looked.set()

    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    call = way.start(rpc.method(kind, echo(kind, act)))
    assert begun.wait(SECONDS)
    call.cancel()
    assert looked.wait(SECONDS)
    assert len(errors) == 1


@every_kind
@pytest.mark.parametrize("compression", list(grpc.Compression), ids=str)
def test_compression_may_be_set_for_a_call(rpc, kind, compression):
    outcome = run(rpc, kind, lambda context: context.set_compression(compression))
    assert outcome.error is None
    assert outcome.responses == [b"request"]


@every_kind
def test_compression_may_be_disabled_for_a_message(rpc, kind):
    def act(context):
        context.set_compression(grpc.Compression.Gzip)
        context.disable_next_message_compression()

    outcome = run(rpc, kind, act)
    assert outcome.error is None
    assert outcome.responses == [b"request"]


@every_kind
def test_the_context_may_be_used_by_another_thread(rpc, kind):
    def act(context):
        def other():
            context.send_initial_metadata((("first", "1"),))
            context.set_trailing_metadata((("last", "2"),))
            context.set_code(grpc.StatusCode.ABORTED)
            context.set_details("by another thread")

        thread = threading.Thread(target=other)
        thread.start()
        thread.join(SECONDS)

    outcome = run(rpc, kind, act)
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "by another thread")
    assert ("first", "1") in outcome.error.initial_metadata()
    assert ("last", "2") in outcome.error.trailing_metadata()


@every_kind
def test_each_call_has_its_own_context(rpc, kind):
    contexts = []
    run(rpc, kind, contexts.append)
    run(rpc, kind, contexts.append)
    assert contexts[0] is not contexts[1]


@every_kind
def test_another_channel_is_another_peer(rpc, kind):
    """Two connections are told apart by their names, unless both are one process's memory queue."""
    peers = []
    act = lambda context: peers.append(context.peer())
    run(rpc, kind, act)
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    # Channels with equal options share a connection in gRPC's core.
    with rpc.column.channel(rpc.target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        way.run(rpc.method(kind, echo(kind, act), channel=channel))
    assert peers[0] != peers[1] or peers[0].startswith("shm:pid:")
