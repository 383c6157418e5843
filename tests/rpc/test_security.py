"""Who is at the other end: TLS, mTLS, call credentials over gRPC; the kernel's word on the memory queue."""

from __future__ import annotations

import ast
import os
import pickle
from concurrent import futures

import grpc
import pytest
import trustme

import sage_rpc
from tests.conftest import needs_native

SECONDS = 10


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def stranger() -> trustme.CA:
    return trustme.CA(organization_name="nobody we know")


def pair_of(certificate: trustme.LeafCert) -> tuple[bytes, bytes]:
    """Private key and certificate chain, as grpc wants them."""
    return (
        certificate.private_key_pem.bytes(),
        b"".join(blob.bytes() for blob in certificate.cert_chain_pems),
    )


def root_of(authority: trustme.CA) -> bytes:
    return authority.cert_pem.bytes()


def who(request: bytes, context: grpc.ServicerContext) -> bytes:
    """What the handler can know about its caller."""
    return repr(
        (
            context.peer().split(":")[0],
            context.peer_identities(),
            context.peer_identity_key(),
            {key: list(values) for key, values in context.auth_context().items()},
            [value for key, value in context.invocation_metadata() if key == "authorization"],
        )
    ).encode()


HANDLERS = {
    "who": grpc.unary_unary_rpc_method_handler(who),
    "count": grpc.unary_stream_rpc_method_handler(lambda request, context: iter([request] * 3)),
    "join": grpc.stream_unary_rpc_method_handler(lambda requests, context: b"".join(requests)),
    "echo": grpc.stream_stream_rpc_method_handler(lambda requests, context: requests),
}


class Secure:
    """A server of ours with a port in clear and one with TLS."""

    def __init__(self, authority: trustme.CA, *, client_certificates: bool) -> None:
        self.server = sage_rpc.server(futures.ThreadPoolExecutor(4))
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", HANDLERS),))
        self.clear = f"127.0.0.1:{self.server.add_insecure_port('127.0.0.1:0')}"
        credentials = grpc.ssl_server_credentials(
            [pair_of(authority.issue_cert("localhost", "127.0.0.1"))],
            root_of(authority) if client_certificates else None,
            client_certificates,
        )
        self.tls = f"127.0.0.1:{self.server.add_secure_port('127.0.0.1:0', credentials)}"
        self.server.start()


@pytest.fixture
def tls(authority):
    secure = Secure(authority, client_certificates=False)
    yield secure
    secure.server.stop(None).wait()


@pytest.fixture
def mtls(authority):
    secure = Secure(authority, client_certificates=True)
    yield secure
    secure.server.stop(None).wait()


def ask(channel: grpc.Channel, **kwargs) -> tuple:
    return ast.literal_eval(channel.unary_unary("/t.T/who")(b"", timeout=SECONDS, **kwargs).decode())


def failure(channel: grpc.Channel, **kwargs) -> grpc.RpcError:
    with pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary("/t.T/who")(b"", timeout=SECONDS, **kwargs)
    return caught.value


# ---------------------------------------------------------------- TLS


def test_tls_carries_all_four_kinds_of_calls(tls, authority):
    credentials = grpc.ssl_channel_credentials(root_of(authority))
    with sage_rpc.secure_channel(tls.tls, credentials) as channel:
        assert isinstance(channel, sage_rpc.Channel)
        assert channel.transport == "grpc"
        assert channel.transport_reason == "a secure channel goes over gRPC"
        _, identities, _, auth, _ = ask(channel)
        assert identities is None  # the client showed no certificate
        assert auth["transport_security_type"] == [b"ssl"]
        assert list(channel.unary_stream("/t.T/count")(b"x", timeout=SECONDS)) == [b"x"] * 3
        assert channel.stream_unary("/t.T/join")(iter([b"a", b"b"]), timeout=SECONDS) == b"ab"
        assert list(channel.stream_stream("/t.T/echo")(iter([b"a", b"b"]), timeout=SECONDS)) == [b"a", b"b"]
        assert channel.transport == "grpc"
        grpc.channel_ready_future(channel).result(SECONDS)


def test_a_stock_client_reaches_the_secure_port(tls, authority):
    with grpc.secure_channel(tls.tls, grpc.ssl_channel_credentials(root_of(authority))) as channel:
        assert ask(channel)[3]["transport_security_type"] == [b"ssl"]


def test_a_server_that_a_stranger_vouches_for_is_refused(tls, stranger):
    with sage_rpc.secure_channel(tls.tls, grpc.ssl_channel_credentials(root_of(stranger))) as channel:
        assert failure(channel).code() is grpc.StatusCode.UNAVAILABLE


def test_a_channel_in_clear_does_not_get_around_tls(tls):
    """The memory queue is offered for ports in clear only, on the same server too."""
    with sage_rpc.insecure_channel(tls.tls) as channel:
        assert failure(channel).code() is grpc.StatusCode.UNAVAILABLE
        assert channel.transport == "grpc"
    with sage_rpc.insecure_channel(tls.clear) as channel:
        assert ask(channel)[3]["transport_security_type"] != [b"ssl"]


# ---------------------------------------------------------------- mTLS


