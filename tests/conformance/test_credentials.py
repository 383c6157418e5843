"""`secure_channel`, `add_secure_port` and call credentials, with gRPC's local credentials.

Local credentials over a Unix socket are secure without a certificate. Where calls are secured they go over
gRPC, so the memory queue is forced nowhere here.
"""

from __future__ import annotations

import functools
import shutil
import subprocess
from concurrent import futures
from dataclasses import dataclass

import grpc
import pytest

from tests.conformance.invocation import ASYNCHRONOUS, failure, ways
from tests.conformance.service import KINDS, SECONDS, SERVICE, handler_of

UDS = grpc.LocalConnectionType.UDS


def reveal(kind):
    """A handler that answers with the text of what it sees of the caller's credentials."""

    def look(context):
        metadata = dict(context.invocation_metadata())
        seen = (metadata.get("authorization"), metadata.get("x-own"), sorted(context.auth_context()))
        return repr(seen).encode()

    return handler_of(
        kind,
        {
            "unary_unary": lambda _request, context: look(context),
            "unary_stream": lambda _request, context: iter([look(context)]),
            "stream_unary": lambda requests, context: (list(requests), look(context))[1],
            "stream_stream": lambda requests, context: iter([(list(requests), look(context))[1]]),
        }[kind],
    )


@pytest.fixture
def secure_target(column, tmp_path):
    """The target of a server with a secure port."""
    # A secure port is served over gRPC; the transport must not be forced to something else.
    server = column.server(futures.ThreadPoolExecutor(4))
    server.add_registered_method_handlers(SERVICE, {kind: reveal(kind) for kind in KINDS})
    target = f"unix:{tmp_path}/sock"
    assert server.add_secure_port(target, grpc.local_server_credentials(UDS))
    server.start()
    yield target
    assert server.stop(0).wait(SECONDS)


class Plugin(grpc.AuthMetadataPlugin):
    """Credentials that are given at once, or an error."""

    def __init__(self, metadata=(), error=None):
        self.metadata, self.error, self.contexts = metadata, error, []

    def __call__(self, context, callback):
        self.contexts.append((context.service_url, context.method_name))
        callback(self.metadata, self.error)


def method_of(channel, way):
    return getattr(channel, way.kind)(f"/{SERVICE}/{way.kind}")


def test_a_secure_port_is_opened(secure_target):
    assert secure_target


@ways(ASYNCHRONOUS)
def test_a_secure_channel_carries_calls(column, secure_target, way):
    with column.secure_channel(secure_target, grpc.local_channel_credentials(UDS)) as channel:
        outcome = way.run(method_of(channel, way))
        assert outcome.error is None
        assert b"security" in outcome.responses[0]


@ways(ASYNCHRONOUS)
def test_call_credentials_travel_as_metadata(column, secure_target, way):
    with column.secure_channel(secure_target, grpc.local_channel_credentials(UDS)) as channel:
        outcome = way.run(
            method_of(channel, way), credentials=grpc.access_token_call_credentials("the-token")
        )
        assert b"Bearer the-token" in outcome.responses[0]


@ways(ASYNCHRONOUS)
def test_a_plugin_is_told_what_is_called(column, secure_target, way):
    plugin = Plugin((("x-own", "from the plugin"),))
    with column.secure_channel(secure_target, grpc.local_channel_credentials(UDS)) as channel:
        outcome = way.run(method_of(channel, way), credentials=grpc.metadata_call_credentials(plugin))
        assert b"from the plugin" in outcome.responses[0]
    assert plugin.contexts[0][1] == way.kind


@ways(ASYNCHRONOUS)
def test_the_error_of_a_plugin_is_unavailable(column, secure_target, way):
    credentials = grpc.metadata_call_credentials(Plugin(error=ValueError("no token today")))
    with column.secure_channel(secure_target, grpc.local_channel_credentials(UDS)) as channel:
        code, details = failure(way.run(method_of(channel, way), credentials=credentials))
        assert code is grpc.StatusCode.UNAVAILABLE
        assert "no token today" in details


@ways(ASYNCHRONOUS)
def test_credentials_of_a_channel_go_with_every_call(column, secure_target, way):
    composed = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(UDS), grpc.access_token_call_credentials("of-the-channel")
    )
    with column.secure_channel(secure_target, composed) as channel:
        assert b"Bearer of-the-channel" in way.run(method_of(channel, way)).responses[0]


@ways(ASYNCHRONOUS)
def test_call_credentials_may_be_composed(column, secure_target, way):
    composed = grpc.composite_call_credentials(
        grpc.access_token_call_credentials("one"),
        grpc.metadata_call_credentials(Plugin((("x-own", "two"),))),
    )
    with column.secure_channel(secure_target, grpc.local_channel_credentials(UDS)) as channel:
        response = way.run(method_of(channel, way), credentials=composed).responses[0]
        assert b"Bearer one" in response
        assert b"two" in response


