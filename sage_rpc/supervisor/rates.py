"""From what processes counted since their start to what happens now: calls per second, latencies, errors.

A `Rates` is given reports again and again, and keeps for each service how it was in the intervals between
them. The dashboard and `sage-rpc top` draw it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import asdict, dataclass
from typing import Any

from sage_rpc.observe.stats import BATCH_OF, StatsRow

__all__ = ["Rates", "Sample"]

KEPT = 300  # intervals


@dataclass(frozen=True)
class Sample:
    """A service in one interval.

    Attributes:
        time: of the interval's end, seconds since 1970.
        calls: calls per second that ended.
        failures: of them, those per second that did not end with OK.
        p50: seconds that half of the calls took at most; 0.0 without calls.
        p90: the same for 90%.
        p99: the same for 99%.
        active: calls under way.
    """

    time: float
    calls: float
    failures: float
    p50: float
    p90: float
    p99: float
    active: int


class Rates:
    """The last KEPT intervals of every service, and the newest of its methods."""

    def __init__(self) -> None:
        self.services: dict[str, deque[Sample]] = {}
        self.methods: dict[tuple[str, str], Sample] = {}
        self._before: dict[tuple[str, int, int, str, str], StatsRow] = {}
        self._at: float | None = None

    def update(self, reports: list[dict[str, Any]], now: float) -> None:
        """Take in what processes report; the first time there is nothing to compare with.

        Args:
            reports: of `ServiceProcessManager.reports`.
            now: seconds since 1970.
        """
        seconds = 0.0 if self._at is None else now - self._at
        if self._at is not None and seconds <= 0:
            return
        before, self._before, self._at = self._before, {}, now
        services: dict[str, StatsRow] = {}
        methods: dict[tuple[str, str], StatsRow] = {}
        active: dict[str, int] = {}
        for report in reports:
            service = report["service"]
            active[service] = active.get(service, 0) + report["active"]
            whole = services.setdefault(service, StatsRow(service, "*", "*"))
            for each in report["stats"]:
                row = StatsRow.from_dict(each)
                key = (service, report["number"], report["pid"], row.method, row.transport)
                self._before[key] = row
                recent = row.since(before[key]) if key in before else row
                if not row.method.startswith(BATCH_OF):  # its calls are counted by themselves
                    whole.merge(recent)
                methods.setdefault((service, row.method), StatsRow(service, row.method, "*")).merge(recent)
        if not seconds:
            return
        for service in [name for name in self.services if name not in services]:
            del self.services[service]
        for service, row in services.items():
            history = self.services.setdefault(service, deque(maxlen=KEPT))
            history.append(_sample(row, now, seconds, active[service]))
        self.methods = {
            key: _sample(row, now, seconds, row.in_flight)
            for key, row in sorted(methods.items())
            if row.calls
        }

    def as_dict(self) -> dict[str, Any]:
        """For a web page."""
        return {name: [asdict(sample) for sample in history] for name, history in self.services.items()}

    def __repr__(self) -> str:
        return f"<Rates of {len(self.services)} services>"


def _sample(row: StatsRow, now: float, seconds: float, active: int) -> Sample:
    p50, p90, p99 = row.latency.quantiles((0.5, 0.9, 0.99))
    failures = row.calls - row.successes
    return Sample(now, row.calls / seconds, failures / seconds, p50, p90, p99, active)
