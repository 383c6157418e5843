"""gRPC's options: each is honoured, has nothing to act on, or sends the calls over gRPC, as the page says."""

from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
from concurrent import futures
from pathlib import Path

import grpc
import pytest
from grpc._cython import cygrpc

import sage_rpc
from sage_rpc.transport.options import OPTIONS, Fate
from tests.conftest import ServerProcess, needs_native

pytestmark = [needs_native]

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
ROWS = re.findall(
    r"^\| `([\w.-]+)` \| (honoured|nothing to do|over gRPC) \| (.*) \|$", PAGE.read_text(), re.MULTILINE
)
# Values that ask for something; 1 does of every other option.
VALUES = {
    "grpc.http_proxy": "localhost:1",
    "grpc.lb_policy_name": "round_robin",
    "grpc.service_config": '{"methodConfig": [{"name": [{}], "timeout": "20s"}]}',
    "grpc.service_config_disable_resolution": 0,
    "grpc.surface_user_agent": 0,
    "grpc.max_receive_message_length": 100,
    "grpc.max_send_message_length": 100,
    "grpc.primary_user_agent": "me",
    "grpc.secondary_user_agent": "me",
}
HARMLESS = [
    ("grpc.lb_policy_name", "pick_first"),
    ("grpc.lb_policy_name", b"pick_first"),
    ("grpc.service_config_disable_resolution", 1),
    ("grpc.client_idle_timeout_ms", (1 << 31) - 1),
    ("grpc.census", 0),
    ("grpc.http2.some_new_thing", 1),
    ("some.name.of.somebody", "x"),
]


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    directory = tmp_path_factory.mktemp("run")
    directory.chmod(0o700)
    with ServerProcess("127.0.0.1:0", env={"SAGE_RPC_RUNTIME_DIR": str(directory)}) as process:
        yield directory, process.port


@pytest.fixture
def target(port, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(port[0]))
    return f"127.0.0.1:{port[1]}"


def carried_by(target, *options):
    """-> what carries the calls of a channel with these options, and why not the memory queue"""
    with sage_rpc.insecure_channel(target, options=options) as channel:
        if channel.transport_reason:  # no call: some of these options would lead it elsewhere
            return "grpc", channel.transport_reason
        assert channel.unary_unary("/test.Unary/echo")(b"x", timeout=20) == b"x"
        return channel.transport, channel.transport_reason


def test_the_page_lists_every_option_once_and_says_what_becomes_of_it() -> None:
    assert {name: Fate(fate) for name, fate, _ in ROWS} == {name: each.fate for name, each in OPTIONS.items()}
    assert len(ROWS) == len(OPTIONS)


@pytest.mark.parametrize(("name", "fate"), [row[:2] for row in ROWS])
def test_what_the_page_says_happens(target, name, fate) -> None:
    carrier, reason = carried_by(target, (name, VALUES.get(name, 1)))
    if fate == "over gRPC":
        assert carrier == "grpc"
        assert name in reason
    else:
        assert (carrier, reason) == ("shm", "")


@pytest.mark.parametrize(("name", "value"), HARMLESS)
def test_a_value_that_asks_for_nothing_special_changes_nothing(target, name, value) -> None:
    assert carried_by(target, (name, value)) == ("shm", "")


def test_what_is_not_known_is_left_to_grpc(target) -> None:
    carrier, reason = carried_by(target, ("grpc.an_option_of_next_year", 1))
    assert carrier == "grpc"
    assert "grpc.an_option_of_next_year" in reason
    forced = [("grpc.an_option_of_next_year", 1), ("sage_rpc.transport", "shm")]
    with sage_rpc.insecure_channel(target, options=forced) as channel:
        with pytest.raises(sage_rpc.RpcError, match="an_option_of_next_year"):
            channel.unary_unary("/test.Unary/echo")(b"x", timeout=20)


