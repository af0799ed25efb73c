"""`todo-api` under tracemalloc: `python -m benchmarks.heap FOLDER serve` runs `todo-api serve`.

Each SIGUSR1 writes a snapshot of all Python objects that were allocated since the start, and are still there, to the
next file of the folder: `1.heap`, `2.heap` and so on. It takes some seconds, in which the service does not respond.
"""

import gc
import re
import signal
import sys
import tracemalloc
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from todo_api.cli.main import main as todo_api

FRAMES = 1  # of each allocation; more would take more time and memory


def snapshots(folder: Path) -> list[tracemalloc.Snapshot]:
    """Return the snapshots that were written to the folder, in order."""
    return [tracemalloc.Snapshot.load(f"{file}") for file in sorted(folder.glob("*.heap"), key=lambda f: int(f.stem))]


def size(snapshot: tracemalloc.Snapshot) -> int:
    """Return the bytes of all objects in the snapshot."""
    return sum(trace.size for trace in snapshot.traces)


def growth(earlier: tracemalloc.Snapshot, later: tracemalloc.Snapshot, lines: int) -> Sequence[str]:
    """Return the lines of code whose objects have grown most between two snapshots, with the bytes."""
    own = [tracemalloc.Filter(inclusive=False, filename_pattern=tracemalloc.__file__)]
    compared = later.filter_traces(own).compare_to(earlier.filter_traces(own), "lineno")
    grown = sorted(compared, key=lambda difference: difference.size_diff, reverse=True)
    return [
        f"{each.size_diff / 1024:+8.1f} KiB, {each.count_diff:+7,} objects  {_short(each.traceback[0].filename)}"
        f":{each.traceback[0].lineno}"
        for each in grown[:lines]
    ]


def _short(filename: str) -> str:
    """Return the path without the folder of the environment, of Python or of the project."""
    return re.split(r"/(?:site-packages|src|lib/python[\d.]+)/", filename)[-1]


def main() -> int:
    folder, *arguments = sys.argv[1:]
    numbers = count(1)

    def write_snapshot(*_: object) -> None:
        gc.collect()
        file = Path(folder) / f"{next(numbers)}.heap"
        tracemalloc.take_snapshot().dump(f"{file}.unfinished")
        Path(f"{file}.unfinished").rename(file)

    tracemalloc.start(FRAMES)
    signal.signal(signal.SIGUSR1, write_snapshot)
    return todo_api(arguments)


if __name__ == "__main__":
    sys.exit(main())
