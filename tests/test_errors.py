"""The one family of errors: grpc's and Python's at once, whichever transport met the failure."""

from __future__ import annotations

import pickle
import socket
from concurrent import futures

import grpc
import pytest

import sage_rpc
from sage_rpc import errors
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
    assert type(error) is errors.Unavailable
    assert "connection refused" in error.details()
    assert error.__cause__ is caught.value
    assert errors.from_grpc(error) is error


def test_the_text_names_code_and_details():
    text = str(errors.rpc_error(grpc.StatusCode.ABORTED, "why"))
    assert "status = StatusCode.ABORTED" in text
    assert 'details = "why"' in text
    assert "ABORTED" in repr(errors.rpc_error(grpc.StatusCode.ABORTED, "why", debug_error_string="more"))
    assert issubclass(sage_rpc.RemoteError, sage_rpc.RpcError)
