"""The record of a run, which `--json` prints and `--out` keeps; docs/benchmarking.md explains its fields."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from benchmarks.peers import REFERENCE
from benchmarks.scenarios import SCENARIOS, Cell
from benchmarks.suite import Failure, Repeat

__all__ = ["FORMAT", "Results", "cells_of"]

FORMAT = 1
Results = Mapping[Cell, Sequence[Repeat | Failure]]


def cells_of(results: Results) -> list[dict[str, Any]]:
    """Every cell with all its repeats, their medians, and its ratios to the reference of this run."""
    medians = {cell: _medians(repeats) for cell, repeats in results.items()}
    return [
        {
            "scenario": cell.scenario,
            "peer": cell.peer,
            "size": cell.size,
            "error": next((repeat for repeat in repeats if isinstance(repeat, str)), None),
            "median": medians[cell],
            "ratio": _ratios(cell, medians),
            "repeats": [repeat for repeat in repeats if not isinstance(repeat, str)],
        }
        for cell, repeats in results.items()
    ]


def _medians(repeats: Sequence[Repeat | Failure]) -> Repeat | None:
    good = [repeat for repeat in repeats if not isinstance(repeat, str)]
    if not good:
        return None
    return {
        name: median(repeat[name] for repeat in good) if good[0][name] is not None else None
        for name in good[0]
    }


def _ratios(cell: Cell, medians: Mapping[Cell, Repeat | None]) -> dict[str, float] | None:
    """How many times better than the reference: above 1 is faster, or less CPU time, or memory.

    A rate that one of the two did not keep up with gives no ratio of latencies.
    """
    ours, reference = medians[cell], medians.get(Cell(cell.scenario, REFERENCE, cell.size))
    if ours is None or reference is None:
        return None
    smaller_is_better = ["cpu_us_per_call", "kib"]
    if all(map(SCENARIOS[cell.scenario].kept_up, (ours, reference))):
        smaller_is_better += ["p50_us", "p99_us", "p999_us"]
    pairs = {name: (reference.get(name), ours.get(name)) for name in smaller_is_better}
    pairs["per_second"] = (ours["per_second"], reference["per_second"])
    return {
        name: above / below
        for name, (above, below) in pairs.items()
        if above is not None and below and math.isfinite(below)
    }
