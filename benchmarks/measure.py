"""The measuring loops. Each calls for a given time inside a window that its process measures.

A loop gives the latencies of its calls in nanoseconds, or only their number where calls overlap by
design. Each checks every response.

A latency is the time from before a call to after it, checks excluded; a rate counts whatever the
loop did, checks included (about 0.2 us per call).
"""

from __future__ import annotations

import operator
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack
from time import monotonic, perf_counter_ns, sleep
from typing import Any, TypeAlias

from benchmarks.peers import Caller

__all__ = [
    "IDLE_CONNECTIONS",
    "THREADS",
    "WINDOW",
    "WrongAnswerError",
    "futures",
    "idle",
    "payloads",
    "threads",
    "unary",
]

Latencies: TypeAlias = "array[int]"
Opener: TypeAlias = Callable[[], AbstractContextManager[Caller]]
Window: TypeAlias = AbstractContextManager[Any]

WINDOW = 64  # calls under way in `futures`
THREADS = 16  # callers in `threads`
IDLE_CONNECTIONS = 100
FEWEST_CALLS = 5  # per caller, however slow they are
COMPARED_WHOLE = 4096  # bytes; of larger responses the loop compares the ends, and some are compared whole
EDGE = 64
DISTINCT = 4  # payloads in turn, so that an answer to another call is noticed


class WrongAnswerError(Exception):
    """A response differs from what was sent."""


def payloads(size: int) -> list[bytes]:
    """Payloads of `size` bytes, different at both ends and within."""
    pattern = bytes(range(256)) * (size // 256 + 2)
    return [pattern[shift : shift + size] for shift in range(DISTINCT)]


def _same(got: bytes | bytearray, sent: bytes) -> bool:
    return len(got) == len(sent) and got[:EDGE] == sent[:EDGE] and got[-EDGE:] == sent[-EDGE:]


def _check(got: bytes | bytearray, sent: bytes) -> None:
    if got != sent:
        raise WrongAnswerError(
            f"{len(got)} bytes for {len(sent)} sent, beginning {bytes(got[:16])!r} and not {sent[:16]!r}"
        )


class _Work:
    """Requests in turn, with what must come back."""

    def __init__(self, caller: Caller, sent: list[bytes]) -> None:
        self.pairs = [(caller.prepare(payload), payload) for payload in sent]
        self.same: Callable[[Any, Any], bool] = operator.eq if len(sent[0]) <= COMPARED_WHOLE else _same


def _warm(caller: Caller, work: _Work, seconds: float) -> None:
    end = monotonic() + seconds
    while True:
        for request, sent in work.pairs:
            _check(caller.call(request), sent)
        if monotonic() >= end:
            return


def _loop(caller: Caller, work: _Work, seconds: float, latencies: Latencies) -> int:
    """Call for `seconds`. -> calls made."""
    call, same, note, now = caller.call, work.same, latencies.append, perf_counter_ns
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
                _check(got, sent)
            if after >= end and calls >= FEWEST_CALLS:
                _check(got, sent)  # large ones are compared whole at least here and while warming up
                return calls


def unary(caller: Caller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One caller, one call at a time."""
    work = _Work(caller, sent)
    _warm(caller, work, seconds / 4)
    latencies = array("q")
    with window:
        _loop(caller, work, seconds, latencies)
    return latencies


def futures(caller: Caller, sent: list[bytes], seconds: float, window: Window) -> int:
    """One thread that keeps WINDOW futures under way and waits for the oldest. -> calls made."""
    work = _Work(caller, sent)
    _warm(caller, work, seconds / 8)
    _windowed(caller, work, seconds / 8)
    with window:
        return _windowed(caller, work, seconds)


def _windowed(caller: Caller, work: _Work, seconds: float) -> int:
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
                    _check(got, expected)
        if monotonic() >= end:
            break
    for future, expected in waiting:
        _check(finish(future), expected)
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
    each = [(caller, _Work(caller, sent), array("q")) for caller in callers]
    failures: list[BaseException] = []
    barrier = threading.Barrier(len(each))

    def run(caller: Caller, work: _Work, latencies: Latencies) -> None:
        try:
            barrier.wait()
            _loop(caller, work, seconds, latencies)
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
        _check(caller.call(caller.prepare(payload)), payload)
