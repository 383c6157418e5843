"""install() and uninstall(): code that only knows `grpc` gets our channels and servers, then grpc's again."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import os
import threading
from concurrent import futures

import grpc
import grpc.aio
import pytest

import sage_rpc
from tests.conftest import ServerProcess, needs_native

NAMES = ("insecure_channel", "secure_channel", "server")
STOCK = {name: getattr(grpc, name) for name in NAMES}
STOCK_AIO = {name: getattr(grpc.aio, name) for name in NAMES}


@pytest.fixture(autouse=True)
def uninstalled():
    yield
    sage_rpc.uninstall()
    assert {name: getattr(grpc, name) for name in NAMES} == STOCK
    assert {name: getattr(grpc.aio, name) for name in NAMES} == STOCK_AIO


def echo(request: bytes, context: grpc.ServicerContext) -> bytes:
    return context.peer().encode() if request == b"peer" else request


def serve() -> tuple[grpc.Server, str]:
    """What a third party writes: nothing but grpc."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(echo)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, f"127.0.0.1:{port}"


@needs_native
def test_code_that_only_knows_grpc_gets_the_memory_queue():
    sage_rpc.install()
    server, target = serve()
    assert isinstance(server, sage_rpc.Server)
    with grpc.insecure_channel(target) as channel:
        assert isinstance(channel, sage_rpc.Channel)
        assert channel.unary_unary("/t.T/echo")(b"peer", timeout=10) == f"shm:pid:{os.getpid()}".encode()
        assert channel.transport == "shm"
    server.stop(None).wait()


