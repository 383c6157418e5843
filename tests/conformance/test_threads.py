"""Many threads: a channel, a multicallable, a call and a server may be used from any of them at once."""

from __future__ import annotations

import queue
import threading

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, WAYS, ways
from tests.conformance.service import KINDS, SECONDS, echo

THREADS, CALLS = 8, 15
LONG = 4 * SECONDS  # for the whole of a test with many threads


def together(number, work):
    """Run `work(i)` in `number` threads that start at once; raises what one of them raised."""
    barrier = threading.Barrier(number)
    errors = []

    def run(i):
        try:
            barrier.wait(SECONDS)
            work(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
        assert not thread.is_alive(), "a thread hangs"
    if errors:
        raise errors[0]


@ways()
def test_many_threads_share_a_multicallable(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))

    def work(i):
        for j in range(CALLS):
            message = b"%d-%d" % (i, j)
            assert way.run(method, [message], timeout=LONG).responses == [message]

    together(THREADS, work)


def test_many_threads_share_a_channel_for_all_kinds(rpc):
    methods = {way: rpc.method(way.kind, echo(way.kind)) for way in WAYS}

    def work(i):
        way = WAYS[i % len(WAYS)]
        for j in range(CALLS):
            message = b"%d-%d" % (i, j)
            assert way.run(methods[way], [message], timeout=LONG).responses == [message]

    together(2 * len(WAYS), work)


@pytest.mark.parametrize("kind", KINDS)
def test_many_threads_make_multicallables(rpc, kind):
    name = rpc.name(kind, echo(kind))
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)

    def work(_):
        for _ in range(5):
            assert way.run(getattr(rpc.channel, kind)(name), timeout=LONG).responses == [b"request"]

    together(THREADS, work)


def test_many_threads_make_the_first_call_of_a_channel(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))
    with rpc.column.channel(rpc.target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        method = channel.unary_unary(name)

        def work(i):
            assert method(b"%d" % i, timeout=LONG) == b"%d" % i

        together(THREADS, work)


def test_many_threads_wait_for_many_futures(rpc):
    method = rpc.unary_unary(echo("unary_unary"))
    futures = [method.future(b"%d" % i, timeout=LONG) for i in range(50)]

    def work(_):
        assert [future.result(timeout=LONG) for future in futures] == [b"%d" % i for i in range(50)]

    together(4, work)


@ways(ASYNCHRONOUS)
def test_calls_are_cancelled_while_others_go_on(rpc, way):
    method = rpc.method(way.kind, echo(way.kind))

    def work(i):
        for _ in range(CALLS):
            if i % 2:
                way.start(method, timeout=LONG).cancel()
            else:
                assert way.run(method, timeout=LONG).responses == [b"request"]

    together(THREADS, work)


def test_deadlines_pass_while_other_calls_go_on(rpc):
    def act(context):
        ended = rpc.event()
        context.add_callback(ended.set)
        ended.wait(SECONDS)

    slow = rpc.unary_unary(echo("unary_unary", act))
    fast = rpc.unary_unary(echo("unary_unary"))

    def work(i):
        if i % 4 == 0:
            for _ in range(3):
                with pytest.raises(grpc.RpcError):
                    slow(b"", timeout=0.05)
        else:
            for j in range(CALLS):
                assert fast(b"%d" % j, timeout=LONG) == b"%d" % j

    together(THREADS, work)


def test_a_stream_is_read_by_several_threads(rpc):
    """Each response goes to one of them."""
    got = queue.SimpleQueue()
    call = rpc.unary_stream(lambda _request, _context: iter([b"%d" % i for i in range(200)]))(
        b"", timeout=LONG
    )
    lock = threading.Lock()

    def work(_):
        while True:
            with lock:
                response = next(call, None)
            if response is None:
                return
            got.put(int(response))

    together(4, work)
    assert sorted(got.get_nowait() for _ in range(200)) == list(range(200))


def test_a_handler_runs_in_as_many_threads_as_there_are_calls(rpc):
    barrier = threading.Barrier(10)
    method = rpc.unary_unary(echo("unary_unary", lambda _context: barrier.wait(SECONDS)))
    futures = [method.future(b"%d" % i, timeout=LONG) for i in range(10)]
    assert [future.result(timeout=LONG) for future in futures] == [b"%d" % i for i in range(10)]


@ways(ASYNCHRONOUS)
def test_handlers_of_streams_run_side_by_side(rpc, way):
    barrier = threading.Barrier(6)
    method = rpc.method(way.kind, echo(way.kind, lambda _context: barrier.wait(SECONDS)))
    calls = [way.start(method, timeout=LONG) for _ in range(6)]
    assert [way.finish(call).responses for call in calls] == [[b"request"]] * 6


def test_channels_are_opened_and_closed_by_many_threads(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))

    def work(i):
        for _ in range(3):
            with rpc.column.channel(rpc.target, [("sage_test.number", i)]) as channel:
                assert channel.unary_unary(name)(b"x", timeout=LONG) == b"x"

    together(THREADS, work)


def test_a_channel_is_closed_while_threads_call(rpc):
    """Every call ends: with its response, with CANCELLED, or with ValueError."""
    channel = rpc.column.channel(rpc.target)
    method = rpc.method("unary_unary", echo("unary_unary"), channel=channel)
    started = threading.Semaphore(0)

    def work(i):
        if i == 0:
            for _ in range(THREADS):
                assert started.acquire(timeout=SECONDS)
            channel.close()
            return
        try:
            while True:
                method(b"x", timeout=LONG)
                started.release()
        except grpc.RpcError as error:
            assert error.code() in {grpc.StatusCode.CANCELLED, grpc.StatusCode.UNAVAILABLE}  # noqa: PT017
        except ValueError:
            pass

    together(5, work)


def test_a_thread_of_a_callback_may_block(rpc):
    """What a done callback does must not keep other calls from ending."""
    gate, release, done = rpc.event(), rpc.event(), rpc.event()
    method = rpc.unary_unary(echo("unary_unary"))
    first = rpc.unary_unary(echo("unary_unary", lambda _context: gate.wait(SECONDS))).future(
        b"1", timeout=LONG
    )
    first.add_done_callback(lambda _: (release.wait(SECONDS), done.set()))
    gate.set()
    assert first.result(timeout=SECONDS) == b"1"
    release.set()
    assert done.wait(SECONDS)
    assert method(b"2", timeout=SECONDS) == b"2"
