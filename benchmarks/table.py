"""The record as tables for a terminal, plain text."""

from __future__ import annotations

from typing import Any

from benchmarks.peers import REFERENCE
from benchmarks.scenarios import SCENARIOS

__all__ = ["render", "size_name"]

DISTURBED = 0.02  # share of CPU time that is worth a warning
FEW = 100  # calls of one repeat, below which a 99th percentile is in truth the maximum


def size_name(size: int) -> str:
    """`65536` -> "64 KiB"."""
    for unit, name in ((1 << 20, "MiB"), (1 << 10, "KiB")):
        if size >= unit and size % unit == 0:
            return f"{size // unit} {name}"
    return f"{size} B"


def number(value: float | None) -> str:
    """Three significant digits, thousands separated; "" for None."""
    if value is None:
        return ""
    for limit, digits in ((10, 2), (100, 1)):
        if abs(value) < limit:
            return f"{value:.{digits}f}"
    return f"{value:,.0f}"


def _rate_or_latency(cell: dict[str, Any]) -> list[str]:
    found, ratio = cell["median"], cell["ratio"] or {}
    better = ratio.get("per_second" if SCENARIOS[cell["scenario"]].rate else "p50_us")
    few = found["p99_us"] is not None and found["calls"] < FEW
    return [
        number(found["p50_us"]),
        ("<= " if few else "") + number(found["p99_us"]),
        number(found["per_second"]),
        number(found["cpu_us_per_call"]),
        "" if better is None or cell["peer"] == REFERENCE else f"{number(better)}x",
    ]


def _idle(cell: dict[str, Any]) -> list[str]:
    found = cell["median"]
    return [number(found[name] / found["seconds"] * 1e3) for name in ("cpu_caller", "cpu_server")]


def _lines(head: list[str], rows: list[tuple[str, list[str] | str]]) -> list[str]:
    full = [head, *([peer, *values] for peer, values in rows if not isinstance(values, str))]
    widths = [max(len(row[i]) for row in full) for i in range(len(head))]
    widths[0] = max(widths[0], *(len(peer) for peer, _ in rows))

    def line(cells: list[str]) -> str:
        rest = "  ".join(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True))
        return f"  {cells[0]:<{widths[0]}}  {rest}".rstrip()

    body = [
        f"  {peer:<{widths[0]}}  FAILED: {values}" if isinstance(values, str) else line([peer, *values])
        for peer, values in rows
    ]
    return [line(head), *body]


def render(record: dict[str, Any]) -> str:
    """All of it: machine, tables, peers that are absent."""
    machine, versions = record["machine"], record["versions"]
    parameters = record["parameters"]
    out = [
        f"{machine['cpus']} CPUs, {machine['cpu']}, {machine['kernel']}, {machine['python']}",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
        f"medians of {parameters['repeats']} repeats of {parameters['seconds']:g} s each",
        f"x: times better than {REFERENCE}, by the p50 of one caller, else by calls or messages per second",
    ]
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for cell in record["cells"]:
        groups.setdefault((cell["scenario"], cell["size"]), []).append(cell)
    for (scenario, size), cells in groups.items():
        idle = scenario == "idle"
        values = _idle if idle else _rate_or_latency
        counts = SCENARIOS[scenario].counts
        head = ["", "p50 us", "p99 us", f"{counts}/s", f"CPU us/{counts[:-1]}", f"vs {REFERENCE}"]
        if idle:
            head = ["", "caller ms/s", "server ms/s"]
        out += ["", f"{scenario}, {size_name(size)}: {SCENARIOS[scenario].what}"]
        out += _lines(head, [(cell["peer"], cell["error"] or values(cell)) for cell in cells])
    if record["absent"]:
        out += ["", *(f"absent: {peer}: {why}" for peer, why in record["absent"].items())]
    for name, who in (("stolen", "the hypervisor"), ("others", "other processes")):
        share = machine[name]
        if share is not None and share > DISTURBED:
            out += ["", f"note: {who} took {share:.0%} of the CPU time meanwhile: all figures are disturbed"]
    return "\n".join(out)
