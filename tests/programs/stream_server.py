"""A server process whose methods stream, for tests: `stream_server.py ADDRESS`, ends with its stdin."""

from __future__ import annotations

import sys
import threading
import zlib
from collections.abc import Iterable, Iterator
from concurrent import futures

import grpc

import sage_rpc

MESSAGE = 256 << 10  # bytes of each message of pour()
PATTERN = bytes(range(251)) * (MESSAGE // 251 + 2)
PRODUCED = [0]
ENDED = threading.Event()
GATE = threading.Event()


def pour(count: int) -> Iterator[bytes]:
    """So many messages, each unlike those before and after it."""
    for i in range(count):
        yield PATTERN[i % 251 : i % 251 + MESSAGE]


def digest(messages: Iterable[bytes]) -> bytes:
    """How many bytes came, and their checksum."""
    size = check = 0
    for message in messages:
        size += len(message)
        check = zlib.crc32(message, check)
    return b"%d %08x" % (size, check)


def upload(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    return digest(requests)


def download(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    return pour(int(request))


def count(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    """As many numbers as asked for."""
    for i in range(int(request)):
        yield b"%d" % i


def flood(request: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
    """Messages of so many bytes, without end."""
    PRODUCED[0] = 0
    ENDED.clear()
    context.add_callback(ENDED.set)
    message = bytes(int(request))
    while True:
        PRODUCED[0] += 1
        yield message


def produced(request: bytes, context: grpc.ServicerContext) -> bytes:
    """How many messages flood has made."""
    return b"%d" % PRODUCED[0]


def flood_ended(request: bytes, context: grpc.ServicerContext) -> bytes:
    """Whether flood's call has ended, after a while."""
    return b"yes" if ENDED.wait(10) else b"no"


def total(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    """The sum of the lengths of all requests."""
    return b"%d" % sum(map(len, requests))


def slow_total(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    """Takes its requests only when open_gate was called."""
    first = next(requests)
    GATE.wait(20)
    return b"%d" % (len(first) + sum(map(len, requests)))


def open_gate(request: bytes, context: grpc.ServicerContext) -> bytes:
    GATE.set()
    return b""


def echo(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield from requests


def early(requests: Iterator[bytes], context: grpc.ServicerContext) -> bytes:
    """Answers after the first request, whatever else comes."""
    return next(requests)


def give_up(requests: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[bytes]:
    yield next(requests)
    yield next(requests)
    context.abort(grpc.StatusCode.DATA_LOSS, "that is all")


def unary(request: bytes, context: grpc.ServicerContext) -> bytes:
    return request


def handlers() -> grpc.GenericRpcHandler:
    table = {
        **{f.__name__: grpc.unary_stream_rpc_method_handler(f) for f in (count, flood, download)},
        **{f.__name__: grpc.stream_unary_rpc_method_handler(f) for f in (total, upload, slow_total, early)},
        **{f.__name__: grpc.stream_stream_rpc_method_handler(f) for f in (echo, give_up)},
        **{
            f.__name__: grpc.unary_unary_rpc_method_handler(f)
            for f in (unary, produced, flood_ended, open_gate)
        },
    }
    return grpc.method_handlers_generic_handler("test.Streams", table)


def main() -> None:
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    server = sage_rpc.server(futures.ThreadPoolExecutor(10), options=options)
    server.add_generic_rpc_handlers((handlers(),))
    port = server.add_insecure_port(sys.argv[1])
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    GATE.set()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
