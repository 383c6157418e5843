"""Large buffers in shared memory: one copy or none, views that stay valid, blocks that come back."""

from __future__ import annotations

import os
import re
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

import grpc
import msgpack
import numpy as np
import pytest

import sage_rpc
from sage_rpc.encoding import buffers
from sage_rpc.native import core
from sage_rpc.proto.v1.invoke_pb2 import ServiceRequest
from tests import wire_peer as w
from tests.conftest import UNLIMITED, ServerProcess, needs_native
from tests.transport.test_peers import CALL, ECHO, SHM, echo_works

pytestmark = needs_native

MIB = 1 << 20
FEATURES = w.FEATURE_STREAMS | w.FEATURE_BLOCKS


@pytest.fixture
def server(lasting_server):
    """No peer that breaks the rules is the end of it."""
    return lasting_server("127.0.0.1:0")


@pytest.fixture
def process(lasting_server):
    return lasting_server(program="array_service.py")


@pytest.fixture
def manager(process, transport):
    with sage_rpc.ServiceManager(
        {"arrays": process.target}, timeout=20, options=[("sage_rpc.transport", transport)]
    ) as made:
        yield made


@pytest.fixture
def arrays(manager):
    return manager.get_sync_proxy("arrays")


over_memory = pytest.mark.parametrize("transport", ["shm"], indirect=True)


def shared_bytes(pid: int) -> int:
    """Memory of segments that a process has touched and that is there."""
    maps = Path(f"/proc/{pid}/smaps").read_text().split("memfd:sage_rpc")
    return sum(1024 * int(re.search(r"^Rss: +(\d+) kB", part, re.MULTILINE).group(1)) for part in maps[1:])


# ---------------------------------------------------------------- the same over both transports


@pytest.mark.parametrize("size", [0, 1, 32767, 32768, 100_001, 3 * MIB])
@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_buffers_of_every_size_come_back(arrays, kind, size):
    data = os.urandom(size)
    assert arrays.echo(kind(data)) == data
    assert arrays.echo(x := [1, {"a": data}, data])[1:] == x[1:]


@pytest.mark.parametrize(
    "array",
    [
        np.arange(100_000, dtype=np.float32).reshape(100, 10, 100),
        np.asfortranarray(np.arange(200_000).reshape(400, 500)),
        np.arange(200_000)[::2],
        np.zeros(20_000, dtype=[("a", "<i4"), ("b", "<f8")]),
        np.array("2026-11-26", dtype="M8[s]").repeat(9000),
        np.zeros((5, 0, 7)),
    ],
    ids=["3d", "fortran", "strided", "structured", "datetime", "empty"],
)
def test_arrays_of_every_kind_come_back(arrays, array):
    back = arrays.echo({"x": (array, array)})["x"]
    for each in back:
        assert each.dtype == array.dtype
        assert np.array_equal(each, array)


def test_a_received_array_is_a_read_only_view(arrays):
    array = np.zeros(MIB, np.uint8)
    assert not arrays.echo(array).flags.writeable
    assert not arrays.writeable(array)


