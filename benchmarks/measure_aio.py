"""The measuring loops of asyncio: each is the twin of one in measure.py, whose rules hold here."""

from __future__ import annotations

import asyncio
import itertools
from array import array
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from time import monotonic, perf_counter_ns
from typing import Any, TypeAlias

from benchmarks.answers import Work, WrongAnswerError, check
from benchmarks.measure import FEWEST_CALLS, Latencies, Window
from benchmarks.peers import AioCaller

__all__ = ["ping_pong", "server_stream", "unary", "windowed"]

_Call: TypeAlias = Callable[[Any], Awaitable[bytes]]


async def _warm(call: _Call, work: Work, seconds: float) -> None:
    end = monotonic() + seconds
    while True:
        for request, sent in work.pairs:
            check(await call(request), sent)
        if monotonic() >= end:
            return


async def _loop(call: _Call, work: Work, seconds: float, latencies: Latencies) -> None:
    """Call for `seconds`."""
    same, note, now = work.same, latencies.append, perf_counter_ns
    calls = 0
    end = now() + int(seconds * 1e9)
    while True:
        for request, sent in work.pairs:
            before = now()
            got = await call(request)
            after = now()
            note(after - before)
            calls += 1
            if not same(got, sent):
                check(got, sent)
            if after >= end and calls >= FEWEST_CALLS:
                check(got, sent)
                return


async def _one_by_one(call: _Call, work: Work, seconds: float, window: Window) -> Latencies:
    await _warm(call, work, seconds / 4)
    latencies = array("q")
    with window:
        await _loop(call, work, seconds, latencies)
    return latencies


async def unary(caller: AioCaller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One task, one call at a time."""
    return await _one_by_one(caller.call, Work(caller, sent), seconds, window)


async def windowed(
    caller: AioCaller, sent: list[bytes], seconds: float, window: Window, load: int
) -> Latencies:
    """`load` tasks of one event loop, each one call at a time."""
    work = Work(caller, sent)
    await _team(caller.call, work, seconds / 4, load)
    with window:
        return await _team(caller.call, work, seconds, load)


async def _team(call: _Call, work: Work, seconds: float, load: int) -> Latencies:
    latencies = array("q")
    await asyncio.gather(*(_loop(call, work, seconds, latencies) for _ in range(load)))
    return latencies


async def ping_pong(caller: AioCaller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One stream both ways; a request is written when the response to the last one was read."""
    async with caller.exchange() as call:
        return await _one_by_one(call, Work(caller, sent), seconds, window)


async def server_stream(caller: AioCaller, sent: list[bytes], seconds: float, window: Window) -> int:
    """One stream of responses, as fast as they come. -> messages received."""
    work = Work(caller, sent)
    await _receive(caller, work, seconds / 4)
    with window:
        return await _receive(caller, work, seconds)


async def _receive(caller: AioCaller, work: Work, seconds: float) -> int:
    same = work.same
    turn = itertools.cycle(work.sent)
    count = 0
    end = monotonic() + seconds
    async with aclosing(caller.responses(work.requests)) as responses:
        async for got in responses:
            expected = next(turn)
            count += 1
            if not same(got, expected):
                check(got, expected)
            if monotonic() >= end and count >= FEWEST_CALLS:
                check(got, expected)
                return count
    raise WrongAnswerError(f"the stream ended after {count} messages")
