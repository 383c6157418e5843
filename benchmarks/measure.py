"""The measuring loops. Each calls for a given time inside a window that its process measures.

A loop gives the latencies of its calls in nanoseconds, or only their number where calls overlap by
design; of a stream, a message is what a call is elsewhere. Each checks every response. The loops of
asyncio are in measure_aio.py.

A latency is the time from before a call to after it, checks excluded; a rate counts whatever the
loop did, checks included (about 0.2 us per call). What else a loop finds out goes into the window's notes.

`load` is the number that the scenarios of one family differ in: a window, threads, connections, or calls
per second.
"""

from __future__ import annotations

import itertools
import math
import os
import resource
import subprocess
import sys
import tempfile
import threading
from array import array
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing
from statistics import median
from time import monotonic, perf_counter_ns, sleep
from typing import Any, Protocol, TypeAlias

from benchmarks.answers import Work, WrongAnswerError, check
from benchmarks.peers import ArrayCaller, BatchCaller, Caller, StreamCaller, TurnsCaller

__all__ = [
    "FEWEST_CALLS",
    "Latencies",
    "Window",
    "arrays",
    "batch",
    "client_stream",
    "connecting",
    "crowd",
    "futures",
    "idle",
    "importing",
    "paced",
    "ping_pong",
    "quantile",
    "server_stream",
    "threads",
    "turns",
    "unary",
]

Latencies: TypeAlias = "array[int]"
Opener: TypeAlias = Callable[[], AbstractContextManager[Caller]]
_Call: TypeAlias = Callable[[Any], bytes | bytearray | memoryview]

FEWEST_CALLS = 5  # per caller, however slow they are
TURN = 0.03  # seconds one of two callers has before the other one has its turn
SPIN_NS = 200_000  # a sleeping thread wakes late by less than this, so the last part of a wait is spun


class Window(Protocol):
    """The measured part of a loop, as a context manager.

    Attributes:
        notes: what the loop found out, beside its calls; "calls" there is what counts as their number.
    """

    notes: dict[str, float]

    def memory(self) -> tuple[float, float]:
        """Resident memory of the caller's and of the server's process in KiB, shared pages divided."""

    def __enter__(self) -> Any: ...

    def __exit__(self, *exc: object) -> Any: ...


def quantile(ordered: Latencies, share: float) -> float | None:
    """In microseconds, the smallest of the `ordered` nanoseconds that `share` of them do not exceed."""
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)] / 1e3 if ordered else None


def _p50_us(latencies: Latencies) -> float:
    """The median of `latencies`, of which there must be one, in microseconds."""
    p50 = quantile(array("q", sorted(latencies)), 0.5)
    assert p50 is not None
    return p50


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


