"""`grpc.Future` and `grpc.Call` of calls under way: every method, while it runs and after its end."""

from __future__ import annotations

import queue
import threading
import types

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, WAYS, ways
from tests.conformance.service import SECONDS, echo

FUTURES = [way for way in WAYS if way.style == "future"]


def gated(rpc, way, before=lambda _context: None):
    """A call under way, and the event that lets it end."""
    gate = rpc.event()

    def act(context):
        gate.wait(SECONDS)
        before(context)

    return way.start(rpc.method(way.kind, echo(way.kind, act)), timeout=SECONDS), gate


def aborted(rpc, way):
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, "no")
    return way.start(rpc.method(way.kind, echo(way.kind, act)), timeout=SECONDS)


@ways(ASYNCHRONOUS)
def test_a_call_under_way_is_running_and_active(rpc, way):
    call, gate = gated(rpc, way)
    assert call.running()
    assert call.is_active()
    assert not call.done()
    assert not call.cancelled()
    gate.set()
    way.finish(call)
    assert not call.running()
    assert not call.is_active()
    assert call.done()
    assert not call.cancelled()


@ways(FUTURES)
def test_result_is_the_response(rpc, way):
    call, gate = gated(rpc, way)
    gate.set()
    assert call.result(timeout=SECONDS) == b"request"
    assert call.result() == b"request"


@ways(FUTURES)
def test_result_without_a_timeout_waits(rpc, way):
    call, gate = gated(rpc, way)
    threading.Timer(0.05, gate.set).start()
    assert call.result() == b"request"


@ways(FUTURES)
def test_exception_and_traceback_of_a_success_are_none(rpc, way):
    call, gate = gated(rpc, way)
    gate.set()
    assert call.exception(timeout=SECONDS) is None
    assert call.traceback(timeout=SECONDS) is None


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("wait", ["result", "exception", "traceback"])
@pytest.mark.parametrize("timeout", [0, 0.01])
def test_a_wait_that_times_out_leaves_the_call_alone(rpc, way, wait, timeout):
    call, gate = gated(rpc, way)
    with pytest.raises(grpc.FutureTimeoutError):
        getattr(call, wait)(timeout=timeout)
    assert call.running()
    gate.set()
    assert way.finish(call).error is None


@ways(ASYNCHRONOUS)
def test_result_raises_the_error(rpc, way):
    call = aborted(rpc, way)
    with pytest.raises(grpc.RpcError) as caught:
        call.result(timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.ABORTED, "no")


@ways(ASYNCHRONOUS)
def test_exception_is_the_error(rpc, way):
    error = aborted(rpc, way).exception(timeout=SECONDS)
    assert isinstance(error, grpc.RpcError)
    assert isinstance(error, grpc.Call)
    assert error.code() is grpc.StatusCode.ABORTED


@ways(ASYNCHRONOUS)
def test_the_call_itself_is_the_error(rpc, way):
    """`except grpc.RpcError as error: error is future`: grpcio raises the very call."""
    call = aborted(rpc, way)
    assert call.exception(timeout=SECONDS) is call
    assert isinstance(call, grpc.RpcError)


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize(
    "code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK], ids=str
)
def test_the_call_itself_is_raised_whatever_its_status(rpc, way, code):
    call = way.start(rpc.method(way.kind, echo(way.kind, lambda context: context.abort(code, "no"))))
    for _ in range(2):
        with pytest.raises(grpc.RpcError) as caught:
            call.result(timeout=SECONDS)
        assert caught.value is call
    assert (call.code(), call.details()) == (code, "no")


@ways(ASYNCHRONOUS)
def test_the_text_of_the_error_has_code_and_details(rpc, way):
    call = aborted(rpc, way)
    with pytest.raises(grpc.RpcError) as caught:
        call.result(timeout=SECONDS)
    for text in (str(caught.value), repr(caught.value)):
        assert "of RPC that terminated with:" in text
        assert "status = StatusCode.ABORTED" in text
        assert 'details = "no"' in text


@ways(ASYNCHRONOUS)
def test_a_callback_that_is_told_of_an_error_is_given_the_call(rpc, way):
    told = queue.SimpleQueue()
    call = aborted(rpc, way)
    call.add_done_callback(lambda future: told.put(future.exception()))
    assert told.get(timeout=SECONDS) is call


@ways(ASYNCHRONOUS)
def test_traceback_of_an_error_is_a_traceback(rpc, way):
    assert isinstance(aborted(rpc, way).traceback(timeout=SECONDS), types.TracebackType)


@ways(ASYNCHRONOUS)
def test_code_and_details_wait_for_the_end(rpc, way):
    call = aborted(rpc, way)
    assert call.code() is grpc.StatusCode.ABORTED
    assert call.details() == "no"


@ways(ASYNCHRONOUS)
def test_metadata_waits_until_it_is_there(rpc, way):
    def act(context):
        context.send_initial_metadata((("first", "1"),))
        context.set_trailing_metadata((("last", "2"),))
        context.abort(grpc.StatusCode.ABORTED, "no")

    call, gate = gated(rpc, way, act)
    threading.Timer(0.02, gate.set).start()
    assert ("first", "1") in call.initial_metadata()
    assert ("last", "2") in call.trailing_metadata()


@ways(ASYNCHRONOUS)
def test_a_done_callback_gets_the_call(rpc, way):
    call, gate = gated(rpc, way, lambda context: context.abort(grpc.StatusCode.ABORTED, "no"))
    called, done = [], rpc.event()
    call.add_done_callback(lambda future: (called.append((future, future.done())), done.set()))
    assert called == []
    gate.set()
    assert done.wait(SECONDS)
    assert called == [(call, True)]


