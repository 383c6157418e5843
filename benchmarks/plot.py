"""The record as pictures, one chart for each family of scenarios; values on logarithmic axes.

A family that was measured with several loads, or sizes, gives lines over them; any other gives bars. At a
rate, lines show the 99th percentile, dotted ones the median; a hollow mark is a rate that was not kept up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.peers import PEERS, REFERENCE
from benchmarks.scenarios import SCENARIOS, Scenario
from benchmarks.table import number, size_name

__all__ = ["Chart", "charts", "missing", "plot", "save"]

AXES = {"per_second": "{} per second", "kib": "KiB per connection, both ends"}
OURS, OTHERS = "#1f6f8b", "#b0b7bd"
COLORMAP = "tab20"
RATIOS = "ratios"
MARKS = dict(zip(PEERS, "os^Dv<>PX*hdp8H", strict=False))

Record = dict[str, Any]


@dataclass(frozen=True)
class Chart:
    """One picture.

    Attributes:
        name: of its file, without suffix.
        title: one line.
        draw: draws it into a matplotlib Axes.
    """

    name: str
    title: str
    draw: Callable[[Any], None]


def missing() -> str | None:
    """None when pictures can be made here, else what to do."""
    try:
        import matplotlib as mpl
    except ImportError as error:
        return f"pictures need matplotlib ({error}): pip install 'sage-rpc[bench]'"
    mpl.use("Agg")
    # Text stays text, and a picture of the same record is the same file.
    mpl.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "sage-rpc"})
    return None


def charts(record: Record) -> list[Chart]:
    """What there is to see in a record; cells that failed are left out."""
    good = [cell for cell in record["cells"] if cell["median"] is not None]
    families: dict[str, list[dict[str, Any]]] = {}
    for cell in good:
        scenario = SCENARIOS[cell["scenario"]]
        if (cell["median"].get(scenario.by) or 0) > 0:
            families.setdefault(scenario.family or scenario.name, []).append(cell)
    found = [_ratios(good)] if any(cell["peer"] == REFERENCE for cell in good) else []
    return [*found, *(_family(name, cells) for name, cells in families.items())]


def _label(scenario: Scenario) -> str:
    if scenario.by in AXES:
        return AXES[scenario.by].format(scenario.counts)
    return f"{scenario.by.removesuffix('_us')}, microseconds"


def _ratios(cells: list[dict[str, Any]]) -> Chart:
    """How many times better than the reference each scenario's fastest peer of ours is."""
    best: dict[str, tuple[float, str]] = {}
    for cell in cells:
        times = (cell["ratio"] or {}).get(SCENARIOS[cell["scenario"]].by)
        if cell["peer"].startswith("sage") and times:
            name = f"{cell['scenario']}, {size_name(cell['size'])}"
            best[name] = max(best.get(name, (0.0, "")), (times, cell["peer"]))

    def draw(axis: Any) -> None:
        names = list(best)[::-1]
        times = [best[name][0] for name in names]
        bars = axis.barh(names, times, color=OURS)
        axis.bar_label(bars, [f"{number(best[n][0])}x {best[n][1]}" for n in names], padding=3, fontsize=7)
        axis.axvline(1, color="#555", linewidth=1)
        axis.set_xscale("log")
        axis.set_xlim(left=min(0.8, *times), right=max(times) * 4)
        axis.tick_params(axis="y", labelsize=7)
        axis.set_xlabel(f"times better than {REFERENCE}", fontsize=8)
        axis.figure.set_figheight(max(axis.figure.get_figheight(), 0.2 * len(names)))

    return Chart(RATIOS, f"The best of ours beside {REFERENCE}", draw)


def _family(name: str, cells: list[dict[str, Any]]) -> Chart:
    loads = sorted({SCENARIOS[cell["scenario"]].x for cell in cells})
    sizes = sorted({cell["size"] for cell in cells})
    scenario = SCENARIOS[cells[0]["scenario"]]
    if len(loads) == len(sizes) == 1:
        return Chart(name, f"{scenario.name}, {size_name(sizes[0])}: {scenario.what}", _bars(scenario, cells))
    if len(sizes) > 1:
        return Chart(name, f"{name}: {scenario.what}", _lines(scenario, cells, sizes, size_name, "payload"))
    return Chart(
        name,
        f"{name}, {size_name(sizes[0])}: {scenario.family_what}",
        _lines(scenario, cells, loads, "{:,}".format, scenario.axis),
    )


