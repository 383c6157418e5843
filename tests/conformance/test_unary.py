"""Unary calls: `UnaryUnaryMultiCallable` by `__call__`, `with_call` and `future`."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import WAYS, ways
from tests.conformance.service import SECONDS, echo

UNARY = [way for way in WAYS if way.kind == "unary_unary"]


@ways(UNARY)
@pytest.mark.parametrize("size", [0, 1, 5, 1000, 65_536, 1 << 20, (4 << 20) - 1000])
def test_a_message_of_any_size_comes_back_as_it_was(rpc, way, size):
    message = bytes(i % 251 for i in range(min(size, 1000))) * (size // 1000 + 1)
    outcome = way.run(rpc.unary_unary(echo("unary_unary")), [message[:size]])
    assert outcome.responses == [message[:size]]


def test_call_returns_the_response(rpc):
    assert rpc.unary_unary(lambda request, _: request + b"!")(b"hello") == b"hello!"


def test_with_call_returns_the_response_and_a_call(rpc):
    response, call = rpc.unary_unary(lambda request, _: request + b"!").with_call(b"hello")
    assert response == b"hello!"
    assert isinstance(call, grpc.Call)
    assert call.code() is grpc.StatusCode.OK


def test_future_returns_a_call_that_is_a_future(rpc):
    future = rpc.unary_unary(echo("unary_unary")).future(b"1")
    assert isinstance(future, grpc.Call)
    assert isinstance(future, grpc.Future)
    assert future.result(timeout=SECONDS) == b"1"


def test_the_multicallable_is_a_unary_unary_multicallable(rpc):
    assert isinstance(rpc.unary_unary(echo("unary_unary")), grpc.UnaryUnaryMultiCallable)


@pytest.mark.parametrize("style", ["__call__", "with_call", "future"])
def test_every_argument_may_be_given_by_position(rpc, style):
    method = rpc.unary_unary(echo("unary_unary"))
    arguments = (b"request", SECONDS, (("key", "value"),), None, True, grpc.Compression.NoCompression)
    answer = getattr(method, style)(*arguments)
    answer = answer.result(timeout=SECONDS) if style == "future" else answer
    assert (answer[0] if style == "with_call" else answer) == b"request"


@pytest.mark.parametrize("style", ["__call__", "with_call", "future"])
def test_every_argument_may_be_given_by_name(rpc, style):
    method = rpc.unary_unary(echo("unary_unary"))
    answer = getattr(method, style)(
        request=b"request",
        timeout=SECONDS,
        metadata=(("key", "value"),),
        credentials=None,
        wait_for_ready=True,
        compression=grpc.Compression.NoCompression,
    )
    answer = answer.result(timeout=SECONDS) if style == "future" else answer
    assert (answer[0] if style == "with_call" else answer) == b"request"


@pytest.mark.parametrize("style", ["__call__", "with_call", "future"])
def test_an_unknown_argument_is_a_type_error(rpc, style):
    method = rpc.unary_unary(echo("unary_unary"))
    with pytest.raises(TypeError):
        getattr(method, style)(b"request", time_out=1)


def test_a_multicallable_is_used_again_and_again(rpc):
    double = rpc.unary_unary(lambda request, _: request * 2)
    assert [double(b"%d" % i) for i in range(50)] == [b"%d%d" % (i, i) for i in range(50)]


def test_the_response_may_be_empty(rpc):
    assert rpc.unary_unary(lambda _request, _context: b"")(b"x") == b""


def test_two_multicallables_of_one_method_are_the_same_method(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))
    assert rpc.channel.unary_unary(name)(b"1") == rpc.channel.unary_unary(name)(b"1") == b"1"


def test_a_registered_method_is_called_like_any_other(rpc):
    name = rpc.name("unary_unary", echo("unary_unary"))
    assert rpc.channel.unary_unary(name, _registered_method=True)(b"1") == b"1"


def test_a_call_may_be_made_inside_a_handler(rpc):
    inner = rpc.unary_unary(lambda request, _: request + b" inner")
    outer = rpc.unary_unary(lambda request, _: inner(request + b" outer", timeout=SECONDS))
    assert outer(b"x", timeout=SECONDS) == b"x outer inner"
