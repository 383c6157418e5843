"""A histogram of durations that can be merged: how many calls took about how long.

Buckets grow with the duration, 16 to each power of two of nanoseconds, so that a quantile is off by 3.2 % at
most, whatever the range. Histograms of threads, processes and hosts are merged by adding their counts. Why
none of the libraries: docs/decisions/0016-statistics-and-traces.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = ["Histogram", "bucket_of", "upper_bound"]

_BITS = 4  # 16 buckets per power of two


def bucket_of(nanoseconds: int) -> int:
    """The number of the bucket of a duration."""
    shift = nanoseconds.bit_length() - _BITS - 1
    return nanoseconds if shift <= 0 else (shift << _BITS) + (nanoseconds >> shift)


def _lower_bound(bucket: int) -> int:
    shift = (bucket >> _BITS) - 1
    return bucket if shift <= 0 else (bucket - (shift << _BITS)) << shift


def upper_bound(bucket: int) -> int:
    """Nanoseconds below which the durations of a bucket are."""
    return _lower_bound(bucket + 1)


class Histogram:
    """Counts by bucket, and the sum of all durations.

    Args:
        counts: bucket -> how many.
        total_ns: the sum of all durations, in nanoseconds.
    """

    __slots__ = ("counts", "total_ns")

    def __init__(self, counts: Mapping[int, int] | None = None, total_ns: int = 0) -> None:
        self.counts: dict[int, int] = dict(counts or {})
        self.total_ns = total_ns

    def add(self, seconds: float) -> None:
        """Count one duration."""
        nanoseconds = max(0, int(seconds * 1e9))
        bucket = bucket_of(nanoseconds)
        self.counts[bucket] = self.counts.get(bucket, 0) + 1
        self.total_ns += nanoseconds

    def merge(self, other: Histogram) -> None:
        """Count everything that `other` has counted, too."""
        counts = self.counts
        for bucket, count in other.counts.items():
            counts[bucket] = counts.get(bucket, 0) + count
        self.total_ns += other.total_ns

    @property
    def count(self) -> int:
        """How many durations."""
        return sum(self.counts.values())

    @property
    def mean(self) -> float:
        """Seconds; 0 when there are none."""
        count = self.count
        return self.total_ns / count / 1e9 if count else 0.0

    def quantile(self, q: float) -> float:
        """Seconds that the share `q` of all durations does not exceed, to 3.2 %; 0 when there are none.

        Raises:
            ValueError: `q` is not from 0 to 1.
        """
        return self.quantiles((q,))[0]

    def quantiles(self, qs: Iterable[float]) -> list[float]:
        """Several quantiles, given in ascending order, in one pass."""
        ordered = sorted(self.counts.items())
        total = sum(count for _, count in ordered)
        found: list[float] = []
        seen, at = 0, 0
        for q in qs:
            if not 0 <= q <= 1:
                raise ValueError(f"a quantile is a share from 0 to 1, not {q!r}")
            if not ordered:
                found.append(0.0)
                continue
            wanted = max(1, q * total)
            while seen + ordered[at][1] < wanted and at < len(ordered) - 1:
                seen += ordered[at][1]
                at += 1
            bucket = ordered[at][0]
            found.append((_lower_bound(bucket) + upper_bound(bucket) - 1) / 2e9)
        return found

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Histogram) and (self.counts, self.total_ns) == (other.counts, other.total_ns)

    __hash__ = None  # type: ignore[assignment] # it changes

    def __repr__(self) -> str:
        return f"<Histogram {self.count} durations, mean {self.mean:.6f} s>"
