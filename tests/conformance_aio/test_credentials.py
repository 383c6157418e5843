"""`secure_channel`, `add_secure_port` and call credentials, with gRPC's local credentials.

Local credentials over a Unix socket are secure without a certificate. Where calls are secured they go over
gRPC, so the memory queue is forced nowhere here.
"""

from __future__ import annotations

import grpc
import pytest

from tests.conformance_aio.columns import Column
from tests.conformance_aio.invocation import BY_KIND, either_kind, every_kind, failure, ways
from tests.conformance_aio.service import KINDS, SERVICE, blocking_echo, echo, handler_of

UDS = grpc.LocalConnectionType.UDS


@pytest.fixture
def seen():
    """What handlers saw of their callers: a bearer's token, a plugin's word, names of the auth context."""
    return []


@pytest.fixture
def secure_target(event_loop, column, tmp_path, seen):
    """The target of a server with a secure port, whose handlers tell `seen`."""

    def look(context):
        metadata = dict(context.invocation_metadata())
        seen.append((metadata.get("authorization"), metadata.get("x-own"), sorted(context.auth_context())))

    async def start():
        # A secure port is served over gRPC; the transport must not be forced to something else.
        server = column.module.server()
        server.add_registered_method_handlers(
            SERVICE, {kind: handler_of(kind, echo(kind, look)) for kind in KINDS}
        )
        assert server.add_secure_port(target, grpc.local_server_credentials(UDS))
        await server.start()
        return server

    target = f"unix:{tmp_path}/sock"
    server = event_loop.run_until_complete(start())
    yield target
    event_loop.run_until_complete(server.stop(None))


class Plugin(grpc.AuthMetadataPlugin):
    """Credentials that are given at once, or an error."""

    def __init__(self, metadata=(), error=None):
        self.metadata, self.error, self.contexts = metadata, error, []

    def __call__(self, context, callback):
        self.contexts.append((context.service_url, context.method_name))
        callback(self.metadata, self.error)


def method_of(channel, kind):
    return getattr(channel, kind)(f"/{SERVICE}/{kind}")


def connect(column, target, credentials=None):
    return column.secure_channel(target, credentials or grpc.local_channel_credentials(UDS))


@ways()
async def test_a_secure_channel_carries_calls(column, secure_target, seen, way):
    async with connect(column, secure_target) as channel:
        assert (await way.run(method_of(channel, way.kind))).responses == [b"request"]
    assert any("security" in name for name in seen[0][2])


@every_kind
async def test_call_credentials_travel_as_metadata(column, secure_target, seen, kind):
    async with connect(column, secure_target) as channel:
        credentials = grpc.access_token_call_credentials("the-token")
        await BY_KIND[kind].run(method_of(channel, kind), credentials=credentials)
    assert seen[0][0] == "Bearer the-token"


@either_kind
async def test_a_plugin_is_told_what_is_called(column, secure_target, seen, kind):
    plugin = Plugin((("x-own", "from the plugin"),))
    async with connect(column, secure_target) as channel:
        credentials = grpc.metadata_call_credentials(plugin)
        await BY_KIND[kind].run(method_of(channel, kind), credentials=credentials)
    assert seen[0][1] == "from the plugin"
    assert plugin.contexts[0][1] == kind


@either_kind
async def test_the_error_of_a_plugin_is_unavailable(column, secure_target, seen, kind):
    credentials = grpc.metadata_call_credentials(Plugin(error=ValueError("no token today")))
    async with connect(column, secure_target) as channel:
        outcome = await BY_KIND[kind].run(method_of(channel, kind), credentials=credentials)
        code, details = failure(outcome)
    assert code is grpc.StatusCode.UNAVAILABLE
    assert "no token today" in details
    assert seen == []


@either_kind
async def test_credentials_of_a_channel_go_with_every_call(column, secure_target, seen, kind):
    composed = grpc.composite_channel_credentials(
        grpc.local_channel_credentials(UDS), grpc.access_token_call_credentials("of-the-channel")
    )
    async with connect(column, secure_target, composed) as channel:
        for _ in range(2):
            await BY_KIND[kind].run(method_of(channel, kind))
    assert [who for who, *_ in seen] == ["Bearer of-the-channel"] * 2


@either_kind
async def test_metadata_goes_with_a_secure_call(column, secure_target, seen, kind):
    async with connect(column, secure_target) as channel:
        await BY_KIND[kind].run(method_of(channel, kind), metadata=(("x-own", "mine"),))
    assert seen[0][1] == "mine"


async def test_an_insecure_channel_does_not_reach_a_secure_port(secure_target, seen):
    async with Column("grpcio", None).channel(secure_target) as channel:
        code = await method_of(channel, "unary_unary")(b"", timeout=5).code()
    assert code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.OK}
    assert len(seen) == (code is grpc.StatusCode.OK)


async def test_a_server_may_have_a_secure_and_an_insecure_port(column, tmp_path):
    server = column.module.server()
    server.add_registered_method_handlers(SERVICE, {"m": handler_of("unary_unary", echo("unary_unary"))})
    secure = f"unix:{tmp_path}/secure"
    server.add_secure_port(secure, grpc.local_server_credentials(UDS))
    port = server.add_insecure_port("localhost:0")
    await server.start()
    async with connect(column, secure) as one, column.channel(f"localhost:{port}") as two:
        for channel in (one, two):
            assert await channel.unary_unary(f"/{SERVICE}/m")(b"x") == b"x"
    await server.stop(None)


async def test_interceptors_stand_before_a_secure_channel(column, secure_target, seen):
    class Token(grpc.aio.UnaryUnaryClientInterceptor):
        async def intercept_unary_unary(self, continuation, client_call_details, request):
            client_call_details.metadata.add("x-own", "added")
            return await continuation(client_call_details, request)

    credentials = grpc.local_channel_credentials(UDS)
    async with column.secure_channel(secure_target, credentials, interceptors=[Token()]) as channel:
        await method_of(channel, "unary_unary")(b"")
    assert seen[0][1] == "added"


async def test_a_blocking_handler_sees_who_calls(column, tmp_path):
    names = []
    look = lambda context: names.extend(context.auth_context())
    server = column.module.server()
    server.add_registered_method_handlers(
        SERVICE, {"m": handler_of("unary_unary", blocking_echo("unary_unary", look))}
    )
    target = f"unix:{tmp_path}/sock"
    server.add_secure_port(target, grpc.local_server_credentials(UDS))
    await server.start()
    async with connect(column, target) as channel:
        await channel.unary_unary(f"/{SERVICE}/m")(b"")
    await server.stop(None)
    assert any("security" in name for name in names)
