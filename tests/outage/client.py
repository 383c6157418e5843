"""A caller in the outage: `client.py NUMBER SECONDS TARGET...`; prints its account as JSON.

It calls at a steady pace, every other call idempotent, and notes how each one ended and when. A thread of its
own notes how
late this process itself is scheduled: on a busy machine that, and not the policies, makes a call late.
"""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from pathlib import Path

import sage_rpc
from sage_rpc.policies import (
    BreakerPolicy,
    MethodPolicy,
    OutlierPolicy,
    PoolPolicy,
    RetryBudgetPolicy,
    RetryPolicy,
    ServicePolicy,
)

DEADLINE = 0.25  # seconds
PACE = 0.004  # seconds between two calls
BUDGET = RetryBudgetPolicy(max_tokens=100, token_ratio=0.1)
RETRY = RetryPolicy(max_attempts=4, initial_backoff=0.01, max_backoff=0.05)
POLICY = ServicePolicy(
    default=MethodPolicy(timeout=DEADLINE, retry=RETRY),
    methods={"get": MethodPolicy(idempotent=True)},
    breaker=BreakerPolicy(failure_rate=0.8, window=2, min_calls=50, open_for=0.2),
    retry_budget=BUDGET,
    pool=PoolPolicy(outlier=OutlierPolicy(consecutive_failures=3, probe_interval=0.1, base_ejection=0.1)),
)


def kept_waiting() -> float:
    """Seconds that threads of this process, ready to run, have waited for a processor; 0 without Linux.

    All threads: one that has the interpreter's lock and no processor keeps the others waiting, too.
    """
    total = 0
    for task in Path("/proc/self/task").iterdir():
        with contextlib.suppress(OSError):  # it has ended, or this is no Linux
            total += int((task / "schedstat").read_text().split()[1])
    return total / 1e9


def main() -> None:
    number, seconds, targets = sys.argv[1], float(sys.argv[2]), sys.argv[3:]
    records: dict[str, str] = {}
    ends: dict[str, int] = {}
    overdue: list[dict[str, float | str]] = []
    count = 0
    pause = threading.Event()
    with sage_rpc.ServiceManager({"ledger": targets}, policy=POLICY) as manager:
        proxy = manager.get_sync_proxy("ledger")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            count += 1
            method, entry = ("get", "record")[count % 2], f"{number}-{count}"
            waited, began = kept_waiting(), time.monotonic()
            try:
                found = getattr(proxy, method)(entry)
                end = "OK" if found == entry else "WRONG"
            except sage_rpc.RpcError as error:
                end = f"{type(error).__name__} {error.code().name}"
            took = time.monotonic() - began
            if method == "record":
                records[entry] = end
            ends[f"{method} {end}"] = ends.get(f"{method} {end}", 0) + 1
            if took > DEADLINE:
                late = max(0.0, kept_waiting() - waited)  # less, when a thread has ended, with its time
                overdue.append(
                    {"end": end, "by": took - DEADLINE, "late": late, "at": began - until + seconds}
                )
            pause.wait(PACE)
        stats = manager.stats().of("ledger")
    print(
        json.dumps(
            {
                "records": records,
                "ends": ends,
                "overdue": overdue,
                "retries": stats.retries,
                "successes": stats.successes,
                "p99": stats.p99,
                "calls": count,
            }
        )
    )


if __name__ == "__main__":
    main()
