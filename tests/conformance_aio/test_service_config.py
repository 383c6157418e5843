"""The channel option `grpc.service_config` with asyncio: deadlines, limits, and retries of every kind."""

from __future__ import annotations

import asyncio
import json

import grpc
import pytest

from tests.conformance_aio.invocation import BY_KIND, WAYS, every_kind, failure, ways
from tests.conformance_aio.service import KINDS, SECONDS, SERVICE, echo, handler_of

HANDLERS = {kind: handler_of(kind, echo(kind)) for kind in KINDS}
RETRY = {
    "maxAttempts": 4,
    "initialBackoff": "0.01s",
    "maxBackoff": "0.05s",
    "backoffMultiplier": 2,
    "retryableStatusCodes": ["UNAVAILABLE"],
}
SLOW = {**RETRY, "initialBackoff": "1000s", "maxBackoff": "1000s"}


def config(**method):
    """Channel options with a service config for the methods of the suite's service."""
    entry = {"name": [{"service": SERVICE}], **method}
    return [("grpc.service_config", json.dumps({"methodConfig": [entry]}))]


def failing(kind, times, before=lambda _context: None):
    """-> a handler that fails `times` times, and the numbers of attempts that its calls told of"""
    attempts = []

    async def fail(context):
        attempts.append(dict(context.invocation_metadata()).get("grpc-previous-rpc-attempts"))
        if len(attempts) <= times:
            done = before(context)
            if done is not None:
                await done
            await context.abort(grpc.StatusCode.UNAVAILABLE, f"attempt {len(attempts)}")

    return handler_of(kind, echo(kind, fail)), attempts


@pytest.fixture
def flaky(serve):
    """A function that gives the multicallable of a method that fails, and what its attempts told."""

    async def start(kind, times, retry=RETRY, before=lambda _context: None):
        handler, attempts = failing(kind, times, before)
        served = await serve(registered={"flaky": handler}, channel_options=config(retryPolicy=retry))
        return getattr(served.channel, kind)(f"/{SERVICE}/flaky"), attempts

    return start


@every_kind
async def test_a_method_has_the_deadline_of_the_config(serve, kind):
    handler = handler_of(kind, echo(kind, lambda _context: asyncio.sleep(SECONDS)))
    served = await serve(registered={"slow": handler}, channel_options=config(timeout="0.2s"))
    outcome = await BY_KIND[kind].cut_short(getattr(served.channel, kind)(f"/{SERVICE}/slow"))
    assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED


@every_kind
@pytest.mark.parametrize("side", ["Request", "Response"])
async def test_a_method_has_the_limits_of_the_config(serve, kind, side):
    served = await serve(registered=HANDLERS, channel_options=config(**{f"max{side}MessageBytes": 100}))
    method = getattr(served.channel, kind)(f"/{SERVICE}/{kind}")
    assert (await BY_KIND[kind].run(method, [bytes(100)])).responses == [bytes(100)]
    outcome = await BY_KIND[kind].run(method, [bytes(101)])
    # grpc.aio tells a caller that streams that its own message was too large, or that it could not be sent.
    streams = side == "Request" and kind.startswith("stream")
    allowed = {grpc.StatusCode.RESOURCE_EXHAUSTED} | ({grpc.StatusCode.INTERNAL} if streams else set())
    assert failure(outcome)[0] in allowed


@ways()
async def test_a_call_that_fails_is_tried_again_as_the_policy_has_it(flaky, way):
    method, attempts = await flaky(way.kind, 2)
    requests = [b"x", b"y"] if way.request_streaming else [b"x"]
    outcome = await way.run(method, requests)
    assert b"".join(outcome.responses) == b"".join(requests)
    assert await outcome.call.code() is grpc.StatusCode.OK
    assert attempts == [None, "1", "2"]


@ways()
async def test_the_last_attempt_counts(flaky, way):
    method, attempts = await flaky(way.kind, 100)
    assert failure(await way.run(method)) == (grpc.StatusCode.UNAVAILABLE, "attempt 4")
    assert len(attempts) == 4


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_a_call_is_not_tried_again_once_the_server_has_sent_metadata(flaky, kind):
    arrived = asyncio.Event()

    async def send(context):
        await context.send_initial_metadata((("k", "v"),))
        await arrived.wait()  # gRPC may take metadata and an end that come together for an end alone

    method, attempts = await flaky(kind, 1, before=send)
    call = BY_KIND[kind].start(method, timeout=SECONDS)
    assert dict(await call.initial_metadata()) == {"k": "v"}
    arrived.set()
    assert failure(await BY_KIND[kind].finish(call))[0] is grpc.StatusCode.UNAVAILABLE
    assert len(attempts) == 1


@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream", "stream_unary"])
async def test_the_deadline_is_that_of_all_attempts(flaky, kind):
    method, attempts = await flaky(kind, 100, SLOW)
    outcome = await BY_KIND[kind].cut_short(method, timeout=0.3)
    assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    assert len(attempts) == 1


@ways(WAYS)
async def test_a_call_between_two_attempts_can_be_cancelled(flaky, way):
    failed = asyncio.Event()
    method, attempts = await flaky(way.kind, 100, SLOW, before=lambda _context: failed.set())
    call = way.start(method)
    await asyncio.wait_for(failed.wait(), SECONDS)
    assert call.cancel()
    await way.finish(call)
    assert call.cancelled()
    assert len(attempts) == 1
