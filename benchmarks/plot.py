"""The record as a picture: latencies by size, and rates under load, on logarithmic axes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.scenarios import SCENARIOS
from benchmarks.table import number, size_name

__all__ = ["missing", "plot"]


def missing() -> str | None:
    """None when pictures can be made here, else what to do."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        return f"--plot needs matplotlib ({error}): pip install 'sage-rpc[bench]'"
    mpl.use("Agg")
    return None


def _panels(record: dict[str, Any]) -> list[tuple[str, str, str, list[dict[str, Any]]]]:
    """Title, axis, field, cells; idle is no matter of speed and stays out."""
    found: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for cell in record["cells"]:
        if cell["median"] is not None and cell["scenario"] != "idle":
            found.setdefault((cell["scenario"], cell["size"]), []).append(cell)
    panels = []
    for (name, size), cells in found.items():
        axis, field = f"{SCENARIOS[name].counts} per second", "per_second"
        if not SCENARIOS[name].rate:
            axis, field = "p50, microseconds (whisker: p99)", "p50_us"
        panels.append((f"{name}, {size_name(size)}: {SCENARIOS[name].what}", axis, field, cells))
    return panels


def plot(record: dict[str, Any], path: Path) -> None:
    """Write a PNG.

    Raises:
        OSError: `path` cannot be written.
    """
    from matplotlib import pyplot as plt

    panels = _panels(record)
    columns = 2 if len(panels) > 1 else 1
    rows = max(1, -(-len(panels) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(7.5 * columns, 3.2 * rows), squeeze=False)
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    for axis, (title, label, field, found) in zip(axes.flat, panels, strict=False):
        cells = sorted(found, key=lambda cell: cell["median"][field], reverse=field == "p50_us")
        values = [cell["median"][field] for cell in cells]
        colors = ["#1f6f8b" if cell["peer"].startswith("sage") else "#b0b7bd" for cell in cells]
        whiskers = None
        if field == "p50_us":
            whiskers = [[0] * len(cells), [max(0, c["median"]["p99_us"] - c["median"][field]) for c in cells]]
        bars = axis.barh([cell["peer"] for cell in cells], values, color=colors, xerr=whiskers, ecolor="#555")
        axis.bar_label(bars, [number(value) for value in values], label_type="center", fontsize=8)
        axis.set_xscale("log")
        axis.set_xlim(left=min(values) / 4)  # so that the smallest bar has room for its number
        axis.set_title(title, fontsize=10)
        axis.set_xlabel(label, fontsize=8)
    machine = record["machine"]
    figure.suptitle(f"{machine['cpus']} CPUs, {machine['cpu']}, {machine['python']}", fontsize=10)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)
