"""Statistics of calls, made or served: of which method how often, how they ended, how long they took.

Every call is counted once, when it ends, in the cell of its service, method, transport and second. Cells of
the last `LONGEST_WINDOW` seconds are kept, so that any window can be summed up; older ones are merged into
the totals. A reading (`Stats`) is a plain value: it merges with those of other processes and travels as JSON.

Who knows a call only by its end tells `CallStats.end`; of a stream, a `StreamRecord` counts the messages.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc

from sage_rpc import errors
from sage_rpc.observe.histogram import Histogram
from sage_rpc.text.exceptions import text_of
from sage_rpc.transport.base import IDLE

BATCH_OF = "batch of "  # and then a method's name: its calls that went together, a row of its own
__all__ = ["BATCH_OF", "LONGEST_WINDOW", "WINDOWS", "CallStats", "Stats", "StatsRow", "StreamRecord"]

LONGEST_WINDOW = 300  # seconds
WINDOWS = (1, 10, 60, 300)  # seconds; what a summary of all shows
_QUANTILES = (0.5, 0.9, 0.99, 0.999)
_SECOND = 1_000_000_000


class _Cell:
    """What was counted over one transport in some span of time."""

    __slots__ = (
        "bytes_received",
        "bytes_sent",
        "counts",
        "failures",
        "more_received",
        "more_sent",
        "ok",
        "second",
        "total_ns",
        "transport",
    )

    def __init__(self, second: int, transport: str) -> None:
        self.second = second
        self.transport = transport
        self.ok = 0
        self.failures: dict[grpc.StatusCode, int] = {}
        self.counts: dict[int, int] = {}
        self.total_ns = 0
        self.bytes_sent = 0
        self.bytes_received = 0
        self.more_sent = 0  # messages beside one of each call
        self.more_received = 0  # and beside one of each call that ended well

    def merge(self, other: _Cell) -> None:
        self.ok += other.ok
        for code, number in other.failures.items():
            self.failures[code] = self.failures.get(code, 0) + number
        for bucket, number in other.counts.items():
            self.counts[bucket] = self.counts.get(bucket, 0) + number
        self.total_ns += other.total_ns
        self.bytes_sent += other.bytes_sent
        self.bytes_received += other.bytes_received
        self.more_sent += other.more_sent
        self.more_received += other.more_received


class CallStats:
    """The counters of one method of one service.

    Args:
        service: its name.
        method: its name.
        transport: tells what carries the calls now; asked once a second.
    """

    def __init__(self, service: str, method: str, transport: Callable[[], str]) -> None:
        self.service = service
        self.method = method
        self._transport = transport
        self.forget_parent()
        self._current = _Cell(0, IDLE)
        self._others: dict[str, _Cell] = {}  # of the same second, over other transports
        self._cells: deque[_Cell] = deque()
        self._totals: dict[str, _Cell] = {}
        self.started = 0
        self.finished = 0
        self.retries = 0
        self.hedges = 0
        self.fallbacks = 0
        self.cache: Callable[[], tuple[int, int]] | None = None  # hits and misses

    def forget_parent(self) -> None:
        """In a forked child: a thread of the parent may have held the lock."""
        self._lock = threading.Lock()  # guards every counter

    def begin(self) -> None:
        """A call begins."""
        with self._lock:
            self.started += 1

    def end(
        self,
        began_ns: int,
        code: grpc.StatusCode | None,
        sent: int,
        received: int,
        transport: str | None = None,
        messages: tuple[int, int] | None = None,
        calls: int = 1,
    ) -> int:
        """A call has ended. -> the nanoseconds it took.

        Args:
            began_ns: when it began, of time.monotonic_ns().
            code: what it failed with; None when it did not fail.
            sent: bytes of its arguments.
            received: bytes of its result.
            transport: what carried it, where that differs from call to call.
            messages: how many were sent, and received; None: one, and one if it did not fail.
            calls: so many have ended, together and alike.
        """
        now = time.monotonic_ns()
        taken = now - began_ns
        shift = taken.bit_length() - 5  # bucket_of, without the call
        bucket = (shift << 4) + (taken >> shift) if shift > 0 else taken
        with self._lock:
            cell = self._current
            if now - cell.second >= _SECOND:
                cell = self._roll(now)
            if transport is not None and transport != cell.transport:
                cell = self._others.get(transport) or self._other(transport)
            self.finished += calls
            counts = cell.counts
            counts[bucket] = counts.get(bucket, 0) + calls
            cell.total_ns += taken * calls
            cell.bytes_sent += sent
            cell.bytes_received += received
            if code is None:
                cell.ok += calls
            else:
                cell.failures[code] = cell.failures.get(code, 0) + calls
            if messages is not None:
                cell.more_sent += messages[0] - 1
                cell.more_received += messages[1] - (code is None)
        return taken

    def members(self, began_ns: int, codes: Mapping[grpc.StatusCode, int], transport: str | None) -> None:
        """Calls of a batch have ended, together with it.

        Args:
            began_ns: when the batch began.
            codes: status -> how many of them.
            transport: what carried the batch.
        """
        for code, number in codes.items():
            with self._lock:
                self.started += number
            failure = None if code is grpc.StatusCode.OK else code
            self.end(began_ns, failure, 0, 0, transport, calls=number)

    def again(self) -> None:
        """A call is sent again after a failure."""
        with self._lock:
            self.retries += 1

    def hedged(self) -> None:
        """A call is sent again before a failure."""
        with self._lock:
            self.hedges += 1

    def fell_back(self) -> None:
        """A failed call gave its fallback."""
        with self._lock:
            self.fallbacks += 1

    def _roll(self, now: int) -> _Cell:
        """A new second has begun. `_Cell.second` is the moment it began, in ns. The lock is held."""
        self._cells += [cell for cell in (self._current, *self._others.values()) if cell.counts]
        self._others = {}
        oldest = now - (LONGEST_WINDOW + 1) * _SECOND
        while self._cells and self._cells[0].second < oldest:
            cell = self._cells.popleft()
            self._totals.setdefault(cell.transport, _Cell(0, cell.transport)).merge(cell)
        self._current = _Cell(now - now % _SECOND, self._transport())
        return self._current

    def _other(self, transport: str) -> _Cell:
        """The cell of this second over another transport than most of its calls. The lock is held."""
        cell = self._others[transport] = _Cell(self._current.second, transport)
        return cell

    def rows(self, window: float | None) -> Iterator[StatsRow]:
        """What was counted in the last `window` seconds (None: ever), a row for each transport."""
        now = time.monotonic_ns()
        with self._lock:
            cells = [*self._cells, self._current, *self._others.values()]
            totals = dict(self._totals)
            in_flight = self.started - self.finished
            extra = {"retries": self.retries, "hedges": self.hedges, "fallbacks": self.fallbacks}
            found: dict[str, _Cell] = {}
            if window is None:
                cells = [*totals.values(), *cells]
            else:
                first = now - now % _SECOND - int(window * _SECOND)
                cells = [cell for cell in cells if cell.second >= first]
            for cell in cells:
                if cell.counts:
                    found.setdefault(cell.transport, _Cell(0, cell.transport)).merge(cell)
            transport = self._current.transport
        if self.cache is not None:
            extra["cache_hits"], extra["cache_misses"] = self.cache()
        if not found and (in_flight or any(extra.values())):
            found[transport] = _Cell(0, transport)
        seconds = None if window is None else window + (now % _SECOND) / _SECOND
        for number, cell in enumerate(found.values()):
            calls = cell.ok + sum(cell.failures.values())
            yield StatsRow(
                service=self.service,
                method=self.method,
                transport=cell.transport,
                seconds=seconds,
                successes=cell.ok,
                failures={code.name: count for code, count in cell.failures.items()},
                latency=Histogram(cell.counts, cell.total_ns),
                bytes_sent=cell.bytes_sent,
                bytes_received=cell.bytes_received,
                messages_sent=calls + cell.more_sent,
                messages_received=cell.ok + cell.more_received,
                # What is not known by transport or second stands in one row, so that sums are right.
                in_flight=in_flight if number == 0 else 0,
                **(extra if number == 0 else {}),
            )


class StreamRecord:
    """A call whose messages are counted one by one. Its end counts once, whoever tells of it first.

    Args:
        stats: of its method; None: only the span is wanted.
        span: of the call, ended with it; None: there is none.
        began_ns: when it began, of time.monotonic_ns(), where `stats` has been told of that; None: now.

    Attributes:
        sent: messages; as are `received`, `bytes_sent` and `bytes_received`, they are added up.
        streams: whether the span tells of messages.
        carrier: has a `transport`, which is asked at the end; None: what carries the others of its method.
    """

    sent = received = bytes_sent = bytes_received = 0
    streams = True
    carrier: Any = None

    def __init__(self, stats: CallStats | None, span: Any = None, began_ns: int | None = None) -> None:
        self.stats = stats
        self.span = span
        self._open = threading.Lock()  # taken by the one that ends it
        if began_ns is None and stats is not None:
            stats.begin()
        self._began = time.monotonic_ns() if began_ns is None else began_ns

    def message_sent(self, size: int) -> None:
        """A message of so many bytes was sent."""
        self.sent += 1
        self.bytes_sent += size

    def message_received(self, size: int) -> None:
        """A message of so many bytes has arrived."""
        self.received += 1
        self.bytes_received += size

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What carries the span's context to the server."""
        return () if self.span is None else self.span.metadata

    def fail(self, error: BaseException) -> None:
        """The call has ended with an exception, of whatever kind."""
        self.end(
            errors.from_grpc(error)
            if isinstance(error, grpc.RpcError)
            else errors.rpc_error(grpc.StatusCode.CANCELLED, f"{type(error).__name__}: {text_of(error)}")
        )

    def end(self, error: errors.RpcError | None) -> None:
        """The call has ended, with `error` or well; later ends are none."""
        if self._open.acquire(blocking=False):
            self._count(error, None if self.carrier is None else self.carrier.transport)

    def _count(self, error: errors.RpcError | None, transport: str | None) -> None:
        messages = (self.sent, self.received)
        if self.stats is not None:
            code = None if error is None else error.code()
            self.stats.end(self._began, code, self.bytes_sent, self.bytes_received, transport, messages)
        if self.span is not None:
            self.span.end(error, messages if self.streams else None)


