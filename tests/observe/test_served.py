"""What a service process counts of the calls that it serves: statuses are those that the callers got."""

from __future__ import annotations

import functools
import threading
from concurrent import futures

import grpc
import pytest

import sage_rpc
from sage_rpc.observe.measured import measured
from sage_rpc.observe.served import Meter
from tests import waiting

SECONDS = 10
until = functools.partial(waiting.until, seconds=SECONDS)


@pytest.fixture
def counted(transport):
    """A meter, the event that its handlers wait for, and a channel to them."""
    meter, go_on, pool = Meter(), threading.Event(), futures.ThreadPoolExecutor(4)

    def held(request, context):
        begun.set()
        go_on.wait(SECONDS)
        return request

    def counting(request, context):
        yield request
        yield from [held(request, context)] if request == b"held" else [request]

    begun = threading.Event()
    handlers = {
        "Unary": measured(meter, grpc.unary_unary_rpc_method_handler(held), ("t", "unary")),
        "Stream": measured(meter, grpc.unary_stream_rpc_method_handler(counting), ("t", "stream")),
    }
    server = sage_rpc.server(pool)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    options = [("sage_rpc.transport", transport)]
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}", options) as channel:
        yield meter, go_on, begun, channel
    go_on.set()
    server.stop(SECONDS).wait()
    pool.shutdown()


def codes(meter, method):
    row = meter.stats().of("t", method)
    return {**({"OK": row.successes} if row.successes else {}), **row.failures}


def test_a_call_whose_deadline_passed_is_no_success(counted):
    meter, go_on, _, channel = counted
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/t.T/Unary")(b"x", timeout=0.1)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    go_on.set()
    until(lambda: meter.active == 0)
    assert codes(meter, "unary") == {"DEADLINE_EXCEEDED": 1}
    assert channel.unary_unary("/t.T/Unary")(b"x", timeout=SECONDS) == b"x"
    until(lambda: codes(meter, "unary") == {"DEADLINE_EXCEEDED": 1, "OK": 1})


def test_a_call_that_was_cancelled_is_no_success(counted):
    meter, go_on, begun, channel = counted
    call = channel.unary_unary("/t.T/Unary").future(b"x", timeout=SECONDS)
    assert begun.wait(SECONDS)
    call.cancel()
    # Only what the server knows counts: it must have heard of the end before its handler returns.
    probe = channel.unary_stream("/t.T/Stream")
    assert list(probe(b"x", timeout=SECONDS)) == [b"x", b"x"]
    go_on.set()
    until(lambda: meter.active == 0)
    assert codes(meter, "unary") == {"CANCELLED": 1}


def test_a_stream_whose_deadline_passed_is_no_success(counted):
    meter, go_on, _, channel = counted
    with pytest.raises(grpc.RpcError):
        list(channel.unary_stream("/t.T/Stream")(b"held", timeout=0.1))
    go_on.set()
    until(lambda: meter.active == 0)
    assert codes(meter, "stream") == {"DEADLINE_EXCEEDED": 1}
