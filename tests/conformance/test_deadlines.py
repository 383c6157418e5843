"""Deadlines: the timeout of a call, what both sides see of it, and what ends with it."""

from __future__ import annotations

import time

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, failure, ways
from tests.conformance.service import KINDS, SECONDS, echo

SHORT = 0.1  # seconds; the calls that get it never end by themselves
every_kind = pytest.mark.parametrize("kind", KINDS)


def blocking(rpc, kind):
    """A method that does not answer before the end of its call, and an event that says one ended."""
    ended = rpc.event()

    def act(context):
        mine = rpc.event()
        context.add_callback(mine.set)
        context.add_callback(ended.set)
        mine.wait(SECONDS)

    return rpc.method(kind, echo(kind, act)), ended


@ways()
def test_a_call_ends_at_its_deadline(rpc, way):
    method, _ = blocking(rpc, way.kind)
    begun = time.monotonic()
    code, details = failure(way.run(method, timeout=SHORT))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert "Deadline Exceeded" in details
    assert 0.9 * SHORT <= time.monotonic() - begun < SECONDS


@every_kind
def test_the_handler_is_told_that_the_deadline_passed(rpc, kind):
    method, ended = blocking(rpc, kind)
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    assert failure(way.run(method, timeout=SHORT))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    assert ended.wait(SECONDS)


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_responses_that_a_handler_returns_after_the_deadline_are_begun(rpc, kind):
    ended, begun = rpc.event(), rpc.event()

    def responses():
        begun.set()
        yield b"late"

    def behaviour(_request, context):
        context.add_callback(ended.set)
        ended.wait(SECONDS)
        return responses()

    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    assert (
        failure(way.run(rpc.method(kind, behaviour), timeout=SHORT))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    )
    assert begun.wait(SECONDS)


@every_kind
def test_the_context_is_not_active_after_the_deadline(rpc, kind):
    active = []
    ended, looked = rpc.event(), rpc.event()

    def act(context):
        context.add_callback(ended.set)
        active.append(context.is_active())
        ended.wait(SECONDS)
        active.append(context.is_active())
        looked.set()

    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    way.run(rpc.method(kind, echo(kind, act)), timeout=SHORT)
    assert looked.wait(SECONDS)
    assert active == [True, False]


@ways()
@pytest.mark.parametrize("timeout", [0, -1, -0.001])
def test_a_deadline_in_the_past_is_over_at_once(rpc, way, timeout):
    method, _ = blocking(rpc, way.kind)
    begun = time.monotonic()
    assert failure(way.run(method, timeout=timeout))[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    assert time.monotonic() - begun < SECONDS


@ways()
@pytest.mark.parametrize("timeout", [None, 60, 60.5, 1e6, 1e8], ids=str)
def test_a_call_that_ends_in_time_succeeds(rpc, way, timeout):
    assert way.run(rpc.method(way.kind, echo(way.kind)), timeout=timeout).error is None


@every_kind
def test_the_handler_sees_the_time_that_is_left(rpc, kind):
    left = []
    method = rpc.method(kind, echo(kind, lambda context: left.append(context.time_remaining())))
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    way.run(method, timeout=60)
    assert 50 < left[0] < 61.5  # gRPC rounds what it sends up


@every_kind
def test_without_a_deadline_the_time_is_none_or_without_end(rpc, kind):
    """The documentation says None; grpcio gives a number of years."""
    left = []
    method = rpc.method(kind, echo(kind, lambda context: left.append(context.time_remaining())))
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    way.run(method, timeout=None)
    assert left[0] is None or left[0] > 1e8


def test_the_time_that_is_left_shrinks_and_is_never_negative(rpc):
    left = []
    ended, looked = rpc.event(), rpc.event()

    def act(context):
        context.add_callback(ended.set)
        left.append(context.time_remaining())
        ended.wait(SECONDS)
        left.append(context.time_remaining())
        looked.set()

    with pytest.raises(grpc.RpcError):
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=SHORT)
    assert looked.wait(SECONDS)
    assert left[0] > left[1] >= 0


@ways(ASYNCHRONOUS)
def test_the_caller_sees_the_time_that_is_left(rpc, way):
    method, _ = blocking(rpc, way.kind)
    call = way.start(method, timeout=60)
    first = call.time_remaining()
    assert 50 < call.time_remaining() <= first <= 60
    call.cancel()


