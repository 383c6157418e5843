"""The channel option `grpc.service_config`: deadlines, waiting, limits and retries, of every kind of call."""

from __future__ import annotations

import json
import socket
import threading
import time
from concurrent import futures

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of, multicallable

HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}
RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.05s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}


def config(*, name=None, **method):
    """Channel options with a service config for the methods of the suite's service."""
    entry = {"name": [{"service": SERVICE} if name is None else name], **method}
    return [("grpc.service_config", json.dumps({"methodConfig": [entry]}))]


def failing(kind, times, code=grpc.StatusCode.UNAVAILABLE, before=lambda _context: None):
    """-> a handler that fails `times` times, and the numbers of attempts that its calls told of"""
    attempts = []

    def fail(context):
        attempts.append(dict(context.invocation_metadata()).get("grpc-previous-rpc-attempts"))
        if len(attempts) <= times:
            before(context)
            context.abort(code, f"attempt {len(attempts)}")

    return handler_of(kind, echo(kind, fail)), attempts


@ways()
def test_a_method_has_the_deadline_of_the_config(serve, way):
    held = threading.Event()
    handler = handler_of(way.kind, echo(way.kind, lambda _context: held.wait(SECONDS)))
    served = serve(registered={"slow": handler}, channel_options=config(timeout="0.2s"))
    try:
        began = time.monotonic()
        code, _ = failure(way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/slow"), timeout=None))
        assert code is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - began < SECONDS / 2
    finally:
        held.set()


@pytest.mark.parametrize(("said", "timeout"), [("0.2s", 100), ("100s", 0.2)])
def test_the_shorter_deadline_counts(serve, said, timeout):
    held = threading.Event()
    handler = handler_of("unary_unary", echo("unary_unary", lambda _context: held.wait(SECONDS)))
    served = serve(registered={"slow": handler}, channel_options=config(timeout=said))
    try:
        began = time.monotonic()
        with pytest.raises(grpc.RpcError) as caught:
            served.channel.unary_unary(f"/{SERVICE}/slow")(b"", timeout=timeout)
        assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
        assert time.monotonic() - began < SECONDS / 2
    finally:
        held.set()


@ways()
@pytest.mark.parametrize("side", ["Request", "Response"])
def test_a_method_has_the_limits_of_the_config(serve, way, side):
    served = serve(registered=HANDLERS, channel_options=config(**{f"max{side}MessageBytes": 100}))
    method = multicallable(served.channel, way.kind, f"/{SERVICE}/{way.kind}")
    assert way.run(method, [bytes(100)]).responses == [bytes(100)]
    code, details = failure(way.run(method, [bytes(101)]))
    assert code is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "message larger than max (101 vs. 100)" in details


@ways()
def test_a_method_waits_for_its_server_if_the_config_says_so(column, serve, way):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    fast = [("grpc.initial_reconnect_backoff_ms", 50), ("grpc.min_reconnect_backoff_ms", 50)]
    with column.channel(f"127.0.0.1:{port}", [*config(waitForReady=True), *fast]) as channel:
        outcomes = []
        method = multicallable(channel, way.kind, f"/{SERVICE}/{way.kind}")
        caller = threading.Thread(target=lambda: outcomes.append(way.run(method, [b"x"])))
        caller.start()
        server = column.server(futures.ThreadPoolExecutor(2))
        server.add_registered_method_handlers(SERVICE, HANDLERS)
        server.add_insecure_port(f"127.0.0.1:{port}")
        server.start()
        caller.join(SECONDS)
        assert outcomes[0].responses == [b"x"]
        server.stop(None)


@ways()
def test_a_call_that_fails_is_tried_again_as_the_policy_has_it(serve, way):
    handler, attempts = failing(way.kind, 2)
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=RETRY))
    outcome = way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky"), [b"x"])
    assert outcome.responses == [b"x"]
    assert attempts == [None, "1", "2"]
    if way.gives_call:
        assert outcome.call.code() is grpc.StatusCode.OK


