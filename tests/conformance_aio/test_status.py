"""How calls end: status codes and details, `AioRpcError`, and what a failing handler makes of them."""

from __future__ import annotations

import asyncio
import copy
import pickle

import grpc
import pytest
from grpc import aio

from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, status, ways
from tests.conformance_aio.service import STYLES, echo

ERRORS = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]
every_error = pytest.mark.parametrize("code", ERRORS, ids=lambda code: code.name)
every_handler = pytest.mark.parametrize(
    ("kind", "style"), [(kind, style) for kind, styles in STYLES.items() for style in styles]
)


async def run(rpc, kind, act, style="iterator", **arguments):
    """Run a method of `kind` whose handler awaits `act(context)`. -> the outcome"""
    return await BY_KIND[kind].run(rpc.method(kind, echo(kind, act, style)), **arguments)


async def cut_short(rpc, kind, act, style="iterator"):
    """Run a method of `kind` whose handler ends in `act(context)`. -> the outcome"""
    return await BY_KIND[kind].cut_short(rpc.method(kind, echo(kind, act, style)))


async def raised(rpc, act=lambda context: context.abort(grpc.StatusCode.ABORTED, "no", (("last", "2"),))):
    """The error of a unary call."""
    with pytest.raises(aio.AioRpcError) as caught:
        await rpc.unary_unary(echo("unary_unary", act))(b"")
    return caught.value


class FixedStatus(grpc.Status):
    def __init__(self, code, details="", trailing_metadata=()):
        self.code, self.details, self.trailing_metadata = code, details, trailing_metadata


# -- abort


@ways()
async def test_abort_ends_the_call_with_its_code_and_details(rpc, way):
    act = lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "no such row")
    outcome = await way.cut_short(rpc.method(way.kind, echo(way.kind, act)))
    assert failure(outcome) == (grpc.StatusCode.NOT_FOUND, "no such row")
    assert await status(outcome.call) == (grpc.StatusCode.NOT_FOUND, "no such row")


@every_error
async def test_every_code_arrives(rpc, code):
    outcome = await cut_short(rpc, "stream_stream", lambda context: context.abort(code, "because"))
    assert failure(outcome) == (code, "because")


@every_handler
async def test_every_handler_may_abort(rpc, kind, style):
    outcome = await cut_short(
        rpc, kind, lambda context: context.abort(grpc.StatusCode.ABORTED, "because"), style
    )
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "because")


@either_kind
@pytest.mark.parametrize(
    "details", ["", "plain", "größer ☃ 測試", 'with "quotes" and \\', "a\nb\tc", "x" * 4000]
)
async def test_details_arrive_as_they_were(rpc, kind, details):
    outcome = await cut_short(rpc, kind, lambda context: context.abort(grpc.StatusCode.ABORTED, details))
    assert failure(outcome)[1] == details


@either_kind
async def test_abort_without_details_has_none(rpc, kind):
    outcome = await cut_short(rpc, kind, lambda context: context.abort(grpc.StatusCode.ABORTED))
    assert failure(outcome) == (grpc.StatusCode.ABORTED, "")


@every_handler
async def test_abort_raises_abort_error_in_the_handler(rpc, kind, style):
    seen = []

    async def act(context):
        try:
            await context.abort(grpc.StatusCode.ABORTED, "x")
        except BaseException as error:
            seen.append(type(error))
            raise

    await cut_short(rpc, kind, act, style)
    await rpc.idle()
    assert seen == [aio.AbortError]
    assert issubclass(aio.AbortError, aio.BaseError)


@either_kind
async def test_abort_sends_trailing_metadata(rpc, kind):
    act = lambda context: context.abort(
        grpc.StatusCode.ABORTED, "x", (("key", "value"), ("key-bin", b"\xff"))
    )
    error = (await cut_short(rpc, kind, act)).error
    assert {("key", "value"), ("key-bin", b"\xff")} <= set(error.trailing_metadata())


