"""Bad input of every sort: grpcio's outcome, and a channel and server that go on as if nothing had been."""

from __future__ import annotations

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, WAYS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, echo, handler_of

UNARY = [way for way in WAYS if way.kind == "unary_unary"]
UNARY_FUTURE = [way for way in UNARY if way.style == "future"]
INVALID = {
    "upper case": ("Upper", "x"),
    "empty key": ("", "x"),
    "space in key": ("a b", "x"),
    "colon": (":path", "x"),
    "unicode key": ("ü", "x"),
    "line break": ("key", "a\nb"),
    "carriage return": ("key", "a\rb"),
    "nul": ("key", "a\0b"),
    "unicode value": ("key", "ü"),
    "delete": ("key", "a\x7fb"),
}
WRONG_TYPE = {
    "number as value": (("key", 5),),
    "number as key": ((5, "x"),),
    "a string": ("key",),
    "three of a pair": (("a", "b", "c"),),
    "one of a pair": (("a",),),
    "text for bytes": (("key-bin", "text"),),
    "bytearray for bytes": (("key-bin", bytearray(b"x")),),
    "nothing for bytes": (("key-bin", None),),
    "no iterable": 5,
    "a dict": {"key": "value"},
}


def goes_on(rpc, way):
    """What must hold after every failure."""
    assert way.run(rpc.method(way.kind, echo(way.kind)), [b"on"]).responses == [b"on"]


# -- metadata of the caller


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("pair", INVALID)
def test_invalid_metadata_is_internal(rpc, way, pair):
    outcome = way.run(rpc.method(way.kind, echo(way.kind)), metadata=(("good", "x"), INVALID[pair]))
    assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Invalid metadata")
    goes_on(rpc, way)


@ways()
def test_invalid_metadata_reaches_no_handler(rpc, way):
    called = []
    way.run(rpc.method(way.kind, echo(way.kind, called.append)), metadata=(INVALID["upper case"],))
    goes_on(rpc, way)
    assert called == []


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("metadata", WRONG_TYPE)
def test_metadata_of_the_wrong_type_is_raised_at_once(rpc, way, metadata):
    """Whether it is a TypeError or a ValueError is nowhere promised."""
    with pytest.raises((TypeError, ValueError, AttributeError)):
        way.invoke(rpc.method(way.kind, echo(way.kind)), metadata=WRONG_TYPE[metadata], timeout=SECONDS)
    goes_on(rpc, way)


@ways()
@pytest.mark.parametrize("nothing", ["", {}, [], ()], ids=repr)
def test_metadata_that_is_empty_is_none(rpc, way, nothing):
    outcome = way.run(rpc.method(way.kind, echo(way.kind)), metadata=nothing)
    assert outcome.responses == [b"request"]


# -- metadata of the handler


@pytest.mark.parametrize("pair", ["upper case", "empty key", "line break", "unicode value"])
@pytest.mark.parametrize("which", ["send_initial_metadata", "set_trailing_metadata"])
@ways(ASYNCHRONOUS)
def test_invalid_metadata_of_the_handler_is_internal(rpc, way, which, pair):
    act = lambda context: getattr(context, which)((INVALID[pair],))
    outcome = way.run(rpc.method(way.kind, echo(way.kind, act)), timeout=SECONDS)
    assert failure(outcome) == (grpc.StatusCode.INTERNAL, "Invalid metadata")
    goes_on(rpc, way)


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("pair", [("key", 5), ("key-bin", "text")], ids=["number as value", "text for bytes"])
def test_initial_metadata_of_the_wrong_type_is_an_exception_in_the_handler(rpc, way, pair):
    errors = []

    def act(context):
        try:
            context.send_initial_metadata((pair,))
        except TypeError as error:
            errors.append(error)
            raise

    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act))))[0] is grpc.StatusCode.UNKNOWN
    assert len(errors) == 1
    goes_on(rpc, way)


# -- messages


@ways(UNARY)
@pytest.mark.parametrize("message", ["number", "text", "bytearray", "list", "memoryview"])
def test_a_request_that_is_no_bytes_is_a_type_error_or_internal(rpc, way, message):
    value = {"number": 5, "text": "text", "bytearray": bytearray(b"x"), "list": [1, 2],
             "memoryview": memoryview(b"x")}[message]  # fmt: skip
    seen = []
    method = rpc.unary_unary(lambda request, _: seen.append(request) or request)
    with pytest.raises((TypeError, grpc.RpcError)):
        way.run_or_raise(method, value)
    assert seen == []
    goes_on(rpc, way)


