"""Draw the figures of `benchmarks`, `benchmarks.scale` and `benchmarks.soak` as SVG.

`make bench`, `make bench-scale` and `make soak` run it, in the environment of the tools, which has matplotlib.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

mpl.rcParams["svg.hashsalt"] = "todo-api"  # the same figures produce the same file

COLOURS = {"ceiling": "#b8bec8", "service": "#1f6feb", "replaced": "#d1862b"}
LABELS = {"ceiling": "raw Starlette + asyncpg", "service": "todo-api", "replaced": "the synchronous stack before"}
CONNECTIONS = 32
MEASURES = {"rate": ("requests per second", "{:,.0f}"), "cpu": ("server CPU per request, ms", "{:.2f}")}
CALLS = ("list 50", "list 50, unchanged", "get", "create", "update")


def draw_calls(rows: list[dict[str, Any]]) -> Figure:
    """Draw two bar charts: requests per second, and CPU time per request."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axes = figure.subplots(1, 2)
    for axis, (key, (title, form)) in zip(axes, MEASURES.items(), strict=True):
        for number, program in enumerate(COLOURS):
            shown = [row for row in rows if row["program"] == program and row["connections"] == CONNECTIONS]
            found = {row["call"]: row[key] for row in shown if row["call"] in CALLS}
            places = [CALLS.index(call) + (number - 1) * 0.27 for call in found]
            bars = axis.bar(places, list(found.values()), 0.25, color=COLOURS[program], label=LABELS[program])
            axis.bar_label(bars, fmt=form, fontsize=7)
        axis.set_title(f"{title}, {CONNECTIONS} connections, one core", fontsize=10)
        axis.set_xticks(range(len(CALLS)), CALLS, fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    return figure


def draw_scale(points: list[list[Any]]) -> Figure:
    """Draw a line for each call: the blocks that it reads, over the size of the table."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axis = figure.subplots()
    axis.set_prop_cycle(color=mpl.colormaps["tab20"].colors)
    for call in dict.fromkeys(point[0] for point in points):
        of_call = [(tasks, blocks) for name, tasks, _, blocks in points if name == call]
        axis.plot(*zip(*of_call, strict=True), marker="o", markersize=3, label=call)
    axis.set_xscale("log")
    axis.set_ylim(bottom=0)
    axis.set_title("database blocks that a call reads, by the number of tasks in the table", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=7, ncols=2, bbox_to_anchor=(1.01, 1), loc="upper left")
    return figure


def draw_soak(runs: Sequence[dict[str, Any]]) -> Figure:
    """Draw the memory of the service over time: its resident set, and its Python objects where a run counted them."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    axis = figure.subplots()
    for run in runs:
        minutes, heap = run["seconds"] / 60, run["heap"]
        if heap:
            times = [minutes * (number + 1) / len(heap) for number in range(len(heap))]
            axis.plot(times, _mebibytes(heap), marker="o", markersize=3, label="Python objects (traced in another run)")
        else:
            count = len(run["memory"])
            times = [minutes * number / count for number in range(count)]
            axis.plot(times, _mebibytes(run["memory"]), linewidth=0.7, label="resident set, each second")
    axis.set_ylim(bottom=0)
    axis.set_xlabel("minutes", fontsize=8)
    axis.set_title("memory of the service under requests of all kinds, MiB", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, loc="lower right")
    return figure


def _mebibytes(sizes: Sequence[int]) -> list[float]:
    return [size / 2**20 for size in sizes]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot", description=(__doc__ or "").partition("\n")[0])
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--calls", type=Path, help="the output of `python -m benchmarks --json`")
    kind.add_argument("--scale", type=Path, help="the output of `python -m benchmarks.scale --json`")
    kind.add_argument("--soak", type=Path, action="append", help="an output of `python -m benchmarks.soak --json`")
    parser.add_argument("image", type=Path, help="the SVG file to write")
    arguments = parser.parse_args()
    if arguments.soak:
        figure = draw_soak([json.loads(file.read_text()) for file in arguments.soak])
    elif arguments.scale:
        figure = draw_scale(json.loads(arguments.scale.read_text()))
    else:
        figure = draw_calls(json.loads(arguments.calls.read_text()))
    figure.savefig(arguments.image, metadata={"Date": None})


if __name__ == "__main__":
    main()
