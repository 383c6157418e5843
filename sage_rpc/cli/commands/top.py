"""`sage-rpc top` and `sage-rpc stats`: what supervised services of this host do, live or once."""

from __future__ import annotations

import argparse
import contextlib
import threading
import time
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sage_rpc.cli.commands.printing import (
    CommandError,
    age,
    as_json,
    bytes_text,
    json_option,
    positive_seconds,
    say,
    seconds_text,
    table,
)
from sage_rpc.cli.commands.supervisors import SupervisorClient, all_supervisors
from sage_rpc.observe.stats import StatsRow
from sage_rpc.supervisor.rates import Rates
from sage_rpc.text.foreign import printable

__all__ = ["add", "sparkline"]

_BARS = "▁▂▃▄▅▆▇█"
_SPARK = 40  # intervals


def add(commands: Any) -> None:
    """Add the parsers."""
    top = commands.add_parser(
        "top",
        help="watch services live",
        description="Watch supervised services of this host: processes, calls per second, latencies, errors. "
        "Ctrl-C ends it. With --json, one JSON object a line and interval.",
    )
    top.add_argument("-i", "--interval", type=positive_seconds, default=1.0, help="seconds (default 1)")
    top.add_argument("-n", "--number", type=int, default=0, help="end after so many intervals")
    json_option(top)
    top.set_defaults(run=_top)

    stats = commands.add_parser(
        "stats",
        help="show what services have counted",
        description="Show the calls of every method of supervised services since their processes began.",
    )
    json_option(stats)
    stats.set_defaults(run=_stats)


def sparkline(values: Iterable[float]) -> str:
    """A line of bars, the tallest for the greatest value."""
    listed = list(values)
    most = max(listed, default=0.0)
    if most <= 0:
        return _BARS[0] * len(listed)
    return "".join(_BARS[round(value / most * (len(_BARS) - 1))] for value in listed)


def _reports(supervisors: list[SupervisorClient]) -> list[dict[str, Any]]:
    if not supervisors:
        raise CommandError("no supervisor runs on this host: sage-rpc serve FILE starts one")
    return [report for supervisor in supervisors for report in supervisor.ask("reports")]


def _stats(arguments: argparse.Namespace) -> int:
    totals: dict[tuple[str, str], StatsRow] = {}
    with all_supervisors() as supervisors:
        for report in _reports(supervisors):
            for each in report["stats"]:
                row = StatsRow.from_dict(each)
                key = (report["service"], row.method)
                totals.setdefault(key, StatsRow(*key, "*")).merge(row)
    rows = []
    for (service, method), row in sorted(totals.items()):
        p50, p90, p99, p999 = row.latency.quantiles((0.5, 0.9, 0.99, 0.999))
        rows.append(
            {
                "service": service,
                "method": method,
                "calls": row.calls,
                "failures": row.calls - row.successes,
                "codes": {**({"OK": row.successes} if row.successes else {}), **row.failures},
                "messages_received": row.messages_received,
                "messages_sent": row.messages_sent,
                "bytes_received": row.bytes_received,
                "bytes_sent": row.bytes_sent,
                "mean": row.mean,
                "p50": p50,
                "p90": p90,
                "p99": p99,
                "p99.9": p999,
            }
        )
    if arguments.json:
        say(as_json(rows))
    elif not rows:
        say("no calls yet")
    else:
        head = ("SERVICE", "METHOD", "CALLS", "FAILURES", "IN", "OUT", "MEAN", "P50", "P90", "P99", "P99.9")
        times = ("mean", "p50", "p90", "p99", "p99.9")
        say(
            table(
                head,
                [
                    (
                        r["service"],
                        r["method"],
                        r["calls"],
                        r["failures"],
                        bytes_text(int(str(r["bytes_received"]))),
                        bytes_text(int(str(r["bytes_sent"]))),
                        *(seconds_text(float(str(r[t]))) for t in times),
                    )
                    for r in rows
                ],
            )
        )
    return 0


def _top(arguments: argparse.Namespace) -> int:
    if arguments.interval <= 0:
        raise CommandError("--interval must be more than 0 seconds", 2)
    rates, pause, shown = Rates(), threading.Event(), 0
    with all_supervisors() as supervisors, contextlib.ExitStack() as stack:
        rates.update(_reports(supervisors), time.time())
        live: Any = None
        if not arguments.json:
            try:
                from rich.live import Live
            except ImportError:
                raise CommandError("sage-rpc top needs rich: pip install 'sage-rpc[serve]'") from None
            live = stack.enter_context(Live(auto_refresh=False, screen=arguments.number == 0))
        while True:
            pause.wait(arguments.interval)
            rates.update(_reports(supervisors), time.time())
            processes = [row for supervisor in supervisors for row in supervisor.ask("status")]
            if live is None:
                line = {
                    "time": time.time(),
                    "services": {name: asdict(h[-1]) for name, h in rates.services.items() if h},
                    "processes": processes,
                }
                say(as_json(line, indent=None))
            else:
                live.update(_frame(rates, processes), refresh=True)
            shown += 1
            if shown == arguments.number:
                return 0


def _frame(rates: Rates, processes: list[dict[str, Any]]) -> Any:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    services = Table(expand=True, box=None, header_style="bold")
    for name in ("SERVICE", "SERVING", "CALLS/S", "ERRORS/S", "P50", "P99", "NOW", "CALLS/S OVER TIME"):
        services.add_column(name, justify="left" if name in ("SERVICE", "CALLS/S OVER TIME") else "right")
    for name, history in sorted(rates.services.items()):
        last = history[-1]
        mine = [p for p in processes if p["service"] == name]
        serving = sum(p["state"] == "serving" for p in mine)
        services.add_row(
            Text(printable(name, one_line=True)),
            Text(f"{serving}/{len(mine)}", style="green" if serving == len(mine) else "red"),
            f"{last.calls:,.0f}",
            Text(f"{last.failures:,.1f}", style="red" if last.failures else ""),
            seconds_text(last.p50) if last.p50 else "-",
            seconds_text(last.p99) if last.p99 else "-",
            str(last.active),
            Text(sparkline([sample.calls for sample in history][-_SPARK:]), style="cyan"),
        )
    texts = ("service", "state", "error")
    processes = [{**p, **{name: printable(p[name], one_line=True) for name in texts}} for p in processes]
    listed = Table(expand=True, box=None, header_style="bold")
    for name in ("PROCESS", "STATE", "PID", "UP", "RESTARTS", "MEMORY", "LAST ERROR"):
        listed.add_column(name)
    for p in processes:
        listed.add_row(
            Text(f"{p['service']}/{p['number']}"),
            Text(p["state"], style="green" if p["state"] == "serving" else "yellow"),
            str(p["pid"] or "-"),
            age(p["uptime"]),
            str(p["restarts"]),
            bytes_text(p["rss"]) if p["rss"] else "-",
            Text(p["error"], style="red"),
        )
    return Group(services, Text(), listed)
