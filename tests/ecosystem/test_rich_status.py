"""grpcio-status, unmodified: google.rpc.Status with details, from abort_with_status to from_call."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf import any_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from tests.ecosystem.conftest import SECONDS


def rich() -> status_pb2.Status:
    detail = any_pb2.Any()
    detail.Pack(
        error_details_pb2.QuotaFailure(
            violations=[
                error_details_pb2.QuotaFailure.Violation(subject="user:Ada", description="naïve " * 20)
            ]
        )
    )
    return status_pb2.Status(code=code_pb2.RESOURCE_EXHAUSTED, message="too many: café", details=[detail])


def refuse(request, context):
    context.abort_with_status(rpc_status.to_status(rich()))


def refuse_later(request, context):
    yield request
    refuse(request, context)


def plain(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "plain")


def inconsistent(request, context):
    context.set_trailing_metadata((("grpc-status-details-bin", rich().SerializeToString()),))
    context.abort(grpc.StatusCode.NOT_FOUND, "plain")


HANDLERS = {
    "refuse": grpc.unary_unary_rpc_method_handler(refuse),
    "refuse_later": grpc.unary_stream_rpc_method_handler(refuse_later),
    "refuse_all": grpc.stream_unary_rpc_method_handler(refuse),
    "plain": grpc.unary_unary_rpc_method_handler(plain),
    "inconsistent": grpc.unary_unary_rpc_method_handler(inconsistent),
    "echo": grpc.unary_unary_rpc_method_handler(lambda request, context: request),
}


@pytest.fixture
def channel(serve):
    generic = grpc.method_handlers_generic_handler("t.T", HANDLERS)
    return serve(lambda server: server.add_generic_rpc_handlers((generic,)))


def failure(call) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value


def test_details_arrive_with_the_error(channel):
    error = failure(lambda: channel.unary_unary("/t.T/refuse")(b"", timeout=SECONDS))
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    status = rpc_status.from_call(error)
    assert status == rich()
    quota = error_details_pb2.QuotaFailure()
    assert status.details[0].Unpack(quota)
    assert quota.violations[0].subject == "user:Ada"


def test_details_arrive_with_a_future(channel):
    future = channel.unary_unary("/t.T/refuse").future(b"", timeout=SECONDS)
    assert future.exception(SECONDS) is not None
    assert rpc_status.from_call(future) == rich()


def test_details_arrive_at_the_end_of_a_stream(channel):
    stream = channel.unary_stream("/t.T/refuse_later")(b"x", timeout=SECONDS)
    assert next(stream) == b"x"
    error = failure(lambda: next(stream))
    assert rpc_status.from_call(error) == rich()
    assert rpc_status.from_call(stream) == rich()


def test_details_arrive_when_a_stream_of_requests_is_refused(channel):
    error = failure(lambda: channel.stream_unary("/t.T/refuse_all")(iter([b"a", b"b"]), timeout=SECONDS))
    assert rpc_status.from_call(error) == rich()


def test_a_plain_error_and_a_success_have_none(channel):
    error = failure(lambda: channel.unary_unary("/t.T/plain")(b"", timeout=SECONDS))
    assert rpc_status.from_call(error) is None
    _, call = channel.unary_unary("/t.T/echo").with_call(b"", timeout=SECONDS)
    assert rpc_status.from_call(call) is None


def test_details_that_contradict_the_status_are_refused(channel):
    error = failure(lambda: channel.unary_unary("/t.T/inconsistent")(b"", timeout=SECONDS))
    with pytest.raises(ValueError, match="doesn't match status code"):
        rpc_status.from_call(error)