def test_a_view_outlives_its_connection(process, manager, arrays):
    array = np.random.default_rng(1).random(MIB // 4, np.float32)
    back = arrays.echo(array)
    manager.close()
    process.kill()  # the next test gets another one
    assert np.array_equal(back, array)


def test_an_allocated_array_is_sent_like_any_other(arrays):
    array = sage_rpc.empty((300, 1000), np.int32, arrays)
    array[:] = np.arange(300_000).reshape(300, 1000)
    assert np.array_equal(arrays.echo(array), array)
    assert np.array_equal(arrays.echo(array[10:200]), array[10:200])  # a part of it, too
    assert arrays.total(arrays.made(4 * MIB)) == 7 * MIB


def test_a_message_with_buffers_has_the_limit_of_any_message(process, transport):
    options = [("sage_rpc.transport", transport), ("grpc.max_receive_message_length", MIB)]
    with sage_rpc.ServiceManager({"arrays": process.target}, timeout=20, options=options) as manager:
        arrays = manager.get_sync_proxy("arrays")
        with pytest.raises(sage_rpc.RpcError, match="larger than max") as raised:
            arrays.echo(np.zeros(2 * MIB, np.uint8))
        assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
        assert arrays.total(np.ones(MIB // 2, np.uint8)) == MIB // 2
    options = [("sage_rpc.transport", transport), ("grpc.max_send_message_length", MIB)]
    with sage_rpc.ServiceManager({"arrays": process.target}, timeout=20, options=options) as manager:
        with pytest.raises(sage_rpc.RpcError, match="larger than max"):
            manager.get_sync_proxy("arrays").echo(np.zeros(2 * MIB, np.uint8))


def test_what_cannot_be_allocated_is_an_error():
    with pytest.raises(ValueError, match="Python objects"):
        sage_rpc.empty(10, object)
    with pytest.raises(TypeError, match="expected a channel"):
        sage_rpc.empty(10, float, "arrays")
    assert sage_rpc.empty(3, np.int8).shape == (3,)  # outside of any call: an ordinary array
    with grpc.insecure_channel("localhost:1") as channel:
        assert sage_rpc.empty((2, MIB), np.int8, channel).shape == (2, MIB)


# ---------------------------------------------------------------- copies


@over_memory
def test_what_was_allocated_for_a_channel_is_not_copied(arrays):
    arrays.forget()
    array = sage_rpc.empty(MIB, np.float32, arrays)
    array[:] = 1
    arrays.keep(array)
    array[0] = 2
    assert arrays.first_kept() == 2  # the service looks at this very memory
    copied = np.ones(MIB, np.float32)
    arrays.forget()
    arrays.keep(copied)
    copied[0] = 2
    assert arrays.first_kept() == 1


@over_memory
def test_what_a_service_allocated_is_not_copied(arrays):
    array = arrays.made(MIB)
    assert array[0] == 7
    arrays.overwrite(8)
    assert array[0] == 8


# ---------------------------------------------------------------- blocks come back


@over_memory
def test_memory_is_used_again(process, arrays):
    array = np.ones(MIB, np.float32)
    for _ in range(100):  # 400 MiB, more than an arena has
        assert arrays.total(arrays.echo(array)) == MIB
    assert shared_bytes(os.getpid()) < 40 * MIB
    assert shared_bytes(process.process.pid) < 40 * MIB


@over_memory
def test_responses_that_nobody_waits_for_give_their_blocks_back(process, manager, arrays):
    array = np.ones(4 * MIB, np.uint8)
    later = manager.get_async_proxy("arrays")
    for _ in range(50):
        later.echo(array).cancel()
    for _ in range(10):
        assert arrays.total(array) == 4 * MIB
    assert shared_bytes(os.getpid()) < 100 * MIB


@over_memory
def test_a_full_arena_is_no_limit(arrays):
    held = [arrays.echo(np.full(MIB // 4, n % 256, np.float32)) for n in range(600)]  # the arena has 256 MiB
    assert all(array[0] == array[-1] == n % 256 for n, array in enumerate(held))
    held = None
    assert arrays.total(arrays.echo(np.ones(MIB, np.uint8))) == MIB


@over_memory
def test_memory_of_a_peak_goes_back_to_the_system(process, arrays):
    held = [arrays.echo(np.ones(2 * MIB, np.float32)) for _ in range(20)]
    peak = shared_bytes(process.process.pid)
    assert peak > 150 * MIB
    held.clear()
    assert arrays.echo(1) == 1
    assert shared_bytes(process.process.pid) < 100 * MIB


@over_memory
def test_a_view_is_not_pulled_away_from_a_forked_child(arrays):
    back = arrays.echo(np.full(MIB, 5, np.float32))
    out, into = os.pipe()
    gone, leave = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.read(gone, 1)  # until the parent has let go of it, and the memory would be used again
        os.write(into, bytes([int(back.min()), int(back.max())]))
        os._exit(0)
    del back
    for _ in range(20):
        arrays.echo(np.full(MIB, 9, np.float32))
    os.write(leave, b"!")
    assert os.read(out, 2) == b"\x05\x05"
    assert os.waitpid(pid, 0)[1] == 0
    for fd in (out, into, gone, leave):
        os.close(fd)


# ---------------------------------------------------------------- peers


def blocks_peer(server: ServerProcess) -> w.Peer:
    return w.client(server.port, features=FEATURES, arena=w.ARENA)


def test_a_client_written_from_the_document_can_send_blocks(server):
    with blocks_peer(server) as peer:
        peer.memory[peer.arena + 4096 : peer.arena + 4101] = b"world"
        message = w.blocks((6, 4096, 5), inline=b"hello !")
        peer.send(w.OPEN, CALL, 1, 1, w.block(ECHO) + message, extra=w.BLOCKS)
        frames = {}
        while frames.keys() != {w.TRAILERS, w.RELEASE}:
            peer.send(w.PING, 0, 0, 1)  # a RELEASE rings no bell, its answer does
            frame = peer.receive()
            if frame.type != w.PING:
                frames[frame.type] = frame
        assert frames[w.TRAILERS].body == b"hello world!"
        assert frames[w.RELEASE].aux == 1  # the page
        # Nobody may be reading once the call has ended: what it used comes back before.
        assert list(frames) == [w.RELEASE, w.TRAILERS]


@pytest.mark.parametrize(
    ("dtype", "trusting", "seen"),
    [("<f8", "0", 2), ("<i8", "0", 1), ("|b1", "0", 1), ("<M8[s]", "0", 1), ("<i8", "1", 2), ("|b1", "1", 0)],
)
def test_what_may_be_an_index_does_not_change_once_it_is_received(dtype, trusting, seen):
    """A client writes into an array that it has sent, while the service holds it."""
    size = 65536
    number = np.dtype(dtype)
    reference = msgpack.packb([0, dtype, [size // number.itemsize]])
    arguments = b"\x92\x91" + msgpack.packb(msgpack.ExtType(9, reference)) + b"\x80"
    request = ServiceRequest(service="arrays", method="keep", arguments=arguments)
    head = request.SerializeToString() + buffers.head(ServiceRequest.BUFFERS_FIELD_NUMBER, size)
    with (
        ServerProcess(program="array_service.py", env={"SAGE_RPC_TRUST_PEERS": trusting}) as process,
        blocks_peer(process) as peer,
    ):
        memory = memoryview(peer.memory)[peer.arena : peer.arena + size]
        memory[:] = np.ones(size // number.itemsize, number).tobytes()
        message = w.blocks((len(head), 0, size), inline=head)
        peer.send(w.OPEN, CALL, 1, 1, w.block(b"/sage.rpc.v1.Invocation/Call") + message, extra=w.BLOCKS)
        while peer.receive().type != w.TRAILERS:
            pass
        memory[:] = np.full(size // number.itemsize, 0 if dtype == "|b1" else 2).astype(number).tobytes()
        memory.release()
        options = [("sage_rpc.transport", "shm")]
        with sage_rpc.ServiceManager({"arrays": process.target}, timeout=20, options=options) as manager:
            assert manager.get_sync_proxy("arrays").first_kept() == seen


@pytest.mark.parametrize("trusting", ["0", "1"])
def test_memory_of_integers_is_shared_with_trusted_peers_only(process, trusting):
    """Of both ends one may trust the other: here the client, which allocates and receives."""
    program = """if True:
        import sys, numpy as np, sage_rpc
        options = [("sage_rpc.transport", "shm")]
        with sage_rpc.ServiceManager({"arrays": sys.argv[1]}, options=options) as manager:
            arrays = manager.get_sync_proxy("arrays")
            own = sage_rpc.empty(1 << 20, "u1", arrays)
            back = arrays.echo(np.ones(1 << 20, "u1"))
            floats = sage_rpc.empty(1 << 20, "f4", arrays)
            memfd = [line.split()[0] for line in open("/proc/self/maps") if "memfd:sage_rpc" in line]
            ranges = [tuple(int(end, 16) for end in each.split("-")) for each in memfd]
            print(*(any(low <= a.ctypes.data < high for low, high in ranges) for a in (own, back, floats)))
            print(int(back.sum()), back.flags.writeable)
        """
    done = subprocess.run(
        [sys.executable, "-c", program, process.target],
        env={**os.environ, "SAGE_RPC_TRUST_PEERS": trusting},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    shared = trusting == "1"
    assert done.stdout == f"{shared} {shared} True\n{1 << 20} False\n"


@pytest.mark.parametrize(
    ("message", "complaint"),
    [
        (b"\x01", "cut short"),
        (w.blocks()[:-1] + b"\x7f", "too many"),
        (struct.pack("<I", 2) + struct.pack("<QQQ", 0, 0, 1), "cut short"),
        (w.blocks((0, w.ARENA, 1)), "outside"),
        (w.blocks((0, w.ARENA - 4096, 4097)), "outside"),
        (w.blocks((0, 2**64 - 1, 2)), "outside"),
        (w.blocks((0, 0, 2**64 - 1)), "outside"),
        (w.blocks((0, 0, 0)), "outside"),
        (w.blocks((1, 0, 1)), "out of order"),
        (w.blocks((3, 0, 1), (0, 4096, 1), inline=b"abcdef"), "out of order"),
        (w.blocks((0, 0, 2), (1, 4096, 1)), "out of order"),
    ],
)
def test_a_bad_table_of_blocks_ends_the_connection_and_no_other(server, message, complaint):
    with blocks_peer(server) as peer:
        peer.send(w.OPEN, CALL, 1, 1, w.block(ECHO) + message, extra=w.BLOCKS)
        assert peer.ended()
    assert echo_works(server)


@pytest.mark.parametrize("page", [0, 1, 2**32 - 1])
def test_releasing_what_was_not_sent_ends_the_connection_and_no_other(server, page):
    with blocks_peer(server) as peer:
        peer.send(w.RELEASE, 0, 0, page)
        assert peer.ended()
    assert echo_works(server)


def test_a_message_in_pieces_and_in_blocks_is_a_violation(server):
    with blocks_peer(server) as peer:
        body = w.block(ECHO) + struct.pack("<Q", 100) + w.blocks((0, 0, 10))
        peer.send(w.OPEN, w.HAS_MESSAGE | w.MORE | w.HAS_NAME, 1, 1, body, extra=w.BLOCKS)
        assert peer.ended()
    assert echo_works(server)


def test_blocks_without_the_feature_are_a_message(server):
    """Of a connection without it, that field is ignored; and there is no RELEASE."""
    with w.client(server.port) as peer:
        message = w.blocks((0, 0, 10))
        peer.send(w.OPEN, CALL, 1, 1, w.block(ECHO) + message, extra=w.BLOCKS)
        assert peer.receive().body == message
        peer.send(w.RELEASE, 0, 0, 0)
        assert peer.ended()


@pytest.mark.parametrize("arena", [4097, w.ARENA * 2, 1 << 62])
def test_a_segment_that_is_smaller_than_its_arenas_is_refused(server, arena):
    fd = w.segment(arena=w.ARENA)
    os.pwrite(fd, struct.pack("<Q", arena), 32)
    with w.dial(server.port) as sock:
        socket.send_fds(sock, [w.hello(features=FEATURES)], [fd])
        status, text = w.welcome(sock)
    os.close(fd)
    assert status == 2
    assert "arena" in text


def test_a_server_that_sends_bad_blocks_ends_the_call():
    with w.Listener(features=FEATURES) as listener:
        with sage_rpc.insecure_channel(listener.target, options=SHM) as channel:
            future = channel.unary_unary("/a/b").future

            def serve() -> None:
                with listener.accept() as peer:
                    opened = peer.receive()
                    bad = w.blocks((0, peer.arena_size, 1))
                    peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, opened.stream, 0, bad, extra=w.BLOCKS)
                    peer.ended()

            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            with pytest.raises(grpc.RpcError, match="outside of the arena"):
                future(b"x").result(timeout=10)
            thread.join(10)


def test_the_arenas_of_a_segment_are_there_or_not():
    from sage_rpc.transport.shm.handshake import create_segment

    for arena in (0, MIB):
        fd = create_segment(4096, arena)
        assert core.Segment(fd, 4096, True, arena).blocks == bool(arena)
        os.close(fd)


# ---------------------------------------------------------------- large messages of stubs


@pytest.mark.parametrize("size", [131_000, 131_072, 131_073, 5 * MIB])
def test_large_messages_of_stubs_come_back_and_their_memory_too(server, size):
    with sage_rpc.insecure_channel(server.target, options=[*SHM, *UNLIMITED]) as channel:
        before = shared_bytes(os.getpid())
        echo = channel.unary_unary(ECHO.decode())
        data = os.urandom(size)
        for _ in range(1 + 300 * MIB // size):  # more than an arena has
            assert echo(data, timeout=20) == data
        assert shared_bytes(os.getpid()) < before + 40 * MIB


def test_small_calls_do_not_wait_for_a_large_message(server):
    with sage_rpc.insecure_channel(server.target, options=[*SHM, *UNLIMITED]) as channel:
        echo = channel.unary_unary(ECHO.decode())
        data = bytes(64 * MIB)
        large = [echo.future(data) for _ in range(3)]
        assert echo(b"small", timeout=20) == b"small"
        assert all(future.result(20) == data for future in large)


@pytest.mark.parametrize(("setting", "reuses"), [("", True), ("default", False)])
def test_memory_of_large_messages_is_kept_unless_that_is_not_wanted(server, setting, reuses):
    program = """
import resource, sys, sage_rpc
options = [("sage_rpc.transport", "shm"), ("grpc.max_receive_message_length", -1)]
echo = sage_rpc.insecure_channel(sys.argv[1], options=options).unary_unary("/test.Unary/echo")
data = bytes(1 << 20)
for _ in range(5):
    held = [echo(data) for _ in range(4)]
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(25):
    held = None
    held = [echo(data) for _ in range(4)]
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    env = {**os.environ, "SAGE_RPC_MALLOC": setting}
    for name in ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES"):
        env.pop(name, None)
    command = [sys.executable, "-c", program, server.target]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30, check=True)
    assert (int(done.stdout) < 5000) == reuses, done.stdout  # of the 25,600 pages of 100 messages


@pytest.mark.slow
@over_memory
def test_many_connections_that_once_had_large_messages_hold_little(process, transport):
    """What stays warm is limited for all connections of a process together."""
    array = np.ones(16 * MIB, np.uint8)
    options = [("sage_rpc.transport", transport)]
    managers = []
    for _ in range(40):  # 640 MiB each way
        managers.append(sage_rpc.ServiceManager({"arrays": process.target}, timeout=20, options=options))
        assert managers[-1].get_sync_proxy("arrays").echo(array)[-1] == 1
    limit = time.monotonic() + 10
    while shared_bytes(process.process.pid) > 800 * MIB:  # of both directions
        assert time.monotonic() < limit, shared_bytes(process.process.pid) >> 20
    assert [manager.get_sync_proxy("arrays").echo(1) for manager in managers] == [1] * 40
    for manager in managers:
        manager.close()
