"""Two things at once: whichever comes first, a call ends once, and whoever waits for it is woken.

Each test tries its race many times, over a channel that goes on afterwards.
"""

from __future__ import annotations

import threading

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, ways
from tests.conformance.service import SECONDS, echo

ROUNDS = 40


def ended(call):
    """The status of a call that must end by itself."""
    try:
        call.exception(timeout=SECONDS)
    except grpc.FutureCancelledError:
        pass
    except grpc.FutureTimeoutError:
        pytest.fail(f"{call!r} does not end")
    return call.code()


def blocking(rpc, way):
    """A method whose handler waits for the end of its call, and a semaphore of those that run."""
    begun = threading.Semaphore(0)

    def act(context):
        over = rpc.event()
        context.add_callback(over.set)
        begun.release()
        over.wait(SECONDS)

    return rpc.method(way.kind, echo(way.kind, act)), begun


def draws(way, call):
    """Wait for the end of `call` as its users do: for its result, or for its responses."""
    try:
        return call.result() if way.style == "future" else list(call)
    except (grpc.RpcError, grpc.FutureCancelledError) as error:
        return error


@ways(ASYNCHRONOUS)
def test_every_cancellation_wakes_whoever_waits(rpc, way):
    method, begun = blocking(rpc, way)
    for _ in range(3 * ROUNDS):
        call = way.start(method)
        waiter = threading.Thread(target=draws, args=(way, call), daemon=True)
        waiter.start()
        assert begun.acquire(timeout=SECONDS)
        call.cancel()
        waiter.join(1)
        assert not waiter.is_alive()


@ways(ASYNCHRONOUS)
def test_a_cancellation_meets_the_response(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    for _ in range(ROUNDS):
        call = way.start(method)
        canceller = threading.Thread(target=call.cancel, daemon=True)
        canceller.start()
        outcome = draws(way, call)
        canceller.join(SECONDS)
        if call.code() is grpc.StatusCode.OK:
            assert outcome in (b"request", [b"request"])
            assert not call.cancelled()
        else:
            assert isinstance(outcome, (grpc.RpcError, grpc.FutureCancelledError))
            assert call.cancelled()


@ways(ASYNCHRONOUS)
def test_a_deadline_meets_the_response(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))
    for i in range(ROUNDS):
        call = way.start(method, timeout=0.0002 * (i % 10))
        outcome = draws(way, call)
        assert call.code() in {grpc.StatusCode.OK, grpc.StatusCode.DEADLINE_EXCEEDED}
        assert (call.code() is grpc.StatusCode.OK) == (outcome in (b"request", [b"request"]))


@ways(ASYNCHRONOUS)
def test_a_deadline_meets_a_cancellation(rpc, way):
    method, _ = blocking(rpc, way)
    for i in range(ROUNDS // 2):
        call = way.start(method, timeout=0.001 + 0.0002 * (i % 5))
        canceller = threading.Timer(0.001, call.cancel)
        canceller.start()
        assert ended(call) in {grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED}
        canceller.join(SECONDS)


@ways(ASYNCHRONOUS)
def test_a_done_callback_that_is_added_at_the_end_runs_once(rpc, way):
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.abort(grpc.StatusCode.ABORTED, "")))
    for _ in range(ROUNDS):
        called = []
        done = threading.Event()
        call = way.start(method, timeout=SECONDS)
        call.add_done_callback(lambda future, called=called, done=done: (called.append(future), done.set()))
        assert done.wait(SECONDS)
        ended(call)
        assert called == [call]


@ways(ASYNCHRONOUS)
def test_two_threads_cancel(rpc, way):
    method, _ = blocking(rpc, way)
    for _ in range(ROUNDS // 2):
        call = way.start(method)
        said = []
        cancel = lambda call=call, said=said: said.append(call.cancel())
        threads = [threading.Thread(target=cancel, daemon=True) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(SECONDS)
        assert sorted(said) == [False, False, True]
        assert ended(call) is grpc.StatusCode.CANCELLED


@ways(ASYNCHRONOUS)
def test_closing_a_channel_wakes_whoever_waits(rpc, way):
    for _ in range(ROUNDS // 4):
        channel = rpc.column.channel(rpc.target)
        begun, over = rpc.event(), rpc.event()

        def act(context, begun=begun, over=over):
            context.add_callback(over.set)
            begun.set()
            over.wait(SECONDS)

        name = rpc.name(way.kind, echo(way.kind, act))
        call = way.start(getattr(channel, way.kind)(name))
        waiter = threading.Thread(target=draws, args=(way, call), daemon=True)
        waiter.start()
        assert begun.wait(SECONDS)
        channel.close()
        waiter.join(SECONDS)
        assert not waiter.is_alive()
        assert call.code() is grpc.StatusCode.CANCELLED


@ways(ASYNCHRONOUS)
def test_a_wait_that_times_out_meets_the_end(rpc, way):
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.abort(grpc.StatusCode.ABORTED, "")))
    for i in range(ROUNDS):
        call = way.start(method, timeout=SECONDS)
        try:
            call.exception(timeout=0.0001 * (i % 8))
        except grpc.FutureTimeoutError:
            assert ended(call) is grpc.StatusCode.ABORTED
        assert call.code() is grpc.StatusCode.ABORTED