@ways()
def test_none_as_a_request_is_internal(rpc, way):
    assert failure(way.run(rpc.method(way.kind, echo(way.kind)), [None])) == (
        grpc.StatusCode.INTERNAL, "Exception serializing request!",
    )  # fmt: skip
    goes_on(rpc, way)


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
def test_none_as_a_unary_response_is_internal(rpc, kind):
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    assert failure(way.run(rpc.method(kind, lambda _request, _context: None))) == (
        grpc.StatusCode.INTERNAL, "Failed to serialize response!",
    )  # fmt: skip
    goes_on(rpc, way)


@pytest.mark.parametrize("kind", ["unary_unary", "stream_unary"])
@pytest.mark.parametrize("value", [5, "text", bytearray(b"x")], ids=str)
def test_a_unary_response_that_is_no_bytes_is_no_success(rpc, kind, value):
    """Here grpcio's call ends only at its deadline; sooner is as good."""
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    outcome = way.run(rpc.method(kind, lambda _request, _context: value), timeout=0.1)
    assert failure(outcome)[0] in {grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.INTERNAL}
    goes_on(rpc, way)


@pytest.mark.parametrize("kind", ["unary_stream", "stream_stream"])
@pytest.mark.parametrize("value", [None, 5, b"bytes", "text", [b"1"], (b"1",)], ids=str)
def test_a_response_stream_that_is_no_iterator_is_unknown(rpc, kind, value):
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    code, details = failure(way.run(rpc.method(kind, lambda _requests, _context: value)))
    assert code is grpc.StatusCode.UNKNOWN
    assert details == f"Exception iterating responses: '{type(value).__name__}' object is not an iterator"
    goes_on(rpc, way)


@ways([way for way in WAYS if way.request_streaming])
@pytest.mark.parametrize("value", [None, 5, "text", [b"1"], (b"1",)], ids=str)
def test_a_request_stream_that_is_no_iterator_is_unknown(rpc, way, value):
    """An iterator, not an iterable: a list is none."""
    method = rpc.method(way.kind, echo(way.kind))
    with pytest.raises(grpc.RpcError) as caught:
        way.run_or_raise(method, value)
    assert (caught.value.code(), caught.value.details()) == (
        grpc.StatusCode.UNKNOWN, "Exception iterating requests!",
    )  # fmt: skip
    goes_on(rpc, way)


@ways([way for way in WAYS if way.request_streaming])
@pytest.mark.parametrize("error", [ValueError, KeyError, RuntimeError, grpc.RpcError, StopAsyncIteration])
def test_whatever_the_request_iterator_raises_is_unknown(rpc, way, error):
    def requests():
        yield b"1"
        raise error

    with pytest.raises(grpc.RpcError) as caught:
        way.run_or_raise(rpc.method(way.kind, echo(way.kind)), requests())
    assert caught.value.code() is grpc.StatusCode.UNKNOWN
    goes_on(rpc, way)


# -- handlers


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize(
    "error", [ValueError, AssertionError, grpc.RpcError, OSError, TimeoutError, MemoryError]
)
def test_whatever_the_handler_raises_is_unknown(rpc, way, error):
    def act(_context):
        raise error

    assert failure(way.run(rpc.method(way.kind, echo(way.kind, act))))[0] is grpc.StatusCode.UNKNOWN
    goes_on(rpc, way)


