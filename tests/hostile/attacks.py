"""What a hostile peer may do, from either end; the words of docs/wire.md are used and its rules are broken.

An attack gets a source of chance and a time to end at, and ends sooner when it is shut out. As a program:

    python -m tests.hostile.attacks KIND PORT SECONDS SEED    attacks a server, one way after the other
    python -m tests.hostile.attacks clients PORT SEED         attacks who connects to PORT, until stdin ends
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import random
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable

import msgpack

from sage_rpc.proto.v1 import invoke_pb2
from tests import wire_peer as w

ECHO, BIG, CHAT = b"/test.Siege/echo", b"/test.Siege/big", b"/test.Siege/chat"
CALL = w.END | w.HAS_MESSAGE | w.HAS_NAME
SHUT_OUT = (OSError, AssertionError, ValueError, struct.error)


def left(until: float) -> bool:
    return time.monotonic() < until


# ---------------------------------------------------------------- either end


def keep_full(peer: w.Peer, frames: bytes, until: float) -> None:
    """Have the other side's ring full of `frames`, whose size divides the ring's, at any time."""
    data = frames * (peer.capacity // len(frames))
    peer.memory[peer.out_data : peer.out_data + peer.capacity] = data
    head = ctypes.c_uint64.from_buffer(peer.memory, peer.out)
    tail = ctypes.c_uint64.from_buffer(peer.memory, peer.out + 64)
    asleep = ctypes.c_uint32.from_buffer(peer.memory, peer.out + 128)
    peer.sock.setblocking(False)
    while left(until):
        for _ in range(200):
            head.value = tail.value + peer.capacity
            if asleep.value:
                asleep.value = 0
                peer.bell()


def frames_for_nothing(stream: int) -> list[bytes]:
    return [
        w.frame(w.PING, 0, 0, 1),
        w.frame(w.PING, w.END, 0, 1),
        w.frame(w.CREDIT, 0, 0, 1),
        w.frame(w.CREDIT, 0, stream, 0),
        w.frame(w.CREDIT, 0, stream, 1),
        w.frame(w.CANCEL, 0, stream, 1),
        w.frame(w.MESSAGE, w.HAS_MESSAGE, stream),
        w.frame(w.MESSAGE, 0, stream),
        w.frame(w.GOAWAY, 0, 0, 1 << 30),
        w.frame(w.RELEASE, 0, 0, 0),
    ]


def bells(peer: w.Peer, until: float) -> None:
    peer.sock.setblocking(False)
    rings = bytes(65536)
    while left(until):
        with contextlib.suppress(BlockingIOError):
            peer.sock.send(rings)


def scribble(peer: w.Peer, chance: random.Random, until: float) -> None:
    """Write anything anywhere in the segment, time and again."""
    size = len(peer.memory)
    while left(until):
        at = chance.choice((chance.randrange(size - 16), 64 + chance.randrange(512) // 8 * 8))
        data = chance.choice(
            (chance.randbytes(8), bytes(8), b"\xff" * 8, struct.pack("<Q", chance.randrange(1 << 20)))
        )
        peer.memory[at : at + 8] = data
        peer.bell()


def mutated(chance: random.Random, legal: bytes) -> bytes:
    data = bytearray(legal)
    for _ in range(chance.randrange(1, 5)):
        at = chance.randrange(min(len(data), 64) if chance.random() < 0.8 else len(data))
        data[at] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    return bytes(data)


# ---------------------------------------------------------------- on servers


def legal_requests(chance: random.Random, stream: int) -> list[bytes]:
    text = chance.randbytes(chance.choice((0, 10, 1000)))
    meta = w.metadata((b"key", b"value"), (b"data-bin", text))
    return [
        w.frame(w.OPEN, CALL, stream, 1, w.block(ECHO) + text),
        w.frame(w.OPEN, CALL | w.HAS_METADATA, stream, 1, w.block(ECHO) + w.block(meta) + text),
        w.frame(w.OPEN, CALL | w.HAS_TIMEOUT, stream, 1, struct.pack("<Q", 10**9) + w.block(ECHO) + text),
        w.frame(w.OPEN, w.HAS_NAME, stream, 2, w.block(CHAT)),
        w.frame(w.MESSAGE, w.HAS_MESSAGE, max(1, stream - 1), 0, text),
        w.frame(
            w.OPEN,
            w.HAS_MESSAGE | w.MORE | w.HAS_NAME,
            stream,
            1,
            w.block(ECHO) + struct.pack("<Q", 5000) + text,
        ),
        w.frame(w.OPEN, CALL, stream, 1, w.block(ECHO) + w.blocks((0, 4096, 40_000)), extra=w.BLOCKS),
    ]


def flood(port: int, chance: random.Random, until: float) -> None:
    with w.client(port, features=3, arena=w.ARENA) as peer:
        peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(CHAT))
        keep_full(peer, chance.choice(frames_for_nothing(1)), until)


def flood_of_calls(port: int, chance: random.Random, until: float) -> None:
    """Many calls, as fast as they are taken, whose answers are read or not."""
    reads = chance.random() < 0.5
    with w.client(port) as peer:
        stream = 0
        while left(until):
            stream += 1
            body = (w.block(ECHO) if stream == 1 else b"") + b"x"
            peer.send(w.OPEN, CALL if stream == 1 else CALL & ~w.HAS_NAME, stream, 1, body)
            if reads:
                peer.set_tail(peer._u64(peer.into))
                peer.bell()


def flood_of_bells(port: int, chance: random.Random, until: float) -> None:
    with w.client(port) as peer:
        bells(peer, until)


def fuzz(port: int, chance: random.Random, until: float) -> None:
    """Legal frames with a few wrong bytes, one connection after the other."""
    while left(until):
        with w.client(port, features=3, arena=w.ARENA) as peer, contextlib.suppress(*SHUT_OUT):
            peer.sock.settimeout(0.2)
            for stream in range(1, 20):
                frame = chance.choice(legal_requests(chance, stream))
                peer.write(mutated(chance, frame) if chance.random() < 0.3 else frame)


def noise(port: int, chance: random.Random, until: float) -> None:
    while left(until):
        with w.client(port) as peer:
            peer.memory[4096 : 4096 + 4096] = chance.randbytes(4096)
            peer.set_head(chance.choice((8, 64, 4096, 4097, 1 << 19, (1 << 19) + 8, 1 << 63, (1 << 64) - 8)))
            peer.set_tail(chance.choice((0, 8, 1 << 20, 1 << 63)))


def shaken_memory(port: int, chance: random.Random, until: float) -> None:
    """Calls whose memory changes while they are read."""
    with w.client(port, features=3, arena=w.ARENA) as peer:
        peer.sock.setblocking(False)
        for stream in range(1, 30):
            peer.write(chance.choice(legal_requests(chance, stream)))
        scribble(peer, chance, min(until, time.monotonic() + 0.3))


def unread_answers(port: int, chance: random.Random, until: float) -> None:
    with w.client(port) as peer:
        peer.send(w.OPEN, CALL, 1, 1, w.block(BIG))
        for stream in range(2, 2000):
            peer.send(w.OPEN, CALL & ~w.HAS_NAME, stream, 1)
        while left(until):
            time.sleep(0.05)


def streams_without_end(port: int, chance: random.Random, until: float) -> None:
    with w.client(port) as peer:
        stream = 1
        peer.send(w.OPEN, w.HAS_NAME, 1, 1, w.block(CHAT))
        while left(until):
            peer.write(b"".join(w.frame(w.OPEN, 0, stream + n, 1) for n in range(1, 500)))
            stream += 500


def many_names(port: int, chance: random.Random, until: float) -> None:
    with w.client(port) as peer:
        for number in range(1, 65536):
            if not left(until):
                return
            name = "\U0001f600".encode() + b"%d" % number + b"\xff" * 4000
            peer.send(w.OPEN, CALL, number, number, w.block(name))


def promised_messages(port: int, chance: random.Random, until: float) -> None:
    """Each the largest that may be, of which only a few bytes come."""
    with w.client(port) as peer:
        name = w.block(ECHO)
        for stream in range(1, 5000):
            if not left(until):
                return
            flags = w.HAS_MESSAGE | w.MORE | (w.HAS_NAME if stream == 1 else 0)
            peer.send(
                w.OPEN, flags, stream, 1, (name if stream == 1 else b"") + struct.pack("<Q", 4 << 20) + b"x"
            )


def blocks_without_end(port: int, chance: random.Random, until: float) -> None:
    entries = [(n * 4096, (n % 4000) * 4096, 4096) for n in range(1000)]
    with w.client(port, features=3, arena=w.ARENA) as peer:
        stream = 0
        while left(until):
            stream += 1
            body = (w.block(ECHO) if stream == 1 else b"") + w.blocks(
                *entries[: chance.choice((1, 10, 1000))]
            )
            peer.send(w.OPEN, CALL if stream == 1 else CALL & ~w.HAS_NAME, stream, 1, body, extra=w.BLOCKS)


def strangers(port: int, chance: random.Random, until: float) -> None:
    """Who connects and says nothing, something else, or comes with strange descriptors."""
    held: list[socket.socket] = []
    try:
        while left(until):
            sock = w.dial(port)
            held.append(sock)
            sock.setblocking(False)
            read, write = os.pipe()
            segments = [
                w.segment(),
                w.segment(seal=False),
                w.segment(size=8192),
                w.segment(arena=1 << 40, size=1 << 21),
                w.segment(arena=1 << 34),
                os.open("/dev/zero", os.O_RDWR),
                os.open("/", os.O_RDONLY),
            ]
            hellos = (
                w.hello(features=3),
                w.hello(1 << 28),
                w.hello(1 << 31),
                w.hello(0),
                w.hello(3),
                w.hello(version=7),
                w.hello(magic=b"GET / HT"),
                w.hello()[:10],
            )
            fds = [
                chance.choice((*segments, read, write)) for _ in range(chance.choice((0, 1, 1, 1, 2, 200)))
            ]
            with contextlib.suppress(*SHUT_OUT):
                if chance.random() < 0.8:
                    socket.send_fds(sock, [chance.choice(hellos)], fds)
            for fd in (*segments, read, write):
                os.close(fd)
            if len(held) > 80 or chance.random() < 0.1:
                for each in held:
                    each.close()
                held.clear()
    finally:
        for each in held:
            each.close()


def come_and_go(port: int, chance: random.Random, until: float) -> None:
    while left(until):
        with w.client(port, capacity=chance.choice((4096, 1 << 16, 1 << 19))) as peer:
            peer.send(w.OPEN, CALL, 1, 1, w.block(ECHO) + b"x")
            if chance.random() < 0.5:
                peer.sock.shutdown(chance.choice((socket.SHUT_RD, socket.SHUT_WR, socket.SHUT_RDWR)))


def values(port: int, chance: random.Random, until: float) -> None:
    """Arguments of a plain-class service that are no values, or hardly any."""

    def extension(code: int, data: bytes) -> bytes:
        return b"\xc9" + struct.pack(">IB", len(data), code) + data

    while left(until):
        deep = b"\x90"
        for _ in range(chance.choice((5, 70, 300))):
            deep = b"\x91" + (extension(1, deep) if chance.random() < 0.5 else deep)
        legal = msgpack.packb([[1, "two", {"three": [4.0, None, b"5"]}], {}])
        head = msgpack.packb(
            [chance.choice(("<f8", "O", "<U1000000", "i1," * 1000, "<i8")), [chance.randrange(100)]]
        )
        array = extension(7, len(head).to_bytes(4, "little") + head + bytes(chance.randrange(100)))
        arguments = chance.choice((
            b"\x92\x91" + deep + b"\x80",
            mutated(chance, legal),
            b"\x92\x91" + array + b"\x80",
            b"\x92\x91" + extension(chance.randrange(1, 16), chance.randbytes(20)) + b"\x80",
        ))  # fmt: skip
        request = invoke_pb2.ServiceRequest(service="siege", method="echo", arguments=arguments)
        with w.client(port) as peer:
            body = w.block(b"/sage.rpc.v1.Invocation/Call") + request.SerializeToString()
            peer.send(w.OPEN, CALL, 1, 1, body)
            peer.sock.settimeout(2)
            peer.receive()


ON_SERVERS: dict[str, Callable[[int, random.Random, float], None]] = {
    each.__name__: each
    for each in (
        flood,
        flood_of_calls,
        flood_of_bells,
        fuzz,
        noise,
        shaken_memory,
        unread_answers,
        streams_without_end,
        many_names,
        promised_messages,
        blocks_without_end,
        strangers,
        come_and_go,
        values,
    )
}


# ---------------------------------------------------------------- on clients
# Each has the server's end of a connection whose client has sent `frame`, a call.


def answer_for_nothing(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    kinds = [
        *frames_for_nothing(frame.stream)[:5],
        w.frame(w.GOAWAY, 0, 0, 1 << 30),
        w.frame(w.HEADERS, w.HAS_METADATA, frame.stream, 0, w.block(w.metadata((b"k", b"abc")))),
        w.frame(w.RELEASE, 0, 0, 0),
    ]
    keep_full(peer, chance.choice(kinds), until)


def ring_for_nothing(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    bells(peer, until)


def answer_noise(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    legal = [
        w.frame(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"answer"),
        w.frame(w.HEADERS, w.HAS_METADATA, frame.stream, 0, w.block(w.metadata((b"k", b"v")))),
        w.frame(w.MESSAGE, w.HAS_MESSAGE | w.MORE, frame.stream, 0, struct.pack("<Q", 100) + b"x"),
        w.frame(w.TRAILERS, w.END | w.HAS_DETAILS, frame.stream, 5, w.block(b"details")),
        w.frame(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, w.blocks((0, 0, 40_000)), extra=w.BLOCKS),
    ]
    for _ in range(20):
        peer.write(mutated(chance, chance.choice(legal)))


def answer_changing_memory(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    peer.send(w.HEADERS, w.HAS_METADATA, frame.stream, 0, w.block(w.metadata((b"k", b"v"))))
    scribble(peer, chance, min(until, time.monotonic() + 0.2))


def answer_blocks_without_end(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    """Blocks for calls that are over, and none of what comes back is read."""
    peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, b"")
    body = w.blocks(*((n * 4096, (n % 100) * 4096, 4096) for n in range(1000)))
    while left(until):
        peer.send(w.TRAILERS, w.END | w.HAS_MESSAGE, frame.stream, 0, body, extra=w.BLOCKS)


def say_nothing(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    while left(until):
        time.sleep(0.02)


def leave(peer: w.Peer, frame: w.Frame, chance: random.Random, until: float) -> None:
    """Shut the socket, and go on writing."""
    peer.sock.shutdown(socket.SHUT_RDWR)
    keep_full(peer, frames_for_nothing(1)[0], min(until, time.monotonic() + 0.2))


ON_CLIENTS: dict[str, Callable[[w.Peer, w.Frame, random.Random, float], None]] = {
    each.__name__: each
    for each in (
        answer_for_nothing,
        ring_for_nothing,
        answer_noise,
        answer_changing_memory,
        answer_blocks_without_end,
        say_nothing,
        leave,
    )
}


def attack_server(kind: str, port: int, seconds: float, chance: random.Random) -> None:
    end = time.monotonic() + seconds
    known = list(ON_SERVERS.values())
    if (
        kind != "aio"
    ):  # who may call may occupy a pool's threads, as in grpcio: others wait, for no fault of ours
        known.remove(streams_without_end)
    w.WAIT = 1.0
    while left(end):
        attack = chance.choice(known)
        with contextlib.suppress(*SHUT_OUT):
            attack(port, chance, min(end, time.monotonic() + 1.0))


def attack_clients(port: int, chance: random.Random) -> None:
    """Accept clients of a port until standard input ends, and attack each of them."""

    def attack(peer: w.Peer, chance: random.Random) -> None:
        with contextlib.suppress(*SHUT_OUT), peer:
            frame = peer.receive()
            if frame is not None:
                chance.choice(list(ON_CLIENTS.values()))(peer, frame, chance, time.monotonic() + 1.0)

    def accept() -> None:
        while True:
            with contextlib.suppress(*SHUT_OUT):
                peer = listener.accept()
                own = random.Random(chance.random())
                threading.Thread(target=attack, args=(peer, own), daemon=True).start()

    with w.Listener(port, features=3) as listener:
        print(port, flush=True)
        threading.Thread(target=accept, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1] == "clients":
        attack_clients(int(sys.argv[2]), random.Random(int(sys.argv[3])))
    else:
        attack_server(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), random.Random(int(sys.argv[4])))
