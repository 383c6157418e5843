"""Whom a client meets: the server that gRPC would connect it to, over the memory queue if it is ours."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path

import grpc
import pytest

import sage_rpc
from tests.conftest import ServerProcess, needs_native

pytestmark = [needs_native]


@contextlib.contextmanager
def serving(address: str, says: str, *, ours: bool = True) -> Iterator[int]:
    """A server at `address` that answers with its name. -> its port"""
    pool = futures.ThreadPoolExecutor(2)
    server = (sage_rpc.server if ours else grpc.server)(pool)
    who = grpc.unary_unary_rpc_method_handler(lambda _request, _context: says.encode())
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Who", {"who": who}),))
    port = server.add_insecure_port(address)
    server.start()
    try:
        yield port
    finally:
        server.stop(None).wait()
        pool.shutdown()


def answer(target: str) -> tuple[str, str]:
    """-> who answers, and what carried it."""
    with sage_rpc.insecure_channel(target) as channel:
        try:
            said = channel.unary_unary("/test.Who/who")(b"", timeout=20).decode()
        except grpc.RpcError as error:
            return error.code().name, channel.transport
        return said, channel.transport


def as_grpc_has_it(target: str) -> str:
    """Who answers a channel of stock grpcio, which is right by definition."""
    with grpc.insecure_channel(target, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        try:
            return channel.unary_unary("/test.Who/who")(b"", timeout=20).decode()
        except grpc.RpcError as error:
            return error.code().name


has_ipv6 = pytest.mark.skipif(
    not Path("/proc/net/if_inet6").exists() or not Path("/proc/net/if_inet6").read_text(),
    reason="this host has no IPv6",
)


def test_one_port_of_two_addresses_is_two_servers() -> None:
    with serving("127.0.0.1:0", "one") as port, serving(f"127.0.0.2:{port}", "two"):
        for _ in range(8):  # they were found in random order
            assert answer(f"127.0.0.1:{port}") == ("one", "shm")
            assert answer(f"127.0.0.2:{port}") == ("two", "shm")
        assert answer(f"127.0.0.3:{port}") == ("UNAVAILABLE", "grpc")


@pytest.mark.parametrize("wildcard", ["0.0.0.0", "[::]"])
def test_a_wildcard_serves_every_address_of_the_host(wildcard: str) -> None:
    own = socket.gethostbyname(socket.gethostname())
    with serving(f"{wildcard}:0", "all") as port:
        for host in ("127.0.0.1", "127.0.0.2", "localhost", own, "ipv4:127.0.0.9", "0.0.0.0"):
            assert answer(f"{host}:{port}") == ("all", "shm"), host


@has_ipv6
def test_ipv6_and_ipv4_in_ipv6_are_told_apart_as_the_kernel_does() -> None:
    with serving("[::1]:0", "six") as port, serving(f"127.0.0.1:{port}", "four"):
        for target in ("[::1]", "ipv6:[::1]", "[::]", "localhost"):
            assert answer(f"{target}:{port}") == ("six", "shm") == (as_grpc_has_it(f"{target}:{port}"), "shm")
        for target in ("127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0"):
            assert answer(f"{target}:{port}") == ("four", "shm")


@has_ipv6
def test_a_server_of_the_ipv6_wildcard_serves_ipv6_too() -> None:
    with serving("[::]:0", "all") as port:
        assert answer(f"[::1]:{port}") == ("all", "shm")
        assert answer(f"[::ffff:127.0.0.2]:{port}") == ("all", "shm")


FOREIGN: Sequence[tuple[str, str, str]] = [
    ("127.0.0.1", "127.0.0.2", "127.0.0.2"),
    ("0.0.0.0", "127.0.0.2", "127.0.0.2"),
    ("[::]", "127.0.0.2", "127.0.0.2"),
    pytest.param("127.0.0.1", "[::1]", "localhost", marks=has_ipv6),
    pytest.param("[::]", "[::1]", "[::1]", marks=has_ipv6),
]


@pytest.mark.parametrize(("ours", "theirs", "target"), FOREIGN)
def test_a_foreign_server_is_never_shadowed(ours: str, theirs: str, target: str) -> None:
    """Ours listens at the same port of another address, or of all of them."""
    with serving(f"{ours}:0", "ours") as port, serving(f"{theirs}:{port}", "theirs", ours=False):
        assert as_grpc_has_it(f"{target}:{port}") == "theirs"
        with sage_rpc.insecure_channel(f"{target}:{port}") as channel:
            assert channel.unary_unary("/test.Who/who")(b"", timeout=20) == b"theirs"
            assert channel.transport == "grpc"
            assert channel.transport_reason
        forced = [("sage_rpc.transport", "shm")]
        with sage_rpc.insecure_channel(f"{target}:{port}", options=forced) as channel:
            with pytest.raises(sage_rpc.RpcError, match=r"no memory queue|publishes a memory queue"):
                channel.unary_unary("/test.Who/who")(b"", timeout=20)


def test_what_a_killed_server_left_does_not_lead_past_the_foreign_one_in_its_place() -> None:
    with serving("0.0.0.0:0", "ours") as port:
        with ServerProcess(f"127.0.0.2:{port}") as killed:
            killed.kill()
            with serving(f"127.0.0.2:{port}", "theirs", ours=False):
                assert answer(f"127.0.0.2:{port}") == ("theirs", "grpc")


def test_of_a_name_only_what_grpc_could_bind_is_published() -> None:
    """Somebody has 127.0.0.1 for himself, so our "localhost" is the other loopback address, or none."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        try:
            with serving(f"localhost:{port}", "ours"):
                with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                    with pytest.raises(grpc.RpcError):  # whoever that is, he is no gRPC server
                        channel.unary_unary("/test.Who/who")(b"", timeout=0.5)
                    assert channel.transport == "grpc"
        except RuntimeError:
            assert not Path("/proc/net/if_inet6").read_text()