def arrays(caller: ArrayCaller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One caller, one call at a time, with numpy arrays there and back."""
    return unary(caller.arrays(), sent, seconds, window)


def turns(caller: TurnsCaller, sent: list[bytes], seconds: float, window: Window) -> Latencies:
    """One caller, one call at a time, in short turns with its bare peer at the same server.

    What else the machine does from one second to the next hits both. -> the latencies of the caller; the
    notes have the bare one's p50, and the caller's as a multiple of it.
    """
    with caller.bare() as bare:
        callers = [(each.call, Work(each, sent), array("q")) for each in (caller, bare)]
        for call, work, _ in callers:
            _warm(call, work, seconds / 8)
        with window:
            end = monotonic() + seconds
            while monotonic() < end:
                for call, work, latencies in callers:
                    _loop(call, work, TURN, latencies)
    ours, theirs = (latencies for _, _, latencies in callers)
    bare_p50 = _p50_us(theirs)
    window.notes.update(bare_p50_us=bare_p50, of_bare=_p50_us(ours) / bare_p50)
    return ours


def paced(caller: Caller, sent: list[bytes], seconds: float, window: Window, load: int) -> Latencies:
    """One caller whose calls are due at `load` per second, whether or not the one before has ended.

    -> from when each was due to its response, so that a call which keeps others waiting is seen in their
    latencies, too. Calls that were due and could not be made any more count as long as they had waited.
    """
    work = Work(caller, sent)
    _warm(caller.call, work, seconds / 4)
    call, same, now = caller.call, work.same, perf_counter_ns
    turn = itertools.cycle(work.pairs)
    latencies = array("q")
    with window:
        start = now()
        end = start + int(seconds * 1e9)
        dues = [
            start + number * 1_000_000_000 // load for number in range(max(FEWEST_CALLS, int(seconds * load)))
        ]
        for due in dues:
            _wait_until(due)
            request, expected = next(turn)
            got = call(request)
            after = now()
            latencies.append(after - due)
            if not same(got, expected):
                check(got, expected)
            if after >= end and len(latencies) >= FEWEST_CALLS:
                break
    window.notes["calls"] = len(latencies)
    latencies.extend(after - due for due in dues[len(latencies) :])
    return latencies


def _wait_until(due: int) -> None:
    left = due - perf_counter_ns()
    if left > SPIN_NS:
        sleep((left - SPIN_NS) / 1e9)
    while perf_counter_ns() < due:
        pass


def batch(caller: BatchCaller, sent: list[bytes], seconds: float, window: Window, load: int) -> int:
    """One caller that makes `load` calls at once and waits for all of them. -> calls made."""
    work = Work(caller, sent)
    pairs = list(itertools.islice(itertools.cycle(work.pairs), load))
    requests, expected = [request for request, _ in pairs], [payload for _, payload in pairs]

    def batches(seconds: float) -> int:
        calls = 0
        end = monotonic() + seconds
        while monotonic() < end or calls < FEWEST_CALLS:
            for got, payload in zip(caller.batch(requests), expected, strict=True):
                if got != payload:
                    check(got, payload)
            calls += load
        return calls

    batches(seconds / 4)
    with window:
        return batches(seconds)


def futures(caller: Caller, sent: list[bytes], seconds: float, window: Window, load: int) -> int:
    """One thread that keeps `load` futures under way and waits for the oldest. -> calls made."""
    work = Work(caller, sent)
    _warm(caller.call, work, seconds / 8)
    _windowed(caller, work, seconds / 8, load)
    with window:
        return _windowed(caller, work, seconds, load)


def _windowed(caller: Caller, work: Work, seconds: float, load: int) -> int:
    start, finish, same, pairs = caller.start, caller.finish, work.same, work.pairs
    waiting: deque[tuple[Any, bytes]] = deque()
    end = monotonic() + seconds
    calls = 0
    while True:
        for request, sent in pairs:
            waiting.append((start(request), sent))
            if len(waiting) == load:
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


def threads(
    caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window, load: int
) -> Latencies:
    """`load` threads of this process, each a caller, through one channel where the peer allows it."""
    with ExitStack() as stack:
        callers = [caller if caller.shared else stack.enter_context(connect()) for _ in range(load)]
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


# ---------------------------------------------------------------- connections


def connecting(
    caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window
) -> Latencies:
    """One connection after another. -> from nothing to the first response; closing is not counted."""
    work = Work(caller, sent)
    check(caller.call(work.requests[0]), sent[0])
    now = perf_counter_ns
    latencies = array("q")
    with window:
        end = now() + int(seconds * 1e9)
        for request, expected in itertools.cycle(work.pairs):
            before = now()
            with connect() as fresh:
                got = fresh.call(request)
                after = now()
                check(got, expected)
            latencies.append(after - before)
            if after >= end and len(latencies) >= FEWEST_CALLS:
                break
    return latencies


def idle(
    caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window, load: int
) -> int:
    """`load` connections that were used once and now are not. -> calls made: none."""
    _call_once([caller], sent[0])
    before = window.memory()
    with ExitStack() as stack:
        callers = [caller, *_others(connect, stack, load - 1)]
        _call_once(callers, sent[0])
        sleep(seconds / 4)  # what a connection does after its last call is not idling yet
        after = window.memory()
        with window:
            sleep(seconds)
        _call_once(callers, sent[0])  # they must all be alive still
    used = [(late - early) / (load - 1) for early, late in zip(before, after, strict=True)]
    window.notes.update(caller_kib=used[0], server_kib=used[1], kib=sum(used))
    return 0


def importing(caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window) -> int:
    """New interpreters, in turns with grpc alone and with a channel of ours. -> interpreters started.

    Noted in ms of CPU: the median of `import grpc`, and how much more that of a channel is.
    """
    _call_once([caller], sent[0])
    programs = ("import grpc", "import grpc, sage_rpc; sage_rpc.insecure_channel")
    with tempfile.TemporaryDirectory() as bytecode:
        env = {**os.environ, "PYTHONPYCACHEPREFIX": bytecode}
        env.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed package has its bytecode beside it

        def cpu_ms(program: str) -> float:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run([sys.executable, "-c", program], env=env, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            return 1e3 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)

        took: list[list[float]] = [[], []]
        for program in programs:
            cpu_ms(program)
        with window:
            end = monotonic() + seconds
            while monotonic() < end or len(took[0]) < FEWEST_CALLS:
                for program, each in zip(programs, took, strict=True):
                    each.append(cpu_ms(program))
    bare, ours = map(median, took)
    window.notes.update(import_grpc_ms=bare, beyond_ms=ours - bare)
    return 2 * len(took[0])


def crowd(
    caller: Caller, connect: Opener, sent: list[bytes], seconds: float, window: Window, load: int
) -> Latencies:
    """One caller, one call at a time, while `load` other connections of its process are idle."""
    work = Work(caller, sent)
    _warm(caller.call, work, seconds / 4)
    alone = array("q")
    _loop(caller.call, work, seconds, alone)
    with ExitStack() as stack:
        others = _others(connect, stack, load)
        _call_once(others, sent[0])
        latencies = _one_by_one(caller.call, work, seconds, window)
        _call_once(others, sent[0])
    window.notes["alone_p50_us"] = _p50_us(alone)
    return latencies


def _others(connect: Opener, stack: ExitStack, number: int) -> list[Caller]:
    return [stack.enter_context(connect()) for _ in range(number)]


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
