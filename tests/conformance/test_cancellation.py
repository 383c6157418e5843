"""Cancellation by the caller, by the handler, and by the end of what a call depends on."""

from __future__ import annotations

import gc
import queue
import threading

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, failure, ways
from tests.conformance.service import KINDS, SECONDS, echo

FUTURES = [way for way in ASYNCHRONOUS if way.style == "future"]
every_kind = pytest.mark.parametrize("kind", KINDS)


class Blocked:
    """A method whose handler has begun, and waits for the end of its call."""

    def __init__(self, rpc, kind):
        self.begun, self.ended = rpc.event(), rpc.event()
        self.context = None

        def act(context):
            self.context = context
            context.add_callback(self.ended.set)
            self.begun.set()
            self.ended.wait(SECONDS)

        self.method = rpc.method(kind, echo(kind, act))


@ways(ASYNCHRONOUS)
def test_a_cancelled_call_has_the_status_cancelled(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert blocked.begun.wait(SECONDS)
    assert call.cancel()
    assert (call.code(), call.details()) == (
        grpc.StatusCode.CANCELLED, "Locally cancelled by application!",
    )  # fmt: skip


@ways(ASYNCHRONOUS)
def test_a_cancelled_call_is_cancelled_done_and_inactive(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert not call.cancelled()
    assert call.cancel()
    assert call.cancelled()
    assert call.done()
    assert not call.running()
    assert not call.is_active()


@ways(ASYNCHRONOUS)
def test_the_handler_hears_of_the_cancellation(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert blocked.begun.wait(SECONDS)
    assert blocked.context.is_active()
    call.cancel()
    assert blocked.ended.wait(SECONDS)
    assert not blocked.context.is_active()


@ways(ASYNCHRONOUS)
def test_cancelling_again_changes_nothing(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert call.cancel() is True
    assert call.cancel() is False
    assert call.code() is grpc.StatusCode.CANCELLED


@ways(ASYNCHRONOUS)
def test_cancelling_a_call_that_ended_changes_nothing(rpc, way):
    call = way.start(rpc.method(way.kind, echo(way.kind)), timeout=SECONDS)
    way.finish(call)
    assert call.cancel() is False
    assert not call.cancelled()
    assert call.code() is grpc.StatusCode.OK


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("wait", ["result", "exception", "traceback"])
def test_the_future_of_a_cancelled_call_raises_future_cancelled(rpc, way, wait):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    call.cancel()
    with pytest.raises(grpc.FutureCancelledError):
        getattr(call, wait)(timeout=SECONDS)


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("wait", ["result", "exception", "code", "details", "trailing_metadata"])
def test_whoever_waits_is_woken_by_a_cancellation(rpc, way, wait):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    waits, outcomes = rpc.event(), []

    def waiter():
        waits.set()
        try:
            outcomes.append(getattr(call, wait)())
        except grpc.FutureCancelledError as error:
            outcomes.append(error)

    thread = threading.Thread(target=waiter, daemon=True)
    thread.start()
    assert waits.wait(SECONDS)
    assert blocked.begun.wait(SECONDS)
    rpc.unary_unary(echo("unary_unary"))(b"", timeout=SECONDS)  # it sleeps by now; test_races has the rest
    call.cancel()
    thread.join(SECONDS)
    assert len(outcomes) == 1


@ways(ASYNCHRONOUS)
def test_the_metadata_of_a_cancelled_call_is_empty(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert blocked.begun.wait(SECONDS)
    call.cancel()
    assert tuple(call.initial_metadata()) == ()
    assert tuple(call.trailing_metadata()) == ()


@ways(ASYNCHRONOUS)
def test_done_callbacks_run_after_a_cancellation(rpc, way):
    blocked = Blocked(rpc, way.kind)
    called = []
    done = rpc.event()
    call = way.start(blocked.method)
    call.add_done_callback(lambda future: (called.append(future), done.set()))
    call.cancel()
    assert done.wait(SECONDS)
    assert called == [call]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_drawing_from_a_cancelled_call_raises(rpc, kind):
    ended = rpc.event()

    def behave(_requests, context):
        context.add_callback(ended.set)
        yield b"1"
        ended.wait(SECONDS)

    call = rpc.method(kind, behave)(b"" if kind == "unary_stream" else iter(()), timeout=SECONDS)
    assert next(call) == b"1"
    call.cancel()
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as caught:
            next(call)
        assert caught.value.code() is grpc.StatusCode.CANCELLED
    assert call.code() is grpc.StatusCode.CANCELLED


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_a_thread_that_draws_is_woken_by_a_cancellation(rpc, kind):
    blocked = Blocked(rpc, kind)
    call = blocked.method(b"" if kind == "unary_stream" else iter(()))
    outcomes = []

    def draw():
        try:
            next(call)
        except grpc.RpcError as error:
            outcomes.append(error.code())

    thread = threading.Thread(target=draw, daemon=True)
    thread.start()
    assert blocked.begun.wait(SECONDS)
    call.cancel()
    thread.join(SECONDS)
    assert outcomes == [grpc.StatusCode.CANCELLED]


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
def test_a_response_generator_is_closed_when_its_call_is_cancelled(rpc, kind):
    """`finally` and `with` in a handler run: it may hold a file, a lock or a connection."""
    closed = rpc.event()

    def behave(_requests, _context):
        try:
            while True:
                yield bytes(1000)
        finally:
            closed.set()

    call = rpc.method(kind, behave)(b"" if kind == "unary_stream" else iter(()), timeout=SECONDS)
    next(call)
    call.cancel()
    assert closed.wait(SECONDS)


@pytest.mark.parametrize("kind", ["stream_unary", "stream_stream"])
def test_a_handler_that_waits_for_a_request_is_woken(rpc, kind):
    blocked = rpc.event()
    begun, heard = rpc.event(), []
    ended = rpc.event()

    def wait_for_request(requests):
        begun.set()
        try:
            next(requests)
        except BaseException as error:
            heard.append(error)
            raise
        finally:
            ended.set()

    def unary(requests, _context):
        wait_for_request(requests)
        return b""

    def stream(requests, _context):
        wait_for_request(requests)
        yield b""

    def requests():
        blocked.wait(SECONDS)
        yield b""

    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    method = rpc.method(kind, unary if kind == "stream_unary" else stream)
    call = method.future(requests()) if way.style == "future" else method(requests())
    assert begun.wait(SECONDS)
    call.cancel()
    assert ended.wait(SECONDS)
    assert isinstance(heard[0], (grpc.RpcError, StopIteration))


@ways()
def test_a_handler_may_cancel_its_call(rpc, way):
    """`context.cancel()`: the caller sees CANCELLED."""

    def act(context):
        ended = rpc.event()
        context.add_callback(ended.set)
        context.cancel()
        ended.wait(SECONDS)

    code, _ = failure(way.run(rpc.method(way.kind, echo(way.kind, act))))
    assert code is grpc.StatusCode.CANCELLED


@every_kind
def test_the_context_is_inactive_after_the_handler_cancelled(rpc, kind):
    active = []
    looked = rpc.event()

    def act(context):
        ended = rpc.event()
        context.add_callback(ended.set)
        context.cancel()
        context.cancel()  # idempotent
        ended.wait(SECONDS)
        active.append(context.is_active())
        looked.set()

    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    way.run(rpc.method(kind, echo(kind, act)))
    assert looked.wait(SECONDS)
    assert active == [False]


@ways(ASYNCHRONOUS)
def test_a_call_the_server_cancelled_is_not_cancelled_by_the_caller(rpc, way):
    """`cancelled()` says who it was: the status CANCELLED alone does not make a cancelled future."""
    method = rpc.method(
        way.kind, echo(way.kind, lambda context: context.abort(grpc.StatusCode.CANCELLED, "by the server"))
    )
    call = way.start(method, timeout=SECONDS)
    error = call.exception(timeout=SECONDS)
    assert isinstance(error, grpc.RpcError)
    assert (call.code(), call.details()) == (grpc.StatusCode.CANCELLED, "by the server")
    assert not call.cancelled()
    with pytest.raises(grpc.RpcError):
        call.result(timeout=SECONDS)


@ways(ASYNCHRONOUS)
def test_a_cancelled_call_does_not_disturb_another(rpc, way):
    blocked, other = Blocked(rpc, way.kind), Blocked(rpc, way.kind)
    first, second = way.start(blocked.method), way.start(other.method)
    assert other.begun.wait(SECONDS)
    first.cancel()
    assert second.is_active()
    other.ended.set()
    assert way.finish(second).error is None


@ways(ASYNCHRONOUS)
def test_calls_may_be_cancelled_before_they_are_sent_anywhere(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    for _ in range(20):
        call = way.start(method)
        call.cancel()
        assert call.done()
    assert way.run(method).error is None


def test_a_cancelled_call_stops_its_request_iterator(rpc):
    blocked = Blocked(rpc, "stream_unary")
    sent = []

    def requests():
        while True:
            sent.append(1)
            yield bytes(100_000)

    call = blocked.method.future(requests())
    assert blocked.begun.wait(SECONDS)
    call.cancel()
    assert blocked.ended.wait(SECONDS)
    others = rpc.unary_unary(echo("unary_unary"))
    others(b"x", timeout=SECONDS)
    before = len(sent)
    for _ in range(20):
        others(b"x", timeout=SECONDS)
    assert len(sent) <= before + 1


@ways(ASYNCHRONOUS)
def test_a_call_that_nobody_holds_any_more_is_cancelled(rpc, way):
    blocked = Blocked(rpc, way.kind)
    call = way.start(blocked.method)
    assert blocked.begun.wait(SECONDS)
    del call
    assert blocked.ended.wait(1)


@ways(FUTURES)
def test_a_future_in_a_cycle_is_cancelled_when_it_is_collected(rpc, way):
    blocked = Blocked(rpc, way.kind)
    cycle = [way.start(blocked.method)]
    cycle.append(cycle)
    assert blocked.begun.wait(SECONDS)
    del cycle
    gc.collect()
    assert blocked.ended.wait(1)


@ways(FUTURES)
def test_a_callback_that_is_not_given_the_future_does_not_hold_it(rpc, way):
    blocked, told = Blocked(rpc, way.kind), rpc.event()
    call = way.start(blocked.method)
    assert call.add_callback(told.set)
    assert blocked.begun.wait(SECONDS)
    del call
    assert blocked.ended.wait(1)
    assert told.wait(SECONDS)


@ways(FUTURES)
def test_a_done_callback_holds_its_future(rpc, way):
    gate, begun, outcome = rpc.event(), rpc.event(), queue.SimpleQueue()

    def act(_context):
        begun.set()
        gate.wait(SECONDS)

    call = way.start(rpc.method(way.kind, echo(way.kind, act)))
    call.add_done_callback(lambda future: outcome.put(future.result()))
    assert begun.wait(SECONDS)
    del call
    gc.collect()
    gate.set()
    assert outcome.get(timeout=SECONDS) == b"request"


@ways(FUTURES)
@pytest.mark.parametrize("method", ["result", "exception", "code", "add_done_callback"])
def test_a_method_of_a_future_holds_it(rpc, way, method):
    gate = rpc.event()
    call = way.start(rpc.method(way.kind, echo(way.kind, lambda _context: gate.wait(SECONDS))))
    bound = getattr(call, method)
    del call
    gc.collect()
    gate.set()
    if method == "add_done_callback":
        outcome = queue.SimpleQueue()
        bound(lambda future: outcome.put(future.result()))
        assert outcome.get(timeout=SECONDS) == b"request"
    else:
        assert bound() == {"result": b"request", "exception": None, "code": grpc.StatusCode.OK}[method]


@ways(FUTURES)
def test_dropping_futures_leaves_other_calls_alone(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    kept = [way.start(method) for _ in range(20) if way.start(method)]
    assert [call.result(timeout=SECONDS) for call in kept] == [b"request"] * 20


def test_a_cancellation_travels_on_when_the_handler_says_so(rpc):
    """A handler cancels the call that it made for its caller."""
    inner = Blocked(rpc, "unary_unary")
    outer_begun = rpc.event()

    def outer(_request, context):
        call = inner.method.future(b"")
        context.add_callback(call.cancel)
        outer_begun.set()
        try:
            return call.result(timeout=SECONDS)
        except grpc.FutureCancelledError:
            return b"cancelled"

    call = rpc.unary_unary(outer).future(b"")
    assert outer_begun.wait(SECONDS)
    assert inner.begun.wait(SECONDS)
    call.cancel()
    assert inner.ended.wait(SECONDS)