def test_the_identity_of_a_secure_caller_may_be_asked(column, secure_target):
    with column.secure_channel(secure_target, grpc.local_channel_credentials(UDS)) as channel:
        assert channel.unary_unary(f"/{SERVICE}/unary_unary")(b"", timeout=SECONDS)
        assert grpc.channel_ready_future(channel).result(timeout=SECONDS) is None


# -- TLS


@dataclass(frozen=True)
class Identity:
    """A private key and its self-signed certificate, as PEM."""

    key: bytes
    certificate: bytes


@pytest.fixture(scope="session")
def identity(tmp_path_factory):
    """A function that gives the identity of a name; it is its own authority."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl command to make certificates with")
    directory = tmp_path_factory.mktemp("certificates")

    @functools.cache
    def make(name):
        key, certificate = directory / f"{name}.key", directory / f"{name}.pem"
        command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
        subprocess.run(
            [*command.split(), "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}",
             "-keyout", str(key), "-out", str(certificate)],
            check=True, capture_output=True, timeout=SECONDS,
        )  # fmt: skip
        return Identity(key.read_bytes(), certificate.read_bytes())

    return make


@pytest.fixture
def tls(column, identity):
    """A function that gives the target of a server with TLS, of these handlers."""
    servers = []

    def start(handlers, **mutual):
        server = column.server(futures.ThreadPoolExecutor(4))
        server.add_registered_method_handlers(SERVICE, handlers)
        own = identity("localhost")
        credentials = grpc.ssl_server_credentials([(own.key, own.certificate)], **mutual)
        port = server.add_secure_port("localhost:0", credentials)
        server.start()
        servers.append(server)
        return f"localhost:{port}"

    yield start
    for server in servers:
        assert server.stop(0).wait(SECONDS)


REVEALING = {kind: reveal(kind) for kind in KINDS}


@ways(ASYNCHRONOUS)
def test_tls_carries_calls(column, tls, identity, way):
    credentials = grpc.ssl_channel_credentials(identity("localhost").certificate)
    with column.secure_channel(tls(REVEALING), credentials) as channel:
        assert b"transport_security_type" in way.run(method_of(channel, way)).responses[0]


@ways(ASYNCHRONOUS)
def test_an_insecure_channel_does_not_reach_a_secure_port(column, tls, way):
    """Whoever wants security does not serve without: not even on one host."""
    with column.channel(tls(REVEALING)) as channel:
        assert failure(way.run(method_of(channel, way)))[0] is grpc.StatusCode.UNAVAILABLE


@ways(ASYNCHRONOUS)
def test_a_server_with_another_certificate_is_unavailable(column, tls, identity, way):
    credentials = grpc.ssl_channel_credentials(identity("another").certificate)
    with column.secure_channel(tls(REVEALING), credentials) as channel:
        assert failure(way.run(method_of(channel, way)))[0] is grpc.StatusCode.UNAVAILABLE


def test_mutual_tls_names_the_caller(column, tls, identity):
    seen = []

    def behave(_request, context):
        seen.append((context.peer_identity_key(), list(context.peer_identities())))
        return b""

    caller, own = identity("caller"), identity("localhost")
    target = tls(
        {"m": handler_of("unary_unary", behave)},
        root_certificates=caller.certificate,
        require_client_auth=True,
    )
    credentials = grpc.ssl_channel_credentials(own.certificate, caller.key, caller.certificate)
    with column.secure_channel(target, credentials) as channel:
        channel.unary_unary(f"/{SERVICE}/m")(b"", timeout=SECONDS)
    assert seen == [("x509_subject_alternative_name", [b"caller"])]


def test_mutual_tls_refuses_a_caller_without_a_certificate(column, tls, identity):
    own = identity("localhost")
    target = tls(REVEALING, root_certificates=own.certificate, require_client_auth=True)
    with column.secure_channel(target, grpc.ssl_channel_credentials(own.certificate)) as channel:
        with pytest.raises(grpc.RpcError) as caught:
            channel.unary_unary(f"/{SERVICE}/unary_unary")(b"", timeout=SECONDS)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_call_credentials_travel_over_tls(column, tls, identity):
    credentials = grpc.ssl_channel_credentials(identity("localhost").certificate)
    with column.secure_channel(tls(REVEALING), credentials) as channel:
        method = channel.unary_unary(f"/{SERVICE}/unary_unary")
        token = grpc.access_token_call_credentials("the-token")
        assert b"Bearer the-token" in method(b"", timeout=SECONDS, credentials=token)
