"""Draw the figures of `benchmarks` and `benchmarks.scale` as SVG.

`make bench` and `make bench-scale` run it, in the environment of the tools, which has matplotlib.
"""

import argparse
import json
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


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.plot", description=(__doc__ or "").partition("\n")[0])
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--calls", type=Path, help="the output of `python -m benchmarks --json`")
    kind.add_argument("--scale", type=Path, help="the output of `python -m benchmarks.scale --json`")
    parser.add_argument("image", type=Path, help="the SVG file to write")
    arguments = parser.parse_args()
    source = arguments.calls or arguments.scale
    draw = draw_calls if arguments.calls else draw_scale
    draw(json.loads(source.read_text())).savefig(arguments.image, metadata={"Date": None})


if __name__ == "__main__":
    main()
