"""What carries a call: the choice, how it is forced, what happens when the memory queue cannot be had."""

from __future__ import annotations

import logging
import os
import pickle
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
from concurrent import futures
from pathlib import Path

import grpc
import pytest

import sage_rpc
from sage_rpc.transport.shm import rendezvous
from tests.conftest import ServerProcess, needs_native

pytestmark = [needs_native]

FORCED = [("sage_rpc.transport", "shm")]


def echo(channel: grpc.Channel, data: bytes = b"x", timeout: float | None = 20) -> bytes:
    return channel.unary_unary("/test.Unary/echo")(data, timeout=timeout)


def refused(channel: grpc.Channel) -> sage_rpc.RpcError:
    with pytest.raises(sage_rpc.RpcError) as caught:
        echo(channel)
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert isinstance(caught.value, ConnectionError)
    return caught.value


# ---------------------------------------------------------------- choosing


@pytest.mark.parametrize(
    "host", ["localhost", "127.0.0.1", "dns:///localhost", "dns:localhost", "ipv4:127.0.0.1"]
)
def test_a_target_on_this_host_is_reached_over_the_memory_queue(server, host):
    with sage_rpc.insecure_channel(f"{host}:{server.port}") as channel:
        assert channel.transport == "idle"
        assert echo(channel) == b"x"
        assert channel.transport == "shm"
        assert channel.transport_reason == ""


def test_this_hosts_own_name_is_this_host(server):
    address = socket.gethostbyname(socket.gethostname())
    with sage_rpc.insecure_channel(f"{address}:{server.port}", options=FORCED) as channel:
        assert echo(channel) == b"x"


@pytest.mark.parametrize("scheme", ["unix:{}", "unix://{}"])
def test_a_unix_target_is_reached_over_the_memory_queue(tmp_path, scheme):
    address = scheme.format(tmp_path / "s.sock")
    with ServerProcess(address), sage_rpc.insecure_channel(address, options=FORCED) as channel:
        assert echo(channel) == b"x"


def test_an_abstract_unix_target_is_reached_over_the_memory_queue(tmp_path):
    address = f"unix-abstract:{tmp_path.name}-{os.getpid()}"
    with ServerProcess(address), sage_rpc.insecure_channel(address, options=FORCED) as channel:
        assert echo(channel) == b"x"


def test_the_option_forces_grpc(server):
    with sage_rpc.insecure_channel(server.target, options=[("sage_rpc.transport", "grpc")]) as channel:
        assert echo(channel) == b"x"
        assert channel.transport == "grpc"
        assert "forced to grpc" in channel.transport_reason


def test_the_environment_forces_grpc_and_the_option_wins(server, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_TRANSPORT", "grpc")
    with sage_rpc.insecure_channel(server.target) as channel:
        assert echo(channel) == b"x"
        assert channel.transport == "grpc"
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        assert echo(channel) == b"x"
        assert channel.transport == "shm"


def test_a_server_forced_to_grpc_publishes_no_memory_queue(runtime_directory):
    with ServerProcess("127.0.0.1:0", env={"SAGE_RPC_TRANSPORT": "grpc"}) as process:
        assert list(runtime_directory.iterdir()) == []
        with sage_rpc.insecure_channel(process.target) as channel:
            assert echo(channel) == b"x"
            assert channel.transport == "grpc"


def test_a_stock_grpc_server_is_called_over_grpc():
    server = grpc.server(futures.ThreadPoolExecutor(2))
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Unary", {"echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        assert echo(channel) == b"x"
        assert channel.transport == "grpc"
        assert "no server" in channel.transport_reason
    server.stop(None).wait()


def test_a_stock_grpc_client_calls_our_server(server):
    with grpc.insecure_channel(server.target) as channel:
        assert echo(channel) == b"x"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ([("sage_rpc.transport", "pigeon")], "'pigeon': expected one of auto, shm, grpc"),
        ([("sage_rpc.ring_bytes", 100_000)], "expected a power of two"),
        ([("sage_rpc.colour", "red")], "unknown option 'sage_rpc.colour'"),
    ],
)
def test_a_wrong_option_is_named(options, says):
    with pytest.raises(ValueError, match=says):
        sage_rpc.insecure_channel("localhost:1", options=options)
    with pytest.raises(ValueError, match=says):
        sage_rpc.server(futures.ThreadPoolExecutor(1), options=options)