def _bars(scenario: Scenario, cells: list[dict[str, Any]]) -> Callable[[Any], None]:
    by = scenario.by

    def draw(axis: Any) -> None:
        ordered = sorted(cells, key=lambda cell: cell["median"][by], reverse=by != "per_second")
        values = [cell["median"][by] for cell in ordered]
        colors = [OURS if cell["peer"].startswith("sage") else OTHERS for cell in ordered]
        whiskers = None
        if by == "p50_us":
            whiskers = [
                [0] * len(ordered),
                [max(0, c["median"]["p99_us"] - c["median"][by]) for c in ordered],
            ]
        names = [cell["peer"] for cell in ordered]
        bars = axis.barh(names, values, color=colors, xerr=whiskers, ecolor="#555")
        axis.bar_label(bars, [number(found) for found in values], label_type="center", fontsize=8)
        axis.set_xscale("log")
        axis.set_xlim(left=min(values) / 4)  # so that the smallest bar has room for its number
        axis.set_xlabel(_label(scenario) + (" (whisker: p99)" if whiskers else ""), fontsize=8)

    return draw


def _lines(
    scenario: Scenario,
    cells: list[dict[str, Any]],
    places: list[int],
    name: Callable[[int], str],
    axis_name: str,
) -> Callable[[Any], None]:
    """A line for each peer over `places`, which are loads or sizes, at equal distances."""
    by = scenario.by
    over_sizes = axis_name == "payload"

    def place(cell: dict[str, Any]) -> int:
        return places.index(cell["size"] if over_sizes else SCENARIOS[cell["scenario"]].x)

    def draw(axis: Any) -> None:
        from matplotlib import colormaps

        colors = colormaps[COLORMAP]
        for peer in dict.fromkeys(cell["peer"] for cell in cells):
            points = sorted((cell for cell in cells if cell["peer"] == peer), key=place)
            xs = [place(cell) for cell in points]
            medians = [cell["median"] for cell in points]
            color, mark = colors(list(PEERS).index(peer)), MARKS[peer]
            width = 2.0 if peer.startswith("sage") else 1.0
            axis.plot(xs, [median[by] for median in medians], color=color, linewidth=width, label=peer)
            for x, cell, median in zip(xs, points, medians, strict=True):
                face = color if SCENARIOS[cell["scenario"]].kept_up(median) else "white"
                axis.plot([x], [median[by]], marker=mark, color=color, markersize=5, markerfacecolor=face)
            if by == "p99_us":
                axis.plot(
                    xs, [median["p50_us"] for median in medians], color=color, linestyle=":", linewidth=width
                )
        axis.set_yscale("log")
        axis.set_xticks(range(len(places)), [name(found) for found in places], fontsize=8)
        axis.set_xlabel(axis_name, fontsize=8)
        axis.set_ylabel(_label(scenario) + (" (dotted: p50)" if by == "p99_us" else ""), fontsize=8)
        axis.grid(visible=True, alpha=0.3)
        axis.legend(fontsize=7)

    return draw


def plot(record: Record, path: Path) -> None:
    """Write the charts of all families as one PNG, or what the suffix of `path` says.

    Raises:
        OSError: `path` cannot be written.
        ValueError: there is no such kind of picture.
    """
    from matplotlib import pyplot as plt

    found = [chart for chart in charts(record) if chart.name != RATIOS]
    columns = 2 if len(found) > 1 else 1
    rows = max(1, -(-len(found) // columns))
    figure, axes = plt.subplots(rows, columns, figsize=(7.5 * columns, 3.8 * rows), squeeze=False)
    for axis in axes.flat[len(found) :]:
        axis.set_visible(False)
    for axis, chart in zip(axes.flat, found, strict=False):
        chart.draw(axis)
        axis.set_title(chart.title, fontsize=10)
    machine = record["machine"]
    figure.suptitle(f"{machine['cpus']} CPUs, {machine['cpu']}, {machine['python']}", fontsize=10)
    figure.tight_layout(rect=(0, 0, 1, 1 - 0.4 / figure.get_figheight()))  # below the machine's name
    figure.savefig(path, dpi=110)
    plt.close(figure)


def save(chart: Chart, path: Path) -> None:
    """Write one chart as SVG.

    Raises:
        OSError: `path` cannot be written.
    """
    from matplotlib import pyplot as plt

    figure, axis = plt.subplots(figsize=(7.5, 3.8))
    chart.draw(axis)
    axis.set_title(chart.title, fontsize=10)
    figure.tight_layout()
    figure.savefig(path, format="svg", metadata={"Date": None})
    plt.close(figure)
