"""The one family of errors: grpc's and Python's at once, whichever transport met the failure."""

from __future__ import annotations

import pickle
import socket
from asyncio import CancelledError
from concurrent import futures

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
from sage_rpc.processes.messages import Failed
from tests.conftest import needs_native

ALSO = {
    grpc.StatusCode.DEADLINE_EXCEEDED: (TimeoutError,),
    grpc.StatusCode.UNAVAILABLE: (ConnectionError, RuntimeError),
    grpc.StatusCode.INVALID_ARGUMENT: (ValueError, TypeError),
    grpc.StatusCode.NOT_FOUND: (LookupError,),
    grpc.StatusCode.PERMISSION_DENIED: (PermissionError,),
    grpc.StatusCode.UNIMPLEMENTED: (NotImplementedError,),
}
FAILURES = [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK]


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.name)
def test_every_status_has_a_class_that_is_grpcs_and_pythons(code):
    error = errors.rpc_error(code, "the details", trailing_metadata=(("k", "v"),))
    assert isinstance(error, grpc.RpcError)
    assert isinstance(error, grpc.Call)
    for builtin in ALSO.get(code, ()):
        assert isinstance(error, builtin)
    assert (error.code(), error.details(), error.trailing_metadata()) == (code, "the details", (("k", "v"),))
    assert error.done()
    assert error.exception() is error
    with pytest.raises(type(error)):
        error.result()


@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.name)
def test_an_error_pickles(code):
    error = errors.rpc_error(code, "the details", trailing_metadata=(("k", "v"),))
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is type(error)
    assert (back.code(), back.details(), back.trailing_metadata()) == (code, "the details", (("k", "v"),))


class Aborting(grpc.GenericRpcHandler):
    """Ends every call with the status that its method is named after."""

    def service(self, details):
        _, kind, name = details.method.split("/")

        def abort(_request, context):
            context.set_trailing_metadata((("k", "v"),))
            context.abort(grpc.StatusCode[name], "the details")

        return getattr(grpc, f"{kind}_rpc_method_handler")(abort)