@pytest.mark.parametrize(
    "config",
    [
        '{"methodConfig": [{"name": [{}], "hedgingPolicy": {"maxAttempts": 2}}]}',
        '{"loadBalancingConfig": [{"round_robin": {}}]}',
        '{"healthCheckConfig": {"serviceName": ""}}',
        '{"methodConfig": [{"name": [{}], "timeout": 3}]}',
        '{"something": "new"}',
        "no json",
    ],
)
def test_a_service_config_that_only_grpc_understands_is_left_to_grpc(target, config) -> None:
    carrier, reason = carried_by(target, ("grpc.service_config", config))
    assert carrier == "grpc"
    assert "grpc.service_config" in reason


@pytest.mark.parametrize(
    "name",
    [
        "grpc.max_allowed_incoming_connections",
        "grpc.max_concurrent_streams",
        "grpc.max_connection_age_grace_ms",
        "grpc.max_connection_age_ms",
        "grpc.max_connection_idle_ms",
        "grpc.minimal_stack",
        "grpc.server.max_pending_requests",
        "grpc.surface_user_agent",
    ],
)
def test_a_server_that_only_grpc_can_be_publishes_no_memory_queue_and_says_why(name, caplog) -> None:
    options = [(name, VALUES.get(name, 1))]
    server = sage_rpc.server(futures.ThreadPoolExecutor(1), options=options)
    server.add_insecure_port("127.0.0.1:0")
    with caplog.at_level(logging.WARNING, "sage_rpc"):
        server.start()
    assert server.published == ()
    assert name in caplog.text
    server.stop(None).wait()
    forced = sage_rpc.server(futures.ThreadPoolExecutor(1), options=[*options, ("sage_rpc.transport", "shm")])
    forced.add_insecure_port("127.0.0.1:0")
    with pytest.raises(sage_rpc.RpcError, match=re.escape(name)):
        forced.start()


def test_names_and_values_may_be_bytes() -> None:
    """As those who take them from cygrpc.ChannelArgKey pass them."""
    unlimited = [
        (cygrpc.ChannelArgKey.max_send_message_length, -1),
        (cygrpc.ChannelArgKey.max_receive_message_length, -1),
        (b"sage_rpc.transport", b"shm"),
    ]
    server = sage_rpc.server(futures.ThreadPoolExecutor(1), options=unlimited)
    handlers = {
        "echo": grpc.unary_unary_rpc_method_handler(lambda request, _context: request),
        "agent": grpc.unary_unary_rpc_method_handler(
            lambda _request, context: dict(context.invocation_metadata())["user-agent"].encode()
        ),
    }
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", handlers),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    agent = (cygrpc.ChannelArgKey.primary_user_agent_string, b"me/1")
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}", options=[*unlimited, agent]) as channel:
        large = bytes(6 << 20)
        assert channel.unary_unary("/t.T/echo")(large, timeout=20) == large
        assert channel.unary_unary("/t.T/agent")(b"", timeout=20).startswith(b"me/1 ")
    server.stop(None).wait()


# ---------------------------------------------------------------- what is around us

WRAPPED = """
import functools
from concurrent import futures
import grpc
from grpc import _channel, _server
import sage_rpc

seen = []
def wrap(owner, name):
    usual = getattr(owner, name)
    class Wrapper:  # as wrapt's: no function, and a descriptor
        def __call__(self, *args, **kwargs):
            seen.append(name)
            return usual(*args, **kwargs)
        def __get__(self, instance, owner=None):
            return self if instance is None else functools.partial(self, instance)
    setattr(owner, name, Wrapper())

wrap(_channel._UnaryUnaryMultiCallable, "__call__")
wrap(_server, "_unary_response_in_pool")
server = sage_rpc.server(futures.ThreadPoolExecutor(2))
handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"echo": handler}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    channel.unary_unary("/t.T/echo")(b"x", timeout=20)
    print(seen, channel.transport, "_UnaryUnaryMultiCallable.__call__" in channel.transport_reason)
server.stop(None)
"""


@pytest.mark.parametrize("transport", ["auto", "shm"])
def test_an_agent_that_wraps_grpcios_classes_sees_every_call(transport) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WRAPPED],
        env={**os.environ, "SAGE_RPC_TRANSPORT": transport},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout == "['__call__', '_unary_response_in_pool'] grpc True\n", done.stderr
    assert "serving over gRPC only" in done.stderr