@ways(FUTURES)
def test_a_done_callback_runs_although_nobody_waits(rpc, way):
    call, gate = gated(rpc, way)
    results, done = [], rpc.event()
    call.add_done_callback(lambda future: (results.append(future.result()), done.set()))
    gate.set()
    assert done.wait(SECONDS)
    assert results == [b"request"]


@ways(ASYNCHRONOUS)
def test_a_done_callback_of_an_ended_call_runs_at_once_in_the_same_thread(rpc, way):
    call = aborted(rpc, way)
    call.exception(timeout=SECONDS)
    called = []
    call.add_done_callback(lambda future: called.append((future, threading.get_ident())))
    assert called == [(call, threading.get_ident())]


@ways(ASYNCHRONOUS)
def test_done_callbacks_run_once_each_in_their_order(rpc, way):
    call, gate = gated(rpc, way, lambda context: context.abort(grpc.StatusCode.ABORTED, "no"))
    called, done = [], rpc.event()
    for i in range(3):
        call.add_done_callback(lambda _, i=i: called.append(i))
    call.add_done_callback(lambda _: done.set())
    gate.set()
    assert done.wait(SECONDS)
    call.exception(timeout=SECONDS)
    assert called == [0, 1, 2]


@ways(ASYNCHRONOUS)
def test_an_exception_in_a_done_callback_harms_nobody(rpc, way):
    def broken(_future):
        raise ValueError("in a callback")

    call, gate = gated(rpc, way, lambda context: context.abort(grpc.StatusCode.ABORTED, "no"))
    done = rpc.event()
    call.add_done_callback(broken)
    call.add_done_callback(lambda _: done.set())
    gate.set()
    assert done.wait(SECONDS)
    assert call.code() is grpc.StatusCode.ABORTED
    assert rpc.unary_unary(echo("unary_unary"))(b"on", timeout=SECONDS) == b"on"


@ways(ASYNCHRONOUS)
def test_a_termination_callback_takes_no_argument(rpc, way):
    call, gate = gated(rpc, way, lambda context: context.abort(grpc.StatusCode.ABORTED, "no"))
    called, done = [], rpc.event()
    assert call.add_callback(lambda: (called.append(1), done.set())) is True
    gate.set()
    assert done.wait(SECONDS)
    assert called == [1]


@ways(ASYNCHRONOUS)
def test_a_termination_callback_of_an_ended_call_is_refused(rpc, way):
    call = aborted(rpc, way)
    done = rpc.event()
    if call.add_callback(done.set):
        assert done.wait(SECONDS)
    called = []
    assert call.add_callback(lambda: called.append(1)) is False
    assert called == []


@ways(FUTURES)
def test_a_callback_may_start_another_call(rpc, way):
    other = rpc.unary_unary(echo("unary_unary"))
    results, done = [], rpc.event()

    def follow(_future):
        other.future(b"second").add_done_callback(lambda f: (results.append(f.result()), done.set()))

    call, gate = gated(rpc, way)
    call.add_done_callback(follow)
    gate.set()
    assert done.wait(SECONDS)
    assert results == [b"second"]


@ways(FUTURES)
def test_many_futures_at_once(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    calls = [way.start(method, [b"%d" % i], timeout=SECONDS) for i in range(100)]
    assert [call.result(timeout=SECONDS) for call in calls] == [b"%d" % i for i in range(100)]


@ways(FUTURES)
def test_several_threads_may_wait_for_one_future(rpc, way):
    call, gate = gated(rpc, way)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(call.result(timeout=SECONDS)), daemon=True)
        for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    gate.set()
    for thread in threads:
        thread.join(SECONDS)
    assert results == [b"request"] * 5


@ways(FUTURES)
def test_futures_end_in_the_order_of_their_handlers(rpc, way):
    first, first_gate = gated(rpc, way)
    second, second_gate = gated(rpc, way)
    second_gate.set()
    assert second.result(timeout=SECONDS) == b"request"
    assert not first.done()
    first_gate.set()
    assert first.result(timeout=SECONDS) == b"request"


@ways(ASYNCHRONOUS)
def test_the_repr_of_a_call_names_its_status(rpc, way):
    call = aborted(rpc, way)
    assert isinstance(repr(call), str)
    call.exception(timeout=SECONDS)
    assert "ABORTED" in repr(call)


@ways(ASYNCHRONOUS)
def test_an_ended_call_has_a_debug_string(rpc, way):
    assert "no" in aborted(rpc, way).debug_error_string()


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
def test_the_call_of_with_call_has_ended(rpc, kind):
    request = b"x" if kind == "unary_unary" else iter([b"x"])
    response, call = rpc.method(kind, echo(kind)).with_call(request, timeout=60)
    assert response == b"x"
    assert not call.is_active()
    assert not call.cancel()
    assert not call.add_callback(lambda: None)
    assert (call.code(), call.details()) == (grpc.StatusCode.OK, "")
    assert isinstance(call.debug_error_string(), str)


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
def test_the_call_of_with_call_is_a_future_too(rpc, kind):
    request = b"x" if kind == "unary_unary" else iter([b"x"])
    response, call = rpc.method(kind, echo(kind)).with_call(request, timeout=SECONDS)
    assert isinstance(call, grpc.Future)
    assert call.done()
    assert call.result() == response
    assert call.exception() is None
