"""The record as a page of Markdown with charts: docs/benchmarks.md, written by `make bench-docs`.

Nothing on the page is written by hand, so that no figure is older than the others.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks import goals
from benchmarks.peers import PEERS, REFERENCE
from benchmarks.plot import charts, save
from benchmarks.scenarios import SCENARIOS
from benchmarks.table import columns, disturbances, heading, size_name

__all__ = ["write"]

INTRODUCTION = f"""\
# Benchmarks

<!-- Written by `make bench-docs` from one run; do not edit. -->

Speed beside stock grpcio and others, in one run, on one machine. What is measured, and how to read it:
[benchmarking.md](benchmarking.md). Absolute figures belong to this machine and this hour; compare the ratios,
which are to `{REFERENCE}`, stock grpcio over a Unix socket.
"""


def write(record: dict[str, Any], path: Path) -> list[Path]:
    """Write the page to `path`, and its charts into a directory beside it that has its name.

    Charts of an earlier page that this one lacks are deleted. -> the files.

    Raises:
        OSError: they cannot be written.
    """
    directory = path.with_suffix("")
    directory.mkdir(parents=True, exist_ok=True)
    found = charts(record)
    files = [directory / f"{chart.name}.svg" for chart in found]
    for old in set(directory.glob("*.svg")) - set(files):
        old.unlink()
    families: dict[str, list[dict[str, Any]]] = {chart.name: [] for chart in found}
    for cell in record["cells"]:
        scenario = SCENARIOS[cell["scenario"]]
        families.setdefault(scenario.family or scenario.name, []).append(cell)
    out = [INTRODUCTION, *_origin(record), "", "## Goals", "", *_goals(record)]
    pictures = dict(zip((chart.name for chart in found), zip(found, files, strict=True), strict=True))
    for family, cells in families.items():
        out += ["", f"## {family if cells else 'At a glance'}", ""]
        if family in pictures:
            chart, file = pictures[family]
            save(chart, file)
            out.append(f"![{chart.title}]({directory.name}/{file.name})")
        out += _tables(cells)
    path.write_text("\n".join(out) + "\n", "utf-8")
    return [path, *files]


def _origin(record: dict[str, Any]) -> list[str]:
    machine = record["machine"]
    lines = [
        f"- {record['created'][:10]}, revision {machine['revision'] or 'unknown'}",
        f"- load average before: {machine['load_before']:.1f}",
        *(f"- {line}" for line in heading(record)),
        *(f"- **{note}**" for note in disturbances(record)),
        *(f"- absent: {peer}: {why}" for peer, why in record["absent"].items()),
    ]
    measured = {cell["peer"] for cell in record["cells"]}
    there = [name for name in PEERS if name in measured]  # in its order, one text may refer to the one before
    return [*lines, "", "| peer | what |", "| --- | --- |", *(f"| `{p}` | {PEERS[p].what} |" for p in there)]


def _goals(record: dict[str, Any]) -> list[str]:
    rows = [[state.goal.what, *state.columns] for state in goals.states(record)]
    return ["| | " + " | ".join(goals.HEADS) + " |", "| --- | ---: | ---: | ---: | --- |"] + [
        "| " + " | ".join(row) + " |" for row in rows
    ]


def _tables(cells: list[dict[str, Any]]) -> list[str]:
    """One table of a family; a column of its own says what its rows differ in."""
    if not cells:
        return []
    shown = columns(SCENARIOS[cells[0]["scenario"]])
    heads = ["measured", "size", "peer", *(head for head, _ in shown)]
    out = ["", "| " + " | ".join(heads) + " |", "| --- " * 3 + "| ---: " * len(shown) + "|"]
    for cell in cells:
        values = [show(cell) for _, show in shown] if cell["median"] else ["failed", *[""] * (len(shown) - 1)]
        row = [f"`{cell['scenario']}`", size_name(cell["size"]), f"`{cell['peer']}`", *values]
        out.append("| " + " | ".join(row) + " |")
    return out
