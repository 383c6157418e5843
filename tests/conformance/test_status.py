"""Statuses: every code in both directions, details, and the errors that carry them.

Sources: gRPC's status-code document, `grpc.StatusCode`, `ServicerContext.abort`, `set_code`, `set_details`.
"""

from __future__ import annotations

import contextlib
import logging

import grpc
import pytest

from tests.conformance.invocation import WAYS, WITH_CALL, Way, failure, ways
from tests.conformance.service import SECONDS, echo

CODES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
every_code = pytest.mark.parametrize("code", CODES, ids=lambda code: code.name.lower())


@every_code
def test_abort_gives_every_code_and_its_details(rpc, code):
    method = rpc.unary_unary(echo("unary_unary", lambda context: context.abort(code, f"it is {code.name}")))
    with pytest.raises(grpc.RpcError) as caught:
        method(b"", timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (code, f"it is {code.name}")


@every_code
def test_abort_gives_every_code_in_a_stream(rpc, code):
    method = rpc.stream_stream(echo("stream_stream", lambda context: context.abort(code, "so")))
    call = method(iter(()), timeout=SECONDS)
    with pytest.raises(grpc.RpcError):
        next(call)
    assert (call.code(), call.details()) == (code, "so")


@ways()
def test_abort_ends_the_call_with_its_status(rpc, way):
    method = rpc.method(
        way.kind, echo(way.kind, lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "no such thing"))
    )
    assert failure(way.run(method)) == (grpc.StatusCode.NOT_FOUND, "no such thing")


@ways()
def test_a_code_that_is_set_ends_the_call_with_it(rpc, way):
    def act(context):
        context.set_code(grpc.StatusCode.ALREADY_EXISTS)
        context.set_details("it was there")

    method = rpc.method(way.kind, echo(way.kind, act))
    assert failure(way.run(method)) == (grpc.StatusCode.ALREADY_EXISTS, "it was there")


@ways()
def test_an_exception_of_the_handler_is_unknown(rpc, way):
    def act(_context):
        raise ValueError("boom")

    verb = "iterating responses" if way.response_streaming else "calling application"
    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act)))) == (
        grpc.StatusCode.UNKNOWN, f"Exception {verb}: boom",
    )  # fmt: skip


@ways()
def test_a_code_that_is_set_wins_over_an_exception(rpc, way):
    def act(context):
        context.set_code(grpc.StatusCode.RESOURCE_EXHAUSTED)
        context.set_details("no room")
        raise ValueError("boom")

    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act)))) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED, "no room",
    )  # fmt: skip


@ways()
def test_abort_wins_over_what_was_set_before(rpc, way):
    def act(context):
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("before")
        context.abort(grpc.StatusCode.ABORTED, "after")

    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act)))) == (grpc.StatusCode.ABORTED, "after")


@ways(WITH_CALL)
def test_a_call_that_succeeded_is_ok_with_empty_details(rpc, way):
    outcome = way.run(rpc.method(way.kind, echo(way.kind)))
    assert outcome.error is None
    assert outcome.status == (grpc.StatusCode.OK, "")


@ways(WITH_CALL)
def test_details_do_not_travel_with_ok(rpc, way):
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.set_details("all fine")))
    outcome = way.run(method)
    assert outcome.error is None
    assert outcome.status == (grpc.StatusCode.OK, "")


@ways()
def test_an_unknown_method_is_unimplemented(rpc, way):
    method = getattr(rpc.channel, way.kind)("/conformance.Service/nothing")
    assert failure(way.run(method)) == (grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


@ways()
def test_an_unknown_service_is_unimplemented(rpc, way):
    method = getattr(rpc.channel, way.kind)("/no.Such/thing")
    assert failure(way.run(method)) == (grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


@ways()
def test_the_error_is_a_call(rpc, way):
    method = rpc.method(
        way.kind, echo(way.kind, lambda context: context.abort(grpc.StatusCode.INTERNAL, "x"))
    )
    error = way.run(method).error
    assert isinstance(error, grpc.RpcError)
    assert isinstance(error, grpc.Call)
    assert error.code() is grpc.StatusCode.INTERNAL
    assert not error.cancel()


@ways([way for way in WAYS if way.kind == "unary_unary"])
@pytest.mark.parametrize(
    "details",
    ["", "x", "größer als drei ☃ 𝄞", "percent %20 %", "line\nbreak\ttab", "a" * 1000, "trailing space "],
    ids=["empty", "short", "unicode", "percent", "control", "long", "space"],
)
def test_details_are_any_unicode_text(rpc, way, details):
    method = rpc.unary_unary(
        echo("unary_unary", lambda context: context.abort(grpc.StatusCode.INTERNAL, details))
    )
    assert failure(way.run(method))[1] == details


def test_abort_with_ok_is_unknown(rpc, caplog):
    method = rpc.unary_unary(echo("unary_unary", lambda context: context.abort(grpc.StatusCode.OK, "fine")))
    with caplog.at_level(logging.ERROR), pytest.raises(grpc.RpcError) as caught:
        method(b"", timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.UNKNOWN, "")


def test_abort_raises_a_plain_exception(rpc):
    raised = []

    def act(context):
        try:
            context.abort(grpc.StatusCode.ABORTED, "x")
        except Exception as error:
            raised.append(error)
            raise

    with pytest.raises(grpc.RpcError):
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=SECONDS)
    assert type(raised[0]) is Exception
    assert str(raised[0]) == ""


def test_an_abort_that_is_swallowed_still_decides_the_status(rpc):
    def act(context):
        with contextlib.suppress(Exception):
            context.abort(grpc.StatusCode.ABORTED, "x")

    with pytest.raises(grpc.RpcError) as caught:
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.ABORTED


def test_another_exception_after_a_swallowed_abort_changes_nothing(rpc):
    def act(context):
        try:
            context.abort(grpc.StatusCode.ABORTED, "x")
        except Exception as error:
            raise RuntimeError("other") from error

    with pytest.raises(grpc.RpcError) as caught:
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.ABORTED, "x")