def test_a_wrong_environment_variable_is_named(monkeypatch):
    monkeypatch.setenv("SAGE_RPC_TRANSPORT", "pigeon")
    with pytest.raises(ValueError, match="SAGE_RPC_TRANSPORT is 'pigeon'"):
        sage_rpc.insecure_channel("localhost:1")


# ---------------------------------------------------------------- where it cannot be had


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("localhost:1", "connection refused"),
        ("192.0.2.1:50051", "192.0.2.1 is not an address of this host"),
        ("no-such-host.invalid:50051", "no-such-host.invalid is not an address of this host"),
        ("xds:///service", "the xds resolver names no address"),
        ("localhost:notaport", "'localhost:notaport' is not HOST:PORT"),
        ("ipv4:127.0.0.1:1,127.0.0.1:2", "several addresses"),
        ("unix:/nonexistent.sock", "connection refused"),
    ],
)
def test_forcing_shm_where_it_cannot_be_had_is_unavailable_and_says_why(target, says):
    with sage_rpc.insecure_channel(target, options=FORCED) as channel:
        error = refused(channel)
        assert says in error.details()
        assert target in error.details()
        assert "sage_rpc.transport=shm" in error.details()
        future = channel.unary_unary("/x/y").future(b"")
        assert says in future.exception().details()
        assert future.code() is grpc.StatusCode.UNAVAILABLE


def test_an_address_where_nobody_listens_is_unavailable_over_grpc():
    with sage_rpc.insecure_channel("localhost:1") as channel:
        with pytest.raises(grpc.RpcError) as caught:
            echo(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


def test_forcing_shm_without_the_native_core_is_unavailable_and_says_why(server, tmp_path):
    program = """
import sys
sys.modules["sage_rpc.native._core"] = None
import grpc, sage_rpc
with sage_rpc.insecure_channel(sys.argv[1]) as channel:
    print(channel.unary_unary("/test.Unary/echo")(b"over grpc").decode(), channel.transport)
with sage_rpc.insecure_channel(sys.argv[1], options=[("sage_rpc.transport", "shm")]) as channel:
    call = channel.unary_unary("/test.Unary/echo")
    for way in (call, call.with_call, call.future):
        try:
            way(b"")
        except sage_rpc.RpcError as error:
            print(error.code().name, "native core is not built" in error.details())
"""
    out = subprocess.run(
        [sys.executable, "-c", program, server.target], capture_output=True, text=True, timeout=30, check=True
    ).stdout.splitlines()
    assert out == ["over grpc grpc", *["UNAVAILABLE True"] * 3]


def test_the_socket_of_a_killed_server_is_removed_by_the_next_client(runtime_directory):
    with ServerProcess("127.0.0.1:0") as process:
        process.kill()
        assert len(list(runtime_directory.iterdir())) == 1
        with sage_rpc.insecure_channel(process.target, options=FORCED) as channel:
            assert "connection refused" in refused(channel).details()
        assert list(runtime_directory.iterdir()) == []


def test_the_socket_of_a_killed_server_is_removed_by_the_next_server(runtime_directory):
    with ServerProcess("127.0.0.1:0") as process:
        process.kill()
        (left,) = runtime_directory.iterdir()
        with ServerProcess("127.0.0.1:0"):
            assert not left.exists()
            assert len(list(runtime_directory.iterdir())) == 1


def test_a_file_that_is_no_socket_is_passed_over(server, runtime_directory):
    (runtime_directory / f"{rendezvous.tcp_endpoint('127.0.0.1', server.port)}-00000000.sock").write_text(
        "not a socket"
    )
    for _ in range(5):
        with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
            assert echo(channel) == b"x"


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a directory away")
def test_a_runtime_directory_of_somebody_else_is_refused(server, tmp_path, monkeypatch):
    theirs = tmp_path / "theirs"
    theirs.mkdir(mode=0o700)
    os.chown(theirs, 12345, 12345)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(theirs))
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        details = refused(channel).details()
    assert f"{theirs} belongs to uid 12345, not to uid 0" in details
    assert "set SAGE_RPC_RUNTIME_DIR to a directory of your own" in details


def test_a_runtime_directory_open_to_others_is_refused(server, tmp_path, monkeypatch):
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(shared))
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        assert "other users may write" in refused(channel).details()


def test_a_runtime_directory_that_is_a_link_is_refused(server, tmp_path, monkeypatch, runtime_directory):
    link = tmp_path / "link"
    link.symlink_to(runtime_directory)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(link))
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        assert "is not a directory" in refused(channel).details()