@either_kind
async def test_abort_sends_the_trailing_metadata_that_was_set_before(rpc, kind):
    async def act(context):
        context.set_trailing_metadata((("key", "value"),))
        await context.abort(grpc.StatusCode.ABORTED, "x")

    assert ("key", "value") in set((await cut_short(rpc, kind, act)).error.trailing_metadata())


@either_kind
async def test_abort_supersedes_what_was_set_before(rpc, kind):
    async def act(context):
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_details("before")
        context.set_trailing_metadata((("before", "1"),))
        await context.abort(grpc.StatusCode.ABORTED, "after", (("after", "2"),))

    error = (await cut_short(rpc, kind, act)).error
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "after")
    keys = error.trailing_metadata().keys()
    assert "after" in keys
    assert "before" not in keys


@either_kind
async def test_abort_with_status_ends_the_call_with_it(rpc, kind):
    given = FixedStatus(grpc.StatusCode.ABORTED, "no", (("key", "value"),))
    error = (await cut_short(rpc, kind, lambda context: context.abort_with_status(given))).error
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "no")
    assert ("key", "value") in set(error.trailing_metadata())


@either_kind
async def test_aborting_again_is_a_usage_error(rpc, kind):
    seen = []

    async def act(context):
        try:
            await context.abort(grpc.StatusCode.ABORTED, "first")
        except aio.AbortError:
            try:
                await context.abort(grpc.StatusCode.NOT_FOUND, "second")
            except BaseException as error:
                seen.append(type(error))
            raise

    assert failure(await cut_short(rpc, kind, act)) == (grpc.StatusCode.ABORTED, "first")
    await rpc.idle()
    assert seen == [aio.UsageError]


@either_kind
async def test_nothing_runs_after_an_abort(rpc, kind):
    after = []

    async def act(context):
        await context.abort(grpc.StatusCode.ABORTED, "x")
        after.append(1)

    await cut_short(rpc, kind, act)
    await rpc.idle()
    assert after == []


# -- set_code and set_details


@every_error
async def test_every_code_may_be_set(rpc, code):
    assert failure(await run(rpc, "unary_unary", lambda context: context.set_code(code))) == (code, "")


@every_handler
async def test_a_code_that_was_set_is_the_calls(rpc, kind, style):
    async def act(context):
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("because")

    assert failure(await run(rpc, kind, act, style)) == (grpc.StatusCode.ABORTED, "because")


@either_kind
async def test_details_of_a_success_are_no_error(rpc, kind):
    outcome = await run(rpc, kind, lambda context: context.set_details("well done"))
    assert outcome.responses == [b"request"]
    assert await outcome.call.code() is grpc.StatusCode.OK


@either_kind
async def test_setting_ok_changes_nothing(rpc, kind):
    outcome = await run(rpc, kind, lambda context: context.set_code(grpc.StatusCode.OK))
    assert outcome.responses == [b"request"]


@either_kind
async def test_the_last_code_counts(rpc, kind):
    async def act(context):
        context.set_code(grpc.StatusCode.NOT_FOUND)
        context.set_code(grpc.StatusCode.ABORTED)
        context.set_details("first")
        context.set_details("second")

    assert failure(await run(rpc, kind, act)) == (grpc.StatusCode.ABORTED, "second")


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_responses_before_a_code_that_was_set_arrive(rpc, kind):
    outcome = await run(rpc, kind, lambda context: context.set_code(grpc.StatusCode.DATA_LOSS))
    assert outcome.responses == [b"request"]
    assert failure(outcome)[0] is grpc.StatusCode.DATA_LOSS


# -- exceptions


@every_handler
async def test_an_exception_in_a_handler_is_unknown(rpc, kind, style):
    async def act(_context):
        raise ValueError("boom")

    code, details = failure(await cut_short(rpc, kind, act, style))
    assert code is grpc.StatusCode.UNKNOWN
    assert "ValueError" in details
    assert "boom" in details