@ways(ASYNCHRONOUS)
def test_the_caller_without_a_deadline_has_no_time(rpc, way):
    method, _ = blocking(rpc, way.kind)
    call = way.start(method)
    assert call.time_remaining() is None
    call.cancel()


@ways(ASYNCHRONOUS)
def test_the_time_of_a_call_that_met_its_deadline_is_zero(rpc, way):
    method, _ = blocking(rpc, way.kind)
    call = way.start(method, timeout=SHORT)
    way.finish(call)
    assert call.time_remaining() == 0


@ways(ASYNCHRONOUS)
def test_a_deadline_passes_although_nobody_waits(rpc, way):
    method, _ = blocking(rpc, way.kind)
    done = rpc.event()
    call = way.start(method, timeout=SHORT)
    call.add_done_callback(lambda _: done.set())
    assert done.wait(SECONDS)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    assert not call.cancelled()


@ways(ASYNCHRONOUS)
def test_deadlines_pass_in_their_own_order(rpc, way):
    method, _ = blocking(rpc, way.kind)
    order = []
    done = rpc.event()

    def note(name):
        order.append(name)
        if len(order) == 2:
            done.set()

    late = way.start(method, timeout=2 * SHORT)
    late.add_done_callback(lambda _: note("late"))
    early = way.start(method, timeout=SHORT)
    early.add_done_callback(lambda _: note("early"))
    assert done.wait(SECONDS)
    assert order == ["early", "late"]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_what_arrived_before_the_deadline_counts(rpc, kind):
    ended = rpc.event()

    def behave(_requests, context):
        context.add_callback(ended.set)
        yield b"1"
        ended.wait(SECONDS)

    call = rpc.method(kind, behave)(b"" if kind == "unary_stream" else iter(()), timeout=2 * SHORT)
    assert next(call) == b"1"
    with pytest.raises(grpc.RpcError):
        next(call)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_deadline_ends_a_call_whose_requests_do_not_come(rpc):
    blocked = rpc.event()

    def requests():
        blocked.wait(SECONDS)
        yield b""

    with pytest.raises(grpc.RpcError) as caught:
        rpc.stream_unary(echo("stream_unary"))(requests(), timeout=SHORT)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_deadline_ends_a_stream_that_nobody_reads(rpc):
    ended = rpc.event()

    def flood(_request, context):
        context.add_callback(ended.set)
        while context.is_active():
            yield bytes(100_000)

    call = rpc.unary_stream(flood)(b"", timeout=SHORT)
    assert ended.wait(SECONDS)
    with pytest.raises(grpc.RpcError):
        list(call)
    assert call.code() is grpc.StatusCode.DEADLINE_EXCEEDED


def test_a_call_after_one_that_met_its_deadline_is_not_disturbed(rpc):
    method, _ = blocking(rpc, "unary_unary")
    other = rpc.unary_unary(echo("unary_unary"))
    for i in range(5):
        with pytest.raises(grpc.RpcError):
            method(b"", timeout=0.02)
        assert other(b"%d" % i, timeout=SECONDS) == b"%d" % i


def test_a_handler_may_end_with_deadline_exceeded_itself(rpc):
    method = rpc.unary_unary(
        echo("unary_unary", lambda context: context.abort(grpc.StatusCode.DEADLINE_EXCEEDED, "mine"))
    )
    with pytest.raises(grpc.RpcError) as caught:
        method(b"", timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.DEADLINE_EXCEEDED, "mine")


@pytest.mark.parametrize("timeout", ["1", b"1", [1], object()], ids=["str", "bytes", "list", "object"])
def test_a_timeout_that_is_no_number_is_a_type_error(rpc, timeout):
    method = rpc.unary_unary(echo("unary_unary"))
    with pytest.raises(TypeError):
        method(b"", timeout=timeout)
    assert method(b"still", timeout=SECONDS) == b"still"


@pytest.mark.parametrize("timeout", [True, 5, 5.0])
def test_a_timeout_is_any_number(rpc, timeout):
    assert rpc.unary_unary(echo("unary_unary"))(b"x", timeout=timeout) == b"x"