def test_an_unusable_runtime_directory_leaves_grpc_and_a_warning(tmp_path, monkeypatch, caplog):
    """Server and client, without being forced: one line says why, and calls go on."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(shared))
    pool = futures.ThreadPoolExecutor(2)
    server = sage_rpc.server(pool)
    handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Unary", {"echo": handler}),))
    port = server.add_insecure_port("127.0.0.1:0")
    with caplog.at_level(logging.WARNING, "sage_rpc"):
        server.start()
        with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            assert echo(channel) == b"x"
            assert channel.transport == "grpc"
            assert "other users may write" in channel.transport_reason
    assert "serving over gRPC only" in caplog.text
    server.stop(None).wait()


def test_a_server_forced_to_shm_does_not_start_without(tmp_path, monkeypatch):
    monkeypatch.setenv("SAGE_RPC_RUNTIME_DIR", str(tmp_path / ("long" * 30)))
    server = sage_rpc.server(futures.ThreadPoolExecutor(2), options=FORCED)
    server.add_insecure_port("127.0.0.1:0")
    with pytest.raises(sage_rpc.RpcError, match="the limit of a Unix socket"):
        server.start()


def run_limited(program: str, target: str, limit: int, size: int) -> str:
    """Run `program` in a process that gives itself a resource limit.

    It is not given it between fork and exec: there grpcio's handlers may still be making descriptors.
    """
    limited = f"import resource\nresource.setrlimit({limit}, ({size}, {size}))\n{program}"
    done = subprocess.run(
        [sys.executable, "-c", limited, target], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LIMITED = """
import sys, signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
import grpc, sage_rpc
with sage_rpc.insecure_channel(sys.argv[1], options=[("sage_rpc.transport", "shm"), %s]) as channel:
    try:
        print(channel.unary_unary("/test.Unary/echo")(b"fits"))
    except sage_rpc.RpcError as error:
        print(error.code().name, error.details())
with sage_rpc.insecure_channel(sys.argv[1], options=[%s]) as channel:
    print(channel.unary_unary("/test.Unary/echo")(b"over the other"), channel.transport)
"""


def test_a_file_limit_when_the_segment_is_made_is_a_clear_error(server):
    """What a full disk or memory file system looks like to the one who makes the segment."""
    out = run_limited(LIMITED % ("", ""), server.target, resource.RLIMIT_FSIZE, 65536)
    assert "UNAVAILABLE" in out
    assert "cannot create a shared segment of 1052672 bytes: File too large" in out
    assert "b'over the other' grpc" in out


def test_a_memory_limit_when_the_segment_is_mapped_is_a_clear_error(server):
    big = '("sage_rpc.ring_bytes", 1 << 28)'
    out = run_limited(LIMITED % (big, big), server.target, resource.RLIMIT_AS, 1 << 30)
    assert "UNAVAILABLE" in out
    assert "cannot reserve 1073745920 bytes of address space: Cannot allocate memory" in out
    assert "b'over the other' grpc" in out


def test_too_few_file_descriptors_is_a_clear_error(server):
    program = """
import os, sys
import grpc, sage_rpc
channel = sage_rpc.insecure_channel(sys.argv[1], options=[("sage_rpc.transport", "shm")])
held = []
try:
    while True:
        held.append(os.dup(0))
except OSError:
    pass
try:
    channel.unary_unary("/test.Unary/echo")(b"x")
except sage_rpc.RpcError as error:
    print(error.code().name, error.details())
for fd in held:
    os.close(fd)
print(channel.unary_unary("/test.Unary/echo")(b"x"))
"""
    out = run_limited(program, server.target, resource.RLIMIT_NOFILE, 64)
    assert "UNAVAILABLE" in out
    assert "Too many open files" in out
    assert "b'x'" in out


@pytest.mark.skipif(os.getuid() != 0 or not shutil.which("unshare"), reason="needs root and unshare")
def test_a_full_disk_when_the_socket_is_published_is_a_clear_error(short_path):
    """A file system of its own with no inode left; the server goes on over gRPC."""
    program = """