@either_kind
async def test_an_exception_after_a_code_was_set_has_that_code(rpc, kind):
    async def act(context):
        context.set_code(grpc.StatusCode.INVALID_ARGUMENT)
        raise ValueError("boom")

    assert failure(await cut_short(rpc, kind, act))[0] is grpc.StatusCode.INVALID_ARGUMENT


@either_kind
async def test_an_exception_keeps_the_trailing_metadata(rpc, kind):
    async def act(context):
        context.set_trailing_metadata((("key", "value"),))
        raise ValueError("boom")

    assert ("key", "value") in set((await cut_short(rpc, kind, act)).error.trailing_metadata())


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_responses_before_an_exception_arrive(rpc, kind):
    async def behave(_requests, _context):
        yield b"1"
        raise ValueError("boom")

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave))
    assert outcome.responses == [b"1"]
    assert failure(outcome)[0] is grpc.StatusCode.UNKNOWN


@either_kind
async def test_the_error_of_another_call_is_unknown(rpc, kind):
    """A handler that lets the failure of a call it made pass: its own caller gets no foreign code."""
    abort = lambda context: context.abort(grpc.StatusCode.NOT_FOUND, "inner")
    inner = rpc.unary_unary(echo("unary_unary", abort))

    async def act(_context):
        await inner(b"")

    assert failure(await cut_short(rpc, kind, act))[0] is grpc.StatusCode.UNKNOWN


@either_kind
async def test_a_timeout_in_a_handler_is_unknown(rpc, kind):
    async def act(_context):
        await asyncio.wait_for(rpc.event().wait(), 0.001)

    assert failure(await cut_short(rpc, kind, act))[0] is grpc.StatusCode.UNKNOWN


@either_kind
async def test_an_exception_disturbs_no_other_call(rpc, kind):
    async def act(_context):
        raise ValueError("boom")

    method, good = rpc.method(kind, echo(kind, act)), rpc.method(kind, echo(kind))
    way = BY_KIND[kind]
    outcomes = await asyncio.gather(*(way.run(good if i % 2 else method) for i in range(20)))
    assert [outcome.error is None for outcome in outcomes] == [False, True] * 10


# -- wrong answers


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
@pytest.mark.parametrize("answer", [5, [b"list"], {}], ids=repr)
async def test_a_response_that_is_no_bytes_without_a_serializer_fails(rpc, kind, answer):
    async def behave(_requests, _context):
        return answer

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave), timeout=5)
    assert failure(outcome)[0] in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
@pytest.mark.parametrize("answer", [5, [b"list"], {}], ids=repr)
async def test_a_streamed_response_that_is_no_bytes_without_a_serializer_fails(rpc, kind, answer):
    async def behave(_requests, _context):
        yield b"1"
        yield answer

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave), timeout=5)
    assert outcome.responses == [b"1"]
    assert failure(outcome)[0] in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
async def test_a_generator_where_one_response_is_due_fails(rpc, kind):
    async def behave(_requests, _context):
        yield b"1"

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave))
    assert failure(outcome)[0] in {grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL}


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
async def test_what_a_coroutine_returns_where_a_stream_is_due_is_no_response(rpc, kind):
    """It writes its responses."""

    async def behave(_requests, context):
        await context.write(b"1")
        return b"2"

    outcome = await BY_KIND[kind].run(rpc.method(kind, behave))
    assert outcome.error is None
    assert outcome.responses == [b"1"]


@every_kind
async def test_a_method_that_does_not_exist_is_unimplemented(rpc, kind):
    call = BY_KIND[kind].begin(getattr(rpc.channel, kind)("/conformance.Service/Nothing"))
    outcome = await BY_KIND[kind].finish(call)
    assert failure(outcome) == (grpc.StatusCode.UNIMPLEMENTED, "Method not found!")