def test_mtls_gives_the_handler_the_clients_name(mtls, authority):
    certificate = authority.issue_cert("alice@example.org", common_name="alice")
    credentials = grpc.ssl_channel_credentials(root_of(authority), *pair_of(certificate))
    with sage_rpc.secure_channel(mtls.tls, credentials) as channel:
        _, identities, key, auth, _ = ask(channel)
    assert auth["x509_common_name"] == [b"alice"]
    assert key == "x509_subject_alternative_name"
    assert identities == [b"alice@example.org"]


@pytest.mark.parametrize("shown", ["none", "a stranger's"])
def test_mtls_refuses_a_client_without_a_certificate_of_ours(mtls, authority, stranger, shown):
    pair = pair_of(stranger.issue_cert("mallory@example.org")) if shown != "none" else ()
    credentials = grpc.ssl_channel_credentials(root_of(authority), *pair)
    with sage_rpc.secure_channel(mtls.tls, credentials) as channel:
        assert failure(channel).code() is grpc.StatusCode.UNAVAILABLE


# ---------------------------------------------------------------- call credentials


class Token(grpc.AuthMetadataPlugin):
    def __call__(self, context, callback):
        callback((("authorization", f"Token for {context.service_url.rsplit('/', 1)[1]}"),), None)


def test_call_credentials_of_the_channel_reach_the_handler(tls, authority):
    credentials = grpc.composite_channel_credentials(
        grpc.ssl_channel_credentials(root_of(authority)), grpc.access_token_call_credentials("s3cret")
    )
    with sage_rpc.secure_channel(tls.tls, credentials) as channel:
        assert ask(channel)[4] == ["Bearer s3cret"]


def test_call_credentials_of_one_call_reach_the_handler(tls, authority):
    credentials = grpc.metadata_call_credentials(Token())
    with sage_rpc.secure_channel(tls.tls, grpc.ssl_channel_credentials(root_of(authority))) as channel:
        assert ask(channel)[4] == []
        assert ask(channel, credentials=credentials)[4] == ["Token for t.T"]
        future = channel.unary_unary("/t.T/who").future(b"", credentials=credentials)
        assert b"Token for t.T" in future.result(SECONDS)


def test_call_credentials_never_travel_in_clear(tls):
    """Ours does what grpc's does: the call fails, and the secret stays here."""
    credentials = grpc.access_token_call_credentials("s3cret")
    with grpc.insecure_channel(tls.clear) as stock, sage_rpc.insecure_channel(tls.clear) as ours:
        expected, got = failure(stock, credentials=credentials), failure(ours, credentials=credentials)
    assert got.code() is expected.code() is grpc.StatusCode.UNAUTHENTICATED
    assert got.details() == expected.details()


# ---------------------------------------------------------------- what a secure channel refuses


def test_the_memory_queue_cannot_be_forced_on_a_secure_channel(tls, authority):
    credentials = grpc.ssl_channel_credentials(root_of(authority))
    options = [("sage_rpc.transport", "shm")]
    with sage_rpc.secure_channel(tls.tls, credentials, options) as channel:
        error = failure(channel)
    assert error.code() is grpc.StatusCode.UNAVAILABLE
    assert "a secure channel goes over gRPC" in error.details()


def test_what_are_no_credentials_is_an_error_at_once_as_by_grpc():
    with pytest.raises(AttributeError) as stock:
        grpc.secure_channel("localhost:1", "no credentials")
    with pytest.raises(AttributeError) as ours:
        sage_rpc.secure_channel("localhost:1", "no credentials")
    assert str(ours.value) == str(stock.value)


def test_a_secure_channel_does_not_pickle_and_says_what_to_do(authority):
    with sage_rpc.secure_channel("localhost:1", grpc.ssl_channel_credentials(root_of(authority))) as channel:
        with pytest.raises(TypeError, match=r"send the target, and call sage_rpc\.secure_channel"):
            pickle.dumps(channel)


def test_a_closed_secure_channel_is_a_value_error(authority):
    channel = sage_rpc.secure_channel("localhost:1", grpc.ssl_channel_credentials(root_of(authority)))
    call = channel.unary_unary("/t.T/who")
    channel.close()
    with pytest.raises(ValueError, match="closed channel"):
        call(b"")
    assert "closed" in repr(channel)


# ---------------------------------------------------------------- the memory queue


@needs_native
def test_a_memory_connection_tells_uid_gid_and_pid_of_its_peer(tls):
    with sage_rpc.insecure_channel(tls.clear, options=[("sage_rpc.transport", "shm")]) as channel:
        peer, identities, key, auth, _ = ask(channel)
    assert peer == "shm"
    assert auth == {
        "transport_security_type": [b"local"],
        "uid": [str(os.getuid()).encode()],
        "gid": [str(os.getgid()).encode()],
        "pid": [str(os.getpid()).encode()],
    }
    # Knowing who it is makes nobody authenticated: code that lets in whoever has an identity stays closed.
    assert identities is None
    assert key is None


@needs_native
def test_the_kernel_says_who_it_is_not_the_client(tls):
    """Metadata that claims to be somebody changes nothing."""
    claims = (("uid", "0"), ("pid", "1"), ("x509_common_name", "alice"))
    with sage_rpc.insecure_channel(tls.clear, options=[("sage_rpc.transport", "shm")]) as channel:
        auth = ask(channel, metadata=claims)[3]
    assert auth["pid"] == [str(os.getpid()).encode()]
    assert "x509_common_name" not in auth
