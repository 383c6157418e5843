"""The measuring loops. Each calls for a given time inside a window that its process measures.

A loop gives the latencies of its calls in nanoseconds, or only their number where calls overlap by
design; of a stream, a message is what a call is elsewhere. Each checks every response. The loops of
asyncio are in measure_aio.py.

A latency is the time from before a call to after it, checks excluded; a rate counts whatever the
loop did, checks included (about 0.2 us per call).
"""

from __future__ import annotations

import itertools
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from time import monotonic, perf_counter_ns, sleep
from typing import Any, TypeAlias

from benchmarks.answers import Work, WrongAnswerError, check
from benchmarks.peers import Caller, StreamCaller

__all__ = [
    "FEWEST_CALLS",
    "IDLE_CONNECTIONS",
    "THREADS",
    "WINDOW",
    "Latencies",
    "Window",
    "client_stream",
    "futures",
    "idle",
    "ping_pong",
    "server_stream",
    "threads",
    "unary",
]

Latencies: TypeAlias = "array[int]"
Opener: TypeAlias = Callable[[], AbstractContextManager[Caller]]
Window: TypeAlias = AbstractContextManager[Any]
_Call: TypeAlias = Callable[[Any], bytes | bytearray]

WINDOW = 64  # calls under way in `futures` and `aio-window`
THREADS = 16  # callers in `threads`
IDLE_CONNECTIONS = 100
FEWEST_CALLS = 5  # per caller, however slow they are


def _warm(call: _Call, work: Work, seconds: float) -> None:
    end = monotonic() + seconds
    while True:
        for request, sent in work.pairs:
            check(call(request), sent)
        if monotonic() >= end:
            return


def _loop(call: _Call, work: Work, seconds: float, latencies: Latencies) -> int:
    """Call for `seconds`. -> calls made."""
    same, note, now = work.same, latencies.append, perf_counter_ns
    calls = 0
    end = now() + int(seconds * 1e9)
    while True:
        for request, sent in work.pairs:
            before = now()
            got = call(request)
            after = now()
            note(after - before)
            calls += 1
            if not same(got, sent):
                check(got, sent)
            if after >= end and calls >= FEWEST_CALLS:
                check(got, sent)  # large ones are compared whole at least here and while warming up
                return calls


def _one_by_one(call: _Call, work: Work, seconds: float, window: Window) -> Latencies:
    _warm(call, work, seconds / 4)
    latencies = array("q")
    with window:
        _loop(call, work, seconds, latencies)
    return latencies


# ---------------------------------------------------------------- unary calls


def unary(caller: Caller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One caller, one call at a time."""
    return _one_by_one(caller.call, Work(caller, sent), seconds, window)


def futures(caller: Caller, sent: list[bytes], seconds: float, window: Window) -> int:
    """One thread that keeps WINDOW futures under way and waits for the oldest. -> calls made."""
    work = Work(caller, sent)
    _warm(caller.call, work, seconds / 8)
    _windowed(caller, work, seconds / 8)
    with window:
        return _windowed(caller, work, seconds)


def _windowed(caller: Caller, work: Work, seconds: float) -> int:
    start, finish, same, pairs = caller.start, caller.finish, work.same, work.pairs
    waiting: deque[tuple[Any, bytes]] = deque()
    end = monotonic() + seconds
    calls = 0
    while True:
        for request, sent in pairs:
            waiting.append((start(request), sent))
            if len(waiting) == WINDOW:
                future, expected = waiting.popleft()
                got = finish(future)
                calls += 1
                if not same(got, expected):
                    check(got, expected)
        if monotonic() >= end:
            break
    for future, expected in waiting:
        check(finish(future), expected)
    return calls + len(waiting)


def threads(caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """THREADS callers in this process, through one channel where the peer allows it."""
    with ExitStack() as stack:
        callers = [caller if caller.shared else stack.enter_context(connect()) for _ in range(THREADS)]
        _team(callers, sent, seconds / 4)
        with window:
            return _team(callers, sent, seconds)


def _team(callers: Iterable[Caller], sent: list[bytes], seconds: float) -> Latencies:
    """Run all callers at once. -> their latencies; raises what the first of them raised."""
    each = [(caller.call, Work(caller, sent), array("q")) for caller in callers]
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(each))

    def run(call: _Call, work: Work, latencies: Latencies) -> None:
        try:
            barrier.wait()
            _loop(call, work, seconds, latencies)
        except BaseException as error:
            failures.append(error)

    team = [threading.Thread(target=run, args=arguments) for arguments in each]
    for thread in team:
        thread.start()
    for thread in team:
        thread.join()
    if failures:
        raise failures[0]
    merged = array("q")
    for _, _, latencies in each:
        merged.extend(latencies)
    return merged


def idle(caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window) -> int:
    """IDLE_CONNECTIONS connections that were used once and now are not. -> calls made: none."""
    with ExitStack() as stack:
        callers = [caller, *(stack.enter_context(connect()) for _ in range(IDLE_CONNECTIONS - 1))]
        _call_once(callers, sent[0])
        sleep(seconds / 4)  # what a connection does after its last call is not idling yet
        with window:
            sleep(seconds)
        _call_once(callers, sent[0])  # they must all be alive still
        return 0


def _call_once(callers: list[Caller], payload: bytes) -> None:
    for caller in callers:
        check(caller.call(caller.prepare(payload)), payload)


# ---------------------------------------------------------------- streams
#
# A stream is opened inside the window. One that is open while the caller waits for the start signal would
# fill every buffer on the way, and those messages would cost nothing.


def server_stream(caller: StreamCaller, sent: list[bytes], seconds: float, window: Window) -> int:
    """One stream of responses, as fast as they come. -> messages received."""
    work = Work(caller, sent)
    _receive(caller, work, seconds / 4)
    with window:
        return _receive(caller, work, seconds)


def _receive(caller: StreamCaller, work: Work, seconds: float) -> int:
    same = work.same
    count = 0
    end = monotonic() + seconds
    with closing(caller.responses(work.requests)) as responses:
        for got, expected in zip(responses, itertools.cycle(work.sent), strict=False):
            count += 1
            if not same(got, expected):
                check(got, expected)
            if monotonic() >= end and count >= FEWEST_CALLS:
                check(got, expected)
                return count
    raise WrongAnswerError(f"the stream ended after {count} messages")


def client_stream(caller: StreamCaller, sent: list[bytes], seconds: float, window: Window) -> int:
    """One stream of requests, as fast as they go, until the server has said what came. -> messages sent."""
    work = Work(caller, sent)
    _send(caller, work, seconds / 4)
    with window:
        return _send(caller, work, seconds)


def _send(caller: StreamCaller, work: Work, seconds: float) -> int:
    count = 0
    end = monotonic() + seconds

    def requests() -> Iterator[Any]:
        nonlocal count
        for request in itertools.cycle(work.requests):
            yield request
            count += 1
            if monotonic() >= end and count >= FEWEST_CALLS:
                return

    received, first = caller.collect(requests())
    if received != count or first != work.sent:
        raise WrongAnswerError(f"of {count} messages, {received} came, the first ones {first!r:.100}")
    return count


def ping_pong(caller: StreamCaller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One stream both ways; a request is sent when the response to the last one is there."""
    with caller.exchange() as call:
        return _one_by_one(call, Work(caller, sent), seconds, window)