import logging, sys
from concurrent import futures
import grpc, sage_rpc
logging.basicConfig(stream=sys.stdout)
server = sage_rpc.server(futures.ThreadPoolExecutor(2))
handler = grpc.unary_unary_rpc_method_handler(lambda request, context: request)
server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("test.Unary", {"echo": handler}),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with sage_rpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    print(channel.unary_unary("/test.Unary/echo")(b"x"), channel.transport)
server.stop(None).wait()
"""
    full = short_path / "full"
    full.mkdir()
    script = f'mount -t tmpfs -o size=4k,nr_inodes=1,mode=0700 full "{full}" && exec "$@"'
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", sys.executable, "-c", program],
        capture_output=True, text=True, timeout=30, env={**os.environ, "SAGE_RPC_RUNTIME_DIR": str(full)},
    )  # fmt: skip
    if "mount" in done.stderr and "denied" in done.stderr:
        pytest.skip("may not mount here")
    assert "No space left on device" in done.stdout, done.stderr
    assert "b'x' grpc" in done.stdout


# ---------------------------------------------------------------- reconnecting


def test_a_channel_returns_to_the_memory_queue_when_the_server_is_back():
    with ServerProcess("127.0.0.1:0") as first, sage_rpc.insecure_channel(first.target) as channel:
        assert echo(channel) == b"x"
        first.kill()
        with pytest.raises(grpc.RpcError) as caught:
            echo(channel)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        with ServerProcess(f"127.0.0.1:{first.port}"):
            reached = threading.Event()
            while (
                not reached.is_set()
            ):  # gRPC carries calls, with its back-off, until the queue is tried again
                try:
                    assert echo(channel) == b"x"
                except grpc.RpcError as error:
                    assert error.code() is grpc.StatusCode.UNAVAILABLE  # noqa: PT017
                if channel.transport == "shm":
                    reached.set()


def test_a_channel_made_before_its_server_finds_it():
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    with sage_rpc.insecure_channel(f"127.0.0.1:{port}", options=FORCED) as channel:
        refused(channel)
        with ServerProcess(f"127.0.0.1:{port}"):
            assert echo(channel) == b"x"


# ---------------------------------------------------------------- fork and pickle


def in_child(work) -> int:
    """Fork, run `work` in the child, -> its exit status: 0 when it did not raise."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(20)
            work()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_channel_used_after_fork_connects_anew(server):
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        peer = channel.unary_unary("/test.Unary/peer")
        mine = peer(b"")
        path = Path(os.environ["SAGE_RPC_RUNTIME_DIR"]) / "seen"

        def work() -> None:
            path.write_bytes(peer(b"", timeout=10))

        assert in_child(work) == 0
        assert f"pid:{os.getpid()}".encode() in mine
        assert path.read_bytes() != mine
        path.unlink()
        assert peer(b"") == mine


def test_a_call_under_way_ends_in_the_child_and_goes_on_in_the_parent(server):
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        future = channel.unary_unary("/test.Unary/wait").future(b"")
        done = threading.Event()
        future.add_done_callback(lambda _: done.set())
        with futures.ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(channel.unary_unary("/test.Unary/wait"), b"")

            def work() -> None:
                assert future.exception(10).code() is grpc.StatusCode.UNAVAILABLE
                assert "forked" in future.details()
                assert echo(channel, timeout=10) == b"x"

            assert in_child(work) == 0
            channel.unary_unary("/test.Unary/open_gate")(b"", timeout=10)
            assert future.result(10) == b"through"
            assert waiting.result(10) == b"through"
            assert done.wait(10)


def test_a_child_does_not_keep_the_parents_connection_alive():
    """The server dies; a child that still had the socket would hide it, and so would one of the server."""
    with ServerProcess("127.0.0.1:0") as process:
        with sage_rpc.insecure_channel(process.target, options=FORCED) as channel:
            echo(channel)
            gate_read, gate_write = os.pipe()
            child = os.fork()
            if child == 0:
                os.close(gate_write)
                os.read(gate_read, 1)
                os._exit(0)
            future = channel.unary_unary("/test.Unary/wait").future(b"")
            process.kill()
            assert future.exception(5).code() is grpc.StatusCode.UNAVAILABLE
            os.close(gate_write)
            os.waitpid(child, 0)
            os.close(gate_read)


def test_a_channel_pickles_as_its_target_and_options(server):
    with sage_rpc.insecure_channel(server.target, options=FORCED) as channel:
        echo(channel)
        with pickle.loads(pickle.dumps(channel)) as copy:
            assert copy.transport == "idle"
            assert echo(copy) == b"x"
            assert copy.transport == "shm"