async def call_over_asyncio(transport: str) -> tuple[str, str]:
    """What a third party writes. -> what carried the call, as the handler and as the channel tell it."""

    async def peer(_request: bytes, context: grpc.aio.ServicerContext) -> bytes:
        return context.peer().encode()

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(peer)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("t.T", {"peer": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    options = [("sage_rpc.transport", transport)] if transport else []
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options=options) as channel:
        answer = await channel.unary_unary("/t.T/peer")(b"", timeout=10)
        carried = getattr(channel, "transport", "stock")
    await server.stop(None)
    return answer.decode(), carried


@needs_native
def test_code_that_only_knows_grpc_aio_gets_the_memory_queue():
    sage_rpc.install()
    assert asyncio.run(call_over_asyncio("")) == (f"shm:pid:{os.getpid()}", "shm")


def test_the_transport_can_be_forced_to_grpc_for_asyncio_while_installed():
    sage_rpc.install()
    peer, carried = asyncio.run(call_over_asyncio("grpc"))
    assert peer.startswith(("ipv4:", "ipv6:"))
    assert carried == "grpc"


def test_afterwards_asyncio_is_grpcs_again():
    sage_rpc.install()
    sage_rpc.uninstall()
    assert asyncio.run(call_over_asyncio(""))[1] == "stock"


def test_the_transport_can_be_forced_to_grpc_while_installed():
    # gRPC's own channel and server are inside ours: they must be found although ours stand in their place.
    sage_rpc.install()
    server, target = serve()
    with grpc.insecure_channel(target, options=[("sage_rpc.transport", "grpc")]) as channel:
        assert channel.unary_unary("/t.T/echo")(b"x", timeout=10) == b"x"
        assert channel.transport == "grpc"
    server.stop(None).wait()


def test_both_may_be_called_again_and_return_nothing():
    assert not sage_rpc.installed()
    for _ in range(2):
        assert sage_rpc.install() is None
        assert sage_rpc.installed()
    for _ in range(2):
        assert sage_rpc.uninstall() is None
        assert not sage_rpc.installed()
        assert grpc.insecure_channel is STOCK["insecure_channel"]
    server, target = serve()
    assert type(server) is not sage_rpc.Server
    with grpc.insecure_channel(target) as channel:
        assert type(channel) is not sage_rpc.Channel
    server.stop(None).wait()


def test_signatures_and_docstrings_stay_grpcs():
    sage_rpc.install()
    for name in NAMES:
        current = getattr(grpc, name)
        assert current is not STOCK[name]
        assert inspect.signature(current) == inspect.signature(STOCK[name])
        assert inspect.getdoc(current) == inspect.getdoc(STOCK[name])


def test_ours_have_the_signatures_of_grpcs():
    for name in NAMES:
        assert list(inspect.signature(getattr(sage_rpc, name)).parameters) == list(
            inspect.signature(STOCK[name]).parameters
        )


def test_grpc_arguments_by_position_and_by_name():
    sage_rpc.install()
    with grpc.insecure_channel("localhost:1", None, grpc.Compression.Gzip) as by_position:
        with grpc.insecure_channel(target="localhost:1", options=(), compression=None) as by_name:
            assert type(by_position) is type(by_name) is sage_rpc.Channel
    with grpc.secure_channel("localhost:1", grpc.ssl_channel_credentials()) as secure:
        assert (type(secure), secure.transport) == (sage_rpc.Channel, "grpc")


def test_channels_that_exist_stay_what_they_are(server):
    with grpc.insecure_channel(server.target) as before:
        sage_rpc.install()
        with grpc.insecure_channel(server.target) as ours:
            sage_rpc.uninstall()
            for channel in (before, ours):
                assert channel.unary_unary("/test.Unary/echo")(b"x", timeout=10) == b"x"
            assert type(ours) is sage_rpc.Channel
            assert type(before) is not sage_rpc.Channel


def test_a_name_taken_before_install_stays_grpcs():
    taken = grpc.insecure_channel
    sage_rpc.install()
    with taken("localhost:1") as channel:
        assert type(channel) is not sage_rpc.Channel


def test_a_name_taken_while_installed_follows_uninstall():
    sage_rpc.install()
    taken = grpc.insecure_channel
    sage_rpc.uninstall()
    with taken("localhost:1") as channel:
        assert type(channel) is not sage_rpc.Channel
    sage_rpc.install()
    with taken("localhost:1") as channel:
        assert type(channel) is sage_rpc.Channel


@pytest.fixture
def wrap(monkeypatch):
    """Does what tracing libraries do: puts a wrapper around what stands in grpc."""

    def wrap() -> list[str]:
        below = grpc.insecure_channel
        seen = []

        @functools.wraps(below)
        def traced(target, *args, **kwargs):
            seen.append(target)
            return below(target, *args, **kwargs)

        monkeypatch.setattr(grpc, "insecure_channel", traced)
        return seen

    return wrap


def test_a_wrapper_put_around_ours_stays_and_is_uninstalled_beneath(wrap, monkeypatch, caplog):
    sage_rpc.install()
    seen = wrap()
    kinds = []
    for change in (sage_rpc.install, sage_rpc.uninstall, sage_rpc.install):
        change()
        with grpc.insecure_channel("localhost:1") as channel:
            kinds.append(type(channel) is sage_rpc.Channel)
    assert kinds == [True, False, True]
    assert seen == ["localhost:1"] * 3
    assert not caplog.records
    monkeypatch.undo()  # the library leaves: what it had wrapped stands there again


def test_a_wrapper_that_install_replaces_is_named(wrap, caplog):
    seen = wrap()
    with caplog.at_level(logging.WARNING, "sage_rpc"):
        sage_rpc.install()
    with grpc.insecure_channel("localhost:1") as channel:
        assert type(channel) is sage_rpc.Channel
    assert not seen
    assert "replaced grpc.insecure_channel" in caplog.text
    assert "install first" in caplog.text


def test_many_threads_leave_one_state():
    start = threading.Barrier(8)

    def churn(last) -> None:
        start.wait(10)
        for _ in range(200):
            sage_rpc.install()
            sage_rpc.uninstall()
        start.wait(10)
        last()

    for last in (sage_rpc.install, sage_rpc.uninstall):
        with futures.ThreadPoolExecutor(8) as pool:
            for done in [pool.submit(churn, last) for _ in range(8)]:
                done.result(20)
        ours = {name: getattr(grpc, name) is not STOCK[name] for name in NAMES}
        assert ours == dict.fromkeys(NAMES, last is sage_rpc.install)
        assert sage_rpc.installed() is (last is sage_rpc.install)


@needs_native
@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_is_installed_too(server: ServerProcess):
    sage_rpc.install()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            with grpc.insecure_channel(server.target) as channel:
                channel.unary_unary("/test.Unary/echo")(b"x", timeout=10)
                status = 0 if channel.transport == "shm" else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