@ways()
def test_the_last_attempt_counts(serve, way):
    handler, attempts = failing(way.kind, 100)
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=RETRY))
    code, details = failure(way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky")))
    assert (code, details) == (grpc.StatusCode.UNAVAILABLE, "attempt 4")
    assert len(attempts) == 4


@ways()
def test_another_status_is_not_tried_again(serve, way):
    handler, attempts = failing(way.kind, 1, grpc.StatusCode.NOT_FOUND)
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=RETRY))
    code, _ = failure(way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky")))
    assert code is grpc.StatusCode.NOT_FOUND
    assert len(attempts) == 1


@ways([way for way in ASYNCHRONOUS if way.response_streaming])
def test_a_call_is_not_tried_again_once_the_server_has_sent_metadata(serve, way):
    arrived = threading.Event()

    def send(context):
        context.send_initial_metadata((("k", "v"),))
        arrived.wait(SECONDS)  # gRPC may take metadata and an end that come together for an end alone

    handler, attempts = failing(way.kind, 1, before=send)
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=RETRY))
    call = way.start(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky"), timeout=SECONDS)
    assert dict(call.initial_metadata()) == {"k": "v"}
    arrived.set()
    code, _ = failure(way.finish(call))
    assert code is grpc.StatusCode.UNAVAILABLE
    assert len(attempts) == 1


@ways()
@pytest.mark.parametrize(("pushback", "count"), [("20", 3), ("-1", 1), ("later", 1)])
def test_the_server_may_push_back(serve, way, pushback, count):
    def push(context):
        context.set_trailing_metadata((("grpc-retry-pushback-ms", pushback),))

    handler, attempts = failing(way.kind, 2, before=push)
    slow = {**RETRY, "initialBackoff": "1000s", "maxBackoff": "1000s"}
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=slow))
    way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky"))
    assert len(attempts) == count


@ways()
def test_the_deadline_is_that_of_all_attempts(serve, way):
    handler, attempts = failing(way.kind, 100)
    slow = {**RETRY, "initialBackoff": "1000s", "maxBackoff": "1000s"}
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=slow))
    code, _ = failure(way.run(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky"), timeout=0.3))
    assert code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(attempts) == 1


@ways(ASYNCHRONOUS)
def test_a_call_between_two_attempts_can_be_cancelled(serve, way):
    failed = threading.Event()
    handler, attempts = failing(way.kind, 100, before=lambda _context: failed.set())
    slow = {**RETRY, "initialBackoff": "1000s", "maxBackoff": "1000s"}
    served = serve(registered={"flaky": handler}, channel_options=config(retryPolicy=slow))
    ended = threading.Event()
    call = way.start(multicallable(served.channel, way.kind, f"/{SERVICE}/flaky"))
    assert call.add_callback(ended.set)
    assert failed.wait(SECONDS)
    assert call.is_active()
    assert call.cancel()
    assert ended.wait(SECONDS)
    assert call.code() is grpc.StatusCode.CANCELLED
    assert len(attempts) == 1


def test_retries_are_switched_off_by_an_option(serve):
    handler, attempts = failing("unary_unary", 1)
    options = [*config(retryPolicy=RETRY), ("grpc.enable_retries", 0)]
    served = serve(registered={"flaky": handler}, channel_options=options)
    with pytest.raises(grpc.RpcError):
        served.channel.unary_unary(f"/{SERVICE}/flaky")(b"", timeout=SECONDS)
    assert len(attempts) == 1


def test_while_most_calls_fail_there_are_no_retries(serve):
    handler, attempts = failing("unary_unary", 100)
    entry = {"name": [{}], "retryPolicy": RETRY}
    throttled = {"methodConfig": [entry], "retryThrottling": {"maxTokens": 4, "tokenRatio": 0.1}}
    served = serve(
        registered={"flaky": handler}, channel_options=[("grpc.service_config", json.dumps(throttled))]
    )
    for _ in range(3):
        with pytest.raises(grpc.RpcError):
            served.channel.unary_unary(f"/{SERVICE}/flaky")(b"", timeout=SECONDS)
    assert len(attempts) == 4  # one call was tried twice, while there were more than two tokens


@pytest.mark.parametrize("value", ["text", "bytes"])
def test_the_most_exact_name_counts_and_nothing_is_inherited(serve, value):
    entries = [
        {"name": [{}], "maxRequestMessageBytes": 30},
        {"name": [{"service": SERVICE}], "maxRequestMessageBytes": 20},
        {"name": [{"service": SERVICE, "method": "unary_unary"}], "timeout": "100s"},
    ]
    text = json.dumps({"methodConfig": entries})
    served = serve(
        registered=HANDLERS,
        channel_options=[("grpc.service_config", text if value == "text" else text.encode())],
    )
    assert served.channel.unary_unary(f"/{SERVICE}/unary_unary")(bytes(50), timeout=SECONDS) == bytes(50)
    for method, limit in ((f"/{SERVICE}/stream_unary", 20), ("/another.Service/method", 30)):
        with pytest.raises(grpc.RpcError, match=rf"\(50 vs\. {limit}\)"):
            served.channel.unary_unary(method)(bytes(50), timeout=SECONDS)