@pytest.mark.parametrize("name", ["/no.such.Service/Method", "/x/y", "no-slash", "/", "//", "/a/b/c"])
async def test_a_service_that_does_not_exist_is_unimplemented(rpc, name):
    outcome = await BY_KIND["unary_unary"].run(rpc.channel.unary_unary(name))
    assert failure(outcome)[0] is grpc.StatusCode.UNIMPLEMENTED


# -- the error


async def test_the_error_is_an_rpc_error(rpc):
    error = await raised(rpc)
    assert isinstance(error, aio.AioRpcError)
    assert isinstance(error, grpc.RpcError)


async def test_the_error_says_how_the_call_ended(rpc):
    """Its methods are no coroutines: it is a snapshot."""

    async def act(context):
        await context.send_initial_metadata((("first", "1"),))
        await context.abort(grpc.StatusCode.ABORTED, "no", (("last", "2"),))

    error = await raised(rpc, act)
    assert (error.code(), error.details()) == (grpc.StatusCode.ABORTED, "no")
    assert ("first", "1") in tuple(error.initial_metadata())
    assert ("last", "2") in tuple(error.trailing_metadata())
    assert "no" in error.debug_error_string()


async def test_the_metadata_of_the_error_is_a_metadata(rpc):
    error = await raised(rpc)
    assert isinstance(error.initial_metadata(), aio.Metadata)
    assert isinstance(error.trailing_metadata(), aio.Metadata)
    assert error.trailing_metadata()["last"] == "2"


@pytest.mark.parametrize("text", [str, repr], ids=["str", "repr"])
async def test_the_text_of_the_error_tells_what_happened(rpc, text):
    shown = text(await raised(rpc))
    assert "StatusCode.ABORTED" in shown
    assert 'details = "no"' in shown
    assert "debug_error_string" in shown


@every_kind
async def test_each_wait_raises_an_equal_error(rpc, kind):
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, "no")
    call = BY_KIND[kind].start(rpc.method(kind, echo(kind, act)))
    if kind.endswith("stream"):
        errors = [(await BY_KIND[kind].finish(call)).error]
        await call.code()
    else:
        errors = [(await BY_KIND[kind].finish(call)).error for _ in range(2)]
    assert {(error.code(), error.details()) for error in errors} == {(grpc.StatusCode.ABORTED, "no")}


@pytest.mark.parametrize("protocol", range(2, pickle.HIGHEST_PROTOCOL + 1))
async def test_the_error_may_be_pickled(rpc, protocol):
    error = await raised(rpc)
    other = pickle.loads(pickle.dumps(error, protocol))
    assert isinstance(other, aio.AioRpcError)
    assert (other.code(), other.details()) == (error.code(), error.details())
    assert other.trailing_metadata() == error.trailing_metadata()
    assert other.initial_metadata() == error.initial_metadata()
    assert other.debug_error_string() == error.debug_error_string()


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
async def test_the_error_may_be_copied(rpc, how):
    error = await raised(rpc)
    other = how(error)
    assert (other.code(), other.details()) == (error.code(), error.details())


async def test_the_error_of_a_call_that_nobody_answers_may_be_pickled(rpc, dead_port):
    async with rpc.column.channel(f"127.0.0.1:{dead_port}") as channel:
        with pytest.raises(aio.AioRpcError) as caught:
            await channel.unary_unary("/x/y")(b"")
    other = pickle.loads(pickle.dumps(caught.value))
    assert other.code() is grpc.StatusCode.UNAVAILABLE


async def test_the_error_keeps_no_task_from_ending(rpc):
    """`gather(return_exceptions=True)` collects errors as it collects results."""
    method = rpc.unary_unary(echo("unary_unary", lambda c: c.abort(grpc.StatusCode.ABORTED, "no")))
    errors = await asyncio.gather(*(method(b"") for _ in range(5)), return_exceptions=True)
    assert [error.code() for error in errors] == [grpc.StatusCode.ABORTED] * 5