def test_a_stop_iteration_of_a_handler_is_unknown_too(rpc):
    def behave(_request, _context):
        raise StopIteration

    with pytest.raises(grpc.RpcError) as caught:
        rpc.unary_unary(behave)(b"", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNKNOWN


@pytest.mark.parametrize("arguments", [0, 1, 3])
@pytest.mark.parametrize("kind", KINDS)
def test_a_handler_with_the_wrong_number_of_arguments_is_unknown(serve, kind, arguments):
    behaviour = {0: lambda: None, 1: lambda _a: None, 3: lambda _a, _b, _c: None}[arguments]
    served = serve(registered={"m": handler_of(kind, behaviour)})
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    code, details = failure(way.run(getattr(served.channel, kind)(f"/{SERVICE}/m")))
    assert code is grpc.StatusCode.UNKNOWN
    assert details.startswith("Exception calling application: ")


@ways(ASYNCHRONOUS)
def test_a_handler_that_ignores_cancellation_ends_in_its_own_time(rpc, way):
    """The caller is free at once; the handler's answer goes nowhere."""
    begun, cancelled, answered = rpc.event(), rpc.event(), rpc.event()

    def act(context):
        begun.set()
        assert cancelled.wait(SECONDS)
        context.set_trailing_metadata((("late", "1"),))
        context.set_code(grpc.StatusCode.ABORTED)
        answered.set()

    call = way.start(rpc.method(way.kind, echo(way.kind, act)))
    assert begun.wait(SECONDS)
    call.cancel()
    assert call.code() is grpc.StatusCode.CANCELLED
    goes_on(rpc, way)
    cancelled.set()
    assert answered.wait(SECONDS)
    assert call.code() is grpc.StatusCode.CANCELLED
    goes_on(rpc, way)


@ways(ASYNCHRONOUS)
def test_a_handler_that_ignores_the_deadline_ends_in_its_own_time(rpc, way):
    go, answered = rpc.event(), rpc.event()

    def act(_context):
        assert go.wait(SECONDS)
        answered.set()

    outcome = way.run(rpc.method(way.kind, echo(way.kind, act)), timeout=0.1)
    assert failure(outcome)[0] is grpc.StatusCode.DEADLINE_EXCEEDED
    go.set()
    assert answered.wait(SECONDS)
    goes_on(rpc, way)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("details", [5, None, object], ids=str)
def test_details_that_are_no_text_are_an_exception_in_the_handler(rpc, kind, details):
    act = lambda context: context.abort(grpc.StatusCode.ABORTED, details)
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    outcome = way.run(rpc.method(kind, echo(kind, act)), timeout=1)
    assert "has no attribute 'encode'" in failure(outcome)[1]
    goes_on(rpc, way)


# -- what is called


@ways(ASYNCHRONOUS)
@pytest.mark.parametrize("name", ["no/slash", "/only-one", "/", "//", "no-slash-at-all", "/a/b/c", "/ü/ü"])
def test_a_method_of_any_name_is_unimplemented(rpc, way, name):
    assert failure(way.run(getattr(rpc.channel, way.kind)(name)))[0] is grpc.StatusCode.UNIMPLEMENTED
    goes_on(rpc, way)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [None, 5, object()], ids=["none", "number", "object"])
def test_a_method_whose_name_is_no_text_is_an_error(rpc, kind, name):
    with pytest.raises((TypeError, AttributeError)):
        getattr(rpc.channel, kind)(name)


@pytest.mark.parametrize("kind", KINDS)
def test_a_methods_name_may_be_bytes(rpc, kind):
    way = next(way for way in ASYNCHRONOUS if way.kind == kind)
    method = getattr(rpc.channel, kind)(rpc.name(kind, echo(kind)).encode())
    assert way.run(method).responses == [b"request"]


@pytest.mark.parametrize("target", [None, 5, ["localhost:1"], bytearray(b"localhost:1")], ids=str)
def test_a_target_that_is_no_text_is_an_error(column, target):
    with pytest.raises((TypeError, AttributeError)):
        column.channel(target)


def test_a_target_may_be_bytes(rpc):
    with rpc.column.channel(rpc.target.encode()) as channel:
        assert rpc.method("unary_unary", echo("unary_unary"), channel=channel)(b"x", timeout=SECONDS) == b"x"


@pytest.mark.parametrize("compression", ["gzip", [1]], ids=str)
def test_a_channels_compression_that_is_no_number_is_an_error(column, compression):
    with pytest.raises((TypeError, ValueError)):
        column.channel("localhost:1", compression=compression)


@ways()
@pytest.mark.parametrize("compression", ["gzip", 99])
def test_an_unknown_compression_is_an_error_at_once(rpc, way, compression):
    with pytest.raises((KeyError, ValueError, TypeError)):
        way.invoke(rpc.method(way.kind, echo(way.kind)), compression=compression, timeout=SECONDS)


@ways()
def test_call_credentials_on_an_insecure_channel_are_unauthenticated(rpc, way):
    outcome = way.run(
        rpc.method(way.kind, echo(way.kind)), credentials=grpc.access_token_call_credentials("token")
    )
    assert failure(outcome) == (
        grpc.StatusCode.UNAUTHENTICATED,
        "Established channel does not have a sufficient security level to transfer call credential.",
    )
    goes_on(rpc, way)