@dataclass
class StatsRow:
    """One service, method and transport.

    Attributes:
        service: its name.
        method: its name.
        transport: "shm" or "grpc"; "idle" where nothing carried the call; "mixed" of batches gathered from
            several calls to endpoints over both.
        seconds: what the counts are about; None: everything since the start.
        successes: calls that gave a result.
        failures: name of the status -> calls.
        latency: of all of them.
        bytes_sent: of arguments, encoded.
        bytes_received: of results, encoded.
        messages_sent: a call that does not stream has sent one, and received one if it gave a result.
        messages_received: the same, of the other direction.
        in_flight: calls under way now.
        retries: since the start, as are the next: calls sent again after a failure.
        hedges: calls sent again before a failure.
        fallbacks: failed calls that gave their fallback.
        cache_hits: calls that were answered by the manager's cache; they are not among the others.
        cache_misses: calls that were not.
    """

    service: str
    method: str
    transport: str
    seconds: float | None = None
    successes: int = 0
    failures: dict[str, int] = field(default_factory=dict)
    latency: Histogram = field(default_factory=Histogram)
    bytes_sent: int = 0
    bytes_received: int = 0
    messages_sent: int = 0
    messages_received: int = 0
    in_flight: int = 0
    retries: int = 0
    hedges: int = 0
    fallbacks: int = 0
    cache_hits: int = 0
    cache_misses: int = 0

    @property
    def calls(self) -> int:
        """Calls that have ended."""
        return self.successes + sum(self.failures.values())

    @property
    def success_rate(self) -> float:
        """Share of the calls that gave a result; 1 when there were none."""
        return self.successes / self.calls if self.calls else 1.0

    @property
    def per_second(self) -> float | None:
        """Calls per second of the window; None without a window."""
        return self.calls / self.seconds if self.seconds else None

    @property
    def mean(self) -> float:
        """Seconds a call took on average."""
        return self.latency.mean

    @property
    def p50(self) -> float:
        """Seconds."""
        return self.latency.quantile(0.5)

    @property
    def p90(self) -> float:
        """Seconds."""
        return self.latency.quantile(0.9)

    @property
    def p99(self) -> float:
        """Seconds."""
        return self.latency.quantile(0.99)

    @property
    def p999(self) -> float:
        """Seconds."""
        return self.latency.quantile(0.999)

    def merge(self, other: StatsRow) -> None:
        """Count what `other` counts, too."""
        for name in _SUMS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for code, number in other.failures.items():
            self.failures[code] = self.failures.get(code, 0) + number
        self.latency.merge(other.latency)

    def since(self, before: StatsRow) -> StatsRow:
        """What was counted after `before`, an earlier reading of the same row; in flight are those of now."""
        counts = {b: n - before.latency.counts.get(b, 0) for b, n in self.latency.counts.items()}
        failures = {code: n - before.failures.get(code, 0) for code, n in self.failures.items()}
        return StatsRow(
            self.service,
            self.method,
            self.transport,
            failures={code: n for code, n in failures.items() if n},
            latency=Histogram(
                {b: n for b, n in counts.items() if n}, self.latency.total_ns - before.latency.total_ns
            ),
            **{
                **{name: getattr(self, name) - getattr(before, name) for name in _SUMS},
                "in_flight": self.in_flight,
            },
        )

    def to_dict(self) -> dict[str, Any]:
        """As JSON takes it; `from_dict` reads it. Durations are in seconds."""
        p50, p90, p99, p999 = self.latency.quantiles(_QUANTILES)
        return {
            "service": self.service,
            "method": self.method,
            "transport": self.transport,
            "seconds": self.seconds,
            "calls": self.calls,
            "failures": dict(self.failures),
            **{name: getattr(self, name) for name in _SUMS},
            "mean": self.mean,
            "p50": p50,
            "p90": p90,
            "p99": p99,
            "p999": p999,
            "latency": {
                "counts": {str(bucket): number for bucket, number in sorted(self.latency.counts.items())},
                "total_ns": self.latency.total_ns,
            },
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> StatsRow:
        """What `to_dict` gave.

        Raises:
            ValueError: it is something else.
        """
        try:
            return cls(
                service=data["service"],
                method=data["method"],
                transport=data["transport"],
                seconds=data["seconds"],
                failures=dict(data["failures"]),
                latency=Histogram(
                    {int(bucket): number for bucket, number in data["latency"]["counts"].items()},
                    data["latency"]["total_ns"],
                ),
                **{name: data[name] for name in _SUMS},
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a row of statistics: {error!r}") from None


_SUMS = (
    "successes",
    "bytes_sent",
    "bytes_received",
    "messages_sent",
    "messages_received",
    "in_flight",
    "retries",
    "hedges",
    "fallbacks",
    "cache_hits",
    "cache_misses",
)


class Stats:
    """A reading: rows, sorted by service, method and transport."""

    def __init__(self, rows: Iterable[StatsRow] = ()) -> None:
        self.rows = sorted(rows, key=_key)

    @classmethod
    def read(cls, sources: Iterable[CallStats], window: float | None = None) -> Stats:
        """Read the counters.

        Args:
            sources: the counters.
            window: seconds, at most `LONGEST_WINDOW`, to which the unfinished second is added; None: since
                the start.

        Raises:
            ValueError: such a window cannot be had.
        """
        if window is not None and not 0 < window <= LONGEST_WINDOW:
            raise ValueError(
                f"a window of {window!r} s: expected more than 0, at most {LONGEST_WINDOW} s, or None for all"
            )
        return cls(row for source in sources for row in source.rows(window))

    def __iter__(self) -> Iterator[StatsRow]:
        return iter(self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    def of(self, service: str, method: str | None = None, transport: str | None = None) -> StatsRow:
        """One row for a service, a method of it or a transport; zeros when nothing was counted."""
        found = StatsRow(service, method or "*", transport or "*")
        for row in self.rows:
            if row.service == service and method in {None, row.method} and transport in {None, row.transport}:
                found.seconds = row.seconds
                found.merge(row)
        return found

    def merge(self, other: Stats) -> Stats:
        """Both together, of other processes, say. -> a new one."""
        merged = {_key(row): StatsRow.from_dict(row.to_dict()) for row in self.rows}
        for row in other.rows:
            known = merged.get(_key(row))
            if known is None:
                merged[_key(row)] = StatsRow.from_dict(row.to_dict())
            else:
                known.merge(row)
        return Stats(merged.values())

    def to_list(self) -> list[dict[str, Any]]:
        """As JSON takes it."""
        return [row.to_dict() for row in self.rows]

    @classmethod
    def from_list(cls, rows: Iterable[Mapping[str, Any]]) -> Stats:
        """What `to_list` gave.

        Raises:
            ValueError: it is something else.
        """
        return cls(map(StatsRow.from_dict, rows))

    def __repr__(self) -> str:
        return f"<Stats {len(self.rows)} rows, {sum(row.calls for row in self.rows)} calls>"


def _key(row: StatsRow) -> tuple[str, str, str]:
    return row.service, row.method, row.transport