@pytest.fixture(scope="module")
def aborting(tmp_path_factory):
    """A channel whose calls fail, over the memory queue."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path_factory.mktemp("aborting")))
        options = [("sage_rpc.transport", "shm")]
        server = sage_rpc.server(futures.ThreadPoolExecutor(2), [Aborting()], options=options)
        port = server.add_insecure_port("localhost:0")
        server.start()
        with sage_rpc.insecure_channel(f"localhost:{port}", options) as channel:
            channel.unary_unary("/unary_unary/ABORTED").future(b"").exception()  # connects
            yield channel
        server.stop(None)


@needs_native
@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream", "stream_unary", "stream_stream"])
@pytest.mark.parametrize("code", FAILURES, ids=lambda code: code.name)
def test_a_call_that_failed_is_an_error_of_the_family(aborting, kind, code):
    method = getattr(aborting, kind)(f"/{kind}/{code.name}")
    requests = iter([b""]) if kind.startswith("stream") else b""
    call = method(requests) if kind.endswith("stream") else method.future(requests)
    with pytest.raises(errors.class_of(code)):
        call.result(timeout=10)
    for builtin in (
        TimeoutError,
        ConnectionError,
        RuntimeError,
        ValueError,
        LookupError,
        PermissionError,
        OSError,
    ):
        expected = issubclass(errors.class_of(code), builtin)
        try:
            raise call
        except builtin:
            assert expected
        except grpc.RpcError:
            assert not expected
        assert isinstance(call, builtin) == expected
    assert (call.code(), call.details(), call.trailing_metadata()) == (code, "the details", (("k", "v"),))
    back = pickle.loads(pickle.dumps(call))
    assert type(back) is errors.class_of(code)
    assert (back.code(), back.details(), back.trailing_metadata()) == (code, "the details", (("k", "v"),))


@needs_native
def test_a_call_under_way_is_no_error_of_the_system(aborting):
    call = aborting.unary_unary("/unary_unary/ABORTED").future(b"")
    assert isinstance(call, errors.RpcError)
    assert not isinstance(call, OSError)
    with pytest.raises(TypeError, match="send its result"):
        pickle.dumps(aborting.unary_unary("/unary_unary/ABORTED").future(b""))


def test_a_remote_error_keeps_type_text_and_traceback():
    try:
        {}["missing"]
    except KeyError as error:
        remote = errors.RemoteError.from_exception(error)
    back = pickle.loads(pickle.dumps(remote))
    assert back.type_name == "builtins.KeyError"
    assert back.message == "'missing'"
    assert "KeyError: 'missing'" in back.remote_traceback
    assert "Remote traceback:" in str(back)
    assert back.code() is grpc.StatusCode.UNKNOWN


def test_an_error_of_stock_grpc_joins_the_family():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))  # bound and not listening: refuses
        target = f"127.0.0.1:{reserved.getsockname()[1]}"
        with grpc.insecure_channel(target) as channel, pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary("/x/y")(b"", timeout=20)
    error = errors.from_grpc(caught.value)
    assert isinstance(error, errors.Unavailable)
    assert "connection refused" in error.details()
    assert error.__cause__ is caught.value
    assert errors.from_grpc(error) is error


def test_an_error_of_an_interceptor_joins_the_family_with_what_it_says():
    class Denied(grpc.RpcError):
        def code(self):
            return grpc.StatusCode.PERMISSION_DENIED

        def details(self):
            return "not you"

    denied = errors.from_grpc(Denied())
    assert isinstance(denied, errors.PermissionDenied)
    assert denied.details() == "not you"
    plain = errors.from_grpc(grpc.RpcError("what happened"))
    assert (plain.code(), plain.details()) == (grpc.StatusCode.UNKNOWN, "what happened")


def test_the_error_of_a_call_that_this_side_has_ended_is_there_at_once():
    """Stock grpcio never learns why; it waits for that when it is asked."""
    with grpc.insecure_channel("localhost:1") as channel:
        stream = channel.unary_stream("/x/y")(b"", timeout=20, wait_for_ready=True)
        told = futures.Future()
        stream.add_done_callback(lambda call: told.set_result(errors.from_grpc(call)))
        stream.cancel()
        assert errors.from_grpc(stream).code() is grpc.StatusCode.CANCELLED
        assert told.result(20).code() is grpc.StatusCode.CANCELLED
        assert errors.debug_string(stream) == ""


def test_the_text_names_code_and_details():
    text = str(errors.rpc_error(grpc.StatusCode.ABORTED, "why"))
    assert "status = StatusCode.ABORTED" in text
    assert 'details = "why"' in text
    assert "ABORTED" in repr(errors.rpc_error(grpc.StatusCode.ABORTED, "why", debug_error_string="more"))
    assert issubclass(sage_rpc.RemoteError, sage_rpc.RpcError)


# ---------------------------------------------------------------- errors of user code


class _Raises(Exception):
    def __str__(self):
        raise RuntimeError("no text")


class _Exits(Exception):
    def __str__(self):
        raise SystemExit("no text")


class _GivesANumber(Exception):
    def __str__(self):
        return 7  # noqa: PLE0307 - that is the point


class _CallsItself(Exception):
    def __str__(self):
        return str(self)


class _IsHuge(Exception):
    def __str__(self):
        return "x" * 50_000_000


class _DoesNotPickle(Exception):
    def __reduce__(self):
        raise SystemExit("not me")


ODD = {
    kind.__name__: kind for kind in (_Raises, _Exits, _GivesANumber, _CallsItself, _IsHuge, _DoesNotPickle)
}


class Odd:
    """Raises what is hard to report."""

    def fail(self, name):
        try:
            raise ODD[name]
        except Exception as error:
            raise ODD[name] from error

    def leave(self, kind):
        raise {"SystemExit": SystemExit, "KeyboardInterrupt": KeyboardInterrupt}.get(kind, CancelledError)(
            kind
        )

    def ok(self):
        return "ok"


@pytest.fixture
def odd(transport):
    with (
        sage_rpc.ServiceHost("odd", Odd(), max_workers=2) as host,
        sage_rpc.ServiceManager(
            {"odd": host.address}, timeout=10, options=[("sage_rpc.transport", transport)]
        ) as manager,
    ):
        yield manager.get_sync_proxy("odd")


@pytest.mark.parametrize("name", ODD)
def test_an_exception_is_reported_whatever_its_class_does(odd, name):
    with pytest.raises(errors.RemoteError) as caught:
        odd.fail(name)
    assert caught.value.type_name.endswith(name)
    assert len(caught.value.message) < 100_000
    assert odd.batch("ok", [sage_rpc.Arguments()]) == ["ok"]
    [failed] = odd.batch("fail", [name], return_errors=True)
    assert failed.type_name.endswith(name)
    report = Failed.of("execute()", ODD[name]())
    assert report.type_name.endswith(name)
    assert len(report.remote_traceback) < 200_000


@pytest.mark.parametrize("kind", ["SystemExit", "KeyboardInterrupt", "CancelledError"])
def test_a_method_that_leaves_answers_its_caller(odd, kind):
    for _ in range(4):  # more often than there are threads
        with pytest.raises(errors.RemoteError, match=kind):
            odd.leave(kind)
    assert odd.ok() == "ok"


class Leaving(grpc.GenericRpcHandler):
    """Handlers of every kind that end with what no `except Exception` takes."""

    def service(self, details):
        _, kind, moment = details.method.split("/")

        def leave(_request, _context):
            raise SystemExit("a handler")

        def leave_later(_request, _context):
            yield b"one"
            raise SystemExit("a handler")

        streams = kind.endswith("stream")
        return getattr(grpc, f"{kind}_rpc_method_handler")(
            leave_later if streams and moment == "later" else leave
        )


@pytest.mark.parametrize("kind", ["unary_unary", "unary_stream", "stream_unary", "stream_stream"])
def test_a_handler_that_leaves_ends_its_call_alike_over_both(transport, kind):
    server = sage_rpc.server(futures.ThreadPoolExecutor(2), handlers=[Leaving()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        with sage_rpc.insecure_channel(f"127.0.0.1:{port}", [("sage_rpc.transport", transport)]) as channel:
            for moment in ("now", "later"):
                call = getattr(channel, kind)(f"/{kind}/{moment}")
                request = iter([b""]) if kind.startswith("stream") else b""
                with pytest.raises(grpc.RpcError) as caught:
                    list(call(request, timeout=10))
                assert caught.value.code() is grpc.StatusCode.UNKNOWN
                assert caught.value.details() == "Exception calling application: SystemExit"
    finally:
        server.stop(None)
