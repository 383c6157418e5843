"""grpc-interceptor, unmodified: its client and server interceptors and its exceptions, all kinds of calls."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc_interceptor import (
    ClientCallDetails,
    ClientInterceptor,
    ExceptionToStatusInterceptor,
    ServerInterceptor,
)
from grpc_interceptor.exceptions import NotFound

from tests.ecosystem.conftest import SECONDS

KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


class Recorder(ServerInterceptor):
    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None, str]] = []

    def intercept(self, method, request_or_iterator, context, method_name):
        token = dict(context.invocation_metadata()).get("token")
        self.seen.append((method_name, token, context.peer()))
        return method(request_or_iterator, context)


class Token(ClientInterceptor):
    """Adds metadata to every call."""

    def intercept(self, method, request_or_iterator, call_details):
        details = ClientCallDetails(
            call_details.method,
            call_details.timeout,
            [("token", "secret")],
            call_details.credentials,
            call_details.wait_for_ready,
            call_details.compression,
        )
        return method(request_or_iterator, details)


class Retry(ClientInterceptor):
    """Calls once more what was unavailable."""

    def intercept(self, method, request_or_iterator, call_details):
        response = method(request_or_iterator, call_details)
        if response.code() is grpc.StatusCode.UNAVAILABLE:
            return method(request_or_iterator, call_details)
        return response


def unary(request, context):
    if request.value == "missing":
        raise NotFound("no such thing")
    return request


def count(request, context):
    yield from [request] * 2


def join(requests, context):
    return StringValue(value="".join(request.value for request in requests))


def echo(requests, context):
    yield from requests


def fail_later(request, context):
    yield request
    raise NotFound("no such thing")


# Messages, not bytes: ExceptionToStatusInterceptor takes a response that can be iterated for a stream.
BOTH = (StringValue.FromString, StringValue.SerializeToString)
HANDLERS = {
    "unary_unary": grpc.unary_unary_rpc_method_handler(unary, *BOTH),
    "unary_stream": grpc.unary_stream_rpc_method_handler(count, *BOTH),
    "stream_unary": grpc.stream_unary_rpc_method_handler(join, *BOTH),
    "stream_stream": grpc.stream_stream_rpc_method_handler(echo, *BOTH),
    "fail_later": grpc.unary_stream_rpc_method_handler(fail_later, *BOTH),
}
A = StringValue(value="a")


@pytest.fixture
def recorder() -> Recorder:
    return Recorder()


@pytest.fixture
def channel(serve, recorder):
    generic = grpc.method_handlers_generic_handler("t.T", HANDLERS)
    return serve(
        lambda server: server.add_generic_rpc_handlers((generic,)),
        interceptors=[recorder, ExceptionToStatusInterceptor()],
    )


def method(channel: grpc.Channel, kind: str, name: str | None = None):
    return getattr(channel, kind)(
        f"/t.T/{name or kind}", StringValue.SerializeToString, StringValue.FromString
    )


def invoke(channel: grpc.Channel, kind: str) -> str:
    """What came back, one letter for each message or more."""
    response = method(channel, kind)(iter([A, A]) if kind.startswith("stream") else A, timeout=SECONDS)
    return "".join(message.value for message in (response if kind.endswith("stream") else [response]))


@pytest.mark.parametrize("kind", KINDS)
def test_interceptors_of_both_ends_see_every_kind(channel, recorder, kind):
    answer = invoke(grpc.intercept_channel(channel, Token()), kind)
    assert answer == ("a" if kind == "unary_unary" else "aa")
    ((name, token, _),) = recorder.seen
    assert (name, token) == (f"/t.T/{kind}", "secret")


def test_the_unary_call_was_carried_by_the_transport_under_test(channel, recorder, carried):
    assert invoke(channel, "unary_unary") == "a"
    ((_, token, peer),) = recorder.seen
    assert token is None
    assert carried(peer)


def test_an_exception_becomes_its_status(channel):
    with pytest.raises(grpc.RpcError) as caught:
        method(channel, "unary_unary")(StringValue(value="missing"), timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    assert caught.value.details() == "no such thing"


def test_an_exception_in_a_stream_becomes_its_status(channel):
    stream = method(channel, "unary_stream", "fail_later")(A, timeout=SECONDS)
    assert next(stream) == A
    with pytest.raises(grpc.RpcError) as caught:
        next(stream)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND


def test_a_method_that_is_not_there_stays_unimplemented(channel):
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/t.T/nothing")(b"", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_a_client_interceptor_may_call_again(serve, recorder):
    attempts = []

    def flaky(request, context):
        attempts.append(request)
        if len(attempts) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
        return request

    generic = grpc.method_handlers_generic_handler(
        "t.T", {"flaky": grpc.unary_unary_rpc_method_handler(flaky)}
    )
    channel = grpc.intercept_channel(
        serve(lambda server: server.add_generic_rpc_handlers((generic,))), Retry()
    )
    assert channel.unary_unary("/t.T/flaky")(b"x", timeout=SECONDS) == b"x"
    assert attempts == [b"x", b"x"]
