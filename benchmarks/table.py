"""The record as tables for a terminal, plain text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.peers import REFERENCE
from benchmarks.scenarios import SCENARIOS, Scenario

__all__ = ["columns", "disturbances", "heading", "lines", "number", "render", "size_name", "value"]

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


def value(by: str, found: float | None, counts: str = "calls") -> str:
    """A value of a repeat with its unit: `value("p50_us", 3.0)` -> "p50 3.00 us"."""
    if by == "per_second":
        return f"{number(found)} {counts}/s"
    if by == "kib":
        return f"{number(found)} KiB per connection"
    return f"{by.removesuffix('_us').replace('p999', 'p99.9')} {number(found)} us"


def _percentile(name: str, beyond: int) -> Callable[[dict[str, Any]], str]:
    """Marks what is in truth the maximum, because fewer calls than `beyond` were made."""

    def show(cell: dict[str, Any]) -> str:
        found = cell["median"]
        few = found[name] is not None and found["calls"] < beyond
        return ("<= " if few else "") + number(found[name])

    return show


def _times(cell: dict[str, Any]) -> str:
    better = (cell["ratio"] or {}).get(SCENARIOS[cell["scenario"]].by)
    return "" if better is None or cell["peer"] == REFERENCE else f"{number(better)}x"


def columns(scenario: Scenario) -> list[tuple[str, Callable[[dict[str, Any]], str]]]:
    """The heads of a scenario's table, and what each shows of a cell that has succeeded."""

    def median(name: str, factor: float = 1.0) -> Callable[[dict[str, Any]], str]:
        return lambda cell: number(None if (v := cell["median"].get(name)) is None else v * factor)

    def per_second(name: str) -> Callable[[dict[str, Any]], str]:
        return lambda cell: number(cell["median"][name] / cell["median"]["seconds"] * 1e3)

    versus = (f"vs {REFERENCE}", _times)
    if scenario.loop == "idle":
        return [
            ("caller ms/s", per_second("cpu_caller")),
            ("server ms/s", per_second("cpu_server")),
            ("caller KiB", median("caller_kib")),
            ("server KiB", median("server_kib")),
            versus,
        ]
    if scenario.loop == "import":
        return [("import grpc ms", median("import_grpc_ms")), ("beyond ms", median("beyond_ms"))]
    shown = [("p50 us", median("p50_us")), ("p99 us", _percentile("p99_us", FEW))]
    if scenario.loop == "paced":
        shown.append(("p99.9 us", _percentile("p999_us", 10 * FEW)))
    if scenario.loop == "crowd":
        shown.append(("alone p50 us", median("alone_p50_us")))
    if scenario.loop == "turns":
        return [*shown, ("bare p50 us", median("bare_p50_us")), ("of bare", median("of_bare"))]
    return [
        *shown,
        (f"{scenario.counts}/s", median("per_second")),
        (f"CPU us/{scenario.counts[:-1]}", median("cpu_us_per_call")),
        versus,
    ]


def lines(head: list[str], rows: list[tuple[str, list[str] | str]]) -> list[str]:
    """A table; a row that has failed has a text in the place of its values."""
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


def heading(record: dict[str, Any]) -> list[str]:
    """What the figures come from: machine, versions, repeats."""
    machine, versions, parameters = record["machine"], record["versions"], record["parameters"]
    return [
        f"{machine['cpus']} CPUs, {machine['cpu']}, {machine['kernel']}, {machine['python']}",
        ", ".join(f"{name} {version}" for name, version in versions.items()),
        f"medians of {parameters['repeats']} repeats of {parameters['seconds']:g} s each",
    ]


def disturbances(record: dict[str, Any]) -> list[str]:
    """What took CPU time meanwhile, if that was enough to matter."""
    found = []
    for name, who in (("stolen", "the hypervisor"), ("others", "other processes")):
        share = record["machine"][name]
        if share is not None and share > DISTURBED:
            found.append(f"note: {who} took {share:.0%} of the CPU time meanwhile: all figures are disturbed")
    return found


def render(record: dict[str, Any]) -> str:
    """All of it: machine, tables, peers that are absent."""
    out = [
        *heading(record),
        f"x: times better than {REFERENCE}: by the p50 of one call at a time, by the p99 at a given rate,",
        "by the memory of an idle connection, and elsewhere by calls or messages per second",
    ]
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for cell in record["cells"]:
        groups.setdefault((cell["scenario"], cell["size"]), []).append(cell)
    for (name, size), cells in groups.items():
        scenario = SCENARIOS[name]
        shown = columns(scenario)
        rows = [(cell["peer"], cell["error"] or [show(cell) for _, show in shown]) for cell in cells]
        out += ["", f"{name}, {size_name(size)}: {scenario.what}"]
        out += lines(["", *(head for head, _ in shown)], rows)
    if record["absent"]:
        out += ["", *(f"absent: {peer}: {why}" for peer, why in record["absent"].items())]
    for note in disturbances(record):
        out += ["", note]
    return "\n".join(out)