class Status(grpc.Status):
    def __init__(self, code, details, trailing_metadata):
        self.code, self.details, self.trailing_metadata = code, details, trailing_metadata


@ways()
def test_abort_with_status_gives_all_three(rpc, way):
    status = Status(grpc.StatusCode.FAILED_PRECONDITION, "not yet", (("retry", "later"), ("b-bin", b"\0")))
    method = rpc.method(way.kind, echo(way.kind, lambda context: context.abort_with_status(status)))
    outcome = way.run(method)
    assert failure(outcome) == (grpc.StatusCode.FAILED_PRECONDITION, "not yet")
    assert {("retry", "later"), ("b-bin", b"\0")} <= set(outcome.error.trailing_metadata())


def test_abort_with_status_wins_over_trailing_metadata_set_before(rpc):
    def act(context):
        context.set_trailing_metadata((("old", "1"),))
        context.abort_with_status(Status(grpc.StatusCode.ABORTED, "x", (("new", "2"),)))

    with pytest.raises(grpc.RpcError) as caught:
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=SECONDS)
    keys = {key for key, _ in caught.value.trailing_metadata()}
    assert "new" in keys
    assert "old" not in keys


def test_a_code_without_details_has_empty_details(rpc):
    method = rpc.unary_unary(echo("unary_unary", lambda context: context.set_code(grpc.StatusCode.INTERNAL)))
    with pytest.raises(grpc.RpcError) as caught:
        method(b"", timeout=SECONDS)
    assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INTERNAL, "")


@pytest.mark.parametrize(
    "code", ["NOT_FOUND", 5, 99, None, object()], ids=["str", "5", "99", "None", "object"]
)
def test_a_code_that_is_no_status_code(rpc, code):
    """What is not a `grpc.StatusCode` is UNKNOWN, and None is as if nothing had been set."""
    method = rpc.unary_unary(echo("unary_unary", lambda context: context.set_code(code)))
    if code is None:
        assert method(b"x", timeout=SECONDS) == b"x"
        return
    with pytest.raises(grpc.RpcError) as caught:
        method(b"x", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNKNOWN


def test_setting_ok_succeeds(rpc):
    method = rpc.unary_unary(echo("unary_unary", lambda context: context.set_code(grpc.StatusCode.OK)))
    assert method(b"x", timeout=SECONDS) == b"x"


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
def test_the_text_of_an_error_names_status_and_details(rpc, kind):
    """Programs print errors, and people match on the text."""
    method = rpc.method(kind, echo(kind, lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "no cat")))
    error = Way(kind, "call" if kind == "unary_unary" else "iterator").run(method).error
    for text in (str(error), repr(error)):
        assert "status = StatusCode.NOT_FOUND" in text
        assert 'details = "no cat"' in text


@pytest.mark.parametrize("kind", ["unary_unary", "stream_stream"])
def test_an_error_has_a_debug_string(rpc, kind):
    method = rpc.method(kind, echo(kind, lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "no cat")))
    error = Way(kind, "call" if kind == "unary_unary" else "iterator").run(method).error
    assert "no cat" in error.debug_error_string()


def test_the_error_of_a_blocking_call_is_a_future_that_is_done(rpc):
    method = rpc.unary_unary(echo("unary_unary", lambda context: context.abort(grpc.StatusCode.ABORTED, "x")))
    with pytest.raises(grpc.RpcError) as caught:
        method(b"", timeout=SECONDS)
    error = caught.value
    assert isinstance(error, grpc.Future)
    assert error.done()
    assert not error.running()
    assert not error.cancelled()
    assert not error.cancel()
    assert error.exception() is error
    assert error.traceback() is not None
    with pytest.raises(grpc.RpcError):
        error.result()
    called = []
    error.add_done_callback(called.append)
    assert called == [error]


def test_errors_are_logged_on_the_server_and_the_server_goes_on(rpc):
    def act(_context):
        raise ValueError("boom")

    failing = rpc.unary_unary(echo("unary_unary", act))
    for _ in range(40):  # more than the pool has threads
        with pytest.raises(grpc.RpcError):
            failing(b"", timeout=SECONDS)
    assert rpc.unary_unary(echo("unary_unary"))(b"still", timeout=SECONDS) == b"still"


class UnprintableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")


def test_an_exception_without_a_text_is_unknown(rpc):
    def act(_context):
        raise UnprintableError

    with pytest.raises(grpc.RpcError) as caught:
        rpc.unary_unary(echo("unary_unary", act))(b"", timeout=1)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNKNOWN, "Calling application raised unprintable Exception!",
    )  # fmt: skip
