"""An asyncio client under load for tests: `aio_load_client.py TARGET`.

Many calls of every kind at a time, every answer checked, and one call of every kind that is never answered.
Says "up FDS SEGMENTS TASKS THREADS" once it has made some rounds, and "down T" (T: time.monotonic() when the
last pending call ended) when the server is lost; then it waits for a line, or the end, of its standard input.
Any other failure ends it with a traceback.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import threading
import time
from collections.abc import AsyncIterator

import grpc

from sage_rpc import aio
from tests import segments

ROUNDS = 15


def held() -> str:
    """Descriptors, mapped segments, tasks and threads of this process."""
    tasks = len(asyncio.all_tasks())
    return f"{len(os.listdir('/proc/self/fd'))} {segments.mapped()} {tasks} {threading.active_count()}"


async def unary(channel: aio.Channel, number: int) -> None:
    payload = b"%d-%d-" % (os.getpid(), number) * random.choice((1, 100, 20_000))
    assert await channel.unary_unary("/test.Aio/echo")(payload) == payload, "a wrong answer"


async def unary_stream(channel: aio.Channel, number: int) -> None:
    call = channel.unary_stream("/test.Aio/count")(b"%d" % (number % 50))
    assert [response async for response in call] == [b"%d" % n for n in range(number % 50)]


async def stream_unary(channel: aio.Channel, number: int) -> None:
    parts = [b"%d-%d" % (number, n) for n in range(number % 10)]

    async def requests() -> AsyncIterator[bytes]:
        for part in parts:
            yield part

    assert await channel.stream_unary("/test.Aio/join")(requests()) == b"".join(parts)


async def stream_stream(channel: aio.Channel, number: int) -> None:
    call = channel.stream_stream("/test.Aio/chat")()
    for n in range(number % 10):
        text = b"%d-%d" % (number, n)
        await call.write(text)
        assert await call.read() == text
    await call.done_writing()
    assert await call.read() is aio.EOF


def never_answered(channel: aio.Channel) -> list[aio.Call]:
    calls = [
        channel.unary_unary("/test.Aio/wait")(b""),
        channel.unary_stream("/test.Aio/wait_many")(b""),
        channel.stream_unary("/test.Aio/wait_join")(),
        channel.stream_stream("/test.Aio/wait_chat")(),
    ]
    assert not any(call.done() for call in calls)
    return calls


async def one_round(channel: aio.Channel, number: int) -> bool:
    """-> whether the server was there; every call has ended."""
    kinds = (unary, unary_stream, stream_unary, stream_stream)
    calls = [kind(channel, number + n) for n in range(6) for kind in kinds]
    ends = await asyncio.wait_for(asyncio.gather(*calls, return_exceptions=True), 20)
    for end in ends:
        if isinstance(end, asyncio.InvalidStateError):
            continue  # what grpc.aio's write() raises when its call is over
        if end is not None and not (
            isinstance(end, grpc.RpcError) and end.code() is grpc.StatusCode.UNAVAILABLE
        ):
            raise end
    return all(end is None for end in ends)


async def life(channel: aio.Channel, number: int) -> int:
    """From a server's begin to its end."""
    waiting = never_answered(channel)
    good = 0
    while await one_round(channel, number):
        number += 1
        good += 1
        if good == ROUNDS:
            print("up", held(), flush=True)
    codes = await asyncio.wait_for(asyncio.gather(*[call.code() for call in waiting]), 20)
    print("down", time.monotonic(), flush=True)
    assert set(codes) == {grpc.StatusCode.UNAVAILABLE}, codes
    return number


async def main() -> None:
    number = 0
    async with aio.insecure_channel(sys.argv[1], [("sage_rpc.transport", "shm")]) as channel:
        while True:
            number = await life(channel, number)
            if not await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline):
                return


if __name__ == "__main__":
    if os.environ.get("TEST_LOOP") == "uvloop":
        import uvloop

        uvloop.run(main())
    else:
        asyncio.run(main())
