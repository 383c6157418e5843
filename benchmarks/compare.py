"""Two records side by side: what has changed in each cell, and what has become worse beyond noise.

Absolute figures of different runs cannot be compared, because the machine is another one from minute to
minute. So a cell is judged by how many times better than the reference of its own run it is; only memory, the
reference itself, and cells without a reference are judged by their values. A rate that was not kept up has no
latency to judge. A cell has become worse, or better, when

1. its median has changed by more than `TOLERANCE`, and
2. no repeat of one run is as good as any of the other: the two ranges do not overlap.

Fewer than `FEWEST_REPEATS` repeats say nothing about noise: such cells are shown and not judged.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.peers import PEERS, REFERENCE
from benchmarks.record import FORMAT
from benchmarks.scenarios import SCENARIOS
from benchmarks.table import lines, size_name, value

__all__ = ["FEWEST_REPEATS", "TOLERANCE", "Change", "RecordError", "Verdict", "changes", "read", "render"]

TOLERANCE = 0.1
FEWEST_REPEATS = 5  # by chance, 1 in 252 times one of two equal runs is the better one in every repeat

Key = tuple[str, str, int]


class RecordError(Exception):
    """A file is no record of a run; the text says why, and how to make one."""


class Verdict(Enum):
    """What has become of a cell."""

    WORSE = "WORSE"
    BETTER = "better"
    SAME = ""
    TOO_FEW = "too few repeats"


@dataclass(frozen=True)
class Change:
    """One cell of both records.

    Attributes:
        scenario, peer, size: the cell.
        old, new: its medians; None where it failed.
        times: how many times better it has become, by what it is judged by; None where it failed.
        relative: whether it is judged relative to the reference of its run.
        verdict: what has become of it.
    """

    scenario: str
    peer: str
    size: int
    old: float | None
    new: float | None
    times: float | None
    relative: bool
    verdict: Verdict


def read(path: Path) -> dict[str, Any]:
    """The record in a file that `--out` wrote.

    Raises:
        RecordError: it cannot be read, or is something else.
    """
    how = "expected what `python -m benchmarks --out PATH` writes"
    try:
        record = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise RecordError(f"cannot read {path}: {error.strerror}; {how}") from None
    except ValueError as error:
        raise RecordError(f"{path} is not JSON ({error}); {how}") from None
    if not isinstance(record, dict) or not isinstance(record.get("cells"), list):
        raise RecordError(f"{path} is not the record of a run; {how}")
    if record.get("format") != FORMAT:
        raise RecordError(
            f"{path} has format {record.get('format')}, this version reads {FORMAT}: measure anew"
        )
    # What an older version measured, and this one does not, cannot be shown.
    record["cells"] = [
        cell for cell in record["cells"] if cell["scenario"] in SCENARIOS and cell["peer"] in PEERS
    ]
    return record


def _cells(record: dict[str, Any]) -> dict[Key, dict[str, Any]]:
    return {(cell["scenario"], cell["peer"], cell["size"]): cell for cell in record["cells"]}


def _goodness(cells: dict[Key, dict[str, Any]], key: Key, *, relative: bool) -> list[float]:
    """Of each repeat, a number that is larger for a better one."""
    by = SCENARIOS[key[0]].by
    values = [repeat[by] for repeat in cells[key]["repeats"]]
    if relative:
        reference = [repeat[by] for repeat in cells[_reference(key)]["repeats"]]
        if len(reference) != len(values):  # a repeat failed: they are no pairs
            reference = [median(reference)] * len(values)
        values = [ours / theirs for ours, theirs in zip(values, reference, strict=True)]
    return values if by == "per_second" else [1 / value for value in values]


def _reference(key: Key) -> Key:
    return key[0], REFERENCE, key[2]


def _has(by: str, cell: dict[str, Any]) -> bool:
    """Whether a cell has a value to judge, in every repeat; an older record may lack it."""
    scenario = SCENARIOS[cell["scenario"]]
    return not cell["error"] and all(
        (repeat.get(by) or 0) > 0 and scenario.kept_up(repeat) for repeat in cell["repeats"]
    )


def _judged(old: list[float], new: list[float]) -> tuple[float, Verdict]:
    times = median(new) / median(old)
    if min(len(old), len(new)) < FEWEST_REPEATS:
        return times, Verdict.TOO_FEW
    if times < 1 - TOLERANCE and max(new) < min(old):
        return times, Verdict.WORSE
    if times > 1 / (1 - TOLERANCE) and min(new) > max(old):
        return times, Verdict.BETTER
    return times, Verdict.SAME


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Every cell that succeeded in the `old` record and is in the `new` one, in the order of the new one."""
    before, after = _cells(old), _cells(new)
    found = []
    for key, cell in after.items():
        was = before.get(key)
        if was is None or was["error"]:
            continue
        by = SCENARIOS[key[0]].by
        if cell["error"]:
            found.append(Change(*key, was["median"][by], None, None, relative=False, verdict=Verdict.WORSE))
            continue
        if not _has(by, was) or not _has(by, cell):
            continue
        reference = _reference(key)
        relative = (
            by != "kib"
            and key != reference
            and all(reference in cells and _has(by, cells[reference]) for cells in (before, after))
        )
        times, verdict = _judged(
            _goodness(before, key, relative=relative), _goodness(after, key, relative=relative)
        )
        found.append(Change(*key, was["median"][by], cell["median"][by], times, relative, verdict))
    return found


def render(old: dict[str, Any], new: dict[str, Any]) -> str:
    """The changes as a table for a terminal."""
    found = changes(old, new)
    machine = old["machine"]
    out = [
        f"compared with {old['created']}, revision {machine['revision'] or 'unknown'}, {machine['cpu']}",
        f"x: times better than before, relative to {REFERENCE} of the same run (* by itself)",
    ]
    if (machine["cpu"], machine["cpus"]) != (new["machine"]["cpu"], new["machine"]["cpus"]):
        out.append("note: the machines differ: even ratios may")
    groups: dict[tuple[str, int], list[Change]] = {}
    for change in found:
        groups.setdefault((change.scenario, change.size), []).append(change)
    for (name, size), group in groups.items():
        out += ["", f"{name}, {size_name(size)}"]
        rows: list[tuple[str, list[str] | str]] = []
        for change in group:
            by, counts = SCENARIOS[name].by, SCENARIOS[name].counts
            before = value(by, change.old, counts)
            after = "FAILED" if change.new is None else value(by, change.new, counts)
            times = "" if change.times is None else f"{change.times:.2f}x{' ' if change.relative else '*'}"
            rows.append((change.peer, [before, after, times, change.verdict.value]))
        out += lines(["", "before", "now", "", ""], rows)
    worse = sum(change.verdict is Verdict.WORSE for change in found)
    few = sum(change.verdict is Verdict.TOO_FEW for change in found)
    out += ["", f"{len(found)} cells compared, {worse} worse beyond noise"]
    left = len(_cells(new)) - len(found)
    if left:
        out.append(f"{left} cells have nothing to compare with: new, failed before, or a rate not kept up")
    if few:
        out.append(f"{few} cells not judged: that takes {FEWEST_REPEATS} repeats of both runs")
    return "\n".join(out)
