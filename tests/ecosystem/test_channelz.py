"""grpcio-channelz, unmodified: it answers over both transports, and tells of gRPC's own sockets.

channelz looks into gRPC's core. What travels over the memory queue never enters that core, so it is not
counted there; docs/drop-in.md says so.
"""

from __future__ import annotations

import grpc
import pytest
from grpc_channelz.v1 import channelz, channelz_pb2, channelz_pb2_grpc

from tests.ecosystem.conftest import SECONDS


def register(server) -> None:
    channelz.add_channelz_servicer(server)
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"echo": handler}),))


@pytest.fixture
def channel(serve):
    return serve(register, options=[("grpc.enable_channelz", 1)])


def started(stub: channelz_pb2_grpc.ChannelzStub, server_id: int) -> int:
    request = channelz_pb2.GetServerRequest(server_id=server_id)
    return stub.GetServer(request, timeout=SECONDS).server.data.calls_started


def newest_server(stub) -> int:
    """Its number; servers are listed page by page, oldest first."""
    identity, ended = 0, False
    while not ended:
        page = stub.GetServers(channelz_pb2.GetServersRequest(start_server_id=identity + 1), timeout=SECONDS)
        identity = max([identity, *(server.ref.server_id for server in page.server)])
        ended = page.end
    return identity


def test_servers_are_listed_and_calls_over_grpc_counted(channel, transport):
    stub = channelz_pb2_grpc.ChannelzStub(channel)
    identity = newest_server(stub)
    before = started(stub, identity)
    for _ in range(5):
        assert channel.unary_unary("/t.T/echo")(b"x", timeout=SECONDS) == b"x"
    counted = started(stub, identity) - before
    assert counted == (6 if transport == "grpc" else 0)  # the five, and the question itself


def test_what_is_not_there_is_not_found(channel):
    with pytest.raises(grpc.RpcError) as caught:
        channelz_pb2_grpc.ChannelzStub(channel).GetChannel(
            channelz_pb2.GetChannelRequest(channel_id=10**9), timeout=SECONDS
        )
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