# ---------------------------------------------------------------- Unix sockets


def test_a_unix_path_is_the_socket_that_is_there_now(short_path: Path) -> None:
    path = short_path / "s"
    with serving(f"unix:{path}", "first") as _, sage_rpc.insecure_channel(f"unix:{path}") as kept:
        assert answer(f"unix:{path}") == ("first", "shm")
        path.rename(short_path / "moved")
        assert answer(f"unix:{path}") == ("UNAVAILABLE", "grpc")
        assert answer(f"unix:{short_path / 'moved'}") == ("first", "shm")
        with serving(f"unix:{path}", "theirs", ours=False):
            assert answer(f"unix:{path}") == ("theirs", "grpc")
        with serving(f"unix:{path}", "second"):
            assert answer(f"unix:{path}") == ("second", "shm")
            assert kept.unary_unary("/test.Who/who")(b"", timeout=20) == b"second"


def test_a_unix_path_through_a_link_or_a_relative_one_is_the_same_socket(
    short_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (short_path / "real").mkdir()
    (short_path / "link").symlink_to("real")
    with serving(f"unix:{short_path}/link/s", "it"):
        (short_path / "direct").symlink_to("real/s")
        for name in ("real/s", "link/s", "direct", "link/../real/s"):
            assert answer(f"unix:{short_path / name}") == ("it", "shm"), name
        monkeypatch.chdir(short_path / "real")
        assert answer("unix:s") == ("it", "shm")


def test_one_path_in_two_directories_that_take_turns_is_two_servers(short_path: Path) -> None:
    """As a deployment does that points a link from one release to the next."""
    for name in ("a", "b"):
        (short_path / name).mkdir()
    current = short_path / "current"
    with serving(f"unix:{short_path}/a/s", "a"), serving(f"unix:{short_path}/b/s", "b"):
        current.symlink_to("a")
        assert answer(f"unix:{current}/s") == ("a", "shm")
        (short_path / "next").symlink_to("b")
        (short_path / "next").replace(current)
        assert answer(f"unix:{current}/s") == ("b", "shm")
