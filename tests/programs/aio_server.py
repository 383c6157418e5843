"""An asyncio server process for tests: `aio_server.py ADDRESS [MAX_RPCS]`, ends with its stdin.

`aio_server.py --nursery` starts none but reads addresses, one a line, and forks a server for each, which is
there at once; it says "PID PORT". They end with its stdin, too. `TEST_LOOP=uvloop` chooses the event loop.

Kinds of handlers: those that echo, those that wait until their call is over (`wait_*`), and those that tell
what this process holds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading

import grpc

from sage_rpc import aio
from tests import segments

CANCELLED = 0  # handlers that were, so far
WAITING = 0  # handlers that wait now
SERVER: aio.Server


class _Waits:
    """Counts a handler that waits until its call is over."""

    def __enter__(self) -> None:
        global WAITING
        WAITING += 1

    def __exit__(self, kind, error, traceback) -> None:
        global WAITING, CANCELLED
        WAITING -= 1
        CANCELLED += kind is asyncio.CancelledError


async def echo(request, context):
    return request


async def count(request, context):
    for number in range(int(request)):
        yield b"%d" % number


async def join(requests, context):
    return b"".join([request async for request in requests])


async def chat(requests, context):
    async for request in requests:
        yield request


async def wait(request, context):
    with _Waits():
        await asyncio.Event().wait()


async def wait_many(request, context):
    with _Waits():
        yield b"first"
        await asyncio.Event().wait()


async def wait_join(requests, context):
    with _Waits():
        async for _ in requests:
            pass
        await asyncio.Event().wait()


async def wait_chat(requests, context):
    with _Waits():
        async for request in requests:
            yield request
        await asyncio.Event().wait()


async def fill(request, context):
    """Messages of 64 KiB without end."""
    with _Waits():
        while True:
            yield bytes(65536)


async def pause(request, context):
    await asyncio.sleep(float(request))
    return request


async def block(request, context):
    """A handler that keeps the loop to itself, as it must not."""
    end = asyncio.get_running_loop().time() + float(request)
    while asyncio.get_running_loop().time() < end:
        pass
    return request


def in_thread(request, context):
    """A handler that is no coroutine."""
    return threading.current_thread().name.encode()


async def peer(request, context):
    return context.peer().encode()


async def waiting(request, context):
    return b"%d %d" % (WAITING, CANCELLED)


def held_now() -> str:
    """Descriptors, mapped segments, tasks, threads and calls under way."""
    return (
        f"{len(os.listdir('/proc/self/fd'))} {segments.mapped()} {len(asyncio.all_tasks())} "
        f"{threading.active_count()} {SERVER._shm.core.active}"
    )


async def held(request, context):
    """What this process holds, this call included."""
    return held_now().encode()


def handlers() -> grpc.GenericRpcHandler:
    unary_unary = (echo, wait, pause, block, in_thread, peer, waiting, held)
    table = {f.__name__: grpc.unary_unary_rpc_method_handler(f) for f in unary_unary}
    table |= {f.__name__: grpc.unary_stream_rpc_method_handler(f) for f in (count, wait_many, fill)}
    table |= {f.__name__: grpc.stream_unary_rpc_method_handler(f) for f in (join, wait_join)}
    table |= {f.__name__: grpc.stream_stream_rpc_method_handler(f) for f in (chat, wait_chat)}
    return grpc.method_handlers_generic_handler("test.Aio", table)


async def serve(address: str, max_rpcs: int | None = None) -> None:
    global SERVER
    options = [("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1)]
    SERVER = aio.server(options=options, maximum_concurrent_rpcs=max_rpcs)
    SERVER.add_generic_rpc_handlers((handlers(),))
    port = SERVER.add_insecure_port(address)
    await SERVER.start()
    print(*[os.getpid()] if NURSERY else [], port, flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(0, ended.set)
    await ended.wait()
    asyncio.get_running_loop().remove_reader(0)
    await SERVER.stop(2.0)


def run(address: str, max_rpcs: int | None = None) -> None:
    if os.environ.get("TEST_LOOP") == "uvloop":
        import uvloop

        uvloop.run(serve(address, max_rpcs))
    else:
        asyncio.run(serve(address, max_rpcs))


def nursery() -> None:
    """A pipe of which only this process has the writing end tells its children when it is gone."""
    end, mine = os.pipe()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in iter(sys.stdin.readline, ""):
        if os.fork() == 0:
            os.close(mine)
            os.dup2(end, 0)
            run(line.strip())
            os._exit(0)


NURSERY = "--nursery" in sys.argv

if __name__ == "__main__":
    if NURSERY:
        nursery()
    else:
        run(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else None)
